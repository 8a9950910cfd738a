"""`--report` as a user gives it."""

import re

import pytest


@pytest.mark.parametrize("command", ["vocal", "stems", "render"])
def test_a_report_is_written_beside_the_mix(cli, song, tmp_path, command):
    words = {
        "vocal": ("vocal", song.vocal, song.beat),
        "stems": ("stems", song.vocal.parent),
        "render": ("render", "first.toml"),
    }
    if command == "render":
        assert cli("vocal", song.vocal, song.beat, "-o", "first.wav", "-q").exit_code == 0
    done = cli(*words[command], "-o", "mix.wav", "--report", "mix.html", "-q")
    assert done.exit_code == 0, done.output
    page = (tmp_path / "mix.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "<h3>vox</h3>" in page or "<h3>vocal</h3>" in page


def test_the_report_shows_width_and_gain_reduction(cli, song, tmp_path):
    changes = ("master.compressor.threshold_db=-50", "master.compressor.ratio=4")
    options = [word for change in changes for word in ("--set", change)]
    words = ("stems", song.vocal.parent, "-o", "mix.wav", "--report", "mix.html", "-q")
    done = cli(*words, "--mode", "full", *options)
    assert done.exit_code == 0, done.output
    page = (tmp_path / "mix.html").read_text(encoding="utf-8")
    assert "17 finished mixes" in page
    assert 'aria-label="width by band' in page
    (master,) = re.findall(r"<h3>master</h3>.*?</article>", page, re.DOTALL)
    (median_db,) = re.findall(r"compressor, gain reduction: median ([\d.]+) dB", master)
    assert float(median_db) > 3.0


def test_nothing_is_overwritten_or_written_without_need(cli, song, tmp_path):
    page = tmp_path / "mix.html"
    words = ("vocal", song.vocal, song.beat, "-o", "mix.wav", "-q")
    assert cli(*words, "--report", page, "--dry-run").exit_code == 0
    assert not page.exists()
    page.write_text("mine")
    refused = cli(*words, "--report", page)
    assert refused.exit_code == 4
    assert "mix.html" in refused.stderr
    assert (page.read_text(), (tmp_path / "mix.wav").exists()) == ("mine", False)
    assert cli(*words, "--report", song.beat, "-f").exit_code == 2  # no page
    assert cli(*words, "--report", "mix.wav.html").exit_code == 0


def test_skip_existing_makes_a_missing_report(cli, song, tmp_path):
    words = ("vocal", song.vocal, song.beat, "-o", "mix.wav", "-q", "--skip-existing", "-f")
    assert cli(*words).exit_code == 0
    assert cli(*words, "--report", "mix.html").exit_code == 0
    assert (tmp_path / "mix.html").exists()
    stamp = (tmp_path / "mix.html").stat().st_mtime_ns
    assert cli(*words, "--report", "mix.html").exit_code == 0
    assert (tmp_path / "mix.html").stat().st_mtime_ns == stamp
