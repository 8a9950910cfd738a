"""How wide each track becomes, so that the mix is as wide as finished music.

A widener gives a track sides that cancel in mono. How much of it each track gets follows from the
mix: in every band, the sides of all tracks together should stand to their middles as in finished
mixes (see `automix.analysis.finished_music`). What stands in the center stays as it is; pads and
what is played in pairs carry most.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from automix.analysis.features import THIRD_OCTAVE_CENTERS_HZ
from automix.analysis.finished_music import (
    WIDTH_BANDS_HZ,
    WIDTH_LOWER_QUARTILE_DB,
    WIDTH_UPPER_QUARTILE_DB,
)
from automix.dsp.biquad import coefficients, frequency_response
from automix.dsp.k_weighting import k_weighting
from automix.dsp.pan import balance_gains, pan_gains
from automix.methods.stems.filters import DESIGN_RATE, equalizer_power
from automix.methods.stems.hearing import HeardTrack
from automix.plan.model import PanLaw
from automix.plan.roles import Role
from automix.plan.settings import ChannelStrip
from automix.units import db_to_power, power_to_db

Vector = NDArray[np.float64]

WIDEST_DB: dict[Role, float] = {
    "backing vocal": -4.0,
    "hats": -6.0, "tom": -7.0, "cymbals": -4.0, "overheads": -4.0, "room": -4.0,
    "percussion": -5.0, "drums": -5.0,
    "electric guitar": -4.0, "acoustic guitar": -4.0, "guitar": -4.0,
    "keys": -4.0, "piano": -4.0, "organ": -4.0, "synth": -4.0, "pad": -3.0,
    "strings": -3.0, "brass": -5.0, "woodwind": -6.0, "fx": -3.0,
    "backing track": -5.0, "other": -4.0,
}  # fmt: skip
"""Most that a widener adds to a track of a role, sides against the middle. Roles that are not here
stay as they are: bass, kick, snare and lead vocal, which a widener would pull from the center."""

CORNER_HZ = 110.0
"""Sides are added above this: what is lower stays in the middle."""

FINISHED_DB = tuple(
    (low + high) / 2
    for low, high in zip(WIDTH_LOWER_QUARTILE_DB, WIDTH_UPPER_QUARTILE_DB, strict=True)
)
"""Sides over middle that a mix is to have, by band: the middle between the quartiles of finished
mixes, so that a band that cannot be met exactly is still within them."""

LEAST_DB = -24.0
"""Less than this is left out: it could not be heard."""

_FIRST_BAND = 1  # the bands above the corner
_BAND_OF_THIRD = np.array(
    [
        next((n for n, (low, high) in enumerate(WIDTH_BANDS_HZ) if low <= center < high), -1)
        for center in THIRD_OCTAVE_CENTERS_HZ
    ]
)
_ROUNDS = 200
_STEP = 0.5
_START_DB = -6.0
_ALREADY_WIDE_DB = -12.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Widths:
    """Sides to add.

    Attributes:
        side_db: By track, sides against the middle.
        before_db: Sides over middle of the mix without them ``(8,)``, by band.
        after_db: The same with them.
    """

    side_db: dict[str, float]
    before_db: Vector
    after_db: Vector


def choose_widths(
    heard: Mapping[str, HeardTrack],
    strips: Mapping[str, ChannelStrip],
    roles: Mapping[str, Role],
    pan_law: PanLaw,
    sides_db: float,
    reverb_below_mix_db: float,
) -> Widths:
    """Chooses the sides that each track gets.

    Args:
        heard: Measurements of the audible tracks.
        strips: Their strips, with the gains that the tracks would have without processors: what the
            processors change of a track's loudness, its fader makes up for later.
        roles: Role of each.
        pan_law: Of the plan.
        sides_db: Wanted sides of the mix against those of finished mixes.
        reverb_below_mix_db: Level of reverbs that come on top, which have sides of their own.

    Returns:
        Nothing for tracks that stay as they are.
    """
    placed = {name: _place(track, strips[name], pan_law) for name, track in heard.items()}
    middles = np.array([middle for middle, _ in placed.values()])
    sides = np.array([side for _, side in placed.values()])
    wanted = 10.0 ** ((np.array(FINISHED_DB) + sides_db) / 10.0)
    judged = np.arange(len(WIDTH_BANDS_HZ)) >= _FIRST_BAND
    # Bands in which next to nothing sounds do not steer.
    judged &= middles.sum(axis=0) > middles.sum() * 1e-6
    most = np.array(
        [
            db_to_power(WIDEST_DB[roles[name]])
            if roles[name] in WIDEST_DB and track.side_share < db_to_power(_ALREADY_WIDE_DB)
            else 0.0
            for name, track in heard.items()
        ]
    )

    def predict(shares: Vector) -> tuple[Vector, Vector]:
        """Power of each track's sides ``(tracks, 8)``, and of the mix's sides over its middle."""
        # Faders make up for the loudness that sides add.
        lower = 1.0 / (1.0 + shares[:, np.newaxis])
        of_tracks = (sides + shares[:, np.newaxis] * _above_corner() * middles) * lower
        middle = (middles * lower).sum(axis=0) + 1e-20
        reverb = 0.5 * db_to_power(-reverb_below_mix_db)
        return of_tracks, of_tracks.sum(axis=0) / middle + reverb

    shares = most * db_to_power(_START_DB)
    for _ in range(_ROUNDS):
        of_tracks, ratio = predict(shares)
        error = np.where(judged, np.log(wanted / (ratio + 1e-20)), 0.0)
        weights = np.where(judged, middles / (of_tracks.sum(axis=0) + 1e-20), 0.0)
        weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-20)
        shares = np.minimum(np.maximum(shares * np.exp(_STEP * weights @ error), 1e-6), most)
    levels = {
        name: power_to_db(float(share)) for name, share in zip(heard, shares, strict=True) if share
    }
    with np.errstate(divide="ignore", invalid="ignore"):  # low rates have no highest bands
        return Widths(
            side_db={name: level for name, level in levels.items() if level >= LEAST_DB},
            before_db=10.0 * np.log10(sides.sum(axis=0) / middles.sum(axis=0)),
            after_db=10.0 * np.log10(predict(shares)[1]),
        )


@cache
def _above_corner() -> Vector:
    """Power gain ``(8,)`` of the widener's high pass in the middle of each band."""
    centers = np.array([math.sqrt(low * high) for low, high in WIDTH_BANDS_HZ])
    section = coefficients("high_pass", CORNER_HZ, 0.0, math.sqrt(0.5), DESIGN_RATE)
    return np.asarray(np.abs(frequency_response(section, centers, DESIGN_RATE)) ** 2)


