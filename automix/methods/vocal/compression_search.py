"""Loudness-range targeting: the compressor setting that brings a vocal's range below a target.

Li & Lerch III-A: start at threshold 0 dB and ratio 3:1; each step lowers the threshold by 3 dB and
raises the ratio by 0.1; stop when the range is below the target, or when the threshold would pass
−35 dB. At 0 dB a vocal with peaks of −1 dBFS is not touched, so the first step is −3 dB at 3.1:1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from automix.plan.settings import CompressorSettings

_LOWEST_THRESHOLD_DB = -35.0


def ladder() -> list[CompressorSettings]:
    """The settings that the procedure visits, in order."""
    return [
        CompressorSettings(
            threshold_db=-3.0 * step,
            ratio=round(3.0 + 0.1 * step, 1),
            attack_ms=30.0,
            release_ms=150.0,
        )
        for step in range(1, int(-_LOWEST_THRESHOLD_DB / 3.0) + 1)
    ]


@dataclass(frozen=True, kw_only=True)
class CompressionFinding:
    """Where the procedure ended.

    Attributes:
        step: Steps taken; 0 when the vocal was below the target already.
        settings: Of the compressor.
        before_lu: Loudness range before.
        after_lu: Loudness range after, measured on the compressed vocal itself.
        reached: Whether it is below the target.
    """

    step: int
    settings: CompressorSettings
    before_lu: float
    after_lu: float
    reached: bool


def find_compression(
    before_lu: float,
    estimates_lu: Sequence[float],
    measure: Callable[[CompressorSettings], float],
    target_lu: float,
) -> CompressionFinding:
    """Ends where the written procedure ends, with as few full measurements as possible.

    Args:
        before_lu: Loudness range of the vocal, peak at −1 dBFS, uncompressed.
        estimates_lu: Estimated loudness range after each setting of the `ladder`.
        measure: True loudness range after a setting; costs a rendering of the vocal.
        target_lu: The range must get below this.
    """
    steps = ladder()
    if before_lu < target_lu:
        return CompressionFinding(
            step=0,
            settings=CompressorSettings(),
            before_lu=before_lu,
            after_lu=before_lu,
            reached=True,
        )
    measured: dict[int, float] = {}

    def range_at(index: int) -> float:
        if index not in measured:
            measured[index] = measure(steps[index])
        return measured[index]

    margin_lu = 0.4  # above the worst error of an estimate
    index = next(
        (i for i, estimate in enumerate(estimates_lu) if estimate < target_lu + margin_lu),
        len(steps) - 1,
    )
    while index < len(steps) - 1 and range_at(index) >= target_lu:
        index += 1
    after = range_at(index)
    return CompressionFinding(
        step=index + 1,
        settings=steps[index],
        before_lu=before_lu,
        after_lu=after,
        reached=after < target_lu,
    )
