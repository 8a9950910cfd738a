"""What the mixing commands do between their options and the backend."""

import hashlib
import json
import string
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import cast

from automix.cli.layering import layered, read_config
from automix.cli.output import Printer
from automix.cli.summary import document, print_summary
from automix.consoles.exact import ExactConsole
from automix.delivery import deliver, with_files
from automix.errors import PlanError, UsageError
from automix.files import OutputTarget, ReadOptions, output_format, sha256, shown
from automix.methods.catalog import VOCAL_METHODS
from automix.methods.vocal_settings import PRESETS
from automix.mixing import Finish, Mix, Report, VocalRequest, mix_vocal, render
from automix.plan import Depth, MixPlan, change_setting
from automix.plan_file import dumps, loads, parse_assignment
from automix.session import Session, TrackFile, open_plan_session, open_session
from automix.version import __version__

STAGES = 4


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """Where and how the result is to be written; `None` is what the inputs suggest."""

    output: Path | None = None
    name: str | None = None
    bits: str | None = None
    force: bool = False
    skip_existing: bool = False
    write_plan: bool = True
    stems: Path | None = None
    dry_run: bool = False


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
    """

    inputs: tuple[Path, ...]
    tracks: tuple[str, ...]
    output: Path
    plan_file: Path | None
    request: str
    open: Callable[[], Session]
    mix: Callable[[Session, Report], Mix]


def console_maker(plugins: Path | None, on_error: str) -> Callable[[Session], ExactConsole]:
    """How to make the console that renders: the exact one, or the one of real plug-ins.

    Raises:
        PluginError: The folder lacks a plug-in.
    """
    if plugins is None:
        return ExactConsole
    from automix.consoles.plugin import PluginConsole, find_plugins

    found = find_plugins(plugins)
    return lambda session: PluginConsole(session, found, skip_errors=on_error == "skip")


def run_vocal(
    vocal: Path,
    backing: Path,
    *,
    method: str,
    preset: str,
    config: Path | None,
    rule_flags: Mapping[str, float | None],
    finish_flags: Mapping[str, float | None],
    changes: Sequence[str],
    seed: int,
    read: ReadOptions,
    delivery: Delivery,
    renderer: Callable[[Session], ExactConsole],
    printer: Printer,
) -> None:
    """Mixes a vocal over its backing; see the options of `automix vocal`."""
    rules = layered(PRESETS[preset], read_config(config), rule_flags)
    finish = layered(Finish(), {}, finish_flags)
    request = VocalRequest(
        method=next(entry for entry in VOCAL_METHODS if entry.name == method),
        preset=preset if method == "rules" else "",
        rules=rules,
        finish=finish,
        changes=[parse_assignment(change) for change in changes],
        seed=seed if method == "random" else None,
    )
    output = output_path(
        delivery, {"song": backing.stem, "method": method, "preset": preset, "ext": "wav"}
    )
    files = (
        TrackFile(name="vocal", role="lead vocal", path=vocal),
        TrackFile(name="beat", role="backing track", path=backing),
    )
    told = [method, request.preset, seed, asdict(rules), asdict(finish), list(changes)]
    job = Job(
        inputs=(vocal, backing),
        tracks=("vocal", "beat"),
        output=output,
        plan_file=output.with_suffix(".toml") if delivery.write_plan else None,
        request=_fingerprint([*told, delivery.bits, __version__]),
        open=lambda: open_session(files, read),
        mix=lambda session, report: mix_vocal(
            ExactConsole(session), request, renderer=renderer(session), report=report
        ),
    )
    _run(job, delivery, printer)


def run_render(
    plan_file: Path,
    *,
    changes: Sequence[str],
    allow_outside: bool,
    read: ReadOptions,
    delivery: Delivery,
    renderer: Callable[[Session], ExactConsole],
    printer: Printer,
) -> None:
    """Renders a plan; see the options of `automix render`."""
    plan = read_plan(plan_file)
    for change in changes:
        plan = change_setting(plan, *parse_assignment(change))
    output = delivery.output or plan_file.with_suffix(".wav")
    if output.is_dir():
        output = output / plan_file.with_suffix(".wav").name
    new_plan: Path | None = output.with_suffix(".toml")
    if not delivery.write_plan or (not changes and _same(new_plan, plan_file)):
        new_plan = None
    folder = plan_file.parent
    job = Job(
        inputs=(plan_file, *(folder / strip.file for strip in plan.tracks)),
        tracks=tuple(strip.name for strip in plan.tracks),
        output=output,
        plan_file=new_plan,
        request=plan.request,
        open=lambda: open_plan_session(plan, folder, read, allow_outside=allow_outside),
        mix=lambda session, report: render(renderer(session), plan, report=report),
    )
    _run(job, replace(delivery, bits=delivery.bits or plan.bits), printer)


def _same(first: Path | None, second: Path) -> bool:
    return first is not None and first.resolve() == second.resolve()


def read_plan(path: Path) -> MixPlan:
    """Reads a plan file.

    Raises:
        PlanError: It cannot be read, or is not a legal plan; names the line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise PlanError(f"{shown(path)}: cannot be read as a plan: {error}") from error
    return loads(text, shown(path))


