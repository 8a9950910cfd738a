"""The unmasking rule on constructed levels: Li & Lerch III-B, and the poster's text."""

import numpy as np
import pytest

from automix.methods.vocal.unmasking import essential, find_masking

CENTERS = [63, 125, 250, 500, 1000, 2000, 4000, 8000, 16000]


def judge(vocal, backing, vocal_bands=6, backing_bands=2, limit=8.0, filters=4):
    vocal, backing = np.array(vocal, float), np.array(backing, float)
    return find_masking(
        CENTERS,
        vocal,
        backing,
        essential(vocal, vocal_bands),
        essential(backing, backing_bands),
        limit_db=limit,
        filters=filters,
    )


def gains(findings):
    return [finding.gain_db for finding in findings]


def test_equal_spectra_do_nothing():
    levels = [-40, -35, -30, -25, -20, -25, -30, -35, -40]
    findings = judge(levels, levels)
    assert gains(findings) == [0.0] * 9
    assert {finding.verdict for finding in findings} == {"clear"}


def test_a_masked_essential_band_is_boosted_by_the_difference():
    vocal = [-45, -45, -30, -25, -25, -25, -30, -35, -60]
    backing = [-10, -10, -30, -25, -25, -15, -30, -35, -60]
    finding = judge(vocal, backing)[5]
    # 2 kHz: among the vocal's six loudest bands, not among the backing's two, and the backing wins:
    # −25 − −15 = −10, less the mean difference (−35 − 35 − 10)/9
    assert finding.verdict == "maskee"
    assert finding.gain_db == pytest.approx(10 - 80 / 9)


def test_the_sign_follows_the_text_not_the_pseudo_code():
    # mean difference 0: vocal weak by 6 at 1 kHz (essential for it), strong by 6 at 63 Hz
    vocal = [-34, -60, -60, -60, -26, -60, -60, -60, -60]
    backing = [-40, -60, -60, -60, -20, -60, -60, -60, -60]
    boosted = find_masking(
        CENTERS,
        np.array(vocal, float),
        np.array(backing, float),
        np.array([band == 4 for band in range(9)]),
        np.array([band == 0 for band in range(9)]),
        limit_db=8.0,
        filters=4,
    )
    assert boosted[4].verdict == "maskee"
    assert boosted[4].gain_db == pytest.approx(6.0)  # boost by |difference|
    assert boosted[0].verdict == "masker"
    assert boosted[0].gain_db == pytest.approx(-6.0)  # cut by difference


def test_a_band_essential_for_both_or_for_neither_is_left_alone():
    vocal = [-34, -60, -60, -60, -26, -60, -60, -60, -60]
    backing = [-40, -60, -60, -60, -20, -60, -60, -60, -60]
    for marked in (True, False):
        both = np.full(9, marked)
        findings = find_masking(
            CENTERS, np.array(vocal, float), np.array(backing, float), both, both,
            limit_db=8.0, filters=4,
        )  # fmt: skip
        assert gains(findings) == [0.0] * 9


def test_gains_are_limited_and_only_the_largest_are_kept():
    vocal = np.array([-60, -30, -30, -30, -30, -30, -60, -60, -60], float)
    backing = np.array([-60, -18, -20, -22, -24, -26, -90, -90, -90], float)
    marked = np.array([1 <= band <= 5 for band in range(9)])
    findings = find_masking(
        CENTERS, vocal, backing, marked, ~marked & False, limit_db=8.0, filters=4
    )
    assert gains(findings)[1] == 8.0
    assert np.count_nonzero(gains(findings)) == 4
    assert gains(findings)[5] == 0.0  # the smallest of the five


def test_the_difference_is_freed_of_its_mean_so_level_does_not_matter():
    rng = np.random.default_rng(1)
    vocal, backing = rng.uniform(-60, -20, 9), rng.uniform(-60, -20, 9)
    quiet = judge(vocal - 30, backing)
    np.testing.assert_allclose(gains(judge(vocal, backing)), gains(quiet), atol=1e-9)
    assert np.mean([finding.difference_db for finding in quiet]) == pytest.approx(0, abs=1e-9)


def test_a_silent_band_is_neither_essential_nor_judged():
    vocal = np.array([-np.inf, -30, -30, -30, -30, -30, -30, -30, -np.inf])
    backing = np.full(9, -30.0)
    assert not essential(vocal, 9)[0]
    findings = judge(vocal, backing)
    assert np.isfinite([finding.difference_db for finding in findings]).all()
    assert findings[0].gain_db == 0.0


@pytest.mark.parametrize(("count", "expected"), [(0, []), (2, [4, 3]), (9, range(9))])
def test_essential_bands_are_the_loudest(count, expected):
    levels = np.array([-60, -50, -40, -30, -20, -31, -41, -51, -61], float)
    assert set(np.flatnonzero(essential(levels, count))) == set(expected)
