"""Makes functions from tracks to a mix of the methods, by the names that evaluations use."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from automix.audio.blocks import collect
from automix.audio.samples import AudioSource, Samples
from automix.consoles.exact import ExactConsole
from automix.errors import UsageError
from automix.files.names import printable
from automix.methods.catalog import STEMS_METHODS
from automix.methods.stems.settings import DmcOptions, StemsRules
from automix.mixing.mix import MixRequest, mix_session
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
    entries = {entry.name: entry for entry in STEMS_METHODS}
    named, _, weights = name.partition("@")
    method, _, mode = named.partition(":")
    network = method in ("dmc", "wave-u-net")
    if method not in entries or mode not in ("", "basic", "full") or (weights and not network):
        raise UsageError(
            f"--method {printable(name)}: choose sum, {', '.join(entries)}; add :full for all"
            " processors, and after dmc or wave-u-net @FILE for weights of your own"
        )
    full: Literal["basic", "full"] = "full" if mode == "full" else "basic"
    options = DmcOptions(mode=full, weights=weights) if network else StemsRules(mode=full)
    mix = _make_mixer(MixRequest(method=entries[method], preset=full, options=options))
    return _after_network(mix, weights) if method == "wave-u-net" else mix


def _after_network(mix: Mixer, weights: str) -> Mixer:
    from automix.methods.stems.wave_u_net import mix_with_network

    path = Path(weights) if weights else None
    return lambda session, seed: mix(mix_with_network(session, path, "auto"), seed)


def _sum(session: Session, seed: int) -> Samples:
    return np.asarray(sum(read_stereo(track.source) for track in session.tracks), np.float32)


def _make_mixer(request: MixRequest) -> Mixer:
    def mix(session: Session, seed: int) -> Samples:
        asked = replace(request, seed=seed)
        return collect(mix_session(ExactConsole(session), asked).audio).samples

    return mix


def read_stereo(source: AudioSource) -> Samples:
    """Reads a source into memory, ``(2, frames)``; mono becomes two equal sides."""
    samples = collect(source).samples
    return np.repeat(samples, 2, axis=0) if len(samples) == 1 else samples
