"""Formats, depths, dither, and bytes that do not depend on the run."""

import os
import subprocess
import time

import numpy as np
import pytest
import soundfile

from automix.audio.samples import BLOCK_FRAMES, Audio
from automix.errors import OutputError, UsageError
from automix.files.dither import Quantizer
from automix.files.formats import choose_format
from automix.files.ogg import compute_checksum
from automix.files.probe import probe
from automix.files.reading import open_audio
from automix.files.target import OutputTarget

RATE = 44100


def noise(frames=30000, channels=2, rate=RATE):
    generator = np.random.default_rng(1)
    return Audio(0.2 * generator.standard_normal((channels, frames)).astype(np.float32), rate)


def write(path, source, **options):
    with OutputTarget.reserve(path, overwrite=True) as target:
        return target.write_audio(source, **options)


FORMATS = [
    (extension, bits, container, subtype)
    for extension, container in [
        ("wav", "wav"),
        ("rf64", "rf64"),
        ("w64", "w64"),
        ("aiff", "aiff"),
        ("aif", "aiff"),
        ("flac", "flac"),
    ]
    for bits, subtype in [("16", "PCM_16"), ("24", "PCM_24"), ("32f", "FLOAT")]
    if (container, bits) != ("flac", "32f")
] + [("ogg", "24", "ogg", "VORBIS"), ("mp3", "24", "mp3", "MPEG_LAYER_III")]


@pytest.mark.parametrize(("extension", "bits", "container", "subtype"), FORMATS)
def test_formats(tmp_path, extension, bits, container, subtype):
    path = tmp_path / f"mix.{extension}"
    audio = noise()
    written = write(path, audio, bits=bits)
    assert (written.path, written.container, written.subtype) == (path, container, subtype)
    assert (written.frames, written.clipped, written.notes) == (30000, 0, ())
    opened = open_audio(path)
    assert (opened.info.container, opened.info.subtype) == (container, subtype)
    assert (opened.info.frames, opened.info.sample_rate, opened.info.channels) == (30000, RATE, 2)
    assert opened.notes == ()
    if container not in ("ogg", "mp3"):
        step = {"16": 2.0**-15, "24": 2.0**-23, "32f": 0.0}[bits]
        assert np.abs(opened.source.samples - audio.samples).max() <= 1.5 * step + 1e-9
    else:
        correlation = np.corrcoef(opened.source.samples[0], audio.samples[0])[0, 1]
        assert correlation > 0.9


def test_the_same_audio_gives_the_same_bytes(tmp_path):
    """Also at another second: libsndfile writes the time into float WAV and seeds Ogg by it."""
    contents = []
    for name in "ab":
        paths = {f: tmp_path / f"{name}{f[1]}.{f[0]}" for f in FORMATS}
        for form, path in paths.items():
            write(path, noise(), bits=form[1])
        contents.append({form: path.read_bytes() for form, path in paths.items()})
        start = int(time.time())
        while int(time.time()) == start:
            time.sleep(0.02)
    assert [form for form in FORMATS if contents[0][form] != contents[1][form]] == []


def test_ogg_pages_stay_valid(tmp_path):
    """The checksum agrees with the one that libogg wrote, and the file decodes."""
    soundfile.write(tmp_path / "a.ogg", noise().samples.T, RATE)
    content = (tmp_path / "a.ogg").read_bytes()
    page = bytearray(content[: content.index(b"OggS", 4)])
    stored = int.from_bytes(page[22:26], "little")
    page[22:26] = bytes(4)
    assert compute_checksum(bytes(page)) == stored
    write(tmp_path / "b.ogg", noise())
    content = (tmp_path / "b.ogg").read_bytes()
    assert content.count(b"OggS") > 2
    command = ["ffmpeg", "-v", "warning", "-i", tmp_path / "b.ogg", "-f", "null", "-"]
    try:
        result = subprocess.run(command, capture_output=True, check=True)
    except FileNotFoundError:
        pytest.skip("needs ffmpeg")
    assert result.stderr == b""  # ffmpeg reports pages with a wrong checksum


@pytest.mark.parametrize("extension", ["wav", "aiff", "flac", "w64", "rf64"])
@pytest.mark.parametrize(("bits", "power"), [("16", 15), ("24", 23)])
def test_integer_round_trip_is_exact(tmp_path, extension, bits, power):
    integers = np.random.default_rng(2).integers(-(2**power), 2**power, (100000, 2))
    integers[0] = [-(2**power), 2**power - 1]
    shifted = (integers << (31 - power)).astype(np.int32)
    soundfile.write(tmp_path / "in.wav", shifted, RATE, subtype=f"PCM_{bits}")
    source = open_audio(tmp_path / "in.wav", in_memory=False).source
    path = tmp_path / f"out.{extension}"
    assert write(path, source, bits=bits, dither=False).clipped == 0
    read, _ = soundfile.read(path, dtype="int32", always_2d=True)
    np.testing.assert_array_equal(read, shifted)


def test_float_keeps_headroom(tmp_path):
    audio = Audio(np.array([[3.5, -2.25, 0.1]], np.float32), RATE)
    assert write(tmp_path / "a.wav", audio, bits="32f").clipped == 0
    np.testing.assert_array_equal(open_audio(tmp_path / "a.wav").source.samples, audio.samples)


@pytest.mark.parametrize("bits", ["16", "24"])
def test_clipping_is_counted(tmp_path, bits):
    samples = np.array([[1.0, -1.0, 1.5, -1.5, 1.0001, 0.5]], np.float32)
    written = write(tmp_path / "a.wav", Audio(samples, RATE), bits=bits, dither=False)
    assert written.clipped == 3
    highest = 1 - 2.0 ** -(int(bits) - 1)
    read = open_audio(tmp_path / "a.wav").source.samples[0]
    expected = [highest, -1, highest, -1, highest, 0.5]
    np.testing.assert_array_equal(read, np.array(expected, np.float32))


