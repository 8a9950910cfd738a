"""Rides: what the exact console does with the lines of a plan."""

from dataclasses import replace

import numpy as np
import pytest

from automix.audio.blocks import collect
from automix.audio.samples import Audio
from automix.audio.streams import Stream
from automix.consoles.exact import ExactConsole, apply_master
from automix.dsp.pan import balance_gains, pan_gains
from automix.dsp.rides import RideLine
from automix.plan.model import MixPlan
from automix.plan.rides import Ride
from automix.plan.settings import (
    Bus,
    ChannelStrip,
    CompressorSettings,
    DelaySettings,
    Master,
    SaturationSettings,
    Send,
    WidenerSettings,
)
from automix.session.tracks import Session, Track

RATE = 44_100
TIMES_S = (0.1, 0.35, 0.350023, 0.8)
VALUES = (-6.0, 3.0, -60.0, 1.5)
SLOW = Ride(setting="fader_db", times_s=TIMES_S, values=VALUES)


def written_db(ride: Ride, frames: int) -> np.ndarray:
    """The line as the plan has it, by another way than the console's."""
    return np.interp(np.arange(frames) / RATE, ride.times_s, ride.values)


def noise(channels: int, frames: int = RATE, seed: int = 1) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(0.0, 0.1, (channels, frames))
    return drawn.astype(np.float32)


def session_of(**tracks: np.ndarray) -> Session:
    return Session(
        tracks=tuple(
            Track(name=name, role="other", source=Audio(samples, RATE))
            for name, samples in tracks.items()
        )
    )


def cut(samples: np.ndarray, length: int) -> Stream:
    """Audio that comes in blocks of some length."""
    starts = range(0, samples.shape[1], length)
    return Stream(
        sample_rate=RATE,
        channels=len(samples),
        frames=samples.shape[1],
        make_blocks=lambda: (samples[:, start : start + length] for start in starts),
    )


def premaster_of(session: Session, plan: MixPlan) -> np.ndarray:
    return collect(ExactConsole(session).premaster(plan)).samples


@pytest.mark.parametrize("block", [1, 7, 4096, 65_536])
def test_a_line_is_as_it_is_written_whatever_the_blocks(block):
    frames = 20_011 if block > 1 else 2_000
    ride = replace(SLOW, times_s=tuple(0.02 + 0.3 * time_s for time_s in TIMES_S))
    line, whole = RideLine(ride, RATE), RideLine(ride, RATE)
    values = np.concatenate(
        [
            np.broadcast_to(
                line.next_values(min(block, frames - start)), min(block, frames - start)
            )
            for start in range(0, frames, block)
        ]
    )
    np.testing.assert_array_equal(values, whole.next_values(frames))
    np.testing.assert_allclose(values, written_db(ride, frames), rtol=0, atol=1e-9)


@pytest.mark.parametrize("gap_s", [5e-324, 1e-300, 1e-9])
def test_points_as_good_as_at_one_time_are_a_step(gap_s):
    ride = Ride(times_s=(0.0, gap_s, 1.0), values=(0.0, 6.0, 6.0))
    np.testing.assert_array_equal(RideLine(ride, RATE).next_values(4), [0.0, 6.0, 6.0, 6.0])


def test_gains_are_the_same_bits_whatever_the_blocks():
    parts, whole = RideLine(SLOW, RATE), RideLine(SLOW, RATE)
    lengths = np.random.default_rng(4).integers(1, 3000, 40)
    together = np.concatenate([np.broadcast_to(parts.next_gains(n), n) for n in lengths])
    np.testing.assert_array_equal(together, whole.next_gains(int(lengths.sum())))


