"""Signals that are the sum of others, metronomes, spikes, and sides that alone sound."""

import numpy as np
import pytest

from automix.analysis.clicks import is_metronome
from automix.analysis.conditions import SpikeScan, find_conditions, find_only_side
from automix.analysis.sums import find_sums
from automix.audio.resampling import resample
from automix.audio.samples import BLOCK_FRAMES, Audio

RATE = 44100


def noise(seed, seconds=4.0):
    return 0.1 * np.random.default_rng(seed).standard_normal(int(seconds * RATE))


def audio(samples, rate=RATE):
    return Audio(np.asarray(samples, np.float32), rate)


def test_a_sum_is_found_with_gains_that_change():
    tracks = {name: noise(seed) for seed, name in enumerate("abcd")}
    curve = np.linspace(1.0, 0.8, len(tracks["a"]))
    total = curve * (tracks["a"] + 0.5 * tracks["b"] + 0.4 * tracks["c"] + 0.3 * tracks["d"])
    found = find_sums({name: audio(x) for name, x in {**tracks, "e": total}.items()})
    assert found == {"e": ("a", "b", "c", "d")}


def test_a_part_is_no_sum_although_it_is_the_mix_less_the_others():
    a, b = noise(1), noise(2)
    assert list(find_sums({"a": audio(a), "b": audio(b), "mix": audio(a + b)})) == ["mix"]


def test_of_copies_none_is_a_sum_but_of_mixes_each_is_one():
    a, b, c = noise(1), noise(2), noise(3)
    copies = {"a": a, "a2": a, "a3": 0.5 * a, "b": b}
    assert find_sums({name: audio(x) for name, x in copies.items()}) == {}
    mixes = {"a": a, "b": b, "c": c, "ab": a + b, "mix": a + b + c, "mix2": 0.7 * (a + b + c)}
    assert set(find_sums({name: audio(x) for name, x in mixes.items()})) == {"ab", "mix", "mix2"}


@pytest.mark.parametrize("gain", [1.0, -0.5, 0.2])
def test_a_copy_is_no_sum(gain):
    a, b = noise(1), noise(2)
    assert find_sums({"a": audio(a), "copy": audio(gain * a), "b": audio(b)}) == {}


def test_a_mix_with_a_room_of_its_own_is_not_surely_a_sum():
    tracks = {name: noise(seed) for seed, name in enumerate("abc")}
    total = sum(tracks.values()) + 0.5 * noise(9)
    assert find_sums({name: audio(x) for name, x in {**tracks, "d": total}.items()}) == {}


def test_a_mix_with_a_fade_and_a_beginning_of_one_part_is_a_sum():
    late = np.arange(16 * RATE) > 5 * RATE
    parts = [noise(1, 16.0), late * noise(2, 16.0), late * noise(3, 16.0)]
    mix = sum(parts) * np.clip((16 - np.arange(16 * RATE) / RATE) / 4, 0, 1)
    found = find_sums(
        {"a": audio(parts[0]), "b": audio(parts[1]), "c": audio(parts[2])} | {"mix": audio(mix)}
    )
    assert found == {"mix": ("a", "b", "c")}


def test_a_loop_with_a_fill_of_its_own_is_no_sum_of_its_hits():
    kick, hats = noise(1, 16.0), noise(2, 16.0)
    fill = np.where(np.arange(16 * RATE) > 14 * RATE, noise(3, 16.0), 0.0)
    sources = {"kick": kick, "hats": hats, "loop": kick + hats + fill}
    assert find_sums({name: audio(x) for name, x in sources.items()}) == {}


