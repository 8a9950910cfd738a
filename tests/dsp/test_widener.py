"""The widener: exact in mono, flat in each ear, even between them, the same at every rate."""

import numpy as np
import pytest

from automix.analysis.loudness import LoudnessMeter, integrated_lufs
from automix.audio.blocks import collect
from automix.audio.samples import Audio
from automix.consoles.exact import ExactConsole, insert_tail_frames
from automix.dsp.widener import RESPONSE_S, Widener, base_response
from automix.plan.model import MixPlan
from automix.plan.settings import ChannelStrip, WidenerSettings
from automix.session.tracks import Session, Track

RATE = 48_000
RATES = (8_000, 44_100, 48_000, 96_000, 192_000)
SIXTH = 2.0 ** (1.0 / 6.0)


def impulse_responses(rate=RATE, seconds=0.5, **settings):
    """Left and right ``(2, n)`` of a mono impulse."""
    block = np.zeros((2, round(seconds * rate)))
    block[:, 0] = 1.0
    return Widener(WidenerSettings(**settings), rate).process(block)


def powers_around(response, centers_hz, rate=RATE, width=SIXTH):
    """Mean power ``|H|²`` within a third of an octave of each frequency."""
    frames = 4 * rate
    power = np.abs(np.fft.rfft(response, frames)) ** 2
    bins_hz = np.fft.rfftfreq(frames, 1.0 / rate)
    return np.array(
        [power[(bins_hz >= f / width) & (bins_hz <= f * width)].mean() for f in centers_hz]
    )


def centers(low_hz, high_hz):
    """Twelve to the octave."""
    return low_hz * 2.0 ** np.arange(0.0, np.log2(high_hz / low_hz), 1.0 / 12.0)


def db(power):
    return 10.0 * np.log10(power)


def pink_noise(frames, seed=0):
    """Noise with equal power in every octave from 20 Hz up."""
    rng = np.random.default_rng(seed)
    frequencies = np.maximum(np.fft.rfftfreq(frames, 1.0 / RATE), 20.0)
    spectrum = np.exp(2j * np.pi * rng.random(len(frequencies))) / np.sqrt(frequencies)
    pink = np.fft.irfft(spectrum, frames)
    return 0.1 * pink / pink.std()


def loudness(side):
    meter = LoudnessMeter(RATE, 1)
    meter.add(side[None].astype(np.float32))
    return integrated_lufs(meter.energies)


def test_the_fold_to_mono_is_unchanged():
    rng = np.random.default_rng(1)
    track = rng.uniform(-0.3, 0.3, (1, 20_000)).astype(np.float32)
    session = Session(tracks=(Track(name="a", role="other", source=Audio(track, RATE)),))

    def fold(side_db):
        strip = ChannelStrip(name="a", widener=WidenerSettings(side_db=side_db))
        mix = collect(ExactConsole(session).premaster(MixPlan(tracks=(strip,)))).samples
        return mix.mean(axis=0, dtype=np.float64)[:20_000], mix

    plain, _ = fold(-60.0)
    wide, sides = fold(0.0)
    assert np.abs(sides[0] - sides[1]).max() > 0.1
    assert db(np.mean((wide - plain) ** 2) / np.mean(plain**2)) < -140.0
    stereo = rng.uniform(-0.3, 0.3, (2, 20_000))
    made = Widener(WidenerSettings(side_db=-3.0), RATE).process(stereo)
    np.testing.assert_allclose(made.mean(axis=0), stereo.mean(axis=0), atol=1e-15)


@pytest.mark.parametrize("side_db", [-20.0, -12.0, -6.0])
@pytest.mark.parametrize("corner_hz", [20.0, 100.0, 200.0, 400.0])
def test_each_ear_hears_no_comb(side_db, corner_hz):
    made = impulse_responses(side_db=side_db, corner_hz=corner_hz)
    for side in made:
        heard_db = db(powers_around(side, centers(250.0, 17_000.0)))
        louder_db = db(np.mean(side @ side))
        assert np.abs(heard_db - louder_db).max() < 1.5


