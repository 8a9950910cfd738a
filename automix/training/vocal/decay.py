"""Stretches of vocals with a known reverb, for the network that measures how a vocal decays."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from automix.audio.samples import Samples
from automix.dsp.fdn_reverb import response_to_mono
from automix.networks.vocal_cnn import cut_blocks
from automix.networks.vocal_cnn_description import VocalCnnDescription
from automix.networks.vocal_mel import (
    HOP_LENGTH,
    RATE_HZ,
    Pair,
    mark_singing,
    measure_mono_spectra,
    pair_spectra,
)
from automix.plan.settings import FdnReverbSettings
from automix.training.vocal.settings import VocalTraining
from automix.training.vocal.sources import VocalSong

_RESPONSE_S = 4.0
_TAIL_S = 3.5
_LARGEST_SPEED = 1.5
_TRIES = 6


def make_decay_blocks(
    songs: Sequence[VocalSong],
    reverb: FdnReverbSettings,
    settings: VocalTraining,
    rng: np.random.Generator,
) -> list[Tensor]:
    """Makes one block ``(2, 16, frames)`` of a stretch of each song, its vocal with a reverb.

    Some stretches are played faster or slower before, as other singers in another tempo; some have
    been mixed before, or been in a room; after some, the reverb dies away.
    """
    response = response_to_mono(reverb, RATE_HZ, longest_s=_RESPONSE_S).mean(axis=0)
    longest = round((_LARGEST_SPEED * settings.longest_s + _TAIL_S) * RATE_HZ) + len(response)
    size = -(-longest // 2**16) * 2**16
    spectrum = np.fft.rfft(response.astype(np.float32), size)
    blocks = []
    for song in songs:
        dry = _draw_stretch(song, settings, rng)
        end = len(dry) + (round(_TAIL_S * RATE_HZ) if rng.random() < settings.tails else 0)
        found = np.fft.rfft(dry, size) * spectrum
        if rng.random() < settings.rooms:
            found *= np.fft.rfft(_draw_room_response(rng), size)
        wet = np.fft.irfft(found, size)[:end].astype(np.float32)
        frames = measure_mono_spectra([wet])
        blocks.append(_cut_block(pair_spectra(frames, frames), song, settings.model))
    return blocks


def _cut_block(pair: Pair, song: VocalSong, model: VocalCnnDescription) -> Tensor:
    """The block ``(2, 16, frames)`` of a vocal, or of the whole song's if that vocal is silent."""
    if not (pair.level_db > model.gate_db).any():  # silence, however it was drawn
        pair = pair_spectra(song.vocal, song.backing)
    return cut_blocks(pair, model)[0]


def _draw_stretch(song: VocalSong, settings: VocalTraining, rng: np.random.Generator) -> Samples:
    """Samples ``(samples,)`` of a vocal, from the place of some that has the largest part sung."""
    samples = song.finished if rng.random() < settings.finished else song.dry
    length = round(rng.uniform(settings.shortest_s, settings.longest_s) * RATE_HZ)
    marks = mark_singing(song.vocal).numpy()
    starts = rng.integers(max(1, len(samples) - length), size=_TRIES)
    shares = [marks[s // HOP_LENGTH : (s + length) // HOP_LENGTH].mean() for s in starts]
    start = int(starts[int(np.argmax(np.nan_to_num(shares)))])
    return _change_speed(samples[start : start + length], settings.speed_octaves, rng)


def _draw_room_response(rng: np.random.Generator) -> Samples:
    """Impulse response of a room or echo that a vocal was recorded in: noise that dies away."""
    time_s = float(np.exp(rng.uniform(np.log(0.2), np.log(2.0))))
    time = np.arange(round(time_s * RATE_HZ)) / RATE_HZ
    noise = rng.standard_normal(len(time)) * 10.0 ** (-3.0 * time / time_s)
    under_direct_db = rng.uniform(0.0, 18.0)
    delay = int(rng.uniform(0.005, 0.12) * RATE_HZ)
    response = np.zeros(delay + len(noise), np.float32)
    response[0] = 1.0
    response[delay:] = noise * 10.0 ** (-under_direct_db / 20.0) / np.linalg.norm(noise)
    return response


def _change_speed(
    samples: NDArray[np.float16], spread_octaves: float, rng: np.random.Generator
) -> Samples:
    """Samples played faster or slower by a random number of octaves."""
    largest = np.log2(_LARGEST_SPEED)
    octaves = np.clip(spread_octaves * rng.standard_normal(), -largest, largest)
    places = np.arange(0.0, len(samples) - 1.0, 2.0**octaves)
    return np.interp(places, np.arange(len(samples)), samples).astype(np.float32)
