"""What every data set promises, on a tiny tree in each real layout."""

import importlib
import shutil

import pytest

from automix.datasets.catalog import LAYOUTS, find_songs
from automix.datasets.splits import SIDES, read_split, split_songs, write_split
from automix.errors import InputError
from automix.files.info import ReadOptions
from automix.files.reading import open_audio
from automix.plan.roles import ROLES
from automix.session.song_folder import open_song


@pytest.fixture
def songs(tree):
    return {song.name: song for song in find_songs(tree.root, tree.layout)}


@pytest.mark.parametrize("row", LAYOUTS, ids=lambda row: row.name)
def test_every_layout_has_a_tree(row, make_tree):
    assert make_tree(row.name).layout == row.name


def test_all_songs_are_listed_once_and_in_order(tree):
    names = [song.name for song in find_songs(tree.root, tree.layout)]
    assert names == sorted(tree.songs)


def test_the_layout_is_told_by_what_lies_there(tree):
    if tree.told:
        assert find_songs(tree.root) == find_songs(tree.root, tree.layout)


def test_artists_are_known(tree, songs):
    assert {name: song.artist for name, song in songs.items()} == tree.songs


def test_all_stems_are_found_and_nothing_else(tree, songs):
    assert {name: len(song.stems) for name, song in songs.items()} == tree.stems
    for song in songs.values():
        paths = [path for stem in song.stems for path in stem.paths]
        assert song.human not in paths
        assert paths == sorted(paths)
        assert all(stem.role in ROLES for stem in song.stems)


def test_the_human_mix_is_found(tree, songs):
    found = {
        name: song.human and str(song.human.relative_to(tree.root)) for name, song in songs.items()
    }
    assert found == tree.human
    for song in songs.values():
        if song.human:
            sides = 1 if tree.layout == "signaltrain-la2a" else 2
            assert open_audio(song.human).source.channels == sides


def test_songs_open(tree, songs):
    for name, song in songs.items():
        session = open_song(song.stems, ReadOptions())
        assert len(session.tracks) == tree.stems[name]
        assert session.sample_rate == 44100


def test_a_missing_file_is_named(tree):
    if tree.layout == "plain":  # needs no file: the sum of the stems is the human mix
        (tree.root / "Solo" / "mix.wav").unlink()
        [song] = [song for song in find_songs(tree.root, "plain") if song.name == "Solo"]
        assert song.human is None
        assert "sum of the stems" in song.notes[0]
        return
    (tree.root / tree.needed).unlink()
    with pytest.raises(InputError, match="is missing") as caught:
        find_songs(tree.root, tree.layout)
    assert str(tree.root / tree.needed) in str(caught.value)


def test_a_folder_without_songs_is_an_error(tree, tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        find_songs(tmp_path / "nowhere", tree.layout)
    with pytest.raises(InputError, match="not a folder"):
        find_songs(next(path for path in tree.root.rglob("*.wav")), tree.layout)
    shutil.rmtree(tree.root)
    tree.root.mkdir()
    with pytest.raises(InputError, match="no songs") as caught:
        find_songs(tree.root, tree.layout)
    assert str(tree.root) in str(caught.value)


def test_an_emptied_song_is_an_error(tree):
    """Half a copy: the folders are there, and junk, but no audio."""
    song = find_songs(tree.root, tree.layout)[0]
    for file in song.stems[0].path.parent.iterdir():
        if file.suffix == ".wav" and not file.name.startswith("."):
            file.unlink()
    if "enst" in tree.layout:  # one microphone less
        assert len(find_songs(tree.root, tree.layout)[0].notes) == 1
        return
    with pytest.raises(InputError, match=r"no audio|is missing"):
        find_songs(tree.root, tree.layout)


def test_splits_of_each_layout_survive_the_disk(tree, songs, tmp_path):
    for seed in range(5):
        split = split_songs(list(songs.values()), validation=0.3, test=0.3, seed=seed)
        names = [song.name for side in SIDES for song in getattr(split, side)]
        assert sorted(names) == sorted(songs)
        assert split.train
        assert split.validation
        write_split(split, tmp_path / f"split{seed}.toml")
        assert read_split(tmp_path / f"split{seed}.toml", list(songs.values())) == split


@pytest.mark.parametrize("row", LAYOUTS, ids=lambda row: row.name)
def test_sources_are_cited(row):
    text = importlib.import_module(row.module).__doc__
    for word in ("Citation: ", "Licence: ", "Access: "):
        assert text.count(f"\n{word}") == 1
    assert "nothing is downloaded" in text
    assert row.summary
