"""Prepares vocals and backings to train on, with a manifest of what they are made of (III-A)."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from automix.analysis.loudness import LoudnessMeter, integrated_lufs, loudness_range_lu
from automix.audio.samples import Audio
from automix.errors import OutputError, UsageError
from automix.evaluation.vocal_copies import (
    CEILING,
    below_full_scale,
    draw_reverb,
    draw_sparse_gains_db,
    equalize_vocal,
    reverberate_vocal,
)
from automix.files.disk import report_write_failures, sha256
from automix.files.names import printable
from automix.files.reading import open_audio
from automix.files.target import OutputTarget
from automix.methods.vocal.settings import PAPER
from automix.networks.vocal_cnn_description import LEVELS_LU, RANGES_LU
from automix.training.vocal.reverb_matching import match_reverb
from automix.training.vocal.run import PREPARED
from automix.training.vocal.separation import Separator
from automix.training.vocal.songs import RAW
from automix.training.vocal.sources import (
    RATE_HZ,
    VocalPair,
    VocalSource,
    name_apart,
    vocal_sources,
)

FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """What is asked for.

    Attributes:
        sources: Folders of songs.
        folder: Where the data are written.
        raw: Randomly equalized copies of each vocal.
        wet: Copies of each vocal with known random reverbs.
        responses: Folder of impulse responses, named as the songs, that are matched to the reverb.
        separator: Separates finished songs; without it, the sources hold vocals and backings.
        seed: Of what is drawn.
    """

    sources: Sequence[Path]
    folder: Path
    raw: int = 0
    wet: int = 0
    responses: Path | None = None
    separator: Separator | None = None
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class PreparedVocal:
    """What became of a song.

    Attributes:
        name: Of it.
        kept: Whether it was there already, made of the same files.
        left_out: Why it is an outlier; empty if it is none.
    """

    name: str
    kept: bool
    left_out: str


def prepare_vocals(
    asked: Preparation, report: Callable[[str], None] = lambda song: None
) -> Iterator[PreparedVocal]:
    """Writes ``songs/NAME/vocal.flac`` and ``beat.flac``, and the manifest after each song.

    What the manifest of an earlier run holds, made of the same files with the same settings, is
    kept: a preparation that was ended goes on.

    Args:
        asked: What is asked for.
        report: Called with the name of each song as it begins.

    Raises:
        InputError: A source cannot be read or holds no vocals.
        OutputError: The folder cannot be written, or is no folder of prepared data.
        UsageError: Two songs have one name, or a program is missing.
    """
    sources = _sources(asked)
    manifest = _read_manifest(asked.folder)
    done: dict[str, Any] = {entry["name"]: entry for entry in manifest}
    for source in sources:
        report(source.name)
        made_of = _made_of(source, asked)
        old = done.get(source.name)
        if old is not None and old["made_of"] == made_of and _is_whole(old, asked.folder):
            yield PreparedVocal(name=source.name, kept=True, left_out=old["left_out"])
            continue
        entry = _prepared(source, asked, made_of)
        done[source.name] = entry
        _write_manifest(asked.folder, [done[name] for name in sorted(done)])
        yield PreparedVocal(name=source.name, kept=False, left_out=entry["left_out"])


def _sources(asked: Preparation) -> list[VocalSource]:
    found: list[VocalSource] = []
    for root in asked.sources:
        some = vocal_sources(root, asked.separator)
        found += name_apart(some, root.resolve().name) if len(asked.sources) > 1 else some
    names = [source.name for source in found]
    if doubled := {name for name in names if names.count(name) > 1}:
        raise UsageError(f"two songs are named {printable(min(doubled))}; rename one")
    return found


def _made_of(source: VocalSource, asked: Preparation) -> dict[str, Any]:
    """What decides the result, so that a later run knows whether it is the same."""
    response = _response(source, asked)
    return {
        "files": {path.name: sha256(path) for path in source.files},
        "response": sha256(response) if response else "",
        "raw": asked.raw,
        "wet": asked.wet,
        "seed": asked.seed,
        "separated": asked.separator is not None,
    }


def _response(source: VocalSource, asked: Preparation) -> Path | None:
    if asked.responses is None:
        return None
    found = sorted(asked.responses.glob(f"{Path(source.name).name}.*"))
    return found[0] if found else None


def _is_whole(entry: dict[str, Any], folder: Path) -> bool:
    return all((folder / file["file"]).is_file() for file in entry["files"])


def _prepared(source: VocalSource, asked: Preparation, made_of: dict[str, Any]) -> dict[str, Any]:
    pair = source.open()
    level_lu, range_lu = measure_pair(pair)
    entry: dict[str, Any] = {
        "name": source.name,
        "group": source.group,
        "made_of": made_of,
        "level_lu": round(level_lu, 3) if np.isfinite(level_lu) else None,
        "loudness_range_lu": round(range_lu, 3),
        "left_out": "",
        "files": [],
    }
    if level_lu not in LEVELS_LU or range_lu not in RANGES_LU:
        entry["left_out"] = f"vocal at {level_lu:.1f} LU, loudness range {range_lu:.1f} LU"
        return entry
    place = f"songs/{source.name}"
    peak = max(float(np.abs(side.samples).max()) for side in (pair.vocal, pair.backing))
    for name, audio in (("vocal", pair.vocal), ("beat", pair.backing), (RAW, pair.raw)):
        if audio is None:
            continue
        if name != RAW and peak > CEILING:  # both alike, so that the level between them stays
            audio = Audio(audio.samples * (CEILING / peak), RATE_HZ)
        entry["files"].append(_written(audio, asked.folder, f"{place}/{name}.flac"))
    rng = np.random.default_rng((asked.seed, *source.name.encode()))
    for number in range(1, asked.raw + 1):
        gains = draw_sparse_gains_db(rng)
        file = f"raw/{source.name}-{number:03d}.flac"
        written = _written(equalize_vocal(pair.vocal, gains), asked.folder, file)
        entry["files"].append({**written, "gains_db": gains})
    for number in range(1, asked.wet + 1):
        reverb = draw_reverb(rng)
        file = f"wet/{source.name}-{number:03d}.flac"
        written = _written(reverberate_vocal(pair.raw or pair.vocal, reverb), asked.folder, file)
        entry["files"].append({**written, "reverb": asdict(reverb)})
    response_file = _response(source, asked)
    if response_file is not None:
        audio = Audio(_whole(response_file), RATE_HZ)
        match = match_reverb(audio.samples, RATE_HZ, seed=asked.seed)
        entry["matched_reverb"] = asdict(match.settings)
        entry["matched_distance_db"] = round(match.distance_db, 3)
    return entry


def _whole(path: Path) -> Any:
    from automix.audio.blocks import collect
    from automix.audio.resampling import resample

    return collect(resample(open_audio(path).source, RATE_HZ)).samples


def measure_pair(pair: VocalPair) -> tuple[float, float]:
    """Loudness of the vocal minus that of the backing, and its loudness range, in LU."""
    energies = []
    for audio in (pair.vocal, pair.backing):
        meter = LoudnessMeter(RATE_HZ, 2)
        for block in audio.blocks():
            meter.add(np.broadcast_to(block, (2, block.shape[1])))
        energies.append(meter.energies)
    range_lu = loudness_range_lu(energies[0], PAPER.loudness_range_window_s)
    return integrated_lufs(energies[0]) - integrated_lufs(energies[1]), range_lu


def _written(audio: Audio, folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    with OutputTarget.reserve(path, overwrite=True) as target:
        target.write_audio(
            below_full_scale(audio.samples, audio.sample_rate), bits="24", dither=False
        )
    return {"file": name, "sha256": sha256(path)}


def _read_manifest(folder: Path) -> list[dict[str, Any]]:
    path = folder / PREPARED
    with report_write_failures(folder):
        if not path.is_file():
            if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                raise OutputError(
                    f"{printable(folder)}: is no folder of prepared vocals; choose another"
                )
            return []
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["format"] == FORMAT:
                found: list[dict[str, Any]] = content["songs"]
                return found
        except (ValueError, KeyError, TypeError):
            pass
    raise OutputError(
        f"{printable(path)}: is not a manifest of this version; choose another folder"
    )


def _write_manifest(folder: Path, songs: list[dict[str, Any]]) -> None:
    path = folder / PREPARED
    text = json.dumps({"format": FORMAT, "songs": songs}, indent=1)
    with report_write_failures(path):
        folder.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".part")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
