"""The table of networks. Listing them imports no torch."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Model:
    """One row.

    Attributes:
        name: As in options.
        module: Module that holds it, with ``RATE_HZ`` and ``FRAME_SAMPLES``.
        network: Name of its class.
        summary: One line for people.
    """

    name: str
    module: str
    network: str
    summary: str

    def described(self) -> dict[str, Any]:
        """Number of parameters, receptive field in samples, and the weights that ship, if any."""
        torch, module = import_module("torch"), import_module(self.module)
        with torch.device("meta"):  # counted without being made
            network = getattr(module, self.network)()
        return {
            "name": self.name,
            "summary": self.summary,
            "parameters": sum(parameter.numel() for parameter in network.parameters()),
            "receptive_field": module.FRAME_SAMPLES,
            "sample_rate_hz": module.RATE_HZ,
            "weights": None,
        }


MODELS = (
    Model(
        name="vggish",
        module="automix.nn.vggish",
        network="Vggish",
        summary="audio embeddings (Hershey et al. 2017); weights by path",
    ),
    Model(
        name="music-tagging-vgg",
        module="automix.nn.music_tagging_vgg",
        network="MusicTaggingVgg",
        summary="music embeddings (Pons and Serra 2019); weights by path",
    ),
)
