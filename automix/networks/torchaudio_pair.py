"""The door to torchaudio, whose compiled part loads only beside the torch that it was made for."""

from importlib import import_module, resources
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from automix.errors import DeviceError

PAIR = ("torch", "torchaudio")


def load_torchaudio(module: str) -> Any:
    """Imports a module of torchaudio when it is needed, so that all else works without it.

    Args:
        module: Its name within torchaudio, as in ``functional``.

    Returns:
        The module.

    Raises:
        DeviceError: The installed versions of torch and torchaudio do not load together. The
            message names both, and the command that installs the pair that was tested.
    """
    try:
        return import_module(f"torchaudio.{module}")
    except (ImportError, OSError, RuntimeError) as error:
        found = " and ".join(f"{name} {_installed(name)}" for name in PAIR)
        pins = " ".join(f"{name}=={read_pin(name)}" for name in PAIR)
        raise DeviceError(f"{found} do not load together: python -m pip install {pins}") from error


def find_pair_problem() -> str | None:
    """The sentence that `load_torchaudio` would refuse with, or none where the pair loads."""
    try:
        load_torchaudio("functional")
    except DeviceError as error:
        return str(error)
    return None


def read_pin(package: str) -> str:
    """The version of a dependency that this version of automix was tested with.

    Raises:
        KeyError: No dependency has this name.
    """
    lines = resources.files("automix").joinpath("constraints.txt").read_text("utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line and not line.startswith("#"))
    return pins[package]


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"
