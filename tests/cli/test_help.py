"""Help pages: complete, consistent with what they describe, and instant."""

import subprocess
import sys
from pathlib import Path

import pytest

from automix.cli.app import SUMMARIES, load
from automix.methods.catalog import STEMS_METHODS, VOCAL_METHODS
from automix.methods.vocal.settings import PRESETS
from automix.plan.parameters import parameters
from automix.version import __version__

HEAVY = {"torch", "scipy", "numba", "numpy", "matplotlib", "soundfile", "soxr", "pedalboard"}


def test_methods_and_presets_are_those_that_exist(cli) -> None:
    text = " ".join(cli("vocal", "--help").stdout.split())
    assert all(row.summary in text for row in VOCAL_METHODS)
    assert f"<{'|'.join(row.name for row in VOCAL_METHODS)}>" in text
    assert f"<{'|'.join(PRESETS)}>" in text
    text = " ".join(cli("stems", "--help").stdout.split())
    assert all(row.summary in text for row in STEMS_METHODS)


def test_the_levels_in_the_help_are_those_of_the_presets(cli) -> None:
    text = " ".join(cli("vocal", "--help").stdout.split())
    levels = (f"{name} {rules.relative_loudness_lu:g}" for name, rules in PRESETS.items())
    assert f"[default: of the preset: {', '.join(levels)}]" in text


@pytest.mark.parametrize(
    ("unit", "setting"), [("LU", "relative_loudness_lu"), ("BPM", "tempo_bpm")]
)
def test_the_ranges_in_the_help_are_the_legal_ones(cli, unit: str, setting: str) -> None:
    legal = parameters(type(PRESETS["studio"]))[setting].range
    text = " ".join(cli("vocal", "--help").stdout.split())
    assert legal is not None
    assert legal.unit == unit
    assert str(legal) in text


def test_the_top_help_lists_the_commands(cli) -> None:
    text = cli("--help").stdout
    assert all(f"  {command} " in text for command in SUMMARIES)
    assert "install-completion" not in text
    assert cli("--version").stdout == f"automix {__version__}\n"


@pytest.mark.parametrize("command", SUMMARIES)
def test_every_command_has_its_summary_and_an_example(cli, command: str) -> None:
    loaded = load(command)
    commands = getattr(loaded, "commands", {"": loaded})
    for name in commands:
        assert "For example" in cli(command, *name.split(), "-h").stdout
    assert loaded.help.partition("\n")[0] == SUMMARIES[command]


@pytest.mark.parametrize(
    "arguments", [["-h"], *([command, "-h"] for command in SUMMARIES), ["vocal", "--bogus"]]
)
def test_help_and_usage_errors_import_nothing_heavy(
    arguments: list[str], environment, tmp_path: Path
) -> None:
    code = (
        "import atexit, sys; sys.argv[0] = 'automix'; from automix.cli.app import main;"
        f"atexit.register(lambda: print(*({HEAVY!r} & set(sys.modules)), file=sys.stderr)); main()"
    )
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, timeout=60)
    assert done.stderr.decode().splitlines()[-1] == ""


@pytest.mark.parametrize(
    ("arguments", "collects"), [(["-h"], "False"), (["completion", "bash"], "True")]
)
def test_garbage_is_collected_in_commands(
    arguments: list[str], collects: str, environment, tmp_path: Path
) -> None:
    code = (
        "import atexit, gc, sys; from automix.__main__ import main;"
        "atexit.register(lambda: print(gc.isenabled(), file=sys.stderr)); main()"
    )
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, timeout=60)
    assert done.stderr.decode().split() == [collects]


def test_idle_threads_of_torch_leave_the_cores(environment, tmp_path: Path) -> None:
    code = (
        "import atexit, os, sys; from automix.__main__ import main;"
        "atexit.register(lambda: print(os.environ['GOMP_SPINCOUNT'], file=sys.stderr)); main()"
    )
    command = [sys.executable, "-c", code, "-h"]
    for chosen, expected in (({}, 10000), ({"GOMP_SPINCOUNT": "7"}, 7)):
        own = environment | chosen
        done = subprocess.run(command, env=own, cwd=tmp_path, capture_output=True, timeout=60)
        assert int(done.stderr) == expected
