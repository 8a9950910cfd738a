"""Equalizers by role: the long-term spectrum of a group against that of finished stems.

What an instrument sounds like in finished music is known on average (see
`automix.analysis.finished_music`), for voices, drums, bass and all others. The sum of the tracks of
one such group is compared with it, and every track of the group gets the same equalizer, as a group
bus would have it: so a kick drum is not made to sound like a whole kit, and the result does not
depend on how finely the group is cut into tracks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from automix.analysis.features import THIRD_OCTAVE_CENTERS_HZ
from automix.analysis.finished_music import STEM_CENTERS_HZ, STEM_MAGNITUDE_DB
from automix.dsp.biquad import coefficients, frequency_response
from automix.methods.stems.filters import DESIGN_RATE, equalizer_power
from automix.methods.stems.hearing import HeardTrack
from automix.plan.roles import ROLE_FAMILIES, Role
from automix.plan.settings import ChannelStrip, EqualizerBand
from automix.units import db_to_power

Vector = NDArray[np.float64]
_CENTERS_HZ = np.array(THIRD_OCTAVE_CENTERS_HZ)
_JUDGED = (_CENTERS_HZ > 45.0) & (_CENTERS_HZ < 13_500.0)  # MUSDB18 ends at 16 kHz
_EARS = (_CENTERS_HZ > 180.0) & (_CENTERS_HZ < 6000.0)

MOST_DB = 6.0
"""Largest gain of a band."""

LEAST_DB = 0.7
"""Bands with a smaller gain are left out."""

SPREAD_DB = {"vocals": 3.0, "drums": 3.0, "bass": 3.0, "other": 5.0, "backing track": 5.0}
"""Deviations from the average that are normal among finished stems, and not touched: instruments
differ most. (Assumed: the averages that are published come without their spread.)"""

_BANDS = (
    EqualizerBand(kind="low_shelf", frequency_hz=110.0, q=0.707),
    EqualizerBand(kind="peak", frequency_hz=280.0, q=0.9),
    EqualizerBand(kind="peak", frequency_hz=900.0, q=0.9),
    EqualizerBand(kind="peak", frequency_hz=2800.0, q=0.9),
    EqualizerBand(kind="high_shelf", frequency_hz=7000.0, q=0.707),
)
"""The equalizer whose gains are found: broad enough that no single resonance is chased."""

_RIDGE = 0.005
_AUDIBLE_DB = 45.0  # what lies further below a class's strongest third is not judged
_NOISE_MARGIN_DB = 12.0
_THERE_DB = 35.0
_ABOVE_CORNER = 1.6  # from there on a high pass takes less than 1 dB away
_SHARED_LIMIT_DB = 3.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Tone:
    """How the spectrum of a group is, and what changes it.

    Attributes:
        names: Tracks of the group.
        kind: Its name for people.
        lacking_db: What the group lacks against finished stems ``(30,)``, in thirds of octaves,
            smoothed; below 0 where it has too much. What all groups of the song share is left out.
        bands: The equalizer.
    """

    names: tuple[str, ...]
    kind: str
    lacking_db: Vector
    bands: tuple[EqualizerBand, ...]

    def lacking_at(self, frequency_hz: float) -> float:
        """What it lacks in the third of an octave that is nearest, in dB."""
        return float(self.lacking_db[_nearest_third(frequency_hz)])


def choose_tones(
    heard: Mapping[str, HeardTrack],
    roles: Mapping[str, Role],
    strips: Mapping[str, ChannelStrip],
    share: float,
    brightness_db: float,
) -> list[Tone]:
    """Chooses the equalizer of each group of tracks.

    Args:
        heard: Measurements of the audible tracks.
        roles: Role of each.
        strips: Their strips, with gains and filters as they are in the mix.
        share: How far to go towards the average, 0…1.
        brightness_db: Treble that is added besides, and bass that is taken away.
    """
    groups = _find_groups(list(heard), roles)
    found: list[_Group] = []
    for (kind, target), names in groups.items():
        spectrum, noise = _sum_spectra(heard, names, strips)
        wanted_db = _class_levels_db(target)
        found.append(
            _Group(
                kind=kind,
                names=tuple(names),
                spectrum=spectrum,
                deviation_db=_compare(spectrum, wanted_db),
                may_rise=_find_sound(spectrum, noise, _highest_corner_hz(names, strips)),
                audible=_audibility(wanted_db),
                spread_db=SPREAD_DB[target],
            )
        )
    shared = _find_shared_deviation([group.deviation_db for group in found])
    tones = []
    for group in found:
        own = group.deviation_db - shared
        lacking = _smooth(np.where(group.may_rise, own, np.minimum(own, 0.0)))
        beyond = np.sign(lacking) * np.maximum(np.abs(lacking) - group.spread_db, 0.0)
        audible = np.where(group.may_rise | (own <= 0.0), group.audible, 0.0)
        bands = _fit_bands(share * beyond + brightness_db * _TILT, audible)
        tones.append(Tone(names=group.names, kind=group.kind, lacking_db=lacking, bands=bands))
    return tones


@dataclass(frozen=True, kw_only=True, eq=False)
class _Group:
    """Tracks that are held to one average, with what was found of them by third of an octave."""

    kind: str
    names: tuple[str, ...]
    spectrum: Vector
    deviation_db: Vector
    may_rise: NDArray[np.bool_]
    audible: Vector
    spread_db: float


def _find_groups(
    names: Sequence[str], roles: Mapping[str, Role]
) -> dict[tuple[str, str], list[str]]:
    """The groups by their name for people and the name of the average that they are held to."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name in names:
        role, family = roles[name], ROLE_FAMILIES[roles[name]]
        if role in ("lead vocal", "backing vocal"):
            key = (f"{role}s", "vocals")
        elif family in ("drums", "bass"):
            key = ("drums" if family == "drums" else "bass", family)
        elif role == "backing track":
            key = ("backing track", "backing track")
        elif family == "fx":
            continue
        else:
            key = ("instruments", "other")
        groups.setdefault(key, []).append(name)
    return groups


