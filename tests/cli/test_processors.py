"""A processor that automix does not have, followed through the commands."""

import json

import numpy as np
import pytest
import soundfile

from automix.plan.model import MixPlan
from automix.plan.settings import ChannelStrip
from automix.plan.toml import dumps
from tests.dsp import clipper

RATE = 44_100


def test_the_commands_know_it(monkeypatch, cli, tmp_path):
    clipper.register(monkeypatch, strip="c")
    samples = np.random.default_rng(0).uniform(-0.4, 0.4, 2 * RATE)
    soundfile.write(tmp_path / "a.wav", samples, RATE, "FLOAT")
    for name, ceiling in (("plan", 0.1), ("soft", 0.05)):
        settings = clipper.ClipperSettings(ceiling=ceiling)
        strip = ChannelStrip(name="a", file="a.wav", clipper=settings)
        plan = MixPlan(tracks=(strip,), bits="32f")
        (tmp_path / f"{name}.toml").write_text(dumps(plan))
    assert cli("render", tmp_path / "plan.toml", "-o", tmp_path / "mix.wav").exit_code == 0
    heard, _ = soundfile.read(tmp_path / "mix.wav")
    assert np.abs(heard).max() == pytest.approx(0.1 * 0.5**0.5, rel=1e-6)
    told = cli("diff", tmp_path / "plan.toml", tmp_path / "soft.toml", "--json")
    assert "a.clipper.ceiling" in told.stdout
    explained = cli("explain", tmp_path / "plan.toml", "--json")
    assert "a.clipper.ceiling" in explained.stdout
    exported = cli("export", tmp_path / "plan.toml", "--json")
    assert json.loads(exported.stdout)["tracks"][0]["printed"] == ["hard clipper"]
    dry = cli("export", tmp_path / "plan.toml", "-o", tmp_path / "d.dawproject", "--dry", "--json")
    assert json.loads(dry.stdout)["left_out"] == ["a: hard clipper"]
    stems = cli("export", tmp_path / "plan.toml", "--to", "stems", "--json")
    (stem,) = json.loads(stems.stdout)["stems"]
    np.testing.assert_allclose(soundfile.read(stem["path"])[0], heard, atol=1e-6)
    known = json.loads(cli("info", "processors", "--json").stdout)["processors"][-1]
    assert known["name"] == "clipper"
    assert known["consoles"]["differentiable"].startswith("no: its gradient")
    assert "hard clipper (clipper): Holds samples" in cli("info", "processors").stdout
