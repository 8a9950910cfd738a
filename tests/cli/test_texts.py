"""Texts as people save them, and texts made to do harm, through every command that reads them."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

PLAN = "mix.toml"


def refusal(result, *codes: int) -> str:
    assert result.exit_code in codes, result.output
    assert "Traceback" not in result.stderr
    return result.stderr


@pytest.fixture
def pair(cli: Callable[..., object], song) -> Callable[..., object]:
    """The command line in a folder that holds a vocal and a beat."""
    Path("Ünï vox.wav").symlink_to(song.vocal)
    Path("beat.wav").symlink_to(song.beat)
    return cli


MANIFEST = "vocal;beat;name;loudness\nÜnï vox.wav;beat.wav;Größe;-14,5\n"
MANIFESTS = {
    "UTF-16": MANIFEST.encode("utf-16"),
    "Unicode text with tabs": MANIFEST.replace(";", "\t").encode("utf-16"),
    "Windows-1252": MANIFEST.encode("cp1252"),
    "a mark": MANIFEST.encode("utf-8-sig"),
    "capitals and spaces": MANIFEST.replace("vocal;beat", "Vocal; BEAT ").encode(),
    "blank rows": MANIFEST.replace("\n", "\n;;;\n\n").encode(),
    "blank columns": MANIFEST.replace("\n", ";;\n").encode(),
    "sep": ("sep=;\n" + MANIFEST).encode(),
    "line ends of old Macs": MANIFEST.replace("\n", "\r").encode(),
    "spaces around cells": MANIFEST.replace(";", " ; ").encode(),
    "commas": MANIFEST.replace("-14,5", "-14.5").replace(";", ",").encode(),
    "a true minus": MANIFEST.replace("-14,5", "\N{MINUS SIGN}14,5").encode(),
    "accents as signs of their own": MANIFEST.replace("Ünï", "U\u0308ni\u0308").encode(),
}


@pytest.mark.parametrize("kind", MANIFESTS)
def test_a_manifest_of_a_spreadsheet_means_the_same_however_it_was_saved(pair, kind):
    name = "songs.txt" if "tabs" in kind else "songs.csv"  # as spreadsheets call it
    Path(name).write_bytes(MANIFESTS[kind])
    done = pair("batch", name, "-o", "out", "--dry-run", "--json")
    assert done.exit_code == 0, done.output
    (item,) = json.loads(done.stdout)["items"]
    assert item["inputs"] == ["Ünï vox.wav", "beat.wav"]
    assert item["output"] == "out/Größe.wav"
    assert item["options"] == {"loudness": -14.5}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("vocal,beat,loudness\na,b,loud", "line 2: loudness must be a number"),
        ("vocal,beat,seed\na,b,1.5", "line 2: seed must be a whole number"),
        ("stems;loudness\na;-14,5,5", "line 2: loudness must be a number"),
        ('vocal,beat,loudness\na,b,"-14,5"', "line 2: loudness must be a number"),
        ("vocal,beat\na", "line 2: name `vocal` and `beat`"),
        ("vocal,beat,loudness,\na,b,-14,5", "line 2: '5' stands in a column without a name"),
        ("vocal,beat\na,b,c", "line 2: has 3 cells"),
        ('vocal,beat\n"a,b', "line 2: is not CSV"),
        ("voice,beat\na,b", "line 2: name `vocal` and `beat`"),
    ],
)
def test_what_a_manifest_says_wrong_is_named_with_its_line(pair, text, said):
    Path("songs.csv").write_text(text)
    message = refusal(pair("batch", "songs.csv", "-o", "out", "--dry-run"), 2)
    assert f"songs.csv, {said}" in message


def test_an_option_that_a_manifest_names_twice_is_refused(pair):
    Path("songs.csv").write_text("vocal,beat,true peak,true_peak\na,b,-1,-2\n")
    message = refusal(pair("batch", "songs.csv", "-o", "out", "--dry-run"), 2)
    assert "songs.csv: two columns are true-peak" in message
    Path("songs.toml").write_text("[[song]]\nstems = 'a'\ntrue-peak = -1\ntrue_peak = -2\n")
    message = refusal(pair("batch", "songs.toml", "-o", "out", "--dry-run"), 2)
    assert "songs.toml, song 1: true_peak is there twice" in message


def test_a_manifest_says_that_it_was_read_as_windows_1252(pair):
    Path("songs.csv").write_bytes("vocal,beat\nÜnï vox.wav,beat.wav\n".encode("cp1252"))
    done = pair("batch", "songs.csv", "-o", "out", "--dry-run")
    assert done.exit_code == 0
    assert "line 2: is not UTF-8; read as Windows-1252" in done.stderr


def saved(text: str, how: str) -> bytes:
    """A text as some program saves it."""
    if how == "windows":
        return text.replace("\n", "\r\n").encode("utf-8-sig")
    if how == "mac":
        return text.replace("\n", "\r").encode()
    return text.encode(how)


@pytest.mark.parametrize("how", ["windows", "utf-16", "mac"])
def test_toml_is_read_as_people_save_it_in_every_place(pair, how):
    texts = {
        "session.toml": '[[tracks]]\nfile = "Ünï vox.wav"\n[[tracks]]\nfile = "beat.wav"\n',
        "songs.toml": '[[song]]\nvocal = "Ünï vox.wav"\nbeat = "beat.wav"\n',
        "rules.toml": "filter_q = 0.9\n",
    }
    for name, text in texts.items():
        Path(name).write_bytes(saved(text, how))
    assert pair("stems", "session.toml", "--dry-run").exit_code == 0
    assert pair("batch", "songs.toml", "-o", "out", "--dry-run").exit_code == 0
    words = ("vocal", "Ünï vox.wav", "beat.wav", "--config", "rules.toml")
    done = pair(*words, "-o", "mix.wav", "--json")
    assert done.exit_code == 0, done.output
    before = Path("mix.wav").read_bytes()
    Path(PLAN).write_bytes(saved(Path(PLAN).read_text(), how))
    assert pair("render", PLAN, "-o", "again.wav").exit_code == 0
    assert Path("again.wav").read_bytes() == before
    # The mix is known as one that automix wrote, however its plan was saved since.
    done = pair("stems", ".", "--dry-run", "--json")
    assert "mix.wav: a mix that automix wrote, left out" in done.stderr


READERS = [
    ("batch", "NAME.csv", "-o", "out", "--dry-run"),
    ("batch", "NAME.toml", "-o", "out", "--dry-run"),
    ("stems", "NAME.toml", "-o", "x.wav"),
    ("vocal", "Ünï vox.wav", "beat.wav", "-o", "x.wav", "--config", "NAME.toml"),
    ("render", "NAME.toml", "-o", "x.wav"),
    ("desk", "NAME.toml", "--no-browser"),
    ("explain", "NAME.toml"),
    ("diff", "NAME.toml", "NAME.toml"),
    ("evaluate", "ratings", "NAME.csv"),
    ("listen", "make", "NAME.toml", "-o", "test"),
    ("listen", "export", "NAME"),
    ("listen", "serve", "NAME"),
]


@pytest.mark.parametrize("words", READERS, ids=" ".join)
def test_a_pipe_in_the_place_of_a_text_never_blocks(pair, words):
    os.mkfifo("NAME.csv")
    os.mkfifo("NAME.toml")
    Path("NAME").mkdir()
    os.mkfifo("NAME/key.json")
    began = time.perf_counter()
    message = refusal(pair(*words), 2, 3)
    assert "is a pipe or device" in message
    assert time.perf_counter() - began < 10


def test_a_pipe_beside_a_song_is_no_plan_of_it(pair):
    os.mkfifo("beat.toml")
    done = pair("batch", ".", "-o", "out", "--dry-run", "--json")
    assert len(json.loads(done.stdout)["items"]) == 1
    assert pair("stems", ".", "--dry-run").exit_code == 0


HARMFUL = {
    "nested": "a = " + "[" * 100_000,
    "a number of 5,000 digits": "filter_q = " + "9" * 5000,
    "a number of 400 digits": "filter_q = " + "9" * 400,
    "a key of many parts": "a." * 100_000 + "b = 1",
    "a header of many spaces": "format = 1\n[[tracks]]\nx = 1\n[" + " " * 3000 + "\n",
    "a line of many spaces": 'format = 1\nx = """\n[' + " " * 300_000 + '\n"""\n',
    "a null character": "a = 1\n\0",
    "half a character": b"a = '\xff'",
}


@pytest.mark.parametrize("kind", HARMFUL)
def test_a_text_that_is_made_to_do_harm_is_refused_in_a_line_and_soon(pair, kind):
    content = HARMFUL[kind]
    for name in ("NAME.toml", "NAME.csv"):
        Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    for words in READERS[:9]:
        began = time.perf_counter()
        message = refusal(pair(*words), 2, 3)
        assert [line[:8] for line in message.splitlines() if not line.startswith("note:")] == [
            "automix:"
        ]
        assert "NAME." in message
        assert time.perf_counter() - began < 10


def test_a_plan_with_figures_that_no_machine_holds_is_refused(pair):
    assert pair("vocal", "Ünï vox.wav", "beat.wav", "-o", "mix.wav").exit_code == 0
    text = Path(PLAN).read_text()
    for old, new in (
        ("figures = {", f"figures = {{ x = 1{'0' * 400},"),
        ('name = "vocal"', 'name = "vo\\u0000cal"'),
        ('name = "vocal"', f"name = {'9' * 5000}"),
    ):
        Path("changed.toml").write_text(text.replace(old, new, 1))
        line = text[: text.index(old)].count("\n") + 1
        for words in (("explain",), ("render", "-o", "x.wav"), ("diff", PLAN)):
            message = refusal(pair(*words, "changed.toml"), 2)
            assert f"line {line}" in message


@pytest.mark.parametrize(
    "change",
    ["vocal.pan" + " " * 100_000 + "x", "vocal.pan" + " +" * 100_000, " " * 100_000, "+" * 99_999],
)
def test_a_change_of_many_spaces_is_refused_soon(pair, change):
    Path("songs.toml").write_text(
        f'[[song]]\nvocal = "Ünï vox.wav"\nbeat = "beat.wav"\nset = ["{change}"]\n'
    )
    began = time.perf_counter()
    refusal(pair("batch", "songs.toml", "-o", "out", "--dry-run"), 0, 2)
    assert time.perf_counter() - began < 5


def test_an_address_of_many_digits_leads_nowhere(pair):
    long = f"vocal.equalizer.bands.{'9' * 5000}.q=1"
    message = refusal(pair("vocal", "Ünï vox.wav", "beat.wav", "-o", "x.wav", "--set", long), 2)
    assert "entries" in message


def test_a_session_of_odd_names_is_read_soon_or_refused(pair):
    for name, codes in (("hihat" * 20_000 + "q", (0,)), ("9" * 9000, (0,)), ("a\\u0000", (3,))):
        Path("session.toml").write_text(
            f'[[tracks]]\nfile = "Ünï vox.wav"\nname = "{name}"\n[[tracks]]\nfile = "beat.wav"\n'
        )
        began = time.perf_counter()
        refusal(pair("stems", "session.toml", "--dry-run"), *codes)
        assert time.perf_counter() - began < 10
    Path("hihat" * 40 + "q.wav").symlink_to("beat.wav")
    assert pair("stems", ".", "--dry-run").exit_code == 0


def test_ratings_with_names_and_numbers_of_many_digits_are_read_or_named(pair):
    head = "participant,passage,method,rating\n"
    long = "9" * 5000
    rows = [f"P{p},A,{method},{p + n}" for p in range(4) for n, method in enumerate((long, "10"))]
    Path("ratings.csv").write_text(head + "\n".join(rows))
    assert pair("evaluate", "ratings", "ratings.csv").exit_code == 0
    Path("ratings.csv").write_text(head + f"P1,A,b,{'9' * 120_000}x\n")
    message = refusal(pair("evaluate", "ratings", "ratings.csv"), 3)
    assert "line 2: rating" in message
