"""Tastes go the way that their words say, and parts that are switched off are left out alone."""

import numpy as np
import pytest

from automix.analysis.features import measure_features
from automix.analysis.finished_music import WIDTH_BANDS_HZ
from automix.dsp.processors import active_at, active_inserts
from automix.library import mix_session
from automix.methods.stems.settings import DEFAULT, PRESETS
from automix.mixing.request import StemsRequest
from automix.plan.roles import ROLE_FAMILIES
from tests.methods.raw_songs import RATE, beat_song, hits, lufs, noise, notes, session_of

SWITCHES = ("no_tone", "no_dynamics", "no_width", "no_space")
SPACES = {"reverb", "room", "delay"}
TASTES = tuple(name for name in PRESETS if name != DEFAULT)


def peaky_song():
    """Everything rings, and is as peaky as raw tracks are: there is something to compress."""
    song = beat_song()
    song["kick"] = ("kick", 3 * noise(45, 120, 3) * hits(0.8, 0.2))
    song["snare"] = ("snare", 2 * noise(180, 8000, 4) * hits(0.8, 0.2, 0.4))
    song["loop"] = ("drums", noise(50, 9000, 50) * hits(0.4, 0.1))
    song["lead"] = ("lead vocal", noise(200, 6000, 1) * (hits(2, 0.6) + 0.3 * hits(2, 0.6, 1)))
    song["bass"] = ("bass", noise(40, 300, 5) * hits(0.4, 0.12))
    song["keys"] = ("keys", noise(200, 9000, 7) * hits(0.8, 0.15, 0.2))
    song["guitar"] = ("guitar", noise(150, 9000, 6) * notes(6))
    return song


@pytest.fixture(scope="module")
def mixed():
    """Mixes of one song, by what is asked; each is made once."""
    session, made = session_of(peaky_song()), {}

    def mix(**asked):
        key = tuple(sorted(asked.items()))
        if key not in made:
            made[key] = mix_session(session, StemsRequest(mode="full", **asked))
        return made[key]

    return mix


def width_db(mix):
    """Sides over middle from 250 Hz to 8 kHz, the mean of the bands."""
    return float(np.mean(measure_features(mix.audio).side_over_mid_db(WIDTH_BANDS_HZ)[2:7]))


def treble_db(mix):
    """Power above 4 kHz over that of the middle octaves."""
    power = np.sum(np.abs(np.fft.rfft(mix.audio.samples)) ** 2, axis=0)
    frequencies = np.fft.rfftfreq(mix.audio.samples.shape[1], 1 / RATE)
    middle = (frequencies > 300) & (frequencies < 2000)
    return float(10 * np.log10(power[frequencies > 4000].sum() / power[middle].sum()))


def peaks_over_loudness_db(mix):
    return mix.loudness.true_peak_dbtp - mix.loudness.integrated_lufs


def lead_lu(mix):
    """The lead against the sum of the rest, as rendered before the master."""
    stems = {name: np.concatenate(list(s.blocks()), axis=1) for name, s in mix.stems.items()}
    rest = sum(stem for name, stem in stems.items() if name != "lead")
    return lufs(stems["lead"]) - lufs(rest)


def wetness_lu(mix):
    return max(level for name, level in mix.levels.items() if name in SPACES) - mix.sum_lufs


@pytest.mark.slow
def test_natural_leaves_most_as_it_was_played(mixed):
    usual, natural = mixed(), mixed(preset="natural")
    assert width_db(natural) < width_db(usual) - 0.7
    assert "delay" not in natural.levels
    for strip in natural.plan.tracks:
        other = usual.plan.strip(strip.name)
        assert strip.compressor.ratio <= other.compressor.ratio or not strip.compressor.is_active
        gains = sum(abs(band.gain_db) for band in strip.equalizer.bands)
        assert gains <= sum(abs(band.gain_db) for band in other.equalizer.bands) + 0.01


@pytest.mark.slow
def test_modern_is_bright_dense_and_wide(mixed):
    usual, modern = mixed(), mixed(preset="modern")
    assert width_db(modern) > width_db(usual) + 0.4
    assert treble_db(modern) > treble_db(usual)
    assert peaks_over_loudness_db(modern) < peaks_over_loudness_db(usual)
    assert lead_lu(modern) > lead_lu(usual)
    for strip in modern.plan.tracks:
        other, drives = usual.plan.strip(strip.name), ROLE_FAMILIES[strip.role] in ("bass", "drums")
        assert strip.saturation.is_active == drives
        assert not other.saturation.is_active
        assert strip.compressor.ratio >= other.compressor.ratio or not other.compressor.is_active


