"""Inputs that other tools left odd, as a user meets them: all of the audio, or a clear word."""

import os
import shutil
import struct
import subprocess

import numpy as np
import pytest
import soundfile

from tests.cli.conftest import AUTOMIX
from tests.cli.short_song import RATE, drums

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
ID3 = b"ID3\4\0\0\0\0\1\0" + bytes(128)


def encode_mp3(song, *options):
    command = ["ffmpeg", "-v", "error", "-y", "-i", song.beat, *options, "encoded.mp3"]
    subprocess.run(command, check=True)
    with open("encoded.mp3", "rb") as file:
        return file.read()


def mix(cli, song, *options):
    """Mixes the vocal over ``beat``; seconds of the mix, and what was said."""
    result = cli("vocal", song.vocal, "beat", "--method", "sum", "-o", "mix.wav", "-f", *options)
    assert result.exit_code == 0, result.stderr
    return soundfile.info("mix.wav").duration, result.stderr


def refuse(cli, song, *options):
    """The message with which ``beat`` is refused as an input."""
    result = cli("vocal", song.vocal, "beat", "--method", "sum", "-o", "mix.wav", "-f", *options)
    assert result.exit_code == 3
    assert not os.path.exists("mix.wav")
    (line,) = result.stderr.splitlines()
    assert line.startswith("automix: beat: ")
    return line


def save(content):
    with open("beat", "wb") as file:
        file.write(content)


@needs_ffmpeg
def test_joined_mp3_files_are_mixed_whole(cli, song):
    save(2 * encode_mp3(song, "-b:a", "128k"))
    seconds, said = mix(cli, song, "--strict")
    assert seconds == pytest.approx(10.0, abs=0.001)
    assert "beat: holds 2 recordings one after another: all are read" in said


@needs_ffmpeg
def test_joined_mp3_file_of_another_rate_is_said_and_refused_when_strict(cli, song):
    save(encode_mp3(song) + encode_mp3(song, "-ar", "44100"))
    seconds, said = mix(cli, song)
    assert seconds == pytest.approx(5.0, abs=0.001)
    assert "5.0 s of another format (44100 Hz, 2 channel(s)) follow and are left out" in said
    os.remove("mix.wav")
    assert "5.0 s of another format" in refuse(cli, song, "--strict")


@needs_ffmpeg
def test_mp3_of_a_stream_lasts_as_long_as_its_frames(cli, song):
    save(encode_mp3(song, "-q:a", "6", "-write_xing", "0"))
    seconds, said = mix(cli, song, "--strict")
    assert 5.0 <= seconds < 5.0 + 3 * 576 / RATE
    (note,) = [line for line in said.splitlines() if "beat: " in line and "named" not in line]
    assert "the usual 1105 frames are left out" in note


@needs_ffmpeg
@pytest.mark.parametrize("front", [ID3 + ID3, ID3 + bytes(1500), bytes(417)])
def test_mp3_behind_tags_and_zeros(cli, song, front):
    save(front + encode_mp3(song))
    seconds, _ = mix(cli, song, "--strict")
    assert seconds == pytest.approx(5.0, abs=0.001)


def test_wav_behind_a_tag_is_mixed_as_without(cli, song):
    content = song.beat.read_bytes()
    save(content)
    mix(cli, song)
    plain, _ = soundfile.read("mix.wav")
    save(ID3 + content)
    mix(cli, song, "--strict")
    np.testing.assert_array_equal(soundfile.read("mix.wav")[0], plain)


