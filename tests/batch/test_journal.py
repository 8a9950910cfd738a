"""The journal: whatever happened to its end, what is before it counts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from automix.batch.journal import NAME, Journal, JournalEntry, last_entries
from automix.errors import OutputError

ROOT = Path(__file__).parents[2]
RECORDS = [
    {"item": "a.wav", "status": "started", "output_was": "free", "fingerprint": "1"},
    {"item": "ü\n\udcff.wav", "status": "started", "output_was": "free", "fingerprint": "2"},
    {"item": "a.wav", "status": "done", "output_was": "free", "fingerprint": "1"},
    {"item": "ü\n\udcff.wav", "status": "failed", "output_was": "free", "fingerprint": "2"},
]


def entries_after(count: int) -> dict[str, JournalEntry]:
    last = {record["item"]: record for record in RECORDS[:count]}
    return {
        item: JournalEntry(record["status"], record["fingerprint"], record["status"] != "failed")
        for item, record in last.items()
    }


def test_the_last_word_counts(tmp_path: Path) -> None:
    for count, record in enumerate(RECORDS):
        assert last_entries(str(tmp_path)) == entries_after(count)
        with Journal(str(tmp_path)) as journal:
            journal.append(record)
            new = list(journal.new_records())
        assert new == [record]
    assert last_entries(str(tmp_path)) == entries_after(len(RECORDS))


def test_cut_off_at_any_byte_it_can_be_read_and_gone_on_with(tmp_path: Path) -> None:
    lines = [json.dumps(record).encode() + b"\n" for record in RECORDS]
    whole = b"".join(lines)
    for length in range(len(whole) + 1):
        (tmp_path / NAME).write_bytes(whole[:length])
        count = whole[:length].count(b"\n")
        assert last_entries(str(tmp_path)) == entries_after(count)
        new = {"item": "new.wav", "status": "done", "output_was": "free", "fingerprint": "3"}
        with Journal(str(tmp_path)) as journal:
            journal.append(new)
        after = last_entries(str(tmp_path))
        assert after.pop("new.wav") == JournalEntry("done", "3", True)
        # A record that lacked nothing but the end of its line counts from now on.
        lacks_newline = any(length == len(b"".join(lines[:n])) - 1 for n in range(1, 5))
        assert after == entries_after(count + lacks_newline)


@pytest.mark.parametrize("damage", [b"\0" * 600, b"{}", b"[1]", b"nonsense", b'{"item": "a.wav"}'])
def test_lines_that_are_no_records_are_ignored(tmp_path: Path, damage: bytes) -> None:
    lines = [json.dumps(record).encode() for record in RECORDS]
    lines.insert(2, damage)
    (tmp_path / NAME).write_bytes(b"\n".join(lines) + b"\n")
    assert last_entries(str(tmp_path)) == entries_after(len(RECORDS))


@pytest.mark.parametrize(
    ("was", "status", "kept", "is_ours"),
    [
        ("free", "started", None, True),  # killed, perhaps right after the mix was put in place
        ("free", "died", None, True),
        ("free", "failed", None, False),  # what is there now came from elsewhere
        ("free", "done", None, True),
        ("ours", "failed", None, True),
        ("foreign", "started", None, False),  # with --skip-existing
        ("foreign", "done", True, False),
        ("foreign", "done", None, True),  # with --force
    ],
)
def test_whose_an_output_is(
    tmp_path: Path, was: str, status: str, kept: bool | None, is_ours: bool
) -> None:
    with Journal(str(tmp_path)) as journal:
        journal.append({"item": "a.wav", "status": status, "output_was": was, "kept": kept})
    assert last_entries(str(tmp_path))["a.wav"].is_ours == is_ours


HOLD = """
import sys
from automix.batch.journal import Journal
with Journal(sys.argv[1]) as journal:
    journal.append({"item": "a.wav", "status": "started"})
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_run_is_refused_until_the_first_is_gone_however_it_went(tmp_path: Path) -> None:
    folder = str(tmp_path / "new" / "folder")
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, folder],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(OutputError, match="another run"):
            Journal(folder)
        process.kill()
    with Journal(folder) as journal:
        journal.append({"item": "b.wav", "status": "started"})


def test_of_two_runs_that_begin_together_one_is_refused(tmp_path: Path) -> None:
    with Journal(str(tmp_path)) as first, Journal(str(tmp_path)) as second:
        first.append({"item": "a.wav", "status": "started"})
        with pytest.raises(OutputError, match="another run"):
            second.append({"item": "a.wav", "status": "started"})


def test_a_journal_that_nothing_is_written_to_leaves_no_trace(tmp_path: Path) -> None:
    with Journal(str(tmp_path / "new")):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_error_that_names_the_journal() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    journal = Journal("/nowhere")
    journal._descriptor = os.open("/dev/full", os.O_RDWR)
    with journal, pytest.raises(OutputError, match=r"/nowhere/automix-batch.jsonl: the disk is"):
        journal.append({"item": "a.wav", "status": "started"})


@pytest.mark.parametrize("fault", ["pipe", "somebody else's file", "somebody else's link"])
def test_a_journal_that_was_planted_is_not_written_to(tmp_path: Path, fault: str) -> None:
    path, precious = tmp_path / "automix-batch.jsonl", tmp_path / "precious"
    precious.write_bytes(b"precious")
    if fault == "pipe":
        os.mkfifo(path)
    elif os.geteuid() != 0:
        pytest.skip("only root can make files of others")
    else:
        tmp_path.chmod(0o1777)
        path.symlink_to(precious) if "link" in fault else path.write_bytes(b"")
        os.lchown(path, 12345, 12345)
    with pytest.raises(OutputError, match="pipe|somebody else's"):
        Journal(str(tmp_path))
    assert precious.read_bytes() == b"precious"


@pytest.mark.parametrize(
    "line",
    [
        "[" * 100_000 + "]" * 100_000,
        '{"item": "a.wav", "status": ' + "9" * 5000 + "}",
        '{"item": ["a.wav"], "status": "done"}',
        '{"item": "a.wav", "status": ["done"]}',
        '{"item": "a.wav", "status": "finished"}',
        '{"item": "a.wav", "status": "failed", "files": [1], "fingerprint": {}}',
        '{"item": "a.wav", "status": "failed", "files": {"mix": [1, 2, 3, 4], "plan": null}}',
    ],
    ids=lambda line: line[:70],
)
def test_records_of_other_forms_do_not_stop_a_batch(tmp_path: Path, line: str) -> None:
    with Journal(str(tmp_path)) as journal:
        journal.append({"item": "b.wav", "status": "done"})
    with (tmp_path / "automix-batch.jsonl").open("a") as file:
        file.write(line + "\n")
    found = last_entries(str(tmp_path))
    assert found["b.wav"].status == "done"
    assert "a.wav" not in found or not found["a.wav"].files


@pytest.mark.parametrize("room", [0, 20])
def test_a_record_that_the_disk_has_no_room_for_is_not_half_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    write = os.write
    with Journal(str(tmp_path)) as journal:
        if room:
            journal.append({"item": "a.wav", "status": "done"})
        monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:room]))
        with pytest.raises(OutputError, match="automix-batch.jsonl: the disk is full"):
            journal.append({"item": "b.wav", "status": "started"})
    monkeypatch.undo()
    assert set(last_entries(str(tmp_path))) == ({"a.wav"} if room else set())
    assert os.listdir(tmp_path) == (["automix-batch.jsonl"] if room else [])
