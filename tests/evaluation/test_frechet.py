"""The Fréchet distance: closed forms, SciPy's matrix root, few samples, and real embeddings."""

import math

import numpy as np
import pytest
import scipy.linalg
import soundfile
import torch

from automix.errors import InputError
from automix.evaluation.frechet import (
    compare_folders,
    extrapolate_distance,
    frechet_distance,
    gaussian_distance,
)
from automix.networks.embedders import make_embedder


def factor(covariance):
    values, vectors = np.linalg.eigh(covariance)
    return np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T


def test_two_known_gaussians_are_at_the_distance_of_the_closed_form():
    # Commuting covariances: Σ (√a − √b)²
    a, b = np.diag([1.0, 4.0, 0.0]), np.diag([9.0, 4.0, 0.25])
    mean = np.array([3.0, 0.0, -1.0])
    distance = gaussian_distance(mean, factor(a), np.zeros(3), factor(b))
    assert distance == pytest.approx(10.0 + (1 - 3) ** 2 + 0.0 + 0.5**2)


@pytest.mark.parametrize("rank", [6, 3])
def test_covariances_that_do_not_commute_agree_with_scipy(rank):
    rng = np.random.default_rng(rank)
    first, second = (rng.standard_normal((rank, 6)) for _ in range(2))
    a, b = first.T @ first, second.T @ second
    offset = 1e-9 * np.eye(6)  # SciPy's root of a singular matrix is unreliable
    root = scipy.linalg.sqrtm((a + offset) @ (b + offset)).real
    expected = np.trace(a + b - 2 * root)
    zero = np.zeros(6)
    assert gaussian_distance(zero, factor(a), zero, factor(b)) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("samples", [2, 40, 1_000])
def test_a_set_is_at_no_distance_from_itself(samples):
    vectors = 30 * np.random.default_rng(samples).standard_normal((samples, 128)) + 7
    assert frechet_distance(vectors, vectors) == pytest.approx(0.0, abs=1e-6)
    assert frechet_distance(vectors, vectors[::-1]) == pytest.approx(0.0, abs=1e-6)


def test_it_is_symmetric_and_does_not_see_rotations():
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((300, 8)), 2 * rng.standard_normal((200, 8)) + 1
    rotation = np.linalg.qr(rng.standard_normal((8, 8)))[0]
    distance = frechet_distance(a, b)
    assert frechet_distance(b, a) == pytest.approx(distance)
    assert frechet_distance(a @ rotation, b @ rotation) == pytest.approx(distance)


def test_extrapolation_takes_the_bias_of_few_samples_away():
    rng = np.random.default_rng(2)
    truth = 4.0 + 16 * (math.sqrt(2.0) - 1) ** 2  # one mean 2 apart, variance 2 against 1
    plain, extrapolated = [], []
    for _ in range(6):
        a = rng.standard_normal((120, 16))
        b = math.sqrt(2.0) * rng.standard_normal((90, 16))
        b[:, 0] += 2.0
        plain.append(frechet_distance(a, b))
        extrapolated.append(extrapolate_distance(a, b))
    bias, left = np.mean(plain) - truth, np.mean(extrapolated) - truth
    assert bias > 0.5
    assert abs(left) < 0.35 * bias


def test_extrapolation_is_seeded_and_refuses_too_few():
    rng = np.random.default_rng(3)
    a, b = rng.standard_normal((60, 4)), rng.standard_normal((50, 4)) + 1
    assert extrapolate_distance(a, b, 5) == extrapolate_distance(a, b, 5)
    assert extrapolate_distance(a, b, 5) != extrapolate_distance(a, b, 6)
    assert math.isnan(extrapolate_distance(a[:12], b))


def test_bad_sets_are_refused():
    good = np.ones((3, 2))
    for bad in (np.ones((1, 2)), np.full((3, 2), np.nan), np.ones(3)):
        with pytest.raises(ValueError, match="two finite vectors"):
            frechet_distance(good, bad)
    with pytest.raises(ValueError, match="2 and 3 values"):
        frechet_distance(good, np.ones((3, 3)))


@pytest.fixture
def embedder():
    return make_embedder("mel-statistics", None, torch.device("cpu"))


def write(folder, samples, rate=16_000):
    folder.mkdir(parents=True, exist_ok=True)
    soundfile.write(folder / f"{len(list(folder.iterdir()))}.wav", samples, rate)


def test_the_more_a_set_is_spoiled_the_farther_it_is(tmp_path, embedder):
    rng = np.random.default_rng(4)
    for song in range(2):
        time_s = np.arange(8 * 16_000) / 16_000
        beat = np.exp(-(time_s % 0.5) / 0.1) * rng.standard_normal(len(time_s))
        music = 0.1 * beat + 0.1 * np.sin(2 * np.pi * (200 + 100 * song) * time_s)
        write(tmp_path / "clean", music)
        for level in (0.001, 0.01, 0.1):
            write(tmp_path / f"{level}", music + level * rng.standard_normal(len(music)))
    folders = [tmp_path / "clean", *(tmp_path / f"{level}" for level in (0.001, 0.01, 0.1))]
    rows, notes = compare_folders(folders[0], folders, embedder)
    distances = [row.distance for row in rows]
    assert distances == sorted(distances)
    assert distances[0] == pytest.approx(0.0, abs=1e-6)
    assert distances[1] > 0.001
    assert (rows[0].files, rows[0].frames) == (2, 16)
    assert any("16 frames for 128 dimensions" in note for note in notes)


def test_odd_folders(tmp_path, embedder):
    write(tmp_path / "short", np.zeros(100))
    write(tmp_path / "long", np.random.default_rng(5).uniform(-1, 1, (96_000, 2)), 48_000)
    (tmp_path / "long" / "._junk.wav").write_bytes(b"junk")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="too short"):
        compare_folders(tmp_path / "short", [tmp_path / "long"], embedder)
    with pytest.raises(InputError, match="no audio"):
        compare_folders(tmp_path / "long", [tmp_path / "empty"], embedder)
    with pytest.raises(InputError, match="not a folder"):
        compare_folders(tmp_path / "long", [tmp_path / "long" / "0.wav"], embedder)
    rows, _ = compare_folders(tmp_path / "long", [tmp_path / "long"], embedder)
    assert rows[0].frames == 2


def test_silent_files_count_and_are_said(tmp_path):
    noise = 0.1 * np.random.default_rng(0).standard_normal(16000 * 4)
    for name, samples in (("sound", noise), ("silence", 0.0 * noise)):
        (tmp_path / name).mkdir()
        soundfile.write(tmp_path / name / "a.wav", samples, 16000)
    embedder = make_embedder("mel-statistics", None, torch.device("cpu"))
    [row], notes = compare_folders(tmp_path / "sound", [tmp_path / "silence"], embedder)
    assert math.isfinite(row.distance)
    assert f"{tmp_path}/silence/a.wav: is silent, and counts as it is" in notes
