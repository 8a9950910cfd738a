"""The search ends where the written procedure ends (Li & Lerch III-A)."""

import itertools

import pytest

from automix.methods.vocal.compression_search import find_compression, ladder


def by_the_book(before, ranges, target):
    """The procedure as it is written, measuring at every step."""
    threshold, ratio, current, step = 0.0, 3.0, before, 0
    while current >= target and threshold - 3.0 >= -35.0:
        threshold, ratio = threshold - 3.0, round(ratio + 0.1, 1)
        current = ranges[step]
        step += 1
    return step, threshold, ratio, current


def test_the_ladder_is_the_published_one():
    pairs = [(settings.threshold_db, settings.ratio) for settings in ladder()]
    assert pairs[0] == (-3.0, 3.1)
    assert pairs[4] == (-15.0, 3.5)
    assert pairs[-1] == (-33.0, 4.1)  # −36 would pass −35
    assert len(pairs) == 11
    assert {settings.attack_ms for settings in ladder()} == {30.0}
    assert {settings.release_ms for settings in ladder()} == {150.0}


@pytest.mark.parametrize("error", [0.0, 0.15, -0.15])
@pytest.mark.parametrize("drop", [0.2, 0.5, 0.9, 2.5])
@pytest.mark.parametrize("before", [12.0, 16.36, 16.4, 18.0, 25.0])
def test_same_end_as_the_procedure(before, drop, error):
    target = 16.36
    ranges = [before - drop * (step + 1) for step in range(11)]
    measured = []

    def measure(settings):
        index = ladder().index(settings)
        measured.append(index)
        return ranges[index]

    estimates = [value + error for value in ranges]
    found = find_compression(before, estimates, measure, target)
    step, threshold, ratio, after = by_the_book(before, ranges, target)
    assert found.step == step
    assert found.after_lu == after
    assert found.reached == (after < target)
    if step:
        assert (found.settings.threshold_db, found.settings.ratio) == (threshold, ratio)
    assert len(set(measured)) == len(measured), "a setting was rendered twice"
    # An estimate may be early by the search's margin and its own error, and each step costs a drop.
    assert len(measured) <= 2 + int(0.55 / drop)


def test_a_vocal_below_the_target_is_left_alone_without_any_rendering():
    found = find_compression(16.35, [], lambda settings: pytest.fail("rendered"), 16.36)
    assert found.step == 0
    assert found.settings.threshold_db == 0.0
    assert found.reached


def test_a_target_out_of_reach_ends_at_the_last_step():
    found = find_compression(30.0, [29.0] * 11, lambda settings: 29.0, 16.36)
    assert found.step == 11
    assert (found.settings.threshold_db, found.settings.ratio) == (-33.0, 4.1)
    assert not found.reached


def test_the_range_need_not_fall_steadily():
    ranges = [17.0, 16.2, 16.9, 15.0, *itertools.repeat(14.0, 7)]
    found = find_compression(20.0, ranges, lambda s: ranges[ladder().index(s)], 16.36)
    assert found.step == 2
