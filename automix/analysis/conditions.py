"""Finds what is odd about an input: clipping, DC offset, silence, duplicated channels, overs."""

import math
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from automix.audio.samples import AudioSource, Samples
from automix.dsp.compiled import kernel
from automix.units import db_to_gain, gain_to_db

SILENCE_DBFS = -90.0
"""A sample at or below this is silent: one step of 16 bits, so that dither alone is no sound."""

SPIKE_DB = 12.0
"""How far a spike stands above the samples that are not of it."""

_SPIKE_S = 0.0002  # how long one is to each side, so that one that was resampled is one, too
_AROUND_S = 0.0008  # what lies so near is compared with it: no sound dies away so fast
_FEWEST_PLAYED = 4  # spikes that are music if they stand at one distance
_PLAYED_S = 0.001  # by which such a distance may be off
_MOST_SPIKES = 256  # in one block: more are no faults of single samples

DC_LIMIT_DBFS = -60.0
CLIPPED_RUN_FRAMES = 8

_SILENCE = db_to_gain(SILENCE_DBFS)
_OTHER_SIDE = db_to_gain(-60.0)
_SPIKE_GAIN = np.float32(db_to_gain(SPIKE_DB))
# Full scale reads 32767/32768 or 1 in integer files, 32768/32767 where a converter divided by
# 32767. Beyond that lies the headroom of float files, which is no clipping.
_FULL_SCALE_LOW = np.float32(32767 / 32768)
_FULL_SCALE_HIGH = np.float32(32768 / 32767)

ChannelRelation = Literal["independent", "identical", "inverted"]


@dataclass(frozen=True, kw_only=True)
class Spike:
    """A sample that stands alone above the audio around it, as a broken decoder leaves it.

    Attributes:
        level_dbfs: Its magnitude.
        above_db: How far it stands above all that is no spike.
        time_s: Where it is.
        others: How many more there are, at least 12 dB above all that is no spike.
    """

    level_dbfs: float
    above_db: float
    time_s: float
    others: int


class SpikeScan:
    """Finds spikes in audio that arrives in blocks of any size.

    A spike is a sample that is 12 dB above those around it, and above all that is none. Pulses of a
    synthesizer and ticks of a drum machine, at one distance and not above full scale, are none.

    Args:
        sample_rate: Frames per second.
    """

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._width = math.ceil(_SPIKE_S * sample_rate)
        self._reach = math.ceil(_AROUND_S * sample_rate)
        self._frames = 0
        self._tail = np.zeros(2 * self._reach, np.float32)
        self._rest = np.float32(_SILENCE)
        self._spikes: list[tuple[float, int]] = []

    def add(self, block: Samples) -> None:
        """Takes the next block ``(channels, frames)``."""
        if not block.shape[1]:
            return
        kept = len(self._tail)
        is_low = max(block.max(), -block.min(), self._tail.max()) <= self._rest
        last = block[:, -kept:] if is_low else block
        magnitudes = np.concatenate([self._tail, np.abs(last).max(axis=0)])
        if not is_low:
            self._judge(magnitudes)
        self._tail = magnitudes[-kept:]
        self._frames += block.shape[1]

    def _judge(self, magnitudes: Samples) -> None:
        """Finds the spikes among all samples but those at the ends, from the highest down."""
        width, reach = self._width, self._reach
        inner = magnitudes[reach:-reach].copy()
        for _ in range(_MOST_SPIKES):
            place = int(inner.argmax())
            height = inner[place]
            if height <= self._rest:
                return
            around = magnitudes[place : place + 2 * reach + 1].copy()
            around[reach - width : reach + width + 1] = 0.0
            if around.max() * _SPIKE_GAIN > height:
                break
            self._spikes.append((float(height), self._frames + place - reach))
            inner[max(0, place - width) : place + width + 1] = 0.0
        self._rest = inner.max()

    def result(self) -> Spike | None:
        """Returns the highest spike of all audio that was added so far; none if there is none."""
        whole = copy(self)
        whole._spikes = list(self._spikes)
        whole.add(np.zeros((1, self._reach), np.float32))  # as if silence followed
        rest = float(whole._rest)
        spikes = [spike for spike in whole._spikes if spike[0] >= rest * _SPIKE_GAIN]
        if not spikes:
            return None
        height, frame = max(spikes, key=lambda spike: spike[0])
        places = [place for _, place in spikes]
        if height <= _FULL_SCALE_HIGH and stand_at_one_distance(places, self._sample_rate):
            return None
        return Spike(
            level_dbfs=gain_to_db(height),
            above_db=gain_to_db(height / rest),
            time_s=frame / self._sample_rate,
            others=len(spikes) - 1,
        )


