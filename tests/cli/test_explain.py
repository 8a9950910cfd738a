"""`automix explain`: what it prints, draws and refuses."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.explanation.conftest import RATE, apart


@pytest.fixture
def plan(cli):
    Path("song").mkdir()
    for name, (_, samples) in apart().items():
        soundfile.write(f"song/{name}.wav", samples, RATE, "PCM_24")
    result = cli("stems", "song", "-o", "mix.wav", "--method", "rules", "-q")
    assert result.exit_code == 0
    return Path("mix.toml")


def test_a_clean_mix(cli, plan):
    result = cli("explain", plan)
    assert result.exit_code == 0
    assert result.stdout.startswith("Nothing stands out.")
    for name in apart():
        assert f"{name} (" in result.stdout
    assert "crest_db" in result.stdout  # the figures behind the levels
    assert "without it: the mix is" in result.stdout


def test_the_edit_of_a_rendered_plan_is_named_first(cli, plan):
    assert cli("render", plan, "--set", "bass.fader_db+=10", "-o", "loud.wav").exit_code == 0
    result = cli("explain", "loud.toml")
    first = result.stdout.splitlines()[0]
    assert first.startswith("1. bass is ")
    assert "its fader was edited from" in first


def test_set_asks_what_a_change_would_do_and_changes_nothing(cli, plan):
    before = plan.read_bytes()
    result = cli("explain", plan, "--set", "hats.mute=true", "--json")
    document = json.loads(result.stdout)
    assert document["findings"][0]["track"] == "hats"
    assert document["findings"][0]["kind"] == "absent"
    assert plan.read_bytes() == before


def test_json_holds_figures_of_every_track(cli, plan):
    document = json.loads(cli("explain", plan, "--json").stdout)
    assert [row["name"] for row in document["tracks"]] == sorted(apart())
    bands = np.array([row["band_shares"] for row in document["tracks"]])
    assert bands.shape[1] == len(document["bands_hz"]) == 24
    assert bands.sum(0) == pytest.approx(np.ones(24))
    for row in document["tracks"]:
        assert row["change"]["mix_lu"] < 0.0
        assert any(action["rule"] == "level" for action in row["actions"])


def test_rides_in_words_and_figures(cli, plan):
    rides = """
[[master.rides]]
setting = "gain_db"
times_s = [4.0, 6.0]
values = [0.0, -20.0]
"""
    Path("faded.toml").write_text(plan.read_text() + rides)
    text = cli("explain", "faded.toml").stdout
    assert "ride: gain -20.0 … +0.0 dB in 2 points, at most 10 dB/s; -20.0 dB at 0:04.0" in text
    assert "by hand" in text
    (ride,) = json.loads(cli("explain", "faded.toml", "--json").stdout)["rides"]
    assert (ride["owner"], ride["setting"], ride["rule"]) == ("master", "gain_db", None)
    assert (ride["points"], ride["lowest"], ride["fastest_per_s"]) == (2, -20.0, 10.0)
    assert ride["moves"] == [{"start_s": 4.0, "end_s": 6.0, "change": -20.0}]
    reason = """
[[decisions]]
setting = "master.rides.1"
value = 20.0
rule = "section"
reason = "the song ends here"
figures = { ends_s = 6.0 }
"""
    Path("reasoned.toml").write_text(Path("faded.toml").read_text() + reason)
    assert "· section: the song ends here" in cli("explain", "reasoned.toml").stdout
    told = " ".join(cli("render", "reasoned.toml").stdout.split())
    assert "master.rides.gain_db -20.0 … +0.0 dB section: the song ends here" in told


def test_one_track_only(cli, plan):
    result = cli("explain", plan, "--track", "bass")
    assert "bass (bass)" in result.stdout
    assert "guitar (guitar)" not in result.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("form", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")]
)
def test_pictures(cli, plan, form, magic):
    result = cli("explain", plan, "--picture", f"why.{form}", "-q")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert Path(f"why.{form}").read_bytes().startswith(magic)
    assert cli("explain", plan, "--picture", f"why.{form}").exit_code == 4
    first = Path(f"why.{form}").read_bytes()
    assert cli("explain", plan, "--picture", f"why.{form}", "-q", "-f").exit_code == 0
    assert Path(f"why.{form}").read_bytes() == first


def test_the_picture_says_what_stands_out(cli, plan):
    cli("explain", plan, "--picture", "why.svg", "-q", "--set", "hats.fader_db+=12")
    text = Path("why.svg").read_text()
    assert "hats is" in text
    assert "its fader was edited" in text


@pytest.mark.slow
def test_a_plan_of_the_network(cli, plan):
    cli("stems", "song", "-o", "net.wav", "--method", "dmc", "-q")
    result = cli("explain", "net.toml", "--json", "--picture", "net.png", "--track", "hats")
    document = json.loads(result.stdout)
    assert document["saliency"]["track"] == "hats"
    assert len(document["saliency"]["own"]) == 64
    (hats,) = document["tracks"]
    level = hats["network"]["outputs"][0]
    assert sum(level["parts"].values()) == pytest.approx(level["value"], abs=0.02)
    assert Path("net.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--track", "cowbell"), 2, "no track named 'cowbell'"),
        (("--picture", "why.gif"), 2, ".png"),
        (("--weights", "none.safetensors"), 5, "no such file"),
        (("--set", "bass.nonsense=1"), 2, "no setting 'nonsense'"),
    ],
)
def test_refusals(cli, plan, options, code, message):
    result = cli("explain", plan, *options)
    assert result.exit_code == code
    assert message in result.stderr
    assert sorted(path.name for path in Path().iterdir()) == ["mix.toml", "mix.wav", "song"]


def test_a_picture_is_never_written_over_an_input(cli, plan):
    Path("song/bass.wav").rename("song/bass.png")
    plan.write_text(plan.read_text().replace("song/bass.wav", "song/bass.png"))
    assert cli("explain", plan, "--picture", "song/bass.png", "-f").exit_code == 4


def test_a_missing_file_and_no_plan(cli, plan):
    Path("song/hats.wav").unlink()
    assert cli("explain", plan).exit_code == 2
    assert cli("explain", "nothing.toml").exit_code == 2
