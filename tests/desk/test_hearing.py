"""What is seen of a render is what is in it."""

import numpy as np
import pytest

from automix.analysis.loudness import integrated_lufs, measure_energies
from automix.audio.samples import Audio
from automix.consoles.exact import insert_stream
from automix.desk.hearing import COLUMNS, ReductionMeters, hear_render
from automix.dsp.compressor import Compressor
from automix.plan.settings import (
    ChannelStrip,
    CompressorSettings,
    GateSettings,
    SaturationSettings,
)

RATE = 44100


def tone(frequency_hz, level, seconds=2.0, rate=RATE):
    return level * np.sin(2 * np.pi * frequency_hz * np.arange(int(seconds * rate)) / rate)


def hear(samples, rate=RATE):
    return hear_render(Audio(np.atleast_2d(samples).astype(np.float32), rate), [])


@pytest.mark.parametrize("frames", [150_000, 1999, 7])
def test_the_overview_has_the_lowest_and_highest_sample_of_each_part(frames):
    samples = np.random.default_rng(1).uniform(-1.2, 1.2, (2, frames)).astype(np.float32)
    mono = samples.mean(axis=0)
    found = hear(samples)["overview"]
    assert found["columns"] == COLUMNS == len(found["low"]) == len(found["high"])
    for column in range(COLUMNS):
        part = mono[column * frames // COLUMNS : (column + 1) * frames // COLUMNS]
        low, high = (part.min(), part.max()) if len(part) else (0.0, 0.0)
        assert abs(found["low"][column] - 127 * np.clip(min(low, 0), -1, 1)) <= 0.51
        assert abs(found["high"][column] - 127 * np.clip(max(high, 0), -1, 1)) <= 0.51


@pytest.mark.parametrize(("frequency_hz", "channels"), [(100.0, 1), (1000.0, 2), (6310.0, 1)])
def test_a_tone_has_its_power_in_the_third_of_an_octave_where_it_lies(frequency_hz, channels):
    found = hear(np.repeat([tone(frequency_hz, 0.5)], channels, axis=0))["spectrum"]
    loudest = int(np.argmax(found["db"]))
    assert 0.89 < found["centers_hz"][loudest] / frequency_hz < 1.13
    assert found["db"][loudest] == pytest.approx(20 * np.log10(0.5) - 3.01, abs=0.3)
    assert sum(level > found["db"][loudest] - 20 for level in found["db"]) <= 2


def test_a_long_signal_is_seen_as_a_whole():
    """Windows are left out, but no stretch of it is."""
    rate, level = 8000, np.repeat(10.0 ** (-np.arange(8) / 4), 40 * 8000)
    samples = level * tone(500.0, 1.0, 320.0, rate)
    spectrum = hear(samples, rate)["spectrum"]
    wanted = 10 * np.log10(np.mean(samples**2))
    assert max(spectrum["db"]) == pytest.approx(wanted, abs=0.3)


def test_bands_that_the_rate_cannot_carry_are_left_out():
    found = hear(tone(1000.0, 0.5, rate=8000), rate=8000)["spectrum"]
    assert max(found["centers_hz"]) < 4000
    assert len(found["centers_hz"]) == len(found["db"])


def test_loudness_is_that_of_the_meter_and_silence_has_none():
    samples = np.random.default_rng(2).uniform(-0.3, 0.3, (2, 3 * RATE)).astype(np.float32)
    wanted = integrated_lufs(measure_energies(Audio(samples, RATE)))
    assert hear(samples)["lufs"] == pytest.approx(wanted, abs=0.006)
    silent = hear(np.zeros((1, RATE)))
    assert silent["lufs"] is None
    assert max(silent["spectrum"]["db"]) == -120.0


def run(strip, samples):
    source = Audio(samples.astype(np.float32), RATE)
    meters = ReductionMeters(strip, RATE, source.frames)
    for _ in insert_stream(source, strip, "linear", meters.add).blocks():
        pass
    return meters.result()


def test_a_compressor_is_seen_turning_down_what_is_loud():
    level = np.where(np.arange(4 * RATE) // RATE % 2 == 1, 0.8, 0.01)
    samples = level * tone(300.0, 1.0, 4.0)
    strip = ChannelStrip(
        name="a",
        compressor=CompressorSettings(threshold_db=-20.0, ratio=4.0, makeup_db=3.0),
    )
    (found,) = run(strip, samples[np.newaxis])
    assert (found["processor"], found["title"], found["per_second"]) == (
        "compressor",
        "compressor",
        20,
    )
    gain_db = 20 * np.log10(Compressor(strip.compressor, RATE).gain(samples[np.newaxis])) - 3.0
    wanted = gain_db.reshape(80, -1).min(axis=1)
    assert np.allclose(found["db"], wanted, atol=0.01)
    assert min(found["db"]) < -10.0 < -0.1 < max(found["db"]) <= 0.0


def test_each_processor_with_a_gain_is_seen_in_signal_order_and_no_other():
    strip = ChannelStrip(
        name="a",
        gate=GateSettings(range_db=30.0, threshold_db=-20.0),
        compressor=CompressorSettings(threshold_db=-30.0),
        saturation=SaturationSettings(drive_db=6.0),
    )
    found = run(strip, np.array([tone(300.0, 0.5, 1.0)]))
    assert [reduction["processor"] for reduction in found] == ["gate", "compressor"]
    assert all(20 <= len(reduction["db"]) <= 21 for reduction in found)
    assert run(ChannelStrip(name="a"), np.zeros((1, RATE))) == []
