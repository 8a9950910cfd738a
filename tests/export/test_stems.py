"""Rendered stems: of one length, in order, and their sum is the mix."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from automix.audio.blocks import collect
from automix.consoles.exact import ExactConsole, apply_master
from automix.errors import OutputError, PlanError
from automix.export.ends import ExportSource, ExportTarget
from automix.export.stems import export_stems
from automix.plan.model import MixPlan
from automix.plan.settings import ChannelStrip
from automix.session.tracks import open_plan_session
from tests.export.conftest import FRAMES, RATE, guard, with_rides, write


def export(plan: MixPlan, folder: Path, name: str = "stems", **options):
    source = ExportSource(plan=plan, folder=folder)
    return export_stems(source, ExportTarget(path=folder / name, guard=guard), **options)


def mix_of(plan: MixPlan, folder: Path) -> np.ndarray:
    premaster = ExactConsole(open_plan_session(plan, folder)).premaster(plan)
    return collect(apply_master(premaster, plan.master)).samples.T


@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize(("bits", "tolerance"), [("32f", 1e-6), ("24", 7 * 1.5 * 2.0**-23 + 1e-6)])
def test_they_sum_to_the_mix(song, separate: bool, bits: str, tolerance: float) -> None:
    plan, folder = song
    exported = export(plan, folder, separate_returns=separate, bits=bits)
    mix = mix_of(plan, folder)
    stems = [soundfile.read(stem.path)[0] for stem in exported.stems]
    assert {stem.shape for stem in stems} == {mix.shape}
    assert exported.frames == len(mix)
    assert np.abs(sum(stems) - mix).max() < tolerance
    assert all(np.abs(stem).max() > 1e-4 for stem in stems)
    assert {soundfile.info(stem.path).subtype for stem in exported.stems} == {
        "FLOAT" if bits == "32f" else "PCM_24"
    }


@pytest.mark.parametrize("separate", [False, True])
def test_rides_are_in_the_stems(song, separate: bool) -> None:
    plan, folder = with_rides(song[0]), song[1]
    stems = export(plan, folder, separate_returns=separate).stems
    found = {stem.name: soundfile.read(stem.path)[0] for stem in stems}
    assert np.abs(sum(found.values()) - mix_of(plan, folder)).max() < 1e-6
    assert np.abs(mix_of(plan, folder) - mix_of(song[0], folder)).max() > 0.01


def test_the_dither_of_stems_does_not_add_up(song) -> None:
    """Each stem is off by half a bit (RMS); equal dither would add up to two bits and a half."""
    plan, folder = song
    exact, dithered = (
        [
            soundfile.read(stem.path)[0][: FRAMES // 2]
            for stem in export(plan, folder, bits, bits=bits).stems
        ]
        for bits in ("32f", "16")
    )
    error = (sum(dithered) - sum(exact)) * 2.0**15
    assert np.sqrt(np.mean(error**2)) == pytest.approx(0.5 * np.sqrt(len(exact)), rel=0.1)


def test_returns_are_files_of_their_own_on_request(song) -> None:
    plan, folder = song
    names = [stem.path.name for stem in export(plan, folder, separate_returns=True).stems]
    assert names[-2:] == ["06 room return.wav", "07 hall return.wav"]
    dry, wet = (soundfile.read(folder / "stems" / names[n])[0] for n in (0, -2))
    assert names[0] == "01 guitar.wav"
    assert np.abs(dry[FRAMES:]).max() < 1e-9 < 1e-4 < np.abs(wet[FRAMES:]).max()
    shared = {stem.name: stem.path for stem in export(plan, folder, "shared").stems}
    assert np.abs(soundfile.read(shared["guitar"])[0][FRAMES:]).max() > 1e-4


def test_muted_tracks_have_no_stem(song) -> None:
    plan, folder = song
    exported = export(plan, folder)
    assert "spare" not in [stem.name for stem in exported.stems]
    assert "spare is muted: no stem" in exported.notes
    silent = tuple(replace(strip, mute=True) for strip in plan.tracks)
    with pytest.raises(PlanError, match="muted"):
        export(replace(plan, tracks=silent), folder, "none")
    assert not (folder / "none").exists()


def test_files_are_in_natural_order(tmp_path: Path) -> None:
    file = write(tmp_path / "x.wav", 1, frames=500)
    names = ("tom 10", "Tom 2", "kick", "tom 1")
    tracks = tuple(ChannelStrip(name=name, file=file) for name in names)
    plan = MixPlan(sample_rate_hz=RATE, tracks=tracks)
    written = [stem.path.name for stem in export(plan, tmp_path).stems]
    assert written == ["01 kick.wav", "02 tom 1.wav", "03 Tom 2.wav", "04 tom 10.wav"]
    assert sorted(path.name for path in (tmp_path / "stems").iterdir()) == written


def test_stems_that_clip_are_said_so(tmp_path: Path) -> None:
    strip = ChannelStrip(name="x", file=write(tmp_path / "x.wav", 1, frames=500), fader_db=40.0)
    plan = MixPlan(sample_rate_hz=RATE, tracks=(strip,))
    clipped = export(plan, tmp_path, bits="24")
    assert clipped.stems[0].clipped > 0
    assert any("clipped" in note for note in clipped.notes)
    assert export(plan, tmp_path, "floats").notes == ()


def test_all_or_nothing(song) -> None:
    plan, folder = song
    (folder / "stems").mkdir()
    (folder / "stems" / "03 kick.wav").write_text("mine")
    with pytest.raises(OutputError, match="--force"):
        export(plan, folder)
    assert [path.name for path in (folder / "stems").iterdir()] == ["03 kick.wav"]
    (folder / "file").write_text("")
    with pytest.raises(OutputError, match="folder"):
        export(plan, folder, "file")
