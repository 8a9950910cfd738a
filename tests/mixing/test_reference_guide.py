"""Mixing towards references: known balances come back, and absurd references do no harm."""

import math
from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch

from automix.analysis.features import BARK_EDGES_HZ, measure_features
from automix.audio.blocks import collect
from automix.audio.samples import Audio
from automix.errors import InputError
from automix.evaluation.metrics import level_errors_db
from automix.library import mix_session
from automix.mixing.request import StemsRequest
from automix.reference.bands import BandAnalysis
from automix.reference.comparison import TOLERANCE
from automix.reference.goal import Goal, measure_target
from automix.session.tracks import Session, Track

pytestmark = pytest.mark.slow  # gradients through the console, twelve times

RATE = 22050
SECONDS = 12
REQUEST = StemsRequest(method="equal-loudness", device="cpu")


def tracks():
    """A beat, a bass, a pad that is wide, and a lead that pauses: each in its place."""
    rng = np.random.default_rng(11)
    time = np.arange(SECONDS * RATE) / RATE
    beat = rng.normal(size=len(time)) * np.exp(-(time % 0.5) / 0.03)
    bass = np.sin(2 * np.pi * 70 * time) * (0.6 + 0.4 * np.sin(2 * np.pi * 0.2 * time))
    pad = np.stack([np.sin(2 * np.pi * f * time + p) for f, p in ((440, 0), (443, 1))])
    lead = sum(np.sin(2 * np.pi * 900 * n * time) / n for n in (1, 2, 3)) * (time % 3 < 2)
    made = {"beat": beat[None], "bass": bass[None], "pad": pad, "lead": lead[None]}
    return {name: (0.1 * samples).astype(np.float32) for name, samples in made.items()}


HUMAN_DB = {"beat": 4.0, "bass": -3.0, "pad": -9.0, "lead": 2.0}


def stems():
    return np.stack([np.repeat(x, 2, axis=0)[:2] if len(x) == 1 else x for x in tracks().values()])


def human():
    """A mix of the tracks as they come to equal loudness, and then to `HUMAN_DB`."""
    plan = mix_session(session(), REQUEST).plan
    parts = [
        stem * 10 ** ((plan.strip(name).fader_db + HUMAN_DB[name]) / 20)
        for name, stem in zip(tracks(), stems(), strict=True)
    ]
    return 0.3 * np.sum(parts, axis=0).astype(np.float32)


def session():
    return Session(
        tracks=tuple(
            Track(name=name, role="other", source=Audio(samples, RATE))
            for name, samples in tracks().items()
        )
    )


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    path = tmp_path_factory.mktemp("reference") / "human.wav"
    soundfile.write(path, human().T, RATE, "FLOAT")
    return path


def towards(path, amount=100.0, **asked):
    return mix_session(session(), replace(REQUEST, reference=(path,), amount=amount, **asked))


@pytest.fixture(scope="module")
def mixes(reference):
    return {amount: towards(reference, amount) for amount in (0.0, 50.0, 100.0)}


def errors_db(mix):
    return level_errors_db(mix.audio.samples[:, : SECONDS * RATE], human(), stems())


def test_the_balance_of_the_reference_comes_back(mixes):
    without, full = (np.abs(errors_db(mixes[amount])).mean() for amount in (0.0, 100.0))
    assert without > 3.5
    assert full < 1.0


def test_every_feature_comes_nearer(mixes):
    rows = mixes[100.0].compared
    assert {row.name for row in rows} >= {"loudness", "crest factor", "spectrum", "width"}
    for row in rows:
        assert row.distance_after <= max(row.distance_before, 0.3), row


def other_song(seed, drive, swell):
    """Chords that swell, beats on the left, and hiss, driven until they clip."""
    rng = np.random.default_rng(seed)
    time = np.arange(20 * RATE) / RATE
    beat = rng.normal(size=len(time)) * np.exp(-(time % 0.4) / 0.05)
    tones = [np.sin(2 * np.pi * f * time + n) for n, f in enumerate((110, 220, 277, 330))]
    chords = 0.6 * sum(tones) * (1 + swell * np.sin(2 * np.pi * time / 10))
    sides = np.stack([beat + chords, 0.7 * beat + chords])
    return 0.5 * np.tanh(drive * (sides + 0.1 * rng.normal(size=sides.shape)))


@pytest.mark.parametrize(
    ("drive", "swell"),
    [
        pytest.param(0.2, 0.0, id="open", marks=pytest.mark.slow),
        pytest.param(2.0, 0.0, id="dense"),
        pytest.param(5.0, 0.5, id="clipped", marks=pytest.mark.slow),
    ],
)
def test_nothing_goes_away_from_another_song(drive, swell, tmp_path):
    """Limiting to its density would take the loudness range along; levels alone the spectrum."""
    path = tmp_path / "other.wav"
    soundfile.write(path, other_song(1, drive, swell).T, RATE, "FLOAT")
    rows = towards(path).compared
    assert len(rows) == 8
    for row in rows:
        assert row.distance_after <= max(row.distance_before, TOLERANCE) + 0.02, row
    nearer = [row.name for row in rows if row.distance_after < row.distance_before - 0.05]
    assert {"loudness", "crest factor", "spectrum", "width"} <= set(nearer)


