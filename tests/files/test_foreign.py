"""Formats that only ffmpeg decodes: what comes in is what was encoded, or a clear word."""

import os
import re
import struct
import time

import numpy as np
import pytest
import soundfile

from automix.errors import InputError, OutputError
from automix.files import ffmpeg as foreign
from automix.files.info import ReadOptions
from automix.files.probe import probe
from automix.files.reading import open_audio
from tests.files.ffmpeg_files import (
    FRAMES,
    RATE,
    convert,
    ffmpeg,
    find_lag,
    install_fake,
    needs_ffmpeg,
    read_wav,
    sound,
    write_wav,
)

pytestmark = needs_ffmpeg


@pytest.fixture
def wav(tmp_path):
    return write_wav(tmp_path / "original.wav")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "codec", "subtype", "bits"),
    [
        ("a.m4a", "alac", "PCM_24", "24"),
        ("b.m4a", "alac", "PCM_16", "16"),
        ("a.mov", "pcm_s24le", "PCM_24", "24"),
        ("a.mka", "flac", "PCM_16", "16"),
        ("a.wv", "wavpack", "PCM_24", "24"),
        ("f.wv", "wavpack", "FLOAT", "32f"),
        ("a.tta", "tta", "PCM_24", "24"),
        ("a.au", "pcm_s16be", "PCM_16", "16"),
        ("f.au", "pcm_f32be", "FLOAT", "32f"),
    ],
)
def test_lossless_formats_come_in_bit_by_bit(tmp_path, name, codec, subtype, bits):
    wav = write_wav(tmp_path / "original.wav", subtype=subtype)
    opened = open_audio(convert(wav, tmp_path / name, "-c:a", codec))
    np.testing.assert_array_equal(opened.source.samples, read_wav(wav))
    assert (opened.info.bits, opened.info.sample_rate, opened.notes) == (bits, RATE, ())


def test_a_big_endian_wav_is_refused_for_ffmpeg_would_decode_it_to_noise(tmp_path):
    pcm = (32767 * sound()).astype(">i2")
    form = struct.pack(">4sIHHIIHH", b"fmt ", 16, 1, 2, RATE, 4 * RATE, 4, 16)
    body = b"WAVE" + form + struct.pack(">4sI", b"data", pcm.nbytes) + pcm.tobytes()
    path = tmp_path / "a.wav"
    path.write_bytes(b"RIFX" + struct.pack(">I", len(body)) + body)
    with pytest.raises(InputError, match="big-endian WAV, which automix does not read; convert"):
        open_audio(path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "channels", "options", "frames_more"),
    [
        ("a.m4a", 1, (), 0),
        ("f.m4a", 2, ("-movflags", "+faststart"), 0),
        ("a.mov", 2, ("-c:a", "aac"), 0),
        ("a.3gp", 1, ("-c:a", "aac"), 0),
        ("m.mp4", 2, ("-c:a", "libmp3lame"), 0),
        ("48.m4a", 2, ("-ar", "48000"), 1),
        ("o.webm", 2, ("-c:a", "libopus"), 100),
        ("o.mp4", 1, ("-c:a", "libopus"), 2),
        ("v.mka", 2, ("-c:a", "libvorbis"), 200),
        ("a.wma", 2, (), 2048),
    ],
)
def test_the_delay_of_the_encoder_is_removed(tmp_path, name, channels, options, frames_more):
    wav = write_wav(tmp_path / "original.wav", sound(channels))
    opened = open_audio(convert(wav, tmp_path / name, *options))
    original, decoded = read_wav(wav), opened.source.samples
    if opened.info.sample_rate != RATE:
        resampled = convert(wav, tmp_path / "at 48.wav", "-ar", "48000", "-c:a", "pcm_s24le")
        original = read_wav(resampled)
    assert abs(find_lag(decoded[0], original[0])) <= 1
    assert -1 <= decoded.shape[1] - original.shape[1] <= frames_more
    assert decoded.shape[0] == channels
    assert opened.notes == ()


