"""The balance: the lead against all others, however finely a song is cut into tracks."""

from pathlib import Path

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from automix.analysis.loudness import LoudnessMeter, integrated_lufs
from automix.audio.blocks import collect
from automix.audio.samples import Audio
from automix.datasets.plain import read_song
from automix.files.info import ReadOptions
from automix.library import mix_session
from automix.methods.stems.hearing import EQUAL_LUFS, hear_stems
from automix.methods.stems.levels import (
    BACKING_BELOW_LEAD_LU,
    KIT_ABOVE_ITS_LOUDEST_LU,
    KIT_TRIMS_LU,
    LevelOffset,
    balance_pairs,
    level_offsets,
)
from automix.methods.stems.settings import StemsRules
from automix.mixing.request import StemsRequest
from automix.plan.roles import ROLE_FAMILIES, Role
from automix.session.song_folder import open_song
from automix.session.tracks import Session, Track
from tests.methods.raw_songs import (
    RATE,
    band_song,
    flows,
    gain_db,
    hits,
    lufs,
    noise,
    notes,
    session_of,
    written,
)

AUDIO = Path(__file__).parents[3] / "shared" / "audio"
GROUP_ROLES: dict[str, Role] = {"vocal": "lead vocal", "drums": "drums", "bass": "bass"}
RULES = StemsRules()
WANTED_LU = RULES.lead_above_rest_lu


def gained(tracks, **rules):
    """The tracks at the gains of the plan."""
    plan = written(session_of(tracks), **rules)
    return {
        name: samples * 10 ** (gain_db(plan, name) / 20) for name, (_, samples) in tracks.items()
    }


def against(signals, *names):
    """Loudness of the sum of some over that of the sum of all others."""
    some = sum(signals[name] for name in names)
    rest = sum(samples for name, samples in signals.items() if name not in names)
    return lufs(some) - lufs(rest)


def without(tracks, *names):
    return {name: track for name, track in tracks.items() if name not in names}


@pytest.mark.parametrize(
    "envelope", [1.0, notes(1), hits(0.9, 0.03)], ids=["steady", "sung", "peaky"]
)
def test_the_lead_against_the_sum_of_the_rest_is_as_asked_whatever_its_crest_factor(envelope):
    lead = noise(200, 6000, 1) * envelope
    tracks = without(band_song(), "backing") | {"lead": ("lead vocal", lead)}
    assert against(gained(tracks), "lead") == pytest.approx(WANTED_LU, abs=0.3)
    asked = gained(tracks, lead_above_rest_lu=1.5)
    assert against(asked, "lead") == pytest.approx(1.5, abs=0.3)


def test_two_leads_are_set_together():
    tracks = without(band_song(), "backing")
    tracks["second"] = ("lead vocal", noise(200, 6000, 31) * notes(1, 0.015, 1))
    assert against(gained(tracks), "lead", "second") == pytest.approx(WANTED_LU, abs=0.3)


@pytest.mark.parametrize("level_db", [-12.0, 0.0, 15.0])
def test_recorded_levels_do_not_matter_and_faders_stay_within_reach(level_db):
    tracks = band_song()
    draw = np.random.default_rng(3)
    shifts = {name: level_db + draw.uniform(-12, 12) for name in tracks}
    shifted = {
        name: (role, samples * 10 ** (shifts[name] / 20))
        for name, (role, samples) in tracks.items()
    }
    plan, other = written(session_of(tracks)), written(session_of(shifted))
    for name, shift_db in shifts.items():
        assert gain_db(other, name) + shift_db == pytest.approx(gain_db(plan, name), abs=0.05)
        assert abs(other.strip(name).fader_db) <= 7.0 + 1e-6
        assert other.strip(name).fader_db == pytest.approx(plan.strip(name).fader_db, abs=0.05)


