"""One synthetic song, from its seed to its folder."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from automix.analysis.program import measure
from automix.analysis.readings import Loudness
from automix.audio.samples import Audio
from automix.consoles.exact import ExactConsole, apply_master
from automix.files.target import OutputTarget
from automix.mixing.mix import Mix, Targets, deliver
from automix.plan.model import SYNTHETIC
from automix.plan.toml import dumps
from automix.session.blank_plan import make_blank_plan
from automix.session.tracks import TrackFile, open_session
from automix.synthesis.arrangement import Arrangement, arrange
from automix.synthesis.engines import EngineChoice
from automix.synthesis.recording import RawTrack, record
from automix.synthesis.target import write_target
from automix.version import __version__

SAMPLE_RATE = 44100
_KEYS = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")


@dataclass(frozen=True, kw_only=True)
class SyntheticSongRequest:
    """The synthetic song that is asked for.

    Attributes:
        seed: Seed of the collection.
        number: Number of the song, from 1. A song does not depend on the others.
        duration_s: Length of the song; none draws one from 20 … 40 s.
        choice: Engine that plays the instruments.
    """

    seed: int
    number: int
    duration_s: float | None
    choice: EngineChoice

    def fingerprint(self) -> str:
        """Computes a text that is the same for requests that give the same song."""
        told = (self.seed, self.number, self.duration_s, self.choice.name, __version__)
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    def rng(self, purpose: str) -> np.random.Generator:
        """Makes a random generator for one purpose, independent of those for others."""
        return np.random.default_rng((self.seed, self.number, *purpose.encode()))


def compose_song(request: SyntheticSongRequest) -> Arrangement:
    """Writes the score of a song."""
    return arrange(request.rng("arrangement"), request.duration_s)


def record_song(request: SyntheticSongRequest, song: Arrangement, folder: Path) -> list[RawTrack]:
    """Records the raw tracks of a song.

    Args:
        request: The song that is asked for.
        song: Score of the song.
        folder: Folder for temporary files of the engine.

    Raises:
        DeviceError: FluidSynth fails.
        OutputError: The folder has no room.
    """
    frames = round(song.form.duration_s * SAMPLE_RATE)
    seed = int(request.rng("recording").integers(2**31))
    engine = request.choice.start(folder, frames, SAMPLE_RATE, seed)
    return record(song, engine, frames, SAMPLE_RATE, seed)


def write_song(request: SyntheticSongRequest, folder: Path) -> dict[str, Any]:
    """Writes ``*.wav``, ``mix.wav`` and ``mix.toml`` to an empty folder.

    Args:
        request: The song that is asked for.
        folder: The folder.

    Returns:
        Facts about the song for people and JSON: ``style``, ``tempo_bpm``, ``key``,
        ``duration_s``, the role of each of the ``tracks``, ``mix_lufs``, ``mix_true_peak_dbtp``.

    Raises:
        DeviceError: FluidSynth fails.
        OutputError: The folder has no room, or cannot be written.
    """
    song = compose_song(request)
    tracks = record_song(request, song, folder)
    for track in tracks:
        _write_audio(folder / f"{track.name}.wav", track.audio)
    loudness = _write_mix(request, song, tracks, folder)
    return {
        "style": song.style.name,
        "tempo_bpm": song.form.tempo_bpm,
        "key": f"{_KEYS[song.form.tonic]} {song.form.mode}",
        "duration_s": round(song.form.duration_s, 3),
        "tracks": {track.name: track.role for track in tracks},
        "mix_lufs": round(loudness.integrated_lufs, 2),
        "mix_true_peak_dbtp": round(loudness.true_peak_dbtp, 2),
    }


def _write_mix(
    request: SyntheticSongRequest, song: Arrangement, tracks: Sequence[RawTrack], folder: Path
) -> Loudness:
    """Mixes the files of the tracks, as `automix render` will, and writes mix and plan."""
    session = open_session(
        [TrackFile(name=t.name, role=t.role, path=folder / f"{t.name}.wav") for t in tracks]
    )
    blank = replace(
        make_blank_plan(session, method=SYNTHETIC, preset=song.style.name, seed=request.seed),
        request=request.fingerprint(),
    )
    plan, premaster = write_target(
        ExactConsole(session), blank, tracks, song.style.levels_db, request.rng("mixing")
    )
    mix = Mix(
        plan=plan,
        session=session,
        premaster=premaster,
        source=apply_master(premaster, plan.master),
        levels={},
        sum_lufs=measure(premaster).integrated_lufs,
        warnings=(),
        stems={},
    )
    with OutputTarget.reserve(folder / "mix.wav") as target:
        delivered = deliver(mix, Targets(mix=target), "24")
    with OutputTarget.reserve(folder / "mix.toml") as target:
        # Not the first line of other plans: readers of song folders take a mix beside such a plan
        # for one of their own making and leave it out, but this one is the human mix.
        target.write_text(f"# The mix of {_describe(request, song)}.\n{dumps(delivered.plan)}")
    return delivered.loudness


def _write_audio(path: Path, audio: Audio) -> None:
    with OutputTarget.reserve(path) as target:
        target.write_audio(audio, bits="24")


def _describe(request: SyntheticSongRequest, song: Arrangement) -> str:
    form = song.form
    return (
        f"synthetic song {request.number} of seed {request.seed}: {song.style.name},"
        f" {form.tempo_bpm:g} BPM, {_KEYS[form.tonic]} {form.mode}, {request.choice.name}"
    )
