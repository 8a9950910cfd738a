"""What a user has: a song, its plan, a listening test, weights, a training run, data sets.

The files are made by the program itself, once for each process that sends inputs to it. That also
loads what its commands need.
"""

import contextlib
import csv
import functools
import io
import json
import os
import shutil
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import soundfile
from typer.testing import CliRunner

RATE = 16000
SECONDS = 0.6

METADATA = """\
artist: The Band
mix_filename: Band_Song_MIX.wav
raw_dir: Band_Song_RAW
stem_dir: Band_Song_STEMS
stems:
  S01:
    component: bass
    filename: Band_Song_STEM_01.wav
    instrument: electric bass
    raw:
      R01: {filename: Band_Song_RAW_01_01.wav, instrument: electric bass}
  S02:
    component: melody
    filename: Band_Song_STEM_02.wav
    instrument: female singer
    raw:
      R01: {filename: Band_Song_RAW_02_01.wav, instrument: female singer}
"""

TRAINING = """\
patch_samples = 2048
held_examples = 2
statistics = "running"
settle = 1
[loop]
steps = 2
batch = 1
validate_every = 2
"""


def run(*arguments: str) -> None:
    """Runs a command that has to go well, in this process."""
    from automix.cli.app import app

    done = CliRunner().invoke(app, arguments)
    if done.exit_code:
        raise RuntimeError(f"automix {' '.join(arguments)}: {done.output}") from done.exception


def write_tone(path: Path, seed: int, rate: int = RATE, seconds: float = SECONDS) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    times = np.arange(int(seconds * rate)) / rate
    noise = np.random.default_rng(seed).standard_normal(len(times)) * np.exp(-8 * (times % 0.2))
    tone = 0.1 * noise + 0.1 * np.sin(2 * np.pi * (110 + 60 * seed) * times)
    soundfile.write(path, tone, rate, "PCM_16")


@functools.cache
def song() -> Path:
    """A song of four tracks with the plans of two mixes, a session and a configuration."""
    folder = make_folder("song")
    for seed, name in enumerate(("vox", "beat", "kick", "bass")):
        write_tone(folder / f"{name}.wav", seed)
    with contextlib.chdir(folder):
        run("vocal", "vox.wav", "beat.wav", "-o", "vocal.wav", "-q")
        run("stems", "vox.wav", "kick.wav", "bass.wav", "--mode", "full", "-o", "full.wav", "-q")
    for path in folder.glob("*l.wav"):
        path.unlink()
    return folder


