"""Draws pictures of evaluations as PNG, SVG or PDF. The same input gives the same bytes.

Matplotlib's `Figure` is used without pyplot, so nothing depends on a display, and the settings of
the user do not count.
"""

import io
import math
import textwrap
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.patches import Patch
from numpy.typing import NDArray

from automix.evaluation.likert import ANSWERS, check_likert, count_shares, measure_reach
from automix.evaluation.ratings import Ratings
from automix.files.names import printable

Values = NDArray[np.float64]

_INK = "#222222"
_GRID = "#e0e0e0"
# Okabe & Ito 2008: told apart with any color vision.
_COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
# From brown over gray to blue-green, after ColorBrewer's BrBG.
_LIKERT_COLORS = ("#8C510A", "#D8B365", "#E8E8E8", "#5AB4AC", "#01665E")
_LIKERT_INK = ("white", _INK, _INK, _INK, "white")
# What DejaVu Sans, which comes with Matplotlib, has no letters for is taken from these.
_OTHER_FONTS = (
    "Noto Sans CJK JP", "Noto Sans CJK SC", "WenQuanYi Zen Hei", "Hiragino Sans", "Yu Gothic",
    "Noto Sans", "FreeSans", "Arial Unicode MS", "Unifont",
)  # fmt: skip

_SETTINGS: dict[str, Any] = {
    "text.parse_math": False,  # a "$" in a name is a "$"
    "svg.hashsalt": "automix",
    "svg.fonttype": "none",  # text stays text: any script, and it can be edited
    "pdf.fonttype": 42,
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": "#888888",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "ytick.major.size": 0.0,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "xtick.labelcolor": _INK,
    "ytick.labelcolor": _INK,
    "xtick.color": "#888888",
}
_DATES: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
}

