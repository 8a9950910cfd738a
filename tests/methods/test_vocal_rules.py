"""The presets end to end: what they set, and that the sound is as they say."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from automix.analysis.loudness import LoudnessMeter, integrated_lufs, loudness_range_lu
from automix.consoles.exact import ExactConsole
from automix.library import mix_session
from automix.methods.catalog import VOCAL_METHODS
from automix.methods.vocal.compression_search import ladder
from automix.methods.vocal.settings import PAPER, POSTER, PRESETS, STUDIO
from automix.methods.vocal.tempo_reverb import BUS, choose_reverberation_time_s
from automix.mixing.request import VocalRequest
from automix.plan.address import change_setting

METHODS = {entry.name: entry for entry in VOCAL_METHODS}


def mixed(session, preset="studio", method="rules", changes=(), seed=None, **rules):
    request = VocalRequest(
        method=method, preset=preset, constants=rules, changes=changes, seed=seed or 0
    )
    return mix_session(session, request)


def lufs(source):
    meter = LoudnessMeter(source.sample_rate, source.channels)
    for block in source.blocks():
        meter.add(block)
    return integrated_lufs(meter.energies)


@pytest.mark.parametrize(
    ("tempo", "expected"), [(65, 3.0), (110, 2.0), (120, 1.78), (155, 1.0), (200, 0.1), (20, 4.0)]
)
def test_reverberation_time_of_the_published_formula(tempo, expected):
    assert choose_reverberation_time_s(tempo) == pytest.approx(expected, abs=0.005)


def test_published_constants():
    assert (PAPER.relative_loudness_lu, POSTER.relative_loudness_lu) == (-1.77, -0.5)
    assert (PAPER.loudness_range_below_lu, POSTER.loudness_range_below_lu) == (16.36, 16.7)
    assert (PAPER.essential_vocal_bands, PAPER.essential_backing_bands) == (6, 2)
    assert (POSTER.essential_vocal_bands, POSTER.essential_backing_bands) == (4, 3)
    assert (PAPER.rank_k_weighted, POSTER.rank_k_weighted) == (False, True)
    assert (PAPER.reverb.dry_wet, POSTER.reverb.dry_wet) == (0.11, 0.6)
    for faithful in (PAPER, POSTER):
        assert faithful.filter_q == 1.0
        assert faithful.filters == 4
        assert faithful.filter_limit_db == 8.0
        assert faithful.high_pass_hz is None
        assert not faithful.de_ess
        assert faithful.return_below_mix_lu is None
        reverb = faithful.reverb
        assert (reverb.room_size, reverb.fade_in_time_s) == (14.54, 0.68)
        assert (reverb.low_cutoff_hz, reverb.low_q, reverb.low_gain_db_s) == (101.77, 0.53, -2.13)
        assert (reverb.high_cutoff_hz, reverb.high_q) == (11858.54, 0.77)
        assert reverb.high_gain_db_s == -16.02
    assert STUDIO.return_below_mix_lu == 14.0


@pytest.mark.parametrize("preset", PRESETS)
def test_the_mix_is_as_the_plan_says(make_session, song, preset):
    session = make_session(*song)
    mix = mixed(session, preset)
    vocal, beat = lufs(mix.stems["vocal"]), lufs(mix.stems["beat"])
    assert vocal - beat == pytest.approx(PRESETS[preset].relative_loudness_lu, abs=0.02)
    assert mix.levels["vocal"] == pytest.approx(vocal, abs=0.02)
    strip = mix.plan.strip("vocal")
    assert mix.plan.strip("beat") == replace(
        strip_of_nothing(mix.plan.strip("beat")), name="beat", role="backing track"
    )
    reverb = mix.plan.buses[0].reverb if preset == "studio" else strip.reverb
    tempo = next(
        dict(decision.figures)["tempo_bpm"]
        for decision in mix.plan.decisions
        if "reverberation_time_s" in decision.setting
    )
    assert tempo == pytest.approx(120, rel=0.005)
    assert reverb.reverberation_time_s == choose_reverberation_time_s(tempo)


def strip_of_nothing(strip):
    return type(strip)(sha256=strip.sha256, file=strip.file)


def test_the_studio_return_is_14_lu_under_the_mix(make_session, song):
    session = make_session(*song)
    mix = mixed(session)
    without = replace(
        mix.plan, tracks=tuple(replace(strip, sends=()) for strip in mix.plan.tracks), buses=()
    )
    wet = np.concatenate([block for block in mix.stems["vocal"].blocks()], axis=1)
    console = ExactConsole(session)
    dry_source = console.stem(without, "vocal", console.premaster(mix.plan))
    dry = np.concatenate(
        [flow.channels["vocal"] for flow in console.flow(without)], axis=1
    ) * 10 ** (mix.plan.master.gain_db / 20)
    dry = np.pad(dry, ((0, 0), (0, wet.shape[1] - dry.shape[1])))
    meter = LoudnessMeter(session.sample_rate, 2)
    meter.add(np.ascontiguousarray(wet - dry, np.float32))
    assert lufs(mix.audio) - integrated_lufs(meter.energies) == pytest.approx(14.0, abs=0.1)
    assert dry_source.frames == mix.audio.frames


@pytest.mark.parametrize("preset", ["paper", "poster"])
def test_the_search_ends_where_the_procedure_ends(make_session, song, preset):
    """Every setting is rendered here at full rate, as the paper does it."""
    session = make_session(*song)
    rules = PRESETS[preset]
    strip = mixed(session, preset).plan.strip("vocal")
    console = ExactConsole(session)

    def range_after(compressor):
        dry = replace(strip, compressor=compressor, reverb=PAPER.reverb.__class__())
        meter = LoudnessMeter(session.sample_rate, 1)
        for block in console.inserted(dry, "constant-power").blocks():
            meter.add(block)
        return loudness_range_lu(meter.energies, 0.1)

    nothing = strip.compressor.__class__()
    assert range_after(nothing) >= rules.loudness_range_below_lu, "the song must need compression"
    expected = next(s for s in ladder() if range_after(s) < rules.loudness_range_below_lu)
    assert strip.compressor == expected
    peak = max(
        float(np.abs(block).max())
        for block in console.inserted(
            replace(strip, compressor=nothing, reverb=PAPER.reverb.__class__()), "constant-power"
        ).blocks()
    )
    assert 20 * math.log10(peak) == pytest.approx(-1.0, abs=0.001)


def test_a_masked_vocal_is_boosted_where_it_is_masked(make_session):
    """A vocal of equal octaves; a backing that is strong in the lows and at 2 kHz."""
    rate, rng = 44100, np.random.default_rng(2)
    time = np.arange(6 * rate) / rate
    phases = rng.uniform(0, 2 * np.pi, 7)
    centers = 125 * 2.0 ** np.arange(7)
    tones = [np.sin(2 * np.pi * c * time + p) for c, p in zip(centers, phases, strict=True)]
    vocal = 0.05 * sum(tones)
    weights = {62.5: 0.3, 125: 0.3, 2000: 0.2}
    backing = sum(w * np.sin(2 * np.pi * c * time) for c, w in weights.items()) + 0.02 * sum(tones)
    plan = mixed(make_session(vocal, np.stack([backing] * 2)), "paper").plan
    gains = {band.frequency_hz: band.gain_db for band in plan.strip("vocal").equalizer.bands}
    assert gains[2000.0] > 3.0
    assert gains.get(125.0, 0.0) <= 0.0


def setting_of(plan, address):
    seen = []

    def look(value):
        seen.append(value)
        return value

    change_setting(plan, address, look)
    return seen[0]


def test_every_decision_names_a_setting_that_has_its_value(make_session, song):
    for preset in PRESETS:
        plan = mixed(make_session(*song), preset).plan
        for decision in plan.decisions:
            if decision.setting == "vocal.equalizer":  # says that there is no filter
                assert decision.value == 0.0
            else:
                assert decision.value == setting_of(plan, decision.setting), decision
            assert decision.reason
            assert all(math.isfinite(value) for _, value in decision.figures)


def test_changes_are_applied_and_headroom_follows(make_session, song):
    session = make_session(*song)
    plain = mixed(session)
    louder = mixed(session, changes=["vocal.fader_db+=24"])
    assert louder.plan.strip("vocal").fader_db == plain.plan.strip("vocal").fader_db + 24
    assert louder.plan.master.gain_db < plain.plan.master.gain_db
    fixed = mixed(session, changes=["master.gain_db=-20"])
    assert fixed.plan.master.gain_db == -20.0


@pytest.mark.slow
def test_random_is_seeded_and_within_its_ranges(make_session, song):
    session = make_session(*song)
    mix, again, other = (mixed(session, method="random", seed=s) for s in (4, 4, 5))
    first = mix.plan
    assert first == again.plan
    assert first.tracks != other.plan.tracks
    assert first.seed == 4
    strip = first.strip("vocal")
    assert len(strip.equalizer.bands) == 4
    assert all(abs(band.gain_db) <= 15 for band in strip.equalizer.bands)
    assert abs(lufs(mix.stems["vocal"]) - lufs(mix.stems["beat"])) <= 6.05


def test_sum_is_the_sum(make_session, song):
    vocal, backing = song
    mix = mixed(make_session(0.5 * vocal, 0.5 * backing), method="sum")
    audio = np.concatenate(list(mix.source.blocks()), axis=1)
    np.testing.assert_allclose(audio, 0.5 * vocal + 0.5 * backing, atol=2e-7)


SILENCE = np.zeros(44100 * 3, np.float32)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("which", ["vocal", "beat", "both", "short", "inverted"])
def test_odd_inputs_still_give_a_mix(make_session, song, method, which):
    vocal, backing = song[0][: len(SILENCE)], song[1][:, : len(SILENCE)]
    if which in ("vocal", "both"):
        vocal = SILENCE
    if which in ("beat", "both"):
        backing = np.stack([SILENCE] * 2)
    if which == "short":
        vocal, backing = vocal[44100:45100], backing[:, 44100:45100]
    if which == "inverted":
        vocal = np.stack([vocal, -vocal])
    mix = mixed(make_session(vocal, backing), method=method, seed=1)
    audio = np.concatenate(list(mix.source.blocks()), axis=1)
    assert np.isfinite(audio).all()
    assert (np.abs(audio).max() > 0) == (which != "both")
    assert mix.warnings
    json.dumps([decision.figures for decision in mix.plan.decisions], allow_nan=False)


@pytest.mark.parametrize("target", [-28.0, -16.0, -11.0])
def test_loudness_is_reached_below_the_ceiling(make_session, song, target):
    from automix.analysis.program import measure

    mix = mix_session(make_session(*song), VocalRequest(loudness=target))
    loudness = measure(mix.source)
    assert loudness.integrated_lufs == pytest.approx(target, abs=0.1)
    assert loudness.true_peak_dbtp <= -1.0


def test_the_rate_of_the_session_does_not_change_the_decisions(make_session, song):
    import soxr

    plans = []
    for rate in (44100, 48000, 96000):
        vocal, backing = (soxr.resample(signal.T, 44100, rate, quality="VHQ").T for signal in song)
        plans.append(mixed(make_session(vocal, backing, rate)).plan)
    for plan in plans[1:]:
        strip, first = plan.strip("vocal"), plans[0].strip("vocal")
        assert strip.input_gain_db + strip.fader_db == pytest.approx(
            first.input_gain_db + first.fader_db, abs=0.15
        )
        assert strip.compressor == first.compressor
        assert [band.frequency_hz for band in strip.equalizer.bands] == [
            band.frequency_hz for band in first.equalizer.bands
        ]
        assert plan.bus(BUS).gain_db == pytest.approx(plans[0].bus(BUS).gain_db, abs=0.5)
        assert plan.bus(BUS).reverb.reverberation_time_s == pytest.approx(
            plans[0].bus(BUS).reverb.reverberation_time_s, rel=0.005
        )
