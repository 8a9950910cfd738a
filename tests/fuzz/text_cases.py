"""Damaged texts and weights, each given to the commands that read it."""

import json
import os
import random
import shutil
import struct
import tomllib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from tests.fuzz import materials
from tests.fuzz.judging import Case, run_program
from tests.fuzz.numbers import damage_bytes, draw_edge
from tests.fuzz.trees import (
    damage_text,
    draw_value,
    dump_json,
    dump_toml,
    mutate_tree,
)

Prepare = Callable[[random.Random, Path], Case]


def run(*command: str, codes: tuple[int, ...] = (2, 3), outputs: tuple[str, ...] = ()) -> Case:
    """A case of the program run with some arguments."""
    name = " ".join(word if len(word) < 60 else f"{word[:60]}…" for word in command)
    return Case(name, lambda: run_program(*command, codes=codes), outputs)


def copy(material: Path, folder: Path) -> None:
    shutil.copytree(material, folder, dirs_exist_ok=True)


def write(rng: random.Random, path: Path, content: bytes) -> None:
    """Writes an input, or now and then puts something in its place that is no file."""
    path.unlink(missing_ok=True)
    if rng.random() > 0.02:
        path.write_bytes(content)
        return
    match rng.randrange(4):
        case 0:
            os.mkfifo(path)
        case 1:
            path.mkdir()
        case 2:
            path.symlink_to(path.name)
        case 3:
            path.symlink_to(rng.choice(("/dev/zero", "/dev/null", "/proc/self/mem", "/dev/full")))


def damage_toml(rng: random.Random, text: bytes) -> bytes:
    if rng.random() < 0.3:
        return damage_text(rng, text)
    changed = dump_toml(mutate_tree(rng, tomllib.loads(text.decode())))
    return damage_text(rng, changed) if rng.random() < 0.1 else changed


def damage_json(rng: random.Random, text: bytes) -> bytes:
    if rng.random() < 0.25:
        return damage_text(rng, text)
    changed = dump_json(mutate_tree(rng, json.loads(text)))
    return damage_text(rng, changed) if rng.random() < 0.1 else changed


def damage_csv(rng: random.Random, text: bytes) -> bytes:
    if rng.random() < 0.4:
        return damage_text(rng, text)
    rows = [line.split(",") for line in text.decode().splitlines()]
    for _ in range(rng.choice((1, 1, 2, 5))):
        row = rng.choice((rows[0], rng.choice(rows)))
        place = rng.randrange(len(row))
        match rng.randrange(5):
            case 0 | 1 | 2:
                row[place] = str(draw_value(rng))
                if rng.random() < 0.5:
                    row[place] = '"' + row[place].replace('"', '""') + '"'
            case 3 if len(row) > 1:
                del row[place]
            case _:
                row.insert(place, row[place])
    joined = "\n".join(map(rng.choice((",", ",", ",", ";", "\t")).join, rows)) + "\n"
    return joined.encode("utf-8", "surrogatepass")


def prepare_plan(rng: random.Random, folder: Path) -> Case:
    copy(materials.song(), folder)
    name = rng.choice(("vocal.toml", "full.toml"))
    path = folder / name
    write(rng, path, damage_toml(rng, path.read_bytes()))
    return rng.choice(
        (
            run("render", name, "--dry-run"),
            run("render", name, "-o", "out.wav", outputs=("out.",)),
            run("diff", name, "full.toml"),
            run("explain", name),
            run("export", name, "-o", "out.dawproject", outputs=("out.",)),
            run("export", name, "--to", "stems", "-o", "out", outputs=("out",)),
            run("render", name, "-o", "out.wav", "--report", "out.html", outputs=("out.",)),
        )
    )


def prepare_session(rng: random.Random, folder: Path) -> Case:
    copy(materials.song(), folder)
    rows = [
        {"file": "vox.wav", "name": "lead", "role": "lead vocal"},
        {"file": "kick.wav", "right": "bass.wav", "name": "drums"},
        {"file": "beat.wav"},
    ]
    write(rng, folder / "session.toml", damage_toml(rng, dump_toml({"tracks": rows})))
    method = rng.choice(("mono", "rules"))
    return run("stems", "session.toml", "--method", method, "-o", "out.wav", outputs=("out.",))


