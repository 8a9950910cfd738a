"""Surround to stereo: Recommendation ITU-R BS.775-3, Annex 4, Table 2.

Center and surrounds enter at −3 dB, a single rear channel at −6 dB on both sides, the low-frequency
effects channel is left out. There is no overall attenuation: the headroom of float is kept.
"""

import numpy as np

from automix.audio.samples import Samples

_MINUS_3_DB = 0.5**0.5

_GAINS = {
    "FL": (1.0, 0.0),
    "FR": (0.0, 1.0),
    "FC": (_MINUS_3_DB, _MINUS_3_DB),
    "LFE": (0.0, 0.0),
    "BL": (_MINUS_3_DB, 0.0),
    "BR": (0.0, _MINUS_3_DB),
    "SL": (_MINUS_3_DB, 0.0),
    "SR": (0.0, _MINUS_3_DB),
    "BC": (0.5, 0.5),
}

SPEAKERS = frozenset(_GAINS)
"""Abbreviations of the speakers that are mixed down."""

_ORDERS = {
    4: ("FL", "FR", "BL", "BR"),
    5: ("FL", "FR", "FC", "BL", "BR"),
    6: ("FL", "FR", "FC", "LFE", "BL", "BR"),
}
_VORBIS_ORDERS = {  # Vorbis I specification, section 4.3.9; Opus the same (RFC 7845, 5.1.1.2)
    4: ("FL", "FR", "BL", "BR"),
    5: ("FL", "FC", "FR", "BL", "BR"),
    6: ("FL", "FC", "FR", "BL", "BR", "LFE"),
}


def find_speaker_order(channels: int, container: str) -> tuple[str, ...] | None:
    """Finds which speakers the channels of a file belong to that does not say so itself.

    Args:
        channels: Number of channels.
        container: Container of the file as in `automix.files.info.AudioInfo`. Ogg files have an
            order of their own.

    Returns:
        Abbreviations of the speakers in channel order (``"FL"``, ``"FR"``, …); None if there is
        no downmix for so many channels.
    """
    return (_VORBIS_ORDERS if container == "ogg" else _ORDERS).get(channels)


def name_layout(order: tuple[str, ...]) -> str:
    """Names a layout of speakers the way people do, such as ``"5.1"``."""
    low = order.count("LFE")
    return f"{len(order) - low}.{low}"


def to_stereo(block: Samples, order: tuple[str, ...]) -> Samples:
    """Mixes surround down to stereo.

    Args:
        block: Samples ``(len(order), frames)``.
        order: Speakers in channel order, all of them among `SPEAKERS`.

    Returns:
        Samples ``(2, frames)``, which may exceed full scale.
    """
    stereo = np.zeros((2, block.shape[1]), np.float32)
    for samples, speaker in zip(block, order, strict=True):
        for side, gain in enumerate(_GAINS[speaker]):
            if gain:
                stereo[side] += np.float32(gain) * samples
    return stereo
