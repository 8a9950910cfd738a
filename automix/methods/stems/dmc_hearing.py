"""The input of a trained controller: a summary of each track of a session."""

from collections.abc import Mapping

from automix.methods.stems.hearing import HeardTrack
from automix.networks.dmc_description import DmcDescription
from automix.networks.encoders import Summary, summarize_source
from automix.parallel.workers import run_in_parallel
from automix.session.tracks import Session
from automix.units import db_to_gain, power_to_db

LISTENING_LUFS = -23.0
"""Every track is heard at this loudness, so that its level tells nothing."""


def summarize_tracks(
    session: Session, heard: Mapping[str, HeardTrack], description: DmcDescription
) -> list[Summary]:
    """The encoder's input for each track of ``heard``, in their order; none of them is silent.

    Raises:
        InputError: The file behind a track changed or cannot be read.
    """

    def listen(name: str) -> Summary:
        track = heard[name]
        return summarize_source(
            session.track(name).source,
            gain=db_to_gain(LISTENING_LUFS - track.lufs),
            active=track.active,
            facts=_facts(track),
            encoder=description.encoder,
        )

    return list(run_in_parallel(listen, heard))


def _facts(track: HeardTrack) -> tuple[float, ...]:
    """The four figures of a track in the order of `automix.networks.encoders.FACTS`."""
    return (
        track.crest_db,
        track.loudness_range_lu,
        float(track.active.mean()),
        power_to_db(track.side_share + 1e-4),
    )
