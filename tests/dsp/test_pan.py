"""The pan laws: what they hold constant, their ends, their center."""

import numpy as np
import pytest

from automix.dsp.pan import balance_gains, pan_gains

LAWS = ("linear", "constant-power", "compromise")
POSITIONS = np.linspace(0.0, 1.0, 201)


def gains(law, function=pan_gains):
    return np.array([function(float(pan), law) for pan in POSITIONS]).T


@pytest.mark.parametrize(
    ("law", "exact"), [("linear", 0.5), ("constant-power", 0.5**0.5), ("compromise", 0.5**0.75)]
)
def test_the_center_is_6_3_or_4_and_a_half_db_down_on_both_sides(law, exact):
    left, right = pan_gains(0.5, law)
    assert left == right
    assert left == pytest.approx(exact, rel=1e-15)
    nominal_db = {"linear": -6.0, "constant-power": -3.0, "compromise": -4.5}[law]
    assert 20 * np.log10(left) == pytest.approx(nominal_db, abs=0.025)


@pytest.mark.parametrize("law", LAWS)
def test_the_ends_are_one_side_alone(law):
    assert pan_gains(0.0, law) == (1.0, 0.0)
    assert pan_gains(1.0, law) == (0.0, 1.0)


def test_each_law_keeps_what_it_is_named_for():
    left, right = gains("linear")
    np.testing.assert_allclose(left + right, 1.0, rtol=1e-15)
    left, right = gains("constant-power")
    np.testing.assert_allclose(left**2 + right**2, 1.0, rtol=1e-14)
    np.testing.assert_allclose(
        gains("compromise") ** 2, gains("linear") * gains("constant-power"), atol=1e-15
    )


@pytest.mark.parametrize("law", LAWS)
def test_larger_is_further_right(law):
    left, right = gains(law)
    assert (np.diff(left) < 0.0).all()
    assert (np.diff(right) > 0.0).all()


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("function", [pan_gains, balance_gains])
def test_left_and_right_are_mirror_images(law, function):
    left, right = gains(law, function)
    np.testing.assert_allclose(left, right[::-1], atol=1e-15)


@pytest.mark.parametrize("law", LAWS)
def test_balance_is_unity_in_the_center_and_one_side_alone_at_the_ends(law):
    assert balance_gains(0.5, law) == (1.0, 1.0)
    assert balance_gains(0.0, law) == (1.0, 0.0)
    assert balance_gains(1.0, law) == (0.0, 1.0)


@pytest.mark.parametrize("law", LAWS)
def test_balance_turns_one_side_down_and_never_raises_the_other(law):
    left, right = gains(law, balance_gains)
    center = len(POSITIONS) // 2
    assert (left[: center + 1] == 1.0).all()
    assert (right[center:] == 1.0).all()
    assert (np.diff(left[center:]) < 0.0).all()
    assert (np.diff(right[: center + 1]) > 0.0).all()
