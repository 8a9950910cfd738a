import math

import numpy as np
import pytest

from automix.analysis.conditions import ConditionScan, find_conditions
from automix.audio.samples import Audio
from automix.checking.catalog import check_takes
from automix.checking.takes import HeardTake

RATE = 1000


def conditions(*channels):
    return find_conditions(Audio(np.array(channels, dtype=np.float32), RATE))


def messages(found):
    """What users are told of conditions, but for what is only good to know."""
    findings = check_takes([HeardTake(name="take", role="other", conditions=found)])
    return [finding.what for finding in findings if finding.severity != "information"]


def tone(frames=RATE, amplitude=0.5):
    return amplitude * np.sin(2 * np.pi * 50 * np.arange(frames) / RATE + 0.1)


def test_a_sound_recording_has_nothing_to_report():
    found = conditions(tone(), tone(amplitude=0.3))
    assert found.sample_peak == pytest.approx(0.5, rel=1e-2)
    assert found.clipped_runs == 0
    assert found.samples_above_full_scale == 0
    assert found.channel_relation == "independent"
    assert not found.silent
    assert not found.has_offset
    assert messages(found) == []


def run_of(values, before=0.2, after=0.2):
    return np.array([before, *values, after])


@pytest.mark.parametrize(
    ("values", "runs"),
    [
        ([1.0] * 7, 0),
        ([1.0] * 8, 1),
        ([1.0] * 40, 1),
        ([-1.0] * 8, 1),
        ([32767 / 32768] * 8, 1),
        ([1.0] * 4 + [-1.0] * 4, 0),
        ([1.0] * 8 + [-1.0] * 8, 2),
        ([-1.0] * 8 + [1.0] * 8, 2),
        ([-1.0] * 3 + [1.0] * 7, 0),
        ([1.0] * 8 + [0.1] + [1.0] * 8, 2),
        ([32766 / 32768] * 8, 0),
        ([1.2] * 8, 0),
    ],
)
def test_clipped_runs(values, runs):
    found = conditions(run_of(values))
    assert found.clipped_runs == runs
    assert any("clipped" in message for message in messages(found)) == (runs > 0)


def test_clipped_runs_of_both_channels_add_up():
    assert conditions(run_of([1.0] * 9), run_of([-1.0] * 9)).clipped_runs == 2


def test_float_peaks_above_full_scale_are_counted():
    found = conditions(run_of([1.0, 1.5, -1.01, -1.0]))
    assert found.samples_above_full_scale == 2
    assert found.sample_peak == 1.5


@pytest.mark.parametrize(("level_db", "flagged"), [(-61.0, False), (-59.0, True)])
@pytest.mark.parametrize("sign", [1, -1])
def test_offset_limit_is_minus_60_dbfs(level_db, flagged, sign):
    offset = sign * 10 ** (level_db / 20)
    found = conditions(tone(), tone() + offset)
    assert found.dc_offset == pytest.approx((0.0, offset), abs=1e-8)
    assert found.offset_db[1] == pytest.approx(level_db, abs=1e-3)
    assert found.has_offset == flagged
    assert any("DC offset" in message for message in messages(found)) == flagged


@pytest.mark.parametrize("peak", [0.0, 1 / 32768, -1 / 32768])
def test_silent_up_to_one_step_of_16_bits(peak):
    found = conditions(np.full(100, peak), np.zeros(100))
    assert found.silent
    assert found.first_sound_s is None
    assert found.last_sound_s is None
    assert found.channel_relation == "independent"
    assert messages(found) == ["silent"]


def test_first_and_last_sound():
    left, right = np.zeros(5000), np.zeros(5000)
    left[2000] = 2 / 32768
    right[1500], right[3000] = -0.5, -0.01
    found = conditions(left, right)
    assert (found.first_sound_s, found.last_sound_s) == (1.5, 3.0)


@pytest.mark.parametrize(
    ("right", "relation"),
    [
        (lambda left: left, "identical"),
        (lambda left: -left, "inverted"),
        (lambda left: -left + 1e-5, "inverted"),
        (lambda left: 0.99 * left, "independent"),
        (lambda left: np.roll(left, 1), "independent"),
        (lambda left: 0 * left, "independent"),
    ],
)
def test_channel_relation(right, relation):
    found = conditions(tone(), right(tone()))
    assert found.channel_relation == relation
    assert any("polarity" in message for message in messages(found)) == (relation == "inverted")


def test_mono_has_no_channel_relation():
    assert conditions(tone()).channel_relation == "independent"


def test_the_cuts_between_blocks_change_nothing():
    samples = np.random.default_rng(8).uniform(-1, 1, (2, 4000)).astype(np.float32)
    samples[0, 990:1030] = 1.0
    samples[1, 2000:2008] = -1.0
    whole, pieces = ConditionScan(RATE, 2), ConditionScan(RATE, 2)
    whole.add(samples)
    for piece in np.split(samples, [0, 1, 995, 996, 1003, 2004, 3999], axis=1):
        pieces.add(piece)
    assert whole.result() == pieces.result()
    assert whole.result().clipped_runs == 2


def test_nothing_added_is_silent():
    found = ConditionScan(RATE, 1).result()
    assert found.silent
    assert found.sample_peak == 0.0
    assert found.offset_db == (-math.inf,)
