"""Finished songs and the demo are sound, and faults that are put into them are found."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

import automix
from tests.demo.songs import demo_song

AUDIO = Path(__file__).parents[3] / "shared" / "audio"

pytestmark = pytest.mark.slow  # the fast siblings are in test_check and test_catalog

EXPECTED = {
    "caesium": {"coding"},
    "potassium": {"coding"},
    "francium": {"coding", "length", "hum"},  # 60 Hz at −88 dBFS, 52 dB and more below what plays
    "mdn-funk": {"coding", "length"},
}


@pytest.mark.data
@pytest.mark.skipif(not AUDIO.is_dir(), reason="needs the real multitracks")
@pytest.mark.parametrize("song", EXPECTED)
def test_nothing_is_wrong_with_finished_songs(song):
    checked = automix.check(AUDIO / song)
    assert checked.is_sound
    assert {finding.check for finding in checked.findings} == EXPECTED[song]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    for name, audio in demo_song().tracks.items():
        soundfile.write(folder / f"{name}.wav", audio.samples.T, audio.sample_rate, "PCM_24")
    return folder


def test_nothing_is_wrong_with_the_demo(folder):
    checked = automix.check(folder)
    assert checked.is_sound
    found = {finding.check for finding in checked.findings}
    assert found <= {"length", "arrival"}  # its kit stands around its overheads


def spoil(samples, rate):
    """A hum 38 dB below a take, a click, a dropout, and clipping by 4 dB after all."""
    time = np.arange(len(samples)) / rate
    rms = np.sqrt(np.mean(np.square(samples)))
    spoiled = samples + 10 ** (-38 / 20) * rms * np.sqrt(2) * np.sin(2 * np.pi * 60 * time)
    top = np.abs(spoiled).max()
    spoiled = np.clip(spoiled, -0.63 * top, 0.63 * top)
    spoiled[round(7.5 * rate) : round(7.52 * rate)] = 0.0
    spoiled[round(15.2 * rate)] += 0.5 * top
    return spoiled


def test_faults_in_one_take_are_found_there_and_nowhere_else(folder, tmp_path):
    for file in folder.iterdir():
        samples, rate = soundfile.read(file)
        if file.stem == "lead vocal":
            samples = spoil(samples, rate)
        soundfile.write(tmp_path / file.name, samples, rate, "PCM_24")
    found = [f for f in automix.check(tmp_path).findings if f.severity != "information"]
    assert {finding.track for finding in found} == {"lead vocal"}
    by_check = {finding.check: finding for finding in found}
    assert {"hum", "dropouts", "clipping"} <= set(by_check)
    assert by_check["dropouts"].times_s == pytest.approx([7.5], abs=1e-3)
