"""A small song in place of the reference song."""

import numpy as np
import pytest

from automix.audio.samples import Audio
from automix.benchmark import workbench
from automix.demo import DemoSong

RATE = 44_100


def noise(channels, seconds, seed):
    rng = np.random.default_rng(seed)
    return (0.1 * rng.standard_normal((channels, round(seconds * RATE)))).astype(np.float32)


@pytest.fixture
def demo(monkeypatch):
    """A demo of 1.7 s, and a reference song of 4 s."""
    song = DemoSong(
        tempo_bpm=120,
        vocal=Audio(noise(1, 1.7, 1), RATE),
        beat=Audio(noise(2, 1.7, 2), RATE),
        tracks={name: Audio(noise(1, 1.7, 3), RATE) for name in workbench.STEMS},
    )
    monkeypatch.setattr(workbench, "synthesize_demo", lambda: song)
    monkeypatch.setattr(workbench, "SONG_S", 4)
    return song
