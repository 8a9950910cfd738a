"""One song from its files to its files: what a command, a batch item and a script all call."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

from automix.errors import InputError, PlanError, UsageError
from automix.files.disk import sha256
from automix.files.formats import choose_format
from automix.files.info import ReadOptions
from automix.files.names import printable
from automix.files.probe import probe
from automix.files.state import FileState, digest
from automix.files.target import OutputTarget
from automix.inputs import keep_inputs, read_outputs
from automix.mixing.destination import output_path, stem_paths
from automix.mixing.inputs import SongInputs, find_inputs
from automix.mixing.loudness_target import find_target
from automix.mixing.mix import (
    Delivered,
    Mix,
    Targets,
    combine_digests,
    deliver,
    name_files,
    put_in_place,
)
from automix.mixing.options import method_options
from automix.mixing.outcome import SongOutcome
from automix.mixing.renderer import open_renderer
from automix.mixing.request import Delivery, MethodRequest, PlanRequest, SongRequest
from automix.mixing.spine import Report, choose_target, prepare_mixer, render_plan, silent
from automix.plan.macros import Macros
from automix.plan.model import Depth, MixPlan, read_plan
from automix.session.tracks import Session
from automix.version import __version__

SONG_STAGES = 4
"""How many stages a song has, besides its report."""

_ROUNDING_DB = 0.05
"""How far a measured peak may lie above what was set, by rounding and a limiter's estimate."""

Guard = Callable[[Callable[[], object]], AbstractContextManager[None]]
"""Given what removes an unfinished file; in its context the file is removed if a signal comes."""

Page = Callable[[str, Mix, SongOutcome], str]
"""Makes the page of a report from a song's name, its mix and its outcome."""


def unguarded(remove: Callable[[], object]) -> AbstractContextManager[None]:
    """The guard of a caller that handles no signals."""
    return nullcontext()


@dataclass(frozen=True, kw_only=True)
class _Job:
    """A request whose files were found and whose options were checked.

    Attributes:
        inputs: The song.
        output: File of the mix.
        plan_file: File of the plan, or none.
        fingerprint: The same for requests that give the same mix of the same files; empty where a
            plan is rendered, which may say anything.
        kept_files: Files that are read and must not be written over.
        bits: Depth of the mix; that of the session if none.
        mix: Mixes the session.
        has_plan: Whether the mix comes from a plan.
        true_peak_dbtp: What the true peak of the mix is to stay below; none where nothing is said.
    """

    inputs: SongInputs
    output: Path
    plan_file: Path | None
    fingerprint: str
    kept_files: tuple[Path, ...]
    bits: Depth | None
    mix: Callable[[Session, Report], Mix]
    has_plan: bool = True
    true_peak_dbtp: float | None = None


def run_song(
    request: SongRequest,
    delivery: Delivery,
    *,
    make_page: Page,
    report: Report = silent,
    guard: Guard = unguarded,
    number: int | None = None,
) -> SongOutcome:
    """Mixes a song and writes the files that are asked for.

    Everything that can be checked is checked, and every file reserved, before audio is read. Each
    file is there whole, or not at all.

    Args:
        request: What is asked of the song.
        delivery: Where the result goes.
        make_page: Makes the page of ``delivery.report``.
        report: Told the name of each stage as it begins.
        guard: Keeps unfinished files from staying where a signal ends the program.
        number: Which of several mixes of the song this is: it goes into the names of its files.

    Raises:
        AutomixError: An option, an input, an output, weights, a device or a plug-in cannot be used;
            the message names it and the remedy.
    """
    start = time.perf_counter()
    with keep_inputs():
        job = _prepare(request, delivery)
        if number is not None:
            job = _number_files(job, number)
        outcome = _run(job, delivery, make_page, report, guard)
    return replace(outcome, seconds=round(time.perf_counter() - start, 2))


def _run(
    job: _Job, delivery: Delivery, make_page: Page, report: Report, guard: Guard
) -> SongOutcome:
    choose_format(job.output, delivery.bits or "24")
    stems = stem_paths(delivery, job.output, job.inputs.tracks)
    if delivery.skip_existing:
        done = _find_done(job, tuple(stems.values()), delivery.report)
        if done is not None:
            return done
    with ExitStack() as held:

        def reserve(path: Path) -> OutputTarget:
            target = held.enter_context(
                OutputTarget.reserve(path, overwrite=delivery.force, inputs=job.kept_files)
            )
            held.enter_context(guard(target.discard))
            return target

        targets = None
        if not delivery.dry_run:
            targets = Targets(
                mix=reserve(job.output),
                plan=reserve(job.plan_file) if job.plan_file else None,
                stems={name: reserve(path) for name, path in stems.items()},
                report=reserve(delivery.report) if delivery.report else None,
            )
        report("reading")
        session = job.inputs.open()
        mix = job.mix(session, report)
        mix = replace(mix, plan=replace(mix.plan, request=job.fingerprint))
        bits = job.bits or session.bits
        delivered = None
        if targets is not None:
            report("writing")
            delivered = deliver(mix, targets, bits)
        outcome = _outcome(job, mix, session, delivered, bits)
        if targets is not None and delivered is not None:
            page = None
            if targets.report is not None:
                report("report")
                page = make_page(job.output.stem, mix, outcome)
            delivered = put_in_place(delivered, targets, page)
            outcome = replace(outcome, plan=delivered.plan, files=_states(targets))
    return outcome


