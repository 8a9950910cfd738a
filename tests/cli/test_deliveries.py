"""Mix, plan, stems and report belong together: what a fault leaves, and what is made of it."""

import errno
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from automix.files.state import digest
from automix.plan.model import read_plan
from tests.cli.conftest import Song
from tests.cli.test_inputs_are_kept import contents

Cli = Callable[..., Result]

WITH_ALL = ("-o", "out/mix.wav", "--export-stems", "out/stems", "--report", "out/mix.html", "-q")
FILES = {"mix.wav", "mix.toml", "mix.html", "stems/vocal.wav", "stems/beat.wav"}


def is_that_of_its_plan(folder: Path) -> bool:
    return read_plan(folder / "mix.toml").mix_sha256 == digest(folder / "mix.wav")


def turn_a_bit(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.slow
def test_the_plan_says_what_its_files_hold(song: Song, cli: Cli, tmp_path: Path) -> None:
    asked = ("vocal", song.vocal, song.beat, *WITH_ALL)
    assert cli(*asked).exit_code == 0
    whole = contents(tmp_path / "out")
    assert set(whole) == FILES
    plan = read_plan(tmp_path / "out" / "mix.toml")
    assert plan.mix_sha256 == digest(tmp_path / "out" / "mix.wav")
    assert plan.report_sha256 == digest(tmp_path / "out" / "mix.html")
    assert cli(*asked, "--skip-existing").exit_code == 0  # without -f: nothing is written
    for name in sorted(FILES):
        for damage in (b"", whole[name][:-9], turn_a_bit(whole[name]), None):
            if name == "mix.toml" and damage is not None and len(damage) == len(whole[name]):
                continue  # as if somebody had edited it
            path = tmp_path / "out" / name
            path.write_bytes(damage) if damage is not None else path.unlink()
            result = cli(*asked, "--skip-existing")
            assert result.exit_code == 4, (name, damage, result.output)
            path.write_bytes(whole[name])
    (tmp_path / "out" / "mix.wav").write_bytes(b"")
    assert cli(*asked, "--skip-existing", "-f").exit_code == 0
    assert contents(tmp_path / "out") == whole


def test_a_mix_without_stems_is_kept_whatever_became_of_the_stems(song, cli, tmp_path) -> None:
    asked = ("vocal", song.vocal, song.beat, "-o", "out/mix.wav", "-q", "--skip-existing")
    assert cli(*asked, "--export-stems", "out/stems").exit_code == 0
    (tmp_path / "out" / "stems" / "beat.wav").write_bytes(b"")
    assert cli(*asked).exit_code == 0
    assert cli(*asked, "--export-stems", "out/stems").exit_code == 4


@pytest.mark.slow
@pytest.mark.parametrize("is_there", [False, True])
def test_an_error_between_two_files_never_leaves_a_new_plan_beside_an_old_mix(
    song: Song, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    quiet = ("vocal", song.vocal, song.beat, *WITH_ALL)
    louder = (*quiet, "--level", "3", "-f")
    if is_there:
        assert cli(*quiet).exit_code == 0
    old = contents(tmp_path / "out") if is_there else {}
    real = os.replace
    for failing in range(len(FILES)) if is_there else (0, len(FILES) - 1):
        for name, content in old.items():
            (tmp_path / "out" / name).write_bytes(content)
        calls = []

        def replace(*arguments: str, failing: int = failing, calls: list[object] = calls) -> None:
            calls.append(arguments)
            if len(calls) == failing + 1:
                raise OSError(errno.EIO, "Input/output error")
            real(*arguments)

        monkeypatch.setattr(os, "replace", replace)
        result = cli(*louder)
        monkeypatch.setattr(os, "replace", real)
        assert result.exit_code == 4
        found = contents(tmp_path / "out") if (tmp_path / "out").exists() else {}
        assert set(found) == set(old)
        if is_there:
            assert found["mix.toml"] == old["mix.toml"]
            assert sum(found[name] != old[name] for name in FILES) <= failing
            assert is_that_of_its_plan(tmp_path / "out") == (failing < len(FILES) - 1)
            # no later command takes what is there for what it would have made
            assert cli(*quiet, "--skip-existing").exit_code == (0 if failing == 0 else 4)
            assert cli(*louder[:-1], "--skip-existing").exit_code == 4


def test_a_plan_that_was_edited_and_rendered_is_kept_as_it_is(song, cli, tmp_path) -> None:
    asked = ("vocal", song.vocal, song.beat, "-o", "a.wav", "--skip-existing")
    assert cli(*asked).exit_code == 0
    text = (tmp_path / "a.toml").read_text()
    (tmp_path / "a.toml").write_text(text.replace("gain_db = ", "gain_db = -", 1) + "# mine\n")
    assert (tmp_path / "a.toml").read_text() != text
    for _ in range(2):
        before = contents(tmp_path)
        kept = cli(*asked, "-f")
        assert kept.exit_code == 0
        assert "a.toml: was edited since it was made" in kept.output
        assert contents(tmp_path) == before
        assert cli("render", "a.toml", "-f", "-q").exit_code == 0
    for damage in (b"", (tmp_path / "a.wav").read_bytes()[:-5000]):
        (tmp_path / "a.wav").write_bytes(damage)
        assert cli(*asked).exit_code == 4


def test_a_changed_plan_that_was_rendered_is_not_what_the_method_makes(song, cli, tmp_path) -> None:
    assert cli("vocal", song.vocal, song.beat, "-o", "a.wav", "-q").exit_code == 0
    changed = ("render", "a.toml", "--set", "vocal.fader_db+=3", "-o", "b.wav", "-q")
    assert cli(*changed).exit_code == 0
    again = cli("vocal", song.vocal, song.beat, "-o", "b.wav", "--skip-existing")
    assert again.exit_code == 4


def test_other_roles_or_names_of_the_same_files_are_another_song(song, cli, tmp_path) -> None:
    (tmp_path / "a.wav").write_bytes(song.vocal.read_bytes())
    (tmp_path / "b.wav").write_bytes(song.beat.read_bytes())
    session = '[[tracks]]\nfile = "a.wav"\nrole = "{}"\n[[tracks]]\nfile = "b.wav"\n'
    asked = ("stems", "song.toml", "-o", "mix.wav", "-q", "--skip-existing")
    (tmp_path / "song.toml").write_text(session.format("lead vocal"))
    assert cli(*asked).exit_code == 0
    assert cli(*asked).exit_code == 0
    (tmp_path / "song.toml").write_text(session.format("bass"))
    assert cli(*asked).exit_code == 4


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_killed_around_the_end_it_leaves_old_files_or_new_ones(
    song: Song, cli: Cli, start: Callable, tmp_path: Path, number: int
) -> None:
    """Every file is the old one or the new one, and a new plan is beside its own mix."""
    quiet = ("vocal", song.vocal, song.beat, *WITH_ALL)
    louder = (*quiet, "--level", "3", "-f")
    assert cli(*louder).exit_code == 0
    new = contents(tmp_path / "out")
    assert cli(*quiet, "-f").exit_code == 0
    old = contents(tmp_path / "out")
    plan = tmp_path / "out" / "stems" / "beat.wav"
    for attempt in range(3):
        for name, content in old.items():
            (tmp_path / "out" / name).write_bytes(content)
        before = plan.stat().st_ino
        process = start(*louder)
        until = time.monotonic() + 60
        while plan.stat().st_ino == before and process.poll() is None:
            assert time.monotonic() < until
        time.sleep(0.0005 * attempt)
        process.send_signal(number)
        process.communicate()
        found = contents(tmp_path / "out")
        visible = {name for name in found if ".automix-" not in name}
        assert visible == FILES
        assert all(found[name] in (old[name], new[name]) for name in FILES)
        if found["mix.toml"] == new["mix.toml"]:
            assert all(found[name] == new[name] for name in FILES)
