"""Losses, disturbances and targets of the vocal networks; a run that learns and resumes."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch

from automix.analysis.loudness import LoudnessMeter, loudness_range_lu
from automix.audio.samples import Audio
from automix.datasets.catalog import find_songs
from automix.dsp.fdn_reverb import impulse_response
from automix.evaluation.vocal_copies import (
    change_dynamics,
    draw_sparse_gains_db,
    equalize_vocal,
    reverberate_vocal,
)
from automix.networks import vocal_cnn
from automix.networks.checkpoints import read_description, read_tensors, weights_path
from automix.networks.vocal_cnn import FAMILY, VocalCnn
from automix.networks.vocal_cnn_description import (
    GAINS_DB,
    REVERB_FIELDS,
    VocalCnnDescription,
    output_ranges,
)
from automix.networks.vocal_mel import RATE_HZ, measure_spectra
from automix.plan.parameters import parameters
from automix.plan.settings import FdnReverbSettings
from automix.training.decoded_songs import decode_songs
from automix.training.loop import Training
from automix.training.processes import Processes
from automix.training.request import TrainingRequest
from automix.training.run import TrainingRun
from automix.training.vocal import disturbance as disturbance
from automix.training.vocal.decay import make_decay_blocks
from automix.training.vocal.examples import make_stretches, reverb_positions
from automix.training.vocal.settings import TASKS, VARIANTS, VocalTraining, vocal_training
from automix.training.vocal.sources import VocalSong, measure_songs
from automix.training.vocal.task import (
    VocalTask,
    equalizer_loss,
    fit_trust,
    make_trials,
    reverb_loss,
)
from automix.training.vocal.trust import group_songs, least_error_shares

CPU = torch.device("cpu")


def test_the_loss_of_the_equalizer_is_equation_3():
    wanted = torch.full((1, 9), 0.5)
    wanted[0, :4] = torch.tensor([0.0, 1.0, 0.2, 0.8])
    said = wanted.clone()
    said[0, :4] += 0.1
    assert equalizer_loss(said, wanted).item() == pytest.approx(0.01)
    said = wanted.clone()
    said[0, 4:] += 0.2
    assert equalizer_loss(said, wanted).item() == pytest.approx(0.1 * 0.04)


def test_the_loss_of_the_reverb_is_equation_2():
    wanted = torch.full((2, 10), 0.5)
    for field, weight in (("dry_wet", 10), ("reverberation_time_s", 5), ("room_size", 5)):
        said = wanted.clone()
        said[:, REVERB_FIELDS.index(field)] += 0.1
        assert reverb_loss(said, wanted).item() == pytest.approx(weight * 0.01)
    said = wanted.clone()
    said[:, REVERB_FIELDS.index("low_q")] += 0.1
    assert reverb_loss(said, wanted).item() == pytest.approx(0.01 / 7)
    assert reverb_loss(said, wanted, rest_weight=35.0).item() == pytest.approx(0.05)
    # Beyond delta linear: 2·delta·error − delta².
    assert reverb_loss(said, wanted, delta=0.02).item() == pytest.approx(0.0036 / 7)


def test_the_published_training_is_as_published():
    rates = {task: vocal_training(task, "paper").loop.learning_rate for task in TASKS}
    assert rates == {"equalization": 1e-3, "compression": 1e-4, "reverb": 1e-5, "level": 1e-3}
    batches = {task: vocal_training(task, "paper").loop.batch for task in TASKS}
    assert batches == {"equalization": 30, "compression": 25, "reverb": 25, "level": 25}
    assert vocal_training("reverb", "paper").loop.weight_decay == 1e-5
    for task in TASKS:
        model = vocal_training(task, "paper").model
        hearing = "song" if task == "equalization" else "blocks"
        assert model == VocalCnnDescription(task=task, hearing=hearing)


@pytest.mark.parametrize("task", TASKS)
def test_the_wide_shape_that_is_listed_is_the_one_that_is_trained_and_ships(task):
    listed = getattr(vocal_cnn, f"wide_{task}")()
    trained = VocalCnn(vocal_training(task, "wide").model)
    shipped = read_tensors(weights_path(f"vocal-{task}-wide"))
    for other in (trained.state_dict(), shipped):
        assert {n: x.shape for n, x in other.items()} == {
            n: x.shape for n, x in listed.state_dict().items()
        }


def test_equalized_spectra_are_those_of_equalized_sound():
    noise = Audio(np.random.default_rng(1).normal(size=10 * RATE_HZ) * 0.02, RATE_HZ)
    gains = draw_sparse_gains_db(np.random.default_rng(2))
    before, after = (measure_spectra(x).mel.mean(1) for x in (noise, equalize_vocal(noise, gains)))
    added = 10 * torch.log10(after / before)
    expected = disturbance.equalizer_db(torch.tensor([gains]))[0]
    offset = (added - expected).median()  # copies are turned down below full scale
    assert (added - offset)[3:].numpy() == pytest.approx(expected[3:].numpy(), abs=0.6)


def test_four_of_nine_gains_are_drawn_evenly():
    for gains in (
        disturbance.draw_gain_rows_db(4000, torch.Generator().manual_seed(1)).numpy(),
        np.array([draw_sparse_gains_db(np.random.default_rng(n)) for n in range(4000)]),
    ):
        assert ((gains != 0).sum(1) == 4).all()
        assert np.abs(gains).mean() == pytest.approx(10 / 3, abs=0.06)  # the paper's 3.33 dB
        assert np.abs(gains).max() <= GAINS_DB.high
        assert (gains != 0).mean(0) == pytest.approx(4 / 9, abs=0.05)


def test_transposition_moves_a_peak():
    centers = disturbance.mel_band_centers_hz()
    peak = torch.zeros(1, 128, 2)
    peak[0, (centers - 1000).abs().argmin()] = 1.0
    moved = disturbance.transpose_spectra(peak, torch.tensor([1.0]))
    found_hz = float(centers[moved[0, :, 0].argmax()])
    assert found_hz == pytest.approx(2000, rel=0.03)


def test_dynamics_are_multiplied():
    time = np.arange(20 * RATE_HZ) / RATE_HZ
    steps = np.where(time % 4 < 2, 1.0, 10 ** (-6 / 20))
    vocal = Audio(0.5 * np.sin(2 * np.pi * 500 * time) * steps, RATE_HZ)

    def range_lu(audio):
        meter = LoudnessMeter(RATE_HZ, 1)
        meter.add(audio.samples)
        return loudness_range_lu(meter.energies, 0.1)

    assert range_lu(vocal) == pytest.approx(6.0, abs=0.1)
    assert range_lu(change_dynamics(vocal, 1.5)) == pytest.approx(9.0, abs=0.3)
    assert range_lu(change_dynamics(vocal, 0.5)) == pytest.approx(3.0, abs=0.3)
    # The same on spectra.
    power = measure_spectra(vocal).power
    gain = disturbance.dynamics_gain(power, 1.5)
    levels = 10 * torch.log10((power * gain)[10:-10])
    assert float(levels.quantile(0.9) - levels.quantile(0.1)) == pytest.approx(9.0, abs=0.5)


def test_a_reverberated_copy_is_what_a_strip_makes_of_it():
    reverb = FdnReverbSettings(dry_wet=0.4, reverberation_time_s=0.5)
    impulse = np.zeros((1, RATE_HZ // 10))
    impulse[0, 0] = 0.5
    wet = reverberate_vocal(Audio(impulse, RATE_HZ), reverb).samples
    expected = 0.4 * 0.5 * impulse_response(reverb, RATE_HZ).sum(axis=0)
    expected[:, 0] += 0.6 * 0.5
    assert wet[:, : expected.shape[1]] == pytest.approx(expected, abs=1e-6)


def test_positions_of_a_reverb_are_its_values():
    declared = parameters(FdnReverbSettings)
    lowest = FdnReverbSettings(**{f: declared[f].range.low for f in REVERB_FIELDS})
    assert reverb_positions(lowest) == [0.0] * 10
    assert reverb_positions(replace(lowest, dry_wet=0.25))[0] == 0.25


@pytest.fixture(scope="module")
def singers(tmp_path_factory: pytest.TempPathFactory) -> list[VocalSong]:
    """Three songs of a voice that sings by turns, and noise."""
    root = tmp_path_factory.mktemp("vocal songs")
    for song in range(3):
        place = root / f"song {song}"
        place.mkdir()
        rng = np.random.default_rng(song)
        time = np.arange(9 * RATE_HZ) / RATE_HZ
        loud = np.where(time % 1.5 < 0.8, 1.0, 0.3)
        voice = sum(np.sin(2 * np.pi * (180 + 20 * song) * n * time) / n for n in range(1, 12))
        soundfile.write(place / "vocal.wav", 0.08 * voice * loud, RATE_HZ, "FLOAT")
        soundfile.write(place / "beat.wav", 0.1 * rng.normal(size=len(time)), RATE_HZ, "FLOAT")
    prepared = decode_songs(find_songs(root), tmp_path_factory.mktemp("cache"))
    return measure_songs(prepared, [1.0] * 3, tmp_path_factory.mktemp("mel"))


def quick(task, variant="wide", **changes) -> VocalTraining:
    settings = vocal_training(task, variant)
    loop = replace(settings.loop, steps=4, batch=4, validate_every=2)
    return replace(settings, loop=loop, views=12, reverbs=4, shortest_s=2.0, **changes)


def test_a_song_is_measured(singers):
    assert len(singers) == 3
    assert singers[0].range_lu == pytest.approx(10.5, abs=1.0)  # 0.3 is −10.5 dB
    assert singers[0].dry.shape == (9 * RATE_HZ,)


QUICK = (("level", "paper"), ("compression", "wide"))


@pytest.mark.parametrize(
    ("task", "variant"),
    [
        pytest.param(task, variant, marks=() if (task, variant) in QUICK else pytest.mark.slow)
        for task in TASKS
        for variant in VARIANTS
    ],
)
def test_every_training_runs_and_goes_on_to_the_same_curve(singers, tmp_path, task, variant):
    settings = quick(task, variant)

    def run(folder, steps, *, resume=False):
        loop = replace(settings.loop, steps=steps)
        made = VocalTask.of_songs(settings, singers[1:], singers[:1], CPU)
        training = Training(made, replace(loop, cosine=False), folder, CPU)
        if resume:
            training.resume()
        return training.run()

    run(tmp_path / "whole", 4)
    run(tmp_path / "halves", 2)
    run(tmp_path / "halves", 4, resume=True)
    curves = [(tmp_path / name / "log.csv").read_text() for name in ("whole", "halves")]
    assert curves[0] == curves[1]
    weights = tmp_path / "whole" / "best.safetensors"
    assert read_description(weights, FAMILY, VocalCnnDescription) == settings.model


def test_a_vocal_falls_as_its_reverb_lets_it(singers):
    settings = quick("reverb", tails=1.0)
    plain = {"low_gain_db_s": 0.0, "high_gain_db_s": 0.0, "fade_in_time_s": 0.0}
    lowest_db = {}
    for time_s in (0.5, 4.0):
        reverb = FdnReverbSettings(reverberation_time_s=time_s, dry_wet=1.0, **plain)
        blocks = make_decay_blocks(singers, reverb, settings, np.random.default_rng(1))
        assert [block.shape for block in blocks] == [(2, 16, 50)] * 3
        falls = torch.stack(blocks)[:, 1].reshape(3, 16, 5, 10)
        lowest_db[time_s] = 10 * falls[..., 0, 7].log10()  # the lowest, in 25 frames: 0.58 s
    assert (lowest_db[0.5][:, 2:6] < -40).all()
    assert (lowest_db[4.0][:, 2:6] > -30).all()


def test_a_vocal_in_a_room_of_its_own_falls_more_slowly(singers):
    dry = FdnReverbSettings(dry_wet=0.0)
    falls_db = []
    for rooms in (0.0, 1.0):
        settings = quick("reverb", tails=1.0, rooms=rooms)
        blocks = make_decay_blocks(singers, dry, settings, np.random.default_rng(2))
        lowest = torch.stack(blocks)[:, 1].reshape(3, 16, 5, 10)[:, 2:6, 0, 5]
        falls_db.append(10 * lowest.log10())  # in 10 frames, 0.23 s: then all is silent
    assert (falls_db[0] < -55).all()
    assert (falls_db[1] - falls_db[0] > 5).all()


def test_trust_is_the_share_with_the_least_error():
    """Twice what is right, half of it, the opposite, and right but for one example of many."""
    wanted = torch.tensor([0.3, -0.2, 0.1, -0.4, 0.2])[:, None].repeat(1, 4)
    said = wanted * torch.tensor([2.0, 0.5, -1.0, 1.0])
    said[4, 3] = -0.3
    shares = least_error_shares(said, wanted, torch.ones_like(said))
    assert shares.tolist() == pytest.approx([0.5, 1.0, 0.0, 1.0])


def test_trust_makes_the_error_the_least_of_all_shares():
    rng = np.random.default_rng(8)
    said = torch.from_numpy(rng.normal(size=(300, 3)))
    wanted = 0.4 * said + torch.from_numpy(rng.normal(size=(300, 3)))
    weights = torch.from_numpy(rng.uniform(0.1, 2.0, (300, 1))).expand(-1, 3)
    found = least_error_shares(said, wanted, weights)
    grid = torch.linspace(0, 1, 1001, dtype=torch.float64)
    errors = (weights * (grid[:, None, None] * said - wanted).abs()).sum(1)
    assert found.tolist() == pytest.approx(grid[errors.argmin(0)].tolist(), abs=2e-3)
    assert (found > 0.2).all()
    assert (found < 0.6).all()


def test_the_level_departs_from_the_rule_by_a_quarter_of_what_is_said(singers):
    settings = quick("level")
    network = VocalTask.of_songs(settings, singers[1:], singers[:1], CPU).network
    (legal,) = output_ranges("level")
    said = torch.tensor([[legal.to_unit(-1.77 + 2.0)]])
    assert legal.from_unit(float(network.apply_trust(said))) == pytest.approx(-1.77 + 0.5, abs=1e-5)


def test_a_kind_of_songs_is_left_out_at_a_time():
    assert group_songs([0, 0, 1, 1, 1]) == [[0, 1]]  # without the other, two songs would be left
    assert group_songs([0, 1, 0, 1, 2, 2]) == [[0, 2], [1, 3], [4, 5]]
    assert group_songs([0] * 5) == [[0, 2, 4], [1, 3]]


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_trials_are_on_songs_that_their_network_did_not_learn_from(singers, tmp_path, task):
    settings = quick(task, trial_steps=3)
    songs = [replace(song, data_set=number % 2) for number, song in enumerate(singers)]
    made = VocalTask.of_songs(settings, songs, singers[:1], CPU)
    (trial,) = make_trials(made.stretches, settings, songs, CPU)
    assert set(trial.stretches.songs.tolist()) == {0, 2}
    assert len(trial.held.blocks) + len(trial.stretches.blocks) == len(made.stretches.blocks)
    request = TrainingRequest(data=[], folder=tmp_path)
    run = TrainingRun(request=request, device=CPU, processes=Processes())
    trust = fit_trust(made, settings, songs, run)
    assert trust.shape == made.network.trust.shape
    assert ((trust >= 0.0) & (trust <= 1.0)).all()
    again = replace(run, request=replace(request, resume=True))
    assert torch.equal(fit_trust(made, settings, songs, again), trust)
    # It is part of the weights.
    made.network.trust = trust
    made.save(tmp_path / "best.safetensors")
    assert torch.equal(read_tensors(tmp_path / "best.safetensors")["trust"], trust)


def test_one_batch_is_learned_by_heart(singers):
    plain = {"spectrum_db": 0.0, "color_db": 0.0, "transposition_octaves": 0.0, "huber": 0.0}
    settings = quick("equalization", **plain)
    settings = replace(settings, model=replace(settings.model, dropout=0.0))
    task = VocalTask.of_songs(settings, singers[1:], singers[:1], CPU)
    batch = next(task.batches(iter([range(4)])))
    optimizer = torch.optim.Adam(task.network.parameters(), 3e-3)
    first = task.loss(batch).item()
    for _ in range(60):
        optimizer.zero_grad()
        loss = task.loss(batch)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.03 * first


def test_wanted_ranges_are_those_before_the_dynamics_change(singers):
    settings = quick("compression", diversity=1.0, raw=0.0)
    stretches = make_stretches(singers[:1], settings, 1)
    expected = (singers[0].range_lu - 5.0) / 25.0
    assert stretches.wanted.flatten().tolist() == pytest.approx([expected] * 12)
    varied = make_stretches(singers[:1], quick("compression"), 1).wanted
    assert varied.std() > 0.05