@pytest.mark.parametrize(
    ("name", "options", "usual"),
    [
        ("a.aac", (), 1024),
        ("frag.m4a", ("-movflags", "frag_keyframe+empty_moov"), 1024),
        ("a.ac3", (), 256),
        ("a.eac3", (), 256),
        ("a.mp3", ("-write_xing", "0"), 1105),
        ("m.mka", ("-c:a", "libmp3lame"), 1105),
    ],
)
def test_where_the_file_does_not_tell_the_delay_the_usual_one_is_removed_and_said(
    tmp_path, wav, name, options, usual
):
    opened = open_audio(convert(wav, tmp_path / name, *options))
    assert "does not tell the delay of its" in opened.notes[0]
    assert f"the usual {usual} frames are left out" in opened.notes[0]
    assert abs(find_lag(opened.source.samples[0], read_wav(wav)[0])) <= 1
    streamed = open_audio(tmp_path / name, in_memory=False)
    np.testing.assert_array_equal(
        np.concatenate(list(streamed.source.blocks()), axis=1), opened.source.samples
    )


@pytest.mark.parametrize("options", [("-b:a", "160k"), ("-q:a", "4")])
def test_an_mp3_lines_up_with_its_wav(tmp_path, wav, options):
    opened = open_audio(convert(wav, tmp_path / "a.mp3", *options))
    assert (opened.notes, opened.source.frames) == ((), FRAMES)
    assert abs(find_lag(opened.source.samples[0], read_wav(wav)[0])) <= 1


def test_an_mp3_that_was_cut_out_of_another_loses_nothing(tmp_path, wav):
    """Its first frame needs the one before it: no encoder has begun there."""
    raw = convert(wav, tmp_path / "a.mp3", "-write_xing", "0", "-b:a", "160k").read_bytes()
    start = raw.index(raw[:2], 4 * 500)
    while not (raw[start + 4] or raw[start + 5] >> 7):
        start = raw.index(raw[:2], start + 1)
    (tmp_path / "cut.mp3").write_bytes(raw[start:])
    assert not any("delay" in note for note in open_audio(tmp_path / "cut.mp3").notes)


def make_box(name, *content):
    body = b"".join(content)
    return struct.pack(">I4s", len(body) + 8, name) + body


@pytest.mark.parametrize("with_edit_list", [True, False])
def test_the_gapless_tag_of_itunes_tells_delay_and_length(tmp_path, wav, with_edit_list):
    """The tag is put into the list of tags at the end of the file, and its boxes grow by it."""
    path = convert(wav, tmp_path / "a.m4a")
    words = (0, 1024, -(FRAMES + 1024) % 1024, FRAMES)
    text = "".join(f" {word:08X}" for word in words) + " 00000000" * 2
    tag = make_box(
        b"----",
        make_box(b"mean", bytes(4), b"com.apple.iTunes"),
        make_box(b"name", bytes(4), b"iTunSMPB"),
        make_box(b"data", b"\0\0\0\1", bytes(4), text.encode()),
    )
    content = bytearray(path.read_bytes() + tag)
    for name in (b"moov", b"udta", b"meta", b"ilst"):
        at = content.rindex(name) - 4
        (size,) = struct.unpack_from(">I", content, at)
        struct.pack_into(">I", content, at, size + len(tag))
    if not with_edit_list:
        content = content.replace(b"edts", b"free")
    path.write_bytes(content)
    opened = open_audio(path)
    assert opened.info.frames == FRAMES
    assert opened.notes == ()
    assert find_lag(opened.source.samples[0], read_wav(wav)[0]) == 0


def make_caf(aac, delay, frames):
    """Puts the packets of an ADTS file into a CAF file, as phones and loops have them."""
    packets, at = [], 0
    while at < len(aac):
        size = (aac[at + 3] & 3) << 11 | aac[at + 4] << 3 | aac[at + 5] >> 5
        packets.append(aac[at + 7 : at + size])
        at += size
    sizes = [bytes([len(each) >> 7 | 128, len(each) & 127]) for each in packets]
    described = struct.pack(">d4s5I", RATE, b"aac ", 0, 0, 1024, 2, 0)
    cookie = bytes.fromhex("0380808022 000000 0480808014 4015" + 22 * "0" + "0580808002 1210")
    cookie += bytes.fromhex("0680808001 02")
    left = 1024 * len(packets) - delay - frames
    table = struct.pack(">qqii", len(packets), frames, delay, left) + b"".join(sizes)
    chunks = {b"desc": described, b"kuki": cookie, b"pakt": table}
    chunks[b"data"] = bytes(4) + b"".join(packets)
    return b"caff\0\1\0\0" + b"".join(
        name + struct.pack(">q", len(body)) + body for name, body in chunks.items()
    )


