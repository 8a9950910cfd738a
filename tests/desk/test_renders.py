"""Kept renders: the exact console's bits, in the order that playing needs, safe on the disk."""

import os
import stat
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from automix.audio.blocks import collect
from automix.audio.samples import Audio
from automix.consoles.exact import ExactConsole, apply_master
from automix.desk import render_files
from automix.desk.renders import Renders, find_cache_folder, find_session
from automix.errors import InputError, OutputError
from automix.parallel.workers import use_workers
from automix.plan.model import MixPlan
from automix.plan.rides import Ride
from automix.plan.settings import (
    ChannelStrip,
    CompressorSettings,
    EqualizerBand,
    EqualizerSettings,
    WidenerSettings,
)
from automix.session.tracks import Session, Track, open_plan_session
from tests.consoles.differentiable_plans import random_plan, with_rides
from tests.desk.playing import make_session, read_render

CHUNK = render_files.CHUNK_FRAMES
RATE = 8000
NAMES = ("a", "b", "c", "d")


@dataclass(frozen=True, eq=False)
class Watched:
    """A track that says when it is read, and waits to be let on."""

    name: str
    audio: Audio
    log: list = field(default_factory=list)
    gate: threading.Event | None = None

    sample_rate = RATE
    channels = 1

    @property
    def frames(self):
        return self.audio.frames

    def blocks(self):
        for number, block in enumerate(self.audio.blocks()):
            if self.gate is not None:
                self.gate.wait(10)
            self.log.append((self.name, number))
            yield block


def watched_session(names="abc", chunks=4, gate=None):
    log = []
    tracks = []
    for number, name in enumerate(names):
        noise = np.random.default_rng(number).uniform(-0.5, 0.5, (1, chunks * CHUNK - 100))
        source = Watched(name, Audio(noise.astype(np.float32), RATE), log, gate)
        tracks.append(Track(name=name, role="other", source=source, sha256=name * 64))
    return Session(tracks=tuple(tracks)), log


def plain_plan(names="abc", **strip):
    return MixPlan(
        sample_rate_hz=RATE, tracks=tuple(ChannelStrip(name=name, **strip) for name in names)
    )


def equalized(gain_db):
    return EqualizerSettings(bands=(EqualizerBand(gain_db=gain_db),))


@pytest.fixture
def open_renders(tmp_path):
    """Opens renders that are closed after the test."""
    opened = []

    def open_them(session, folder=tmp_path, **options):
        opened.append(Renders(session, folder, **options))
        return opened[-1]

    yield open_them
    for renders in opened:
        renders.close()


@pytest.fixture
def one_worker():
    use_workers(1)
    yield
    use_workers(None)


def wait_until(is_true):
    for _ in range(1000):
        if is_true():
            return
        time.sleep(0.01)
    pytest.fail("it did not come about in 10 s")


def wait_whole(renders, plan):
    renders.wait(replace(plan, tracks=tuple(replace(s, mute=False) for s in plan.tracks)), id)


@pytest.mark.parametrize("seed", [pytest.param(0, marks=pytest.mark.slow), 1])
def test_a_console_of_kept_renders_gives_the_same_bits(open_renders, seed):
    session = make_session(seed, frames=150_000)
    plan = with_rides(random_plan(seed, NAMES, 44100, dynamics=True), seed, 3.0)
    renders = open_renders(session)
    renders.follow(plan)
    wait_whole(renders, plan)
    exact = ExactConsole(find_session(session, plan))
    wanted = collect(apply_master(exact.premaster(plan), plan.master)).samples
    console = renders.console(plan)
    found = collect(apply_master(console.premaster(plan), plan.master)).samples
    assert np.array_equal(found, wanted)
    told = renders.describe()
    for strip in plan.tracks:
        audio = collect(exact.inserted(strip, plan.pan_law))
        render = told[strip.name]
        assert render.channels == audio.channels
        assert np.array_equal(
            read_render(renders, render.key, audio.channels, audio.frames), audio.samples
        )
        assert render.is_mono == (exact.source(strip).channels == 1)


