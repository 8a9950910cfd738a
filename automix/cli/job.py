"""One mix from its inputs to its outputs, whatever command asked for it."""

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from automix.cli.destination import Delivery, stem_paths
from automix.cli.output import Printer
from automix.cli.signals import remove_when_ended
from automix.cli.summary import document, print_summary
from automix.errors import PlanError, UsageError
from automix.files.disk import sha256
from automix.files.formats import output_format
from automix.files.names import printable
from automix.files.target import OutputTarget
from automix.mixing.delivery import deliver, with_files
from automix.mixing.mix import Mix, Report
from automix.plan.model import Depth, MixPlan
from automix.plan.toml import dumps
from automix.session.tracks import Session

STAGES = 4
_REPORT_SUFFIXES = (".html", ".htm")


@dataclass(frozen=True, kw_only=True)
class Job:
    """One mix to make.

    Attributes:
        inputs: Files that it reads.
        tracks: Names of its tracks.
        output: File of the mix.
        plan_file: File of the plan, or none.
        request: Fingerprint of the settings.
        open: Opens the session.
        mix: Mixes it.
        references: Files that it is compared with.
    """

    inputs: tuple[Path, ...]
    tracks: tuple[str, ...]
    output: Path
    plan_file: Path | None
    request: str
    open: Callable[[], Session]
    mix: Callable[[Session, Report], Mix]
    references: tuple[Path, ...] = ()


def read_plan(path: Path) -> MixPlan:
    """Reads a plan file.

    Raises:
        PlanError: It cannot be read, or is not a legal plan; names the line.
    """
    try:
        if not path.is_file():
            raise PlanError(f"{printable(path)}: is not a file")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise PlanError(f"{printable(path)}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise PlanError(f"{printable(path)}: is not a plan: not UTF-8 text") from error
    try:
        return MixPlan.from_toml(text, printable(path))
    except RecursionError as error:
        raise PlanError(f"{printable(path)}: is not a plan: nested too deeply") from error


def _is_done(job: Job, stems: Iterable[Path]) -> bool:
    """Whether the outputs were made from the same inputs with the same settings."""
    if job.plan_file is None:
        raise UsageError("--skip-existing needs the plan beside the mix: leave --no-plan out")
    if not all(path.is_file() for path in (job.output, job.plan_file, *stems, *job.inputs)):
        return False
    try:
        plan = read_plan(job.plan_file)
    except PlanError:
        return False
    made_from = [digest for strip in plan.tracks for digest in strip.sha256.split()]
    return plan.request == job.request and made_from == [sha256(path) for path in job.inputs]


def run_job(job: Job, delivery: Delivery, printer: Printer) -> MixPlan | None:
    """Reserves the outputs, opens the inputs, mixes, writes, and prints the summary.

    Returns:
        The plan; none where the mix was kept.
    """
    start = time.perf_counter()
    output_format(job.output, delivery.bits or "24")
    stems = stem_paths(delivery, job.output, job.tracks)
    if delivery.report and delivery.report.suffix.lower() not in _REPORT_SUFFIXES:
        raise UsageError(
            f"--report {printable(delivery.report)}: a report is a page; name it .html"
        )
    extra = [*stems.values(), *([delivery.report] if delivery.report else [])]
    if delivery.skip_existing and _is_done(job, extra):
        printer.note(
            f"{printable(job.output)}: made from the same inputs and settings already; kept"
        )
        if printer.json:
            printer.document({"output": str(job.output), "skipped": True})
        return None
    kept = (*job.inputs, *job.references)
    with ExitStack() as targets, printer.progress(STAGES + bool(delivery.report)) as report:
        target, plan_target, stem_targets, report_target = None, None, {}, None
        if not delivery.dry_run:

            def reserve(path: Path) -> OutputTarget:
                target = targets.enter_context(
                    OutputTarget.reserve(path, overwrite=delivery.force, inputs=kept)
                )
                targets.enter_context(remove_when_ended(target.discard))
                return target

            target = reserve(job.output)
            plan_target = reserve(job.plan_file) if job.plan_file else None
            stem_targets = {name: reserve(path) for name, path in stems.items()}
            report_target = reserve(delivery.report) if delivery.report else None
        report("reading")
        session = job.open()
        mix = job.mix(session, report)
        mix = replace(mix, plan=replace(mix.plan, request=job.request))
        bits = cast(Depth, delivery.bits or session.bits)
        if target is None:
            plan = with_files(replace(mix.plan, bits=bits), session, job.output.parent)
            delivered = None
        else:
            report("writing")
            delivered = deliver(
                mix,
                session,
                target=target,
                plan_target=plan_target,
                stem_targets={n: t for n, t in stem_targets.items() if n in mix.stems},
                bits=bits,
            )
            plan = delivered.plan
            if report_target is not None:
                report("report")
                from automix.report import report_page

                notes = [*session.notes, *delivered.notes]
                name = job.output.stem
                page = report_page(name, mix, plan, session, delivered.loudness, notes)
                report_target.write_text(page)
    for note in session.notes:
        printer.note(note)
    for warning in mix.warnings:
        printer.warn(warning)
    seconds = round(time.perf_counter() - start, 2)
    if printer.json:
        printer.document(document(job.output, plan, mix, delivered, session, seconds))
    elif delivered is None:
        print(dumps(plan), end="")
    elif not printer.quiet:
        print_summary(plan, mix, delivered, seconds, verbose=printer.verbose)
    return plan
