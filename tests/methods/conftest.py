"""Small sessions in memory."""

import numpy as np
import pytest

from automix.audio.samples import Audio
from automix.session.roles.recognition import read_role
from automix.session.tracks import Session, Track
from tests.demo.songs import demo_song

RATE = 44100


@pytest.fixture
def make_session():
    """A session of a vocal and a backing track from two arrays."""

    def make(vocal, backing, rate=RATE):
        return Session(
            tracks=(
                Track(name="vocal", role="lead vocal", source=Audio(vocal, rate)),
                Track(name="beat", role="backing track", source=Audio(backing, rate)),
            )
        )

    return make


@pytest.fixture(scope="session")
def song():
    """A dynamic voice-like tone and a noisy backing with a beat at 120 BPM, 12 s."""
    rng = np.random.default_rng(5)
    time = np.arange(12 * RATE) / RATE
    loud = np.select([time % 3 < 0.2, time % 3 < 1.2, time % 3 < 2.4], [0.0, 0.08, 0.7], 0.0)
    voice = sum(np.sin(2 * np.pi * 220 * n * time) / n for n in range(1, 9)) * loud * 0.3
    clicks = np.exp(-((time % 0.5) / 0.02)) * rng.normal(size=len(time)) * 0.3
    backing = clicks + 0.02 * rng.normal(size=(2, len(time)))
    for _ in range(4):  # meters of different rates differ near Nyquist, so keep away from it
        backing = (backing + np.roll(backing, 1, axis=1)) / 2
    return voice.astype(np.float32), backing.astype(np.float32)


@pytest.fixture(scope="session")
def cut_demo():
    """The tracks of the demo song from one second to another."""
    tracks = demo_song().tracks

    def cut(start_s, stop_s):
        first, last = start_s * RATE, stop_s * RATE
        return Session(
            tracks=tuple(
                Track(
                    name=name,
                    role=said.role if (said := read_role(name)) else "other",
                    source=Audio(audio.samples[:, first:last], RATE),
                )
                for name, audio in tracks.items()
            )
        )

    return cut
