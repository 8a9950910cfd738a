"""`automix listen` as a program: what it prints, how it ends, what it refuses."""

import json
import signal
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import soundfile

from automix.cli.listen import Kind
from automix.listening.design import KINDS
from automix.listening.key import load_key
from tests.listening.listening_tests import post, result

RATE = 16000


@pytest.fixture
def mixes(tmp_path: Path) -> Path:
    rng = np.random.default_rng(7)
    for passage in ("one", "two"):
        for method in ("human", "rules"):
            path = tmp_path / "mixes" / passage / f"{method}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, 0.1 * rng.standard_normal((RATE, 2)), RATE, "PCM_16")
    return tmp_path / "mixes"


def test_the_command_line_offers_the_types_that_there_are() -> None:
    assert tuple(kind.value for kind in Kind) == KINDS


def test_make_says_what_it_made(cli, mixes: Path, tmp_path: Path) -> None:
    done = cli("listen", "make", mixes, "-o", "test", "--duration", "0.8")
    assert done.exit_code == 0, done.output
    assert "test/page/index.html: 2 passages, 4 stimuli at -28.0 LUFS" in done.stdout
    assert "automix listen serve test" in done.stdout
    assert (tmp_path / "test" / "page" / "index.html").is_file()


def test_make_prints_json_and_flags_overrule_the_description(
    cli, mixes: Path, tmp_path: Path
) -> None:
    (tmp_path / "t.toml").write_text('type = "likert"\nfolder = "mixes"\nduration_s = 0.6\n')
    done = cli(
        "listen", "make", "t.toml", "-o", "test", "--type", "mushra", "--reference", "human",
        "--anchor", "3500", "--anchor", "2000", "--loudness", "-23", "--no-questionnaire",
        "--training", mixes / "one" / "human.wav", mixes / "one" / "rules.wav", "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["loudness_lufs"] == -23
    assert document["stimuli"] == 2 * (2 + 2 + 1) + 2
    key = load_key(tmp_path / "test")
    assert (key.kind, key.questions) == ("mushra", {})


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["make", "mixes"], 2, "--output"),
        (["make", "gone", "-o", "test"], 3, "gone: is neither a folder"),
        (["make", "gone.toml", "-o", "test"], 3, "gone.toml: no such file"),
        (["make", "mixes", "-o", "test", "--type", "abx"], 2, "'abx'"),
        (["make", "mixes", "-o", "test", "--type", "mushra"], 2, "--reference"),
        (["make", "mixes", "-o", "test", "--start", "0.9"], 3, "--start"),
        (["make", "mixes", "-o", "test", "--bits", "8"], 2, "bits must be one of '16', '24'"),
        (["make", "mixes", "-o", "test", "--webmushra", "wm"], 2, "no APE page"),
        (["make", "mixes", "-o", "mixes/one/human.wav"], 4, "human.wav"),
        (["serve", "gone"], 3, "gone: is not a listening test"),
        (["serve", "gone", "--port", "70000"], 2, "--port"),
        (["export", "gone"], 3, "gone: is not a listening test"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(
    cli, mixes: Path, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    done = cli("listen", *arguments)
    assert done.exit_code == code, done.output
    assert words in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mixes"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_test_is_served_until_a_signal_and_exported(
    cli, start, mixes: Path, tmp_path: Path, number: int, code: int
) -> None:
    assert cli("listen", "make", mixes, "-o", "test", "--type", "likert").exit_code == 0
    key = load_key(tmp_path / "test")
    server = start("listen", "serve", "test", "--port", "0", "--json")
    url = ""
    printed = b""
    while not url:
        printed += server.stdout.readline()
        if printed.endswith(b"}\n"):
            url = json.loads(printed)["url"]
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert b"<main" in answer.read()
    assert post(url, json.dumps(result(key, 1)).encode())[0] == 200
    server.send_signal(number)
    out, said = server.communicate(timeout=30)
    assert (server.returncode, out) == (code, b"")
    assert b"note: 1 result so far" in said
    assert b"Traceback" not in said
    assert [path.name for path in (tmp_path / "test").glob("results.sqlite*")] == ["results.sqlite"]
    saved = tmp_path / "saved.json"
    saved.write_text(json.dumps(result(key, 2)))
    done = cli("listen", "export", "test", saved)
    assert done.exit_code == 0, done.output
    assert done.stdout == "test/ratings.csv: 8 ratings by 2 participants\n"
    assert cli("listen", "export", "test").exit_code == 4
    done = cli("listen", "export", "test", "-o", "other.csv", "--json")
    assert json.loads(done.stdout)["participants"] == 1
    done = cli("listen", "make", mixes, "-o", "test", "-f")
    assert done.exit_code == 4
    assert "holds results of participants" in done.stderr


@pytest.mark.parametrize("command", ["make", "serve", "export"])
def test_every_command_has_an_example(cli, command: str) -> None:
    assert "For example: automix listen" in cli("listen", command, "--help").stdout
