"""A parallel bus and a bus of echoes, followed through the commands."""

import json
from xml.etree import ElementTree
from zipfile import ZipFile

import numpy as np
import pytest
import soundfile

from automix.plan.model import MixPlan
from automix.plan.settings import Bus, ChannelStrip, CompressorSettings, DelaySettings, Send
from automix.plan.toml import dumps
from automix.report.strips import bus_card

RATE = 44_100
PRESSED = CompressorSettings(threshold_db=-40.0, ratio=10.0, makeup_db=12.0)


@pytest.fixture
def plan(tmp_path):
    tracks = []
    for n, name in enumerate(("bass", "drums")):
        samples = np.random.default_rng(n).uniform(-0.2, 0.2, (RATE, 1 + n))
        soundfile.write(tmp_path / f"{name}.wav", samples, RATE, "FLOAT")
        sends = (Send(bus="press"), Send(bus="echo", gain_db=-9.0))
        tracks.append(ChannelStrip(name=name, file=f"{name}.wav", sends=sends))
    buses = (
        Bus(name="press", parallel=True, compressor=PRESSED, gain_db=-3.0),
        Bus(name="echo", delay=DelaySettings(wet=1.0)),
    )
    plan = MixPlan(tracks=tuple(tracks), buses=buses, bits="32f")
    path = tmp_path / "plan.toml"
    path.write_text(dumps(plan))
    assert MixPlan.from_toml(path.read_text()) == plan
    return path


@pytest.mark.parametrize("options", [(), ("--separate-returns",)])
def test_exported_stems_add_up_to_the_rendered_mix(cli, plan, tmp_path, options):
    assert cli("render", plan, "-o", tmp_path / "mix.wav").exit_code == 0
    mix, _ = soundfile.read(tmp_path / "mix.wav")
    done = cli("export", plan, "--to", "stems", *options, "--json")
    stems = [soundfile.read(stem["path"])[0] for stem in json.loads(done.stdout)["stems"]]
    assert len(stems) == (4 if options else 2)
    error = np.sum(stems, axis=0) - mix
    assert 10 * np.log10(np.mean(error**2) / np.mean(mix**2)) < -100.0


def test_a_daw_gets_its_compressor_its_level_and_its_return(cli, plan, tmp_path):
    assert cli("export", plan, "-o", tmp_path / "song.dawproject").exit_code == 0
    with ZipFile(tmp_path / "song.dawproject") as archive:
        project = ElementTree.fromstring(archive.read("project.xml"))
    tracks = {track.get("name"): track for track in project.iter("Track")}
    press, echo = tracks["press"], tracks["echo"]
    assert press.find("Channel/Devices/Compressor") is not None
    volume = float(press.find("Channel/Volume").get("value"))
    assert volume == pytest.approx(10 ** (-3 / 20))
    assert press.get("comment").startswith("parallel, ")
    assert echo.get("comment").startswith("delay 250 ms, feedback 0.3, ")
    assert {"press return", "echo return"} <= set(tracks)


def test_echoes_of_a_bus_are_explained_and_reported(cli, plan):
    explained = cli("explain", plan, "--json")
    assert "echo.delay.wet" in explained.stdout
    press, echo = (bus_card(bus, MixPlan.load(plan)) for bus in MixPlan.load(plan).buses)
    assert "<li>parallel</li>" in press
    assert "<svg" in press  # the curve of its compressor
    assert "<li>delay 250 ms, feedback 0.3</li>" in echo
