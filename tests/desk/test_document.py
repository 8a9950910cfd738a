"""The plan of a desk: steps, snapshots, and a file that is never lost or written over unasked."""

import os
import stat
import tempfile
import threading
from pathlib import Path

import pytest

import automix.desk.plan_file
from automix.desk.document import AS_OPENED, ChangedUnderneath, Document
from automix.desk.edits import apply_edits, parts_of
from automix.errors import OutputError, PlanError, UsageError
from automix.inputs import keep_inputs
from automix.plan.decision import Decision
from automix.plan.model import MixPlan, read_plan
from automix.plan.toml import dumps
from tests.desk.plans import PLAN, EditDraw, edit, fail_on_a_full_disk, part_of, write


@pytest.fixture
def path(tmp_path):
    return write(tmp_path)


@pytest.fixture
def document(path):
    document = Document.open(path)
    yield document
    document.close()


def fader(value, owner="a.b.c"):
    return [edit(f"{owner}: fader_db", value)]


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def test_steps_are_undone_and_done_again(document):
    plans = [document.plan]
    for value in range(1, 5):
        change = document.edit(fader(value))
        assert (change.before, change.after) == (plans[-1], document.plan)
        plans.append(document.plan)
    assert document.state.undo == "a.b.c fader +1 dB"
    for plan in plans[-2::-1]:
        assert document.undo().after == document.plan == plan
    with pytest.raises(UsageError, match="nothing to undo"):
        document.undo()
    for plan in plans[1:]:
        assert document.redo().after == document.plan == plan
    with pytest.raises(UsageError, match="nothing to redo"):
        document.redo()
    document.undo()
    document.edit(fader(9))
    assert document.state.redo is None
    assert document.undo().after == plans[-2]


def test_the_edits_of_a_gesture_are_one_step(document):
    for value in (-1.5, -1, 0.5):
        document.edit(fader(value), gesture="drag 1")
    assert document.state.undo == "a.b.c fader +2.5 dB"
    document.edit(fader(1), gesture="drag 2")
    document.edit(fader(2))
    document.edit(fader(3))
    for value in (2.0, 1.0, 0.5, -2.0):
        document.undo()
        assert part_of(document.plan, "a.b.c").fader_db == value
    assert document.plan == PLAN
    document.redo()
    document.edit(fader(4), gesture="drag 1")  # what is to be done again is not written over
    document.undo()
    assert part_of(document.plan, "a.b.c").fader_db == 0.5


def test_a_refused_edit_changes_nothing(document):
    document.edit(fader(1))
    before = document.state
    with pytest.raises(PlanError):
        document.edit([*fader(2), edit("a.b.c: pan", 2)])
    assert document.state == before


def test_an_edit_that_changes_nothing_is_no_step(document):
    change = document.edit(fader(-2))
    assert (change.revision, change.label, change.owners) == (0, "", {})
    assert document.state.undo is None


def test_a_change_says_what_it_changed(document):
    change = document.edit([*fader(1), edit("master: gain_db", 1)])
    assert set(change.owners) == {"a.b.c", "master"}
    assert not change.is_structural
    assert not change.changes_decisions
    fewer = MixPlan(tracks=PLAN.tracks[1:], buses=PLAN.buses)
    change = document.replace_plan(fewer, "fewer tracks")
    assert change.is_structural
    assert document.state.undo == "fewer tracks"
    assert document.undo().is_structural


def test_what_the_method_set_stays_known(tmp_path):
    decision = Decision(setting="a.b.c.fader_db", value=-2.0, rule="r", reason="why")
    sealed = MixPlan(tracks=PLAN.tracks, buses=PLAN.buses, decisions=(decision,)).sealed()
    document = Document.open(write(tmp_path, sealed))
    document.edit(fader(1))
    assert document.plan.decisions == (decision,)
    assert document.plan.was_edited
    document.save()
    assert read_plan(document.path).was_edited
    document.undo()
    assert not document.plan.was_edited
    document.close()


def test_snapshots(document):
    document.edit(fader(1))
    document.take_snapshot("louder")
    document.edit(fader(2))
    document.take_snapshot("loudest")
    assert list(document.state.snapshots) == [AS_OPENED, "louder", "loudest"]
    assert document.snapshot(AS_OPENED) == PLAN
    assert part_of(document.use_snapshot("louder").after, "a.b.c").fader_db == 1.0
    document.undo()
    assert part_of(document.plan, "a.b.c").fader_db == 2.0
    document.drop_snapshot("louder")
    with pytest.raises(UsageError, match="no snapshot named 'louder'"):
        document.use_snapshot("louder")
    for refused in ("", " ", AS_OPENED):
        with pytest.raises(UsageError, match="cannot be named"):
            document.take_snapshot(refused)
    with pytest.raises(UsageError, match="always kept"):
        document.drop_snapshot(AS_OPENED)


