"""A mix: a plan and the audio that it makes, and how they are put on disk, whole or not at all."""

import hashlib
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from automix.analysis.program import ProgramMeter, measure
from automix.analysis.readings import Loudness
from automix.audio.blocks import collect
from automix.audio.samples import Audio, AudioSource, Samples
from automix.audio.streams import prefetch
from automix.files.target import OutputTarget, Written, commit_together
from automix.plan.model import Depth, MixPlan
from automix.plan.toml import dumps, file_reference
from automix.session.tracks import Session

if TYPE_CHECKING:
    from automix.reference.comparison import FeatureComparison


@dataclass(frozen=True, kw_only=True, eq=False)
class Mix:
    """A plan and the audio that it makes.

    Attributes:
        plan: Everything that was decided.
        session: The tracks that were mixed.
        premaster: The mix before its master.
        source: The finished mix, stereo; it is computed while it is read.
        levels: Integrated loudness in LUFS, before the master, of each track (with the reverb that
            it alone feeds) and of each shared return.
        sum_lufs: Integrated loudness of their sum.
        warnings: What the user should know.
        stems: What each audible track contributes to the finished mix, by name.
        inputs: The files that it was made from; they are never written over.
        compared: How near the mix is to its references; empty without references.
    """

    plan: MixPlan
    session: Session
    premaster: AudioSource
    source: AudioSource
    levels: dict[str, float]
    sum_lufs: float
    warnings: tuple[str, ...]
    stems: dict[str, AudioSource]
    inputs: tuple[str, ...] = ()
    compared: "Sequence[FeatureComparison]" = ()

    @cached_property
    def audio(self) -> Audio:
        """The finished mix in memory: ``audio.samples`` is float32 ``(2, frames)``."""
        return collect(self.source)

    @cached_property
    def loudness(self) -> Loudness:
        """Loudness (ITU-R BS.1770-4), loudness range and true peak of the finished mix."""
        return measure(self.source)

    def levels_at(self, mix_lufs: float) -> dict[str, float]:
        """The levels when the master brings the mix to a loudness."""
        change_lu = mix_lufs - self.sum_lufs
        return {
            name: level + change_lu if math.isfinite(change_lu) else level
            for name, level in self.levels.items()
        }

    def write(
        self,
        path: str | os.PathLike[str],
        *,
        bits: Depth | None = None,
        overwrite: bool = False,
    ) -> Written:
        """Writes the mix to an audio file, as ``automix`` itself does.

        Args:
            path: File to write, its format by its extension: wav, flac, ogg, mp3, m4a, aiff, w64,
                rf64.
            bits: ``"16"``, ``"24"`` or ``"32f"``; unless given, the most among the inputs.
            overwrite: Whether an existing file may be replaced; inputs never are.

        Returns:
            What was written, with notes and the number of samples that were clipped.

        Raises:
            OutputError: The file is there already, is an input, or cannot be written.
            InputError: An input changed while it was read.
        """
        tracks = [p for t in self.session.tracks for p in (t.path, t.right) if p is not None]
        inputs: list[str | os.PathLike[str]] = [*tracks, *self.inputs]
        with OutputTarget.reserve(path, overwrite=overwrite, inputs=inputs) as target:
            return target.write_audio(self.source, bits=bits or self.session.bits)


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """What was written.

    Attributes:
        mix: The file of the mix.
        loudness: Measured on the mix as it was written.
        plan: The plan as it was written.
        notes: What the user should know.
    """

    mix: Written
    loudness: Loudness
    plan: MixPlan
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Targets:
    """Files that are reserved for a mix.

    Attributes:
        mix: The file of the mix.
        plan: The file of its plan, if one is wanted.
        stems: Files of the stems by track.
        report: The file of its report, if one is wanted.
    """

    mix: OutputTarget
    plan: OutputTarget | None = None
    stems: Mapping[str, OutputTarget] = field(default_factory=dict)
    report: OutputTarget | None = None


