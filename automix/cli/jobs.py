"""What the mixing commands do between their options and the backend."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from automix.cli.destination import Delivery, output_path
from automix.cli.job import Job, read_plan, run_job
from automix.cli.layering import Flags, apply_layers
from automix.cli.output import Printer
from automix.cli.wishes import Wishes
from automix.consoles.exact import ExactConsole
from automix.errors import DeviceError, UsageError
from automix.files.disk import sha256
from automix.files.info import ReadOptions
from automix.files.names import printable
from automix.methods.catalog import STEMS_METHODS, VOCAL_METHODS
from automix.methods.stems.settings import DmcOptions, StemsRules
from automix.methods.vocal.cnn_settings import VocalNetworks
from automix.methods.vocal.settings import PRESETS, VocalRules
from automix.mixing.loudness_target import Finish
from automix.mixing.mix import Mix, MixRequest, mix_session, render
from automix.plan.address import change_setting, parse_assignment
from automix.plan.macros import Macros
from automix.plan.model import MixPlan
from automix.session.song_folder import find_song_files, open_song
from automix.session.tracks import Session, TrackFile, open_plan_session, open_session, plan_inputs
from automix.version import __version__


def console_maker(
    plugins: Path | None, on_error: str, console: str = "exact", device: str = "auto"
) -> Callable[[Session], ExactConsole]:
    """How to make the console that renders: the exact one, of real plug-ins, or of a network.

    Raises:
        PluginError: The folder lacks a plug-in.
        DeviceError: The network or the device cannot be used.
        UsageError: Both plug-ins and a network are asked for.
    """
    if console != "exact":
        if plugins is not None:
            raise UsageError("--plugins and --console: choose one")
        from automix.consoles.neural import open_console

        return open_console(console, device)
    if plugins is None:
        return ExactConsole
    from automix.consoles.plugin.console import PluginConsole, find_plugins

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
    console: str,
    wishes: Wishes,
    printer: Printer,
    weights: str | None = None,
    device: str = "auto",
) -> tuple[Path, MixPlan] | None:
    """Mixes a vocal over its backing; see the options of `automix vocal`."""
    rules = apply_layers(_vocal_options(method, preset, weights, device), config, rule_flags)
    if isinstance(rules, VocalNetworks) and rule_flags["--level"][1] is not None:
        rules = replace(rules, level_by="rules")  # a level that is given is no one else's choice
    finish = apply_layers(Finish(), None, finish_flags)
    request = MixRequest(
        method=next(entry for entry in VOCAL_METHODS if entry.name == method),
        preset=preset if method in ("rules", "cnn") else "",
        options=rules,
        finish=finish,
        changes=[parse_assignment(change) for change in changes],
        seed=seed if method == "random" else None,
        goal=wishes.goal(device),
        macros=wishes.macros(),
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
    told += [*wishes.told(), *_told_console(console)]
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
        references=tuple(wishes.references),
    )
    plan = run_job(job, delivery, printer)
    return None if plan is None else (output, plan)


def _vocal_options(method: str, preset: str, weights: str | None, device: str) -> VocalRules:
    if method == "cnn":
        return VocalNetworks.over(PRESETS[preset], weights=weights or "wide", device=device)
    if weights:
        raise UsageError(f"--weights goes with --method cnn, not with {method}")
    return PRESETS[preset]


def run_stems(
    song: Sequence[Path],
    *,
    mode: str,
    method: str,
    weights: Path | None,
    device: str,
    roles: Sequence[str],
    recursive: bool,
    config: Path | None,
    finish_flags: Flags,
    changes: Sequence[str],
    seed: int,
    read: ReadOptions,
    delivery: Delivery,
    console: str,
    wishes: Wishes,
    printer: Printer,
) -> tuple[Path, MixPlan] | None:
    """Mixes the tracks of a song; see the options of `automix stems`."""
    neural = None if console == "exact" else console_maker(None, "", console, device)
    rules = apply_layers(
        _stems_options(method, weights, device), config, {"--mode": ("mode", mode)}
    )
    finish = apply_layers(Finish(), None, finish_flags)
    files, notes = find_song_files(song, recursive=recursive, roles=_given_roles(roles))
    request = MixRequest(
        method=next(entry for entry in STEMS_METHODS if entry.name == method),
        preset=mode,
        options=rules,
        finish=finish,
        changes=[parse_assignment(change) for change in changes],
        seed=seed if method == "random" else None,
        goal=wishes.goal(device),
        macros=wishes.macros(),
    )
    title = song[0].resolve().stem if len(song) == 1 else "song"
    output = output_path(
        delivery,
        {"song": title, "method": method, "mode": mode, "ext": "wav"},
        default_name=f"{title}.mix.wav",
    )
    told = [method, seed, asdict(rules), asdict(finish), list(changes), list(roles)]
    told += [sha256(weights) if weights else "", *wishes.told(), *_told_console(console)]
    job = Job(
        inputs=tuple(path for file in files for path in file.paths),
        tracks=tuple(file.name for file in files),
        output=output,
        plan_file=output.with_suffix(".toml") if delivery.write_plan else None,
        request=_fingerprint([*told, delivery.bits, __version__]),
        open=lambda: open_song(files, read, notes),
        mix=lambda session, report: mix_session(
            ExactConsole(session), request, renderer=neural and neural(session), report=report
        ),
        references=tuple(wishes.references),
    )
    if method == "wave-u-net":
        job = _without_plan(job, weights, device, request, delivery, console)
    plan = run_job(job, delivery, printer)
    if method == "wave-u-net":
        printer.note("the network maps the tracks to the mix: there is no plan to read or edit")
    return None if plan is None or job.plan_file is None else (output, plan)


def _without_plan(
    job: Job,
    weights: Path | None,
    device: str,
    request: MixRequest,
    delivery: Delivery,
    console: str,
) -> Job:
    """The job of a network that makes the mix itself."""
    for option, given in (
        ("--set", request.changes),
        ("--reference", request.goal),
        (request.macros.described(), request.macros != Macros()),
        ("--export-stems", delivery.stems),
        ("--report", delivery.report),
        ("--dry-run", delivery.dry_run),
        ("--console", console != "exact"),
    ):
        if given:
            raise UsageError(f"{option} needs a plan, and --method wave-u-net makes none")

    def mix(session: Session, report: Callable[[str], None]) -> Mix:
        from automix.methods.stems.wave_u_net import mix_with_network

        report("listening")
        made = mix_with_network(session, weights, device)
        return mix_session(ExactConsole(made), request, report=report)

    return replace(job, tracks=("mix",), plan_file=None, mix=mix)


def _stems_options(method: str, weights: Path | None, device: str) -> StemsRules:
    if weights and not weights.is_file():
        raise DeviceError(f"{printable(weights)}: there is no such file of weights")
    if method in ("dmc", "wave-u-net"):
        return DmcOptions(weights=str(weights) if weights else "", device=device)
    if weights:
        raise UsageError(f"--weights goes with --method dmc or wave-u-net, not with {method}")
    return StemsRules()


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
    macros: Macros,
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
    changed = bool(changes) or macros != Macros()
    if not delivery.write_plan or (not changed and _same(new_plan, plan_file)):
        new_plan = None
    folder = plan_file.parent
    job = Job(
        inputs=(plan_file, *plan_inputs(plan, folder)),
        tracks=tuple(strip.name for strip in plan.tracks),
        output=output,
        plan_file=new_plan,
        request=plan.request,
        open=lambda: open_plan_session(plan, folder, read, allow_outside=allow_outside),
        mix=lambda session, report: render(renderer(session), plan, macros=macros, report=report),
    )
    run_job(job, replace(delivery, bits=delivery.bits or plan.bits), printer)


def _told_console(console: str) -> list[str]:
    """What a mix owes to the console that rendered it."""
    if console == "exact":
        return []
    from automix.consoles.neural import console_weights

    return [sha256(console_weights(console))]


def _same(first: Path | None, second: Path) -> bool:
    return first is not None and first.resolve() == second.resolve()


def _fingerprint(told: list[object]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
