"""Test cases of effects: what is drawn, what the target is, what bypass scores."""

import numpy as np
import pytest
import soundfile

from automix.errors import InputError, UsageError
from automix.evaluation.effect_models import NetworkModel
from automix.evaluation.effects import (
    METRICS,
    PATCH_SAMPLES,
    TASKS,
    bypass,
    draw_vector,
    evaluate_effects,
    process_exactly,
)
from automix.evaluation.effects_table import score_effects
from automix.evaluation.published import PUBLISHED_EFFECTS, PUBLISHED_LA2A
from automix.networks.checkpoints import save_weights
from automix.networks.effects import FAMILY
from automix.plan.settings import ChannelStrip
from automix.plan.vector import NEUTRAL, SLOTS, from_vector
from tests.networks.effect_networks import identity, lively

RATE = 44_100


def noise(samples, seed=0):
    return (0.1 * np.random.default_rng(seed).standard_normal((1, samples))).astype(np.float32)


@pytest.fixture
def dry(tmp_path):
    for number in range(2):
        soundfile.write(tmp_path / f"{number}.wav", noise(3 * RATE, number)[0], RATE, "FLOAT")
    return tmp_path


@pytest.mark.parametrize("task", TASKS)
def test_only_what_a_task_is_about_is_drawn(task):
    vector = draw_vector(task, np.random.default_rng(1))
    strip = from_vector(vector.tolist(), ChannelStrip(name="a"))
    assert bool(strip.equalizer.bands) == (task in ("equalizer", "combined"))
    assert (strip.compressor.threshold_db < 0.0) == (task in ("compressor", "combined"))
    assert (strip.space.wet > 0.0) == (task in ("reverb", "combined"))
    assert strip.order == "ecr"


def test_settings_are_drawn_evenly_over_their_ranges():
    rng = np.random.default_rng(2)
    drawn = np.array([draw_vector("combined", rng, varied_order=True) for _ in range(600)])
    assert drawn.shape == (600, 31)
    plain = [n for n, slot in enumerate(SLOTS) if not slot.choice]
    for column in drawn[:, plain].T:
        np.testing.assert_allclose(
            np.quantile(column, [0.25, 0.5, 0.75]), [-0.5, 0, 0.5], atol=0.12
        )
    chosen = drawn[:, -6:].argmax(axis=1)
    assert (np.bincount(chosen, minlength=6) > 60).all()
    assert (np.sort(drawn[:, -6:])[:, :5] == -1).all()


def test_the_neutral_vector_leaves_audio_as_it_is():
    x = noise(1_000)
    np.testing.assert_array_equal(process_exactly(x, np.array(NEUTRAL)), x)


def test_a_wet_target_keeps_the_level_of_its_dry_part():
    vector = np.array(NEUTRAL)
    wet = [slot.name for slot in SLOTS].index("space.wet")
    vector[wet] = SLOTS[wet].position(1e-6)
    x = noise(5_000)
    np.testing.assert_allclose(process_exactly(x, vector), x, atol=1e-5)


def test_bypass_scores_what_the_strip_changes_and_a_perfect_model_nothing(dry):
    models = {"bypass": bypass, "perfect": process_exactly}
    scores = evaluate_effects([dry], models, cases=3)
    assert [(score.task, score.model) for score in scores] == [
        (task, model) for task in TASKS for model in models
    ]
    for score in scores:
        for metric in METRICS:
            if score.model == "perfect":
                assert score.mean[metric] == 0.0
            else:
                assert score.mean[metric] > 0.0


