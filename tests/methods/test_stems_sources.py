"""What is one source is found by how tracks sound together, not by their names and levels."""

import numpy as np
import pytest

from automix.methods.stems.hearing import hear_stems
from automix.methods.stems.sources import (
    ONE_SOURCE,
    find_families,
    find_sources,
    measure_likeness,
    sum_lufs,
)
from tests.methods.raw_songs import hits, lufs, noise, notes, session_of


def heard_of(tracks):
    return hear_stems(session_of(tracks)), {name: role for name, (role, _) in tracks.items()}


def grouped(tracks):
    return sorted(sorted(names) for names in find_sources(*heard_of(tracks)))


def kit():
    """Close microphones, and a pair in the air that hears all of it."""
    kick = noise(45, 120, 1) * hits(1.0, 0.06)
    snare = noise(180, 8000, 2) * hits(1.0, 0.06, 0.5)
    hat = noise(5000, 10000, 3) * hits(0.25, 0.02)
    return {
        "kick": ("kick", kick + 0.05 * snare),
        "snare": ("snare", snare + 0.05 * hat),
        "hat": ("hats", hat + 0.1 * snare),
        "over": ("overheads", 0.3 * kick + 0.6 * snare + 0.6 * hat),
    }


def doubles(count=2):
    """One part, played several times."""
    return {
        f"take {n}": ("guitar", noise(150, 4000, 10 + n) * notes(3, 0.015, n)) for n in range(count)
    }


def test_the_microphones_of_a_kit_are_one_source_and_percussion_is_another():
    shaker = ("percussion", noise(3000, 9000, 4) * hits(0.3, 0.03, 0.1))
    assert grouped(kit() | {"shaker": shaker}) == [["hat", "kick", "over", "snare"], ["shaker"]]


def test_drums_that_nothing_else_hears_stay_apart():
    close = {
        "kick": ("kick", noise(45, 120, 1) * hits(1.0, 0.06)),
        "snare": ("snare", noise(180, 8000, 2) * hits(1.0, 0.06, 0.5)),
        "hat": ("hats", noise(5000, 10000, 3) * hits(0.25, 0.02)),
    }
    assert grouped(close) == [["hat"], ["kick"], ["snare"]]


def test_two_microphones_of_one_drum_are_one_source():
    hit = hits(1.0, 0.06, 0.5)
    tracks = {
        "top": ("snare", noise(180, 8000, 2) * hit),
        "bottom": ("snare", 0.2 * noise(180, 8000, 3) * hit),
        "kick": ("kick", noise(45, 120, 1) * hits(1.0, 0.06)),
    }
    assert grouped(tracks) == [["bottom", "top"], ["kick"]]


def test_doubles_are_one_source_and_another_part_is_not():
    other = ("guitar", noise(150, 4000, 20) * notes(4))
    assert grouped(doubles(3) | {"solo": other}) == [["solo"], ["take 0", "take 1", "take 2"]]
    heard, _ = heard_of(doubles(2) | {"solo": other})
    same = measure_likeness(heard["take 0"], heard["take 1"])
    different = measure_likeness(heard["take 0"], heard["solo"])
    assert different < ONE_SOURCE - 0.2 < ONE_SOURCE < same <= 1.0


def test_a_track_is_like_itself_at_any_level():
    tracks = doubles(2)
    role, samples = tracks["take 0"]
    tracks["soft"] = (role, samples * 10 ** (-30 / 20))
    heard, _ = heard_of(tracks)
    assert measure_likeness(heard["take 0"], heard["soft"]) == pytest.approx(1.0, abs=1e-4)
    ways = [
        measure_likeness(heard[one], heard[other])
        for one, other in (("take 0", "take 1"), ("take 1", "take 0"), ("soft", "take 1"))
    ]
    assert ways == pytest.approx([ways[0]] * 3, abs=0.002)


def test_likeness_is_no_more_than_1_and_of_what_hardly_sounds_nothing():
    click = np.zeros(4 * 22050)
    click[1000:1100] = 0.5
    heard, _ = heard_of({"a": ("guitar", click), "b": ("guitar", click)})
    assert abs(measure_likeness(heard["a"], heard["b"])) <= 1.0


def test_families_and_leads_are_never_joined():
    _, samples = doubles(1)["take 0"]
    tracks = {
        "lead": ("lead vocal", samples),
        "double": ("lead vocal", samples),
        "backing": ("backing vocal", samples),
        "guitar": ("guitar", samples),
        "keys": ("keys", samples),
    }
    assert grouped(tracks) == [["backing"], ["double", "lead"], ["guitar"], ["keys"]]


def test_the_order_of_tracks_does_not_matter():
    tracks = kit() | doubles(3) | {"solo": ("guitar", noise(150, 4000, 20) * notes(4))}
    names = list(tracks)
    expected = grouped(tracks)
    for turn in (names[::-1], names[3:] + names[:3], sorted(names)):
        assert grouped({name: tracks[name] for name in turn}) == expected


def test_every_track_is_in_one_source_and_families_hold_their_own():
    tracks = kit() | doubles(2)
    heard, roles = heard_of(tracks)
    found = find_sources(heard, roles)
    assert sorted(name for names in found for name in names) == sorted(tracks)
    assert find_families(list(tracks), roles) == {"drums": list(kit()), "guitar": list(doubles(2))}


def test_the_loudness_of_a_sum_is_that_of_the_summed_audio():
    tracks = {
        "low": ("bass", noise(60, 300, 1) * notes(1)),
        "middle": ("keys", 0.1 * noise(400, 2000, 2) * notes(2)),
        "high": ("synth", noise(3000, 8000, 3)),
    }
    heard, _ = heard_of(tracks)
    wanted = {"low": -20.0, "middle": -24.0, "high": -30.0}
    mix = sum(
        samples * 10 ** ((wanted[name] - heard[name].lufs) / 20)
        for name, (_, samples) in tracks.items()
    )
    assert sum_lufs(heard, list(tracks), wanted) == pytest.approx(lufs(mix), abs=0.1)
    assert sum_lufs(heard, ["high"], wanted) == pytest.approx(-30.0, abs=1e-6)
    assert sum_lufs(heard, [], wanted) == -np.inf
