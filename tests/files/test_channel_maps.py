"""What files say of their channels: followed, refused, or said; never guessed in silence."""

import shutil
import struct
import subprocess

import numpy as np
import pytest
import soundfile

from automix.errors import InputError
from automix.files.probe import probe
from automix.files.reading import open_audio

RATE = 48000
HALF = 0.5**0.5
LEVELS = {"FL": (1, 0), "FR": (0, 1), "FC": (HALF, HALF), "LFE": (0, 0), "BL": (HALF, 0),
          "BR": (0, HALF), "SL": (HALF, 0), "SR": (0, HALF), "BC": (0.5, 0.5)}  # fmt: skip
SPEAKERS_FAMILY = bytes.fromhex("000000001000800000aa00389b71")
AMBISONIC_FAMILY = bytes.fromhex("00002107d3118644c8c1ca000000")
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")


def frames_of(channels):
    return np.tile(0.01 * np.arange(1, channels + 1), (500, 1)).astype("<f4")


def chunk(name, body, order="<"):
    return name + struct.pack(order + "I", len(body)) + body + b"\0" * (len(body) % 2)


def wav(channels, mask=0, family=SPEAKERS_FAMILY, *chunks, head=b"RIFF"):
    """An extensible WAV file whose channel n holds 0.01 n."""
    align = 4 * channels
    fields = struct.pack("<HHIIHH", 0xFFFE, channels, RATE, RATE * align, align, 32)
    fields += struct.pack("<HHIH", 22, 32, mask, 3) + family
    body = b"WAVE" + chunk(b"fmt ", fields) + b"".join(chunks)
    body += chunk(b"data", frames_of(channels).tobytes())
    return head + struct.pack("<I", len(body)) + body


def caf(channels, layout=None):
    description = struct.pack(">d4sIIIII", RATE, b"lpcm", 3, 4 * channels, 1, channels, 32)
    content = b"caff\0\1\0\0desc" + struct.pack(">q", 32) + description
    if layout is not None:
        content += b"chan" + struct.pack(">q", len(layout)) + layout
    data = frames_of(channels).tobytes()
    return content + b"data" + struct.pack(">qI", len(data) + 4, 0) + data


def aiff(channels, layout, tmp_path):
    soundfile.write(tmp_path / "s", frames_of(channels), RATE, "FLOAT", format="AIFF")
    content = (tmp_path / "s").read_bytes()
    at = content.index(b"SSND")
    return content[:at] + chunk(b"CHAN", layout, ">") + content[at:]


def labels(*numbers):
    rows = [struct.pack(">II3f", number, 0, 0, 0, 0) for number in numbers]
    return struct.pack(">III", 0, 0, len(rows)) + b"".join(rows)


def layout(tag, channels):
    return struct.pack(">III", tag << 16 | channels, 0, 0)


def write(path, content):
    path.write_bytes(content)
    return path


def mixed(path, order):
    """Checks that the channels went to the sides as the speakers ``order`` do; the notes."""
    opened = open_audio(path)
    expected = 0.01 * sum(
        number * np.array(LEVELS[speaker]) for number, speaker in enumerate(order.split(), 1)
    )
    np.testing.assert_allclose(opened.source.samples[:, 0], expected, rtol=1e-5)
    return opened.notes


def refused(path, words):
    for call in (probe, open_audio):
        with pytest.raises(InputError, match=words):
            call(path)


@pytest.mark.parametrize("channels", [3, 4, 9, 16])
@pytest.mark.parametrize("mask", [0, 0x33])
def test_ambisonics_by_its_identifier_is_refused(tmp_path, channels, mask):
    refused(write(tmp_path / "a.wav", wav(channels, mask, AMBISONIC_FAMILY)), "Ambisonics")


@pytest.mark.parametrize(
    "name",
    ["take.amb", "take_ambix.wav", "Room AmbiX ACN SN3D.wav", "B-Format 01.wav", "hall-FuMa.wav",
     "field_3OA.wav", "180101_001_Ambisonic.wav"],
)  # fmt: skip
def test_ambisonics_by_its_name_is_refused(tmp_path, name):
    refused(write(tmp_path / name, wav(4)), "Ambisonics.*says so")


@pytest.mark.parametrize("name", ["Bambi.wav", "foamy.wav", "Ambience.wav", "Format B.wav"])
def test_other_names_are_no_ambisonics(tmp_path, name):
    mixed(write(tmp_path / name, wav(4)), "FL FR BL BR")


