"""Measures whole processes against whole processes."""

import sys
from pathlib import Path

from automix.benchmark import ffmpeg
from automix.benchmark.processes import Cost, compare_processes, run_process
from automix.benchmark.table import Measurement, Missing
from automix.benchmark.workbench import HOUR_S, STEMS, Song, Workbench
from automix.errors import OutputError
from automix.files.disk import check_disk_space

_PYTHON = sys.executable
_PLAIN_SUM = """
import sys
import numpy, soundfile
*inputs, output = sys.argv[1:]
files = [soundfile.SoundFile(path) for path in inputs]
with soundfile.SoundFile(output, "w", files[0].samplerate, 2, "PCM_24") as mix:
    for start in range(0, max(file.frames for file in files), 65536):
        blocks = [file.read(65536, dtype="float32", always_2d=True) for file in files]
        total = numpy.zeros((max(map(len, blocks)), 2), numpy.float32)
        for block in blocks:
            total[: len(block)] += block
        mix.write(total)
"""
_HOUR_BYTES = HOUR_S * 44100 * (3 + 2 * 2 + 2 * 3)
"""Bytes of vocal, beat and mix of 60 minutes."""


def _vocal_command(song: Song, output: Path, *options: str) -> list[str | Path]:
    program = [_PYTHON, "-m", "automix", "vocal"]
    return [*program, song.vocal, song.beat, "-o", output, "--force", *options]


def _compare_times(ours: Cost, reference: Cost, note: str = "") -> Measurement:
    cpu = f"CPU time {ours.cpu_s:.2f} s against {reference.cpu_s:.2f} s"
    return Measurement(
        ours=ours.wall_s, reference=reference.wall_s, note="; ".join(filter(None, [cpu, note]))
    )


def vocal_against_ebur128(bench: Workbench) -> Measurement:
    """Measures P1; ffmpeg reads both inputs in one command, one ``ebur128`` filter each."""
    commands = [
        _vocal_command(bench.song, bench.scratch / "mix.wav"),
        ffmpeg.loudness_of_both(bench.song),
    ]
    ours, reference = compare_processes(commands, bench.runs)
    return _compare_times(ours, reference)


def vocal_against_chain(bench: Workbench) -> Measurement:
    """Measures P2; beside it automix with a loudness to reach, and ffmpeg without ``loudnorm``."""
    mixes = [bench.scratch / f"mix{number}.wav" for number in range(4)]
    commands = [
        _vocal_command(bench.song, mixes[0]),
        ffmpeg.mix_with_ffmpeg(bench.song, mixes[1], loudnorm=True),
        _vocal_command(bench.song, mixes[2], f"--loudness={ffmpeg.LOUDNESS_LUFS:g}"),
        ffmpeg.mix_with_ffmpeg(bench.song, mixes[3], loudnorm=False),
    ]
    ours, reference, loud, plain = compare_processes(commands, bench.runs)
    return _compare_times(
        ours,
        reference,
        f"with --loudness {ffmpeg.LOUDNESS_LUFS:g} automix takes {loud.wall_s:.2f} s "
        f"({loud.wall_s / reference.wall_s:.2f}); without loudnorm ffmpeg takes "
        f"{plain.wall_s:.2f} s",
    )


def _stems_command(bench: Workbench, *options: str) -> list[str | Path]:
    program = [_PYTHON, "-m", "automix", "stems"]
    return [*program, bench.stems, "-o", bench.scratch / "stems.wav", "--force", *options]


def stems_in_four_threads(bench: Workbench) -> Measurement:
    """Measures P7; beside it ``--mode basic``."""
    modes = [
        _stems_command(bench, "--mode", mode, "-j", j) for mode in ("full", "basic") for j in "41"
    ]
    four, one, basic_four, basic_one = compare_processes(modes, bench.runs)
    note = f"--mode basic: {basic_four.wall_s:.2f} s against {basic_one.wall_s:.2f} s"
    return _compare_times(four, one, f"{note} ({basic_four.wall_s / basic_one.wall_s:.2f})")


def stems_against_sum(bench: Workbench) -> Measurement:
    """Measures P10; the reference reads the files and writes their sum through soundfile."""
    files = [bench.stems / f"{name}.wav" for name in STEMS]
    commands: list[list[str | Path]] = [
        _stems_command(bench, "--mode", "basic"),
        [_PYTHON, "-c", _PLAIN_SUM, *files, bench.scratch / "sum.wav"],
    ]
    ours, reference = compare_processes(commands, bench.runs)
    return _compare_times(ours, reference)


def full_against_basic(bench: Workbench) -> Measurement:
    """Measures P11, with the rules."""
    modes = [_stems_command(bench, "--mode", mode) for mode in ("full", "basic")]
    full, basic = compare_processes(modes, bench.runs)
    return _compare_times(full, basic)


def reference_against_plain(bench: Workbench) -> Measurement:
    """Measures P15 once each, because it is long, with a softer mix of the song as reference."""
    aim = bench.scratch / "reference.wav"
    run_process([*_stems_command(bench, "--vocals", "-4", "-o"), aim])
    refined = run_process(_stems_command(bench, "--reference", str(aim)))
    plain = run_process(_stems_command(bench))
    return Measurement(
        ours=refined.wall_s - plain.wall_s,
        reference=60.0,
        note=f"{refined.wall_s:.1f} s with --reference, {plain.wall_s:.1f} s without",
    )


def help_against_typer(bench: Workbench) -> Measurement:
    """Measures P6 in four times the rounds, because they are short."""
    commands: list[list[str | Path]] = [
        [_PYTHON, "-m", "automix", "--help"],
        [_PYTHON, "-c", "import typer"],
    ]
    ours, reference = compare_processes(commands, 4 * bench.runs)
    return _compare_times(ours, reference)


def memory_against_input(bench: Workbench) -> Measurement:
    """Measures P8."""
    (cost,) = compare_processes([_vocal_command(bench.song, bench.scratch / "mix.wav")], bench.runs)
    return Measurement(ours=cost.peak_bytes / 1e6, reference=bench.song.float_bytes / 1e6)


def memory_of_an_hour(bench: Workbench) -> Measurement:
    """Measures P9 in one run of 60 minutes, because it is long, and several of 4 minutes."""
    _check_room(bench)
    mix = bench.scratch / "mix.wav"
    (short,) = compare_processes([_vocal_command(bench.song, mix)], bench.runs)
    hour = run_process(_vocal_command(bench.hour, mix))
    return Measurement(
        ours=hour.peak_bytes / 1e6,
        reference=short.peak_bytes / 1e6,
        note=f"60 minutes took {hour.wall_s:.1f} s, 4 minutes {short.wall_s:.2f} s",
    )


def _check_room(bench: Workbench) -> None:
    try:
        check_disk_space(bench.scratch, _HOUR_BYTES)
    except OutputError as error:
        raise Missing(f"{_HOUR_BYTES / 1e9:.1f} GB in {bench.scratch} (see --folder)") from error