def test_what_does_not_sound_before_the_fader_is_not_rendered_again(open_renders):
    session, _ = watched_session()
    renders = open_renders(session)
    plan = plain_plan(compressor=CompressorSettings(threshold_db=-20.0))

    def key(plan):
        return renders.describe(plan)["a"].key

    same = [
        plan.with_strip("a", fader_db=-6.0, pan=0.2, mute=True),
        plan.with_strip("a", rides=(Ride(setting="fader_db"),)),
        plan.with_strip("a", equalizer=EqualizerSettings(bands=(EqualizerBand(gain_db=0.0),))),
        replace(plan, pan_law="linear"),
    ]
    assert {key(other) for other in same[:2]} == {key(plan)}
    assert key(same[3]) == key(plan)
    others = [
        plan.with_strip("a", input_gain_db=1.0),
        plan.with_strip("a", invert_polarity=True),
        plan.with_strip("a", start_s=0.5),
        plan.with_strip("a", compressor=CompressorSettings(threshold_db=-20.1)),
        plan.with_strip("a", widener=WidenerSettings(side_db=-10.0)),
    ]
    assert len({key(plan), *(key(other) for other in others)}) == 6
    wide = others[-1]
    assert key(wide) != key(replace(wide, pan_law="linear"))  # it sets the level of the sides
    assert key(plan) != renders.describe(plan)["b"].key


def test_a_song_that_is_opened_is_rendered_in_lockstep_and_what_is_heard_first(
    open_renders, one_worker
):
    session, log = watched_session()
    renders = open_renders(session)
    plan = plain_plan().with_strip("a", mute=True)
    renders.follow(plan)
    wait_whole(renders, plan)
    heard = [(name, number) for number in range(4) for name in "bc"]
    assert log == [*heard, *(("a", number) for number in range(4))]


def test_a_track_that_changes_goes_before_the_rest_of_the_song(open_renders, one_worker):
    gate = threading.Event()
    session, log = watched_session(gate=gate)
    renders = open_renders(session)
    renders.follow(plain_plan())
    changed = plain_plan().with_strip("c", equalizer=equalized(3.0))
    renders.follow(changed)
    gate.set()
    wait_whole(renders, changed)
    first = log.index(("c", 1))
    assert log[first - 1 : first + 3] == [("c", number) for number in range(4)]
    assert len([entry for entry in log if entry[0] == "a"]) == 4  # and the rest goes on


def test_what_a_dragged_band_leaves_half_done_is_dropped(open_renders, tmp_path, one_worker):
    gate = threading.Event()
    session, log = watched_session("a", gate=gate)
    renders = open_renders(session)
    keys = []
    for step in range(20):
        renders.follow(plain_plan("a", equalizer=equalized(1.0 + step)))
        keys.append(renders.describe()["a"].key)
    gate.set()
    last = renders.read(3, [keys[-1]])
    assert len(last) == 4 * CHUNK
    assert len(log) <= 5  # one block of the first, which was begun, and all of the last
    with pytest.raises(KeyError):
        renders.read(0, [keys[0]])
    wait_until(lambda: [p.suffix for p in tmp_path.iterdir()] == [".render"])


class Turnstile(threading.Semaphore):
    """Lets a number of blocks pass."""

    def wait(self, timeout_s):
        return self.acquire(timeout=timeout_s)


def test_what_is_half_done_is_dropped_though_nobody_works_on_it(open_renders, tmp_path, one_worker):
    gate = Turnstile(2)
    session, log = watched_session("ab", gate=gate)
    renders = open_renders(session)
    renders.follow(plain_plan("ab"))
    key = renders.describe()["b"].key
    wait_until(lambda: len(log) == 2 and len(list(tmp_path.glob("*.part"))) == 2)
    time.sleep(0.05)  # the worker is at the next block of the other
    renders.follow(plain_plan("ab").with_strip("b", equalizer=equalized(3.0)))
    assert list(tmp_path.glob(f"{key}*")) == []
    gate.release(20)


def test_whoever_waits_for_what_is_dropped_is_told(open_renders):
    gate = threading.Event()
    session, _ = watched_session("a", gate=gate)
    renders = open_renders(session)
    renders.follow(plain_plan("a"))
    key = renders.describe()["a"].key
    told = []

    def wait():
        try:
            renders.read(3, [key])
        except KeyError as error:
            told.append(error.args)

    thread = threading.Thread(target=wait)
    thread.start()
    renders.follow(plain_plan("a", equalizer=equalized(3.0)))
    thread.join(5)
    gate.set()
    assert told == [(key,)]


