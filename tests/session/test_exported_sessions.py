"""Sessions as programs and recorders export them."""

import numpy as np
import pytest
import soundfile

from automix.audio.blocks import collect
from automix.errors import InputError
from automix.files.info import ReadOptions
from automix.session.song_folder import find_song_files, open_song
from tests.session.recorders import RATE, name_tracks, tones, write_polyphonic


def noise(seed, seconds=2.0):
    return 0.1 * np.random.default_rng(seed).standard_normal(int(seconds * RATE))


def put(folder, **tracks):
    folder.mkdir(parents=True, exist_ok=True)
    for name, samples in tracks.items():
        path = folder / f"{name.replace('__', ' ')}.wav"
        soundfile.write(path, np.asarray(samples).T, RATE, subtype="PCM_24")
    return folder


def opened(*paths, mutes=None, **options):
    files, notes = find_song_files(paths, mutes=mutes, **options)
    return open_song(files, ReadOptions(), notes, mutes or {})


def names(session):
    return sorted(track.name for track in session.tracks)


def samples(track):
    return collect(track.source).samples


@pytest.fixture
def parts():
    return {"Kick": noise(1), "Bass": noise(2), "Keys": noise(3)}


@pytest.mark.parametrize("name", ["Song__-__Mixdown", "Stereo__Out", "mixture", "Bounce__1"])
def test_a_mix_among_the_tracks_is_left_out_and_can_be_kept(tmp_path, parts, name):
    put(tmp_path / "x", **parts, **{name: np.stack([noise(9)] * 2)})
    session = opened(tmp_path / "x")
    assert names(session) == ["bass", "keys", "kick"]
    (note,) = (note for note in session.notes if "left out" in note)
    asked = note.split("--role '")[1].split("'")[0]
    track, role = asked.split("=")
    kept = opened(tmp_path / "x", roles={track: role})
    assert names(kept) == sorted(["bass", "keys", "kick", track])
    assert kept.track(track).role == role
    assert not any("left out" in note for note in kept.notes)


def test_a_title_that_sounds_like_a_click_mutes_no_track(tmp_path, parts):
    named = {f"{part}__-__Metronome": samples for part, samples in parts.items()}
    session = opened(put(tmp_path / "Metronome", **named, Outro__Metronome=noise(8)))
    assert not any(track.muted for track in session.tracks)
    assert len(session.tracks) == 4


def test_a_mix_beside_a_voice_alone_is_what_the_voice_is_mixed_with(tmp_path):
    assert names(opened(put(tmp_path / "x", Vox=noise(1), Mix=noise(2)))) == ["mix", "vox"]


def test_files_of_a_glob_are_judged_like_those_of_a_folder(tmp_path, parts):
    folder = put(tmp_path / "x", **parts, Master=noise(9))
    assert names(opened(*sorted(folder.iterdir()))) == ["bass", "keys", "kick"]


def test_a_master_that_is_kept_has_another_name_than_the_master_of_a_plan(tmp_path, parts):
    folder = put(tmp_path / "x", **parts, Master=noise(9))
    session = opened(folder, roles={"master": "other"})
    assert "master track" in names(session)
    assert any("may not be called 'master'" in note for note in session.notes)


@pytest.mark.parametrize("name", ["Zebra", "Audio__7"])
def test_a_file_that_is_the_sum_of_the_others_is_muted_whatever_its_name(tmp_path, parts, name):
    total = 0.5 * parts["Kick"] + 0.8 * parts["Bass"] + 0.3 * parts["Keys"]
    put(tmp_path / "x", **parts, **{name: np.stack([total, 0.9 * total])})
    session = opened(tmp_path / "x")
    assert [track.path.stem for track in session.tracks if track.muted] == [name.replace("__", " ")]
    assert any("is the sum of" in note and "mute=false" in note for note in session.notes)
    mutes = {track.name: False for track in session.tracks}
    assert not any(track.muted for track in opened(tmp_path / "x", mutes=mutes).tracks)