def stand_at_one_distance(places: Sequence[int], sample_rate: int) -> bool:
    """Tells whether four places or more stand at one distance or multiples of it, as notes do.

    Args:
        places: Frames.
        sample_rate: Frames per second.
    """
    distances = np.diff(np.unique(places))
    if len(distances) + 1 < _FEWEST_PLAYED:
        return False
    shortest = distances.min()
    jitter = np.abs(distances - np.round(distances / shortest) * shortest)
    return bool(jitter.max() <= 1 + min(_PLAYED_S * sample_rate, 0.05 * shortest))


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """Facts about the audio of one input.

    Attributes:
        sample_peak: Highest magnitude of a sample; 1 is full scale.
        dc_offset: Mean of each channel; full scale is ±1.
        clipped_runs: Number of runs of at least 8 consecutive full-scale samples of one sign, in
            all channels together.
        samples_above_full_scale: Number of float samples beyond ±1, which are legal.
        channel_relation: Whether left and right are the same, or each other's negative, down to
            the silence limit. Mono, silent and multichannel inputs are independent.
        first_sound_s: Time of the first sample that is not silent; none for a silent input.
        last_sound_s: Time of the last sample that is not silent; none for a silent input.
        spike: A sample that stands alone above all others, if there is one.
        channel_peaks: Highest magnitude of a sample of each channel.
    """

    sample_peak: float
    dc_offset: tuple[float, ...]
    clipped_runs: int
    samples_above_full_scale: int
    channel_relation: ChannelRelation
    first_sound_s: float | None
    last_sound_s: float | None
    spike: Spike | None = None
    channel_peaks: tuple[float, ...] = ()

    @property
    def only_side(self) -> int | None:
        """The side of stereo audio that alone sounds: 0 for left, 1 for right; else none."""
        return _choose_only_side(np.array(self.channel_peaks))

    @property
    def silent(self) -> bool:
        """Whether no sample lies above the silence limit."""
        return self.first_sound_s is None

    @property
    def offset_db(self) -> tuple[float, ...]:
        """Magnitude of each channel's mean in dBFS; −inf for a mean of 0."""
        return tuple(gain_to_db(offset) for offset in self.dc_offset)

    @property
    def has_offset(self) -> bool:
        """Whether a channel's mean lies above −60 dBFS."""
        return any(level_db > DC_LIMIT_DBFS for level_db in self.offset_db)