def prepare_config(rng: random.Random, folder: Path) -> Case:
    from automix.training.families import FAMILIES

    copy(materials.song(), folder)
    if rng.random() < 0.3:
        name = rng.choice(list(FAMILIES))
        write(rng, folder / "c.toml", damage_toml(rng, training_settings(name)))
        return Case(f"settings of training {name}", lambda: read_training_settings(name))
    tree = {"high_pass_hz": 100.0, "vocal_level_lu": 1.0, "seed": 3, "width": True}
    write(rng, folder / "c.toml", damage_toml(rng, dump_toml(tree)))
    inputs = rng.choice((("vocal", "vox.wav", "beat.wav"), ("stems", "vox.wav", "kick.wav")))
    return run(*inputs, "--config", "c.toml", "--dry-run")


def training_settings(name: str) -> bytes:
    from automix.plan.toml import settings_toml
    from automix.training.families import FAMILIES

    return settings_toml(FAMILIES[name].make_settings()).encode()


def read_training_settings(name: str) -> None:
    from automix.plan.layers import apply_layers
    from automix.training.families import FAMILIES

    apply_layers(FAMILIES[name].make_settings(), Path("c.toml"), {})


def prepare_manifest(rng: random.Random, folder: Path) -> Case:
    copy(materials.batch(), folder)
    name = rng.choice(("songs.csv", "songs.toml"))
    damaged = (damage_csv if name == "songs.csv" else damage_toml)(
        rng, (folder / name).read_bytes()
    )
    write(rng, folder / name, damaged)
    # Two songs of one name are about the output.
    return run("batch", name, "-o", "new", "--dry-run", codes=(2, 3, 4))


def prepare_journal(rng: random.Random, folder: Path) -> Case:
    copy(materials.batch(), folder)
    path = folder / "out" / "automix-batch.jsonl"
    lines = path.read_bytes().splitlines()
    if rng.random() < 0.3:
        content = damage_text(rng, path.read_bytes())
    else:
        place = rng.randrange(len(lines))
        lines[place] = damage_json(rng, lines[place])
        content = b"\n".join(lines) + b"\n"
    write(rng, path, content)
    flag = rng.choice(("--resume", "--retry-failed", "--skip-existing"))
    # What lies in the place of the journal is about the output folder.
    return run("batch", "songs", "-o", "out", flag, "--dry-run", codes=(2, 3, 4))


def prepare_split(rng: random.Random, folder: Path) -> Case:
    names = ("one", "two", "three")
    tree = {"format": 1, "train": [names[0]], "validation": [names[1]], "test": [names[2]]}
    write(rng, folder / "split.toml", damage_toml(rng, dump_toml(tree)))
    return Case("a split", lambda: read_split(names))


def read_split(names: tuple[str, ...]) -> None:
    from automix.datasets.song import SongFiles
    from automix.datasets.splits import read_split as read
    from automix.session.tracks import TrackFile

    stem = TrackFile(name="kick", role="kick", path=Path("kick.wav"))
    songs = [SongFiles(name=name, artist=name, stems=(stem,), human=None) for name in names]
    read(Path("split.toml"), songs)


def prepare_medleydb(rng: random.Random, folder: Path) -> Case:
    import yaml

    copy(materials.medleydb(), folder)
    path = folder / "V1" / "Band_Song" / "Band_Song_METADATA.yaml"
    text = path.read_bytes()
    match rng.randrange(4):
        case 0:
            content = damage_text(rng, text)
        case 1:
            aliases = b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
                b"%c: &%c [%s]\n" % (c, c, b", ".join([b"*%c" % (c - 1)] * 9))
                for c in range(ord("b"), ord("b") + rng.randrange(1, 12))
            )
            value = b"*" + bytes([aliases[-60:].rsplit(b"\n", 2)[-2][0]])
            content = aliases + text.replace(
                rng.choice((b"The Band", b"electric bass", b"bass")), value
            )
        case _:
            content = dump_json(mutate_tree(rng, yaml.safe_load(text)))
    write(rng, path, content)
    layout = rng.choice(("auto", "medleydb", "medleydb-raw"))
    return Case(f"MedleyDB as {layout}", lambda: find_songs(layout))


def find_songs(layout: str) -> None:
    from automix.datasets.catalog import find_songs as find

    find(Path(), layout)