_LIKERT_LIMITS = (0.8, 5.2)
_WIDTH_IN = 7.5
_LABEL_CHARACTERS = 24


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture.

    Attributes:
        data: Bytes of the file.
        notes: Sentences for the user.
    """

    data: bytes
    notes: tuple[str, ...] = ()


def draw_box_plots(ratings: Ratings, aspect: str, form: str) -> Picture:
    """Draws box plots of one aspect by method: all passages together, and below each of them.

    The box is the quartiles, the whiskers reach to the last rating within 1.5 times its height, the
    diamond is the mean.

    Args:
        ratings: Ratings of any number of methods and passages.
        aspect: Name of the aspect that is drawn.
        form: Format, one of `automix.evaluation.picture_format.FORMATS`.
    """
    return draw_figure(lambda figure: _draw_boxes(figure, ratings, aspect), form)


def draw_likert_bars(ratings: Ratings, form: str) -> Picture:
    """Draws shares of the answers 1 to 5 by method, a panel per aspect, "fair" in the middle.

    Args:
        ratings: Ratings that are whole numbers 1 to 5 in all aspects.
        form: Format, one of `automix.evaluation.picture_format.FORMATS`.

    Raises:
        UsageError: A rating is another number.
    """
    check_likert(ratings)
    return draw_figure(lambda figure: _draw_likert(figure, ratings), form)


def draw_figure(draw: Callable[[Figure], None], form: str) -> Picture:
    """Saves what ``draw`` puts into a figure, with settings that are the same everywhere.

    Args:
        draw: Draws on the figure that it is given.
        form: Format, one of `automix.evaluation.picture_format.FORMATS`.
    """
    known = {font.name for font in font_manager.fontManager.ttflist}
    fonts = ["DejaVu Sans", *(name for name in _OTHER_FONTS if name in known)]
    buffer = io.BytesIO()
    with matplotlib.rc_context(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        matplotlib.rcdefaults()
        settings: Any = _SETTINGS | {"font.family": fonts}
        matplotlib.rcParams.update(settings)
        figure = Figure(layout="constrained")
        draw(figure)
        figure.savefig(buffer, format=form, dpi=200, metadata=_DATES[form])
    # Matplotlib tells of missing letters in the text of a warning only.
    missing = any("missing from font" in str(warning.message) for warning in caught)
    note = "no installed font has all letters of the names; install Noto Sans, or write an .svg"
    return Picture(data=buffer.getvalue(), notes=(note,) if missing and form != "svg" else ())


def _draw_boxes(figure: Figure, ratings: Ratings, aspect: str) -> None:
    methods, passages = ratings.method_names, ratings.passage_names
    values = ratings.aspects[aspect]
    given = values[~np.isnan(values)]
    # On a scale of few steps, dots pile up to lines that look like medians.
    look = _Look(_choose_limits(given), dots=np.unique(given).size > 10)
    labels = [_break_label(name, _LABEL_CHARACTERS) for name in methods]
    row_in = 0.34 if any("\n" in label for label in labels) else 0.26
    columns = min(len(passages), 2 if len(passages) in (2, 4) else 3)
    rows = math.ceil(len(passages) / columns) if len(passages) > 1 else 0
    heights = [0.36 * len(methods) + 0.5, *[row_in * len(methods) + 0.5] * rows]
    figure.set_size_inches(_WIDTH_IN, sum(heights) + 0.5)
    grid = GridSpec(1 + rows, columns, figure, height_ratios=heights)
    top = figure.add_subplot(grid[0, :])
    _draw_panel(top, labels, ratings.by_method(aspect), look)
    top.set_title("All passages" if rows else _break_label(passages[0], 70))
    for index, passage in enumerate(passages if rows else ()):
        axes = figure.add_subplot(grid[1 + index // columns, index % columns])
        _draw_panel(axes, labels, ratings.by_method(aspect, passage), look)
        axes.set_title(_break_label(passage, 72 // columns), fontsize=8.5)
        axes.tick_params(labelsize=8)
        if index % columns:
            axes.set_yticklabels([])
        if index + columns < len(passages):
            axes.set_xticklabels([])
    legend = "box: quartiles · line: median · diamond: mean · whiskers: within 1.5 boxes · dots: "
    legend += "ratings" if look.dots else "beyond"
    figure.supxlabel(f"{printable(aspect)}   ({legend})", fontsize=8)


@dataclass(frozen=True)
class _Look:
    """What the panels of a figure share.

    Attributes:
        limits: Ends of the axis of ratings.
        dots: Whether a dot shows each rating, not only those beyond the whiskers.
    """

    limits: tuple[float, float]
    dots: bool


def _draw_panel(axes: Axes, labels: Sequence[str], groups: Sequence[Values], look: _Look) -> None:
    for row, group in enumerate(groups):
        if not group.size:
            continue
        color = _COLORS[row % len(_COLORS)]
        line = {"color": color, "linewidth": 1.1}
        mean = {"marker": "D", "markersize": 4.5, "markerfacecolor": "white", "zorder": 4}
        axes.boxplot(
            group,
            positions=[row],
            orientation="horizontal",
            widths=0.62,
            patch_artist=True,
            showfliers=not look.dots,
            showmeans=True,
            boxprops={"facecolor": color + "66", "edgecolor": color, "linewidth": 1.1},
            whiskerprops=line,
            capprops=line,
            medianprops={"color": _INK, "linewidth": 1.8},
            meanprops={**mean, "markeredgecolor": _INK},
            flierprops={"marker": ".", "markersize": 4.0, "markeredgecolor": color},
        )
        if look.dots:
            # Spread over the box by the golden ratio, so that equal ratings do not hide each other.
            offsets = (np.arange(group.size) * 0.6180339887 % 1 - 0.5) * 0.5
            axes.plot(np.sort(group), row + offsets, ".", color=_INK, alpha=0.3, markersize=3.0)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.set_xlim(*look.limits)
    if look.limits == _LIKERT_LIMITS:
        axes.set_xticks(range(1, 6))
    axes.grid(axis="x", color=_GRID, linewidth=0.8)


def _draw_likert(figure: Figure, ratings: Ratings) -> None:
    methods = ratings.method_names
    columns = 1 if len(ratings.aspects) < 4 else 2
    rows = math.ceil(len(ratings.aspects) / columns)
    figure.set_size_inches(_WIDTH_IN, rows * (0.32 * len(methods) + 0.65) + 0.5)
    grid = GridSpec(rows, columns, figure)
    shares = {
        aspect: [count_shares(group) for group in ratings.by_method(aspect)]
        for aspect in ratings.aspects
    }
    limit = max(measure_reach(share) for panel in shares.values() for share in panel)
    limit = min(math.ceil(limit / 10 + 0.2) * 10, 100)
    for index, (aspect, panel) in enumerate(shares.items()):
        axes = figure.add_subplot(grid[index // columns, index % columns])
        _draw_bars(axes, panel)
        axes.set_title(_break_label(aspect, 40))
        axes.set_xlim(-limit, limit)
        axes.set_yticks(
            range(len(methods)), [_break_label(name, _LABEL_CHARACTERS) for name in methods]
        )
        if index % columns:
            axes.set_yticklabels([])
        axes.xaxis.set_major_formatter(lambda value, position: f"{abs(value):g} %")
        if index + columns < len(shares):
            axes.set_xticklabels([])
    handles = [
        Patch(facecolor=color, label=word)
        for color, word in zip(_LIKERT_COLORS, ANSWERS, strict=True)
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=5, frameon=False)


def _draw_bars(axes: Axes, panel: Sequence[Values]) -> None:
    for row, share in enumerate(panel):
        left = -(share[0] + share[1] + share[2] / 2)
        for part, color, ink in zip(share, _LIKERT_COLORS, _LIKERT_INK, strict=True):
            axes.barh(row, part, left=left, height=0.72, color=color)
            if part >= 7:
                axes.text(
                    left + part / 2, row, f"{part:.0f}", ha="center", va="center", color=ink,
                    fontsize=7.5,
                )  # fmt: skip
            left += part
    axes.axvline(0, color="#888888", linewidth=0.8, zorder=0)
    axes.set_ylim(len(panel) - 0.4, -0.6)
    axes.grid(axis="x", color=_GRID, linewidth=0.8)


def _choose_limits(values: Values) -> tuple[float, float]:
    """Chooses the ends of the axis: those of the scale that the ratings seem to be on."""
    low, high = float(values.min()), float(values.max())
    if low >= 1 and high <= 5 and np.all(values == np.round(values)):
        return _LIKERT_LIMITS
    if low >= 0:
        low, high = 0.0, next((end for end in (1.0, 10.0, 100.0) if high <= end), high)
    margin = 0.03 * (high - low) or 0.5
    return low - margin, high + margin


def _break_label(name: str, characters: int) -> str:
    """Breaks a name into two lines at most; what is left over gives way to an ellipsis."""
    lines = textwrap.wrap(printable(name), characters, break_on_hyphens=True)
    if len(lines) > 2:
        lines = [lines[0], lines[1][: characters - 1].rstrip() + "…"]
    return "\n".join(lines)
