"""Archives stream: their audio is never in memory."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import soundfile

from automix.audio.samples import BLOCK_FRAMES, Samples
from automix.audio.streams import Stream
from automix.export.archive import ArchiveTarget, AudioEntry

FRAMES = 100 * BLOCK_FRAMES


def silence() -> Iterator[Samples]:
    for _ in range(FRAMES // BLOCK_FRAMES):
        yield np.zeros((2, BLOCK_FRAMES), np.float32)


def test_memory_does_not_grow_with_the_audio(tmp_path: Path) -> None:
    source = Stream(sample_rate=48000, channels=2, frames=FRAMES, make_blocks=silence)
    entries = [AudioEntry(path=f"audio/{n}.wav", source=source, bits="32f") for n in range(2)]
    tracemalloc.start()
    with ArchiveTarget.reserve(tmp_path / "x.dawproject") as target:
        target.write_archive({"a.xml": "<é/>"}, entries)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * FRAMES / 4
    with ZipFile(tmp_path / "x.dawproject") as archive:
        assert archive.read("a.xml") == "<é/>".encode()
        with archive.open("audio/1.wav") as wave:
            assert soundfile.info(wave).frames == FRAMES
    assert [path.name for path in tmp_path.iterdir()] == ["x.dawproject"]
