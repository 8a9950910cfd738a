"""The table of features: weighted means, and what cannot be compared."""

import numpy as np
import pytest

from automix.analysis.features import measure_features
from automix.audio.samples import Audio
from automix.reference.comparison import (
    FEATURES,
    FeatureComparison,
    average_references,
    compare_features,
    find_moved_away,
    select_figures,
)

RATE = 44100


def noise(gain_left, gain_right, seed=0, seconds=4):
    sides = np.random.default_rng(seed).normal(size=(2, seconds * RATE))
    return measure_features(Audio((sides * [[gain_left], [gain_right]]).astype(np.float32), RATE))


def test_weights_are_those_of_a_mean_in_decibels():
    quiet, loud = select_figures(noise(0.01, 0.01)), select_figures(noise(0.1, 0.1))
    mean = average_references([quiet, loud], [3.0, 1.0])
    expected = 0.75 * quiet["loudness"][0] + 0.25 * loud["loudness"][0]
    assert mean["loudness"][0] == pytest.approx(expected)
    assert loud["loudness"][0] - quiet["loudness"][0] == pytest.approx(20.0, abs=0.1)


def test_a_mono_reference_leaves_the_image_out_of_the_mean():
    wide = select_figures(noise(0.1, 0.1))
    mono = select_figures(noise(0.1, 0.1, seed=1), stereo=False)
    mean = average_references([wide, mono], [1.0, 1.0])
    assert mean["width"][0] == wide["width"][0]
    assert mean["spectrum"][5] == pytest.approx((wide["spectrum"][5] + mono["spectrum"][5]) / 2)


def test_rows_name_values_and_distances():
    reference, mix = select_figures(noise(0.1, 0.1)), select_figures(noise(0.1, 0.2))
    rows = {row.name: row for row in compare_features(mix, reference, reference)}
    assert list(rows) == list(FEATURES)
    assert rows["imbalance"].distance_before == pytest.approx(6.0, abs=0.2)
    assert rows["imbalance"].distance_after == 0.0
    assert rows["spectrum"].before is None  # twenty-four numbers
    mono = select_figures(noise(0.1, 0.1), stereo=False)
    assert "width" not in {row.name for row in compare_features(mix, mix, mono)}


def test_what_has_gone_away_from_the_reference():
    """Further than before, unless it is there as good as exactly."""

    def row(name, before, after):
        return FeatureComparison(
            name=name,
            unit="dB",
            before=None,
            after=None,
            reference=None,
            distance_before=before,
            distance_after=after,
        )

    rows = [row("spectrum", 3.0, 3.2), row("width", 3.0, 2.0), row("imbalance", 0.01, 0.09)]
    rows += [row("crest factor", 0.01, 0.3), row("loudness", 1.0, 1.001)]
    found = find_moved_away(rows)
    assert found == {"spectrum": pytest.approx(0.2), "crest factor": pytest.approx(0.2)}
