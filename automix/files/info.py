"""What is known of an audio file, and how much to put up with in one."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """How much to put up with.

    Attributes:
        strict: A header that contradicts the file is an error instead of a note.
        repair: NaN and infinite samples become zero; a header that denies its audio is overruled.
        allow_truncated: What is left of a cut FLAC, MP3 or Ogg file is used.
    """

    strict: bool = False
    repair: bool = False
    allow_truncated: bool = False


@dataclass(frozen=True, kw_only=True)
class AudioInfo:
    """What a file holds.

    Attributes:
        path: The file.
        container: ``"wav"``, ``"rf64"``, ``"w64"``, ``"aiff"``, ``"caf"``, ``"flac"``, ``"ogg"`` or
            ``"mp3"``, from the content.
        subtype: Encoding of the samples, as libsndfile names it.
        bits: The smallest output depth that holds them: ``"16"``, ``"24"`` or ``"32f"``.
        sample_rate: Frames per second, 8000 … 192000.
        channels: As in the file; with more than two, `open_audio` yields a stereo downmix.
        frames: Length. Exact from `open_audio`; from `probe`, what the header says if the file is
            coded and may hold less.
        notes: What the user should know.
    """

    path: Path
    container: str
    subtype: str
    bits: str
    sample_rate: int
    channels: int
    frames: int
    notes: tuple[str, ...] = ()

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate
