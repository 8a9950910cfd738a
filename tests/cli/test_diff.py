"""`automix diff`: what it prints, and what it exits with."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from automix.plan.model import MixPlan
from automix.plan.rides import Ride
from automix.plan.settings import ChannelStrip, Master
from automix.plan.toml import dumps

PLAN = MixPlan(
    method="rules",
    automix_version="1.0",
    tracks=(
        ChannelStrip(name="kick", sha256="1" * 64, fader_db=-3.0),
        ChannelStrip(name="bell\x1b[31m", pan=0.3),
    ),
)


@pytest.fixture
def compare(cli):
    def run(first: MixPlan, second: MixPlan, *options: str):
        Path("a.toml").write_text(dumps(first))
        Path("b.toml").write_text(dumps(second))
        return cli("diff", "a.toml", "b.toml", *options)

    return run


def rows(text: str) -> dict[str, list[str]]:
    return {line.split("  ")[0].strip(): line.split() for line in text.splitlines() if line.strip()}


def test_equal_plans(compare) -> None:
    result = compare(PLAN, PLAN, "--exit-code")
    assert result.exit_code == 0
    assert result.stdout == "the plans have the same settings\n"


def test_old_new_and_difference(compare) -> None:
    changed = replace(PLAN.with_strip("kick", fader_db=-1.0, mute=True), master=Master(gain_db=-2))
    result = compare(PLAN, changed)
    assert result.exit_code == 0
    printed = rows(result.stdout)
    assert printed["kick.fader_db"] == ["kick.fader_db", "-3", "dB", "-1", "dB", "+2", "dB"]
    assert printed["kick.mute"] == ["kick.mute", "off", "on"]
    assert printed["master.gain_db"][-2:] == ["-2", "dB"]
    assert len(printed) == 3 + 2  # and the head, and the line below it


def test_what_prints_alike_is_printed_in_full(compare) -> None:
    result = compare(PLAN, PLAN.with_strip("kick", fader_db=-3.0000000001))
    assert "-3.0000000001 dB" in result.stdout
    assert "-3.0 dB" in result.stdout
    assert "-1e-10 dB" in result.stdout


def test_names_cannot_steer_the_terminal(compare) -> None:
    result = compare(PLAN, PLAN.with_strip("bell\x1b[31m", pan=0.4))
    assert "\x1b" not in result.stdout
    assert "bell\\x1b[31m.pan" in result.stdout


def test_tracks_inputs_and_provenance(compare) -> None:
    other = replace(
        PLAN,
        method="dmc",
        tracks=(replace(PLAN.tracks[0], sha256="2" * 64), ChannelStrip(name="x")),
    )
    result = compare(PLAN, other)
    printed = rows(result.stdout)
    assert printed["method"] == ["method", "rules", "dmc"]
    assert printed["kick.sha256"] == ["kick.sha256", "1" * 12, "2" * 12, "other", "audio"]
    assert "only in A: track bell\\x1b[31m" in result.stdout
    assert "only in B: track x" in result.stdout


@pytest.mark.parametrize("options", [(), ("--json",), ("--quiet",)])
def test_the_exit_code_says_whether_they_differ_on_request(compare, options) -> None:
    changed = PLAN.with_strip("kick", pan=0.4)
    assert compare(PLAN, changed, *options).exit_code == 0
    assert compare(PLAN, changed, "--exit-code", *options).exit_code == 1
    assert compare(PLAN, PLAN, "--exit-code", *options).exit_code == 0
    assert compare(PLAN, replace(PLAN, method="dmc"), "--exit-code", *options).exit_code == 1


def test_json_is_exact(compare) -> None:
    changed = PLAN.with_strip("kick", fader_db=-2.9999999999999996)
    document = json.loads(compare(PLAN, changed, "--json").stdout)
    assert document["differ"] is True
    assert document["settings"] == [
        {
            "setting": "kick.fader_db",
            "old": -3.0,
            "new": -2.9999999999999996,
            "unit": "dB",
            "change": 4.440892098500626e-16,
        }
    ]
    assert document["only_in_first"] == document["inputs"] == document["provenance"] == []
    assert compare(PLAN, changed, "--quiet").stdout == ""


def test_rides_in_words_and_in_points(compare) -> None:
    fader = Ride(times_s=(1.0, 65.5), values=(0.0, -2.0))
    pan = Ride(setting="pan", times_s=(0.0, 2.0), values=(0.3, 0.8))
    first = PLAN.with_strip("kick", rides=(replace(fader, values=(0.0, 1.0)),))
    second = PLAN.with_strip("kick", rides=(fader,)).with_strip("bell\x1b[31m", rides=(pan,))
    text = compare(first, second).stdout
    assert "\x1b" not in text
    kick, bell = (line.split("  ") for line in text.splitlines() if ".rides." in line)
    assert [cell.strip() for cell in kick if cell] == [
        "kick.rides.fader_db",
        "2 points",
        "2 points",
        "-3.00 dB at 1:05.5, mean -1.50 dB",
    ]
    assert [cell.strip() for cell in bell if cell][1:] == [
        "no ride",
        "2 points",
        "+100.00 % at 0:02.0, mean +50.00 %",
    ]
    document = json.loads(compare(first, second, "--json").stdout)
    assert document["settings"] == []
    assert document["rides"][0] == {
        "setting": "kick.rides.fader_db",
        "kind": "changed",
        "old": {"times_s": [1.0, 65.5], "values": [0.0, 1.0]},
        "new": {"times_s": [1.0, 65.5], "values": [0.0, -2.0]},
        "unit": "dB",
        "largest_change": -3.0,
        "largest_change_at_s": 65.5,
        "mean_change": -1.5,
    }
    assert document["rides"][1]["old"] is None
    assert compare(first, second, "--exit-code").exit_code == 1


def test_a_file_that_is_no_plan(cli) -> None:
    Path("a.toml").write_text(dumps(PLAN))
    for name, content in (("bad.toml", "format = 1\nfader = 3"), ("noise.bin", None)):
        if content:
            Path(name).write_text(content)
        result = cli("diff", "a.toml", name)
        assert result.exit_code == 2
        assert name in result.stderr
        assert "Traceback" not in result.stderr
