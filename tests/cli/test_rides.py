"""The options of rides: what they write, what they leave out, and what they refuse."""

import json

import numpy as np
import pytest
import soundfile

import automix
from automix.plan.model import MixPlan
from tests.methods.raw_songs import RATE, hits, noise
from tests.methods.ridden_songs import sing

SAID = "spread goes from"


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A voice of seven phrases that are up to 10 dB apart, and a beat."""
    folder = tmp_path_factory.mktemp("pair")
    signal, _ = sing(5, phrases=6, rests_s=(0.4, 0.7))
    seconds = len(signal) / RATE
    beat = noise(60, 9000, 2, seconds) * (0.2 + hits(0.5, 0.1, seconds=seconds))
    soundfile.write(folder / "vox.wav", 0.5 * signal / np.abs(signal).max(), RATE, "PCM_24")
    soundfile.write(folder / "beat.wav", 0.5 * beat / np.abs(beat).max(), RATE, "PCM_24")
    return folder / "vox.wav", folder / "beat.wav"


def test_a_mix_without_rides_is_the_plan_rendered_without_them(cli, pair):
    assert cli("vocal", *pair, "-o", "ridden.wav").exit_code == 0
    assert cli("vocal", *pair, "-o", "still.wav", "--no-rides").exit_code == 0
    ridden, still = MixPlan.load("ridden.toml"), MixPlan.load("still.toml")
    assert ridden.has_rides
    (decision,) = (d for d in ridden.decisions if d.setting == "vocal.rides.1")
    assert decision.rule == "vocal rider"
    assert SAID in decision.reason
    assert not still.has_rides
    assert cli("render", "ridden.toml", "--no-rides", "-o", "again.wav").exit_code == 0
    samples = {name: soundfile.read(f"{name}.wav")[0] for name in ("ridden", "still", "again")}
    assert np.array_equal(samples["again"], samples["still"])
    assert not np.allclose(samples["ridden"], samples["still"], atol=1e-3)
    again = MixPlan.load("again.toml")
    assert not again.has_rides
    assert not any(d.setting == "vocal.rides.1" for d in again.decisions)
    assert cli("render", "ridden.toml", "-o", "same.wav").exit_code == 0
    assert np.array_equal(soundfile.read("same.wav")[0], samples["ridden"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--rides", "all", "--no-rides"], "--rides and --no-rides contradict each other"),
        (["--rides", "chorus"], "--rides chorus: choose vocal, sections, mutes, all"),
        (["--rides", "all", "--method", "sum"], "--rides goes with --method rules or cnn, not"),
        (["--no-rides", "--method", "random"], "--no-rides goes with --method rules or cnn, not"),
        (["--no-rides", "--preset", "paper"], "--no-rides goes with --preset studio: paper"),
    ],
)
def test_options_that_nothing_would_come_of_are_refused(cli, pair, options, said):
    result = cli("vocal", *pair, "-o", "mix.wav", *options)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_plan_without_rides_has_none_to_leave_out(cli, pair):
    cli("vocal", *pair, "-o", "mix.wav", "--method", "sum")
    result = cli("render", "mix.toml", "--no-rides", "-o", "again.wav")
    assert result.exit_code == 2
    assert "the plan has no rides" in result.stderr


@pytest.mark.slow
def test_manifests_have_the_options(cli, pair, tmp_path):
    rows = [("a", "vocal"), ("b", "")]
    lines = [f"{name},{pair[0]},{pair[1]},{rides}" for name, rides in rows]
    (tmp_path / "songs.csv").write_text("\n".join(["name,vocal,beat,rides", *lines]))
    result = cli("batch", "songs.csv", "-o", "out", "--method", "rules", "--preset", "paper")
    assert result.exit_code == 0, result.stderr
    plans = {path.name[0]: MixPlan.load(path) for path in (tmp_path / "out").glob("*.toml")}
    assert {name: plan.has_rides for name, plan in plans.items()} == {"a": True, "b": False}


def test_scripts_and_documents_have_the_rides(cli, pair):
    mix = automix.mix_vocal(*pair, rides="mutes")
    assert not mix.plan.has_rides
    document = json.loads(cli("vocal", *pair, "-o", "c.wav", "--json", "--quiet").stdout)
    settings = [decision["setting"] for decision in document["plan"]["decisions"]]
    assert "vocal.rides.1" in settings