def test_saving_writes_the_plan_and_nothing_else(document, path, tmp_path):
    path.chmod(0o640)
    before = path.stat()
    document.edit(fader(1))
    assert not document.is_saved
    document.save()
    assert document.is_saved
    assert path.read_text(encoding="utf-8") == dumps(document.plan)
    assert read_plan(path) == document.plan
    assert read_plan(path).tracks[0].file == "lead vocal.wav"
    assert path.stat().st_ino != before.st_ino  # it was put in place, not written over
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    document.undo()
    assert not document.is_saved
    document.close()
    assert names(tmp_path) == [".mix.toml.desk", "mix.toml"]


def test_a_file_that_is_an_input_of_the_run_is_saved_all_the_same(path):
    with keep_inputs():
        document = Document.open(path)
        document.edit(fader(1))
        document.save()
        document.close()
    assert read_plan(path) == document.plan


def test_a_link_is_followed(path, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    link = other / "link.toml"
    link.symlink_to(path)
    document = Document.open(link)
    with pytest.raises(OutputError, match="is open on another desk"):
        Document.open(path)
    document.edit(fader(1))
    document.save()
    document.close()
    assert link.is_symlink()
    assert read_plan(path) == document.plan
    assert names(other) == ["link.toml"]


def test_comments_are_kept_beside_the_plan(path, tmp_path):
    for kept in ("mix.toml.before-desk", "mix.toml.before-desk-2"):
        text = dumps(PLAN) + f"# {kept}: the singer likes it\n"
        path.write_text(text, encoding="utf-8")
        document = Document.open(path)
        document.edit(fader(1))
        document.save()
        document.edit(fader(2))
        document.save()
        document.close()
        assert (tmp_path / kept).read_text(encoding="utf-8") == text
        assert [w.partition(" as ")[2] for w in document.state.warnings] == [kept]
    assert names(tmp_path) == ["mix.toml", "mix.toml.before-desk", "mix.toml.before-desk-2"]


def test_a_plan_as_automix_wrote_it_has_no_comments_to_lose(document, tmp_path):
    document.edit(fader(1))
    document.save()
    document.close()
    assert names(tmp_path) == ["mix.toml"]


def change_file(path, *edits):
    plan = apply_edits(read_plan(path), edits)
    path.write_text(dumps(plan), encoding="utf-8")
    return plan


def test_a_file_that_changed_underneath_is_not_written_over(document, path):
    assert not document.changed_underneath()
    document.edit([*fader(1), edit("plate: gain_db", 1)])
    theirs = change_file(path, *fader(3), edit("lead vocal: pan", 0.1))
    assert document.changed_underneath()
    with pytest.raises(ChangedUnderneath, match="was changed by another program") as refused:
        document.save()
    (conflict,) = refused.value.conflicts
    assert conflict.address == "a.b.c.fader_db"
    assert (conflict.base, conflict.mine, conflict.theirs) == (-2.0, 1.0, 3.0)
    assert read_plan(path) == theirs
    assert not document.is_saved


@pytest.mark.parametrize(("choice", "value"), [("mine", 1.0), ("theirs", 3.0)])
def test_merging_with_a_file_that_changed(document, path, choice, value):
    document.edit([*fader(1), edit("plate: gain_db", 1)])
    mine = document.plan
    change_file(path, *fader(3), edit("lead vocal: pan", 0.1))
    change = document.save(force="merge", choices={"a.b.c.fader_db": choice})
    merged = document.plan
    assert change.after == merged
    assert "lead vocal" in change.owners
    assert read_plan(path) == merged
    assert document.is_saved
    assert part_of(merged, "a.b.c").fader_db == value
    assert part_of(merged, "lead vocal").pan == 0.1
    assert merged.bus("plate").gain_db == 1.0
    assert not document.changed_underneath()
    assert document.undo().after == mine
    document.save()


def test_writing_over_a_file_that_changed(document, path, tmp_path):
    document.edit(fader(1))
    text = "# a file of somebody's that is no plan\n"
    path.write_text(text)
    with pytest.raises(ChangedUnderneath, match="cannot be read") as refused:
        document.save()
    assert refused.value.conflicts == ()
    assert not refused.value.is_plan
    with pytest.raises(PlanError):
        document.save(force="merge")
    document.save(force="overwrite")
    assert read_plan(path) == document.plan
    assert (tmp_path / "mix.toml.before-desk").read_text() == text


def test_comments_that_came_meanwhile_are_a_change(document, path, tmp_path):
    document.edit(fader(1))
    text = dumps(PLAN) + "# louder, please\n"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ChangedUnderneath) as refused:
        document.save()
    assert refused.value.conflicts == ()
    document.save(force="merge")
    assert read_plan(path) == document.plan
    assert (tmp_path / "mix.toml.before-desk").read_text(encoding="utf-8") == text


