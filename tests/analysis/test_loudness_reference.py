"""Against independent meters: libebur128's algorithm in FFmpeg, and pyloudnorm."""

import re
import shutil
import subprocess

import numpy as np
import pyloudnorm
import pytest
import soundfile
from scipy import signal

from automix.analysis.loudness import LoudnessMeter, integrated_lufs, loudness_range_lu
from automix.analysis.program import measure
from automix.audio.samples import Audio

needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")


def music(rate, seconds=30, channels=2, seed=11):
    """Something with the spectrum and the dynamics of music: pink noise, notes, quiet passages."""
    rng = np.random.default_rng(seed)
    frames = round(seconds * rate)
    time = np.arange(frames) / rate
    pink = signal.lfilter([0.05], [1, -0.97], rng.standard_normal((channels, frames)))
    notes = sum(
        np.sin(2 * np.pi * pitch_hz * time) * np.exp(-4 * (time * tempo % 1))
        for pitch_hz, tempo in ((110, 2), (440, 1.5), (1760, 4), (3400, 0.7))
    )
    form = 10 ** ((-12 + 11 * np.sin(2 * np.pi * time / 17)) / 20)
    mix = form * (0.5 * pink + 0.15 * notes)
    return np.clip(mix, -1, 1).astype(np.float32)


def ffmpeg_readings(path):
    """Integrated loudness, loudness range and true peak from the ebur128 filter's summary."""
    command = ["ffmpeg", "-hide_banner", "-nostats", "-i", path]
    command += ["-filter:a", "ebur128=peak=true:framelog=verbose", "-f", "null", "-"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    summary = printed[printed.rindex("Summary:") :]
    return [
        float(re.search(rf"{label}:\s+(-?[\d.]+) (?:LUFS|LU|dBFS)", summary)[1])
        for label in ("I", "LRA", "Peak")
    ]


@needs_ffmpeg
@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_agrees_with_ffmpeg(rate, tmp_path):
    samples = music(rate)
    soundfile.write(tmp_path / "music.wav", samples.T, rate, subtype="FLOAT")
    integrated, loudness_range, true_peak = ffmpeg_readings(tmp_path / "music.wav")
    ours = measure(Audio(samples, rate))
    assert ours.loudness_range_lu > 5  # or the comparison would say little
    assert ours.integrated_lufs == pytest.approx(integrated, abs=0.1)
    assert ours.loudness_range_lu == pytest.approx(loudness_range, abs=0.3)
    assert ours.true_peak_dbtp == pytest.approx(true_peak, abs=0.2)


@pytest.mark.parametrize("rate", [8000, 22_050, 44_100, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_agrees_with_pyloudnorm(rate, channels):
    samples = music(rate, seconds=8, channels=channels)
    theirs = pyloudnorm.Meter(rate, filter_class="DeMan").integrated_loudness(
        samples.T.astype(np.float64)
    )
    meter = LoudnessMeter(rate, channels)
    meter.add(samples)
    assert integrated_lufs(meter.energies) == pytest.approx(theirs, abs=0.05)


@pytest.mark.parametrize("rate", [44_100, 48_000])
@pytest.mark.parametrize("seed", [12, 13])
def test_range_agrees_with_pyloudnorm(rate, seed):
    samples = music(rate, seed=seed)
    meter = LoudnessMeter(rate, 2)
    meter.add(samples)
    meter.add(np.zeros((2, rate * 3 // 2), dtype=np.float32))  # which pyloudnorm appends by itself
    theirs = pyloudnorm.Meter(rate, filter_class="DeMan").loudness_range(
        samples.T.astype(np.float64)
    )
    assert loudness_range_lu(meter.energies) == pytest.approx(theirs, abs=0.3)