@functools.cache
def ratings() -> Path:
    """Ratings of three methods by eight participants."""
    folder = make_folder("ratings")
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["participant", "passage", "method", "rating", "reverb"])
    for row in range(48):
        cells = (f"p{row // 6}", "ab"[row // 3 % 2], ("rules", "sum", "human")[row % 3])
        table.writerow([*cells, row * 7 % 5 / 4, row * 3 % 5 + 1])
    (folder / "ratings.csv").write_text(text.getvalue())
    return folder


@functools.cache
def listening() -> Path:
    """A listening test, its description, and the result of a participant."""
    from automix.listening.key import load_key
    from tests.listening.listening_tests import result

    folder = make_folder("listening")
    for passage in ("one", "two"):
        for seed, method in enumerate(("human", "rules")):
            write_tone(folder / "mixes" / passage / f"{method}.wav", seed)
    (folder / "test.toml").write_text(
        'type = "likert"\nduration_s = 0.5\ntitle = "A test"\naspects = ["level", "reverb"]\n'
        + "".join(
            f'[[passage]]\nname = "{name}"\nstart_s = 0.0\n[passage.mixes]\n'
            f'human = "mixes/{name}/human.wav"\nrules = "mixes/{name}/rules.wav"\n'
            for name in ("one", "two")
        )
        + '[[question]]\nname = "remark"\ntext = "Anything else?"\nrequired = false\n'
        '[[question]]\nname = "age"\ntext = "How old?"\nchoices = ["young", "old"]\n'
        '[training]\ngood = "mixes/one/human.wav"\npoor = "mixes/one/rules.wav"\nstart_s = 0.0\n'
    )
    with contextlib.chdir(folder):
        run("listen", "make", "test.toml", "-o", "test", "-q")
    shutil.rmtree(folder / "test" / "page")
    document = result(load_key(folder / "test"), 0)
    (folder / "result.json").write_text(json.dumps(document))
    (folder / "other.json").write_text(json.dumps(result(load_key(folder / "test"), 1)))
    return folder


@functools.cache
def weights() -> Path:
    """Small networks of three families, as files of weights."""
    import torch

    from automix.networks.checkpoints import save_weights
    from automix.networks.dmc import Dmc
    from automix.networks.dmc_description import DmcDescription
    from automix.networks.effect_description import EffectDescription
    from automix.networks.effects import make_effect

    folder = make_folder("weights")
    torch.manual_seed(0)
    small = DmcDescription(embedding=8, width=8, members=1)
    save_weights(folder / "dmc.safetensors", "dmc", small, Dmc(small).state_dict())
    effect = EffectDescription(network="tcn-8", causal=True)
    tensors = make_effect(effect).state_dict()
    save_weights(folder / "effect.safetensors", "effect", effect, tensors)
    torch.save(tensors, folder / "effect.pth")
    write_tone(folder / "vox.wav", 0, 44100, 0.3)
    write_tone(folder / "kick.wav", 1, 44100, 0.3)
    with contextlib.chdir(folder):
        run("apply", "effect.safetensors", "vox.wav", "out.wav", "-q")
        run("stems", "vox.wav", "kick.wav", "--method", "dmc", "--weights", "dmc.safetensors",
            "-o", "out.wav", "-fq")  # fmt: skip
    for path in folder.glob("out.*"):
        path.unlink()
    return folder


@functools.cache
def make_bomb(data: bytes) -> bytes:
    """A small file of PyTorch, one of whose members becomes 800 MB when it is unpacked."""
    found = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as whole,
        zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as bomb,
    ):
        for name in whole.namelist():
            with bomb.open(name, "w", force_zip64=True) as member:
                member.write(whole.read(name))
                for _ in range(100 if name.endswith("data/0") else 0):
                    member.write(bytes(8 << 20))
    return found.getvalue()


@functools.cache
def training() -> Path:
    """A training run that is complete."""
    folder = make_folder("training")
    for seed, name in enumerate(("a/one", "b/two")):
        write_tone(folder / "dry" / f"{name}.wav", seed, 44100, 1.0)
    (folder / "tiny.toml").write_text(TRAINING)
    with contextlib.chdir(folder):
        run(*TRAIN)
    return folder


TRAIN = (
    *("train", "effect", "--model", "tcn-8", "--task", "compressor", "--data", "dry"),
    *("--hold-out", "b", "-o", "run", "--config", "tiny.toml", "--device", "cpu", "-q"),
)


@functools.cache
def medleydb() -> Path:
    """A song in the layout of MedleyDB."""
    folder = make_folder("medleydb")
    inside = folder / "V1" / "Band_Song"
    for seed in (1, 2):
        write_tone(inside / "Band_Song_STEMS" / f"Band_Song_STEM_0{seed}.wav", seed)
        write_tone(inside / "Band_Song_RAW" / f"Band_Song_RAW_0{seed}_01.wav", seed)
    write_tone(inside / "Band_Song_MIX.wav", 3)
    (inside / "Band_Song_METADATA.yaml").write_text(METADATA)
    return folder


@functools.cache
def batch() -> Path:
    """Songs, a manifest of them in both forms, and the journal of a run."""
    folder = make_folder("batch")
    for number in (1, 2):
        write_tone(folder / "songs" / f"s{number}" / "vocal.wav", number)
        write_tone(folder / "songs" / f"s{number}" / "beat.wav", number + 2)
    rows = [
        ["vocal", "beat", "stems", "name", "output", "loudness", "preset", "set", "strict"],
        ["songs/s1/vocal.wav", "songs/s1/beat.wav", "", "one", "", "-18", "poster", "", "true"],
        ["", "", "songs/s2", "two", "sub/two.flac", "", "", "vocal.fader_db=1;beat.pan=0.4", ""],
    ]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    (folder / "songs.csv").write_text(text.getvalue())
    (folder / "songs.toml").write_text(
        '[[song]]\nvocal = "songs/s1/vocal.wav"\nbeat = "songs/s1/beat.wav"\nloudness = -18\n'
        'name = "one"\nset = ["vocal.fader_db=1"]\nstrict = true\n'
        '[[song]]\nstems = "songs/s2"\noutput = "sub/two.flac"\nmode = "full"\n'
    )
    common = {"version": "0", "host": "h", "time": "2026-01-02T03:04:05Z", "attempt": 1}
    records = [
        {"item": f"s{number}.wav", "song": f"s{number}", "command": "vocal", "inputs": ["a", "b"],
         "options": {}, "output_was": "free", **common, "fingerprint": "0" * 64, "status": status,
         **({"exit_code": 0, "error": "", "seconds": 1.0, "duration_s": 0.6,
             "loudness_lufs": -20.0, "true_peak_dbtp": -3.0} if status == "done" else {})}
        for number in (1, 2)
        for status in ("started", "done")
    ]  # fmt: skip
    (folder / "out").mkdir()
    lines = "".join(json.dumps(record) + "\n" for record in records)
    (folder / "out" / "automix-batch.jsonl").write_text(lines)
    return folder


@functools.cache
def scratch() -> "tempfile.TemporaryDirectory[str]":
    """The folder of all this, which goes with the process."""
    return tempfile.TemporaryDirectory(prefix="automix-materials-")


def make_folder(name: str) -> Path:
    folder = Path(scratch().name, str(os.getpid()), name)
    folder.mkdir(parents=True)
    return folder
