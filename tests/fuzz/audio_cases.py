"""Damaged audio files, read as every command reads its inputs."""

import random
from pathlib import Path

import numpy as np

from automix.errors import InputError
from automix.files.info import ReadOptions
from automix.files.probe import probe
from automix.files.reading import open_audio
from tests.fuzz.containers import Mutant, mutate
from tests.fuzz.judging import Case, run_program

EXACT = ("wav", "rf64", "w64", "aiff", "caf", "flac")
"""Containers whose length is known before they are read; of others a header says about how long."""


def prepare_audio(seed: int, number: int, folder: Path) -> Case:
    """A damaged audio file, and a way to read it; one in twelve is mixed."""
    mutant = mutate(seed, number)
    rng = random.Random(f"{seed} reading {number}")
    path = folder / f"in.{mutant.extension}"
    path.write_bytes(mutant.data)
    if rng.random() < 1 / 12:
        flags = rng.choice(((), ("--repair", "--allow-truncated"), ("--strict",)))
        command = ("stems", path.name, "--method", "mono", "-o", "out.wav", "-q", *flags)
        return Case(mutant.name, lambda: mix(*command), ("out.wav", "out.toml"))
    options = rng.choice(
        (
            ReadOptions(),
            ReadOptions(strict=True),
            ReadOptions(repair=True, allow_truncated=True),
        )
    )
    in_memory = rng.random() < 0.7
    return Case(mutant.name, lambda: read(mutant, Path(path.name), options, in_memory))


def read(mutant: Mutant, path: Path, options: ReadOptions, in_memory: bool) -> str | None:
    """Reads a file to its end.

    Returns:
        What of it was not as it was promised, or none.

    Raises:
        InputError: It was refused.
    """
    try:
        promised = probe(path, options)
    except InputError:
        open_audio(path, options, in_memory=in_memory)
        return "opened, though the probe refuses it"
    opened = open_audio(path, options, in_memory=in_memory)
    blocks = list(opened.source.blocks())
    frames = sum(block.shape[1] for block in blocks)
    if frames != opened.source.frames or frames != opened.info.frames:
        return f"{frames} frames read, {opened.info.frames} promised"
    if not all(np.isfinite(block).all() for block in blocks):
        return "samples that are not finite"
    told = set(opened.notes) - set(promised.notes)
    if frames != promised.frames and not told and promised.container in EXACT:
        return f"{frames} frames read, {promised.frames} probed, and not a word"
    least = 0 if mutant.frames is None else mutant.frames - mutant.tolerance
    if frames < least and not opened.notes:
        return f"{frames} of {mutant.frames} frames read, and not a word"
    return None


def mix(*command: str) -> str | None:
    """Mixes a file; the mix, if there is one, decodes."""
    complaint = run_program(*command, codes=(3,))
    if (
        complaint is None
        and not np.isfinite(
            np.concatenate(list(open_audio("out.wav").source.blocks()), axis=1)
        ).all()
    ):
        return "a mix that is not finite"
    return complaint
