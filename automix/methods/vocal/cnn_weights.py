"""Which weights decide which stage of a vocal mix."""

from dataclasses import dataclass
from pathlib import Path

from automix.errors import DeviceError
from automix.files.disk import sha256
from automix.files.names import printable
from automix.methods.vocal.cnn_settings import VocalNetworks
from automix.networks.checkpoints import read_network, weights_path
from automix.networks.device import choose_device
from automix.networks.vocal_cnn import FAMILY, VocalCnn
from automix.networks.vocal_cnn_description import VocalCnnDescription, VocalTask
from automix.networks.vocal_mel import Pair

SHIPPED = ("wide", "paper")
STAGES: tuple[VocalTask, ...] = ("equalization", "compression", "reverb", "level")
"""In chain order."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LoadedNetwork:
    """A network that decides a stage.

    Attributes:
        name: Name of the network for people, such as ``vocal-level-wide``.
        sha256: Of its weights.
        model: Itself.
    """

    name: str
    sha256: str
    model: VocalCnn

    def predict(self, pair: Pair) -> list[float]:
        """See `VocalCnn.predict`."""
        return self.model.predict(pair)


class Networks(dict[VocalTask, LoadedNetwork]):
    """Networks by stage.

    Attributes:
        notes: Which stages are left to the rules, and why; told to the user.
    """

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[str] = []


def open_networks(options: VocalNetworks) -> Networks:
    """Reads the weights of all stages that are left to networks.

    A folder may lack the weights of some stages, which the rules then decide.

    Raises:
        DeviceError: A file cannot be used, or there are none, or no such device.
    """
    found = Networks()
    for task in STAGES:
        if getattr(options, f"{task}_by") == "rules":
            found.notes.append(f"{task}: decided by the rules, as chosen")
            continue
        path = _path(options.weights, task)
        if path is None:
            found.notes.append(
                f"{task}: {printable(options.weights)} has no weights of it; the rules decide"
            )
            continue
        found[task] = open_network(path, task, options.device)
    if not found and all(getattr(options, f"{task}_by") == "network" for task in STAGES):
        raise DeviceError(
            f"{printable(options.weights)}: holds no weights of vocal networks; give wide,"
            " paper, or a"
            " folder of automix train vocal --task all"
        )
    return found


def _path(weights: str, task: VocalTask) -> Path | None:
    if weights in SHIPPED:
        return weights_path(f"vocal-{task}-{weights}")
    for name in (f"{task}/best.safetensors", f"{task}.safetensors"):
        if (path := Path(weights) / name).is_file():
            return path
    return None


def open_network(path: Path, task: VocalTask, device: str) -> LoadedNetwork:
    """Reads the weights of one network.

    Raises:
        DeviceError: They cannot be used, are of another task, or there is no such device.
    """
    model = read_network(path, FAMILY, VocalCnnDescription, VocalCnn)
    if model.description.task != task:
        raise DeviceError(f"{printable(path)}: its task is {model.description.task}, not {task}")
    model.eval().to(choose_device(device))
    name = path.stem if path.stem.startswith("vocal-") else f"vocal-{task}"
    return LoadedNetwork(name=name, sha256=sha256(path), model=model)
