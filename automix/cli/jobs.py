"""What the mixing commands do between their options and the backend."""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import cast

from automix.cli.destination import Delivery, output_path, stem_paths
from automix.cli.layering import Flags, layered
from automix.cli.output import Printer
from automix.cli.signals import removed_when_ended
from automix.cli.summary import document, print_summary
from automix.consoles.exact import ExactConsole
from automix.delivery import deliver, with_files
from automix.errors import PlanError, UsageError
from automix.files import OutputTarget, ReadOptions, output_format, sha256, shown
from automix.methods.catalog import STEMS_METHODS, VOCAL_METHODS
from automix.methods.stems_settings import StemsRules
from automix.methods.vocal_settings import PRESETS
from automix.mixing import Finish, Mix, MixRequest, Report, mix_session, render
from automix.plan import Depth, MixPlan, change_setting
from automix.plan_file import dumps, loads, parse_assignment
from automix.session import Session, TrackFile, open_plan_session, open_session, plan_inputs
from automix.song_folder import open_song, song_files
from automix.version import __version__

STAGES = 4


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
    rule_flags: Flags,
    finish_flags: Flags,
    changes: Sequence[str],
    seed: int,
    read: ReadOptions,
    delivery: Delivery,
    renderer: Callable[[Session], ExactConsole],
    printer: Printer,
) -> None:
    """Mixes a vocal over its backing; see the options of `automix vocal`."""
    rules = layered(PRESETS[preset], config, rule_flags)
    finish = layered(Finish(), None, finish_flags)
    request = MixRequest(
        method=next(entry for entry in VOCAL_METHODS if entry.name == method),
        preset=preset if method == "rules" else "",
        options=rules,
        finish=finish,
        changes=[parse_assignment(change) for change in changes],
        seed=seed if method == "random" else None,
    )
    output = output_path(
        delivery,
        {"song": backing.stem, "method": method, "preset": preset, "ext": "wav"},
        default_name=f"{backing.stem}.mix.wav",
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
        mix=lambda session, report: mix_session(
            ExactConsole(session), request, renderer=renderer(session), report=report
        ),
    )
    _run(job, delivery, printer)


def run_stems(
    song: Sequence[Path],
    *,
    mode: str,
    method: str,
    roles: Sequence[str],
    recursive: bool,
    config: Path | None,
    finish_flags: Flags,
    changes: Sequence[str],
    seed: int,
    read: ReadOptions,
    delivery: Delivery,
    printer: Printer,
) -> None:
    """Mixes the tracks of a song; see the options of `automix stems`."""
    rules = layered(StemsRules(), config, {"--mode": ("mode", mode)})
    finish = layered(Finish(), None, finish_flags)
    files, notes = song_files(song, recursive=recursive, roles=_given_roles(roles))
    request = MixRequest(
        method=next(entry for entry in STEMS_METHODS if entry.name == method),
        preset=mode,
        options=rules,
        finish=finish,
        changes=[parse_assignment(change) for change in changes],
        seed=seed if method == "random" else None,
    )
    title = song[0].resolve().stem if len(song) == 1 else "song"
    output = output_path(
        delivery,
        {"song": title, "method": method, "mode": mode, "ext": "wav"},
        default_name=f"{title}.mix.wav",
    )
    told = [method, seed, asdict(rules), asdict(finish), list(changes), list(roles)]
    job = Job(
        inputs=tuple(path for file in files for path in file.paths),
        tracks=tuple(file.name for file in files),
        output=output,
        plan_file=output.with_suffix(".toml") if delivery.write_plan else None,
        request=_fingerprint([*told, delivery.bits, __version__]),
        open=lambda: open_song(files, read, notes),
        mix=lambda session, report: mix_session(ExactConsole(session), request, report=report),
    )
    _run(job, delivery, printer)


def _given_roles(roles: Sequence[str]) -> dict[str, str]:
    given = {}
    for role in roles:
        track, equals, name = role.rpartition("=")
        if not equals or not track:
            raise UsageError(f"--role {role!r}: write TRACK=ROLE")
        given[track] = name
    return given


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
    output = plan_file.with_suffix(".wav")
    if delivery.output is not None:
        output = output_path(delivery, {"plan": plan_file.stem}, default_name=output.name)
    new_plan: Path | None = output.with_suffix(".toml")
    if not delivery.write_plan or (not changes and _same(new_plan, plan_file)):
        new_plan = None
    folder = plan_file.parent
    job = Job(
        inputs=(plan_file, *plan_inputs(plan, folder)),
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
        if not path.is_file():
            raise PlanError(f"{shown(path)}: is not a file")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise PlanError(f"{shown(path)}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise PlanError(f"{shown(path)}: is not a plan: not UTF-8 text") from error
    try:
        return loads(text, shown(path))
    except RecursionError as error:
        raise PlanError(f"{shown(path)}: is not a plan: nested too deeply") from error


def _fingerprint(told: list[object]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


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


def _run(job: Job, delivery: Delivery, printer: Printer) -> None:
    start = time.perf_counter()
    output_format(job.output, delivery.bits or "24")
    stems = stem_paths(delivery, job.output, job.tracks)
    if delivery.skip_existing and _is_done(job, stems.values()):
        printer.note(f"{shown(job.output)}: made from the same inputs and settings already; kept")
        if printer.json:
            printer.document({"output": str(job.output), "skipped": True})
        return
    with ExitStack() as targets, printer.progress(STAGES) as report:
        target, plan_target, stem_targets = None, None, {}
        if not delivery.dry_run:

            def reserve(path: Path) -> OutputTarget:
                target = targets.enter_context(
                    OutputTarget.reserve(path, overwrite=delivery.force, inputs=job.inputs)
                )
                targets.enter_context(removed_when_ended(target.discard))
                return target

            target = reserve(job.output)
            plan_target = reserve(job.plan_file) if job.plan_file else None
            stem_targets = {name: reserve(path) for name, path in stems.items()}
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
