"""Sections of constructed songs, and what is raised in them."""

import numpy as np
import pytest

from automix.analysis.third_octaves import ThirdOctaveMeter
from automix.methods.rides.lifts import MOST_LIFT_DB, draw_lifts, find_lifts
from automix.methods.rides.sections import STEP_S, find_sections
from tests.methods.raw_songs import RATE, hits, noise
from tests.methods.ridden_songs import energies_of

EDGES_S = (0.0, 18.0, 34.0, 52.0, 68.0)  # verse, chorus, verse, chorus


def song(chorus_db=4.0, keys_db=0.0):
    """Drums and guitar that rise in the choruses, and keys that play on."""
    seconds = EDGES_S[-1]
    time = np.arange(round(seconds * RATE)) / RATE
    in_chorus = np.zeros(len(time), bool)
    for start_s, stop_s in ((EDGES_S[1], EDGES_S[2]), (EDGES_S[3], EDGES_S[4])):
        in_chorus |= (time >= start_s) & (time < stop_s)
    louder = np.where(in_chorus, 10 ** (chorus_db / 20), 1.0)
    cymbals = np.where(in_chorus, 0.3, 0.0) * noise(5000, 10000, 3, seconds)
    return {
        "drums": louder * noise(60, 9000, 1, seconds) * hits(0.5, 0.08, seconds=seconds) + cymbals,
        "guitar": louder * noise(150, 5000, 2, seconds),
        "keys": 0.5 * noise(200, 4000, 4, seconds) * np.where(in_chorus, 10 ** (keys_db / 20), 1.0),
    }


def measure(tracks):
    """The spectrum of the sum, and energies per step by group."""
    thirds = ThirdOctaveMeter(RATE, 1)
    thirds.add(sum(tracks.values())[np.newaxis].astype(np.float32))
    groups = {}
    for name, track in tracks.items():
        energies = energies_of(track)
        steps = len(energies) // round(50 * STEP_S)
        groups[name] = energies[: steps * 10].reshape(steps, 10).mean(axis=1)
    return thirds.finish(2 * steps)[0], groups


@pytest.fixture(scope="module")
def risen():
    return measure(song())


def test_boundaries_are_found_and_likes_have_one_name(risen):
    sections = find_sections(*risen)
    assert [section.start_s for section in sections] == pytest.approx(EDGES_S[:-1], abs=0.4)
    assert [section.label for section in sections] == ["A", "B", "A", "B"]
    assert sections[-1].end_s == pytest.approx(EDGES_S[-1], abs=STEP_S)


def test_what_a_chorus_buries_is_raised_in_it(risen):
    _, groups = risen
    sections = find_sections(*risen)
    lifts = find_lifts(sections, groups)
    assert list(lifts) == ["keys"]
    assert list(lifts["keys"]) == ["B"]
    assert 0.5 < lifts["keys"]["B"] <= MOST_LIFT_DB
    line = draw_lifts(sections, lifts["keys"])
    assert line.at(np.array([5.0, 17.0, 40.0, 51.0])).tolist() == [0.0] * 4
    assert line.at(np.array([18.5, 33.0, 53.0, 67.0])) == pytest.approx(
        lifts["keys"]["B"], abs=0.01
    )
    assert np.abs(np.diff(line.values_db) / np.diff(line.times_s)).max() < 12.0


def test_what_comes_once_is_left_as_it_is(risen):
    spectrum, groups = risen
    steps = round(40.0 / STEP_S)  # verse, chorus, and the beginning of the second verse
    shorter = {name: energies[:steps] for name, energies in groups.items()}
    sections = find_sections(spectrum[:steps], shorter)
    assert [section.label for section in sections] == ["A", "B"]
    assert find_lifts(sections, shorter) == {}


def test_what_plays_softer_itself_is_not_raised():
    spectrum, groups = measure(song(chorus_db=0.0, keys_db=-5.0))
    assert find_lifts(find_sections(spectrum, groups), groups) == {}


def test_a_song_that_does_not_change_is_one_section():
    seconds = 40.0
    steady = {"drums": noise(60, 9000, 1, seconds) * hits(0.5, 0.08, seconds=seconds),
              "keys": noise(200, 4000, 2, seconds)}  # fmt: skip
    sections = find_sections(*measure(steady))
    assert [(section.start_s, section.label) for section in sections] == [(0.0, "A")]
    assert find_sections(np.zeros((0, 30), np.float32), {"keys": np.zeros(0)}) == []
    silent = find_sections(np.zeros((100, 30), np.float32), {"keys": np.zeros(100)})
    assert len(silent) == 1


def test_a_group_on_its_own_is_no_measure_for_the_others():
    # Alone for a third of the song, and as usual for the rest: nothing is buried.
    seconds = 48.0
    playing = (np.arange(round(seconds * RATE)) / RATE >= 16.0).astype(float)
    tracks = {"drums": playing * noise(60, 9000, 1, seconds),
              "keys": noise(200, 4000, 2, seconds)}  # fmt: skip
    spectrum, groups = measure(tracks)
    sections = find_sections(spectrum, groups)
    assert [section.start_s for section in sections] == pytest.approx([0.0, 16.0], abs=0.3)
    assert find_lifts(sections, groups) == {}
