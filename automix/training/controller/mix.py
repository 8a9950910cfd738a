"""What a controller says of an example, mixed by the differentiable console, and its error."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from automix.consoles.differentiable import (
    FIVE_BANDS,
    SPACES,
    ConsoleLayout,
    DifferentiableConsole,
    from_plan,
    session_audio,
)
from automix.methods.stems.advice import MOST_PROCESSING, WIDEST
from automix.methods.stems.processing import HIGHEST_RATIO, LARGEST_CUT_DB
from automix.networks import losses
from automix.networks.dmc import value_at
from automix.networks.dmc_description import outputs
from automix.networks.effects import EffectNetwork
from automix.plan.model import MixPlan
from automix.plan.vector import SLOTS
from automix.training.controller.examples import Example
from automix.training.controller.neural_console import neural_mix
from automix.training.prepared import RATE_HZ
from automix.training.settings import DmcTraining

LOSSES = {
    "stereo": losses.stereo_mr_stft,
    "left-right": losses.left_right_mr_stft,
    "l1": lambda found, wanted: losses.l1(found, wanted).mean(-1),
    "stereo-l1": losses.stereo_l1,
}
_LEVEL = 0.1
"""RMS at which mixes are compared: how loud a whole mix is, is not the controller's affair."""


def example_loss(
    example: Example,
    positions: Tensor,
    settings: DmcTraining,
    strip: EffectNetwork | None = None,
) -> Tensor:
    """Error of the mix of one example.

    Args:
        example: With its audio.
        positions: ``(tracks or more, outputs)`` in −1…1; rows beyond the tracks are filling.
        settings: Of the training.
        strip: A neural strip to mix through, see `neural_console` beside this; if none, the
            differentiable console does.
    """
    if example.session is None or example.human is None or example.plan is None:
        raise ValueError("the example was made without audio")
    plan = example.plan
    device = positions.device
    human = torch.from_numpy(example.human).to(device)[None]
    if strip is not None:
        layout, _ = from_plan(plan, example.session)
        audio = session_audio(example.session, layout, example.human.shape[1]).to(device)
        tracks = positions[: len(plan.tracks)]
        mix = neural_mix(strip, audio[0], tracks, settings.model)[None]
        return LOSSES[settings.audio_loss](_leveled(mix), _leveled(human))[0]
    said = {
        slot.name: value_at(column, slot)[None, : len(plan.tracks)].double()
        for slot, column in zip(outputs(settings.model), positions.unbind(-1), strict=True)
    }
    if settings.model.base == "rules":
        layout, values = from_plan(plan, example.session)
        values = _advised(layout, values, said)
    else:
        layout, values = from_plan(_with_bands(plan), example.session)
        values = {**values, **_strips(said)}
    audio = session_audio(example.session, layout, example.human.shape[1]).to(device)
    mix = DifferentiableConsole(RATE_HZ, layout).mix(audio, values)
    error: Tensor = LOSSES[settings.audio_loss](_leveled(mix), _leveled(human))[0]
    return error


def _leveled(mix: Tensor) -> Tensor:
    power = mix.square().mean((-2, -1), keepdim=True)
    return mix * (_LEVEL / power.clamp_min(1e-12).sqrt())


def _advised(
    layout: ConsoleLayout, values: dict[str, Tensor], said: dict[str, Tensor]
) -> dict[str, Tensor]:
    """The values of the rules with the advice applied, as `automix.methods.stems.rules` does."""
    on = said["level_lu"].device
    values = {name: value.to(on) for name, value in values.items()}
    values["fader_db"] = values["fader_db"] + said["level_lu"]
    mono = torch.tensor([bool(track.mono) for track in layout.tracks], device=on)
    width = torch.where(mono, said["width"], 1.0)
    values["pan"] = 0.5 + ((values["pan"] - 0.5) * width).clamp(-WIDEST, WIDEST)
    amount = said.get("processing")
    if amount is not None:
        amount = amount.clamp(max=MOST_PROCESSING)
        gains = values["equalizer.gain_db"]
        values["equalizer.gain_db"] = (gains * amount[..., None]).clamp_min(-LARGEST_CUT_DB)
        ratio = values["compressor.ratio"]
        used = values["compressor.threshold_db"] < 0.0
        values["compressor.ratio"] = torch.where(
            used, (1.0 + (ratio - 1.0) * amount).clamp_max(HIGHEST_RATIO), ratio
        )
        if "sends_db" in values:
            values["sends_db"] = values["sends_db"] + 20.0 * torch.log10(amount)[..., None]
    return values


def _with_bands(plan: MixPlan) -> MixPlan:
    tracks = (replace(strip, equalizer=FIVE_BANDS) for strip in plan.tracks)
    return replace(plan, tracks=tuple(tracks))


def _strips(said: dict[str, Tensor]) -> dict[str, Tensor]:
    """The values of strips that the outputs stand for, without a base."""
    values = {name: said[name] for name in ("fader_db", "pan")}
    if "polarity" not in said:
        return values
    values |= {name: said[name] for name in ("input_gain_db", "polarity")}
    names = [slot.name for slot in SLOTS]

    def bands(field: str) -> Tensor:
        chosen = [name for name in names if name.endswith(f".{field}") and name[:4] in _BANDS]
        return torch.stack([said[name] for name in chosen], -1)

    values["equalizer.frequency_hz"] = bands("frequency_hz")
    values["equalizer.gain_db"] = bands("gain_db")
    shelf = torch.full_like(values["fader_db"], 0.707)
    peaks = bands("q").unbind(-1)
    values["equalizer.q"] = torch.stack([shelf, *peaks, shelf], -1)
    values |= {name: said[name] for name in names if name.startswith("compressor.")}
    mixture = torch.stack([said[f"space.{space}"] for space in SPACES], -1)
    values["space.mixture"] = torch.softmax(4.0 * mixture, -1)
    values |= {name: said[name] for name in ("space.decay", "space.wet")}
    return values


_BANDS: Sequence[str] = ("low_", "peak", "high")
