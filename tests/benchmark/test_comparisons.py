"""The comparisons themselves, on a song of 4 s."""

import shutil
import sys

import numpy as np
import pytest
import soundfile

from automix.audio.blocks import collect
from automix.benchmark import ffmpeg, functions, programs
from automix.benchmark.comparisons import COMPARISONS, choose_comparisons
from automix.benchmark.functions import measure_all_three
from automix.benchmark.machine import describe_conditions
from automix.benchmark.processes import run_process
from automix.benchmark.table import Missing, measure_all
from automix.benchmark.workbench import Workbench
from automix.errors import OutputError
from automix.files.reading import open_audio

needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")


@pytest.fixture
def bench(demo, tmp_path):
    return Workbench(tmp_path, tmp_path, 1)


@needs_ffmpeg
def test_the_meters_of_ffmpeg_run(bench):
    for command in (
        ffmpeg.loudness_of_both(bench.song),
        ffmpeg.true_peak(bench.song.beat),
        ffmpeg.decode(bench.song.beat),
    ):
        assert run_process(command).wall_s > 0


@needs_ffmpeg
def test_the_chain_of_ffmpeg_gives_a_mix_of_both(bench):
    mix = bench.scratch / "chain.wav"
    run_process(ffmpeg.mix_with_ffmpeg(bench.song, mix, loudnorm=False))
    samples, rate = soundfile.read(mix, always_2d=True)
    assert (rate, samples.shape[1], soundfile.info(mix).subtype) == (44_100, 2, "PCM_24")
    assert len(samples) / rate == pytest.approx(4, abs=0.1)
    beat, _ = soundfile.read(bench.song.beat)
    added = samples[: len(beat)] - beat[: len(samples)]
    vocal, _ = soundfile.read(bench.song.vocal)
    left_and_right = [np.corrcoef(channel, vocal[: len(channel)])[0, 1] for channel in added.T]
    assert min(left_and_right) > 0.5  # filtered, compressed, with reverb, and yet the vocal


@needs_ffmpeg
def test_loudnorm_reaches_its_loudness(bench):
    mix = bench.scratch / "loud.wav"
    run_process(ffmpeg.mix_with_ffmpeg(bench.song, mix, loudnorm=True))
    reading = measure_all_three(collect(open_audio(mix).source))
    assert reading.integrated_lufs == pytest.approx(ffmpeg.LOUDNESS_LUFS, abs=1.5)


def test_the_help_page_is_measured(bench):
    measured = programs.help_against_typer(bench)
    assert measured.ours > 0
    assert measured.reference > 0
    assert "CPU time" in measured.note


def test_functions_are_measured_and_agree(bench):
    rows = {row.comparison.number: row for row in measure_all(choose_comparisons("P3,P4"), bench)}
    if rows["P3"].measurement is None:
        assert rows["P3"].problem.startswith("not measured: needs libebur128")
    else:
        assert rows["P3"].ratio > 0
    assert rows["P4"].ratio > 0
    difference_lu = float(rows["P4"].measurement.note.split()[3])
    assert difference_lu == pytest.approx(0, abs=0.05)


@needs_ffmpeg
def test_ffmpeg_stands_in_for_libebur128_and_says_so(bench, monkeypatch):
    def absent():
        raise OSError("no such library")

    monkeypatch.setattr(functions, "Library", absent)
    measured = functions.loudness_against_libebur128(bench)
    assert "libebur128 is not installed" in measured.note


@pytest.mark.parametrize("module", ["librosa", "pyloudnorm"])
def test_a_package_that_is_missing_is_named(bench, monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    measure = {
        "librosa": functions.tempo_against_librosa,
        "pyloudnorm": functions.loudness_against_pyloudnorm,
    }[module]
    with pytest.raises(Missing, match=f"^{module}$"):
        measure(bench)


def test_without_any_other_tool_every_row_is_still_there(bench, monkeypatch):
    def absent():
        raise OSError("no such library")

    def full(folder, size):
        raise OutputError("the disk is full")

    monkeypatch.setattr(shutil, "which", lambda program: None)
    monkeypatch.setattr(functions, "Library", absent)
    monkeypatch.setattr(programs, "check_disk_space", full)
    for module in ("librosa", "pyloudnorm"):
        monkeypatch.setitem(sys.modules, module, None)
    rows = measure_all(choose_comparisons("P1,P2,P3,P4,P5,P9"), bench)
    problems = [row.verdict.removeprefix("not measured: needs ") for row in rows]
    assert problems[:5] == ["ffmpeg", "ffmpeg", "libebur128 or ffmpeg", "pyloudnorm", "librosa"]
    assert problems[5].startswith("2.1 GB in ")
    assert not any(row.failed for row in rows)


@pytest.mark.slow
def test_every_row_can_be_measured(bench, monkeypatch):
    monkeypatch.setattr("automix.benchmark.workbench.HOUR_S", 8)
    for row in measure_all(COMPARISONS, bench):
        assert not row.failed, row.problem
        assert row.measurement is None or row.ratio > 0


def test_the_machine_is_described():
    described = describe_conditions()
    assert described["processor"]
    assert int(described["cores"]) >= 1
    assert described["memory"].endswith("GiB")
    assert described["numpy"] == np.__version__
    assert described["python"] == sys.version.split()[0]
