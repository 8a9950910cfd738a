"""The example scripts run on the demo song, and POSIX shells accept them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.sh"))


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """With a program `automix` on the path."""
    programs = tmp_path_factory.mktemp("bin")
    for name, options in (("automix", "-m automix"), ("python3", "")):
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {options} "$@"\n')
        (programs / name).chmod(0o755)
    path = f"{programs}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Path:
    """Ten seconds of the demo song at a low rate, to be quick."""
    folder = tmp_path_factory.mktemp("demo")
    command = ["automix", "demo", folder, "--sample-rate", "16000", "-f", "-q"]
    subprocess.run(command, env=environment, check=True, timeout=120)
    for name in ("vocal.wav", "beat.wav"):
        samples, rate = soundfile.read(folder / name)
        soundfile.write(folder / name, samples[8 * rate : 18 * rate], rate, "PCM_24")
    return folder


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path):
    def script(
        name: str, *arguments: object, **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["sh", ROOT / "examples" / f"{name}.sh", *map(str, arguments)],
            env={**environment, **variables},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return script


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_shells_accept_it(path: Path) -> None:
    assert os.access(path, os.X_OK)
    assert path.read_text().startswith("#!/bin/sh\n")
    for shell in ("sh", "dash", "bash", "busybox"):
        if found := shutil.which(shell):
            command = [found, "sh", "-n", path] if shell == "busybox" else [found, "-n", path]
            subprocess.run(command, check=True, timeout=60)
    if shutil.which("shellcheck"):
        subprocess.run(["shellcheck", path], check=True, timeout=60)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_it_says_how_it_is_used(run, path: Path) -> None:
    done = run(path.stem)
    assert done.returncode == 2
    assert done.stderr.startswith(f"usage: {path.name} ")


@pytest.mark.slow
def test_mix_folder_mixes_pairs_of_any_name_once(run, demo: Path, tmp_path: Path) -> None:
    for name in ("one two", "sub folder/-line\nbreak", "sub folder/$(touch hacked);'\""):
        (tmp_path / "-songs" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(demo / "vocal.wav", tmp_path / "-songs" / f"{name}_vox.wav")
        shutil.copy(demo / "beat.wav", tmp_path / "-songs" / f"{name}_beat.wav")
    done = run("mix-folder", "-songs", "-mixes", JOBS="3")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    mixes = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.glob("-mixes/**/*.wav"))
    assert mixes == [
        "-mixes/one two.wav",
        "-mixes/sub folder/$(touch hacked);'\".wav",
        "-mixes/sub folder/-line\nbreak.wav",
    ]
    assert not list(tmp_path.rglob("hacked"))
    stamps = [(tmp_path / mix).stat().st_mtime_ns for mix in mixes]
    assert run("mix-folder", "-songs", "-mixes").returncode == 0
    assert [(tmp_path / mix).stat().st_mtime_ns for mix in mixes] == stamps


@pytest.mark.slow
def test_mix_folder_reports_a_pair_that_fails_and_mixes_the_rest(
    run, demo: Path, tmp_path: Path
) -> None:
    songs = tmp_path / "songs"
    songs.mkdir()
    for name in ("a_vox.wav", "b_vox.wav"):
        shutil.copy(demo / "vocal.wav", songs / name)
    shutil.copy(demo / "beat.wav", songs / "b_beat.wav")
    done = run("mix-folder", "songs", "mixes")
    assert done.returncode == 1
    assert "a_beat.wav" in done.stderr
    assert [path.name for path in (tmp_path / "mixes").glob("*.wav")] == ["b.wav"]
    songs.joinpath("a_vox.wav").unlink()
    assert run("mix-folder", "songs", "mixes").returncode == 0
    (tmp_path / "empty").mkdir()
    assert run("mix-folder", "empty", "mixes").returncode == 0


@pytest.mark.slow
def test_album_mixes_again_only_what_differs(run, demo: Path, tmp_path: Path) -> None:
    for song in ("01 First", "02 Second\n"):
        (tmp_path / "album" / song).mkdir(parents=True)
        for name in ("vocal.wav", "beat.wav"):
            shutil.copy(demo / name, tmp_path / "album" / song)
    (tmp_path / "album" / "artwork").mkdir()
    mixes = [tmp_path / "album" / song / "mix.wav" for song in ("01 First", "02 Second\n")]

    def changed(*options: str) -> list[bool]:
        before = [mix.stat().st_mtime_ns if mix.exists() else 0 for mix in mixes]
        done = run("album", "album", "-q", *options)
        assert done.returncode == 0, done.stderr
        return [mix.stat().st_mtime_ns != old for mix, old in zip(mixes, before, strict=True)]

    assert changed() == [True, True]
    assert changed() == [False, False]
    samples, rate = soundfile.read(demo / "vocal.wav")
    soundfile.write(mixes[0].parent / "vocal.wav", samples / 2, rate, "PCM_24")
    assert changed() == [True, False]
    assert changed("--loudness", "-16") == [True, True]
    mixes[0].with_name("vocal.wav").write_text("broken")
    done = run("album", "album", "-q")
    assert done.returncode == 1
    assert "01 First/vocal.wav" in done.stderr


@pytest.mark.slow
def test_loudness_variants_reach_their_targets(run, demo: Path, tmp_path: Path) -> None:
    done = run("loudness-variants", demo / "vocal.wav", demo / "beat.wav", "variants")
    assert done.returncode == 0, done.stderr
    printed = [line.split("  ")[:2] for line in done.stdout.splitlines()]
    assert printed == [
        [f"variants/mix{target}.wav", f"{target:.1f} LUFS"] for target in (-14, -16, -23)
    ]
    soft, loud = (soundfile.read(tmp_path / f"variants/mix{n}.wav")[0] for n in (-23, -16))
    gain = np.linalg.norm(loud) / np.linalg.norm(soft)
    assert 20 * np.log10(gain) == pytest.approx(7, abs=0.2)


@pytest.mark.slow
def test_compare_presets_prints_a_row_for_each(run, demo: Path, tmp_path: Path) -> None:
    done = run("compare-presets", demo / "vocal.wav", demo / "beat.wav", "compared")
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()[1:]]
    assert [row[0] for row in rows] == ["studio", "paper", "poster", "random", "sum"]
    assert all(float(row[3]) == pytest.approx(-23, abs=0.05) for row in rows)
    relative_lu = {row[0]: float(row[1]) - float(row[2]) for row in rows}
    assert relative_lu["paper"] == pytest.approx(-1.77, abs=0.05)
    assert relative_lu["poster"] == pytest.approx(-0.5, abs=0.05)
    assert len(list((tmp_path / "compared").glob("*.wav"))) == 5


@pytest.mark.slow
def test_evaluate_methods_compares_three_mixes_with_a_human_one(
    run, demo: Path, tmp_path: Path
) -> None:
    done = run("evaluate-methods", demo / "song", demo / "beat.wav", "mixes", "--mode", "full")
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines() if line.startswith("stereo MR-STFT")]
    figures = [float(figure) for figure in rows[0][-3:]]
    assert len({*figures}) == 3
    assert min(figures) > 0
    names = sorted(path.name for path in (tmp_path / "mixes").glob("*.wav"))
    assert names == ["equal-loudness.wav", "mono.wav", "rules.wav"]


@pytest.mark.slow
def test_a_fade_out_goes_straight_down(run, demo: Path, environment, tmp_path: Path) -> None:
    command = ["automix", "vocal", demo / "vocal.wav", demo / "beat.wav", "-o", "mix.wav", "-q"]
    subprocess.run(command, env=environment, cwd=tmp_path, check=True, timeout=120)
    done = run("fade-out", "mix.toml", "4", "4.5", "faded.wav")
    assert done.returncode == 0, done.stderr
    mix, rate = soundfile.read(tmp_path / "mix.wav")
    faded, _ = soundfile.read(tmp_path / "faded.wav")
    for time_s in (1.0, 5.0, 6.5, 8.4):
        part = slice(round((time_s - 0.1) * rate), round((time_s + 0.1) * rate))
        gain_db = 20 * np.log10(np.linalg.norm(faded[part]) / np.linalg.norm(mix[part]))
        assert gain_db == pytest.approx(-60 * max(0.0, time_s - 4.0) / 4.5, abs=0.7)
    assert run("fade-out", "mix.toml", "x", "1", "other.wav").returncode == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["loudness-variants", "compare-presets"])
def test_a_failure_is_passed_on(run, demo: Path, name: str) -> None:
    done = run(name, "gone.wav", demo / "beat.wav", "out")
    assert done.returncode == 3
    assert "gone.wav" in done.stderr
    assert "Traceback" not in done.stderr
