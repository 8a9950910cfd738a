"""Assignments as ``--set`` takes them: ``vocal.pan=0.4``, ``vocal.fader_db+=2``."""

from collections.abc import Callable
from typing import Any

from automix.errors import PlanError
from automix.files.text import parse_toml

Change = Callable[[Any], Any]
"""Makes the new value of a setting from the old one."""


def parse_assignment(expression: str) -> tuple[str, Any]:
    """Splits ``ADDRESS=VALUE``, ``ADDRESS+=NUMBER`` or ``ADDRESS-=NUMBER``.

    Returns:
        The address and a function from the old to the new value, for `plan.change_setting`.

    Raises:
        PlanError: Not of that form.
    """
    head, _, text = expression.partition("=")
    sign = head[-1:] if head.endswith(("+", "-")) else ""
    address, text = head.removesuffix(sign).rstrip(), text.lstrip()
    if not address or not text:
        raise PlanError(f"--set {expression!r}: write NAME.setting=VALUE, += or -=")
    if not sign:
        value = _literal(text.strip())
        return address, lambda _: value
    try:
        step = float(text) if sign == "+" else -float(text)
    except ValueError:
        raise PlanError(f"--set {expression!r}: {sign}= needs a number") from None

    def add(old: Any) -> Any:
        if isinstance(old, bool) or not isinstance(old, int | float):
            raise PlanError(f"--set {expression!r}: {address} is not a number")
        return old + step

    return address, add


def _literal(text: str) -> Any:
    try:
        document = parse_toml(f"value = {text}", "--set", refuse=PlanError)
    except PlanError:
        return text
    return document["value"] if len(document) == 1 else text
