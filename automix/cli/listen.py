"""`automix listen`: listening tests, from the page to the table of ratings."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from automix.cli import options
from automix.cli.output import Printer, report_errors

app = typer.Typer(
    help="Let people rate mixes, blind and side by side.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class Kind(StrEnum):
    """Types of tests; a test holds them together with those that there are."""

    ape = "ape"
    mushra = "mushra"
    likert = "likert"


Test = Annotated[Path, typer.Argument(metavar="TEST", help="Folder that `make` wrote.")]


@app.command()
@report_errors
def make(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="MIXES",
            help="Folder with one folder per passage and the mixes in it, named by their methods"
            " (verse/rules.wav, verse/human.wav); or a TOML file that describes the test.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where the test is written.")
    ],
    type_: Annotated[
        Kind | None,
        typer.Option(
            "--type",
            help="ape: one line, a marker per mix. mushra: sliders from 0 to 100 beside a"
            " reference, which is hidden among them with a low-passed anchor. likert: five points"
            " overall and per effect.  [default: ape]",
        ),
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(metavar="METHOD", help="The method that is the reference of mushra."),
    ] = None,
    anchor: Annotated[
        list[float] | None,
        typer.Option(
            metavar="HZ", help="Low pass of an anchor of mushra; repeatable.  [default: 3500]"
        ),
    ] = None,
    aspect: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WORD",
            help="What likert asks beside the overall rating; repeatable.  [default: level,"
            " equalization, compression, reverb]",
        ),
    ] = None,
    training: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            metavar="GOOD POOR", help="A very good and a very poor mix to hear before the test."
        ),
    ] = None,
    start: Annotated[
        float | None, typer.Option(metavar="S", help="Where the excerpts start.  [default: 0]")
    ] = None,
    duration: Annotated[
        float | None,
        typer.Option(
            metavar="S",
            help="Length of the excerpts, 0.5 to 300 s.  [default: ape 20, mushra 12, likert 10]",
        ),
    ] = None,
    loudness: Annotated[
        float | None,
        typer.Option(
            metavar="LUFS", help="Loudness of every excerpt, -60 to -10 LUFS.  [default: -28]"
        ),
    ] = None,
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="Heading of the page.")] = None,
    instructions: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What the first page says.")
    ] = None,
    no_questionnaire: Annotated[
        bool,
        typer.Option(
            "--no-questionnaire",
            help="Do not ask for age, experience, training, device and hearing.",
        ),
    ] = False,
    bits: Annotated[
        str | None, typer.Option(metavar="16|24", help="Bits per sample.  [default: 16]")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=0, help="Another seed gives participants other orders.  [default: 0]"
        ),
    ] = None,
    webmushra: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Also write the test for webMUSHRA, to be copied over it."
        ),
    ] = None,
    force: options.Force = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Make a listening test out of mixes.

    Cuts the same excerpt out of every mix of a passage, brings all to one loudness, and writes
    page/, which plays in any browser with or without a server, and key.json, which says what the
    random names in it stand for: keep it from participants.

    For example: automix listen make mixes -o test --type mushra --reference human
    """
    from automix.listening.description import read_test_description
    from automix.listening.making import make_test

    printer = Printer(json=json, quiet=quiet)
    changes = {
        "kind": type_.value if type_ else None,
        "reference": reference,
        "anchors_hz": tuple(anchor) if anchor else None,
        "aspects": tuple(aspect) if aspect else None,
        "training": training,
        "start_s": start,
        "duration_s": duration,
        "loudness_lufs": loudness,
        "title": title,
        "instructions": instructions,
        "questions": () if no_questionnaire else None,
        "bits": bits,
        "seed": seed,
    }
    description = read_test_description(source, changes)
    with printer.progress(3) as report:
        made = make_test(
            description, output, overwrite=force, webmushra_folder=webmushra, report=report
        )
    for note in made.notes:
        printer.note(note)
    for warning in made.warnings:
        printer.warn(warning)
    if json:
        printer.document(_document(made))
    elif not quiet:
        from automix.files.names import printable

        passages = "1 passage" if made.passages == 1 else f"{made.passages} passages"
        print(
            f"{printable(made.page)}: {passages}, {made.stimuli} stimuli at"
            f" {made.loudness_lufs:.1f}"
            f" LUFS\nnow: automix listen serve {printable(output)}"
        )


@app.command()
@report_errors
def serve(
    test: Test,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Where to listen; only this computer can reach the default. 0.0.0.0 opens it to"
            " everyone on your network.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="0 takes any that is free.")
    ] = 8000,
    results: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Where results are kept.  [default: results.sqlite in TEST]"
        ),
    ] = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Serve a test and collect the results, until Ctrl-C.

    Prints the address to open. Any number of participants may take part at once; what they send is
    on the disk before they are thanked. The key is never served.

    For example: automix listen serve test --port 8000
    """
    from automix.listening.key import RESULTS_FILE
    from automix.listening.server import ListeningServer

    printer = Printer(json=json, quiet=quiet)
    received = "{} result{} so far"
    with ListeningServer(
        test,
        host=host,
        port=port,
        results=results or test / RESULTS_FILE,
        received=lambda count: printer.note(received.format(count, "" if count == 1 else "s")),
        warn=printer.warn,
    ) as server:
        if not server.is_local:
            printer.warn("everyone who can reach this computer can take part, unencrypted")
        if json:
            printer.document({"url": server.url, "results": str(server.store.path)})
        elif not quiet:
            print(server.url)
        sys.stdout.flush()
        server.serve_forever(poll_interval=0.2)


@app.command()
@report_errors
def export(
    test: Test,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="RESULT", help="Results that participants saved and sent."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="CSV", help="Where to.  [default: ratings.csv in TEST]"
        ),
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Results that were served.  [default: results.sqlite in TEST, if it is there]",
        ),
    ] = None,
    screen: Annotated[
        bool,
        typer.Option(
            "--screen",
            help="Leave out who rates the hidden reference of mushra below 90 in more than 15 % of"
            " the passages (ITU-R BS.1534).",
        ),
    ] = False,
    force: options.Force = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Write the results of a test as tables.

    ratings.csv has the columns participant, passage, method, rating, and one per aspect; the
    answers to the questionnaire go to ratings.answers.csv.

    For example: automix listen export test && automix evaluate ratings test/ratings.csv
    """
    from automix.listening.export import export_results
    from automix.listening.key import RESULTS_FILE

    printer = Printer(json=json, quiet=quiet)
    database = results
    if database is None and (test / RESULTS_FILE).is_file():
        database = test / RESULTS_FILE
    exported = export_results(
        test,
        files or [],
        database=database,
        ratings=output or test / "ratings.csv",
        screen=screen,
        overwrite=force,
    )
    for note in exported.notes:
        printer.note(note)
    if json:
        printer.document(_document(exported))
    elif not quiet:
        from automix.files.names import printable

        people = exported.participants
        print(
            f"{printable(exported.ratings)}: {exported.rows} ratings by {people}"
            f" participant{'' if people == 1 else 's'}"
        )


def _document(result: Any) -> dict[str, Any]:
    return {
        name: str(value) if isinstance(value, Path) else value
        for name, value in vars(result).items()
    }
