"""Files in the formats of others, made by ffmpeg at test time, and stand-ins for ffmpeg itself."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

RATE = 44100
FRAMES = 2 * RATE + 123

needs_ffmpeg = pytest.mark.skipif(
    shutil.which("ffmpeg") is None or shutil.which("ffprobe") is None,
    reason="ffmpeg and ffprobe are not installed",
)


def sound(channels=2, frames=FRAMES, rate=RATE):
    """A tone that comes, goes and rises, over a little noise: any shift in time shows."""
    t = np.arange(frames) / rate
    draw = np.random.default_rng(5)
    tone = 0.3 * np.sin(2 * np.pi * (200 + 150 * t) * t) * (np.sin(2 * np.pi * 1.7 * t) > 0)
    rows = [tone * (1 - 0.2 * side) for side in range(channels)]
    return (np.stack(rows, axis=1) + 0.001 * draw.standard_normal((frames, channels))).astype("f4")


def write_wav(path, samples=None, subtype="PCM_24", rate=RATE):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, sound() if samples is None else samples, rate, subtype=subtype)
    return path


def ffmpeg(*arguments):
    command = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-y"]
    subprocess.run([*command, *map(str, arguments)], check=True)


def convert(wav: Path, target: Path, *options) -> Path:
    """Encodes a WAV file by ffmpeg, in the format that the extension says."""
    target.parent.mkdir(parents=True, exist_ok=True)
    ffmpeg("-i", wav, *options, f"file:{target}")
    return target


def read_wav(path):
    return soundfile.read(path, dtype="float32", always_2d=True)[0].T


def find_lag(decoded, original):
    """Frames by which ``decoded`` is late, by the peak of the correlation."""
    size = 1 << (len(decoded) + len(original)).bit_length()
    product = np.fft.rfft(decoded, size) * np.conj(np.fft.rfft(original, size))
    peak = int(np.argmax(np.fft.irfft(product)))
    return peak - size if peak > size // 2 else peak


def install_fake(folder: Path, monkeypatch, **scripts: str) -> None:
    """Puts programs in front of the real ones: shell scripts by their names."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, script in scripts.items():
        program = folder / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
