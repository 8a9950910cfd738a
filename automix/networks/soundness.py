"""Checks what networks give: weights that are damaged, or of no use, do not become a mix."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from automix.errors import DeviceError
from automix.files.names import printable

LARGEST_GAIN = 1000.0
"""Factor on full scale, or on the peak of the input where that is above it: 60 dB."""


def remember_origin(network: nn.Module, path: Path) -> None:
    """Keeps the file that the weights of a network came from, for the messages of this module."""
    network.__dict__["origin"] = path


def require_finite(outputs: Tensor, network: nn.Module) -> Tensor:
    """Returns the outputs of a network, which have to be numbers.

    Raises:
        DeviceError: There is one that is NaN or infinite.
    """
    if not bool(outputs.isfinite().all()):
        raise _complain(network, "gives values that are no numbers")
    return outputs


def require_sound(
    made: NDArray[np.float32], given: NDArray[np.float32], network: nn.Module
) -> NDArray[np.float32]:
    """Returns audio that a network made, which has to be finite and no louder than audio can be.

    Args:
        made: Audio of any shape.
        given: What it was made of, of any shape.
        network: The network.

    Raises:
        DeviceError: A sample is NaN, infinite, or more than 60 dB above full scale and input.
    """
    peak = float(np.abs(given).max(initial=1.0))
    if not float(np.abs(made).max(initial=0.0)) <= LARGEST_GAIN * peak:  # NaN is not, either
        raise _complain(network, "makes noise far above full scale")
    return made


def _complain(network: nn.Module, what: str) -> DeviceError:
    origin = network.__dict__.get("origin")
    name = "the network" if origin is None else f"{printable(origin)}: the network"
    return DeviceError(
        f"{name} {what}; its weights are damaged or were never trained: get them again, or choose"
        " others"
    )
