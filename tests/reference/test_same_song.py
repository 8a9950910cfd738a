"""References that are mixes of the very song: found at any place, and no other song is."""

import numpy as np
import pytest
import soundfile as sf

from automix.audio.samples import Audio
from automix.consoles.exact import ExactConsole
from automix.plan.model import MixPlan
from automix.plan.settings import ChannelStrip
from automix.reference.excerpts import cut_excerpts, cut_song
from automix.reference.same_song import find_same_song
from automix.session.tracks import Session, Track

RATE = 16_000


def hits(seed, seconds=20.0):
    """Noise that comes and goes every tenth of a second."""
    draw = np.random.default_rng(seed)
    levels = np.repeat(10 ** (draw.uniform(-30, 0, round(10 * seconds)) / 20), RATE // 10)
    return (0.2 * levels * draw.standard_normal((2, len(levels)))).astype(np.float32)


@pytest.mark.parametrize("late", [0, 3217, -1603, 4 * RATE + 7])
def test_the_same_moments_to_the_sample(tmp_path, late):
    first, second = hits(0), hits(1)
    mix = first + 0.5 * second
    other_mix = first + second
    padded = np.pad(other_mix, ((0, 0), (max(late, 0), 0)))[:, max(-late, 0) :]
    sf.write(tmp_path / "reference.wav", 0.3 * padded.T, RATE, subtype="FLOAT")
    same = find_same_song([tmp_path / "reference.wav"], Audio(mix, RATE))
    assert same is not None
    starts = np.array([RATE, 7 * RATE])
    expected = 0.3 * cut_excerpts(Audio(other_mix, RATE), starts, 2 * RATE)
    np.testing.assert_allclose(same.cut_moments(starts, 2 * RATE).numpy(), expected, atol=1e-7)


def test_a_rate_that_tenths_of_a_second_do_not_divide(tmp_path):
    """A mix that begins minutes late: half a frame lost at each tenth would be far off."""
    rate, late_s = 11_025, 300
    mix = hits(0)
    reference = np.pad(mix, ((0, 0), (late_s * rate, 0)))
    sf.write(tmp_path / "reference.wav", reference.T, rate, subtype="FLOAT")
    same = find_same_song([tmp_path / "reference.wav"], Audio(mix, rate))
    assert same is not None
    starts = np.array([rate, 7 * rate])
    expected = cut_excerpts(Audio(mix, rate), starts, 2 * rate)
    np.testing.assert_allclose(same.cut_moments(starts, 2 * rate).numpy(), expected, atol=1e-7)


def test_no_other_song_and_not_one_of_several(tmp_path):
    sf.write(tmp_path / "other.wav", hits(2).T, RATE)
    sf.write(tmp_path / "short.wav", hits(0)[:, : 2 * RATE].T, RATE)
    sf.write(tmp_path / "same.wav", hits(0).T, RATE)
    mix = Audio(hits(0), RATE)
    assert find_same_song([tmp_path / "same.wav"], mix) is not None
    assert find_same_song([tmp_path / "other.wav"], mix) is None
    assert find_same_song([tmp_path / "short.wav"], mix) is None
    assert find_same_song([tmp_path / "same.wav", tmp_path / "same.wav"], mix) is None
    steady = Audio(np.full((2, 20 * RATE), 0.1, np.float32), RATE)
    assert find_same_song([tmp_path / "same.wav"], steady) is None


def test_a_track_that_sounds_once_is_heard():
    """Between the excerpts that lie evenly over the song."""
    long = hits(0, 120.0)
    once = np.zeros_like(long)
    once[:, 25 * RATE : 27 * RATE] = hits(1, 2.0)
    session = Session(
        tracks=tuple(
            Track(name=name, role="other", source=Audio(samples, RATE))
            for name, samples in (("long", long), ("once", once), ("silent", 0 * long))
        )
    )
    plan = MixPlan(tracks=tuple(ChannelStrip(name=n) for n in ("long", "once", "silent")))
    evenly, starts = cut_song(ExactConsole(session), plan)
    assert len(starts) == 8
    assert not evenly[:, 1].any()
    audio, starts = cut_song(ExactConsole(session), plan, of_every_track=True)
    assert len(starts) == 9
    share = audio[:, 1].square().sum() / np.square(once).sum()
    assert 0.9 < share < 1.01
    np.testing.assert_array_equal(
        audio[:, 0], cut_excerpts(Audio(long, RATE), starts, audio.shape[-1])
    )
