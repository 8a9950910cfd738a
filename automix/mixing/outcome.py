"""How a song ended, as a value that can be sent to another process. It loads no package."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automix.analysis.readings import Loudness
from automix.files.state import FileState
from automix.plan.model import MixPlan

if TYPE_CHECKING:
    from automix.reference.comparison import FeatureComparison


@dataclass(frozen=True, kw_only=True)
class SongOutcome:
    """How a song ended: everything that is told of it, without its audio.

    Attributes:
        output: File of the mix.
        kept: Whether it was there already, made from the same inputs and settings.
        written: Whether it was written now; it is not in a dry run.
        plan: The plan, as it was written; none where the mix was kept.
        has_plan: Whether there is a plan to read and edit; a method that makes audio itself has
            none.
        loudness: Measured on the mix as it was written; none in a dry run.
        levels_lufs: Integrated loudness of each track and shared return, in LUFS, in the mix.
        compared: How near the mix is to its references.
        warnings: What may be wrong.
        notes: What reading the files brought to light.
        delivery_notes: What writing the files brought to light.
        duration_s: Length of the mix.
        sample_rate_hz: Sample rate of the mix.
        container: Format of the file, such as ``wav``.
        clipped_samples: Samples that were held at full scale.
        seconds: Time that the song took.
        files: The mix (``mix``), its plan (``plan``) and its report (``report``) as they are in
            place, of those that were asked for.
    """

    output: Path
    kept: bool = False
    written: bool = False
    plan: MixPlan | None = None
    has_plan: bool = True
    loudness: Loudness | None = None
    levels_lufs: dict[str, float]
    compared: "tuple[FeatureComparison, ...]" = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    delivery_notes: tuple[str, ...] = ()
    duration_s: float = 0.0
    sample_rate_hz: int = 0
    container: str = ""
    clipped_samples: int = 0
    seconds: float = 0.0
    files: dict[str, FileState] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Everything about the song as values that JSON has words for."""
        if self.plan is None:
            return {"output": str(self.output), "skipped": True}
        content: dict[str, Any] = {
            "output": str(self.output),
            "written": self.written,
            "seconds": self.seconds,
            "duration_s": self.duration_s,
            "sample_rate_hz": self.sample_rate_hz,
            "levels_lufs": self.levels_lufs,
            "reference": [asdict(row) for row in self.compared],
            "warnings": list(self.warnings),
            "notes": [*self.notes, *self.delivery_notes],
            "plan": asdict(self.plan),
        }
        for decision in content["plan"]["decisions"]:
            decision["figures"] = dict(decision["figures"])
        if self.loudness is not None:
            content["loudness"] = asdict(self.loudness)
            content["container"] = self.container
            content["clipped_samples"] = self.clipped_samples
        return content
