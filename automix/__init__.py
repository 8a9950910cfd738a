"""Automatic mixing of music: methods write plans, consoles turn plans into sound.

```python
import automix

mix = automix.mix_vocal("vox.wav", "beat.wav")
mix.write("mix.wav")
mix.plan.save("mix.toml")
```

The names below are loaded when they are first used: ``import automix`` itself loads nothing heavy.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from automix.version import __version__

if TYPE_CHECKING:
    from automix.audio.samples import Audio
    from automix.checking.findings import TakeFinding
    from automix.checking.song import SongCheck
    from automix.desk.desk import open_desk
    from automix.errors import AutomixError
    from automix.library import check, evaluate, explain, mix_song, mix_stems, mix_vocal, render
    from automix.mixing.mix import Mix
    from automix.mixing.outcome import SongOutcome
    from automix.mixing.request import (
        Delivery,
        PlanRequest,
        SongRequest,
        StemsRequest,
        VocalRequest,
    )
    from automix.plan.model import MixPlan
    from automix.session.tracks import Session

_HOMES = {
    "mix_vocal": "library",
    "mix_stems": "library",
    "render": "library",
    "check": "library",
    "explain": "library",
    "evaluate": "library",
    "mix_song": "library",
    "open_desk": "desk.desk",
    "VocalRequest": "mixing.request",
    "StemsRequest": "mixing.request",
    "PlanRequest": "mixing.request",
    "SongRequest": "mixing.request",
    "Delivery": "mixing.request",
    "SongOutcome": "mixing.outcome",
    "SongCheck": "checking.song",
    "TakeFinding": "checking.findings",
    "Mix": "mixing.mix",
    "MixPlan": "plan.model",
    "Session": "session.tracks",
    "Audio": "audio.samples",
    "AutomixError": "errors",
}
"""The module of each public name."""

__all__ = [
    "Audio",
    "AutomixError",
    "Delivery",
    "Mix",
    "MixPlan",
    "PlanRequest",
    "Session",
    "SongCheck",
    "SongOutcome",
    "SongRequest",
    "StemsRequest",
    "TakeFinding",
    "VocalRequest",
    "__version__",
    "check",
    "evaluate",
    "explain",
    "mix_song",
    "mix_stems",
    "mix_vocal",
    "open_desk",
    "render",
]


def __getattr__(name: str) -> object:
    """Loads a public name when it is first used (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'automix' has no attribute {name!r}")
    value = getattr(import_module(f"automix.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
