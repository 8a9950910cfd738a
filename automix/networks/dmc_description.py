"""The shape of the mixing console's controller and the meaning of its outputs; no torch here."""

from dataclasses import dataclass
from typing import Annotated, Literal

from automix.plan.parameters import Range, Settings
from automix.plan.vector import SLOTS, Slot

EncoderName = Literal["compact", "vggish"]
Base = Literal["rules", "none"]
Mode = Literal["basic", "full"]


@dataclass(frozen=True, kw_only=True)
class DmcDescription(Settings):
    """The shape of a controller. The defaults are the weights that ship; `PUBLISHED` is the paper.

    What the outputs mean follows from `base` and `mode`, see `outputs`.
    """

    encoder: Annotated[EncoderName, "what hears the tracks"] = "compact"
    base: Annotated[Base, "what the outputs depart from"] = "rules"
    mode: Annotated[Mode, "basic sets gain and pan, full all processors as well"] = "basic"
    embedding: Annotated[int, Range(8, 1024), "values of an embedding; VGGish has 128"] = 48
    width: Annotated[int, Range(8, 4096), "of the post-processor's layers"] = 48
    members: Annotated[int, Range(1, 16), "controllers whose agreement counts"] = 6
    spectrum: Annotated[
        float, Range(0.001, 1), "scale of the spectrum beside the facts, for the compact encoder"
    ] = 0.001
    dropout: Annotated[float, Range(0, 0.9), "in training"] = 0.3


PUBLISHED = DmcDescription(
    encoder="vggish", base="none", embedding=128, width=2048, members=1, dropout=0.1
)

_FADER = Slot(name="fader_db", range=Range(-48, 24, "dB"), neutral=0.0)
_PAN = Slot(name="pan", range=Range(0, 1), neutral=0.5)
_GAIN = Slot(name="input_gain_db", range=Range(-24, 24, "dB"), neutral=0.0)
_POLARITY = Slot(name="polarity", range=Range(-1, 1), neutral=1.0)
_LEVEL = Slot(name="level_lu", range=Range(-12, 12, "LU"), neutral=0.0)
_WIDTH = Slot(name="width", range=Range(0.25, 4, "", "log"), neutral=1.0)
_PROCESSING = Slot(name="processing", range=Range(1 / 16, 16, "", "log"), neutral=1.0)


def outputs(description: DmcDescription) -> tuple[Slot, ...]:
    """The outputs of a controller of a description for each track, in order.

    On the base ``none``: fader and pan; in full also input gain, polarity and the 25 settings of
    the strip. On the base ``rules``: loudness on top of that of the rules, a factor on the
    distance from the center, and in full a factor on how much is processed.
    """
    if description.base == "none":
        strip = (_GAIN, _POLARITY, *SLOTS) if description.mode == "full" else ()
        return (_FADER, _PAN, *strip)
    return (_LEVEL, _WIDTH, *((_PROCESSING,) if description.mode == "full" else ()))