# Dither


@pytest.mark.parametrize("value", [0.01, 0.25, 0.5, 0.9])
def test_dither_makes_mean_and_power_of_the_error_constant(value):
    """Triangular dither of ±1 LSB: mean error 0, error power 1/12 + 1/6 = 1/4 LSB²."""
    block = np.full((1, 400_000), value / 32768, np.float32)
    error = (Quantizer(16, 1).process(block) >> 16) - value
    assert abs(error.mean()) < 4 * 0.5 / np.sqrt(error.size)
    assert np.mean(error**2) == pytest.approx(0.25, rel=0.02)
    assert np.abs(error).max() < 1.5 + 1e-6


def test_dither_does_not_depend_on_the_blocks():
    samples = noise(50000).samples
    whole = Quantizer(16, 2).process(samples)
    for size in (1, 777, 4096):
        quantizer = Quantizer(16, 2)
        pieces = [quantizer.process(samples[:, i : i + size]) for i in range(0, 3 * size, size)]
        np.testing.assert_array_equal(np.concatenate(pieces, axis=1), whole[:, : 3 * size])


def test_dither_differs_between_channels_and_seeds():
    faint = np.full((2, 100_000), 1e-7, np.float32)
    first = Quantizer(16, 2).process(faint) >> 16
    second = Quantizer(16, 2, seed=1).process(faint) >> 16
    assert abs(np.corrcoef(first[0], first[1])[0, 1]) < 0.02
    assert abs(np.corrcoef(first[0], second[0])[0, 1]) < 0.02
    spectrum = np.abs(np.fft.rfft(first[0].reshape(-1, 1000))) ** 2
    low, high = spectrum[:, 1:250].mean(), spectrum[:, 250:499].mean()
    assert low == pytest.approx(high, rel=0.05)  # white


def test_digital_silence_stays_silent():
    block = np.zeros((2, 1000), np.float32)
    block[:, 500:] = 0.3 / 32768
    written = Quantizer(16, 2).process(block)
    assert not written[:, :500].any()
    assert written[:, 500:].any()


def test_no_dither_without_need(tmp_path):
    write(tmp_path / "a.wav", Audio(np.zeros((1, 1000), np.float32), RATE), bits="32f")
    assert not open_audio(tmp_path / "a.wav").source.samples.any()


# Limits of formats


@pytest.mark.parametrize("name", ["mix", "mix.", "mix.doc", ".wav", "mix.wav.bak"])
def test_unknown_extension(name):
    with pytest.raises(UsageError, match="extension"):
        choose_format(name)


def test_contradictions():
    with pytest.raises(UsageError, match="FLAC"):
        choose_format("a.flac", "32f")
    with pytest.raises(UsageError, match="--bits"):
        choose_format("a.wav", "20")
    assert choose_format("A.WAV", "16").container == "wav"
    assert choose_format("a.mp3", "32f").subtype == "MPEG_LAYER_III"


def test_mp3_has_no_high_rates(tmp_path):
    with pytest.raises(OutputError, match="96000 Hz"):
        write(tmp_path / "a.mp3", noise(1000, rate=96000))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("rate", [8000, 96000, 192000])
@pytest.mark.parametrize("extension", ["wav", "flac", "ogg"])
def test_rates(tmp_path, rate, extension):
    write(tmp_path / f"a.{extension}", noise(3000, rate=rate))
    assert probe(tmp_path / f"a.{extension}").sample_rate == rate


def test_wav_becomes_rf64_over_the_limit(tmp_path):
    audio = noise(1000)
    assert write(tmp_path / "a.wav", audio, bits="24", riff_limit_bytes=6000).container == "wav"
    written = write(tmp_path / "b.wav", audio, bits="24", riff_limit_bytes=5999)
    assert written.container == "rf64"
    assert written.notes == ("over 4 GiB: written as RF64",)
    assert (tmp_path / "b.wav").read_bytes()[:4] == b"RF64"
    opened = open_audio(tmp_path / "b.wav")
    assert opened.notes == ()
    np.testing.assert_array_equal(
        opened.source.samples, open_audio(tmp_path / "a.wav").source.samples
    )


class Silence:
    """A long source that takes no memory."""

    sample_rate, channels = RATE, 2

    def __init__(self, frames):
        self.frames = frames

    def blocks(self):
        block = np.zeros((2, BLOCK_FRAMES), np.float32)
        for start in range(0, self.frames, BLOCK_FRAMES):
            yield block[:, : self.frames - start]


def test_aiff_ends_at_four_gigabytes(tmp_path):
    with pytest.raises(OutputError, match="4 GiB"):
        write(tmp_path / "a.aiff", Silence(2**30), bits="32f")


def test_a_disk_without_room_is_refused_before_the_work(tmp_path):
    frames = 2**44
    with pytest.raises(OutputError, match=rf"needs {frames * 6 / 1e6:.1f} MB"):
        write(tmp_path / "a.wav", Silence(frames), bits="24")
    assert os.listdir(tmp_path) == []


@pytest.mark.slow
def test_over_four_gigabytes_for_real(tmp_path):
    frames = 2**29 + 12345
    if os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize < frames * 12:
        pytest.skip("needs 6 GB of disk")
    written = write(tmp_path / "a.wav", Silence(frames), bits="32f")
    assert (written.container, written.frames) == ("rf64", frames)
    info = probe(tmp_path / "a.wav")
    (tmp_path / "a.wav").unlink()
    assert (info.container, info.frames, info.notes) == ("rf64", frames, ())
