"""Song folders: whole or absent, locked, and what a killed run leaves is cleared away."""

from pathlib import Path

import pytest

from automix.errors import OutputError
from automix.synthesis.folder import SongFolder, read_fingerprint, remove_leftover


def test_a_folder_appears_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "song-0001"
    with SongFolder(path) as folder:
        (folder.temporary / "kick.wav").write_text("x")
        assert not path.exists()
    assert [file.name for file in path.iterdir()] == ["kick.wav"]
    assert list(tmp_path.iterdir()) == [path]


def fill_and_fail(folder: SongFolder) -> None:
    with folder:
        (folder.temporary / "kick.wav").write_text("x")
        raise KeyboardInterrupt


def test_an_interrupted_folder_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        fill_and_fail(SongFolder(tmp_path / "song-0001"))
    assert not list(tmp_path.iterdir())


def test_an_interrupted_folder_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "song-0001"
    path.mkdir()
    (path / "old.wav").write_text("old")
    with pytest.raises(KeyboardInterrupt):
        fill_and_fail(SongFolder(path, overwrite=True))
    assert (path / "old.wav").read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    with SongFolder(path, overwrite=True) as folder:
        (folder.temporary / "new.wav").write_text("new")
    assert [file.name for file in path.iterdir()] == ["new.wav"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "song-0001").mkdir()
    with pytest.raises(OutputError, match="--force"):
        SongFolder(tmp_path / "song-0001")
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="is not a folder"):
        SongFolder(tmp_path / "file", overwrite=True)
    assert (tmp_path / "file").read_text() == "x"


def test_two_runs_do_not_write_one_folder(tmp_path: Path) -> None:
    path = tmp_path / "song-0001"
    with SongFolder(path) as folder:
        (folder.temporary / "kick.wav").write_text("x")
        with pytest.raises(OutputError, match="another run"):
            SongFolder(path)
        remove_leftover(path)  # it is at work: stays
        assert (folder.temporary / "kick.wav").exists()
    assert (path / "kick.wav").read_text() == "x"


def test_what_a_killed_run_left_is_cleared_away(tmp_path: Path) -> None:
    path = tmp_path / "song-0001"
    left = tmp_path / ".song-0001.part"
    left.mkdir()
    (left / "snare.wav").write_text("x")
    with SongFolder(path) as folder:
        assert not list(folder.temporary.iterdir())
    left.mkdir()
    (left / "snare.wav").write_text("x")
    remove_leftover(path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_song_that_was_replaced_as_the_run_was_killed_does_not_stay(tmp_path: Path) -> None:
    path, old = tmp_path / "song-0001", tmp_path / ".song-0001.old"
    for folder in (path, old):
        folder.mkdir()
        (folder / "kick.wav").write_text(folder.name)
    with SongFolder(path, overwrite=True) as folder:
        (folder.temporary / "new.wav").write_text("x")
    assert [file.name for file in path.iterdir()] == ["new.wav"]
    old.mkdir()
    (old / "kick.wav").write_text("x")
    remove_leftover(path)
    assert list(tmp_path.iterdir()) == [path]
    path.rename(old)
    remove_leftover(path)
    assert [file.name for file in path.iterdir()] == ["new.wav"]


def test_the_fingerprint_of_what_is_no_song_is_none(tmp_path: Path) -> None:
    assert read_fingerprint(tmp_path) is None
    (tmp_path / "mix.toml").write_text("not = [toml")
    assert read_fingerprint(tmp_path) is None
    (tmp_path / "mix.toml").write_text('request = "abc"')
    assert read_fingerprint(tmp_path) == "abc"
