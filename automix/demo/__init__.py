"""A seeded, synthesized song, so that everything can be tried with no file at hand."""

from dataclasses import dataclass

import numpy as np

from automix.audio.samples import Audio
from automix.demo.compose import compose
from automix.demo.rough_mix import mix_backing
from automix.sound.filters import Signal, fade_ends
from automix.sound.performance import (
    generator,
    record_band,
    record_drums,
    record_voices,
    render_kit,
)
from automix.units import db_to_gain

CEILING_DBFS = -1.0
TRACK_LEVEL_DBFS = -27.0
"""RMS of a track while it plays, before its offset."""

OFFSET_DB = 12.0
"""Largest offset of a track's level, ±."""

BACKING_VOCAL_END_S = 26.0
"""The backing vocal's file ends where its part does."""


@dataclass(frozen=True, kw_only=True)
class DemoSong:
    """A demo song.

    Attributes:
        tempo_bpm: Quarter notes per minute.
        vocal: Dry lead voice, mono.
        beat: Finished backing without the lead voice, stereo, as long as the vocal.
        tracks: Raw multitrack recording by track name, at deliberately unbalanced levels.
    """

    tempo_bpm: float
    vocal: Audio
    beat: Audio
    tracks: dict[str, Audio]


def synthesize_demo(seed: int = 0, sample_rate: int = 44100) -> DemoSong:
    """Composes and plays a song of 30 s.

    Args:
        seed: Chooses key, chords, groove, melody, performance and levels. The same seed gives the
            same samples.
        sample_rate: Frames per second, 8000 or more.
    """
    score = compose(seed)
    frames = round(score.duration_s * sample_rate)
    pieces = render_kit(score.drums, frames, seed, sample_rate)
    recorded = record_drums(pieces, seed, sample_rate)
    recorded |= record_band(score, frames, seed, sample_rate)
    recorded |= record_voices(score, seed, sample_rate)
    for name, track in recorded.items():
        recorded[name] = _ended(track, sample_rate)
    beat = mix_backing(recorded, sample_rate, seed)
    vocal = recorded["lead vocal"] * db_to_gain(-3.0) / np.abs(recorded["lead vocal"]).max()
    end = round(BACKING_VOCAL_END_S * sample_rate)
    recorded["backing vocal"] = _ended(recorded["backing vocal"][:end], sample_rate)
    return DemoSong(
        tempo_bpm=score.tempo_bpm,
        vocal=Audio(vocal.astype(np.float32), sample_rate),
        beat=Audio(beat.astype(np.float32), sample_rate),
        tracks={
            name: Audio(track.astype(np.float32), sample_rate)
            for name, track in _unbalanced(recorded, seed).items()
        },
    )


def _ended(track: Signal, sample_rate: int) -> Signal:
    """Faded out over the last 0.4 s."""
    fade = fade_ends(np.ones(track.shape[-1]), sample_rate, 0.0, 0.4)
    return track * fade


def _unbalanced(recorded: dict[str, Signal], seed: int) -> dict[str, Signal]:
    """Equal levels, plus offsets spread evenly over ±`OFFSET_DB` and dealt out at random."""
    rng = generator(seed, "levels")
    offsets_db = rng.permutation(np.linspace(-OFFSET_DB, OFFSET_DB, len(recorded)))
    result = {}
    for (name, track), offset_db in zip(recorded.items(), offsets_db, strict=True):
        power = np.mean(np.square(track[np.abs(track) > 1e-3 * np.abs(track).max()]))
        gain = db_to_gain(TRACK_LEVEL_DBFS + offset_db) / np.sqrt(power)
        result[name] = track * min(gain, db_to_gain(CEILING_DBFS) / np.abs(track).max())
    return result
