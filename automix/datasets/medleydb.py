"""MedleyDB V1 and V2: songs as raw tracks, as processed stems, and mixed, at 44.1 kHz.

The folders are ``<song>/<song>_RAW/``, ``<song>/<song>_STEMS/``, ``<song>/<song>_MIX.wav`` and
``<song>/<song>_METADATA.yaml``, right below the folder that is given or one deeper (``V1/``,
``V2/``, ``Audio/``); one song will do. The audio archives come without metadata, which is published
apart; put it beside the mix, or all of it into a folder ``Metadata`` beside the songs.

Citation: R. Bittner, J. Salamon, M. Tierney, M. Mauch, C. Cannam, J. P. Bello, "MedleyDB: A
    Multitrack Dataset for Annotation-Intensive MIR Research", ISMIR 2014; R. Bittner, J. Wilkins,
    H. Yip, J. P. Bello, "MedleyDB 2.0: New Data and a System for Sustainable Data Collection",
    ISMIR 2016 (late-breaking).
Licence: CC BY-NC-SA 4.0, non-commercial use only.
Access: on request from Zenodo; nothing is downloaded.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from automix.datasets.listing import list_audio, list_folders, require_file
from automix.datasets.song import SongFiles, check_songs, read_artist
from automix.errors import InputError
from automix.files.names import printable
from automix.files.text import read_text
from automix.plan.roles import Role
from automix.session.roles.naming import make_natural_names
from automix.session.roles.recognition import read_role
from automix.session.tracks import TrackFile

Tracks = Literal["stems", "raw"]

_MOST_BYTES = 1 << 18  # those of MedleyDB have 20 kB
_FOLDERS: dict[Tracks, str] = {"stems": "STEMS", "raw": "RAW"}


@dataclass(frozen=True, kw_only=True)
class _Label:
    """What the metadata say about an audio file.

    Attributes:
        instrument: Name of the instrument in MedleyDB's taxonomy, or empty.
        leads: Whether the instrument carries the melody.
    """

    instrument: str
    leads: bool


def is_layout(root: Path) -> bool:
    """Tells whether a folder is a song of MedleyDB, or holds some, one or two levels down.

    Raises:
        InputError: A folder cannot be read.
    """
    return any(_song_folders(root))


def read_songs(root: Path, tracks: Tracks = "stems") -> list[SongFiles]:
    """Reads the songs; the instruments of the metadata give the roles.

    Args:
        root: Folder of the songs, folder of folders of songs, or one song.
        tracks: Tracks that are to be mixed: the processed ``"stems"`` or the ``"raw"`` tracks.

    Raises:
        InputError: There are no songs, a file is missing, or metadata cannot be read.
    """
    found = (_song(folder, tracks) for folder in _song_folders(root))
    return check_songs(found, root, "<song>/<song>_STEMS/ of MedleyDB")


def _song_folders(root: Path) -> Iterator[Path]:
    if _is_song(root.absolute()):
        yield root.absolute()
        return
    for folder in list_folders(root):
        if _is_song(folder):
            yield folder
        else:
            yield from filter(_is_song, list_folders(folder))


def _is_song(folder: Path) -> bool:
    start = folder / folder.name
    return Path(f"{start}_MIX.wav").is_file() or any(
        Path(f"{start}_{kind}").is_dir() for kind in _FOLDERS.values()
    )


def _song(folder: Path, tracks: Tracks) -> SongFiles:
    name = folder.name
    document = _metadata(folder)
    labels = dict(_labels(document or {}, tracks))
    inside = folder / f"{name}_{_FOLDERS[tracks]}"
    files = list_audio(inside)
    if not files:
        raise InputError(f"{printable(inside)}: holds no audio; copy the song again, or remove it")
    for listed in sorted(labels):
        require_file(inside / listed)
    notes = [] if document else [f"{printable(name)}: no metadata; roles are not known"]
    return SongFiles(
        name=name,
        artist=_word((document or {}).get("artist")).strip() or read_artist(name, "_"),
        stems=tuple(_stems(name, files, labels)),
        human=require_file(folder / f"{name}_MIX.wav"),
        notes=tuple(notes),
    )


def _stems(song: str, files: list[Path], labels: dict[str, _Label]) -> Iterator[TrackFile]:
    unknown = _Label(instrument="", leads=False)
    labeled = [labels.get(file.name, unknown) for file in files]
    roles = [_role(label.instrument) for label in labeled]
    # The taxonomy has singers, but not who of them leads.
    known_lead = any(
        role == "lead vocal" and label.leads for role, label in zip(roles, labeled, strict=True)
    )
    names = [
        label.instrument or file.stem.removeprefix(f"{song}_")
        for file, label in zip(files, labeled, strict=True)
    ]
    for file, name, role, label in zip(
        files, make_natural_names(names), roles, labeled, strict=True
    ):
        follows = known_lead and role == "lead vocal" and not label.leads
        yield TrackFile(name=name, role="backing vocal" if follows else role, path=file)


def _role(instrument: str) -> Role:
    said = read_role(instrument)
    return said.role if said else "other"


def _metadata(folder: Path) -> dict[str, Any] | None:
    """Reads the metadata of a song; none where there is no file.

    Raises:
        InputError: The file cannot be read.
    """
    name = f"{folder.name}_METADATA.yaml"
    places = (folder / name, folder.parent / "Metadata" / name)
    path = next((path for path in places if path.is_file()), None)
    if path is None:
        return None
    document = _parse_yaml(read_text(path, most_bytes=_MOST_BYTES), printable(path))
    if not isinstance(document, dict):
        raise InputError(f"{printable(path)}: holds no metadata; copy it again")
    return document


def _parse_yaml(text: str, name: str) -> Any:
    """Parses YAML, of which every scalar is a text, without aliases and tags.

    Raises:
        InputError: It is not such YAML; names the line.
    """
    import yaml

    # The loader in C is ten times as fast, which counts for two hundred files.
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        for event in yaml.parse(text, loader) if "*" in text or "!" in text else ():
            line = event.start_mark.line + 1
            if isinstance(event, yaml.AliasEvent):  # a few of them can stand for gigabytes
                raise InputError(f"{name}, line {line}: has an alias (*); write out what it means")
            if getattr(event, "tag", None) is not None:
                raise InputError(f"{name}, line {line}: has a tag (!); remove it")
        return yaml.load(text, loader)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{name}: cannot be read as metadata: {reason}") from error


def _labels(document: dict[str, Any], tracks: Tracks) -> Iterator[tuple[str, _Label]]:
    """Yields file names with their labels."""
    for stem in _tables(document.get("stems")):
        leads = stem.get("component") == "melody"
        for row in [stem] if tracks == "stems" else _tables(stem.get("raw")):
            said = row.get("instrument")
            several = said if isinstance(said, list) else [said]  # several in one stem
            instrument = ", ".join(filter(None, map(_word, several)))
            if isinstance(row.get("filename"), str):
                yield row["filename"], _Label(instrument=instrument, leads=leads)


def _word(value: Any) -> str:
    """A name as text; empty where there is none, or something that is no name."""
    return value if isinstance(value, str) and value.lower() not in ("null", "~") else ""


def _tables(value: Any) -> list[dict[str, Any]]:
    rows = value.values() if isinstance(value, dict) else ()
    return [row for row in rows if isinstance(row, dict)]
