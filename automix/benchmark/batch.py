"""Measures P13: the cost of resuming a batch that has nothing left to do."""

import shutil
import sys
from pathlib import Path

from automix.audio.samples import Audio
from automix.benchmark.processes import compare_processes, run_process
from automix.benchmark.table import Measurement
from automix.benchmark.workbench import Workbench, make_click_track
from automix.files.disk import report_write_failures as disk_reported
from automix.files.target import OutputTarget

SONGS = 100
_PYTHON = sys.executable
_LISTING = """
import os, sys
def list_files(folders):
    for folder in folders:
        for here, _, names in os.walk(folder):
            print(*(os.path.join(here, name) for name in names), sep="\\n")
"""
_BARE = _LISTING + "list_files(sys.argv[1:])"
_WITH_TYPER = (
    _LISTING
    + """
from pathlib import Path
import typer
app = typer.Typer(add_completion=False)
@app.command()
def main(folders: list[Path]):
    list_files(folders)
app()
"""
)
_SONG_S = 1.0


def resuming_against_listing(bench: Workbench) -> Measurement:
    """Measures P13 by whole processes: the reference reads its command line with Typer, too.

    Beside it a bare interpreter that walks the same folders.
    """
    songs, mixes = bench.scratch / "songs", bench.scratch / "mixes"
    if not mixes.exists():
        _write_songs(songs)
        run_process([_PYTHON, "-m", "automix", "batch", songs, "-o", mixes, "--method", "sum"])
    commands: list[list[str | Path]] = [
        [_PYTHON, "-m", "automix", "batch", songs, "-o", mixes, "--method", "sum", "--resume"],
        [_PYTHON, "-c", _WITH_TYPER, songs, mixes],
        [_PYTHON, "-c", _BARE, songs, mixes],
    ]
    ours, listing, bare = compare_processes(commands, 4 * bench.runs)
    return Measurement(
        ours=ours.wall_s,
        reference=listing.wall_s,
        note=f"a bare Python that lists them takes {bare.wall_s:.3f} s"
        f" ({ours.wall_s / bare.wall_s:.1f})",
    )


def _write_songs(folder: Path) -> None:
    """Writes one short song under many names."""
    first = folder / "000"
    for name in ("vocal", "beat"):
        with OutputTarget.reserve(first / f"{name}.wav") as target:
            target.write_audio(Audio(make_click_track(120, 44100, _SONG_S), 44100))
    with disk_reported(folder):
        for number in range(1, SONGS):
            shutil.copytree(first, folder / f"{number:03}")
