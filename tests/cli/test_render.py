"""`automix render`: plans give the same bytes wherever they are, and cannot reach other files."""

import json
import os
import re
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest
import soundfile

from automix.analysis.program import measure
from automix.audio.samples import Audio
from tests.cli.short_song import RATE, drums


@pytest.fixture
def mixed(cli, song) -> Path:
    """A folder with the inputs, the mix, and the plan."""
    folder = Path("project")
    folder.mkdir()
    for path in (song.vocal, song.beat):
        shutil.copy(path, folder)
    result = cli("vocal", folder / "vox.wav", folder / "beat.wav", "-o", folder / "mix.wav")
    assert result.exit_code == 0
    return folder


def test_a_plan_renders_to_the_same_bytes(cli, mixed: Path) -> None:
    result = cli("render", mixed / "mix.toml", "-o", "again.wav")
    assert result.exit_code == 0
    assert Path("again.wav").read_bytes() == (mixed / "mix.wav").read_bytes()
    assert tomllib.loads(Path("again.toml").read_text())["tracks"][0]["file"] == "project/vox.wav"


def test_a_folder_may_be_moved(cli, mixed: Path) -> None:
    mix = (mixed / "mix.wav").read_bytes()
    moved = mixed.rename("elsewhere")
    (moved / "mix.wav").unlink()
    plan = (moved / "mix.toml").read_text()
    assert cli("render", moved / "mix.toml").exit_code == 0
    assert (moved / "mix.wav").read_bytes() == mix
    assert (moved / "mix.toml").read_text() == plan


def test_inputs_outside_the_folder_are_found_again(cli, song) -> None:
    Path("a/b").mkdir(parents=True)
    assert cli("vocal", song.vocal, song.beat, "-o", "a/mix.wav").exit_code == 0
    assert cli("render", "a/mix.toml", "-o", "a/b/").exit_code == 0
    assert cli("render", "a/b/mix.toml", "-o", "again.wav").exit_code == 0
    assert Path("again.wav").read_bytes() == Path("a/mix.wav").read_bytes()


def test_a_replaced_input_is_rendered_and_said_so(cli, mixed: Path) -> None:
    soundfile.write(mixed / "beat.wav", 0.5 * drums(), RATE, "PCM_24")
    result = cli("render", mixed / "mix.toml", "-f")
    assert result.exit_code == 0
    assert "beat.wav: not the file that the plan was made from" in result.stderr


def test_a_replaced_input_outside_the_folder_needs_permission(cli, mixed: Path) -> None:
    outside = mixed / "plans"
    outside.mkdir()
    assert cli("render", mixed / "mix.toml", "-o", outside).exit_code == 0
    soundfile.write(mixed / "beat.wav", 0.5 * drums(), RATE, "PCM_24")
    refused = cli("render", outside / "mix.toml", "-o", "again.wav")
    assert refused.exit_code == 2
    assert "--allow-outside" in refused.stderr
    assert not Path("again.wav").exists()
    assert cli("render", outside / "mix.toml", "-o", "again.wav", "--allow-outside").exit_code == 0


def test_set_changes_the_sound_and_the_new_plan(cli, mixed: Path) -> None:
    options = ("--set", "beat.mute=true", "--set", "vocal.fader_db+=3", "--bits", "32f")
    assert cli("render", mixed / "mix.toml", *options, "-o", "vocal.wav").exit_code == 0
    louder = tomllib.loads(Path("vocal.toml").read_text())
    before = tomllib.loads((mixed / "mix.toml").read_text())
    assert louder["tracks"][1]["mute"] is True
    assert louder["tracks"][0]["fader_db"] == before["tracks"][0]["fader_db"] + 3
    assert cli("render", "vocal.toml", "-o", "again.wav").exit_code == 0
    assert Path("vocal.wav").read_bytes() == Path("again.wav").read_bytes()
    options = ("--set", "beat.mute=true", "--bits", "32f")
    assert cli("render", mixed / "mix.toml", *options, "-o", "softer.wav").exit_code == 0
    ratio = soundfile.read("vocal.wav")[0].std() / soundfile.read("softer.wav")[0].std()
    assert ratio == pytest.approx(10 ** (3 / 20), rel=1e-4)