def test_no_amount_is_the_plain_mix_bit_for_bit(mixes):
    plain = mix_session(session(), REQUEST)
    assert mixes[0.0].plan == plain.plan
    np.testing.assert_array_equal(collect(mixes[0.0].audio).samples, collect(plain.audio).samples)


def test_half_the_amount_lies_between_in_every_feature(mixes):
    found = {amount: measure_features(mix.audio) for amount, mix in mixes.items()}

    def figures(features):
        total_db = 10 * np.log10(features.power.sum())
        wide = [features.loudness.integrated_lufs, features.crest_db, features.width_db]
        return np.array([*wide, *(features.bark_db[:20] - total_db)])

    low, middle, high = (figures(found[amount]) for amount in (0.0, 50.0, 100.0))
    apart = np.abs(high - low) > 1.0
    assert apart.sum() > 5
    assert (np.minimum(low, high) - 0.2 < middle)[apart].all()
    assert (middle < np.maximum(low, high) + 0.2)[apart].all()


@pytest.mark.slow
def test_the_same_again(mixes, reference):
    assert towards(reference).plan == mixes[100.0].plan


def test_the_plan_says_what_moved_and_from_where(mixes):
    decisions = {d.setting: d for d in mixes[100.0].plan.decisions}
    moved = decisions["beat.fader_db"]
    assert moved.rule == "reference"
    assert "towards human.wav" in moved.reason
    assert "equal loudness" in moved.reason  # why it was what it was
    assert mixes[100.0].plan.strip("beat").fader_db == moved.value


def test_a_loudness_that_is_asked_for_wins(reference):
    mix = towards(reference, loudness=-20.0)
    lufs = measure_features(mix.audio).loudness.integrated_lufs
    assert lufs == pytest.approx(-20.0, abs=0.2)


def test_another_rate_length_and_channel_count(tmp_path):
    path = tmp_path / "short.wav"
    soundfile.write(path, human()[:, : 3 * RATE].mean(axis=0), 16000, "PCM_16")
    mix = towards(path)
    names = {row.name for row in mix.compared}
    assert not names & {"width", "imbalance", "loudness range"}
    assert any("mono" in warning for warning in mix.warnings)
    assert any("loudness range" in warning for warning in mix.warnings)


@pytest.mark.parametrize(
    "kind",
    [pytest.param("noise", marks=pytest.mark.slow), "tone",
     pytest.param("itself", marks=pytest.mark.slow)],
)  # fmt: skip
def test_absurd_references_end_in_a_sane_mix(kind, tmp_path):
    path = tmp_path / f"{kind}.wav"
    time = np.arange(4 * RATE) / RATE
    made = {
        "noise": np.random.default_rng(0).uniform(-1, 1, (2, len(time))),
        "tone": np.tile(0.9 * np.sin(2 * np.pi * 1000 * time), (2, 1)),
        "itself": mix_session(session(), REQUEST).audio.samples,
    }[kind]
    soundfile.write(path, made.T.astype(np.float32), RATE, "FLOAT")
    plain, mix = mix_session(session(), REQUEST), towards(path)
    loudness = measure_features(mix.audio).loudness
    assert loudness.integrated_lufs < -7.5
    assert loudness.true_peak_dbtp < -1.0
    most_db = 1.0 if kind == "itself" else 12.1
    for before, after in zip(plain.plan.tracks, mix.plan.tracks, strict=True):
        assert abs(after.fader_db - before.fader_db) < most_db


@pytest.mark.parametrize(
    ("samples", "message"),
    [(np.zeros((RATE * 2, 2)), "is silent"), (np.ones((RATE // 4, 2)) * 0.1, "0.25 s long")],
)
def test_what_is_no_reference_is_refused_by_name(samples, message, tmp_path):
    path = tmp_path / "odd.wav"
    soundfile.write(path, samples, RATE)
    with pytest.raises(InputError, match=rf"odd\.wav: .*{message}"):
        towards(path)


def test_several_references_by_weight(reference, tmp_path):
    quiet = tmp_path / "quiet.wav"
    soundfile.write(quiet, 0.25 * human().T, RATE, "FLOAT")
    request = replace(REQUEST, reference=(reference, quiet), reference_weight=(1.0, 3.0))
    mix = mix_session(session(), request)
    row = next(row for row in mix.compared if row.name == "loudness")
    loud = measure_features(Audio(human(), RATE)).loudness.integrated_lufs
    expected = loud - 0.75 * 20 * math.log10(4)
    assert row.reference == pytest.approx(expected, abs=0.1)


def test_a_reference_says_nothing_of_bands_that_its_rate_has_not(tmp_path):
    path = tmp_path / "low.wav"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, (32000, 2)), 8000)
    aim = measure_target(Goal(files=(path,)), BandAnalysis(RATE, torch.device("cpu")))
    beyond = np.array(BARK_EDGES_HZ[1:]) > 4000
    np.testing.assert_array_equal(np.isnan(aim.figures["spectrum"]), beyond)
    np.testing.assert_array_equal(np.isnan(aim.figures["dynamics"]), np.tile(beyond, 6))
