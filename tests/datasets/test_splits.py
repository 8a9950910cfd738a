"""Splits: nothing on two sides, the shares asked for, the same on every machine."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from automix.datasets.song import SongFiles
from automix.datasets.splits import (
    SIDES,
    Split,
    make_name_key,
    read_split,
    split_songs,
    write_split,
)
from automix.errors import InputError, OutputError, UsageError
from automix.session.tracks import TrackFile

STEM = TrackFile(name="kick", role="kick", path=Path("kick.wav"))


def song(name, artist="", **values):
    return SongFiles(name=name, artist=artist or name, stems=(STEM,), human=None, **values)


def names(split):
    return {side: [found.name for found in getattr(split, side)] for side in SIDES}


def counts(split):
    return tuple(len(getattr(split, side)) for side in SIDES)


def random_songs(seed):
    """Up to 60 songs of up to 20 artists, some of whose names and spellings recur."""
    draw = random.Random(seed)
    artists = [f"Artist {number}" for number in range(draw.randint(1, 20))]
    found = {}
    for number in range(draw.randint(1, 60)):
        artist = draw.choice(artists)
        spelled = draw.choice([artist, artist.upper(), artist.replace(" ", "_"), artist + " ft. X"])
        name = draw.choice([f"Song {number}", f"song_{draw.randint(0, 60)}"])
        group = draw.choice(["", "", "", "train", "test", "validation"]) if seed % 3 == 0 else ""
        found[name] = song(name, spelled, group=group)
    return list(found.values())


@pytest.mark.parametrize("seed", range(30))
def test_no_artist_and_no_song_is_on_two_sides(seed):
    songs = random_songs(seed)
    try:
        split = split_songs(songs, validation=0.15, test=0.2, seed=seed)
    except InputError:
        assert any(found.group for found in songs)  # what is prescribed may leave none
        return
    sides = {found.name: side for side in SIDES for found in getattr(split, side)}
    left = {found.name for found in split.left_out}
    assert len(sides) + len(left) == len(songs)
    for one in songs:
        for other in songs:
            artists = [found.artist.upper().replace("_", " ") for found in (one, other)]
            same_artist = artists[0].split(" FT.")[0] == artists[1].split(" FT.")[0]
            same_name = one.name.lower().replace(" ", "_") == other.name.lower().replace(" ", "_")
            if (same_artist or same_name) and not {one.name, other.name} & left:
                assert sides[one.name] == sides[other.name]
    for found in songs:
        if found.group in ("test", "validation") and found.name not in left:
            assert sides[found.name] == found.group
        if found.group == "train" and found.name not in left:
            assert sides[found.name] != "test"
    assert all(found.group for found in split.left_out)
    assert split.train


@pytest.mark.parametrize("seed", range(8))
def test_the_order_of_songs_does_not_matter(seed):
    songs = random_songs(1 + 3 * seed)
    first = split_songs(songs)
    random.Random(seed).shuffle(songs)
    assert split_songs(songs) == first


def test_the_order_does_not_matter_where_a_name_links_artists():
    songs = [song("x", "a"), song("X", "b"), song("x!", "c")]
    songs += [song(f"s{number}") for number in range(40)]
    for seed in range(20):
        assert split_songs(songs[::-1], seed=seed) == split_songs(songs, seed=seed)


def test_seeds_differ():
    songs = [song(f"s{number}") for number in range(40)]
    splits = [names(split_songs(songs, seed=seed))["test"] for seed in range(10)]
    assert len({tuple(split) for split in splits}) > 5
    drawn = {name for split in splits for name in split}
    assert len(drawn) > 15  # no song is preferred


@pytest.mark.parametrize(
    ("artists", "expected"),
    [(1, (1, 0, 0)), (2, (1, 1, 0)), (3, (1, 1, 1)), (4, (2, 1, 1)), (10, (8, 1, 1)),
     (100, (80, 10, 10))],
)  # fmt: skip
def test_shares_with_few_and_with_many_artists(artists, expected):
    for seed in range(20):
        split = split_songs([song(f"s{number}") for number in range(artists)], seed=seed)
        assert counts(split) == expected


def test_one_artist_trains():
    songs = [song(f"s{number}", "Ann") for number in range(9)]
    assert counts(split_songs(songs)) == (9, 0, 0)


def test_the_prolific_artist_trains():
    """Where one has 30 songs and five have one each, no side waits for the thirty."""
    songs = [song(f"s{number}", "Ann") for number in range(30)]
    songs += [song(f"t{number}") for number in range(5)]
    for seed in range(20):
        split = split_songs(songs, seed=seed)
        assert {found.artist for found in split.train} >= {"Ann"}
        assert min(counts(split)) >= 1


def test_artists_with_more_songs_than_the_share_are_taken_from_the_smallest_on():
    songs = [
        song(f"{artist}{number}", artist)
        for artist, count in (("a", 30), ("b", 20), ("c", 10))
        for number in range(count)
    ]
    for seed in range(5):
        assert counts(split_songs(songs, seed=seed)) == (30, 10, 20)


def test_no_share_no_song():
    songs = [song(f"s{number}") for number in range(10)]
    assert counts(split_songs(songs, validation=0.0, test=0.0)) == (10, 0, 0)
    assert counts(split_songs(songs, validation=0.2, test=0.0)) == (8, 2, 0)
    for wrong in ({"validation": -0.1}, {"validation": 0.5, "test": 0.5}, {"test": float("nan")}):
        with pytest.raises(UsageError, match="shares"):
            split_songs(songs, **wrong)


def test_recordings_are_split_inside_each_drummer():
    """80/10/10 of each, not of all."""
    songs = [
        song(f"drummer_{drummer}/{number:03}", f"drummer_{drummer}", split_within_artist=True)
        for drummer, count in ((1, 60), (2, 40), (3, 20))
        for number in range(count)
    ]
    split = split_songs(songs)
    for drummer, expected in ((1, (48, 6, 6)), (2, (32, 4, 4)), (3, (16, 2, 2))):
        assert expected == tuple(
            sum(found.artist == f"drummer_{drummer}" for found in getattr(split, side))
            for side in SIDES
        )


def test_prescribed_sides_are_kept_and_validation_comes_from_training():
    train = [song(f"a{number}", group="train") for number in range(100)]
    test = [song(f"b{number}", group="test") for number in range(50)]
    split = split_songs([*train, *test])
    assert counts(split) == (90, 10, 50)
    assert {found.group for found in split.test} == {"test"}
    assert {found.group for found in split.validation} == {"train"}
    given = [*train[10:], *test, *(replace(found, group="validation") for found in train[:10])]
    split = split_songs(given)
    assert {found.group for found in split.validation} == {"validation"}
    assert counts(split) == (90, 10, 50)


def test_an_artist_on_two_prescribed_sides_is_left_out_of_training():
    """As in MUSDB18: Skelpolu and Hollow Ground are in train/ and test/; guests do not hide it."""
    songs = [
        song("Skelpolu - Human Mistakes", "Skelpolu", group="train"),
        song("Skelpolu - Resurrection", "Skelpolu", group="test"),
        song("Triviul - Angelsaint", "Triviul", group="train"),
        song("Triviul feat. The Fiend - Widow", "Triviul feat. The Fiend", group="test"),
        song("A - B", "A", group="train"),
        song("C - D", "C", group="train"),
    ]
    split = split_songs(songs)
    assert [found.artist for found in split.left_out] == ["Skelpolu", "Triviul"]
    assert {found.group for found in split.left_out} == {"train"}
    assert counts(split) == (1, 1, 2)


def test_songs_that_data_sets_share_stay_together():
    """MUSDB18 has songs of MedleyDB."""
    musdb = song("A Classic Education - NightOwl", "A Classic Education", group="test")
    medley = song("AClassicEducation_NightOwl", "A Classic Education")
    others = [song(f"s{number}") for number in range(10)]
    for seed in range(10):
        test = split_songs([medley, musdb, *others], seed=seed).test
        assert {musdb, medley} <= set(test)


def test_spellings():
    assert make_name_key("Beyoncé – Halo (Live)") == make_name_key("beyonce_halo-live")
    assert make_name_key("Straße") == make_name_key("STRASSE")
    assert make_name_key("!!!") != make_name_key("???")
    assert make_name_key("Song 1") != make_name_key("Song 2")
    assert make_name_key("花") != make_name_key("鳥")


def test_songs_that_cannot_be_split():
    with pytest.raises(InputError, match="no song of 0"):
        split_songs([])
    with pytest.raises(InputError, match="no song of 1"):
        split_songs([song("a", group="test")])
    with pytest.raises(InputError, match="two songs are named a"):
        split_songs([song("a", "x"), song("a", "y")])


# Files

ODD = ('"quoted" \\ name', "tab\tand\nline", "caf\udce9", "花 – 鳥", "del\x7f", "# = [x]")


def test_a_split_survives_the_disk(tmp_path):
    songs = [song(name) for name in ODD] + [song(f"s{number}") for number in range(20)]
    split = split_songs(songs, seed=3)
    path = tmp_path / "deep" / "split.toml"
    write_split(split, path)
    assert read_split(path, songs[::-1]) == split
    with pytest.raises(OutputError, match="exists"):
        write_split(split, path)
    write_split(Split(train=tuple(songs), validation=(), test=()), path, overwrite=True)
    assert len(read_split(path, songs).train) == len(songs)
    assert [file.name for file in path.parent.iterdir()] == ["split.toml"]


def test_songs_that_the_file_does_not_name_are_left_out(tmp_path):
    songs = [song(f"s{number}") for number in range(5)]
    write_split(split_songs(songs), tmp_path / "split.toml")
    new = song("new")
    assert read_split(tmp_path / "split.toml", [*songs, new]).left_out == (new,)


def test_a_song_left_out_may_be_gone_or_spelled_otherwise(tmp_path):
    a, b, other = song("A"), song("b"), song("a", group="train")
    split = Split(train=(b,), validation=(), test=(a,), left_out=(other,))
    write_split(split, tmp_path / "split.toml")
    assert read_split(tmp_path / "split.toml", [a, b, other]) == split
    assert read_split(tmp_path / "split.toml", [a, b]) == replace(split, left_out=())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('format = 1\ntrain = ["a"]\ntest = ["gone"]', "'gone' of test is not among the 2 songs"),
        ('format = 1\ntrain = ["a"]\ntest = ["a"]', "'a' is twice in test, or on two sides"),
        ('format = 1\ntrain = ["a"]\ntest = ["A"]', "'A' is twice in test, or on two sides"),
        ('format = 1\ntrain = ["a", "a"]', "twice in train"),
        ('format = 1\ntrain = ["a"]\nleft_out = ["a"]', "twice in left_out, or on two"),
        ('format = 1\ntrain = "a"', "train must be a list of names"),
        ("format = 1\ntrain = [1]", "train must be a list of names"),
        ("format = 1\ntrial = []", "unknown key 'trial'"),
        ('train = ["a"]', "no split of format 1"),
        ("train = [", "not valid TOML: "),
        ("\x00", "line 1: holds a null character"),
    ],
)
def test_files_that_are_refused(tmp_path, text, message):
    path = tmp_path / "split.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        read_split(path, [song("a"), song("b")])
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_split(tmp_path / "split.toml", [])
