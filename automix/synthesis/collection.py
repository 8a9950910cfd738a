"""Writes many synthetic songs to a folder, several at a time (``song-0001``, ``song-0002`` …)."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automix.errors import AutomixError, DeviceError, InputError, OutputError, UsageError
from automix.files.disk import check_disk_space, report_write_failures
from automix.files.names import printable
from automix.parallel.engine import Job, Outcome
from automix.parallel.local_engine import LocalEngine
from automix.parallel.workers import count_workers, use_workers
from automix.synthesis.engines import EngineChoice
from automix.synthesis.folder import SongFolder, is_whole, read_fingerprint, remove_leftover
from automix.synthesis.song import SyntheticSongRequest, write_song

BYTES_PER_SONG_SECOND = 1_800_000
"""Bytes that the tracks of a song and its mix take on average, per second of the song."""

Guard = Callable[[Callable[[], object]], AbstractContextManager[None]]
"""Makes a context; if a signal ends the program inside it, the function given is called."""


@dataclass(frozen=True, kw_only=True)
class Collection:
    """The synthetic songs that are asked for.

    Attributes:
        folder: Folder that the songs are written to.
        count: Number of songs.
        seed: Seed of the collection; a song does not depend on the count.
        duration_s: Length of each song; none draws one from 20 … 40 s.
        choice: Engine that plays the instruments.
        overwrite: Whether songs that are there may be replaced.
        skip_existing: Whether songs that are there already, made for the same request, are kept.
    """

    folder: Path
    count: int
    seed: int
    duration_s: float | None
    choice: EngineChoice
    overwrite: bool = False
    skip_existing: bool = False

    def request(self, number: int) -> SyntheticSongRequest:
        """Makes the request for the song of a number, from 1."""
        return SyntheticSongRequest(
            seed=self.seed, number=number, duration_s=self.duration_s, choice=self.choice
        )

    def path(self, number: int) -> Path:
        """Names the folder of the song of a number, from 1."""
        return self.folder / f"song-{number:04d}"


@dataclass(frozen=True, kw_only=True)
class WrittenSong:
    """One song of a collection.

    Attributes:
        path: Folder of the song.
        kept: Whether it was there already, made for the same request.
        about: Facts about the song from `automix.synthesis.song.write_song`; empty if it was kept.
    """

    path: Path
    kept: bool
    about: dict[str, Any]


def synthesize(
    collection: Collection,
    *,
    jobs: int = 1,
    prepare: Callable[[], None] = lambda: None,
    guard: Guard = lambda remove: nullcontext(),
) -> Iterator[WrittenSong]:
    """Writes the songs of a collection, and yields each as it is finished.

    Args:
        collection: The songs that are asked for.
        jobs: Number of songs that are made at a time, each in a process of its own; the result is
            the same.
        prepare: Called as each process begins, see `automix.parallel.local_engine.LocalEngine`.
        guard: Context that removes what is unfinished when a signal ends the program.

    Raises:
        OutputError: A song is there already, or the folder cannot be written or is full. Songs that
            are finished stay.
        DeviceError: FluidSynth fails.
    """
    due, kept = _sort_numbers(collection)
    for number in kept:
        remove_leftover(collection.path(number))
        yield WrittenSong(path=collection.path(number), kept=True, about={})
    if not due:
        return
    with _make_folder(collection, len(due)):
        if min(jobs, len(due)) == 1:
            for number in due:
                about = _write(
                    collection.path(number), collection.request(number), collection, guard
                )
                yield WrittenSong(path=collection.path(number), kept=False, about=about)
        else:
            yield from _write_in_processes(collection, due, min(jobs, len(due)), prepare, guard)


def _sort_numbers(collection: Collection) -> tuple[list[int], list[int]]:
    """Sorts the numbers of songs into those to make and those to keep."""
    due, kept = [], []
    for number in range(1, collection.count + 1):
        path = collection.path(number)
        made_for = read_fingerprint(path)
        is_same = made_for == collection.request(number).fingerprint()
        is_kept = collection.skip_existing and is_same and is_whole(path)
        if is_kept:
            kept.append(number)
            continue
        if os.path.lexists(path) and not collection.overwrite:
            why = "made with other settings" if made_for else "exists"
            if collection.skip_existing and is_same:
                why = "its files were changed or damaged since"
            remedy = "" if collection.skip_existing else "go on with --skip-existing, "
            raise OutputError(
                f"{printable(path)}: {why}; {remedy}overwrite with --force, or choose another"
                " folder"
            )
        due.append(number)
    return due, kept


@contextmanager
def _make_folder(collection: Collection, songs: int) -> Iterator[None]:
    """Makes the folder and sees whether there is room; removes it again if it stays empty."""
    folder = collection.folder
    with report_write_failures(folder):
        made = [path for path in (folder, *folder.parents) if not path.exists()]
        if folder.exists() and not folder.is_dir():
            raise OutputError(f"{printable(folder)}: is not a folder; choose another")
        folder.mkdir(parents=True, exist_ok=True)
    try:
        check_disk_space(
            folder, round(BYTES_PER_SONG_SECOND * (collection.duration_s or 30.0) * songs)
        )
        yield
    finally:
        for path in made:
            try:
                path.rmdir()
            except OSError:  # it holds songs
                break


def _write(
    path: Path, request: SyntheticSongRequest, collection: Collection, guard: Guard
) -> dict[str, Any]:
    song_folder = SongFolder(path, overwrite=collection.overwrite)
    with guard(song_folder.discard), song_folder, report_write_failures(path):
        return write_song(request, song_folder.temporary)


def _write_in_processes(
    collection: Collection,
    due: Sequence[int],
    slots: int,
    prepare: Callable[[], None],
    guard: Guard,
) -> Iterator[WrittenSong]:
    waiting, running = list(due), set[int]()
    try:
        with LocalEngine(_run_job, prepare, slots) as engine, guard(engine.end):
            while waiting or running:
                while waiting and len(running) < slots:
                    number = waiting.pop(0)
                    running.add(number)
                    engine.submit(_make_job(collection, number, max(count_workers() // slots, 1)))
                key, outcome = engine.next_outcome()
                if outcome.exit_code or outcome.died:
                    raise _make_error(collection.path(int(key)), outcome)
                running.discard(int(key))
                yield WrittenSong(path=collection.path(int(key)), kept=False, about=outcome.result)
    finally:
        for number in running:
            remove_leftover(collection.path(number))


def _make_job(collection: Collection, number: int, threads: int) -> Job:
    return Job(key=str(number), work=(collection, number, threads), folder=os.getcwd())


def _run_job(task: Job) -> Outcome:
    """In a worker: writes one song. What cannot be helped becomes a message."""
    collection, number, threads = task.work
    use_workers(threads)
    os.chdir(task.folder)
    request = collection.request(number)
    try:
        about = _write(collection.path(number), request, collection, lambda _: nullcontext())
    except AutomixError as error:
        return Outcome(exit_code=error.exit_code, error=str(error))
    return Outcome(exit_code=0, result=about)


def _make_error(path: Path, outcome: Outcome) -> AutomixError:
    """Makes the error that a worker reported, of the class that was raised there."""
    if outcome.died:
        return DeviceError(f"{printable(path)}: {outcome.error}; try fewer with -j")
    kinds = {kind.exit_code: kind for kind in (UsageError, InputError, OutputError, DeviceError)}
    return kinds.get(outcome.exit_code, AutomixError)(outcome.error)
