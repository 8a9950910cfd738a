"""Built-in < preset < config file < flag, in one function; an unset flag is `None`."""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from automix.errors import UsageError
from automix.files import shown
from automix.parameters import Settings, parameters

Layered = TypeVar("Layered", bound=Settings)


def layered(base: Layered, table: Mapping[str, Any], flags: Mapping[str, Any]) -> Layered:
    """The base with what a config table and the flags say laid over it.

    Raises:
        UsageError: An unknown key, or an illegal value.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    return _laid_over(_laid_over(base, table), given)


def _laid_over(base: Layered, table: Mapping[str, Any]) -> Layered:
    known = parameters(type(base))
    changes = {}
    for key, value in table.items():
        if key not in known:
            raise UsageError(f"unknown setting {key!r}; known are: {', '.join(known)}")
        old = getattr(base, key)
        if isinstance(old, Settings):
            if not isinstance(value, Mapping):
                raise UsageError(f"{key} must be a table")
            value = _laid_over(old, value)
        changes[key] = value
    return replace(base, **changes)


def read_config(path: Path | None) -> dict[str, Any]:
    """The table in a TOML file; empty without one.

    Raises:
        UsageError: It cannot be read, or is not TOML.
    """
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UsageError(f"{shown(path)}: cannot be used as a config file: {error}") from error
