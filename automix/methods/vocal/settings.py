"""The constants of the vocal rules, and the three presets.

``paper``: Li & Lerch, "Automatic Vocal Mixing Using Convolutional Neural Networks", section III-B.
``poster``: Li, "Autonomous Vocal and Backing Track Mixing", 2022. ``studio``: the same rules, with
the repairs that measurement suggests.
"""

from dataclasses import dataclass, replace
from typing import Annotated

from automix.plan.parameters import Range, Settings
from automix.plan.settings import FdnReverbSettings


@dataclass(frozen=True, kw_only=True)
class VocalRules(Settings):
    """What the rules aim for. The defaults are those of the paper."""

    relative_loudness_lu: Annotated[
        float, Range(-30, 30, "LU"), "integrated loudness of the vocal minus that of the backing"
    ] = -1.77
    loudness_range_below_lu: Annotated[
        float, Range(1, 60, "LU"), "the vocal is compressed until its loudness range is below this"
    ] = 16.36
    loudness_range_window_s: Annotated[
        float, Range(0.1, 3, "s"), "window of the loudness range that the compression rule looks at"
    ] = 0.1
    essential_vocal_bands: Annotated[int, Range(0, 9), "loudest octave bands of the vocal"] = 6
    essential_backing_bands: Annotated[int, Range(0, 9), "loudest octave bands of the backing"] = 2
    rank_k_weighted: Annotated[bool, "rank the bands after K-weighting"] = False
    compare_while_singing: Annotated[
        bool, "measure the backing's bands only while the vocal sings"
    ] = False
    filters: Annotated[int, Range(0, 9), "peak filters at most"] = 4
    filter_q: Annotated[float, Range(0.1, 10, "", "log"), "Q of the peak filters"] = 1.0
    filter_floor_db: Annotated[float, Range(0, 6, "dB"), "smaller boosts and cuts are left out"] = (
        0.0
    )
    filter_limit_db: Annotated[float, Range(0, 24, "dB"), "largest boost or cut"] = 8.0
    high_pass_hz: Annotated[float | None, Range(20, 400, "Hz", "log"), "rumble filter"] = None
    de_ess: Annotated[bool, "turn sibilance down where there is any"] = False
    reverb: FdnReverbSettings = FdnReverbSettings(fade_in_time_s=0.68, dry_wet=0.11)
    return_below_mix_lu: Annotated[
        float | None,
        Range(0, 60, "LU"),
        "put the reverb on a send, its return this far below the mix; else it is an insert",
    ] = None
    pre_delay_ms: Annotated[float, Range(0, 200, "ms"), "of the reverb send"] = 0.0
    return_low_cut_hz: Annotated[float, Range(20, 1000, "Hz", "log"), "of the reverb send"] = 20.0
    tempo_bpm: Annotated[
        float | None, Range(20, 400, "BPM"), "of the backing; estimated unless given"
    ] = None


PAPER = VocalRules()
POSTER = VocalRules(
    relative_loudness_lu=-0.5,
    loudness_range_below_lu=16.7,
    essential_vocal_bands=4,
    essential_backing_bands=3,
    rank_k_weighted=True,
    reverb=replace(PAPER.reverb, dry_wet=0.6),
)
STUDIO = VocalRules(
    compare_while_singing=True,
    filter_floor_db=0.5,
    filter_limit_db=6.0,
    high_pass_hz=80.0,
    de_ess=True,
    reverb=FdnReverbSettings(dry_wet=1.0),
    return_below_mix_lu=14.0,
    pre_delay_ms=20.0,
    return_low_cut_hz=200.0,
)
PRESETS = {"studio": STUDIO, "paper": PAPER, "poster": POSTER}
