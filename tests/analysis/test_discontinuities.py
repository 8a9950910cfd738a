import numpy as np
import pytest

from automix.analysis.discontinuities import DiscontinuityScan

RATE = 48000
TIME = np.arange(4 * RATE) / RATE


def melody():
    """Notes of half a second with harmonics, that begin and end softly."""
    phase = TIME % 0.5
    envelope = np.minimum(1.0, phase / 0.01) * np.exp(-phase / 0.3)
    envelope *= np.minimum(1.0, (0.5 - phase) / 0.02)
    hertz = np.array([220.0, 262.0, 330.0, 196.0])[(TIME // 0.5).astype(int) % 4]
    return 0.2 * envelope * sum(np.sin(2 * np.pi * hertz * n * phase) / n for n in range(1, 6))


def scan(signal, block=65536):
    samples = np.atleast_2d(np.asarray(signal, np.float32))
    scanner = DiscontinuityScan(RATE, len(samples))
    for start in range(0, samples.shape[1], block):
        scanner.add(samples[:, start : start + block])
    return scanner.result()


def test_sound_has_neither_clicks_nor_dropouts():
    assert scan(melody()) == ([], [])


@pytest.mark.parametrize("time_s", [0.3, 1.365333, 1.9, 3.9])
def test_a_sample_that_is_out_of_place_is_a_click(time_s):
    signal = melody()
    signal[round(time_s * RATE)] += 0.1
    clicks, dropouts = scan(signal)
    assert dropouts == []
    assert [click.time_s for click in clicks] == pytest.approx([time_s], abs=2 / RATE)
    assert clicks[0].level == pytest.approx(0.1, rel=0.1)


def test_an_edit_that_jumps_is_a_click():
    signal = 0.2 * np.sin(2 * np.pi * 200 * TIME)
    joined = np.concatenate([signal[: RATE + 60], signal[RATE + 180 :]])  # half a period is gone
    clicks, _ = scan(joined)
    assert [click.time_s for click in clicks] == pytest.approx([1 + 60 / RATE], abs=3 / RATE)


@pytest.mark.parametrize("hz", [25.0, 55.0, 110.3])
def test_the_steps_of_a_sawtooth_are_a_tone(hz):
    assert scan(0.3 * (2 * (TIME * hz % 1) - 1)) == ([], [])


def test_ticks_at_one_distance_are_played():
    signal = np.zeros(len(TIME))
    signal[RATE // 4 :: RATE // 2] = 0.5
    assert scan(signal) == ([], [])


def test_a_hit_is_no_click():
    rng = np.random.default_rng(3)
    signal = 0.3 * rng.standard_normal(len(TIME)) * np.exp(-(TIME % 1.37) / 0.05)
    assert scan(signal) == ([], [])


@pytest.mark.parametrize("length_ms", [2, 12, 300])
def test_a_hole_in_sound_is_a_dropout(length_ms):
    signal = 0.1 * np.sin(2 * np.pi * 313 * TIME) + 0.05 * np.sin(2 * np.pi * 1210 * TIME)
    start, length = RATE + 17, round(length_ms * RATE / 1000)
    signal[start : start + length] = 0.0
    clicks, dropouts = scan(signal)
    assert clicks == []
    assert len(dropouts) == 1
    assert dropouts[0].time_s == pytest.approx(start / RATE, abs=2 / RATE)
    assert dropouts[0].duration_s == pytest.approx(length / RATE, abs=4 / RATE)


def test_a_rest_is_no_dropout():
    signal = 0.2 * np.sin(2 * np.pi * 313 * TIME)
    fade = np.linspace(1.0, 0.0, 960) ** 2
    signal[RATE - 960 : RATE] *= fade
    signal[RATE : RATE + 9600] = 0.0
    signal[RATE + 9600 : RATE + 10560] *= fade[::-1]
    assert scan(signal) == ([], [])


def test_what_is_chopped_on_the_beats_of_a_bar_is_played():
    pad = 0.1 * (np.sin(2 * np.pi * 220 * TIME) + np.sin(2 * np.pi * 277 * TIME))
    sounds = np.random.default_rng(4).random(40) > 0.4
    assert scan(pad * sounds[(TIME / 0.117).astype(int)]) == ([], [])


def test_both_channels_tell_of_one_place_once():
    signal = np.stack([melody(), melody()])
    signal[:, RATE + 14400] += 0.2
    signal[1, 2 * RATE + 9000 : 2 * RATE + 9500] = 0.0
    clicks, dropouts = scan(signal)
    assert len(clicks) == 1
    assert [round(dropout.time_s, 3) for dropout in dropouts] == [2.188]


def test_the_cuts_between_blocks_change_nothing():
    signal = melody()
    signal[[20000, 65536, 131000]] += 0.1
    signal[100000:100400] = 0.0
    assert scan(signal, 4001) == scan(signal)
    assert len(scan(signal)[0]) == 3
