"""Features of the gradient against the meter, which is other code with other frames."""

import numpy as np
import pytest
import torch
from scipy.signal import lfilter

from automix.analysis.features import measure_features
from automix.audio.samples import Audio
from automix.reference.bands import FEATURES, BandAnalysis

CPU = torch.device("cpu")


def program(rate, seconds=8.0, seed=0):
    """Pink-like noise, louder on the right, partly alike on both sides."""
    rng = np.random.default_rng(seed)
    common, left, right = rng.normal(size=(3, round(seconds * rate)))
    sides = np.stack([common + 0.5 * left, common + 0.5 * right]) * [[0.05], [0.06]]
    return lfilter([1.0], [1.0, -0.9], sides).astype(np.float32)


def features(samples, rate):
    analysis = BandAnalysis(rate, CPU)
    return analysis.features(analysis.whole(Audio(samples, rate)))


@pytest.mark.parametrize("rate", [22050, 44100, 96000])
def test_they_say_what_the_meter_says(rate):
    samples = program(rate)
    found, meter = features(samples, rate), measure_features(Audio(samples, rate))
    total_db = 10 * np.log10(meter.power.sum())
    heard = ~np.isnan(meter.bark_db)
    assert found["width"].item() == pytest.approx(meter.width_db, abs=0.15)
    assert found["imbalance"].item() == pytest.approx(meter.imbalance_db, abs=0.1)
    # The meter takes the highest sample, the feature the mean of the highest hundredth of hops.
    assert meter.crest_db - 2.0 < found["crest factor"].item() < meter.crest_db + 0.3
    difference = found["spectrum"].numpy() - (meter.bark_db - total_db)
    # Below 200 Hz the short frames smear a spectrum that rises towards 0 Hz.
    assert np.abs(difference[heard][2:]).max() < 0.5
    assert np.abs(found["width by band"].numpy() - meter.bark_width_db)[heard][2:].max() < 1.0
    assert (
        np.abs(found["imbalance by band"].numpy() - meter.bark_imbalance_db)[heard][2:].max() < 1.0
    )


def test_the_level_says_nothing():
    samples = program(44100, 3.0)
    loud, soft = features(samples, 44100), features(0.1 * samples, 44100)
    for name in FEATURES:
        torch.testing.assert_close(loud[name], soft[name], atol=2e-3, rtol=0)


def test_when_something_happens_says_nothing():
    rate = 44100
    samples = program(rate, 6.0)
    samples[:, : 2 * rate] *= 0.3
    there, later = features(samples, rate), features(np.roll(samples, 3 * rate, axis=1), rate)
    for name in ("spectrum", "dynamics", "width", "width by band", "imbalance"):
        assert (there[name] - later[name]).abs().max() < 0.5, name


def test_dynamics_tell_beats_from_a_tone_of_the_same_spectrum():
    rate = 44100
    rng = np.random.default_rng(3)
    noise = rng.normal(size=(2, 6 * rate)).astype(np.float32) * np.float32(0.05)
    beats = noise * np.exp(-(np.arange(6 * rate) / rate % 0.5) / 0.1).astype(np.float32)
    steady, beating = features(noise, rate), features(beats, rate)
    assert (steady["spectrum"] - beating["spectrum"]).abs().max() < 0.5
    assert (steady["dynamics"] - beating["dynamics"]).abs().mean() > 3.0


def test_the_crest_factor_of_a_sine_is_3_db():
    sine = 0.5 * np.sin(2 * np.pi * 441 * np.arange(4 * 44100) / 44100)
    assert features(sine[None].astype(np.float32), 44100)["crest factor"].item() == pytest.approx(
        20 * np.log10(np.sqrt(2)), abs=0.02
    )


def test_blocks_make_no_difference():
    rate = 44100
    samples = program(rate, 7.3)
    analysis = BandAnalysis(rate, CPU)
    streamed = analysis.whole(Audio(samples, rate))  # in blocks of 65536
    at_once = analysis.frames(torch.from_numpy(samples)[None])
    torch.testing.assert_close(streamed.left, at_once.left)
    torch.testing.assert_close(streamed.cross, at_once.cross)
    torch.testing.assert_close(streamed.peak, at_once.peak)


@pytest.mark.parametrize("name", FEATURES)
def test_gradients_against_finite_differences(name):
    rate = 22050
    analysis = BandAnalysis(rate, CPU)
    tracks = torch.from_numpy(np.stack([program(rate, 4.5, seed) for seed in (1, 2)]))
    tracks[1, 0] *= 0.2
    tracks[1, :, : 2 * rate] *= 0.05
    weights = torch.linspace(1.0, 2.0, 144)

    def value(gain):
        found = analysis.features(analysis.frames((tracks[0] + gain * tracks[1])[None]))[name]
        return (found * weights[: len(found)]).mean()

    gain = torch.tensor(1.0, requires_grad=True)
    (slope,) = torch.autograd.grad(value(gain), gain)
    with torch.no_grad():
        measured = (value(torch.tensor(1.02)) - value(torch.tensor(0.98))) / 0.04
    # A crest factor hangs on one sample, and quantiles on frames that change places.
    assert slope.item() == pytest.approx(measured.item(), rel=0.25, abs=0.1)


def test_silence_and_a_few_samples_are_finite():
    for samples in (np.zeros((2, 44100), np.float32), np.full((1, 3), 0.1, np.float32)):
        found = features(samples, 44100)
        assert all(bool(values.isfinite().all()) for values in found.values())
