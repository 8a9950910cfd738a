"""The table of what `automix train` can train: one row per family. Imports no torch."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from automix.plan.parameters import Settings


@dataclass(frozen=True, kw_only=True)
class Family:
    """One row; the classes and functions are written as ``module:name`` within this room.

    Attributes:
        name: Word after `automix train`.
        settings: Settings class. Its field ``loop`` holds the `LoopSettings`.
        sources: Function ``(settings, run)`` that finds, splits and decodes the data.
        task: Function ``(settings, sources, run)`` that returns a `TrainingTask` with its first
            weights; ``sources`` is what the function before it returned.
        model: Kind of network that the written weights name; see `read_description`.
    """

    name: str
    settings: str
    sources: str
    task: str
    model: str

    def make_settings(self) -> Settings:
        """The settings with their default values."""
        settings: Settings = _import_member(self.settings)()
        return settings

    @property
    def open_sources(self) -> Callable[[Any, Any], Any]:
        """The function that `sources` names."""
        function: Callable[[Any, Any], Any] = _import_member(self.sources)
        return function

    @property
    def make_task(self) -> Callable[[Any, Any, Any], Any]:
        """The function that `task` names."""
        function: Callable[[Any, Any, Any], Any] = _import_member(self.task)
        return function


def _import_member(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(f"automix.training.{module}"), name)


FAMILIES = {
    family.name: family
    for family in (
        Family(
            name="dmc",
            settings="controller.settings:DmcTraining",
            sources="songs:open_songs",
            task="controller.task:make_task",
            model="dmc",
        ),
        Family(
            name="wave-u-net",
            settings="wave_u_net.settings:WaveUNetTraining",
            sources="songs:open_songs",
            task="wave_u_net.task:make_task",
            model="mix-wave-u-net",
        ),
        Family(
            name="effect",
            settings="effect.settings:EffectTraining",
            sources="effect.sources:open_sources",
            task="effect.task:make_task",
            model="effect",
        ),
        Family(
            name="vocal",
            settings="vocal.settings:VocalTraining",
            sources="vocal.sources:open_sources",
            task="vocal.task:make_task",
            model="vocal-cnn",
        ),
    )
}
"""By name, in the order in which `automix train --help` lists them."""
