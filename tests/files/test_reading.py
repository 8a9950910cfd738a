"""Bad, odd and good input files: one test per row of the table in the reliability specification."""

import os
import re
import shutil
import struct
import subprocess
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import soundfile

from automix.audio.samples import BLOCK_FRAMES, Audio
from automix.errors import InputError
from automix.files.info import ReadOptions
from automix.files.names import printable
from automix.files.probe import probe
from automix.files.reading import open_audio

RATE = 44100
STRICT = ReadOptions(strict=True)
REPAIR = ReadOptions(repair=True)
CUT = ReadOptions(allow_truncated=True)
SHARED_AUDIO = Path(__file__).parents[2].parent / "shared" / "audio"


def noise(frames=30000, channels=2, level=0.2):
    generator = np.random.default_rng(1)
    return (level * generator.standard_normal((frames, channels))).clip(-1, 1)


def wav(
    data=None, *, tag=1, channels=2, rate=RATE, bits=16, claim=None, align=None, extra=b"", tail=b""
):
    """A WAV file byte by byte; ``claim`` is the size that the data chunk pretends to have."""
    data = bytes(range(256)) * 64 if data is None else data
    align = channels * bits // 8 if align is None else align
    claim = len(data) if claim is None else claim
    form = struct.pack("<HHIIHH", tag, channels, rate, 0, align & 0xFFFF, bits) + extra
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form
    body += b"data" + struct.pack("<I", claim) + data + tail
    return b"RIFF" + struct.pack("<I", len(body) & 0xFFFFFFFF) + body


def write(path, content):
    path.write_bytes(content)
    return path


def refused(path, options=None):
    """The message with which both `probe` and `open_audio` refuse ``path``."""
    messages = []
    for call in (probe, open_audio):
        with pytest.raises(InputError) as caught:
            call(path, options)
        messages.append(str(caught.value))
        assert printable(path) in messages[-1]
        assert ";" in messages[-1], "no remedy"
    return messages[-1]


def opened_alike(path, options=None):
    """Opens ``path`` both ways and compares; the in-memory result."""
    whole = open_audio(path, options)
    streamed = open_audio(path, options, in_memory=False)
    assert isinstance(whole.source, Audio)
    assert not isinstance(streamed.source, Audio)
    assert whole.info == streamed.info
    for _ in range(2):
        blocks = list(streamed.source.blocks())
        assert all(block.shape[1] == BLOCK_FRAMES for block in blocks[:-1])
        assert all(b.flags.c_contiguous and b.dtype == np.float32 for b in blocks)
        np.testing.assert_array_equal(np.concatenate(blocks, axis=1), whole.source.samples)
    assert whole.info.frames == whole.source.frames == streamed.source.frames
    assert whole.notes == whole.info.notes
    return whole


# Not audio at all


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (wav()[:20], "header"),
        (wav()[:40], "header"),
        (b"Dear engineer,\n" * 500, "no audio"),
        (np.random.default_rng(3).bytes(20000), "no audio"),
        (b"\0" * 20000, "no audio"),
        (b"\0\0\0\x20ftypM4A " + b"\0" * 500, "MP4"),
        (2 * (b"\xff\xf1\x50\x80\x04\x1f\xfc" + bytes(25)), "AAC"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + b"\0" * 500, "Windows Media"),
        (b"RIFF\x24\0\0\0WAVE" + b"\0" * 5000, "header"),
    ],
)
def test_content_that_is_no_audio(tmp_path, content, word):
    assert word in refused(write(tmp_path / "a.wav", content))


def test_folder(tmp_path):
    (tmp_path / "a.wav").mkdir()
    assert "folder" in refused(tmp_path / "a.wav")


def test_missing_file(tmp_path):
    assert "no such file" in refused(tmp_path / "a.wav")


def test_link_to_itself(tmp_path):
    (tmp_path / "a.wav").symlink_to("a.wav")
    assert "link" in refused(tmp_path / "a.wav")


