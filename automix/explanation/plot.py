"""One picture of a mix: what stands out, who is heard where and covered by whom, what each adds.

Where a network took part, also where it looked and what moved its advice.
"""

import math
import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from automix.evaluation.plots import Picture, draw_figure
from automix.explanation.explaining import Explanation
from automix.explanation.hearing import HeardByNetwork, Saliency
from automix.explanation.measuring import BANDS
from automix.explanation.tracks import TrackInMix
from automix.files.names import printable

_INK = "#222222"
_GRAY = "#9a9a9a"
_BLUE, _ORANGE, _RED = "#0072B2", "#E69F00", "#D55E00"
_SHARES = LinearSegmentedColormap.from_list("shares", ["#ffffff", "#9ecae1", "#2171b5", "#08306b"])
_TICKS_HZ = (100, 300, 500, 1000, 2000, 5000, 10000)
_MOST_FINDINGS = 4
_COVERED = 0.5
_WIDTH_IN = 11.0
_ROW_IN = 0.3
_COLUMNS = 700
_NAME_CHARACTERS = 20
_NOTHING = (
    "Nothing stands out: no track is far louder or softer than the others, no lead is covered,"
    " nothing was edited."
)


def explanation_picture(found: Explanation, title: str, form: str) -> Picture:
    """The picture of an explanation.

    Args:
        found: The explanation to draw.
        title: Name of the mix.
        form: One of `automix.evaluation.picture_format.FORMATS`.
    """
    return draw_figure(lambda figure: _draw(figure, found, title), form)


def _draw(figure: Figure, found: Explanation, title: str) -> None:
    # Placed by hand: the solver of Matplotlib's layouts does not always round alike.
    figure.set_layout_engine("none")
    sentences = _sentences(found)
    head, panel = 0.55 + 0.19 * len(sentences), max(_ROW_IN * len(found.tracks), 0.6)
    saliency = found.hearing.saliency if found.hearing is not None else None
    below = 2.0 + 1.0 if saliency is not None else 0.0
    figure.set_size_inches(_WIDTH_IN, head + 0.3 + panel + 0.65 + below)
    heading = _axes(figure, 0.15, 0.4, 10.7, head - 0.4)
    _write(heading, f"Why “{title}” sounds as it does", sentences)
    top = head + 0.3
    levels = _axes(figure, 1.6, top, 1.9, panel)
    _draw_levels(levels, found)
    shares = _axes(figure, 3.75, top, 4.75, panel)
    bar = _axes(figure, 8.55, top + 0.1 * panel, 0.1, 0.8 * panel)
    _draw_shares(shares, bar, found.tracks)
    _draw_changes(_axes(figure, 9.3, top, 1.55, panel), found.tracks)
    if saliency is not None and found.hearing is not None:
        top += panel + 0.95
        heard = found.hearing.tracks[saliency.track]
        _draw_saliency(_axes(figure, 1.6, top, 6.9, 2.0), saliency, found.duration_s)
        _draw_parts(_axes(figure, 9.1, top, 1.75, 2.0), heard, saliency)


