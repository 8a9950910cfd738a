"""Finds the files that make up a song: in a folder, a list of files, or a session file."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from automix.analysis.role_features import RoleFeatures, guess_role, measure_role_features
from automix.errors import InputError
from automix.files.extensions import AUDIO_EXTENSIONS
from automix.files.info import ReadOptions
from automix.files.names import printable
from automix.files.text import read_toml
from automix.parallel.workers import run_in_parallel
from automix.plan.roles import ROLES, Role
from automix.plan.toml import begins_as_plan
from automix.session.roles.naming import make_natural_names
from automix.session.roles.pairs import find_stereo_pairs, name_pair
from automix.session.roles.recognition import read_role
from automix.session.tracks import Session, TrackFile, open_session

MIX_NAME = "mix"
"""Name of the file beside the tracks that is the human mix, in folders of songs to learn from."""

_SURE = 0.7
"""Confidence, 0 … 1, from which a role that is told by sound alone counts."""


def find_song_files(
    paths: Sequence[Path],
    *,
    recursive: bool = False,
    roles: Mapping[str, str] | None = None,
    known_mix: Path | None = None,
) -> tuple[list[TrackFile], list[str]]:
    """Finds the tracks of a song.

    Args:
        paths: One folder, one session file (``.toml``), or the audio files themselves.
        recursive: Whether to look into the folders of the folder.
        roles: Roles by track name that overrule what the names say.
        known_mix: The file of the human mix, if the caller knows it: it is left out without a note.

    Returns:
        The tracks with natural unique names and the roles that their names tell (``other`` where
        they tell nothing), and notes for the user.

    Raises:
        InputError: There is no audio, a session file is not one, or a role is given for a track
            that is not there.
    """
    notes: list[str] = []
    if len(paths) == 1 and paths[0].suffix.lower() == ".toml":
        tracks = _read_session_file(paths[0])
    else:
        audio, notes = _find_audio(paths, recursive, known_mix)
        tracks = _read_tracks(audio)
    if not tracks:
        raise InputError(
            f"{', '.join(map(printable, paths))}: no audio files; give a song's folder"
        )
    given = dict(roles or {})
    tracks = [_give_role(track, given.pop(track.name, None)) for track in tracks]
    if given:
        raise InputError(
            f"no track is named {sorted(given)[0]!r}; there are:"
            f" {', '.join(track.name for track in tracks)}"
        )
    return tracks, notes


def _give_role(track: TrackFile, role: str | None) -> TrackFile:
    return track if role is None else replace(track, role=check_role(role, track.name))


def name_roles(names: Sequence[str], given: Mapping[str, str]) -> dict[str, Role]:
    """The roles of tracks by their names: what they are said to be, else what the names tell.

    Raises:
        InputError: No track has a name that is given, or there is no such role.
    """
    if unknown := sorted(set(given) - set(names)):
        raise InputError(f"no track is named {unknown[0]!r}; there are: {', '.join(names)}")
    roles: dict[str, Role] = {}
    for name in names:
        told = read_role(name, names)
        if name in given:
            roles[name] = check_role(given[name], name)
        else:
            roles[name] = told.role if told else "other"
    return roles


def check_role(role: str, name: str) -> Role:
    """Looks up the role of a name.

    Args:
        role: Name of the role.
        name: Name of the track, for the message.

    Raises:
        InputError: No role has that name.
    """
    for known in ROLES:
        if known == role:
            return known
    raise InputError(f"track {name!r}: no role {role!r}; there are: {', '.join(ROLES)}")


def _find_audio(
    paths: Sequence[Path], recursive: bool, known_mix: Path | None
) -> tuple[list[Path], list[str]]:
    found: list[Path] = []
    notes = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        for file in sorted(_walk_audio(path, recursive)):
            if file == known_mix:
                continue
            if is_own_mix(file):
                notes.append(f"{printable(file)}: a mix that automix wrote, left out")
            elif file.stem.casefold() == MIX_NAME:
                notes.append(f"{printable(file)}: taken for a mix of the song, left out")
            else:
                found.append(file)
    once = {os.path.realpath(path): path for path in reversed(found)}
    if len(once) < len(found):
        notes.append("a file that was named twice is used once")
    return list(reversed(once.values())), notes


def _walk_audio(folder: Path, recursive: bool) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):  # does not follow links to folders: no loops
        folders[:] = sorted(f for f in folders if recursive and not f.startswith((".", "__")))
        for name in names:
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in AUDIO_EXTENSIONS:
                yield Path(here, name)


def is_own_mix(audio: Path) -> bool:
    """Tells whether automix wrote a file of audio: then a plan lies beside it."""
    return begins_as_plan(audio.with_suffix(".toml"))


def _read_tracks(audio: Sequence[Path]) -> list[TrackFile]:
    stems = [path.stem for path in audio]
    by_stem = dict(zip(stems, audio, strict=True))
    pairs = dict(find_stereo_pairs(stems)) if len(by_stem) == len(stems) else {}
    rights = set(pairs.values())
    singles = [path for path in audio if path.stem not in rights or path.stem not in by_stem]
    spoken = [name_pair(p.stem, pairs[p.stem]) if p.stem in pairs else p.stem for p in singles]
    told = [read_role(stem, spoken) for stem in spoken]
    has_lead = any(said and said.role == "lead vocal" and not said.double for said in told)
    tracks = []
    for path, name, said in zip(singles, make_natural_names(spoken), told, strict=True):
        role: Role = said.role if said else "other"
        if said and said.double and role == "lead vocal" and has_lead:
            role = "backing vocal"  # the double of a lead stands behind it
        tracks.append(
            TrackFile(
                name=name,
                role=role,
                path=path,
                right=by_stem[pairs[path.stem]] if path.stem in pairs else None,
            )
        )
    return tracks


def _read_session_file(path: Path) -> list[TrackFile]:
    rows = read_toml(path).get("tracks")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{printable(path)}: a session has [[tracks]] with `file`, `name`, `role`")
    tracks = []
    for number, row in enumerate(rows, 1):
        where = f"{printable(path)}, track {number}"
        if unknown := set(row) - {"file", "right", "name", "role"}:
            raise InputError(f"{where}: unknown key {sorted(unknown)[0]!r}")
        if not all(isinstance(value, str) for value in row.values()) or "file" not in row:
            raise InputError(f"{where}: needs `file`; all values are texts")
        if any("\0" in value for value in row.values()):
            raise InputError(f"{where}: a value holds a null character; remove it")
        name = row.get("name", Path(row["file"]).stem)
        said = read_role(name)
        role: Role = said.role if said else "other"
        tracks.append(
            TrackFile(
                name=name,
                role=check_role(row["role"], name) if "role" in row else role,
                path=path.parent / row["file"],
                right=path.parent / row["right"] if "right" in row else None,
            )
        )
    return tracks


def open_song(
    files: Sequence[TrackFile], options: ReadOptions, notes: Sequence[str] = ()
) -> Session:
    """Opens the tracks of a song, and tells the role of those by sound whose names say nothing.

    Args:
        files: The tracks.
        options: Faults of the files that are put up with.
        notes: Sentences for the user, to which those of opening are added.

    Raises:
        InputError: A file cannot be used.
    """
    session = open_session(files, options)
    unknown = [track for track in session.tracks if track.role == "other"]
    has_lead = any(track.role == "lead vocal" for track in session.tracks)
    measured = run_in_parallel(lambda track: measure_role_features(track.source), unknown)
    features = dict(zip((track.name for track in unknown), measured, strict=True))
    roles = _tell_roles_by_sound(features, has_lead)
    heard = [f"{name}: sounds like {role}" for name, role in roles.items()]
    tracks = (replace(track, role=roles.get(track.name, track.role)) for track in session.tracks)
    return replace(session, tracks=tuple(tracks), notes=(*notes, *session.notes, *heard))


def _tell_roles_by_sound(features: Mapping[str, RoleFeatures], has_lead: bool) -> dict[str, Role]:
    roles: dict[str, Role] = {}
    for name, measured in features.items():
        role, confidence = guess_role(measured)
        if confidence >= _SURE:
            roles[name] = role
    # Sound alone cannot tell the lead from other voices: the busiest leads, if none does by name.
    voices = [name for name, role in roles.items() if role == "lead vocal"]
    lead = max(voices, key=lambda name: features[name].activity, default=None)
    for name in voices:
        if has_lead or name != lead:
            roles[name] = "backing vocal"
    return roles