class ConditionScan:
    """Finds the conditions of audio that arrives in blocks of any size.

    Args:
        sample_rate: Frames per second.
        channels: Number of channels.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._sample_rate = sample_rate
        self._frames = 0
        self._sums = np.zeros(channels)
        self._peaks = np.zeros(channels)
        self._counts = np.zeros((channels, 3), dtype=np.int64)
        self._sound = np.full((channels, 2), -1, dtype=np.int64)
        self._difference = 0.0
        self._sum = 0.0
        self._spikes = SpikeScan(sample_rate)

    def add(self, block: Samples) -> None:
        """Takes the next block ``(channels, frames)``."""
        samples = np.require(block, np.float32, ["C", "W"])
        _scan(samples, self._frames, self._sums, self._peaks, self._counts, self._sound)
        self._frames += samples.shape[1]
        self._spikes.add(samples)
        if len(samples) == 2 and samples.shape[1]:
            left, right = samples
            self._difference = max(self._difference, float(np.abs(left - right).max()))
            self._sum = max(self._sum, float(np.abs(left + right).max()))

    def result(self) -> Conditions:
        """Returns the conditions of all audio that was added so far."""
        sounding = self._sound[self._sound[:, 0] >= 0]
        relation: ChannelRelation = "independent"
        if len(sounding) and len(self._sums) == 2:
            if self._difference <= _SILENCE:
                relation = "identical"
            elif self._sum <= _SILENCE:
                relation = "inverted"
        rate = self._sample_rate
        return Conditions(
            sample_peak=float(self._peaks.max(initial=0.0)),
            dc_offset=tuple(float(total) / max(1, self._frames) for total in self._sums),
            clipped_runs=int(self._counts[:, 1].sum()),
            samples_above_full_scale=int(self._counts[:, 2].sum()),
            channel_relation=relation,
            first_sound_s=float(sounding[:, 0].min()) / rate if len(sounding) else None,
            last_sound_s=float(sounding[:, 1].max()) / rate if len(sounding) else None,
            spike=self._spikes.result(),
            channel_peaks=tuple(float(peak) for peak in self._peaks),
        )


def find_conditions(source: AudioSource) -> Conditions:
    """Finds the conditions of a whole source in one pass.

    Raises:
        InputError: The file behind the source changed or cannot be read.
    """
    scanner = ConditionScan(source.sample_rate, source.channels)
    for block in source.blocks():
        scanner.add(block)
    return scanner.result()


def find_only_side(source: AudioSource) -> int | None:
    """Finds the side of a stereo source that alone sounds, where the other one is silent.

    Silent is what stays below −90 dBFS, or 60 dB below the peak of the other side: the noise of an
    input that nothing was connected to.

    Returns:
        0 for left, 1 for right; none where both sound, or neither.

    Raises:
        InputError: The file behind the source changed or cannot be read.
    """
    peaks = np.zeros(2)
    for block in source.blocks():
        peaks = np.maximum(peaks, np.maximum(block.max(axis=1), -block.min(axis=1)))
        if peaks.min() > _OTHER_SIDE:  # below full scale, nothing can make that silent any more
            return None
    return _choose_only_side(peaks)


def _choose_only_side(peaks: NDArray[np.float64]) -> int | None:
    """Tells from the peaks of both sides which one alone sounds."""
    if len(peaks) != 2 or peaks.max() <= _SILENCE:
        return None
    if peaks.min() > max(_SILENCE, _OTHER_SIDE * peaks.max()):
        return None
    return int(peaks.argmax())


@kernel
def _scan(
    samples: NDArray[np.float32],
    position: int,
    sums: NDArray[np.float64],
    peaks: NDArray[np.float64],
    counts: NDArray[np.int64],
    sound: NDArray[np.int64],
) -> None:
    """Adds a block of samples ``(channels, n)`` to the figures of its channels, in place.

    A row of ``counts`` holds the length of the current full-scale run, with the sign of its
    samples, then the number of clipped runs and that of samples beyond ±1. A row of ``sound`` holds
    the first and the last frame that is not silent, −1 for none.
    """
    for channel in range(samples.shape[0]):
        total, peak = sums[channel], np.float32(peaks[channel])
        run, clipped, above = counts[channel]
        first, last = sound[channel]
        frame = position
        for x in samples[channel]:
            magnitude = abs(x)
            total += x
            peak = max(peak, magnitude)
            if magnitude > _SILENCE:
                last = frame
                if first < 0:
                    first = frame
            if magnitude >= _FULL_SCALE_LOW:
                above += magnitude > 1
                if magnitude > _FULL_SCALE_HIGH:
                    run = 0
                elif x > 0:
                    run = max(run, 0) + 1
                else:
                    run = min(run, 0) - 1
                clipped += abs(run) == CLIPPED_RUN_FRAMES
            else:
                run = 0
            frame += 1
        sums[channel], peaks[channel] = total, peak
        counts[channel, 0], counts[channel, 1], counts[channel, 2] = run, clipped, above
        sound[channel, 0], sound[channel, 1] = first, last