def test_the_table_tells_what_was_edited(cli, mixed: Path) -> None:
    plan = (mixed / "mix.toml").read_text()
    assert "edited" not in cli("render", mixed / "mix.toml", "-f").stdout
    changed = cli("render", mixed / "mix.toml", "-o", "x.wav", "--set", "vocal.fader_db=-1.25")
    assert "-1.25 dB" in changed.stdout
    assert "edited; was" in changed.stdout
    start = plan.index("[[tracks.equalizer.bands]]")
    end = plan.index("[[tracks.sends]]")
    (mixed / "mix.toml").write_text(plan[:start] + plan[end:])
    removed = cli("render", mixed / "mix.toml", "-f", "-v")
    assert removed.exit_code == 0
    assert "removed; was" in removed.stdout


def test_a_change_cannot_replace_the_plan_that_it_starts_from(cli, mixed: Path) -> None:
    plan = (mixed / "mix.toml").read_text()
    result = cli("render", mixed / "mix.toml", "--set", "vocal.pan=0.4", "-f")
    assert result.exit_code == 4
    assert (mixed / "mix.toml").read_text() == plan


def test_render_exports_stems(cli, mixed: Path) -> None:
    options = ("--export-stems", "stems", "--bits", "32f", "-o", "again.wav")
    assert cli("render", mixed / "mix.toml", *options).exit_code == 0
    stems = [soundfile.read(f"stems/{name}.wav")[0] for name in ("vocal", "beat")]
    np.testing.assert_allclose(sum(stems), soundfile.read("again.wav")[0], atol=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("format = 1", "format = 99", "99"),
        ("format = 1\n", "", "None"),
        ("pan = 0.5", "pan = 1.5", "pan"),
        ("pan = 0.5", "pam = 0.5", "'pam'"),
        ("mute = false", "mute = 0", "mute"),
        ("fader_db", "fader_db = nan #", "fader_db"),
        ("[buses.reverb]", "[buses.hall]", "'hall'"),
        ('bus = "vocal reverb"', 'bus = "hall"', "'hall'"),
        ('name = "beat"', 'name = "vocal"', "'vocal'"),
        ('file = "vox.wav"', 'file = "gone.wav"', "gone.wav"),
        ('file = "vox.wav"', 'file = "../../../etc/hostname"', "hostname"),
        ('file = "vox.wav"', 'file = "/dev/zero"', "/dev/zero"),
        ("gain_db", "gain_db = = ", "line"),
    ],
)
def test_a_wrong_plan_exits_2_and_says_where(
    cli, mixed: Path, old: str, new: str, named: str
) -> None:
    text = (mixed / "mix.toml").read_text()
    assert old in text
    (mixed / "mix.toml").write_text(text.replace(old, new, 1))
    result = cli("render", mixed / "mix.toml", "-o", "again.wav")
    assert result.exit_code == 2
    assert named in result.stderr
    assert result.stdout == ""
    assert not Path("again.wav").exists()


def test_what_is_no_plan_exits_2(cli, song) -> None:
    Path("deep.toml").write_text("x = " + 9999 * "[")
    os.mkdir("folder.toml")
    for path in (song.beat, "gone.toml", "deep.toml", "folder.toml"):
        result = cli("render", path, "-o", "mix.wav")
        assert result.exit_code == 2
        assert Path(path).name in result.stderr
        assert "Errno" not in result.stderr


@pytest.mark.slow
def test_skip_existing_mixes_again_only_what_differs(cli, song) -> None:
    Path("v.wav").write_bytes(song.vocal.read_bytes())

    def mix(*options: str) -> dict:
        command = ("vocal", "v.wav", song.beat, "--skip-existing", "--json", *options)
        result = cli(*command)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    def stamps() -> list[int]:
        return [Path(name).stat().st_mtime_ns for name in ("mix.wav", "mix.toml")]

    assert "skipped" not in mix()
    written = stamps()
    assert mix()["skipped"]
    assert mix("-f")["skipped"]
    assert stamps() == written
    assert cli("vocal", "v.wav", song.beat, "--skip-existing", "--level", "0").exit_code == 4
    assert "skipped" not in mix("-f", "--level", "0")
    assert mix("--level", "0")["skipped"]
    assert "skipped" not in mix("-f", "--level", "0", "--export-stems", "stems")
    assert mix("--level", "0", "--export-stems", "stems")["skipped"]
    soundfile.write("v.wav", soundfile.read(song.vocal)[0] / 2, RATE, "PCM_24")
    assert "skipped" not in mix("-f", "--level", "0")
    Path("mix.wav").unlink()
    assert "skipped" not in mix("-f", "--level", "0")
    Path("v.wav").unlink()
    assert cli("vocal", "v.wav", song.beat, "--skip-existing", "-f").exit_code == 3