@pytest.mark.parametrize("told", [True, False])
def test_the_packet_table_of_caf_tells_delay_and_length(tmp_path, wav, told):
    aac = convert(wav, tmp_path / "a.aac").read_bytes()
    path = tmp_path / "a.caf"
    path.write_bytes(make_caf(aac, 1024 * told, FRAMES))
    opened = open_audio(path, ReadOptions(strict=told))
    if told:
        assert (opened.notes, opened.source.frames) == ((), FRAMES)
    assert any("does not tell the delay" in note for note in opened.notes) == (not told)
    assert find_lag(opened.source.samples[0], read_wav(wav)[0]) == 0


def test_audio_that_begins_later_by_the_clock_of_its_file_is_put_there(tmp_path, wav):
    ffmpeg("-itsoffset", "0.5", "-i", wav, "-c:a", "flac", tmp_path / "late.mka")
    opened = open_audio(tmp_path / "late.mka")
    assert "begins at 0.500 s" in opened.notes[0]
    assert not opened.source.samples[:, : RATE // 2].any()
    np.testing.assert_array_equal(opened.source.samples[:, RATE // 2 :], read_wav(wav))


def test_streams_are_read_as_often_as_wanted_and_decoded_once(tmp_path, wav, monkeypatch):
    path = convert(wav, tmp_path / "a.m4a")
    whole = open_audio(path)
    streamed = open_audio(path, in_memory=False)
    assert whole.info == streamed.info
    monkeypatch.setattr(foreign, "find_program", lambda name: None)
    for _ in range(2):
        blocks = list(streamed.source.blocks())
        np.testing.assert_array_equal(np.concatenate(blocks, axis=1), whole.source.samples)
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(InputError, match="changed while it was in use"):
        list(streamed.source.blocks())


def test_the_decoded_audio_leaves_no_file_and_no_descriptor(tmp_path, wav, monkeypatch):
    spools = tmp_path / "spools"
    spools.mkdir()
    monkeypatch.setenv("TMPDIR", str(spools))
    monkeypatch.setattr("tempfile.tempdir", None)
    path = convert(wav, tmp_path / "a.m4a")
    before = len(os.listdir("/dev/fd"))
    opened = open_audio(path, in_memory=False)
    assert list(spools.iterdir()) == []
    assert opened.source.frames == FRAMES
    del opened
    assert len(os.listdir("/dev/fd")) == before


def test_surround_is_mixed_down_as_that_of_a_wav_file(tmp_path):
    mono = write_wav(tmp_path / "six.wav", np.roll(sound(6), 999, axis=1))
    wav = tmp_path / "surround.wav"
    ffmpeg("-channel_layout", "5.1", "-i", mono, "-c:a", "pcm_s24le", wav)
    opened = open_audio(convert(wav, tmp_path / "surround.mka", "-c:a", "flac"))
    assert "5.1 surround mixed down to stereo" in opened.notes[0]
    np.testing.assert_array_equal(opened.source.samples, open_audio(wav).source.samples)
    layout = ("-filter_complex", "channelmap=channel_layout=hexagonal", "-c:a", "pcm_s24le")
    convert(mono, tmp_path / "six.mov", *layout)
    with pytest.raises(InputError, match="6 channels of which it does not tell"):
        open_audio(tmp_path / "six.mov")


@pytest.mark.parametrize("box", [b"free", b"skip", b"wide"])
def test_quicktime_files_may_begin_with_any_box(tmp_path, wav, box):
    path = tmp_path / "a.mov"
    ffmpeg("-i", wav, "-c:a", "pcm_s24le", path)
    path.write_bytes(struct.pack(">I4s", 16, box) + bytes(8) + path.read_bytes())
    assert probe(path).container == "mp4"


def test_the_content_decides_over_the_name(tmp_path, wav):
    path = convert(wav, tmp_path / "a.m4a").rename(tmp_path / "take.wav")
    assert "named .wav, but holds MP4" in open_audio(path).notes
    assert probe(path).container == "mp4"


def test_of_several_streams_the_first_is_used_and_said(tmp_path, wav):
    second = write_wav(tmp_path / "second.wav", 0.5 * sound())
    path = tmp_path / "two.mka"
    ffmpeg("-i", wav, "-i", second, "-map", "0", "-map", "1", "-c:a", "flac", path)
    opened = open_audio(path)
    assert "holds 2 streams of audio: the first is used" in opened.notes
    np.testing.assert_array_equal(opened.source.samples, read_wav(wav))
    other = open_audio(path, stream_number=2)
    assert other.notes == ()
    np.testing.assert_array_equal(other.source.samples, read_wav(second))
    with pytest.raises(InputError, match="no stream of audio 3"):
        open_audio(path, stream_number=3)


def test_a_stream_of_an_unknown_codec_beside_keeps_no_other_from_being_read(tmp_path, wav):
    """Phones put spatial sound beside the stereo sound of their videos."""
    path = tmp_path / "two.m4a"
    ffmpeg("-i", wav, "-i", wav, "-map", "0", "-map", "1", "-c:a", "alac", path)
    content = path.read_bytes()
    first, second = [at.start() for at in re.finditer(b"stsd", content)]

    def hide(at):
        return content[:at] + content[at:].replace(b"alac", b"apac", 2)

    path.write_bytes(hide(second))
    opened = open_audio(path)
    assert opened.notes == ("holds 2 streams of audio: the first is used",)
    np.testing.assert_array_equal(opened.source.samples, read_wav(wav))
    with pytest.raises(InputError, match="whose stream of audio 2 ffmpeg cannot read"):
        probe(path, stream_number=2)
    path.write_bytes(hide(first))
    assert "number 2 is used" in probe(path).notes[0]


@pytest.mark.parametrize("channels", [6, 8])
def test_channels_of_any_container_may_be_tracks(tmp_path, channels):
    wav = write_wav(tmp_path / "many.wav", np.roll(sound(channels), 99, axis=1))
    convert(wav, tmp_path / "many.mov", "-c:a", "pcm_s24le")
    separate = open_audio(tmp_path / "many.mov", separate=True)
    np.testing.assert_array_equal(separate.source.samples, read_wav(wav))
    assert probe(tmp_path / "many.mov", separate=True).notes == ()


# Broken files


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.m4a", ("-movflags", "+faststart")),
        ("l.m4a", ("-c:a", "alac", "-movflags", "+faststart")),
        ("a.aac", ()),
        ("a.mka", ("-c:a", "flac")),
        ("a.wv", ()),
        ("a.wma", ()),
        ("a.ac3", ()),
    ],
)
def test_a_file_cut_in_half_is_refused_or_its_half_is_used(tmp_path, wav, name, options):
    path = convert(wav, tmp_path / name, *options)
    whole = open_audio(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2 + 300])
    with pytest.raises(InputError, match="cut off or damaged.*--allow-truncated"):
        open_audio(path)
    half = open_audio(path, ReadOptions(allow_truncated=True))
    assert any("cut off or damaged" in note for note in half.notes)
    assert 0.3 < half.info.frames / whole.info.frames < 0.7
    kept = half.info.frames - 4096
    np.testing.assert_array_equal(half.source.samples[:, :kept], whole.source.samples[:, :kept])


