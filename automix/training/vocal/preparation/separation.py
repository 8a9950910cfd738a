"""Separates finished songs into vocal and backing with Demucs, which is not part of automix.

Défossez 2021, "Hybrid spectrogram and waveform source separation". The user brings the program
(``automix[separation]``) and its weights.
"""

from typing import Any

import numpy as np

from automix.audio.blocks import collect
from automix.audio.resampling import resample
from automix.audio.samples import Audio, AudioSource
from automix.errors import DeviceError, UsageError


class Separator:
    """A model of Demucs that is ready to separate songs.

    Args:
        model: Name of the model, such as ``htdemucs``, or of a model in the folder ``repo``.
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        repo: Folder that holds the weights; if none, Demucs looks where it always does.

    Raises:
        UsageError: Demucs is not installed.
        DeviceError: The weights cannot be loaded.
    """

    def __init__(self, model: str, device: str, repo: str | None = None) -> None:
        try:
            from demucs.pretrained import get_model
        except ImportError as error:
            raise UsageError(
                "--separate needs Demucs, which is not installed; pip install 'automix[separation]'"
            ) from error
        from pathlib import Path

        try:
            self._model: Any = get_model(model, Path(repo) if repo else None)
        except Exception as error:  # a missing or broken model fails in many ways
            raise DeviceError(
                f"Demucs cannot load its model {model!r} ({error}); bring its weights as its"
                " manual says, or give their folder"
            ) from error
        self._model.to(device).eval()
        self._device = device

    def separate(self, source: AudioSource) -> tuple[Audio, Audio]:
        """Separates a song into vocal and backing at the model's rate; they sum to the song."""
        import torch
        from demucs.apply import apply_model

        rate = int(self._model.samplerate)
        mix = collect(resample(source, rate)).samples
        stereo = np.broadcast_to(mix, (2, mix.shape[1])).astype(np.float32)
        reference = torch.from_numpy(stereo.copy())
        mean, spread = reference.mean(), reference.std() + 1e-8
        stems = apply_model(
            self._model, ((reference - mean) / spread)[None], device=self._device, split=True
        )
        vocal = stems[0, self._model.sources.index("vocals")] * spread + mean
        voice = vocal.cpu().numpy().astype(np.float32)
        return Audio(voice, rate), Audio(stereo - voice, rate)
