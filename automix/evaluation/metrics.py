"""Measures distances between a prediction and its target: arrays in, numbers out.

Signals are arrays ``(channels, samples)`` of one shape. The spectral distances are the losses of
training (`automix.networks.losses`), computed piece by piece, so that whole songs fit into memory.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.floating[Any]]

MCD_COEFFICIENTS = 25
_MCD_FACTOR = 10.0 * math.sqrt(2.0) / math.log(10.0)  # eq. 4.21
_MEL_BANDS = 128
_MEL_FFT = 2048
_MEL_HOP = 512
_MEL_RANGE_DB = 80.0
_FRAMES_AT_A_TIME = 2048
_SILENT_RMS = 10.0 ** (-90.0 / 20.0)


def is_silent(signal: Signal) -> bool:
    """Tells whether a signal of any shape lies below −90 dBFS (RMS), as rounded silence does."""
    return float(np.square(signal, dtype=np.float64).mean()) < _SILENT_RMS**2


def mae(prediction: Signal, target: Signal) -> float:
    """Computes the mean absolute error (Steinmetz 2020, eq. 4.17).

    Raises:
        ValueError: The shapes differ, or there are no samples. All metrics here raise it.
    """
    _check(prediction, target)
    return float(np.abs(np.subtract(prediction, target, dtype=np.float64)).mean())


def esr(prediction: Signal, target: Signal) -> float:
    """Computes the error-to-signal ratio Σ(ŷ − y)² / Σy² (eq. 4.19, whose 1/(n − 1) is a slip).

    Returns:
        The ratio; 0 where both are silent, infinity where the target alone is.
    """
    _check(prediction, target)
    error = float((np.subtract(prediction, target, dtype=np.float64) ** 2).sum())
    energy = float((target.astype(np.float64) ** 2).sum())
    if energy == 0.0:
        return 0.0 if error == 0.0 else math.inf
    return error / energy


def mcd(prediction: Signal, target: Signal, sample_rate: int) -> float:
    """Computes mel cepstral distortion with 25 coefficients (eqs. 4.20 and 4.21).

    Cepstra as librosa makes them: 128 Slaney mel bands of a 2048-point Hann transform every 512
    samples, powers in dB over a range of 80 dB below the signal's highest, orthonormal DCT-II.

    Args:
        prediction: The signal.
        target: The signal that it should be.
        sample_rate: Frames per second; the mel bands reach to half of that.

    Returns:
        Distortion in dB, mean over frames and channels.
    """
    _check(prediction, target)
    found, wanted = (_cepstra(signal, sample_rate) for signal in (prediction, target))
    distances = np.sqrt(((found - wanted) ** 2).sum(axis=1))
    return _MCD_FACTOR * float(distances.mean())


def mr_stft(prediction: Signal, target: Signal) -> float:
    """Computes the multi-resolution STFT distance (eqs. 4.22–4.24), mean of the channels.

    Returns:
        The distance, which is relative to the target; NaN where a channel of the target is silent
        and that of the prediction is not.
    """
    _check(prediction, target)
    return float(np.mean([_mr_stft(p, t) for p, t in zip(prediction, target, strict=True)]))


def stereo_mr_stft(prediction: Signal, target: Signal) -> float:
    """Computes `mr_stft` of left + right plus that of left − right (eqs. 5.1–5.3).

    Returns:
        The distance; NaN where the sum or the difference of the target is silent and that of the
        prediction is not: a mono target has no difference to be relative to.

    Raises:
        ValueError: The signals are not stereo, the shapes differ, or there are no samples.
    """
    _check(prediction, target)
    if len(prediction) != 2:
        raise ValueError(f"a stereo signal has 2 channels, not {len(prediction)}")
    return _mr_stft(prediction[0] + prediction[1], target[0] + target[1]) + _mr_stft(
        prediction[0] - prediction[1], target[0] - target[1]
    )


def _mr_stft(prediction: Signal, target: Signal) -> float:
    from automix.networks.losses import long_mr_stft

    if is_silent(target) and not is_silent(prediction):
        return math.nan
    return long_mr_stft(prediction, target)


def level_errors_db(
    prediction: Signal, target: Signal, stems: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    """Measures how far the level of each stem in a mix is from that in another, in dB.

    The gain of a stem is that of the least-squares sum of all stems, left and right apart, in dB
    averaged over both; the median over the stems is taken away, since loudness is no error. The
    errors of stems more than 50 dB below the loudest are left out.

    Args:
        prediction: The mix ``(2, samples)``.
        target: The mix to compare with.
        stems: Stems ``(stems, 2, samples)`` of both mixes.

    Returns:
        Errors ``(stems,)``; NaN for the stems that are left out, and for all where a mix is silent.
    """
    levels = (stems.astype(np.float64) ** 2).mean(axis=(1, 2))
    kept = levels > levels.max(initial=0.0) * 1e-5
    errors = np.full(len(stems), np.nan)
    if not kept.any() or is_silent(prediction) or is_silent(target):
        return errors
    gains = [_side_gains(mix, stems) for mix in (prediction, target)]
    ratio_db = 20.0 * np.log10(np.maximum(np.abs(gains), 1e-6))
    difference = (ratio_db[0] - ratio_db[1]).mean(axis=0)[kept]
    errors[kept] = difference - np.median(difference)
    return errors


def _side_gains(mix: Signal, stems: Signal) -> NDArray[np.float64]:
    """Computes the gains ``(2, stems)`` of the stems on both sides of a mix."""
    return np.array([_gains(mix[side], stems[:, side]) for side in (0, 1)])


def _gains(mix: Signal, stems: Signal) -> NDArray[np.float64]:
    sources = stems.astype(np.float64)
    products = sources @ sources.T
    products += 1e-9 * np.trace(products) / len(products) * np.eye(len(products))
    return np.asarray(np.linalg.solve(products, sources @ mix.astype(np.float64)))


def third_octave_distance_db(
    found_db: NDArray[np.float64], wanted_db: NDArray[np.float64]
) -> float:
    """Computes the mean absolute difference of band levels.

    Levels more than 60 dB below the target's highest count as equal to that floor.

    Args:
        found_db: Levels ``(bands,)``; NaN marks bands that do not exist.
        wanted_db: Levels ``(bands,)`` of the target.

    Returns:
        The difference in dB; NaN where the target is silent.
    """
    there = np.isfinite(wanted_db) | np.isneginf(wanted_db)
    there &= np.isfinite(found_db) | np.isneginf(found_db)
    if not there.any() or not np.isfinite(wanted_db[there].max()):
        return math.nan
    floor = wanted_db[there].max() - 60.0
    found, wanted = (np.maximum(levels[there], floor) for levels in (found_db, wanted_db))
    return float(np.abs(found - wanted).mean())


def _cepstra(signal: Signal, sample_rate: int) -> NDArray[np.float64]:
    """Computes mel-frequency cepstral coefficients ``(channels, 25, frames)``."""
    import torch

    from automix.networks.torchaudio_pair import load_torchaudio

    functional = load_torchaudio("functional")
    bank = functional.melscale_fbanks(
        _MEL_FFT // 2 + 1, 0.0, sample_rate / 2, _MEL_BANDS, sample_rate, "slaney", "slaney"
    )
    dct = functional.create_dct(MCD_COEFFICIENTS, _MEL_BANDS, "ortho").double()
    channels = []
    for channel in signal:
        padded = np.pad(channel.astype(np.float32), _MEL_FFT // 2)
        powers = [
            torch.stft(
                torch.from_numpy(piece),
                _MEL_FFT,
                _MEL_HOP,
                window=torch.hann_window(_MEL_FFT),
                center=False,
                return_complex=True,
            )
            .abs()
            .square()
            for piece in _pieces(padded, _MEL_FFT, _MEL_HOP)
        ]
        mel_db = 10.0 * torch.log10((torch.cat(powers, 1).T @ bank).double().clamp_min(1e-10))
        mel_db = mel_db.clamp_min(float(mel_db.max()) - _MEL_RANGE_DB)
        channels.append((mel_db @ dct).T.numpy())
    return np.array(channels)


def _pieces(signal: Signal, n_fft: int, hop_length: int) -> Iterator[Signal]:
    """Cuts a signal so that the frames of the pieces are the frames of the whole."""
    frames = 1 + (len(signal) - n_fft) // hop_length
    for first in range(0, frames, _FRAMES_AT_A_TIME):
        last = min(first + _FRAMES_AT_A_TIME, frames) - 1
        yield signal[first * hop_length : last * hop_length + n_fft]


def _check(prediction: Signal, target: Signal) -> None:
    if prediction.shape != target.shape or prediction.ndim != 2:
        raise ValueError(f"shapes {prediction.shape} and {target.shape}: one (channels, samples)")
    if prediction.size == 0:
        raise ValueError("there are no samples to compare")
