"""The constants of the rules for stems. Each says where it comes from."""

from dataclasses import dataclass
from typing import Annotated, Literal

from automix.plan.parameters import Range, Settings


@dataclass(frozen=True, kw_only=True)
class StemsRules(Settings):
    """What the methods for stems aim for."""

    mode: Annotated[
        Literal["basic", "full"], "basic sets gain and pan, full all processors as well"
    ] = "basic"
    crest_slope: Annotated[
        float, Range(0, 1), "dB of level taken per dB of crest factor above the song's median"
    ] = 0.4
    level_limit_db: Annotated[float, Range(0, 12, "dB"), "largest of these corrections"] = 4.0
    lead_vocal_lu: Annotated[float, Range(-6, 12, "LU"), "lead vocal above the other tracks"] = 1.5
    width: Annotated[float, Range(0, 1), "how far mono tracks are panned; 1 is hard"] = 0.6
    sends_below_mix_lu: Annotated[
        float, Range(6, 60, "LU"), "loudness of the shared reverb below the mix"
    ] = 16.0
    processed_side_db: Annotated[
        float,
        Range(-60, 0, "dB"),
        "sides of a track over its whole from which full takes it as processed; 0 processes all",
    ] = -19.0


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