def test_reading_waits_no_longer_than_it_may(open_renders):
    gate = threading.Event()
    session, _ = watched_session("a", gate=gate)
    renders = open_renders(session)
    renders.follow(plain_plan("a"))
    key = renders.describe()["a"].key
    with pytest.raises(TimeoutError):
        renders.read(0, [key], timeout_s=0.05)
    assert renders.read(9, [key], timeout_s=0.05) == bytes(4 * CHUNK)  # beyond the end
    gate.set()
    assert renders.read(0, [key, key])[: 4 * CHUNK] == renders.read(0, [key])


def test_the_render_that_was_heard_before_can_still_be_read_and_snapshots_stay(open_renders):
    session, log = watched_session("a")
    renders = open_renders(session)
    before, after = plain_plan("a"), plain_plan("a", equalizer=equalized(3.0))
    renders.follow(before)
    wait_whole(renders, before)
    key = renders.describe()["a"].key
    renders.follow(after)
    assert renders.read(0, [key])  # for the crossfade
    renders.keep("loud", plain_plan("a", equalizer=equalized(9.0)))
    wait_whole(renders, after)
    loud = renders.describe(plain_plan("a", equalizer=equalized(9.0)))["a"].key
    assert renders.read(3, [loud])
    renders.release("loud")
    count = len(log)
    renders.follow(before)  # undone
    wait_whole(renders, before)
    assert len(log) == count == 12


def test_a_later_desk_takes_what_is_there(open_renders):
    session, log = watched_session()
    first = open_renders(session)
    plan = plain_plan(compressor=CompressorSettings(threshold_db=-20.0))
    first.follow(plan)
    wait_whole(first, plan)
    told = first.describe()
    data = first.read(2, [told["b"].key])
    heard = first.hear(told["b"].key)
    first.close()
    count = len(log)
    second = open_renders(session)
    second.follow(plan)
    assert second.describe() == told
    assert second.read(2, [told["b"].key]) == data
    assert second.hear(told["b"].key) == heard
    assert len(log) == count


def spoil_end(path):
    path.write_bytes(path.read_bytes()[:-5])


def spoil_audio(path):
    data = bytearray(path.read_bytes())
    data[4 * CHUNK + 5000] ^= 16
    path.write_bytes(data)


def spoil_checksums(path):
    data = bytearray(path.read_bytes())
    data[-40] ^= 1
    path.write_bytes(data)


def spoil_name(path):
    data = bytearray(path.read_bytes())
    data[20] ^= 1  # of the key that the head names
    path.write_bytes(data)


def empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("spoil", [spoil_end, spoil_audio, spoil_checksums, spoil_name, empty])
def test_a_broken_file_is_rendered_anew_and_never_played(open_renders, tmp_path, spoil):
    session, log = watched_session("a")
    plan = plain_plan("a")
    first = open_renders(session)
    first.follow(plan)
    wait_whole(first, plan)
    first.close()
    (path,) = tmp_path.glob("*.render")
    whole = path.read_bytes()
    spoil(path)
    second = open_renders(session)
    second.follow(plan)
    key = second.describe()["a"].key
    audio = read_render(second, key, 1, session.frames)
    assert np.array_equal(audio, session.tracks[0].source.audio.samples)
    wait_whole(second, plan)
    assert path.read_bytes() == whole
    assert len(log) == 8


def test_a_console_goes_on_where_a_file_breaks(open_renders, tmp_path):
    session, _ = watched_session("a")
    plan = plain_plan("a", equalizer=equalized(3.0))
    renders = open_renders(session)
    renders.follow(plan)
    wait_whole(renders, plan)
    wanted = collect(renders.console(plan).premaster(plan)).samples
    (path,) = tmp_path.glob("*.render")
    with path.open("r+b") as file:  # in place: the file that is open
        file.seek(10 * CHUNK)
        file.write(b"noise")
    assert np.array_equal(collect(renders.console(plan).premaster(plan)).samples, wanted)


