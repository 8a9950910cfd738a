"""Manifests: what they say, and what is wrong with them."""

from pathlib import Path

import pytest

from automix.batch import manifest
from automix.batch.item import Item
from automix.batch.manifest import read_manifest
from automix.cli.app import load
from automix.errors import InputError, UsageError


def read(folder: Path, name: str, text: str | bytes) -> list[Item]:
    content = text if isinstance(text, bytes) else text.encode()
    (folder / name).write_bytes(content)
    return list(read_manifest(str(folder / name)))


def test_csv(tmp_path: Path) -> None:
    table = (
        "vocal,beat,stems,name,loudness,set,strict,config,output\n"
        'a vox.wav,a beat.wav,,"First,\nsong",-14,vocal.pan=0.1; master.gain_db=-1,true,my.toml,\n'
        "\n"
        ",,-song,,,,false,,sub/-song.flac\n"
    )
    first, second = read(tmp_path, "songs.csv", "\ufeff" + table)
    assert (first.kind, first.song, first.output) == ("vocal", "First,\nsong", "")
    assert first.inputs == (f"{tmp_path}/a vox.wav", f"{tmp_path}/a beat.wav")
    assert first.options == (
        "--loudness=-14",
        "--set=vocal.pan=0.1",
        "--set=master.gain_db=-1",
        "--strict",
        f"--config={tmp_path}/my.toml",
    )
    assert (second.kind, second.song, second.output) == ("stems", "-song", "sub/-song.flac")
    assert (second.inputs, second.options) == ((f"{tmp_path}/-song",), ())
    assert second.source.endswith("songs.csv, line 5")
    for delimiter in ";\t":
        (item,) = read(tmp_path, "other.csv", f"stems{delimiter}loudness\nx{delimiter}-9.5\n")
        assert item.options == ("--loudness=-9.5",)


def test_toml(tmp_path: Path) -> None:
    (item,) = read(
        tmp_path,
        "songs.toml",
        '[[song]]\nstems = "/songs/Ü"\nloudness = -14\nstrict = true\nrepair = false\n'
        'true_peak = -1.5\nrole = ["a=bass", "b=kick"]\nreference = ["one.wav", "/two.wav"]\n',
    )
    assert (item.inputs, item.song) == (("/songs/Ü",), "Ü")
    assert item.options == (
        "--loudness=-14",
        "--strict",
        "--true-peak=-1.5",
        "--role=a=bass",
        "--role=b=kick",
        f"--reference={tmp_path}/one.wav",
        "--reference=/two.wav",
    )


def test_names_that_are_not_unicode(tmp_path: Path) -> None:
    (item,) = read(tmp_path, "songs.csv", b"stems\ncaf\xe9\n")
    assert item.inputs == (f"{tmp_path}/caf\udce9",)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("m.csv", "vocal,beat\na.wav,\n", "line 2: name `vocal` and `beat`, or `stems`"),
        ("m.csv", "vocal,beat,stems\na,b,c\n", "line 2: name `vocal`"),
        ("m.csv", "stems\na\nb,c\n", "line 3: more cells"),
        ("m.csv", 'stems\n"a\n', "unexpected end"),
        ("m.csv", "stems,json\na,true\n", "'json' is not an option of one song"),
        ("m.csv", "stems,export_stems\na,b\n", "'export_stems' is not an option"),
        ("m.toml", "[[song]]\nstems = 1\n", "song 1: stems must be a text"),
        ("m.toml", "[[song]]\nstems = 'a'\nset = [1]\n", "song 1: set must be"),
        ("m.toml", "song = 3\n", r"\[\[song\]\] tables"),
        ("m.toml", "[[tracks]]\nfile = 'a'\n", r"\[\[song\]\] tables"),
        ("m.toml", "[[song]\n", "is not a TOML file"),
        ("m.toml", "song = [1]\n", "song 1: must be a table"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read(tmp_path, name, text)


def test_a_manifest_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone.csv: cannot be read"):
        list(read_manifest(str(tmp_path / "gone.csv")))


def test_the_lists_of_options_are_those_of_the_commands() -> None:
    options = {
        name.removeprefix("--"): option
        for command in ("vocal", "stems")
        for option in load(command).params
        for name in option.opts
        if name.startswith("--")
    }
    assert options.keys() >= manifest.OF_THE_RUN - {"help"}
    assert {name for name, option in options.items() if option.multiple} == manifest.REPEATED