def test_the_same_seed_gives_the_same_scores(dry):
    first, again, other = (
        evaluate_effects([dry / "0.wav"], {"b": bypass}, tasks=("equalizer",), cases=2, seed=seed)
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_audio_that_is_too_short_or_silent_is_refused(tmp_path):
    for name, samples in (("short", noise(PATCH_SAMPLES - 1)[0]), ("silent", np.zeros(2 * RATE))):
        soundfile.write(tmp_path / f"{name}.wav", samples, RATE)
    with pytest.raises(InputError, match=r"1\.49 s"):
        evaluate_effects([tmp_path / "short.wav"], {"b": bypass})
    with pytest.raises(InputError, match="silent"):
        evaluate_effects([tmp_path / "silent.wav"], {"b": bypass}, cases=2)


def test_the_published_rows_are_those_of_the_thesis():
    rows = {(row.model, row.task): row.figures for row in PUBLISHED_EFFECTS}
    assert rows["TCN-20", "combined"] == (0.027, 0.292, 495.6, 2.315)
    assert rows["TCN-30", "reverb"] == (0.011, 0.041, 253.1, 1.212)
    assert rows["TCN-10, variable order", "compressor"] == (0.010, 0.435, 716.8, 2.684)
    assert len(rows) == 6 * 4


@pytest.fixture
def weights(tmp_path_factory):
    """Saves a network, and gives its path."""
    folder = tmp_path_factory.mktemp("weights")

    def save(name, network):
        path = folder / f"{name}.safetensors"
        save_weights(path, FAMILY, network.description, network.state_dict())
        return str(path)

    return save


@pytest.mark.slow
def test_a_network_that_changes_nothing_scores_as_bypass(dry, weights):
    models = [
        weights("static", identity(network="tcn-8", causal=True)),
        weights("variable", identity(network="tcn-8", order="variable")),
    ]
    scores = score_effects([dry], models, device="cpu", cases=2)
    assert len(scores) == 3 * len(TASKS)
    by_task = {(score.task, score.model): score.mean for score in scores}
    for task in TASKS:
        for model in models:
            assert by_task[task, model]["mae"] == pytest.approx(by_task[task, "bypass"]["mae"])
            assert by_task[task, model]["esr"] == pytest.approx(by_task[task, "bypass"]["esr"])


def test_a_network_is_asked_for_what_it_was_trained_for(dry, weights):
    path = weights("equalizer", identity(network="tcn-8", effect="equalizer"))
    scores = score_effects([dry], [path], device="cpu", cases=2)
    assert [score.task for score in scores if score.model == path] == ["equalizer"]
    with pytest.raises(UsageError, match="knows one order"):
        score_effects([dry], [path], device="cpu", varied_order=True)


def test_a_network_of_any_order_is_given_the_static_one():
    network = lively(network="tcn-8", order="variable", causal=True)
    audio = noise(3_000)
    static = NetworkModel(network)(audio, np.array(NEUTRAL))
    values = {order: network.description.conditioning({"order": order}) for order in ("ecr", "rce")}
    made = {order: NetworkModel(network)(audio, np.array(v)) for order, v in values.items()}
    np.testing.assert_array_equal(static, made["ecr"])
    assert not np.array_equal(static, made["rce"])


@pytest.fixture
def la2a(tmp_path_factory):
    """Recordings of a device that halves, or, limiting, quarters."""
    root = tmp_path_factory.mktemp("la2a")
    for side, number, switch in (("Train", 1, 0), ("Test", 2, 0), ("Test", 3, 1)):
        (root / side).mkdir(exist_ok=True)
        x = noise(3 * RATE, number)[0]
        soundfile.write(root / side / f"input_{number}_.wav", x, RATE, "FLOAT")
        target = root / side / f"target_{number}_LA2A_2c__{switch}__50.wav"
        soundfile.write(target, x * (0.25 if switch else 0.5), RATE, "FLOAT")
    return root


def test_recordings_of_the_la2a_are_measured_as_the_strip_is(la2a, dry, weights):
    path = weights("la2a", identity(network="tcn-8", effect="la2a", causal=True))
    channel = weights("channel", identity(network="tcn-8"))
    scores = score_effects([la2a], [path], device="cpu", cases=4)
    assert [(score.task, score.model) for score in scores] == [("la2a", "bypass"), ("la2a", path)]
    # Half of the cases with an error of once the target, half with one of three times.
    for score in scores:
        assert score.mean["esr"] == pytest.approx((1.0 + 9.0) / 2.0, rel=1e-3)
    with pytest.raises(UsageError, match="imitates the channel"):
        score_effects([la2a], [channel], device="cpu")
    with pytest.raises(UsageError, match="imitates the la2a"):
        score_effects([dry], [path], device="cpu")
    with pytest.raises(UsageError, match="stands alone"):
        score_effects([la2a, dry], [], device="cpu")


def test_table_9_is_that_of_the_thesis():
    rows = {row.model: row.figures for row in PUBLISHED_LA2A}
    assert rows["SignalTrain"] == (7.97e-3, 0.023, 809.6, 1.657)
    assert rows["TCN-20-mixup"] == (4.24e-3, 0.008, 263.0, 0.606)
    assert len(rows) == 9