def test_pipe_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "a.wav")
    assert "pipe" in refused(tmp_path / "a.wav")


def test_device():
    assert "device" in refused(Path("/dev/zero"))


def test_unreadable(open_folder, unprivileged):
    path = write(open_folder / "a.wav", wav())
    path.chmod(0)
    with unprivileged():
        assert "permissions (chmod +r)" in refused(path)


# Impossible headers


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"channels": 0}, "0 channels"),
        ({"channels": 65535}, "65535 channels"),
        ({"channels": 3}, "3 channels"),
        ({"channels": 7}, "7 channels"),
        ({"rate": 0}, "0 Hz"),
        ({"rate": 2**32 - 1}, "4294967295 Hz"),
        ({"rate": 7999}, "7999 Hz"),
        ({"rate": 192001}, "192001 Hz"),
        ({"bits": 0}, "0 bits"),
        ({"bits": 7}, "7 bits"),
        ({"bits": 65535}, "65535 bits"),
        ({"tag": 0x1234}, "0x1234"),
        ({"tag": 2}, "0x0002"),
    ],
)
def test_impossible_header(tmp_path, fields, word):
    assert word in refused(write(tmp_path / "a.wav", wav(**fields)))


def test_no_frames(tmp_path):
    assert "no audio" in refused(write(tmp_path / "a.wav", wav(b"")))
    soundfile.write(tmp_path / "a.caf", np.zeros((0, 2)), RATE)
    assert "no audio" in refused(tmp_path / "a.caf")


def test_header_denies_the_audio(tmp_path):
    good = opened_alike(write(tmp_path / "good.wav", wav()))
    path = write(tmp_path / "a.wav", wav(claim=0))
    message = refused(path)
    assert "no audio" in message
    assert "--repair" in message
    repaired = opened_alike(path, REPAIR)
    np.testing.assert_array_equal(repaired.source.samples, good.source.samples)
    assert "16384 bytes follow" in repaired.notes[0]


def test_empty_audio_before_another_chunk_is_not_repaired(tmp_path):
    tail = b"LIST" + struct.pack("<I", 8) + b"INFOabcd"
    path = write(tmp_path / "a.wav", wav(b"", tail=tail))
    assert "repair" not in refused(path)
    assert "no audio" in refused(path, REPAIR)


# Headers that claim too much


@pytest.mark.parametrize("claim", [2 * 16384, 0xFFFFFFFE, 0xFFFFFFFF])
def test_header_claims_more_than_there_is(tmp_path, claim):
    path = write(tmp_path / "a.wav", wav(claim=claim))
    opened = opened_alike(path)
    assert opened.info.frames == 16384 // 4
    missing_s = (claim - 16384) / 4 / RATE
    assert opened.notes == (f"its header claims {missing_s:.1f} s more than there is",)
    assert "--strict" in refused(path, STRICT)


