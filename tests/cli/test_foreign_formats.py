"""Formats of others at the command line: phone recordings, stems files, M4A mixes."""

import hashlib
import json
import os

import numpy as np
import pytest
import soundfile

from automix.files.reading import open_audio
from tests.cli.short_song import drums, voice
from tests.files.ffmpeg_files import convert, ffmpeg, find_lag, needs_ffmpeg

RATE = 44100

pytestmark = needs_ffmpeg


def write(path, samples):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, RATE, "PCM_24")
    return path


@pytest.fixture
def song(tmp_path):
    """A song of which the lead vocal is a phone recording."""
    write(tmp_path / "song" / "Kick.wav", drums(3, RATE)[:, 0])
    write(tmp_path / "song" / "Guitar.wav", drums(3, RATE)[::-1, 1])
    vocal = write(tmp_path / "v.wav", voice(3, RATE))
    convert(vocal, tmp_path / "song" / "Lead Vocal.m4a")
    return tmp_path / "song"


def told(result):
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_a_phone_recording_among_the_stems_is_a_track(cli, song, tmp_path):
    said = told(cli("stems", song, "-o", "mix.wav", "--json", "--method", "equal-loudness"))
    tracks = {track["name"]: track for track in said["plan"]["tracks"]}
    assert sorted(tracks) == ["guitar", "kick", "lead vocal"]
    assert tracks["lead vocal"]["role"] == "lead vocal"
    content = (song / "Lead Vocal.m4a").read_bytes()
    assert tracks["lead vocal"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert cli("render", "mix.toml", "-o", "again.wav", "--no-plan").exit_code == 0
    assert (tmp_path / "again.wav").read_bytes() == (tmp_path / "mix.wav").read_bytes()


def test_a_pair_of_a_batch_may_be_of_two_formats(cli, tmp_path):
    write(tmp_path / "album" / "one" / "beat.wav", drums(3, RATE))
    vocal = write(tmp_path / "v.wav", voice(3, RATE))
    convert(vocal, tmp_path / "album" / "one" / "vocal.m4a")
    assert cli("batch", "album", "-o", "mixes", "-j", "1").exit_code == 0
    plan = (tmp_path / "mixes" / "one.toml").read_text()
    assert "vocal.m4a" in plan
    assert "beat.wav" in plan


def test_without_ffmpeg_no_track_is_dropped(cli, song, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    result = cli("stems", song, "-o", "mix.wav")
    assert result.exit_code == 3
    assert "Lead Vocal.m4a" in result.stderr
    assert "install ffmpeg" in result.stderr
    result = cli("stems", song, "-o", "mix.m4a")
    assert result.exit_code == 4
    assert "mix.m4a: M4A is written through ffmpeg, which is not installed" in result.stderr
    assert not list(tmp_path.glob("mix*"))
    album = tmp_path / "album" / "one"
    album.mkdir(parents=True)
    write(album / "beat.wav", drums(3, RATE))
    os.rename(song / "Lead Vocal.m4a", album / "vocal.m4a")
    result = cli("batch", "album", "-o", "mixes", "-j", "1")
    assert result.exit_code == 1
    assert "vocal.m4a" in result.stderr
    assert "install ffmpeg" in result.stderr


def test_a_track_that_cannot_be_read_is_said_and_strict_refuses_it(cli, song):
    (song / "Synth.sd2").write_bytes(b"Sound Designer")
    (song / "cover.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(100))
    said = told(cli("stems", song, "-o", "mix.wav", "--json"))
    assert [note for note in said["notes"] if "left out" in note] == [
        f"{song}/Synth.sd2: left out: audio that automix does not read (.sd2); "
        "convert it to WAV or FLAC"
    ]
    result = cli("stems", song, "-o", "strict.wav", "--strict")
    assert result.exit_code == 3
    assert "Synth.sd2" in result.stderr


def test_a_mix_is_written_as_m4a(cli, song, tmp_path):
    assert cli("stems", song, "-o", "mix.wav").exit_code == 0
    assert cli("stems", song, "-o", "mix.m4a", "--no-plan").exit_code == 0
    wav, m4a = open_audio(tmp_path / "mix.wav"), open_audio(tmp_path / "mix.m4a")
    assert m4a.info.frames == wav.info.frames
    assert find_lag(m4a.source.samples[0], wav.source.samples[0]) == 0


def test_half_a_phone_recording_is_refused_or_allowed(cli, tmp_path):
    write(tmp_path / "beat.wav", drums(3, RATE))
    vocal = convert(
        write(tmp_path / "v.wav", voice(3, RATE)), tmp_path / "v.m4a", "-movflags", "+faststart"
    )
    content = vocal.read_bytes()
    vocal.write_bytes(content[: len(content) // 2])
    command = ("vocal", "v.m4a", "beat.wav", "-o", "mix.wav")
    result = cli(*command)
    assert result.exit_code == 3
    assert "v.m4a: cut off or damaged at" in result.stderr
    assert cli(*command, "--allow-truncated").exit_code == 0


@pytest.fixture
def stems_file(tmp_path):
    """A stems file as DJs buy them: the mix, and four stems with names."""
    parts = {
        "Drums": drums(3, RATE),
        "Bass": np.stack(2 * [0.2 * np.sin(2 * np.pi * 60 * np.arange(3 * RATE) / RATE)], 1),
        "Synths": drums(3, RATE)[::-1],
        "Vocals": np.stack(2 * [voice(3, RATE)], 1),
    }
    wavs = [write(tmp_path / "parts" / f"{name}.wav", part) for name, part in parts.items()]
    mix = write(tmp_path / "parts" / "mix.wav", sum(parts.values()) / 2)
    options = []
    for number, name in enumerate(parts, 1):
        options += [f"-metadata:s:a:{number}", f"handler_name={name}"]
    for number in range(5):
        options += ["-map", number]
    path = tmp_path / "Song.stem.mp4"
    inputs = [word for wav in (mix, *wavs) for word in ("-i", wav)]
    ffmpeg(*inputs, *options, "-c:a", "alac", path)
    return path


def test_a_stems_file_is_mixed_from_its_stems(cli, stems_file, tmp_path):
    said = told(cli("stems", stems_file, "-o", "mix.wav", "--json", "--method", "equal-loudness"))
    assert [note for note in said["notes"] if "left out" in note] == [
        f"{stems_file}: holds the mix of its stems too, left out"
    ]
    tracks = {track["name"]: track for track in said["plan"]["tracks"]}
    assert sorted(tracks) == ["Bass", "Drums", "Synths", "Vocals"]
    assert [tracks[name]["stream"] for name in ("Drums", "Bass", "Synths", "Vocals")] == [
        2,
        3,
        4,
        5,
    ]
    assert tracks["Vocals"]["role"] == "lead vocal"
    assert not any("same audio file" in note for note in said["notes"])
    assert cli("render", "mix.toml", "-o", "again.wav", "--no-plan").exit_code == 0
    assert (tmp_path / "again.wav").read_bytes() == (tmp_path / "mix.wav").read_bytes()
    command = (
        "stems",
        stems_file,
        "-o",
        "mix.wav",
        "--method",
        "equal-loudness",
        "--skip-existing",
    )
    assert cli(*command).exit_code == 0


def test_the_stems_box_names_the_stems(cli, stems_file):
    text = b'{"version": 1, "stems": [{"name": "Trommeln"}, {"name": "Bass"}, {"name": "A"}, {}]}'
    box = (len(text) + 8).to_bytes(4, "big") + b"stem" + text
    content = stems_file.read_bytes()
    udta = (len(box) + 8).to_bytes(4, "big") + b"udta" + box
    moov = (len(udta) + 8).to_bytes(4, "big") + b"moov" + udta
    stems_file.write_bytes(content + moov)
    plain = stems_file.rename(stems_file.with_name("song.mp4"))  # the box tells it, too
    said = told(cli("stems", plain, "-o", "mix.wav", "--json", "--method", "equal-loudness"))
    names = {track["name"]: track["stream"] for track in said["plan"]["tracks"]}
    assert names == {"Trommeln": 2, "Bass": 3, "A": 4, "Vocals": 5}


@pytest.mark.slow
def test_stems_files_are_no_tracks_of_another_song_and_songs_of_a_batch(cli, stems_file, song):
    result = cli("stems", stems_file, song / "Kick.wav", "-o", "mix.wav")
    assert result.exit_code == 3
    assert "holds the stems of a song of its own" in result.stderr
    album = song.parent / "album"
    album.mkdir()
    os.rename(stems_file, album / "Song.stem.mp4")
    write(album / "other" / "kick.wav", drums(3, RATE))
    write(album / "other" / "bass.wav", drums(3, RATE)[::-1])
    assert cli("batch", "album", "-o", "mixes", "-j", "1").exit_code == 0
    mixes = song.parent / "mixes"
    assert sorted(path.name for path in mixes.rglob("*.wav")) == ["Song.wav", "other.wav"]


def test_a_stems_file_with_one_stream_is_refused(cli, tmp_path):
    wav = write(tmp_path / "v.wav", voice(3, RATE))
    convert(wav, tmp_path / "v.stem.mp4", "-c:a", "aac")
    result = cli("stems", "v.stem.mp4", "-o", "mix.wav")
    assert result.exit_code == 3
    assert "one stream of audio and no stems" in result.stderr