def test_faders_carry_the_balance_of_tracks_that_are_staged_alike():
    """A track that is to be much softer than others is so by its input, not by its fader."""
    tracks = band_song()
    far = ("pad=-4", "keys=-2", "lead=2")
    plan = written(session_of(tracks), importance=far, importance_lu=6.0)
    staged = {
        name: lufs(samples * 10 ** (plan.strip(name).input_gain_db / 20))
        for name, (_, samples) in tracks.items()
    }
    for strip in plan.tracks:
        assert abs(strip.fader_db) <= 7.0 + 1e-6
        if abs(strip.fader_db) < 6.99:
            assert staged[strip.name] == pytest.approx(-23.0, abs=0.05)
    assert staged["pad"] < -30.0
    assert plan.strip("pad").fader_db == pytest.approx(-7.0, abs=0.01)


def test_full_keeps_faders_within_12_db():
    plan = written(session_of(band_song()), mode="full")
    assert max(abs(strip.fader_db) for strip in plan.tracks) <= 12.0


@pytest.mark.parametrize("count", [2, 4, 12])
def test_cutting_a_source_into_microphones_changes_neither_vocal_nor_source(count):
    """The microphones hear one part: they rise and fall together, each with its own noise."""
    song = without(band_song(), "backing")
    whole = gained(song)
    cut = without(song, "guitar")
    for n in range(count):
        samples = (0.3 + 0.1 * n) * noise(150, 5000, 60 + n) * notes(6)
        cut[f"guitar {n}"] = ("guitar", samples)
    parts = gained(cut)
    microphones = [name for name in parts if name.startswith("guitar")]
    source_lu = [
        lufs(sum(signals[name] for name in names)) - lufs(signals["bass"])
        for signals, names in ((whole, ["guitar"]), (parts, microphones))
    ]
    assert source_lu[1] == pytest.approx(source_lu[0], abs=1.0)
    vocal_lu = [lufs(signals["lead"]) - lufs(signals["bass"]) for signals in (whole, parts)]
    assert vocal_lu[1] == pytest.approx(vocal_lu[0], abs=1.0)
    assert against(parts, "lead") == pytest.approx(against(whole, "lead"), abs=0.3)


def test_files_with_two_equal_sides_leave_the_lead_where_mono_files_have_it():
    """A pair in the air makes one source of the kit, so that the sum is heard, not predicted."""
    mono = band_song()
    mono["over"] = ("overheads", 0.6 * mono["snare"][1] + 0.5 * mono["kick"][1])
    stereo = {
        name: (role, samples if name == "lead" else np.stack([samples, samples]))
        for name, (role, samples) in mono.items()
    }
    plans = [written(session_of(tracks)) for tracks in (mono, stereo)]
    lead_db = [gain_db(plan, "lead") for plan in plans]
    assert lead_db[1] == pytest.approx(lead_db[0], abs=0.05)


def low_pass(samples, corner_hz):
    return sosfilt(butter(2, corner_hz, fs=RATE, output="sos"), samples)


def split(song, way):
    """A track as its copies, as two microphones of it, or as its direct signal and its amplifier.

    What they have in common adds up to more than unrelated tracks would.
    """
    kick, bass, guitar = (song[name][1] for name in ("kick", "bass", "guitar"))
    hiss = [0.003 * noise(50, 9000, 90 + n) for n in (0, 1)]
    if way == "kick in and out":
        late = np.roll(low_pass(kick, 2000.0), 22)  # a third of a meter further away
        return without(song, "kick") | {
            "kick in": ("kick", kick + hiss[0]),
            "kick out": ("kick", 0.6 * late + hiss[1]),
        }
    if way == "DI and amp":
        amplified = low_pass(np.tanh(5.0 * bass), 3000.0)
        return without(song, "bass") | {"DI": ("bass", bass), "amp": ("bass", amplified)}
    copies = {f"guitar {n}": ("guitar", 0.5**n * guitar) for n in range(int(way[0]))}
    return without(song, "guitar") | copies


