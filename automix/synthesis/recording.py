"""Records every track of an arrangement, dry, at a random level."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from automix.analysis.program import measure
from automix.audio.samples import Audio
from automix.dsp.equalizer import Equalizer
from automix.parallel.workers import run_in_parallel
from automix.plan.roles import Role
from automix.plan.settings import EqualizerBand, EqualizerSettings
from automix.session.roles.recognition import read_role
from automix.sound.filters import Signal, fade_ends, filter_signal, high_pass, low_pass, make_noise
from automix.sound.instruments import amplify_guitar
from automix.sound.score import Hit
from automix.sound.voice import sing
from automix.synthesis.arrangement import ArrangedPart, Arrangement
from automix.synthesis.engines import Engine
from automix.synthesis.kit import Take, record_kit
from automix.synthesis.singing import VoicePart
from automix.units import db_to_gain, gain_to_db

LEVEL_LUFS = -29.0
"""Loudness of a raw track before the random offset of its level."""

OFFSET_DB = 12.0
"""Largest offset of a raw track's level, ±."""

CEILING_DBFS = -1.0

NOISE_DB = (-85.0, -55.0)
"""Least and most noise of microphones and amplifiers, relative to the peak of their track."""

_WITHOUT_NOISE = frozenset[Role](("synth", "pad", "fx", "keys", "organ"))


@dataclass(frozen=True, kw_only=True, eq=False)
class RawTrack:
    """A recorded track.

    Attributes:
        name: Name of the track.
        role: Role that the name tells.
        audio: Mono or stereo audio.
        double_of: The track that it doubles, or none.
        lead: Whether it leads the song.
        second: Whether it is a second microphone at the same source.
        inverted: Whether its polarity is opposite to that of the first microphone.
        coloration: Bands of an equalizer that stands for room, microphone and distance.
    """

    name: str
    role: Role
    audio: Audio
    double_of: str | None = None
    lead: bool = False
    second: bool = False
    inverted: bool = False
    coloration: tuple[EqualizerBand, ...] = ()


def record(
    song: Arrangement, engine: Engine, frames: int, sample_rate: int, seed: int
) -> list[RawTrack]:
    """Plays and records a song.

    Args:
        song: Score of the song.
        engine: Engine that plays the instruments.
        frames: Length of every track.
        sample_rate: Frames per second.
        seed: Seed of voices, rooms and levels.

    Raises:
        DeviceError: The engine fails.
        OutputError: There is no room for the engine's temporary files.
    """
    work: list[Callable[[], list[Take]]] = []
    if song.drums is not None:
        work.append(partial(record_kit, song.drums, engine, sample_rate, seed))
    work += [partial(_percussion, name, hits, engine, seed) for name, hits in song.percussion]
    work += [partial(_instrument, part, engine, sample_rate) for part in song.parts]
    work += [partial(_voice, voice, frames, sample_rate, seed) for voice in song.voices]
    takes = [take for some in run_in_parallel(lambda play: play(), work) for take in some]
    takes = [take for take in takes if float(np.abs(take.signal).max()) > 1e-5]
    names = [take.name for take in takes]

    def finish(take: Take) -> RawTrack:
        said = read_role(take.name, names)
        rng = np.random.default_rng((seed, 2, *take.name.encode()))
        return _finish(take, said.role if said else "other", names, frames, sample_rate, rng)

    return run_in_parallel(finish, takes)


def _finish(
    take: Take,
    role: Role,
    names: Sequence[str],
    frames: int,
    sample_rate: int,
    rng: np.random.Generator,
) -> RawTrack:
    """Makes of a take what the recorder gets: colored, with a little noise, at any level."""
    coloration = _draw_coloration(rng)
    signal = np.atleast_2d(take.signal[..., :frames])
    signal = signal / float(np.abs(signal).max())
    if take.acoustic and role not in _WITHOUT_NOISE:
        level = db_to_gain(rng.uniform(*NOISE_DB)) / 2.0
        hiss = np.stack([make_noise(rng, frames, sample_rate) for _ in signal])
        signal = signal + level * np.stack(
            [filter_signal(side, sample_rate, low_pass(4000.0)) for side in hiss]
        )
    equalizer = Equalizer(EqualizerSettings(bands=coloration), sample_rate, len(signal))
    signal = equalizer.process(_trim(signal, sample_rate).astype(np.float64))
    return RawTrack(
        name=take.name,
        role=role,
        audio=_set_level(signal, sample_rate, rng),
        double_of=take.double_of if take.double_of in names else None,
        lead=take.lead,
        second=take.second,
        inverted=take.inverted,
        coloration=coloration,
    )


def _draw_coloration(rng: np.random.Generator) -> tuple[EqualizerBand, ...]:
    """Draws up to two broad bands, such as boxiness or a dull microphone."""
    return tuple(
        EqualizerBand(
            kind="peak",
            frequency_hz=float(120.0 * (8000.0 / 120.0) ** rng.uniform()),
            gain_db=float(rng.choice((-1.0, 1.0)) * rng.uniform(1.5, 5.0)),
            q=float(rng.uniform(0.5, 1.4)),
        )
        for _ in range(int(rng.choice((0, 1, 2), p=(0.4, 0.35, 0.25))))
    )


def _instrument(part: ArrangedPart, engine: Engine, sample_rate: int) -> list[Take]:
    stereo = engine.play(part.notes, part.instrument, part.program)
    signal = stereo if part.stereo else stereo.mean(axis=0)
    if part.drive:
        signal = signal / max(float(np.abs(signal).max()), 1e-9)
        signal = amplify_guitar(signal, sample_rate, part.drive)
    return [Take(name=part.name, signal=signal, double_of=part.double_of, lead=part.lead)]


def _voice(voice: VoicePart, frames: int, sample_rate: int, seed: int) -> list[Take]:
    rng = np.random.default_rng((seed, 3, *voice.name.encode()))
    duration_s = frames / sample_rate
    sung = [s for s in voice.syllables if s.note.start_s < duration_s - 0.3]
    signal = sing(sung, duration_s, rng, sample_rate, voice.singer)
    return [Take(name=voice.name, signal=signal, double_of=voice.double_of, lead=voice.lead)]


def _percussion(name: str, hits: Sequence[Hit], engine: Engine, seed: int) -> list[Take]:
    stereo = engine.strike(hits, 0)
    rng = np.random.default_rng((seed, 4, *name.encode()))
    return [Take(name=name, signal=stereo if rng.random() < 0.25 else stereo.mean(axis=0))]


def _trim(signal: Signal, sample_rate: int) -> Signal:
    """Takes rumble from a signal ``(channels, frames)``, and fades both ends."""
    clean = np.stack([filter_signal(side, sample_rate, high_pass(12.0)) for side in signal])
    return fade_ends(clean, sample_rate, 0.01, 0.5)


def _set_level(signal: Signal, sample_rate: int, rng: np.random.Generator) -> Audio:
    """Sets the loudness to `LEVEL_LUFS` ± `OFFSET_DB` at random, below the ceiling."""
    offset_db = rng.uniform(-OFFSET_DB, OFFSET_DB)
    whole = signal / float(np.abs(signal).max())
    lufs = measure(Audio(whole.astype(np.float32), sample_rate)).integrated_lufs
    if not np.isfinite(lufs):  # too short for a meter with a gate
        lufs = gain_to_db(float(np.sqrt(np.mean(whole**2))))
    gain = min(db_to_gain(LEVEL_LUFS + offset_db - lufs), db_to_gain(CEILING_DBFS))
    return Audio((gain * whole).astype(np.float32), sample_rate)
