"""The mix of an example as a controller would make it, and its error, with gradients.

Everything goes through the differentiable console. On the base of the rules, the arithmetic that
applies the advice is that of `automix.methods.stems.advice`, which also writes the plans.
"""

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
from automix.methods.stems.advice import (
    limit_processing,
    scale_cut_db,
    scale_pan,
    scale_ratio,
    scale_send_db,
)
from automix.networks.dmc import value_at
from automix.networks.dmc_description import DmcDescription, outputs
from automix.networks.effects import EffectNetwork
from automix.plan.model import MixPlan
from automix.plan.vector import BANDS, SHELF_Q, SLOTS
from automix.training.audio_losses import AUDIO_LOSSES
from automix.training.controller.examples import MixExample
from automix.training.controller.neural_console import neural_mix
from automix.training.controller.settings import DmcTraining
from automix.training.decoded_songs import RATE_HZ

_COMPARED_RMS = 0.1
"""RMS to which mixes are brought before they are compared: the loudness of a whole mix is not the
controller's affair."""
_SHARPNESS = 4.0
"""Factor on the outputs for the spaces before a softmax turns them into a mixture of spaces."""


def example_loss(
    example: MixExample,
    positions: Tensor,
    settings: DmcTraining,
    strip: EffectNetwork | None = None,
) -> Tensor:
    """Error of the mix of one example against the human mix.

    Args:
        example: An example with its audio.
        positions: Outputs ``(tracks or more, outputs)`` in −1…1; rows beyond the tracks are
            filling.
        settings: Settings of the training.
        strip: A neural strip to mix through, see `neural_console` beside this; if none, the
            differentiable console is used.

    Raises:
        ValueError: The example was made without audio.
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
        return _mix_error(mix, human, settings)
    decoded = _decode(positions, len(plan.tracks), settings.model)
    if settings.model.base == "rules":
        layout, values = from_plan(plan, example.session)
        values = apply_advice(layout, values, decoded)
    else:
        layout, values = from_plan(_add_five_bands(plan), example.session)
        values = {**values, **console_values(decoded)}
    audio = session_audio(example.session, layout, example.human.shape[1]).to(device)
    mix = DifferentiableConsole(RATE_HZ, layout).mix(audio, values)
    return _mix_error(mix, human, settings)


def _decode(positions: Tensor, tracks: int, model: DmcDescription) -> dict[str, Tensor]:
    """Values ``(1, tracks)`` of the outputs by their names, in their units, as float64."""
    return {
        slot.name: value_at(column, slot)[None, :tracks].double()
        for slot, column in zip(outputs(model), positions.unbind(-1), strict=True)
    }


def _mix_error(mix: Tensor, human: Tensor, settings: DmcTraining) -> Tensor:
    return AUDIO_LOSSES[settings.audio_loss](_level(mix), _level(human))[0]


def _level(mix: Tensor) -> Tensor:
    """A mix ``(..., 2, samples)`` at the RMS at which mixes are compared."""
    power = mix.square().mean((-2, -1), keepdim=True)
    return mix * (_COMPARED_RMS / power.clamp_min(1e-12).sqrt())


def apply_advice(
    layout: ConsoleLayout, values: dict[str, Tensor], decoded: dict[str, Tensor]
) -> dict[str, Tensor]:
    """The console's values of a plan of the rules with advice applied, as the rules apply it.

    Args:
        layout: Tells which tracks are mono; a stereo track keeps its place.
        values: Values of the plan without advice, see `from_plan`.
        decoded: Values ``(1, tracks)`` of the controller's outputs.
    """
    on = decoded["level_lu"].device
    values = {name: value.to(on) for name, value in values.items()}
    values["fader_db"] = values["fader_db"] + decoded["level_lu"]
    mono = torch.tensor([bool(track.mono) for track in layout.tracks], device=on)
    values["pan"] = scale_pan(values["pan"], torch.where(mono, decoded["width"], 1.0))
    if "processing" not in decoded:
        return values
    amount = limit_processing(decoded["processing"])
    values["equalizer.gain_db"] = scale_cut_db(values["equalizer.gain_db"], amount[..., None])
    ratio = values["compressor.ratio"]
    is_used = values["compressor.threshold_db"] < 0.0
    values["compressor.ratio"] = torch.where(is_used, scale_ratio(ratio, amount), ratio)
    if "sends_db" in values:
        values["sends_db"] = scale_send_db(values["sends_db"], amount[..., None])
    return values


def _add_five_bands(plan: MixPlan) -> MixPlan:
    """The plan with the strip's five neutral bands on every track, so that they can be set."""
    tracks = (replace(strip, equalizer=FIVE_BANDS) for strip in plan.tracks)
    return replace(plan, tracks=tuple(tracks))


def console_values(decoded: dict[str, Tensor]) -> dict[str, Tensor]:
    """The console's values of whole strips, for a controller without a base.

    Args:
        decoded: Values ``(1, tracks)`` of the controller's outputs.
    """
    values = {name: decoded[name] for name in ("fader_db", "pan")}
    if "polarity" not in decoded:
        return values
    values |= {name: decoded[name] for name in ("input_gain_db", "polarity")}
    shelf_q = torch.full_like(values["fader_db"], SHELF_Q)
    for number, field in enumerate(("frequency_hz", "gain_db", "q")):
        columns = [
            decoded[band.slots[number].name] if number < len(band.slots) else shelf_q
            for band in BANDS
        ]
        values[f"equalizer.{field}"] = torch.stack(columns, -1)
    values |= {
        slot.name: decoded[slot.name] for slot in SLOTS if slot.name.startswith("compressor.")
    }
    mixture = torch.stack([decoded[f"space.{space}"] for space in SPACES], -1)
    values["space.mixture"] = torch.softmax(_SHARPNESS * mixture, -1)
    values |= {name: decoded[name] for name in ("space.decay", "space.wet")}
    return values
