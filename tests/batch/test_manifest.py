"""Manifests: what they say, and what is wrong with them."""

import contextlib
from pathlib import Path

import pytest

from automix.batch.manifest import PLACES, REQUESTS, Row, read_manifest
from automix.cli.app import load
from automix.errors import InputError, UsageError


def read(folder: Path, name: str, text: str | bytes) -> list[Row]:
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
    assert first.options == {
        "loudness": -14.0,
        "changes": ["vocal.pan=0.1", "master.gain_db=-1"],
        "strict": True,
        "config": tmp_path / "my.toml",
    }
    assert (second.kind, second.song, second.output) == ("stems", "-song", "sub/-song.flac")
    assert (second.inputs, second.options) == ((f"{tmp_path}/-song",), {})
    assert second.source.endswith("songs.csv, line 5")
    for delimiter in ";\t":
        (item,) = read(tmp_path, "other.csv", f"stems{delimiter}loudness\nx{delimiter}-9.5\n")
        assert item.options == {"loudness": -9.5}


def test_toml(tmp_path: Path) -> None:
    (item,) = read(
        tmp_path,
        "songs.toml",
        '[[song]]\nstems = "/songs/Ü"\nloudness = -14\nstrict = true\nrepair = false\n'
        'true_peak = -1.5\nrole = ["a=bass", "b=kick"]\nreference = ["one.wav", "/two.wav"]\n',
    )
    assert (item.inputs, item.song) == (("/songs/Ü",), "Ü")
    assert item.options == {
        "loudness": -14.0,
        "strict": True,
        "true_peak": -1.5,
        "role": ["a=bass", "b=kick"],
        "reference": [tmp_path / "one.wav", Path("/two.wav")],
    }


def test_names_that_are_not_unicode(tmp_path: Path) -> None:
    (tmp_path / "caf\udce9").mkdir()
    (item,) = read(tmp_path, "songs.csv", b"stems\ncaf\xe9\n")
    assert item.inputs == (f"{tmp_path}/caf\udce9",)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("m.csv", "vocal,beat\na.wav,\n", "line 2: name `vocal` and `beat`, or `stems`"),
        ("m.csv", "vocal,beat,stems\na,b,c\n", "line 2: name `vocal`"),
        ("m.csv", "stems\na\nb,c\n", "line 3: has 2 cells where the first line has 1"),
        ("m.csv", 'stems\n"a\n', "unexpected end"),
        ("m.csv", "stems,json\na,true\n", "'json' is not an option of one song"),
        ("m.csv", "stems,export_stems\na,b\n", "'export-stems' is not an option"),
        ("m.toml", "[[song]]\nstems = 1\n", "song 1: stems must be a text"),
        ("m.toml", "[[song]]\nstems = 'a'\nset = [1]\n", "song 1: set must be"),
        ("m.toml", "song = 3\n", r"\[\[song\]\] tables"),
        ("m.toml", "[[tracks]]\nfile = 'a'\n", r"\[\[song\]\] tables"),
        ("m.toml", "[[song]\n", "not valid TOML"),
        ("m.toml", "song = [1]\n", "song 1: must be a table"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read(tmp_path, name, text)


def test_a_manifest_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone.csv: no such file"):
        list(read_manifest(str(tmp_path / "gone.csv")))


@pytest.mark.parametrize(
    "key",
    ["plugins", "output=/x/y.wav", "export-stems", "--output", "-o", "report=/x.html", "__class__"],
)
@pytest.mark.parametrize("form", ["m.csv", "m.toml"])
def test_keys_are_declared_options_and_load_no_code(tmp_path: Path, form: str, key: str) -> None:
    (tmp_path / "plugins").mkdir()
    table = f"[[song]]\nstems = 'a'\n'{key}' = 'x'\n"
    text = f"stems,{key}\na,plugins\n" if form == "m.csv" else table
    with pytest.raises(UsageError, match="is not an option of one song|loads code"):
        read(tmp_path, form, text)


OF_THE_RUN = {
    *("output", "name", "force", "skip-existing", "no-plan", "dry-run", "export-stems"),
    *("json", "quiet", "verbose", "jobs", "candidates", "help", "plugins", "desk"),
}
"""Options of the commands that a row of a manifest cannot set."""


@pytest.mark.parametrize("kind", REQUESTS)
def test_a_row_may_set_every_option_of_its_command_but_those_of_the_run(
    tmp_path: Path, kind: str
) -> None:
    offered = {
        name.removeprefix("--")
        for option in load(kind).params
        for name in option.opts
        if name.startswith("--")
    }
    files = "stems = 'a'" if kind == "stems" else "vocal = 'a'\nbeat = 'b'"
    for option in offered - PLACES:
        row = f"[[song]]\n{files}\n{option} = false\n"
        if option in OF_THE_RUN:
            with pytest.raises(UsageError, match="is not an option of one song|loads code"):
                read(tmp_path, "m.toml", row)
        else:
            with contextlib.suppress(UsageError):  # "takes a value"
                read(tmp_path, "m.toml", row)
                continue
            with pytest.raises(UsageError, match="takes a value"):
                read(tmp_path, "m.toml", row)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ("loudness\na,loud", "line 2: loudness must be a number, not 'loud'"),
        ("strict\na,maybe", "line 2: strict must be true or false"),
        ("artist\na,me", "'artist' is not an option of one song"),
        ("output=/elsewhere/x.wav\na,true", "is not an option of one song"),
        ("level\na,3", "'level' is not an option of one song"),
    ],
)
def test_values_have_the_types_of_their_options(tmp_path: Path, cells: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read(tmp_path, "m.csv", f"stems,{cells}\n")
