"""What can be chosen for the training of a vocal network, and what the two variants choose."""

from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from automix.networks.vocal_cnn_description import VocalCnnDescription, VocalTask
from automix.plan.parameters import Range, Settings
from automix.training.settings import LoopSettings

Variant = Literal["paper", "wide"]
VARIANTS: tuple[Variant, ...] = ("paper", "wide")
TASKS: tuple[VocalTask, ...] = ("equalization", "compression", "reverb", "level")
"""In chain order."""


@dataclass(frozen=True, kw_only=True)
class VocalTraining(Settings):
    """How one vocal network is trained; the defaults disturb nothing, as in the paper."""

    model: VocalCnnDescription = field(default_factory=VocalCnnDescription)
    loop: LoopSettings = field(default_factory=LoopSettings)
    views: Annotated[int, Range(1, 10**6), "stretches of songs, made once and used again"] = 2000
    shortest_s: Annotated[float, Range(1, 600, "s"), "sung, in a view of a whole song"] = 600.0
    longest_s: Annotated[float, Range(1, 600, "s"), "sung, in a view of a whole song"] = 600.0
    reverbs: Annotated[int, Range(1, 10**6), "settings of the reverb that are drawn"] = 350
    finished: Annotated[
        float, Range(0, 1), "share of views with a reverb whose vocal had been mixed before"
    ] = 0.0
    rooms: Annotated[
        float, Range(0, 1), "share of views with a reverb whose vocal had been in a room before"
    ] = 0.0
    tails: Annotated[
        float, Range(0, 1), "share of views with a reverb that is heard to die away"
    ] = 0.0
    speed_octaves: Annotated[
        float, Range(0, 1, "octaves"), "spread of the speed of a vocal before its reverb"
    ] = 0.0
    expansion: Annotated[
        float, Range(1, 4), "the dynamics of a vocal are multiplied by up to this, or divided"
    ] = 1.0
    diversity: Annotated[
        float,
        Range(1, 4),
        "a vocal's own loudness range is multiplied by up to this, or divided",
    ] = 1.0
    raw: Annotated[float, Range(0, 1), "share of views of unprocessed vocals where known"] = 0.0
    spectrum_db: Annotated[
        float, Range(0, 24, "dB"), "spread of the spectra of singers, over some octaves"
    ] = 0.0
    color_db: Annotated[float, Range(0, 24, "dB"), "the same over one octave and less"] = 0.0
    transposition_octaves: Annotated[
        float, Range(0, 2, "octaves"), "spread of the size of singers"
    ] = 0.0
    other_backing: Annotated[
        float, Range(0, 1), "share of examples over the backing of another view"
    ] = 0.0
    unchanged_weight: Annotated[
        float, Range(0, 100), "of the bands that were not equalized, in eq. 3"
    ] = 0.1
    rest_weight: Annotated[
        float, Range(0, 1000), "of the seven parameters of the reverb without a weight, in eq. 2"
    ] = 1.0
    huber: Annotated[
        float, Range(0, 1), "errors above this share of the range count linearly; 0: all squared"
    ] = 0.0
    trial_steps: Annotated[
        int,
        Range(0, 10**8),
        "of trials without one data set, or half of the only one, which find how far outputs are"
        " trusted; 0: no trials",
    ] = 0
    trust: Annotated[
        float, Range(0, 1), "share of what a network says beyond a constant that counts, untried"
    ] = 1.0


def vocal_training(task: VocalTask, variant: Variant) -> VocalTraining:
    """The settings for a network: those of the paper, or those that learn more from few songs.

    ``paper``: section III-C and IV-A. ``wide``: logarithmic spectra, more of the song at a time,
    and voices, backings and dynamics that are disturbed while the network learns.
    """
    return _paper(task) if variant == "paper" else _wide(task)


def _paper(task: VocalTask) -> VocalTraining:
    loop = LoopSettings(batch=25, steps=2500, validate_every=2500, plateau=100, patience=100)
    rates = {"level": 1e-3, "compression": 1e-4, "equalization": 1e-3, "reverb": 1e-5}
    loop = replace(loop, learning_rate=rates[task])
    if task == "equalization":
        loop = replace(loop, batch=30)
    if task == "reverb":
        loop = replace(loop, weight_decay=1e-5)
    hearing: Literal["song", "blocks"] = "song" if task == "equalization" else "blocks"
    # "Song" is the spectrogram of a whole one; a part of it is another example.
    part_s = 10.0 if task == "equalization" else 600.0
    return VocalTraining(
        model=VocalCnnDescription(task=task, hearing=hearing), loop=loop, shortest_s=part_s
    )


def _wide(task: VocalTask) -> VocalTraining:
    model = VocalCnnDescription(
        task=task,
        hearing="quantiles",
        frames=48,
        depth_db=90.0,
        channels=(16, 32, 48, 64),
    )
    loop = LoopSettings(
        batch=64,
        steps=2000,
        learning_rate=2e-3,
        validate_every=2000,
        cosine=True,
        warm_up=50,
        plateau=100,
        patience=100,
    )
    training = VocalTraining(
        model=model,
        loop=loop,
        shortest_s=8.0,
        longest_s=120.0,
        other_backing=0.5,
        unchanged_weight=1.25,
        huber=0.1,
        spectrum_db=4.0,
        color_db=4.5,
        transposition_octaves=0.3,
    )
    if task == "equalization":
        return replace(
            training,
            loop=replace(loop, steps=5000, validate_every=5000),
            views=3000,
            spectrum_db=4.5,
            color_db=3.3,
            transposition_octaves=0.35,
        )
    if task == "reverb":
        return replace(
            training,
            # Which band falls how far after what time is in the place of a value in the block,
            # that convolutions do not heed.
            model=replace(
                model,
                hearing="decay",
                frames=50,
                depth_db=80.0,
                channels=(),
                hidden=(128, 128),
                # Of a voice unlike those that it knows, a network with less says anything.
                dropout=0.5,
            ),
            loop=replace(loop, batch=128, steps=5000, validate_every=5000, weight_decay=1e-3),
            trial_steps=1500,
            huber=0.02,  # nearly absolute errors, of which the least is a median
            rest_weight=35.0,
            reverbs=2500,
            views=10000,
            shortest_s=10.0,
            longest_s=16.0,
            finished=0.5,
            rooms=0.4,
            tails=0.7,
            speed_octaves=0.25,
            # What multiplies a band does not change how it falls.
            other_backing=0.0,
            spectrum_db=0.0,
            color_db=0.0,
            transposition_octaves=0.0,
        )
    if task == "compression":
        # Neither spectrum nor backing is heard, so there is none to disturb.
        return replace(
            training,
            model=replace(model, hearing="loudness", gate_db=-40.0, channels=(8, 16, 16, 16)),
            loop=replace(loop, batch=48, steps=400, validate_every=400, weight_decay=1e-3),
            trial_steps=300,
            expansion=1.8,
            diversity=1.4,
            shortest_s=15.0,
            views=1500,
            other_backing=0.0,
            spectrum_db=0.0,
            color_db=0.0,
            transposition_octaves=0.0,
        )
    return replace(
        training,
        raw=0.3,
        other_backing=0.0,
        spectrum_db=1.5,
        color_db=1.0,
        transposition_octaves=0.1,
        shortest_s=15.0,
        trust=0.25,  # a few songs do not tell: the rule's constant is better on most
        loop=replace(loop, steps=300, validate_every=300, weight_decay=1e-2),
    )
