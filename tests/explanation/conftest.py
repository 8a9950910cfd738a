"""Songs whose truth is known: noises in bands of their own."""

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from automix.audio.samples import Audio
from automix.consoles.exact import ExactConsole
from automix.explanation.explaining import explain
from automix.library import mix_session
from automix.methods.catalog import STEMS_METHODS
from automix.mixing.request import StemsRequest
from automix.session.tracks import Session, Track

RATE = 44100
SECONDS = 6
ENTRIES = {entry.name: entry for entry in STEMS_METHODS}


def noise(low_hz, high_hz, seed, level=0.1):
    """Steady noise between two frequencies ``(frames,)``, steep beyond them."""
    rng = np.random.default_rng(seed)
    sos = butter(6, (low_hz, high_hz), btype="band", fs=RATE, output="sos")
    samples = sosfilt(sos, rng.normal(size=RATE * SECONDS))
    return (level * samples / samples.std()).astype(np.float32)


def session_of(tracks):
    """A session of ``{name: (role, samples)}``."""
    return Session(
        tracks=tuple(
            Track(name=name, role=role, source=Audio(samples, RATE))
            for name, (role, samples) in tracks.items()
        )
    )


def apart():
    """Four tracks, each in a band of its own: nobody covers anybody."""
    return {
        "bass": ("bass", noise(50, 110, 1)),
        "lead vocal": ("lead vocal", noise(400, 1000, 2)),
        "guitar": ("guitar", noise(2000, 3500, 3)),
        "hats": ("hats", noise(7000, 14000, 4)),
    }


def planned(session, method="rules", mode="basic", **constants):
    """The plan that a method writes."""
    return mix_session(session, StemsRequest(method=method, mode=mode, constants=constants)).plan


@pytest.fixture(scope="session")
def clean():
    session = session_of(apart())
    return session, planned(session)


@pytest.fixture(scope="session")
def explained():
    """Explains a plan, or one with changes ``{address: value}``."""

    def run(session, plan, **options):
        return explain(ExactConsole(session), plan, **options)

    return run
