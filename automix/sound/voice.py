"""A singing voice: vocal folds, breath, a vocal tract that moves with the words, and consonants.

Source and filter as in Fant, "Acoustic Theory of Speech Production", 1960: a pulse wave with
vibrato and jitter plus breath noise passes the resonances of a tube, whose lowest three follow the
phonemes. The filter is applied frame by frame in the frequency domain.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from automix.sound.filters import (
    Signal,
    Spectrum,
    add_at,
    band_pass,
    fade_ends,
    filter_signal,
    high_pass,
    low_pass,
    make_noise,
    peak,
)
from automix.sound.phonemes import PHONEMES, Phoneme
from automix.sound.score import Note, Syllable

CONTROL_HZ = 250.0
"""Values per second of the control curves."""

FRAME_HZ = 86.0
"""Filter frames per second, about: the exact rate makes their length a power of two."""

TRACT_LEVEL = 0.12


@dataclass(frozen=True, kw_only=True, slots=True)
class Singer:
    """What makes one singing voice unlike another.

    Attributes:
        tract_scale: Factor of the formant frequencies; 1 is an average woman, 0.87 an average man.
        breath_db: Level of the breath in a vowel, relative to the vocal folds.
        vibrato_cents: Depth of a full vibrato, ±.
        vibrato_hz: Rate of the vibrato.
        dynamics_db: Difference in level between the strongest and the weakest note.
    """

    tract_scale: float = 1.0
    breath_db: float = -21.0
    vibrato_cents: float = 35.0
    vibrato_hz: float = 5.7
    dynamics_db: float = 22.0


@dataclass(slots=True)
class _Controls:
    """Control curves of a voice, `CONTROL_HZ` values per second.

    Attributes:
        pitch: MIDI note number ``(steps,)``, 0 where nothing is sung.
        folds: Level of the vocal folds ``(steps,)``.
        breath: Level of the breath ``(steps,)``.
        effort: Vocal effort 0 … 1 ``(steps,)``; more of it sounds brighter.
        formants_hz: The three moving formants ``(3, steps)``.
    """

    pitch: Signal
    folds: Signal
    breath: Signal
    effort: Signal
    formants_hz: Signal


def sing(
    syllables: Sequence[Syllable],
    duration_s: float,
    rng: np.random.Generator,
    sample_rate: int,
    singer: Singer,
) -> Signal:
    """Sings the syllables, dry.

    Args:
        syllables: Syllables in order of time; none begins before the one before has ended.
        duration_s: Length of the result.
        rng: Generator of vibrato, jitter and breath.
        sample_rate: Frames per second.
        singer: The voice.

    Returns:
        Sound ``(frames,)``; vowels of full velocity peak near ±1.
    """
    frames = round(duration_s * sample_rate)
    steps = round(duration_s * CONTROL_HZ) + 1
    pitch, voicing, breath, effort = np.zeros((4, steps))
    controls = _Controls(pitch, voicing, breath, effort, np.zeros((3, steps)))
    mouth = np.zeros(frames)
    free_from_s = 0.0
    for syllable in syllables:
        free_from_s = _pronounce(syllable, free_from_s, controls, mouth, rng, sample_rate, singer)
    _finish(controls, singer, rng)
    folds = _folds(controls, frames, sample_rate, rng)
    tract = _filter_by_tract(folds, controls, sample_rate, singer)
    return tract + mouth


def _pronounce(
    syllable: Syllable,
    free_from_s: float,
    controls: _Controls,
    mouth: Signal,
    rng: np.random.Generator,
    sample_rate: int,
    singer: Singer,
) -> float:
    """Writes the targets and mouth noises of one syllable; returns the time at which it ends."""
    note = syllable.note
    level = 10.0 ** (singer.dynamics_db * (note.velocity - 1.0) / 20.0)
    lead_s = sum(PHONEMES[name].duration_s for name in syllable.onset)
    tail_s = sum(PHONEMES[name].duration_s for name in syllable.coda)
    stretch = min(1.0, 0.45 * note.duration_s / tail_s) if syllable.coda else 1.0
    vowel_s = note.duration_s - stretch * tail_s
    timed = [(PHONEMES[name], PHONEMES[name].duration_s) for name in syllable.onset]
    timed += _vowel(syllable.vowel, vowel_s)
    timed += [(PHONEMES[name], stretch * PHONEMES[name].duration_s) for name in syllable.coda]
    start_s = max(note.start_s - lead_s, 0.0)
    if start_s > free_from_s + 0.35:
        _inhale(start_s - 0.03, level, mouth, rng, sample_rate)
    begin = round(max(start_s, free_from_s) * CONTROL_HZ)
    for phoneme, length_s in timed:
        end = min(round((start_s + length_s) * CONTROL_HZ), controls.pitch.size)
        part = slice(begin, max(end, begin))
        controls.pitch[part] = note.pitch
        controls.folds[part] = phoneme.voicing * level * _swell(part, note)
        controls.breath[part] = phoneme.breath * level**0.6
        controls.effort[part] = note.velocity
        controls.formants_hz[:, part] = np.array(phoneme.formants_hz)[:, None]
        if np.isfinite(phoneme.noise_db):
            _add_consonant(phoneme, start_s, length_s, level**0.85, mouth, rng, sample_rate)
        begin, start_s = max(end, begin), start_s + length_s
    return start_s


def _vowel(names: tuple[str, ...], length_s: float) -> list[tuple[Phoneme, float]]:
    """Lists the phonemes and lengths of one vowel, or of the slow glide of a diphthong."""
    if len(names) == 1:
        return [(PHONEMES[names[0]], length_s)]
    first, second = (PHONEMES[name] for name in names)
    pairs = tuple(zip(first.formants_hz, second.formants_hz, strict=True))
    glide = []
    for step in range(6):
        low, middle, high = (a + (b - a) * step / 5.0 for a, b in pairs)
        glide.append((Phoneme((low, middle, high)), length_s * (0.45 if step == 0 else 0.11)))
    return glide


def _swell(part: slice, note: Note) -> Signal:
    """Shapes the level of the steps ``part`` of a note: it opens, then gives way."""
    position = (np.arange(part.start, part.stop) / CONTROL_HZ - note.start_s) / note.duration_s
    position = position.clip(0.0, 1.0)
    level_db = -5.0 * (1.0 - np.minimum(position / 0.25, 1.0)) - 8.0 * position**3
    return np.asarray(10.0 ** (level_db / 20.0))


def _add_consonant(
    phoneme: Phoneme,
    start_s: float,
    length_s: float,
    level: float,
    mouth: Signal,
    rng: np.random.Generator,
    sample_rate: int,
) -> None:
    closure_s = min(phoneme.closure_s, 0.6 * length_s)
    burst = make_noise(rng, round((length_s - closure_s + 0.03) * sample_rate), sample_rate)
    burst = filter_signal(burst, sample_rate, band_pass(phoneme.noise_hz, phoneme.noise_q))
    burst = filter_signal(
        burst, sample_rate, high_pass(phoneme.noise_hz / 1.7, 5), low_pass(11000.0, 3)
    )
    burst /= np.sqrt(np.mean(burst**2))
    attack_s = 0.003 if closure_s else 0.035
    burst = fade_ends(burst, sample_rate, attack_s, 0.5 * burst.size / sample_rate)
    burst *= level * 10.0 ** (phoneme.noise_db / 20.0)
    add_at(mouth, burst, round((start_s + closure_s) * sample_rate))


def _inhale(
    end_s: float, level: float, mouth: Signal, rng: np.random.Generator, sample_rate: int
) -> None:
    length_s = rng.uniform(0.2, 0.3)
    breath = make_noise(rng, round(length_s * sample_rate), sample_rate)
    breath = filter_signal(breath, sample_rate, band_pass(1700.0, 0.5), low_pass(6000.0))
    breath = fade_ends(breath / np.sqrt(np.mean(breath**2)), sample_rate, 0.7 * length_s, 0.04)
    add_at(mouth, breath * 0.016 * level**0.3, round((end_s - length_s) * sample_rate))


def _smooth(curve: Signal, width_s: float) -> Signal:
    """Smooths a curve by a moving raised-cosine mean over ``width_s``."""
    window = np.hanning(round(width_s * CONTROL_HZ) + 2)[1:-1]
    half = window.size // 2
    padded = np.pad(curve, (half, window.size - 1 - half), mode="edge")
    return np.convolve(padded, window / window.sum(), mode="valid")


def _hold(curve: Signal) -> Signal:
    """Fills the zeros of a curve with the next value, the last ones with the last value."""
    known = np.flatnonzero(curve)
    if not known.size:
        return curve
    following = np.searchsorted(known, np.arange(curve.size)).clip(max=known.size - 1)
    held: Signal = curve[known[following]]
    return held


def _finish(controls: _Controls, singer: Singer, rng: np.random.Generator) -> None:
    """Turns targets into motion: glides, vibrato and jitter, soft starts and ends."""
    steps = controls.pitch.size
    sounding = controls.pitch > 0
    target = _hold(controls.pitch)
    change = np.flatnonzero(np.diff(target, prepend=-1.0) != 0)
    since_s = np.arange(steps) - change[np.searchsorted(change, np.arange(steps), "right") - 1]
    bloom = np.clip((since_s / CONTROL_HZ - 0.25) / 0.35, 0.0, 1.0)
    wander = _smooth(rng.standard_normal(steps), 0.4) * 2.0
    rate_hz = singer.vibrato_hz * (1.0 + 0.06 * wander)
    vibrato = np.sin(2.0 * np.pi * np.cumsum(rate_hz) / CONTROL_HZ) * bloom
    drift_cents = 14.0 * _smooth(rng.standard_normal(steps), 0.25)
    jitter_cents = 6.0 * rng.standard_normal(steps)
    cents = singer.vibrato_cents * _smooth(vibrato, 0.02) + drift_cents + jitter_cents
    controls.pitch = _smooth(target, 0.09) + cents / 100.0
    shimmer = 1.0 + 0.04 * rng.standard_normal(steps) + 0.1 * vibrato
    controls.folds = _smooth(controls.folds, 0.05) * shimmer
    controls.breath = _smooth(np.where(sounding, controls.breath, 0.0), 0.05)
    controls.effort = _smooth(_hold(controls.effort), 0.15)
    for row in range(3):
        controls.formants_hz[row] = _smooth(_hold(controls.formants_hz[row]), 0.07)


def _folds(
    controls: _Controls, frames: int, sample_rate: int, rng: np.random.Generator
) -> tuple[Signal, Signal]:
    """Makes the pulse wave and the breath at the vocal folds, each with its level applied."""
    control_times = np.arange(controls.pitch.size) * (sample_rate / CONTROL_HZ)
    times = np.arange(frames)
    frequency_hz = np.interp(times, control_times, 440.0 * 2.0 ** ((controls.pitch - 69.0) / 12.0))
    phase = np.cumsum(frequency_hz) / sample_rate % 1.0
    highest_hz = float(frequency_hz.max())
    cycle = np.zeros(4097)
    for harmonic in range(1, int(min(16000.0, 0.48 * sample_rate) / highest_hz) + 1):
        cycle -= np.sin(2.0 * np.pi * harmonic * np.arange(4097) / 4096.0) / harmonic
    pulses = cycle[(phase * 4096.0).astype(np.int64)]
    pulses *= np.interp(times, control_times, controls.folds)
    breath = make_noise(rng, frames, sample_rate) * (1.0 - 0.5 * np.cos(2.0 * np.pi * phase))
    return pulses, breath * np.interp(times, control_times, controls.breath)


def _filter_by_tract(
    folds: tuple[Signal, Signal], controls: _Controls, sample_rate: int, singer: Singer
) -> Signal:
    """Filters frame by frame (Hann, half overlap) with the resonances at each moment."""
    pulses, breath = folds
    hop = 2 ** round(math.log2(sample_rate / FRAME_HZ))
    size = 4 * hop
    count = pulses.size // hop + 2
    window = np.hanning(2 * hop + 1)[:-1]
    output = np.zeros(count * hop + size)
    padded = [np.pad(signal, (hop, 3 * hop)) for signal in (pulses, breath)]
    f = np.fft.rfftfreq(size, 1.0 / sample_rate)
    fixed = _upper_tract(f, singer)
    breath_gain = 10.0 ** (singer.breath_db / 20.0)
    for frame in range(count):
        part = slice(frame * hop, frame * hop + 2 * hop)
        if not (np.any(padded[0][part]) or np.any(padded[1][part])):
            continue
        step = min(round(frame * hop / sample_rate * CONTROL_HZ), controls.pitch.size - 1)
        tilt_hz = 550.0 * 10.0 ** (1.0 * controls.effort[step])
        source = np.fft.rfft(padded[0][part] * window, size) / (1.0 + 1j * f / tilt_hz)
        source += breath_gain * np.fft.rfft(padded[1][part] * window, size)
        sound = np.fft.irfft(source * fixed * _lower_tract(f, controls, step, singer), size)
        output[frame * hop : frame * hop + size] += sound
    return output[hop : hop + pulses.size]


def _resonance(f: Signal, center_hz: float) -> Spectrum:
    """Computes a pole pair of the tract, 0 dB at DC; bandwidths grow as in real tracts."""
    bandwidth_hz = 70.0 + 30.0 * (center_hz / 1000.0) ** 1.5
    response: Spectrum = 1.0 / (1.0 - (f / center_hz) ** 2 + 1j * f * bandwidth_hz / center_hz**2)
    return response


def _lower_tract(f: Signal, controls: _Controls, step: int, singer: Singer) -> Spectrum:
    """Computes the three moving formants; the first is never below the note that is sung."""
    note_hz = 440.0 * 2.0 ** ((controls.pitch[step] - 69.0) / 12.0)
    first_hz, second_hz, third_hz = singer.tract_scale * controls.formants_hz[:, step]
    first_hz = max(first_hz, 1.05 * note_hz)  # singers open the jaw
    second_hz = max(second_hz, 1.3 * first_hz)
    response = _resonance(f, first_hz) * _resonance(f, second_hz) * _resonance(f, third_hz)
    # Loudness differs less between sung vowels than the bare resonances would make it.
    return response * math.sqrt(500.0 / first_hz)


def _upper_tract(f: Signal, singer: Singer) -> Spectrum:
    """Computes the fixed resonances of a uniform tube of 14.7 cm, from the fourth up."""
    # Singers draw the third to fifth formants together (Sundberg, "The Science of the Singing
    # Voice", 1987). The level brings vowels of full velocity to about ±1.
    response = TRACT_LEVEL * high_pass(80.0, 2)(f) * peak(2700.0, 4.0, 1.0)(f)
    for number in range(4, 20):
        response = response * _resonance(f, singer.tract_scale * (2 * number - 1) * 595.0)
    return response
