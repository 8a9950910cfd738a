"""Cuts stimuli: excerpts of one rate, length and loudness that begin and end in silence."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from automix.analysis.program import measure
from automix.audio.resampling import resample
from automix.audio.samples import Audio, AudioSource, Samples
from automix.errors import InputError
from automix.files.names import printable
from automix.files.reading import Opened, open_audio
from automix.parallel.workers import run_in_parallel
from automix.units import db_to_gain, ms_to_samples, seconds_to_samples

_FADE_MS = 10.0  # the excerpt loops: its end must meet its start
_TRANSITION_HZ = 500.0
_STOP_BAND_DB = 60.0
_MARGIN_DB = 0.1  # below full scale, for dither and other meters


@dataclass(frozen=True, kw_only=True, eq=False)
class StimulusExcerpt:
    """Part of a file as a stereo `AudioSource`; mono plays on both sides.

    Attributes:
        path: The file, for messages.
        source: Audio of the whole file.
        sample_rate: Frames per second of the excerpt.
        start: First frame of the excerpt at that rate.
        frames: Length in frames at that rate.
        low_pass_hz: Upper edge of the pass band of an anchor, or none.
        gain_db: Gain that is applied last.
        channels: Number of channels, always 2.
    """

    path: Path
    source: AudioSource
    sample_rate: int
    start: int
    frames: int
    low_pass_hz: float | None = None
    gain_db: float = 0.0
    channels: int = 2

    def blocks(self) -> Iterator[Samples]:
        """Yields the excerpt from its start, in blocks as `AudioSource.blocks` describes them."""
        samples = self._cut()
        if self.low_pass_hz is not None:
            samples = _filter(samples, design_anchor_filter(self.low_pass_hz, self.sample_rate))
        fade = min(ms_to_samples(_FADE_MS, self.sample_rate), self.frames // 2)
        ramp = (0.5 - 0.5 * np.cos(np.pi * (np.arange(fade) + 0.5) / fade)).astype(np.float32)
        samples[:, :fade] *= ramp
        samples[:, self.frames - fade :] *= ramp[::-1]
        samples *= np.float32(db_to_gain(self.gain_db))
        return Audio(samples, self.sample_rate).blocks()

    def _cut(self) -> Samples:
        cut = np.zeros((2, self.frames), np.float32)
        position = -self.start
        for block in resample(self.source, self.sample_rate).blocks():
            first, last = max(0, position), min(self.frames, position + block.shape[1])
            if first < last:
                cut[:, first:last] = block[:, first - position : last - position]
            position += block.shape[1]
            if position >= self.frames:
                break
        return cut


@dataclass(frozen=True, kw_only=True, eq=False)
class Stimulus:
    """One audio file of the page.

    Attributes:
        name: Random name of the file.
        passage: Name of the passage.
        method: Name of the method that mixed it.
        excerpt: Audio of the stimulus.
        sha256: Checksum of the file that the excerpt comes from.
    """

    name: str
    passage: str
    method: str
    excerpt: StimulusExcerpt
    sha256: str


def design_anchor_filter(edge_hz: float, sample_rate: int) -> NDArray[np.float64]:
    """Designs an anchor's low pass: an impulse response of linear phase, flat up to ``edge_hz``.

    ITU-R BS.1534-1 wants the anchor of 3.5 kHz within ±0.1 dB below 3.5 kHz, 25 dB down at 4 kHz
    and 50 dB at 4.5 kHz; this is 60 dB down 500 Hz above the edge (Kaiser window).
    """
    half = math.ceil((_STOP_BAND_DB - 7.95) / 14.36 * sample_rate / _TRANSITION_HZ / 2)
    times = np.arange(-half, half + 1)
    cutoff = min(2 * (edge_hz + _TRANSITION_HZ / 2) / sample_rate, 1.0)
    window = np.kaiser(2 * half + 1, 0.1102 * (_STOP_BAND_DB - 8.7))
    response: NDArray[np.float64] = cutoff * np.sinc(cutoff * times) * window
    response /= response.sum()
    return response


def _filter(samples: Samples, response: NDArray[np.float64]) -> Samples:
    delay = len(response) // 2
    length = 1 << (samples.shape[1] + len(response) - 1).bit_length()
    spectrum = np.fft.rfft(samples, length) * np.fft.rfft(response, length)
    filtered = np.fft.irfft(spectrum, length)[:, delay : delay + samples.shape[1]]
    return np.ascontiguousarray(filtered, np.float32)


def open_mixes(paths: list[Path]) -> dict[Path, Opened]:
    """Opens every file once.

    Raises:
        InputError: A file cannot be read; the message names it.
    """
    once = list(dict.fromkeys(paths))
    return dict(
        zip(
            once, run_in_parallel(lambda path: open_audio(path, in_memory=False), once), strict=True
        )
    )


def cut_stimuli(
    opened: list[Opened], *, sample_rate: int, start_s: float, duration_s: float, least_s: float
) -> tuple[list[StimulusExcerpt], list[str]]:
    """Cuts excerpts of one length: that asked for, or what the shortest file has left.

    Args:
        opened: The files.
        sample_rate: Frames per second of the excerpts.
        start_s: Time at which the excerpts start.
        duration_s: Length that is asked for.
        least_s: Shortest length that is of use.

    Returns:
        The excerpts, and notes for the user.

    Raises:
        InputError: A file has less than ``least_s`` left; the message names it.
    """
    shortest = min(opened, key=lambda mix: mix.info.duration_s)
    left_s = shortest.info.duration_s - start_s
    path = printable(shortest.info.path)
    if left_s < least_s:
        raise InputError(
            f"{path}: has {shortest.info.duration_s:.2f} s, but the excerpt starts at"
            f" {start_s:g} s and needs {least_s:g} s; choose an earlier --start"
        )
    notes = []
    if left_s < duration_s - 0.01:
        notes.append(f"{path}: its excerpt is {left_s:.2f} s long, and so are those beside it")
    frames = int(min(left_s, duration_s) * sample_rate)
    start = seconds_to_samples(start_s, sample_rate)
    excerpts = [
        StimulusExcerpt(
            path=mix.info.path,
            source=mix.source,
            sample_rate=sample_rate,
            start=start,
            frames=frames,
        )
        for mix in opened
    ]
    return excerpts, notes


def match_loudness(
    excerpts: list[StimulusExcerpt], loudness_lufs: float
) -> tuple[list[StimulusExcerpt], float, str]:
    """Gives all excerpts one loudness: the one asked for, or the highest at which none clips.

    Returns:
        The excerpts with their gains, the loudness, and a warning or an empty text.

    Raises:
        InputError: An excerpt is silent; the message names its file.
    """
    measured = run_in_parallel(measure, excerpts)
    leveled = []
    for excerpt, loudness in zip(excerpts, measured, strict=True):
        if not math.isfinite(loudness.integrated_lufs):
            raise InputError(
                f"{printable(excerpt.path)}: its excerpt from"
                f" {excerpt.start / excerpt.sample_rate:g} s is silent; choose another --start"
            )
        leveled.append(loudness_lufs - loudness.integrated_lufs)
    peaks = [m.true_peak_dbtp + gain_db for m, gain_db in zip(measured, leveled, strict=True)]
    excess_db = max(0.0, max(peaks) + _MARGIN_DB)
    warning = ""
    if excess_db > 0.0:
        worst = excerpts[peaks.index(max(peaks))]
        warning = (
            f"{printable(worst.path)}: would clip at {loudness_lufs:g} LUFS (true peak"
            f" {max(peaks):+.1f} dBTP): all stimuli are at {loudness_lufs - excess_db:.1f} LUFS"
        )
    gained = [
        replace(excerpt, gain_db=gain_db - excess_db)
        for excerpt, gain_db in zip(excerpts, leveled, strict=True)
    ]
    return gained, loudness_lufs - excess_db, warning
