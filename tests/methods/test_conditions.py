"""What mixes say of the takes that they are made from: the same as the check, the worst of it."""

import numpy as np
import pytest

import automix

RATE = 22050
TIME = np.arange(8 * RATE) / RATE
PULSE, OTHER = 0.1 * np.random.default_rng(1).standard_normal((2, len(TIME))) * (TIME % 2 < 1)


def warnings(method="rules", **tracks):
    mix = automix.mix_stems(tracks, sample_rate=RATE, method=method)
    return mix, [line for line in mix.warnings if line.startswith((*tracks, "1 more", "2 more"))]


@pytest.mark.parametrize(
    "method", ["rules", "equal-loudness", pytest.param("dmc", marks=pytest.mark.slow)]
)
def test_the_worst_three_are_told_and_the_others_counted(method):
    hum = 0.005 * np.sin(2 * np.pi * 50 * TIME)
    mix, told = warnings(
        method,
        keys=OTHER,
        guitar=PULSE + 0.01,
        piano=np.roll(PULSE, 999) - 0.02,
        organ=np.clip(0.3 * np.sin(2 * np.pi * 220 * TIME) * np.sin(np.pi * TIME / 8), -0.2, 0.2),
        strings=0.1 * np.roll(OTHER, 99) + hum,
        brass=0 * PULSE,
    )
    assert [line.partition(":")[0] for line in told[:2]] == ["organ", "strings"]
    assert "clipped" in told[0]
    assert "hum of 50 Hz" in told[1]
    assert told[2].startswith("brass: silent")
    assert told[3:] == ["2 more are wrong with the takes: automix check lists everything"]
    filtered = {s.name for s in mix.plan.tracks for band in s.equalizer.bands
                if band.kind == "high_pass" and band.frequency_hz == 20.0}  # fmt: skip
    assert {"guitar", "piano"} <= filtered  # told or not, an offset is taken away


def test_sound_takes_are_not_mentioned_and_one_wording_serves_both():
    assert warnings(keys=PULSE, guitar=np.roll(PULSE, 999))[1] == []
    tracks = {"keys": PULSE, "guitar": np.roll(PULSE, 999) + 0.05}
    (told,) = warnings(**tracks)[1]
    found = automix.check(tracks, sample_rate=RATE).findings
    assert told in [finding.message() for finding in found]