def test_a_group_beside_its_parts_is_muted_unless_its_role_is_given(tmp_path, parts):
    more = {"Gtr": noise(4), "Lead__Vox": noise(5), "Horns": noise(6)}
    folder = put(tmp_path / "x", **parts, **more, Drums=parts["Kick"] + 0.7 * parts["Keys"])
    session = opened(folder)
    assert [track.name for track in session.tracks if track.muted] == ["drums"]
    assert any("drums: is the sum of keys, kick" in note for note in session.notes)
    kept = opened(folder, roles={"drums": "drums"})
    assert not any(track.muted for track in kept.tracks)
    assert any("heard twice" in note for note in kept.notes)


def test_a_microphone_that_hears_other_drums_alone_is_heard(tmp_path, parts):
    bleed = 0.1 * parts["Kick"] + 0.05 * noise(7)
    session = opened(put(tmp_path / "x", **parts, Snare=noise(7), Toms=bleed))
    assert not any(track.muted for track in session.tracks)
    assert any("toms: is the sum of kick, snare, which are heard twice" in n for n in session.notes)


def test_files_that_are_there_three_times_are_not_lost(tmp_path, parts):
    session = opened(put(tmp_path / "x", **parts, Kick__2=parts["Kick"], Kick__3=parts["Kick"]))
    assert not any(track.muted for track in session.tracks)
    assert any("are the same audio file" in note for note in session.notes)


def test_tracks_that_have_nothing_in_common_are_no_sums(tmp_path, parts):
    assert opened(put(tmp_path / "x", **parts, Gtr=noise(4))).notes == ()


def ticks(seconds=6.0, every_s=0.5, accents=False):
    time = np.arange(int(seconds * RATE)) / RATE
    height = np.where(np.floor(time / every_s) % 4 == 0, 0.8, 0.4) if accents else 0.8
    return height * np.exp(-(time % every_s) * 200) * np.sin(2 * np.pi * 1500 * (time % every_s))


@pytest.mark.parametrize("name", ["Click", "CLICK__TRACK", "Metronome", "Talkback", "Count__In"])
def test_a_click_is_muted_by_its_name(tmp_path, parts, name):
    session = opened(put(tmp_path / "x", **parts, **{name: noise(9)}))
    assert [track.path.stem for track in session.tracks if track.muted] == [name.replace("__", " ")]
    assert any("mute=false" in note for note in session.notes)


@pytest.mark.parametrize("accents", [False, True])
def test_a_click_is_muted_by_its_sound_where_its_name_says_nothing(tmp_path, parts, accents):
    folder = put(tmp_path / "x", **parts, Audio__7=ticks(accents=accents))
    session = opened(folder)
    assert [track.path.stem for track in session.tracks if track.muted] == ["Audio 7"]
    assert any("sounds like a metronome" in note for note in session.notes)


def test_ticks_that_a_name_calls_an_instrument_are_that_instrument(tmp_path, parts):
    assert not any(t.muted for t in opened(put(tmp_path / "x", **parts, Rimshot=ticks())).tracks)


def test_a_click_that_is_given_the_role_of_an_instrument_is_one(tmp_path, parts):
    folder = put(tmp_path / "x", **parts, Click=ticks())
    assert not opened(folder, roles={"click": "percussion"}).track("click").muted
    other = opened(folder, roles={"click": "other"}).track("click")
    assert (other.role, other.muted) == ("other", True)


def test_a_scratch_take_is_muted_beside_the_take_that_replaces_it(tmp_path, parts):
    lead = opened(put(tmp_path / "x", **parts, Lead__Vox=noise(4), Scratch__Vox=noise(5)))
    assert [track.name for track in lead.tracks if track.muted] == ["scratch vox"]
    alone = opened(put(tmp_path / "y", **parts, Scratch__Vox=noise(5)))
    assert not any(track.muted for track in alone.tracks)
    assert any("no other take" in note for note in alone.notes)


def test_the_role_other_holds_where_it_is_given(tmp_path, parts):
    low = 0.5 * np.sin(2 * np.pi * 60 * np.arange(2 * RATE) / RATE)
    folder = put(tmp_path / "x", **parts, Thing=low)
    assert opened(folder).track("thing").role == "bass"
    assert opened(folder, roles={"thing": "other"}).track("thing").role == "other"
    session = folder / "session.toml"
    session.write_text('[[tracks]]\nfile = "Thing.wav"\nrole = "other"\n')
    assert opened(session).track("Thing").role == "other"