def _sum_spectra(
    heard: Mapping[str, HeardTrack], names: Sequence[str], strips: Mapping[str, ChannelStrip]
) -> tuple[Vector, Vector]:
    """Power ``(30,)`` of a group behind its filters: on average while it sounds, and of its noise.

    Its noise is what is left in the quietest tenth. Tracks that sound more often count more.
    """
    total, noise = np.zeros((2, len(_CENTERS_HZ)))
    for name in names:
        track, strip = heard[name], strips[name]
        powers = (track.middle + track.sides).astype(np.float64)
        gain = db_to_power(strip.input_gain_db + strip.fader_db) * float(track.active.mean())
        weight = gain * equalizer_power(strip.equalizer)
        total += weight * powers[track.active_steps].mean(axis=0)
        noise += weight * np.percentile(powers, 10, axis=0)
    return total, noise


def _highest_corner_hz(names: Sequence[str], strips: Mapping[str, ChannelStrip]) -> float:
    """The highest corner of the high passes of a group; 0 where there is none."""
    bands = (band for name in names for band in strips[name].equalizer.bands)
    return max((band.frequency_hz for band in bands if band.kind == "high_pass"), default=0.0)


def _find_sound(spectrum: Vector, noise: Vector, corner_hz: float) -> NDArray[np.bool_]:
    """Marks the thirds ``(30,)`` that may be raised: what is there is no noise, and is wanted."""
    above_noise = 10.0 * np.log10((spectrum + 1e-20) / (noise + 1e-20)) > _NOISE_MARGIN_DB
    is_there = spectrum > spectrum.max() * db_to_power(-_THERE_DB)
    lowest_hz = _ABOVE_CORNER * corner_hz
    in_range = lowest_hz < _CENTERS_HZ
    return np.asarray(above_noise & is_there & in_range)


@cache
def _class_levels_db(target: str) -> Vector:
    """Level ``(30,)`` of finished stems per third of an octave, on our centers."""
    if target == "backing track":
        classes = ("drums", "bass", "other")
        total = sum(_to_powers(_class_levels_db(name)) for name in classes)
        return np.asarray(10.0 * np.log10(total))
    density = np.interp(
        np.log(_CENTERS_HZ), np.log(np.array(STEM_CENTERS_HZ)), np.array(STEM_MAGNITUDE_DB[target])
    )
    levels = density + 10.0 * np.log10(_CENTERS_HZ)  # from per Hz to per band
    return np.asarray(levels - 10.0 * np.log10(_to_powers(levels[_EARS]).sum()))


