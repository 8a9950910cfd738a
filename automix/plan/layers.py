"""Layers of settings: built-in < preset < config file < option; an unset option is `None`."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from automix.errors import InputError, UsageError
from automix.files.names import printable
from automix.files.text import read_toml
from automix.plan.parameters import Settings, parameters

Layered = TypeVar("Layered", bound=Settings)


Flags = Mapping[str, tuple[str, Any]]
"""By name of the option: the setting that it sets, and its value."""


def apply_layers(
    base: Layered,
    config: Path | None,
    flags: Flags,
    constants: Mapping[str, Any] = MappingProxyType({}),
) -> Layered:
    """The base with what a config file and the flags say laid over it.

    Raises:
        UsageError: The file cannot be read, or there is an unknown key or an illegal value; names
            the file or the option.
    """
    if config is not None:
        base = _apply_named(printable(config), base, _read_config(config))
    if constants:
        base = _lay_over(base, constants)
    for option, (setting, value) in flags.items():
        if value is not None:
            base = _apply_named(option, base, {setting: value})
    return base


def _apply_named(source: str, base: Layered, table: Mapping[str, Any]) -> Layered:
    try:
        return _lay_over(base, table)
    except UsageError as error:
        raise UsageError(f"{source}: {error}") from error


def _lay_over(base: Layered, table: Mapping[str, Any]) -> Layered:
    known = parameters(type(base))
    changes = {}
    for key, value in table.items():
        if key not in known:
            raise UsageError(f"unknown setting {key!r}; known are: {', '.join(known)}")
        old = getattr(base, key)
        if isinstance(old, Settings) and not isinstance(value, Settings):
            if not isinstance(value, Mapping):
                raise UsageError(f"{key} must be a table")
            value = _lay_over(old, value)
        # TOML has no null: `false` switches an optional setting off.
        changes[key] = None if value is False and known[key].optional else value
    return replace(base, **changes)


def _read_config(path: Path) -> dict[str, Any]:
    try:
        return read_toml(path, refuse=UsageError)
    except InputError as error:
        raise UsageError(str(error)) from error