def _states(targets: Targets) -> dict[str, FileState]:
    """The files that are in place, by what they are."""
    by_name = {"mix": targets.mix, "plan": targets.plan, "report": targets.report}
    return {name: target.state for name, target in by_name.items() if target and target.state}


def _outcome(
    job: _Job, mix: Mix, session: Session, delivered: Delivered | None, bits: Depth
) -> SongOutcome:
    if delivered is None:
        plan = name_files(replace(mix.plan, bits=bits), mix.session, job.output.parent)
        levels = mix.levels_at(mix.sum_lufs + plan.master.gain_db)
    else:
        plan = delivered.plan
        levels = mix.levels_at(delivered.loudness.integrated_lufs)
    return SongOutcome(
        output=job.output,
        written=delivered is not None,
        plan=plan,
        has_plan=job.has_plan,
        loudness=delivered.loudness if delivered else None,
        levels_lufs=levels,
        compared=tuple(mix.compared),
        warnings=(*mix.warnings, *(_find_overs(job, delivered) if delivered else ())),
        notes=session.notes,
        delivery_notes=delivered.notes if delivered else (),
        duration_s=mix.source.frames / mix.source.sample_rate,
        sample_rate_hz=mix.source.sample_rate,
        container=delivered.mix.container if delivered else "",
        clipped_samples=delivered.mix.clipped if delivered else 0,
    )


def _find_overs(job: _Job, delivered: Delivered) -> list[str]:
    """Says if the mix as it was written has a higher true peak than it was to have."""
    peak_dbtp, wanted = delivered.loudness.true_peak_dbtp, job.true_peak_dbtp
    if wanted is None or peak_dbtp <= wanted + _ROUNDING_DB:
        return []
    return [
        f"the true peak of the mix is {peak_dbtp:+.2f} dBTP, above the {wanted:+g} dBTP that it was"
        f" to stay below; lower master.gain_db, or finish it again with --true-peak {wanted:g}"
    ]


def _prepare(request: SongRequest, delivery: Delivery) -> _Job:
    if isinstance(request, PlanRequest):
        return _prepare_plan(request, delivery)
    if not isinstance(request, MethodRequest):
        raise TypeError(f"{type(request).__name__} is no request of a mix")
    has_plan = request.row.makes == "plan"
    if not has_plan:
        _check_needs_no_plan(request, delivery)
    mixer = prepare_mixer(request)
    inputs = find_inputs(request)
    output = output_path(
        delivery,
        {"song": inputs.title, **request.named(), "ext": "wav"},
        default_name=f"{inputs.title}.mix.wav",
    )
    if not has_plan:
        inputs = replace(inputs, tracks=("mix",), roles=())
    return _Job(
        inputs=inputs,
        output=output,
        plan_file=output.with_suffix(".toml") if has_plan and not delivery.no_plan else None,
        fingerprint=_fingerprint(request, delivery, inputs),
        kept_files=(*inputs.files, *request.reference),
        bits=delivery.bits,
        mix=mixer,
        has_plan=has_plan,
        true_peak_dbtp=request.loudness_target().true_peak_dbtp,
    )


def _number_files(job: _Job, number: int) -> _Job:
    def numbered(path: Path) -> Path:
        return path.with_name(f"{path.stem}.{number}{path.suffix}")

    plan_file = numbered(job.plan_file) if job.plan_file else None
    return replace(job, output=numbered(job.output), plan_file=plan_file)


