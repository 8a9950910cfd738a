"""All of the audio of WAV, RF64, W64, AIFF and CAF files, or a clear word: what is in front of the
header, what it claims, and what follows the audio."""

import shutil
import struct
import subprocess

import numpy as np
import pytest
import soundfile

from automix.errors import InputError
from automix.files.info import ReadOptions
from automix.files.probe import probe
from automix.files.reading import open_audio

RATE = 44100
STRICT = ReadOptions(strict=True)
REPAIR = ReadOptions(repair=True)
CONTAINERS = ["WAV", "RF64", "W64", "AIFF", "CAF"]
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")

SIZE_FIELDS = {  # container -> identifier of the audio chunk, bytes to the size, its format
    "WAV": (b"data", 4, "<I"),
    "RF64": (b"ds64", 16, "<Q"),
    "W64": (bytes.fromhex("64617461f3acd3118cd100c04f8edb8a"), 16, "<Q"),
    "AIFF": (b"SSND", 4, ">I"),
    "CAF": (b"data", 4, ">Q"),
}


def noise(frames=30000, channels=2, seed=1):
    return (0.2 * np.random.default_rng(seed).standard_normal((frames, channels))).clip(-1, 1)


def encode(tmp_path, container, samples=None, subtype="PCM_16", rate=RATE):
    path = tmp_path / "source"
    soundfile.write(path, noise() if samples is None else samples, rate, subtype, format=container)
    return path.read_bytes()


def decode(path, options=None):
    """Opens ``path`` in memory and as a stream, compares both, and returns what came."""
    opened = open_audio(path, options)
    streamed = open_audio(path, options, in_memory=False)
    joined = np.concatenate(list(streamed.source.blocks()), axis=1)
    np.testing.assert_array_equal(joined, opened.source.samples)
    assert opened.info == streamed.info
    assert probe(path, options).frames == opened.info.frames
    return opened


def read(path, options=None):
    opened = decode(path, options)
    return opened.source.samples.T, opened.notes


def write(path, content):
    path.write_bytes(content)
    return path


def expected(tmp_path, container, **kinds):
    content = encode(tmp_path, container, **kinds)
    return content, soundfile.read(tmp_path / "source", dtype="float32")[0]


def replace_size(content, container, size):
    mark, behind, form = SIZE_FIELDS[container]
    at = content.index(mark) + behind
    size %= 1 << 8 * struct.calcsize(form)
    return content[:at] + struct.pack(form, size) + content[at + struct.calcsize(form) :]


def read_size(content, container):
    mark, behind, form = SIZE_FIELDS[container]
    return struct.unpack_from(form, content, content.index(mark) + behind)[0]


ID3 = b"ID3\4\0\0\0\0\1\0" + bytes(128)
APE = b"APETAGEX" + struct.pack("<IIII", 2000, 32, 0, 0xA0000000) + bytes(8)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("front", [ID3, ID3 + ID3, bytes(5000), ID3 + bytes(77)])
def test_tags_and_zeros_in_front_of_the_header(tmp_path, container, front):
    content, samples = expected(tmp_path, container)
    read_samples, notes = read(write(tmp_path / "a", front + content), STRICT)
    np.testing.assert_array_equal(read_samples, samples)
    assert not notes


