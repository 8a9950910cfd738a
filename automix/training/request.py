"""What is asked of a training run. Imports neither torch nor NumPy."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

STATE = "last.pt"
LOG = "log.csv"
WEIGHTS = "best.safetensors"


@dataclass(frozen=True, kw_only=True)
class TrainingRequest:
    """A training run as it is asked for, beside the settings of its family.

    Attributes:
        data: Folders of data sets.
        folder: Folder of the run, which receives `WEIGHTS`, `LOG` and `STATE`.
        held_out: Names of what to validate with and not to learn from; if empty, the family
            chooses.
        cache: Folder for decoded audio; if none, ``cache`` within the folder of the run.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        resume: Whether to go on with the run that the folder holds.
        start: Weights to begin with: a file, or the name of some that ship, such as ``dmc-basic``;
            if none, they are drawn at random.
        shares: How often each data set is taken, in the order of ``data``; if empty, all alike.
    """

    data: Sequence[Path]
    folder: Path
    held_out: Sequence[str] = ()
    cache: Path | None = None
    device: str = "auto"
    resume: bool = False
    start: str | None = None
    shares: Sequence[float] = ()

    @property
    def cache_folder(self) -> Path:
        """Folder for decoded audio."""
        return self.cache or self.folder / "cache"

    @property
    def weights(self) -> Path:
        """The file that the best weights are written to."""
        return self.folder / WEIGHTS
