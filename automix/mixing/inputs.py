"""The files that a request is about, found before any of them is opened."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import singledispatch
from pathlib import Path

from automix.checking.song import SongCheck, check_files
from automix.errors import UsageError
from automix.files.info import ReadOptions
from automix.mixing.request import PlanRequest, SongRequest, StemsRequest, VocalRequest
from automix.plan.address import change_setting
from automix.plan.model import MixPlan, read_plan
from automix.session.song_folder import find_song_files, open_song
from automix.session.tracks import (
    Session,
    TrackFile,
    list_plan_inputs,
    open_plan_session,
    open_session,
)

VOCAL = "vocal"
BACKING = "beat"
"""Names of the two tracks of `automix vocal`."""


@dataclass(frozen=True, kw_only=True)
class SongInputs:
    """What a song is made from.

    Attributes:
        title: Name of the song, from the names of its files.
        files: The files that are read.
        tracks: Names of the tracks.
        roles: Roles of the tracks, as far as they are known before they are heard.
        open: Opens the files as a session.
        plan: The plan that is rendered, with its changes; none where a method writes one.
    """

    title: str
    files: tuple[Path, ...]
    tracks: tuple[str, ...]
    open: Callable[[], Session]
    plan: MixPlan | None = None
    roles: tuple[str, ...] = ()


def read_options(request: SongRequest) -> ReadOptions:
    """How strictly a request wants its files to be read."""
    return ReadOptions(
        strict=request.strict, repair=request.repair, allow_truncated=request.allow_truncated
    )


@singledispatch
def find_inputs(request: SongRequest) -> SongInputs:
    """Finds the files of a request.

    Raises:
        InputError: There are none.
        PlanError: The plan cannot be read, or a change leads nowhere.
        UsageError: The request names no files.
    """
    raise TypeError(f"no song is asked for by {type(request).__name__}")


@find_inputs.register
def _find_vocal(request: VocalRequest) -> SongInputs:
    if request.vocal is None or request.backing is None:
        raise UsageError("name the file of the vocal and that of the backing track")
    files = (
        TrackFile(name=VOCAL, role="lead vocal", path=request.vocal),
        TrackFile(name=BACKING, role="backing track", path=request.backing),
    )
    return SongInputs(
        title=request.backing.stem,
        files=(request.vocal, request.backing),
        tracks=(VOCAL, BACKING),
        open=lambda: open_session(files, read_options(request), by_stamps=not request.as_recorded),
    )


@find_inputs.register
def _find_stems(request: StemsRequest) -> SongInputs:
    if not request.song:
        raise UsageError("name the song: its folder, its files, or a session file")
    mutes = _find_mutes(request)
    files, notes = find_song_files(
        request.song,
        recursive=request.recursive,
        roles=request.roles(),
        mutes=mutes,
        strict=request.strict,
    )
    files = [replace(file, is_muted=mutes.get(file.name, file.is_muted)) for file in files]
    return SongInputs(
        title=_find_title(request.song),
        files=tuple(path for file in files for path in file.paths),
        tracks=tuple(file.name for file in files),
        roles=tuple(file.role for file in files),
        open=lambda: open_song(
            files, read_options(request), notes, mutes, by_stamps=not request.as_recorded
        ),
    )


def check_song(request: StemsRequest) -> SongCheck:
    """Checks the takes of a song as their files are.

    Raises:
        InputError: There are none, or one cannot be used.
        UsageError: The request names no files.
    """
    if not request.song:
        raise UsageError("name the song: its folder, its files, or a session file")
    files, notes = find_song_files(
        request.song,
        recursive=request.recursive,
        roles=request.roles(),
        strict=request.strict,
    )
    return check_files(_find_title(request.song), files, read_options(request), notes)


def _find_title(song: tuple[Path, ...]) -> str:
    """Name of a song by its folder or its one file."""
    title = song[0].resolve().stem if len(song) == 1 else "song"
    return title.removesuffix(".stem")


def _find_mutes(request: SongRequest) -> dict[str, bool]:
    """Which tracks a request mutes or unmutes, by name."""
    asked = {}
    for address, change in request.parsed_changes():
        name, _, setting = address.rpartition(".")
        if setting == "mute":
            asked[name] = change(False) is True
    return asked


@find_inputs.register
def _find_plan(request: PlanRequest) -> SongInputs:
    if request.plan is None:
        raise UsageError("name the file of the plan")
    plan = read_plan(request.plan)
    found = inputs_of_plan(request, plan, request.plan.parent)
    return replace(found, title=request.plan.stem, files=(request.plan, *found.files))


def inputs_of_plan(request: PlanRequest, plan: MixPlan, folder: Path) -> SongInputs:
    """The files of a plan whose tracks name theirs as seen from ``folder``.

    Raises:
        PlanError: A change of the request leads nowhere.
        UsageError: The plan has no rides that could be left out.
    """
    if request.no_rides:
        if not plan.has_rides:
            raise UsageError("--no-rides: the plan has no rides; leave it out")
        plan = plan.without_rides()
    for address, change in request.parsed_changes():
        plan = change_setting(plan, address, change)
    return SongInputs(
        title="plan",
        files=tuple(list_plan_inputs(plan, folder)),
        tracks=tuple(strip.name for strip in plan.tracks),
        open=lambda: open_plan_session(
            plan, folder, read_options(request), allow_outside=request.allow_outside
        ),
        plan=plan,
    )
