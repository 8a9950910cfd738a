"""Whole processes against whole processes."""

import sys
from pathlib import Path

from automix.benchmark import ffmpeg
from automix.benchmark.processes import Cost, compare_processes, run_process
from automix.benchmark.table import Measurement, Missing
from automix.benchmark.workbench import HOUR_S, Song, Workbench
from automix.errors import OutputError
from automix.files import check_disk_space

_PYTHON = sys.executable
_HOUR_BYTES = HOUR_S * 44100 * (3 + 2 * 2 + 2 * 3)
"""Vocal, beat and mix of 60 minutes."""


def _vocal(song: Song, output: Path, *options: str) -> list[str | Path]:
    program = [_PYTHON, "-m", "automix", "vocal"]
    return [*program, song.vocal, song.beat, "-o", output, "--force", *options]


def _times(ours: Cost, reference: Cost, note: str = "") -> Measurement:
    cpu = f"CPU time {ours.cpu_s:.2f} s against {reference.cpu_s:.2f} s"
    return Measurement(
        ours=ours.wall_s, reference=reference.wall_s, note="; ".join(filter(None, [cpu, note]))
    )


def vocal_against_ebur128(bench: Workbench) -> Measurement:
    """P1. ffmpeg reads both inputs in one command, one ``ebur128`` filter each."""
    commands = [
        _vocal(bench.song, bench.scratch / "mix.wav"),
        ffmpeg.loudness_of_both(bench.song),
    ]
    ours, reference = compare_processes(commands, bench.runs)
    return _times(ours, reference)


def vocal_against_chain(bench: Workbench) -> Measurement:
    """P2. Beside it, automix with a loudness to reach, and ffmpeg without its ``loudnorm``."""
    mixes = [bench.scratch / f"mix{number}.wav" for number in range(4)]
    commands = [
        _vocal(bench.song, mixes[0]),
        ffmpeg.mix(bench.song, mixes[1], loudnorm=True),
        _vocal(bench.song, mixes[2], f"--loudness={ffmpeg.LOUDNESS_LUFS:g}"),
        ffmpeg.mix(bench.song, mixes[3], loudnorm=False),
    ]
    ours, reference, loud, plain = compare_processes(commands, bench.runs)
    return _times(
        ours,
        reference,
        f"with --loudness {ffmpeg.LOUDNESS_LUFS:g} automix takes {loud.wall_s:.2f} s "
        f"({loud.wall_s / reference.wall_s:.2f}); without loudnorm ffmpeg takes "
        f"{plain.wall_s:.2f} s",
    )


def help_against_typer(bench: Workbench) -> Measurement:
    """P6. Four times the rounds, because they are short."""
    commands: list[list[str | Path]] = [
        [_PYTHON, "-m", "automix", "--help"],
        [_PYTHON, "-c", "import typer"],
    ]
    ours, reference = compare_processes(commands, 4 * bench.runs)
    return _times(ours, reference)


def memory_against_input(bench: Workbench) -> Measurement:
    """P8."""
    (cost,) = compare_processes([_vocal(bench.song, bench.scratch / "mix.wav")], bench.runs)
    return Measurement(ours=cost.peak_bytes / 1e6, reference=bench.song.float_bytes / 1e6)


def memory_of_an_hour(bench: Workbench) -> Measurement:
    """P9. One run of 60 minutes, because it is long; the others count for 4 minutes."""
    _check_room(bench)
    mix = bench.scratch / "mix.wav"
    (short,) = compare_processes([_vocal(bench.song, mix)], bench.runs)
    hour = run_process(_vocal(bench.hour, mix))
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
