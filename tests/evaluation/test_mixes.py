"""Comparing mixes: level, rate, length, mono, folders."""

import math

import numpy as np
import pytest
import soundfile

from automix.errors import InputError, UsageError
from automix.evaluation.metrics import stereo_mr_stft
from automix.evaluation.mixes import DISTANCES, FEATURES, Excerpt, evaluate_mixes

RATE = 44_100


def music(seed=0, seconds=3):
    rng = np.random.default_rng(seed)
    beat = np.exp(-(np.arange(seconds * RATE) % 20_000) / 4_000)
    return 0.1 * beat[:, None] * rng.standard_normal((seconds * RATE, 2))


def write(path, samples, rate=RATE):
    path.parent.mkdir(exist_ok=True)
    soundfile.write(path, samples, rate, "FLOAT")
    return path


@pytest.fixture
def target(tmp_path):
    return write(tmp_path / "target.wav", music())


def evaluate(mixes, target, **excerpt):
    return list(evaluate_mixes(mixes, target, Excerpt(**excerpt)))


def test_the_target_comes_first_and_is_at_no_distance_from_a_louder_copy(tmp_path, target):
    louder = write(tmp_path / "louder.wav", 2 * music())
    first, second = evaluate([louder], target)
    assert first.path == target
    assert set(first.figures) == {figure.name for figure in FEATURES}
    assert set(second.figures) == {figure.name for figure in (*FEATURES, *DISTANCES)}
    for figure in DISTANCES:
        assert second.figures[figure.name] == pytest.approx(0.0, abs=1e-4)
    change = second.figures["integrated_lufs"] - first.figures["integrated_lufs"]
    assert change == pytest.approx(6.02, abs=0.01)


def test_without_level_matching_a_gain_is_a_distance(tmp_path, target):
    half = write(tmp_path / "half.wav", 0.5 * music())
    found = evaluate([half], target, match_levels=False)[1].figures
    assert found["mr_stft"] == pytest.approx(0.5 + math.log(2), rel=1e-3)
    assert found["third_octave_distance_db"] == pytest.approx(6.02, abs=0.01)
    assert found["l1"] == pytest.approx(0.5 * np.abs(music()).mean(), rel=1e-3)


def test_distances_are_taken_at_minus_20_lufs(tmp_path, target):
    other = write(tmp_path / "other.wav", music(1))
    pyloudnorm = pytest.importorskip("pyloudnorm")
    meter = pyloudnorm.Meter(RATE, filter_class="DeMan")
    leveled = [
        (x * 10 ** ((-20 - meter.integrated_loudness(x)) / 20)).T for x in (music(1), music())
    ]
    found = evaluate([other], target)[1].figures["stereo_mr_stft"]
    assert found == pytest.approx(stereo_mr_stft(*leveled), rel=1e-3)


def test_other_rates_and_lengths_are_compared_and_reported(tmp_path, target):
    import soxr

    resampled = soxr.resample(music()[: 2 * RATE], RATE, 48_000, quality="VHQ")
    mix = evaluate([write(tmp_path / "mix.wav", resampled, 48_000)], target)[1]
    assert any("48000 against 44100" in note for note in mix.notes)
    assert any("1.00 s shorter" in note for note in mix.notes)
    assert mix.figures["third_octave_distance_db"] < 0.5


def test_a_mono_mix_is_two_equal_sides(tmp_path, target):
    mix = evaluate([write(tmp_path / "mono.wav", music().mean(axis=1))], target)[1]
    assert mix.figures["width_db"] == -math.inf
    assert any("mono" in note for note in mix.notes)


def test_an_excerpt_is_what_was_asked(tmp_path, target):
    changed = music()
    changed[:RATE] = 0.0
    mix = write(tmp_path / "mix.wav", changed)
    assert evaluate([mix], target)[1].figures["l1"] > 1e-3
    same = evaluate([mix], target, start_s=1.0, duration_s=1.0)[1]
    assert same.figures["l1"] == pytest.approx(0.0, abs=1e-7)
    with pytest.raises(InputError, match="3.00 s long"):
        evaluate([mix], target, start_s=3.0)


def test_a_silent_mix_has_figures(tmp_path, target):
    mix = evaluate([write(tmp_path / "silent.wav", np.zeros((2 * RATE, 2)))], target)[1]
    assert mix.figures["integrated_lufs"] == -math.inf
    assert math.isnan(mix.figures["centroid_hz"])
    assert math.isfinite(mix.figures["stereo_mr_stft"])


def test_folders_are_compared_name_by_name(tmp_path):
    for folder in ("human", "rules", "mono"):
        for song in ("one", "two"):
            write(tmp_path / folder / f"{song}.wav", music(seconds=1))
    (tmp_path / "mono" / "two.wav").unlink()
    (tmp_path / "mono" / "._one.wav").write_bytes(b"junk")
    found = evaluate([tmp_path / "rules", tmp_path / "mono"], tmp_path / "human")
    assert [(mix.song, mix.path.parent.name) for mix in found] == [
        ("one", "human"),
        ("one", "rules"),
        ("one", "mono"),
        ("two", "human"),
        ("two", "rules"),
    ]


def test_without_a_target_folders_are_their_files(tmp_path):
    for song in ("one", "two"):
        write(tmp_path / "mixes" / f"{song}.wav", music(seconds=1))
    found = evaluate([tmp_path / "mixes"], None)
    assert [mix.path.name for mix in found] == ["one.wav", "two.wav"]
    assert set(found[0].figures) == {figure.name for figure in FEATURES}


def test_files_and_folders_are_not_mixed_up(tmp_path, target):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="is a file"):
        evaluate([tmp_path / "empty"], target)
    with pytest.raises(UsageError, match="is a folder"):
        evaluate([target], tmp_path / "empty")
    with pytest.raises(InputError, match="no audio files"):
        evaluate([tmp_path / "empty"], None)
    write(tmp_path / "mixes" / "other.wav", music(seconds=1))
    write(tmp_path / "human" / "one.wav", music(seconds=1))
    with pytest.raises(InputError, match="no file has the name"):
        evaluate([tmp_path / "mixes"], tmp_path / "human")
