"""Tables of figures that others published, to stand beside one's own."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PublishedMix:
    """One row of tables 12 and 13 of Steinmetz 2020.

    Attributes:
        data: Songs that were mixed.
        method: Name in the table.
        stereo_mr_stft: Mean stereo MR-STFT distance from the human mixes.
        frechet_mtt: Fréchet distance by the features of MTT-vgg.
        frechet_msd: Fréchet distance by the features of MSD-vgg.
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


@dataclass(frozen=True, kw_only=True)
class PublishedEffect:
    """One row of tables 6 and 7 of Steinmetz 2020, on vocals, guitars and the like at 44.1 kHz.

    Attributes:
        model: Name in the table.
        task: Processors that were active.
        figures: MAE, ESR, MCD and MR-STFT.
    """

    model: str
    task: str
    figures: tuple[float, float, float, float]


_EFFECTS: tuple[tuple[str, tuple[tuple[float, float, float, float], ...]], ...] = (
    (
        "TCN-10",
        (
            (0.015, 0.156, 577.8, 2.449),
            (0.005, 0.100, 545.5, 1.895),
            (0.021, 0.129, 443.9, 1.931),
            (0.035, 0.430, 592.2, 2.701),
        ),
    ),
    (
        "TCN-20",
        (
            (0.017, 0.189, 597.3, 2.608),
            (0.006, 0.140, 618.1, 2.123),
            (0.011, 0.038, 309.2, 1.340),
            (0.027, 0.292, 495.6, 2.315),
        ),
    ),
    (
        "TCN-30",
        (
            (0.017, 0.203, 578.8, 2.668),
            (0.006, 0.132, 544.1, 2.075),
            (0.011, 0.041, 253.1, 1.212),
            (0.024, 0.252, 496.6, 2.210),
        ),
    ),
    (
        "Wave-U-Net-6-8",
        (
            (0.009, 0.140, 592.7, 2.417),
            (0.004, 0.102, 762.6, 2.319),
            (0.020, 0.144, 1037.2, 3.808),
            (0.026, 0.305, 933.7, 3.995),
        ),
    ),
    (
        "Wave-U-Net-6-16",
        (
            (0.009, 0.206, 633.0, 3.025),
            (0.004, 0.108, 712.2, 2.637),
            (0.034, 0.378, 1117.1, 4.746),
            (0.038, 0.481, 1026.2, 4.890),
        ),
    ),
    (
        "TCN-10, variable order",
        (
            (0.022, 0.316, 725.5, 3.142),
            (0.010, 0.435, 716.8, 2.684),
            (0.024, 0.171, 494.3, 2.241),
            (0.060, 3.846, 785.5, 4.917),
        ),
    ),
)
_TASKS = ("equalizer", "compressor", "reverb", "combined")

PUBLISHED_EFFECTS = tuple(
    PublishedEffect(model=model, task=task, figures=figures)
    for model, rows in _EFFECTS
    for task, figures in zip(_TASKS, rows, strict=True)
)
"""Other audio than one's own, and other implementations of the processors."""

_LA2A = (
    ("SignalTrain", (7.97e-3, 0.023, 809.6, 1.657)),
    ("TCN-8", (8.11e-3, 0.024, 392.9, 0.808)),
    ("TCN-10", (4.95e-3, 0.012, 339.4, 0.754)),
    ("TCN-10-mixup", (4.60e-3, 0.009, 350.2, 0.748)),
    ("TCN-20-mixup", (4.24e-3, 0.008, 263.0, 0.606)),
    ("TCN-30-mixup", (5.53e-3, 0.013, 297.1, 0.679)),
    ("Wave-U-Net-6-8", (1.30e-2, 0.157, 260.0, 0.502)),
    ("Wave-U-Net-6-16", (1.13e-2, 0.046, 259.5, 0.599)),
    ("Wave-U-Net-6-16-mixup", (1.14e-2, 0.084, 455.3, 0.987)),
)

PUBLISHED_LA2A = tuple(
    PublishedEffect(model=model, task="la2a", figures=figures) for model, figures in _LA2A
)
"""Table 9: the Test recordings of SignalTrain LA2A."""


@dataclass(frozen=True, kw_only=True)
class PublishedVocal:
    """One row of the results of Li and Lerch: mean absolute errors.

    Attributes:
        cnn: Error of their network.
        mean: Error of predicting the mean of the training data; for the gains, of predicting 0.
    """

    cnn: float
    mean: float


PUBLISHED_VOCAL = {
    "relative loudness": PublishedVocal(cnn=1.64, mean=2.13),
    "loudness range": PublishedVocal(cnn=2.63, mean=2.88),
    "equalizer gains": PublishedVocal(cnn=4.48, mean=3.33),
    "dry/wet": PublishedVocal(cnn=6.13, mean=7.16),
    "reverberation time": PublishedVocal(cnn=1.006, mean=1.007),
    "fade-in time": PublishedVocal(cnn=0.401, mean=0.403),
    "room size": PublishedVocal(cnn=7.30, mean=7.31),
    "low cutoff": PublishedVocal(cnn=41.55, mean=40.26),
    "low gain": PublishedVocal(cnn=3.62, mean=3.65),
    "low Q": PublishedVocal(cnn=0.355, mean=0.360),
    "high cutoff": PublishedVocal(cnn=3390, mean=3462),
    "high gain": PublishedVocal(cnn=5.01, mean=5.35),
    "high Q": PublishedVocal(cnn=0.14, mean=0.17),
}
