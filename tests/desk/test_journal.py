"""Edits that are not saved outlive the desk, whatever ends it and whatever becomes of the file."""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

import automix.desk.document
import automix.desk.journal
from automix.desk.document import AS_OPENED, Document
from automix.desk.edits import apply_edits
from automix.errors import OutputError, PlanError, UsageError
from automix.plan.decision import Decision
from automix.plan.model import MixPlan, read_plan
from automix.plan.plain import to_plain
from automix.plan.toml import dumps
from tests.desk.plans import PLAN, EditDraw, edit, fail_on_a_full_disk, part_of, write

JOURNAL = ".mix.toml.desk"


@pytest.fixture
def path(tmp_path):
    return write(tmp_path)


def fader(value, owner="a.b.c"):
    return [edit(f"{owner}: fader_db", value)]


def die(document):
    """Ends a desk as a kill does: nothing is written any more, and the lock is gone."""
    os.close(document._journal._descriptor)
    document._journal._descriptor = None


def reopen(document):
    die(document)
    return Document.open(document.path)


def test_what_was_not_saved_is_offered_again(path):
    document = Document.open(path)
    document.edit(fader(1))
    document.edit(fader(2, "lead vocal"))
    after = document.plan
    again = reopen(document)
    recovery = again.state.recovery
    assert (recovery.edits, recovery.fits) == (2, True)
    assert timedelta(0) <= datetime.now(UTC) - recovery.time < timedelta(seconds=30)
    assert again.plan == PLAN
    assert again.recover(True).after == again.plan == after
    assert again.state.recovery is None
    assert not again.is_saved
    assert again.state.undo == "lead vocal fader +2 dB"
    again.undo()
    again.undo()
    assert again.plan == PLAN
    again.redo()
    again.close()


def test_what_is_dropped_is_gone(path, tmp_path):
    document = Document.open(path)
    document.edit(fader(1))
    again = reopen(document)
    again.recover(False)
    assert again.plan == PLAN
    with pytest.raises(UsageError, match="nothing to recover"):
        again.recover(True)
    again = reopen(again)
    assert again.state.recovery is None
    again.close()
    assert not (tmp_path / JOURNAL).exists()


def test_closing(path, tmp_path):
    document = Document.open(path)
    assert (tmp_path / JOURNAL).stat().st_mode & 0o777 == 0o600
    document.edit(fader(1))
    document.undo()
    document.close()
    assert not (tmp_path / JOURNAL).exists()
    document = Document.open(path)
    document.edit(fader(1))
    document.close()
    document = Document.open(path)
    assert document.state.recovery.edits == 1
    document.close()  # nothing was decided about it
    document = Document.open(path)
    document.recover(True)
    document.save()
    document.close()
    assert not (tmp_path / JOURNAL).exists()


def test_saving_empties_it(path):
    document = Document.open(path)
    document.edit(fader(1))
    document.save()
    again = reopen(document)
    assert again.state.recovery is None
    assert part_of(again.plan, "a.b.c").fader_db == 1.0
    again.close()


def test_a_desk_that_dies_between_saving_and_emptying_it(path, monkeypatch):
    document = Document.open(path)
    document.edit(fader(1))
    monkeypatch.setattr(document, "_begin_journal", lambda: None)
    document.save()
    again = reopen(document)
    assert again.state.recovery is None
    again.close()


def test_undoing_what_was_saved(path):
    document = Document.open(path)
    document.edit(fader(1))
    document.edit(fader(2))
    document.save()
    document.undo()
    document.edit(fader(2, "lead vocal"))
    document.undo()
    document.undo()
    document.redo()
    assert part_of(document.plan, "a.b.c").fader_db == 1.0
    again = reopen(document)
    again.recover(True)
    assert again.plan == document.plan
    again.close()


def test_undoing_and_doing_again_across_a_save(path):
    document = Document.open(path)
    document.edit(fader(1))
    document.save()
    document.edit(fader(2))
    for move in (document.undo, document.undo, document.redo, document.redo, document.undo):
        move()
        check_journal(document)
    document.close()


def test_a_drag_that_goes_on_after_a_save(path):
    document = Document.open(path)
    document.edit(fader(1), gesture="drag")
    document.save()
    document.edit(fader(2), gesture="drag")
    document.undo()
    assert document.plan == PLAN
    check_journal(document)
    document.close()


