"""What is measured on tracks, against figures that are computed from their samples directly."""

import numpy as np
import pytest

from automix.methods.stems.hearing import hear_stems
from automix.methods.stems.sources import measure_likeness
from tests.methods.raw_songs import RATE, hits, noise, session_of


def heard_of(samples, role="other"):
    return hear_stems(session_of({"x": (role, samples)}))["x"]


def crest_db(samples):
    return 20 * np.log10(np.abs(samples).max() / samples.std())


@pytest.mark.parametrize("offset_s", [0.0, 0.05, 0.1, 0.15, 0.19])
@pytest.mark.parametrize(
    ("low_hz", "high_hz", "decay_s"), [(45, 120, 0.06), (180, 8000, 0.06), (5000, 10000, 0.02)]
)
def test_the_crest_factor_of_hits_does_not_depend_on_where_they_fall(
    low_hz, high_hz, decay_s, offset_s
):
    """At 150 BPM every hit is at the same place of a step in which spectra are measured."""
    samples = noise(low_hz, high_hz, 3) * hits(0.4, decay_s, offset_s)
    assert heard_of(samples).crest_db == pytest.approx(crest_db(samples), abs=0.2)


def test_the_crest_factor_is_that_of_the_active_parts():
    """A sine of 3 dB in a third of the time, over soft noise that is no part of it."""
    time = np.arange(12 * RATE) / RATE
    playing = time > 8.0
    samples = np.where(playing, 0.5 * np.sin(2 * np.pi * 440 * time), 0.0)
    samples += 0.002 * noise(300, 5000, 1, 12.0)
    # The parts are found over 3 s, so that up to 3 s of the rest are taken with them.
    found = heard_of(samples).crest_db
    assert 10 * np.log10(2.0) - 0.1 < found < 10 * np.log10(2.0 * 7.0 / 4.0) + 0.1


@pytest.mark.parametrize("offset", [0.01, 0.1, -0.9])
def test_a_constant_offset_is_no_part_of_the_crest_factor(offset):
    samples = noise(200, 5000, 1)
    track = heard_of(samples + offset)
    assert track.conditions.has_offset
    assert track.crest_db == pytest.approx(crest_db(samples), abs=0.1)


def test_octaves_hold_the_powers_of_their_thirds_and_steps_pairs_of_hops():
    samples = noise(200, 5000, 1, 7.7)
    track = heard_of(samples)
    assert len(track.energies) == 77
    assert track.bands.shape == (39, 9)
    assert track.middle.shape == (39, 30)
    assert track.active_steps.shape == (39,)
    inside = track.bands[1:-1].sum(axis=1).mean()
    assert 10 * np.log10(inside / np.mean(samples**2)) == pytest.approx(0.0, abs=0.2)
    assert track.band_powers.argmax() in (5, 6)  # 2 or 4 kHz: white noise grows with its band
    assert track.low_share < 0.01


def test_what_sounds_outside_of_all_bands_has_a_place_and_is_like_nothing():
    """Clicks at the very edges of the steps in which spectra are measured."""
    time = np.arange(8 * RATE) / RATE
    clicks = np.where(time % 1.0 < 1e-4, 0.2, 0.0)
    tracks = {"clicks": ("other", clicks), "noise": ("other", noise(200, 5000, 1))}
    heard = hear_stems(session_of(tracks))
    assert np.isfinite(heard["clicks"].crest_db)
    assert 0.0 <= heard["clicks"].low_share <= 1.0
    assert 0.0 <= heard["clicks"].centroid_octaves <= 8.0
    assert abs(measure_likeness(heard["clicks"], heard["noise"])) < 0.5
