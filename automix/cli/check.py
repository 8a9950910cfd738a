"""`automix check`: what is wrong with the takes of a song, before it is mixed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from automix.cli import options
from automix.cli.output import Printer, report_errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from automix.checking.findings import TakeFinding
    from automix.checking.song import SongCheck


@report_errors
def check(
    songs: Annotated[
        list[Path],
        typer.Argument(
            metavar="SONG",
            help="Folders of songs, session files (.toml), or the audio files of one song.",
        ),
    ],
    role: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TRACK=ROLE",
            help="Say what a track is, such as 'lead=lead vocal'. Repeatable.",
        ),
    ] = None,
    recursive: Annotated[
        bool, typer.Option("--recursive", help="Look into the folders of the song's folder.")
    ] = False,
    jobs: options.Jobs = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    strict: options.Strict = False,
    repair: options.Repair = False,
    allow_truncated: options.AllowTruncated = False,
) -> None:
    """Say what is wrong with the tracks of a song before it is mixed.

    Listens to every file as it is and tells what, where, how strong, and what to do about it: a
    fault spoils the take, a warning is heard in a mix, an information is good to know. Checked are
    silent takes; wrong sample rates; clipping, at any level; dropouts; sides of opposite polarity;
    takes that are there twice; takes that come late or early against all others; polarity and
    arrival of microphones of one source; spikes; clicks; hum of 50 or 60 Hz; noise and hiss; very
    low levels; DC offset; a silent side; cut beginnings and ends; takes that are too short; mono in
    stereo files; lossy coding; unequal lengths.

    Exit code: 0 if nothing is wrong, 1 if there is a fault or a warning; what cannot be read has
    the code of that error.

    For example: automix check demo/song
    """
    from automix.errors import UsageError
    from automix.mixing.inputs import check_song
    from automix.mixing.request import StemsRequest
    from automix.parallel.workers import use_workers

    use_workers(jobs)
    printer = Printer(json=json, quiet=quiet)
    requests = [
        StemsRequest(
            song=song,
            role=tuple(role or ()),
            recursive=recursive,
            strict=strict,
            repair=repair,
            allow_truncated=allow_truncated,
        )
        for song in _tell_songs(songs)
    ]
    if role and len(requests) > 1:
        raise UsageError("--role goes with one song")
    checked = []
    with printer.progress(len(requests)) as report:
        for request in requests:
            report(request.song[0].name)
            checked.append(check_song(request))
    for song in checked:
        for note in song.notes:
            printer.note(note)
    if json:
        printer.document(_document(checked))
    elif not quiet:
        for song in checked:
            _print(song)
    if not all(song.is_sound for song in checked):
        raise typer.Exit(1)


def _tell_songs(paths: "Sequence[Path]") -> "list[tuple[Path, ...]]":
    """Each folder, session file and file of stems is a song; all other files are one together."""
    import os

    from automix.files.extensions import is_stem_file

    songs: list[tuple[Path, ...]] = []
    files: list[Path] = []
    for path in paths:
        alone = os.path.isdir(path) or path.suffix.lower() == ".toml" or is_stem_file(path.name)
        if alone:
            songs.append((path,))
        else:
            files.append(path)
    return [*songs, tuple(files)] if files else songs


def _document(checked: "Sequence[SongCheck]") -> dict[str, object]:
    from automix.checking.song import VERSION

    return {
        "version": VERSION,
        "is_sound": all(song.is_sound for song in checked),
        "songs": [song.document() for song in checked],
    }


def _print(song: "SongCheck") -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from automix.checking.findings import SEVERITIES
    from automix.cli.summary import make_console
    from automix.files.names import printable

    console = make_console()
    severities = [finding.severity for finding in song.findings]
    counts = [
        f"{count} {severity}{'s' if count > 1 and severity != 'information' else ''}"
        for severity in reversed(SEVERITIES)
        if (count := severities.count(severity))
    ]
    takes = "1 take" if len(song.takes) == 1 else f"{len(song.takes)} takes"
    console.print(f"{printable(song.song)}: {takes}, {', '.join(counts) or 'nothing found'}")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("take", max_width=26, overflow="fold")
    table.add_column("what is wrong, or good to know")
    table.add_column("what to do")
    for row in _join_alike(song.findings):
        table.add_row(*(Text(printable(cell)) for cell in row))
    if table.row_count:
        console.print("", table, "")


def _join_alike(findings: "Sequence[TakeFinding]") -> "Iterator[tuple[str, str, str, str]]":
    """Rows of the table: takes of which the same is good to know share one."""
    alike: dict[tuple[str, str, str], list[TakeFinding]] = {}
    for number, finding in enumerate(findings):
        is_mild = finding.severity == "information"
        alike.setdefault(
            (finding.severity, finding.sentence, "" if is_mild else str(number)), []
        ).append(finding)
    for (severity, sentence, _), joined in alike.items():
        names = [finding.track for finding in joined]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        yield severity, ", ".join(names[:3]) + more, sentence, joined[0].remedy