def test_muted_tracks_do_not_set_the_length(tmp_path, parts):
    folder = put(tmp_path / "x", **parts, Click=ticks(9.0), Gtr=noise(4, 3.0))
    session = opened(folder)
    assert session.frames == 3 * RATE
    assert any("Click.wav: muted, so that the mix ends" in note for note in session.notes)
    assert opened(folder, mutes={"click": False}).frames == 9 * RATE


def test_stereo_files_named_left_and_right_are_two_tracks(tmp_path, parts):
    both = {"Gtr__L": np.stack([noise(4), noise(5)]), "Gtr__R": np.stack([noise(6), noise(7)])}
    session = opened(put(tmp_path / "x", **parts, **both))
    assert {"gtr l", "gtr r"} <= set(names(session))
    assert any("two tracks" in note for note in session.notes)


def test_one_stereo_side_is_enough_for_two_tracks(tmp_path):
    folder = put(tmp_path / "x", OH__L=noise(4), OH__R=np.stack([noise(6), noise(7)]))
    assert names(opened(folder)) == ["oh l", "oh r"]


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("rest", [0.0, 1e-6])
def test_a_stereo_file_with_a_silent_side_is_mono(tmp_path, side, rest):
    both = np.full((2, 2 * RATE), rest)
    both[side] = noise(4)
    session = opened(put(tmp_path / "x", Lead__Vox=both, Kick=noise(1)))
    track = session.track("lead vox")
    assert track.source.channels == 1
    np.testing.assert_allclose(samples(track)[0], both[side], atol=1e-6)
    silent = ("right", "left")[side]
    assert any(f"its {silent} channel is silent" in note for note in session.notes)


def test_sides_that_were_written_as_stereo_files_keep_their_places(tmp_path):
    left, right = noise(4), noise(5)
    silence = 0 * left
    folder = put(tmp_path / "x", OH__L=np.stack([left, silence]), OH__R=np.stack([silence, right]))
    session = opened(folder)
    assert [track.source.channels for track in session.tracks] == [2, 2]


@pytest.mark.parametrize(
    ("one", "other", "channels"),
    [
        ("Gtr__1", "Gtr__Double", 2),
        ("BGV__Hi", "BGV__Lo", 2),
        ("Lead__Vox", "Lead__Vox__2", 1),
        ("Lead__Vox", "Gtr", 1),
        ("Audio__1", "Audio__2", 1),
    ],
)
def test_doubles_on_opposite_sides_keep_their_places(tmp_path, one, other, channels):
    sides = {one: np.stack([noise(4), 0 * noise(4)]), other: np.stack([0 * noise(5), noise(5)])}
    session = opened(put(tmp_path / "x", **sides))
    assert [track.source.channels for track in session.tracks] == [channels] * 2


def test_a_silent_stereo_file_stays_as_it_is(tmp_path):
    session = opened(put(tmp_path / "x", Pad=np.zeros((2, RATE)), Kick=noise(1)))
    assert session.track("pad").source.channels == 2


def test_folders_in_a_song_are_said(tmp_path, parts):
    folder = put(tmp_path / "x", **parts)
    put(folder / "takes", Vox=noise(4))
    assert any("takes: 1 audio file in this folder left out" in n for n in opened(folder).notes)


# Polyphonic files


NAMES = ["Kick", "Snare", "OH L", "OH R", "Bass DI", "Lead Vox", "Mix L", "Mix R"]


def test_the_channels_of_a_recorder_are_tracks(tmp_path):
    channels = tones(8)
    path = write_polyphonic(tmp_path / "x" / "live.wav", channels, xml=name_tracks(*NAMES))
    session = opened(path.parent)
    assert names(session) == ["bass di", "kick", "lead vox", "oh", "snare"]
    assert session.track("lead vox").role == "lead vocal"
    np.testing.assert_allclose(samples(session.track("bass di"))[0], channels[4], atol=1e-4)
    np.testing.assert_allclose(samples(session.track("oh")), channels[2:4], atol=1e-4)
    assert sum("taken for a mix" in note for note in session.notes) == 2
    assert any("8 channels are tracks" in note for note in session.notes)


