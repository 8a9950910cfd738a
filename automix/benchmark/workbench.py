"""Makes the material of the benchmark: the reference song, and click tracks."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from automix.audio.blocks import collect, reblock
from automix.audio.samples import Audio, Samples
from automix.audio.streams import Stream
from automix.demo import DemoSong, synthesize_demo
from automix.errors import InputError, OutputError
from automix.files.disk import check_disk_space
from automix.files.disk import report_write_failures as disk_reported
from automix.files.names import printable
from automix.files.probe import probe
from automix.files.reading import open_audio
from automix.files.target import OutputTarget

SONG_S = 240
HOUR_S = 3600
STEMS = (
    "kick",
    "snare",
    "overheads",
    "bass",
    "guitar left",
    "keys",
    "backing vocal",
    "lead vocal",
)
_BYTES_PER_SAMPLE = {"16": 2, "24": 3}


@dataclass(frozen=True, kw_only=True)
class Song:
    """A vocal (mono, 24 bit) and its beat (stereo, 16 bit), 44.1 kHz.

    Attributes:
        vocal: File of the vocal.
        beat: File of the beat.
        float_bytes: Size of both as float32, in bytes.
    """

    vocal: Path
    beat: Path
    float_bytes: int


class Workbench:
    """Makes the files of the benchmark when they are first needed.

    Args:
        folder: Existing folder for the reference files. Those of an earlier run are used again.
        scratch: Existing folder for what the measured commands write.
        runs: Number of rounds that count.
    """

    def __init__(self, folder: Path, scratch: Path, runs: int) -> None:
        self.folder = folder.resolve()  # the commands run elsewhere
        self.scratch = scratch.resolve()
        self.runs = runs

    @cached_property
    def song(self) -> Song:
        """The reference song, 240 s.

        Raises:
            OutputError: A file of its name is another one, or there is no room.
        """
        return self._write("song", SONG_S)

    @cached_property
    def hour(self) -> Song:
        """The reference song, repeated for 60 minutes.

        Raises:
            OutputError: A file of its name is another one, or there is no room.
        """
        return self._write("hour", HOUR_S)

    @cached_property
    def stems(self) -> Path:
        """A folder with eight tracks of the demo song, 24 bit, 240 s; the overheads are stereo.

        Raises:
            OutputError: A file of its name is another one, or there is no room.
        """
        folder = self.folder / "stems"
        with disk_reported(folder):
            folder.mkdir(exist_ok=True)
        for name in STEMS:
            self._tile(f"stems/{name}.wav", self._demo.tracks[name], SONG_S, "24")
        return folder

    @cached_property
    def beat(self) -> Audio:
        """The beat of the reference song, in memory.

        Raises:
            OutputError: A file of its name is another one, or there is no room.
        """
        return collect(open_audio(self.song.beat).source)

    @cached_property
    def _demo(self) -> DemoSong:
        return synthesize_demo()

    def _write(self, name: str, duration_s: int) -> Song:
        vocal = self._tile(f"{name}-vocal.wav", self._demo.vocal, duration_s, "24")
        beat = self._tile(f"{name}-beat.wav", self._demo.beat, duration_s, "16")
        frames = duration_s * self._demo.beat.sample_rate
        return Song(vocal=vocal, beat=beat, float_bytes=frames * 3 * 4)

    def _tile(self, name: str, audio: Audio, duration_s: int, bits: Literal["16", "24"]) -> Path:
        """Writes ``audio`` over and over until it is ``duration_s`` long."""
        path = self.folder / name
        frames = duration_s * audio.sample_rate
        if path.exists():
            _check_reusable(path, audio, frames, bits)
            return path
        repeats = -(-frames // audio.frames)

        def blocks() -> Iterator[Samples]:
            tiles = [audio.samples] * (repeats - 1)
            return reblock([*tiles, audio.samples[:, : frames - audio.frames * (repeats - 1)]])

        check_disk_space(self.folder, frames * audio.channels * _BYTES_PER_SAMPLE[bits])
        source = Stream(
            sample_rate=audio.sample_rate,
            channels=audio.channels,
            frames=frames,
            make_blocks=blocks,
        )
        with OutputTarget.reserve(path) as target:
            target.write_audio(source, bits=bits)
        return path


def _check_reusable(path: Path, audio: Audio, frames: int, bits: str) -> None:
    expected = (audio.sample_rate, audio.channels, frames, bits)
    try:
        info = probe(path)
        found = (info.sample_rate, info.channels, info.frames, info.bits)
    except InputError:
        found = None
    if found != expected:
        raise OutputError(
            f"{printable(path)}: exists and is not the reference song; choose another --folder"
        )


def make_click_track(bpm: float, sample_rate: int, duration_s: float = 30.0) -> NDArray[np.float32]:
    """Makes a metronome ``(frames,)``: decaying bursts of 1 kHz, the first at 0 s."""
    time_s = np.arange(round(0.02 * sample_rate)) / sample_rate
    click = 0.5 * np.sin(2 * np.pi * 1000 * time_s) * np.exp(-time_s / 0.003)
    track = np.zeros(round(duration_s * sample_rate), np.float32)
    for beat_s in np.arange(0.0, duration_s - 0.02, 60.0 / bpm):
        start = round(beat_s * sample_rate)
        track[start : start + click.size] += click
    return track
