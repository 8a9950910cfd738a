"""Prepared vocals: what is written, kept, left out, and told in the manifest."""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from automix.audio.samples import Audio
from automix.cli.data_vocal import _separator
from automix.dsp.fdn_reverb import response_to_mono
from automix.errors import InputError, OutputError, UsageError
from automix.evaluation.vocal_copies import equalize_vocal, reverberate_vocal
from automix.inputs import keep_inputs
from automix.plan.settings import FdnReverbSettings
from automix.training.vocal.preparation import vocals as preparation
from automix.training.vocal.preparation.separation import Separator
from automix.training.vocal.preparation.sources import find_vocals
from automix.training.vocal.preparation.vocals import VocalPreparation, prepare_vocals

RATE = 44_100


def write(path: Path, level_db: float, *, range_db: float = 10.0, seconds: float = 6.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(seconds * RATE)) / RATE
    tone = sum(np.sin(2 * np.pi * 300 * n * time) / n for n in range(1, 20))
    steps = np.where(time % 2 < 1, 1.0, 10 ** (-range_db / 20))
    soundfile.write(path, 0.1 * 10 ** (level_db / 20) * tone * steps, RATE, "FLOAT")


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    for name, level_db in (("a", -3.0), ("b", 0.0), ("loud", 9.0)):
        write(tmp_path / "in" / f"{name}_vox.wav", level_db)
        write(tmp_path / "in" / f"{name}_beat.wav", 0.0)
    return tmp_path / "in"


def manifest(folder: Path) -> dict:
    content = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return {entry["name"]: entry for entry in content["songs"]}


def test_pairs_are_written_and_outliers_left_out(pairs, tmp_path):
    out = tmp_path / "out"
    made = list(prepare_vocals(VocalPreparation(sources=[pairs], folder=out, raw=2, wet=1)))
    assert [song.left_out[:16] for song in made] == ["", "", "vocal at 9.0 LU,"]
    entries = manifest(out)
    assert entries["a"]["level_lu"] == pytest.approx(-3.0, abs=0.05)
    assert entries["a"]["loudness_range_lu"] == pytest.approx(10.0, abs=0.3)
    assert entries["loud"]["files"] == []
    for entry in (entries["a"], entries["b"]):
        names = [Path(file["file"]).name for file in entry["files"]]
        own = entry["name"]
        assert names == ["vocal.flac", "beat.flac", f"{own}-001.flac", f"{own}-002.flac",
                         f"{own}-001.flac"]  # fmt: skip
        for file in entry["files"]:
            content = (out / file["file"]).read_bytes()
            assert hashlib.sha256(content).hexdigest() == file["sha256"]


@pytest.mark.slow
def test_copies_are_what_the_manifest_says(pairs, tmp_path):
    out = tmp_path / "out"
    list(prepare_vocals(VocalPreparation(sources=[pairs], folder=out, raw=1, wet=1)))
    *_, raw, wet = manifest(out)["b"]["files"]
    assert sum(gain != 0 for gain in raw["gains_db"]) == 4
    vocal = Audio(soundfile.read(out / "songs/b/vocal.flac")[0], RATE)
    assert soundfile.read(out / raw["file"])[0] == pytest.approx(
        equalize_vocal(vocal, raw["gains_db"]).samples[0], abs=1e-4
    )
    reverb = FdnReverbSettings(**wet["reverb"])
    assert (
        pytest.approx(reverberate_vocal(vocal, reverb).samples, abs=1e-4)
        == soundfile.read(out / wet["file"])[0].T
    )


def run_again(asked: VocalPreparation) -> list[bool]:
    """Prepares as a command does, which never writes over what it has read; says what was kept."""
    with keep_inputs():
        return [song.kept for song in prepare_vocals(asked)]


def test_a_second_run_keeps_what_is_done_and_makes_what_has_changed(pairs, tmp_path):
    asked = VocalPreparation(sources=[pairs], folder=tmp_path / "out")
    first = prepare_vocals(asked)
    assert next(first).name == "a"
    first.close()  # ended after the first song
    assert list(manifest(tmp_path / "out")) == ["a"]
    assert run_again(asked) == [True, False, False]
    assert run_again(asked) == [True, True, True]
    emptied = sorted(asked.folder.rglob("vocal.flac"))[0]
    emptied.write_bytes(b"")
    assert sorted(run_again(asked)) == [False, True, True]
    assert emptied.stat().st_size > 0
    write(pairs / "b_vox.wav", -1.0)
    (tmp_path / "out/songs/a/beat.flac").unlink()
    assert run_again(asked) == [False, False, True]
    assert manifest(tmp_path / "out")["b"]["level_lu"] == pytest.approx(-1.0, abs=0.05)


