"""SignalTrain LA2A: recordings through a Teletronix LA-2A leveling amplifier, and their inputs.

``Train``, ``Val`` and ``Test`` hold pairs, mono at 44.1 kHz: ``input_<id>_.wav`` and
``target_<id>_LA2A_<n>c__<switch>__<peak reduction>.wav``; the switch is 0 (compress) or 1 (limit),
the knob goes from 0 to 100. Some settings of Test are in neither of the others. As a data set of
songs, each pair is a song of one stem, whose human mix is what the LA-2A made of it.

Citation: S. H. Hawley, B. Colburn, S. I. Mimilakis, "SignalTrain: profiling audio compressors with
    deep neural networks", 147th AES Convention, 2019; data set doi 10.5281/zenodo.3824876.
Licence: CC BY 4.0; look at the record of the version that you have.
Access: Zenodo, record 3824876; nothing is downloaded.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from automix.datasets.listing import list_audio, list_folders, require_file
from automix.datasets.song import SongFiles, check_songs
from automix.errors import InputError
from automix.files.names import printable
from automix.session.tracks import TrackFile

SIDES = {"Train": "train", "Val": "validation", "Test": "test"}
"""Sides of the split that the data set itself prescribes, by folder."""

_TARGET = re.compile(r"target_(\w+?)_LA2A_\w+?__([01])__(\d+(?:\.\d+)?)")
_INPUT = re.compile(r"input_(\w+?)_?")


@dataclass(frozen=True, kw_only=True)
class La2aRecording:
    """One recording through the LA-2A: a pair of files.

    Attributes:
        name: Folder and number, such as ``Train/138``.
        input: File of the audio that went in.
        target: File of the audio that came out, of the same length.
        limit: Whether the switch was on limit; else it was on compress.
        peak_reduction: Position of the knob of that name, 0 … 100.
        side: Side of the split: ``train``, ``validation`` or ``test``.
    """

    name: str
    input: Path
    target: Path
    limit: bool
    peak_reduction: float
    side: str


def is_layout(root: Path) -> bool:
    """Tells whether a folder holds recordings of the LA-2A.

    Raises:
        InputError: ``root`` cannot be read.
    """
    return any(
        _INPUT.fullmatch(file.stem) or _TARGET.fullmatch(file.stem)
        for folder in list_folders(root)
        if folder.name in SIDES
        for file in list_audio(folder)
    )


def read_recordings(root: Path) -> list[La2aRecording]:
    """Reads all pairs of files, by name.

    Args:
        root: Folder of Train, Val and Test, or of some of them.

    Raises:
        InputError: There are no pairs, a folder has no audio, or one file of a pair is missing.
    """
    found = [
        pair for folder in list_folders(root) if folder.name in SIDES for pair in _pairs(folder)
    ]
    if not found:
        raise InputError(
            f"{printable(root)}: no songs; give the folder of Train, Val and Test of"
            " SignalTrain LA2A"
        )
    return sorted(found, key=lambda pair: pair.name)


def read_songs(root: Path) -> list[SongFiles]:
    """Reads the pairs as songs of one stem.

    Raises:
        InputError: There are no pairs, a folder has no audio, or one file of a pair is missing.
    """
    made = (
        SongFiles(
            name=pair.name,
            artist=pair.name,
            stems=(TrackFile(name="input", role="other", path=pair.input),),
            human=pair.target,
            group=pair.side,
        )
        for pair in read_recordings(root)
    )
    return check_songs(made, root, "Train, Val and Test of SignalTrain LA2A")


def _pairs(folder: Path) -> list[La2aRecording]:
    files = list_audio(folder)
    if not files:
        raise InputError(f"{printable(folder)}: no audio; copy the folder again, or remove it")
    inputs = {match[1]: file for file in files if (match := _INPUT.fullmatch(file.stem))}
    pairs = []
    for file in files:
        match = _TARGET.fullmatch(file.stem)
        if match is None:
            continue
        number, switch, knob = match.groups()
        if float(knob) > 100.0:
            raise InputError(f"{printable(file)}: a peak reduction of {knob} is outside 0 … 100")
        pairs.append(
            La2aRecording(
                name=f"{folder.name}/{number}",
                input=require_file(inputs.pop(number, folder / f"input_{number}_.wav")),
                target=file,
                limit=switch == "1",
                peak_reduction=float(knob),
                side=SIDES[folder.name],
            )
        )
    for file in inputs.values():
        raise InputError(
            f"{printable(file)}: its target is missing; copy it again, or remove this one"
        )
    return pairs
