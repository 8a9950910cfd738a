"""Makes functions from tracks to a mix of the methods, by the names that evaluations use."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from automix.audio.blocks import collect
from automix.audio.samples import AudioSource, Samples
from automix.errors import UsageError
from automix.files.names import printable
from automix.methods.catalog import STEMS_METHODS
from automix.mixing.request import StemsRequest
from automix.mixing.spine import prepare_mixer, silent
from automix.session.tracks import Session

DEFAULT_METHODS = (
    "sum",
    "mono",
    "random",
    "equal-loudness",
    "rules",
    "rules:full",
    "dmc",
    "dmc:full",
)

Mixer = Callable[[Session, int], Samples]
"""Mixes a session with a seed to samples ``(2, frames)``, which may be longer by a tail."""


def find_mixers(names: Sequence[str]) -> dict[str, Mixer]:
    """Finds methods by name.

    Args:
        names: Names of the catalog, with ``:full`` appended to set all processors, or ``sum``.
            ``dmc@FILE`` and ``wave-u-net@FILE`` are networks with the weights of a file.

    Returns:
        The mixers by name.

    Raises:
        UsageError: No method has one of the names.
    """
    return {name: _sum if name == "sum" else _find_mixer(name) for name in names}


def _find_mixer(name: str) -> Mixer:
    named, _, weights = name.partition("@")
    method, _, mode = named.partition(":")
    try:
        request = StemsRequest(method=method, mode=mode or "basic", weights=weights or None)
    except UsageError:
        raise UsageError(
            f"--method {printable(name)}: choose sum,"
            f" {', '.join(row.name for row in STEMS_METHODS)}; add :full for all processors, and"
            " after dmc or wave-u-net @FILE for weights of your own"
        ) from None

    def mix(session: Session, seed: int) -> Samples:
        return prepare_mixer(replace(request, seed=seed))(session, silent).audio.samples

    return mix


def _sum(session: Session, seed: int) -> Samples:
    return np.asarray(sum(read_stereo(track.source) for track in session.tracks), np.float32)


def read_stereo(source: AudioSource) -> Samples:
    """Reads a source into memory, ``(2, frames)``; mono becomes two equal sides."""
    samples = collect(source).samples
    return np.repeat(samples, 2, axis=0) if len(samples) == 1 else samples