def test_a_file_that_was_touched_or_went_away_is_saved(document, path):
    path.write_bytes(path.read_bytes())
    assert not document.changed_underneath()
    document.edit(fader(1))
    document.save()
    path.unlink()
    assert document.changed_underneath()
    document.save()
    assert read_plan(path) == document.plan


def test_a_change_while_it_is_saved_is_seen(document, path, monkeypatch):
    fsync = os.fsync

    def interfere(descriptor):
        fsync(descriptor)
        monkeypatch.setattr(os, "fsync", fsync)
        change_file(path, edit("lead vocal: pan", 0.1))

    document.edit(fader(1))
    monkeypatch.setattr(os, "fsync", interfere)
    with pytest.raises(ChangedUnderneath):
        document.save()
    assert part_of(read_plan(path), "lead vocal").pan == 0.1
    document.save(force="merge")
    assert part_of(document.plan, "lead vocal").pan == 0.1
    assert read_plan(path) == document.plan


def test_a_file_that_comes_again_while_it_is_saved_is_seen(document, path, monkeypatch):
    fsync = os.fsync

    def interfere(descriptor):
        fsync(descriptor)
        path.write_text(dumps(PLAN.without_rides()), encoding="utf-8")

    document.edit(fader(1))
    path.unlink()
    monkeypatch.setattr(os, "fsync", interfere)
    with pytest.raises(ChangedUnderneath):
        document.save()
    assert read_plan(path) == PLAN.without_rides()


def test_a_merge_that_cannot_be_written_changes_nothing(document, path, monkeypatch):
    mine = document.edit(fader(1)).after
    theirs = change_file(path, edit("lead vocal: pan", 0.1))
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail_on_a_full_disk)
        with pytest.raises(OutputError, match="the disk is full"):
            document.save(force="merge")
    assert document.plan == mine
    assert (document.state.revision, document.state.undo) == (1, "a.b.c fader +3 dB")
    assert read_plan(path) == theirs
    assert document.save(force="merge").owners.keys() == {"lead vocal"}


def test_a_plan_that_is_refused_changes_nothing(document, path):
    """Such as one whose tracks cannot be opened any more."""
    others = PLAN.without_rides()
    document.edit(fader(1))
    document.replace_plan(others, "other tracks")
    document.edit(fader(2))
    document.undo()
    document.check = refuse_others
    with pytest.raises(PlanError, match="no tracks"):
        document.undo()
    assert document.plan == others
    assert (document.state.undo, document.state.redo) == ("other tracks", "a.b.c fader +4 dB")
    document.redo()
    change_file(path, edit("lead vocal: pan", 0.1))
    kept = path.read_bytes()
    for refused in (document.reload, lambda: document.save(force="merge")):
        with pytest.raises(PlanError, match="no tracks"):
            refused()
        with pytest.raises(ChangedUnderneath):  # it is not taken for what was read
            document.save()
        assert path.read_bytes() == kept
    assert part_of(document.plan, "a.b.c").fader_db == 2.0


def refuse_others(plan):
    if plan.without_rides() != plan or part_of(plan, "lead vocal").pan == 0.1:
        raise PlanError("no tracks")


def test_a_finished_master_is_saved_and_later_edits_are_not(document, path):
    document.edit(fader(1))
    document.save()
    finished = apply_edits(document.plan, [edit("master: gain_db", -3)])
    assert document.save_finished(finished).after == finished == read_plan(path)
    assert (document.is_saved, document.unsaved_edits) == (True, 0)
    again = apply_edits(finished, [edit("master: gain_db", -4)])
    document.edit(fader(2))
    mine = document.plan
    document.save_finished(again)
    assert read_plan(path) == again
    assert document.plan == apply_edits(again, fader(2))
    assert (document.is_saved, document.unsaved_edits) == (False, 1)
    assert document.undo().after == mine
    document.redo()
    theirs = change_file(path, edit("lead vocal: pan", 0.1))
    with pytest.raises(ChangedUnderneath):
        document.save_finished(finished)
    assert read_plan(path) == theirs
    document.save(force="merge")
    assert read_plan(path) == apply_edits(theirs, fader(2))


def test_how_many_edits_are_not_saved(document):
    assert document.unsaved_edits == 0
    for value in (1, 2):
        document.edit(fader(value), gesture="drag")
    document.edit(fader(3))
    assert document.unsaved_edits == 2
    document.undo()
    assert document.unsaved_edits == 1
    document.save()
    assert document.unsaved_edits == 0
    document.edit(fader(4), gesture="drag")
    assert document.unsaved_edits == 1
    document.undo()
    assert document.unsaved_edits == 0
    document.undo()
    assert document.unsaved_edits == 1
    document.save()
    document.edit(fader(4))
    document.edit(fader(5))
    document.edit(fader(PLAN.tracks[1].fader_db))
    assert (document.is_saved, document.unsaved_edits) == (True, 0)