def rendered_lead_lu(tracks, **rules):
    """The lead over the sum of all others, behind faders and pans of the rendered plan."""
    session = session_of(tracks)
    return against(flows(session, written(session, **rules)).channels, "lead")


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["basic", "full"])
@pytest.mark.parametrize("way", ["2 copies", "4 copies", "kick in and out", "DI and amp"])
def test_splitting_a_track_does_not_move_the_lead(way, mode):
    """Within 1 LU of the song with the whole track, and of what is asked for."""
    song = without(band_song(), "backing")
    whole_lu = rendered_lead_lu(song, mode=mode)
    split_lu = rendered_lead_lu(split(song, way), mode=mode)
    assert split_lu == pytest.approx(whole_lu, abs=1.0)
    assert split_lu == pytest.approx(WANTED_LU, abs=1.0)


def tilt(positions, powers):
    """Power of the right side over the left one, by how far the tracks stand out."""
    return sum((positions[name] - 0.5) * powers[name] for name in positions)


def test_pairs_face_each_other_so_that_neither_side_is_louder():
    """Three pairs that all have their stronger track on the right, and one in the center."""
    positions = {"a": 0.1, "b": 0.9, "c": 0.2, "d": 0.8, "e": 0.3, "f": 0.7, "bass": 0.5}
    powers = {"a": 1.0, "b": 4.0, "c": 1.0, "d": 4.0, "e": 1.0, "f": 2.0, "bass": 50.0}
    found = balance_pairs(positions, powers)
    for left, right in (("a", "b"), ("c", "d"), ("e", "f")):
        assert sorted((found[left], found[right])) == pytest.approx(
            [positions[left], positions[right]]
        )
    assert found["bass"] == 0.5
    possible = [
        abs(0.4 * 3.0 + second * 0.3 * 3.0 + third * 0.2 * 1.0)
        for second in (-1, 1)
        for third in (-1, 1)
    ]
    assert abs(tilt(found, powers)) == pytest.approx(min(possible))
    assert abs(tilt(found, powers)) < 0.1 * tilt(positions, powers)


def test_balanced_pairs_never_lean_more_than_they_did():
    """Random songs; by the order of tracks nothing changes."""
    draw = np.random.default_rng(4)
    for _ in range(50):
        distances = draw.uniform(0.05, 0.5, 4)
        positions = {f"{n}{s}": 0.5 + s * d for n, d in enumerate(distances) for s in (-1, 1)}
        powers = dict(zip(positions, draw.exponential(1.0, 8), strict=True))
        found = balance_pairs(positions, powers)
        largest = max(
            abs(d * (powers[f"{n}1"] - powers[f"{n}-1"])) for n, d in enumerate(distances)
        )
        assert abs(tilt(found, powers)) <= largest + 1e-9
        assert balance_pairs(dict(reversed(positions.items())), powers) == found


def test_a_song_with_all_strong_tracks_on_one_side_is_balanced():
    """Pairs of neighbors in frequency, one of each much more often heard than the other.

    The sides of the lower and the higher ones alternate, and so does which is heard more often.
    """
    rare = np.where(np.arange(int(8 * RATE)) < 2 * RATE, 1.0, 0.0)
    tracks = {"lead": ("lead vocal", noise(200, 6000, 1) * notes(1))}
    for n, low_hz in enumerate((300, 600, 1200, 2400)):
        low = noise(low_hz, 1.15 * low_hz, 10 * n + 1)
        high = noise(1.3 * low_hz, 1.5 * low_hz, 10 * n + 2)
        often, seldom = (low, high) if n % 2 == 0 else (high, low)
        tracks[f"{n} often"] = ("guitar", often * notes(n + 2))
        tracks[f"{n} rare"] = ("keys", seldom * rare)
    session = session_of(tracks)
    plan = written(session)
    assert sum(strip.pan != 0.5 for strip in plan.tracks) == 8
    left, right = flows(session, plan).sum()
    assert lufs(left) == pytest.approx(lufs(right), abs=1.0)


GROUPINGS = {
    "2": {"vocals": ("lead vocal", ["lead", "backing"]), "rest": ("backing track", None)},
    "2, backing vocals with the instruments": {
        "vocals": ("lead vocal", ["lead"]),
        "rest": ("backing track", None),
    },
    "4": {
        "vocals": ("lead vocal", ["lead", "backing"]),
        "drums": ("drums", ["kick", "snare"]),
        "bass": ("bass", ["bass"]),
        "other": ("other", None),
    },
}


