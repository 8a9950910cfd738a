"""Whole songs: reproducible, what their plans say, mixed by the conventions."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from automix.analysis.loudness import LoudnessMeter, integrated_lufs
from automix.datasets.plain import read_song
from automix.files.target import OutputTarget
from automix.mixing.mix import Mix
from automix.parallel.workers import use_workers
from automix.plan.model import MixPlan
from automix.session.roles.recognition import read_role
from automix.session.tracks import open_plan_session
from automix.synthesis import conventions
from automix.synthesis.engines import EngineChoice, choose_engine
from automix.synthesis.song import SyntheticSongRequest, compose_song, write_song

Songs = dict[Path, dict[str, Any]]
Mixes = dict[Path, Mix]


def plan_of(folder: Path) -> MixPlan:
    return MixPlan.from_toml((folder / "mix.toml").read_text())


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.slow
def test_the_same_seed_and_number_give_the_same_bytes(songs: Songs, tmp_path: Path) -> None:
    first = next(iter(songs))
    request = SyntheticSongRequest(seed=3, number=1, duration_s=8.0, choice=EngineChoice())
    use_workers(1)
    try:
        write_song(request, tmp_path)
    finally:
        use_workers(None)
    assert contents(tmp_path) == contents(first)


def test_another_seed_and_another_number_are_other_songs(songs: Songs) -> None:
    requests = [
        SyntheticSongRequest(seed=seed, number=number, duration_s=8.0, choice=EngineChoice())
        for seed, number in ((3, 1), (3, 2), (4, 1))
    ]
    assert len({request.fingerprint() for request in requests}) == 3
    assert len({tuple(about["tracks"]) for about in songs.values()}) >= 7


def test_files_are_mono_or_stereo_wav_of_24_bit_and_one_length(songs: Songs) -> None:
    for folder, about in songs.items():
        names = {path.stem for path in folder.glob("*.wav")}
        assert names == {*about["tracks"], "mix"}
        for name in about["tracks"]:
            info = soundfile.info(folder / f"{name}.wav")
            assert (info.format, info.subtype, info.samplerate) == ("WAV", "PCM_24", 44100)
            assert info.frames == 352800
            assert info.channels in (1, 2)
        assert soundfile.info(folder / "mix.wav").frames >= 352800


def test_no_track_is_silent_or_clipped(songs: Songs) -> None:
    for folder, about in songs.items():
        for name in about["tracks"]:
            samples, _ = soundfile.read(folder / f"{name}.wav", always_2d=True)
            peak = np.abs(samples).max()
            assert 1e-3 < peak <= 10 ** (-0.9 / 20), (folder, name)
            assert np.abs(samples.mean(axis=0)).max() < 1e-4  # no offset
            assert np.abs(samples[-20:]).max() < 1e-3


def test_the_raw_levels_are_far_apart(songs: Songs) -> None:
    levels = []
    for folder, about in songs.items():
        for name in about["tracks"]:
            samples, rate = soundfile.read(folder / f"{name}.wav", dtype="float32", always_2d=True)
            meter = LoudnessMeter(rate, samples.shape[1])
            meter.add(np.ascontiguousarray(samples.T))
            levels.append(integrated_lufs(meter.energies))
    # An even spread over ±12 dB has a standard deviation of 6.9 dB; the ceiling takes some away.
    assert 5.0 < np.std(levels) < 7.5


@pytest.mark.slow
def test_the_mix_is_the_rendered_plan(mixes: Mixes, tmp_path: Path) -> None:
    for folder, mix in mixes.items():
        with OutputTarget.reserve(tmp_path / f"{folder.name}.wav") as target:
            target.write_audio(mix.audio, bits=mix.plan.bits)
        assert target.path.read_bytes() == (folder / "mix.wav").read_bytes()


def test_a_song_can_be_moved(songs: Songs, tmp_path: Path) -> None:
    folder = shutil.copytree(next(iter(songs)), tmp_path / "elsewhere")
    plan = plan_of(folder)
    assert len(open_plan_session(plan, folder).tracks) == len(plan.tracks)
    assert all("/" not in strip.file for strip in plan.tracks)


def test_data_sets_take_the_mix_for_the_human_one(songs: Songs) -> None:
    for folder, about in songs.items():
        found = read_song(folder)
        assert found.human == folder / "mix.wav"
        files = {path.stem for stem in found.stems for path in stem.paths}
        assert files == set(about["tracks"])


def test_the_roles_of_the_plan_are_those_that_the_names_tell(songs: Songs) -> None:
    for folder, about in songs.items():
        for strip in plan_of(folder).tracks:
            said = read_role(strip.name, list(about["tracks"]))
            assert said is not None
            assert strip.role == said.role


def test_lows_and_leads_stand_in_the_middle_and_the_rest_does_not(songs: Songs) -> None:
    others = []
    for folder in songs:
        for strip in plan_of(folder).tracks:
            if strip.role in ("kick", "snare", "bass", "lead vocal"):
                assert strip.pan == 0.5, strip.name
            else:
                others.append(strip.pan)
    others = np.array(others)
    assert np.mean(others != 0.5) > 0.5
    assert abs(np.mean(others) - 0.5) < 0.1  # neither side outweighs the other


def test_the_lead_vocal_leads(mixes: Mixes) -> None:
    above_lu = []
    for mix in mixes.values():
        leads = [strip.name for strip in mix.plan.tracks if strip.role == "lead vocal"]
        if leads:
            others = [mix.levels[s.name] for s in mix.plan.tracks if s.name not in leads]
            above_lu.append(max(mix.levels[name] for name in leads) - np.median(others))
    assert len(above_lu) >= 4
    assert min(above_lu) > 0.0
    assert 2.0 < np.mean(above_lu) < 9.0


def test_the_mix_has_headroom_and_its_usual_loudness(songs: Songs) -> None:
    loudness = [about["mix_lufs"] for about in songs.values()]
    assert all(about["mix_true_peak_dbtp"] <= conventions.MIX_PEAK_DBTP for about in songs.values())
    assert abs(np.mean(loudness) - conventions.MIX_LUFS) < 3.0


def test_voices_and_basses_are_compressed_and_what_has_no_lows_is_filtered(songs: Songs) -> None:
    compressed, filtered = [], []
    for folder in songs:
        for strip in plan_of(folder).tracks:
            kinds = [band.kind for band in strip.equalizer.bands]
            if strip.role in ("lead vocal", "bass"):
                compressed.append(strip.compressor.threshold_db < 0.0)
            if strip.role in ("kick", "bass"):
                assert "high_pass" not in kinds
            elif strip.role in conventions.HIGH_PASS_HZ:
                filtered.append("high_pass" in kinds)
    assert np.mean(compressed) > 0.8
    assert all(filtered)
    assert len(filtered) > 20


def test_the_return_lies_where_it_usually_does(mixes: Mixes) -> None:
    below_lu = []
    for mix in mixes.values():
        assert len(mix.plan.buses) <= 1
        if "reverb" in mix.levels:
            below_lu.append(mix.levels["reverb"] - mix.sum_lufs)
    assert len(below_lu) >= 6
    assert abs(np.mean(below_lu) - conventions.RETURN_BELOW_MIX_LU) < 2.0


def test_the_microphone_below_a_snare_is_inverted_and_lower(tmp_path: Path) -> None:
    """And inverting it again, as the plan does, aligns it with the one above."""
    for number in range(1, 200):
        request = SyntheticSongRequest(seed=9, number=number, duration_s=8.0, choice=EngineChoice())
        drums = compose_song(request).drums
        if drums is not None and "snare bottom" in drums.names:
            break
    write_song(request, tmp_path)
    inverted = {strip.name for strip in plan_of(tmp_path).tracks if strip.invert_polarity}
    assert inverted == {"snare bottom"}
    top, bottom = (
        soundfile.read(tmp_path / f"{name}.wav")[0] for name in ("snare top", "snare bottom")
    )
    # Where both have content: above the bottom's high pass.
    spectra = [np.fft.rfft(signal)[8000:24000] for signal in (top, bottom)]
    assert np.real(np.vdot(spectra[0], spectra[1])) < 0.0


@pytest.fixture
def fluidsynth() -> EngineChoice:
    choice = choose_engine("auto")
    if choice.soundfont is None:
        pytest.skip("FluidSynth or a sound font is not installed")
    return choice


@pytest.mark.slow
def test_fluidsynth_plays_the_same_song_twice(fluidsynth: EngineChoice, tmp_path: Path) -> None:
    made = []
    for place in ("first", "second"):
        folder = tmp_path / place
        folder.mkdir()
        request = SyntheticSongRequest(seed=3, number=1, duration_s=8.0, choice=fluidsynth)
        write_song(request, folder)
        made.append(contents(folder))
        assert not list(folder.glob("*.mid"))
        assert not list(folder.glob("*.raw"))
    assert made[0] == made[1]