def _to_powers(levels_db: Vector) -> Vector:
    """Powers of levels in dB."""
    return np.asarray(10.0 ** (levels_db / 10.0))


_TILT: Vector = np.clip(np.log2(_CENTERS_HZ / 1000.0) / 3.0, -1.0, 1.0)
"""From −1 at 125 Hz and below to 1 at 8 kHz and above."""


def _compare(spectrum: Vector, wanted_db: Vector) -> Vector:
    """Wanted minus found ``(30,)`` in dB, both as loud between 200 Hz and 5 kHz; 0 outside."""
    found_db = 10.0 * np.log10(spectrum + 1e-20)
    found_db = found_db - 10.0 * np.log10(spectrum[_EARS].sum() + 1e-20)
    aligned = wanted_db - 10.0 * np.log10(_to_powers(wanted_db[_EARS]).sum())
    return np.where(_JUDGED, np.clip(aligned - found_db, -24.0, 24.0), 0.0)


def _audibility(wanted_db: Vector) -> Vector:
    """How much each third matters ``(30,)``, 0…1: the stronger in finished stems, the more."""
    below = wanted_db[_JUDGED].max() - wanted_db
    return np.where(_JUDGED, np.clip(1.0 - below / _AUDIBLE_DB, 0.0, 1.0), 0.0)


def _find_shared_deviation(deviations: Sequence[Vector]) -> Vector:
    """What all groups deviate by ``(30,)``: a character of the song, which is not undone.

    A little of it is no character but how raw tracks are: up to 3 dB count as that. With fewer than
    two groups nothing is shared.
    """
    if len(deviations) < 2:
        return np.zeros(len(_CENTERS_HZ))
    low, high = np.min(deviations, axis=0), np.max(deviations, axis=0)
    common = np.where(low > 0.0, low, np.where(high < 0.0, high, 0.0))
    return np.asarray(np.sign(common) * np.maximum(np.abs(common) - _SHARED_LIMIT_DB, 0.0))


def _smooth(levels_db: Vector) -> Vector:
    """Averages ``(30,)`` over about an octave."""
    kernel = np.array([1.0, 2.0, 3.0, 2.0, 1.0]) / 9.0
    return np.convolve(np.pad(levels_db, 2, mode="edge"), kernel, mode="valid")


@cache
def _curves() -> Vector:
    """Gain in dB ``(30, bands)`` of each band of the equalizer per dB of its gain."""
    columns = []
    for band in _BANDS:
        section = coefficients(band.kind, band.frequency_hz, 3.0, band.q, DESIGN_RATE)
        response = frequency_response(section, _CENTERS_HZ, DESIGN_RATE)
        columns.append(20.0 * np.log10(np.abs(response)) / 3.0)
    return np.array(columns).T


def _fit_bands(wanted_db: Vector, weights: Vector) -> tuple[EqualizerBand, ...]:
    """The equalizer whose curve is nearest to the wanted one.

    No band does the opposite of what is wanted at its frequency, or more of it.
    """
    curves = _curves()
    weighted = curves * weights[:, np.newaxis]
    ridge = _RIDGE * float(weights.sum()) * np.eye(len(_BANDS))
    gains = np.linalg.solve(
        weighted.T @ curves + ridge + 1e-9 * np.eye(len(_BANDS)), weighted.T @ wanted_db
    )
    bands = []
    for band, gain in zip(_BANDS, gains, strict=True):
        nearest = _nearest_third(band.frequency_hz)
        wanted = float(wanted_db[nearest]) if weights[nearest] > 0.0 else 0.0
        gain_db = float(
            np.clip(gain, max(min(wanted, 0.0), -MOST_DB), min(max(wanted, 0.0), MOST_DB))
        )
        if abs(gain_db) >= LEAST_DB:
            bands.append(replace(band, gain_db=gain_db))
    return tuple(bands)


def _nearest_third(frequency_hz: float) -> int:
    return int(np.abs(np.log(_CENTERS_HZ / frequency_hz)).argmin())
