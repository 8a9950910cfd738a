"""What a trained controller hears of the tracks of a session."""

from collections.abc import Mapping

from automix.methods.stems.hearing import HeardTrack
from automix.networks.dmc_description import DmcDescription
from automix.networks.encoders import Summary, summary
from automix.parallel.workers import in_parallel
from automix.session.tracks import Session
from automix.units import db_to_gain, power_to_db

LISTENING_LUFS = -23.0
"""Every track is heard at this loudness, so that its level tells nothing."""


def summaries_of(
    session: Session, heard: Mapping[str, HeardTrack], description: DmcDescription
) -> list[Summary]:
    """What the encoder is given of each track of ``heard``, none of which is silent.

    Raises:
        InputError: The file behind a track changed or cannot be read.
    """

    def listen(name: str) -> Summary:
        track = heard[name]
        return summary(
            session.track(name).source,
            gain=db_to_gain(LISTENING_LUFS - track.lufs),
            active=track.active,
            facts=_facts(track),
            encoder=description.encoder,
        )

    return list(in_parallel(listen, heard))


def _facts(track: HeardTrack) -> tuple[float, ...]:
    """In the order of `automix.networks.encoders.FACTS`."""
    return (
        track.crest_db,
        track.loudness_range_lu,
        float(track.active.mean()),
        power_to_db(track.side_share + 1e-4),
    )
