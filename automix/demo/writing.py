"""Writes the demo song to a folder."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from automix.demo import synthesize_demo
from automix.files import OutputTarget


@dataclass(frozen=True, kw_only=True)
class WrittenDemo:
    """What was written."""

    files: tuple[Path, ...]
    tempo_bpm: float


def write_demo(
    folder: Path,
    *,
    seed: int,
    sample_rate: int,
    overwrite: bool,
    report: Callable[[str], None],
) -> WrittenDemo:
    """Synthesizes a song and writes ``vocal.wav``, ``beat.wav`` and ``song/*.wav``, 24 bit.

    Raises:
        OutputError: A file exists and may not be overwritten, or cannot be written.
    """
    report("synthesis")
    song = synthesize_demo(seed, sample_rate)
    audio = {folder / "vocal.wav": song.vocal, folder / "beat.wav": song.beat}
    audio |= {folder / "song" / f"{name}.wav": track for name, track in song.tracks.items()}
    report("writing")
    with ExitStack() as stack:
        targets = {
            path: stack.enter_context(OutputTarget.reserve(path, overwrite=overwrite))
            for path in audio
        }
        for path, target in targets.items():
            target.write_audio(audio[path], bits="24")
    return WrittenDemo(files=tuple(audio), tempo_bpm=song.tempo_bpm)