def _prepare_plan(request: PlanRequest, delivery: Delivery) -> _Job:
    inputs = find_inputs(request)
    plan, source = cast(MixPlan, inputs.plan), cast(Path, request.plan)
    renderer = open_renderer(request)
    output = source.with_suffix(".wav")
    if delivery.output is not None:
        output = output_path(delivery, {"plan": inputs.title}, default_name=output.name)
    plan_file: Path | None = output.with_suffix(".toml")
    target = choose_target(request, plan)
    changed = bool(request.changes) or request.no_rides or request.macros() != Macros()
    changed = changed or target is not None
    is_itself = output.with_suffix(".toml").resolve() == source.resolve()
    if delivery.no_plan or (is_itself and not changed):
        plan_file = None

    def mix(session: Session, report: Report) -> Mix:
        return render_plan(
            session,
            plan,
            macros=request.macros(),
            target=target,
            renderer=renderer,
            report=report,
        )

    promised = target or find_target(plan)

    return _Job(
        inputs=inputs,
        output=output,
        plan_file=plan_file,
        fingerprint="",
        kept_files=inputs.files,
        bits=delivery.bits or plan.bits,
        mix=mix,
        true_peak_dbtp=promised.true_peak_dbtp if promised else _read_ceiling(plan),
    )


def _read_ceiling(plan: MixPlan) -> float | None:
    return plan.master.limiter.ceiling_dbtp if plan.master.limiter.is_active else None


def _check_needs_no_plan(request: MethodRequest, delivery: Delivery) -> None:
    for option, given in (
        ("--export-stems", delivery.export_stems),
        ("--report", delivery.report),
        ("--dry-run", delivery.dry_run),
        ("--skip-existing", delivery.skip_existing),
    ):
        if given:
            raise UsageError(f"{option} needs a plan, and --method {request.method} makes none")


def _find_done(job: _Job, stems: Sequence[Path], report: Path | None) -> SongOutcome | None:
    """Finds outputs that were made from the same inputs with the same settings, and are whole.

    The plan says what the mix, the stems and the report beside it held when they were written. A
    plan that was edited since, with a mix that may have been rendered from it, is somebody's work:
    it counts too, as long as the files hold audio.

    Returns:
        How the song ended; none if anything is missing, or is another.
    """
    if job.plan_file is None or not job.fingerprint:
        return None
    try:
        with read_outputs():
            plan = read_plan(job.plan_file)
        if plan.request != job.fingerprint or not plan.mix_sha256:
            return None
        wanted = {"mix": (job.output, plan.mix_sha256), "plan": (job.plan_file, "")}
        if report is not None:
            wanted["report"] = (report, plan.report_sha256 or "none was written")
        files = {
            name: FileState.of(os.stat(path), digest(path)) for name, (path, _) in wanted.items()
        }
        found = {path.name: digest(path) for path in stems if path.exists()}
        if stems and not found:
            return None
        as_written = all(expected in ("", files[n].sha256) for n, (_, expected) in wanted.items())
        as_written = as_written and (not stems or combine_digests(found) == plan.stems_sha256)
        if plan.was_edited:
            for path in (job.output, *(stem for stem in stems if stem.name in found)):
                with read_outputs():
                    probe(path, ReadOptions(strict=True))
        elif not as_written:
            return None
        made_from = [sha for strip in plan.tracks for sha in strip.sha256.split()]
        same = made_from == [sha256(path) for path in job.inputs.files]
    except (PlanError, InputError, OSError):
        return None
    if not same:
        return None
    edited = (f"{printable(job.plan_file)}: was edited since it was made",)
    return SongOutcome(
        output=job.output,
        kept=True,
        levels_lufs={},
        files=files,
        notes=edited if plan.was_edited else (),
    )


_LOCATIONS = ("vocal", "backing", "song", "config", "weights", "reference", "plugins", "device")
"""Fields that say where something is, and where it is computed: their contents count instead."""

_AMONG_OPTIONS = ("constants",)
"""Fields that are in the options of the method."""


def _fingerprint(request: MethodRequest, delivery: Delivery, inputs: SongInputs) -> str:
    """The same for requests that give the same mix of the same files with this version."""
    asked = {
        name: value
        for name, value in request.given().items()
        if name not in _LOCATIONS + _AMONG_OPTIONS
    }
    options = asdict(method_options(request))
    options.pop("device", None)
    told: dict[str, Any] = {
        "asked": asked,
        "tracks": [inputs.tracks, inputs.roles],
        "method": request.method,
        "options": options,
        "references": [sha256(path) for path in request.reference],
        "bits": delivery.bits,
        "version": __version__,
    }
    if request.weights and os.path.exists(request.weights):
        weights = Path(request.weights)
        files = sorted(weights.rglob("*.safetensors")) if os.path.isdir(weights) else [weights]
        told["options"]["weights"] = [sha256(file) for file in files]
    if request.plugins is not None:
        told["plugins"] = [
            (str(file.relative_to(request.plugins)), file.stat().st_size, file.stat().st_mtime_ns)
            for file in sorted(request.plugins.rglob("*"))
            if file.is_file()
        ]
    if request.console != "exact":
        from automix.consoles.neural import console_weights

        told["console"] = sha256(console_weights(request.console))
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
