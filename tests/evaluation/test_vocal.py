"""The table of vocal parameters: known levels, and the errors of known distributions."""

import numpy as np
import pytest
import soundfile
import torch

from automix.errors import InputError
from automix.evaluation.published import PUBLISHED_VOCAL
from automix.evaluation.vocal import evaluate_vocal
from automix.networks.checkpoints import save_weights
from automix.networks.vocal_cnn import FAMILY, VocalCnn
from automix.networks.vocal_cnn_description import VocalCnnDescription, output_ranges
from automix.plan.parameters import parameters
from automix.plan.settings import FdnReverbSettings

RATE = 16_000


def write_song(folder, name, level_db, range_db=10.0):
    """A vocal that steps by some dB, and a backing of which it is that much louder."""
    time_s = np.arange(20 * RATE) / RATE
    tone = 0.1 * np.sin(2 * np.pi * 1000 * time_s)
    steps = np.where(time_s % 4 < 2, 1.0, 10 ** (-range_db / 20))
    soundfile.write(folder / f"{name}_vox.wav", 10 ** (level_db / 20) * tone * steps, RATE, "FLOAT")
    soundfile.write(folder / f"{name}_beat.wav", tone * steps, RATE, "FLOAT")


def test_levels_are_predicted_by_the_mean_of_the_other_songs_and_by_the_rule(tmp_path):
    for name, level_db in (("a", -4.0), ("b", -1.0), ("c", 2.0)):
        write_song(tmp_path, name, level_db)
    (level, loudness_range, *_), notes = evaluate_vocal([tmp_path])
    assert notes == []
    assert (level.name, level.cases) == ("relative loudness", 3)
    assert level.errors["mean"] == pytest.approx((4.5 + 0.0 + 4.5) / 3, abs=0.01)
    assert level.errors["rule"] == pytest.approx((2.23 + 0.77 + 3.77) / 3, abs=0.01)
    assert loudness_range.errors["mean"] == pytest.approx(0.0, abs=0.01)
    assert loudness_range.errors["rule"] == pytest.approx(6.36, abs=0.2)


def test_outliers_are_left_out_and_said(tmp_path):
    for name, level_db in (("a", -4.0), ("b", 9.0), ("c", 2.0)):
        write_song(tmp_path, name, level_db)
    rows, notes = evaluate_vocal([tmp_path])
    assert rows[0].cases == 2
    assert notes == ["b: left out, vocal at 9.0 LU with a loudness range of 10.0 LU"]


@pytest.mark.parametrize("silent", ["vox", "beat"])
def test_a_silent_side_is_left_out_and_said(tmp_path, silent):
    for name in "abc":
        write_song(tmp_path, name, -4.0)
    file = tmp_path / f"b_{silent}.wav"
    samples, rate = soundfile.read(file)
    soundfile.write(file, 0.0 * samples, rate)
    rows, notes = evaluate_vocal([tmp_path])
    assert rows[0].cases == 2
    assert notes == ["b: left out, its vocal or backing is silent"]
    (tmp_path / "c_vox.wav").unlink()
    (tmp_path / "c_beat.wav").unlink()
    with pytest.raises(InputError, match="1 usable songs"):
        evaluate_vocal([tmp_path])


def test_the_errors_of_what_is_drawn_are_those_of_the_distributions(tmp_path):
    for name in ("a", "b"):
        write_song(tmp_path, name, 0.0)
    rows = {row.name: row.errors["mean"] for row in evaluate_vocal([tmp_path])[0]}
    # Four of nine gains, evenly within ±15 dB: 4/9 · 7.5, the 3.33 dB of the paper.
    assert rows["equalizer gains"] == pytest.approx(10 / 3, abs=0.03)
    sizes = parameters(FdnReverbSettings)["room_size"].range
    assert rows["room size"] == pytest.approx((sizes.high - sizes.low) / 4, rel=0.02)
    assert list(rows) == list(PUBLISHED_VOCAL)


@pytest.mark.slow
def test_networks_are_judged_by_what_they_say_of_damaged_copies(tmp_path, monkeypatch):
    """Networks that always say the same: no damage, −4 LU, a range of 12 LU, a middling reverb."""
    monkeypatch.setattr("automix.evaluation.vocal_networks.COPIES", 3)
    weights = tmp_path / "constant"
    weights.mkdir()
    for task, value in (("equalization", 0.0), ("level", -4.0), ("compression", 12.0)):
        description = VocalCnnDescription(task=task)
        network = VocalCnn(description)
        with torch.no_grad():
            network.members[0][-1].weight.zero_()
            network.members[0][-1].bias.fill_(output_ranges(task)[0].to_unit(value))
        save_weights(weights / f"{task}.safetensors", FAMILY, description, network.state_dict())
    songs = tmp_path / "songs"
    songs.mkdir()
    for name, level_db in (("a", -4.0), ("b", -1.0)):
        write_song(songs, name, level_db)
    found, notes = evaluate_vocal([songs], weights=[str(weights)], device="cpu")
    rows = {row.name: row for row in found}
    assert rows["relative loudness"].errors["constant"] == pytest.approx(1.5, abs=0.02)
    assert rows["loudness range"].errors["constant"] == pytest.approx(2.0, abs=0.2)
    gains = rows["equalizer gains"]
    assert gains.errors["constant"] == pytest.approx(gains.errors["mean"], abs=1e-4)
    assert gains.errors["mean"] == pytest.approx(10 / 3, abs=1.5)
    assert (rows["relative loudness"].cases, gains.cases) == (2, 6)
    assert "constant" not in rows["room size"].errors
    assert any("reverb" in note for note in notes)
    again, _ = evaluate_vocal([songs], weights=[str(weights)], device="cpu")
    assert again == found
