"""Widths: predicted and measured, on mono songs of noise."""

from dataclasses import replace

import numpy as np
import pytest

from automix.analysis.features import measure_features
from automix.analysis.finished_music import (
    WIDTH_BANDS_HZ,
    WIDTH_LOWER_QUARTILE_DB,
    WIDTH_UPPER_QUARTILE_DB,
)
from automix.audio.samples import Audio
from automix.methods.stems.hearing import hear_stems
from automix.methods.stems.widths import CORNER_HZ, WIDEST_DB, choose_widths
from automix.plan.settings import ChannelStrip, WidenerSettings
from tests.methods.raw_songs import (
    RATE,
    band_song,
    flows,
    lufs,
    noise,
    premaster,
    session_of,
    written,
)

NO_REVERB_DB = 100.0
DRY = {"mode": "full", "no_space": True}
LOW_BAND, ABOVE_500 = 2, slice(3, 7)  # the last band ends above the half of the sample rate
LOWER, UPPER = np.array(WIDTH_LOWER_QUARTILE_DB), np.array(WIDTH_UPPER_QUARTILE_DB)
WANTED = (LOWER + UPPER) / 2


def full_band_song():
    """Eight mono tracks that fill all bands."""
    song = band_song()
    song["guitar"] = ("guitar", 0.7 * noise(100, 10500, 6))
    song["keys"] = ("keys", 0.5 * noise(100, 10500, 7))
    song["organ"] = ("organ", 0.5 * noise(150, 10500, 9))
    return song


def assert_as_wide_as_finished(sides):
    """Within the quartiles; in the lowest band, which the lead fills, up to 1 dB under them."""
    assert (sides[ABOVE_500] > LOWER[ABOVE_500]).all()
    assert (sides[ABOVE_500] < UPPER[ABOVE_500]).all()
    assert LOWER[LOW_BAND] - 1.0 < sides[LOW_BAND] < UPPER[LOW_BAND]


def sides_db(audio):
    """Sides over middle, by band."""
    return measure_features(audio).side_over_mid_db(WIDTH_BANDS_HZ)


def predicted(tracks, **rules):
    """What the rules say of the strips of a plan that is dry and narrow but for its pans."""
    session = session_of(tracks)
    plan = written(session, **DRY, no_width=True, **rules)
    planned = written(session)  # widths are chosen before faders make up for the processors
    strips = {s.name: replace(s, fader_db=planned.strip(s.name).fader_db) for s in plan.tracks}
    roles = {name: role for name, (role, _) in tracks.items()}
    return choose_widths(hear_stems(session), strips, roles, plan.pan_law, 0.0, NO_REVERB_DB)


@pytest.fixture(scope="module")
def song():
    """A full song, its plan without space, and that mix."""
    tracks = full_band_song()
    session = session_of(tracks)
    plan = written(session, **DRY, no_dynamics=True)
    return tracks, session, plan, premaster(session, plan)


def test_predicted_sides_are_those_of_the_rendered_mix(song):
    """Without the wideners, and with them and faders that make up for the sides' loudness."""
    tracks, session, _, _ = song
    found = predicted(tracks, no_dynamics=True)
    narrow = written(session, **DRY, no_dynamics=True, no_width=True)
    sides = sides_db(premaster(session, narrow))
    np.testing.assert_allclose(sides[1:7], found.before_db[1:7], atol=1.5)
    wide = narrow
    for name, side_db in found.side_db.items():
        widener = WidenerSettings(side_db=side_db, corner_hz=CORNER_HZ)
        fader_db = wide.strip(name).fader_db - 10 * np.log10(1 + 10 ** (side_db / 10))
        wide = wide.with_strip(name, widener=widener, fader_db=fader_db)
    sides = sides_db(premaster(session, wide))
    np.testing.assert_allclose(sides[1:7], found.after_db[1:7], atol=1.5)


def test_predicted_sides_are_those_of_the_whole_plan(song):
    tracks, _, plan, mix = song
    found = predicted(tracks, no_dynamics=True)
    for name, side_db in found.side_db.items():
        assert plan.strip(name).widener.side_db == pytest.approx(side_db, abs=0.3)
    np.testing.assert_allclose(sides_db(mix)[1:7], found.after_db[1:7], atol=1.5)


def test_a_mono_song_becomes_as_wide_as_finished_music(song):
    *_, mix = song
    sides = sides_db(mix)
    assert_as_wide_as_finished(sides)
    assert np.mean((sides - WANTED)[ABOVE_500]) == pytest.approx(0.0, abs=1.5)


def test_with_reverbs_it_is_no_wider():
    session = session_of(full_band_song())
    assert_as_wide_as_finished(sides_db(premaster(session, written(session, mode="full"))))


def test_bass_and_kick_stay_in_the_middle_and_what_is_low_too(song):
    _, session, plan, mix = song
    channels = flows(session, plan).channels
    for name in ("bass", "kick"):
        assert not plan.strip(name).widener.is_active
        np.testing.assert_array_equal(*channels[name])
    middle, side = (
        np.abs(np.fft.rfft(x)) ** 2 for x in (mix.samples.sum(0), np.diff(mix.samples, axis=0)[0])
    )
    low = np.fft.rfftfreq(mix.samples.shape[1], 1 / RATE) < 60
    assert 10 * np.log10(side[low].sum() / middle[low].sum()) < -40


