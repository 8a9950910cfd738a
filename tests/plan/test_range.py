"""The interval of a parameter and its mapping to 0…1."""

import math

import pytest

from automix.plan.parameters import Range

RANGES = [
    Range(-60, 0, "dB"),
    Range(0, 1),
    Range(20, 20000, "Hz", "log"),
    Range(0.03, 30, "ms", "log"),
    Range(1, 10, "", "log"),
]


@pytest.mark.parametrize("legal", RANGES, ids=str)
class TestMapping:
    def test_ends_map_to_ends(self, legal):
        assert legal.to_unit(legal.low) == 0.0
        assert legal.to_unit(legal.high) == pytest.approx(1.0, abs=1e-15)
        assert legal.from_unit(0.0) == legal.low
        assert legal.from_unit(1.0) == legal.high or legal.scale == "log"
        assert legal.from_unit(1.0) == pytest.approx(legal.high, rel=1e-14)

    def test_from_unit_undoes_to_unit(self, legal):
        for step in range(101):
            position = step / 100
            assert legal.to_unit(legal.from_unit(position)) == pytest.approx(position, abs=1e-12)

    def test_values_and_positions_outside_are_clamped(self, legal):
        assert legal.to_unit(legal.low - 1e6) == 0.0
        assert legal.to_unit(legal.high + 1e6) == pytest.approx(1.0, abs=1e-15)
        assert legal.from_unit(-0.5) == legal.from_unit(0.0)
        assert legal.from_unit(1.5) == legal.from_unit(1.0)

    def test_every_position_gives_a_legal_value(self, legal):
        assert all(legal.from_unit(step / 997) in legal for step in range(-10, 1010))

    def test_the_mapping_rises(self, legal):
        values = [legal.from_unit(step / 100) for step in range(101)]
        assert values == sorted(set(values))


def test_the_middle_of_a_linear_range_is_the_arithmetic_mean():
    assert Range(-60, 0, "dB").from_unit(0.5) == -30.0


def test_the_middle_of_a_log_range_is_the_geometric_mean():
    assert Range(20, 20000, "Hz", "log").from_unit(0.5) == pytest.approx(math.sqrt(20 * 20000))
    assert Range(20, 20000, "Hz", "log").to_unit(632.4555320336759) == pytest.approx(0.5)


def test_the_ends_belong_to_the_range_and_nothing_else_does():
    legal = Range(-60, 0, "dB")
    assert -60 in legal
    assert 0.0 in legal
    assert math.nextafter(-60, -61) not in legal
    assert math.nextafter(0, 1) not in legal
    assert math.nan not in legal
    assert "0" not in legal


@pytest.mark.parametrize(
    ("low", "high", "scale"),
    [(1, 1, "linear"), (2, 1, "linear"), (0, 1, "log"), (-1, 1, "log"), (math.nan, 1, "linear")],
)
def test_what_is_no_range_is_refused(low, high, scale):
    with pytest.raises(ValueError, match="not a range"):
        Range(low, high, "", scale)


def test_a_range_is_printed_with_its_unit_and_exactly():
    assert str(Range(0.03, 30, "ms", "log")) == "0.03 … 30 ms"
    assert str(Range(0, 1)) == "0 … 1"
    assert str(Range(8000, 192000, "Hz")) == "8000 … 192000 Hz"
    assert str(Range(0, 2**32 - 1)) == "0 … 4294967295"
