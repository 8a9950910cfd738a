"""Files of a song's folder that hold audio and are no tracks are said, and with strict an error."""

from pathlib import Path

import pytest
import soundfile

from automix.errors import InputError
from automix.session.song_folder import find_song_files
from automix.session.song_search import search_songs
from tests.files.ffmpeg_files import convert, ffmpeg, needs_ffmpeg, sound, write_wav

NO_AUDIO = {
    "cover.jpg": b"\xff\xd8\xff\xe0" + bytes(500),
    "cover.png": b"\x89PNG\r\n\x1a\n" + bytes(500),
    "photo.heic": b"\0\0\0\x20ftypheic" + bytes(500),
    "notes.txt": b"Dear engineer,\n" * 50,
    "chords.mid": b"MThd\0\0\0\6" + bytes(200),
    "song.als": b"\x1f\x8b\x08" + bytes(200),
    "song.logicx": b"bplist00" + bytes(200),
    "kick.wav.reapeaks": b"RPKN" + bytes(500),
    "kick.asd": bytes(500),
    "empty": b"",
    ".notes.txt.icloud": b"bplist00",
    "Website.url": b"[InternetShortcut]",
    ".DS_Store": b"\0\0\0\1Bud1" + bytes(200),
    "._kick.wav": b"\0\5\x16\7" + bytes(200),
    "desktop.ini": b"[.ShellClassInfo]",
    "notes.pdf": b"%PDF-1.7\n" + bytes(500),
    "strings.sf2": b"RIFF\x24\0\0\0sfbk" + bytes(500),
    "picture.webp": b"RIFF\x24\0\0\0WEBP" + bytes(500),
}


@pytest.fixture
def folder(tmp_path):
    for name in ("kick", "bass"):
        write_wav(tmp_path / "song" / f"{name}.wav", sound(1, 5000))
    return tmp_path / "song"


def notes_of(folder):
    files, notes = find_song_files([folder])
    return sorted(file.name for file in files), notes


def test_files_that_hold_no_audio_are_ignored_as_ever(folder):
    for name, content in NO_AUDIO.items():
        (folder / name).write_bytes(content)
    (folder / "Audio Files").mkdir()
    files, notes = find_song_files([folder], strict=True)
    assert (sorted(file.name for file in files), notes) == (["bass", "kick"], [])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("Vocal.sd2", b"anything"),
        ("Vocal.dsf", b"DSD " + bytes(500)),
        ("Vocal.m4p", b"\0\0\0\x20ftypM4P "),
        ("Vocal", "WAV"),
        ("Vocal.wav.bak", "WAV"),
        ("Vocal.1", "FLAC"),
        ("Vocal.bin", "AIFF"),
        ("Vocal.mp2", "MP3"),
        (".Vocal.wav.icloud", b"bplist00"),
        ("Vocal.m4a.lnk", b"L\0\0\0"),
    ],
)
def test_audio_that_is_no_track_is_said(folder, name, content):
    path = folder / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        soundfile.write(path, sound(), 44100, format=content)
    names, notes = notes_of(folder)
    assert names == ["bass", "kick"]
    assert len(notes) == 1
    assert notes[0].startswith(f"{path}: left out: ")
    with pytest.raises(InputError, match=f"{path.name}: .*or leave out --strict"):
        find_song_files([folder], strict=True)


def test_a_folder_of_nothing_but_such_files_says_so(tmp_path):
    (tmp_path / "Vocal.sd2").write_bytes(b"anything")
    with pytest.raises(InputError, match=r"no audio files.*Vocal\.sd2: left out"):
        find_song_files([tmp_path])


@needs_ffmpeg
@pytest.mark.parametrize("name", ["v.m4a", "v.wma", "v.mp4", "v.webm", "v.mov", "v.aac", "v.au"])
def test_sound_in_any_container_is_a_track(folder, tmp_path, name):
    convert(write_wav(tmp_path / "v.wav", sound(1)), folder / name)
    assert notes_of(folder) == (["bass", "kick", "v"], [])


@needs_ffmpeg
@pytest.mark.parametrize("name", ["v.mp4", "v.mov", "v.mkv", "v.avi", "v.wmv"])
def test_a_video_is_left_out_and_said(folder, tmp_path, name):
    wav = write_wav(tmp_path / "v.wav", sound(1))
    ffmpeg("-f", "lavfi", "-i", "color=s=64x48:d=1", "-i", wav, folder / name)
    names, notes = notes_of(folder)
    assert names == ["bass", "kick"]
    assert "a video with sound" in notes[0]
    ffmpeg("-f", "lavfi", "-i", "color=s=64x48:d=1", folder / f"silent{Path(name).suffix}")
    if Path(name).suffix in (".mp4", ".mov", ".mkv"):  # the others do not tell before decoding
        assert len(notes_of(folder)[1]) == 1


def found(root, **options):
    return [
        (song.song, song.kind, [Path(path).name for path in song.inputs])
        for song in search_songs(str(root), **options)
    ]


def test_a_side_of_a_pair_that_is_not_read_is_not_a_song_of_the_other(tmp_path):
    write_wav(tmp_path / "one" / "beat.wav", sound(1, 5000))
    (tmp_path / "one" / "vocal.sd2").write_bytes(b"anything")
    assert found(tmp_path) == [("one", "vocal", ["vocal.sd2", "beat.wav"])]
    write_wav(tmp_path / "one" / "vocal.wav", sound(1, 5000))
    assert found(tmp_path) == [("one", "vocal", ["vocal.wav", "beat.wav"])]


def test_pairs_of_foreign_formats_are_found_by_name(tmp_path):
    for name in ("a_vox.m4a", "a_beat.wav", "b_vox.wma", "b_beat.aac", "c_vox.flac", "c_beat.ac3"):
        (tmp_path / name).write_bytes(b"")
    assert [song for song, kind, _ in found(tmp_path) if kind == "vocal"] == ["a", "b", "c"]


def test_each_stems_file_of_a_folder_is_a_song(tmp_path):
    for name in ("x/One.stem.mp4", "x/Two.stem.m4a", "x/y/kick.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert sorted(found(tmp_path)) == [
        ("x/One", "stems", ["One.stem.mp4"]),
        ("x/Two", "stems", ["Two.stem.m4a"]),
        ("x/y", "stems", ["y"]),
    ]
