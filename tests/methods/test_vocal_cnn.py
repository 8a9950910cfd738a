"""The vocal networks as a method, by networks that say what a test wants them to say."""

import hashlib
import json
import tomllib
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from automix.analysis.loudness import LoudnessMeter, integrated_lufs
from automix.audio.samples import Audio
from automix.errors import DeviceError
from automix.library import mix_session
from automix.methods.catalog import VOCAL_METHODS
from automix.methods.vocal.cnn_settings import VocalNetworks
from automix.methods.vocal.cnn_weights import SHIPPED, STAGES
from automix.methods.vocal.settings import PAPER, STUDIO
from automix.mixing.request import VocalRequest
from automix.networks.checkpoints import WEIGHTS, read_description, save_weights, weights_path
from automix.networks.vocal_cnn import FAMILY, VocalCnn
from automix.networks.vocal_cnn_description import REVERB_FIELDS, VocalCnnDescription, output_ranges
from automix.plan.parameters import parameters
from automix.session.tracks import Session, Track

METHOD = next(entry for entry in VOCAL_METHODS if entry.name == "cnn")
GAINS_DB = (0.0, 0.0, 9.0, 0.0, -6.0, 1.0, 0.5, 3.0, 0.0)
MANIFEST = tomllib.loads((WEIGHTS / "manifest.toml").read_text(encoding="utf-8"))
SAID = {
    "equalization": GAINS_DB,
    "compression": (8.0,),
    "level": (-4.0,),
    "reverb": (0.2, 3.0, 0.0, 20.0, 100.0, -5.0, 0.5, 9000.0, -20.0, 0.7),
}


@pytest.fixture
def weights(tmp_path):
    """Writes networks that always say the same."""

    def write(said=SAID):
        for task, values in said.items():
            description = VocalCnnDescription(task=task)
            network = VocalCnn(description)
            places = [r.to_unit(v) for r, v in zip(output_ranges(task), values, strict=True)]
            with torch.no_grad():
                network.members[0][-1].weight.zero_()
                network.members[0][-1].bias.copy_(torch.tensor(places))
            path = tmp_path / f"{task}.safetensors"
            save_weights(path, FAMILY, description, network.state_dict())
        return str(tmp_path)

    return write


def mixed(session, rules=STUDIO, **options):
    constants = {name: getattr(rules, name) for name in parameters(type(rules))} | options
    return mix_session(session, VocalRequest(method="cnn", device="cpu", constants=constants))


@pytest.fixture
def session(make_session, song):
    return make_session(*song)


def test_gains_are_applied_with_inverted_sign_the_four_largest_only(session, weights):
    plan = mixed(session, weights=weights()).plan
    peaks = [b for b in plan.strip("vocal").equalizer.bands if b.kind == "peak"]
    found = {band.frequency_hz: band.gain_db for band in peaks}
    assert found == pytest.approx({250: -9.0, 1000: 6.0, 2000: -1.0, 8000: -3.0}, abs=1e-4)
    assert all(band.q == 1.0 for band in peaks)
    said = [d for d in plan.decisions if d.setting.endswith("gain_db") and d.rule != "unmasking"]
    assert ("heard_db", pytest.approx(9.0, abs=1e-4)) in [f for d in said for f in d.figures]


def test_the_range_and_the_level_are_those_that_the_networks_say(session, weights):
    mix = mixed(session, weights=weights())
    decisions = {d.setting: d for d in mix.plan.decisions}
    figures = dict(decisions["vocal.compressor.threshold_db"].figures)
    assert figures["target_below_lu"] == pytest.approx(8.0, abs=1e-4)
    assert decisions["vocal.compressor.threshold_db"].rule == "vocal-compression"
    assert mix.levels["vocal"] - mix.levels["beat"] == pytest.approx(-4.0, abs=0.1)
    assert decisions["vocal.fader_db"].rule == "vocal-level"
    assert len(mix.plan.weights) == 64


def test_a_vocal_gets_the_reverb_that_it_lacks(session, weights):
    """20 % of 50 % are there: the return is lowered to 60 %, and its room is two fifths blended."""
    options = replace(STUDIO, tempo_bpm=110.0)  # the rule says 2 s
    mix = mixed(session, options, weights=weights())
    plan = mix.plan
    reverb = plan.bus("vocal reverb").reverb
    assert reverb.room_size == pytest.approx(0.6 * 14.54 + 0.4 * 20.0, abs=0.01)
    assert reverb.reverberation_time_s == pytest.approx(2.0**0.6 * 3.0**0.4, abs=0.01)
    below = {d.setting: dict(d.figures) for d in plan.decisions}["vocal reverb.gain_db"]
    assert below["below_mix_lu"] == pytest.approx(14.0 - 20 * np.log10(0.6), abs=0.01)
    wet = mixed(session, options, weights=weights({**SAID, "reverb": (0.6, *SAID["reverb"][1:])}))
    assert not wet.plan.buses
    assert wet.plan.strip("vocal").reverb.dry_wet == 0.0


def test_a_reverb_that_is_wanted_is_applied_as_it_is(session, weights):
    plan = mixed(session, PAPER, weights=weights(), reverb_reading="wanted").plan
    reverb = plan.strip("vocal").reverb
    said = [getattr(reverb, field) for field in REVERB_FIELDS]
    assert said == pytest.approx(SAID["reverb"], rel=1e-3)


