"""Prepares vocals and backings to train on, with a manifest of what they are made of (III-A)."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from automix.analysis.loudness import LoudnessMeter, integrated_lufs, loudness_range_lu
from automix.audio.samples import Audio
from automix.errors import InputError, OutputError, UsageError
from automix.evaluation.vocal_copies import (
    CEILING,
    draw_reverb,
    draw_sparse_gains_db,
    equalize_vocal,
    limit_peak,
    reverberate_vocal,
)
from automix.files.disk import report_write_failures, sha256
from automix.files.names import printable
from automix.files.reading import open_audio
from automix.files.state import digest
from automix.files.target import OutputTarget
from automix.files.text import read_json
from automix.inputs import read_outputs
from automix.methods.vocal.settings import PAPER
from automix.networks.vocal_cnn_description import LEVELS_LU, RANGES_LU
from automix.training.vocal.preparation.reverb_matching import match_reverb
from automix.training.vocal.preparation.separation import Separator
from automix.training.vocal.preparation.sources import (
    RATE_HZ,
    VocalPair,
    VocalSource,
    add_set_name,
    find_vocals,
)
from automix.training.vocal.sources import PREPARED, RAW

FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class VocalPreparation:
    """A preparation of vocals as it is asked for.

    Attributes:
        sources: Folders of songs.
        folder: Folder that the data are written to.
        raw: Number of randomly equalized copies of each vocal.
        wet: Number of copies of each vocal with known random reverbs.
        responses: Folder of impulse responses, named as the songs, that are matched to the reverb.
        separator: Separates finished songs; without it, the sources hold vocals and backings.
        seed: Decides everything that is drawn.
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
    """The result for one song.

    Attributes:
        name: Name of the song.
        kept: Whether it was there already, made of the same files.
        left_out: Why the song is an outlier; empty if it is none.
    """

    name: str
    kept: bool
    left_out: str


def prepare_vocals(
    request: VocalPreparation, report: Callable[[str], None] = lambda song: None
) -> Iterator[PreparedVocal]:
    """Writes ``songs/NAME/vocal.flac`` and ``beat.flac``, and the manifest after each song.

    What the manifest of an earlier run holds, made of the same files with the same settings, is
    kept: a preparation that was ended goes on.

    Args:
        request: The preparation that is asked for.
        report: Called with the name of each song as it begins.

    Raises:
        InputError: A source cannot be read or holds no vocals.
        OutputError: The folder cannot be written, or is no folder of prepared data.
        UsageError: Two songs have one name, or a program is missing.
    """
    sources = _find_sources(request)
    manifest = _read_manifest(request.folder)
    done: dict[str, Any] = {entry["name"]: entry for entry in manifest}
    for source in sources:
        report(source.name)
        made_of = _describe_origin(source, request)
        old = done.get(source.name)
        if old is not None and old["made_of"] == made_of and _is_whole(old, request.folder):
            yield PreparedVocal(name=source.name, kept=True, left_out=old["left_out"])
            continue
        entry = _prepare_song(source, request, made_of)
        done[source.name] = entry
        _write_manifest(request.folder, [done[name] for name in sorted(done)])
        yield PreparedVocal(name=source.name, kept=False, left_out=entry["left_out"])


def _find_sources(request: VocalPreparation) -> list[VocalSource]:
    """All songs, each with a name of its own."""
    found: list[VocalSource] = []
    for root in request.sources:
        some = find_vocals(root, request.separator)
        found += add_set_name(some, root.resolve().name) if len(request.sources) > 1 else some
    names = [source.name for source in found]
    if doubled := {name for name in names if names.count(name) > 1}:
        raise UsageError(f"two songs are named {printable(min(doubled))}; rename one")
    return found


