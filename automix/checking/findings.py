"""What a check finds: the track, what it is, where, how strong, how bad, and what to do."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["information", "warning", "fault"]

SEVERITIES: tuple[Severity, ...] = ("information", "warning", "fault")
"""How bad a finding is, from the mildest on: good to know, heard in a mix, no take to mix."""

PLACES = 3
"""How many times are told; how many places there are is told besides."""


@dataclass(frozen=True, kw_only=True)
class TakeFinding:
    """One thing that is wrong with a take, or good to know of it.

    Attributes:
        check: Name of the check that found it, see `automix.checking.catalog.CHECKS`.
        track: Name of the track.
        severity: How bad it is.
        what: What it is, with its figure, as people would say it.
        figure: How strong it is.
        unit: Unit of the figure, such as ``"dB"``.
        remedy: One thing to do about it.
        times_s: Where it is: the first three places, in seconds; empty where it is throughout.
        count: How many places there are; 0 where it is throughout.
    """

    check: str
    track: str
    severity: Severity
    what: str
    figure: float
    unit: str
    remedy: str
    times_s: tuple[float, ...] = ()
    count: int = 0

    @property
    def where(self) -> str:
        """The places in words; empty where it is throughout."""
        if not self.times_s:
            return ""
        named = ", ".join(f"{time:.3f}" for time in self.times_s)
        more = f" and {self.count - len(self.times_s)} more" if self._has_more else ""
        return f"at {named} s{more}"

    @property
    def _has_more(self) -> bool:
        return self.count > len(self.times_s)

    @property
    def sentence(self) -> str:
        """What it is and where."""
        return f"{self.what} {self.where}".rstrip()

    def message(self) -> str:
        """All of it on one line, with the name of the track."""
        return f"{self.track}: {self.sentence}; {self.remedy}"

    def document(self) -> dict[str, Any]:
        """The finding as values that JSON has words for."""
        return {
            "check": self.check,
            "track": self.track,
            "severity": self.severity,
            "what": self.what,
            "times_s": list(self.times_s),
            "count": self.count,
            "figure": self.figure,
            "unit": self.unit,
            "remedy": self.remedy,
        }


def rank(findings: Iterable[TakeFinding]) -> list[TakeFinding]:
    """Puts the worst findings first, and keeps the order of those that are as bad."""
    return sorted(findings, key=lambda finding: -SEVERITIES.index(finding.severity))


def are_faults(findings: Sequence[TakeFinding]) -> bool:
    """Tells whether any finding is more than good to know."""
    return any(finding.severity != "information" for finding in findings)
