"""Finds tracks that start late against all others, as a take without its leading silence does."""

from collections.abc import Mapping
from dataclasses import dataclass

from automix.audio.samples import AudioSource


@dataclass(frozen=True, kw_only=True)
class LateFile:
    """A track that is played at another time than the others.

    Attributes:
        late_s: By how much it is late; negative for early.
        likeness: Correlation of its onsets with those of the others when it is moved, 0…1.
        as_it_is: The same as it is.
    """

    late_s: float
    likeness: float
    as_it_is: float


def find_late_files(sources: Mapping[str, AudioSource]) -> dict[str, LateFile]:
    """Finds tracks that are over 50 ms off against the sum of all others.

    Args:
        sources: Tracks of one rate and length, by name.

    Returns:
        What was found, by name; nothing where the evidence is not clear.

    Raises:
        InputError: The file behind a source changed or cannot be read.
    """
    raise NotImplementedError