def _describe_origin(source: VocalSource, request: VocalPreparation) -> dict[str, Any]:
    """Everything that decides the result, by which a later run knows whether it is the same."""
    response = _find_response(source, request)
    return {
        "files": {path.name: sha256(path) for path in source.files},
        "response": sha256(response) if response else "",
        "raw": request.raw,
        "wet": request.wet,
        "seed": request.seed,
        "separated": request.separator is not None,
    }


def _find_response(source: VocalSource, request: VocalPreparation) -> Path | None:
    """The impulse response that is named as the song, if there is one."""
    if request.responses is None:
        return None
    found = sorted(request.responses.glob(f"{Path(source.name).name}.*"))
    return found[0] if found else None


def _is_whole(entry: dict[str, Any], folder: Path) -> bool:
    try:
        return all(digest(folder / file["file"]) == file["sha256"] for file in entry["files"])
    except OSError:
        return False


def _prepare_song(
    source: VocalSource, request: VocalPreparation, made_of: dict[str, Any]
) -> dict[str, Any]:
    """Writes the files of a song and returns its entry in the manifest."""
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
        entry["files"].append(_write_audio(audio, request.folder, f"{place}/{name}.flac"))
    rng = np.random.default_rng((request.seed, *source.name.encode()))
    for number in range(1, request.raw + 1):
        gains = draw_sparse_gains_db(rng)
        file = f"raw/{source.name}-{number:03d}.flac"
        file_entry = _write_audio(equalize_vocal(pair.vocal, gains), request.folder, file)
        entry["files"].append({**file_entry, "gains_db": gains})
    for number in range(1, request.wet + 1):
        reverb = draw_reverb(rng)
        file = f"wet/{source.name}-{number:03d}.flac"
        file_entry = _write_audio(
            reverberate_vocal(pair.raw or pair.vocal, reverb), request.folder, file
        )
        entry["files"].append({**file_entry, "reverb": asdict(reverb)})
    response_file = _find_response(source, request)
    if response_file is not None:
        audio = Audio(_read_whole(response_file), RATE_HZ)
        match = match_reverb(audio.samples, RATE_HZ, seed=request.seed)
        entry["matched_reverb"] = asdict(match.settings)
        entry["matched_distance_db"] = round(match.distance_db, 3)
    return entry


def _read_whole(path: Path) -> Any:
    from automix.audio.blocks import collect
    from automix.audio.resampling import resample

    return collect(resample(open_audio(path).source, RATE_HZ)).samples


def measure_pair(pair: VocalPair) -> tuple[float, float]:
    """Measures the loudness of the vocal minus that of the backing, and its range, in LU."""
    energies = []
    for audio in (pair.vocal, pair.backing):
        meter = LoudnessMeter(RATE_HZ, 2)
        for block in audio.blocks():
            meter.add(np.broadcast_to(block, (2, block.shape[1])))
        energies.append(meter.energies)
    range_lu = loudness_range_lu(energies[0], PAPER.loudness_range_window_s)
    return integrated_lufs(energies[0]) - integrated_lufs(energies[1]), range_lu


def _write_audio(audio: Audio, folder: Path, name: str) -> dict[str, Any]:
    """Writes a file and returns its entry in the manifest."""
    path = folder / name
    with OutputTarget.reserve(path, overwrite=True) as target:
        target.write_audio(limit_peak(audio.samples, audio.sample_rate), bits="24", dither=False)
    return {"file": name, "sha256": digest(path)}


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
            with read_outputs():
                content = read_json(path)
            if content["format"] == FORMAT:
                found: list[dict[str, Any]] = content["songs"]
                return found
        except (InputError, KeyError, TypeError):
            pass
    raise OutputError(
        f"{printable(path)}: is not a manifest of this version; choose another folder"
    )


def _write_manifest(folder: Path, songs: list[dict[str, Any]]) -> None:
    path = folder / PREPARED
    text = json.dumps({"format": FORMAT, "songs": songs}, indent=1)
    with OutputTarget.reserve(path, overwrite=True) as target:
        target.write_text(text)
