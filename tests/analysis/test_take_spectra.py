import numpy as np
import pytest
import scipy.signal

from automix.analysis.take_edges import EdgeScan
from automix.analysis.take_spectra import TakeSpectra

RATE = 48000
TIME = np.arange(16 * RATE) / RATE


def spectra(signal, rate=RATE):
    meter = TakeSpectra(rate)
    for block in np.array_split(np.asarray(signal, np.float32), 5):
        meter.add(block)
    return meter


def chords(cents=0.0):
    """A chord each half second, all notes from C4 to B5 in turn, tuned that far above 440 Hz."""
    notes = (TIME // 0.5).astype(int) * 7 % 24
    signal = np.zeros(len(TIME))
    for step in (0, 4, 9):
        hertz = 261.6256 * 2 ** ((notes + step) / 12 + cents / 1200)
        signal += np.sin(2 * np.pi * hertz * TIME) + 0.3 * np.sin(4 * np.pi * hertz * TIME)
    return 0.05 * signal


@pytest.mark.parametrize("cents", [-30.0, 0.0, 12.0, 46.7])
def test_the_reference_pitch_is_measured(cents):
    tuning = spectra(chords(cents)).tuning()
    assert (tuning.cents - cents + 50) % 100 - 50 == pytest.approx(0.0, abs=2.0)
    assert tuning.agreement > 0.8
    assert tuning.notes > 20


def test_noise_has_no_pitch_and_a_drum_few_notes():
    rng = np.random.default_rng(1)
    assert spectra(0.1 * rng.standard_normal(len(TIME))).tuning().agreement < 0.2
    assert spectra(0.1 * np.sin(2 * np.pi * 207 * TIME)).tuning().notes < 4


@pytest.mark.parametrize("level_db", [-70.0, -45.0])
def test_the_noise_in_pauses_is_measured(level_db):
    noise = 10 ** (level_db / 20) * np.random.default_rng(2).standard_normal(len(TIME))
    found = spectra(chords() * (TIME % 4 < 2) + noise).noise_floor()
    assert found.level_db == pytest.approx(level_db, abs=0.5)
    program_db = 10 * np.log10(np.mean(chords() ** 2))
    assert found.below_program_db == pytest.approx(program_db - level_db, abs=1.0)
    assert found.is_hiss  # most of white noise lies above 4 kHz


def test_what_rests_in_silence_or_never_has_no_noise_floor():
    assert spectra(chords() * (TIME % 4 < 2)).noise_floor() is None
    assert spectra(chords()).noise_floor() is None
    tail = chords() * np.exp(-(TIME % 4) / 0.6)
    assert spectra(tail).noise_floor() is None
    assert spectra(np.zeros(10)).noise_floor() is None


@pytest.mark.parametrize("cutoff", [16000.0, 19000.0])
def test_the_wall_of_a_coder_is_found_and_a_slope_is_not(cutoff):
    noise = 0.1 * np.random.default_rng(3).standard_normal(4 * RATE)
    wall = scipy.signal.cheby2(12, 90, cutoff, fs=RATE, output="sos")
    assert spectra(scipy.signal.sosfilt(wall, noise)).cutoff_hz() == pytest.approx(cutoff, abs=1500)
    slope = scipy.signal.butter(4, cutoff / 2, fs=RATE, output="sos")
    assert spectra(scipy.signal.sosfilt(slope, noise)).cutoff_hz() is None
    assert spectra(noise).cutoff_hz() is None


def edges(signal):
    scan = EdgeScan(RATE, 1)
    for block in np.array_split(np.asarray(signal, np.float32), 3):
        scan.add(block[np.newaxis])
    return scan.result()


def test_a_cut_in_the_sound_is_told_from_a_beginning_and_an_end():
    tone = 0.5 * np.sin(2 * np.pi * 150 * TIME + 1.0)[: 2 * RATE]
    cut = edges(tone)
    rms_db = 20 * np.log10(0.5 / np.sqrt(2))
    assert cut.start_db == pytest.approx(rms_db, abs=1.5)
    assert cut.end_db == pytest.approx(rms_db, abs=1.5)
    faded = tone * np.minimum(1, np.minimum(TIME, 2 - TIME)[: 2 * RATE] / 0.02).clip(0)
    assert edges(faded).start_db == edges(faded).end_db == -np.inf
    plucked = np.sin(2 * np.pi * 150 * TIME) * np.exp(-TIME / 0.05)
    assert edges(plucked).start_db == edges(plucked).end_db == -np.inf
    assert edges(np.full(RATE, 0.3)).start_db == -np.inf  # an offset is no sound
    assert edges(np.ones(1)).start_db == -np.inf