def test_an_mp4_file_whose_index_is_cut_off_is_refused_in_words(tmp_path, wav):
    path = convert(wav, tmp_path / "a.m4a")
    path.write_bytes(path.read_bytes()[:10000])
    for options in (ReadOptions(), ReadOptions(allow_truncated=True)):
        with pytest.raises(InputError, match="cut off: the index at its end is missing"):
            open_audio(path, options)


def test_damage_in_the_middle_is_no_silence(tmp_path, wav):
    path = convert(wav, tmp_path / "a.m4a")
    content = bytearray(path.read_bytes())
    content[12000:14000] = np.random.default_rng(1).bytes(2000)
    path.write_bytes(content)
    with pytest.raises(InputError, match="cut off or damaged"):
        open_audio(path)


@pytest.mark.parametrize(
    "content",
    [
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n",
        b"ffconcat version 1.0\nfile 'original.wav'\n",
        b"\0\0\0\x20ftypM4A " + bytes(500),
        b"\0\0\0\x20ftypM4A " + bytes(16) + b"\0\0\0\x18moov\0\0\0\x10rmra\0\0\0\x08rmda",
        b"\x1a\x45\xdf\xa3" + bytes(500),
        b"RIFF\x24\0\0\0AVI " + bytes(500),
        b"\x0b\x77" + bytes(500),
    ],
)
def test_playlists_and_empty_shells_are_no_audio(tmp_path, wav, content):
    path = tmp_path / "take.m4a"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"take\.m4a: .*;"):
        open_audio(path)


