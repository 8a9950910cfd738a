"""Methods for stems: what they set, and what each rule does on constructed figures."""

from dataclasses import replace

import numpy as np
import pytest

from automix.analysis.loudness import LoudnessMeter, integrated_lufs
from automix.audio.samples import Audio
from automix.library import mix_session
from automix.methods.catalog import STEMS_METHODS
from automix.methods.stems.filters import HIGH_PASS_HZ, high_pass_hz, masking_cuts
from automix.methods.stems.hearing import hear_stems
from automix.methods.stems.levels import crest_correction_lu, pan_positions
from automix.methods.stems.rules import find_cuts
from automix.methods.stems.sends import PARALLEL
from automix.mixing.request import StemsRequest
from automix.session.tracks import Track
from tests.methods.raw_songs import noise, session_of

METHODS = {entry.name: entry for entry in STEMS_METHODS if entry.name != "wave-u-net"}


@pytest.fixture(scope="module")
def session(cut_demo):
    return cut_demo(12, 22)


def mixed(session, method, mode="basic", **rules):
    return mix_session(session, StemsRequest(method=method, mode=mode, constants=rules, seed=3))


def gain_db(plan, name):
    strip = plan.strip(name)
    return strip.input_gain_db + strip.fader_db


def samples(mix):
    return np.concatenate(list(mix.source.blocks()), axis=1)


def lufs(audio, rate=44100):
    meter = LoudnessMeter(rate, len(audio))
    meter.add(np.ascontiguousarray(audio, np.float32))
    return integrated_lufs(meter.energies)


def test_mono_is_the_folded_sum(session):
    mix = samples(mixed(session, "mono"))
    folds = [np.concatenate(list(t.source.blocks()), axis=1).mean(axis=0) for t in session.tracks]
    np.testing.assert_array_equal(mix[0], mix[1])
    ratio = mix[0] @ mix[0] / (mix[0] @ np.sum(folds, axis=0))
    np.testing.assert_allclose(mix[0], ratio * np.sum(folds, axis=0), atol=1e-5)


def test_equal_loudness_is(session):
    mix = mixed(session, "equal-loudness")
    levels = list(mix.levels.values())
    assert max(levels) - min(levels) < 0.05


def test_random_is_seeded_and_in_range(session):
    first, again = mixed(session, "random").plan, mixed(session, "random").plan
    assert first == again
    assert all(abs(strip.fader_db) <= 12 for strip in first.tracks)
    assert len({strip.pan for strip in first.tracks}) == len(first.tracks)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("mode", [pytest.param("basic", marks=pytest.mark.slow), "full"])
def test_the_order_of_tracks_does_not_matter(session, method, mode):
    turned = replace(session, tracks=session.tracks[::-1])
    np.testing.assert_array_equal(
        samples(mixed(session, method, mode)), samples(mixed(turned, method, mode))
    )


@pytest.mark.slow
@pytest.mark.parametrize("method", ["rules", "dmc"])
@pytest.mark.parametrize(("below_lu", "is_noise"), [(40.0, True), (33.0, False)])
def test_a_take_that_holds_only_hum_is_not_raised(session, method, below_lu, is_noise):
    levels = {name: track.lufs for name, track in hear_stems(session).items()}
    time_s = np.arange(10 * session.sample_rate) / session.sample_rate
    hum = np.sin(2 * np.pi * 100 * time_s)[None].astype(np.float32)
    aim_lufs = float(np.median(list(levels.values()))) - below_lu
    hum *= np.float32(10 ** ((aim_lufs - lufs(hum, session.sample_rate)) / 20))
    take = Track(name="take", source=Audio(hum, session.sample_rate), role="guitar")
    mix = mixed(replace(session, tracks=(*session.tracks, take)), method)
    raised = {name: gain_db(mix.plan, name) for name in levels}
    rise_db = gain_db(mix.plan, "take") - float(np.median(list(raised.values())))
    assert ("taken for noise" in " ".join(mix.warnings)) == is_noise
    assert rise_db == pytest.approx(0.0) if is_noise else rise_db > below_lu - 10
    without = mixed(session, method).plan
    if is_noise:
        assert raised == {name: gain_db(without, name) for name in levels}


