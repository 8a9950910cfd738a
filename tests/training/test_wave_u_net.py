"""What the Mix-Wave-U-Net learns from: eight places for tracks, one length, folded to mono."""

from types import SimpleNamespace

import numpy as np
import pytest

from automix.audio.samples import Audio
from automix.errors import InputError
from automix.session.tracks import Session, Track
from automix.training.wave_u_net.examples import stack_examples


def example(tracks, frames=1000):
    draw = np.random.default_rng(tracks)
    audio = [draw.normal(size=(2, frames)).astype(np.float32) * 0.1 for _ in range(tracks)]
    session = Session(
        tracks=tuple(
            Track(name=f"track {n}", role="other", source=Audio(samples, 44100))
            for n, samples in enumerate(audio)
        )
    )
    return audio, SimpleNamespace(session=session, human=np.sum(audio, axis=0))


def test_missing_tracks_are_zeros_and_the_shortest_length_counts():
    (three, first), (_, second) = example(3), example(8, 700)
    tracks, human = stack_examples([first, second])
    assert tracks.shape == (2, 8, 700)
    assert human.shape == (2, 2, 700)
    for n, samples in enumerate(three):
        np.testing.assert_allclose(tracks[0, n], samples[:, :700].mean(0), atol=1e-7)
    assert not tracks[0, 3:].any()
    assert tracks[1].abs().sum(1).all()


def test_more_than_eight_tracks_are_refused():
    _, many = example(9)
    with pytest.raises(InputError, match="9 tracks"):
        stack_examples([many])
