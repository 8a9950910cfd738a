"""The shape of the vocal networks, and what their outputs mean. Imports no torch."""

from dataclasses import dataclass
from typing import Annotated, Literal

from automix.errors import UsageError
from automix.plan.parameters import Range, Settings, parameters
from automix.plan.settings import FdnReverbSettings

VocalTask = Literal["level", "compression", "equalization", "reverb"]
Hearing = Literal["blocks", "song", "quantiles", "loudness", "decay"]

LEVELS_LU = Range(-10, 6, "LU")
RANGES_LU = Range(5, 30, "LU")
"""Songs outside these are outliers, in the paper as here."""

MEL_BANDS = 128
DECAY_BANDS = 16
"""Rows of what is heard: of mel spectra, and of how they fall."""

_MOST_HIDDEN = 16

KERNEL = 3
POOL = 2

GAINS_DB = Range(-15, 15, "dB")
BANDS_HZ = (63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16000.0)
BAND_Q = 1.0
CHANGED_BANDS = 4

REVERB_FIELDS = (
    "dry_wet",
    "reverberation_time_s",
    "fade_in_time_s",
    "room_size",
    "low_cutoff_hz",
    "low_gain_db_s",
    "low_q",
    "high_cutoff_hz",
    "high_gain_db_s",
    "high_q",
)
"""In the order of the paper's table."""


@dataclass(frozen=True, kw_only=True)
class VocalCnnDescription(Settings):
    """The shape of a regressor. The defaults are the paper's (Li & Lerch, section III-C)."""

    task: Annotated[VocalTask, "what is predicted"] = "level"
    hearing: Annotated[
        Hearing,
        "blocks: stretches of time, the predictions averaged; song: one block of means over the"
        " song; quantiles: one block of the levels in each band, from low to high; loudness: the"
        " same over 0.1 s and some octaves; decay: one block of how far each band falls in some"
        " time after it was loud",
    ] = "blocks"
    frames: Annotated[int, Range(46, 4096), "of a block; 64 are 1.51 s"] = 64
    gate_db: Annotated[
        float, Range(-120, 0, "dB"), "frames with the vocal below are dropped, its peak at -1 dBFS"
    ] = -30.0
    depth_db: Annotated[
        float, Range(0, 160, "dB"), "of the logarithmic spectrogram; 0 is a linear one"
    ] = 0.0
    channels: Annotated[tuple[int, ...], Range(1, 1024), "of convolutions"] = (8, 16, 32, 64)
    hidden: Annotated[
        tuple[int, ...], Range(1, 4096), "values of linear layers before the last"
    ] = ()
    dropout: Annotated[float, Range(0, 0.9), "in training"] = 0.3
    members: Annotated[int, Range(1, 16), "networks whose mean counts"] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.hidden) > _MOST_HIDDEN:
            raise UsageError(f"hidden: {len(self.hidden)} layers; {_MOST_HIDDEN} are the most")
        if min(self.left) < 1:
            raise UsageError(
                f"channels: blocks are too small for {len(self.channels)} convolutions"
            )

    @property
    def left(self) -> tuple[int, int]:
        """Rows and columns that the convolutions leave of a block."""
        rows = DECAY_BANDS if self.hearing == "decay" else MEL_BANDS
        columns = self.frames
        for _ in self.channels:
            rows, columns = ((size - KERNEL + 1) // POOL for size in (rows, columns))
        return rows, columns


def output_ranges(task: VocalTask) -> tuple[Range, ...]:
    """The range that positions 0…1 of each output stand for, all linear as in the paper."""
    if task == "level":
        return (LEVELS_LU,)
    if task == "compression":
        return (RANGES_LU,)
    if task == "equalization":
        return (GAINS_DB,) * len(BANDS_HZ)
    declared = parameters(FdnReverbSettings)
    ranges = []
    for name in REVERB_FIELDS:
        legal = declared[name].range
        if legal is None:
            raise RuntimeError(f"{name} has no range")
        ranges.append(Range(legal.low, legal.high, legal.unit))
    return tuple(ranges)
