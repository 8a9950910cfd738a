"""Figures that others published, to stand beside one's own."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PublishedMix:
    """One row of tables 12 and 13 of Steinmetz 2020.

    Attributes:
        data: Which songs.
        method: Name in the table.
        stereo_mr_stft: Mean stereo MR-STFT distance from the human mixes.
        frechet_mtt: Fréchet distance by the features of MTT-vgg.
        frechet_msd: The same of MSD-vgg.
    """

    data: str
    method: str
    stereo_mr_stft: float
    frechet_mtt: float
    frechet_msd: float


_ROWS = (
    ("ENST-drums, dry", "mono", 6.038, 4.57, 3.01),
    ("ENST-drums, dry", "random", 3.403, 4.63, 2.89),
    ("ENST-drums, dry", "Wave-U-Net", 2.763, 3.13, 1.94),
    ("ENST-drums, dry", "DMC-basic", 1.825, 2.24, 1.16),
    ("MedleyDB, up to 8 tracks", "mono", 5.363, 2.21, 1.41),
    ("MedleyDB, up to 8 tracks", "random", 3.018, 2.66, 1.48),
    ("MedleyDB, up to 8 tracks", "Wave-U-Net", 7.386, 40.45, 29.62),
    ("MedleyDB, up to 8 tracks", "DMC-basic", 3.024, 2.91, 1.64),
    ("MedleyDB, up to 16 tracks", "mono", 5.840, 2.34, 2.92),
    ("MedleyDB, up to 16 tracks", "random", 3.186, 2.40, 2.63),
    ("MedleyDB, up to 16 tracks", "DMC-basic", 3.341, 3.00, 1.65),
    ("MedleyDB, up to 5 tracks", "mono", 5.300, 2.89, 1.67),
    ("MedleyDB, up to 5 tracks", "random", 3.040, 3.42, 1.87),
    ("MedleyDB, up to 5 tracks", "DMC-full", 3.689, 6.72, 4.04),
)

PUBLISHED_MIXES = tuple(
    PublishedMix(data=data, method=method, stereo_mr_stft=d, frechet_mtt=mtt, frechet_msd=msd)
    for data, method, d, mtt, msd in _ROWS
)
"""Other songs, mixes and sample rates than one's own: the order of the methods compares, the
numbers do not."""
