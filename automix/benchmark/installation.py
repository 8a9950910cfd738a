"""What this installation is and can do."""

from importlib import import_module
from pathlib import Path
from typing import Any

from automix.methods.catalog import STEMS_METHODS, VOCAL_METHODS, Method
from automix.networks.catalog import MODELS
from automix.parallel.machine import machine, package_versions

_PACKAGES = (
    "typer",
    "rich",
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


def installation(plugins: Path | None = None) -> dict[str, Any]:
    """Everything that `automix info` tells.

    Args:
        plugins: Folder of VST3 plug-ins to look into.

    Returns:
        ``machine`` and ``packages`` (version by name), ``devices`` and the one that ``auto`` takes,
        ``methods`` by command, ``models`` with their sizes, ``plugins`` (path by name; nothing
        without a folder).

    Raises:
        PluginError: The folder lacks a plug-in.
    """
    devices = _devices()
    return {
        "machine": machine(),
        "packages": package_versions(_PACKAGES),
        "devices": devices,
        "device": devices[:2][-1]["name"],
        "methods": {"vocal": _methods(VOCAL_METHODS), "stems": _methods(STEMS_METHODS)},
        **models(),
        "plugins": _plugins(plugins) if plugins else {},
    }


def models() -> dict[str, Any]:
    """The networks with their sizes, receptive fields and weights."""
    return {"models": [model.describe() for model in MODELS]}


def _devices() -> list[dict[str, Any]]:
    """The processor first, then every CUDA device."""
    torch = import_module("torch")
    devices: list[dict[str, Any]] = [{"name": "cpu", "description": machine()["processor"]}]
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            properties = torch.cuda.get_device_properties(index)
            described = f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB"
            devices.append({"name": f"cuda:{index}", "description": described})
    return devices


def _methods(entries: tuple[Method, ...]) -> list[dict[str, str]]:
    return [{"name": entry.name, "summary": entry.summary} for entry in entries]


def _plugins(folder: Path) -> dict[str, str]:
    from automix.consoles.plugin.mapping import find_plugins

    return {name: str(path) for name, path in find_plugins(folder).items()}
