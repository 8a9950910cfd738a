"""Compressors from crest factors, and gates where there is noise between phrases."""

from dataclasses import replace

import numpy as np
import pytest

from automix.audio.blocks import collect
from automix.audio.samples import Audio
from automix.consoles.exact import ExactConsole
from automix.dsp.compressor import Compressor
from automix.methods.stems.dynamics import (
    COMPRESSION,
    GATE_RANGE_DB,
    HIGHEST_RATIO,
    choose_compression,
    choose_gate,
    choose_glue,
    measure_noise,
)
from automix.methods.stems.hearing import EQUAL_LUFS, hear_stems
from automix.plan.roles import ROLES
from automix.plan.settings import ChannelStrip, CompressorSettings
from automix.session.tracks import Session
from tests.methods.raw_songs import (
    RATE,
    band_song,
    flows,
    hits,
    lufs,
    noise,
    session_of,
    written,
)


@pytest.mark.parametrize("role", ROLES)
def test_what_is_as_dense_as_finished_tracks_is_not_compressed_and_peaky_ones_the_more(role):
    ratios = []
    for crest_db in np.arange(5.0, 30.0):
        settings = choose_compression(role, float(crest_db), 1.0)
        ratios.append(1.0 if settings is None else settings.ratio)
        if settings is not None:
            assert settings.is_active
            assert EQUAL_LUFS - 1.0 <= settings.threshold_db < -10.0
    assert ratios[0] == 1.0
    assert np.all(np.diff(ratios) >= 0.0)
    assert 1.5 <= ratios[-1] <= HIGHEST_RATIO
    if role in COMPRESSION:
        assert choose_compression(role, COMPRESSION[role].crest_db, 2.0) is None
        assert ratios[-1] == pytest.approx(COMPRESSION[role].ratio)


@pytest.mark.parametrize("crest_db", [16.0, 19.0, 25.0])
def test_the_amount_is_a_factor_on_how_far_the_ratio_is_from_1(crest_db):
    ratios = [choose_compression("lead vocal", crest_db, a).ratio - 1 for a in (0.5, 1.0, 1.5)]
    assert ratios == pytest.approx([ratios[1] * 0.5, ratios[1], ratios[1] * 1.5])
    assert choose_compression("lead vocal", crest_db, 0.0) is None
    assert choose_compression("room", 30.0, 2.0).ratio == HIGHEST_RATIO


def test_drums_are_held_later_than_voices():
    """Their attacks pass: the attack time of the compressor is longer."""
    kick, voice = (choose_compression(role, 24.0, 1.0) for role in ("kick", "lead vocal"))
    assert kick.attack_ms >= 3 * voice.attack_ms


def test_glue_is_gentle_and_answers_to_the_loudest_moments_alone():
    settings = choose_glue(-18.0, 0.8)
    assert settings.threshold_db == -20.0  # 2 dB under the loudness of the mix
    assert 1.15 <= settings.ratio <= 2.0
    assert choose_glue(-18.0, 0.2) is None
    assert choose_glue(-18.0, 2.0).ratio <= 2.0
    assert choose_glue(3.0, 1.0).threshold_db < 0.0


def median_reduction_db(reduction_db, samples):
    """Half of the time in which there is sound, above −50 dB, more is taken than this."""
    return float(np.median(reduction_db[np.abs(samples) > 10 ** (-50 / 20)]))


