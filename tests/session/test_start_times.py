"""When files begin: by their time stamps, by the plan, and by hand."""

import struct

import numpy as np
import pytest

from automix.audio.blocks import collect
from automix.audio.samples import Audio
from automix.errors import InputError
from automix.plan.model import MixPlan
from automix.plan.settings import ChannelStrip
from automix.session.tracks import Session, Track, TrackFile, open_plan_session, open_session

RATE = 8_000
MORNING = 36_000 * RATE


def write(path, samples, stamp=None, rate=RATE):
    """A broadcast WAV file whose audio begins ``stamp`` frames after midnight."""
    data = np.round(samples * 32767).astype("<i2").tobytes()
    chunks = [(b"fmt ", struct.pack("<HHIIHH", 1, 1, rate, 2 * rate, 2, 16)), (b"data", data)]
    if stamp is not None:
        chunks.insert(0, (b"bext", bytes(338) + struct.pack("<QH", stamp, 1) + bytes(254)))
    body = b"WAVE" + b"".join(
        name + struct.pack("<I", len(chunk)) + chunk for name, chunk in chunks
    )
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


def noise(seconds, seed):
    return np.round(np.random.default_rng(seed).uniform(-0.5, 0.5, round(seconds * RATE)), 3)


def track(name, path, **fields):
    return TrackFile(name=name, role="other", path=path, **fields)


def samples_of(session, name):
    return collect(session.track(name).source).samples[0]


@pytest.fixture
def takes(tmp_path):
    """A whole song, a part that comes later, and a file without a stamp."""
    return [
        track("band", write(tmp_path / "band.wav", noise(4, 1), MORNING)),
        track("solo", write(tmp_path / "solo.wav", noise(2, 2), MORNING + 3 * RATE + 5)),
        track("loop", write(tmp_path / "loop.wav", noise(1, 3))),
    ]


def test_time_stamps_place_files_after_the_earliest(takes):
    takes[1] = track("solo", write(takes[1].path, noise(1.5, 2), MORNING + 2 * RATE + 5))
    session = open_session(takes, by_stamps=True)
    assert session.frames == 4 * RATE
    solo, alone = samples_of(session, "solo"), noise(1.5, 2)
    assert not solo[: 2 * RATE + 5].any()
    np.testing.assert_allclose(solo[2 * RATE + 5 :][: len(alone)], alone, atol=1e-4)
    assert session.track("solo").start_s == 2 + 5 / RATE
    assert samples_of(session, "loop")[:5].any()
    notes = "\n".join(session.notes)
    assert "placed by the time stamps of their files: after band come solo 2.001 s" in notes
    assert "loop: no time stamp, begins with band" in notes
    as_recorded = open_session(takes)
    assert as_recorded.track("solo").start_s == 0.0
    assert any("are not used" in note for note in as_recorded.notes)


def test_the_session_lasts_until_the_last_file_ends(takes):
    session = open_session(takes, by_stamps=True)
    assert session.track("solo").start_s == 0.0  # half of it lies behind the end of the band
    takes[1] = track("solo", write(takes[1].path, noise(2, 2), MORNING + 3 * RATE))
    session = open_session(takes, by_stamps=True)
    assert (session.track("solo").start_s, session.frames) == (3.0, 5 * RATE)


def test_another_rate_counts_its_own_frames(takes):
    stamp = 2 * (MORNING + 2 * RATE + 1)
    path = write(takes[1].path, np.repeat(noise(1, 2), 2), stamp, rate=2 * RATE)
    takes[1] = track("solo", path)
    session = open_session(takes, by_stamps=True, sample_rate=RATE)
    assert session.track("solo").start_s == pytest.approx(2 + 1 / RATE)
    assert not samples_of(session, "solo")[: 2 * RATE - 200].any()


def test_takes_of_another_hour_are_not_of_the_same_song(takes):
    takes[1] = track("solo", write(takes[1].path, noise(2, 2), MORNING + 3600 * RATE))
    session = open_session(takes, by_stamps=True)
    assert session.frames == 4 * RATE
    assert any("are of different takes and are not used" in note for note in session.notes)


def test_the_click_does_not_decide_where_the_song_begins(takes):
    takes.append(
        track(
            "click",
            write(takes[0].path.with_name("click.wav"), noise(8, 4), MORNING - 2 * RATE),
            is_guide=True,
            is_muted=True,
        )
    )
    takes[1] = track("solo", write(takes[1].path, noise(1, 2), MORNING + RATE))
    session = open_session(takes, by_stamps=True)
    assert [session.track(name).start_s for name in ("band", "solo", "click")] == [0.0, 1.0, 0.0]


def test_a_plan_says_where_its_files_begin(takes, tmp_path):
    tracks = (
        ChannelStrip(name="band", file="band.wav"),
        ChannelStrip(name="solo", file="solo.wav", start_s=0.25),
    )
    plan = MixPlan(sample_rate_hz=RATE, tracks=tracks)
    assert MixPlan.from_toml(_text(plan)) == plan
    session = open_plan_session(plan, tmp_path)
    assert session.track("solo").start_s == 0.25  # not by its stamp
    np.testing.assert_allclose(
        samples_of(session, "solo")[RATE // 4 :][: 2 * RATE], noise(2, 2), atol=1e-4
    )


def _text(plan):
    from automix.plan.toml import dumps

    return dumps(plan)


def test_a_neutral_start_and_delay_are_not_in_a_plan():
    """So that plans of earlier versions read, and are sealed, as they were."""
    text = _text(MixPlan(tracks=(ChannelStrip(name="a"),)))
    assert "start_s" not in text
    assert "delay_ms" not in text.replace("pre_delay_ms", "")


@pytest.mark.parametrize("start_s", [0.0, 0.5, 3.0])
def test_a_track_of_a_session_is_moved(start_s):
    first, second = (Audio(noise(2, seed)[None].astype(np.float32), RATE) for seed in (1, 2))
    session = Session(
        tracks=(
            Track(name="a", role="other", source=first),
            Track(name="b", role="other", source=second),
        )
    )
    moved = session.with_start("b", 1.0).with_start("b", start_s)
    shift = round(start_s * RATE)
    assert moved.frames == 2 * RATE + shift
    assert np.array_equal(samples_of(moved, "b")[shift:], second.samples[0])
    assert not samples_of(moved, "b")[:shift].any()
    with pytest.raises(InputError):
        session.with_start("c", 1.0)