def test_each_network_hears_what_the_stage_before_made(session, weights, monkeypatch):
    heard = []
    original = VocalCnn.predict

    def listen(network, pair):
        heard.append((network.description.task, pair.mel[0].mean(-1)))
        return original(network, pair)

    monkeypatch.setattr(VocalCnn, "predict", listen)
    said = {**SAID, "equalization": (0, 0, 0, 0, -15.0, 0, 0, 0, 0)}
    mixed(session, weights=weights(said))
    assert [task for task, _ in heard] == ["equalization", "compression", "reverb", "level"]
    middle = [float(mel[26:40].sum() / mel[6:14].sum()) for _, mel in heard]
    assert middle[1] > 10 * middle[0]  # near 1 kHz it has been boosted by 15 dB
    spread = [float(torch.linalg.vector_norm(heard[n + 1][1] - heard[n][1])) for n in range(3)]
    assert min(spread) > 0


def test_stages_may_be_left_to_the_rules_and_that_is_said(session, weights):
    mix = mixed(session, weights=weights(), level_by="rules", equalization_by="rules")
    rules = {d.setting: d.rule for d in mix.plan.decisions}
    assert rules["vocal.fader_db"] == "level balance"
    assert rules["vocal.compressor.threshold_db"] == "vocal-compression"
    assert "level: decided by the rules, as chosen" in mix.warnings


def test_weights_that_are_absent_leave_the_stage_to_the_rules(session, weights, tmp_path):
    folder = weights({"level": (-4.0,)})
    mix = mixed(session, weights=folder)
    assert mix.levels["vocal"] - mix.levels["beat"] == pytest.approx(-4.0, abs=0.1)
    assert sum("the rules decide" in warning for warning in mix.warnings) == 3
    (tmp_path / "level.safetensors").unlink()
    with pytest.raises(DeviceError, match="holds no weights of vocal networks"):
        mixed(session, weights=folder)


def test_weights_of_another_task_are_refused(session, weights, tmp_path):
    folder = weights({"level": (-4.0,)})
    (tmp_path / "level.safetensors").rename(tmp_path / "compression.safetensors")
    with pytest.raises(DeviceError, match="its task is level, not compression"):
        mixed(session, weights=folder)


def test_a_silent_vocal_and_a_short_one(make_session, weights):
    noise = np.random.default_rng(1).normal(size=44100).astype(np.float32) * 0.1
    folder = weights()
    silent = mixed(make_session(0.0 * noise, noise), weights=folder)
    assert any("silent" in warning for warning in silent.warnings)
    short = mixed(make_session(noise[:9000], noise[:9000]), weights=folder)
    assert np.isfinite(np.concatenate(list(short.audio.blocks()), axis=1)).all()


def test_the_networks_that_ship_make_a_plausible_mix_of_the_demo(cut_demo):
    session = cut_demo(8, 24)
    lead = next(track for track in session.tracks if track.role == "lead vocal")
    rest = [track for track in session.tracks if track is not lead]
    total = sum(np.broadcast_to(t.source.samples, (2, t.source.frames)) for t in rest)
    pair = Session(
        tracks=(
            Track(name="vocal", role="lead vocal", source=lead.source),
            Track(name="beat", role="backing track", source=Audio(total, session.sample_rate)),
        )
    )
    first, second = mixed(pair), mixed(pair)
    assert first.plan == second.plan
    samples = [np.concatenate(list(mix.source.blocks()), axis=1) for mix in (first, second)]
    assert np.array_equal(*samples)
    assert np.isfinite(samples[0]).all()
    assert -10 <= first.levels["vocal"] - first.levels["beat"] <= 6
    peaks = [b.gain_db for b in first.plan.strip("vocal").equalizer.bands if b.kind == "peak"]
    assert len(peaks) <= 4
    assert max(map(abs, peaks), default=0.0) <= 15.0
    meter = LoudnessMeter(session.sample_rate, 2)
    meter.add(samples[0])
    assert np.isfinite(integrated_lufs(meter.energies))


def test_the_options_go_over_a_preset():
    options = VocalNetworks.over(PAPER, weights="paper")
    assert options.filter_limit_db == PAPER.filter_limit_db
    assert options.reverb == PAPER.reverb


NAMES = [name for name in MANIFEST if name.startswith("vocal-")]


def test_four_networks_of_both_variants_ship():
    assert sorted(NAMES) == sorted(f"vocal-{task}-{v}" for task in STAGES for v in SHIPPED)


@pytest.mark.parametrize("name", NAMES)
def test_weights_are_what_the_manifest_says_and_have_a_card(name):
    row = MANIFEST[name]
    path = weights_path(name)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == row["sha256"]
    assert path.stat().st_size < 1e6
    _, task, variant = name.split("-")
    description = read_description(path, FAMILY, VocalCnnDescription)
    assert description.task == task
    if variant == "paper":
        hearing = "song" if task == "equalization" else "blocks"
        assert description == VocalCnnDescription(task=task, hearing=hearing)
    card = (WEIGHTS / row["card"]).read_text(encoding="utf-8")
    for word in ("automix train vocal", "automix evaluate vocal", "3.33", "4.48", "CC0", "Limits"):
        assert word in card, word


def test_weights_of_another_version_are_refused(tmp_path):
    path = tmp_path / "old.safetensors"
    old = {"model": FAMILY, "description": json.dumps({"task": "level", "bygone": 0.25})}
    save_file({"trust": torch.ones(1)}, path, old)
    with pytest.raises(DeviceError, match=r"old\.safetensors: was made by another version"):
        read_description(path, FAMILY, VocalCnnDescription)
