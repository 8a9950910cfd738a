"""Which songs are found in folders."""

from pathlib import Path

import pytest

from automix.errors import InputError, UsageError
from automix.files.extensions import AUDIO_EXTENSIONS
from automix.session.song_search import find_audio_entries, search_songs


def made(root: Path, *names: str) -> str:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return str(root)


def found(root: str, **options: str) -> list[tuple[str, str, list[str]]]:
    return [
        (item.song, item.kind, [Path(path).relative_to(root).as_posix() for path in item.inputs])
        for item in search_songs(root, **options)
    ]


def test_what_counts_as_audio_is_what_stems_takes() -> None:
    assert set(AUDIO_EXTENSIONS) == AUDIO_EXTENSIONS


def test_pairs_and_tracks_in_folders_of_folders(tmp_path: Path) -> None:
    root = made(
        tmp_path,
        *("Album/01 One/vocal.wav", "Album/01 One/beat.flac", "Album/01 One/mix.wav"),
        *("Album/02 Two/kick.wav", "Album/02 Two/Bass.mp3", "Album/02 Two/takes/bass.wav"),
        *("pairs/a_vox.wav", "pairs/a_beat.wav", "pairs/b - Acapella.WAV"),
        *("pairs/b - Instrumental.WAV", "pairs/cover.jpg", "pairs/._c_vox.wav"),
        *("empty/readme.txt", ".hidden/vocal.wav", "__MACOSX/kick.wav"),
    )
    assert found(root) == [
        ("Album/01 One", "vocal", ["Album/01 One/vocal.wav", "Album/01 One/beat.flac"]),
        ("Album/02 Two", "stems", ["Album/02 Two"]),
        ("pairs/a", "vocal", ["pairs/a_vox.wav", "pairs/a_beat.wav"]),
        ("pairs/b", "vocal", ["pairs/b - Acapella.WAV", "pairs/b - Instrumental.WAV"]),
    ]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["vocal.wav", "beat.wav"], ("song", "vocal")),
        (["Vocals.wav", "Instrumental.wav"], ("song", "vocal")),
        (["x\ny_vox.wav", "x\ny_beat.wav"], ("x\ny", "vocal")),
        (["lead vox.wav", "backing track.wav"], ("song", "vocal")),
        (["vocals.wav", "bass.wav", "drums.wav", "other.wav"], ("song", "stems")),
        (["Lead Vocal.wav", "Backing Vocal.wav", "Beat.wav", "Keys.wav"], None),
        (["a_vox.wav", "b_beat.wav"], ("song", "stems")),
        (["a_vox.wav", "a_vocal.wav", "a_beat.wav"], ("song", "stems")),
        (["beatbox.wav", "invoice.wav"], ("song", "stems")),
    ],
)
def test_what_names_say(tmp_path: Path, names: list[str], expected: tuple[str, str] | None) -> None:
    root = made(tmp_path / "song", *names)
    if expected is None:
        with pytest.raises(UsageError, match="--kind"):
            found(root)
        assert [kind for _, kind, _ in found(root, kind="vocal")] == ["vocal"]
        assert [kind for _, kind, _ in found(root, kind="stems")] == ["stems"]
    else:
        assert [(song, kind) for song, kind, _ in found(root)] == [expected]


def test_a_folder_without_a_pair_is_refused_where_pairs_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no vocal with its beat"):
        found(made(tmp_path, "kick.wav"), kind="vocal")


def test_own_mixes_and_the_folder_of_the_batch_are_left_out(tmp_path: Path) -> None:
    root = made(tmp_path, "song/kick.wav", "song/song.wav", "mixes/song.wav")
    (tmp_path / "song" / "song.toml").write_text("# automix plan: edit any value")
    (song,) = search_songs(root, leave_out=str(tmp_path / "mixes"))
    assert [entry.path for entry in find_audio_entries(song.inputs[0])] == [
        str(tmp_path / "song" / "kick.wav")
    ]


def test_links_that_lead_back_are_followed_once(tmp_path: Path) -> None:
    root = made(tmp_path, "a/song/kick.wav")
    (tmp_path / "a" / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "again").symlink_to(tmp_path / "a" / "song", target_is_directory=True)
    assert [song for song, _, _ in found(root)] == ["a/song"]
