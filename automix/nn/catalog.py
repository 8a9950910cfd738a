"""The table of networks. Listing them imports no torch."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Model:
    """One row.

    Attributes:
        name: As in options.
        module: Module that holds it.
        network: Name of its class, or of a function that makes it.
        summary: One line for people.
        receptive_field: Name of the number of samples that one output hears, in the module; empty
            where that is the whole song.
        rate_hz: Name of its sample rate, likewise; empty where any will do.
        weights: As in the manifest; empty where none ship.
    """

    name: str
    module: str
    network: str
    summary: str
    receptive_field: str = ""
    rate_hz: str = ""
    weights: str = ""

    def described(self) -> dict[str, Any]:
        """Number of parameters, receptive field in samples, and the weights that ship, if any."""
        torch, module = import_module("torch"), import_module(self.module)
        with torch.device("meta"):  # counted without being made
            network = getattr(module, self.network)()
        field, rate = (
            getattr(module, name) if name else None for name in (self.receptive_field, self.rate_hz)
        )
        return {
            "name": self.name,
            "summary": self.summary,
            "parameters": sum(parameter.numel() for parameter in network.parameters()),
            "receptive_field": field,
            "sample_rate_hz": rate,
            "weights": self.weights or None,
        }


MODELS = (
    Model(
        name="dmc-basic",
        module="automix.nn.dmc",
        network="compact_basic",
        summary="controller of the mixing console: level and pan, on the base of the rules",
        weights="dmc-basic",
    ),
    Model(
        name="dmc-full",
        module="automix.nn.dmc",
        network="compact_full",
        summary="the same, and how much is processed",
        weights="dmc-full",
    ),
    Model(
        name="dmc-published",
        module="automix.nn.dmc",
        network="published",
        summary="the controller as published (Steinmetz et al. 2021), with VGGish; to be trained",
    ),
    Model(
        name="mix-wave-u-net",
        module="automix.nn.mix_wave_u_net",
        network="published",
        summary="eight tracks to a mix, without settings (Steinmetz 2020); to be trained",
        receptive_field="RECEPTIVE_FIELD",
    ),
    Model(
        name="vggish",
        module="automix.nn.vggish",
        network="Vggish",
        summary="audio embeddings (Hershey et al. 2017); weights by path",
        receptive_field="FRAME_SAMPLES",
        rate_hz="RATE_HZ",
    ),
    Model(
        name="music-tagging-vgg",
        module="automix.nn.music_tagging_vgg",
        network="MusicTaggingVgg",
        summary="music embeddings (Pons and Serra 2019); weights by path",
        receptive_field="FRAME_SAMPLES",
        rate_hz="RATE_HZ",
    ),
)
