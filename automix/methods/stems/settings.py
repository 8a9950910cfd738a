"""The constants of the rules for stems. Each says where it comes from."""

from dataclasses import dataclass
from typing import Annotated, Literal

from automix.errors import UsageError
from automix.plan.parameters import FileName, Range, Settings

_FOCUS_STEPS = 1.0


@dataclass(frozen=True, kw_only=True)
class StemsRules(Settings):
    """What the methods for stems aim for."""

    mode: Annotated[
        Literal["basic", "full"], "basic sets gain and pan, full all processors as well"
    ] = "basic"
    as_recorded: Annotated[bool, "no track is inverted or moved in time"] = False
    no_tone: Annotated[bool, "full leaves equalizers out"] = False
    no_dynamics: Annotated[bool, "full leaves gates, compressors and saturation out"] = False
    no_width: Annotated[bool, "full leaves wideners out"] = False
    no_space: Annotated[bool, "full leaves reverbs and delays out"] = False
    focus: Annotated[tuple[str, ...], FileName(), "tracks that stand out, one step"] = ()
    behind: Annotated[tuple[str, ...], FileName(), "tracks that stand back, one step"] = ()
    importance: Annotated[
        tuple[str, ...], FileName(), "TRACK=N: how many steps tracks stand out, below 0 back"
    ] = ()
    importance_lu: Annotated[float, Range(0, 6, "LU"), "level of one such step"] = 3.0
    crest_slope: Annotated[
        float, Range(0, 1), "dB of level taken per dB of crest factor above the song's median"
    ] = 0.4
    level_limit_db: Annotated[float, Range(0, 12, "dB"), "largest of these corrections"] = 4.0
    lead_above_rest_lu: Annotated[
        float, Range(-20, 12, "LU"), "lead vocal against the sum of all other tracks"
    ] = -2.5
    width: Annotated[float, Range(0, 1), "how far mono tracks are panned; 1 is hard"] = 0.6
    tone: Annotated[
        float, Range(0, 1), "share of what lies beyond the spectra of finished stems"
    ] = 0.8
    brightness_db: Annotated[
        float, Range(-6, 6, "dB"), "treble that is added besides, bass that is taken away"
    ] = 0.0
    compression: Annotated[
        float, Range(0, 2), "factor on ratios above 1 and on parallel and bus compression"
    ] = 0.8
    saturation_db: Annotated[float, Range(0, 12, "dB"), "drive of bass and drums"] = 0.0
    sides_db: Annotated[
        float, Range(-12, 6, "dB"), "sides of the mix against those of finished mixes"
    ] = 0.0
    sends_below_mix_lu: Annotated[
        float, Range(6, 60, "LU"), "loudness of the reverb of leads and pads below the mix"
    ] = 16.0
    room_below_mix_lu: Annotated[
        float, Range(6, 60, "LU"), "loudness of the room of the drums below the mix"
    ] = 26.0
    delay_below_mix_lu: Annotated[
        float, Range(6, 60, "LU"), "loudness of the delay of the lead below the mix"
    ] = 26.0
    processed_side_db: Annotated[
        float,
        Range(-60, 0, "dB"),
        "sides of a track over its whole from which full takes it as processed; 0 processes all",
    ] = -19.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.importances()

    def importances(self) -> dict[str, float]:
        """By track, how many steps it stands out; below 0 it stands back.

        Raises:
            UsageError: An importance is not of the form ``TRACK=N``, with N within ±4.
        """
        steps: dict[str, float] = {}
        for name in self.focus:
            steps[name] = steps.get(name, 0.0) + _FOCUS_STEPS
        for name in self.behind:
            steps[name] = steps.get(name, 0.0) - _FOCUS_STEPS
        for given in self.importance:
            name, _, number = given.rpartition("=")
            try:
                value = float(number)
            except ValueError:
                value = 5.0
            if not name or not -4.0 <= value <= 4.0:
                raise UsageError(f"importance {given!r}: write TRACK=N, with N from -4 to 4")
            steps[name] = steps.get(name, 0.0) + value
        return steps


DEFAULT = "balanced"

PRESETS: dict[str, StemsRules] = {
    DEFAULT: StemsRules(),
    "natural": StemsRules(
        tone=0.5, compression=0.4, sides_db=-1.5, sends_below_mix_lu=18.0,
        room_below_mix_lu=24.0, delay_below_mix_lu=60.0,
    ),
    "modern": StemsRules(
        tone=0.8, brightness_db=1.5, compression=1.3, saturation_db=4.0, sides_db=1.5,
        lead_above_rest_lu=-2.0, sends_below_mix_lu=18.0, room_below_mix_lu=28.0,
        delay_below_mix_lu=22.0,
    ),
    "intimate": StemsRules(
        tone=0.7, brightness_db=-1.0, compression=0.6, sides_db=-3.0, width=0.4,
        lead_above_rest_lu=-1.2, sends_below_mix_lu=22.0, room_below_mix_lu=30.0,
        delay_below_mix_lu=60.0,
    ),
}  # fmt: skip
"""Tastes, as constants of the rules.

``natural`` leaves most as it was played, ``modern`` is bright, dense and wide, ``intimate`` is
close and dry with the voice in front.
"""


@dataclass(frozen=True, kw_only=True)
class DmcOptions(StemsRules):
    """What the trained controller is told: the rules that it departs from, and its weights."""

    weights: Annotated[str, "file of weights; empty for those that ship"] = ""
    device: Annotated[str, "auto, cpu, cuda or cuda:N"] = "auto"


@dataclass(frozen=True, kw_only=True)
class WaveUNetOptions(Settings):
    """What the Mix-Wave-U-Net is told."""

    mode: Annotated[
        Literal["basic", "full"], "recorded only: the network does all it has learned"
    ] = "basic"
    weights: Annotated[str, "file of weights, as automix train wave-u-net writes it"] = ""
    device: Annotated[str, "auto, cpu, cuda or cuda:N"] = "auto"