def deliver(mix: Mix, targets: Targets, bits: Depth) -> Delivered:
    """Writes a mix and its stems, which are not put in place yet: that is up to `put_in_place`.

    Args:
        mix: The mix.
        targets: Files to write; stems of tracks that are not heard are not written.
        bits: Depth of the audio files.

    Raises:
        OutputError: There is no room, or a format cannot hold the mix.
        InputError: An input changed while it was read.
    """
    metered = Metered(mix.source)
    written = targets.mix.write_audio(metered, bits=bits)
    if metered.loudness is None:
        raise RuntimeError("the mix was not read to its end")
    notes = list(written.notes)
    if written.clipped:
        notes.append(
            f"{written.clipped} samples were clipped at full scale; lower master.gain_db"
            " or write with --bits 32f"
        )
    folder = (targets.plan or targets.mix).path.parent
    plan = name_files(replace(mix.plan, bits=bits), mix.session, folder)
    digests = {}
    for name, target in targets.stems.items():
        if name not in mix.stems:
            continue
        clipped = target.write_audio(mix.stems[name], bits=bits).clipped
        if clipped:
            notes.append(
                f"{clipped} samples of the stem of {name} were clipped at full scale; write with"
                " --bits 32f"
            )
        digests[target.path.name] = target.digest()
    plan = replace(
        plan,
        mix_sha256=targets.mix.digest(),
        stems_sha256=combine_digests(digests),
        report_sha256="",
    ).sealed()
    return Delivered(mix=written, loudness=metered.loudness, plan=plan, notes=tuple(notes))


def put_in_place(delivered: Delivered, targets: Targets, page: str | None) -> Delivered:
    """Writes the report and the plan of a mix, and puts all files in place.

    The order is stems, report, mix, plan. The plan says what its mix, stems and report hold, so
    that whoever reads it can tell whether they are those beside it:

    - killed before the mix: an old plan with its old mix, as it was; stems and report are newer,
      which their digests tell;
    - killed between mix and plan: a new mix, and an old plan, whose digest tells that the mix is
      not its own, or none. ``--skip-existing`` makes the mix again. A new plan beside an old mix
      cannot be, so that neither it nor ``automix render`` takes an old mix for a new one.

    Args:
        delivered: What `deliver` wrote.
        targets: Its targets.
        page: The report as HTML, where there is a target of it.

    Returns:
        The same with the plan as it was written.

    Raises:
        OutputError: There is no room, or a file came into being meanwhile.
    """
    if targets.report is not None and page is not None:
        targets.report.write_text(page)
        plan = replace(delivered.plan, report_sha256=targets.report.digest())
        delivered = replace(delivered, plan=plan.sealed())
    if targets.plan is not None:
        targets.plan.write_text(dumps(delivered.plan))
        targets.plan.digest()
    last = (targets.report, targets.mix, targets.plan)
    commit_together([*targets.stems.values(), *(target for target in last if target is not None)])
    return delivered


def combine_digests(digests: Mapping[str, str]) -> str:
    """Combines the digests of files by name, as ``sha256sum FILES | sha256sum`` does; or nothing.

    Args:
        digests: Hexadecimal SHA-256 by file name.
    """
    lines = "".join(f"{digests[name]}  {name}\n" for name in sorted(digests))
    return hashlib.sha256(os.fsencode(lines)).hexdigest() if digests else ""


def name_files(plan: MixPlan, session: Session, folder: Path | None) -> MixPlan:
    """The plan with its tracks' files named as seen from ``folder``, absolute if that is none.

    A track that is not of the session, such as the mix that a network made, has no file.
    """
    files = {track.name: track for track in session.tracks}
    tracks = tuple(
        strip
        if strip.name not in files
        else replace(
            strip,
            file=_reference(files[strip.name].path, folder),
            right_file=_reference(files[strip.name].right, folder),
            channel=files[strip.name].channel,
            right_channel=files[strip.name].right_channel,
            stream=files[strip.name].stream,
            sha256=files[strip.name].sha256,
        )
        for strip in plan.tracks
    )
    return replace(plan, tracks=tracks)


def _reference(path: Path | None, folder: Path | None) -> str:
    return file_reference(path, folder) if path else ""


class Metered:
    """A source that measures itself on its way through.

    Attributes:
        loudness: Of the last whole pass; none before that.
    """

    def __init__(self, source: AudioSource) -> None:
        self._source = source
        self.sample_rate = source.sample_rate
        self.channels = source.channels
        self.frames = source.frames
        self.loudness: Loudness | None = None

    def blocks(self) -> Iterator[Samples]:
        """See `AudioSource.blocks`."""
        return prefetch(self._measure())

    def _measure(self) -> Iterator[Samples]:
        meter = ProgramMeter(self.sample_rate, self.channels)
        for block in self._source.blocks():
            meter.add(block)
            yield block
        self.loudness = meter.result()
