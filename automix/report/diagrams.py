"""What the report draws: the mix over time, its spectrum, and the curves of processors."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from automix.analysis.features import THIRD_OCTAVE_CENTERS_HZ
from automix.analysis.finished_music import (
    WIDTH_BANDS_HZ,
    WIDTH_LOWER_QUARTILE_DB,
    WIDTH_MEDIAN_DB,
    WIDTH_UPPER_QUARTILE_DB,
)
from automix.dsp.equalizer import response_db
from automix.plan.ride_figures import find_value
from automix.plan.rides import Ride
from automix.plan.settings import CompressorSettings, EqualizerSettings
from automix.report.drawing import Axis, Diagram, frequency_axis, time_axis

Vector = NDArray[np.float64]

_POINTS = 240
_MONO_DB = -40.0  # the bottom of the diagram of widths
_LEVEL_DB = 40.0  # the height of the levels behind rides
_RIDE_COLUMNS = 480
_SIDES = {0: "left", 0.5: "center", 1: "right"}


def waveform(low: Vector, high: Vector, duration_s: float) -> str:
    """Lowest and highest sample ``(columns,)`` over time."""
    diagram = Diagram(
        title="waveform of the mix",
        x=time_axis(duration_s),
        y=Axis(low=-1.0, high=1.0, ticks=(-1, 0, 1)),
        height=130.0,
    )
    x: Vector = np.linspace(0.0, duration_s, len(low), dtype=np.float64)
    return diagram.svg([diagram.band(x, low, high, "wave")])


def loudness_curve(short_term_lufs: Vector, integrated_lufs: float, duration_s: float) -> str:
    """Short-term loudness ``(hops,)`` every 100 ms, and the integrated loudness as a line."""
    high = 5.0 * np.ceil(max(-10.0, float(short_term_lufs.max(initial=-60.0))) / 5.0)
    diagram = Diagram(
        title=f"short-term loudness of the mix; integrated {integrated_lufs:.1f} LUFS",
        x=time_axis(duration_s),
        y=Axis(low=high - 40, high=high, ticks=list(np.arange(high - 40, high + 1, 10))),
        height=160.0,
    )
    step = max(1, len(short_term_lufs) // 600)
    levels = short_term_lufs[::step]
    x: Vector = (np.arange(len(levels), dtype=np.float64) * step + 1.0) * np.float64(0.1)
    drawn = [diagram.curve(x, np.where(np.isfinite(levels), levels, high - 40), "after")]
    if np.isfinite(integrated_lufs):
        ends = np.array([0.0, duration_s])
        drawn.append(diagram.curve(ends, np.full(2, integrated_lufs), "line"))
    return diagram.svg(drawn)


def spectrum(before_db: Vector, after_db: Vector) -> str:
    """Third-octave levels of the plain sum of the inputs, and of the mix at its loudness."""
    both = np.concatenate([before_db, after_db])
    finite = both[np.isfinite(both)]
    high = 10.0 * np.ceil(float(finite.max(initial=-90.0)) / 10.0)
    lowest = 10.0 * np.floor(float(finite.min(initial=high - 30.0)) / 10.0)
    low = max(lowest, high - 60.0)
    diagram = Diagram(
        title="long-term spectrum in thirds of an octave, before and after",
        x=frequency_axis(),
        y=Axis(low=low, high=high, ticks=list(np.arange(low, high + 1, 10))),
        height=260.0,
    )
    centers = np.array(THIRD_OCTAVE_CENTERS_HZ)
    return diagram.svg(
        diagram.curve(centers, np.where(np.isneginf(levels), low, levels), kind)
        for levels, kind in ((before_db, "before"), (after_db, "after"))
    )


def width(before_db: Vector, after_db: Vector) -> str:
    """Sides over middle in the bands of `WIDTH_BANDS_HZ`, above the range of finished mixes."""
    both = np.concatenate([before_db, after_db])
    high = 10.0 * np.ceil(max(0.0, float(both[np.isfinite(both)].max(initial=0.0))) / 10.0)
    edges = sorted({edge for band in WIDTH_BANDS_HZ for edge in band})
    axis = frequency_axis(edges[0], edges[-1])
    diagram = Diagram(
        title="width by band, before and after, and the middle half of finished mixes",
        x=replace(axis, ticks=edges),
        y=Axis(low=_MONO_DB, high=high, ticks=list(np.arange(_MONO_DB, high + 1, 10))),
    )
    x = np.array(WIDTH_BANDS_HZ).ravel()

    def draw_steps(levels: Vector | Sequence[float], kind: str) -> str:
        steps = np.repeat(np.asarray(levels, np.float64), 2)
        return diagram.curve(x, np.where(np.isneginf(steps), _MONO_DB, steps), kind)

    lower, upper = (
        np.repeat(quartile, 2) for quartile in (WIDTH_LOWER_QUARTILE_DB, WIDTH_UPPER_QUARTILE_DB)
    )
    return diagram.svg(
        [
            diagram.band(x, lower, upper, "usual"),
            draw_steps(WIDTH_MEDIAN_DB, "line"),
            draw_steps(before_db, "before"),
            draw_steps(after_db, "after"),
        ]
    )


def reduction_curve(curve_db: Vector, duration_s: float, name: str) -> str:
    """Gain reduction in equal parts of the mix, hanging from 0 dB."""
    reach = 6.0 * np.ceil(max(6.0, float(curve_db.max(initial=0.0))) / 6.0)
    diagram = Diagram(
        title=f"gain reduction over time: {name}",
        x=time_axis(duration_s),
        y=Axis(low=-reach, high=0.0, ticks=(-reach, 0), label=_change),
        width=540.0,
        height=110.0,
    )
    x: Vector = np.linspace(0.0, duration_s, len(curve_db), dtype=np.float64)
    return diagram.svg([diagram.band(x, -curve_db, np.zeros(len(curve_db)), "taken")])


def ride_curve(
    ride: Ride,
    level_db: Vector | None,
    duration_s: float,
    *,
    unit: str,
    name: str,
) -> str:
    """A ride over time, above the level of the track that it moves.

    Args:
        ride: The line.
        level_db: The level of the track in equal parts of the mix, in dB over its loudest part;
            none where it is not known.
        duration_s: The length of the mix.
        unit: The unit of the line; empty for a pan position.
        name: For those who cannot see it.
    """
    if unit:
        low = 3.0 * np.floor(min(*ride.values, -3.0) / 3.0)
        high = 3.0 * np.ceil(max(*ride.values, 3.0) / 3.0)
        room = (high - low) / 6.0  # labels that are nearer to each other would overlap
        ticks = [tick for tick in (low, 0.0, high) if tick == 0.0 or abs(tick) >= room]
        y, rest = Axis(low=low, high=high, ticks=ticks, label=_change), 0.0
    else:
        y, rest = Axis(low=0.0, high=1.0, ticks=(0, 0.5, 1), label=_SIDES.__getitem__), 0.5
    diagram = Diagram(
        title=f"ride over time: {name}", x=time_axis(duration_s), y=y, width=540.0, height=130.0
    )
    drawn = []
    if level_db is not None:
        share = np.clip(1.0 + level_db / _LEVEL_DB, 0.0, 1.0)
        x: Vector = np.linspace(0.0, duration_s, len(level_db), dtype=np.float64)
        drawn.append(
            diagram.band(x, np.full(len(x), y.low), y.low + share * (y.high - y.low), "level")
        )
    ends = np.array([0.0, duration_s])
    drawn.append(diagram.curve(ends, np.full(2, rest), "line"))
    drawn.append(diagram.curve(*_thin_line(ride, duration_s), "after"))
    return diagram.svg(drawn)


def _thin_line(ride: Ride, duration_s: float) -> tuple[Vector, Vector]:
    """Points of a ride from the start of the mix to its end: of each column only its extremes."""
    times_s, values = np.array(ride.times_s), np.array(ride.values)
    inside = (times_s > 0.0) & (times_s < duration_s)
    times_s, values = times_s[inside], values[inside]
    columns = np.floor(times_s / duration_s * _RIDE_COLUMNS).astype(np.int64)
    kept: set[int] = set()
    for column in np.unique(columns):
        first, stop = np.searchsorted(columns, [column, column + 1])
        part = values[first:stop]
        kept |= {int(first), int(stop) - 1}
        kept |= {int(first + part.argmin()), int(first + part.argmax())}
    places = sorted(kept)
    starts, ends = find_value(ride, 0.0), find_value(ride, duration_s)
    return (
        np.concatenate([[0.0], times_s[places], [duration_s]]),
        np.concatenate([[starts], values[places], [ends]]),
    )


def equalizer_curve(settings: EqualizerSettings, sample_rate: int, name: str) -> str | None:
    """Gain over frequency; nothing for an equalizer that changes nothing."""
    if not settings.is_active:
        return None
    highest_hz = min(20_000.0, 0.49 * sample_rate)
    frequencies = np.geomspace(20.0, highest_hz, _POINTS)
    gains_db = response_db(settings, frequencies, sample_rate)
    reach = 6.0 * np.ceil(max(6.0, float(np.abs(np.maximum(gains_db, -24.0)).max())) / 6.0)
    diagram = Diagram(
        title=f"equalizer of {name}",
        x=frequency_axis(high_hz=highest_hz),
        y=Axis(low=-reach, high=reach, ticks=(-reach, 0, reach), label=_change),
        width=340.0,
        height=150.0,
    )
    return diagram.svg([diagram.curve(frequencies, gains_db, "after")])


def _change(gain_db: float) -> str:
    return f"{gain_db:+g} dB" if gain_db else "0 dB"


def compressor_curve(settings: CompressorSettings, name: str) -> str | None:
    """Output over input level; nothing for a compressor that is off."""
    if not settings.compresses:
        return None
    levels_db = np.linspace(-60.0, 0.0, _POINTS)
    over_db = np.maximum(levels_db - settings.threshold_db, 0.0)
    output_db = levels_db - over_db * (1.0 - 1.0 / settings.ratio) + settings.makeup_db
    axis = Axis(low=-60.0, high=0.0, ticks=(-60, -40, -20, 0))
    diagram = Diagram(
        title=f"compressor of {name}: output over input level in dB",
        x=axis,
        y=axis,
        width=190.0,
        height=150.0,
    )
    return diagram.svg(
        [
            diagram.curve(levels_db, levels_db, "before"),
            diagram.curve(levels_db, output_db, "after"),
        ]
    )
