"""What the mixing commands have in common: one call of the library, and what is printed of it."""

import sys
from dataclasses import asdict

from automix.cli.desk import run_desk
from automix.cli.output import Printer
from automix.cli.signals import remove_when_ended
from automix.cli.summary import print_candidates, print_summary
from automix.errors import UsageError
from automix.files.names import printable
from automix.library import mix_candidates, mix_song
from automix.mixing.outcome import SongOutcome
from automix.mixing.request import (
    Delivery,
    MethodRequest,
    PlanRequest,
    SongRequest,
    StemsRequest,
    VocalRequest,
)
from automix.mixing.song import SONG_STAGES
from automix.parallel.workers import use_workers
from automix.plan.toml import dumps


def run_mix(
    request: SongRequest,
    delivery: Delivery,
    printer: Printer,
    *,
    jobs: int | None,
    candidates: int | None = None,
    opens_desk: bool = False,
) -> None:
    """Mixes what is asked for and prints how it went.

    Args:
        request: What is asked of the song.
        delivery: Where the result goes.
        printer: Where messages go.
        jobs: How many threads work; as many as there are processors if none.
        candidates: How many mixes that differ are wanted, if not one.
        opens_desk: Whether the plan is opened as a desk then.

    Raises:
        UsageError: There would be no plan to open.
        AutomixError: As `automix.library.mix_song` raises it.
    """
    use_workers(jobs)
    if opens_desk:
        _check_has_one_plan(request, delivery, candidates, printer)
    if candidates is not None and isinstance(request, VocalRequest | StemsRequest):
        _run_candidates(request, delivery, candidates, printer)
        return
    with printer.progress(SONG_STAGES + bool(delivery.report)) as report:
        outcome = mix_song(request, delivery, report=report, guard=remove_when_ended)
    _print(outcome, printer)
    if opens_desk:
        sys.stdout.flush()
        run_desk(
            PlanRequest(
                plan=outcome.output.with_suffix(".toml"),
                strict=request.strict,
                repair=request.repair,
                allow_truncated=request.allow_truncated,
            ),
            printer,
        )


def _check_has_one_plan(
    request: SongRequest, delivery: Delivery, candidates: int | None, printer: Printer
) -> None:
    """Refuses what leaves no plan to open as a desk, before anything is mixed.

    Raises:
        UsageError: Names the option that is in the way.
    """
    for option, given in (
        ("--no-plan", delivery.no_plan),
        ("--dry-run", delivery.dry_run),
        ("--candidates", candidates is not None),
        ("--json", printer.json),
    ):
        if given:
            raise UsageError(f"--desk and {option}: choose one")
    if isinstance(request, MethodRequest) and request.row.makes != "plan":
        raise UsageError(f"--desk needs a plan, and --method {request.method} makes none")


def _print(outcome: SongOutcome, printer: Printer) -> None:
    if outcome.kept:
        name = printable(outcome.output)
        printer.note(f"{name}: made from the same inputs and settings already; kept")
    for note in outcome.notes:
        printer.note(note)
    for warning in outcome.warnings:
        printer.warn(warning)
    if printer.json:
        printer.document(outcome.document())
    elif outcome.plan is not None and not outcome.written:
        print(dumps(outcome.plan), end="")
    elif outcome.written and not printer.quiet:
        print_summary(outcome, verbose=printer.verbose)
    if not outcome.kept and not outcome.has_plan:
        printer.note("the network maps the tracks to the mix: there is no plan to read or edit")


def _run_candidates(
    request: VocalRequest | StemsRequest, delivery: Delivery, count: int, printer: Printer
) -> None:
    made = mix_candidates(
        request,
        delivery,
        count,
        guard=remove_when_ended,
        report=lambda number, macros: printer.note(
            f"candidate {number} of {count}: {macros.described()}"
        ),
    )
    from automix.listening.candidates import make_comparison_page, measure_distances

    paths = [candidate.outcome.output for candidate in made]
    distances = list(measure_distances(paths))
    folder = paths[0].with_name(paths[0].stem.removesuffix(".1") + "-candidates")
    page = make_comparison_page(paths, folder, overwrite=delivery.force).page
    if printer.json:
        printer.document(
            {
                "candidates": [
                    {
                        "output": str(candidate.outcome.output),
                        "options": candidate.macros.described(),
                        **asdict(candidate.macros),
                    }
                    for candidate in made
                ],
                "distances": [
                    {"first": str(paths[a]), "second": str(paths[b]), "stereo_mr_stft": distance}
                    for a, b, distance in distances
                ],
                "page": str(page),
            }
        )
    elif not printer.quiet:
        rows = [(path, c.macros.described()) for path, c in zip(paths, made, strict=True)]
        print_candidates(rows, distances, page)
