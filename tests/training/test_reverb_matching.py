"""Matching of reverbs: known settings are found again from their impulse response."""

import sys

import numpy as np
import pytest

from automix.dsp.fdn_reverb import response_to_mono
from automix.errors import InputError, UsageError
from automix.plan.settings import FdnReverbSettings
from automix.training.vocal.preparation import reverb_matching as matching
from automix.training.vocal.preparation.reverb_likeness import Envelope, Spectrogram
from automix.training.vocal.preparation.reverb_matching import (
    decay_s,
    draw_searched_reverb,
    match_reverb,
)

RATE = 44_100
PLAIN = FdnReverbSettings(
    dry_wet=0.3, reverberation_time_s=1.2, room_size=17.0, low_gain_db_s=0.0, high_gain_db_s=0.0
)


def response_of(settings, rate=RATE):
    return response_to_mono(settings, rate)


def test_the_decay_of_noise_is_measured():
    time = np.arange(2 * RATE) / RATE
    noise = np.random.default_rng(1).normal(size=len(time)) * 10 ** (-3 * time / 0.8)
    assert decay_s(noise, RATE) == pytest.approx(0.8, rel=0.05)


@pytest.mark.parametrize(
    "changes", [{}, {"fade_in_time_s": 0.4}, {"room_size": 5.0}, {"high_gain_db_s": -30.0}]
)
def test_the_envelope_in_closed_form_is_that_of_the_network(changes):
    settings = FdnReverbSettings(**{**vars(PLAIN), **changes})
    envelope = Envelope(response_of(settings).mean(axis=0), RATE)
    assert envelope.distance_db(settings) < 3.0
    assert envelope.direct_distance_db(settings) == pytest.approx(0.0, abs=0.1)
    for other in ({"reverberation_time_s": 2.4}, {"dry_wet": 0.8}):
        wrong = FdnReverbSettings(**{**vars(settings), **other})
        assert envelope.distance_db(wrong) > envelope.distance_db(settings) + 1.0


def test_first_echoes_tell_the_size_of_the_room():
    sound = Spectrogram(response_of(PLAIN, 16_000).mean(axis=0), 16_000, 0.5)
    assert sound.distance_db(PLAIN) == 0.0
    assert sound.likeness(PLAIN) == pytest.approx(1.0)
    sizes = np.arange(1.0, 30.0, 2.0)
    likeness = [
        sound.likeness(FdnReverbSettings(**{**vars(PLAIN), "room_size": size})) for size in sizes
    ]
    assert sizes[int(np.argmax(likeness))] == 17.0


LONG = [pytest.param(number, marks=pytest.mark.long) for number in range(1, 20)]


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, *LONG])
def test_random_settings_are_found_again(number):
    rng = np.random.default_rng((3, number))
    settings = draw_searched_reverb(rng)
    found = match_reverb(response_of(settings), RATE, seed=number).settings
    wrong = found.reverberation_time_s / settings.reverberation_time_s - 1.0
    assert abs(wrong) < 0.1
    assert abs(found.dry_wet - settings.dry_wet) < 0.05


@pytest.mark.slow
def test_a_small_search_finds_time_and_dry_wet_and_repeats_itself(monkeypatch):
    for name, population, generations in (
        ("_BY_ENVELOPE", 60, 40),
        ("_BY_SOUND", 16, 8),
        ("_FINELY", 8, 4),
    ):
        search = getattr(matching, name)
        small = matching._Search(
            population=population, generations=generations, spread=search.spread
        )
        monkeypatch.setattr(matching, name, small)
    monkeypatch.setattr(matching, "_ROOMS", 59)
    response = response_of(PLAIN)
    first = match_reverb(response, RATE, seed=1)
    assert first == match_reverb(response, RATE, seed=1)
    assert first.settings.reverberation_time_s == pytest.approx(1.2, rel=0.1)
    assert first.settings.dry_wet == pytest.approx(0.3, abs=0.05)


def test_what_cannot_be_matched_is_refused(monkeypatch):
    with pytest.raises(InputError, match="silent or shorter"):
        match_reverb(np.zeros(RATE), RATE)
    with pytest.raises(InputError, match="needs 16000 Hz"):
        match_reverb(np.ones(8000), 8000)
    monkeypatch.setitem(sys.modules, "pygad", None)
    with pytest.raises(UsageError, match=r"automix\[matching\]"):
        match_reverb(response_of(PLAIN), RATE)