@pytest.mark.parametrize("container", ["WAV", "RF64", "W64", "AIFF", "CAF"])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_pcm_cut_in_half(tmp_path, container, subtype):
    path = tmp_path / "whole"
    soundfile.write(path, noise(), RATE, format=container, subtype=subtype)
    content = path.read_bytes()
    half = write(tmp_path / "half", content[: len(content) // 2])
    whole, opened = opened_alike(path), opened_alike(half)
    assert not whole.notes
    frames = opened.info.frames
    assert 14000 < frames < 15001
    np.testing.assert_array_equal(opened.source.samples, whole.source.samples[:, :frames])
    claimed = re.fullmatch(r"its header claims (\d\.\d) s more than there is", opened.notes[0])
    assert float(claimed[1]) == pytest.approx((30000 - frames) / RATE, abs=0.06)
    assert f"{claimed[1]} s more" in refused(half, STRICT)


def test_allocation_is_bounded_by_the_file(tmp_path):
    claims = wav(bits=64, tag=3, channels=6, claim=0xFFFFFFF0)
    resource = pytest.importorskip("resource")
    path = write(tmp_path / "a.wav", claims)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    open_audio(path, REPAIR)
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 65536


@pytest.mark.parametrize("content", [wav(bytes(16385)), wav(tail=b"\0"), wav()[:-3]])
def test_odd_bytes_at_the_end(tmp_path, content):
    path = write(tmp_path / "a.wav", content)
    opened = opened_alike(path)
    assert opened.info.frames == len(content[44:]) // 4
    assert any("odd byte" in note for note in opened.notes)
    assert "odd byte" in refused(path, STRICT)


def test_padding_byte_is_not_odd(tmp_path):
    content = wav(bytes(101), channels=1, bits=8, tail=b"\0")
    assert not opened_alike(write(tmp_path / "a.wav", content), STRICT).notes


# Cut and intact coded files


def cut_in_half(path):
    content = path.read_bytes()
    return write(path.with_name("half" + path.suffix), content[: len(content) // 2])


def test_flac_cut_in_half(tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, noise(), RATE, subtype="PCM_24")
    half = cut_in_half(path)
    assert "--allow-truncated" in refused(half)
    opened = opened_alike(half, CUT)
    frames = opened.info.frames
    assert 8000 < frames < 16000
    whole = open_audio(path).source.samples
    np.testing.assert_array_equal(opened.source.samples, whole[:, :frames])
    assert opened.notes == (
        f"cut off or damaged at {frames / RATE:.1f} s: {(30000 - frames) / RATE:.1f} s are missing",
    )


def test_damaged_flac(tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, noise(60000), RATE)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4000] = bytes(4000)
    path.write_bytes(content)
    with pytest.raises(InputError, match="cut off or damaged"):
        open_audio(path)


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_ogg_cut_in_half(tmp_path, subtype):
    path = tmp_path / "a.ogg"
    soundfile.write(path, noise(100000), 48000, subtype=subtype)
    assert opened_alike(path).info.frames == 100000
    assert "--allow-truncated" in refused(cut_in_half(path))
    assert 10000 < opened_alike(cut_in_half(path), CUT).info.frames < 90000


@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
def test_mp3_cut_in_half(tmp_path, mode):
    path = tmp_path / "a.mp3"
    soundfile.write(path, noise(200000), RATE, bitrate_mode=mode, compression_level=0.5)
    whole = opened_alike(path)
    assert whole.info.frames == 200000
    assert not whole.notes
    half = cut_in_half(path)
    assert "--allow-truncated" in refused(half)
    opened = opened_alike(half, CUT)
    frames = opened.info.frames
    missing_s = (200000 - frames) / RATE
    assert float(opened.notes[0].split()[4]) == pytest.approx(missing_s, abs=0.1)
    difference = opened.source.samples - whole.source.samples[:, :frames]
    assert np.abs(difference[:, : frames - 4000]).max() < 1e-6  # in time with the whole file


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
@pytest.mark.parametrize("mono", [False, True])
def test_mp3_without_a_frame_count(tmp_path, mono):
    soundfile.write(tmp_path / "a.wav", noise(200000, 1 if mono else 2), RATE)
    path = tmp_path / "a.mp3"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-i", tmp_path / "a.wav", "-write_xing", "0", path], check=True
    )
    whole = opened_alike(path)
    assert ["delay" in note for note in whole.notes] == [True]
    assert probe(path).frames == whole.info.frames
    assert 200000 <= whole.info.frames < 200000 + 3 * 1152
    assert "middle of a frame" in refused(cut_in_half(path))
    path.write_bytes(path.read_bytes() + b"TAG" + bytes(125))  # an ID3v1 tag is no broken frame
    assert opened_alike(path).notes == whole.notes


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
def test_flac_from_a_pipe_has_no_length(tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(), RATE, subtype="PCM_16")
    command = ["ffmpeg", "-v", "error", "-i", tmp_path / "a.wav", "-f", "flac", "-"]
    content = subprocess.run(command, check=True, capture_output=True).stdout
    path = write(tmp_path / "a.flac", content)
    opened = opened_alike(path)
    assert probe(path).frames == opened.info.frames == 30000
    np.testing.assert_array_equal(
        opened.source.samples, open_audio(tmp_path / "a.wav").source.samples
    )
    assert "no length" in opened.notes[0]


@pytest.mark.data
@pytest.mark.skipif(not SHARED_AUDIO.exists(), reason="needs the shared audio")
def test_real_recordings_are_intact():
    paths = sorted(SHARED_AUDIO.rglob("*.mp3")) + sorted(SHARED_AUDIO.rglob("*.ogg"))
    assert paths
    for path in paths:
        assert all("tell the delay of its MP3" in n for n in probe(path, STRICT).notes)
    for path in sorted(SHARED_AUDIO.rglob("*.mp3")):
        assert open_audio(path).info == probe(path)


# Content over name


@pytest.mark.parametrize(("subtype", "label"), [("MP3", "MP3"), ("FLAC", "FLAC"), ("OGG", "Ogg")])
def test_content_decides(tmp_path, subtype, label):
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(), RATE, format=subtype)
    opened = opened_alike(path)
    assert opened.info.container == label.lower()
    assert opened.notes == (f"named .wav, but holds {label}",)


def test_flac_behind_an_id3_tag(tmp_path):
    soundfile.write(tmp_path / "a.flac", noise(), RATE)
    tag = b"ID3\x04\0\0\0\0\0\x0a" + bytes(10)
    path = write(tmp_path / "b.flac", tag + (tmp_path / "a.flac").read_bytes())
    assert opened_alike(path).info.container == "flac"


def test_bw64(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(), RATE, format="RF64", subtype="PCM_24")
    expected = open_audio(path).source.samples
    path.write_bytes(b"BW64" + path.read_bytes()[4:])
    opened = opened_alike(path)
    assert opened.info.container == "rf64"
    np.testing.assert_array_equal(opened.source.samples, expected)


# Depths, rates, channels

DEPTHS = [
    ("WAV", "PCM_U8", "16", 7),
    ("AIFF", "PCM_S8", "16", 7),
    *[(c, "PCM_16", "16", 15) for c in ("WAV", "RF64", "W64", "CAF", "AIFF", "FLAC")],
    *[(c, "PCM_24", "24", 23) for c in ("WAV", "RF64", "W64", "CAF", "AIFF", "FLAC")],
    ("CAF", "ALAC_16", "16", 15),
    ("CAF", "ALAC_24", "24", 23),
]


@pytest.mark.parametrize(("container", "subtype", "bits", "power"), DEPTHS)
def test_integers_are_exact(tmp_path, container, subtype, bits, power):
    integers = np.random.default_rng(2).integers(-(2**power), 2**power, (70000, 2))
    if container == "CAF" and subtype == "ALAC_24":
        integers //= 8  # libsndfile writes wrong ALAC where the samples cannot be compressed
    integers[:2] = [[-(2**power), 2**power - 1], [0, -1]]
    path = tmp_path / "a"
    shifted = (integers << (31 - power)).astype(np.int32)
    soundfile.write(path, shifted, RATE, format=container, subtype=subtype)
    opened = opened_alike(path)
    assert (opened.info.bits, opened.info.subtype) == (bits, subtype)
    np.testing.assert_array_equal(opened.source.samples.T * 2.0**power, integers)


@pytest.mark.parametrize(
    ("subtype", "bits"), [("PCM_32", "24"), ("FLOAT", "32f"), ("DOUBLE", "32f"), ("ULAW", "16")]
)
def test_other_depths(tmp_path, subtype, bits):
    path = tmp_path / "a.wav"
    samples = noise()
    soundfile.write(path, samples, RATE, subtype=subtype)
    opened = opened_alike(path)
    assert opened.info.bits == bits
    tolerance = 0.02 if subtype == "ULAW" else 1e-6
    np.testing.assert_allclose(opened.source.samples.T, samples, atol=tolerance)


def test_float_above_full_scale_is_legal(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.full((100, 1), 3.5), RATE, subtype="FLOAT")
    opened = opened_alike(tmp_path / "a.wav")
    assert opened.source.samples.max() == 3.5
    assert not opened.notes


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 96000, 192000])
def test_sample_rates(tmp_path, rate):
    soundfile.write(tmp_path / "a.wav", noise(1000, 1), rate)
    info = opened_alike(tmp_path / "a.wav").info
    assert (info.sample_rate, info.channels, info.frames) == (rate, 1, 1000)


