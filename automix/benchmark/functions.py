"""Measures functions against functions: in this process, warm, on the same samples in memory."""

import statistics
from collections.abc import Callable
from functools import partial

import numpy as np
import soxr
from numpy.typing import NDArray

from automix.analysis.loudness import LoudnessMeter, integrated_lufs, loudness_range_lu
from automix.analysis.tempo import TempoEstimator
from automix.analysis.true_peak import TruePeakMeter
from automix.audio.samples import BLOCK_FRAMES, Audio
from automix.benchmark import ffmpeg
from automix.benchmark.libebur128 import Library, Reading
from automix.benchmark.processes import compare_calls, run_process
from automix.benchmark.table import Measurement, Missing
from automix.benchmark.workbench import Workbench, make_click_track

CLICKS_BPM = (60, 75, 90, 105, 120, 135, 150, 165, 180)
LARGEST_TEMPO_ERROR = 0.005
_LIBROSA_RATE_HZ = 22050


def measure_all_three(audio: Audio) -> Reading:
    """Measures integrated loudness, loudness range and true peak by automix."""
    meter = LoudnessMeter(audio.sample_rate, audio.channels)
    peaks = TruePeakMeter(audio.sample_rate, audio.channels)
    for block in audio.blocks():
        meter.add(block)
        peaks.add(block)
    energies = meter.energies
    return Reading(integrated_lufs(energies), loudness_range_lu(energies), peaks.peak_dbtp)


def loudness_against_libebur128(bench: Workbench) -> Measurement:
    """Measures P3 on the beat; each gets its own layout, automix channels and libebur128 frames."""
    beat = bench.beat
    try:
        library = Library()
    except OSError:
        return _loudness_against_ffmpeg(bench)
    frames = np.ascontiguousarray(beat.samples.T)
    ours, reference = compare_calls(
        [
            lambda: measure_all_three(beat),
            lambda: library.measure(frames, beat.sample_rate, BLOCK_FRAMES),
        ],
        bench.runs,
    )
    mine, theirs = ours.result, reference.result
    return Measurement(
        ours=ours.seconds,
        reference=reference.seconds,
        note=f"automix − libebur128: {mine.integrated_lufs - theirs.integrated_lufs:+z.3f} LU, "
        f"range {mine.loudness_range_lu - theirs.loudness_range_lu:+z.3f} LU, "
        f"true peak {mine.true_peak_dbtp - theirs.true_peak_dbtp:+z.3f} dB",
    )


def _loudness_against_ffmpeg(bench: Workbench) -> Measurement:
    beat = bench.beat
    try:
        commands = [ffmpeg.true_peak(bench.song.beat), ffmpeg.decode(bench.song.beat)]
    except Missing as missing:
        raise Missing("libebur128 or ffmpeg") from missing
    calls: list[Callable[[], object]] = [lambda: measure_all_three(beat)]
    calls += [partial(run_process, command) for command in commands]
    ours, whole, decoding = compare_calls(calls, bench.runs)
    return Measurement(
        ours=ours.seconds,
        reference=whole.seconds - decoding.seconds,
        note="libebur128 is not installed: this is the process ffmpeg ebur128=peak=true less one"
        " that only decodes",
    )


def loudness_against_pyloudnorm(bench: Workbench) -> Measurement:
    """Measures P4 on the beat; pyloudnorm gets float64 frames, as soundfile reads them."""
    try:
        import pyloudnorm
    except ImportError as error:
        raise Missing("pyloudnorm") from error
    beat = bench.beat
    frames = np.ascontiguousarray(beat.samples.T, dtype=np.float64)
    # The default filters are off by up to 0.06 LU; these cost the same.
    theirs = pyloudnorm.Meter(beat.sample_rate, filter_class="DeMan")

    def measure() -> float:
        meter = LoudnessMeter(beat.sample_rate, beat.channels)
        for block in beat.blocks():
            meter.add(block)
        loudness_range_lu(meter.energies)
        return integrated_lufs(meter.energies)

    ours, reference = compare_calls(
        [measure, lambda: float(theirs.integrated_loudness(frames))], bench.runs
    )
    return Measurement(
        ours=ours.seconds,
        reference=reference.seconds,
        note=f"automix − pyloudnorm: {ours.result - reference.result:+z.3f} LU",
    )


def tempo_against_librosa(bench: Workbench) -> Measurement:
    """Measures P5 on the beat, folded to mono at 22.05 kHz; octave errors count."""
    try:
        import librosa
    except ImportError as error:
        raise Missing("librosa") from error
    mono = soxr.resample(bench.beat.samples.mean(axis=0), bench.beat.sample_rate, _LIBROSA_RATE_HZ)

    def estimate(signal: NDArray[np.float32]) -> float:
        estimator = TempoEstimator(_LIBROSA_RATE_HZ)
        for start in range(0, signal.size, BLOCK_FRAMES):
            estimator.add(signal[start : start + BLOCK_FRAMES])
        tempo = estimator.estimate()
        return tempo.bpm if tempo else 0.0

    def track(signal: NDArray[np.float32]) -> float:
        tempo, _ = librosa.beat.beat_track(y=signal, sr=_LIBROSA_RATE_HZ)
        return float(np.ravel(tempo)[0])

    ours, reference = compare_calls([lambda: estimate(mono), lambda: track(mono)], bench.runs)
    mine, theirs = click_errors(estimate), click_errors(track)
    return Measurement(
        ours=ours.seconds,
        reference=reference.seconds,
        accurate=max(mine) <= LARGEST_TEMPO_ERROR,
        note=f"error on clicks of {CLICKS_BPM[0]} … {CLICKS_BPM[-1]} BPM, median and worst: "
        f"automix {statistics.median(mine):.2%} and {max(mine):.2%}, "
        f"librosa {statistics.median(theirs):.2%} and {max(theirs):.2%}",
    )


def click_errors(estimate: Callable[[NDArray[np.float32]], float]) -> list[float]:
    """Measures the relative error of the tempo of each click track of `CLICKS_BPM`."""
    return [
        abs(estimate(make_click_track(bpm, _LIBROSA_RATE_HZ)) / bpm - 1.0) for bpm in CLICKS_BPM
    ]
