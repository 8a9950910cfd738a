"""Names at the limits of what is possible, and files that may not be read."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from tests.cli.conftest import Song

Cli = Callable[..., Result]


def test_the_longest_names_of_files_in_a_song_folder(song: Song, cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "song"
    folder.mkdir()
    for letter in "vb":
        (folder / (251 * letter + ".wav")).write_bytes(song.beat.read_bytes())
    (folder / (254 * "x" + "é"[:0] + "y")).write_bytes(b"")
    result = cli("stems", "song", "-o", "mix.wav", "-q")
    assert result.exit_code == 0, result.output
    result = cli("stems", "song", "-o", "out.flac", "--export-stems", "stems", "-q")
    assert result.exit_code == 4
    assert "too long" in result.output
    assert not (tmp_path / "out.flac").exists()
    result = cli("stems", "song", "-o", f"{251 * 'm'}.wav")  # its plan would be one byte longer
    assert result.exit_code == 4
    assert "too long" in result.output


@pytest.mark.parametrize("key", ["file", "right_file"])
def test_a_null_in_the_name_of_a_track_is_the_plans_fault(
    song: Song, cli: Cli, tmp_path: Path, key: str
) -> None:
    (tmp_path / "v.wav").write_bytes(song.vocal.read_bytes())
    (tmp_path / "b.wav").write_bytes(song.beat.read_bytes())
    assert cli("vocal", "v.wav", "b.wav", "-o", "mix.wav", "-q").exit_code == 0
    text = (tmp_path / "mix.toml").read_text()
    new = 'file = "v.wav\\u0000"' if key == "file" else 'file = "v.wav"\nright_file = "\\u0000"'
    (tmp_path / "mix.toml").write_text(text.replace('file = "v.wav"', new))
    for command in (
        ("render", "mix.toml", "-f"),
        ("render", "mix.toml", "-o", "mix.wav", "-f"),
        ("export", "mix.toml", "--to", "stems"),
        ("export", "mix.toml"),
        ("explain", "mix.toml", "--picture", "p.png"),
    ):
        result = cli(*command)
        assert result.exit_code in (2, 3), (command, result.output)
        assert "mix.wav" not in result.output
        assert "null character" in result.output


@pytest.mark.parametrize(
    "template",
    ["{song:>99999999999}", "{song!r}", "{song:{ext}}", "{song.__class__}", "{song[0]}", "{song"],
)
@pytest.mark.parametrize("command", ["vocal", "stems", "batch"])
def test_a_template_of_names_has_fields_and_nothing_else(
    song: Song, cli: Cli, template: str, command: str
) -> None:
    inputs = {
        "vocal": (song.vocal, song.beat),
        "stems": (song.vocal, song.beat),
        "batch": (song.vocal.parent,),
    }
    result = cli(command, *inputs[command], "-o", "out/", "--name", template)
    assert result.exit_code == 2
    assert "use the fields {song}" in result.output
    assert not os.path.exists("out")
