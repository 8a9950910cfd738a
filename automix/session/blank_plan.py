"""The plan that a session begins with."""

from automix.plan.model import MixPlan
from automix.plan.settings import ChannelStrip
from automix.session.tracks import Session
from automix.version import __version__


def make_blank_plan(
    session: Session, *, method: str, preset: str = "", seed: int | None = None
) -> MixPlan:
    """Makes a plan in which every track passes unchanged.

    Args:
        session: The tracks, whose names, roles and checksums the plan takes.
        method: Name of the method that the plan is for.
        preset: Name of its preset, or empty.
        seed: Seed that the method draws with, or none.
    """
    return MixPlan(
        method=method,
        preset=preset,
        automix_version=__version__,
        seed=seed,
        sample_rate_hz=session.sample_rate,
        tracks=tuple(
            ChannelStrip(
                name=track.name,
                role=track.role,
                channel=track.channel,
                right_channel=track.right_channel,
                sha256=track.sha256,
                start_s=track.start_s,
                mute=track.muted,
            )
            for track in session.tracks
        ),
    )
