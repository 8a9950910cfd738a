"""Describes what this installation is and can do."""

from importlib import import_module
from pathlib import Path
from typing import Any

from automix.dsp import processors
from automix.dsp.processors import Plugin, Processor, Twin, declare_settings
from automix.methods.catalog import STEMS_METHODS, VOCAL_METHODS, Method
from automix.networks.catalog import MODELS
from automix.parallel.machine import describe_machine, read_versions
from automix.plan.rides import Ridable
from automix.plan.settings import Bus, ChannelStrip, Master

_PACKAGES = (
    "typer",
    "rich",
    "starlette",
    "uvicorn",
    "numpy",
    "numba",
    "soundfile",
    "soxr",
    "pyloudnorm",
    "pedalboard",
    "torch",
    "torchaudio",
    "ray",
)


def describe_installation(plugins: Path | None = None) -> dict[str, Any]:
    """Describes this installation for `automix info`.

    Args:
        plugins: Folder of VST3 plug-ins to look into, or none.

    Returns:
        A dictionary for JSON: ``machine`` and ``packages`` (version by name), ``devices`` and the
        ``device`` that ``auto`` takes, ``methods`` by command, ``describe_models`` with their
        sizes, and ``plugins`` (path by name; empty without a folder).

    Raises:
        PluginError: The folder lacks a plug-in.
    """
    devices = _list_devices()
    return {
        "machine": describe_machine(),
        "packages": read_versions(_PACKAGES),
        "devices": devices,
        "device": devices[:2][-1]["name"],
        "methods": {"vocal": _list_methods(VOCAL_METHODS), "stems": _list_methods(STEMS_METHODS)},
        **describe_models(),
        "plugins": _list_plugins(plugins) if plugins else {},
    }


def describe_models() -> dict[str, Any]:
    """Describes the networks, with their sizes, receptive fields and weights."""
    return {"models": [model.describe() for model in MODELS]}


def describe_processors() -> dict[str, Any]:
    """The processors: their places, their settings, and which consoles can do them.

    Returns:
        ``processors``, a list: ``name``, ``title``, ``summary``; ``strip``, ``bus`` and ``master``,
        the place that it has there, or none; ``consoles``, in words; ``settings``, each with
        ``name``, ``low``, ``high``, ``unit``, ``scale``, ``choices``, ``neutral`` and ``about``.
        ``rides``, a list of the settings that can move in time: ``owner``, which is ``strip``,
        ``bus`` or ``master``; ``setting`` as a ride names it, where N counts the entries of a list
        from 1; ``low``, ``high``, ``unit`` and ``about`` of the setting; ``added``, whether the
        line is added to the setting, or else stands in its place.
    """
    return {
        "processors": [_describe_processor(processor) for processor in processors.PROCESSORS],
        "rides": [
            {
                "owner": owner,
                "setting": setting,
                "low": declared.range.low,
                "high": declared.range.high,
                "unit": declared.range.unit,
                "about": declared.about,
                "added": note.is_added,
            }
            for owner, part in (("strip", ChannelStrip), ("bus", Bus), ("master", Master))
            for setting, declared in declare_settings(part)
            for note in declared.notes
            if isinstance(note, Ridable) and declared.range is not None
        ],
    }


def _describe_processor(processor: Processor) -> dict[str, Any]:
    twin, plugin, device = processor.twin, processor.plugin, processor.device
    return {
        "name": processor.name,
        "title": processor.title,
        "summary": processor.summary,
        "strip": processor.strip,
        "bus": processor.bus,
        "master": processor.master,
        "consoles": {
            "exact": "yes",
            "differentiable": "yes" if isinstance(twin, Twin) else f"no: {twin}",
            "neural": "by the network"
            if processor.conditioning
            else _NEURAL[bool(processor.strip)],
            "plugins": plugin.name if isinstance(plugin, Plugin) else _PLUGINS[plugin],
            "daw": f"its {device.name}" if device else "printed into the audio",
        },
        "settings": [
            {
                "name": name,
                "low": declared.range.low if declared.range else None,
                "high": declared.range.high if declared.range else None,
                "unit": declared.range.unit if declared.range else "",
                "scale": declared.range.scale if declared.range else None,
                "choices": list(declared.choices),
                "neutral": declared.default,
                "about": declared.about,
            }
            for name, declared in declare_settings(processor.settings)
        ],
    }


_NEURAL = {
    True: "exact, before or after the network; else refused",
    False: "exact",
}
_PLUGINS = {"exact": "exact", "refused": "no"}


def _list_devices() -> list[dict[str, Any]]:
    """Lists the processor first, then every CUDA device."""
    torch = import_module("torch")
    devices: list[dict[str, Any]] = [
        {"name": "cpu", "description": describe_machine()["processor"]}
    ]
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            properties = torch.cuda.get_device_properties(index)
            described = f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB"
            devices.append({"name": f"cuda:{index}", "description": described})
    return devices


def _list_methods(entries: tuple[Method, ...]) -> list[dict[str, str]]:
    return [{"name": entry.name, "summary": entry.summary} for entry in entries]


def _list_plugins(folder: Path) -> dict[str, str]:
    from automix.consoles.plugin.mapping import find_plugins

    return {name: str(path) for name, path in find_plugins(folder).items()}
