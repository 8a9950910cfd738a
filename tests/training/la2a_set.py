"""A small set in the layout of SignalTrain LA2A: the exact compressor plays the LA-2A."""

from pathlib import Path

import numpy as np
import soundfile

from automix.dsp.compressor import Compressor
from automix.plan.settings import CompressorSettings

RATE = 44_100
KNOBS = {"Train": range(0, 101, 10), "Val": range(5, 100, 30), "Test": (15, 45, 75, 95)}


def device(audio: np.ndarray, limit: bool, peak_reduction: float) -> np.ndarray:
    """The knob lowers the threshold to −50 dB, the switch makes 10:1 of 3:1."""
    settings = CompressorSettings(
        threshold_db=-0.5 * peak_reduction,
        ratio=10.0 if limit else 3.0,
        attack_ms=5.0,
        release_ms=50.0,
    )
    return Compressor(settings, RATE).process(audio[np.newaxis].astype(np.float64))[0]


def phrase(draw: np.random.Generator, seconds: float) -> np.ndarray:
    """Plucked chords and hits of noise at changing levels, peaking at 0.9."""
    time = np.arange(round(seconds * RATE)) / RATE
    made = np.zeros(len(time))
    start = 0.0
    while start < seconds:
        since = np.maximum(time - start, 0.0)
        shape = np.exp(-since / draw.uniform(0.05, 0.4)) * (time >= start)
        level = 10 ** (draw.uniform(-20, 0) / 20)
        if draw.random() < 0.4:
            made += level * shape * draw.standard_normal(len(time)) * 0.3
        else:
            for note in draw.uniform(80, 900, 3):
                made += level * shape * np.sin(2 * np.pi * note * since) / 3
        start += draw.uniform(0.15, 0.6)
    return 0.9 * made / np.abs(made).max()


def make_la2a(root: Path, seconds: float = 5.0) -> None:
    """Writes the set; Val and Test have other audio and other positions of the knob."""
    draw = np.random.default_rng(0)
    number = 1
    for side, knobs in KNOBS.items():
        (root / side).mkdir(parents=True)
        for limit in (False, True):
            for knob in knobs:
                given = phrase(draw, seconds)
                target = root / side / f"target_{number}_LA2A_2c__{int(limit)}__{knob}.wav"
                soundfile.write(root / side / f"input_{number}_.wav", given, RATE, "PCM_24")
                soundfile.write(target, device(given, limit, knob), RATE, "PCM_24")
                number += 1