def test_a_drag_back_to_where_it_began_is_no_step(path):
    document = Document.open(path)
    document.edit(fader(1, "lead vocal"))
    document.edit(fader(2, "lead vocal"))
    document.undo()
    for value in (1, -2):
        document.edit(fader(value), gesture="drag")
    assert document.state.redo is None
    document._journal._write_anew()  # without what later edits of the drag make void
    check_journal(document)
    undo = document.state.undo
    document.close()
    document = Document.open(path)
    document.recover(True)
    assert (document.state.undo, document.state.redo) == (undo, None)
    document.undo()
    check_journal(document)
    assert document.plan == PLAN
    document.close()


def test_rides_of_a_send_that_went_and_came_again_in_one_drag(path):
    document = Document.open(path)
    for sends in ([{"bus": "plate"}], [{"bus": "hall"}, {"bus": "plate"}]):
        document.edit([edit("lead vocal: sends", sends)], gesture="drag")
    document._journal._write_anew()
    moved = [ride.setting for ride in part_of(document.plan, "lead vocal").rides]
    assert moved == ["fader_db", "sends.2.gain_db"]
    check_journal(document)
    document.close()


def test_a_second_desk_is_refused_until_the_first_is_gone(path):
    document = Document.open(path)
    document.edit(fader(1))
    with pytest.raises(OutputError, match=r"mix\.toml: is open on another desk") as refused:
        Document.open(path)
    assert refused.value.exit_code == 4
    document.edit(fader(2))
    document.close()
    Document.open(path).close()


def test_a_file_that_changed_since_is_merged(path):
    document = Document.open(path)
    document.edit([*fader(1), edit("plate: gain_db", 1)])
    die(document)
    theirs = apply_edits(PLAN, [*fader(3), edit("lead vocal: pan", 0.1)])
    path.write_text(dumps(theirs), encoding="utf-8")
    again = Document.open(path)
    assert again.plan == theirs
    assert not again.state.recovery.fits
    again.recover(True)
    wanted = apply_edits(theirs, [*fader(1), edit("plate: gain_db", 1)])
    assert again.plan == wanted
    assert again.state.undo == "recovered edits"
    third = reopen(again)
    assert third.recover(True).after == wanted
    third.undo()
    assert third.plan == theirs
    third.close()


def test_edits_before_anything_is_decided(path):
    document = Document.open(path)
    document.edit([*fader(1), edit("plate: gain_db", 1)])
    second = reopen(document)
    second.edit(fader(2, "lead vocal"))
    third = reopen(second)  # killed before it was decided
    assert third.state.recovery.edits == 2
    third.edit([edit("master: gain_db", -1)])
    third.take_snapshot("quieter")
    third.save()
    assert third.state.recovery.edits == 2
    third.recover(True)
    wanted = [*fader(1), *fader(2, "lead vocal")]
    wanted += [edit("plate: gain_db", 1), edit("master: gain_db", -1)]
    assert third.plan == apply_edits(PLAN, wanted)
    assert third.undo().after == apply_edits(PLAN, wanted[3:])
    third.close()


def test_what_a_gesture_does_to_decisions_is_recovered(tmp_path, monkeypatch):
    monkeypatch.setattr(automix.desk.journal, "_SLACK_BYTES", -(1 << 20))  # void lines go at once
    setting = "lead vocal.equalizer.bands.2.gain_db"
    decision = Decision(setting=setting, value=3.0, rule="rule", reason="too dull")
    path = write(tmp_path, replace(PLAN, decisions=(decision,)))
    document = Document.open(path)
    bands = to_plain(part_of(PLAN, "lead vocal").equalizer)["bands"]
    for value in (bands[:1], bands, bands[::-1]):
        document.edit([edit("lead vocal: equalizer.bands", value)], gesture="drag")
    assert document.plan.decisions == ()
    again = reopen(document)
    assert again.recover(True).after == document.plan
    again.close()


def test_snapshots_outlive_saving_quitting_and_a_kill(path):
    document = Document.open(path)
    document.edit(fader(1))
    document.take_snapshot("louder")
    document.undo()
    again = reopen(document)  # where there is nothing to recover
    assert again.state.recovery is None
    assert part_of(again.snapshot("louder"), "a.b.c").fader_db == 1.0
    again.take_snapshot("opened")
    again.edit(fader(2))
    again.save()
    again.edit(fader(3))
    third = reopen(again)
    assert list(third.state.snapshots) == [AS_OPENED, "louder", "opened"]
    assert third.snapshot("louder") == again.snapshot("louder")
    assert third.snapshot("opened") == PLAN
    third.recover(False)
    third.drop_snapshot("opened")
    fourth = reopen(third)
    assert list(fourth.state.snapshots) == [AS_OPENED, "louder"]
    fourth.drop_snapshot("louder")
    fourth.close()
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_desk_says_whether_its_edits_are_kept(path, monkeypatch):
    document = Document.open(path)
    document.edit(fader(1))
    assert document.keep_edits()
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", fail_on_a_full_disk)
        document.edit(fader(2))
        assert not document.keep_edits()
    assert document.keep_edits()
    again = reopen(document)
    again.recover(True)
    assert part_of(again.plan, "a.b.c").fader_db == 2.0
    again.close()


