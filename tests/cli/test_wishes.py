"""References, macro controls and candidates from the command line."""

import json

import numpy as np
import pytest
import soundfile

from automix.plan.model import MixPlan
from tests.cli.short_song import RATE, drums


@pytest.fixture
def reference(tmp_path):
    path = tmp_path / "reference.wav"
    rng = np.random.default_rng(0)
    beat = drums()
    soundfile.write(path, beat + 0.02 * rng.normal(size=beat.shape), RATE)
    return path


@pytest.mark.slow
def test_a_reference_for_a_vocal(cli, song, reference):
    result = cli("vocal", song.vocal, song.beat, "--reference", reference, "--json")
    assert result.exit_code == 0, result.output
    rows = {row["name"]: row for row in json.loads(result.stdout)["reference"]}
    assert rows["spectrum"]["distance_after"] <= rows["spectrum"]["distance_before"] + 0.3
    plan = MixPlan.from_toml((reference.parent / "mix.toml").read_text(), "mix.toml")
    assert "reference" in {decision.rule for decision in plan.decisions}


def test_no_amount_of_it_is_the_plain_mix(cli, song, reference):
    cli("vocal", song.vocal, song.beat, "-o", "plain.wav")
    cli("vocal", song.vocal, song.beat, "-o", "none.wav", "--reference", reference, "--amount", 0)
    folder = reference.parent
    assert (folder / "plain.wav").read_bytes() == (folder / "none.wav").read_bytes()


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--reference", "nowhere.wav"), 3, "nowhere.wav: is not a file"),
        (("--reference-weight", "1"), 2, "goes with --reference"),
        (("--reference", "reference.wav", "--reference-weight", "0"), 2, "--reference-weight"),
        (("--reference", "reference.wav", "-o", "reference.wav", "-f"), 4, "reference.wav"),
        (("--reverb", "much"), 2, "--reverb much: write a percentage"),
        (("--vocals", "99"), 2, "--vocals"),
        (("--candidates", "2", "--dry-run"), 2, "--dry-run goes with one mix"),
    ],
)
def test_refusals(cli, song, reference, options, code, message):
    before = reference.read_bytes()
    result = cli("vocal", song.vocal, song.beat, *options)
    assert result.exit_code == code, result.output
    assert message in result.stderr
    assert reference.read_bytes() == before
    assert [path.name for path in reference.parent.iterdir()] == ["reference.wav"]


def test_macros_over_a_plan_that_is_rendered(cli, song, tmp_path):
    cli("vocal", song.vocal, song.beat, "-o", "mix.wav")
    result = cli("render", "mix.toml", "--vocals", "+2", "--reverb", "-30%", "-o", "more.wav")
    assert result.exit_code == 0, result.output
    assert "--vocals +2" in result.stdout
    before, after = (
        MixPlan.from_toml((tmp_path / name).read_text(), name) for name in ("mix.toml", "more.toml")
    )
    change = after.strip("vocal").fader_db - before.strip("vocal").fader_db
    assert change == pytest.approx(2.0)
    bus = before.buses[0].name
    assert after.bus(bus).gain_db - before.bus(bus).gain_db == pytest.approx(
        20 * np.log10(0.7), abs=1e-6
    )


@pytest.mark.slow
def test_candidates_are_written_measured_and_put_on_a_page(cli, song, tmp_path):
    result = cli("vocal", song.vocal, song.beat, "-o", "mix.wav", "--candidates", 3, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert [row["output"] for row in document["candidates"]] == [f"mix.{n}.wav" for n in (1, 2, 3)]
    assert document["candidates"][0]["options"] == ""
    assert len(document["distances"]) == 3
    assert all(row["stereo_mr_stft"] > 0.05 for row in document["distances"])
    assert (tmp_path / document["page"]).is_file()
    for number in (1, 2, 3):
        assert (tmp_path / f"mix.{number}.toml").is_file()
