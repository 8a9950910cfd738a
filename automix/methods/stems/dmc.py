"""The differentiable mixing console's controller as a method: a network writes the plan.

A network on the base of the rules gives advice, and the rules write the plan with it. One without
a base (as published) sets every strip by itself.
"""

import math
from collections.abc import Mapping
from dataclasses import replace

from automix.consoles.exact import ExactConsole
from automix.errors import UsageError
from automix.files.disk import sha256
from automix.files.names import printable
from automix.methods.conditions import report_takes
from automix.methods.stems.advice import Advice, limit_processing
from automix.methods.stems.alignment import line_up
from automix.methods.stems.dmc_hearing import summarize_tracks
from automix.methods.stems.hearing import HeardTrack, describe_takes, hear_stems, parts
from automix.methods.stems.rules import write_rules
from automix.methods.stems.settings import DmcOptions
from automix.networks.checkpoints import read_network, weights_path
from automix.networks.device import choose_device
from automix.networks.dmc import Dmc, combine_opinions
from automix.networks.dmc_description import DmcDescription, outputs
from automix.plan.vector import SLOTS, from_vector
from automix.plan.writer import PlanWriter

_SOURCE = "by the network"


def write_plan(console: ExactConsole, writer: PlanWriter, options: DmcOptions) -> None:
    """Writes the plan with the network that the options name.

    Raises:
        DeviceError: The weights or the device cannot be used.
        UsageError: The weights are of another mode.
    """
    path = weights_path(options.weights or f"dmc-{options.mode}")
    network = read_network(path, "dmc", DmcDescription, Dmc)
    description = network.description
    if description.mode != options.mode:
        raise UsageError(f"{printable(path)}: is of --mode {description.mode}, not {options.mode}")
    network.eval().to(choose_device(options.device))
    writer.plan = replace(writer.plan, weights=sha256(path))
    heard = hear_stems(console.session)
    line_up(console, writer, options, heard)
    judged = parts(heard)
    decoded = _decode_outputs(network, console, judged) if len(judged) > 1 else {}
    if description.base == "rules":
        write_rules(console, writer, options, heard, _make_advice(decoded))
        return
    basic = description.mode == "basic"  # in full, the network sets the whole equalizer
    report_takes(writer, describe_takes(console.session, heard), repair=basic)
    for name, values in decoded.items():
        _set_strip(writer, name, values)


def _decode_outputs(
    network: Dmc, console: ExactConsole, heard: Mapping[str, HeardTrack]
) -> dict[str, dict[str, float]]:
    """The network's outputs for each part of the song, as values by name of the output."""
    device = next(network.parameters()).device
    summaries = summarize_tracks(console.session, heard, network.description)
    opinions = network.give_opinions([summary.to(device) for summary in summaries])
    slots = outputs(network.description)
    # Track by track: vectorized arithmetic rounds in another way at the end of an array.
    rows = [combine_opinions(of_track) for of_track in opinions.unbind(1)]
    return {
        name: {
            slot.name: slot.value(float(position))
            for slot, position in zip(slots, row, strict=True)
        }
        for name, row in zip(heard, rows, strict=True)
    }


def _make_advice(decoded: Mapping[str, Mapping[str, float]]) -> dict[str, Advice]:
    """Advice by track; the mean of the levels is taken away, since loudness is the master's."""
    mean_lu = math.fsum(values["level_lu"] for values in decoded.values()) / max(len(decoded), 1)
    return {
        name: Advice(
            level_lu=values["level_lu"] - mean_lu,
            width=values["width"],
            processing=limit_processing(values.get("processing", 1.0)),
            source=_SOURCE,
        )
        for name, values in decoded.items()
    }


def _set_strip(writer: PlanWriter, name: str, values: Mapping[str, float]) -> None:
    """Writes a whole strip from the decoded outputs of a network without a base."""
    for setting in ("input_gain_db", "fader_db", "pan"):
        if setting in values:
            writer.set(name, setting, values[setting], "dmc", "said by the network")
    if "polarity" not in values:
        return
    positions = [slot.position(values[slot.name]) for slot in SLOTS]
    strip = writer.plan.strip(name)
    writer.change(name, invert_polarity=strip.invert_polarity != (values["polarity"] < 0.0))
    strip = from_vector(positions, writer.plan.strip(name))
    writer.change(name, equalizer=strip.equalizer, compressor=strip.compressor, space=strip.space)