@pytest.mark.parametrize("channels", [1, 2])
def test_a_ride_of_the_fader_is_added_to_it(channels):
    session = session_of(a=np.ones((channels, RATE), np.float32))
    strip = ChannelStrip(name="a", fader_db=-2.0, rides=(SLOW,))
    gain = 10.0 ** ((written_db(SLOW, RATE) - 2.0) / 20.0)
    center = pan_gains(0.5, "constant-power")[0] if channels == 1 else 1.0
    found = premaster_of(session, MixPlan(tracks=(strip,)))
    np.testing.assert_allclose(found, np.tile(center * gain, (2, 1)), rtol=0, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("law", ["linear", "constant-power", "compromise"])
def test_a_ride_of_the_pan_stands_in_its_place(channels, law):
    session = session_of(a=np.ones((channels, RATE), np.float32))
    ride = Ride(setting="pan", times_s=(0.2, 0.7), values=(0.1, 1.0))
    plan = MixPlan(tracks=(ChannelStrip(name="a", pan=0.5, rides=(ride,)),), pan_law=law)
    gains = pan_gains if channels == 1 else balance_gains
    expected = np.array([gains(float(pan), law) for pan in written_db(ride, RATE)]).T
    np.testing.assert_allclose(premaster_of(session, plan), expected, rtol=0, atol=1e-6)


def bus_plan(*rides: Ride, of_bus: tuple[Ride, ...] = ()) -> MixPlan:
    """A track that is heard by its send alone."""
    strip = ChannelStrip(name="a", sends=(Send(bus="b", gain_db=-4.0),), rides=rides)
    silent = ChannelStrip(name="z")
    bus = Bus(name="b", parallel=True, gain_db=2.0, rides=of_bus)
    return MixPlan(tracks=(strip, silent), buses=(bus,))


def returned(plan: MixPlan) -> np.ndarray:
    session = session_of(a=np.ones((2, RATE), np.float32), z=np.zeros((1, RATE), np.float32))
    console = ExactConsole(session)
    return np.concatenate([flow.returns["b"] for flow in console.flow(plan)], axis=1)


def test_sends_are_behind_the_fader_and_ride_by_themselves():
    fader = replace(SLOW, times_s=(0.0, 1.0), values=(0.0, -12.0))
    ride = replace(SLOW, setting="sends.1.gain_db")
    of_bus = Ride(setting="gain_db", times_s=(0.5, 0.6), values=(0.0, 5.0))
    lines_db = sum(written_db(line, RATE) for line in (fader, ride, of_bus))
    found = returned(bus_plan(fader, ride, of_bus=(of_bus,)))
    expected = np.tile(10.0 ** ((lines_db - 4.0 + 2.0) / 20.0), (2, 1))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_a_send_keeps_its_ride_where_others_go():
    ride = replace(SLOW, setting="sends.2.gain_db")
    strip = ChannelStrip(name="a", sends=(Send(bus="x"), Send(bus="y")), rides=(SLOW, ride))
    kept = strip.keep_sends_to("y")
    assert kept.sends == (Send(bus="y"),)
    assert kept.rides == (SLOW, replace(ride, setting="sends.1.gain_db"))
    assert strip.keep_sends_to().rides == (SLOW,)


def test_a_ride_of_the_master_goes_with_its_gain():
    ride = Ride(setting="gain_db", times_s=TIMES_S, values=VALUES)
    samples = noise(2)
    master = Master(gain_db=-3.0, rides=(ride,))
    expected = samples * 10.0 ** ((written_db(ride, RATE) - 3.0) / 20.0)
    for block in (999, 65_536):
        mixed = collect(apply_master(cut(samples, block), master)).samples
        np.testing.assert_allclose(mixed, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("drive_db", "delay_ms"), [(0.0, 0.0), (6.0, 0.0), (6.0, -3.3)])
def test_a_ride_of_the_sides_is_in_time_though_the_strip_is_late(drive_db, delay_ms):
    """The saturation before the widener makes the signal late within the strip."""
    samples = noise(1)
    ride = Ride(setting="widener.side_db", times_s=(0.3, 0.30001), values=(-60.0, 0.0))
    strip = ChannelStrip(
        name="a",
        delay_ms=delay_ms,
        saturation=SaturationSettings(drive_db=drive_db),
        widener=WidenerSettings(side_db=-6.0),
    )
    still = premaster_of(session_of(a=samples), MixPlan(tracks=(strip,)))
    moved = premaster_of(session_of(a=samples), MixPlan(tracks=(replace(strip, rides=(ride,)),)))
    gain = 10.0 ** (written_db(ride, still.shape[1]) / 20.0)
    np.testing.assert_allclose(moved.sum(0), still.sum(0), rtol=0, atol=2e-6)  # the fold to mono
    np.testing.assert_allclose(moved[0] - moved[1], gain * (still[0] - still[1]), atol=2e-6)


FULL = MixPlan(
    tracks=(
        ChannelStrip(
            name="a",
            fader_db=-1.3,
            pan=0.3,
            widener=WidenerSettings(side_db=-9.0),
            sends=(Send(bus="b", gain_db=-5.0), Send(bus="c", gain_db=-7.0)),
        ),
        ChannelStrip(name="z", fader_db=2.2, sends=(Send(bus="c"),)),
    ),
    buses=(
        Bus(name="b", delay=DelaySettings(wet=1.0), gain_db=-3.0),
        Bus(
            name="c",
            parallel=True,
            compressor=CompressorSettings(threshold_db=-30.0, ratio=4.0),
        ),
    ),
    master=Master(compressor=CompressorSettings(threshold_db=-20.0), gain_db=-1.0),
)


def with_rides(plan: MixPlan, scale: float) -> MixPlan:
    """The plan with a ride of everything that can be ridden, its lines multiplied."""
    lines = {
        name: Ride(setting=name, times_s=TIMES_S, values=tuple(scale * v / 6.0 for v in VALUES))
        for name in ("fader_db", "gain_db", "sends.1.gain_db", "sends.2.gain_db", "widener.side_db")
    }
    first, second = plan.tracks
    pan = Ride(setting="pan", times_s=(0.0, 1.0), values=(first.pan, first.pan + 0.4 * scale))
    of_first = tuple(line for name, line in lines.items() if name != "gain_db")
    return replace(
        plan,
        tracks=(
            replace(first, rides=(*of_first, pan)),
            replace(second, rides=(lines["fader_db"], lines["sends.1.gain_db"])),
        ),
        buses=tuple(replace(bus, rides=(lines["gain_db"],)) for bus in plan.buses),
        master=replace(plan.master, rides=(lines["gain_db"],)),
    )


def mix_of(plan: MixPlan, session: Session) -> np.ndarray:
    console = ExactConsole(session)
    return collect(apply_master(console.premaster(plan), plan.master)).samples


def test_rides_of_zeros_change_no_bit():
    session = session_of(a=noise(1), z=noise(2, seed=2))
    still = mix_of(FULL, session)
    np.testing.assert_array_equal(mix_of(with_rides(FULL, 0.0), session), still)
    assert np.abs(mix_of(with_rides(FULL, 1.0), session) - still).max() > 0.01


def test_the_blocks_of_the_tracks_change_no_bit():
    plan, samples = with_rides(FULL, 1.0), {"a": noise(1), "z": noise(2, seed=2)}
    whole = mix_of(plan, session_of(**samples))
    tracks = tuple(
        Track(name=name, role="other", source=cut(audio, 777)) for name, audio in samples.items()
    )
    np.testing.assert_array_equal(mix_of(plan, Session(tracks=tracks)), whole)


def test_stems_with_rides_sum_to_the_mix():
    plan = with_rides(FULL, 1.0)
    console = ExactConsole(session_of(a=noise(1), z=noise(2, seed=2)))
    premaster = console.premaster(plan)
    stems = sum(collect(console.stem(plan, s.name, premaster)).samples for s in plan.tracks)
    np.testing.assert_allclose(
        stems, collect(apply_master(premaster, plan.master)).samples, rtol=0, atol=1e-6
    )


def test_a_ride_of_a_processor_that_is_off_is_told_once():
    ride = Ride(setting="widener.side_db", values=(20.0,))
    console = ExactConsole(session_of(a=noise(1, 100)))
    for side_db, told in ((-20.0, 0), (-60.0, 1), (-60.0, 1)):
        strip = ChannelStrip(name="a", widener=WidenerSettings(side_db=side_db), rides=(ride,))
        collect(console.premaster(MixPlan(sample_rate_hz=RATE, tracks=(strip,))))
        assert len(console.warnings) == told
    assert console.warnings[0].startswith("a: the widener is off")
