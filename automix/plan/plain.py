"""Settings as plain values, which JSON and TOML have words for, and back; and their declarations.

A plain value is a text, a number, true, false or none; a list of plain values; or a table of them.
Figures of decisions may be no finite numbers, which JSON has no words for: they are the texts
``"inf"``, ``"-inf"`` and ``"nan"``.
"""

import math
from dataclasses import MISSING
from typing import Any, TypeVar

from automix.errors import PlanError, UsageError
from automix.plan.decision import Decision
from automix.plan.parameters import IllegalSetting, Parameter, Settings, parameters
from automix.plan.rides import Ridable
from automix.plan.settings import ProcessorSettings

KeyPath = tuple[str | int, ...]
"""Keys of tables and positions in lists, from 0, that lead to a value."""

Kind = TypeVar("Kind", bound=Settings | Decision)

DECISION_FIELDS = ("setting", "value", "rule", "reason")
"""The fields of a decision but for its figures, in the order in which they are written."""


def to_plain(settings: Settings | Decision) -> dict[str, Any]:
    """Spells settings out as a table: every field is there, whether it is neutral or not."""
    if isinstance(settings, Decision):
        return {
            **{name: _to_plain_value(getattr(settings, name)) for name in DECISION_FIELDS},
            "figures": {name: _to_plain_value(value) for name, value in settings.figures},
        }
    return {name: _to_plain_value(getattr(settings, name)) for name in parameters(type(settings))}


def _to_plain_value(value: Any) -> Any:
    if isinstance(value, Settings | Decision):
        return to_plain(value)
    if isinstance(value, tuple):
        if value and isinstance(value[0], float):  # of a ride, of which there are thousands
            return list(value)
        return [_to_plain_value(entry) for entry in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else repr(float(value))
    return value


def read_plain(kind: type[Kind], value: Any, address: str = "") -> Kind:
    """Reads settings from a plain value; a field that is not there has its default.

    Args:
        kind: Class of the settings, such as `ChannelStrip`.
        value: The table, as `to_plain` makes it.
        address: Where it is, as in ``--set``, for messages.

    Raises:
        PlanError: An unknown key or an illegal value; names its address.
    """
    try:
        settings: Kind = read_settings(kind, value, ())
    except SettingFault as fault:
        where = ".".join(str(p + 1) if isinstance(p, int) else p for p in fault.path)
        where = ".".join(part for part in (address, where) if part)
        raise PlanError(f"{where}: {fault}" if where else str(fault)) from fault
    return settings


class SettingFault(Exception):
    """An illegal value.

    Attributes:
        path: What leads to it.
    """

    def __init__(self, message: str, path: KeyPath) -> None:
        super().__init__(message)
        self.path = path


def read_settings(kind: type[Any], table: Any, path: KeyPath) -> Any:
    """Reads settings of a class from a table.

    Args:
        kind: The class, or `Decision`.
        table: The table; it may be anything.
        path: What leads to it.

    Raises:
        SettingFault: An unknown key or an illegal value.
    """
    if kind is Decision:
        return _read_decision(table, path)
    if not isinstance(table, dict):
        raise SettingFault(f"{path[-1] if path else 'the value'} must be a table", path)
    declared = parameters(kind)
    values = {}
    for key, value in table.items():
        here = (*path, key)
        if key not in declared:
            raise SettingFault(f"unknown key {key!r}; known are: {', '.join(declared)}", here)
        values[key] = read_field(declared[key], value, here)
    try:
        return kind(**values)
    except UsageError as error:
        deeper = error.path if isinstance(error, IllegalSetting) else ()
        raise SettingFault(str(error), (*path, *deeper)) from error


def read_field(parameter: Parameter, value: Any, path: KeyPath) -> Any:
    """Reads the value of one field.

    Args:
        parameter: The declaration of the field.
        value: A plain value; it may be anything.
        path: What leads to it.

    Raises:
        SettingFault: It is not legal.
    """
    if issubclass(parameter.kind, Settings) or parameter.kind is Decision:
        value = _read_nested(parameter, value, path)
    try:
        return parameter.check(value)
    except UsageError as error:
        raise SettingFault(str(error), path) from error


def _read_nested(parameter: Parameter, value: Any, path: KeyPath) -> Any:
    if not parameter.many:
        return read_settings(parameter.kind, value, path)
    if not isinstance(value, list):
        raise SettingFault(f"{parameter.name} must be written as [[{parameter.name}]]", path)
    return tuple(
        read_settings(parameter.kind, entry, (*path, index)) for index, entry in enumerate(value)
    )


def _read_decision(table: Any, path: KeyPath) -> Decision:
    wanted = {*DECISION_FIELDS, "figures"}
    if not isinstance(table, dict) or set(table) != wanted:
        raise SettingFault(f"a decision has the keys {', '.join(sorted(wanted))}", path)
    for name in ("setting", "rule", "reason"):
        if not isinstance(table[name], str):
            raise SettingFault(f"{name} must be a text", (*path, name))
    decided = _read_number(table["value"])
    if not isinstance(decided, int | float):
        raise SettingFault("value must be a number, true or false", (*path, "value"))
    figures = table["figures"]
    if not isinstance(figures, dict):
        raise SettingFault("figures must be numbers", (*path, "figures"))
    figures = {name: _read_number(value) for name, value in figures.items()}
    if not all(isinstance(value, int | float) for value in figures.values()):
        raise SettingFault("figures must be numbers", (*path, "figures"))
    return Decision(**{**table, "value": decided, "figures": tuple(figures.items())})


def _read_number(value: Any) -> Any:
    """A number that `to_plain` spelled as a text; anything else as it is."""
    return _NOT_FINITE.get(value, value) if isinstance(value, str) else value


_NOT_FINITE = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}


