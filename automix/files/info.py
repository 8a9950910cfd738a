"""Describes audio files, and says which of their faults are put up with."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """The faults of audio files that are put up with.

    Attributes:
        strict: Whether a header that contradicts the file is an error instead of a note.
        repair: Whether NaN, infinite and huge samples become zero, and audio is read that the
            header denies.
        allow_truncated: Whether the rest of a coded file, such as MP3, that was cut off is used.
    """

    strict: bool = False
    repair: bool = False
    allow_truncated: bool = False


@dataclass(frozen=True, kw_only=True)
class AudioInfo:
    """The format and the length of an audio file.

    Attributes:
        path: The file.
        container: ``"wav"``, ``"rf64"``, ``"w64"``, ``"aiff"``, ``"caf"``, ``"flac"``, ``"ogg"``,
            ``"mp3"``, or one of `automix.files.foreign.FOREIGN`; told by the content, not the name.
        subtype: Encoding of the samples, as libsndfile names it, or else ffmpeg in capitals.
        bits: Smallest output depth that holds the samples: ``"16"``, ``"24"`` or ``"32f"``.
        sample_rate: Frames per second, 8000 … 192000.
        channels: Number of channels in the file. Files with more than two are mixed down to
            stereo by `automix.files.reading.open_audio`.
        frames: Length in frames. It is exact from `open_audio`; from `probe` it is what the header
            of a coded file says, which may hold less.
        notes: Sentences for the user about faults and conversions.
        time_stamp: Frames from midnight to the start of the audio, where a broadcast WAV file says
            so; else none.
    """

    path: Path
    container: str
    subtype: str
    bits: str
    sample_rate: int
    channels: int
    frames: int
    notes: tuple[str, ...] = ()
    time_stamp: int | None = None

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate
