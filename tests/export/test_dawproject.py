"""DAWproject archives: valid, complete, near to the mix, and the same bytes every time."""

import copy
import os
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest
import soundfile

from automix.audio.blocks import collect
from automix.consoles.exact import ExactConsole, apply_master
from automix.errors import InputError, OutputError, PlanError, UsageError
from automix.export.dawproject import ExportedProject, export_dawproject, tempo_of
from automix.export.ends import ExportSource, ExportTarget
from automix.plan.decision import Decision
from automix.plan.model import MixPlan
from automix.plan.settings import (
    Bus,
    ChannelStrip,
    CompressorSettings,
    DeEsserSettings,
    Master,
    Send,
    SpaceSettings,
)
from automix.session.tracks import open_plan_session
from tests.export.conftest import COMPRESSOR, EQUALIZER, FRAMES, RATE, guard, write
from tests.export.reader import opened, project
from tests.export.structure import faults

XSD = os.environ.get("AUTOMIX_DAWPROJECT_XSD")


def export(
    plan: MixPlan, folder: Path, name: str = "song.dawproject", **options
) -> ExportedProject:
    output = folder / "out" / name
    target = ExportTarget(path=output, guard=guard, overwrite=options.pop("overwrite", False))
    return export_dawproject(
        ExportSource(plan=plan, folder=folder), target, title="Song", **options
    )


def rendered(console: ExactConsole, plan: MixPlan) -> np.ndarray:
    return collect(apply_master(console.premaster(plan), plan.master)).samples


def mix_of(plan: MixPlan, folder: Path) -> np.ndarray:
    return rendered(ExactConsole(open_plan_session(plan, folder)), plan)


def project_mix_of(path: Path) -> np.ndarray:
    found = opened(path)
    return rendered(ExactConsole(found.session), found.plan)


def difference_db(first: np.ndarray, second: np.ndarray) -> float:
    """RMS of the difference relative to the first, over the longer of the two."""
    frames = max(first.shape[1], second.shape[1])
    first, second = (np.pad(x, ((0, 0), (0, frames - x.shape[1]))) for x in (first, second))
    return 10 * np.log10(np.mean((first - second) ** 2) / np.mean(first**2) + 1e-30)


def test_the_project_keeps_to_the_format(song) -> None:
    plan, folder = song
    assert faults(project(export(plan, folder).path)) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda root: root.find(".//Channel").insert(0, root.find(".//Channel/Volume")),
        lambda root: root.find(".//Volume").attrib.pop("unit"),
        lambda root: root.find(".//Volume").set("value", "loud"),
        lambda root: root.find(".//Pan").set("volume", "1"),
        lambda root: root.find(".//Send").set("destination", "nowhere"),
        lambda root: root.find(".//Track").set("id", root.find(".//Channel").get("id")),
        lambda root: root.find(".//Band").set("type", "peak"),
        lambda root: root.append(ElementTree.Element("Mixer")),
    ],
)
def test_the_check_finds_faults(song, spoil) -> None:
    root = copy.deepcopy(project(export(*song).path))
    spoil(root)
    assert faults(root)


@pytest.mark.skipif(XSD is None, reason="AUTOMIX_DAWPROJECT_XSD names no folder with the schemas")
@pytest.mark.parametrize("document", ["Project", "MetaData"])
def test_the_published_schema_accepts_it(song, document: str) -> None:
    xmlschema = pytest.importorskip("xmlschema")
    schema = xmlschema.XMLSchema(str(Path(str(XSD), f"{document}.xsd")))
    with ZipFile(export(*song).path) as archive:
        text = archive.read(f"{document.lower()}.xml").decode()
    schema.validate(text)
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        schema.validate(text.replace("Title>", "Titel>").replace('unit="bpm"', ""))


def test_volume_pan_mute_and_sends_read_back(song) -> None:
    plan, folder = song
    exported = export(plan, folder, max_fader_db=60.0)
    found = opened(exported.path)
    for strip in plan.tracks:
        read = found.plan.strip(strip.name)
        assert read.fader_db == pytest.approx(strip.fader_db, abs=1e-12)
        assert (read.pan, read.mute) == (strip.pan, strip.mute)
        wanted = {send.bus: pytest.approx(send.gain_db, abs=1e-12) for send in strip.sends}
        assert found.sends[strip.name] == wanted
    assert [strip.name for strip in found.plan.tracks][: len(plan.tracks)] == [
        strip.name for strip in plan.tracks
    ]


def test_devices_read_back(song) -> None:
    plan, folder = song
    read = opened(export(plan, folder, dry=True, max_fader_db=60.0).path).plan
    for name in ("vocal", "kick", "guitar"):
        for band, wanted in zip(
            read.strip(name).equalizer.bands, plan.strip(name).equalizer.bands, strict=True
        ):
            assert band == wanted
    kick = next(strip for strip in read.tracks if strip.name == "kick")
    compressor = kick.compressor
    assert kick.order == "cer"
    assert compressor.threshold_db == COMPRESSOR.threshold_db
    assert compressor.ratio == pytest.approx(COMPRESSOR.ratio)
    assert compressor.attack_ms == pytest.approx(COMPRESSOR.attack_ms)
    assert compressor.release_ms == pytest.approx(COMPRESSOR.release_ms)
    assert compressor.makeup_db == COMPRESSOR.makeup_db
    assert read.master.gain_db == plan.master.gain_db
    assert read.master.limiter == plan.master.limiter
    assert read.master.equalizer == plan.master.equalizer


def test_the_project_sounds_like_the_mix(song) -> None:
    """With automix's own devices and pan law, what the archive plays is the mix."""
    plan, folder = song
    path = export(plan, folder).path
    assert difference_db(mix_of(plan, folder), project_mix_of(path)) < -110.0


@pytest.mark.parametrize("max_fader_db", [0.0, 6.0, 60.0])
def test_where_faders_end_does_not_change_the_sound(song, max_fader_db: float) -> None:
    plan, folder = song
    exported = export(plan, folder, max_fader_db=max_fader_db)
    assert difference_db(mix_of(plan, folder), project_mix_of(exported.path)) < -110.0
    kick = next(track for track in exported.tracks if track.name == "kick")
    assert kick.volume_db == min(13.5, max_fader_db)
    assert kick.volume_db + kick.audio_gain_db == 13.5
    read = {strip.name: strip for strip in opened(exported.path).plan.tracks}
    assert read["kick"].fader_db == pytest.approx(kick.volume_db)


@pytest.mark.parametrize("order", ["ecr", "erc", "cer", "cre", "rec", "rce"])
@pytest.mark.parametrize("processors", ["e", "c", "ec", "ed", "ecd", "ecs", "ecds"])
def test_any_chain_sounds_the_same(tmp_path: Path, order: str, processors: str) -> None:
    strip = ChannelStrip(
        name="x",
        file=write(tmp_path / "x.wav", 3),
        order=order,
        fader_db=8.0,
        input_gain_db=-3.0,
        equalizer=EQUALIZER if "e" in processors else ChannelStrip().equalizer,
        compressor=COMPRESSOR if "c" in processors else CompressorSettings(),
        de_esser=DeEsserSettings(max_reduction_db=9.0 if "d" in processors else 0.0),
        space=SpaceSettings(wet=0.4 if "s" in processors else 0.0),
    )
    plan = MixPlan(sample_rate_hz=RATE, tracks=(strip,))
    exported = export(plan, tmp_path)
    assert difference_db(mix_of(plan, tmp_path), project_mix_of(exported.path)) < -110.0
    (track,) = exported.tracks
    printed = {"equalizer", "compressor", "de-esser", "space"} & set(track.printed)
    assert len(printed) + len(track.devices) == len(processors)
    if set(processors) <= set("ec"):
        assert printed == set()


@pytest.mark.parametrize("delay_ms", [0.0, 4.0, -1.37])
def test_a_clip_lies_where_its_file_begins_and_a_delay_is_in_its_audio(
    tmp_path: Path, delay_ms: float
) -> None:
    tracks = (
        ChannelStrip(name="a", file=write(tmp_path / "a.wav", 1)),
        ChannelStrip(
            name="b",
            file=write(tmp_path / "b.wav", 2, channels=2),
            start_s=0.75,
            delay_ms=delay_ms,
            compressor=COMPRESSOR,
        ),
    )
    plan = MixPlan(sample_rate_hz=RATE, tracks=tracks)
    exported = export(plan, tmp_path)
    assert difference_db(mix_of(plan, tmp_path), project_mix_of(exported.path)) < -110.0
    first, second = (float(clip.attrib["time"]) for clip in project(exported.path).iter("Clip"))
    assert first == 0.0
    assert 0.74 <= second <= 0.75
    assert second == 0.75 or delay_ms < 0.0
    printed = exported.tracks[1].printed
    assert printed == ((f"delay {delay_ms:+.3f} ms",) if delay_ms else ())
    assert exported.tracks[1].bits == ("24" if not delay_ms else "32f")
    assert exported.left_out == ()


def test_a_muted_track_may_begin_after_the_end_of_the_mix(tmp_path: Path) -> None:
    late = ChannelStrip(name="b", file=write(tmp_path / "b.wav", 2), start_s=600.0, mute=True)
    tracks = (ChannelStrip(name="a", file=write(tmp_path / "a.wav", 1)), late)
    plan = MixPlan(sample_rate_hz=RATE, tracks=tracks)
    exported = export(plan, tmp_path)
    assert difference_db(mix_of(plan, tmp_path), project_mix_of(exported.path)) < -110.0


def test_dry_clips_hold_the_recordings(song) -> None:
    plan, folder = song
    exported = export(plan, folder, dry=True)
    found = opened(exported.path)
    for name in ("guitar", "pad", "keys"):
        recorded, _ = soundfile.read(folder / f"{name}.wav", dtype="float32", always_2d=True)
        np.testing.assert_array_equal(found.session.track(name).source.samples, recorded.T)
    assert set(found.effects) == {"room", "hall", "idle"}
    assert {strip.name for strip in found.plan.tracks} == {strip.name for strip in plan.tracks}
    assert exported.left_out[:2] == ("vocal: de-esser", "pad: space")
    assert [text.split(":")[0] for text in exported.left_out[2:]] == ["room", "hall", "idle"]
    assert export(plan, folder, "wet.dawproject").left_out == ()


def test_recordings_that_stay_as_they_are_keep_their_depth(song) -> None:
    plan, folder = song
    with ZipFile(export(plan, folder).path) as archive:
        depths = {
            name: soundfile.info(archive.open(name)).subtype
            for name in archive.namelist()
            if name.startswith("audio/")
        }
    assert depths["audio/05 keys.wav"] == depths["audio/03 guitar.wav"] == "PCM_24"
    assert depths["audio/01 vocal.wav"] == depths["audio/07 room return.wav"] == "FLOAT"


def test_resampled_recordings_are_floats(song) -> None:
    plan, folder = song
    write(folder / "keys.wav", 4, rate=2 * RATE, frames=2 * FRAMES)
    exported = export(plan, folder)
    assert {track.name: track.bits for track in exported.tracks}["keys"] == "32f"
    keys = opened(exported.path).session.track("keys").source
    assert (keys.sample_rate, exported.sample_rate_hz) == (RATE, RATE)


def test_channels_for_reverbs_are_muted_and_returns_play(song) -> None:
    exported = export(*song)
    found = opened(exported.path)
    assert exported.returns == {"room": "room return", "hall": "hall return"}
    assert set(found.effects) == {"room", "hall", "idle"}
    assert all(effect.find("Mute").get("value") == "true" for effect in found.effects.values())
    assert {strip.name: strip.mute for strip in found.plan.tracks}["room return"] is False


def test_everything_leads_to_the_master(song) -> None:
    channels = list(project(export(*song).path).iter("Channel"))
    (master,) = (channel for channel in channels if channel.get("role") == "master")
    assert master.get("destination") is None
    assert {channel.get("destination") for channel in channels if channel is not master} == {
        master.get("id")
    }


def test_muted_tracks_are_there_and_send_nothing(song) -> None:
    plan, folder = song
    muted = tuple(replace(strip, mute=True) for strip in plan.tracks)
    exported = export(replace(plan, tracks=muted), folder)
    assert exported.returns == {}
    assert all(strip.mute for strip in opened(exported.path).plan.tracks)


def test_the_tempo_is_that_of_the_decisions(song) -> None:
    plan, folder = song
    exported = export(plan, folder)
    assert exported.tempo_bpm == opened(exported.path).tempo_bpm == 93.5
    unknown = export(replace(plan, decisions=()), folder, "unknown.dawproject")
    assert unknown.tempo_bpm is None
    assert project(unknown.path).find("Transport") is None
    for absurd in (0.0, -5.0, 1e9):
        decision = Decision(
            setting="x", value=1, rule="r", reason="", figures=(("tempo_bpm", absurd),)
        )
        assert tempo_of(replace(plan, decisions=(decision,))) is None


def test_master_gain_without_a_limiter_is_its_volume(song) -> None:
    plan, folder = song
    exported = export(replace(plan, master=Master(gain_db=-4.2)), folder)
    master = opened(exported.path).plan.master
    assert master.gain_db == pytest.approx(-4.2)
    assert replace(master, gain_db=0.0) == Master()


def test_the_same_plan_gives_the_same_bytes(song) -> None:
    plan, folder = song
    first, second = (export(plan, folder, f"{name}.dawproject").path for name in "ab")
    assert first.read_bytes() == second.read_bytes()
    with ZipFile(first) as archive:
        assert archive.testzip() is None
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {info.compress_type for info in archive.infolist()} == {ZIP_DEFLATED}
        assert archive.namelist()[:2] == ["project.xml", "metadata.xml"]


HOSTILE = (
    "a<b>&\"c'd",
    "]]><!--",
    "🎹 日本語 Ünïcödé",
    "  blanks  ",
    "tab\tnew\nline\rreturn",
    "bell\x07escape\x1bdelete\x7f",
    "not a character \ufffe\uffff",
    "../../up",
    "C:\\*?|",
    "CON",
    "nul.wav",
    "dots...",
    "kick",
    "Kick",
    "kick.",
    "x" * 400,
    "é" * 200,
)


def test_forty_tracks_with_hostile_names(tmp_path: Path) -> None:
    names = [*HOSTILE, *(f"track {number}" for number in range(40 - len(HOSTILE)))]
    files = [write(tmp_path / f"{n % 4}.wav", n, frames=400) for n in range(4)]
    levels = np.random.default_rng(5).uniform(0.0, 1.0, (40, 2))
    plan = MixPlan(
        sample_rate_hz=RATE,
        tracks=tuple(
            ChannelStrip(
                name=name,
                file=files[n % 4],
                fader_db=60 * level - 54,
                pan=pan,
                sends=(Send(bus="<&>", gain_db=-level),),
            )
            for n, (name, (level, pan)) in enumerate(zip(names, levels, strict=True))
        ),
        buses=(Bus(name="<&>", space=SpaceSettings(decay=0.1, wet=1.0)),),
    )
    exported = export(plan, tmp_path)
    root = project(exported.path)
    assert faults(root) == []
    found = opened(exported.path)
    shown = [strip.name for strip in found.plan.tracks]
    assert shown[:5] == list(HOSTILE[:5])
    assert shown[5] == "bell␇escape␛delete\x7f"
    assert shown[6] == "not a character \ufffd\ufffd"
    assert shown[7:40] == names[7:]
    for strip, read in zip(plan.tracks, found.plan.tracks, strict=False):
        assert read.fader_db == pytest.approx(strip.fader_db, abs=1e-12)
        assert read.pan == strip.pan
        assert list(found.sends[read.name].values()) == [pytest.approx(strip.sends[0].gain_db)]
    assert len({path.casefold() for path in found.files.values()}) == 41


def test_nothing_is_left_when_an_input_is_missing(song) -> None:
    plan, folder = song
    (folder / "keys.wav").unlink()
    with pytest.raises(PlanError, match=r"keys\.wav"):
        export(plan, folder)
    assert not (folder / "out").exists()


def test_nothing_is_left_when_an_input_breaks_off(song, monkeypatch) -> None:
    plan, folder = song

    def fail(*args: object) -> None:
        raise InputError("broken")

    monkeypatch.setattr("automix.export.archive._encode", fail)
    with pytest.raises(InputError, match="broken"):
        export(plan, folder)
    assert not (folder / "out").exists()


def test_it_does_not_write_over_files(song) -> None:
    plan, folder = song
    path = export(plan, folder).path
    before = path.read_bytes()
    with pytest.raises(OutputError, match="--force"):
        export(replace(plan, decisions=()), folder)
    assert path.read_bytes() == before
    assert export(replace(plan, decisions=()), folder, overwrite=True).tempo_bpm is None
    assert path.read_bytes() != before


def test_it_has_to_be_named_a_dawproject(song) -> None:
    with pytest.raises(UsageError, match=r"\.dawproject"):
        export(*song, "song.zip")
