import numpy as np
import pytest

from automix.analysis.hum import HumMeter

RATE = 8000
TIME = np.arange(20 * RATE) / RATE


def measure(signal):
    meter = HumMeter(RATE)
    for block in np.array_split(np.asarray(signal, np.float32), 7):
        meter.add(block)
    return meter.result()


def plucks(hz, distance_s=0.5):
    """A bass that plays one note over and over."""
    phase = TIME % distance_s
    return 0.3 * np.exp(-phase / 0.2) * sum(np.sin(2 * np.pi * hz * n * phase) for n in (1, 2, 3))


def singing():
    """Three seconds of a voice, and three of silence with noise."""
    sings = TIME % 6 < 3
    noise = 1e-4 * np.random.default_rng(1).standard_normal(len(TIME))
    return 0.2 * sings * np.sin(2 * np.pi * 330 * TIME + 3 * np.sin(2 * np.pi * 5 * TIME)) + noise


@pytest.mark.parametrize("mains", [50, 60])
@pytest.mark.parametrize("off", [0.999, 1.0, 1.001])
def test_hum_and_its_level_are_found(mains, off):
    lines = sum(
        level * np.sin(2 * np.pi * mains * n * off * TIME)
        for n, level in ((1, 0.002), (2, 0.001), (3, 0.001))
    )
    found = measure(singing() + lines)
    assert found.mains_hz == mains
    assert found.lines_hz == (mains, 2 * mains, 3 * mains)
    expected_db = 10 * np.log10((0.002**2 + 2 * 0.001**2) / 2)
    assert found.level_db == pytest.approx(expected_db, abs=1.5)


@pytest.mark.parametrize(
    "signal",
    [
        singing(),
        plucks(48.9994),  # G1
        plucks(61.7354),  # B1
        plucks(50.0),
        plucks(60.0, 0.461538),
        0.3 * np.sin(2 * np.pi * 48.9994 * TIME),
        0.3 * (TIME * 110 % 1 - 0.5) * (TIME % 0.1171875 < 0.07),  # lines 8.53 Hz apart
        np.random.default_rng(2).standard_normal(len(TIME)) * 0.1,
        np.zeros(len(TIME)),
        np.zeros(3),
    ],
    ids=[
        "voice",
        "g",
        "b",
        "kick-of-50",
        "kick-of-60",
        "drone",
        "gated",
        "noise",
        "silence",
        "short",
    ],
)
def test_notes_and_kicks_are_no_hum(signal):
    assert measure(signal) is None


def test_a_note_of_the_pitch_of_the_mains_is_no_hum_where_it_ends():
    assert measure(0.1 * np.sin(2 * np.pi * 50 * TIME) * (TIME % 6 < 4) + singing()) is None