def test_snapshots_and_other_plans_are_recovered(path):
    document = Document.open(path)
    document.edit(fader(1))
    document.take_snapshot("louder")
    document.take_snapshot("again")
    document.drop_snapshot("again")
    other = apply_edits(document.plan, fader(4, "lead vocal"))
    document.replace_plan(other, "finished again")
    document.replace_plan(PLAN.without_rides(), "without rides")
    document.use_snapshot("louder")
    again = reopen(document)
    again.recover(True)
    assert again.state.snapshots == document.state.snapshots
    for _ in range(4):
        assert again.plan == document.plan
        assert again.state.undo == document.state.undo
        again.undo()
        document.undo()
    assert again.plan == PLAN
    again.close()


def test_a_line_that_was_cut_off_is_ignored(path, tmp_path):
    document = Document.open(path)
    document.edit(fader(1))
    whole = (tmp_path / JOURNAL).read_bytes()
    document.edit(fader(2))
    data = (tmp_path / JOURNAL).read_bytes()
    die(document)
    for end in range(len(whole), len(data), 7):
        (tmp_path / JOURNAL).write_bytes(data[:end])
        document = Document.open(path)
        document.recover(True)
        assert part_of(document.plan, "a.b.c").fader_db == 1.0
        document.edit(fader(3))  # and clear of the piece that is left
        document = reopen(document)
        document.recover(True)
        assert part_of(document.plan, "a.b.c").fader_db == 3.0
        document.close()


@pytest.mark.parametrize(
    "line",
    [
        '{"edits":[{"owner":"a.b.c","setting":"fader_db","value":99}]}',
        '{"edits":[{"owner":"a.b.c","setting":"file","value":"/etc/passwd"}]}',
        '{"edits":7}',
        '{"replace":{"plan":"format = 9"},"label":""}',
        '{"replace":{"parts":{"a.b.c":{"name":"b"}}},"label":""}',
        '{"replace":{"parts":{"a.b.c":[]}},"label":""}',
        '{"move":{}}',
        '{"earlier":"format = 1","base":3,"edits":1,"time":1}',
        '{"earlier":"format = 1","base":"format = 1","edits":1,"time":1e300}',
        '{"undo":true,"more":{}}\n{"undo":true}\n{"undo":true}',
        '{"drop":"as opened"}',
        '{"snapshot":"\\ud800"}',
        "{}",
    ],
)
def test_records_that_cannot_be_done_end_it(path, tmp_path, line):
    document = Document.open(path)
    document.edit(fader(1))
    die(document)
    with (tmp_path / JOURNAL).open("a") as file:
        file.write(f'{line}\n{{"edits":[]}}\n')
    document = Document.open(path)
    if document.state.recovery is not None:
        document.recover(True)
        assert part_of(document.plan, "a.b.c").fader_db in (1.0, -2.0)
    document.edit(fader(5))
    document = reopen(document)
    document.recover(True)
    assert part_of(document.plan, "a.b.c").fader_db == 5.0
    document.close()


@pytest.mark.parametrize(
    "content",
    [
        b"\n",
        b"not JSON\n",
        b"[]\n",
        b'{"automix_desk":2}\n',
        b'{"automix_desk":1}\n{"undo":true}\n',
        b'{"automix_desk":1,"sha256":"x","plan":"tracks = 3"}\n',
        b"\xff\xfe\n",
        b"[" * 100_000 + b"\n",
        bytes(1000),
    ],
)
def test_what_is_no_journal_is_kept_and_said(path, tmp_path, content):
    (tmp_path / JOURNAL).write_bytes(content)
    document = Document.open(path)
    (warning,) = document.state.warnings
    assert "edits of an earlier desk cannot be recovered" in warning
    assert "\n" not in warning
    assert document.state.recovery is None
    assert (tmp_path / f"{JOURNAL}-unread").read_bytes() == content
    document.edit(fader(1))
    document = reopen(document)
    document.recover(True)
    document.close()


