"""The table of methods: a row says everything about a method. Listing them imports nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

from automix.plan.parameters import Settings


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way to mix.

    Attributes:
        name: Its name, as given to ``--method``.
        function: ``module:function``. A method that writes a plan is called with a console of the
            session, a `PlanWriter` and its options; one that makes audio itself is called with the
            session and its options, and gives back a session whose one track is the mix.
        options: ``module:class`` of the `Settings` that the function takes.
        summary: What the method does, in one line for people.
        presets: ``module:mapping`` from names of presets to the settings that ``options`` start
            from; empty where there are none.
        variant: Field of the request that the plan records as its preset.
        makes: Whether the method writes a plan, or makes audio itself.
        weights: Whether it takes weights of the user's own: a file, or a name or a folder.
        needs_weights: Whether it cannot work without them, because none ship.
        is_seeded: Whether ``--seed`` changes its result.
        explained_by: How `automix explain` finds out what a track did to the others: the plan says
            all there is to say, the rules are run again without it, so is the controller of the
            mixing console, or networks were at work that are not traced back.
        overrules: A setting that an option of the request sets, and another setting with the value
            that this gives it: a level that is asked for is no network's choice.
    """

    name: str
    function: str
    options: str
    summary: str
    presets: str = ""
    variant: Literal["", "preset", "mode"] = ""
    makes: Literal["plan", "audio"] = "plan"
    weights: Literal["none", "file", "name or folder"] = "none"
    needs_weights: bool = False
    is_seeded: bool = False
    explained_by: Literal["plan", "rules", "controller", "untraced networks"] = "plan"
    overrules: tuple[tuple[str, str, str], ...] = ()
    ridden_with: tuple[str, ...] = ()

    def load_function(self) -> Callable[..., Any]:
        """The function that mixes."""
        found: Callable[..., Any] = _load(self.function)
        return found

    def load_options(self) -> type[Settings]:
        """The class of the method's options."""
        found: type[Settings] = _load(self.options)
        return found

    def load_preset(self, name: str) -> Settings | None:
        """The settings of a preset; none where the method has no presets."""
        found: Settings | None = _load(self.presets)[name] if self.presets else None
        return found


def _load(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)


def find_method(methods: tuple[Method, ...], name: str) -> Method:
    """The row of a name, which is one of them."""
    return next(method for method in methods if method.name == name)


_VOCAL = "automix.methods.vocal"
_STEMS = "automix.methods.stems"
_PRESETS = f"{_VOCAL}.settings:PRESETS"
_TASTES = f"{_STEMS}.settings:PRESETS"
_RIDDEN_PRESETS = ("studio",)  # the others are a paper's, to the letter
_RIDDEN_MODES = ("full",)  # basic promises gain and pan

VOCAL_METHODS = (
    Method(
        name="rules",
        function=f"{_VOCAL}.rules:write_plan",
        options=f"{_VOCAL}.settings:VocalRules",
        presets=_PRESETS,
        variant="preset",
        ridden_with=_RIDDEN_PRESETS,
        summary="unmasking, loudness-range compression, tempo-driven reverb, level balance",
    ),
    Method(
        name="cnn",
        function=f"{_VOCAL}.cnn:write_plan",
        options=f"{_VOCAL}.cnn_settings:VocalNetworks",
        presets=_PRESETS,
        variant="preset",
        weights="name or folder",
        explained_by="untraced networks",
        ridden_with=_RIDDEN_PRESETS,
        overrules=(("relative_loudness_lu", "level_by", "rules"),),
        summary="four networks (Li and Lerch) in the place of the rules' decisions",
    ),
    Method(
        name="random",
        function=f"{_VOCAL}.anchors:write_random_plan",
        options=f"{_VOCAL}.settings:VocalRules",
        presets=_PRESETS,
        is_seeded=True,
        summary="random settings within their ranges: the low anchor of listening tests",
    ),
    Method(
        name="sum",
        function=f"{_VOCAL}.anchors:write_sum_plan",
        options=f"{_VOCAL}.settings:VocalRules",
        presets=_PRESETS,
        summary="the two inputs as they are",
    ),
)

STEMS_METHODS = (
    Method(
        name="dmc",
        function=f"{_STEMS}.dmc:write_plan",
        options=f"{_STEMS}.settings:DmcOptions",
        presets=_TASTES,
        variant="mode",
        weights="file",
        explained_by="controller",
        ridden_with=_RIDDEN_MODES,
        summary="a trained network (Steinmetz et al. 2021) advises the rules",
    ),
    Method(
        name="wave-u-net",
        function=f"{_STEMS}.wave_u_net:mix_with_network",
        options=f"{_STEMS}.settings:WaveUNetOptions",
        variant="mode",
        makes="audio",
        weights="file",
        needs_weights=True,
        summary="a network of your own that makes the mix itself, without a plan",
    ),
    Method(
        name="rules",
        function=f"{_STEMS}.rules:write_plan",
        options=f"{_STEMS}.settings:StemsRules",
        presets=_TASTES,
        variant="mode",
        explained_by="rules",
        ridden_with=_RIDDEN_MODES,
        summary="documented practice: levels, pans; with --mode full tone, dynamics, width, space",
    ),
    Method(
        name="equal-loudness",
        function=f"{_STEMS}.baselines:write_equal_loudness_plan",
        options=f"{_STEMS}.settings:StemsRules",
        variant="mode",
        summary="every track at the same loudness",
    ),
    Method(
        name="random",
        function=f"{_STEMS}.baselines:write_random_plan",
        options=f"{_STEMS}.settings:StemsRules",
        variant="mode",
        is_seeded=True,
        summary="gains within ±12 dB and pan positions drawn at random",
    ),
    Method(
        name="mono",
        function=f"{_STEMS}.baselines:write_mono_plan",
        options=f"{_STEMS}.settings:StemsRules",
        variant="mode",
        summary="the sum of all tracks in the center",
    ),
)

MODES = ("basic", "full")
"""How much of the strip methods for stems set; plans record it as their preset."""


def find_method_of_plan(name: str, preset: str) -> Method | None:
    """The row of the method that a plan names; none where no method of the catalog wrote it."""
    methods = STEMS_METHODS if preset in MODES else VOCAL_METHODS
    return next((method for method in methods if method.name == name), None)
