"""Writes the demo song to a folder."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from automix.demo import synthesize_demo
from automix.files.target import OutputTarget


@dataclass(frozen=True, kw_only=True)
class WrittenDemo:
    """What `write_demo` wrote.

    Attributes:
        files: The files, vocal and beat first.
        tempo_bpm: Tempo of the song, quarter notes per minute.
    """

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

    Args:
        folder: Folder to write to.
        seed: Seed of the song.
        sample_rate: Frames per second.
        overwrite: Whether files that exist may be replaced.
        report: Called with the name of each stage as it begins.

    Raises:
        OutputError: A file exists and may not be overwritten, or cannot be written.
    """
    with ExitStack() as stack:

        def reserve(path: Path) -> OutputTarget:
            return stack.enter_context(OutputTarget.reserve(path, overwrite=overwrite))

        inputs = {name: reserve(folder / f"{name}.wav") for name in ("vocal", "beat")}
        report("synthesis")
        song = synthesize_demo(seed, sample_rate)
        tracks = {name: reserve(folder / "song" / f"{name}.wav") for name in song.tracks}
        report("writing")
        inputs["vocal"].write_audio(song.vocal, bits="24")
        inputs["beat"].write_audio(song.beat, bits="24")
        for name, target in tracks.items():
            target.write_audio(song.tracks[name], bits="24")
    written = (*inputs.values(), *tracks.values())
    return WrittenDemo(files=tuple(target.path for target in written), tempo_bpm=song.tempo_bpm)