def test_a_description_names_tracks_too(tmp_path):
    lines = "sSPEED=25\r\nsTRK1=Boom\r\nsTRK3=Lav Anna\r\nsTRK4=Lav Ben\r\nsTRK6=\r\n"
    path = write_polyphonic(tmp_path / "x" / "T01.wav", tones(4), description=lines)
    assert names(opened(path)) == ["boom", "lav anna", "lav ben", "t01 4"]


def test_many_channels(tmp_path):
    named = name_tracks(*(f"Input {n}" for n in range(1, 33)))
    path = write_polyphonic(tmp_path / "x" / "desk.wav", tones(32, 0.1), xml=named)
    assert len(opened(path).tracks) == 32


@pytest.mark.parametrize(
    ("count", "named"),
    [
        (2, ["L", "R"]),
        (2, ["Audio 1", "Audio 2"]),
        (2, ["Gtr L", "Gtr R"]),
        (2, ["MixL", "MixR"]),
        (2, ["Klavier Links", "Klavier Rechts"]),
        (2, ["A", "B"]),
        (4, ["Front Left", "Front Right", "Surround Left", "Surround Right"]),
        (6, ["L", "R", "C", "LFE", "Ls", "Rs"]),
        (4, ["W", "X", "Y", "Z"]),
        (4, ["only one"]),
    ],
)
def test_channels_of_one_sound_stay_one_track(tmp_path, count, named):
    path = write_polyphonic(tmp_path / "x" / "pad.wav", tones(count), xml=name_tracks(*named))
    assert names(opened(path)) == ["pad"]


def test_a_stereo_file_of_two_microphones_is_two_tracks(tmp_path):
    xml = name_tracks("Boom", "Lav Anna")
    path = write_polyphonic(tmp_path / "x" / "T02.wav", tones(2), xml=xml)
    assert names(opened(path)) == ["boom", "lav anna"]


@pytest.mark.parametrize("mask", [None, 0x33])
def test_channels_without_names_are_asked_for_unless_they_are_speakers(tmp_path, mask):
    path = write_polyphonic(tmp_path / "x" / "rec.wav", tones(4), mask=mask)
    try:
        notes = opened(path).notes
    except InputError as error:  # which says it as well
        notes = [str(error)]
    assert any("`channel = 1`" in note for note in notes) == (mask is None)


def test_eight_channels_without_names_are_refused_with_the_remedy(tmp_path):
    path = write_polyphonic(tmp_path / "x" / "rec.wav", tones(8))
    with pytest.raises(InputError, match=r"8 channels.*`channel = 1`"):
        opened(path)
    session = tmp_path / "x" / "session.toml"
    session.write_text(
        '[[tracks]]\nfile = "rec.wav"\nname = "boom"\nchannel = 2\n'
        '[[tracks]]\nfile = "rec.wav"\nname = "oh"\nchannel = 3\nright_channel = 8\n'
    )
    found = opened(session)
    assert {t.name: t.source.channels for t in found.tracks} == {"boom": 1, "oh": 2}
    np.testing.assert_allclose(samples(found.track("boom"))[0], tones(8)[1], atol=1e-4)
    for wrong, message in (("0", "from 1 to 64"), ("'2'", "from 1 to 64"), ("9", "no channel 9")):
        session.write_text(f'[[tracks]]\nfile = "rec.wav"\nchannel = {wrong}\n')
        with pytest.raises(InputError, match=message):
            opened(session)


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"no xml",
        b"<BWFXML>",
        b"\xff\xfe<\0",
        b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>',
        b"<?xml version='1.0' encoding='none'?><x/>",
        b"<a>" * 100_000,
    ],
)
def test_a_chunk_that_says_nothing_does_no_harm(tmp_path, xml):
    path = write_polyphonic(tmp_path / "x" / "pad.wav", tones(2), xml=xml)
    assert names(opened(path)) == ["pad"]