ROOT_HALF = 0.5**0.5
SURROUND = [  # channel order, expected left and right of channels at 0.01, 0.02, …
    (4, 0, "4.0", (1 + 3 * ROOT_HALF, 2 + 4 * ROOT_HALF)),  # FL FR BL BR
    (4, 0x107, "4.0", (1 + 3 * ROOT_HALF + 4 / 2, 2 + 3 * ROOT_HALF + 4 / 2)),  # FL FR FC BC
    (5, 0, "5.0", (1 + 7 * ROOT_HALF, 2 + 8 * ROOT_HALF)),  # FL FR FC BL BR
    (6, 0x3F, "5.1", (1 + 8 * ROOT_HALF, 2 + 9 * ROOT_HALF)),  # FL FR FC LFE BL BR
    (6, 0x60F, "5.1", (1 + 8 * ROOT_HALF, 2 + 9 * ROOT_HALF)),  # the same with side speakers
]


@pytest.mark.parametrize(("channels", "mask", "name", "expected"), SURROUND)
def test_surround_is_mixed_down(tmp_path, channels, mask, name, expected):
    """ITU-R BS.775: center and surrounds at −3 dB, a single surround at −6 dB, no LFE."""
    frames = np.tile(0.01 * np.arange(1, channels + 1), (500, 1)).astype("<f4")
    extension = struct.pack("<HHI", 22, 32, mask) + struct.pack("<H", 3)
    extension += bytes.fromhex("000000001000800000aa00389b71")
    tag, extra = (0xFFFE, extension) if mask else (3, b"")
    content = wav(frames.tobytes(), tag=tag, channels=channels, bits=32, extra=extra)
    opened = opened_alike(write(tmp_path / "a.wav", content))
    assert opened.source.channels == 2
    assert opened.info.channels == channels
    np.testing.assert_allclose(opened.source.samples[:, 0], 0.01 * np.array(expected), rtol=1e-6)
    (note,) = opened.notes
    assert note.startswith(f"{name} surround mixed down to stereo (ITU-R BS.775)")
    assert ("names no speakers" in note) == (mask == 0)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