def halve_claim(song):
    content = bytearray(song.beat.read_bytes())
    at = content.index(b"data") + 4
    (size,) = struct.unpack_from("<I", content, at)
    struct.pack_into("<I", content, at, size // 2)
    return bytes(content)


def test_wav_header_that_claims_half_is_said_repaired_and_refused_when_strict(cli, song):
    save(halve_claim(song))
    assert "2.5 s more follow than its header claims" in refuse(cli, song, "--strict")
    _, said = mix(cli, song)
    assert "beat: 2.5 s more follow than its header claims" in said
    seconds, said = mix(cli, song, "--repair")
    assert seconds == pytest.approx(5.0, abs=0.001)
    assert "read as audio" in said


@pytest.mark.parametrize("size", [2**63 - 1, 2**63, 2**64 - 1])
def test_w64_with_an_impossible_size_is_read(cli, song, size):
    soundfile.write("s.w64", drums(), RATE, "PCM_16")
    with open("s.w64", "rb") as file:
        content = file.read()
    at = content.index(bytes.fromhex("64617461f3acd311")) + 16
    save(content[:at] + struct.pack("<Q", size) + content[at + 8 :])
    seconds, said = mix(cli, song)
    assert seconds == pytest.approx(5.0, abs=0.001)
    assert "impossible length" in said
    os.remove("mix.wav")
    assert "impossible length" in refuse(cli, song, "--strict")


def test_ambisonics_are_refused(cli, song):
    frames = np.round(8000 * drums()[:, [0, 1, 0, 1]]).astype("<i2")
    form = struct.pack("<HHIIHHHHI", 0xFFFE, 4, RATE, RATE * 8, 8, 16, 22, 16, 0)
    form += bytes.fromhex("010000002107d3118644c8c1ca000000")
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form
    body += b"data" + struct.pack("<I", frames.nbytes) + frames.tobytes()
    save(b"RIFF" + struct.pack("<I", len(body)) + body)
    assert "Ambisonics" in refuse(cli, song)


def write_stamped(path, samples, start, rate=RATE):
    data = np.round(samples * 32767).astype("<i2").tobytes()
    stamp = bytes(320) + b"2026-01-0112:00:00" + struct.pack("<QH", start, 1) + bytes(254)
    form = struct.pack("<HHIIHH", 1, 1, rate, rate * 2, 2, 16)
    body = b"WAVE"
    for name, chunk in ((b"bext", stamp), (b"fmt ", form), (b"data", data)):
        body += name + struct.pack("<I", len(chunk)) + chunk
    with open(path, "wb") as file:
        file.write(b"RIFF" + struct.pack("<I", len(body)) + body)


def test_time_stamps_that_differ_place_the_files_and_are_named_with_their_offsets(cli):
    os.mkdir("song")
    hour = 3600 * RATE
    drum = drums()[:, 0]
    write_stamped("song/Kick.wav", drum, hour)
    write_stamped("song/Snare.wav", drum[RATE:], hour + RATE)
    write_stamped("song/Bass.wav", drum, 2 * hour, rate=2 * RATE)  # the same moment
    write_stamped("song/Pad.wav", drum[::2], hour + RATE // 4)
    result = cli("stems", "song", "-o", "mix.wav", "--dry-run")
    assert result.exit_code == 0
    (note,) = [line for line in result.stderr.splitlines() if "time stamps" in line]
    assert "placed by the time stamps" in note
    assert "start_s = 1.0" in result.stdout
    assert "snare 1.000 s" in note
    assert "pad 0.250 s" in note
    assert "bass" not in note.partition(" come ")[2]
    left = cli("stems", "song", "-o", "mix.wav", "--dry-run", "--as-recorded")
    assert "start_s" not in left.stdout
    assert "are not used" in left.stderr
    by_hand = cli("stems", "song", "-o", "mix.wav", "--dry-run", "--set", "snare.start_s+=0.5")
    assert "start_s = 1.5" in by_hand.stdout
    write_stamped("song/Snare.wav", drum[RATE:], hour)
    write_stamped("song/Pad.wav", drum[::2], hour)
    assert "time stamps" not in cli("stems", "song", "-o", "mix.wav", "--dry-run").stderr


@pytest.fixture
def without_override(song):
    """Runs the program as a user whose permissions count, also where the tests run as root."""
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("root may read everything, and there is no setpriv")
    lead = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    return lead if os.geteuid() == 0 else []


@pytest.mark.parametrize(
    "arguments",
    [
        ("vocal", "{vocal}", "locked.wav"),
        pytest.param(
            ("vocal", "{vocal}", "{vocal}", "--reference", "locked.wav"), marks=pytest.mark.slow
        ),
        ("stems", "folder"),
        ("stems", "song", "--recursive"),
        ("stems", "locked.toml"),
    ],
)
def test_inputs_that_may_not_be_read_exit_3(cli, song, environment, without_override, arguments):
    for name in ("locked.wav", "locked.toml"):
        shutil.copy(song.beat, name)
        os.chmod(name, 0)
    os.mkdir("folder", 0)
    os.makedirs("song/inner")
    shutil.copy(song.beat, "song/kick.wav")
    os.chmod("song/inner", 0)
    command = [
        *without_override,
        *AUTOMIX,
        *(text.format(vocal=song.vocal) for text in arguments),
    ]
    done = subprocess.run(
        [*command, "-o", "mix.wav"], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 3, done.stderr
    assert "permission" in done.stderr.lower()
    assert any(name in done.stderr for name in ("locked", "folder", "inner"))
    assert not os.path.exists("mix.wav")
