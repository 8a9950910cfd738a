"""Fades of noise between phrases: what is faded, and above all what is not."""

import numpy as np
import pytest

from automix.analysis.loudness import integrated_lufs
from automix.methods.rides.hearing import to_meter_hops
from automix.methods.rides.silences import draw_mutes, find_silences
from tests.methods.raw_songs import RATE, hits, noise
from tests.methods.ridden_songs import energies_of, sing

MIX_LUFS = -18.0
RESTS_S = (0.8, 3.0, 5.0)


def phrases_and_rests(seed=1, count=8):
    """A voice, the stretches in which it sounds, and its rests of 2.6 s and longer."""
    signal, sung = sing(seed, phrases=count, rests_s=RESTS_S)
    edges = [0.0, *(time for phrase in sung for time in (phrase.start_s, phrase.end_s))]
    edges.append(len(signal) / RATE)
    rests = list(zip(edges[::2], edges[1::2], strict=True))
    sounding = list(zip(edges[1::2], edges[2::2], strict=False))
    # Breaths are 0.24 s before an onset and belong to what is sung.
    return signal, sounding, [rest for rest in rests if rest[1] - rest[0] > 2.6]


def others(seconds):
    """What the other tracks play."""
    return noise(60, 9000, 78, seconds) * (0.2 + hits(0.5, 0.1, seconds=seconds))


def dirt(kind, frames):
    """Hiss, hum or bleed, as long as a voice."""
    seconds = frames / RATE + 0.1
    time = np.arange(frames) / RATE
    if kind == "hum":
        tone = sum(np.sin(2 * np.pi * 50 * n * time) / n for n in (1, 2, 3, 5))
        return 10 ** (-52 / 20) * tone
    if kind == "bleed":
        from scipy.signal import butter, sosfilt

        played = others(seconds)[:frames]
        high = sosfilt(butter(1, 400, btype="high", fs=RATE, output="sos"), played)
        return 10 ** (-35 / 20) * high
    level_db = float(kind)
    return 10 ** (level_db / 20) * np.random.default_rng(9).normal(size=frames)


@pytest.mark.parametrize("kind", ["-50", "-58", "-65", "hum", "bleed"])
def test_noise_in_rests_is_faded_and_nothing_that_is_sung_is_touched(kind):
    signal, sounding, rests = phrases_and_rests()
    track = signal + dirt(kind, len(signal))
    seconds = len(signal) / RATE
    silences = find_silences(energies_of(track), energies_of(others(seconds)), MIX_LUFS)
    line = draw_mutes(silences, seconds)
    for start_s, end_s in rests:
        middle = np.linspace(start_s + 0.8, end_s - 0.6, 50)
        assert (line.at(middle) == -60.0).all()
    for start_s, end_s in sounding:
        frames = np.arange(round((start_s - 0.05) * RATE), round((end_s + 0.02) * RATE)) / RATE
        assert (line.at(frames) == 0.0).all()  # as it was, to the sample
    ramps = np.diff(line.times_s)[np.diff(line.values_db) != 0.0]
    assert ramps.min() > 0.02
    assert ramps.max() <= 0.2001


def test_digital_silence_and_next_to_nothing_need_no_fade():
    signal, _, _ = phrases_and_rests()
    rest = energies_of(others(len(signal) / RATE))
    assert find_silences(energies_of(signal), rest, MIX_LUFS) == []
    faint = signal + dirt("-92", len(signal))
    assert find_silences(energies_of(faint), rest, MIX_LUFS) == []
    nothing = np.zeros(1000)
    assert find_silences(nothing, nothing, -np.inf) == []


def test_a_tail_is_heard_until_it_has_fallen_into_the_noise():
    seconds = 12.0
    time = np.arange(round(seconds * RATE)) / RATE
    # It falls by 20 dB per second from 0 dB on, and reaches noise of −60 dB after 3 s.
    sung = np.where(time < 4.0, 1.0, 10 ** (-20 * (time - 4.0) / 20))
    tail = noise(150, 6000, 1, seconds) * sung
    track = tail + 10 ** (-80 / 20) * np.random.default_rng(2).normal(size=len(time))
    (silence,) = find_silences(energies_of(track), np.zeros(600), -25.0)
    assert 6.7 < silence.start_s < 7.6
    assert draw_mutes([silence], seconds).at(np.array([6.6]))[0] == 0.0


@pytest.mark.parametrize("level_db", [-20.0, -26.0])
def test_soft_entries_and_soft_passages_are_kept(level_db):
    signal, sounding, _ = phrases_and_rests()
    first, soft = sounding[0], sounding[4]
    gain = np.ones(len(signal))
    gain[round((soft[0] - 0.3) * RATE) : round(soft[1] * RATE)] = 10 ** (level_db / 20)
    time = np.arange(len(signal)) / RATE
    swell = np.clip((time - first[0] + 0.5) / 0.5, 0, 1)  # fades in, from half a second before
    track = signal * gain + 10 ** (-66 / 20) * np.random.default_rng(4).normal(size=len(signal))
    track[: round(first[0] * RATE)] += (
        noise(150, 6000, 3, len(signal) / RATE + 0.1)[: round(first[0] * RATE)]
        * 0.5
        * (swell**3)[: round(first[0] * RATE)]
    )
    seconds = len(signal) / RATE
    silences = find_silences(energies_of(track), energies_of(others(seconds)), MIX_LUFS)
    line = draw_mutes(silences, seconds)
    assert len(silences) >= 2
    assert (line.at(np.linspace(soft[0] - 0.05, soft[1], 500)) == 0.0).all()
    audible_s = first[0] - 0.4  # the swell is still 20 dB below there
    assert (line.at(np.linspace(audible_s, first[1], 500)) == 0.0).all()


def test_a_long_decay_and_a_swell_are_no_noise():
    time = np.arange(20 * RATE) / RATE
    part = noise(150, 6000, 1, 20.0)
    ringing = part * np.where(time < 5, 1.0, 10 ** (-(24 + 1.5 * (time - 5)) / 20))
    assert find_silences(energies_of(ringing), np.zeros(1000), -20.0) == []
    swelling = part * np.where(time < 15, 10 ** (-(45 - 1.5 * time) / 20), 1.0)
    assert find_silences(energies_of(swelling), np.zeros(1000), -20.0) == []


def test_a_soft_part_is_kept_where_other_rests_are_softer_still():
    time = np.arange(24 * RATE) / RATE
    part = noise(150, 6000, 1, 24.0)
    levels_db = np.select([time < 6, time < 12, time < 18], [0.0, -22.0, -50.0], 0.0)
    track = energies_of(part * 10 ** (levels_db / 20))
    (silence,) = find_silences(track, np.zeros(1200), integrated_lufs(to_meter_hops(track)))
    assert 11.9 < silence.start_s < 12.4
    assert 17.8 < silence.end_s < 18.05
