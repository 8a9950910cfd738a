"""Presets, parts, and importance of tracks on the command line, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

RATE = 22050


@pytest.fixture
def folder(tmp_path):
    song = tmp_path / "song"
    song.mkdir()
    rng = np.random.default_rng(1)
    time = np.arange(6 * RATE) / RATE
    hits = np.exp(-(time % 0.4) / 0.05)
    tracks = {
        "Kick": hits * np.sin(2 * np.pi * 60 * time),
        "LeadVox": 0.2 * rng.normal(size=len(time)) * (time % 1 < 0.6),
        "Pad": 0.1 * rng.normal(size=len(time)),
        "Gtr": 0.1 * rng.normal(size=len(time)) * (time % 0.8 < 0.3),
    }
    for name, samples in tracks.items():
        soundfile.write(song / f"{name}.wav", samples, RATE)
    return song


REFUSED = [
    (["--no-tone"], "--no-tone goes with --mode full"),
    (["--no-dynamics"], "--no-dynamics goes with --mode full"),
    (["--no-width"], "--no-width goes with --mode full"),
    (["--no-space"], "--no-space goes with --mode full"),
    (["--method", "equal-loudness", "--preset", "modern"], "--preset goes with --method"),
    (["--method", "random", "--focus", "pad"], "--focus goes with --method"),
    (["--method", "mono", "--mode", "full", "--no-tone"], "--no-tone goes with --method"),
    (["--preset", "loud"], "'loud'"),
    (["--focus", "tuba"], "no track is named 'tuba'"),
    (["--behind", "tuba"], "no track is named 'tuba'"),
    (["--importance", "tuba=1"], "no track is named 'tuba'"),
    (["--importance", "pad"], "write TRACK=N"),
    (["--importance", "pad=loud"], "write TRACK=N"),
    (["--importance", "pad=9"], "from -4 to 4"),
    (["--importance", "=2"], "write TRACK=N"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_makes_no_sense_is_refused_in_one_sentence(cli, folder, options, message):
    result = cli("stems", folder, "-o", "mix.wav", *options)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert message in " ".join(result.stderr.replace("│", " ").split())
    assert "Traceback" not in result.stderr
    if "Usage:" not in result.stderr:  # with what the parser refuses, it says how to get help
        assert len(result.stderr.strip().splitlines()) == 1
    assert not Path("mix.wav").exists()


def test_a_track_that_is_not_there_is_refused_with_those_that_are(cli, folder):
    message = cli("stems", folder, "--focus", "tuba").stderr
    for name in ("kick", "lead vox", "pad", "gtr"):
        assert name in message


def plan_of(cli, folder, *options):
    result = cli("stems", folder, "--dry-run", "--json", *options)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)["plan"]


def test_focus_and_behind_move_their_tracks_alone(cli, folder):
    plain = plan_of(cli, folder)
    options = ("--focus", "gtr", "--behind", "pad", "--importance", "kick=0.5")
    asked = plan_of(cli, folder, *options)

    def levels(plan):
        return {t["name"]: t["input_gain_db"] + t["fader_db"] for t in plan["tracks"]}

    before, after = levels(plain), levels(asked)
    moved = {name: after[name] - before[name] for name in before}
    wanted = {"gtr": 3.0, "pad": -3.0, "kick": 1.5, "lead vox": 0.0}
    assert moved == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize(
    ("switch", "absent"),
    [
        ("--no-tone", "equalizer"),
        ("--no-dynamics", "compressor"),
        ("--no-width", "widener"),
        ("--no-space", "sends"),
    ],
)
def test_switches_reach_the_plan(cli, folder, switch, absent):
    def settings(*options):
        decisions = plan_of(cli, folder, "--mode", "full", *options)["decisions"]
        return [d["setting"] for d in decisions if d["rule"] != "offset removal"]

    assert any(f".{absent}." in setting for setting in settings())
    assert not any(f".{absent}." in setting for setting in settings(switch))


def test_the_preset_stands_in_the_plan_and_in_names(cli, folder):
    result = cli(
        "stems", folder, "-o", "./", "--name", "{song}-{preset}.{ext}", "--preset", "modern",
        "--mode", "full", "-q",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert Path("song-modern.wav").is_file()
    assert 'taste = "modern"' in Path("song-modern.toml").read_text(encoding="utf-8")
