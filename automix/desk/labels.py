"""What an edit of the desk is called where it can be undone: ``vocal fader +1.5 dB``."""

from collections.abc import Sequence
from typing import Any

from automix.desk.edits import SettingEdit, parts_of
from automix.errors import UsageError
from automix.files.names import printable
from automix.plan.model import MixPlan
from automix.plan.parameters import Parameter, Settings, follow
from automix.plan.settings import ProcessorSettings

_MOST_NAMES = 3


def label_edits(before: MixPlan, after: MixPlan, edits: Sequence[SettingEdit]) -> str:
    """Says in a few words what edits did.

    Args:
        before: The plan without them.
        after: The plan with them.
        edits: The edits.
    """
    if not edits:
        return ""
    owners = list(dict.fromkeys(edit.owner for edit in edits))
    settings = list(dict.fromkeys(edit.setting for edit in edits))
    names = ", ".join(map(printable, owners))
    if len(owners) > _MOST_NAMES:
        names = f"{len(owners)} tracks"
    if len(settings) > 1:
        groups = {setting.partition(".")[0] for setting in settings}
        what = _spell(groups.pop()) if len(groups) == 1 else f"{len(settings)} settings"
        return f"{names} {what}"
    changes = {_describe_change(before, after, edit) for edit in edits}
    what = " ".join(_name_parts(after, edits[0]))
    change = changes.pop() if len(changes) == 1 else ""
    return f"{names} {what} {change}".rstrip()


def _name_parts(plan: MixPlan, edit: SettingEdit) -> list[str]:
    """The setting in words: ``equalizer band 2 gain``."""
    words: list[str] = []
    parts = edit.setting.split(".")
    for place, part in enumerate(parts):
        if part == "bands" and parts[place + 1 :]:
            words.append("band")
        elif part == "sends" and parts[place + 1 :]:
            words.append("send to")
        elif place and parts[place - 1] == "sends":
            words.append(_name_bus(plan, edit, place))
        elif part == "gain_db" and "sends" in parts:
            continue
        else:
            words.append(_title_of(plan, edit, place) or _spell(part))
    return words


def _name_bus(plan: MixPlan, edit: SettingEdit, place: int) -> str:
    """Where a send goes; its number if there is none."""
    found = _look_up(plan, edit.owner, ".".join([*edit.setting.split(".")[: place + 1], "bus"]))
    return printable(found[1]) if found else edit.setting.split(".")[place]


def _title_of(plan: MixPlan, edit: SettingEdit, place: int) -> str:
    setting = ".".join(edit.setting.split(".")[: place + 1])
    found = _look_up(plan, edit.owner, setting)
    return found[1].title if found and isinstance(found[1], ProcessorSettings) else ""


_UNITS = {"db", "hz", "ms", "s", "dbtp"}


def _spell(field: str) -> str:
    words = field.split("_")
    if len(words) > 1 and words[-1] in _UNITS:
        del words[-1]
    return " ".join(words)


def _describe_change(before: MixPlan, after: MixPlan, edit: SettingEdit) -> str:
    found = _look_up(after, edit.owner, edit.setting)
    if found is None:
        return ""
    parameter, new = found
    was = _look_up(before, edit.owner, edit.setting)
    old = was[1] if was else None
    if isinstance(new, bool):
        return "on" if new else "off"
    if isinstance(new, Settings | tuple) or new is None:
        return ""
    if isinstance(new, str):
        return new if len(new) <= 30 else ""
    unit = parameter.range.unit if parameter.range else ""
    is_silent = parameter.range is not None and parameter.range.low == old
    if unit == "dB" and isinstance(old, int | float) and not (is_silent and old < 0):
        return f"{_number(new - old, signed=True)} dB"
    return f"{_number(new, signed=unit == 'dB')} {unit}".rstrip()


def _number(value: float, *, signed: bool = False) -> str:
    digits = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    text = f"{value:{'+' if signed else ''}.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "+0") else text.replace("-", "−")


def _look_up(plan: MixPlan, owner: str, setting: str) -> tuple[Parameter, Any] | None:
    part = parts_of(plan).get(owner)
    try:
        return follow(part, setting.split(".")) if part else None
    except UsageError:
        return None  # such as a band that one of the two plans does not have
