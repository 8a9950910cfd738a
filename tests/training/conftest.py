"""Tiny songs whose human mix is the sum of their stems."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from automix.datasets.catalog import find_songs
from automix.training.controller.settings import Augmentation, DmcTraining
from automix.training.decoded_songs import DecodedSong, decode_songs
from automix.training.settings import LoopSettings

RATE = 44100


def stem(kind: str, seed: int, seconds: float) -> np.ndarray:
    """Pulses, a tone, or noise: unlike in crest factor and spectrum."""
    draw = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    if kind == "kick":
        return np.sin(2 * np.pi * 60 * time) * np.exp(-(time % 0.5) / 0.03)
    if kind == "vocal":
        return sum(np.sin(2 * np.pi * 220 * n * time) / n for n in range(1, 9)) * 0.3
    return draw.normal(size=len(time)) * 0.2


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four songs of three mono stems, the noise 6 dB and the vocal 3 dB below the kick's scale."""
    root = tmp_path_factory.mktemp("songs")
    for song in range(4):
        place = root / f"song {song}"
        place.mkdir()
        for kind, gain in (("kick", 0.5), ("vocal", 0.35), ("noise", 0.25)):
            samples = (gain * stem(kind, song, 8.0)).astype(np.float32)
            soundfile.write(place / f"{kind}.wav", samples, RATE, "FLOAT")
    return root


@pytest.fixture(scope="session")
def songs(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[DecodedSong]:
    return decode_songs(find_songs(folder), tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def settings() -> Callable[..., DmcTraining]:
    """Settings for a quick training; arguments replace some."""

    def make(**changes: object) -> DmcTraining:
        loop = {"steps": 6, "batch": 2, "validate_every": 2, "learning_rate": 1e-3}
        augmentation = Augmentation(subset=0.0, regroup=0.0, equalize=0.0, compress=0.0)
        plain: dict[str, object] = {
            "loop": LoopSettings(**{**loop, **changes.pop("loop", {})}),
            "augmentation": augmentation,
            "examples": 8,
            "shortest_s": 5.0,
            "longest_s": 6.0,
        }
        return DmcTraining(**{**plain, **changes})

    return make
