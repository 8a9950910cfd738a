"""`automix check`: what it finds in files, and how it ends."""

import json

import numpy as np
import pytest
import soundfile

import automix
from automix.checking.catalog import CHECKS
from automix.cli.check import check

RATE = 44100
TIME = np.arange(6 * RATE) / RATE


def voice():
    fade = np.minimum(1.0, np.minimum(TIME, 6 - TIME) / 0.2)
    sings = np.minimum(1.0, np.maximum(0.0, np.sin(2 * np.pi * TIME / 1.5)) * 4)
    return 0.2 * fade * sings * sum(np.sin(2 * np.pi * 220 * n * TIME) / n for n in range(1, 5))


def beat():
    noise = np.random.default_rng(1).standard_normal(len(TIME))
    return 0.1 * noise * np.exp(-((TIME + 0.3) % 0.5) / 0.03) * np.minimum(1, (6 - TIME) / 0.1)


@pytest.fixture
def song(tmp_path):
    folder = tmp_path / "song"
    folder.mkdir()
    soundfile.write(folder / "lead vocal.wav", voice(), RATE, "PCM_24")
    soundfile.write(folder / "drums.wav", beat(), RATE, "PCM_24")
    return folder


def spoil(song):
    """Adds an offset and a click to the voice, and clips the drums."""
    samples = voice() + 0.01
    samples[round(2.05 * RATE)] += 0.3
    soundfile.write(song / "lead vocal.wav", samples, RATE, "PCM_24")
    soundfile.write(song / "drums.wav", 0.5 * np.clip(beat(), -0.08, 0.08), RATE, "PCM_24")


def test_a_sound_song_ends_with_0(cli, song):
    result = cli("check", song)
    assert (result.exit_code, result.stdout) == (0, "song: 2 takes, nothing found\n")


def test_faults_are_told_with_time_and_remedy_and_end_with_1(cli, song):
    spoil(song)
    result = cli("check", song)
    assert result.exit_code == 1
    words = " ".join(result.stdout.split())
    assert "song: 2 takes, 3 warnings" in words
    assert "2.050 s" in words
    assert "DC offset" in words
    assert "less input gain" in words
    quiet = cli("check", song, "-q")
    assert (quiet.exit_code, quiet.stdout, quiet.stderr) == (1, "", "")


def test_the_document_says_all_and_has_a_version(cli, song):
    spoil(song)
    result = cli("check", song, "--json")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["version"], document["is_sound"]) == (1, 1, False)
    (told,) = document["songs"]
    assert [take["name"] for take in told["takes"]] == ["drums", "lead vocal"]
    assert told["takes"][0]["sample_rate_hz"] == RATE
    found = {(finding["track"], finding["check"]): finding for finding in told["findings"]}
    assert set(found) == {
        ("drums", "clipping"),
        ("lead vocal", "offset"),
        ("lead vocal", "clicks"),
    }
    assert found["lead vocal", "clicks"]["times_s"] == pytest.approx([2.05], abs=1e-3)
    assert found["drums", "clipping"]["severity"] == "warning"
    assert found["lead vocal", "offset"]["figure"] == pytest.approx(-40.0, abs=0.1)
    expected = [finding.document() for finding in automix.check(song).findings]
    assert told["findings"] == expected


def test_what_is_good_to_know_is_no_fault(cli, song):
    soundfile.write(song / "drums.wav", np.repeat(beat()[:, None], 2, 1), RATE, "PCM_24")
    result = cli("check", song)
    assert result.exit_code == 0
    assert "both sides are the same: mono" in " ".join(result.stdout.split())


def test_several_songs_and_single_files(cli, song, tmp_path):
    soundfile.write(tmp_path / "hit.wav", 0.5 * beat(), RATE)
    result = cli("check", song, song / "drums.wav", tmp_path / "hit.wav", "--json")
    songs = json.loads(result.stdout)["songs"]
    assert [told["song"] for told in songs] == ["song", "song"]
    assert [len(told["takes"]) for told in songs] == [2, 2]
    assert [finding["check"] for finding in songs[1]["findings"]] == ["copy"]
    assert cli("check", song / "drums.wav").exit_code == 0
    assert cli("check", song, tmp_path / "hit.wav", "--role", "hit=snare").exit_code == 2
    assert cli("check", song, "--role", "drums=snare", "-q").exit_code == 0


def test_channels_of_one_file_are_takes_of_their_own(cli, tmp_path):
    both = np.stack([voice(), 0 * beat(), beat() + 0.02], axis=1)
    soundfile.write(tmp_path / "desk.wav", both, RATE, "PCM_24")
    rows = (
        f'[[tracks]]\nfile = "desk.wav"\nname = "{name}"\nchannel = {channel}\n'
        for channel, name in enumerate(("vocal", "spare", "drums"), 1)
    )
    (tmp_path / "session.toml").write_text("".join(rows))
    result = cli("check", tmp_path / "session.toml", "--json")
    (told,) = json.loads(result.stdout)["songs"]
    found = {(finding["track"], finding["check"]) for finding in told["findings"]}
    assert found == {("spare", "silent"), ("drums", "offset")}


@pytest.mark.parametrize(
    ("make", "code", "says"),
    [
        (lambda p: None, 3, "no such file"),
        (lambda p: p.mkdir(), 3, "no audio files"),
        (lambda p: p.write_text("no audio"), 3, "holds no audio"),
        (lambda p: soundfile.write(p, np.zeros((0, 1)), RATE), 3, "holds no audio"),
        (lambda p: soundfile.write(p, np.full(9, np.nan), RATE, "FLOAT"), 3, "NaN"),
        (lambda p: soundfile.write(p, [0.5], RATE), 1, "too short"),
        (lambda p: soundfile.write(p, np.zeros(RATE), RATE), 1, "silent"),
        (lambda p: soundfile.write(p, voice()[::5], 8000), 0, "nothing found"),
        (lambda p: soundfile.write(p, voice(), 192000), 0, "nothing found"),
        (lambda p: soundfile.write(p, np.repeat(voice()[:, None], 6, 1), 48000), 0, "surround"),
    ],
    ids=[
        "absent",
        "folder",
        "text",
        "empty",
        "nan",
        "one-sample",
        "silence",
        "8-kHz",
        "192-kHz",
        "surround",
    ],
)
def test_odd_inputs_get_a_clear_answer(cli, tmp_path, make, code, says):
    make(tmp_path / "take.wav")
    result = cli("check", tmp_path / "take.wav")
    assert result.exit_code == code
    assert says in result.output


def test_the_help_names_all_that_is_checked():
    told = " ".join(check.__doc__.split())
    assert [row.title for row in CHECKS if row.title not in told] == []


def test_samples_in_memory_are_checked_too():
    checked = automix.check({"vocal": voice() + 0.01, "drums": beat()}, sample_rate=RATE)
    assert not checked.is_sound
    assert [(f.track, f.check) for f in checked.findings] == [("vocal", "offset")]