@pytest.mark.slow
def test_intimate_is_close_and_dry_with_the_voice_in_front(mixed):
    usual, intimate = mixed(), mixed(preset="intimate")
    assert lead_lu(intimate) > lead_lu(usual) + 0.8
    assert wetness_lu(intimate) < wetness_lu(usual) - 4.0
    assert width_db(intimate) < width_db(usual) - 1.0
    assert treble_db(intimate) < treble_db(usual)
    assert "delay" not in intimate.levels
    pans = [max(abs(s.pan - 0.5) for s in mix.plan.tracks) for mix in (intimate, usual)]
    assert pans[0] < pans[1]


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
def test_the_plan_says_which_taste_it_is_of(mixed, preset):
    mix = mixed(preset=preset) if preset != DEFAULT else mixed()
    assert mix.plan.taste == ("" if preset == DEFAULT else preset)
    assert mix.audio.samples.std() > 0


PARTS = {
    "equalizer": "no_tone",
    "gate": "no_dynamics",
    "compressor": "no_dynamics",
    "saturation": "no_dynamics",
    "widener": "no_width",
}


def found_in(plan):
    """Every processor that is on, by its owner, with what part of the rules it belongs to."""
    used = [(strip.name, row.name) for strip in plan.tracks for row in active_inserts(strip)]
    used += [("master", row.name) for row in active_at(plan.master, "filter", "gain")]
    found = {(owner, name): PARTS[name] for owner, name in used if name in PARTS}
    for bus in plan.buses:
        found[bus.name, "bus"] = "no_dynamics" if bus.parallel else "no_space"
    return found


@pytest.mark.parametrize("switch", SWITCHES)
def test_a_part_that_is_switched_off_is_left_out_and_nothing_else_is(mixed, switch):
    whole, without = found_in(mixed().plan), found_in(mixed(**{switch: True}).plan)
    assert set(whole.values()) == set(SWITCHES)
    assert switch not in without.values()
    assert set(without.values()) == set(SWITCHES) - {switch}
    # How wide tracks become follows from how all of them sound: which ones may change.
    kept = {key for key, part in whole.items() if part not in (switch, "no_width")}
    assert kept == {key for key, part in without.items() if part != "no_width"}


@pytest.mark.parametrize("switch", SWITCHES)
def test_what_is_left_out_has_no_reasons_either(mixed, switch):
    rules = {
        "no_tone": {"tone", "high pass", "unmasking"},
        "no_dynamics": {"gate", "compression", "saturation", "bus compression", "drum compression"},
        "no_width": {"width"},
        "no_space": {"reverb", "room", "delay", "send by role", "reverb return"},
    }
    told = {d.rule for d in mixed(**{switch: True}).plan.decisions}
    assert not told & rules[switch]
    assert told & set.union(*(r for name, r in rules.items() if name != switch))


def test_without_all_parts_full_is_basic(mixed):
    none = mixed(**dict.fromkeys(SWITCHES, True)).plan
    basic = mix_session(session_of(peaky_song()), StemsRequest()).plan
    assert none.tracks == basic.tracks
    assert none.buses == basic.buses == ()


@pytest.mark.parametrize("switch", SWITCHES)
def test_the_balance_stays_when_a_part_is_switched_off(mixed, switch):
    """Tracks keep their loudness; those with parallel compression have some of it on the bus."""
    tracks = peaky_song()
    whole, without = mixed(), mixed(**{switch: True})
    for name, (role, _) in tracks.items():
        if ROLE_FAMILIES[role] != "drums":
            near = 0.6 if switch == "no_space" else 0.4
            assert without.levels[name] == pytest.approx(whole.levels[name], abs=near), name


@pytest.mark.parametrize(
    "importance",
    [(), ("kick=-3", "bass=3")],
)
def test_faders_stay_within_12_db(mixed, importance):
    mix = mixed(importance=importance) if importance else mixed()
    assert max(abs(strip.fader_db) for strip in mix.plan.tracks) <= 12.0