def test_the_level_between_vocal_and_beat_stays_where_full_scale_is_exceeded(tmp_path):
    write(tmp_path / "in/vocal.wav", 20.0)
    write(tmp_path / "in/beat.wav", 23.0)
    list(prepare_vocals(VocalPreparation(sources=[tmp_path / "in"], folder=tmp_path / "out")))
    vocal, beat = (
        np.abs(soundfile.read(next((tmp_path / "out/songs").rglob(f"{name}.flac")))[0]).max()
        for name in ("vocal", "beat")
    )
    assert beat == pytest.approx(0.98, abs=0.001)
    assert 20 * np.log10(vocal / beat) == pytest.approx(-3.0, abs=0.01)


def test_stems_and_musdb_are_vocals_and_their_backings(tmp_path):
    song = tmp_path / "musdb/test/Artist - Title"
    for name, level_db in (("vocals", 0), ("drums", -6), ("bass", -6), ("other", -6)):
        write(song / f"{name}.wav", level_db)
    write(song / "mixture.wav", 0)
    (found,) = find_vocals(tmp_path / "musdb")
    assert (found.name, found.group) == ("Artist - Title", "test")
    pair = found.open()
    assert np.abs(pair.backing.samples).max() == pytest.approx(
        3 * 10 ** (-6 / 20) * np.abs(pair.vocal.samples).max(), rel=1e-3
    )


@pytest.mark.slow
def test_synthetic_songs_give_the_mixed_vocal_and_the_recorded_one(tmp_path):
    from automix.synthesis.collection import Collection, synthesize
    from automix.synthesis.engines import choose_engine

    choice = choose_engine("built-in", None)
    folder = tmp_path / "songs"
    list(synthesize(Collection(folder=folder, count=4, seed=2, duration_s=8.0, choice=choice)))
    found = find_vocals(folder)
    assert found
    pair = found[0].open()
    human, _ = soundfile.read(folder / found[0].name / "mix.wav", always_2d=True)
    total = pair.vocal.samples + pair.backing.samples
    count = min(total.shape[1], len(human))
    gain = np.vdot(total[:, :count], human.T[:, :count]) / np.vdot(
        total[:, :count], total[:, :count]
    )
    assert gain * total[:, :count] == pytest.approx(human.T[:, :count], abs=2e-3)
    assert pair.raw is not None


def test_impulse_responses_are_matched(pairs, tmp_path, monkeypatch):
    reverb = FdnReverbSettings(dry_wet=0.3, reverberation_time_s=0.6, fade_in_time_s=0.1)
    (tmp_path / "responses").mkdir()
    response = response_to_mono(reverb, RATE).T
    soundfile.write(tmp_path / "responses/a.wav", response, RATE, "FLOAT")
    heard = []

    def match(samples, rate, *, seed):
        heard.append(samples)
        from automix.training.vocal.preparation.reverb_matching import ReverbMatch

        return ReverbMatch(settings=reverb, distance_db=0.5)

    monkeypatch.setattr(preparation, "match_reverb", match)
    asked = VocalPreparation(
        sources=[pairs], folder=tmp_path / "out", responses=tmp_path / "responses"
    )
    list(prepare_vocals(asked))
    assert pytest.approx(response, abs=1e-6) == heard[0].T
    assert manifest(tmp_path / "out")["a"]["matched_reverb"]["reverberation_time_s"] == 0.6
    assert "matched_reverb" not in manifest(tmp_path / "out")["b"]


def test_what_cannot_be_prepared_is_refused(pairs, tmp_path, monkeypatch):
    (tmp_path / "other").mkdir()
    (tmp_path / "other/file.txt").write_text("x")
    with pytest.raises(OutputError, match="is no folder of prepared vocals"):
        list(prepare_vocals(VocalPreparation(sources=[pairs], folder=tmp_path / "other")))
    (tmp_path / "other/manifest.json").write_text("{}")
    with pytest.raises(OutputError, match="is not a manifest of this version"):
        list(prepare_vocals(VocalPreparation(sources=[pairs], folder=tmp_path / "other")))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no songs"):
        list(
            prepare_vocals(VocalPreparation(sources=[tmp_path / "empty"], folder=tmp_path / "out"))
        )
    monkeypatch.setitem(sys.modules, "demucs", None)
    with pytest.raises(UsageError, match=r"automix\[separation\]"):
        Separator("htdemucs", "cpu")
    assert _separator(None, "cpu") is None


def test_finished_songs_are_separated(tmp_path):
    write(tmp_path / "in/song.wav", 0.0)

    class Halves:
        def separate(self, source):
            whole = np.concatenate(list(source.blocks()), axis=1)
            return Audio(0.5 * whole, RATE), Audio(0.5 * whole, RATE)

    asked = VocalPreparation(sources=[tmp_path / "in"], folder=tmp_path / "out", separator=Halves())
    (song,) = prepare_vocals(asked)
    assert (song.name, song.left_out) == ("song", "")
    assert manifest(tmp_path / "out")["song"]["level_lu"] == pytest.approx(0.0, abs=0.01)