def test_the_middle_is_not_delayed_and_the_sides_come_soon():
    made = impulse_responses(side_db=-6.0)
    middle, side = made.mean(axis=0), (made[0] - made[1]) / 2.0
    np.testing.assert_allclose(middle, np.arange(len(middle)) == 0, atol=1e-15)
    times_ms = 1000.0 * np.arange(len(side)) / RATE
    assert times_ms @ side**2 / (side @ side) < 12.0
    assert side[: round(0.012 * RATE)] @ side[: round(0.012 * RATE)] > 0.8 * side @ side


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(("side_db", "corner_hz"), [(-6.0, 200.0), (-15.0, 60.0)])
def test_the_sides_have_their_level_in_every_octave(rate, side_db, corner_hz):
    made = impulse_responses(rate, side_db=side_db, corner_hz=corner_hz)
    side = (made[0] - made[1]) / 2.0
    octaves = [f for f in 62.5 * 2.0 ** np.arange(9) if 2 * corner_hz * 2**0.5 <= f < rate / 4]
    levels_db = db(powers_around(side, octaves, rate, 2.0**0.5))
    np.testing.assert_allclose(levels_db, side_db, atol=1.0)


def test_bass_stays_in_the_middle():
    made = impulse_responses(side_db=-6.0, corner_hz=200.0)
    side = (made[0] - made[1]) / 2.0
    levels_db = db(powers_around(side, [100.0, 50.0, 25.0]))
    assert levels_db[0] < -6.0 - 10.0
    assert levels_db[1] < -6.0 - 20.0
    assert levels_db[2] < -6.0 - 30.0


@pytest.mark.parametrize("rate", [8_000, 44_100, 96_000, 192_000])
def test_every_rate_has_the_same_sides(rate):
    at_hz = np.linspace(30.0, min(0.42 * rate, 19_000.0), 400)
    times_s = np.arange(round(RESPONSE_S * 48_000)) / 48_000
    wanted = np.exp(-2j * np.pi * np.outer(at_hz, times_s)) @ base_response(48_000)
    response = base_response(rate)
    times_s = np.arange(len(response)) / rate
    made = np.exp(-2j * np.pi * np.outer(at_hz, times_s)) @ response
    assert db(np.mean(np.abs(made - wanted) ** 2)) < -45.0


@pytest.mark.parametrize("side_db", [-12.0, -6.0, -3.0])
def test_pink_noise_is_even_and_never_out_of_phase(side_db):
    noise = pink_noise(6 * RATE)
    made = Widener(WidenerSettings(side_db=side_db), RATE).process(np.stack([noise, noise]))
    assert np.corrcoef(made)[0, 1] > 0.2
    assert abs(loudness(made[0]) - loudness(made[1])) < 0.3


@pytest.mark.parametrize("octave", [0, 1, 2])
@pytest.mark.parametrize("partials", [6, 20])
def test_scales_of_notes_are_even(octave, partials):
    """Two octaves of notes with partials of 1/n, each half a second long, with vibrato."""
    times_s = np.arange(RATE // 2) / RATE
    notes = []
    for step in range(25):
        pitch_hz = 110.0 * 2.0 ** (octave + step / 12.0)
        phase = 2.0 * np.pi * pitch_hz * (times_s - 0.0007 * np.cos(2.0 * np.pi * 5.5 * times_s))
        numbers = [n for n in range(1, partials + 1) if n * pitch_hz < 18_000.0]
        notes.append(np.sin(np.pi * times_s / 0.5) * sum(np.sin(n * phase) / n for n in numbers))
    sound = 0.2 * np.concatenate(notes)
    made = Widener(WidenerSettings(side_db=-9.0), RATE).process(np.stack([sound, sound]))
    assert abs(loudness(made[0]) - loudness(made[1])) < 0.3


def test_the_tail_is_all_that_sounds_on():
    settings = WidenerSettings(side_db=-6.0, corner_hz=50.0)
    frames = insert_tail_frames(ChannelStrip(name="a", widener=settings), RATE)
    made = impulse_responses(side_db=-6.0, corner_hz=50.0)
    side = made[0] - made[1]
    assert side[frames:] @ side[frames:] < 1e-6 * side @ side
    assert frames < 0.1 * RATE
