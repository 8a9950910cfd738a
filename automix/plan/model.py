"""The mix plan: everything that a console needs to know, as plain values.

Signal flow: tracks → strips → (sends → buses) → sum → master. A method writes a plan, a person may
edit it, a console renders it.
"""

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from automix.errors import PlanError
from automix.plan import toml
from automix.plan.decision import Decision
from automix.plan.parameters import Range, Settings
from automix.plan.settings import Bus, ChannelStrip, Master

SYNTHETIC = "synthetic"
"""The method that plans of synthetic songs name: they hold the mix that is to be learned."""

MASTER = "master"
"""What the master is called in addresses of settings: no track and no bus may have this name."""

Depth = Literal["16", "24", "32f"]
PanLaw = Literal["linear", "constant-power", "compromise"]


@dataclass(frozen=True, kw_only=True)
class MixPlan(Settings):
    """A whole mix. Equality is exact, so two equal plans render to the same bytes.

    Attributes:
        decisions: Provenance of the settings.
    """

    method: Annotated[str, "what wrote the plan"] = ""
    preset: Annotated[str, "variant of the method"] = ""
    taste: Annotated[str, "preset of the rules for stems; empty for the usual one"] = ""
    automix_version: Annotated[str, "that wrote it"] = ""
    seed: Annotated[int | None, Range(0, 2**32 - 1), "of methods that draw at random"] = None
    weights: Annotated[str, "hash of the network's weights; empty for rules"] = ""
    request: Annotated[str, "fingerprint of the command's settings, for --skip-existing"] = ""
    mix_sha256: Annotated[str, "of the file of the mix, as it was written"] = ""
    stems_sha256: Annotated[str, "of the digests and names of the stems beside it"] = ""
    report_sha256: Annotated[str, "of its report"] = ""
    plan_sha256: Annotated[str, "of all else in this file; it tells whether it was edited"] = ""
    sample_rate_hz: Annotated[int, Range(8000, 192000, "Hz"), "of the session and the mix"] = 44100
    bits: Annotated[Depth, "of the mix file where its format has a choice"] = "24"
    pan_law: Annotated[PanLaw, "gain of the two sides against pan"] = "constant-power"
    tracks: tuple[ChannelStrip, ...] = ()
    buses: tuple[Bus, ...] = ()
    master: Master = Master()
    decisions: tuple[Decision, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        names = [MASTER, *(s.name for s in self.tracks), *(bus.name for bus in self.buses)]
        if doubled := {name for name in names if names.count(name) > 1}:
            raise PlanError(
                f"two of the tracks, buses and the master are named {sorted(doubled)[0]!r}"
            )
        if "" in names:
            raise PlanError("a track or a bus has no name")
        known = {bus.name for bus in self.buses}
        for strip in self.tracks:
            for send in strip.sends:
                if send.bus not in known:
                    raise PlanError(f"track {strip.name!r} sends to an unknown bus {send.bus!r}")

    @classmethod
    def from_toml(cls, text: str, source: str = "plan") -> "MixPlan":
        """Reads a plan.

        Args:
            text: A whole plan file.
            source: Name of the text in messages.

        Raises:
            PlanError: The text is not TOML, is of another format version, or has an unknown key or
                an illegal value; names the line.
        """
        plan: MixPlan = toml.loads(text, cls, source)
        return plan

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "MixPlan":
        """Reads a plan file; its tracks then name their files by absolute paths.

        Raises:
            PlanError: The file cannot be read or holds no plan; names the line.
        """
        plan = read_plan(Path(path))
        return plan.with_references(lambda file: toml.absolute_reference(file, Path(path).parent))

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Writes the plan to a file that a person can read, edit and render again.

        Files that tracks name by absolute paths are named as seen from the folder of ``path``, so
        that the folder may be moved.

        Args:
            path: File to write, such as ``mix.toml``. It is there whole or not at all.
            overwrite: Whether a file that is there already may be replaced.

        Raises:
            OutputError: The file is there already, or cannot be written.
        """
        folder = Path(path).parent
        plan = self.with_references(lambda file: toml.moved_reference(file, folder))
        toml.write_text(Path(path), toml.dumps(plan), overwrite=overwrite)

    def sealed(self) -> "MixPlan":
        """A copy that says what it holds, so that `was_edited` can tell."""
        text = toml.dumps(replace(self, plan_sha256=""))
        digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
        return replace(self, plan_sha256=digest)

    @property
    def was_edited(self) -> bool:
        """Whether a value is another than when the plan was written; comments do not count."""
        return bool(self.plan_sha256) and self.plan_sha256 != self.sealed().plan_sha256

    def with_references(self, change: Callable[[str], str]) -> "MixPlan":
        """A copy in which the files of tracks are named otherwise."""
        tracks = tuple(
            replace(
                strip,
                file=change(strip.file) if strip.file else "",
                right_file=change(strip.right_file) if strip.right_file else "",
            )
            for strip in self.tracks
        )
        return replace(self, tracks=tracks)

    def strip(self, name: str) -> ChannelStrip:
        """The strip of a track.

        Raises:
            PlanError: There is none of that name.
        """
        for strip in self.tracks:
            if strip.name == name:
                return strip
        raise PlanError(f"the plan has no track named {name!r}")

    def with_strip(self, name: str, **changes: Any) -> "MixPlan":
        """A copy in which fields of one strip are replaced."""
        self.strip(name)
        tracks = tuple(
            replace(strip, **changes) if strip.name == name else strip for strip in self.tracks
        )
        return replace(self, tracks=tracks)

    @property
    def has_rides(self) -> bool:
        """Whether anything moves."""
        rides = [self.master.rides, *(s.rides for s in self.tracks), *(b.rides for b in self.buses)]
        return any(rides)

    def without_rides(self) -> "MixPlan":
        """A copy in which nothing moves, and no decision says that it does."""
        return replace(
            self,
            tracks=tuple(replace(strip, rides=()) for strip in self.tracks),
            buses=tuple(replace(bus, rides=()) for bus in self.buses),
            master=replace(self.master, rides=()),
            decisions=tuple(d for d in self.decisions if not _RIDE_ADDRESS.search(d.setting)),
        )

    def bus(self, name: str) -> Bus:
        """The bus of a name; the plan holds every bus that it sends to."""
        return next(bus for bus in self.buses if bus.name == name)


_RIDE_ADDRESS = re.compile(r"\.rides\.\d+$")


def read_plan(path: Path) -> MixPlan:
    """Reads a plan file as it stands: its files are named as seen from the plan's folder.

    Raises:
        PlanError: The file cannot be read or holds no plan; names the line.
    """
    plan: MixPlan = toml.load(path, MixPlan)
    return plan
