"""Text as people save it, and text that is made to break what reads it."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from automix.errors import InputError, UsageError
from automix.files.names import find_file
from automix.files.text import parse_json, parse_toml, read_json, read_text, read_toml

ROOT = Path(__file__).parents[2]
TOML = 'name = "Größe 混音"\nnumbers = [1, -2]\n[table]\nkey = "ok"\n'
EXPECTED = {"name": "Größe 混音", "numbers": [1, -2], "table": {"key": "ok"}}


@pytest.fixture
def file(tmp_path):
    return tmp_path / "text.toml"


@pytest.mark.parametrize(
    "charset",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-be-mark", "utf-32"],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_toml_is_read_in_every_encoding_and_with_every_line_end(file, charset, end):
    text = TOML.replace("\n", end)
    if charset == "utf-16-be-mark":
        file.write_bytes(("\ufeff" + text).encode("utf-16-be"))
    else:
        file.write_bytes(text.encode(charset))
    assert read_toml(file) == EXPECTED


@pytest.mark.parametrize("charset", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_told_without_a_mark_and_a_second_mark_is_no_text(file, charset):
    file.write_bytes('name = "a longer text in Latin letters: Größe"\n'.encode(charset))
    assert read_toml(file) == {"name": "a longer text in Latin letters: Größe"}
    file.write_bytes(("\ufeff\ufeff" + TOML).encode())
    assert read_toml(file) == EXPECTED


def test_line_ends_may_be_mixed(file):
    file.write_bytes(b"a = 1\r\nb = 2\rc = 3\nd = 4\r\n\r\n")
    assert read_toml(file) == {"a": 1, "b": 2, "c": 3, "d": 4}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("a = 1\nb = 'Größe'\n".encode("cp1252"), "line 2: is not UTF-8 text; save the file as"),
        (b"a = 1\r\rb = '\xff'", "line 3: is not UTF-8"),
        (b"a = 1\nb = 2\n\n\0", "line 4: holds a null character"),
        (b"\xff\xfea\0=", "is not whole text in UTF-16; save it as UTF-8"),
        (b"a = 1\nb = [", "not valid TOML"),
        (b"a = 1\n\nb == 2", "not valid TOML: .*line 3"),
        (b"a = 1\nb = " + b"[" * 100_000, "nested too deeply"),
        (b"a = " + b"{a = " * 100_000, "nested too deeply"),
        (b"sha = '" + b"1" * 64 + b"'\na = 1\nb = " + b"9" * 5000, r"64 bits \(at line 3\)"),
        (b"a = 1\nb = -0\nc = 1" + b"0" * 400, r"64 bits \(at line 3\)"),
        (b"a = 0x" + b"f" * 9000, r"64 bits \(at line 1\)"),
        (b"\n" + b"a." * 200_000 + b"a = 1", "line 2: a key has over 100 parts"),
        (b"x = 1\n[" + b"'a' . " * 200 + b"b]", "line 2: a key has over 100 parts"),
    ],
)
def test_what_is_no_toml_is_refused_in_a_line_that_names_the_line(file, data, said):
    file.write_bytes(data)
    with pytest.raises(UsageError, match=said) as caught:
        read_toml(file, refuse=UsageError)
    assert str(caught.value).startswith(str(file))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ('{"a": 1,\n"b"}', "line 2"),
        ("", "line 1"),
        ('{"a": "\\ud8"}', "line 1"),
    ],
)
def test_what_is_no_json_is_refused_in_a_line_that_names_the_line(text, said):
    with pytest.raises(InputError, match=rf"^it: not valid JSON: .*{said}"):
        parse_json(text, "it")


def test_texts_in_json_are_valid_unicode_and_its_numbers_fit_a_machine():
    text = (
        '{"half": "a\\ud83d", "half \\uDE00": [1e999, NUMBER], "whole": "\\ud83d\\ude00 \\\\ud83d"}'
    )
    found = parse_json(text.replace("NUMBER", "9" * 5000), "it")
    assert found == {
        "half": "a\\ud83d",
        "half \\uDE00": [float("inf"), float("inf")],
        "whole": "😀 \\ud83d",
    }
    json.dumps(found, ensure_ascii=False).encode()
    assert parse_json("[12, -999999999999999, 1.5]", "it") == [12, -999999999999999, 1.5]


def test_escapes_in_json_are_kept_but_for_halves_of_characters():
    chance = random.Random(1)
    for _ in range(300):
        text = "".join(chance.choice(['"', "\\", "ä", "u", "d83d", "\n", "😀"]) for _ in range(9))
        assert parse_json(json.dumps(text), "it") == text


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "gone", "null"])
def test_only_regular_files_are_read_and_a_pipe_never_blocks(tmp_path, kind):
    path = {"device": "/dev/zero", "null": "a\0b"}.get(kind, str(tmp_path / kind))
    if kind == "pipe":
        os.mkfifo(path)
    if kind == "folder":
        os.mkdir(path)
    for read in (read_text, read_toml, read_json):
        with pytest.raises(InputError, match="pipe or device|folder|no such|possible"):
            read(path)


def test_a_text_beyond_a_size_is_refused_before_it_is_read(file):
    with file.open("wb") as large:
        large.truncate(1 << 40)
    with pytest.raises(InputError, match="has over 1000 bytes"):
        read_text(file, most_bytes=1000)
    with pytest.raises(InputError, match="has over 33554432 bytes"):
        read_text(file)


GROWING = {
    "spaces in a header": lambda n: "[" + " " * n,
    "spaces before an assignment": lambda n: " " * n + "a",
    "dots": lambda n: "a." * n,
    "dots and spaces": lambda n: "a . " * n + "=",
    "quotes": lambda n: "'" * n,
    "words": lambda n: "a" * n,
    "quoted keys": lambda n: "x = 1\n" + "\"a\"'b'" * n,
    "digits": lambda n: "a = " + "1" * n + "x",
    "backslashes": lambda n: '"' + "\\" * n,
}


@pytest.mark.parametrize("kind", GROWING)
def test_no_text_of_half_a_megabyte_takes_long(tmp_path, kind):
    path = tmp_path / "text"
    path.write_text(GROWING[kind](100_000))
    program = (
        "import sys\n"
        "from automix.errors import AutomixError\n"
        "from automix.files.table import parse_number\n"
        "from automix.files.text import parse_json, parse_toml, read_text\n"
        "text = read_text(sys.argv[1])\n"
        "for parse in (parse_toml, parse_json):\n"
        "    try:\n"
        "        parse(text, 'it')\n"
        "    except AutomixError as error:\n"
        "        print(error)\n"
        "assert parse_number(text) is None and parse_number(text[4:]) is None\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, path],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("not valid") + done.stdout.count("over 100 parts") == 2


def test_a_document_of_many_short_keys_is_read():
    text = "\n".join(f"[a.b{number}]\nc.d = {number}" for number in range(500))
    assert parse_toml(text, "it")["a"]["b499"] == {"c": {"d": 499}}


def test_a_file_is_found_by_another_spelling_of_its_name_and_by_no_other_name(tmp_path):
    for there, named in (
        ("u\u0308.wav", "ü.wav"),
        ("é.wav", "e\u0301.wav"),
        (os.fsdecode(b"na\xefve.wav"), "naïve.wav"),
        ("ö.wav", "ö.wav"),
    ):
        (tmp_path / there).write_bytes(b"")
        assert find_file(tmp_path, named) == str(tmp_path / there)
    (tmp_path / "?.wav").write_bytes(b"")
    for gone in ("混.wav", "a\0b", "\udcff.wav", "u.wav"):
        assert find_file(tmp_path, gone) == os.path.join(tmp_path, gone)