def test_reloading_can_be_undone(document, path):
    document.edit(fader(1))
    mine = document.plan
    theirs = change_file(path, *fader(3))
    assert document.reload().after == document.plan == theirs
    assert document.is_saved
    assert not document.changed_underneath()
    document.undo()
    assert document.plan == mine
    document.save()
    assert read_plan(path) == mine


@pytest.fixture
def own_folder():
    """A folder of somebody who is not the superuser, who does what the test does.

    The folders of pytest are closed to others, and every other run of it closes them again.
    """
    was = os.geteuid()
    with tempfile.TemporaryDirectory() as name:
        if was == 0:
            os.chown(name, 65534, -1)
            os.seteuid(65534)
        try:
            yield Path(name)
        finally:
            os.seteuid(was)


def test_a_file_that_may_not_be_written(own_folder):
    path = write(own_folder)
    document = Document.open(path)
    path.chmod(0o444)
    document.edit(fader(1))
    with pytest.raises(OutputError, match=r"mix\.toml: may not be written; change its permissions"):
        document.save()
    assert read_plan(path) == PLAN
    assert part_of(document.plan, "a.b.c").fader_db == 1.0
    path.chmod(0o644)
    document.save()
    assert read_plan(path) == document.plan
    document.close()


def test_a_folder_that_may_not_be_written(own_folder):
    path = write(own_folder)
    own_folder.chmod(0o555)
    try:
        document = Document.open(path)
        assert "edits that are not saved would be lost" in document.state.warnings[0]
        document.edit(fader(1))
        with pytest.raises(OutputError, match=r"mix\.toml: may not be written"):
            document.save()
        document.undo()
        document.redo()
        assert part_of(document.plan, "a.b.c").fader_db == 1.0
        document.close()
    finally:
        own_folder.chmod(0o755)


@pytest.mark.parametrize("broken", ["write", "fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_the_edits(
    document, path, tmp_path, monkeypatch, broken
):
    document.edit(fader(1))
    with monkeypatch.context() as patch:
        patch.setattr(os, broken, fail_on_a_full_disk)
        with pytest.raises(OutputError, match=r"mix\.toml: the disk is full: needs 0\.1 MB"):
            document.save()
    assert read_plan(path) == PLAN
    assert names(tmp_path) == [".mix.toml.desk", "mix.toml"]
    assert not document.is_saved
    document.save()
    assert part_of(read_plan(path), "a.b.c").fader_db == 1.0


def test_a_plan_that_would_be_too_large_to_be_read_again_is_not_saved(document, path, monkeypatch):
    monkeypatch.setattr(automix.desk.plan_file, "MOST_TOML_BYTES", 100_000)
    points = [0.1234567890123 * n for n in range(5000)]
    ride = {"setting": "fader_db", "times_s": points, "values": [1 / 3] * 5000}
    document.edit([edit("a.b.c: rides", [ride])])
    with pytest.raises(OutputError, match=r"mix\.toml: would have 0\.2 MB, and no plan of more"):
        document.save()
    assert read_plan(path) == PLAN
    document.undo()
    document.edit(fader(1))
    document.save()
    assert read_plan(path) == document.plan


def test_edits_of_several_threads_are_all_made(document):
    def ride(owner):
        for value in range(25):
            document.edit(fader(value / 4 + 0.1, owner))
            if value % 5 == 0:
                document.state  # noqa: B018

    owners = [strip.name for strip in PLAN.tracks]
    threads = [threading.Thread(target=ride, args=(owner,)) for owner in owners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {strip.fader_db for strip in document.plan.tracks} == {6.1}
    assert document.state.revision == 75
    for _ in range(75):
        document.undo()
    assert document.plan == PLAN


@pytest.mark.parametrize("seed", range(4))
def test_random_histories(tmp_path, seed):
    draw = EditDraw(seed)
    document = Document.open(write(tmp_path, draw.draw.plan()))
    past, future = [document.plan], []
    for _ in range(60):
        step = draw.random.random()
        if step < 0.25 and len(past) > 1:
            future.append(past.pop())
            document.undo()
        elif step < 0.45 and future:
            past.append(future.pop())
            document.redo()
        elif step < 0.55:
            document.save()
            assert read_plan(document.path) == document.plan
        else:
            edits, after = draw.legal_edits(document.plan, apply_edits)
            document.edit(edits)
            if after != past[-1]:
                past.append(after)
                future.clear()
        assert document.plan == past[-1]
        assert parts_of(document.plan) == parts_of(past[-1])
    document.close()
