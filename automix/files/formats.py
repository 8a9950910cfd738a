"""Chooses the format of files to be written: by extension and sample depth, within its limits."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from automix.errors import OutputError, UsageError
from automix.files.names import printable

Bits = Literal["16", "24", "32f"]

RIFF_LIMIT_BYTES = 0xFFFFFFFF - 4096
"""Largest audio, in bytes, that fits a file whose sizes have 32 bits, beside its other chunks."""

_BY_EXTENSION = {
    ".wav": "wav",
    ".wave": "wav",
    ".rf64": "rf64",
    ".w64": "w64",
    ".aiff": "aiff",
    ".aif": "aiff",
    ".flac": "flac",
    ".ogg": "ogg",
    ".mp3": "mp3",
    ".m4a": "m4a",
}
_PCM_SUBTYPES = {"16": "PCM_16", "24": "PCM_24", "32f": "FLOAT"}
_LOSSY_SUBTYPES = {"ogg": "VORBIS", "mp3": "MPEG_LAYER_III", "m4a": "AAC"}
_LOSSY_BYTES_PER_S = {
    "ogg": 64000,
    "mp3": 40000,
    "m4a": 50000,
}  # the most that our settings lead to
_LOW_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_LOSSY_RATES = {"mp3": ("MP3", _LOW_RATES), "m4a": ("AAC", (*_LOW_RATES, 64000, 88200, 96000))}


@dataclass(frozen=True, kw_only=True)
class OutputFormat:
    """Container and sample depth of a file to be written.

    Attributes:
        container: ``"wav"``, ``"rf64"``, ``"w64"``, ``"aiff"``, ``"flac"``, ``"ogg"``, ``"mp3"``
            or ``"m4a"``.
        bits: Sample depth: ``"16"`` or ``"24"`` bit integers, or ``"32f"`` for 32-bit float. Lossy
            formats have no depth and ignore it.
    """

    container: str
    bits: Bits

    @property
    def is_lossy(self) -> bool:
        """Whether the samples are coded with loss."""
        return self.container in _LOSSY_SUBTYPES

    @property
    def is_integer(self) -> bool:
        """Whether samples are stored as integers, so that they are dithered and can clip."""
        return not self.is_lossy and self.bits != "32f"

    @property
    def subtype(self) -> str:
        """Libsndfile's name of the encoding; AAC, which it does not write, is called ``AAC``."""
        return _LOSSY_SUBTYPES.get(self.container, _PCM_SUBTYPES[self.bits])

    def size_bytes(self, frames: int, channels: int, sample_rate: int) -> int:
        """Computes the bytes of audio: exact for PCM, an upper bound for FLAC and lossy formats."""
        if self.is_lossy:
            return frames * _LOSSY_BYTES_PER_S[self.container] // sample_rate
        return frames * channels * {"16": 2, "24": 3, "32f": 4}[self.bits]

    def check(self, name: str, frames: int, channels: int, sample_rate: int) -> None:
        """Refuses audio that the format cannot hold.

        Args:
            name: Name of the file, for the message.
            frames: Length in frames.
            channels: 1 or 2.
            sample_rate: Frames per second.

        Raises:
            OutputError: The format cannot hold the audio; the message says which format can.
        """
        label, rates = _LOSSY_RATES.get(self.container, ("", (sample_rate,)))
        if sample_rate not in rates:
            raise OutputError(
                f"{name}: {label} has no sample rate of {sample_rate} Hz; write .flac or .wav"
            )
        size = self.size_bytes(frames, channels, sample_rate)
        if self.container == "aiff" and size > RIFF_LIMIT_BYTES:
            raise OutputError(f"{name}: AIFF ends at 4 GiB; write .wav, which goes on as RF64")


def choose_format(path: str | os.PathLike[str], bits: str = "24") -> OutputFormat:
    """Chooses the format that a file name and a sample depth ask for.

    Args:
        path: Name of the file to write; only its extension counts.
        bits: ``"16"``, ``"24"`` or ``"32f"``; lossy formats ignore it.

    Raises:
        UsageError: There is no such extension or depth, or the two do not go together.
        OutputError: The format is written through ffmpeg, which is not installed.
    """
    container = _BY_EXTENSION.get(Path(path).suffix.lower())
    if container is None:
        known = ", ".join(extension.lstrip(".") for extension in _BY_EXTENSION)
        raise UsageError(f"{printable(path)}: the extension says no format; use one of {known}")
    depth: Bits | None = next((known for known in get_args(Bits) if known == bits), None)
    if depth is None:
        raise UsageError(f"--bits must be one of {', '.join(get_args(Bits))}, not {bits!r}")
    if container == "flac" and depth == "32f":
        raise UsageError(
            f"{printable(path)}: FLAC has no float samples; use --bits 24 or write .wav"
        )
    if container == "m4a":
        # Imported here, since only this format needs it, and it loads NumPy.
        from automix.files.ffmpeg import require_encoder

        require_encoder(path)
    return OutputFormat(container=container, bits=depth)