def describe_parameters(kind: type[Settings]) -> dict[str, dict[str, Any]]:
    """Describes the fields of a class of settings for a program that shows them.

    Args:
        kind: The class.

    Returns:
        For each field by name, in order: ``kind``, which is ``"number"``, ``"boolean"``,
        ``"choice"``, ``"text"``, ``"table"`` or ``"list"``; ``low``, ``high``, ``unit`` and
        ``scale`` of its range; ``choices``; ``about``, one line about it; its ``default`` as a
        plain value; ``optional``, whether it may be none; ``ridable``, which is none, or says
        whether a ride ``is_added`` to it; ``fields`` of a table or of the entries of a list, none
        where these are plain; and the ``title`` of a processor.
    """
    return {name: _describe(parameter) for name, parameter in parameters(kind).items()}


def _describe(parameter: Parameter) -> dict[str, Any]:
    legal = parameter.range
    ridable = next((note for note in parameter.notes if isinstance(note, Ridable)), None)
    is_nested = issubclass(parameter.kind, Settings)
    default = None if parameter.default is MISSING else _to_plain_value(parameter.default)
    described: dict[str, Any] = {
        "kind": _kind_of(parameter),
        "low": legal.low if legal else None,
        "high": legal.high if legal else None,
        "unit": legal.unit if legal else "",
        "scale": legal.scale if legal else "linear",
        "choices": list(parameter.choices),
        "about": parameter.about,
        "default": default,
        "optional": parameter.optional,
        "ridable": {"is_added": ridable.is_added} if ridable else None,
        "fields": describe_parameters(parameter.kind) if is_nested else None,
    }
    if issubclass(parameter.kind, ProcessorSettings):
        described["title"] = parameter.kind.title
    return described


def _kind_of(parameter: Parameter) -> str:
    if parameter.many:
        return "list"
    if issubclass(parameter.kind, Settings):
        return "table"
    if parameter.choices:
        return "choice"
    if parameter.kind is bool:
        return "boolean"
    return "text" if parameter.kind is str else "number"
