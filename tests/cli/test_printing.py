"""What goes to stdout and stderr: JSON, plans, nothing; whatever the caller does with them."""

import errno
import json
import os
import pty
import re
import sys
import tomllib
from pathlib import Path

import pytest
import soundfile

from automix.plan.model import MixPlan
from tests.cli.short_song import RATE, voice

ESCAPE = b"\x1b"
SUM = ("--method", "sum")  # the quickest of mixes, where it does not matter which
NAMES = [
    "spaces and 'quotes'",
    "mélodie 旋律",
    "לחן",
    "line\nbreak",
    "-dash",
    "🎤:heart:[b]",
    b"caf\xe9",
]


@pytest.mark.parametrize("name", NAMES)
def test_json_is_one_document_whatever_the_names(cli, song, name: str | bytes) -> None:
    name = os.fsdecode(name)
    for suffix, path in ((".vox.wav", song.vocal), (".beat.wav", song.beat)):
        Path(name + suffix).write_bytes(path.read_bytes())
    result = cli(
        "vocal", "--json", "-o", f"{name}.wav", "--", f"{name}.vox.wav", f"{name}.beat.wav"
    )
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["output"] == f"{name}.wav"
    assert document["written"] is True
    assert document["plan"]["method"] == "rules"
    assert Path(f"{name}.wav").is_file()
    again = cli("render", "-o", "again.wav", "--", f"{name}.toml")
    assert again.exit_code == 0
    assert Path("again.wav").read_bytes() == Path(f"{name}.wav").read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_people_get_names_on_one_printable_line(cli, song, name: str | bytes) -> None:
    name = os.fsdecode(name)
    result = cli("vocal", "-o", f"{name}.wav", "--", song.vocal, song.beat)
    assert result.exit_code == 0
    (line,) = (line for line in result.stdout.splitlines() if line.startswith("written"))
    assert line.isprintable()
    assert line.endswith(".wav")
    if name.isprintable():
        assert line == f"written   {name}.wav"
    missing = cli("vocal", "-o", "x.wav", "--", f"{name}.gone.wav", song.beat)
    assert missing.exit_code == 3
    assert len(missing.stderr.splitlines()) == 1


def test_json_holds_the_figures(cli, song) -> None:
    document = json.loads(cli("vocal", song.vocal, song.beat, "--json").stdout)
    assert document["sample_rate_hz"] == RATE
    assert document["duration_s"] == soundfile.info("mix.wav").duration
    assert document["loudness"]["true_peak_dbtp"] <= -1
    assert -60 < document["loudness"]["integrated_lufs"] < 0
    assert document["levels_lufs"].keys() == {"vocal", "beat"}
    assert document["plan"]["tracks"][0]["sha256"]


def test_json_of_an_error_is_empty(cli, song) -> None:
    result = cli("vocal", song.vocal, "gone.wav", "--json")
    assert (result.exit_code, result.stdout) == (3, "")


@pytest.mark.parametrize("json_option", [(), ("--json",)])
def test_a_dry_run_writes_nothing(cli, song, json_option: tuple[str, ...]) -> None:
    options = ("--dry-run", "-o", "new/mix.flac", "--export-stems", "stems", *json_option)
    result = cli("vocal", song.vocal, song.beat, *options)
    assert result.exit_code == 0
    assert not list(Path().iterdir())
    if json_option:
        assert json.loads(result.stdout)["written"] is False
    else:
        assert MixPlan.from_toml(result.stdout).method == "rules"


def test_a_dry_plan_is_the_plan_that_would_be_written(cli, song) -> None:
    dry = cli("vocal", song.vocal, song.beat, "--dry-run", "-o", "mix.wav").stdout
    assert cli("vocal", song.vocal, song.beat, "-o", "mix.wav").exit_code == 0
    written = Path("mix.toml").read_text().splitlines(keepends=True)
    hashes = ("mix_sha256 = ", "plan_sha256 = ")  # of files that a dry run does not write
    assert dry == "".join(line for line in written if not line.startswith(hashes))


def test_quiet_is_silent_and_verbose_tells_more(cli, song) -> None:
    soundfile.write("v.wav", voice(3), RATE)  # shorter, which is worth a note
    quiet = cli("vocal", "v.wav", song.beat, "-q")
    assert (quiet.exit_code, quiet.stdout, quiet.stderr) == (0, "", "")
    plain = cli("vocal", "v.wav", song.beat, "-f")
    verbose = cli("vocal", "v.wav", song.beat, "-f", "-v")
    assert "padded" in plain.stderr
    assert "rumble filter" not in plain.stdout
    assert "rumble filter" in verbose.stdout
    assert cli("render", "mix.toml", "-f", "-q").stdout == ""


def test_without_a_terminal_there_are_no_escape_codes_and_no_progress(start, song) -> None:
    out, err = start("vocal", song.vocal, song.beat).communicate(timeout=60)
    assert ESCAPE not in out + err
    assert b"\r" not in out + err
    assert err == b""


