"""The completion scripts: up to date, and working in the shells that are here."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from automix.cli.app import app

ROOT = Path(__file__).parents[1]
SHELLS = ["bash", "zsh", "fish"]

BASH = """
. "$1"
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_automix_completion automix "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def script(shell: str) -> Path:
    return ROOT / "completions" / f"automix.{shell}"


def needed(shell: str) -> str:
    if (path := shutil.which(shell)) is None:
        pytest.skip(f"{shell} is not installed")
    return path


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """With a program `automix` on the path."""
    program = tmp_path / "automix"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m automix "$@"\n')
    program.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_scripts_are_those_that_the_program_prints(shell: str) -> None:
    printed = CliRunner().invoke(app, ["completion", shell]).stdout
    assert script(shell).read_text() == printed, (
        f"run: automix completion {shell} > completions/automix.{shell}"
    )


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_accepts_its_script(shell: str) -> None:
    subprocess.run([needed(shell), "-n", script(shell)], check=True, timeout=60)


@pytest.mark.parametrize(
    ("words", "completions"),
    [
        (["automix", "vo"], ["vocal"]),
        (["automix", "re"], ["render"]),
        (["automix", "vocal", "--me"], ["--method"]),
        (["automix", "vocal", "v.wav", "b.wav", "--preset", "p"], ["paper", "poster"]),
        (["automix", "completion", ""], SHELLS),
        (["automix", "render", "mix"], [""]),  # nothing: bash goes on with the names of files
    ],
)
def test_bash_completes(
    words: list[str], completions: list[str], environment: dict[str, str], tmp_path: Path
) -> None:
    command = [needed("bash"), "-c", BASH, "bash", script("bash"), *words]
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.splitlines() == completions
    assert done.stderr == ""


def test_zsh_completes(environment: dict[str, str]) -> None:
    code = 'autoload -U compinit && compinit -D && . "$1" && print -r -- $_comps[automix]'
    command = [needed("zsh"), "-f", "-c", code, "zsh", script("zsh")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "_automix_completion"


def test_fish_completes(environment: dict[str, str]) -> None:
    code = f'source {script("fish")}; complete --do-complete "automix vo"'
    command = [needed("fish"), "--no-config", "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.split()[0] == "vocal"


@pytest.mark.parametrize(
    ("shell", "variables"),
    [
        ("zsh", {"_TYPER_COMPLETE_ARGS": "automix vo"}),
        ("fish", {"_TYPER_COMPLETE_ARGS": "automix vo", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}),
    ],
)
def test_the_program_answers_the_script(
    shell: str, variables: dict[str, str], environment: dict[str, str]
) -> None:
    asked = {**environment, **variables, "_AUTOMIX_COMPLETE": f"complete_{shell}"}
    done = subprocess.run(["automix"], env=asked, capture_output=True, text=True, timeout=60)
    assert "vocal" in done.stdout
    assert "render" not in done.stdout
    assert done.stderr == ""