@pytest.mark.parametrize("grouping", ["2", "2, backing vocals with the instruments", "4"])
def test_regrouping_a_song_hardly_changes_the_vocal_against_the_rest(grouping):
    """All eight tracks as they are in the mix of eight, summed, and mixed anew."""
    song = band_song()
    eight = gained(song)
    lead_lu = against(eight, "lead")
    vocals_lu = against(eight, "lead", "backing")
    groups = GROUPINGS[grouping]
    named = {name for _, names in groups.values() for name in names or ()}
    members = {
        group: list(names) if names is not None else [n for n in song if n not in named]
        for group, (_, names) in groups.items()
    }
    summed = {
        group: (role, sum(eight[name] for name in members[group]))
        for group, (role, _) in groups.items()
    }
    plan = written(session_of(summed))
    again = {
        name: eight[name] * 10 ** (gain_db(plan, group) / 20)
        for group, names in members.items()
        for name in names
    }
    assert against(again, "lead") == pytest.approx(lead_lu, abs=1.0)
    assert against(again, "lead", "backing") == pytest.approx(vocals_lu, abs=1.0)


def test_a_vocal_that_hardly_sounds_ends_at_the_distance_that_is_asked_for():
    """Loud for a second and soft for two; and then noise that only a louder meter would count."""
    time = np.arange(int(8 * RATE)) / RATE
    phrases = np.select([time < 1, time < 3], [1.0, 10 ** (-16 / 20)], 10 ** (-60 / 20))
    tracks = {
        "vocal": ("lead vocal", noise(200, 6000, 1) * phrases),
        "beat": ("backing track", noise(50, 9000, 2)),
    }
    assert against(gained(tracks), "vocal") == pytest.approx(WANTED_LU, abs=0.05)


def test_a_vocal_and_a_backing_track_end_at_the_distance_that_is_asked_for():
    tracks = {
        "vocal": ("lead vocal", 3.0 * noise(200, 6000, 1) * notes(1)),
        "beat": ("backing track", 0.2 * noise(50, 9000, 2) * hits(0.4, 0.2)),
    }
    assert against(gained(tracks), "vocal") == pytest.approx(WANTED_LU, abs=0.1)
    for instrument in ("drums", "other", "piano"):
        other = tracks | {"beat": (instrument, tracks["beat"][1])}
        assert against(gained(other), "vocal") == pytest.approx(WANTED_LU, abs=0.1)


@pytest.mark.parametrize("count", [1, 2, 6])
def test_backing_vocals_together_stay_under_the_lead(count):
    tracks = without(band_song(), "backing")
    for n in range(count):
        tracks[f"choir {n}"] = ("backing vocal", noise(300, 5000, 40 + n) * notes(40 + n))
    signals = gained(tracks)
    choir = sum(samples for name, samples in signals.items() if name.startswith("choir"))
    assert lufs(signals["lead"]) - lufs(choir) >= BACKING_BELOW_LEAD_LU - 0.1
    assert lufs(signals["lead"]) - lufs(choir) < 12.0
    assert against(signals, "lead") >= WANTED_LU - 0.85 - 0.05  # no more than the lead gives way
    together = against(signals, *(name for name in signals if name.startswith(("lead", "choir"))))
    lead_lu = against(signals, "lead")
    assert lead_lu < WANTED_LU < together < WANTED_LU + 1.0
    gives_way_lu = min((together - lead_lu) / 2, 0.85)
    assert lead_lu + gives_way_lu == pytest.approx(WANTED_LU, abs=0.3)


