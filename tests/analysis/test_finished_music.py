"""Facts about finished music: they are whole, in order, and measured as mixes are."""

import numpy as np
import pytest

from automix.analysis.features import THIRD_OCTAVE_CENTERS_HZ, measure_features
from automix.analysis.finished_music import (
    STEM_CENTERS_HZ,
    STEM_MAGNITUDE_DB,
    STEM_PEAK_DB,
    STEM_PEAK_DEVIATION_DB,
    WIDTH_BANDS_HZ,
    WIDTH_LOWER_QUARTILE_DB,
    WIDTH_MEDIAN_DB,
    WIDTH_UPPER_QUARTILE_DB,
)
from automix.audio.samples import Audio

RATE = 44_100


def test_the_bands_are_whole_and_the_quartiles_in_order():
    assert [low for low, _ in WIDTH_BANDS_HZ[1:]] == [high for _, high in WIDTH_BANDS_HZ[:-1]]
    quartiles = (WIDTH_LOWER_QUARTILE_DB, WIDTH_MEDIAN_DB, WIDTH_UPPER_QUARTILE_DB)
    assert np.shape(quartiles) == (3, len(WIDTH_BANDS_HZ))
    assert (np.diff(quartiles, axis=0) > 0).all()


def test_the_stems_have_a_value_for_every_third_of_an_octave():
    np.testing.assert_allclose(STEM_CENTERS_HZ, THIRD_OCTAVE_CENTERS_HZ, rtol=0.02)
    assert set(STEM_MAGNITUDE_DB) == set(STEM_PEAK_DB) == set(STEM_PEAK_DEVIATION_DB)
    for levels in STEM_MAGNITUDE_DB.values():
        assert len(levels) == len(STEM_CENTERS_HZ)
        assert np.mean(10 ** (np.array(levels) / 10)) == pytest.approx(1.0, abs=0.02)
    lowest = {name: STEM_CENTERS_HZ[np.argmax(db)] for name, db in STEM_MAGNITUDE_DB.items()}
    assert lowest["bass"] < 130 < lowest["vocals"] < 1_000


def test_sides_over_middle_are_measured_in_each_band():
    rng = np.random.default_rng(0)
    spectra = np.fft.rfft(rng.standard_normal((2, 8 * RATE)))
    frequencies_hz = np.fft.rfftfreq(8 * RATE, 1 / RATE)
    wanted_db = np.array([-40.0, -30.0, -20.0, -12.0, -9.0, -6.0, 0.0, 3.0])
    gains = np.zeros(len(frequencies_hz))
    for (low, high), level_db in zip(WIDTH_BANDS_HZ, wanted_db, strict=True):
        inside = (frequencies_hz >= low) & (frequencies_hz < high)
        power = np.sum(np.abs(spectra[:, inside]) ** 2, axis=1)
        gains[inside] = 10 ** (level_db / 20) * np.sqrt(power[0] / power[1])
    middle = np.fft.irfft(spectra[0])
    side = np.fft.irfft(gains * spectra[1])
    left_right = 0.05 * np.array([middle + side, middle - side], np.float32)
    found = measure_features(Audio(left_right.astype(np.float32), RATE))
    # windows leak into narrow bands, and 40 dB beside 30 is the hardest
    np.testing.assert_allclose(found.side_over_mid_db(WIDTH_BANDS_HZ), wanted_db, atol=0.7)


def test_mono_has_no_sides_and_a_band_beyond_the_rate_no_value():
    noise = 0.1 * np.random.default_rng(0).standard_normal((1, 8_000))
    found = measure_features(Audio(noise.astype(np.float32), 8_000))
    widths = found.side_over_mid_db(WIDTH_BANDS_HZ)
    assert np.isneginf(widths[:6]).all()
    assert np.isnan(widths[6:]).all()