@pytest.mark.parametrize("container", CONTAINERS)
def test_other_bytes_in_front_of_the_header_are_said(tmp_path, container):
    content, samples = expected(tmp_path, container)
    path = write(tmp_path / "a", b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\n\r\n" + content)
    read_samples, notes = read(path)
    np.testing.assert_array_equal(read_samples, samples)
    assert notes == ("44 bytes in front of its audio are left out",)
    with pytest.raises(InputError, match="44 bytes in front"):
        open_audio(path, STRICT)


@pytest.mark.parametrize(
    ("container", "exponent"),
    [(container, 32) for container in CONTAINERS]
    + [(container, exponent) for container in ("RF64", "W64", "CAF") for exponent in (63, 64)],
)
@pytest.mark.parametrize(("subtype", "less"), [("PCM_16", 1), ("PCM_24", 9)])
def test_header_that_claims_more_than_any_file_holds(tmp_path, container, exponent, subtype, less):
    size = 2**exponent - less
    if (container, exponent, less) == ("CAF", 64, 1):
        size = 2**63  # all bits leave the length open in CAF
    content, samples = expected(tmp_path, container, subtype=subtype)
    path = write(tmp_path / "a", replace_size(content, container, size))
    read_samples, notes = read(path)
    np.testing.assert_array_equal(read_samples[: len(samples)], samples)
    assert len(read_samples) - len(samples) <= 64  # chunks behind the audio cannot be told from it
    assert any("more than there is" in note or "impossible length" in note for note in notes)
    with pytest.raises(InputError, match="--strict"):
        open_audio(path, STRICT)


def test_caf_may_leave_the_length_open(tmp_path):
    content, samples = expected(tmp_path, "CAF")
    path = write(tmp_path / "a", replace_size(content, "CAF", 2**64 - 1))
    read_samples, notes = read(path, STRICT)
    np.testing.assert_array_equal(read_samples, samples)
    assert not notes


@pytest.mark.parametrize("container", CONTAINERS)
def test_header_of_a_recorder_that_died_claims_half(tmp_path, container):
    content, samples = expected(tmp_path, container)
    preamble = {"W64": 24, "AIFF": 8, "CAF": 4}.get(container, 0)
    size = (read_size(content, container) - preamble) // 8 * 4
    path = write(tmp_path / "a", replace_size(content, container, size + preamble))
    read_samples, notes = read(path)
    np.testing.assert_array_equal(read_samples, samples[: len(samples) // 2])
    assert any("0.3 s more follow than its header claims" in note for note in notes), notes
    with pytest.raises(InputError, match="more follow.*--strict"):
        open_audio(path, STRICT)
    repaired, _ = read(path, REPAIR)
    np.testing.assert_array_equal(repaired[: len(samples)], samples)


@pytest.mark.parametrize("container", CONTAINERS)
def test_header_that_denies_the_audio_is_read_with_repair_only(tmp_path, container):
    content, samples = expected(tmp_path, container)
    path = write(tmp_path / "a", replace_size(content, container, 0))
    for call in (open_audio, probe):
        with pytest.raises(InputError, match="no audio.*--repair"):
            call(path)
    repaired, _ = read(path, REPAIR)
    np.testing.assert_array_equal(repaired, samples)


def chunk(name, body, order="<"):
    return name + struct.pack(order + "I", len(body)) + body + b"\0" * (len(body) % 2)


def wav(*chunks):
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def form(channels=1, bits=16, tag=1, rate=RATE, extra=b""):
    align = channels * bits // 8
    fields = struct.pack("<HHIIHH", tag, channels, rate, rate * align, align, bits)
    return chunk(b"fmt ", fields + extra)


def integers(frames, seed=3):
    return np.random.default_rng(seed).integers(-9000, 9000, frames).astype("<i2")


@pytest.mark.parametrize("between", [b"", chunk(b"LIST", b"INFOabc"), chunk(b"junk", bytes(33))])
def test_audio_in_several_chunks_is_joined(tmp_path, between):
    first, second = integers(5000), integers(3001, 4)
    content = wav(
        form(), chunk(b"data", first.tobytes()), between, chunk(b"data", second.tobytes())
    )
    samples, notes = read(write(tmp_path / "a.wav", content))
    np.testing.assert_array_equal(samples[:, 0] * 32768, np.concatenate([first, second]))
    assert notes == ("its audio lies in 2 chunks: all are read",)


def test_odd_bytes_of_an_audio_chunk_do_not_shift_the_next(tmp_path):
    first, second = integers(5000), integers(3000, 4)
    content = wav(
        form(2), chunk(b"data", first.tobytes() + b"\1\2\3"), chunk(b"data", second.tobytes())
    )
    samples, _ = read(write(tmp_path / "a.wav", content))
    np.testing.assert_array_equal(samples.ravel() * 32768, np.concatenate([first, second]))


def test_chunks_behind_the_audio_are_no_audio(tmp_path):
    audio = integers(5000)
    for tail in (
        chunk(b"LIST", b"INFOabcd") + chunk(b"id3 ", bytes(99)),
        chunk(b"bext", bytes(700)) + chunk(b"_PMX", b"<x/>"),
        b"TAG" + bytes(125),
        b"TAGThe title of the song" + bytes(104),
        chunk(b"TAGS", b"a chunk of this name") + chunk(b"LIST", b"INFOabcd"),
        APE + ID3,
        bytes(4096),
    ):
        content = wav(form(), chunk(b"data", audio.tobytes())) + tail
        samples, notes = read(write(tmp_path / "a.wav", content), STRICT)
        np.testing.assert_array_equal(samples[:, 0] * 32768, audio)
        assert not notes


@pytest.mark.parametrize("claim", [0.5, 2, 1e5])
def test_chunks_behind_audio_of_a_wrong_size_are_no_audio(tmp_path, claim):
    audio = integers(5000)
    data = b"data" + struct.pack("<I", int(10000 * claim) & ~1) + audio.tobytes()
    tail = chunk(b"LIST", b"INFOabc") + chunk(b"iXML", b"<BWFXML/>")
    samples, notes = read(write(tmp_path / "a.wav", wav(form(), data, tail)), REPAIR)
    np.testing.assert_array_equal(samples[:, 0] * 32768, audio)
    assert notes


@pytest.mark.parametrize(
    ("chunks", "stamp"),
    [
        ((chunk(b"bext", bytes(338) + struct.pack("<QH", 2**33 + 5, 1) + bytes(254)),), 2**33 + 5),
        ((chunk(b"bext", bytes(338)),), None),
        (
            (
                chunk(
                    b"iXML",
                    b"<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>1</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>"
                    b"<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>7</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>",
                ),
            ),
            2**32 + 7,
        ),
        ((), None),
    ],
)
def test_time_stamps_of_broadcast_files(tmp_path, chunks, stamp):
    audio = chunk(b"data", integers(500).tobytes())
    for order in ((*chunks, form(), audio), (form(), audio, *chunks)):
        assert probe(write(tmp_path / "a.wav", wav(*order))).time_stamp == stamp


def test_frames_of_two_sizes_are_said(tmp_path):
    """24 bits in 4 bytes: which of the two is true cannot be told from the header."""
    fields = struct.pack("<HHIIHH", 1, 2, RATE, RATE * 8, 8, 24)
    path = write(tmp_path / "a.wav", wav(chunk(b"fmt ", fields), chunk(b"data", bytes(2400))))
    assert "8 bytes per frame, but of samples that make 6" in read(path)[1][0]
    with pytest.raises(InputError, match="--strict"):
        open_audio(path, STRICT)


GUID = struct.pack("<H", 1) + bytes.fromhex("000000001000800000aa00389b71")
EXTENSIONS = [b"", b"\0\0", struct.pack("<HHI", 22, 24, 3) + GUID]


@pytest.mark.parametrize("extension", EXTENSIONS, ids=["16 bytes", "18 bytes", "extensible"])
def test_bits_in_wider_places_follow_the_block_size(tmp_path, extension):
    """Some recorders write 24 bits into four bytes, and 24 as the bits per sample."""
    fields = struct.pack("<HHIIHH", 1 if len(extension) < 22 else 0xFFFE, 2, RATE, RATE * 8, 8, 24)
    audio = np.concatenate([np.zeros(5000, "<i4"), integers(20001).astype("<i4") * 256, [256]])
    content = wav(chunk(b"fmt ", fields + extension), chunk(b"data", audio.astype("<i4").tobytes()))
    opened = decode(write(tmp_path / "a.wav", content), STRICT)
    assert (opened.info.bits, opened.notes) == ("24", ())
    np.testing.assert_array_equal(opened.source.samples.T.ravel() * 2**31, audio)


def _rf64_of_a_recorder(audio):
    sizes = struct.pack("<QQQI", 0, len(audio), len(audio) // 2, 1) + b"axml" + struct.pack("<Q", 9)
    body = chunk(b"ds64", sizes) + chunk(b"bext", bytes(602)) + form()
    body += b"data" + struct.pack("<I", 0xFFFFFFFF) + audio + chunk(b"iXML", b"<BWFXML/>")
    return b"RF64" + struct.pack("<I", 0xFFFFFFFF) + b"WAVE" + body


def _w64_with_notes(audio):
    def part(name, guid, body):
        size = struct.pack("<Q", 24 + len(body))
        return name + bytes.fromhex(guid) + size + body + bytes(-len(body) % 8)

    wave, other = "f3acd3118cd100c04f8edb8a", "912fcf11a5d628db04c10000"
    body = part(b"fmt ", wave, form()[8:]) + part(b"data", wave, audio)
    body = b"wave" + bytes.fromhex(wave) + body + part(b"list", other, b"x" * 21)
    return (
        b"riff"
        + bytes.fromhex("2e91cf11a5d628db04c10000")
        + struct.pack("<Q", 24 + len(body))
        + body
    )


def _wav_with_an_odd_text(audio):
    return wav(b"LIST\5\0\0\0INFOa", form(), chunk(b"data", audio))


@pytest.mark.parametrize("make", [_rf64_of_a_recorder, _w64_with_notes, _wav_with_an_odd_text])
def test_chunks_that_the_decoder_does_not_get_over(tmp_path, make):
    """libsndfile finds no audio in these, or takes the chunk behind it for more of it."""
    audio = integers(10001)
    samples, notes = read(write(tmp_path / "a", make(audio.tobytes())), STRICT)
    np.testing.assert_array_equal(samples[:, 0] * 32768, audio)
    assert notes == ()


def test_odd_audio_without_its_padding_byte(tmp_path):
    audio = bytes(range(1, 100))
    content = wav(form(bits=8), b"data" + struct.pack("<I", 99) + audio, chunk(b"LIST", b"INFOab"))
    samples, notes = read(write(tmp_path / "a.wav", content), STRICT)
    assert len(samples) == 99
    assert not notes


def test_format_behind_the_audio(tmp_path):
    audio = integers(5000)
    content = wav(chunk(b"data", audio.tobytes()), form())
    samples, _ = read(write(tmp_path / "a.wav", content))
    np.testing.assert_array_equal(samples[:, 0] * 32768, audio)


def test_aiff_format_behind_the_audio(tmp_path):
    content, samples = expected(tmp_path, "AIFF")
    at = content.index(b"COMM")
    common, size = content[at : at + 26], content.index(b"SSND")
    path = write(tmp_path / "a.aiff", content[:12] + content[size:] + common)
    np.testing.assert_array_equal(read(path)[0], samples)


def test_aiff_audio_behind_an_offset(tmp_path):
    content, samples = expected(tmp_path, "AIFF")
    at = content.index(b"SSND")
    (size,) = struct.unpack_from(">I", content, at + 4)
    head = b"SSND" + struct.pack(">III", size + 40, 40, 0) + b"x" * 40
    path = write(tmp_path / "a.aiff", content[:at] + head + content[at + 16 :])
    np.testing.assert_array_equal(read(path)[0], samples)


def test_aiff_frame_count_below_the_audio(tmp_path):
    content, samples = expected(tmp_path, "AIFF")
    at = content.index(b"COMM") + 10
    path = write(tmp_path / "a", content[:at] + struct.pack(">I", 15000) + content[at + 4 :])
    read_samples, notes = read(path)
    np.testing.assert_array_equal(read_samples, samples)
    assert notes == ("its header claims 0.3 s less than there is",)
    with pytest.raises(InputError, match="--strict"):
        open_audio(path, STRICT)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_files_joined_end_to_end_are_all_read(tmp_path, container, subtype):
    first, first_samples = expected(tmp_path, container, subtype=subtype)
    second, second_samples = expected(
        tmp_path, container, subtype=subtype, samples=noise(7001, seed=5)
    )
    samples, notes = read(write(tmp_path / "a", first + second))
    np.testing.assert_array_equal(samples, np.concatenate([first_samples, second_samples]))
    assert notes == ("holds 2 recordings one after another: all are read",)


@pytest.mark.parametrize("container", CONTAINERS)
def test_joined_file_that_is_cut_is_said(tmp_path, container):
    first, first_samples = expected(tmp_path, container)
    second = encode(tmp_path, container, noise(RATE))
    samples, notes = read(write(tmp_path / "a", first + second[: len(second) // 2]))
    np.testing.assert_array_equal(samples[: len(first_samples)], first_samples)
    assert "its header claims 0.5 s more than there is" in notes


def test_joined_file_of_floats_is_checked_for_numbers(tmp_path):
    first = encode(tmp_path, "WAV")
    second = encode(tmp_path, "WAV", np.full((500, 2), np.nan), subtype="FLOAT")
    path = write(tmp_path / "a.wav", first + second)
    for in_memory in (True, False):
        with pytest.raises(InputError, match="NaN"):
            open_audio(path, in_memory=in_memory)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize(("rate", "channels"), [(48000, 2), (RATE, 1)])
def test_joined_file_of_another_format_is_said(tmp_path, container, rate, channels):
    first, first_samples = expected(tmp_path, container)
    second = encode(tmp_path, container, noise(rate, channels), rate=rate)
    path = write(tmp_path / "a", first + second)
    samples, notes = read(path)
    np.testing.assert_array_equal(samples, first_samples)
    assert f"1.0 s of another format ({rate} Hz, {channels} channel(s))" in notes[0]
    with pytest.raises(InputError, match=r"1\.0 s of another format.*--strict"):
        open_audio(path, STRICT)


@needs_ffmpeg
@pytest.mark.parametrize("container", ["wav", "w64", "caf", "aiff", "rf64"])
def test_containers_from_a_pipe(tmp_path, container):
    """Whatever a program that cannot seek leaves in the header: all of it, or an error."""
    soundfile.write(tmp_path / "s.wav", noise(), RATE)
    options = ["-rf64", "always", "-f", "wav"] if container == "rf64" else ["-f", container]
    command = ["ffmpeg", "-v", "error", "-i", tmp_path / "s.wav", *options, "-"]
    done = subprocess.run(command, capture_output=True)
    if not done.stdout:
        pytest.skip("ffmpeg writes no such pipe")
    path = write(tmp_path / "a", done.stdout)
    if container in ("wav", "w64", "caf"):
        samples, _ = read(path)
    else:  # they claim that there is no audio
        with pytest.raises(InputError, match="--repair"):
            open_audio(path)
        samples, _ = read(path, REPAIR)
    assert 30000 <= len(samples) < 30064


@pytest.mark.parametrize("claim", [2**32 - 1, 2**20 - 100])
def test_wav_longer_than_its_sizes_can_say(tmp_path, claim):
    """From a pipe, or of a program that lets the size wrap round; a sparse file of 4 GiB."""
    path = tmp_path / "a.wav"
    frames = (2**32 + 2**20 - 100) // 4
    with open(path, "wb") as file:
        file.write(wav(form(2), b"data" + struct.pack("<I", claim))[:44])
        file.truncate(44 + 4 * frames)
        file.seek(44 + 4 * (frames - 1))
        file.write(b"\1\0\2\0")
    if claim == 2**32 - 1:
        assert probe(path, STRICT).frames == frames
    else:
        with pytest.raises(InputError, match="more follow than its header claims.*--strict"):
            probe(path, STRICT)
        assert probe(path, REPAIR).frames == frames


def test_random_sizes_and_names_never_end_in_anything_but_an_input_error(tmp_path):
    generator = np.random.default_rng(11)
    edges = [0, 1, 7, 2**31, 2**32 - 1, 2**62, 2**63 - 1, 2**63, 2**64 - 1]
    for container in CONTAINERS:
        good = encode(tmp_path, container, noise(2000))
        for _ in range(60):
            content = bytearray(good)
            for position in generator.integers(4, min(len(content), 200), 2):
                size = int(generator.choice([4, 8]))
                edge = edges[generator.integers(len(edges))] % 2 ** (8 * size)
                order = "big" if generator.integers(2) else "little"
                content[position : position + size] = edge.to_bytes(size, order)
            path = write(tmp_path / "a", content)
            for options in (None, REPAIR):
                try:
                    opened = open_audio(path, options)
                except InputError:
                    continue
                assert opened.info.frames <= len(content)
