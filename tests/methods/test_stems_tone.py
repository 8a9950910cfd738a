"""Equalizers by role, from spectra that are constructed in thirds of octaves."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import correlate1d
from scipy.signal import freqz

from automix.analysis.conditions import ConditionScan
from automix.analysis.features import THIRD_OCTAVE_CENTERS_HZ
from automix.analysis.finished_music import STEM_CENTERS_HZ, STEM_MAGNITUDE_DB
from automix.analysis.third_octaves import HOPS_PER_STEP
from automix.methods.stems.hearing import HeardTrack
from automix.methods.stems.tone import MOST_DB, SPREAD_DB, choose_tones
from automix.plan.settings import ChannelStrip, EqualizerBand, EqualizerSettings
from tests.methods.raw_songs import band_song, noise, notes, session_of, written

CENTERS = np.array(THIRD_OCTAVE_CENTERS_HZ)
STEPS = 50
RESTING = 10
SHARE = 0.8
ROLES = {"vocals": "lead vocal", "drums": "drums", "bass": "bass", "other": "keys"}


def average_db(kind):
    """Levels of finished stems per third of an octave, from levels per Hz."""
    density = np.interp(np.log(CENTERS), np.log(STEM_CENTERS_HZ), STEM_MAGNITUDE_DB[kind])
    return density + 10 * np.log10(CENTERS)


def heard_of(levels_db, floor_db=-120.0):
    """A track with a spectrum, which rests for a fifth of the time at a noise floor."""
    powers = np.tile(10 ** (np.asarray(levels_db) / 10), (STEPS, 1))
    powers[:RESTING] = 10 ** (np.asarray(floor_db) / 10)
    active = np.arange(STEPS * HOPS_PER_STEP) >= RESTING * HOPS_PER_STEP
    return HeardTrack(
        conditions=ConditionScan(44100, 1).result(),
        lufs=-23.0,
        loudness_range_lu=5.0,
        crest_db=15.0,
        energies=np.where(active, 0.005, 1e-9),
        active=active,
        side_share=0.0,
        middle=powers.astype(np.float32),
        sides=np.zeros_like(powers, dtype=np.float32),
    )


def tones_of(tracks, share=SHARE, brightness_db=0.0, strips=None):
    """Tones by name of their first track, of ``{name: (role, heard)}``."""
    heard = {name: track for name, (_, track) in tracks.items()}
    roles = {name: role for name, (role, _) in tracks.items()}
    all_strips = {name: ChannelStrip(name=name) for name in tracks} | (strips or {})
    tones = choose_tones(heard, roles, all_strips, share, brightness_db)
    return {tone.names[0]: tone for tone in tones}


def filtered(name, *bands):
    """A strip with filters."""
    return ChannelStrip(name=name, equalizer=EqualizerSettings(bands=bands))


def dull(octaves_db=-4.0, from_hz=1000.0):
    """Less treble than the average by so much per octave."""
    return octaves_db * np.maximum(np.log2(CENTERS / from_hz), 0.0)


def curve_db(bands, rate=96000):
    """The curve of an equalizer at the centers, by the formulas of the Audio EQ Cookbook."""
    total = np.zeros(len(CENTERS))
    for band in bands:
        amplitude, angle = 10 ** (band.gain_db / 40), 2 * np.pi * band.frequency_hz / rate
        cosine, alpha = np.cos(angle), np.sin(angle) / (2 * band.q)
        root = 2 * np.sqrt(amplitude) * alpha
        up, down = amplitude + 1, amplitude - 1
        if band.kind == "peak":
            b = [1 + alpha * amplitude, -2 * cosine, 1 - alpha * amplitude]
            a = [1 + alpha / amplitude, -2 * cosine, 1 - alpha / amplitude]
        else:
            sign = {"high_shelf": 1, "low_shelf": -1}[band.kind]
            b = [
                amplitude * (up + sign * down * cosine + root),
                -sign * 2 * amplitude * (down + sign * up * cosine),
                amplitude * (up + sign * down * cosine - root),
            ]
            a = [
                up - sign * down * cosine + root,
                sign * 2 * (down - sign * up * cosine),
                up - sign * down * cosine - root,
            ]
        _, response = freqz(b, a, CENTERS, fs=rate)
        total += 20 * np.log10(np.abs(response))
    return total


@pytest.mark.parametrize("kind", ROLES)
@pytest.mark.parametrize("level_db", [-30.0, 0.0])
def test_a_group_with_the_spectrum_of_finished_ones_is_left_alone(kind, level_db):
    track = heard_of(average_db(kind) + level_db)
    assert tones_of({"x": (ROLES[kind], track)})["x"].bands == ()


@pytest.mark.parametrize("kind", ROLES)
def test_what_differs_no_more_than_finished_ones_do_is_left_alone(kind):
    within = 0.45 * SPREAD_DB[kind] * np.clip(np.log2(CENTERS / 700.0), -1, 1)
    assert tones_of({"x": (ROLES[kind], heard_of(average_db(kind) + within))})["x"].bands == ()


@pytest.mark.parametrize(("kind", "role"), [("vocals", "lead vocal"), ("other", "synth")])
@pytest.mark.parametrize("slope", [-4.5, 6.0])
def test_a_dull_group_gets_treble_and_a_harsh_one_loses_some_within_limits(kind, role, slope):
    bands = tones_of({"x": (role, heard_of(average_db(kind) + dull(slope)))})["x"].bands
    assert 0 < len(bands) <= 5
    for band in bands:
        assert 0.7 <= abs(band.gain_db) <= MOST_DB == 6.0
        assert 0 < band.q <= 1.4
    curve = curve_db(bands)
    tilt_db = np.interp(8000, CENTERS, curve) - np.interp(500, CENTERS, curve)
    assert np.sign(tilt_db) == -np.sign(slope)
    assert abs(tilt_db) > 2.0
    assert np.abs(curve).max() < 1.5 * MOST_DB  # neighbors add up a little


@pytest.mark.parametrize(("kind", "role"), [("vocals", "lead vocal"), ("other", "synth")])
def test_what_is_not_there_is_not_raised(kind, role):
    """Treble falls by 12 dB per octave more: soon it lies 35 dB under the strongest third."""
    levels = average_db(kind) + dull(-12.0)
    highest_hz = CENTERS[levels > levels.max() - 35.0].max()
    assert 2000 < highest_hz < 6000
    bands = tones_of({"x": (role, heard_of(levels))})["x"].bands
    curve = curve_db(bands)
    assert curve[highest_hz >= CENTERS].max() > 4.0
    assert max(band.frequency_hz for band in bands) < highest_hz
    assert curve[2 * highest_hz < CENTERS].max() < 1.5


def thin(octaves_db=-6.0, below_hz=500.0):
    """Less bass than the average by so much per octave."""
    return octaves_db * np.maximum(np.log2(below_hz / CENTERS), 0.0)


def test_what_a_high_pass_takes_is_not_given_back():
    """A thin voice gets its bass; behind a high pass none below, or just above, its corner."""
    tracks = {"x": ("lead vocal", heard_of(average_db("vocals") + thin(-4.0)))}
    high_pass = filtered("x", EqualizerBand(kind="high_pass", frequency_hz=160.0))
    free = curve_db(tones_of(tracks)["x"].bands)
    held = curve_db(tones_of(tracks, strips={"x": high_pass})["x"].bands)
    low = (CENTERS > 60) & (CENTERS < 110)
    assert free[low].min() > 2.0
    assert held[low].max() < 0.7


def test_a_strips_filters_count_in_the_spectrum():
    """A track that differs by a shelf is left alone where its strip has the opposite shelf."""
    shelf = EqualizerBand(kind="high_shelf", frequency_hz=3000.0, q=0.707, gain_db=8.0)
    harsh = heard_of(average_db("vocals") + curve_db([shelf]))
    tracks = {"x": ("lead vocal", harsh)}
    assert tones_of(tracks)["x"].bands
    undone = filtered("x", replace(shelf, gain_db=-8.0))
    tone = tones_of(tracks, strips={"x": undone})["x"]
    assert tone.bands == ()
    assert np.abs(tone.lacking_db).max() < 0.1
    assert np.isclose(tones_of(tracks)["x"].lacking_at(7000.0), -8.0, atol=1.5)


@pytest.mark.parametrize(("kind", "role"), [("vocals", "lead vocal"), ("other", "synth")])
def test_no_band_does_the_opposite_of_what_is_wanted_or_more(kind, role):
    """On spectra that wander at random: what lies beyond the spread is the most of every band."""
    draw, bands = np.random.default_rng(7), 0
    for _ in range(30):
        wander = np.cumsum(draw.normal(0, 3.0, len(CENTERS)))
        tone = tones_of({"x": (role, heard_of(average_db(kind) + wander))})["x"]
        for band in tone.bands:
            lacking_db = tone.lacking_at(band.frequency_hz)
            beyond_db = max(abs(lacking_db) - SPREAD_DB[kind], 0.0)
            assert np.sign(band.gain_db) == np.sign(lacking_db)
            assert abs(band.gain_db) <= SHARE * beyond_db + 1e-9
            bands += 1
    assert bands > 30


def test_the_noise_floor_is_never_raised():
    """A hiss 6 dB under the track from 2 kHz on: the same lack of treble, and no more of it."""
    levels = average_db("vocals") + dull(-5.0)
    hiss = np.where(CENTERS > 2000, levels - 6.0, -120.0)
    clean = tones_of({"x": ("lead vocal", heard_of(levels))})["x"]
    noisy = tones_of({"x": ("lead vocal", heard_of(levels, hiss))})["x"]
    ears = (CENTERS > 400) & (CENTERS < 1600)
    treble = (CENTERS > 4500) & (CENTERS < 13000)
    rise = [
        curve_db(t.bands)[treble].mean() - curve_db(t.bands)[ears].mean() for t in (clean, noisy)
    ]
    assert rise[0] > 3.0
    assert rise[1] < 0.5


def test_a_hissing_track_may_still_lose_what_it_has_too_much_of():
    levels = average_db("vocals") - dull(-5.0)
    hiss = np.where(CENTERS > 2000, levels - 6.0, -120.0)
    curve = curve_db(tones_of({"x": ("lead vocal", heard_of(levels, hiss))})["x"].bands)
    assert np.interp(7000, CENTERS, curve) < np.interp(800, CENTERS, curve) - 2.0


def test_a_character_that_the_whole_song_shares_stays():
    """All groups are dull alike; then one of them is not."""
    dark = {
        kind: (role, heard_of(average_db(kind) + dull(-5.0)))
        for kind, role in ROLES.items()
        if kind != "bass"  # which has no treble to judge
    }
    for tone in tones_of(dark).values():
        assert tone.bands == ()
    mixed = dark | {"other": (ROLES["other"], heard_of(average_db("other")))}
    found = tones_of(mixed)
    assert found["other"].bands == ()
    for kind in ("vocals", "drums"):
        curve = curve_db(found[kind].bands)
        assert np.interp(7000, CENTERS, curve) > np.interp(800, CENTERS, curve) + 2.0


def test_a_group_alone_shares_nothing_and_is_corrected():
    alone = tones_of({"x": ("lead vocal", heard_of(average_db("vocals") + dull(-5.0)))})
    assert alone["x"].bands


def weights_of(kind):
    """How much each third is heard of in finished stems: none from 45 dB under the strongest on."""
    judged = (CENTERS > 45) & (CENTERS < 13500)
    levels = average_db(kind)
    heard = np.clip(1 - (levels[judged].max() - levels) / 45, 0, 1)
    return np.where(judged, heard, 0)


@pytest.mark.parametrize(("kind", "role"), [("vocals", "lead vocal"), ("drums", "drums")])
@pytest.mark.parametrize("step_db", [14.0, -14.0])
@pytest.mark.parametrize("corner_hz", [300.0, 2000.0, 5000.0])
def test_the_fitted_curve_goes_the_stated_share_of_the_way(kind, role, step_db, corner_hz):
    """A smooth step: what lies beyond the spread is made up for by no more than the share.

    It is by no less than half of that: the equalizer is held back where it could win little, and
    no band goes further than is wanted at its own frequency.
    """
    lacking = step_db / (1 + (corner_hz / CENTERS) ** 2)
    aligned = (CENTERS > 180) & (CENTERS < 6000)
    spectrum = average_db(kind) - lacking
    powers = [10 ** (levels[aligned] / 10) for levels in (average_db(kind), spectrum)]
    deviation = lacking - 10 * np.log10(powers[0].sum() / powers[1].sum())
    deviation = np.where((CENTERS > 45) & (CENTERS < 13500), deviation, 0)
    there = spectrum > spectrum.max() - 35  # what is not there may be lowered only
    lacking = np.where(there, deviation, np.minimum(deviation, 0))
    lacking = correlate1d(lacking, np.array([1, 2, 3, 2, 1]) / 9, mode="nearest")
    beyond = np.sign(lacking) * np.maximum(np.abs(lacking) - SPREAD_DB[kind], 0)
    weights = np.where(there | (deviation <= 0), weights_of(kind), 0)
    wanted = beyond - np.average(beyond, weights=weights)
    went = []
    for share in (0.2, 0.5, 0.8):
        tone = tones_of({"x": (role, heard_of(spectrum))}, share)["x"]
        judged = weights > 0
        np.testing.assert_allclose(tone.lacking_db[judged], lacking[judged], atol=0.02)
        curve = curve_db(tone.bands)
        curve = curve - np.average(curve, weights=weights)
        went.append(np.sum(weights * wanted * curve) / np.sum(weights * wanted**2))
        assert went[-1] <= 1.05 * share
    assert sorted(went) == went
    assert went[-1] >= 0.5 * 0.8
    fit = np.sum(weights * curve**2) * np.sum(weights * wanted**2)
    assert np.sum(weights * wanted * curve) / np.sqrt(fit) > 0.85  # and in the right places


def test_no_share_is_no_equalizer():
    tracks = {"x": ("lead vocal", heard_of(average_db("vocals") + dull(-6.0)))}
    assert tones_of(tracks, share=0.0)["x"].bands == ()


def test_brightness_makes_treble_and_takes_bass():
    tracks = {"x": ("synth", heard_of(average_db("other") + dull(-5.0)))}
    curves = {db: curve_db(tones_of(tracks, brightness_db=db)["x"].bands) for db in (-3.0, 3.0)}
    tilt = {
        db: np.interp(8000, CENTERS, c) - np.interp(150, CENTERS, c) for db, c in curves.items()
    }
    assert tilt[3.0] > tilt[-3.0] + 1.5


def test_brightness_is_no_part_of_the_spread():
    """A group that sounds as finished ones do gets all of it, and no more."""
    bands = tones_of({"x": ("synth", heard_of(average_db("other")))}, brightness_db=2.0)["x"].bands
    curve = curve_db(bands)
    assert np.interp(10000, CENTERS, curve) == pytest.approx(2.0, abs=0.5)
    assert np.interp(80, CENTERS, curve) == pytest.approx(-2.0, abs=0.7)
    assert np.abs(curve).max() < 2.5


def test_how_finely_a_group_is_cut_does_not_matter():
    """A drum kit as one track, and as kick, snare and cymbals in three ranges."""
    levels = average_db("drums") + dull(-4.0)
    whole = tones_of({"kit": ("drums", heard_of(levels))})["kit"]
    ranges = ((0, 150, "kick"), (150, 2000, "snare"), (2000, 30000, "cymbals"))
    parts = {
        role: (role, heard_of(np.where((low <= CENTERS) & (high > CENTERS), levels, -200.0)))
        for low, high, role in ranges
    }
    (cut,) = tones_of(parts).values()
    assert cut.names == ("kick", "snare", "cymbals")
    assert [band.gain_db for band in cut.bands] == pytest.approx(
        [band.gain_db for band in whole.bands], abs=0.05
    )


def test_levels_in_the_mix_say_whose_spectrum_counts():
    bright, dark = (
        heard_of(average_db("other") + dull(3.0)),
        heard_of(average_db("other") + dull(-6)),
    )
    tracks = {"a": ("synth", bright), "b": ("keys", dark)}
    curves = {
        db: curve_db(tones_of(tracks, strips={"b": ChannelStrip(name="b", fader_db=db)})["a"].bands)
        for db in (-20.0, 30.0)
    }
    tilts = {
        db: np.interp(7000, CENTERS, c) - np.interp(500, CENTERS, c) for db, c in curves.items()
    }
    assert tilts[-20.0] < 0.0 < tilts[30.0]


def test_all_tracks_of_a_group_get_the_same_bands_in_the_plan():
    tracks = band_song()
    tracks["pad"] = ("pad", noise(200, 800, 8) * notes(9))
    tracks["guitar"] = ("guitar", noise(200, 500, 6) * notes(6))
    tracks["keys"] = ("keys", (noise(200, 400, 7) + 0.3 * noise(400, 9000, 77)) * notes(7))
    plan = written(session_of(tracks), mode="full")
    tone = {}
    for decision in plan.decisions:
        if decision.rule == "tone":
            name, rest = decision.setting.split(".", 1)
            number = int(rest.split(".")[2])
            band = plan.strip(name).equalizer.bands[number - 1]
            assert band.gain_db == decision.value
            tone.setdefault(name, []).append(band)
    assert {"kick", "snare"} <= tone.keys()
    assert tone["kick"] == tone["snare"]
    assert tone["guitar"] == tone["keys"] == tone["pad"]
    assert tone["lead"] != tone["guitar"]
    assert max(len(bands) for bands in tone.values()) <= 5