@pytest.mark.parametrize("extension", ["ogg", "flac", "aiff", "caf"])
def test_surround_order_of_other_containers(tmp_path, extension):
    """Each speaker in turn: what ffmpeg wrote to the center comes out of both sides, and so on."""
    frames = np.zeros((6 * 8000, 6))
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(8000) / 48000)
    for channel in range(6):
        frames[8000 * channel : 8000 * (channel + 1), channel] = tone
    soundfile.write(tmp_path / "a.wav", frames, 48000)
    path = tmp_path / f"b.{extension}"
    command = ["ffmpeg", "-v", "error", "-channel_layout", "5.1", "-i", tmp_path / "a.wav"]
    coder = ["-c:a", "libvorbis", "-q:a", "9"] if extension == "ogg" else []
    subprocess.run([*command, *coder, path], check=True)
    samples = opened_alike(path).source.samples
    levels = [
        [np.sqrt(np.mean(side[8000 * c + 2000 : 8000 * c + 6000] ** 2)) for side in samples]
        for c in range(6)
    ]
    expected = [[1, 0], [0, 1], [ROOT_HALF] * 2, [0, 0], [ROOT_HALF, 0], [0, ROOT_HALF]]
    np.testing.assert_allclose(np.array(levels) / (0.3 * ROOT_HALF), expected, atol=0.03)