def test_basic_sets_gain_and_pan_only(session):
    plan = mixed(session, "rules").plan
    assert plan.buses == ()
    for strip in plan.tracks:
        assert replace(strip, input_gain_db=0.0, fader_db=0.0, pan=0.5, delay_ms=0.0) == type(
            strip
        )(name=strip.name, role=strip.role)


def test_rules_keep_lows_and_leads_in_the_center_and_undo_unequal_levels(session):
    mix = mixed(session, "rules")
    pans = {strip.name: strip.pan for strip in mix.plan.tracks}
    assert {pans[name] for name in ("kick", "bass", "snare", "lead vocal")} == {0.5}
    assert sum(pan != 0.5 for pan in pans.values()) >= 2
    assert np.mean(list(pans.values())) == pytest.approx(0.5, abs=0.03)
    levels = mix.levels
    assert max(levels, key=levels.get) == "lead vocal"
    recorded = [track.lufs for track in hear_stems(session).values()]
    others = [level for name, level in levels.items() if name != "lead vocal"]
    assert np.ptp(others) < np.ptp(recorded) / 2


def test_full_keeps_the_levels_of_basic_and_puts_the_return_below_the_mix(session):
    still = StemsRequest(method="rules", mode="full", no_rides=True)  # mutes move measured levels
    basic, full = mixed(session, "rules"), mix_session(session, still)
    pressed = {
        strip.name
        for strip in full.plan.tracks
        if any(send.bus == PARALLEL for send in strip.sends)
    }
    lower = [basic.levels[name] - full.levels[name] for name in pressed]
    assert np.ptp(lower) < 0.5  # what the parallel compression adds to all of them
    assert 0.5 < np.mean(lower) < 6.0
    for name in basic.levels.keys() - pressed:
        assert full.levels[name] == pytest.approx(basic.levels[name], abs=0.5)
    assert full.sum_lufs - full.levels["reverb"] == pytest.approx(16.0, abs=0.5)


def test_one_track_and_silence(session):
    one = replace(session, tracks=session.tracks[:1])
    assert np.abs(samples(mixed(one, "rules", "full"))).max() > 0
    silence = Track(
        name="nothing", role="other", source=Audio(np.zeros((1, session.frames)), 44100)
    )
    with_silence = replace(session, tracks=(*session.tracks, silence))
    assert np.isfinite(samples(mixed(with_silence, "rules", "full"))).all()
    alone = replace(session, tracks=(silence,))
    for method in METHODS:
        assert not samples(mixed(alone, method)).any()


def test_peaky_tracks_go_down_and_steady_ones_up_within_the_limit():
    assert crest_correction_lu(20.0, 20.0, 0.4, 4.0) == 0.0
    assert crest_correction_lu(25.0, 20.0, 0.4, 4.0) == pytest.approx(-2.0)
    assert crest_correction_lu(15.0, 20.0, 0.4, 4.0) == pytest.approx(2.0)
    assert crest_correction_lu(60.0, 20.0, 0.4, 4.0) == -4.0


def test_neighbors_in_frequency_are_mirrored_further_out_the_higher():
    names = ["a", "b", "c", "d", "e"]
    centroids = dict(zip(names, (2.0, 3.0, 3.1, 6.0, 6.1), strict=True))
    positions = pan_positions(
        centroids, dict.fromkeys(names, "guitar"), dict.fromkeys(names, 0.0), 0.6
    )
    assert positions["a"] == 0.5  # the odd one out
    assert positions["b"] + positions["c"] == pytest.approx(1.0)
    assert positions["d"] + positions["e"] == pytest.approx(1.0)
    assert abs(positions["d"] - 0.5) > abs(positions["b"] - 0.5) > 0
    assert positions["d"] > 0.5 > positions["b"]  # alternating, so no side gets all the lower ones


@pytest.mark.parametrize(("role", "low"), [("lead vocal", 0.0), ("kick", 0.0), ("guitar", 0.9)])
def test_leads_and_lows_stay(role, low):
    roles = {"x": role, "y": "guitar", "z": "guitar"}
    lows = {"x": low, "y": 0.0, "z": 0.0}
    assert pan_positions({"x": 3.0, "y": 4.0, "z": 5.0}, roles, lows, 1.0)["x"] == 0.5


