"""Puts a mix on disk: the audio, its plan, and its stems on request; each whole or not at all."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from automix.analysis.program import Loudness
from automix.files.target import OutputTarget, Written
from automix.mixing.mix import Metered, Mix
from automix.plan.model import Depth, MixPlan
from automix.plan.toml import dumps, file_reference
from automix.session.tracks import Session


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """What was written.

    Attributes:
        mix: The file of the mix.
        loudness: Measured on the mix as it was written.
        plan: The plan as it was written.
        notes: For the user.
    """

    mix: Written
    loudness: Loudness
    plan: MixPlan
    notes: tuple[str, ...]


def deliver(
    mix: Mix,
    session: Session,
    *,
    target: OutputTarget,
    plan_target: OutputTarget | None,
    stem_targets: Mapping[str, OutputTarget],
    bits: Depth,
) -> Delivered:
    """Writes everything.

    Args:
        mix: The mix.
        session: That it was made from.
        target: Of the mix.
        plan_target: Of the plan, or none.
        stem_targets: By track.
        bits: Depth of the audio files.

    Raises:
        OutputError: No room, or a format that cannot hold the mix.
        InputError: An input changed while it was read.
    """
    metered = Metered(mix.audio)
    written = target.write_audio(metered, bits=bits)
    if metered.loudness is None:
        raise RuntimeError("the mix was not read to its end")
    notes = list(written.notes)
    if written.clipped:
        notes.append(
            f"{written.clipped} samples were clipped at full scale; lower master.gain_db"
            " or write with --bits 32f"
        )
    folder = plan_target.path.parent if plan_target else target.path.parent
    plan = with_files(replace(mix.plan, bits=bits), session, folder)
    for name, stem_target in stem_targets.items():
        stem_target.write_audio(mix.stems[name], bits=bits)
    if plan_target is not None:
        plan_target.write_text(dumps(plan))
    return Delivered(mix=written, loudness=metered.loudness, plan=plan, notes=tuple(notes))


def with_files(plan: MixPlan, session: Session, folder: Path) -> MixPlan:
    """The plan with its tracks' files named as seen from ``folder``.

    A track that is not of the session, such as the mix that a network made, has no file.
    """
    files = {track.name: track for track in session.tracks}
    tracks = tuple(
        strip
        if strip.name not in files
        else replace(
            strip,
            file=file_reference(path, folder) if (path := files[strip.name].path) else "",
            right_file=file_reference(path, folder) if (path := files[strip.name].right) else "",
            sha256=files[strip.name].sha256,
        )
        for strip in plan.tracks
    )
    return replace(plan, tracks=tracks)
