"""What a fresh interpreter loads: nothing heavy for help, completion and usage errors."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).parents[2]

HEAVY = {
    "numpy",
    "scipy",
    "numba",
    "torch",
    "torchaudio",
    "matplotlib",
    "pedalboard",
    "pyloudnorm",
    "librosa",
    "soundfile",
    "soxr",
    "rich",
    "starlette",
    "uvicorn",
}

PROGRAM = """
import atexit, json, sys

@atexit.register
def report():
    with open({report!r}, "w") as file:
        json.dump(sorted(sys.modules), file)

for name in {absent!r}:
    sys.modules[name] = None  # importing it is an ImportError
from automix.cli.app import main
main()
"""


def automix(folder, *arguments, absent=(), **variables):
    """Runs the program; returns the process and the names of the modules that it loaded."""
    report = folder / "modules.json"
    program = PROGRAM.format(report=str(report), absent=tuple(absent))
    completion = ("_AUTOMIX_COMPLETE", "COMP_WORDS", "COMP_CWORD", "_TYPER_COMPLETE_ARGS")
    environment = {name: value for name, value in os.environ.items() if name not in completion}
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "Traceback" not in done.stderr
    return done, set(json.loads(report.read_text())) - set(absent)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--help"], ["vocal", "render", "demo", "completion", "Exit codes"]),
        (["vocal", "--help"], ["--preset", "studio", "BEAT", "--loudness"]),
        (["render", "--help"], ["--set", "plan", "--allow-outside"]),
        (["desk", "--help"], ["--port", "--no-browser"]),
        (["demo", "--help"], ["--seed"]),
        (["completion", "--help"], ["bash"]),
        (["completion", "bash"], ["_AUTOMIX_COMPLETE", "automix"]),
        (["completion", "zsh"], ["_AUTOMIX_COMPLETE", "automix"]),
        (["completion", "fish"], ["_AUTOMIX_COMPLETE", "automix"]),
        (["--version"], ["automix"]),
    ],
    ids=" ".join,
)
def test_help_loads_nothing_heavy(tmp_path, arguments, words):
    done, loaded = automix(tmp_path, *arguments)
    assert done.returncode == 0
    assert all(word in done.stdout for word in words)
    assert loaded & HEAVY == set()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["vocal"], "Missing argument"),
        (["vocal", "a.wav"], "Missing argument"),
        (["vocal", "a.wav", "b.wav", "--bogus"], "--bogus"),
        (["vocal", "a.wav", "b.wav", "--method", "magic"], "'magic' is not one of"),
        (["vocal", "a.wav", "b.wav", "--preset", "loud"], "'loud' is not one of"),
        (["vocal", "a.wav", "b.wav", "--level", "much"], "'--level'"),
        (["render"], "Missing argument"),
        (["completion", "tcsh"], "'tcsh' is not one of"),
        (["mixx"], "No such command 'mixx'"),
    ],
    ids=" ".join,
)
def test_usage_errors_load_nothing_heavy(tmp_path, arguments, word):
    done, loaded = automix(tmp_path, *arguments)
    assert done.returncode == 2
    assert word in done.stderr
    assert done.stdout == ""
    assert loaded & HEAVY == set()


@pytest.mark.parametrize(
    ("words", "position", "expected"),
    [
        ("automix vo", 1, {"vocal"}),
        ("automix ", 1, {"vocal", "render", "demo", "completion"}),
        ("automix vocal --pre", 2, {"--preset"}),
        ("automix vocal a.wav b.wav --preset p", 5, {"paper", "poster"}),
        ("automix vocal a.wav b.wav --method ", 5, {"rules", "random", "sum"}),
    ],
)
def test_tab_completion_completes_and_loads_nothing_heavy(tmp_path, words, position, expected):
    done, loaded = automix(
        tmp_path, _AUTOMIX_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=str(position)
    )
    assert expected <= set(done.stdout.split())
    assert done.stderr == ""
    assert loaded & HEAVY == set()


@pytest.mark.parametrize("preset", ["studio", "paper"])
def test_a_vocal_mix_by_rules_needs_none_of_the_heavy_packages(tmp_path, preset):
    rate, rng = 8000, np.random.default_rng(1)
    tone = np.sin(2 * np.pi * 440 * np.arange(2 * rate) / rate)
    soundfile.write(tmp_path / "vox.wav", 0.2 * tone, rate)
    soundfile.write(tmp_path / "beat.wav", 0.1 * rng.standard_normal((2 * rate, 2)), rate)
    absent = HEAVY - {"numpy", "numba", "soundfile", "soxr", "rich"}
    done, _ = automix(
        tmp_path, "vocal", "vox.wav", "beat.wav", "--preset", preset, "--json", absent=absent
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["output"]
    assert soundfile.info(tmp_path / "mix.wav").frames >= 2 * rate
    assert (tmp_path / "mix.toml").is_file()
    done, _ = automix(tmp_path, "render", "mix.toml", "-o", "again.wav", absent=absent)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "again.wav").read_bytes() == (tmp_path / "mix.wav").read_bytes()


def test_python_m_automix_is_the_same_program(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "automix", "--version"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("automix ")