def test_a_journal_without_end_is_not_read(path, tmp_path, monkeypatch):
    monkeypatch.setattr(automix.desk.journal, "MOST_JOURNAL_BYTES", 1000)
    (tmp_path / JOURNAL).write_bytes(b"{}\n" * 1000)
    document = Document.open(path)
    assert "over 1000 bytes" in document.state.warnings[0]
    document.close()


@pytest.mark.parametrize("what", ["link", "pipe", "folder"])
def test_what_is_planted_under_its_name_is_left_alone(path, tmp_path, what):
    journal, other = tmp_path / JOURNAL, tmp_path / "other"
    other.write_text("precious")
    {
        "link": lambda: journal.symlink_to(other),
        "pipe": lambda: os.mkfifo(journal),
        "folder": journal.mkdir,
    }[what]()
    document = Document.open(path)
    assert "edits that are not saved would be lost" in document.state.warnings[0]
    document.edit(fader(1))
    document.save()
    document.close()
    assert other.read_text() == "precious"
    assert os.path.lexists(journal)


def test_a_full_disk_is_said_and_made_up_for(path, monkeypatch):
    document = Document.open(path)
    document.edit(fader(1))
    write_all = os.write

    def fail(descriptor, data):
        write_all(descriptor, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", fail)
        document.edit(fader(2))
        document.edit(fader(2, "lead vocal"))
    (warning,) = document.state.warnings
    assert "the disk is full" in warning
    assert part_of(document.plan, "lead vocal").fader_db == 2.0
    document.edit([edit("master: gain_db", 1)])
    after = document.plan
    document = reopen(document)
    assert document.recover(True).after == after
    document.close()


def test_a_drag_leaves_a_short_journal(path, tmp_path, monkeypatch):
    monkeypatch.setattr(automix.desk.journal, "_SLACK_BYTES", 10_000)
    document = Document.open(path)
    document.edit(fader(1))
    size = (tmp_path / JOURNAL).stat().st_size
    sizes = []
    for n in range(1000):
        document.edit(fader(n / 100 + 0.001), gesture="drag")
        sizes.append((tmp_path / JOURNAL).stat().st_size)
    assert max(sizes) < 2 * size + 11_000
    document.edit(fader(7))
    after = document.plan
    document = reopen(document)
    document.recover(True)
    assert document.plan == after
    document.undo()
    assert part_of(document.plan, "a.b.c").fader_db == 9.991
    document.undo()
    document.undo()
    assert document.plan == PLAN
    document.close()


def test_a_long_history_is_cut_short_but_not_the_plan(path, tmp_path, monkeypatch):
    monkeypatch.setattr(automix.desk.document, "_LONG_JOURNAL_BYTES", 20_000)
    document = Document.open(path)
    for n in range(400):
        document.edit(fader(n / 100 + 0.001))
    assert (tmp_path / JOURNAL).stat().st_size < 25_000
    again = reopen(document)
    again.recover(True)
    assert again.plan == document.plan
    again.close()
    for _ in range(400):
        document.undo()
    assert document.plan == PLAN


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_done_the_journal_tells_the_plan(tmp_path, seed, monkeypatch):
    monkeypatch.setattr(automix.desk.journal, "_SLACK_BYTES", 2000)
    draw, chance = EditDraw(seed), random.Random(seed)
    document = Document.open(write(tmp_path, draw.draw.plan()))
    wanted = draw.legal_edits(document.plan, apply_edits)[0]
    for _ in range(50):
        step = chance.choice(["edit", "edit", "drag", "drag", "undo", "redo", *OTHERS])
        state = document.state
        if step == "edit":
            wanted = draw.legal_edits(document.plan, apply_edits)[0]
            document.edit(wanted)
        elif step == "drag":
            for _ in range(3):
                values = [document_value(document, e, chance, draw) for e in wanted]
                try:
                    document.edit(values, gesture=f"drag {chance.randrange(2)}")
                except PlanError:
                    break
        elif step == "undo" and state.undo is not None:
            document.undo()
        elif step == "redo" and state.redo is not None:
            document.redo()
        elif step == "save":
            document.save()
        elif step == "snapshot":
            document.take_snapshot("one")
        elif step == "use" and "one" in state.snapshots:
            document.use_snapshot("one")
        elif step == "reload":
            document.reload()
        elif step == "kill":
            after = document.plan
            document = reopen(document)
            if document.state.recovery is None:
                assert document.plan == after
            else:
                assert document.recover(True).after == after
        check_journal(document)
    document.close()


OTHERS = ("save", "snapshot", "use", "reload", "kill")


def document_value(document, wanted, chance, draw):
    """Another edit of the same setting, or the value that it has at the moment."""
    if chance.random() < 0.3:
        value = to_plain(part_of(document.plan, wanted.owner))
        for name in wanted.setting.split("."):
            if isinstance(value, list) and not name.isdigit():
                break
            if isinstance(value, list) and int(name) > len(value):
                break
            value = value[int(name) - 1] if isinstance(value, list) else value[name]
        return edit(f"{wanted.owner}: {wanted.setting}", value)
    for _ in range(200):
        other = draw.edit(document.plan)
        if (other.owner, other.setting) == (wanted.owner, wanted.setting):
            return other
    return wanted


def check_journal(document):
    """What the journal on the disk tells, read by itself, is the plan."""
    lines = document._journal.path.read_bytes().splitlines()
    header, *records = map(json.loads, lines)
    time_now = datetime.now(UTC)
    left = automix.desk.document._read_left(header, records, time_now, document._file)
    assert left.good == len(records)
    assert left.plan == document.plan


PROGRAM = """
import sys
from automix.desk.document import AS_OPENED, Document
from automix.desk.edits import SettingEdit

document = Document.open(sys.argv[1])
print("ready", flush=True)
for number in range(int(sys.argv[2]), 10**9):
    edit = SettingEdit(owner="a.b.c", setting="fader_db", value=number / 2**20)
    document.edit([edit], gesture=f"drag {number // 7}")
    print(number, flush=True)
    if number % int(sys.argv[3]) == 0:
        document.save()
"""


@pytest.mark.parametrize("every", [10**9, pytest.param(5, marks=pytest.mark.slow)])
def test_a_kill_loses_nothing_that_was_confirmed(path, tmp_path, every):
    """A desk edits, and saves after so many edits, until it is killed, again and again."""
    chance, number, began = random.Random(every), 0, -2 * 2**20
    for _ in range(2):
        arguments = [sys.executable, "-c", PROGRAM, path, str(number + 1), str(every)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as desk:
            assert desk.stdout.readline() == "ready\n"
            with pytest.raises(OutputError, match="is open on another desk"):
                Document.open(path)
            time.sleep(chance.uniform(0.05, 0.2))
            desk.send_signal(signal.SIGKILL)
            confirmed = [int(line) for line in desk.stdout.read().splitlines()]
        number = confirmed[-1]
        saved = part_of(read_plan(path), "a.b.c").fader_db * 2**20  # whole, that is
        assert saved == began or saved % every == 0
        document = Document.open(path)
        if document.state.recovery is not None:
            document.recover(True)
        # One edit may have come to the journal and not to the pipe any more.
        recovered = part_of(document.plan, "a.b.c").fader_db * 2**20
        assert recovered in (number, number + 1)
        number = began = int(recovered)
        document.save()
        document.close()
        assert [entry.name for entry in tmp_path.iterdir()] == ["mix.toml"]


@pytest.mark.parametrize("seed", range(3))
def test_a_journal_with_any_bytes_in_it_ends_in_sentences(path, tmp_path, seed):
    document = Document.open(path)
    document.edit(fader(1), gesture="drag")
    document.take_snapshot("one")
    document.undo()
    document.replace_plan(PLAN.without_rides(), "without rides")
    document.edit([edit("lead vocal: sends", [{"bus": "plate"}])])
    data = document._journal.path.read_bytes()
    die(document)
    chance = random.Random(seed)
    pieces = [
        b"{",
        b"}",
        b"[",
        b'"',
        b"\n",
        b"0",
        b"-",
        b"\\u0000",
        b"null",
        b"true",
        b"1e999",
        b"\xff",
    ]
    for _ in range(25):
        broken = bytearray(data)
        for _ in range(chance.randrange(1, 4)):
            start = chance.randrange(len(broken))
            end = start + chance.choice([0, 1, 1, 5, 300])
            broken[start:end] = chance.choice([*pieces, broken[:200], b""])
        (tmp_path / JOURNAL).write_bytes(broken)
        document = Document.open(path)
        assert document.plan == PLAN
        assert all("\n" not in warning for warning in document.state.warnings)
        if document.state.recovery is not None:
            document.recover(True)
            assert MixPlan.from_toml(dumps(document.plan)) == document.plan
        document.edit(fader(3))
        after = document.plan
        document = reopen(document)
        assert document.recover(True).after == after
        document.close()
