"""`automix data`: data to train on."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from automix.cli import data_vocal, options
from automix.cli.output import Printer, report_errors
from automix.cli.signals import Ended, handle_signals, remove_when_ended

app = typer.Typer(help="Make data to train on.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _commands() -> None:
    pass


app.command("vocal")(data_vocal.vocal)


@contextmanager
def _hint_to_go_on() -> Iterator[None]:
    try:
        yield
    except Ended as ended:
        cause = ended.message.split(":")[1].strip()
        ended.message = (
            f"automix: {cause}: finished songs were kept; go on with the same command and"
            " --skip-existing"
        )
        raise


class InstrumentsName(StrEnum):
    """Who plays the instruments."""

    auto = "auto"
    fluidsynth = "fluidsynth"
    built_in = "built-in"


@app.command()
@report_errors
def synthesize(
    count: Annotated[int, typer.Argument(metavar="N", min=1, max=9999, help="How many songs.")],
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where to write; made if it is not there.")
    ],
    seed: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            max=2**32 - 1,
            help="Another seed gives other songs; a song does not depend on how many are made.",
        ),
    ] = 0,
    duration: Annotated[
        float | None,
        typer.Option(
            metavar="S",
            min=8.0,
            max=120.0,
            help="Length of each song, 8 to 120 s.  [default: 20 to 40 s at random]",
        ),
    ] = None,
    engine: Annotated[
        InstrumentsName,
        typer.Option(
            help="fluidsynth: the program of that name with a General MIDI sound font; built-in:"
            " synthesis that needs nothing installed; auto: fluidsynth where it is there."
        ),
    ] = InstrumentsName.auto,
    soundfont: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Sound font for FluidSynth, .sf2 or .sf3.  [default: the one that the system has]",
        ),
    ] = None,
    skip_existing: Annotated[
        bool,
        typer.Option(
            "--skip-existing", help="Keep the songs that are there, made with the same settings."
        ),
    ] = False,
    force: options.Force = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            metavar="N",
            min=1,
            help="Make N songs at a time; the result is the same.  [default: one per processor]",
        ),
    ] = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Synthesize songs with a known mix, to train on.

    Writes DIR/song-0001 and so on: the single tracks, dry and at random levels, mix.wav, and
    mix.toml, the plan that makes the mix of the tracks: levels, pans, filters, compression and
    reverb by the conventions of engineers, with the spread of people.

    For example: automix data synthesize 100 synthetic --seed 1
    """
    from automix.parallel.workers import count_processors, use_workers
    from automix.synthesis.collection import Collection, synthesize
    from automix.synthesis.engines import choose_engine

    printer = Printer(json=json, quiet=quiet)
    choice = choose_engine(engine.value, soundfont)
    if choice.note:
        printer.note(choice.note)
    workers = jobs or count_processors()
    use_workers(workers)
    collection = Collection(
        folder=folder,
        count=count,
        seed=seed,
        duration_s=duration,
        choice=choice,
        overwrite=force,
        skip_existing=skip_existing,
    )
    with _hint_to_go_on(), printer.progress(count) as report:
        report("songs")
        songs = []
        for song in synthesize(
            collection, jobs=workers, prepare=handle_signals, guard=remove_when_ended
        ):
            songs.append(song)
            report(song.path.name)
    made = [song for song in songs if not song.kept]
    if json:
        rows = [
            {"folder": str(song.path), "kept": song.kept, **song.about}
            for song in sorted(songs, key=lambda song: song.path)
        ]
        printer.document({"engine": choice.name, "seed": seed, "songs": rows})
    elif not quiet:
        from automix.files.names import printable

        kept = f", {len(songs) - len(made)} kept" if len(made) < len(songs) else ""
        print(f"{printable(folder)}: {len(made)} songs{kept} ({choice.name})")
