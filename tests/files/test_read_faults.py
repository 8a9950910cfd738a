"""Disks that fail and files that change while they are read: the input is named, never another."""

import errno
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from automix.errors import InputError
from automix.files import opening, reading
from automix.files.disk import sha256
from automix.files.probe import probe
from automix.files.reading import open_audio

RATE = 44100


def noise(frames=120000, seed=1):
    return (0.2 * np.random.default_rng(seed).standard_normal((frames, 2))).clip(-1, 1)


@pytest.fixture
def fail_from(monkeypatch):
    """Makes every reading at or beyond a position of a file fail as a broken disk does."""

    def install(position, number=errno.EIO):
        whole = os.pread

        def broken(descriptor, count, at):
            if at + count > position:
                raise OSError(number, os.strerror(number))
            return whole(descriptor, count, at)

        monkeypatch.setattr(os, "pread", broken)

    return install


@pytest.mark.parametrize("container", ["WAV", "RF64", "W64", "AIFF", "CAF", "FLAC", "OGG", "MP3"])
@pytest.mark.parametrize("number", [errno.EIO, errno.EINVAL, errno.ESTALE])
def test_read_errors_name_the_input(tmp_path, fail_from, container, number):
    path = tmp_path / "a.x"
    soundfile.write(path, noise(), RATE, format=container)
    fail_from(0, number)
    for call in (probe, open_audio):
        with pytest.raises(InputError, match=f"a.x: cannot be read: {os.strerror(number)}"):
            call(path)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
def test_read_error_that_a_decoder_keeps_to_itself(tmp_path, fail_from):
    """The decoder sees an early end; the reason is found out instead of calling the file cut."""
    soundfile.write(tmp_path / "a.wav", noise(30 * RATE), RATE)
    command = ["ffmpeg", "-v", "error", "-i", tmp_path / "a.wav", "-write_xing", "0"]
    path = tmp_path / "a.mp3"
    subprocess.run([*command, path], check=True)
    source = open_audio(path, in_memory=False).source
    fail_from(path.stat().st_size // 2)
    with pytest.raises(InputError, match=r"a\.mp3: cannot be read: Input/output error"):
        list(source.blocks())


def test_read_errors_of_checksums_name_the_input(tmp_path, monkeypatch):
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(), RATE)

    def broken(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(hashlib, "file_digest", broken)
    for call in (sha256, lambda path: open_audio(path, with_checksum=True)):
        with pytest.raises(InputError, match=r"a\.wav: cannot be read: Input/output error"):
            call(path)


@pytest.mark.parametrize("name", ["/sys/kernel/notes", "/sys/power/state", "/proc/self/mem"])
def test_files_of_the_system_are_no_audio(name):
    if not Path(name).exists():
        pytest.skip("this system has no such file")
    with pytest.raises(InputError, match=name):
        probe(name)


def test_checksum_is_that_of_the_bytes_that_were_decoded(tmp_path):
    for in_memory in (True, False):
        path = tmp_path / "a.wav"
        soundfile.write(path, noise(), RATE)
        opened = open_audio(path, in_memory=in_memory, with_checksum=True)
        assert opened.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert open_audio(path).sha256 == ""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("how", ["in place", "replaced", "in place with its old time"])
@pytest.mark.parametrize("container", ["WAV", "FLAC", "MP3"])
def test_input_that_changes_between_decoding_and_hashing(
    tmp_path, monkeypatch, when, how, container
):
    path, other = tmp_path / "a", tmp_path / "b"
    soundfile.write(path, noise(), RATE, format=container)
    os.utime(path, ns=(10**18, 10**18))
    soundfile.write(other, noise(seed=2), RATE, format=container)
    status = path.stat()

    def change():
        if how == "replaced":
            os.replace(other, path)
        else:
            content = other.read_bytes()[: status.st_size]
            with open(path, "r+b") as file:
                file.write(content)
            if how.endswith("old time"):
                os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    def hash_then(descriptor):
        if when == "before":
            change()
        digest = opening.hash_content(descriptor)
        if when == "after":
            change()
        return digest

    monkeypatch.setattr(reading, "hash_content", hash_then)
    with pytest.raises(InputError, match="a: changed while it was in use"):
        open_audio(path, with_checksum=True)


def test_what_was_found_out_is_not_used_for_a_changed_file(tmp_path):
    path = tmp_path / "a.mp3"
    for frames in (50000, 90000, 50000):
        soundfile.write(path, noise(frames), RATE)
        assert open_audio(path).info.frames == probe(path).frames == frames


_BITSTREAMS = {
    "DTS": "fe7f018001fc",
    "DTS in 14 bits": "ff1f00e8f107",
    "DTS of big-endian words": "7ffe8001fc3c",
    "surround sound for S/PDIF": "72f81f4e0100",
}


@pytest.mark.parametrize(("codec", "words"), _BITSTREAMS.items())
@pytest.mark.parametrize("container", ["WAV", "FLAC"])
def test_surround_sound_coded_as_stereo_is_no_noise(tmp_path, codec, words, container):
    """As DTS compact discs and recordings of digital outputs hold it."""
    noise = np.random.default_rng(1).integers(-30000, 30000, 20000)
    coded = [np.zeros(2000), np.frombuffer(bytes.fromhex(words), "<i2"), noise, [0]]
    path = tmp_path / "a"
    samples = np.concatenate(coded).astype("<i2")[:21000].reshape(-1, 2)
    soundfile.write(path, samples, 44100, format=container)
    with pytest.raises(InputError, match=f"holds {codec.split(' in')[0].split(' of')[0]}"):
        open_audio(path)
