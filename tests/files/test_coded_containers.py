"""All of the audio of MP3, FLAC, Ogg Vorbis and Opus files, or a clear word: tags, joined files,
headers that lie, damage. ffmpeg and the samples written are the witnesses."""

import functools
import os
import shutil
import struct
import subprocess
import tempfile

import numpy as np
import pytest
import soundfile

from automix.errors import InputError
from automix.files.info import ReadOptions
from automix.files.mpeg import USUAL_DELAY_FRAMES
from automix.files.ogg import compute_checksum
from automix.files.probe import probe
from automix.files.reading import open_audio

RATE = 44100
FRAME = 1152
STRICT = ReadOptions(strict=True)
CUT = ReadOptions(allow_truncated=True)

pytestmark = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")


def music(seconds, rate=RATE, channels=2, seed=1):
    """Tones that come and go over noise that swells: frames of very different sizes."""
    generator = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    tone = 0.3 * np.sin(2 * np.pi * (220 + 40 * seed) * time) * (time % 0.7 < 0.4)
    hiss = 0.2 * generator.standard_normal((len(time), channels)) * (time % 1.1 / 1.1)[:, None]
    return (tone[:, None] + hiss).clip(-0.95, 0.95) * np.linspace(0.05, 1, len(time))[:, None]


@functools.cache
def encode(suffix, options, seconds, rate, channels, seed, piped):
    """Encodes `music` with ffmpeg into a file, or through a pipe: its bytes."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = f"{folder}/s.wav", f"{folder}/t{suffix}"
        soundfile.write(source, music(seconds, rate, channels, seed), rate, "FLOAT")
        command = ["ffmpeg", "-v", "error", "-i", source, *options]
        if piped:
            return subprocess.run([*command, "-"], check=True, capture_output=True).stdout
        subprocess.run([*command, target], check=True)
        with open(target, "rb") as file:
            return file.read()


def mp3(seconds, *options, rate=RATE, channels=2, seed=1, piped=False):
    options = ("-id3v2_version", "0", *options)
    return encode(".mp3", options, seconds, rate, channels, seed, piped)


def untagged(seconds, *options, **kinds):
    return mp3(seconds, "-write_xing", "0", *options, **kinds)


def reference(path, channels=2):
    """What ffmpeg decodes, as float32 frames."""
    decoder = ["-c:a", "libopus"] if path.suffix == ".opus" else []  # ffmpeg's own differs
    command = [
        "ffmpeg",
        "-v",
        "quiet",
        *decoder,
        "-i",
        path,
        "-f",
        "f32le",
        "-c:a",
        "pcm_f32le",
        "-",
    ]
    done = subprocess.run(command, check=True, capture_output=True)
    return np.frombuffer(done.stdout, "<f4").reshape(-1, channels)


def write(path, content):
    path.write_bytes(content)
    return path


def read(path, options=None):
    """Decodes in memory and as a stream, compares both, and returns samples and notes.

    Not the note that the usual delay of MP3 was left out.
    """
    opened = open_audio(path, options)
    streamed = open_audio(path, options, in_memory=False)
    joined = np.concatenate(list(streamed.source.blocks()), axis=1)
    np.testing.assert_array_equal(joined, opened.source.samples)
    assert opened.info == streamed.info
    assert probe(path, options).frames == pytest.approx(opened.info.frames, abs=0.1 * RATE)
    notes = tuple(note for note in opened.notes if "delay of its MP3 encoder" not in note)
    return opened.source.samples.T, notes


def agree(ours, theirs, skip=0):
    assert len(ours) == len(theirs)
    np.testing.assert_allclose(ours[skip:], theirs[skip:], atol=1e-4)


# MP3

ID3 = b"ID3\4\0\0\0\0\0\x16TIT2\0\0\0\x0c\0\0\0A long name"
ID3_FOOTER = b"ID3\4\0\x10\0\0\0\x10" + bytes(16) + b"3DI\4\0\x10\0\0\0\x10"
APE_BODY = struct.pack("<II", 5, 0) + b"Title\0Thing"
APE = [
    b"APETAGEX" + struct.pack("<IIII", 2000, len(APE_BODY) + 32, 1, flags) + bytes(8)
    for flags in (0xA0000000, 0x80000000)
]
APE_TAG = APE[0] + APE_BODY + APE[1]
LYRICS = b"LYRICSBEGININD0000200" + b"LYR00005Hello" + b"000034LYRICS200"
ID3_OLD = b"TAG" + bytes(125)


@pytest.mark.parametrize("mode", [("-b:a", "128k"), ("-q:a", "4"), ("-q:a", "9"), ("-abr", "1")])
@pytest.mark.parametrize("channels", [1, 2])
def test_mp3_is_decoded_as_ffmpeg_does(tmp_path, mode, channels):
    """Also over the borders of the blocks that are read: no frame lacks bits of an earlier one."""
    path = write(tmp_path / "e.mp3", mp3(6.0, *mode, channels=channels))
    ours, notes = read(path, STRICT)
    assert not notes
    assert len(ours) == 6 * RATE
    theirs = reference(path, channels)
    np.testing.assert_allclose(ours, theirs[: len(ours)], atol=1e-4)


@pytest.mark.parametrize("mode", [("-b:a", "128k"), ("-q:a", "7")])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [22050, 44100])
def test_mp3_without_a_frame_count_is_read_to_its_end(tmp_path, mode, channels, rate):
    content = untagged(5.0, *mode, "-f", "mp3", channels=channels, rate=rate, piped=True)
    path = write(tmp_path / "a.mp3", content)
    ours, notes = read(path, STRICT)
    assert not notes
    assert probe(path).frames == len(ours)
    agree(ours, reference(path, channels)[USUAL_DELAY_FRAMES:])


@pytest.mark.parametrize(
    ("front", "back"),
    [
        (ID3 + ID3, b""),
        (ID3_FOOTER + ID3, ID3_OLD),
        (APE_TAG, b""),
        (ID3 + APE_TAG, APE_TAG + ID3_OLD),
        (b"", LYRICS + ID3_OLD),
        (b"", LYRICS + APE_TAG + ID3_OLD),
        (b"", ID3),
        (bytes(417), b""),
        (ID3 + bytes(1500), bytes(3000)),
        (bytes(100000) + ID3, b""),
        (ID3_OLD, ID3_OLD),
    ],
)
@pytest.mark.parametrize("make", [mp3, untagged])
def test_mp3_with_tags_and_zeros_anywhere(tmp_path, front, back, make):
    raw = make(1.0, "-q:a", "4")
    plain, _ = read(write(tmp_path / "plain.mp3", raw))
    ours, notes = read(write(tmp_path / "a.mp3", front + raw + back), STRICT)
    np.testing.assert_array_equal(ours, plain)
    assert not notes


@pytest.mark.parametrize("size", [0, 15, 500, 3000, 30000, 10**6])
def test_mp3_behind_a_tag_of_a_wrong_size(tmp_path, size):
    """The tag holds 400 bytes, whatever it claims."""
    raw = mp3(2.0, "-b:a", "128k")
    plain, _ = read(write(tmp_path / "plain.mp3", raw))
    digits = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    tag = b"ID3\3\0\0" + digits + b"TIT2" + struct.pack(">I", 380) + b"\0\0" + b"Title " * 65
    ours, notes = read(write(tmp_path / "a.mp3", tag + raw))
    np.testing.assert_array_equal(ours, plain)
    assert all("bytes in front of its audio are left out" in note for note in notes)


@pytest.mark.parametrize("tag", [ID3, APE_TAG, ID3_OLD, LYRICS, bytes(2000), ID3 + bytes(70000)])
@pytest.mark.parametrize("make", [mp3, untagged])
def test_mp3_with_a_tag_in_the_middle(tmp_path, tag, make):
    raw = make(1.0, "-b:a", "128k")
    plain, _ = read(write(tmp_path / "plain.mp3", raw))
    starts = list_frames(raw)
    at = starts[len(starts) // 2]
    ours, notes = read(write(tmp_path / "a.mp3", raw[:at] + tag + raw[at:]), STRICT)
    np.testing.assert_array_equal(ours, plain)
    assert not notes


def list_frames(raw):
    """Positions of the frames of constant 128 kbit/s at 44.1 kHz."""
    starts, at = [], raw.index(b"\xff\xfb")
    while at + 4 <= len(raw):
        assert raw[at : at + 2] == b"\xff\xfb"
        starts.append(at)
        at += 144 * 128000 // RATE + (raw[at + 2] >> 1 & 1)
    return starts


@pytest.mark.parametrize("junk", [b"Once upon a time " * 9000, b"\xff\xfb\x90\x64" * 50])
def test_mp3_with_foreign_bytes_in_the_middle_is_said(tmp_path, junk):
    raw = mp3(2.0, "-b:a", "128k")
    plain, _ = read(write(tmp_path / "plain.mp3", raw))
    at = list_frames(raw)[39]
    path = write(tmp_path / "a.mp3", raw[:at] + junk + raw[at:])
    ours, notes = read(path)
    np.testing.assert_array_equal(ours[: len(plain) - FRAME], plain[: len(ours) - FRAME])
    assert abs(len(ours) - len(plain)) <= FRAME
    assert "hold no audio that can be read, the first at 1.0 s" in notes[-1]
    with pytest.raises(InputError, match="hold no audio.*--strict"):
        open_audio(path, STRICT)


def test_mp3_that_begins_within_a_frame(tmp_path):
    raw = mp3(2.0, "-b:a", "128k")
    starts = list_frames(raw)
    path = write(tmp_path / "a.mp3", raw[starts[5] + 100 :])
    ours, notes = read(path)
    lost = starts[6] - starts[5] - 100
    assert notes == (f"{lost} bytes in front of its audio are left out",)
    theirs = reference(write(tmp_path / "b.mp3", raw[starts[6] :]))
    agree(ours, theirs, skip=2 * FRAME)  # the first frames lack bits of earlier ones


def frame_tag(raw):
    """Position of the Xing or Info tag."""
    at = max(raw.find(b"Info"), raw.find(b"Xing"))
    assert at > 0
    return at


@pytest.mark.parametrize("claim", [0, 1, 20, 80])
def test_mp3_tag_that_claims_too_few_frames(tmp_path, claim):
    raw = mp3(3.0, "-q:a", "4")
    plain, _ = read(write(tmp_path / "plain.mp3", raw))
    at = frame_tag(raw) + 8
    frames = int.from_bytes(raw[at : at + 4])
    path = write(tmp_path / "a.mp3", raw[:at] + struct.pack(">I", claim) + raw[at + 4 :])
    ours, notes = read(path)
    assert len(plain) <= len(ours) <= len(plain) + 3 * FRAME  # the padding is not trusted
    np.testing.assert_array_equal(ours[: len(plain)], plain)
    less_s = (frames - claim) * FRAME / RATE
    assert notes == (f"its header claims {less_s:.1f} s less than there is",)
    with pytest.raises(InputError, match="less than there is.*--strict"):
        open_audio(path, STRICT)


def test_mp3_tag_that_claims_too_many_frames(tmp_path):
    """Where the size in the tag is right, nothing can be missing."""
    raw = mp3(3.0, "-q:a", "4")
    plain, _ = read(write(tmp_path / "plain.mp3", raw))
    at = frame_tag(raw) + 8
    frames = int.from_bytes(raw[at : at + 4])
    path = write(tmp_path / "a.mp3", raw[:at] + struct.pack(">I", 3 * frames) + raw[at + 4 :])
    ours, notes = read(path)
    np.testing.assert_array_equal(ours[: len(plain)], plain)
    assert len(ours) <= len(plain) + 3 * FRAME
    assert "more than there is" in notes[0]
    with pytest.raises(InputError, match="more than there is.*--strict"):
        open_audio(path, STRICT)


def test_mp3_with_a_vbri_tag(tmp_path):
    raw = untagged(3.0, "-q:a", "4")
    plain, _ = read(write(tmp_path / "plain.mp3", raw))
    header = bytes([raw[0], raw[1], 0x90 | raw[2] & 0x0D, raw[3]])  # 128 kbit/s, no padding
    frames = (len(plain) + USUAL_DELAY_FRAMES) // FRAME
    for claim in (frames, frames // 2):
        vbri = struct.pack(">4sHHHII", b"VBRI", 1, 1105, 75, len(raw), claim)
        tagged = (header + bytes(32) + vbri).ljust(144 * 128000 // RATE, b"\0")
        ours, notes = read(write(tmp_path / "a.mp3", tagged + raw))
        np.testing.assert_array_equal(ours, plain)
        assert bool(notes) == (claim != frames)


@pytest.mark.parametrize("tags", [b"", ID3, ID3_OLD + ID3, bytes(600)])
def test_mp3_files_joined_end_to_end_are_all_read(tmp_path, tags):
    """Each with its own delay and padding trimmed: no gap where they meet."""
    parts = [mp3(1.0, "-b:a", "192k", seed=seed) for seed in (1, 2, 3)]
    alone = [read(write(tmp_path / "part.mp3", part))[0] for part in parts]
    path = write(tmp_path / "a.mp3", tags.join(parts))
    ours, notes = read(path)
    np.testing.assert_array_equal(ours, np.concatenate(alone))
    assert len(ours) == 3 * RATE
    assert notes == ("holds 3 recordings one after another: all are read",)


def test_mp3_files_without_tags_joined_end_to_end(tmp_path):
    parts = [untagged(1.0, "-q:a", q, seed=seed) for seed, q in ((1, "2"), (2, "9"))]
    path = write(tmp_path / "a.mp3", b"".join(parts))
    ours, _ = read(path)
    agree(ours, reference(path)[USUAL_DELAY_FRAMES:])


def test_mp3_joined_to_one_that_was_cut(tmp_path):
    raw = mp3(1.0, "-b:a", "128k")
    whole, _ = read(write(tmp_path / "part.mp3", raw))
    path = write(tmp_path / "a.mp3", raw[: len(raw) // 2 + 50] + raw)
    with pytest.raises(InputError, match="missing.*--allow-truncated"):
        open_audio(path)
    ours, notes = read(path, CUT)
    np.testing.assert_array_equal(ours[-len(whole) :], whole)
    assert "cut off" in notes[0]


@pytest.mark.parametrize(("rate", "channels"), [(48000, 2), (22050, 2), (RATE, 1)])
@pytest.mark.parametrize("make", [mp3, untagged])
def test_mp3_of_another_format_behind_is_said(tmp_path, rate, channels, make):
    first, second = make(1.0), make(2.0, rate=rate, channels=channels)
    alone, _ = read(write(tmp_path / "part.mp3", first))
    path = write(tmp_path / "a.mp3", first + second)
    ours, notes = read(path)
    np.testing.assert_array_equal(ours, alone)
    assert f"of another format ({rate} Hz, {channels} channel(s))" in notes[0]
    assert notes[0].startswith(("2.0 s", "2.1 s"))
    with pytest.raises(InputError, match="another format.*--strict"):
        open_audio(path, STRICT)


def test_mp2_is_read_to_its_end(tmp_path):
    write(tmp_path / "a.mp2", encode(".mp2", ("-b:a", "192k"), 3.0, RATE, 2, 1, False))
    ours, notes = read(tmp_path / "a.mp2", STRICT)
    assert not notes
    agree(ours, reference(tmp_path / "a.mp2"))


# FLAC


def flac(seconds=2.0, *options, rate=RATE, channels=2, seed=1, piped=False):
    options = ("-sample_fmt", "s16", "-f", "flac", *options)
    return encode(".flac", options, seconds, rate, channels, seed, piped)


@pytest.mark.parametrize("front", [ID3 + ID3, APE_TAG, bytes(900), ID3 + bytes(3)])
def test_flac_behind_tags_and_zeros(tmp_path, front):
    raw = flac()
    plain, _ = read(write(tmp_path / "e.flac", raw))
    ours, notes = read(write(tmp_path / "a.flac", front + raw + ID3_OLD), STRICT)
    np.testing.assert_array_equal(ours, plain)
    assert not notes


@pytest.mark.parametrize("fraction", [2, 20])
def test_flac_header_that_claims_too_little(tmp_path, fraction):
    raw = flac()
    plain, _ = read(write(tmp_path / "e.flac", raw))
    (packed,) = struct.unpack_from(">Q", raw, 18)
    claim = len(plain) // fraction
    packed = packed >> 36 << 36 | claim
    path = write(tmp_path / "a.flac", raw[:18] + struct.pack(">Q", packed) + raw[26:])
    ours, notes = read(path)
    np.testing.assert_array_equal(ours, plain)
    less_s = (len(plain) - claim) / RATE
    assert notes == (f"its header claims {less_s:.1f} s less than there is",)
    with pytest.raises(InputError, match="--strict"):
        open_audio(path, STRICT)


def test_flac_cut_from_a_longer_one_without_coding_it_again(tmp_path):
    """Its header tells the length of the whole, its frames go on with their numbers."""
    whole = write(tmp_path / "e.flac", flac())
    path = tmp_path / "a.flac"
    command = ["ffmpeg", "-loglevel", "error", "-ss", "0.7", "-i", whole, "-c", "copy", path]
    subprocess.run(command, check=True)
    ours, notes = read(path)
    assert 1.2 * RATE < len(ours) <= 1.4 * RATE
    np.testing.assert_array_equal(ours, read(whole)[0][-len(ours) :])
    more_s = 2 - len(ours) / RATE
    assert notes == (f"its header claims {more_s:.1f} s more than there is",)
    with pytest.raises(InputError, match="--strict"):
        open_audio(path, STRICT)


@pytest.mark.parametrize("piped", [False, True])
def test_flac_files_joined_end_to_end_are_all_read(tmp_path, piped):
    parts = [flac(1.5, seed=seed, piped=piped) for seed in (1, 2)]
    alone = [read(write(tmp_path / "part.flac", part))[0] for part in parts]
    ours, notes = read(write(tmp_path / "a.flac", b"".join(parts)))
    np.testing.assert_array_equal(ours, np.concatenate(alone))
    assert "holds 2 recordings one after another: all are read" in notes


def test_flac_of_another_format_behind_is_said(tmp_path):
    path = write(tmp_path / "a.flac", flac() + flac(1.0, rate=48000))
    ours, notes = read(path)
    assert len(ours) == 2 * RATE
    assert notes == ("1.0 s of another format (48000 Hz, 2 channel(s)) follow and are left out",)
    with pytest.raises(InputError, match="--strict"):
        open_audio(path, STRICT)


# Ogg

CODERS = {"ogg": ("-c:a", "libvorbis"), "opus": ("-c:a", "libopus")}


def ogg(kind, seconds=2.0, channels=2, seed=1):
    return encode(f".{kind}", CODERS[kind], seconds, 48000, channels, seed, False)


def rewrite_pages(content, change):
    """Rewrites the pages of a file: ``change`` gets each as a bytearray; none leaves it out."""
    at, pages = 0, []
    while at < len(content):
        table = content[at + 27 : at + 27 + content[at + 26]]
        length = 27 + len(table) + sum(table)
        page = change(bytearray(content[at : at + length]), len(pages))
        if page is not None:
            struct.pack_into("<I", page, 22, 0)
            struct.pack_into("<I", page, 22, compute_checksum(bytes(page)))
            pages.append(bytes(page))
        else:
            pages.append(b"")
        at += length
    return b"".join(pages)


@pytest.mark.parametrize("kind", list(CODERS))
def test_ogg_is_decoded_as_ffmpeg_does(tmp_path, kind):
    path = write(tmp_path / f"e.{kind}", ogg(kind, 5.0))
    ours, notes = read(path, STRICT)
    assert not notes
    agree(ours, reference(path))


@pytest.mark.parametrize("told", [0, 8000, 22050, 44100])
def test_opus_keeps_its_treble_whatever_rate_its_header_tells(tmp_path, told):
    """The field tells where the sound came from, 0 if unknown; libsndfile decodes at that rate."""

    def tell(page, number):
        if number == 0:
            struct.pack_into("<I", page, page.index(b"OpusHead") + 12, told)
        return page

    path = write(tmp_path / "e.opus", rewrite_pages(ogg("opus"), tell))
    ours, notes = read(path, STRICT)
    assert not notes
    agree(ours, reference(path))


def test_opus_of_a_voice_stays_at_its_rate(tmp_path):
    content = encode(".opus", CODERS["opus"], 1.0, 16000, 2, 1, False)
    assert probe(write(tmp_path / "voice.opus", content), STRICT).sample_rate == 16000


@pytest.mark.parametrize("kind", list(CODERS))
def test_ogg_chains_are_all_read(tmp_path, kind):
    parts = [ogg(kind, length, seed=n) for n, length in ((1, 1.0), (2, 3.0), (3, 0.5))]
    alone = [read(write(tmp_path / f"p.{kind}", part))[0] for part in parts]
    ours, notes = read(write(tmp_path / f"a.{kind}", b"".join(parts)))
    np.testing.assert_array_equal(ours, np.concatenate(alone))
    assert len(ours) == pytest.approx(4.5 * 48000, abs=1)
    assert notes == ("holds 3 recordings one after another: all are read",)


@pytest.mark.parametrize("kind", list(CODERS))
def test_ogg_chain_of_one_stream_number(tmp_path, kind):
    part = ogg(kind, 1.0)
    alone, _ = read(write(tmp_path / f"p.{kind}", part))
    ours, _ = read(write(tmp_path / f"a.{kind}", part + part))
    np.testing.assert_array_equal(ours, np.concatenate([alone, alone]))


@pytest.mark.parametrize("kind", list(CODERS))
def test_ogg_chain_that_changes_its_format_is_said(tmp_path, kind):
    first, second = ogg(kind), ogg(kind, 1.0, channels=1)
    alone, _ = read(write(tmp_path / f"p.{kind}", first))
    path = write(tmp_path / f"a.{kind}", first + second)
    ours, notes = read(path)
    np.testing.assert_array_equal(ours, alone)
    assert notes == ("1.0 s of another format (48000 Hz, 1 channel(s)) follow and are left out",)
    with pytest.raises(InputError, match="--strict"):
        open_audio(path, STRICT)


@pytest.mark.parametrize("kind", list(CODERS))
def test_ogg_recorded_from_the_middle_of_a_broadcast(tmp_path, kind):
    """The time of its first page is that of the broadcast; nothing is missing in front."""
    raw = ogg(kind, 3.0)
    plain, _ = read(write(tmp_path / f"e.{kind}", raw))

    def shift(page, number):
        (granule,) = struct.unpack_from("<q", page, 6)
        if granule > 0:
            struct.pack_into("<q", page, 6, granule + 48000 * 3600)
            struct.pack_into("<I", page, 18, number + 7000)
        return page

    ours, notes = read(write(tmp_path / f"a.{kind}", rewrite_pages(raw, shift)), STRICT)
    assert len(ours) == len(plain)
    assert not notes


@pytest.mark.parametrize("kind", list(CODERS))
def test_ogg_page_that_is_missing_within_is_said(tmp_path, kind):
    raw = ogg(kind, 8.0)
    content = rewrite_pages(raw, lambda page, number: None if number == 5 else page)
    assert len(content) < len(raw)
    path = write(tmp_path / f"a.{kind}", content)
    with pytest.raises(InputError, match=r"1 of its pages are missing within.*--strict"):
        open_audio(path, STRICT)


@pytest.mark.parametrize("kind", list(CODERS))
def test_ogg_with_tags_and_junk(tmp_path, kind):
    raw = ogg(kind)
    plain, _ = read(write(tmp_path / f"e.{kind}", raw))
    ours, notes = read(write(tmp_path / f"a.{kind}", ID3 + raw + ID3_OLD), STRICT)
    np.testing.assert_array_equal(ours, plain)
    assert not notes
    path = write(tmp_path / f"b.{kind}", raw + b"This is no page. " * 10)
    ours, notes = read(path)
    np.testing.assert_array_equal(ours, plain)
    assert notes == ("170 bytes between its pages are left out",)


def test_ogg_with_a_video_beside(tmp_path):
    """Only the pages of the audio reach the decoder."""
    audio = ogg("ogg")
    plain, _ = read(write(tmp_path / "e.ogg", audio))
    head = bytearray(b"OggS\0\2" + bytes(8) + struct.pack("<III", 99, 0, 0) + b"\1\x2a")
    head += b"\x80theora" + bytes(35)
    struct.pack_into("<I", head, 22, compute_checksum(bytes(head)))
    first = 28 + audio[27]  # behind the first page: all first pages come before all others
    ours, _ = read(write(tmp_path / "a.ogg", audio[:first] + bytes(head) + audio[first:]))
    np.testing.assert_array_equal(ours, plain)
    doubled = rewrite_pages(ogg("ogg", seed=2), lambda page, _: page[:14] + b"abcd" + page[18:])
    second = 28 + doubled[27]
    path = write(
        tmp_path / "b.ogg", audio[:first] + doubled[:second] + audio[first:] + doubled[second:]
    )
    with pytest.raises(InputError, match="run beside and are left out.*--strict"):
        open_audio(path, STRICT)


def test_random_cuts_and_joins_end_in_audio_or_an_input_error(tmp_path):
    generator = np.random.default_rng(5)
    sources = [mp3(0.4), untagged(0.4), flac(0.4)]
    sources += [ogg("ogg", 0.4), ogg("opus", 0.4), ID3, APE_TAG, bytes(700)]
    path = tmp_path / "a"
    for _ in range(150):
        pieces = []
        for index in generator.integers(len(sources), size=generator.integers(1, 5)):
            low, high = sorted(generator.integers(0, len(sources[index]) + 1, 2))
            pieces.append(sources[index][low:high] if generator.integers(2) else sources[index])
        path.write_bytes(b"".join(pieces) or b"x")
        try:
            opened = open_audio(path, CUT)
        except InputError:
            continue
        assert np.isfinite(opened.source.samples).all()
        assert os.path.getsize(path) > 0
