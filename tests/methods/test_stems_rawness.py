"""Full processing only of what is raw: widths and amounts from constructed signals."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from automix.audio.blocks import collect
from automix.audio.samples import Audio
from automix.consoles.exact import ExactConsole
from automix.datasets.plain import read_song
from automix.dsp.processors import active_inserts
from automix.evaluation.mixers import find_mixers
from automix.evaluation.real_songs import Protocol, evaluate_songs
from automix.methods.stems.hearing import hear_stems
from automix.methods.stems.rawness import measure_finish, rawness, song_rawness
from automix.methods.stems.rules import write_rules
from automix.methods.stems.settings import StemsRules
from automix.plan.writer import PlanWriter
from automix.session.blank_plan import make_blank_plan
from automix.session.tracks import Session, Track

AUDIO = Path(__file__).parents[3] / "shared" / "audio"
RATE = 44100
PROCESSED_DB = StemsRules().processed_side_db


@pytest.fixture(scope="module")
def session(cut_demo):
    return folded(cut_demo(12, 22))


def folded(session):
    """A raw session: all tracks mono."""

    def mono(track):
        return np.atleast_2d(collect(track.source).samples.mean(axis=0))

    return Session(
        tracks=tuple(replace(track, source=Audio(mono(track), RATE)) for track in session.tracks)
    )


def widened(session, side_db, *names):
    """Tracks with sides of a level over the whole: the track, 20 ms later, in opposite polarity."""

    def wide(track):
        mono = collect(track.source).samples[0]
        late = np.concatenate([np.zeros(882, np.float32), mono[:-882]])
        share = 10 ** (side_db / 10) * np.dot(mono, mono) / np.dot(late, late)
        side = np.sqrt(share / (1 - 10 ** (side_db / 10))) * late
        return Audio(np.stack([mono + side, mono - side]).astype(np.float32), RATE)

    return Session(
        tracks=tuple(
            replace(track, source=wide(track)) if track.name in names else track
            for track in session.tracks
        )
    )


def written(session, mode="full", **constants):
    writer = PlanWriter(make_blank_plan(session, method="rules"))
    rules = StemsRules(mode=mode, **constants)
    write_rules(ExactConsole(session), writer, rules, hear_stems(session))
    return writer


def names_of(session):
    return [track.name for track in session.tracks]


def processing(plan):
    """By setting: how far a plan departs from one that sets levels and pans only."""
    found = {}
    for strip in plan.tracks:
        for band in strip.equalizer.bands:
            if band.kind == "high_pass":
                found[strip.name, "high pass"] = np.log(band.frequency_hz / 20)
            elif band.q == 1.0:  # cuts that make way for others; the tone follows the spectrum too
                found[strip.name, "band", band.frequency_hz] = -band.gain_db
        if strip.widener.is_active:
            found[strip.name, "widener"] = 10 ** (strip.widener.side_db / 20)
        if strip.compressor.threshold_db < 0.0:
            found[strip.name, "ratio"] = strip.compressor.ratio - 1.0
        for send in strip.sends:
            gain_db = send.gain_db + plan.bus(send.bus).gain_db
            found[strip.name, "send", send.bus] = 10 ** (gain_db / 20)
    return found


def test_a_dry_track_with_the_reverb_of_the_rules_is_no_longer_raw():
    """Independent noise on both sides, 16 dB below a mono signal."""
    rng = np.random.default_rng(3)
    dry = rng.normal(size=(1, 20 * RATE))
    wet = 10 ** (-16 / 20) * rng.normal(size=(2, 20 * RATE))

    def raw(samples):
        source = Audio(0.1 * samples.astype(np.float32), RATE)
        session = Session(tracks=(Track(name="x", role="other", source=source),))
        return rawness(hear_stems(session)["x"].side_share, PROCESSED_DB)

    assert raw(dry) == raw(np.repeat(dry, 2, axis=0)) == 1.0
    assert raw(dry + wet) == pytest.approx(0.0, abs=0.2)
    assert raw(dry + 0.5 * wet) == pytest.approx(np.sqrt(0.75), abs=0.02)


def test_what_is_there_and_what_is_added_make_the_whole():
    limit = 10 ** (PROCESSED_DB / 10)
    for part in (0.0, 0.1, 0.5, 0.9):
        assert rawness(part * limit, PROCESSED_DB) ** 2 + part == pytest.approx(1.0)
    assert rawness(0.5, PROCESSED_DB) == 0.0
    assert rawness(0.5, 0.0) == 1.0


def test_one_wide_track_leaves_a_raw_song_raw_and_one_raw_track_a_processed_song_processed(session):
    first, *rest = names_of(session)
    roles = {track.name: track.role for track in session.tracks}
    one = song_rawness(hear_stems(widened(session, -8.0, first)), roles, PROCESSED_DB)
    assert one[first].share == 0.0
    assert all(one[name].track == one[name].song == 1.0 for name in rest)
    most = song_rawness(hear_stems(widened(session, -8.0, *rest)), roles, PROCESSED_DB)
    assert most[first].track == 1.0
    assert all(track.share == 0.0 for track in most.values())


def test_full_of_processed_stems_is_basic_and_says_so(session):
    wide = widened(session, -12.0, *names_of(session))
    full = written(wide)
    assert full.plan.tracks == written(wide, "basic").plan.tracks
    assert full.plan.buses == ()
    assert any("processed" in warning for warning in full.warnings)
    assert processing(written(wide, processed_side_db=0.0).plan)


def test_a_raw_session_is_not_warned_of_and_gets_everything(session):
    raw = written(session)
    assert not any("processed" in warning for warning in raw.warnings)
    kinds = {kind for _, kind, *_ in processing(raw.plan)}
    assert kinds == {"high pass", "band", "ratio", "widener", "send"}


@pytest.mark.slow
def test_the_wider_the_less_without_a_step(session):
    """From a raw session to a processed one; every reason says why there is less."""
    steps = [-60.0, -30.0, -26.0, -24.0, -22.0, -21.0, -20.0, -19.4, -19.02]
    plans = [written(widened(session, side_db, *names_of(session))).plan for side_db in steps]
    amounts = [processing(plan) for plan in plans]
    for setting in amounts[0]:
        if setting[1] == "widener":  # it follows the mix, of which the others leave more to it
            assert amounts[-1].get(setting, 0.0) < 0.5 * amounts[0][setting]
            continue
        falling = [found.get(setting, 0.0) for found in amounts]
        assert np.all(np.diff(falling) < 0.02 * falling[0]), setting
        assert falling[-1] < 0.12 * falling[0], setting
    reasons = [d.reason for d in plans[4].decisions if d.rule in ("unmasking", "reverb return")]
    assert reasons
    assert all("raw" in reason for reason in reasons)


def test_levels_stay_those_of_basic_when_half_is_processed(session):
    half = widened(session, -22.0, *names_of(session))
    basic, full = written(half, "basic").plan, written(half).plan
    for strip in basic.tracks:
        processed = full.strip(strip.name)
        if not active_inserts(processed):
            assert processed.fader_db == strip.fader_db
        assert processed.fader_db == pytest.approx(strip.fader_db, abs=3.0)
        assert processed.pan == strip.pan


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.skipif(not AUDIO.is_dir(), reason="the real multitracks are not here")
@pytest.mark.parametrize("song", ["caesium", "francium", "potassium", "mdn-funk"])
def test_full_is_no_worse_than_basic_on_real_stems_which_are_processed(song):
    methods = find_mixers(["rules", "rules:full", "dmc", "dmc:full"])
    (found,) = evaluate_songs([read_song(AUDIO / song)], methods, Protocol())
    for method in ("rules", "dmc"):
        basic, full = found.distances[method], found.distances[f"{method}:full"]
        assert full.stereo_mr_stft < basic.stereo_mr_stft + 0.05
        assert full.level_error_db < basic.level_error_db + 0.25


def gated_noise(crest_db, rest):
    """Bursts of noise with a peak, and rests of a level."""
    rng = np.random.default_rng(9)
    bursts = rng.normal(size=12 * RATE) * (np.arange(12 * RATE) % RATE < RATE // 2)
    bursts /= np.sqrt((bursts[: RATE // 2] ** 2).mean())
    bursts = np.clip(bursts, -3.0, 3.0)
    bursts[::RATE] = 10 ** (crest_db / 20)
    floor = rest * rng.normal(size=12 * RATE)
    source = Audio((0.03 * (bursts + floor)).astype(np.float32)[np.newaxis], RATE)
    return Session(tracks=(Track(name="x", role="other", source=source),))


@pytest.mark.parametrize(
    ("crest_db", "rest", "finish"),
    [
        (10.0, 0.0, (0.99, 1.0)),
        (10.0, 1e-3, (0.0, 0.0)),
        (13.0, 0.0, (0.2, 0.8)),
        (24.0, 0.0, (0.0, 0.0)),
    ],
)
def test_a_mono_track_is_finished_if_it_is_dense_and_silent_between_its_phrases(
    crest_db, rest, finish
):
    found = measure_finish(hear_stems(gated_noise(crest_db, rest))["x"], "other")
    assert finish[0] <= found <= finish[1]