def test_names_mean_nothing_to_ffmpeg(tmp_path, wav, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = convert(wav, tmp_path / "plain.m4a")
    for name in (
        "-i.m4a",
        "concat:a|b.m4a",
        "pipe:0",
        "new\nline.m4a",
        "http:x.m4a",
        "%03d.m4a",
        "é\udcff.m4a",
    ):
        path = path.rename(tmp_path / name)
        assert open_audio(name).info.frames == FRAMES, name


# ffmpeg itself


def test_without_ffmpeg_the_error_names_it(tmp_path, wav, monkeypatch):
    path = convert(wav, tmp_path / "a.m4a")
    monkeypatch.setenv("PATH", "")
    for call in (probe, open_audio):
        with pytest.raises(InputError, match="MP4, which automix reads through ffmpeg.*install"):
            call(path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "script", "words"),
    [
        ("ffmpeg", "sleep 1000 & sleep 1000", "did nothing"),
        ("ffmpeg", "exec 1>&- 2>&-; sleep 1000", "did not end"),
        ("ffmpeg", "while :; do echo error >&2; done", "complained without end|took longer"),
        ("ffmpeg", "exec cat /dev/zero", "no end|more audio than a file of its size"),
        ("ffmpeg", "kill -SEGV $$", "cannot decode"),
        ("ffmpeg", "echo something; exit 0", "cut off or damaged"),
        ("ffprobe", "sleep 1000 & sleep 1000", "did nothing"),
        ("ffprobe", "exec cat /dev/zero", "no end"),
        ("ffprobe", "exit 3", "without audio"),
    ],
)
def test_a_program_that_misbehaves_is_ended(tmp_path, wav, monkeypatch, program, script, words):
    path = convert(wav, tmp_path / "a.m4a")
    install_fake(tmp_path / "bin", monkeypatch, **{program: script})
    monkeypatch.setattr(foreign, "STALL_S", 0.5)
    monkeypatch.setattr(foreign, "_LIMIT_S", 1.0)
    monkeypatch.setattr(foreign, "_LEAST_BYTES_PER_SECOND", 5000)
    started = time.monotonic()
    with pytest.raises(InputError, match=words):
        open_audio(path)
    assert time.monotonic() - started < 8


def test_ffmpeg_is_not_told_to_write_reports(tmp_path, wav, monkeypatch):
    path = convert(wav, tmp_path / "a.m4a")
    monkeypatch.setenv("FFREPORT", f"file={tmp_path}/report.log:level=48")
    open_audio(path)
    assert not (tmp_path / "report.log").exists()


def test_a_full_disk_is_that_of_the_spool(tmp_path, wav, monkeypatch):
    path = convert(wav, tmp_path / "a.m4a")

    class Full:
        def __init__(self, **_):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", Full)
    with pytest.raises(OutputError, match=r"No space left on device: needs 0\.7 MB.*TMPDIR"):
        open_audio(path)


def test_a_header_that_claims_days_allocates_nothing(tmp_path, wav):
    """Fields of the duration in ``mvhd``, ``tkhd`` and ``mdhd`` are set as high as they go."""
    path = convert(wav, tmp_path / "a.m4a", "-c:a", "alac")
    content = bytearray(path.read_bytes())
    for box, offset in ((b"mvhd", 20), (b"mdhd", 20)):
        at = content.index(box) + offset
        content[at : at + 4] = b"\x7f\xff\xff\xff"
    path.write_bytes(content)
    try:
        opened = open_audio(path, ReadOptions(allow_truncated=True))
    except InputError:
        return
    assert opened.source.frames == FRAMES


@pytest.mark.slow
def test_a_long_file_takes_little_memory(tmp_path):
    """Ten minutes of stereo are 212 MB decoded; reading them anew takes far less."""
    import subprocess
    import sys

    path = tmp_path / "long.m4a"
    ffmpeg("-f", "lavfi", "-i", "sine=f=300:d=600", "-ac", "2", "-c:a", "alac", path)
    program = (
        "import resource, sys\n"
        "from automix.files.reading import open_audio\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "source = open_audio(sys.argv[1], in_memory=False).source\n"
        "frames = sum(block.shape[1] for block in source.blocks())\n"
        "print(frames, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, path], capture_output=True, text=True, check=True
    )
    frames, grown_kb = map(int, done.stdout.split())
    assert frames == 600 * RATE
    assert grown_kb < 60_000


def test_soundfile_agrees_about_au(tmp_path):
    soundfile.write(tmp_path / "a.au", sound(), RATE, subtype="PCM_24")
    opened = open_audio(tmp_path / "a.au")
    expected = soundfile.read(tmp_path / "a.au", dtype="float32")[0].T
    np.testing.assert_array_equal(opened.source.samples, expected)
