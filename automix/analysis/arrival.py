"""Finds how microphones of one source differ in polarity and in time of arrival."""

from collections.abc import Mapping
from dataclasses import dataclass

from automix.audio.samples import AudioSource
from automix.plan.roles import Role


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """What brings a track in line with another one that hears the same source.

    Attributes:
        reference: Name of the track that it is brought in line with.
        delay_ms: How much later the track has to be; negative for earlier, 0 for as it is. A whole
            number of frames.
        inverted: Whether its polarity has to be inverted.
        correlation: Weighted correlation of the two at this delay, 0…1; 1 is the same signal.
        second: The next best peak of the correlation, at another delay, over the best, 0…1.
        windows: How many stretches of the song speak for it.
        sum_db: How much louder the two add up to than they do as they are, with both at one
            level; in the band in which they are alike.
    """

    reference: str
    delay_ms: float
    inverted: bool
    correlation: float
    second: float
    windows: int
    sum_db: float

    @property
    def is_neutral(self) -> bool:
        """Whether the track is in line already."""
        return not self.inverted and self.delay_ms == 0.0


def find_arrivals(
    sources: Mapping[str, AudioSource], roles: Mapping[str, Role]
) -> dict[str, Arrival]:
    """Finds the tracks that are out of line with another microphone of their source.

    Args:
        sources: Raw tracks of one rate and length, by name.
        roles: Role of each.

    Returns:
        What brings a track in line, by its name; those that are in line, and those of which
        nothing can be told for certain, are missing.

    Raises:
        InputError: The file behind a source changed or cannot be read.
    """
    raise NotImplementedError