def prepare_weights(rng: random.Random, folder: Path) -> Case:
    copy(materials.weights(), folder)
    kind = rng.choice(("dmc", "effect", "effect", "pickle"))
    name = "effect.pth" if kind == "pickle" else f"{kind}.safetensors"
    path = folder / name
    whole = path.read_bytes()
    damaged = (damage_pickle if kind == "pickle" else damage_safetensors)(rng, whole)
    write(rng, path, damaged)
    if kind == "pickle":
        return Case("weights of PyTorch", lambda: read_tensors(name))
    command = {
        "effect": ("apply", name, "vox.wav", "out.wav"),
        "dmc": ("stems", "vox.wav", "kick.wav", "--method", "dmc", "--weights", name)
        + ("-o", "out.wav"),
    }[kind]
    case = run(*command, codes=(2, 3, 5), outputs=("out.",))
    return case if same_numbers(whole, damaged) else replace(case, act=partial(refuse, case.act))


def same_numbers(one: bytes, other: bytes) -> bool:
    """Whether two files of weights, of which the first is whole, hold the same numbers."""
    (length,) = struct.unpack_from("<Q", one)
    return other.endswith(one[8 + length :])


def refuse(act: Callable[[], str | None]) -> str | None:
    """Does something that must not go well."""
    return act() or "took weights whose numbers are damaged"


def read_tensors(name: str) -> None:
    from automix.networks.checkpoints import read_tensors as read

    read(Path(name))


