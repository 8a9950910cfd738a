"""How loud a mix is to leave: its target loudness and the ceiling of its true peak."""

from dataclasses import dataclass
from typing import Annotated

from automix.plan.parameters import Range, Settings


@dataclass(frozen=True, kw_only=True)
class LoudnessTarget(Settings):
    """How loud the finished mix is to be (ITU-R BS.1770-4)."""

    loudness_lufs: Annotated[
        float | None, Range(-60, 0, "LUFS"), "integrated loudness; else it is left as it comes"
    ] = None
    true_peak_dbtp: Annotated[float, Range(-20, 0, "dBTP"), "the true peak stays below this"] = -1.0