def test_wideners_begin_above_the_bass_and_stay_within_what_the_role_carries(song):
    tracks, _, plan, _ = song
    widened = [strip for strip in plan.tracks if strip.widener.is_active]
    assert len(widened) >= 3
    for strip in widened:
        assert strip.widener.corner_hz == CORNER_HZ == 110
        assert strip.widener.side_db <= WIDEST_DB[tracks[strip.name][0]] + 1e-9
    for name in ("lead", "snare"):
        assert not plan.strip(name).widener.is_active


@pytest.mark.parametrize("rules", [DRY, {"mode": "full"}], ids=["dry", "with reverbs"])
def test_the_fold_to_mono_keeps_its_loudness_and_spectrum(rules):
    """Within 0.5 LU and 1 dB per octave of what it is without wideners."""
    session = session_of(full_band_song())
    folds = [
        premaster(session, written(session, **rules, no_width=narrow)).samples.mean(axis=0)
        for narrow in (False, True)
    ]
    assert lufs(folds[0]) == pytest.approx(lufs(folds[1]), abs=0.5)
    frames = min(map(len, folds))
    powers = [np.abs(np.fft.rfft(fold[:frames])) ** 2 for fold in folds]
    octave = np.round(np.log2(np.fft.rfftfreq(frames, 1 / RATE)[1:] / 1000))
    for number in range(-4, 4):
        wide, narrow = (power[1:][octave == number].sum() for power in powers)
        assert abs(10 * np.log10(wide / narrow)) < 1.0


def test_what_is_wide_already_is_left_alone():
    tracks = full_band_song()
    pair = np.stack([noise(150, 9000, 70), noise(150, 9000, 71)])
    tracks["room"] = ("room", pair)
    tracks["pair"] = ("keys", pair[::-1])
    widths = predicted(tracks)
    assert "room" not in widths.side_db
    assert "pair" not in widths.side_db
    assert widths.side_db


def test_a_song_that_is_wide_enough_gets_nothing():
    wide = np.stack([noise(100, 10500, 70), noise(100, 10500, 71)])
    tracks = {
        "pads": ("pad", wide),
        "strings": ("strings", wide[::-1]),
        "synth": ("synth", 0.05 * noise(100, 10500, 72)),
    }
    session = session_of(tracks)
    roles = {name: role for name, (role, _) in tracks.items()}
    strips = {name: ChannelStrip(name=name) for name in tracks}
    widths = choose_widths(hear_stems(session), strips, roles, "-3 dB", 0.0, NO_REVERB_DB)
    assert widths.side_db == {}


def test_pans_and_stereo_tracks_count_for_what_they_bring():
    """The sides of a hard panned track are as strong as its middle."""
    tracks = {"a": ("keys", noise(100, 10500, 1)), "b": ("keys", noise(100, 10500, 2))}
    session = session_of(tracks)
    roles = {name: role for name, (role, _) in tracks.items()}
    heard = hear_stems(session)
    for pan, wanted_db in ((0.0, 0.0), (0.5, -np.inf)):
        strips = {"a": ChannelStrip(name="a", pan=pan), "b": ChannelStrip(name="b", pan=1 - pan)}
        widths = choose_widths(heard, strips, roles, "-3 dB", 0.0, NO_REVERB_DB)
        if pan == 0.0:
            np.testing.assert_allclose(widths.before_db[1:7], wanted_db, atol=0.1)
            assert widths.side_db == {}
        else:
            assert (widths.before_db[1:7] < -60).all()
            assert len(widths.side_db) == 2


@pytest.mark.parametrize("sides_db_asked", [-6.0, 0.0, 3.0])
def test_the_sides_that_are_asked_for_move_the_mix(sides_db_asked):
    tracks = {
        f"{name} {n}": (name, noise(100, 10500, n))
        for n, name in enumerate(("keys", "pad", "synth", "strings", "guitar"))
    }
    session = session_of(tracks)
    roles = {name: role for name, (role, _) in tracks.items()}
    strips = {name: ChannelStrip(name=name) for name in tracks}
    widths = choose_widths(
        hear_stems(session), strips, roles, "-3 dB", sides_db_asked, NO_REVERB_DB
    )
    over = widths.after_db - WANTED
    assert np.mean(over[1:]) == pytest.approx(sides_db_asked, abs=0.3)


def test_a_narrower_taste_is_heard_in_every_band():
    session = session_of(full_band_song())
    mixes = [
        sides_db(premaster(session, written(session, **DRY, sides_db=sides)))
        for sides in (-6.0, 0.0)
    ]
    assert (mixes[0][2:7] < mixes[1][2:7] - 1.0).all()


def test_bands_above_the_half_of_a_low_rate_say_nothing():
    """A warning of NumPy would be an error here."""
    session = session_of({name: band_song()[name] for name in ("kick", "lead", "guitar")})
    low = tuple(replace(t, source=Audio(t.source.samples, 8000)) for t in session.tracks)
    written(replace(session, tracks=low), **DRY)
