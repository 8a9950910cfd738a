"""What is refused before any work, and what is left out."""

import errno
import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from automix.batch.item import Item
from automix.batch.journal import NAME, JournalEntry
from automix.batch.selection import BatchRequest, Selection, select
from automix.batch.sources import DEFAULTS, find_items
from automix.errors import InputError, OutputError, UsageError
from automix.files.state import FileState, digest
from automix.inputs import keep_inputs
from automix.methods.stems.settings import StemsRules
from automix.plan.model import MixPlan
from automix.plan.toml import dumps


@pytest.fixture
def songs(tmp_path: Path) -> list[Path]:
    """Ten songs of one track."""
    folders = [tmp_path / "songs" / f"{number}" for number in range(10)]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "kick.wav").write_text("audio")
    return folders


def items(*paths: Path, folder: Path, name: str = "{song}.{ext}", **more: object) -> list[Item]:
    return list(
        find_items(
            [str(path) for path in paths],
            folder=str(folder),
            name=name,
            options=more.pop("options", {}),
            **more,
        )
    )


def selected(
    chosen: list[Item],
    folder: Path,
    entries: dict[str, JournalEntry] | None = None,
    **asked: object,
) -> Selection:
    return select(chosen, BatchRequest(folder=str(folder), **asked), entries or {})


def test_names_of_outputs(songs: list[Path], tmp_path: Path) -> None:
    def named(name: str, **options: object) -> str:
        return items(songs[0], folder=tmp_path, name=name, options=options)[0].output

    assert named("{song}.{ext}") == "0.wav"
    assert (
        named("x/{kind} {song} {method} {mode} {preset}.mp3")
        == "x/stems 0 rules basic balanced.mp3"
    )
    assert named("{song}.{mode}.flac", mode="full", changes=["a=b"]) == "0.full.flac"
    assert DEFAULTS["mode"] == StemsRules().mode
    for wrong in ("mix.wav", "{artist}.wav", "{song", "{song.x}.wav", "{0}.wav"):
        with pytest.raises(UsageError, match="--name"):
            named(wrong)
    for outside in ("/{song}.wav", "../{song}.wav", "a/../../{song}.wav"):
        with pytest.raises(UsageError, match="no file in the folder of -o"):
            named(outside)


@pytest.mark.parametrize("row", ["name\na,../up", "name\na,/abs", "output\na,../x.wav"])
def test_manifests_do_not_lead_out_of_the_folder(tmp_path: Path, row: str) -> None:
    (tmp_path / "m.csv").write_text(f"stems,{row}\n")
    with pytest.raises(UsageError, match=r"m.csv, line 2: .* no file in the folder of -o"):
        items(tmp_path / "m.csv", folder=tmp_path)


@pytest.mark.parametrize("name", ["gone", "gone.csv", "song.wav", "empty"])
def test_sources_that_hold_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "song.wav").touch()
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=name):
        items(tmp_path / name, folder=tmp_path / "mixes")


def test_all_that_is_missing_is_named_at_once(songs: list[Path], tmp_path: Path) -> None:
    rows = "".join(f"gone{number}\n" for number in range(7))
    (tmp_path / "m.csv").write_text(f"stems\n{rows}{songs[0]}\n")
    os.mkfifo(tmp_path / "gone2")
    with pytest.raises(InputError) as error:
        selected(items(tmp_path / "m.csv", folder=tmp_path / "mixes"), tmp_path / "mixes")
    assert "gone0: No such file or directory" in str(error.value)
    assert "gone2: is a pipe" in str(error.value)
    assert "line 5" in str(error.value)
    assert "and 2 more" in str(error.value)


def test_files_that_a_session_file_or_an_option_names_are_looked_for(
    songs: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "s.toml").write_text("[[tracks]]\nfile = 'songs/0/kick.wav'\nright = 'no.wav'\n")
    (tmp_path / "m.csv").write_text("stems\ns.toml\n")
    with pytest.raises(InputError, match=r"no.wav"):
        selected(items(tmp_path / "m.csv", folder=tmp_path), tmp_path)
    (tmp_path / "no.wav").touch()
    (item,) = items(tmp_path / "m.csv", folder=tmp_path)
    assert len(item.files()) == 3
    chosen = items(songs[0], folder=tmp_path, options={"config": "no.toml"})
    with pytest.raises(InputError, match=r"no.toml"):
        selected(chosen, tmp_path)


def test_outputs_that_collide(songs: list[Path], tmp_path: Path) -> None:
    (tmp_path / "other" / "0").mkdir(parents=True)
    (tmp_path / "other" / "0" / "kick.wav").touch()
    mixes = tmp_path / "mixes"
    chosen = items(tmp_path / "songs", tmp_path / "other", folder=mixes)
    with pytest.raises(OutputError, match=r"mixes/0.wav: would be written twice, .*other"):
        selected(chosen, mixes)
    (tmp_path / "m.csv").write_text(f"stems,output\n{songs[0]},a.wav\n{songs[1]},a.flac\n")
    with pytest.raises(OutputError, match=r"a.toml: would be written twice"):
        selected(items(tmp_path / "m.csv", folder=mixes), mixes)
    selected(items(tmp_path / "m.csv", folder=mixes), mixes, write_plan=False)
    (tmp_path / "m.csv").write_text(f"stems,output\n{songs[0]},{NAME}\n")
    with pytest.raises(OutputError, match="the journal"):
        selected(items(tmp_path / "m.csv", folder=mixes), mixes)


