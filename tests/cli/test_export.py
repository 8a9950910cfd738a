"""`automix export`: a mix to a DAW, from the command line."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from automix.plan.model import MixPlan
from tests.cli.conftest import AUTOMIX, ROOT
from tests.export.reader import opened, project
from tests.export.structure import faults

HEAVY = {"torch", "scipy", "numba", "numpy", "matplotlib", "soundfile", "soxr", "pedalboard"}


@pytest.fixture(scope="session")
def mix_folder(song, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the inputs, the mix, and the plan; not to be changed."""
    folder = tmp_path_factory.mktemp("project")
    for path in (song.vocal, song.beat):
        shutil.copy(path, folder)
    command = ["vocal", "vox.wav", "beat.wav", "-o", "mix.wav", "--bits", "32f", "--quiet"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([*AUTOMIX, *command], cwd=folder, check=True, env=environment)
    return folder


@pytest.fixture
def mixed(cli, mix_folder: Path) -> Path:
    """A copy of that folder, in the current one."""
    return Path(shutil.copytree(mix_folder, "project"))


def test_a_dawproject_beside_the_plan(cli, mixed: Path) -> None:
    result = cli("export", mixed / "mix.toml")
    assert result.exit_code == 0
    plan = MixPlan.from_toml((mixed / "mix.toml").read_text())
    path = mixed / "mix.dawproject"
    assert faults(project(path)) == []
    found = opened(path)
    tracks = {strip.name: strip for strip in found.plan.tracks}
    for strip in plan.tracks:
        assert tracks[strip.name].fader_db == pytest.approx(strip.fader_db, abs=1e-9)
        assert tracks[strip.name].pan == strip.pan
    assert found.tempo_bpm == pytest.approx(120.0, rel=0.01)
    assert f"written   {path}" in result.stdout
    assert "left out  nothing" in result.stdout
    assert "pan law" in result.stderr


def test_rides_are_listed_where_they_go(cli, mixed: Path) -> None:
    plan = mixed / "mix.toml"
    ride = '\n[[master.rides]]\nsetting = "gain_db"\ntimes_s = [1.0, 2.0]\nvalues = [0.0, -9.0]\n'
    plan.write_text(plan.read_text() + ride)
    result = cli("export", plan)
    assert "automated master: gain_db" in result.stdout
    assert faults(project(mixed / "mix.dawproject")) == []
    found = json.loads(cli("export", plan, "--json", "-f").stdout)
    assert found["automated"] == {"master": ["gain_db"]}
    refused = cli("export", plan, "--set", "master.rides.1.values=3", "-f")
    assert refused.exit_code == 2
    assert "master.gain_db+=1" in refused.stderr


def test_json_lists_what_is_where(cli, mixed: Path) -> None:
    arguments = ("export", mixed / "mix.toml", "-o", "song.dawproject", "--json")
    document = json.loads(cli(*arguments).stdout)
    assert document["path"] == "song.dawproject"
    vocal, beat = document["tracks"]
    assert "de-esser" in vocal["printed"] or vocal["devices"][0] == "Equalizer"
    assert (vocal["channels"], beat["channels"], beat["bits"]) == (1, 2, "24")
    assert beat["printed"] == []
    assert document["returns"] == {"vocal reverb": "vocal reverb return"}
    dry = json.loads(cli(*arguments, "-f", "--dry").stdout)
    assert any("vocal reverb" in text for text in dry["left_out"])
    assert dry["returns"] == {}


def test_stems_sum_to_the_mix(cli, mixed: Path) -> None:
    result = cli("export", mixed / "mix.toml", "--to", "stems", "-o", "stems")
    assert result.exit_code == 0
    files = sorted(Path("stems").iterdir())
    assert [file.name for file in files] == ["01 beat.wav", "02 vocal.wav"]
    mix, rate = soundfile.read(mixed / "mix.wav")
    assert np.abs(sum(soundfile.read(file)[0] for file in files) - mix).max() < 1e-6
    document = json.loads(
        cli("export", mixed / "mix.toml", "--to", "stems", "--separate-returns", "--json").stdout
    )
    assert [stem["name"] for stem in document["stems"]] == ["beat", "vocal", "vocal reverb"]
    assert (document["frames"], document["sample_rate_hz"]) == (len(mix), rate)
    assert all(Path(stem["path"]).parent == mixed / "mix-stems" for stem in document["stems"])


def test_set_changes_what_is_written(cli, mixed: Path) -> None:
    changes = ("--set", "vocal.fader_db=-7", "--set", "beat.mute=true", "--set", "beat.pan=0.2")
    assert cli("export", mixed / "mix.toml", "-o", "x.dawproject", *changes).exit_code == 0
    tracks = {strip.name: strip for strip in opened(Path("x.dawproject")).plan.tracks}
    assert tracks["vocal"].fader_db == pytest.approx(-7.0)
    assert (tracks["beat"].mute, tracks["beat"].pan) == (True, 0.2)


def test_faders_end_where_the_daw_says(cli, mixed: Path) -> None:
    loud = ("-o", "x.dawproject", "--set", "beat.fader_db=10", "--force")
    for options, expected in (((), 10.0), (("--max-fader", "6"), 6.0)):
        result = cli("export", mixed / "mix.toml", *loud, *options)
        assert result.exit_code == 0
        tracks = {strip.name: strip for strip in opened(Path("x.dawproject")).plan.tracks}
        assert tracks["beat"].fader_db == pytest.approx(expected)
        assert ("4.00 dB of the fader" in result.stdout) == (expected == 6.0)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--to", "stems", "--dry"), 2, "--dry does not go with --to stems"),
        (("--to", "stems", "--max-fader", "6"), 2, "--max-fader does not go with"),
        (("--bits", "24"), 2, "--bits does not go with --to dawproject"),
        (("--separate-returns",), 2, "--separate-returns does not go with"),
        (("--to", "aaf"), 2, "dawproject"),
        (("-o", "song.zip"), 2, ".dawproject"),
        (("--set", "kick.pan=1"), 2, "no track or bus of that name"),
        (("-o", "project/vox.wav", "--to", "stems"), 4, "folder"),
    ],
)
def test_refusals(cli, mixed: Path, arguments, code: int, message: str) -> None:
    before = sorted(Path().rglob("*"))
    result = cli("export", mixed / "mix.toml", *arguments)
    assert result.exit_code == code
    assert message in result.stderr
    assert sorted(Path().rglob("*")) == before


