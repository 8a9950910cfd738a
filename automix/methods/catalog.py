"""The table of methods. Listing them imports nothing."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Method:
    """One row.

    Attributes:
        name: As given to ``--method``.
        module: Module that holds it.
        function: ``(console, writer, options)``; writes the plan.
        summary: One line for people.
    """

    name: str
    module: str
    function: str
    summary: str


VOCAL_METHODS = (
    Method(
        name="rules",
        module="automix.methods.vocal.rules",
        function="write_plan",
        summary="unmasking, loudness-range compression, tempo-driven reverb, level balance",
    ),
    Method(
        name="cnn",
        module="automix.methods.vocal.cnn",
        function="write_plan",
        summary="four networks (Li and Lerch) in the place of the rules' decisions",
    ),
    Method(
        name="random",
        module="automix.methods.vocal.anchors",
        function="write_random_plan",
        summary="random settings within their ranges: the low anchor of listening tests",
    ),
    Method(
        name="sum",
        module="automix.methods.vocal.anchors",
        function="write_sum_plan",
        summary="the two inputs as they are",
    ),
)

STEMS_METHODS = (
    Method(
        name="dmc",
        module="automix.methods.stems.dmc",
        function="write_plan",
        summary="a trained network (Steinmetz et al. 2021) advises the rules",
    ),
    Method(
        name="wave-u-net",
        module="automix.methods.stems.wave_u_net",
        function="write_plan",
        summary="a network of your own that makes the mix itself, without a plan",
    ),
    Method(
        name="rules",
        module="automix.methods.stems.rules",
        function="write_plan",
        summary="documented practice: levels, panning; with --mode full all processors",
    ),
    Method(
        name="equal-loudness",
        module="automix.methods.stems.baselines",
        function="write_equal_loudness_plan",
        summary="every track at the same loudness",
    ),
    Method(
        name="random",
        module="automix.methods.stems.baselines",
        function="write_random_plan",
        summary="gains within ±12 dB and pan positions drawn at random",
    ),
    Method(
        name="mono",
        module="automix.methods.stems.baselines",
        function="write_mono_plan",
        summary="the sum of all tracks in the center",
    ),
)
