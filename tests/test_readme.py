"""The README: its commands run, in order, and its output is what the program prints."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from automix.plan.model import MixPlan
from automix.plan.settings import ChannelStrip
from automix.plan.toml import dumps

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LOCKED = "python -m pip install -c automix/constraints.txt"
INSTALL = f"{LOCKED} . && "
TESTS = f"{LOCKED} '.[test]' && python -m pytest"

BLOCKS = re.findall(r"^```sh\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def without_install(block: str) -> str:
    """What of a block can run here: `.ci/run` installs, in a fresh environment, and then tests."""
    block = block.replace(INSTALL, "")
    return "" if "pip install" in block else block


def run_blocks(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What each block prints, run one after the other in a folder of a user."""
    folder = tmp_path_factory.mktemp("readme")
    programs = tmp_path_factory.mktemp("bin")
    for name, command in (
        ("automix", f'"{sys.executable}" -m automix'),
        ("python", f'"{sys.executable}"'),
    ):
        (programs / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        (programs / name).chmod(0o755)
    path = f"{programs}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    outputs = []
    for block in BLOCKS:
        done = subprocess.run(
            ["sh", "-e", "-c", without_install(block)],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, f"{block}\n{done.stderr}"
        outputs.append(done.stdout)
    for made in ("mix.wav", "mix.toml", "closer.flac", "loud.flac", "stems/beat.flac", "own.wav"):
        assert (folder / "demo" / made).is_file()
    return outputs


def test_it_is_short_and_holds_the_test_command() -> None:
    assert len(README.splitlines()) <= 350
    assert f"<!-- test-command -->\n```sh\n{TESTS}\n```\n" in README
    assert BLOCKS[0].startswith(INSTALL)
    assert len(re.findall(r"```sh", README)) == len(BLOCKS)
    assert [bool(without_install(block)) for block in BLOCKS].count(False) == 1  # the tests


@pytest.mark.slow
def test_every_command_runs_and_the_first_print_what_it_shows(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    printed = run_blocks(tmp_path_factory)
    assert len(printed) == len(BLOCKS)
    (shown,) = re.findall(r"^```text\n(demo: .*?)^```$", README, re.DOTALL | re.MULTILINE)

    def words(text: str) -> list[str]:
        return re.sub(r"[-+]?\d[\d.]*", "#", text).split()  # figures differ by machine and version

    assert words(shown) == words(printed[0])


def test_the_setting_that_it_quotes_is_written_so() -> None:
    (quoted,) = re.findall(r"^(fader_db = .*)$", README, re.MULTILINE)
    plan = dumps(MixPlan(tracks=(ChannelStrip(name="vocal", fader_db=0.8171607264406187),)))
    assert quoted in plan.splitlines()


def test_the_files_that_it_names_exist() -> None:
    for name in re.findall(r"`((?:completions|examples)/[\w.-]*)`", README):
        assert (ROOT / name).exists()
    scripts = set(re.findall(r"`([\w-]+\.sh)`", README))
    assert scripts == {path.name for path in (ROOT / "examples").glob("*.sh")}
    licence = (ROOT / "LICENSE").read_text().split()
    assert licence[:6] == ["GNU", "GENERAL", "PUBLIC", "LICENSE", "Version", "3,"]
