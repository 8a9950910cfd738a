"""What training reads: mixes of another length than their stems, and broken or full caches."""

import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from automix.datasets.catalog import find_songs
from automix.errors import InputError
from automix.networks.effect_description import LA2A_SLOTS
from automix.training.controller.examples import MixExamples
from automix.training.decoded_songs import DecodedSong, decode_songs
from automix.training.effect.examples import PairExamples
from automix.training.effect.settings import EffectTraining
from automix.training.effect.sources import decode_recording
from automix.training.wave_u_net.examples import stack_examples
from tests.training.conftest import RATE, stem

ROOT = Path(__file__).parents[2]
QUICK = """examples = 2
shortest_s = 5.0
longest_s = 6.0
[model]
embedding = 8
width = 8
members = 1
[loop]
steps = 4
batch = 1
validate_every = 1
"""


def write_song(root: Path, mix_s: float, name: str = "song") -> None:
    """A song of 8 s whose human mix has another length."""
    place = root / name
    place.mkdir(parents=True)
    kinds = ("kick", "vocal", "noise")
    stems = [0.3 * stem(kind, 1, max(8.0, mix_s)) for kind in kinds]
    for kind, samples in zip(kinds, stems, strict=True):
        soundfile.write(place / f"{kind}.wav", samples[: 8 * RATE], RATE, "FLOAT")
    mix = np.stack([sum(stems), 0.8 * sum(stems)], 1)[: round(mix_s * RATE)]
    soundfile.write(place / "mix.wav", mix, RATE, "FLOAT")


def decode(tmp_path: Path) -> tuple[DecodedSong, list[str]]:
    notes: list[str] = []
    [song] = decode_songs(find_songs(tmp_path / "songs"), tmp_path / "cache", note=notes.append)
    return song, notes


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mix_s", "words"),
    [(7.5, "is 0.5 s shorter"), (5.5, "is 2.5 s shorter"), (9.0, "is 1.0 s longer"), (8.0, "")],
)
def test_songs_are_learned_from_as_far_as_stems_and_mix_go(
    tmp_path, settings, mix_s: float, words: str
) -> None:
    write_song(tmp_path / "songs", mix_s)
    song, notes = decode(tmp_path)
    assert song.frames == round(min(mix_s, 8.0) * RATE)
    assert len(notes) == bool(words)
    assert all(f"{words} than the stems" in note for note in notes)
    chosen = settings(audio_weight=1.0, patch_s=1.0, longest_s=30.0)
    examples = [MixExamples([song], [1.0], chosen)[number] for number in range(3)]
    tracks, human = stack_examples(examples)
    assert human.shape[-1] == tracks.shape[-1] == RATE
    assert decode(tmp_path)[1] == notes  # also of the cache


def test_a_mix_that_hardly_begins_is_no_traceback(tmp_path, settings) -> None:
    write_song(tmp_path / "songs", 0.01)
    song, _ = decode(tmp_path)
    assert song.frames == RATE // 100
    with pytest.raises(InputError, match="hardly a stretch"):
        MixExamples([song], [1.0], settings(audio_weight=1.0))[0]


@pytest.mark.parametrize("lengths", [(30_000, 20_000), (20_000, 30_000)])
def test_pairs_of_a_device_are_cut_where_both_go(lengths: tuple[int, int]) -> None:
    given, wanted = (np.full(length, 0.5, np.float16) for length in lengths)
    chosen = EffectTraining(patch_samples=2048)
    controls = np.zeros(len(LA2A_SLOTS), np.float32)
    examples = PairExamples([(given, wanted, controls)], chosen, 100, 0, disturbed=False)
    for number in range(40):
        example = examples[number]
        assert (example.target == 0.5).all()
        assert (example.dry == 0.5).all()


BREAK: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-10]),
    "text": lambda path: path.write_text("[]"),
    "gone": Path.unlink,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["song.json", "0.npy", "human.npy"])
@pytest.mark.parametrize("damage", BREAK)
def test_a_broken_cache_is_made_again(tmp_path, damage: str, name: str) -> None:
    write_song(tmp_path / "songs", 8.0)
    whole, _ = decode(tmp_path)
    wanted = [np.array(samples) for samples in (*whole.stems, whole.human)]
    del whole  # which maps the files
    BREAK[damage](tmp_path / "cache" / "song" / name)
    again, _ = decode(tmp_path)
    for samples, given in zip(wanted, (*again.stems, again.human), strict=True):
        np.testing.assert_array_equal(samples, given)


def test_a_broken_recording_in_the_cache_is_decoded_again(tmp_path) -> None:
    soundfile.write(tmp_path / "dry.wav", 0.3 * stem("noise", 0, 0.5), RATE)
    wanted = np.array(decode_recording(tmp_path / "dry.wav", tmp_path / "cache", print))
    [file] = (tmp_path / "cache").iterdir()
    file.write_bytes(file.read_bytes()[:1000])
    found = decode_recording(tmp_path / "dry.wav", tmp_path / "cache", print)
    np.testing.assert_array_equal(found, wanted)


def train(tmp_path: Path, *options: object, limit: int | None = None) -> tuple[int, str]:
    (tmp_path / "quick.toml").write_text(QUICK)
    words = ("train", "dmc", "--data", tmp_path / "songs", "-o", tmp_path / "run", "--config",
             tmp_path / "quick.toml", "--hold-out", "b", "--device", "cpu", "-q")  # fmt: skip

    def set_limit() -> None:
        if limit is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = subprocess.run(
        [sys.executable, "-m", "automix", *map(str, (*words, *options))],
        cwd=ROOT, capture_output=True, text=True, preexec_fn=set_limit, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr


@pytest.mark.slow
def test_a_disk_that_fills_up_while_training_leaves_whole_files(tmp_path) -> None:
    for name in "ab":
        write_song(tmp_path / "songs", 8.0, name)
    code, error = train(tmp_path, limit=300_000)  # no decoded stem has room
    assert code == 4
    assert error.startswith(f"automix: {tmp_path}/run/cache/a/0.npy: the disk is full")
    assert len(error.splitlines()) == 1
    left = [path.name for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert left == ["split.toml"]

    assert train(tmp_path, "--cache", tmp_path / "cache")[0] == 0
    sizes = {path.name: path.stat().st_size for path in (tmp_path / "run").iterdir()}
    shutil.rmtree(tmp_path / "run")
    limit = (sizes["last.pt"] + sizes["best.safetensors"]) // 2  # no room for the state alone
    code, error = train(tmp_path, "--cache", tmp_path / "cache", limit=limit)
    assert code == 4
    assert error.startswith(f"automix: {tmp_path}/run/last.pt: the disk is full")
    left = sorted(path.name for path in (tmp_path / "run").iterdir())
    assert left == ["best.safetensors", "log.csv", "split.toml"]
    assert len((tmp_path / "run" / "log.csv").read_text().splitlines()) == 2