def test_a_name_does_not_overrule_a_map(tmp_path):
    mixed(write(tmp_path / "ambix to quad.wav", wav(4, 0x33)), "FL FR BL BR")


@pytest.mark.parametrize(
    "text", [chunk(b"bext", b"Zoom H3-VR AmbiX".ljust(602, b"\0")), chunk(b"iXML", b"<a>FuMa</a>")]
)
def test_ambisonics_by_its_description_is_refused(tmp_path, text):
    refused(write(tmp_path / "a.wav", wav(4, 0, SPEAKERS_FAMILY, text)), "Ambisonics")


@pytest.mark.parametrize(
    ("pack", "word"), [(b"AP_00041001", "Ambisonics"), (b"AP_00031001", "object")]
)
def test_spatial_mixes_are_refused(tmp_path, pack, word):
    row = struct.pack("<H", 1) + b"ATU_00000001" + b"AT_00041001_01" + pack + b"\0"
    chna = chunk(b"chna", struct.pack("<HH", 1, 1) + row)
    refused(write(tmp_path / "a.wav", wav(4, 0, SPEAKERS_FAMILY, chna)), word)


@pytest.mark.parametrize(
    ("channels", "mask", "words"),
    [
        (4, 0x2D003, "laid out as FL FR"),  # height speakers
        (4, 0x3, "4 channels are laid out as FL FR,"),  # two channels without a speaker
        (6, 0xC0F, "LFE"),  # top center
        (5, 0x3F0000, "laid out"),
    ],
)
def test_masks_that_are_no_known_layout_are_refused(tmp_path, channels, mask, words):
    if mask == 0xC0F:
        mask = 0x80F | 0x1000
    refused(write(tmp_path / "a.wav", wav(channels, mask)), words)


@pytest.mark.parametrize(
    ("channels", "mask", "order"),
    [
        (4, 0x33, "FL FR BL BR"),
        (4, 0x603, "FL FR SL SR"),
        (4, 0x107, "FL FR FC BC"),
        (4, 0x0F, "FL FR FC LFE"),
        (5, 0x3B, "FL FR LFE BL BR"),
        (5, 0x607, "FL FR FC SL SR"),
        (6, 0x3F, "FL FR FC LFE BL BR"),
        (6, 0x633, "FL FR BL BR SL SR"),
        (4, 0x3F033, "FL FR BL BR"),  # excess bits are ignored from the top
    ],
)
def test_masks_are_followed(tmp_path, channels, mask, order):
    (note,) = mixed(write(tmp_path / "a.wav", wav(channels, mask)), order)
    assert "no speakers" not in note
    low = order.count("LFE")
    assert note.startswith(f"{channels - low}.{low} surround")


@pytest.mark.parametrize("mask", [0, 0x80000000])
@pytest.mark.parametrize(
    ("channels", "order"), [(4, "FL FR BL BR"), (5, "FL FR FC BL BR"), (6, "FL FR FC LFE BL BR")]
)
def test_channels_without_names_are_said(tmp_path, channels, order, mask):
    (note,) = mixed(write(tmp_path / "a.wav", wav(channels, mask)), order)
    assert f"it names no speakers: taken as {order}" in note


@pytest.mark.parametrize(
    ("tag", "channels", "order"),
    [
        (108, 4, "FL FR BL BR"),
        (115, 4, "FL FR FC BC"),
        (116, 4, "FC FL FR BC"),
        (136, 4, "FL FR FC LFE"),
        (118, 5, "FL FR BL BR FC"),
        (120, 5, "FC FL FR BL BR"),
        (121, 6, "FL FR FC LFE BL BR"),
        (122, 6, "FL FR BL BR FC LFE"),
        (123, 6, "FL FC FR BL BR LFE"),
        (124, 6, "FC FL FR BL BR LFE"),
    ],
)
def test_layouts_of_caf_and_aiff_are_followed(tmp_path, tag, channels, order):
    for content in (
        caf(channels, layout(tag, channels)),
        aiff(channels, layout(tag, channels), tmp_path),
    ):
        (note,) = mixed(write(tmp_path / "a", content), order)
        assert "no speakers" not in note


