"""`automix info`."""

import json
import os
from dataclasses import replace

import numba
import pytest
import torch

from automix.dsp.processors import PROCESSORS
from automix.methods.catalog import STEMS_METHODS, VOCAL_METHODS
from automix.plan.rides import Ride
from automix.plan.settings import Bus, ChannelStrip, Master, Send


def test_it_tells_versions_devices_and_methods_as_json(cli):
    done = cli("info", "--json")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert found["packages"]["torch"] == torch.__version__.partition("+")[0]
    assert found["packages"]["numba"] == numba.__version__
    assert found["machine"]["cores"] == str(len(os.sched_getaffinity(0)))
    assert found["devices"][0]["name"] == "cpu"
    assert found["device"] == ("cuda:0" if torch.cuda.is_available() else "cpu")
    assert [row["name"] for row in found["methods"]["vocal"]] == [row.name for row in VOCAL_METHODS]
    assert [row["name"] for row in found["methods"]["stems"]] == [row.name for row in STEMS_METHODS]
    assert found["plugins"] == {}
    models = {model["name"]: model for model in found["models"]}
    assert models["vggish"]["parameters"] == 72_141_184
    assert models["vggish"]["receptive_field"] == 15_600  # 0.975 s at 16 kHz
    assert all(
        {"name", "parameters", "receptive_field", "weights"} <= set(m) for m in models.values()
    )


def test_it_tells_the_same_to_people(cli):
    done = cli("info")
    assert done.exit_code == 0
    assert f"numba {numba.__version__}" in " ".join(done.stdout.split())
    assert "stems --method equal-loudness" in done.stdout


def test_it_tells_the_processors_from_their_declarations(cli):
    found = json.loads(cli("info", "processors", "--json").stdout)
    assert list(found) == ["processors", "rides"]
    rows = {row["name"]: row for row in found["processors"]}
    assert list(rows) == [row.name for row in PROCESSORS]
    compressor = rows["compressor"]
    assert (compressor["strip"], compressor["bus"], compressor["master"]) == ("c", "before", "gain")
    assert compressor["consoles"] == {
        "exact": "yes",
        "differentiable": "yes",
        "neural": "by the network",
        "plugins": "OmniCompressor",
        "daw": "its Compressor",
    }
    ratio = next(setting for setting in compressor["settings"] if setting["name"] == "ratio")
    assert (ratio["low"], ratio["high"], ratio["scale"], ratio["neutral"]) == (1, 10, "log", 2.0)
    assert rows["limiter"]["consoles"]["differentiable"].startswith("no: ")
    bands = {setting["name"] for setting in rows["equalizer"]["settings"]}
    assert "bands.N.gain_db" in bands


def test_it_tells_what_can_be_ridden(cli):
    rides = json.loads(cli("info", "processors", "--json").stdout)["rides"]
    assert {(ride["owner"], ride["setting"]): ride["added"] for ride in rides} == {
        ("strip", "widener.side_db"): True,
        ("strip", "fader_db"): True,
        ("strip", "pan"): False,
        ("strip", "sends.N.gain_db"): True,
        ("bus", "gain_db"): True,
        ("master", "gain_db"): True,
    }
    for ride in rides:  # each is one that a plan may hold
        sends = (Send(bus="b"),)
        part = {"strip": ChannelStrip(sends=sends), "bus": Bus(), "master": Master()}[ride["owner"]]
        line = Ride(setting=ride["setting"].replace("N", "1"), values=(ride["low"],))
        assert replace(part, rides=(line,)).rides == (line,)


def test_it_tells_the_processors_to_people(cli):
    done = cli("info", "processors")
    assert "sends.N.gain_db" in done.stdout
    assert done.exit_code == 0
    assert "de-esser (de_esser): Turns the treble down" in done.stdout
    assert "2000 … 12000 Hz, logarithmic" in done.stdout
    assert "strip, e of the order; bus, before its reverb; master, first" in done.stdout


def test_it_looks_for_plugins(cli, tmp_path):
    for name in ("MultiEQ", "OmniCompressor"):
        (tmp_path / f"{name}.vst3").touch()
    refused = cli("info", "--plugins", tmp_path)
    assert refused.exit_code == 6
    assert "FdnReverb.vst3" in refused.stderr
    (tmp_path / "FdnReverb.vst3").touch()
    found = json.loads(cli("info", "--plugins", tmp_path, "--json").stdout)
    assert found["plugins"]["FdnReverb"] == str(tmp_path / "FdnReverb.vst3")


@pytest.mark.parametrize("command", ["vocal", "stems", "render"])
def test_no_threads_at_all_is_a_usage_error(cli, command):
    arguments = ("a.wav", "b.wav") if command == "vocal" else ("a",)
    assert cli(command, *arguments, "-j", "0").exit_code == 2