def test_a_name_that_no_disk_takes(songs: list[Path], tmp_path: Path) -> None:
    for name in ("{song}" + 130 * "ü" + ".wav", "{song}" + 256 * "x" + "/mix.wav"):
        with pytest.raises(OutputError, match="too long"):
            selected(items(songs[0], folder=tmp_path, name=name), tmp_path)


def test_songs_that_are_asked_the_same_share_one_request(songs: list[Path], tmp_path: Path) -> None:
    chosen = items(tmp_path / "songs", folder=tmp_path, options={"loudness": -14.0})
    assert len({id(item.asked) for item in chosen}) == 1
    assert {item.asked.loudness for item in chosen} == {-14.0}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loudness": 3.0}, "--loudness: loudness_lufs = 3.0 is outside"),
        ({"method": "magic"}, "--method magic: choose"),
        ({"config": "rules.toml"}, "rules.toml: unknown setting 'loud'"),
        ({"changes": ["vocal"]}, "--set 'vocal': write"),
    ],
)
def test_options_are_checked_before_any_work(
    songs: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, object],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rules.toml").write_text("loud = 1\n")
    with pytest.raises(UsageError, match=re.escape(f"{songs[0]}: {message}")):
        selected(items(songs[0], folder=tmp_path, options=options), tmp_path)


def test_files_in_the_way_and_whose_they_are(songs: list[Path], tmp_path: Path) -> None:
    mixes = tmp_path / "mixes"
    mixes.mkdir()
    chosen = items(tmp_path / "songs", folder=mixes)
    (mixes / "3.wav").touch()
    (mixes / "4.toml").touch()
    (mixes / "5.wav").symlink_to("nowhere")
    with pytest.raises(OutputError, match=r"3.wav, .*4.wav, .*5.wav: there already"):
        selected(chosen, mixes)
    assert len(selected(chosen, mixes, force=True).items) == 10
    assert len(selected(chosen, mixes, skip_existing=True).items) == 10
    ours = {f"{number}.wav": JournalEntry("started", "", True) for number in (3, 4, 5)}
    assert len(selected(chosen, mixes, ours, only="unfinished").items) == 10
    with pytest.raises(OutputError):
        selected(chosen, mixes, ours)
    ours["4.wav"] = JournalEntry("failed", "", False)
    with pytest.raises(OutputError, match=r"mixes/4.wav: there already"):
        selected(chosen, mixes, ours, only="unfinished")


def test_inputs_are_not_written_over_even_those_of_other_items(
    songs: list[Path], tmp_path: Path
) -> None:
    mixes = tmp_path / "mixes"
    mixes.mkdir()
    os.link(songs[7] / "kick.wav", mixes / "2.wav")
    with pytest.raises(OutputError, match=r"mixes/2.wav: is the input .*7/kick.wav"):
        selected(items(tmp_path / "songs", folder=mixes), mixes, force=True)


def test_what_is_left_out(songs: list[Path], tmp_path: Path) -> None:
    mixes = tmp_path / "mixes"
    mixes.mkdir()
    chosen = items(tmp_path / "songs", folder=mixes)
    entries = {}
    for item in chosen:
        (mixes / item.output).write_text(item.output)
        state = FileState.of(os.stat(mixes / item.output), digest(mixes / item.output))
        entries[item.output] = JournalEntry("done", item.fingerprint(), True, {"mix": state})
    for item in chosen[8:]:
        (mixes / item.output).unlink()
    (songs[2] / "kick.wav").write_text("other")
    (songs[3] / "snare.wav").write_text("new")
    entries["5.wav"] = JournalEntry("failed", entries["5.wav"].fingerprint, True)
    entries["6.wav"] = JournalEntry("died", "", True)
    entries["7.wav"] = JournalEntry("started", "", True)
    resumed = selected(chosen, mixes, entries, only="unfinished", write_plan=False)
    assert [item.song for item in resumed.items] == ["2", "3", "5", "6", "7", "8", "9"]
    assert (resumed.total, resumed.done) == (10, 3)
    failed = selected(chosen, mixes, entries, only="failed", write_plan=False)
    assert [item.song for item in failed.items] == ["5", "6"]
    louder = items(tmp_path / "songs", folder=mixes, options={"loudness": -9.0})
    assert len(selected(louder, mixes, entries, only="unfinished", write_plan=False).items) == 10