def test_backing_vocals_that_are_soft_enough_keep_their_own_level():
    """Far under a lead that is asked to be loud, they stand to the pad as without any lead."""
    tracks = band_song()
    loud, none = gained(tracks, lead_above_rest_lu=6.0), gained(without(tracks, "lead"))
    beside = [lufs(signals["backing"]) - lufs(signals["pad"]) for signals in (loud, none)]
    assert lufs(loud["lead"]) - lufs(loud["backing"]) > BACKING_BELOW_LEAD_LU + 0.5
    # Crest factors are judged against the median of other tracks, which moves by little.
    assert beside[0] == pytest.approx(beside[1], abs=0.1)
    soft = gained(tracks, lead_above_rest_lu=-12.0)
    below_lu = lufs(soft["lead"]) - lufs(soft["backing"])
    assert BACKING_BELOW_LEAD_LU - 0.1 <= below_lu <= 9.1


def test_a_whole_kit_is_louder_than_its_loudest_microphone_would_be():
    """Microphones with nothing in common but the times at which they sound."""
    snare, all_hits = hits(0.8, 0.06, 0.4), hits(0.4, 0.06)
    tracks = {
        "kick": ("kick", noise(45, 120, 3) * hits(0.8, 0.06)),
        "snare": ("snare", noise(180, 8000, 4) * snare),
        "over": ("overheads", noise(100, 9000, 44) * all_hits),
        "pad": ("pad", noise(250, 9000, 8)),
    }
    session, kit = session_of(tracks), ("kick", "snare", "over")
    roles = {name: role for name, (role, _) in tracks.items()}
    offsets = level_offsets(hear_stems(session), roles, RULES)
    assert offsets["over"].kit_lu == KIT_TRIMS_LU["overheads"] < 0.0
    assert offsets["kick"].kit_lu == offsets["snare"].kit_lu == 0.0
    signals = gained(tracks)
    alone_lu = max(EQUAL_LUFS + offsets[name].crest_lu + offsets[name].kit_lu for name in kit)
    together_lu = lufs(sum(signals[name] for name in kit))
    assert together_lu - alone_lu == pytest.approx(KIT_ABOVE_ITS_LOUDEST_LU, abs=0.2)
    # Among themselves they stand as before.
    for name in kit:
        own_lu = lufs(signals[name]) - lufs(signals["kick"])
        wanted_lu = [offsets[n].crest_lu + offsets[n].kit_lu for n in (name, "kick")]
        assert own_lu == pytest.approx(wanted_lu[0] - wanted_lu[1], abs=0.05)


def test_a_backing_track_counts_as_many():
    tracks = {
        "beat": ("backing track", noise(50, 9000, 2)),
        "guitar": ("guitar", noise(150, 5000, 3)),
        "pad": ("pad", noise(250, 9000, 4)),
    }
    signals = gained(tracks)
    assert lufs(signals["beat"]) - max(lufs(signals["guitar"]), lufs(signals["pad"])) > 4.0


@pytest.mark.parametrize(
    ("asked", "track", "change_lu"),
    [
        ({"focus": ("keys",)}, "keys", 3.0),
        ({"behind": ("guitar",)}, "guitar", -3.0),
        ({"importance": ("pad=-0.5",)}, "pad", -1.5),
        ({"importance": ("lead=1",)}, "lead", 3.0),
        ({"focus": ("keys", "keys"), "behind": ("keys",)}, "keys", 3.0),
        ({"focus": ("keys",), "importance_lu": 2.0}, "keys", 2.0),
    ],
)
def test_a_track_stands_out_or_back_as_asked_and_no_other_moves(asked, track, change_lu):
    session = session_of(band_song())
    plain, other = written(session), written(session, **asked)
    for strip in plain.tracks:
        moved = gain_db(other, strip.name) - gain_db(plain, strip.name)
        assert moved == pytest.approx(change_lu if strip.name == track else 0.0, abs=1e-6)
    reason = next(d.reason for d in other.decisions if d.setting == f"{track}.fader_db")
    assert f"{change_lu:+.1f} LU as asked" in reason


def test_a_track_that_stands_out_is_also_nearer():
    session = session_of(band_song())
    plain, other = (written(session, mode="full", **r) for r in ({}, {"behind": ("guitar",)}))

    def send_db(plan):
        return next(s.gain_db for s in plan.strip("guitar").sends if s.bus == "reverb")

    assert send_db(other) == pytest.approx(send_db(plain) + 3.0)


