"""Commands from declarations: the fields of requests become options that Typer reads.

A command is a function that takes requests, and options of its own. `from_fields` gives it the
signature that Typer wants, with a parameter for each field of each request.
"""

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal, get_type_hints

import typer

from automix.mixing.request import Option, flag_of, option_of
from automix.plan.parameters import Parameter, Settings, parameters


def from_fields(
    without: Mapping[str, Sequence[str]] | None = None,
    any_of: Mapping[str, tuple[type[Settings], ...]] | None = None,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command the options that the fields of its requests declare.

    Args:
        without: Fields that are left out, by parameter of the command.
        any_of: Requests of which a parameter of the command takes what was given, as a dictionary
            by field; nothing that was not.
    """
    left_out, unions = without or {}, any_of or {}

    def declare(command: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(command, include_extras=True)
        requests = {
            name: kind
            for name, kind in hints.items()
            if isinstance(kind, type) and issubclass(kind, Settings)
        }
        declared: dict[str, inspect.Parameter] = {}
        owners: dict[str, list[str]] = {}
        for name, parameter in inspect.signature(command).parameters.items():
            if name in requests or name in unions:
                kinds = unions.get(name, (requests.get(name),))
                fields = dict(_fields(kinds, left_out.get(name, ()), optional=name in unions))
                owners[name] = list(fields)
                declared |= fields
            else:
                declared[name] = parameter.replace(
                    annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY
                )

        @functools.wraps(command)
        def run(**given: Any) -> None:
            values: dict[str, Any] = {}
            for name, fields in owners.items():
                told = {field: given.pop(field) for field in fields}
                told = {field: value for field, value in told.items() if value is not None}
                values[name] = told if name in unions else requests[name](**told)
            command(**values, **given)

        in_order = sorted(declared.values(), key=_is_option)
        run.__signature__ = inspect.Signature(in_order)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in in_order}
        return run

    return declare


def _is_option(parameter: inspect.Parameter) -> bool:
    notes = getattr(parameter.annotation, "__metadata__", ())
    return not any(isinstance(note, type(typer.Argument())) for note in notes)


def _fields(
    kinds: Sequence[type[Settings] | None], left_out: Sequence[str], *, optional: bool
) -> Iterator[tuple[str, inspect.Parameter]]:
    """The parameter of each field; what a class adds comes before what it inherits."""
    found: dict[str, list[Parameter]] = {}
    for kind in filter(None, kinds):
        own = parameters(kind)
        for name in sorted(own, key=functools.partial(_depth, kind)):
            option = option_of(own[name])
            if name not in left_out and not option.hidden and not (optional and option.argument):
                found.setdefault(name, []).append(own[name])
    for name, alike in found.items():
        yield name, _declare(_join(alike), optional)


def _depth(kind: type, name: str) -> int:
    """Minus the number of classes above the first that declares a field."""
    declaring = (c for c in kind.__mro__ if name in c.__dict__.get("__annotations__", ()))
    return -max(len(c.__mro__) for c in declaring)


def _join(alike: Sequence[Parameter]) -> Parameter:
    """One field for those of one name in several requests: it takes the words of each."""
    first = alike[0]
    if all(other.notes == first.notes for other in alike):
        return first
    words = dict.fromkeys(word for other in alike for word in option_of(other).choices)
    option = replace(option_of(first), choices=tuple(words))
    abouts = dict.fromkeys(other.about for other in alike)
    return replace(first, notes=(option,), about=" ".join(abouts))


def _declare(parameter: Parameter, optional: bool) -> inspect.Parameter:
    option = option_of(parameter)
    kind = _kind(parameter, option)
    help_text = _help(parameter, option)
    if option.argument:
        info: Any = typer.Argument(metavar=option.metavar, help=help_text)
        kind = list[kind] if parameter.many else kind  # type: ignore[valid-type]
        default: Any = inspect.Parameter.empty
    else:
        flags = [flag_of(parameter), *([option.short] if option.short else [])]
        info = typer.Option(*flags, metavar=option.metavar or None, help=help_text)
        default = None if optional or parameter.many else parameter.default
        if parameter.many:
            kind = list[kind] | None  # type: ignore[valid-type]
        elif default is None:
            kind = kind | None
    return inspect.Parameter(
        parameter.name,
        inspect.Parameter.KEYWORD_ONLY,
        annotation=Annotated[kind, info],
        default=default,
    )


def _kind(parameter: Parameter, option: Option) -> Any:
    choices = option.choices or parameter.choices
    # Typer knows no lists of choices; the request checks each.
    return Literal[choices] if choices and not parameter.many else parameter.kind


def _help(parameter: Parameter, option: Option) -> str:
    """What the field is, its range, and what applies where it is not given."""
    about = parameter.about
    legal = option.range_of(parameter)
    if legal is not None and legal.unit:
        about = f"{about.removesuffix('.')}; {legal}."
    return f"{about}  [default: {option.unset}]" if option.unset else about