def test_a_lead_is_held_most_of_the_time_and_only_by_some_db():
    """What its compressor changes, behind the equalizer."""
    session = session_of(band_song())
    plan = written(session, mode="full")
    strip = plan.strip("lead")
    free = replace(strip, compressor=CompressorSettings())
    held, loose = (
        collect(ExactConsole(session).inserted(s, plan.pan_law)).samples[0] for s in (strip, free)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        reduction_db = strip.compressor.makeup_db - 20 * np.log10(np.abs(held / loose))
    assert 0.3 < median_reduction_db(reduction_db, loose) < 4.0


@pytest.mark.slow
def test_the_glue_takes_some_tenths_of_a_db_most_of_the_time(cut_demo):
    """Of the demo song, all of whose tracks are made mono: raw tracks."""
    session = Session(
        tracks=tuple(
            replace(t, source=Audio(np.atleast_2d(collect(t.source).samples.mean(0)), 44100))
            for t in cut_demo(12, 22).tracks
        )
    )
    plan = written(session, mode="full")
    mix = flows(session, plan).sum()
    gain = Compressor(plan.master.compressor, 44100, 2).gain(mix)
    assert 0.3 < median_reduction_db(-20 * np.log10(gain), mix.mean(axis=0)) < 4.0


def phrases(floor_db, period_s=2.0, seconds=10.0):
    """Phrases of half of the time at −20 dB, and noise of a level below them all of the time."""
    time = np.arange(int(RATE * seconds)) / RATE
    ramp = np.clip(0.5 - np.abs((time / period_s) % 1 - 0.5) - 0.25, -0.01, 0.01) / 0.02 + 0.5
    floor = 0.0 if floor_db is None else 10 ** (floor_db / 20)
    return noise(300, 5000, 1, seconds) * ramp + floor * noise(300, 5000, 2, seconds)


def heard_of(samples, role="guitar"):
    return hear_stems(session_of({"x": (role, samples)}))["x"]


@pytest.mark.parametrize("floor_db", [-22.0, -30.0, -40.0])
@pytest.mark.parametrize("level_db", [0.0, -25.0])
def test_the_gate_opens_between_the_noise_and_the_signal(floor_db, level_db):
    samples = phrases(floor_db) * 10 ** (level_db / 20)
    track = heard_of(samples)
    noise_found = measure_noise(track)
    # The active parts are found over 3 s, so that half of them is rest.
    assert noise_found.below_db == pytest.approx(-floor_db - 3.0, abs=1.0)
    assert 0.3 < noise_found.resting < 0.6
    gate, told = choose_gate("guitar", track, EQUAL_LUFS)
    assert told == noise_found
    staged = samples * 10 ** ((EQUAL_LUFS - lufs(samples)) / 20)
    time = np.arange(len(staged)) / RATE
    resting = (time % 2.0 > 1.55) | (time % 2.0 < 0.45)
    playing = np.abs(time % 2.0 - 1.0) < 0.45
    peak_db = 20 * np.log10(np.abs(staged[resting]).max())
    level_db = 10 * np.log10(np.mean(staged[playing] ** 2))
    assert peak_db < gate.threshold_db < level_db


@pytest.mark.parametrize("floor_db", [-22.0, -27.0, -35.0])
@pytest.mark.parametrize(("role", "range_db"), [("guitar", 10.0), ("tom", GATE_RANGE_DB["tom"])])
def test_the_gate_turns_noise_down_by_its_range_and_leaves_the_phrases(role, range_db, floor_db):
    samples = phrases(floor_db, period_s=4.0, seconds=12.0)
    session = session_of({"x": (role, samples)})
    track = hear_stems(session)["x"]
    gate, _ = choose_gate(role, track, track.lufs)
    strip = ChannelStrip(name="x", role=role, gate=gate)
    processed = collect(ExactConsole(session).inserted(strip, "-3 dB")).samples[0]
    time = np.arange(len(samples)) / RATE
    for part, wanted_db in (
        (np.abs(time % 4.0 - 2.0) < 0.95, 0.0),
        ((time % 4.0 < 0.9) & (time > 4.0), -range_db),
    ):
        change = np.sum(processed[: len(samples)][part] ** 2) / np.sum(samples[part] ** 2)
        assert 10 * np.log10(change) == pytest.approx(wanted_db, abs=0.5)


def test_there_is_no_gate_for_digital_silence_for_what_plays_on_and_for_what_is_covered():
    assert choose_gate("guitar", heard_of(phrases(None)), EQUAL_LUFS) is None
    assert choose_gate("guitar", heard_of(noise(300, 5000, 1)), EQUAL_LUFS) is None
    assert choose_gate("guitar", heard_of(phrases(-10.0)), EQUAL_LUFS) is None  # too near
    assert choose_gate("guitar", heard_of(phrases(-65.0)), EQUAL_LUFS) is None  # inaudible
    assert measure_noise(heard_of(phrases(-30.0, 0.4, 1.0))) is None  # too short to tell


@pytest.mark.parametrize("role", ["room", "overheads", "cymbals", "hats", "percussion", "fx"])
def test_what_is_meant_to_ring_is_not_gated(role):
    assert choose_gate(role, heard_of(phrases(-30.0), role), EQUAL_LUFS) is None


@pytest.mark.parametrize(("period_s", "rests"), [(0.6, False), (1.2, True)])
def test_rests_of_less_than_0_4_s_are_no_rests(period_s, rests):
    """Between notes that follow each other so closely, a gate would chatter."""
    track = heard_of(phrases(-32.0, period_s))
    assert (choose_gate("guitar", track, EQUAL_LUFS) is not None) == rests
    resting = measure_noise(track).resting
    assert 0.2 < resting < 0.55 if rests else resting == 0.0


def test_gates_open_faster_for_drums_than_for_others_and_slowest_for_voices():
    track = heard_of(phrases(-32.0))
    attacks = [
        choose_gate(role, track, EQUAL_LUFS)[0].attack_ms
        for role in ("tom", "guitar", "lead vocal")
    ]
    assert attacks[0] < attacks[1] < attacks[2] <= 2.0


def test_the_plan_gates_noise_and_compresses_at_the_level_that_reaches_the_processors():
    tracks = band_song()
    hissing = ("guitar", phrases(-32.0, seconds=8.0))
    plan = written(session_of(tracks | {"guitar": hissing, "solo": hissing}), mode="full")
    assert plan.strip("guitar").gate.is_active
    assert not plan.strip("pad").gate.is_active
    settings = {d.setting for d in plan.decisions}
    assert "guitar.gate.threshold_db" in settings
    compressed = [strip for strip in plan.tracks if strip.compressor.is_active]
    assert {"kick", "snare"} <= {strip.name for strip in compressed}
    for strip in compressed:
        assert EQUAL_LUFS - 1.0 <= strip.compressor.threshold_db < -1.0
        assert f"{strip.name}.compressor.ratio" in settings
    assert not plan.strip("pad").compressor.is_active  # steady noise


def test_the_more_compression_is_asked_for_the_denser_a_voice():
    """How far its loud notes stand over its soft ones, behind its inserts."""
    voice = 2 * noise(200, 6000, 1) * (hits(2.0, 0.5) + 0.4 * hits(2.0, 0.5, 1.0))
    session = session_of({"voice": ("lead vocal", voice), "pad": ("pad", noise(250, 9000, 8))})
    time = np.arange(len(voice)) / RATE
    ranges_db = []
    for amount in (0.0, 0.8, 2.0):
        plan = written(session, mode="full", no_tone=True, no_width=True, compression=amount)
        source = ExactConsole(session).inserted(plan.strip("voice"), plan.pan_law)
        made = collect(source).samples[0]
        loud, soft = (np.mean(made[(time - s) % 2.0 < 0.3] ** 2) for s in (0.0, 1.0))
        ranges_db.append(10 * np.log10(loud / soft))
    assert ranges_db[0] > ranges_db[1] + 1.0 > ranges_db[2] + 1.5
