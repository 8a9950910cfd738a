"""A synthesized song, so that everything can be tried with no file at hand.

The instruments and the voice that play it stand in `automix.sound`.
"""

from dataclasses import dataclass

import numpy as np

from automix.audio.samples import Audio
from automix.demo.compose import compose
from automix.demo.rough_mix import mix_backing
from automix.sound.chance import make_generator
from automix.sound.filters import Signal, fade_ends
from automix.sound.performance import (
    record_band,
    record_drums,
    record_voices,
    render_kit,
)
from automix.units import db_to_gain

CEILING_DBFS = -1.0
TRACK_LEVEL_DBFS = -27.0
"""RMS of a track while it plays, before its offset."""

FADE_OUT_S = 0.4
"""Length of the fade at the end of every track."""

OFFSET_DB = 12.0
"""Largest offset of a track's level, ±."""

BACKING_VOCAL_END_S = 26.0
"""The backing vocal's file ends where its part does."""


@dataclass(frozen=True, kw_only=True)
class DemoSong:
    """A synthesized song: what `automix demo` writes.

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
        recorded[name] = fade_ends(track, sample_rate, 0.0, FADE_OUT_S)
    beat = mix_backing(recorded, sample_rate, seed)
    vocal = recorded["lead vocal"] * db_to_gain(-3.0) / np.abs(recorded["lead vocal"]).max()
    end = round(BACKING_VOCAL_END_S * sample_rate)
    recorded["backing vocal"] = fade_ends(
        recorded["backing vocal"][:end], sample_rate, 0.0, FADE_OUT_S
    )
    return DemoSong(
        tempo_bpm=score.tempo_bpm,
        vocal=Audio(vocal.astype(np.float32), sample_rate),
        beat=Audio(beat.astype(np.float32), sample_rate),
        tracks={
            name: Audio(track.astype(np.float32), sample_rate)
            for name, track in _unbalance(recorded, seed).items()
        },
    )


def _unbalance(recorded: dict[str, Signal], seed: int) -> dict[str, Signal]:
    """Sets tracks to one level plus offsets, spread over ±`OFFSET_DB` and dealt out at random."""
    rng = make_generator(seed, "levels")
    offsets_db = rng.permutation(np.linspace(-OFFSET_DB, OFFSET_DB, len(recorded)))
    result = {}
    for (name, track), offset_db in zip(recorded.items(), offsets_db, strict=True):
        power = np.mean(np.square(track[np.abs(track) > 1e-3 * np.abs(track).max()]))
        gain = db_to_gain(TRACK_LEVEL_DBFS + offset_db) / np.sqrt(power)
        result[name] = track * min(gain, db_to_gain(CEILING_DBFS) / np.abs(track).max())
    return result