def test_a_masker_gives_way_where_it_does_not_need_the_band():
    masker = np.array([-20, -20, -20, -26, -60, -60, -60, -60, -60], float)
    masked = np.array([-60, -60, -60, -30, -32, -34, -60, -60, -60], float)
    first, second = masking_cuts(np.stack([masker, masked]), ("guitar", "keys"))
    assert [(cut.band, cut.masked) for cut in first] == [(3, 1)]
    assert first[0].gain_db == pytest.approx(-4.0 / 3)
    assert second == []


def covered(masker_role, masked_role, band=3):
    """The cuts of a track that covers another in a band that only the other needs."""
    levels = np.full((2, 9), -60.0)
    levels[0, [0, 1, 2]], levels[0, band] = -20.0, -26.0
    levels[1, [3, 4, 5]], levels[1, band] = -35.0, -34.0
    return masking_cuts(levels, (masker_role, masked_role))[0]


@pytest.mark.parametrize(
    ("masker", "masked", "is_cut"),
    [
        ("keys", "guitar", True),
        ("keys", "lead vocal", True),
        ("backing vocal", "guitar", True),
        ("lead vocal", "guitar", False),  # makes way for nothing
        ("guitar", "electric guitar", False),  # one family
        ("kick", "snare", False),
        ("other", "other", True),  # may be anything
        *(("keys", role, False) for role in ("overheads", "room", "hats", "cymbals")),
        *(("keys", role, False) for role in ("percussion", "tom", "fx", "backing vocal")),
    ],
)
def test_who_makes_way_for_whom(masker, masked, is_cut):
    assert [cut.band for cut in covered(masker, masked)] == [3] * is_cut


@pytest.mark.parametrize(("band", "is_cut"), [(3, True), (7, True), (8, False)])
def test_nothing_is_cut_above_8_khz(band, is_cut):
    """Bands are octaves from 63 Hz on: the one at 7 is around 8 kHz."""
    assert [cut.band for cut in covered("keys", "guitar", band)] == [band] * is_cut


def test_equal_tracks_and_silence_are_not_cut():
    levels = np.full((3, 9), -30.0)
    roles = ("guitar", "keys", "bass")
    assert masking_cuts(levels, roles) == [[], [], []]
    levels[1] = -np.inf
    assert masking_cuts(levels, roles) == [[], [], []]


def test_cuts_of_a_song_follow_the_levels_in_the_mix():
    """Names count in alphabetical order; a masker that is soft in the mix covers nothing."""
    tracks = {
        "b voice": ("lead vocal", noise(700, 2800, 1)),
        "a organ": ("organ", noise(100, 700, 2) + 0.7 * noise(700, 2800, 3)),
    }
    heard = hear_stems(session_of(tracks))
    roles = {name: role for name, (role, _) in tracks.items()}
    loud = find_cuts(heard, roles, {"a organ": 12.0, "b voice": 0.0})
    assert loud["a organ"]
    assert {cut.masked for cut in loud["a organ"]} == {1}
    assert loud["b voice"] == []
    assert find_cuts(heard, roles, {"a organ": -12.0, "b voice": 0.0})["a organ"] == []


def test_high_pass_follows_the_lowest_strong_band():
    powers = np.array([1e-6, 1e-6, 1e-6, 0.5, 1.0, 0.5, 0.1, 0.0, 0.0])
    assert high_pass_hz("synth", powers)[0] == 250.0
    powers[1] = 0.5
    assert high_pass_hz("synth", powers) is None
    assert high_pass_hz("synth", np.zeros(9)) is None


def test_what_lies_below_the_range_of_a_role_is_cut_off_although_it_is_strong():
    rumbling = np.ones(9)
    corner_hz, because = high_pass_hz("lead vocal", rumbling)
    assert corner_hz == HIGH_PASS_HZ["lead vocal"] == 80.0
    assert "lead vocal" in because
    for low in ("kick", "bass", "tom", "drums", "fx"):
        assert high_pass_hz(low, rumbling) is None
    higher = np.array([0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.1, 0.0, 0.0])
    assert high_pass_hz("lead vocal", higher)[0] == 500.0
