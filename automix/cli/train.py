"""`automix train`: trains the networks."""

from enum import StrEnum
from typing import Annotated

import typer

from automix.cli import options, train_effect, train_vocal
from automix.cli.output import report_errors
from automix.cli.training import (
    Asked,
    Cache,
    Config,
    Data,
    HoldOut,
    Resume,
    Run,
    Share,
    Start,
    run_training,
    training_printer,
)

app = typer.Typer(
    help="Train the networks on your own songs.", no_args_is_help=True, rich_markup_mode=None
)


@app.command("dmc")
@report_errors
def dmc(
    data: Data,
    output: Run,
    share: Share = None,
    config: Config = None,
    hold_out: HoldOut = None,
    start: Start = None,
    resume: Resume = False,
    cache: Cache = None,
    device: options.Device = "auto",
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Train the controller of the mixing console, the network of `automix stems --method dmc`.

    Writes best.safetensors for --weights, log.csv, split.toml and last.pt, from which --resume goes
    on. Starts in several processes under torchrun.

    For example: automix train dmc --data songs -o run && automix stems song --method dmc --weights
    run/best.safetensors
    """
    from automix.training.run import train_dmc
    from automix.training.settings import DmcTraining

    printer = training_printer(json, quiet)
    request = Asked(data, output, hold_out or [], cache, device, resume, start, share or [])
    run_training(train_dmc, DmcTraining(), config, request, printer)


@app.command("wave-u-net")
@report_errors
def wave_u_net(
    data: Data,
    output: Run,
    share: Share = None,
    config: Config = None,
    hold_out: HoldOut = None,
    start: Start = None,
    resume: Resume = False,
    cache: Cache = None,
    device: options.Device = "auto",
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Train the Mix-Wave-U-Net, the network of `automix stems --method wave-u-net`.

    It maps up to eight tracks to a mix without settings: the baseline that controllers are compared
    with. Writes the same files as automix train dmc.

    For example: automix train wave-u-net --data drums -o run --device cuda
    """
    from automix.training.run import train_wave_u_net
    from automix.training.settings import WaveUNetTraining

    printer = training_printer(json, quiet)
    request = Asked(data, output, hold_out or [], cache, device, resume, start, share or [])
    run_training(train_wave_u_net, WaveUNetTraining(), config, request, printer)


app.command("effect")(train_effect.effect)
app.command("vocal")(train_vocal.vocal)


class TrainedNetwork(StrEnum):
    """What is trained."""

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
    from automix.training.effect.settings import EffectTraining
    from automix.training.settings import DmcTraining, WaveUNetTraining
    from automix.training.vocal.settings import VocalTraining

    kinds = {
        TrainedNetwork.dmc: DmcTraining,
        TrainedNetwork.wave_u_net: WaveUNetTraining,
        TrainedNetwork.effect: EffectTraining,
        TrainedNetwork.vocal: VocalTraining,
    }
    print(settings_toml(kinds[network]()), end="")
