"""ENST-Drums: three drummers on kits of their own, each recorded by up to eight microphones.

The folders are ``drummer_N/audio/<microphone>/NNN_*.wav``: ``kick``, ``snare``, ``hi-hat``,
``tom_1`` to ``tom_3``, ``overhead_L`` and ``overhead_R``, all mono, beside the stereo ``dry_mix``
and ``wet_mix`` and the ``accompaniment`` that the drummer played to, which is in neither mix. The
overheads stay two tracks, which makes the eight of Steinmetz 2020, chapter 5. One drummer will do.

Citation: O. Gillet, G. Richard, "ENST-Drums: an extensive audio-visual database for drum signals
    processing", ISMIR 2006, pages 156-159.
Licence: research only, under the agreement of Télécom Paris (ENST).
Access: on request from the authors; nothing is downloaded.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from automix.datasets.listing import list_audio, list_folders, require_file
from automix.datasets.song import SongFiles, check_songs
from automix.errors import InputError
from automix.files.names import printable
from automix.session.roles.naming import make_natural_names
from automix.session.roles.recognition import read_role
from automix.session.tracks import TrackFile

Mix = Literal["dry", "wet"]

_NO_MICROPHONES = ("accompaniment", "dry_mix", "wet_mix")


def is_layout(root: Path) -> bool:
    """Tells whether a folder holds drummers, or is one.

    Raises:
        InputError: ``root`` cannot be read.
    """
    return bool(_drummers(root))


def read_songs(root: Path, mix: Mix = "dry", *, hits: bool = False) -> list[SongFiles]:
    """Reads the recordings of all drummers: ``drummer_1/036_phrase_disco_simple_slow_sticks``.

    Args:
        root: Folder of ``drummer_1``, ``drummer_2``, ``drummer_3``, or one of these.
        mix: Kind of the mix that counts as the human mix, ``"dry"`` or ``"wet"``.
        hits: Whether recordings of single strokes (``001_hits_…``) count as songs as well.

    Raises:
        InputError: There are no recordings, or a mix is missing.
    """
    found = (song for drummer in _drummers(root) for song in _recordings(drummer, mix, hits))
    return check_songs(found, root, "drummer_1/audio/… of ENST-Drums")


def _drummers(root: Path) -> list[Path]:
    return [
        folder
        for folder in (root.absolute(), *list_folders(root))
        if folder.name.startswith("drummer_") and (folder / "audio").is_dir()
    ]


def _recordings(drummer: Path, mix: Mix, hits: bool) -> Iterator[SongFiles]:
    audio = drummer / "audio"
    microphones = {
        folder.name: {file.stem: file for file in list_audio(folder)}
        for folder in list_folders(audio)
        if folder.name not in _NO_MICROPHONES
    }
    recordings = sorted({name for files in microphones.values() for name in files})
    if not recordings:
        raise InputError(f"{printable(audio)}: no recordings; copy the drummer again, or remove it")
    for recording in recordings:
        if hits or recording.split("_")[1:2] != ["hits"]:
            human = require_file(audio / f"{mix}_mix" / f"{recording}.wav")
            yield _song(drummer.name, recording, human, microphones)


def _song(
    drummer: str, recording: str, human: Path, microphones: dict[str, dict[str, Path]]
) -> SongFiles:
    files = {name: found[recording] for name, found in microphones.items() if recording in found}
    missing = sorted(set(microphones) - set(files))
    stems = []
    for microphone, name in zip(files, make_natural_names(list(files)), strict=True):
        said = read_role(microphone)
        role = said.role if said else "other"
        stems.append(TrackFile(name=name, role=role, path=files[microphone]))
    title = f"{drummer}/{recording}"
    return SongFiles(
        name=title,
        artist=drummer,
        stems=tuple(stems),
        human=human,
        notes=tuple(f"{printable(title)}: no recording of {printable(name)}" for name in missing),
        split_within_artist=True,
    )