def _peak_dbtp(path: Path) -> float:
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return measure(Audio(np.ascontiguousarray(samples.T), rate)).true_peak_dbtp


@pytest.mark.parametrize(
    "change", [("--vocals", "+12"), ("--set", "vocal.fader_db+=12"), ("--brightness", "4")]
)
def test_changes_of_tracks_do_not_leave_the_ceiling(cli, mixed: Path, change) -> None:
    result = cli("render", mixed / "mix.toml", "-o", "changed.wav", *change)
    assert result.exit_code == 0
    assert -1.2 < _peak_dbtp(Path("changed.wav")) <= -1.0
    assert "clipped" not in result.stderr


def test_a_loudness_that_was_asked_for_stays_when_tracks_change(cli, mixed: Path) -> None:
    assert cli("render", mixed / "mix.toml", "-o", "a.wav", "--loudness", "-12").exit_code == 0
    assert cli("render", "a.toml", "-o", "b.wav", "--vocals", "+6").exit_code == 0
    for name in ("a.wav", "b.wav"):
        samples, rate = soundfile.read(name, dtype="float32", always_2d=True)
        loudness = measure(Audio(np.ascontiguousarray(samples.T), rate))
        assert loudness.integrated_lufs == pytest.approx(-12, abs=0.15)
        assert loudness.true_peak_dbtp <= -1.0
    assert cli("render", "b.toml", "-o", "c.wav", "--true-peak", "-6").exit_code == 0
    assert -6.3 < _peak_dbtp(Path("c.wav")) <= -6.0  # at the loudness that the plan was made for


def test_a_master_that_somebody_set_stays_and_an_over_is_a_warning(cli, mixed: Path) -> None:
    by_hand = ("--set", "master.gain_db=12", "--bits", "32f")
    loud = cli("render", mixed / "mix.toml", "-o", "loud.wav", *by_hand)
    plan = tomllib.loads(Path("loud.toml").read_text())
    assert plan["master"]["gain_db"] == 12
    assert _peak_dbtp(Path("loud.wav")) > 0.0
    changed = cli("render", "loud.toml", "-o", "more.wav", "--vocals", "+1", "--bits", "32f")
    assert tomllib.loads(Path("more.toml").read_text())["master"]["gain_db"] == 12
    text = (mixed / "mix.toml").read_text()
    edited = mixed / "edited.toml"
    edited.write_text(re.sub(r"fader_db = \S+", "fader_db = 12.0", text))
    over = cli("render", edited, "-o", "edited.wav")
    assert "finish it again with --true-peak -1" in over.stderr
    assert (loud.exit_code, changed.exit_code, over.exit_code) == (0, 0, 0)


def test_what_finishes_the_mix_is_set_in_one_way(cli, mixed: Path) -> None:
    both = ("--set", "master.gain_db=3", "--loudness", "-14")
    refused = cli("render", mixed / "mix.toml", "-o", "both.wav", *both)
    assert refused.exit_code == 2
    assert "--set master.gain_db: --loudness and --true-peak set it too" in refused.stderr
    made = cli("render", mixed / "mix.toml", "-o", "a.wav", "--loudness", "-9")
    slower = Path("a.toml").read_text().replace("release_ms = 100.0", "release_ms = 500.0")
    Path("a.toml").write_text(slower)
    changed = cli("render", "a.toml", "-o", "b.wav", "--vocals", "+1")
    assert (made.exit_code, changed.exit_code) == (0, 0)
    assert tomllib.loads(Path("b.toml").read_text())["master"]["limiter"]["release_ms"] == 500.0