def test_the_best_of_several_takes_is_no_sum_of_them():
    takes = [noise(seed, 16.0) for seed in range(3)]
    best = np.choose(np.arange(16 * RATE) * 3 // (16 * RATE), takes)
    assert find_sums({str(n): audio(x) for n, x in enumerate([*takes, best])}) == {}


def test_hum_between_the_notes_is_no_sum_of_other_hum():
    time = np.arange(16 * RATE) / RATE
    amps = [0.001 * np.sin(2 * np.pi * 50 * time + p) for p in (0.0, 0.5, 1.0)]
    sources = [hum + (time > 13) * noise(seed, 16.0) for seed, hum in enumerate(amps)]
    assert find_sums({str(n): audio(x) for n, x in enumerate(sources)}) == {}


def test_silence_is_nobodys_sum():
    silent = audio(np.zeros(4 * RATE))
    assert find_sums({"a": audio(noise(1)), "b": silent, "c": silent}) == {}


def ticks(every_s, seconds=8.0, decay=200.0, jitter_s=0.0, seed=1, start_s=0.1):
    starts = np.arange(start_s, seconds - 0.2, every_s)
    starts = starts + np.random.default_rng(seed).uniform(-jitter_s, jitter_s, len(starts))
    result = np.zeros(int(seconds * RATE))
    tick = np.exp(-np.arange(RATE // 5) / RATE * decay) * np.sin(np.arange(RATE // 5) * 0.2)
    for start in starts:
        result[int(start * RATE) :][: len(tick)] += tick[: len(result) - int(start * RATE)]
    return result


@pytest.mark.parametrize("every_s", [0.3, 0.5, 1 / 1.7, 0.9])
def test_ticks_at_one_distance_are_a_metronome(every_s):
    assert is_metronome(audio(ticks(every_s)))
    assert is_metronome(audio(0.01 * ticks(every_s)))


@pytest.mark.parametrize(
    "samples",
    [
        ticks(0.125),  # sixteenths
        ticks(0.5, decay=20.0),  # a drum
        ticks(0.5, jitter_s=0.02),  # played
        ticks(0.5) + 0.2 * noise(3, 8.0),
        ticks(0.5) * np.linspace(0.3, 1.0, 8 * RATE),
        np.zeros(RATE),
        np.zeros(0),
        noise(2),
    ],
)
def test_what_is_played_is_no_metronome(samples):
    assert not is_metronome(audio(np.reshape(samples, (1, -1))))


def hits(hz, every_s=0.5, start_s=0.0):
    """Short hits: noise from a frequency on, or a tone below 100 Hz that falls."""
    time = np.arange(RATE // 10) / RATE
    spectrum = np.fft.rfft(noise(1, 0.1))
    spectrum[: round(hz / 10)] = 0.0
    hit = np.fft.irfft(spectrum) if hz else np.sin(6 * (1 - np.exp(-40 * time)) + 200 * time)
    result = np.zeros(8 * RATE)
    for start in np.arange(start_s, 7.8, every_s):
        result[int(start * RATE) :][: len(hit)] = hit * np.exp(-time * 80)
    return audio(result)


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(hits(0), id="a short kick on every beat"),
        pytest.param(hits(7000), id="hats on every beat"),
        pytest.param(hits(1000, 1.0, 0.5), id="a snare on every other beat"),
        pytest.param(hits(1000, start_s=2.0), id="claps from the second bar on"),
    ],
)
def test_what_a_drum_machine_plays_is_no_metronome(part):
    music = audio(noise(2, 8.0))
    assert not is_metronome(part, [music])
    assert is_metronome(audio(ticks(0.5, start_s=0.0)), [music])


@pytest.mark.parametrize("place", [10, BLOCK_FRAMES - 1, BLOCK_FRAMES, 100_000])
@pytest.mark.parametrize("rate", [22050, 44100, 96000])
def test_a_spike_is_found_where_it_is(place, rate):
    samples = np.clip(noise(1), -0.3, 0.3)
    samples[place] = -8.0
    spike = find_conditions(audio(samples, rate)).spike
    assert spike.time_s == pytest.approx(place / rate)
    assert spike.level_dbfs == pytest.approx(18.06, abs=0.01)
    assert spike.above_db > 25.0


def test_many_spikes_are_spikes_also_resampled():
    samples = np.clip(noise(1), -0.3, 0.3)
    samples[1000::1700] = 50.0
    count = len(samples[1000::1700])
    assert find_conditions(audio(samples)).spike.others == count - 1
    resampled = resample(audio(samples), 48000)
    found = find_conditions(resampled).spike
    assert found.others == count - 1
    assert found.above_db > 20.0


def test_spikes_anywhere_are_spikes_although_not_above_full_scale():
    samples = 0.1 * np.clip(noise(1), -0.3, 0.3)
    samples[np.random.default_rng(2).integers(0, len(samples), 12)] = 0.9
    assert find_conditions(audio(samples)).spike.others == 11


def test_a_spike_does_not_depend_on_blocks():
    samples = audio(noise(1)).samples.copy()
    samples[0, 5000] = 3.0
    found = []
    for size in (1, 7, 1000, len(samples[0])):
        scan = SpikeScan(RATE)
        for start in range(0, 20_000 if size == 1 else len(samples[0]), size):
            scan.add(samples[:, start : start + size])
        found.append(scan.result().time_s)
    assert len(set(found)) == 1


@pytest.mark.parametrize(
    "samples",
    [
        noise(1),
        np.sin(2 * np.pi * 50 * np.arange(RATE) / RATE),
        np.exp(-np.arange(RATE) / 60) * np.sin(np.arange(RATE)),  # one short hit
        np.exp(-(np.arange(RATE) % 9000) / 60) * noise(4, 1.0),
        0.5 * (np.arange(RATE) % 441 == 0) + 0.1 * noise(4, 1.0),  # pulses of 100 Hz
        0.9 * np.isin(np.arange(RATE), [900, 9901, 18900, 36901]),  # ticks of one sample
        np.zeros(RATE),
        np.zeros(0),
    ],
)
def test_sound_has_no_spike(samples):
    assert find_conditions(audio(np.reshape(samples, (1, -1)))).spike is None


@pytest.mark.parametrize(
    ("left", "right", "side"),
    [
        (0.5, 0.0, 0),
        (0.0, 0.5, 1),
        (0.5, 0.0003, 0),
        (0.5, 0.01, None),
        (0.0, 0.0, None),
        (0.5, 0.5, None),
        (0.0002, 0.00002, 0),
        (0.0002, 0.0001, None),
    ],
)
def test_the_side_that_alone_sounds(left, right, side):
    shape = np.sin(np.arange(RATE))
    assert find_only_side(audio([left * shape, right * shape])) == side