def test_labels_and_bitmaps_of_caf_are_followed(tmp_path):
    path = write(tmp_path / "a.caf", caf(4, labels(3, 1, 2, 9)))
    mixed(path, "FC FL FR BC")
    path = write(tmp_path / "a.caf", caf(6, labels(33, 34, 4, 3, 2, 1)))
    mixed(path, "BL BR LFE FC FR FL")
    path = write(tmp_path / "a.caf", caf(5, struct.pack(">III", 1 << 16, 0x607, 0)))
    mixed(path, "FL FR FC SL SR")


@pytest.mark.parametrize(
    "content",
    [
        caf(4, layout(107, 4)),
        caf(4, layout(190, 4)),
        caf(16, layout(191, 16)),
        caf(4, labels(200, 201, 202, 203)),
        caf(4, labels(*(2 << 16 | n for n in range(4)))),
    ],
)
def test_ambisonic_layouts_of_caf_are_refused(tmp_path, content):
    refused(write(tmp_path / "a.caf", content), "Ambisonics")


@pytest.mark.parametrize("content", [caf(2, layout(104, 2)), caf(2, labels(204, 205))])
def test_mid_and_side_are_no_left_and_right(tmp_path, content):
    refused(write(tmp_path / "a.caf", content), "mid and side")


def test_right_before_left(tmp_path):
    opened = open_audio(write(tmp_path / "a.caf", caf(2, labels(2, 1))))
    np.testing.assert_allclose(opened.source.samples[:, 0], [0.02, 0.01], rtol=1e-6)
    assert opened.notes == ("its right channel comes first: taken as it says",)


@pytest.mark.parametrize("discrete", [layout(147, 4), labels(*(1 << 16 | n for n in range(4)))])
def test_discrete_channels_are_said(tmp_path, discrete):
    (note,) = mixed(write(tmp_path / "a.caf", caf(4, discrete)), "FL FR BL BR")
    assert "names no speakers" in note


def test_unknown_layouts_of_caf_are_refused(tmp_path):
    refused(write(tmp_path / "a.caf", caf(4, layout(180, 4))), "laid out as #180")
    refused(write(tmp_path / "a.caf", caf(4, labels(1, 2, 13, 15))), "laid out as FL FR TFL TFR")


@needs_ffmpeg
def test_flac_names_its_speakers_in_a_comment(tmp_path):
    write(tmp_path / "a.wav", wav(4, 0x107))
    command = ["ffmpeg", "-v", "error", "-channel_layout", "4.0", "-i", tmp_path / "a.wav"]
    subprocess.run([*command, "-sample_fmt", "s32", tmp_path / "a.flac"], check=True)
    content = (tmp_path / "a.flac").read_bytes()
    assert b"WAVEFORMATEXTENSIBLE_CHANNEL_MASK=0x107" in content
    (note,) = mixed(tmp_path / "a.flac", "FL FR FC BC")
    assert "no speakers" not in note
    for mask, words in ((b"0x707", None), (b"0x2D3", "laid out as"), (b"0x000", None)):
        path = write(tmp_path / "b.flac", content.replace(b"MASK=0x107", b"MASK=" + mask))
        if words:
            refused(path, words)
    (note,) = mixed(path, "FL FR BL BR")
    assert "names no speakers" in note


@needs_ffmpeg
@pytest.mark.parametrize("family", [2, 3, 255])
def test_opus_channels_that_are_no_speakers(tmp_path, family):
    soundfile.write(tmp_path / "a.wav", np.zeros((9600, 4)), RATE)
    command = ["ffmpeg", "-v", "error", "-i", tmp_path / "a.wav", "-c:a", "libopus"]
    subprocess.run(
        [*command, "-mapping_family", "255", tmp_path / "a.opus"], check=True, capture_output=True
    )
    content = bytearray((tmp_path / "a.opus").read_bytes())
    at = content.index(b"OpusHead")
    assert content[at + 18] == 255
    if family == 255:
        try:
            (note,) = open_audio(tmp_path / "a.opus").notes
        except InputError:
            return
        assert "names no speakers" in note
        return
    from automix.files.ogg import compute_checksum

    content[at + 18] = family
    first = 28 + content[27]
    content[22:26] = bytes(4)
    content[22:26] = struct.pack("<I", compute_checksum(bytes(content[:first])))
    with pytest.raises(InputError):
        open_audio(write(tmp_path / "b.opus", bytes(content)))