def test_old_files_make_room_and_those_in_use_stay(open_renders, tmp_path):
    session, _ = watched_session("a", chunks=2)
    size = 2 * 4 * CHUNK
    renders = open_renders(session, limit_bytes=int(3.5 * size))
    paths = {}
    for gain_db in (1.0, 2.0, 3.0, 4.0, 5.0):
        plan = plain_plan("a", equalizer=equalized(gain_db))
        renders.follow(plan)
        wait_whole(renders, plan)
        paths[gain_db] = tmp_path / f"{renders.describe()['a'].key}.render"
        os.utime(paths[gain_db], (gain_db, gain_db))
    assert all(path.exists() for path in paths.values())  # all are open, for a crossfade
    renders.close()
    again = open_renders(session, limit_bytes=int(3.5 * size))
    again.follow(plain_plan("a", equalizer=equalized(1.0)))  # the oldest, used again
    plan = plain_plan("a", equalizer=equalized(6.0))
    again.follow(plan)
    wait_whole(again, plan)
    assert [path.exists() for path in paths.values()] == [True, False, False, False, True]


HOLDER = """
import sys
from pathlib import Path
from automix.desk.render_files import RenderFolder
held = RenderFolder(Path(sys.argv[1])).open(sys.argv[2])
print(held is not None, flush=True)
sys.stdin.read()
"""


def test_what_another_process_plays_is_not_removed(open_renders, tmp_path):
    session, _ = watched_session("a", chunks=2)
    renders = open_renders(session)
    plan = plain_plan("a")
    renders.follow(plan)
    wait_whole(renders, plan)
    key = renders.describe()["a"].key
    renders.close()
    command = [sys.executable, "-c", HOLDER, str(tmp_path), key]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "True\n"
        folder = render_files.RenderFolder(tmp_path, limit_bytes=1)
        folder.create("other", 1, 10, RATE).close()
        assert (tmp_path / f"{key}.render").exists()
        other.kill()  # the system takes its lock away
        other.wait()
        folder.create("other", 1, 10, RATE).close()
        assert not (tmp_path / f"{key}.render").exists()


def test_what_a_killed_desk_left_unfinished_is_removed(tmp_path):
    folder = render_files.RenderFolder(tmp_path)
    left = tmp_path / "key-abc.part"
    left.write_bytes(b"half")
    os.utime(left, (1, 1))
    living = folder.create("other", 1, 10, RATE)
    for part in tmp_path.glob("other-*.part"):
        os.utime(part, (1, 1))
    render_files.RenderFolder(tmp_path)
    assert [path.name.partition("-")[0] for path in tmp_path.glob("*.part")] == ["other"]
    living.close()


def test_a_full_disk_is_said_once_with_the_remedy(open_renders, tmp_path, monkeypatch):
    session, _ = watched_session()
    said = []
    renders = open_renders(session, failed=said.append)
    monkeypatch.setattr(render_files.RenderFolder, "_fits", lambda folder, size: False)
    renders.follow(plain_plan())
    key = renders.describe()["c"].key
    with pytest.raises(OutputError, match=r"needs 3\.1 MB.*--cache FOLDER"):
        renders.read(0, [key])
    wait_until(lambda: said)
    assert len(said) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_midway_leaves_nothing(open_renders, tmp_path, monkeypatch):
    session, _ = watched_session("a")
    said = []
    real = os.pwrite

    def write(descriptor, data, place):
        if place > 4 * CHUNK:
            raise OSError(28, "No space left on device")
        return real(descriptor, data, place)

    monkeypatch.setattr(os, "pwrite", write)
    renders = open_renders(session, failed=said.append)
    renders.follow(plain_plan("a"))
    with pytest.raises(OutputError, match="the disk is full"):
        renders.read(3, [renders.describe()["a"].key])
    wait_until(lambda: said)
    assert list(tmp_path.iterdir()) == []


def test_what_failed_is_tried_again_when_there_is_room(open_renders, monkeypatch):
    session, _ = watched_session("a")
    renders = open_renders(session)
    with monkeypatch.context() as full:
        full.setattr(render_files.RenderFolder, "_fits", lambda folder, size: False)
        renders.follow(plain_plan("a"))
        key = renders.describe()["a"].key
        with pytest.raises(OutputError):
            renders.read(0, [key])
        renders.follow(plain_plan("a", fader_db=1.0))  # not at every edit
        with pytest.raises(OutputError):
            renders.read(0, [key])
    monkeypatch.setattr("automix.desk.renders._RETRY_S", 0.0)
    renders.follow(plain_plan("a", fader_db=2.0))
    assert np.frombuffer(renders.read(0, [key]), "<f4").any()


