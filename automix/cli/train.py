"""`automix train`: trains the networks."""

from enum import StrEnum
from typing import Annotated

import typer

from automix.cli import train_effect, train_vocal
from automix.cli.output import report_errors
from automix.cli.training import TrainingOptions, run_training, training_command
from automix.training.families import FAMILIES

app = typer.Typer(
    help="Train the networks on your own songs.", no_args_is_help=True, rich_markup_mode=None
)


@app.command("dmc")
@training_command()
def dmc(asked: TrainingOptions) -> None:
    """Train the controller of the mixing console, the network of `automix stems --method dmc`.

    Writes best.safetensors for --weights, log.csv, split.toml and last.pt, from which --resume goes
    on. Starts in several processes under torchrun.

    For example: automix train dmc --data songs -o run && automix stems song --method dmc --weights
    run/best.safetensors
    """
    from automix.training.controller.settings import DmcTraining

    run_training("dmc", DmcTraining(), asked.config, asked.request(), asked.printer())


@app.command("wave-u-net")
@training_command()
def wave_u_net(asked: TrainingOptions) -> None:
    """Train the Mix-Wave-U-Net, the network of `automix stems --method wave-u-net`.

    It maps up to eight tracks to a mix without settings: the baseline that controllers are compared
    with. Writes the same files as automix train dmc.

    For example: automix train wave-u-net --data drums -o run --device cuda
    """
    from automix.training.wave_u_net.settings import WaveUNetTraining

    run_training("wave-u-net", WaveUNetTraining(), asked.config, asked.request(), asked.printer())


app.command("effect")(train_effect.effect)
app.command("vocal")(train_vocal.vocal)


class TrainedNetwork(StrEnum):
    """The rows of `automix.training.families`; a test holds them together."""

    dmc = "dmc"
    wave_u_net = "wave-u-net"
    effect = "effect"
    vocal = "vocal"


@app.command("settings")
@report_errors
def settings(network: Annotated[TrainedNetwork, typer.Argument(help="Of which training.")]) -> None:
    """Print all settings of a training, with ranges and meanings, as a file for --config.

    For example: automix train settings dmc > mine.toml
    """
    from automix.plan.toml import settings_toml

    print(settings_toml(FAMILIES[network].make_settings()), end="")
