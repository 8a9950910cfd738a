"""What ``import automix`` offers: lazy, documented, and the same as the command line."""

import doctest
import json
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

import automix
from automix import library
from automix.errors import InputError, OutputError, UsageError
from automix.mixing.request import Delivery, StemsRequest, VocalRequest

ROOT = Path(__file__).parents[1]
RATE = 22050


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    """A vocal that pauses over a beat of noise, and the same two as tracks of a song."""
    folder = tmp_path_factory.mktemp("song")
    rng = np.random.default_rng(5)
    time = np.arange(6 * RATE) / RATE
    vocal = sum(np.sin(2 * np.pi * 220 * n * time) / n for n in range(1, 9)) * (time % 2 < 1.4)
    beat = rng.standard_normal((len(time), 2)) * np.exp(-(time % 0.5) / 0.05)[:, None]
    (folder / "tracks").mkdir()
    for name, samples in (("vocal", 0.05 * vocal), ("beat", 0.1 * beat)):
        soundfile.write(folder / f"{name}.wav", samples, RATE, "PCM_16")
        soundfile.write(folder / "tracks" / f"{name}.wav", samples, RATE, "PCM_16")
    return folder


def run(folder, *words):
    return subprocess.run(
        [sys.executable, "-m", "automix", *map(str, words)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )


def test_importing_automix_loads_neither_numpy_nor_torch():
    program = "import automix, sys; print(*{'numpy', 'torch', 'typer'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == ""


def test_every_public_name_is_there_and_documented():
    for name in automix.__all__:
        value = getattr(automix, name)
        assert name in dir(automix)
        assert isinstance(value, str) or len(value.__doc__) > 30, name
    with pytest.raises(AttributeError, match="no attribute 'magic'"):
        automix.magic  # noqa: B018


def test_the_examples_of_the_docstrings_are_right():
    results = doctest.testmod(library)
    assert results.attempted > 5
    assert results.failed == 0


def test_three_lines_and_the_command_give_the_same_bytes(song, tmp_path):
    run(tmp_path, "vocal", song / "vocal.wav", song / "beat.wav", "-o", "command.wav")
    mix = automix.mix_vocal(song / "vocal.wav", song / "beat.wav")
    mix.write(tmp_path / "library.wav")
    mix.plan.save(tmp_path / "library.toml")
    assert (tmp_path / "library.wav").read_bytes() == (tmp_path / "command.wav").read_bytes()
    automix.render(tmp_path / "library.toml").write(tmp_path / "again.wav")
    assert (tmp_path / "again.wav").read_bytes() == (tmp_path / "command.wav").read_bytes()
    automix.render(mix.plan).write(tmp_path / "plan.wav")
    assert (tmp_path / "plan.wav").read_bytes() == (tmp_path / "command.wav").read_bytes()


@pytest.mark.slow
def test_a_request_and_a_delivery_are_what_a_command_and_a_batch_item_are(song, tmp_path):
    request = StemsRequest(song=song / "tracks", loudness=-18)
    outcome = automix.mix_song(
        pickle.loads(pickle.dumps(request)), Delivery(output=str(tmp_path / "library.wav"))
    )
    assert outcome.loudness.integrated_lufs == pytest.approx(-18, abs=0.1)
    assert pickle.loads(pickle.dumps(outcome)).plan == outcome.plan
    words = ["stems", song / "tracks", "--loudness", -18, "-o", "command.wav", "--json"]
    told = json.loads(run(tmp_path, *words).stdout)
    assert told["plan"]["request"] == outcome.plan.request
    (tmp_path / "songs.csv").write_text(f"stems,name,loudness\n{song / 'tracks'},batch,-18\n")
    run(tmp_path, "batch", "songs.csv", "-o", ".", "--name", "{song}.wav")
    wanted = (tmp_path / "library.wav").read_bytes()
    assert (tmp_path / "command.wav").read_bytes() == wanted
    assert (tmp_path / "batch.wav").read_bytes() == wanted
    assert (tmp_path / "command.toml").read_bytes() == (tmp_path / "library.toml").read_bytes()


def test_a_delivery_writes_all_that_it_names(song, tmp_path):
    delivery = Delivery(
        output=str(tmp_path / "mix.wav"),
        report=tmp_path / "mix.html",
        export_stems=tmp_path / "stems",
    )
    request = StemsRequest(song=song / "tracks", constants={"width": 0.2}, method="rules")
    outcome = automix.mix_song(request, delivery)
    names = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.*")}
    assert names == {"mix.wav", "mix.toml", "mix.html", "stems/vocal.wav", "stems/beat.wav"}
    assert automix.mix_song(request, replace(delivery, skip_existing=True)).kept
    assert outcome.written
    assert outcome.has_plan


def test_arrays_are_mixed_as_files_are(song):
    vocal, beat = (
        soundfile.read(song / f"{name}.wav", dtype="float32")[0] for name in ("vocal", "beat")
    )
    from_files = automix.mix_vocal(song / "vocal.wav", song / "beat.wav")
    mix = automix.mix_vocal(vocal, beat.T, sample_rate=RATE)
    np.testing.assert_array_equal(mix.audio.samples, from_files.audio.samples)
    assert mix.audio.samples.shape == (2, mix.audio.frames)
    assert mix.loudness.true_peak_dbtp < -1.0
    with pytest.raises(UsageError, match="sample_rate"):
        automix.mix_vocal(vocal, beat.T)
    with pytest.raises(UsageError, match="both"):
        automix.mix_vocal(vocal, song / "beat.wav", sample_rate=RATE)


def test_tracks_by_name_have_the_roles_that_their_names_tell(song):
    tracks = {name: np.ones(RATE, np.float32) * 0.01 for name in ("Lead Vox", "Bass DI")}
    mix = automix.mix_stems(tracks, sample_rate=RATE, method="mono", role="Bass DI=synth")
    assert {strip.name: strip.role for strip in mix.plan.tracks} == {
        "Lead Vox": "lead vocal",
        "Bass DI": "synth",
    }
    with pytest.raises(InputError, match="no track is named 'Drums'"):
        automix.mix_stems(tracks, sample_rate=RATE, role="Drums=kick")


def test_changes_and_constants_are_those_of_set_and_of_config_files(song, tmp_path):
    (tmp_path / "rules.toml").write_text("relative_loudness_lu = 3.0\n")
    wanted = automix.mix_vocal(
        song / "vocal.wav",
        song / "beat.wav",
        config=tmp_path / "rules.toml",
        changes=["vocal.pan=0.25"],
    ).plan
    mix = automix.mix_vocal(
        song / "vocal.wav",
        song / "beat.wav",
        constants={"relative_loudness_lu": 3.0},
        changes={"vocal.pan": 0.25},
    )
    assert mix.plan == wanted
    assert mix.plan.strip("vocal").pan == 0.25
    with pytest.raises(UsageError, match="unknown setting 'loud'"):
        automix.mix_vocal(song / "vocal.wav", song / "beat.wav", constants={"loud": 1})


def test_nothing_is_written_over(song, tmp_path):
    mix = automix.mix_stems(song / "tracks", method="mono")
    target = tmp_path / "mix.wav"
    target.write_text("mine")
    with pytest.raises(OutputError, match="mix.wav"):
        mix.write(target)
    with pytest.raises(OutputError, match="vocal.wav"):
        mix.write(song / "tracks" / "vocal.wav", overwrite=True)
    mix.plan.save(tmp_path / "mix.toml")
    with pytest.raises(OutputError, match="overwrite=True"):
        mix.plan.save(tmp_path / "mix.toml")
    assert target.read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mix.toml", "mix.wav"]
    mix.write(target, overwrite=True)
    assert soundfile.info(target).frames == mix.audio.frames


def test_a_plan_can_be_saved_elsewhere_and_still_finds_its_files(song, tmp_path):
    mix = automix.mix_stems(song / "tracks", method="rules")
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    mix.plan.save(tmp_path / "a" / "mix.toml")
    automix.MixPlan.load(tmp_path / "a" / "mix.toml").save(tmp_path / "b" / "mix.toml")
    again = automix.render(tmp_path / "b" / "mix.toml", vocals=2)
    assert again.plan.strip("vocal").fader_db == pytest.approx(mix.plan.strip("vocal").fader_db + 2)


def test_explain_and_evaluate(song, tmp_path):
    mix = automix.mix_stems(song / "tracks")
    found = automix.explain(mix.plan)
    assert {track.name for track in found.tracks} == {"vocal", "beat"}
    mix.write(tmp_path / "mix.wav")
    (figures,) = automix.evaluate([tmp_path / "mix.wav"])
    assert figures.figures["integrated_lufs"] == pytest.approx(
        mix.loudness.integrated_lufs, abs=0.01
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "magic"}, "--method magic: choose rules"),
        ({"level": 99}, "--level: relative_loudness_lu = 99"),
        ({"weights": "wide"}, "--weights goes with --method cnn, not with rules"),
        ({"reference_weight": 1}, "--reference-weight goes with --reference"),
        ({"width": "wide"}, "--width wide: write a percentage"),
        ({"plugins": "here", "console": "neural"}, "choose one"),
        ({"seed": 1.5}, "--seed: seed must be a whole number"),
        ({"strict": "yes"}, "--strict: strict must be true or false"),
    ],
)
def test_what_a_request_refuses(options, message):
    with pytest.raises(UsageError, match=message):
        VocalRequest(**options)