def test_two_desks_may_render_the_same_at_once(open_renders, tmp_path):
    session, log = watched_session("a", chunks=8)
    both = [open_renders(session), open_renders(session)]
    for renders in both:
        renders.follow(plain_plan("a"))
    key = both[0].describe()["a"].key
    for renders in both:
        wait_whole(renders, plain_plan("a"))
        audio = read_render(renders, key, 1, session.frames)
        assert np.array_equal(audio, session.tracks[0].source.audio.samples)
    assert len(log) > 8
    assert [path.name for path in tmp_path.iterdir()] == [f"{key}.render"]


def test_without_a_folder_that_can_be_written_nothing_is_kept_but_all_is_heard(
    open_renders, tmp_path
):
    session, _ = watched_session("a")
    (tmp_path / "file").write_text("")
    renders = open_renders(session, tmp_path / "file" / "desk")
    assert len(renders.warnings) == 1
    assert "--cache FOLDER" in renders.warnings[0]
    renders.follow(plain_plan("a"))
    assert renders.read(0, [renders.describe()["a"].key])


def test_what_others_may_write_to_holds_a_folder_of_our_own(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    assert render_files.RenderFolder(shared).path == shared
    assert stat.S_IMODE((render_files.RenderFolder(tmp_path / "new").path).stat().st_mode) == 0o700
    shared.chmod(0o1777)
    own = render_files.RenderFolder(shared).path
    assert (own.parent, stat.S_IMODE(own.stat().st_mode)) == (shared, 0o700)
    assert render_files.RenderFolder(shared).path == own
    own.rmdir()
    own.symlink_to(tmp_path / "new")  # planted
    with pytest.raises(OutputError, match="others may write there; choose another"):
        render_files.RenderFolder(shared)


def test_a_pipe_in_the_place_of_a_render_keeps_nobody_waiting(tmp_path):
    folder = render_files.RenderFolder(tmp_path)
    for name in ("a.render", "a.json"):
        os.mkfifo(tmp_path / name)
    assert folder.open("a") is None
    assert folder.read_note("a") is None


def test_renders_are_kept_where_caches_are(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert find_cache_folder() == tmp_path / "automix" / "desk"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # which the standard says to ignore
    assert find_cache_folder() == Path.home() / ".cache" / "automix" / "desk"


def write_song(folder, seconds=(1.0, 2.0)):
    strips = []
    for name, length_s in zip("ab", seconds, strict=True):
        noise = np.random.default_rng(5).uniform(-0.5, 0.5, int(length_s * RATE))
        soundfile.write(folder / f"{name}.wav", noise, RATE, subtype="PCM_16")
        strips.append(ChannelStrip(name=name, file=f"{name}.wav", equalizer=equalized(6.0)))
    return MixPlan(sample_rate_hz=RATE, tracks=tuple(strips))


@pytest.mark.parametrize(
    "changes",
    [{}, {"b": {"mute": True}}, {"a": {"start_s": 1.7}}, {"a": {"start_s": 0.2, "mute": True}}],
)
def test_a_session_is_as_it_would_be_opened_for_the_plan(open_renders, tmp_path, changes):
    opened = write_song(tmp_path)
    session = open_plan_session(opened, tmp_path)
    renders = open_renders(session, tmp_path / "cache")
    plan = opened
    for name, settings in changes.items():
        plan = plan.with_strip(name, **settings)
    renders.follow(plan)
    wait_whole(renders, plan)
    anew = open_plan_session(plan, tmp_path)
    assert find_session(renders.session, plan).frames == anew.frames
    wanted = collect(ExactConsole(anew).premaster(plan)).samples
    assert np.array_equal(collect(renders.console(plan).premaster(plan)).samples, wanted)


def test_a_file_that_changed_meanwhile_is_said_in_a_sentence(open_renders, tmp_path, monkeypatch):
    monkeypatch.setattr("automix.session.tracks.IN_MEMORY_BYTES", 0)
    plan = write_song(tmp_path)
    session = open_plan_session(plan, tmp_path)
    said = []
    renders = open_renders(session, tmp_path / "cache", failed=said.append)
    soundfile.write(tmp_path / "b.wav", np.zeros(3 * RATE), RATE, subtype="PCM_16")
    renders.follow(plan)
    told = renders.describe()
    with pytest.raises(InputError, match=r"b\.wav"):
        renders.read(0, [told["b"].key])
    assert renders.read(0, [told["a"].key])
    wait_until(lambda: said)
    assert len(said) == 1
    assert "b.wav" in said[0]