# Samples that are no numbers


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_not_a_number(tmp_path, bad, subtype):
    samples = noise(100000)
    samples[RATE * 2, 1] = bad
    samples[-1, 0] = bad
    path = tmp_path / "a.wav"
    soundfile.write(path, samples, RATE, subtype=subtype)
    for in_memory in (True, False):
        with pytest.raises(InputError, match=r"first at 2\.000 s.*--repair"):
            open_audio(path, in_memory=in_memory)
    opened = opened_alike(path, REPAIR)
    assert opened.notes == ("2 NaN or infinite sample(s) set to zero",)
    samples[RATE * 2, 1] = samples[-1, 0] = 0
    np.testing.assert_array_equal(opened.source.samples.T, samples.astype(np.float32))


# Changes and names


@pytest.mark.parametrize("change", ["longer", "touched", "replaced", "removed"])
def test_file_that_changes(tmp_path, change):
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(3 * BLOCK_FRAMES), RATE)
    source = open_audio(path, in_memory=False).source

    def alter():
        if change == "longer":
            path.write_bytes(path.read_bytes() + b"\0\0\0\0")
        elif change == "touched":
            os.utime(path, ns=(1, 1))
        elif change == "replaced":
            shutil.copy2(path, tmp_path / "b.wav")
            os.replace(tmp_path / "b.wav", path)
        else:
            path.unlink()

    blocks = source.blocks()
    next(blocks)
    alter()
    with pytest.raises(InputError, match="changed"):  # during a pass
        list(blocks)
    with pytest.raises(InputError, match="changed|no such file"):  # before a pass
        list(source.blocks())


NAMES = [
    b"vocal \xe6\xad\x8c.wav",
    "שיר.wav".encode(),
    b"two\nlines.wav",
    b"-o.wav",
    b"\xff\xfe bytes.wav",
    b"%s $HOME `x` 'y'.wav",
    "é".encode() * 100 + b".wav",
    unicodedata.normalize("NFD", "é.wav").encode(),
]


@pytest.mark.parametrize("name", NAMES)
def test_names(tmp_path, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = os.fsdecode(name)
    Path(path).write_bytes(wav())
    assert opened_alike(path).info.frames == 4096
    assert opened_alike(tmp_path / path).info.path == tmp_path / path
    Path(path).write_bytes(b"")
    message = refused(path)
    assert message.isprintable()
    message.encode("utf-8")


@pytest.mark.parametrize("name", ["a" * 300 + ".wav", "a\0b.wav"])
def test_impossible_names(tmp_path, name):
    with pytest.raises(InputError, match="name"):
        probe(tmp_path / name)


def test_names_in_messages():
    assert printable("a\nb") == "a\\nb"
    assert printable("\u202eabc\x1b[31m") == "\\u202eabc\\x1b[31m"
    assert printable(os.fsdecode(b"\xff.wav")) == "\\xff.wav"
    assert printable(Path("歌 é.wav")) == "歌 é.wav"


def test_random_damage_never_ends_in_anything_but_an_input_error(tmp_path):
    """2 KB of each format with bytes changed at random: read, or refused, but never worse."""
    generator = np.random.default_rng(7)
    formats = ["WAV", "RF64", "W64", "AIFF", "CAF", "FLAC", "OGG", "MP3"]
    path = tmp_path / "b"
    for container in formats:
        soundfile.write(tmp_path / "a", noise(3000), RATE, format=container)
        good = (tmp_path / "a").read_bytes()
        for _ in range(40):
            content = bytearray(good)
            for position in generator.integers(0, min(len(content), 400), 3):
                content[position] = generator.integers(256)
            path.write_bytes(content)
            try:
                opened = open_audio(path, REPAIR)
            except InputError:
                continue
            assert np.isfinite(opened.source.samples).all()
