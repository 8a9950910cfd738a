"""Diagrams as inline SVG. Colors come from the style sheet of the page, by class names."""

import html
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automix.units import format_clock

Vector = NDArray[np.float64]

_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 16.0, 8.0, 26.0


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One axis of a diagram.

    Attributes:
        low: Value at its beginning.
        high: Value at its end.
        ticks: Values with a label.
        label: Text of a tick.
        logarithmic: Whether equal ratios are equally far apart.
    """

    low: float
    high: float
    ticks: Sequence[float]
    label: Callable[[float], str] = "{:g}".format
    logarithmic: bool = False

    def share(self, values: Vector) -> Vector:
        """Where values lie, 0 … 1; those beyond the axis are clamped."""
        inside = np.clip(values, self.low, self.high)
        if self.logarithmic:
            return np.asarray(np.log(inside / self.low) / math.log(self.high / self.low))
        return np.asarray((inside - self.low) / (self.high - self.low))


@dataclass(frozen=True, kw_only=True)
class Diagram:
    """Axes to draw into.

    Attributes:
        title: For those who cannot see it.
        x: From left to right.
        y: From bottom to top.
        width: In SVG units.
        height: In SVG units.
    """

    title: str
    x: Axis
    y: Axis
    width: float = 720.0
    height: float = 220.0

    def points(self, x: Vector, y: Vector) -> list[tuple[float, float]]:
        """Positions of values in the drawing."""
        across = _LEFT + self.x.share(x) * (self.width - _LEFT - _RIGHT)
        up = self.height - _BOTTOM - self.y.share(y) * (self.height - _TOP - _BOTTOM)
        return [(round(float(a), 1), round(float(b), 1)) for a, b in zip(across, up, strict=True)]

    def curve(self, x: Vector, y: Vector, kind: str) -> str:
        """A line through values; it is broken where they are not finite."""
        pieces = []
        pen = "M"
        for (across, up), value in zip(self.points(x, np.nan_to_num(y)), y, strict=True):
            if not math.isfinite(value):
                pen = "M"
                continue
            pieces.append(f"{pen}{across:g} {up:g}")
            pen = "L"
        return f'<path class="curve {kind}" d="{"".join(pieces)}"/>'

    def band(self, x: Vector, low: Vector, high: Vector, kind: str) -> str:
        """The area between two lines."""
        there = self.points(x, high)
        back = self.points(x, low)[::-1]
        corners = " ".join(f"{across:g},{up:g}" for across, up in (*there, *back))
        return f'<polygon class="{kind}" points="{corners}"/>'

    def svg(self, drawn: Iterable[str]) -> str:
        """The whole diagram."""
        lines = []
        for tick in self.x.ticks:
            ((across, _),) = self.points(np.array([tick]), np.array([self.y.low]))
            bottom = self.height - _BOTTOM
            lines.append(f'<path class="grid" d="M{across:g} {_TOP:g}V{bottom:g}"/>')
            lines.append(
                f'<text x="{across:g}" y="{self.height - 8:g}" text-anchor="middle">'
                f"{html.escape(self.x.label(tick))}</text>"
            )
        for tick in self.y.ticks:
            ((_, up),) = self.points(np.array([self.x.low]), np.array([tick]))
            lines.append(f'<path class="grid" d="M{_LEFT:g} {up:g}H{self.width - _RIGHT:g}"/>')
            lines.append(
                f'<text x="{_LEFT - 6:g}" y="{up + 4:g}" text-anchor="end">'
                f"{html.escape(self.y.label(tick))}</text>"
            )
        title = html.escape(self.title)
        return (
            f'<svg viewBox="0 0 {self.width:g} {self.height:g}" role="img" aria-label="{title}">'
            f"<title>{title}</title>{''.join(lines)}{''.join(drawn)}</svg>"
        )


def frequency_axis(low_hz: float = 20.0, high_hz: float = 20_000.0) -> Axis:
    """Frequencies as an engineer reads them."""
    ticks = [f for f in (20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000) if f <= high_hz]
    return Axis(low=low_hz, high=high_hz, ticks=ticks, label=_hertz, logarithmic=True)


def time_axis(duration_s: float) -> Axis:
    """Minutes and seconds."""
    steps = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 3600)
    step = next((s for s in steps if duration_s / s <= 8), 7200)
    high = max(duration_s, 0.001)
    return Axis(low=0.0, high=high, ticks=list(np.arange(0.0, high, step)), label=format_clock)


def _hertz(frequency: float) -> str:
    return f"{frequency / 1000:g}k" if frequency >= 1000 else f"{frequency:g}"
