"""A mix as rendered stems: files of one length that sum to the mix."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from automix.audio.blocks import collect
from automix.audio.samples import AudioSource, Samples
from automix.audio.streams import Stream
from automix.consoles.exact import ExactConsole, MasterFilters, master_flow
from automix.errors import OutputError, PlanError
from automix.evaluation.ratings import sort_naturally
from automix.export.ends import ExportSource, ExportTarget
from automix.export.names import audio_file_names
from automix.files.names import printable
from automix.files.target import OutputTarget, commit_together
from automix.plan.model import Depth, MixPlan
from automix.session.tracks import IN_MEMORY_BYTES, list_plan_inputs, open_plan_session

_FRAME_BYTES = 8  # stereo, float32


@dataclass(frozen=True, kw_only=True)
class ExportedStem:
    """One file.

    Attributes:
        name: The name of the track, or of the bus whose return it is.
        path: The file.
        clipped: Samples above full scale that were held at full scale.
    """

    name: str
    path: Path
    clipped: int


@dataclass(frozen=True, kw_only=True)
class ExportedStems:
    """The files that were written.

    Attributes:
        stems: The stems in the order of their files.
        sample_rate_hz: The sample rate of all stems.
        frames: The length of each stem in samples per channel.
        bits: The depth of all files.
        notes: Remarks for the user.
    """

    stems: tuple[ExportedStem, ...]
    sample_rate_hz: int
    frames: int
    bits: Depth
    notes: tuple[str, ...]


def export_stems(
    source: ExportSource,
    target: ExportTarget,
    *,
    separate_returns: bool = False,
    bits: Depth = "32f",
) -> ExportedStems:
    """Writes every audible track as it is in the mix, the master included.

    Reverbs and equalizers are linear, and the gain of the compressors of buses and master, and of
    the limiter, is that of the whole mix, so that the files sum to it.

    Args:
        source: The plan and how its files are read.
        target: The folder of the stems.
        separate_returns: Write returns as files of their own; else each track has its share.
        bits: Depth. Floats have no full scale to clip at, and no dither.

    Raises:
        PlanError: A file of the plan is missing or may not be read, or all tracks are muted.
        InputError: A file cannot be used.
        OutputError: A stem cannot be written.
    """
    plan, folder = source.plan, target.path
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{printable(folder)}: is a file; stems go to a folder")
    audible = [strip for strip in plan.tracks if not strip.mute]
    if not audible:
        raise PlanError("every track of the plan is muted; unmute one")
    fed = {send.bus for strip in audible for send in strip.sends}
    buses = [bus.name for bus in plan.buses if separate_returns and bus.name in fed]
    names = [*sort_naturally([strip.name for strip in audible]), *buses]
    titles = [f"{name} return" if name in buses else name for name in names]
    inputs = list_plan_inputs(plan, source.folder)
    stems = []
    with ExitStack() as stack:
        files = {}
        for name, file in zip(names, audio_file_names(titles), strict=True):
            reserved = OutputTarget.reserve(
                folder / file, overwrite=target.overwrite, inputs=inputs
            )
            files[name] = stack.enter_context(reserved)
            stack.enter_context(target.guard(reserved.discard))
        target.report("reading")
        session = open_plan_session(
            plan, source.folder, source.read, allow_outside=source.allow_outside
        )
        console = ExactConsole(session)
        target.report("mixing")
        premaster: AudioSource = console.premaster(plan)
        if premaster.frames * _FRAME_BYTES <= IN_MEMORY_BYTES:
            premaster = collect(premaster)
        dry = _without_sends(plan) if separate_returns else plan
        for number, (name, file_target) in enumerate(files.items()):
            target.report("writing")
            stem = (
                _return_stem(console, plan, name, premaster)
                if name in buses
                else console.stem(dry, name, premaster)
            )
            # Equal dither on all stems would add up in their sum.
            written = file_target.write_audio(stem, bits=bits, seed=number)
            stems.append(ExportedStem(name=name, path=file_target.path, clipped=written.clipped))
        commit_together(list(files.values()))
    return ExportedStems(
        stems=tuple(stems),
        sample_rate_hz=session.sample_rate,
        frames=premaster.frames,
        bits=bits,
        notes=(*session.notes, *_notes(plan, stems)),
    )


def _without_sends(plan: MixPlan) -> MixPlan:
    """The plan with nothing sent to its buses, which still lengthen the mix."""
    return replace(plan, tracks=tuple(strip.keep_sends_to() for strip in plan.tracks))


def _return_stem(
    console: ExactConsole, plan: MixPlan, bus: str, premaster: AudioSource
) -> AudioSource:
    """The return of a bus as it is in the final mix; see `ExactConsole.stem`."""
    rate = premaster.sample_rate

    def blocks() -> Iterator[Samples]:
        filters = MasterFilters(plan.master, rate)
        gains = (gain for _, gain in master_flow(premaster, plan.master))
        for flow, gain in zip(console.flow(plan), gains, strict=True):
            yield (filters.process(flow.returns[bus]) * gain).astype(np.float32)

    return Stream(sample_rate=rate, channels=2, frames=premaster.frames, make_blocks=blocks)


def _notes(plan: MixPlan, stems: list[ExportedStem]) -> list[str]:
    notes = [f"{strip.name} is muted: no stem" for strip in plan.tracks if strip.mute]
    return notes + [
        f"{stem.name}: {stem.clipped} samples were clipped at full scale, so that the sum differs"
        " from the mix; write with --bits 32f"
        for stem in stems
        if stem.clipped
    ]
