"""The whole explanation of a plan."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from automix.consoles.exact import ExactConsole
from automix.explanation.findings import Finding, findings
from automix.explanation.hearing import Hearing
from automix.explanation.measuring import measure_mix
from automix.explanation.method import settings_without
from automix.explanation.moves import Move
from automix.explanation.provenance import Action, RemovedTrack, actions, find_removed_tracks
from automix.explanation.tracks import TrackInMix, tracks_in_mix
from automix.plan.model import MixPlan


@dataclass(frozen=True, kw_only=True, eq=False)
class Explanation:
    """Why a mix is as it is.

    Attributes:
        plan: That is explained.
        lufs: Integrated loudness of the finished mix.
        width_db: Power of left − right over that of left + right, before the master.
        duration_s: The length of the session.
        tracks: How each track is heard in the mix, in the order of the plan.
        actions: The rules, networks and edits that set the settings.
        removed: Tracks that the plan has no more.
        findings: What stands out, the most important first.
        moves: By track, how the settings of the others move if the method never hears it; none
            where the method cannot be run again.
        hearing: What the network heard, where one took part.
        notes: What could not be explained, and why.
    """

    plan: MixPlan
    lufs: float
    width_db: float
    duration_s: float
    tracks: tuple[TrackInMix, ...]
    actions: tuple[Action, ...]
    removed: tuple[RemovedTrack, ...]
    findings: tuple[Finding, ...]
    moves: Mapping[str, tuple[Move, ...]]
    hearing: Hearing | None = None
    notes: tuple[str, ...] = ()


def explain(
    console: ExactConsole,
    plan: MixPlan,
    *,
    weights: str = "",
    device: str = "auto",
    track: str | None = None,
    report: Callable[[str], None] = lambda stage: None,
) -> Explanation:
    """Explains a plan by what it says, by measuring its mix, and by running its method again.

    Args:
        console: Of the plan's session.
        plan: To be explained.
        weights: File of the network's weights; empty for those that ship.
        device: For the network.
        track: Whose saliency is wanted; else that of the track whose level was moved most.
        report: Called with the name of each stage as it begins.

    Raises:
        DeviceError: The weights or the device cannot be used.
        InputError: A file changed while it was read.
    """
    report("mixing")
    measured = measure_mix(console, plan)
    report("masking")
    tracks = tracks_in_mix(measured, plan)
    report("method")
    again = settings_without(console, plan, weights=weights, device=device, track=track)
    done, removed = actions(plan), find_removed_tracks(plan)
    return Explanation(
        plan=plan,
        lufs=measured.finished_lufs,
        width_db=measured.width_db,
        duration_s=console.session.frames / console.session.sample_rate,
        tracks=tracks,
        actions=done,
        removed=removed,
        findings=findings(tracks, done, removed),
        moves=again.moves,
        hearing=again.hearing,
        notes=again.notes,
    )
