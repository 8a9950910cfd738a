"""The delay: times, levels, filters and sides of its repeats, in strips and in buses."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import butter, sosfilt, sosfreqz

from automix.audio.blocks import collect
from automix.audio.samples import Audio
from automix.consoles.exact import ExactConsole, bus_tail_frames, insert_tail_frames
from automix.dsp.delay import LONGEST_TAIL_S, Delay, Echoes, sections, tail_s
from automix.dsp.processors import DELAY, REVERB, SPACE, reverb_of
from automix.dsp.strip import Return
from automix.errors import PlanError
from automix.plan.model import MixPlan
from automix.plan.settings import Bus, ChannelStrip, DelaySettings, Send, SpaceSettings
from automix.session.tracks import Session, Track

RATES = (8_000, 44_100, 48_000, 192_000)
RATE = 48_000


def impulse(frames, channels=2):
    samples = np.zeros((channels, frames))
    samples[:, 0] = 1.0
    return samples


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("time_ms", [10.0, 62.5, 333.3])
def test_repeats_come_at_their_times_with_their_levels(rate, time_ms):
    settings = DelaySettings(time_ms=time_ms, feedback=0.5)
    made = Echoes(settings, rate).process(impulse(2 * rate))
    frames = round(time_ms * rate / 1000.0)
    wanted = np.zeros(2 * rate)
    wanted[frames::frames] = 0.5 ** np.arange(len(wanted[frames::frames]))
    np.testing.assert_allclose(made, [wanted, wanted], atol=1e-15)


def test_without_feedback_there_is_one_repeat():
    made = Echoes(DelaySettings(feedback=0.0), RATE).process(impulse(2 * RATE))
    np.testing.assert_array_equal(np.flatnonzero(made[0]), [RATE // 4])


def test_dry_and_wet_are_weighted():
    rng = np.random.default_rng(0)
    samples = rng.standard_normal((2, 30_000))
    settings = DelaySettings(time_ms=20.0, wet=0.3)
    wet = Echoes(settings, RATE).process(samples)
    made = Delay(settings, RATE).process(samples)
    np.testing.assert_allclose(made, 0.7 * samples + 0.3 * wet, atol=1e-14)


def test_ping_pong_alternates_and_begins_on_the_left():
    settings = DelaySettings(time_ms=100.0, feedback=0.5, ping_pong=True)
    samples = np.zeros((2, RATE))
    samples[:, 0] = 0.25, 0.75  # whose mean is heard
    made = Echoes(settings, RATE).process(samples)
    frames = RATE // 10
    np.testing.assert_array_equal(
        np.flatnonzero(made[0]), [frames, 3 * frames, 5 * frames, 7 * frames, 9 * frames]
    )
    np.testing.assert_array_equal(np.flatnonzero(made[1]), np.arange(2, 10, 2) * frames)
    np.testing.assert_allclose(made.sum(axis=0)[frames::frames], 0.5 ** np.arange(1, 10))


@pytest.mark.parametrize("rate", RATES)
def test_each_repeat_goes_through_the_cuts_once_more(rate):
    """Against SciPy's Butterworth filters, −3 dB at the cuts for the first repeat."""
    settings = DelaySettings(time_ms=100.0, feedback=0.7, low_cut_hz=200.0, high_cut_hz=2_000.0)
    made = Echoes(settings, rate).process(impulse(rate // 2))[0]
    filters = np.vstack(
        [
            butter(2, 200.0, "highpass", output="sos", fs=rate),
            butter(2, 2_000.0, "lowpass", output="sos", fs=rate),
        ]
    )
    wanted = np.zeros(rate // 2)
    repeat = impulse(rate // 2, 1)[0]
    for _ in range(4):
        repeat = sosfilt(filters, np.pad(repeat, (rate // 10, 0))[: rate // 2])
        wanted += repeat
        repeat = 0.7 * repeat
    np.testing.assert_allclose(made, wanted, atol=1e-9)
    rows = sections(settings, rate)
    sos = np.insert(rows, 3, 1.0, axis=1)
    low_db = 20 * np.log10(np.abs(sosfreqz(sos[:1], [200.0], fs=rate)[1][0]))
    high_db = 20 * np.log10(np.abs(sosfreqz(sos[1:], [2_000.0], fs=rate)[1][0]))
    assert low_db == pytest.approx(10 * math.log10(0.5), abs=0.001)
    assert high_db == pytest.approx(10 * math.log10(0.5), abs=0.001)


def test_the_ends_of_the_ranges_are_no_filters():
    assert len(sections(DelaySettings(), RATE)) == 0
    assert len(sections(DelaySettings(low_cut_hz=21.0), RATE)) == 1
    assert len(sections(DelaySettings(high_cut_hz=19_000.0), RATE)) == 1


@pytest.mark.parametrize("feedback", [0.0, 0.3, 0.8])
@pytest.mark.parametrize("low_cut_hz", [20.0, 40.0])
def test_the_tail_ends_60_db_down(feedback, low_cut_hz):
    settings = DelaySettings(time_ms=80.0, feedback=feedback, low_cut_hz=low_cut_hz, wet=1.0)
    frames = insert_tail_frames(ChannelStrip(name="a", delay=settings), RATE)
    assert frames == round(tail_s(settings) * RATE)
    made = np.abs(Echoes(settings, RATE).process(impulse(4 * RATE))[0])
    assert made[frames + 1 :].max() < 1e-3 * made.max()
    if feedback > 0.0:  # and not much sooner
        assert made[frames - round(0.3 * RATE) : frames + 1].max() > 3e-4 * made.max()


def test_the_tail_is_bounded():
    assert tail_s(DelaySettings(time_ms=2_000.0, feedback=0.9)) == LONGEST_TAIL_S


def test_what_reverberates_in_a_bus():
    wet = Bus(space=SpaceSettings(wet=0.2), delay=DelaySettings(wet=0.2))
    assert reverb_of(wet) is DELAY
    assert reverb_of(replace(wet, delay=DelaySettings())) is SPACE
    assert reverb_of(Bus()) is REVERB
    assert reverb_of(Bus(parallel=True)) is None
    with pytest.raises(PlanError, match="'echo' is parallel.*its delay"):
        reverb_of(Bus(name="echo", parallel=True, delay=DelaySettings(wet=0.2)))


def test_a_bus_returns_echoes_alone():
    settings = DelaySettings(time_ms=50.0, feedback=0.5, wet=0.1)
    bus = Bus(name="echo", pre_delay_ms=10.0, delay=settings, gain_db=-20.0)
    samples = np.zeros((2, RATE))
    samples[:, 0] = 1.0, 0.0
    made = Return(bus, RATE).process(samples)
    np.testing.assert_array_equal(made[0], made[1])
    at = np.flatnonzero(made[0])[:3]
    np.testing.assert_array_equal(at, [60 * 48, 110 * 48, 160 * 48])
    np.testing.assert_allclose(made[0][at], [0.05, 0.025, 0.0125])
    assert bus_tail_frames(bus, RATE) == 480 + round(RATE * tail_s(settings))


def test_a_mono_track_has_two_sides_behind_a_delay_and_keeps_its_dry_level():
    rng = np.random.default_rng(1)
    track = Track(
        name="a",
        role="other",
        source=Audio(rng.uniform(-0.3, 0.3, (1, 9_000)).astype(np.float32), RATE),
    )
    console = ExactConsole(Session(tracks=(track,)))

    def mix(settings):
        strip = ChannelStrip(name="a", delay=settings, sends=(Send(bus="b"),))
        plan = MixPlan(tracks=(strip,), buses=(Bus(name="b", gain_db=-60.0, parallel=True),))
        return collect(console.premaster(plan)).samples

    dry = mix(DelaySettings())
    wet = mix(DelaySettings(time_ms=20.0, ping_pong=True, feedback=0.0, wet=0.25))
    np.testing.assert_allclose(wet[:, :960], 0.75 * dry[:, :960], atol=1e-6)
    np.testing.assert_allclose(wet[1, :9_000], 0.75 * dry[1], atol=1e-6)
    np.testing.assert_allclose(
        wet[0, 960:9_000], 0.75 * dry[0, 960:] + 0.25 * dry[0, :-960], atol=1e-6
    )
