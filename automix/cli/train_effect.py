"""`automix train effect`: trains neural audio effects."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from automix.cli.training import TrainingOptions, run_training, training_command


class EffectNetwork(StrEnum):
    """The networks of `automix.networks.effect_description`; a test holds them together."""

    tcn_8 = "tcn-8"
    tcn_10 = "tcn-10"
    tcn_20 = "tcn-20"
    tcn_30 = "tcn-30"
    wave_u_net_6_8 = "wave-u-net-6-8"
    wave_u_net_6_16 = "wave-u-net-6-16"


class TrainedEffect(StrEnum):
    """What is imitated."""

    channel = "channel"
    equalizer = "equalizer"
    compressor = "compressor"
    reverb = "reverb"
    la2a = "la2a"


class TrainedOrder(StrEnum):
    """Whether the order of the processors is a setting."""

    static = "static"
    variable = "variable"


DryData = Annotated[
    list[Path],
    typer.Option(
        metavar="FOLDER",
        help="Folder of dry audio, searched to the bottom; files named mix are left out. For"
        " --task la2a, the SignalTrain LA2A data set. Repeatable.",
    ),
]
HeldOutAudio = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="Validate with this folder or file, and do not learn from it. Repeatable."
        "  [default: every tenth folder; for la2a, Val of the data set]",
    ),
]


@training_command(without=("share",), data=DryData, hold_out=HeldOutAudio)
def effect(
    asked: TrainingOptions,
    model: Annotated[
        EffectNetwork | None, typer.Option(help="Which network.  [default: tcn-20]")
    ] = None,
    task: Annotated[
        TrainedEffect | None,
        typer.Option(
            help="What it imitates: the strip's equalizer, compressor and reverb in a row"
            " (channel), one of them, or the LA-2A.  [default: channel]"
        ),
    ] = None,
    order: Annotated[
        TrainedOrder | None,
        typer.Option(
            help="static: equalizer, compressor, reverb; variable: in any order, which becomes a"
            " setting.  [default: static]"
        ),
    ] = None,
) -> None:
    """Train a network that imitates the processors of the strip, or the LA-2A.

    The strip makes the examples while the network trains. Writes best.safetensors for automix
    apply, log.csv and last.pt, from which --resume goes on. Starts in several processes under
    torchrun.

    For example: automix train effect --model tcn-20 --task channel --data stems -o run && automix
    apply run/best.safetensors in.wav out.wav --set compressor.threshold_db=-24
    """
    from automix.training.effect.settings import effect_training

    words = {"network": model, "effect": task, "order": order}
    defaults = effect_training(
        {name: word.value for name, word in words.items() if word is not None}
    )
    run_training("effect", defaults, asked.config, asked.request(), asked.printer())
