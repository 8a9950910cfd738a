"""M4A files are written through ffmpeg: whole or not at all, the same audio as the same bytes."""

import json
import subprocess

import numpy as np
import pytest

from automix.audio.samples import Audio
from automix.errors import OutputError
from automix.files import ffmpeg as foreign
from automix.files.reading import open_audio
from automix.files.target import OutputTarget
from tests.files.ffmpeg_files import find_lag, install_fake, needs_ffmpeg, sound

pytestmark = needs_ffmpeg


def write(path, samples, rate=44100, **options):
    with OutputTarget.reserve(path, overwrite=True) as target:
        return target.write_audio(Audio(np.ascontiguousarray(samples.T), rate), **options)


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (44100, 2), (48000, 1), (96000, 2)])
def test_what_was_written_comes_back_in_time_and_length(tmp_path, rate, channels):
    samples = sound(channels, 3 * rate // 2 + 77, rate)
    written = write(tmp_path / "mix.m4a", samples, rate)
    assert (written.container, written.subtype, written.clipped) == ("m4a", "AAC", 0)
    opened = open_audio(tmp_path / "mix.m4a")
    assert opened.info.frames == written.frames == len(samples)
    assert opened.info.sample_rate == rate
    assert opened.notes == ()
    decoded = opened.source.samples
    assert decoded.shape == samples.T.shape
    assert find_lag(decoded[0], samples[:, 0]) == 0


@pytest.mark.parametrize("frames", [1, 1023, 1024, 1025])
def test_short_audio(tmp_path, frames):
    write(tmp_path / "a.m4a", sound(2, frames))
    assert open_audio(tmp_path / "a.m4a").info.frames == frames


def test_the_same_audio_gives_the_same_bytes_and_names_no_one(tmp_path):
    for name in ("a.m4a", "b.m4a"):
        write(tmp_path / name, sound())
    content = (tmp_path / "a.m4a").read_bytes()
    assert content == (tmp_path / "b.m4a").read_bytes()
    assert b"Lavf" not in content
    told = subprocess.run(
        ["ffprobe", "-v", "error", "-show_format", "-of", "json", tmp_path / "a.m4a"],
        capture_output=True,
        check=True,
    )
    assert "creation_time" not in json.loads(told.stdout)["format"].get("tags", {})


def test_peaks_above_full_scale_are_counted(tmp_path):
    samples = sound()
    samples[1000:1003] = 1.5
    assert write(tmp_path / "a.m4a", samples).clipped == 6


@pytest.mark.parametrize("rate", [11000, 176400, 192000])
def test_a_rate_that_aac_does_not_have_is_refused(tmp_path, rate):
    with pytest.raises(OutputError, match="AAC has no sample rate of .* write .flac or .wav"):
        write(tmp_path / "a.m4a", sound(2, 5000, rate), rate)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "script",
    [
        "exit 1",
        "kill -SEGV $$",
        "sleep 1000",
        "cat >/dev/null; sleep 1000",
        "cat >/dev/null",
        "head -c 1000 >/dev/null; echo No space left on device >&2; exit 1",
        "while :; do echo error >&2; done",
    ],
)
def test_an_encoder_that_fails_leaves_the_old_file(tmp_path, monkeypatch, script):
    path = tmp_path / "mix.m4a"
    path.write_bytes(b"the old one")
    install_fake(tmp_path / "bin", monkeypatch, ffmpeg=script)
    monkeypatch.setattr(foreign, "STALL_S", 0.5)
    with pytest.raises(OutputError, match=r"mix\.m4a: cannot be written: the encoder failed"):
        write(path, sound())
    assert path.read_bytes() == b"the old one"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["bin", "mix.m4a"]


@pytest.mark.parametrize("missing", ["ffmpeg", "ffprobe"])
def test_without_ffmpeg_the_error_names_it(tmp_path, monkeypatch, missing):
    real = foreign.find_program
    monkeypatch.setattr(
        foreign, "find_program", lambda name: None if name == missing else real(name)
    )
    with pytest.raises(OutputError, match="through ffmpeg, which is not installed; install it"):
        write(tmp_path / "a.m4a", sound())
    assert list(tmp_path.iterdir()) == []
