"""Examples for effects: dry audio, settings, and the output of the exact processors for them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automix.audio.samples import Samples
from automix.evaluation.effects import Task, draw_vector, process_exactly
from automix.networks.effect_description import RATE_HZ, EffectName
from automix.training.effect.settings import EffectAugmentation, EffectTraining
from automix.training.effect.sources import DryAudio, RecordedPair, cut_piece, is_audible
from automix.units import db_to_gain

_TASK: dict[EffectName, Task] = {
    "channel": "combined",
    "equalizer": "equalizer",
    "compressor": "compressor",
    "reverb": "reverb",
}
_TRIES = 50
_SINGLE: tuple[Task, ...] = ("equalizer", "compressor", "reverb")


@dataclass(frozen=True, kw_only=True, eq=False)
class EffectExample:
    """One example: input and output of an effect at some settings.

    Attributes:
        audio: The input ``(1, before + samples + after)``.
        conditioning: The settings ``(settings,)`` in −1…1.
        target: The output that is wanted ``(1, samples)``.
        dry: The part of the input at the same time as the target ``(1, samples)``.
    """

    audio: Samples
    conditioning: NDArray[np.float32]
    target: Samples
    dry: Samples


class ChannelExamples:
    """Pieces of dry audio with random settings of the exact strip.

    Args:
        dry: Audio that the pieces are cut from.
        settings: Settings of the training.
        before: Samples of input that the network needs before the first of its output.
        after: Samples of input that the network needs after the last of its output.
        disturbed: Whether the pieces are augmented.
    """

    def __init__(
        self,
        dry: DryAudio,
        settings: EffectTraining,
        before: int,
        after: int,
        *,
        disturbed: bool,
    ) -> None:
        self._dry, self._settings, self._disturbed = dry, settings, disturbed
        self._kept = slice(before, before + settings.patch_samples)
        self._samples = before + settings.patch_samples + after

    def __getitem__(self, number: int) -> EffectExample:
        """Makes the example of a number; the same number always gives the same example."""
        settings = self._settings
        rng = np.random.default_rng([settings.loop.seed, number])
        audio = self._dry.draw_piece(self._samples, self._kept, rng)
        if self._disturbed:
            audio = self._augment(audio, rng)
        task = _TASK[settings.model.effect]
        if task == "combined" and rng.random() < settings.single:
            others = (1.0 - settings.space) / 2.0
            task = _SINGLE[int(rng.choice(3, p=[others, others, settings.space]))]
        varied = settings.model.order == "variable"
        vector = draw_vector(task, rng, varied_order=varied)
        return EffectExample(
            audio=audio,
            conditioning=vector.astype(np.float32),
            target=process_exactly(audio, vector)[:, self._kept],
            dry=audio[:, self._kept],
        )

    def _augment(self, audio: Samples, rng: np.random.Generator) -> Samples:
        other, augmentation = None, self._settings.augmentation
        if rng.random() < augmentation.colored:
            audio = make_colored_noise(self._samples, rng)
        if rng.random() < augmentation.blend:
            other = self._dry.draw_piece(self._samples, self._kept, rng)
        audio = augment_audio(audio, other, augmentation, rng)
        if augmentation.low_pass and rng.random() < augmentation.low_pass:
            audio = limit_band(audio, rng)
        return audio


def limit_band(audio: Samples, rng: np.random.Generator) -> Samples:
    """Audio ``(1, samples)`` without anything above a random corner of 6 … 20 kHz.

    A network that has always heard something there adds a hiss where there is nothing.
    """
    spectrum = np.fft.rfft(audio.astype(np.float64))
    corner_hz = 6000.0 * (20_000.0 / 6000.0) ** rng.random()
    spectrum[:, np.fft.rfftfreq(audio.shape[1], 1 / RATE_HZ) > corner_hz] = 0.0
    return np.fft.irfft(spectrum, audio.shape[1]).astype(np.float32)


def make_colored_noise(samples: int, rng: np.random.Generator) -> Samples:
    """Noise ``(1, samples)`` with sound at all frequencies, as stems seldom have it.

    An equalizer is heard where there is sound: of a bass, nothing is learned of a high shelf. The
    spectrum falls by 0 … 5.4 dB per octave, and the level moves over up to 50 dB.

    Args:
        samples: Length of the noise.
        rng: Draws everything.
    """
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    frequencies_hz = np.maximum(np.fft.rfftfreq(samples, 1 / RATE_HZ), 20.0)
    noise = np.fft.irfft(spectrum * frequencies_hz ** -rng.uniform(0.0, 0.9), samples)
    if rng.random() < 0.7:
        corners = rng.integers(3, 11)
        places = np.sort(rng.integers(0, samples, corners))
        gains = [db_to_gain(level_db) for level_db in rng.uniform(-50.0, 0.0, corners)]
        noise *= np.interp(np.arange(samples), places, gains)
    noise *= db_to_gain(float(rng.uniform(-40.0, -8.0))) / np.sqrt(np.square(noise).mean())
    return noise.astype(np.float32)[np.newaxis]


class PairExamples:
    """Pieces of what went into a device and what came out of it.

    Args:
        pairs: Recordings that the pieces are cut from.
        settings: Settings of the training; its mixup (eqs. 4.15 and 4.16) mixes the controls too.
        before: Samples of input that the network needs before the first of its output.
        after: Samples of input that the network needs after the last of its output.
        disturbed: Whether examples are mixed up.
    """

    def __init__(
        self,
        pairs: Sequence[RecordedPair],
        settings: EffectTraining,
        before: int,
        after: int,
        *,
        disturbed: bool,
    ) -> None:
        self._pairs, self._settings = pairs, settings
        self._before, self._after = before, after
        self._alpha = settings.mixup if disturbed else 0.0

    def __getitem__(self, number: int) -> EffectExample:
        """Makes the example of a number; the same number always gives the same example."""
        rng = np.random.default_rng([self._settings.loop.seed, number])
        example = self._draw_example(rng)
        if self._alpha == 0.0:
            return example
        other, share = self._draw_example(rng), np.float32(rng.beta(self._alpha, self._alpha))
        mixed = {
            name: share * value + (np.float32(1.0) - share) * getattr(other, name)
            for name, value in vars(example).items()
        }
        return EffectExample(**mixed)

    def _draw_example(self, rng: np.random.Generator) -> EffectExample:
        samples, before = self._settings.patch_samples, self._before
        for _ in range(_TRIES):
            given, wanted, controls = self._pairs[int(rng.integers(len(self._pairs)))]
            common = min(len(given), len(wanted))
            start = int(rng.integers(0, max(1, common - samples + 1)))
            target = cut_piece(wanted, start, samples)
            if is_audible(target):
                break
        audio = cut_piece(given, start - before, before + samples + self._after)
        return EffectExample(
            audio=audio,
            conditioning=controls,
            target=target,
            dry=audio[:, before : before + samples],
        )


def augment_audio(
    audio: Samples,
    other: Samples | None,
    augmentation: EffectAugmentation,
    rng: np.random.Generator,
) -> Samples:
    """Audio ``(1, samples)`` after the simple augmentations of Steinmetz 2020, section 4.4.

    Args:
        audio: Dry audio.
        other: Audio that is added to it at a random level, if any.
        augmentation: How often each of the augmentations happens.
        rng: Draws everything.
    """
    if other is not None:
        audio = audio + db_to_gain(float(rng.uniform(-12.0, 0.0))) * other
    gain = db_to_gain(float(rng.uniform(-1.0, 1.0)) * augmentation.gain_db)
    if rng.random() < augmentation.invert:
        gain = -gain
    audio = (gain * audio).astype(np.float32)
    samples = audio.shape[1]
    if rng.random() < augmentation.noise:
        level = db_to_gain(float(rng.uniform(-80.0, -40.0)))
        audio += level * rng.standard_normal((1, samples), np.float32)
    if rng.random() < augmentation.drop:
        audio[rng.random((1, samples)) < rng.uniform(0.0, 0.1)] = 0.0
    if rng.random() < augmentation.block:
        first, last = sorted(rng.integers(0, samples + 1, 2))
        audio[:, first:last] = 0.0
    return audio