def _axes(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Axes at a place in inches from the upper left corner."""
    wide, high = figure.get_size_inches()
    return figure.add_axes((left / wide, 1.0 - (top + height) / high, width / wide, height / high))


def _sentences(found: Explanation) -> list[str]:
    lines: list[str] = []
    for number, finding in enumerate(found.findings[:_MOST_FINDINGS], 1):
        wrapped = textwrap.wrap(f"{number}.  {printable(finding.sentence)}", 150)
        lines += [wrapped[0], *(f"      {line}" for line in wrapped[1:])]
    return lines or [_NOTHING]


def _write(axes: Axes, title: str, lines: Sequence[str]) -> None:
    axes.set_axis_off()
    axes.set_title(title, fontsize=12)
    axes.text(0.0, 1.0, "\n".join(lines), transform=axes.transAxes, va="top", linespacing=1.35)


def _draw_levels(axes: Axes, found: Explanation) -> None:
    """Loudness of each track over the median of the others."""
    loud = {f.track for f in found.findings if f.kind in ("loud", "quiet")}
    for row, track in enumerate(found.tracks):
        if track.state != "in the mix" or not math.isfinite(track.over_others_lu):
            axes.text(0.0, row, track.state, va="center", ha="center", color=_RED, fontsize=8)
            continue
        color = _RED if track.name in loud else _BLUE
        axes.barh(row, track.over_others_lu, height=0.62, color=color)
    limit = max([6.0, *(abs(t.over_others_lu) for t in found.tracks if _is_heard(t))]) * 1.1
    axes.set_xlim(-limit, limit)
    axes.axvline(0.0, color=_GRAY, linewidth=0.8)
    axes.set_ylim(len(found.tracks) - 0.5, -0.5)
    names = [_short(track.name) for track in found.tracks]
    axes.set_yticks(range(len(names)), names)
    axes.set_title("How loud")
    axes.set_xlabel("softer   ←   LU   →   louder\nthan the other tracks", fontsize=8)
    axes.grid(axis="x", color="#e0e0e0", linewidth=0.8)


def _short(name: str) -> str:
    name = printable(name)
    return name if len(name) <= _NAME_CHARACTERS else name[: _NAME_CHARACTERS - 1].rstrip() + "…"


def _is_heard(track: TrackInMix) -> bool:
    return track.state == "in the mix" and math.isfinite(track.over_others_lu)


def _draw_shares(axes: Axes, bar_axes: Axes, tracks: Sequence[TrackInMix]) -> None:
    """Share of the mix by critical band, hatched where the track is mostly covered."""
    shares = np.array([t.band_shares if _is_heard(t) else (0.0,) * len(BANDS) for t in tracks])
    image = axes.imshow(
        100.0 * shares,
        cmap=_SHARES,
        norm=PowerNorm(0.6, vmin=0.0, vmax=100.0),
        aspect="auto",
        extent=(-0.5, len(BANDS) - 0.5, len(tracks) - 0.5, -0.5),
        interpolation="nearest",
    )
    for row, track in enumerate(tracks):
        for band, covered in enumerate(track.cover.bands):
            if _is_heard(track) and covered is not None and covered >= _COVERED:
                axes.add_patch(
                    Rectangle(
                        (band - 0.5, row - 0.5), 1, 1, fill=False, hatch="////", linewidth=0.0,
                        edgecolor=_ORANGE, alpha=0.25 + 0.6 * (covered - _COVERED) / (1 - _COVERED),
                    )
                )  # fmt: skip
    for row in range(len(tracks) + 1):
        axes.axhline(row - 0.5, color="#e0e0e0", linewidth=0.6)
    edges = np.array([low for low, _ in BANDS] + [BANDS[-1][1]])
    places = np.interp(np.log(_TICKS_HZ), np.log(edges), np.arange(len(edges)) - 0.5)
    axes.set_xticks(places, [f"{hz:g}" if hz < 1000 else f"{hz / 1000:g}k" for hz in _TICKS_HZ])
    axes.set_yticks([])
    axes.set_xlabel(
        "frequency in Hz, from bass to treble\n"
        "blue: how much of the mix is this track · orange: it plays, but others cover it",
        fontsize=8,
    )
    axes.set_title("Who is heard where")
    bar = axes.figure.colorbar(image, cax=bar_axes)
    bar.set_ticks([0, 50, 100], labels=["0 %", "50 %", "all"])
    bar.outline.set_visible(False)


def _draw_changes(axes: Axes, tracks: Sequence[TrackInMix]) -> None:
    """Loudness that the mix would lose or gain."""
    changes = [min(max(track.change.mix_lu, -12.0), 12.0) for track in tracks]
    limit = max(1.0, *(abs(change) for change in changes)) * 1.35
    for row, (track, change) in enumerate(zip(tracks, changes, strict=True)):
        muted = track.state == "muted"
        axes.barh(row, change, height=0.62, color=_ORANGE if muted else _GRAY)
        label = f"{change:+.1f}" if abs(change) >= 0.05 else "0"
        label += " with it" if muted else ""
        if not math.isfinite(track.change.mix_lu):
            label = "silence"
        side = "left" if change > 0 else "right"
        axes.annotate(
            label, (change, row), (4 if change > 0 else -4, 0), textcoords="offset points",
            va="center", ha=side, fontsize=7.5,
        )  # fmt: skip
    axes.set_xlim(-limit, limit if max(changes) > 0.05 else 0.05 * limit)
    axes.axvline(0.0, color=_GRAY, linewidth=0.8)
    axes.set_ylim(len(tracks) - 0.5, -0.5)
    axes.set_yticks([])
    axes.set_title("The mix without it")
    axes.set_xlabel("change of loudness in LU", fontsize=8)


def _draw_saliency(axes: Axes, saliency: Saliency, duration_s: float) -> None:
    """The track's mel spectrogram in gray, and over it where the network looks."""
    mel, own = _pool(saliency.mel), _pool(saliency.own)
    end_s = len(saliency.mel) * saliency.hop_s
    frequencies = np.array(saliency.frequencies_hz)
    steps = np.arange(len(frequencies))
    extent = (0.0, end_s, -0.5, len(frequencies) - 0.5)
    axes.imshow(
        mel.T, cmap="Greys", aspect="auto", origin="lower", extent=extent, interpolation="nearest"
    )
    strength = np.nan_to_num(own)
    strength /= max(float(np.percentile(strength, 99)), 1e-30)
    axes.imshow(
        np.full_like(strength, 1.0).T,
        cmap=LinearSegmentedColormap.from_list("salient", [_RED, _RED]),
        alpha=0.8 * np.clip(strength, 0.0, 1.0).T ** 1.5,
        aspect="auto",
        origin="lower",
        extent=extent,
        interpolation="nearest",
    )
    ticks = (200, 500, 1000, 2000, 4000, 7000)
    axes.set_yticks(
        np.interp(ticks, frequencies, steps),
        [f"{hz:g}" if hz < 1000 else f"{hz // 1000}k" for hz in ticks],
    )
    axes.set_ylabel("Hz")
    axes.set_xlabel(
        f"time in s (of {duration_s:.0f} s) · gray: {_short(saliency.track)} as the network hears"
        f" it · red: what moves its {saliency.output.removesuffix('_lu').removesuffix('_db')} most"
        f" ({100 * saliency.own_share:.0f} % of the pull is its own, the rest the other tracks')",
        fontsize=8,
    )
    axes.set_title(f"Where the network looks in {_short(saliency.track)}")


def _pool(whole: NDArray[np.float32]) -> NDArray[np.float64]:
    """At most 700 columns, the means of those that are there."""
    count = min(len(whole), _COLUMNS)
    pieces = np.array_split(whole, max(count, 1))
    rows = [
        np.nanmean(piece, 0, dtype=np.float64)
        if np.isfinite(piece).any()
        else np.full(whole.shape[1], np.nan)
        for piece in pieces
    ]
    return np.array(rows)


def _draw_parts(axes: Axes, heard: HeardByNetwork, saliency: Saliency) -> None:
    """What moved the advice on the level, in dB."""
    said = heard.said[0]
    parts = [part for part in said.parts if abs(part[1]) >= 0.005]
    if not parts:
        axes.set_axis_off()
        return
    facts = dict(heard.facts)
    units = {"crest factor": "dB", "loudness range": "LU", "sides": "dB"}
    for row, (name, part) in enumerate(parts):
        axes.barh(row, part, height=0.62, color=_RED if part > 0 else _BLUE)
        text = printable(name)
        if name == "activity":
            text += f" {100 * facts[name]:.0f} %"
        elif name in facts:
            text += f" {facts[name]:.0f} {units[name]}"
        axes.annotate(text, (0.0, row), (0, 9), textcoords="offset points", ha="center", fontsize=7)
    limit = max(abs(part) for _, part in parts) * 1.3
    axes.set_xlim(-limit, limit)
    axes.axvline(0.0, color=_GRAY, linewidth=0.8)
    axes.set_ylim(len(parts) - 0.3, -0.8)
    axes.set_yticks([])
    axes.set_xlabel("dB softer  ←   → louder", fontsize=8)
    axes.set_title(f"Its advice: {said.value:+.1f} {said.unit}".rstrip())
