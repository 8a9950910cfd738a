"""The table of networks. Listing them imports no torch."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Model:
    """One row of the table.

    Attributes:
        name: Name of the network in options and lists.
        module: Module that holds the network.
        network: Name in the module of its class, or of a function that makes it.
        summary: One line that says what it does.
        receptive_field: Name in the module of the number of samples that one output depends on;
            empty where the network itself has it, or depends on the whole song.
        rate_hz: Name in the module of its sample rate; empty where any will do.
        weights: Name of its weights in the manifest; empty where none ship.
    """

    name: str
    module: str
    network: str
    summary: str
    receptive_field: str = ""
    rate_hz: str = ""
    weights: str = ""

    def describe(self) -> dict[str, Any]:
        """Number of parameters, receptive field in samples, and the weights that ship, if any."""
        torch, module = import_module("torch"), import_module(self.module)
        with torch.device("meta"):  # counted without being made
            network = getattr(module, self.network)()
        field, rate = (
            getattr(module, name) if name else None for name in (self.receptive_field, self.rate_hz)
        )
        field = getattr(network, "receptive_field", field)
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
        module="automix.networks.dmc",
        network="compact_basic",
        summary="controller of the mixing console: level and pan, on the base of the rules",
        weights="dmc-basic",
    ),
    Model(
        name="dmc-full",
        module="automix.networks.dmc",
        network="compact_full",
        summary="the same, and how much is processed",
        weights="dmc-full",
    ),
    Model(
        name="dmc-published",
        module="automix.networks.dmc",
        network="published_controller",
        summary="the controller as published (Steinmetz et al. 2021), with VGGish; to be trained",
    ),
    *(
        Model(
            name=f"vocal-{task}",
            module="automix.networks.vocal_cnn",
            network=f"wide_{task}",
            summary=f"{what} of a vocal over its backing (after Li and Lerch)",
            weights=f"vocal-{task}-wide",
        )
        for task, what in (
            ("equalization", "damage to the spectrum"),
            ("compression", "loudness range"),
            ("reverb", "ten parameters of the reverb"),
            ("level", "relative loudness"),
        )
    ),
    Model(
        name="vocal-published",
        module="automix.networks.vocal_cnn",
        network="VocalCnn",
        summary="the regressor as published (Li and Lerch); weights vocal-*-paper",
        receptive_field="RECEPTIVE_FIELD",
        rate_hz="RATE_HZ",
        weights="vocal-level-paper",
    ),
    Model(
        name="mix-wave-u-net",
        module="automix.networks.mix_wave_u_net",
        network="published_mix_wave_u_net",
        summary="eight tracks to a mix, without settings (Steinmetz 2020); to be trained",
        receptive_field="RECEPTIVE_FIELD",
    ),
    Model(
        name="tcn-8",
        module="automix.networks.effects",
        network="tcn_8",
        summary="imitates the strip or an LA-2A (Steinmetz 2020), 81 ms; to be trained",
        rate_hz="RATE_HZ",
    ),
    Model(
        name="tcn-10",
        module="automix.networks.effects",
        network="tcn_10",
        summary="the same, 325 ms; ships as the strip with its processors in any order",
        rate_hz="RATE_HZ",
        weights="tcn-10-any-order",
    ),
    Model(
        name="tcn-20",
        module="automix.networks.effects",
        network="tcn_20",
        summary="the same, 650 ms; ships as the strip",
        rate_hz="RATE_HZ",
        weights="tcn-20-channel",
    ),
    Model(
        name="tcn-30",
        module="automix.networks.effects",
        network="tcn_30",
        summary="the same, 974 ms; to be trained",
        rate_hz="RATE_HZ",
    ),
    Model(
        name="wave-u-net-6-8",
        module="automix.networks.effects",
        network="wave_u_net_6_8",
        summary="the same task, with a Wave-U-Net; to be trained",
        rate_hz="RATE_HZ",
    ),
    Model(
        name="wave-u-net-6-16",
        module="automix.networks.effects",
        network="wave_u_net_6_16",
        summary="the same with longer kernels; to be trained",
        rate_hz="RATE_HZ",
    ),
    Model(
        name="vggish",
        module="automix.networks.vggish",
        network="Vggish",
        summary="audio embeddings (Hershey et al. 2017); weights by path",
        receptive_field="FRAME_SAMPLES",
        rate_hz="RATE_HZ",
    ),
    Model(
        name="music-tagging-vgg",
        module="automix.networks.music_tagging_vgg",
        network="MusicTaggingVgg",
        summary="music embeddings (Pons and Serra 2019); weights by path",
        receptive_field="FRAME_SAMPLES",
        rate_hz="RATE_HZ",
    ),
)
