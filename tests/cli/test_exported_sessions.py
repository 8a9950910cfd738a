"""What the commands make of sessions as they are exported, and of spikes."""

import json

import numpy as np
import pytest
import soundfile

from automix.plan.model import MixPlan
from tests.cli.short_song import RATE, drums, voice
from tests.session.recorders import name_tracks, tones, write_polyphonic

FRAMES = len(voice())


def hum(hz, height=0.1):
    return height * np.sin(2 * np.pi * hz * np.arange(FRAMES) / RATE)


def put(folder, subtype="PCM_24", **tracks):
    folder.mkdir(parents=True, exist_ok=True)
    for name, samples in tracks.items():
        path = folder / f"{name.replace('__', ' ')}.wav"
        soundfile.write(path, np.asarray(samples).T, RATE, subtype=subtype)
    return folder


@pytest.fixture
def parts():
    return {"Drums": drums()[:, 0], "Bass": hum(55), "Lead__Vox": voice()}


def mixed(cli, *arguments):
    done = cli(*arguments, "--json", "-f")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def strips(document):
    return {track["name"]: track for track in document["plan"]["tracks"]}


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["basic", "full"])
def test_a_click_is_muted_and_changes_nothing_of_the_mix(cli, tmp_path, parts, mode):
    put(tmp_path / "song", **parts)
    without, _ = mixed(cli, "stems", "song", "--mode", mode, "-o", "without.wav")
    click = np.zeros(2 * FRAMES)
    click[:: RATE // 2] = 0.9
    put(tmp_path / "song", Click=click)
    document, said = mixed(cli, "stems", "song", "--mode", mode, "-o", "mix.wav")
    assert (tmp_path / "mix.wav").read_bytes() == (tmp_path / "without.wav").read_bytes()
    assert "click" in said
    assert strips(document)["click"]["mute"]
    assert strips(document)["click"]["input_gain_db"] == 0.0
    assert document["loudness"] == without["loudness"]
    again, _ = mixed(cli, "render", "mix.toml", "-o", "again.wav")
    assert (tmp_path / "again.wav").read_bytes() == (tmp_path / "mix.wav").read_bytes()
    heard, _ = mixed(cli, "stems", "song", "--set", "click.mute=false", "-o", "heard.wav")
    assert heard["duration_s"] == 2 * FRAMES / RATE
    assert strips(heard)["click"]["fader_db"] == 0.0  # never raised
    given, _ = mixed(cli, "stems", "song", "--role", "click=other", "-o", "given.wav")
    assert (strips(given)["click"]["role"], strips(given)["click"]["mute"]) == ("other", True)
    explained = cli("explain", "mix.toml")
    assert explained.exit_code == 0, explained.stderr


@pytest.mark.parametrize("method", ["rules", "equal-loudness", "random", "mono"])
def test_no_method_hears_what_is_muted(cli, tmp_path, parts, method):
    put(tmp_path / "song", **parts, Metronome=0.9 * drums()[:, 1])
    document, _ = mixed(cli, "stems", "song", "--method", method, "-o", "mix.wav")
    strip = strips(document)["metronome"]
    assert (strip["mute"], strip["input_gain_db"], strip["fader_db"]) == (True, 0.0, 0.0)


def test_a_song_of_nothing_but_clicks_is_refused(cli, tmp_path):
    put(tmp_path / "song", Click=hum(1000), Talkback=voice())
    done = cli("stems", "song", "-o", "mix.wav")
    assert done.exit_code == 3
    assert "no track is left to mix: click, talkback" in done.stderr


@pytest.mark.parametrize("name", ["mixture", "Song__-__Mixdown", "Stereo__Out", "Master", "Bounce"])
def test_the_mix_of_a_session_is_no_track(cli, tmp_path, parts, name):
    put(tmp_path / "song", **parts, **{name: np.stack([0.5 * sum(parts.values())] * 2)})
    document, said = mixed(cli, "stems", "song", "-o", "mix.wav", "--no-plan")
    assert sorted(strips(document)) == ["bass", "drums", "lead vox"]
    assert "taken for a mix of the song, left out" in said


def test_the_sum_of_the_others_is_no_track_under_any_name(cli, tmp_path, parts):
    put(tmp_path / "song", **parts, Zebra=np.stack([0.5 * sum(parts.values())] * 2))
    document, said = mixed(cli, "stems", "song", "-o", "mix.wav")
    assert [name for name, strip in strips(document).items() if strip["mute"]] == ["zebra"]
    assert "zebra: is the sum of" in said


def test_tracks_may_be_called_like_buses_and_the_master(cli, tmp_path, parts):
    names = ["Reverb", "Room", "Delay", "Drum__Compression", "Mix", "Master", "Reverb__Bus"]
    tracks = {name: hum(330 + 20 * number) for number, name in enumerate(names)}
    put(tmp_path / "song", **parts, Snare=drums()[:, 1], **tracks)
    given = [f"--role={name.replace('__', ' ').lower()}=synth" for name in names]
    document, _ = mixed(cli, "stems", "song", "--mode", "full", *given, "-o", "mix.wav")
    assert [strip["role"] for strip in strips(document).values()].count("synth") == len(names)
    again, _ = mixed(cli, "render", "mix.toml", "-o", "again.wav")
    assert (tmp_path / "again.wav").read_bytes() == (tmp_path / "mix.wav").read_bytes()


def test_stereo_files_named_left_and_right_are_mixed(cli, tmp_path, parts):
    for name, hz in (("Gtr__L", 196), ("Gtr__R", 247)):
        put(tmp_path / "song", **{name: np.stack([hum(hz)] * 2)})
    put(tmp_path / "song", **parts)
    document, said = mixed(cli, "stems", "song", "-o", "mix.wav")
    assert {"gtr l", "gtr r"} <= set(strips(document))
    assert "two tracks" in said


@pytest.mark.parametrize("side", [0, 1])
def test_a_vocal_on_one_side_stands_in_the_center(cli, tmp_path, side):
    both = np.zeros((2, FRAMES))
    both[side] = voice()
    put(tmp_path, v=both, b=drums().T)
    _, said = mixed(cli, "vocal", "v.wav", "b.wav", "-o", "mix.wav", "--export-stems", "out")
    assert f"its {('right', 'left')[side]} channel is silent" in said
    stem, _ = soundfile.read(tmp_path / "out" / "vocal.wav")
    left, right = np.sqrt((stem**2).mean(axis=0))
    assert left == pytest.approx(right, rel=0.2)  # the reverb is not quite the same
    mixed(cli, "render", "mix.toml", "-o", "again.wav")
    assert (tmp_path / "again.wav").read_bytes() == (tmp_path / "mix.wav").read_bytes()


@pytest.mark.parametrize(
    "options", [(), ("--mode", "full"), ("--method", "equal-loudness"), ("--method", "mono")]
)
def test_dual_mono_is_as_loud_as_mono_and_in_the_center(cli, tmp_path, parts, options):
    put(tmp_path / "one", **parts)
    put(tmp_path / "two", **{name: np.stack([samples] * 2) for name, samples in parts.items()})
    levels = []
    for song in ("one", "two"):
        document, _ = mixed(cli, "stems", song, *options, "-o", f"{song}.wav")
        levels.append(document["levels_lufs"])
        assert strips(document)["lead vox"]["pan"] == 0.5
    assert levels[0] == pytest.approx(levels[1], abs=0.05)
    one, two = (soundfile.read(tmp_path / f"{song}.wav")[0] for song in ("one", "two"))
    np.testing.assert_allclose(one, two, atol=1e-2)  # compressors act a little otherwise


def test_a_recorder_file_is_mixed_as_its_tracks(cli, tmp_path):
    xml = name_tracks("Kick", "Lead Vox", "OH L", "OH R", "Mix L", "Mix R")
    write_polyphonic(tmp_path / "song" / "live.wav", tones(6, 3.0), xml=xml)
    document, said = mixed(cli, "stems", "song", "-o", "mix.wav", "--export-stems", "out")
    assert sorted(strips(document)) == ["kick", "lead vox", "oh"]
    assert "6 channels are tracks" in said
    mixed(cli, "render", "mix.toml", "-o", "again.wav")
    assert (tmp_path / "again.wav").read_bytes() == (tmp_path / "mix.wav").read_bytes()
    kept = cli("stems", "song", "-o", "mix.wav", "-f", "--skip-existing", "--export-stems", "out")
    assert "kept" in kept.stderr
    refused = cli("render", "mix.toml", "--set", "oh.channel=1", "-o", "again.wav", "-f")
    assert refused.exit_code == 2
    assert (tmp_path / "out" / "oh.wav").is_file()


def test_large_sessions_that_are_read_again_make_the_same_mix(cli, tmp_path, parts, monkeypatch):
    xml = name_tracks("Kick", "Lead Vox", "OH L", "OH R")
    write_polyphonic(tmp_path / "song" / "live.wav", tones(4, 3.0), xml=xml)
    put(tmp_path / "song", Keys=np.stack([hum(200), 0 * hum(1)]), Click=np.tile(parts["Bass"], 2))
    put(tmp_path / "song", Audio__9=np.stack([0.5 * (hum(200) + parts["Drums"])] * 2))
    mixed(cli, "stems", "song", "-o", "mix.wav")
    monkeypatch.setattr("automix.session.tracks.IN_MEMORY_BYTES", 0)
    mixed(cli, "stems", "song", "-o", "again.wav")
    assert (tmp_path / "again.wav").read_bytes() == (tmp_path / "mix.wav").read_bytes()


def test_muted_tracks_do_not_set_the_length(cli, tmp_path, parts):
    put(tmp_path / "song", **parts, Pad=np.tile(hum(300), 3))
    document, _ = mixed(cli, "stems", "song", "-o", "mix.wav", "--set", "pad.mute=true")
    assert document["duration_s"] == pytest.approx(FRAMES / RATE)
    again, _ = mixed(cli, "render", "mix.toml", "-o", "again.wav")
    assert (tmp_path / "again.wav").read_bytes() == (tmp_path / "mix.wav").read_bytes()
    plan = MixPlan.load(tmp_path / "mix.toml").with_strip("pad", mute=False)
    plan.save(tmp_path / "heard.toml")
    heard, _ = mixed(cli, "render", "heard.toml", "-o", "heard.wav")
    assert heard["duration_s"] == pytest.approx(3 * FRAMES / RATE)


def test_loose_files_and_inner_folders_of_a_batch_are_said(cli, tmp_path, parts):
    put(tmp_path / "album" / "one", **parts)
    put(tmp_path / "album" / "two", **parts)
    put(tmp_path / "album" / "two" / "takes", Vox=voice())
    put(tmp_path / "album", Bonus=voice())
    done = cli("batch", "album", "-o", "mixes", "--dry-run")
    assert done.exit_code == 0, done.stderr
    assert [line.split()[1] for line in done.stdout.splitlines()] == ["album/one", "album/two"]
    assert "album/Bonus.wav: lies beside folders of songs, left out" in done.stderr
    assert "album/two/takes: lies in the folder of a song" in done.stderr


# One sample that sets the level


def spiked(samples, height, *places):
    result = np.array(samples, dtype=np.float64)
    for place in places or (4410,):
        result[place] = height
    return result


@pytest.mark.parametrize("height", [17579.0, -1e6, 1e30])
def test_a_sample_that_is_no_sound_is_refused_with_its_time(cli, tmp_path, height):
    put(tmp_path, "FLOAT", v=voice(), b=spiked(drums(), height).T)
    done = cli("vocal", "v.wav", "b.wav", "-o", "mix.wav")
    assert done.exit_code == 3
    assert "b.wav: a sample reaches +" in done.stderr
    assert "at 0.200 s" in done.stderr
    assert not (tmp_path / "mix.wav").exists()
    document, said = mixed(cli, "vocal", "v.wav", "b.wav", "-o", "mix.wav", "--repair")
    assert "2 sample(s) beyond +60 dBFS set to zero" in said
    assert document["loudness"]["integrated_lufs"] > -25.0


def test_a_float_file_at_the_scale_of_integers_is_refused_as_that(cli, tmp_path):
    put(tmp_path, "FLOAT", v=32768 * voice(), b=drums().T)
    done = cli("vocal", "v.wav", "b.wav", "-o", "mix.wav")
    assert done.exit_code == 3
    assert "full scale at ±1" in done.stderr


@pytest.mark.parametrize(
    ("where", "places", "options"),
    [
        ("v", (4410,), ()),
        ("b", tuple(range(4410, 100000, 2500)), ("--loudness", "-14")),
        ("v", (4410,), ("--method", "sum")),
    ],
)
def test_a_spike_is_said_with_its_time_and_does_not_break_the_peak(
    cli, tmp_path, where, places, options
):
    tracks = {"v": voice(), "b": drums()}
    tracks[where] = spiked(tracks[where], 100.0, *places)
    put(tmp_path, "FLOAT", **{name: samples.T for name, samples in tracks.items()})
    done, said = mixed(cli, "vocal", "v.wav", "b.wav", "-o", "mix.wav", *options)
    name = {"v": "vocal", "b": "beat"}[where]
    assert f"{name}: a spike of +40.0 dBFS" in said
    assert done["loudness"]["true_peak_dbtp"] <= -1.0
    assert done["clipped_samples"] == 0


def test_a_spike_in_a_stem_is_said(cli, tmp_path, parts):
    put(tmp_path / "song", "FLOAT", **{**parts, "Bass": spiked(parts["Bass"], 30.0)})
    document, said = mixed(cli, "stems", "song", "-o", "mix.wav")
    assert "bass: a spike of +29.5 dBFS at 0.200 s" in said
    assert document["loudness"]["true_peak_dbtp"] <= -1.0


def test_a_true_peak_above_what_was_asked_is_never_silent(cli, tmp_path):
    put(tmp_path, v=voice(), b=drums().T)
    options = ("--set", "master.gain_db=20", "--true-peak", "-3")
    document, said = mixed(cli, "vocal", "v.wav", "b.wav", "-o", "mix.wav", *options)
    assert document["loudness"]["true_peak_dbtp"] > -3.0
    assert "above the -3 dBTP that it was to stay below" in said