@pytest.mark.parametrize(
    "damage",
    [
        lambda mix: mix.write_bytes(b""),
        lambda mix: mix.write_bytes(mix.read_bytes()[:5]),
        lambda mix: mix.write_bytes(b"R1FF" + mix.read_bytes()[4:]),
        lambda mix: (mix.unlink(), mix.mkdir()),
        lambda mix: (mix.unlink(), os.mkfifo(mix)),
        Path.unlink,
    ],
)
def test_what_is_done_is_told_by_what_the_files_hold(
    songs: list[Path], tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    chosen = items(songs[0], folder=tmp_path / "mixes")
    request = BatchRequest(folder=str(tmp_path / "mixes"), only="unfinished")
    files = {name: Path(path) for name, path in request.outputs(chosen[0]).items()}
    files["mix"].parent.mkdir()
    files["mix"].write_bytes(b"RIFF and audio")
    files["plan"].write_text(dumps(MixPlan(method="rules")))
    states = {name: FileState.of(os.stat(path), digest(path)) for name, path in files.items()}
    done = JournalEntry("done", chosen[0].fingerprint(), True, states)
    assert not request.is_due(chosen[0], done)
    for path in files.values():  # a copy elsewhere has other times
        os.utime(path, ns=(1, 1))
    assert not request.is_due(chosen[0], done)
    damage(files["mix"])
    assert request.is_due(chosen[0], done)
    assert request.output_was(chosen[0], done) == "ours"


def test_a_plan_that_was_edited_is_kept_and_one_that_is_damaged_made_again(
    songs: list[Path], tmp_path: Path
) -> None:
    chosen = items(songs[0], folder=tmp_path / "mixes")
    request = BatchRequest(folder=str(tmp_path / "mixes"), only="unfinished")
    mix, plan = map(Path, request.outputs(chosen[0]).values())
    mix.parent.mkdir()
    mix.write_bytes(b"audio")
    plan.write_text(dumps(MixPlan(method="rules")))
    states = {
        name: FileState.of(os.stat(path), digest(path))
        for name, path in (("mix", mix), ("plan", plan))
    }
    done = JournalEntry("done", chosen[0].fingerprint(), True, states)
    plan.write_text(dumps(MixPlan(method="rules", preset="my own")))
    assert not request.is_due(chosen[0], done)
    soundfile.write(mix, np.zeros((100, 2)), 44100)  # rendered anew
    assert not request.is_due(chosen[0], done)
    mix.write_bytes(b"")
    with pytest.raises(OutputError, match="there already"):
        select(chosen, request, {chosen[0].output: done})
    plan.write_text("# automix plan")
    assert select(chosen, request, {chosen[0].output: done}).items == chosen
    for path in (mix, plan):  # a journal of an earlier version does not know what they held
        path.write_bytes(b"audio")
    assert request.is_due(chosen[0], JournalEntry("done", chosen[0].fingerprint(), True))


def test_a_song_that_may_not_be_read_does_not_stop_the_others(
    songs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan, locked = os.scandir, str(songs[0])

    def scandir(path: str) -> object:
        if path == locked:
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    chosen = items(tmp_path / "songs", folder=tmp_path / "mixes")
    due = selected(chosen, tmp_path / "mixes").items
    assert sorted(item.song for item in due) == sorted(map(str, range(10)))
    with pytest.raises(InputError, match="0: may not be read"):
        next(item for item in due if item.song == "0").fingerprint()


@pytest.mark.parametrize(
    "template",
    ["{song:>99999999999}", "{song!r:99999999999}", "{song:{song}}", "{song:_<20}", "{song[0]}"],
)
def test_templates_hold_fields_and_nothing_else(
    songs: list[Path], tmp_path: Path, template: str
) -> None:
    with pytest.raises(UsageError, match="use the fields"):
        items(songs[0], folder=tmp_path, name=template)


@pytest.mark.parametrize("option", ["report", "weights", "config", "reference"])
def test_no_output_of_a_batch_is_an_input_of_it(
    songs: list[Path], tmp_path: Path, option: str
) -> None:
    mixes = tmp_path / "mixes"
    mixes.mkdir()
    kept = mixes / "kept.html"
    kept.write_text("")
    report = "kept.html" if option == "report" else "r.html"
    row = f"[[song]]\nstems = 'songs/0'\nreport = '{report}'\n"
    if option == "report":  # a hard link, as another song's track
        (songs[1] / "kick.wav").unlink()
        os.link(kept, songs[1] / "kick.wav")
    else:
        (mixes / "r.html").hardlink_to(kept)
        row += f"{option} = '{kept}'\n" + ("method = 'dmc'\n" if option == "weights" else "")
    (tmp_path / "m.toml").write_text(row + "[[song]]\nstems = 'songs/1'\n")
    with pytest.raises(OutputError, match="is the input"):
        selected(items(tmp_path / "m.toml", folder=mixes), mixes, force=True)


def test_a_manifest_is_not_written_over(songs: list[Path], tmp_path: Path) -> None:
    (tmp_path / "0.toml").write_text("[[song]]\nstems = 'songs/0'\n")
    with keep_inputs(), pytest.raises(OutputError, match=r"0.toml: is the input .*0.toml"):
        selected(items(tmp_path / "0.toml", folder=tmp_path), tmp_path, force=True)
