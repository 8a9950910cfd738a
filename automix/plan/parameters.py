"""One declaration per parameter: `Range` in an annotation, checked by the `Settings` base.

The same annotated field feeds validation, the plan file's comments, help texts, documentation and
the scaling of network outputs.
"""

import math
import types
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from automix.errors import UsageError


@dataclass(frozen=True, slots=True)
class Range:
    """The closed interval of a parameter, its unit, and how it maps to 0…1.

    Args:
        low: Smallest legal value.
        high: Largest legal value.
        unit: Unit as printed, such as ``"dB"``; empty for a bare number.
        scale: ``"log"`` where the ear is logarithmic (Hz, ms, ratio, Q), else ``"linear"``.
    """

    low: float
    high: float
    unit: str = ""
    scale: Literal["linear", "log"] = "linear"

    def __post_init__(self) -> None:
        if not self.low < self.high or (self.scale == "log" and self.low <= 0):
            raise ValueError(f"not a range: {self!r}")

    def to_unit(self, value: float) -> float:
        """Position of ``value`` in the range, 0…1; values outside are clamped."""
        value = self.clamp(value)
        if self.scale == "log":
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def from_unit(self, position: float) -> float:
        """The value at ``position`` 0…1; positions outside are clamped."""
        position = min(max(position, 0.0), 1.0)
        if self.scale == "log":
            value = self.low * math.exp(position * math.log(self.high / self.low))
        else:
            value = self.low + position * (self.high - self.low)
        return self.clamp(value)

    def clamp(self, value: float) -> float:
        """The nearest legal value."""
        return min(max(value, self.low), self.high)

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int | float) and self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.low:.10g} … {self.high:.10g}{' ' + self.unit if self.unit else ''}"


class IllegalSetting(UsageError):
    """A value that does not go with others of its settings.

    Attributes:
        path: Names and list positions that lead to the value from the settings that refuse it.
    """

    def __init__(self, message: str, path: tuple[str | int, ...]) -> None:
        super().__init__(message)
        self.path = path


@dataclass(frozen=True, slots=True)
class FileName:
    """Marks a text that may hold bytes which are no Unicode, as names of files may (PEP 383)."""


@dataclass(frozen=True, slots=True)
class OnlyIfSet:
    """Marks a setting that plans hold only where it is not neutral."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """What the annotation of one field says.

    Attributes:
        name: Field name.
        kind: The Python type of the value, or of the elements when ``many``.
        range: Legal interval of a number, if it has one.
        choices: Legal words of a literal, else empty.
        about: One line of documentation.
        many: Whether the field holds a tuple of ``kind``.
        optional: Whether ``None`` is legal.
        default: Default value, or ``MISSING``.
        notes: What else the annotation holds.
    """

    name: str
    kind: type
    range: Range | None
    choices: tuple[str, ...]
    about: str
    many: bool
    optional: bool
    default: Any
    notes: tuple[Any, ...] = ()

    def check(self, value: Any) -> Any:
        """Returns ``value`` in its exact type.

        Raises:
            UsageError: Wrong type, not finite, outside the range, or not one of the choices.
        """
        if value is None and self.optional:
            return None
        if self.many:
            if not isinstance(value, tuple | list):
                raise UsageError(f"{self.name} must be a list")
            return tuple(self._check_one(item) for item in value)
        return self._check_one(value)

    def _check_one(self, value: Any) -> Any:
        if self.choices and value not in self.choices:
            legal = ", ".join(map(repr, self.choices))
            raise UsageError(f"{self.name} must be one of {legal}, not {value!r}")
        fits = isinstance(value, (int, float) if self.kind is float else self.kind)
        if not fits or (isinstance(value, bool) and self.kind is not bool):
            raise UsageError(f"{self.name} must be {_KINDS.get(self.kind, self.kind.__name__)}")
        if isinstance(value, float) and not math.isfinite(value):
            raise UsageError(f"{self.name} must be finite, not {value}")
        if isinstance(value, str) and "\0" in value:
            raise UsageError(f"{self.name} must hold no null character")
        if isinstance(value, str) and FileName() not in self.notes and not _is_unicode(value):
            raise UsageError(f"{self.name} must be Unicode text, not {value!r}")
        if self.range is not None and value not in self.range:
            raise UsageError(f"{self.name} = {value} is outside {self.range}")
        if self.kind is float and isinstance(value, int) and value.bit_length() > 1023:
            raise UsageError(f"{self.name} must be finite")
        return float(value) if self.kind is float else value


def _is_unicode(text: str) -> bool:
    """Whether no part of ``text`` stands for a byte of an undecodable name (PEP 383)."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