def on_a_terminal(start, *args: object, **environment: str) -> tuple[bytes, int]:
    controller, terminal = pty.openpty()
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "TERM": "xterm"}
    env.pop("NO_COLOR", None)
    process = start(*args, stdout=terminal, stderr=terminal, env={**env, **environment})
    os.close(terminal)
    shown = b""
    try:
        while chunk := os.read(controller, 65536):
            shown += chunk
    except OSError:  # how Linux says that the other side is closed
        pass
    os.close(controller)
    return shown, process.wait(timeout=60)


def test_a_terminal_shows_progress_and_gets_its_cursor_back(start, song) -> None:
    shown, code = on_a_terminal(start, "vocal", song.vocal, song.beat)
    assert code == 0
    assert b"listening" in shown
    assert shown.rindex(b"\x1b[?25h") > shown.rindex(b"\x1b[?25l")


@pytest.mark.slow
def test_no_color_is_respected_and_quiet_leaves_a_terminal_alone(start, song) -> None:
    shown, code = on_a_terminal(start, "vocal", song.vocal, song.beat, *SUM, NO_COLOR="1")
    assert code == 0
    assert not re.search(rb"\x1b\[[0-9;]*m", shown)
    assert on_a_terminal(start, "vocal", song.vocal, song.beat, *SUM, "-f", "-q") == (b"", 0)


@pytest.mark.parametrize(
    "command",
    [
        "vocal {vocal} {beat} --method sum --dry-run",
        "vocal {vocal} {beat} --method sum --json",
        "vocal -h",
        "completion bash",
    ],
)
def test_a_reader_that_has_seen_enough_is_no_error(start, song, command: str) -> None:
    arguments = [part.format(vocal=song.vocal, beat=song.beat) for part in command.split()]
    reader, writer = os.pipe()
    os.close(reader)
    process = start(*arguments, stdout=writer)
    os.close(writer)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert err == b""


@pytest.mark.slow
@pytest.mark.parametrize("closed", ["1", "2"])
def test_closed_streams_are_no_error(start, song, tmp_path, closed: str) -> None:
    shell = f'exec "$0" -m automix vocal "$1" "$2" --method sum {closed}>&-'
    process = start(song.vocal, song.beat, command=("sh", "-c", shell, sys.executable))
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert err == b""
    assert soundfile.info(tmp_path / "mix.wav").frames > 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize(
    "command", [["vocal", "-h"], ["vocal", "{vocal}", "{beat}", *SUM, "--dry-run"]]
)
def test_a_full_disk_under_stdout_exits_4(start, song, command: list[str]) -> None:
    arguments = [part.format(vocal=song.vocal, beat=song.beat) for part in command]
    with open("/dev/full", "w") as full:
        process = start(*arguments, stdout=full)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 4
    assert err.decode() == "automix: standard output: No space left on device\n"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "x.wav"),
            "x.wav: No space left on device",
        ),
        (
            OSError(errno.EACCES, "Permission denied", "a\nb.wav"),
            "a\\nb.wav: Permission denied",
        ),
        (
            OSError(errno.EXDEV, "Invalid cross-device link", "a", None, "b"),
            "a and b: Invalid cross-device link",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device", "standard output"),
            "standard output: No space left on device",  # a file of that name
        ),
        (
            OSError(errno.EIO, "Input/output error"),
            "a file that the system does not name: Input/output error",
        ),
        (OSError("lib.so: undefined symbol: f"), "lib.so: undefined symbol: f"),
    ],
)
def test_an_error_of_the_system_is_not_called_standard_outputs(
    monkeypatch, capsys, error: OSError, words: str
) -> None:
    from automix.cli import app

    def fails(prog_name: str) -> None:
        raise error

    monkeypatch.setattr(app, "app", fails)
    monkeypatch.setattr(app, "handle_signals", lambda: None)
    with pytest.raises(SystemExit) as ended:
        app.main()
    assert ended.value.code == 4
    assert capsys.readouterr().err == f"automix: {words}\n"


@pytest.mark.slow
def test_a_locale_without_our_characters_is_no_error(start, song, environment) -> None:
    ascii_only = {**environment, "PYTHONIOENCODING": "ascii"}
    out, _ = start("vocal", song.vocal, song.beat, env=ascii_only).communicate(timeout=60)
    assert b"written   mix.wav" in out
    process = start("vocal", song.vocal, song.beat, *SUM, "--dry-run", env=ascii_only)
    assert tomllib.loads(process.communicate(timeout=60)[0].decode("ascii"))["format"] == 1


def test_the_demo_says_what_it_wrote(cli, tmp_path) -> None:
    result = cli("demo", "demo", "--sample-rate", "8000", "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert all(soundfile.info(path).samplerate == 8000 for path in document["files"])
    assert {"demo/vocal.wav", "demo/beat.wav"} <= set(document["files"])
    assert cli("demo", "demo", "--sample-rate", "8000").exit_code == 4
    Path("file").write_text("")
    assert cli("demo", "file").exit_code == 4
