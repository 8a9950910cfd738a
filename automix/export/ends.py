"""The two ends of an export: the plan that it reads, and the place that it writes to."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from automix.files.info import ReadOptions
from automix.plan.model import MixPlan

Guard = Callable[[Callable[[], object]], AbstractContextManager[None]]
"""A context in which the function that it is given is called if a signal ends the program."""


@dataclass(frozen=True, kw_only=True)
class ExportSource:
    """A plan and its audio files.

    Attributes:
        plan: The mix.
        folder: The folder of the plan's file; its audio files are named from there.
        read: How strictly files are read.
        allow_outside: Whether files outside the folder are read even if they are not those that
            the plan was made from; see `automix.session.tracks.open_plan_session`.
    """

    plan: MixPlan
    folder: Path
    read: ReadOptions = field(default_factory=ReadOptions)
    allow_outside: bool = False


@dataclass(frozen=True, kw_only=True)
class ExportTarget:
    """The file or the folder to write.

    Attributes:
        path: The archive, or the folder of the stems.
        guard: Discards what is unfinished if a signal ends the program.
        overwrite: Whether files that are there are replaced.
        report: Is told the name of each stage.
    """

    path: Path
    guard: Guard
    overwrite: bool = False
    report: Callable[[str], None] = lambda stage: None