_KINDS: dict[type, str] = {
    float: "a number",
    int: "a whole number",
    bool: "true or false",
    str: "a text",
    dict: "a table",
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Base of all parameter sets: frozen, keyword-only, checked when built.

    Subclasses annotate each field as ``Annotated[float, Range(...), "one line about it"]``. The
    default instance of a processor's settings is neutral: it leaves audio unchanged.

    Raises:
        UsageError: A value of the wrong type or outside its range.
    """

    def __post_init__(self) -> None:
        for parameter in parameters(type(self)).values():
            value = parameter.check(getattr(self, parameter.name))
            object.__setattr__(self, parameter.name, value)

    @property
    def is_neutral(self) -> bool:
        """Whether every field has its default."""
        return all(
            getattr(self, name) == parameter.default
            for name, parameter in parameters(type(self)).items()
        )


def parameters(settings: type[Settings]) -> dict[str, Parameter]:
    """The declared parameters of a settings class, by field name, in order."""
    if settings not in _DECLARED:
        _DECLARED[settings] = _read_fields(settings)
    return _DECLARED[settings]


def follow(settings: Settings, path: Sequence[str]) -> tuple[Parameter, Any]:
    """Follows names of fields and positions in lists, from 1, to a declaration and its value.

    Raises:
        UsageError: The path leads nowhere.
    """
    value: Any = settings
    declared: Parameter | None = None
    for head in path:
        if isinstance(value, tuple):
            entries = [str(number) for number in range(1, len(value) + 1)]
            if head not in entries:
                raise UsageError(f"there is no entry {head!r}")
            value = value[entries.index(head)]
            continue
        declared = parameters(type(value)).get(head) if isinstance(value, Settings) else None
        if declared is None:
            raise UsageError(f"there is no {head!r}")
        value = getattr(value, head)
    if declared is None:
        raise UsageError("it leads nowhere")
    return declared, value


_DECLARED: dict[type[Settings], dict[str, Parameter]] = {}


def _read_fields(settings: type[Settings]) -> dict[str, Parameter]:
    hints = get_type_hints(settings, include_extras=True)
    found = {}
    for field in fields(settings):
        default = field.default
        if default is MISSING and field.default_factory is not MISSING:
            default = field.default_factory()
        found[field.name] = _read_annotation(field.name, hints[field.name], default)
    return found


def _read_annotation(name: str, hint: Any, default: Any) -> Parameter:
    notes: tuple[Any, ...] = getattr(hint, "__metadata__", ())
    if notes:
        hint = get_args(hint)[0]
    optional = many = False
    if get_origin(hint) in (Union, types.UnionType):
        optional = True
        (hint,) = (part for part in get_args(hint) if part is not type(None))
    choices: tuple[str, ...] = ()
    if get_origin(hint) is tuple:
        many = True
        hint = get_args(hint)[0]
    if get_origin(hint) is dict:
        hint = dict
    if get_origin(hint) is Literal:
        choices = get_args(hint)
        hint = str
    return Parameter(
        name=name,
        kind=hint,
        range=next((note for note in notes if isinstance(note, Range)), None),
        choices=choices,
        about=next((note for note in notes if isinstance(note, str)), ""),
        many=many,
        optional=optional,
        default=default,
        notes=tuple(note for note in notes if not isinstance(note, Range | str)),
    )