def _place(track: HeardTrack, strip: ChannelStrip, pan_law: PanLaw) -> tuple[Vector, Vector]:
    """Power ``(8,)`` of the middle and of the sides of a track behind fader and pan, by band."""
    middles, all_sides = (
        thirds.mean(axis=0, dtype=np.float64) for thirds in (track.middle, track.sides)
    )
    equalizer = equalizer_power(strip.equalizer)
    # The fader makes up for what the equalizer changes of the loudness.
    heard = _k_weights() * (middles + all_sides)
    gain = db_to_power(strip.fader_db + strip.input_gain_db) * equalizer
    gain *= float(heard.sum()) / max(float((heard * equalizer).sum()), 1e-20)
    middle, side = _by_band(middles * gain), _by_band(all_sides * gain)
    gains_of = pan_gains if track.side_share == 0.0 else balance_gains
    left, right = gains_of(strip.pan, pan_law)
    same, other = ((left + right) / 2) ** 2, ((left - right) / 2) ** 2
    return same * middle + other * side, other * middle + same * side


@cache
def _k_weights() -> Vector:
    """Power gain ``(30,)`` of the meter's K-weighting in thirds of octaves."""
    sections = k_weighting(DESIGN_RATE)
    response = frequency_response(sections, THIRD_OCTAVE_CENTERS_HZ, DESIGN_RATE)
    return np.asarray(np.abs(response) ** 2)


def _by_band(thirds: NDArray[np.floating]) -> Vector:
    return np.array(
        [float(thirds[band == _BAND_OF_THIRD].sum()) for band in range(len(WIDTH_BANDS_HZ))]
    )