def output_path(delivery: Delivery, fields: Mapping[str, str]) -> Path:
    """The file to write: ``-o`` itself, or ``--name`` in the folder that it is.

    Raises:
        UsageError: ``--name`` with a field that does not exist, or without a folder.
    """
    output = delivery.output
    if output is None:
        output = Path() if delivery.name else Path("mix.wav")
    is_folder = output.is_dir() or str(output).endswith("/")
    if not is_folder:
        if delivery.name is not None:
            raise UsageError("--name goes with an -o that is a folder (end it with /)")
        return output
    template = delivery.name or "{song}.mix.{ext}"
    try:
        wanted = {field for _, field, _, _ in string.Formatter().parse(template) if field}
        name = template.format_map(fields)
    except (KeyError, ValueError, IndexError, AttributeError) as error:
        known = ", ".join("{" + field + "}" for field in fields)
        raise UsageError(f"--name {template!r}: use the fields {known}") from error
    if not wanted <= set(fields) or "/" in name:
        raise UsageError(f"--name {template!r} must give a file name")
    return output / name


def _fingerprint(told: list[object]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _is_done(job: Job) -> bool:
    """Whether the output was made from the same inputs with the same settings."""
    if job.plan_file is None:
        raise UsageError("--skip-existing needs the plan beside the mix: leave --no-plan out")
    if not (job.output.is_file() and job.plan_file.is_file()):
        return False
    try:
        plan = read_plan(job.plan_file)
    except PlanError:
        return False
    made_from = [strip.sha256 for strip in plan.tracks]
    return plan.request == job.request and made_from == [sha256(path) for path in job.inputs]


def _run(job: Job, delivery: Delivery, printer: Printer) -> None:
    start = time.perf_counter()
    output_format(job.output, delivery.bits or "24")
    if delivery.skip_existing and _is_done(job):
        printer.note(f"{shown(job.output)}: made from the same inputs and settings already; kept")
        if printer.json:
            printer.document({"output": str(job.output), "skipped": True})
        return
    with ExitStack() as targets, printer.progress(STAGES) as report:
        target, plan_target, stem_targets = None, None, {}
        if not delivery.dry_run:

            def reserve(path: Path) -> OutputTarget:
                return targets.enter_context(
                    OutputTarget.reserve(path, overwrite=delivery.force, inputs=job.inputs)
                )

            target = reserve(job.output)
            plan_target = reserve(job.plan_file) if job.plan_file else None
            if delivery.stems is not None:
                suffix = job.output.suffix
                stem_targets = {
                    name: reserve(delivery.stems / f"{name.replace('/', '_')}{suffix}")
                    for name in job.tracks
                }
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
