"""What a command has read it never writes over, whatever ``-f`` says and however it is named."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from automix.listening.key import load_key
from tests.cli.conftest import Song
from tests.listening.listening_tests import result as result_of

Cli = Callable[..., Result]


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def here(song: Song, cli: Cli, tmp_path: Path) -> Path:
    """The song, and files that commands read, in the folder of the command."""
    os.link(song.vocal, tmp_path / "v.wav")
    (tmp_path / "b.wav").write_bytes(song.beat.read_bytes())
    (tmp_path / "hit.wav").write_bytes(song.beat.read_bytes())
    (tmp_path / "song.toml").write_text(
        '[[tracks]]\nfile = "v.wav"\nrole = "lead vocal"\n[[tracks]]\nfile = "b.wav"\n'
    )
    (tmp_path / "rules.toml").write_text("high_pass_hz = 100\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "link.toml").symlink_to("rules.toml")
    os.link(tmp_path / "rules.toml", tmp_path / "hard.toml")
    (tmp_path / "sub" / "there").symlink_to("..")
    return tmp_path


VOCAL = ("vocal", "v.wav", "b.wav", "-f")
WITH_RULES = (*VOCAL, "--config", "rules.toml")


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        (("stems", "song.toml", "-f", "-o", "song.wav"), "song.toml"),
        (("stems", "song.toml", "-f", "-o", "out.wav", "--export-stems", "."), "v.wav"),
        ((*WITH_RULES, "-o", "rules.wav"), "rules.toml"),
        ((*WITH_RULES, "-o", "link.wav"), "rules.toml"),
        ((*WITH_RULES, "-o", "hard.wav"), "rules.toml"),
        ((*WITH_RULES, "-o", "sub/there/./rules.wav"), "rules.toml"),
        ((*WITH_RULES, "-o", "rules.wav", "--skip-existing"), "rules.toml"),
        ((*VOCAL, "--reference", "hit.wav", "-o", "hit.wav"), "hit.wav"),
        ((*VOCAL, "--reference", "hit.wav", "-o", "x.wav", "--no-plan", "-o", "hit.wav"), "hit"),
        ((*VOCAL, "-o", "b.wav", "--no-plan"), "b.wav"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_mixing_commands(here: Path, cli: Cli, arguments: tuple[str, ...], kept: str) -> None:
    before = contents(here)
    result = cli(*arguments)
    assert result.exit_code == 4
    assert "is the same file as the input" in result.output
    assert kept in result.output
    assert contents(here) == before


@pytest.mark.slow
def test_what_lies_in_a_songs_folder_and_is_no_track_may_be_made_again(here, cli) -> None:
    (here / "song").mkdir()
    for name in ("v.wav", "b.wav"):
        (here / name).rename(here / "song" / name)
    again = ("stems", "song", "-o", "song/mix.wav", "--report", "song/mix.html", "-f", "-q")
    for _ in range(2):
        assert cli(*again).exit_code == 0
    assert cli("render", "song/mix.toml", "-f", "-q").exit_code == 0
    assert cli("stems", "song", "-o", "song/b.wav", "-f").exit_code == 4


def test_a_batch_goes_on_in_the_folder_of_its_songs(here: Path, cli: Cli) -> None:
    (here / "songs" / "one").mkdir(parents=True)
    for name, new in (("v.wav", "vocal.wav"), ("b.wav", "beat.wav")):
        (here / name).rename(here / "songs" / "one" / new)
    assert cli("batch", "songs", "-o", "songs", "-j", "1").exit_code == 0
    for again in ("--resume", "--skip-existing", "-f"):
        result = cli("batch", "songs", "-o", "songs", "-j", "1", again)
        assert result.exit_code == 0, result.output
    assert len(list((here / "songs").glob("*.wav"))) == 1


def test_of_candidates_too(here: Path, cli: Cli) -> None:
    (here / "out.1.toml").write_text("high_pass_hz = 100\n")
    before = contents(here)
    result = cli(*VOCAL, "--config", "out.1.toml", "-o", "out.wav", "--candidates", "2")
    assert result.exit_code == 4
    assert contents(here) == before


def test_commands_that_read_plans(here: Path, cli: Cli) -> None:
    assert cli(*VOCAL, "-o", "mix.wav", "-q").exit_code == 0
    for name in ("plan.html", "plan.svg", "plan.dawproject", "01 beat.wav"):
        (here / name).write_bytes((here / "mix.toml").read_bytes())
    for number in (1, 2):
        (here / f"0{number} vocal.wav").write_bytes((here / "mix.toml").read_bytes())
    before = contents(here)
    for arguments in (
        ("render", "mix.toml", "-f", "--set", "vocal.fader_db+=1"),
        ("render", "mix.toml", "-f", "-o", "v.wav"),
        ("render", "plan.html", "-f", "-o", "out.wav", "--report", "plan.html"),
        ("explain", "plan.svg", "-f", "--picture", "plan.svg"),
        ("export", "plan.dawproject", "-f", "-o", "plan.dawproject"),
        ("export", "01 beat.wav", "-f", "--to", "stems", "-o", "."),
    ):
        result = cli(*arguments)
        assert result.exit_code == 4, (arguments, result.output)
        assert "is the same file as the input" in result.output
        assert contents(here) == before


def test_a_listening_test_keeps_its_key_and_its_results(here: Path, cli: Cli) -> None:
    """Without its key, no rating can be told from another."""
    for name in ("human.wav", "rules.wav"):
        path = here / "mixes" / "one" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((here / "b.wav").read_bytes())
    (here / "test" / "page" / "audio").mkdir(parents=True)
    (here / "test" / "page" / "audio" / "mine.js").write_text("")
    assert cli("listen", "make", "mixes", "-o", "test", "--type", "likert").exit_code == 0
    assert (here / "test" / "page" / "audio" / "mine.js").exists()
    (here / "saved.json").write_text(json.dumps(result_of(load_key(here / "test"), 1)))
    before = contents(here)
    (here / "link.csv").symlink_to("test/key.json")
    for output in ("test/key.json", "saved.json", "sub/there/test/key.json", "link.csv"):
        result = cli("listen", "export", "test", "saved.json", "-o", output, "-f")
        assert result.exit_code == 4, result.output
        assert "is the same file as the input" in result.output
        assert contents(here) == {**before, "link.csv": before["test/key.json"]}


def test_a_table_of_ratings_is_kept(here: Path, cli: Cli) -> None:
    rows = [f"p{n},one,{m},{50 + n}" for n in range(4) for m in ("a", "b")]
    (here / "table.png").write_text("participant,passage,method,rating\n" + "\n".join(rows) + "\n")
    before = contents(here)
    result = cli("evaluate", "ratings", "table.png", "--plot", "table.png", "-f")
    assert result.exit_code == 4, result.output
    assert contents(here) == before


def test_the_library_keeps_what_a_mix_was_made_from(here: Path) -> None:
    import automix
    from automix.errors import OutputError

    os.link("rules.toml", "hit.flac")
    mix = automix.mix_vocal("v.wav", "b.wav", config="rules.toml")
    before = contents(here)
    for name in ("v.wav", "hit.flac", "sub/there/hit.flac"):
        with pytest.raises(OutputError, match="the same file as the input"):
            mix.write(name, overwrite=True)
    assert contents(here) == before
    mix.write("mix.wav")
    automix.evaluate(["mix.wav"])
    mix.write("mix.wav", overwrite=True)
