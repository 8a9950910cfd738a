"""How a plan names its files, and which of them it may read."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from automix.errors import PlanError
from automix.plan.model import MixPlan
from automix.plan.settings import ChannelStrip
from automix.plan.toml import dumps, file_reference, resolve_file
from automix.session.tracks import open_plan_session


def through_a_plan(reference):
    plan = MixPlan(tracks=(ChannelStrip(name="a", file=reference),))
    text = dumps(plan).encode()  # a plan is a UTF-8 file
    return MixPlan.from_toml(text.decode()).tracks[0].file


NAMES = [
    "vox.wav",
    "with space.wav",
    "歌 é.wav",
    "-dash.wav",
    "new\nline.wav",
    "tab\t\"quote\" 'single' back\\slash.wav",
    "file:odd.wav",
    "file:%41.wav",
    "100%.wav",
    "~.wav",
    "#.wav",
    os.fsdecode(b"latin-\xe9-1.wav"),
    os.fsdecode(b"file:\xff%.wav"),
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
@pytest.mark.parametrize("where", [".", "song", "song/raw", "..", "../elsewhere"])
def test_the_file_is_found_again(tmp_path, name, where):
    folder = tmp_path / "mixes" / "one"
    path = folder / where / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"audio")
    folder.mkdir(exist_ok=True)
    reference = through_a_plan(file_reference(path, folder))
    assert resolve_file(reference, folder).read_bytes() == b"audio"
    assert resolve_file(reference, folder).samefile(path)


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_the_folder_can_be_moved(tmp_path, name):
    folder = tmp_path / "before"
    (folder / "song").mkdir(parents=True)
    (folder / "song" / name).write_bytes(b"audio")
    reference = through_a_plan(file_reference(folder / "song" / name, folder))
    shutil.move(folder, tmp_path / "after")
    assert resolve_file(reference, tmp_path / "after").read_bytes() == b"audio"


def test_paths_may_be_relative_to_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    Path("in/vox.wav").write_bytes(b"audio")
    Path("out").mkdir()
    reference = file_reference(Path("in/vox.wav"), Path("out"))
    assert reference == "../in/vox.wav"
    monkeypatch.chdir("/")
    assert resolve_file(reference, tmp_path / "out").read_bytes() == b"audio"
    monkeypatch.chdir(tmp_path)
    assert file_reference(Path("in/vox.wav"), Path("in")) == "vox.wav"
    assert file_reference(Path("in/vox.wav").absolute(), Path("")) == "in/vox.wav"


def test_an_absolute_reference_stays_one(tmp_path):
    assert resolve_file("/data/vox.wav", tmp_path) == Path("/data/vox.wav")


def test_a_plan_in_a_linked_folder_finds_what_is_beside_the_link(tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "far" / "away").mkdir(parents=True)
    (tmp_path / "here" / "vox.wav").write_bytes(b"audio")
    (tmp_path / "far" / "vox.wav").write_bytes(b"another")
    link = tmp_path / "here" / "mixes"
    link.symlink_to(tmp_path / "far" / "away")
    reference = file_reference(tmp_path / "here" / "vox.wav", link)
    assert resolve_file(reference, link).read_bytes() == b"audio"
    beside = link / ".." / "vox.wav"  # the system follows the link before it goes up
    assert resolve_file(file_reference(beside, link), link).read_bytes() == b"another"
    assert resolve_file(file_reference(beside, tmp_path), tmp_path).read_bytes() == b"another"
    up = link / ".."
    path = tmp_path / "here" / "vox.wav"
    assert resolve_file(file_reference(path, up), up).read_bytes() == b"audio"


def test_a_link_in_the_folder_keeps_its_name(tmp_path):
    (tmp_path / "data.wav").write_bytes(b"audio")
    (tmp_path / "song").mkdir()
    (tmp_path / "song" / "vox.wav").symlink_to(tmp_path / "data.wav")
    assert file_reference(tmp_path / "song" / "vox.wav", tmp_path / "song") == "vox.wav"


@pytest.fixture
def mixed(tmp_path):
    """A folder with a plan of one file in it, and a file beside the folder."""
    folder = tmp_path / "mixes"
    folder.mkdir()
    for path, level in ((folder / "vox.wav", 0.1), (tmp_path / "other.wav", 0.2)):
        soundfile.write(path, np.full(8000, level), 8000)
    return folder


def plan_of(file, sha256=""):
    strip = ChannelStrip(name="lead", file=file, sha256=sha256)
    return MixPlan(sample_rate_hz=8000, tracks=(strip,))


def test_a_plan_reads_the_files_of_its_folder(mixed):
    session = open_plan_session(plan_of("vox.wav"), mixed)
    assert session.track("lead").source.frames == 8000


@pytest.mark.parametrize("file", ["gone.wav", "", ".", "file:%00", "x" * 5000])
def test_a_missing_file_is_named_with_its_track(mixed, file):
    with pytest.raises(PlanError, match=r"track 'lead': there is no file .* correct `file`"):
        open_plan_session(plan_of(file), mixed)


def test_a_file_outside_the_folder_is_refused(mixed):
    (mixed / "link.wav").symlink_to(mixed.parent / "other.wav")
    for file in (
        "../other.wav",
        str(mixed.parent / "other.wav"),
        "link.wav",
        "file:..%2Fother.wav",
    ):
        for sha256 in ("", "0" * 64):
            with pytest.raises(PlanError, match="track 'lead': .*outside the plan's folder"):
                open_plan_session(plan_of(file, sha256), mixed)


def test_a_file_outside_is_read_if_the_plan_was_made_from_it(mixed):
    from automix.files.disk import sha256

    digest = sha256(mixed.parent / "other.wav")
    session = open_plan_session(plan_of("../other.wav", digest), mixed)
    assert session.notes == ()


def test_a_file_outside_is_read_if_that_is_asked_for(mixed):
    plan = plan_of("../other.wav", "0" * 64)
    session = open_plan_session(plan, mixed, allow_outside=True)
    assert any("not the file that the plan was made from" in note for note in session.notes)


def test_a_changed_file_in_the_folder_is_noted(mixed):
    plan = plan_of("vox.wav", "0" * 64)
    (note,) = open_plan_session(plan, mixed).notes
    assert "vox.wav: not the file that the plan was made from" in note


def test_a_plan_at_another_rate_resamples(mixed):
    plan = replace(plan_of("vox.wav"), sample_rate_hz=16000)
    assert open_plan_session(plan, mixed).sample_rate == 16000