def test_missing_inputs_and_plans(cli, mixed: Path) -> None:
    assert cli("export", "nothing.toml").exit_code == 2
    (mixed / "beat.wav").unlink()
    for form in ("dawproject", "stems"):
        result = cli("export", mixed / "mix.toml", "--to", form, "-o", f"out/x.{form}")
        assert result.exit_code == 2
        assert "beat.wav" in result.stderr
        assert not Path("out").exists()
    (mixed / "beat.wav").write_bytes(b"RIFF but not audio")
    assert cli("export", mixed / "mix.toml", "-o", "x.dawproject").exit_code == 3
    assert not Path("x.dawproject").exists()


def test_files_are_kept_unless_forced(cli, mixed: Path) -> None:
    assert cli("export", mixed / "mix.toml", "-q").stdout == ""
    before = (mixed / "mix.dawproject").read_bytes()
    assert cli("export", mixed / "mix.toml").exit_code == 4
    assert cli("export", mixed / "mix.toml", "-f").exit_code == 0
    assert (mixed / "mix.dawproject").read_bytes() == before


def test_a_signal_leaves_nothing(start, mixed: Path) -> None:
    samples = np.zeros((22050 * 600, 2), np.float32)
    soundfile.write(mixed / "beat.wav", samples, 22050, "PCM_16")
    process = start("export", mixed / "mix.toml", "-o", "out/x.dawproject")
    folder = mixed.resolve().parent / "out"
    deadline = time.monotonic() + 30
    while not (folder.exists() and any(file.stat().st_size for file in folder.iterdir())):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert not folder.exists()


@pytest.mark.parametrize(
    "arguments", [["export", "-h"], ["diff", "-h"], ["export", "--bogus"], ["diff", "a"]]
)
def test_help_and_usage_errors_import_nothing_heavy(arguments, environment) -> None:
    code = (
        "import sys\n"
        "from automix.cli.app import main\n"
        f"sys.argv = ['automix', *{arguments!r}]\n"
        "try:\n    main()\n"
        "except SystemExit:\n    pass\n"
        f"print('HEAVY', sorted({HEAVY!r} & set(sys.modules)))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert "HEAVY []" in result.stdout