def test_the_parts_of_an_offset_sum_and_are_told():
    offset = LevelOffset(crest_lu=-1.5, kit_lu=-4.0, vocal_lu=0.01)
    assert offset.sum_lu == pytest.approx(-5.49)
    assert offset.reason == "-1.5 LU for its crest factor, -4.0 LU as this microphone of the kit"
    assert LevelOffset().reason == "the same loudness as the others"


def test_offsets_do_not_depend_on_the_order_of_the_tracks():
    tracks = band_song()
    turned = dict(reversed(tracks.items()))
    found = []
    for song in (tracks, turned):
        roles = {name: role for name, (role, _) in song.items()}
        found.append(level_offsets(hear_stems(session_of(song)), roles, RULES))
    for name in tracks:
        assert found[1][name].sum_lu == pytest.approx(found[0][name].sum_lu, abs=1e-6)


def test_the_command_mixes_two_tracks_as_a_vocal_and_its_beat():
    """Measured on the levels of the mix, with the reverb that full adds."""
    tracks = {
        "vocal": ("lead vocal", noise(200, 6000, 1) * notes(1)),
        "beat": ("backing track", noise(50, 9000, 2) * hits(0.4, 0.2)),
    }
    for mode, near in (("basic", 0.05), ("full", 0.5)):  # with its reverb, the vocal is louder
        mix = mix_session(session_of(tracks), StemsRequest(mode=mode))
        assert mix.levels["vocal"] - mix.levels["beat"] == pytest.approx(WANTED_LU, abs=near)


def group_of(role, grouping):
    """The group of a track, by its name, and the role of that."""
    family = ROLE_FAMILIES[role]
    if grouping == 2:
        return ("vocals", "lead vocal") if family == "vocal" else ("beat", "backing track")
    return (family, GROUP_ROLES[family]) if family in GROUP_ROLES else ("rest", "other")


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.skipif(not AUDIO.is_dir(), reason="the real multitracks are not here")
@pytest.mark.parametrize(("song", "start_s"), [("francium", 60), ("potassium", 120)])
def test_regrouping_a_real_song_hardly_changes_the_vocal_against_the_rest(song, start_s):
    """Half a minute of stems at the levels that the rules give them, as 2, 4 and all tracks."""
    stems, roles, rate = {}, {}, 0
    for track in open_song(read_song(AUDIO / song).stems, ReadOptions()).tracks:
        rate = track.source.sample_rate
        samples = collect(track.source).samples[:, start_s * rate : (start_s + 30) * rate]
        if np.abs(samples).max() > 1e-4:
            stems[track.name] = np.broadcast_to(samples, (2, samples.shape[1])).astype(np.float64)
            roles[track.name] = track.role

    def gains(tracks, of):
        session = Session(
            tracks=tuple(
                Track(name=name, role=of[name], source=Audio(x.astype(np.float32), rate))
                for name, x in tracks.items()
            )
        )
        plan = written(session)
        return {name: 10 ** (gain_db(plan, name) / 20) for name in tracks}

    def vocals_lu(tracks):
        def loudness(names):
            meter = LoudnessMeter(rate, 2)
            meter.add(np.sum([tracks[name] for name in names], axis=0).astype(np.float32))
            return integrated_lufs(meter.energies)

        vocal = [name for name in tracks if ROLE_FAMILIES[roles[name]] == "vocal"]
        return loudness(vocal) - loudness([name for name in tracks if name not in vocal])

    mixed = {name: stems[name] * gain for name, gain in gains(stems, roles).items()}
    whole_lu = vocals_lu(mixed)
    for grouping in (2, 4):
        group = {name: group_of(roles[name], grouping) for name in stems}
        summed = {
            key: np.sum([mixed[name] for name in mixed if group[name][0] == key], axis=0)
            for key, _ in group.values()
        }
        gain = gains(summed, dict(group.values()))
        again = {name: gain[group[name][0]] * samples for name, samples in mixed.items()}
        assert vocals_lu(again) == pytest.approx(whole_lu, abs=1.0)
