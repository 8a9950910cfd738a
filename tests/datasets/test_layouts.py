"""What is particular to single data sets, and telling them apart."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from automix.datasets import enst_drums, medleydb, musdb18hq, plain
from automix.datasets.catalog import LAYOUTS, find_songs
from automix.errors import InputError, UsageError


def named(songs, name):
    [song] = [song for song in songs if song.name == name]
    return song


def roles(song):
    return {stem.path.stem: stem.role for stem in song.stems}


def silence(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(os.fsencode(path), [0.0] * 100, 44100, format="WAV")


# Telling them apart


def test_nothing_that_is_known(tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "readme.txt").write_text("no audio")
    with pytest.raises(InputError) as caught:
        find_songs(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert all(row.name in str(caught.value) for row in LAYOUTS)
    with pytest.raises(UsageError, match="medleydb-raw"):
        find_songs(tmp_path, "medley")


@pytest.mark.parametrize("layout", ["musdb18hq", "medleydb", "enst-drums"])
def test_the_folder_above_is_not_taken_for_plain_songs(make_tree, layout, tmp_path):
    """Or microphones would be songs."""
    root = make_tree(layout).root
    above = tmp_path / "above" / "one"
    above.mkdir(parents=True)
    root.rename(above / "set")
    with pytest.raises(InputError, match="set; give that") as caught:
        find_songs(above)
    assert layout in str(caught.value)


@pytest.mark.parametrize(
    ("layout", "part", "count"),
    [
        ("musdb18hq", "train", 2),
        ("musdb18hq", "test", 1),
        ("medleydb", "V1", 2),
        ("medleydb", "V1/Bob_Two", 1),
        ("enst-drums", "drummer_1", 2),
    ],
)
def test_parts_are_told_too(make_tree, layout, part, count, monkeypatch):
    root = make_tree(layout).root
    whole = {song.name for song in find_songs(root)}
    found = find_songs(root / part)
    assert len(found) == count
    assert {song.name for song in found} <= whole
    assert found == find_songs(root / part, layout)
    monkeypatch.chdir(root / part)
    from_within = find_songs(Path())
    assert [song.name for song in from_within] == [song.name for song in found]


def test_listing_the_catalog_loads_nothing():
    code = (
        "import sys, json, automix.datasets.catalog as c;"
        "print(json.dumps([len(c.LAYOUTS), sorted({m.split('.')[0] for m in sys.modules})]))"
    )
    count, modules = json.loads(subprocess.check_output([sys.executable, "-c", code]))
    assert count == len(LAYOUTS)
    assert not {"numpy", "torch", "numba", "scipy", "soundfile", "yaml"} & set(modules)


# Plain folders


def test_a_song_may_be_given_itself(make_tree):
    root = make_tree("plain").root
    [song] = plain.read_songs(root / "Ann - First")
    assert (song.name, song.artist) == ("Ann - First", "Ann")


def test_audio_beside_song_folders_is_not_a_song(make_tree):
    root = make_tree("plain").root
    silence(root / "demo.wav")
    with pytest.raises(InputError, match="both audio files and folders"):
        plain.read_songs(root)


def test_links_to_songs_are_followed_in_no_circle(make_tree, tmp_path):
    root = make_tree("plain").root
    linked = tmp_path / "linked"
    linked.mkdir()
    for name in ("Solo", "Bob"):
        (linked / name).symlink_to(root / name)
    (linked / "again").symlink_to(root / "Solo")
    (linked / "circle").symlink_to(linked)
    assert sorted(len(song.stems) for song in plain.read_songs(linked)) == [1, 3]


def test_names_that_are_not_unicode(tmp_path):
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    try:
        os.mkdir(folder)
    except OSError:
        pytest.skip("this file system has Unicode names only")
    silence(Path(os.fsdecode(folder)) / "kick.wav")
    [song] = plain.read_songs(tmp_path)
    assert os.fsencode(song.name) == b"caf\xe9"


# MUSDB18-HQ


def test_musdb_prescribes_its_sides_and_roles(make_tree):
    songs = musdb18hq.read_songs(make_tree("musdb18hq").root)
    assert [song.group for song in songs] == ["train", "train", "test"]
    assert roles(songs[0]) == {
        "bass": "bass", "drums": "drums", "other": "other", "vocals": "lead vocal",
    }  # fmt: skip


def test_a_song_on_both_sides_of_musdb(make_tree):
    root = make_tree("musdb18hq").root
    (root / "test" / "Cy - Third").rename(root / "test" / "Ann - First")
    with pytest.raises(InputError, match="two songs are named Ann - First"):
        musdb18hq.read_songs(root)


# MedleyDB


def test_roles_come_from_the_instruments_of_the_metadata(make_tree):
    song = named(medleydb.read_songs(make_tree("medleydb").root), "Bob_Two")
    assert roles(song) == {
        "Bob_Two_STEM_01": "bass",
        "Bob_Two_STEM_02": "lead vocal",
        "Bob_Two_STEM_03": "backing vocal",  # sings, but not the melody
    }
    assert [stem.name for stem in song.stems] == ["electric bass", "female singer", "male singer"]


def test_raw_tracks_have_unique_names(make_tree):
    song = named(medleydb.read_songs(make_tree("medleydb").root, "raw"), "Bob_Two")
    assert [stem.path.parent.name for stem in song.stems] == ["Bob_Two_RAW"] * 4
    assert [stem.name for stem in song.stems] == [
        "electric bass", "electric bass 2", "female singer", "male singer",
    ]  # fmt: skip


def test_a_song_without_metadata(make_tree):
    song = named(medleydb.read_songs(make_tree("medleydb").root), "Cy_Three")
    assert {stem.role for stem in song.stems} == {"other"}
    assert [stem.name for stem in song.stems] == ["stem 1", "stem 2", "stem 3"]
    assert "no metadata" in song.notes[0]


def test_metadata_may_lie_in_a_folder_of_its_own(make_tree):
    root = make_tree("medleydb").root
    before = medleydb.read_songs(root)
    (root / "V1" / "Metadata").mkdir()
    name = "Bob_Two_METADATA.yaml"
    (root / "V1" / "Bob_Two" / name).rename(root / "V1" / "Metadata" / name)
    assert medleydb.read_songs(root) == before


def test_metadata_may_hold_stars_marks_and_instruments_of_any_name(make_tree):
    root = make_tree("medleydb").root
    path = root / "V1" / "Bob_Two" / "Bob_Two_METADATA.yaml"
    text = path.read_text().replace("artist:", "title: 'a *star* & more'\nartist:", 1)
    before = medleydb.read_songs(root)
    path.write_bytes(("\ufeff" + text.replace("\n", "\r\n")).encode("utf-16-le"))
    assert medleydb.read_songs(root) == before
    long = re.sub("instrument: [a-z ]*", f"instrument: 'n {'9' * 5000}'", text)
    path.write_text(f"length: {'9' * 5000}\nwhen: 1{':1' * 9000}.5\n{long}")
    assert len(medleydb.read_songs(root)) == len(before)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("artist: [", "cannot be read as metadata"),
        ("artist: !!python/object/apply:os.getcwd []", "line 1: has a tag"),
        ("artist: a\nyear: !!int ''", "line 2: has a tag"),
        ("artist: a\nyear: !!timestamp x", "line 2: has a tag"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nstems: [*b, *b]", "line 2: has an alias"),
        ("just a text", "holds no metadata"),
        ("\x00", "line 1: holds a null character"),
        ("artist: &a [x]\nstems: *a", "line 2: has an alias"),
        ("[" * 100_000, "cannot be read as metadata"),
    ],
)
def test_metadata_that_is_none(make_tree, text, message):
    root = make_tree("medleydb").root
    path = root / "V1" / "Bob_Two" / "Bob_Two_METADATA.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        medleydb.read_songs(root)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["artist: 1969\nstems: none", "stems: {S01: [1], S02: {raw: 3}}"])
def test_metadata_of_another_form_tell_what_they_can(make_tree, text):
    root = make_tree("medleydb").root
    (root / "V1" / "Bob_Two" / "Bob_Two_METADATA.yaml").write_text(text)
    song = named(medleydb.read_songs(root), "Bob_Two")
    assert song.artist == ("1969" if "1969" in text else "Bob")
    assert len(song.stems) == 3


def test_a_stem_that_the_metadata_list_must_be_there(make_tree):
    root = make_tree("medleydb").root
    (root / "V1" / "Bob_Two" / "Bob_Two_STEMS" / "Bob_Two_STEM_02.wav").unlink()
    with pytest.raises(InputError, match="STEM_02.wav: is missing"):
        medleydb.read_songs(root)
    assert len(medleydb.read_songs(root, "raw")) == 3


# ENST-Drums


def test_microphones_of_the_drums(make_tree):
    root = make_tree("enst-drums").root
    song = named(enst_drums.read_songs(root), "drummer_2/036_phrase_disco_simple_slow_sticks")
    assert [stem.role for stem in song.stems] == [
        "hats", "kick", "overheads", "overheads", "snare", "tom", "tom", "tom",
    ]  # fmt: skip
    assert len({stem.name for stem in song.stems}) == 8
    assert all(stem.right is None for stem in song.stems)
    assert song.split_within_artist


def test_single_strokes_count_when_asked_for(make_tree):
    root = make_tree("enst-drums").root
    assert len(enst_drums.read_songs(root, hits=True)) == len(enst_drums.read_songs(root)) + 2


def test_a_microphone_less_is_said(make_tree):
    root = make_tree("enst-drums").root
    recording = "036_phrase_disco_simple_slow_sticks"
    (root / "drummer_2" / "audio" / "tom_3" / f"{recording}.wav").unlink()
    song = named(enst_drums.read_songs(root), f"drummer_2/{recording}")
    assert len(song.stems) == 7
    assert "no recording of tom_3" in song.notes[0]