def damage_safetensors(rng: random.Random, data: bytes) -> bytes:
    """Changes the length of the header, the header, the description in it, or the numbers."""
    (length,) = struct.unpack_from("<Q", data)
    header, payload = json.loads(data[8 : 8 + length]), data[8 + length :]
    match rng.randrange(9):
        case 0:
            edge = draw_edge(rng, 8, length, len(data))
            return struct.pack("<Q", edge) + data[8:]
        case 1:
            payload = damage_bytes(rng, payload)
        case 2:
            odd = struct.pack("<f", rng.choice((float("nan"), float("inf"), 1e38, -1e38, 1e-45)))
            at = rng.randrange(len(payload) // 4) * 4
            payload = payload[:at] + odd * rng.choice((1, 10, 1000)) + payload[at + 4 :]
            payload = payload[: len(data) - 8 - length]
        case 3:
            return damage_bytes(rng, data)
        case 4 | 5:
            described = json.loads(header["__metadata__"]["description"])
            text = dump_json(mutate_tree(rng, described)).decode("utf-8", "surrogatepass")
            header["__metadata__"]["description"] = text
        case 6:  # a network far larger than its weights
            described = json.loads(header["__metadata__"]["description"])
            for name, value in described.items():
                if type(value) is int and rng.random() < 0.7:
                    described[name] = rng.choice((16, 1024, 4096, 1 << 20))
            described |= (
                {"network": rng.choice(("tcn-30", "wave-u-net-6-16"))}
                if ("network" in described)
                else {"encoder": rng.choice(("vggish", "compact"))}
            )
            header["__metadata__"]["description"] = json.dumps(described)
        case _:
            written = damage_json(rng, data[8 : 8 + length])
            return struct.pack("<Q", len(written)) + written + payload
    written = json.dumps(header).encode()
    return struct.pack("<Q", len(written)) + written + payload


def damage_pickle(rng: random.Random, data: bytes) -> bytes:
    """Changes a file of PyTorch: an archive of a pickle and the numbers."""
    if rng.random() < 0.03:
        return materials.make_bomb(data)
    for _ in range(rng.choice((1, 3))):
        data = damage_bytes(rng, data)
    if rng.random() < 0.3:
        at = rng.randrange(len(data))
        data = data[:at] + rng.randbytes(4) + data[at + 4 :]
    return data


def prepare_state(rng: random.Random, folder: Path) -> Case:
    """The state of a training that goes on."""
    copy(materials.training(), folder)
    path = folder / "run" / "last.pt"
    match rng.randrange(6):
        case 0:
            write(rng, path, damage_pickle(rng, path.read_bytes()))
        case 1:
            split = folder / "run" / "log.csv"
            write(rng, split, damage_text(rng, split.read_bytes()))
        case _:
            change_state(rng, path)
    resumed = run(*materials.TRAIN, "--resume", codes=(2, 3, 5))
    return replace(resumed, outputs=("run/",), caches=("run/cache",))


def change_state(rng: random.Random, path: Path) -> None:
    import torch

    state = torch.load(path, weights_only=True)
    odd: Any = rng.choice(
        (None, -1, 0, 2**63 - 1, 1.5, float("nan"), "a", [], {}, [{}], [1], {"a": 1}, "x" * 1000,
         torch.zeros(3), torch.zeros(0), [{"step": 1}], [{"step": "a"}], True)
    )  # fmt: skip
    key = rng.choice(list(state))
    inner = state[key]
    if isinstance(inner, dict) and rng.random() < 0.7:
        part = rng.choice(list(inner))
        deep = inner[part]
        if isinstance(deep, dict) and deep and rng.random() < 0.5:
            deep[rng.choice(list(deep))] = odd
        elif isinstance(deep, list) and deep and rng.random() < 0.5:
            deep[0] = odd
        else:
            inner[part] = odd
    elif rng.random() < 0.2:
        del state[key]
    else:
        state[key] = odd
    torch.save(state, path)


def prepare_ratings(rng: random.Random, folder: Path) -> Case:
    copy(materials.ratings(), folder)
    path = folder / "ratings.csv"
    write(rng, path, damage_csv(rng, path.read_bytes()))
    extra = rng.choice(
        ((), ("--test", "friedman"), ("--csv", "comparisons"), ("--json",), ("--plot", "out.svg"))
    )
    return run("evaluate", "ratings", "ratings.csv", *extra, outputs=("out.",))


def prepare_submission(rng: random.Random, folder: Path) -> Case:
    copy(materials.listening(), folder)
    path = folder / "result.json"
    content = damage_json(rng, path.read_bytes())
    write(rng, path, content)
    if rng.random() < 0.3:
        return Case("a result that is sent", lambda: submit(content))
    command = ("listen", "export", "test", "result.json", "other.json", "-o", "out.csv")
    return run(*command, outputs=("out.",))


def submit(content: bytes) -> str | None:
    """Sends a result as a page does; one that is taken can be exported."""
    import urllib.error
    import urllib.request

    from tests.listening.listening_tests import served

    with served(Path("test"), Path(os.environ["TMPDIR"], "results.sqlite")) as server:
        url = f"{server.url}results"
        kind = {"Content-Type": "application/json"}
        request = urllib.request.Request(url, content, kind, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=8) as answer:
                taken = answer.status == 200
        except urllib.error.HTTPError as error:
            taken = False
            if not 400 <= error.code < 500:
                return f"the server answers {error.code}"
    results = Path(os.environ["TMPDIR"], "results.sqlite")
    try:
        if taken:
            complaint = run_program(
                *("listen", "export", "test", "--results", str(results)),
                *("-o", os.environ["TMPDIR"] + "/out.csv"),
                codes=(),
            )
            return complaint and f"taken, and then not exported: {complaint}"
    finally:
        for path in Path(os.environ["TMPDIR"]).iterdir():
            path.unlink()
    return None


def prepare_description(rng: random.Random, folder: Path) -> Case:
    copy(materials.listening(), folder)
    path = folder / "test.toml"
    write(rng, path, damage_toml(rng, path.read_bytes()))
    return run("listen", "make", "test.toml", "-o", "out", outputs=("out",))


def prepare_key(rng: random.Random, folder: Path) -> Case:
    copy(materials.listening(), folder)
    path = folder / "test" / "key.json"
    write(rng, path, damage_json(rng, path.read_bytes()))
    return run("listen", "export", "test", "result.json", "-o", "out.csv", outputs=("out.",))


def prepare_arguments(rng: random.Random, folder: Path) -> Case:
    """Texts on the command line itself."""
    copy(materials.batch(), folder)
    copy(materials.song(), folder)
    odd = str(draw_value(rng)).replace("\0", "").encode("utf-8", "replace").decode()[:100_000]
    word = rng.choice((odd, f"a{odd}", f"{{song:{odd}}}.wav", f"{odd}.wav"))
    address = rng.choice(
        (
            f"vox.{odd}=1", f"vox.fader_db={odd}", f"vox.fader_db+={odd}", f"{odd}={odd}",
            f"vox.equalizer.bands.{odd}.gain_db=1", f"vox.pan{' ' * 30_000}x", odd,
            f"beat.{'a.' * 3000}b=1", f"master.gain_db={odd}",
        )
    )  # fmt: skip
    mixing = ("vocal", "vox.wav", "beat.wav", "--dry-run")
    tracks = ("stems", "vox.wav", "kick.wav", "--dry-run")
    return rng.choice(
        (
            run("batch", "songs", "-o", "new", "--dry-run", "--name", word, codes=(2, 3, 4)),
            run("render", "vocal.toml", "--dry-run", "--set", address),
            run("render", "vocal.toml", "--dry-run", "--set", address),
            run(*tracks, "--role", f"vox={odd}"),
            run(*tracks, "--importance", rng.choice((f"vox={odd}", odd))),
            run(*tracks, "--focus", odd),
            run(*mixing, "--reverb", odd),
            run(*mixing, "--vocals", odd),
            run(*mixing, "--reference", odd),
            run("vocal", odd, "beat.wav", "--dry-run"),
            run("stems", word, "--dry-run"),
            run("batch", word, "-o", "new", "--dry-run"),
            run("explain", "full.toml", "--track", odd),
        )
    )


ODD_NAMES = (
    *(
        "a" * 251 + ".wav",
        "é" * 125 + ".wav",
        "-f.wav",
        "--force.wav",
        " .wav",
        "a\nb.wav",
        "'.wav",
    ),
    *("\udcff.wav", "kick.WAV", "Kick.wav", "kick L.wav", "kick R.wav", "L.wav", "R.wav", "..wav"),
    *("\u202ekick.wav", "kick.wav.wav", "kick.flac", "kick.mp3", "kick.ogg", "mix.wav", "a=b.wav"),
    *(
        "{song}.wav",
        "[a].wav",
        "*.wav",
        "kick 1.wav",
        "kick 01.wav",
        "kick ².wav",
        "1" * 200 + ".wav",
    ),
    *("._kick.wav", ".DS_Store", "cover.jpg", "beat.toml", "kick.toml", "mix.toml", "bass.toml"),
)


def prepare_folder(rng: random.Random, folder: Path) -> Case:
    """A song's folder with files of odd names, and with what is no file."""
    copy(materials.song(), folder / "song")
    song = folder / "song"
    sound = (song / "kick.wav").read_bytes()
    for _ in range(rng.choice((1, 2, 4))):
        path = song / rng.choice(ODD_NAMES)
        if path.is_dir():
            continue
        path.unlink(missing_ok=True)
        match rng.randrange(12):
            case 0:
                os.mkfifo(path)
            case 1:
                path.mkdir()
            case 2:
                path.symlink_to(rng.choice((path.name, "bass.wav", "/dev/zero", "..", "gone")))
            case 3:
                path.write_bytes(rng.choice((b"", b"text", sound[:30], sound[:1000], bytes(4000))))
            case 4:
                path.write_bytes(damage_bytes(rng, sound))
            case _:
                path.write_bytes(sound)
    method = rng.choice(("mono", "rules"))
    if rng.random() < 0.3:
        return run("batch", "song", "-o", "new", "--dry-run", codes=(2, 3, 4))
    flags = rng.choice(((), ("--strict",), ("--recursive",)))
    # A name that is too long for the stems beside it is about the output.
    return run(
        *("stems", "song", "--method", method, "-o", "out.wav", "--export-stems", "out", *flags),
        codes=(2, 3, 4),
        outputs=("out",),
    )


TEXTS: dict[str, Prepare] = {
    "plan": prepare_plan,
    "session": prepare_session,
    "config": prepare_config,
    "manifest": prepare_manifest,
    "journal": prepare_journal,
    "split": prepare_split,
    "medleydb": prepare_medleydb,
    "weights": prepare_weights,
    "state": prepare_state,
    "ratings": prepare_ratings,
    "submission": prepare_submission,
    "description": prepare_description,
    "key": prepare_key,
    "arguments": prepare_arguments,
    "folder": prepare_folder,
}
"""What there is to damage, by name."""


def prepare_text(kind: str | None, seed: int, number: int, folder: Path) -> Case:
    """Writes the damaged text of a number, and says how it is read.

    Without a kind, numbers go through all of them in turn.
    """
    kind = kind or list(TEXTS)[number % len(TEXTS)]
    case = TEXTS[kind](random.Random(f"{seed} {kind} {number}"), folder)
    return replace(case, name=f"{kind}: {case.name}")


def load(kind: str) -> None:
    """Makes what the texts of a kind are made from, and so loads what reads them."""
    every = {
        "plan": (materials.song,),
        "session": (materials.song,),
        "config": (materials.song,),
        "manifest": (materials.batch,),
        "journal": (materials.batch,),
        "medleydb": (materials.medleydb,),
        "weights": (materials.weights,),
        "state": (materials.training,),
        "ratings": (materials.ratings,),
        "submission": (materials.listening,),
        "description": (materials.listening,),
        "key": (materials.listening,),
        "arguments": (materials.song, materials.batch),
        "folder": (materials.song,),
        "split": (),
    }
    for name in every if kind == "texts" else (kind,):
        for make in every[name]:
            make()
