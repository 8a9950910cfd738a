"""From our settings to the parameters of the IEM VST3 plug-ins that Li & Lerch used.

Parameter names are those pedalboard derives from the plug-ins' own (IEM Plug-in Suite). Values are
rounded to the plug-ins' steps: frequency within 0.3 %, 0.1 dB, Q 0.05 (reverberator 0.01),
ratio 0.2, room size 1, reverberation time 0.1 s. Values outside a plug-in's range are refused by
the plug-in itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from automix.dsp.processors import PROCESSORS, Plugin
from automix.errors import PluginError
from automix.plan.settings import (
    BandKind,
    CompressorSettings,
    EqualizerBand,
    EqualizerSettings,
    FdnReverbSettings,
)

Value = float | bool | str
"""What a plug-in parameter takes: a number in its unit, a switch, or one of its words."""

PLUGIN_NAMES = tuple(row.plugin.name for row in PROCESSORS if isinstance(row.plugin, Plugin))
"""The plug-ins that the table of processors names."""

_PEAK_SLOTS = (2, 3, 4, 5)
# In the order in which slots are handed out: kinds with fewer places to go come first.
_SLOTS: dict[BandKind, tuple[int, ...]] = {
    "high_pass": (1,),
    "peak": _PEAK_SLOTS,
    "low_shelf": (1, *_PEAK_SLOTS),
    "high_shelf": (6, *_PEAK_SLOTS),
}
_TYPES: dict[BandKind, str] = {
    "high_pass": "HP (12dB/oct)",
    "peak": "Peak",
    "low_shelf": "Low-shelf",
    "high_shelf": "High-shelf",
}


@dataclass(frozen=True)
class PluginCall:
    """One plug-in with the parameters to run it with; all others keep the plug-in's defaults.

    Attributes:
        plugin: File or bundle, such as ``MultiEQ.vst3``.
        parameters: Value by exact parameter name.
    """

    plugin: Path
    parameters: Mapping[str, Value]


def find_plugins(directory: Path, names: Sequence[str] = PLUGIN_NAMES) -> dict[str, Path]:
    """The plug-ins ``NAME.vst3`` in a folder or one level below it; letter case is ignored.

    Args:
        directory: Folder to look in; a plug-in directly in it wins over one in a sub folder.
        names: The plug-ins wanted.

    Returns:
        Path by name, in the order of ``names``.

    Raises:
        PluginError: The folder cannot be read, or a plug-in is missing.
    """
    try:
        top = sorted(directory.iterdir())
    except OSError as error:
        raise PluginError(f"plug-in folder {directory}: {error.strerror}") from error
    found: dict[str, Path] = {}
    for path in top + [path for folder in top for path in _inside(folder)]:
        if path.suffix.lower() == ".vst3":
            found.setdefault(path.stem.lower(), path)
    missing = [f"{name}.vst3" for name in names if name.lower() not in found]
    if missing:
        raise PluginError(
            f"plug-in folder {directory}: no {', '.join(missing)}; "
            "install the IEM Plug-in Suite or render without --plugins"
        )
    return {name: found[name.lower()] for name in names}


def _inside(folder: Path) -> list[Path]:
    if folder.suffix.lower() == ".vst3":  # a bundle: what it holds are not plug-ins
        return []
    try:
        return sorted(folder.iterdir())
    except OSError:  # a file, or a folder that is not ours to read
        return []


def multi_eq(settings: EqualizerSettings) -> dict[str, Value]:
    """Parameters of MultiEQ: six slots, each used or switched off.

    Peaks go to slots 2–5, a high pass (12 dB per octave) to slot 1, a low shelf to slot 1, a high
    shelf to slot 6, and further shelves to what is left of 2–5. Bands that change nothing take no
    slot. The order of the bands is not kept; it does not change the sound.

    Raises:
        PluginError: More bands of a kind than there are slots.
    """
    bands: dict[int, EqualizerBand] = {}
    for kind, slots in _SLOTS.items():
        for band in settings.bands:
            if band.kind != kind or (kind != "high_pass" and band.gain_db == 0):
                continue
            slot = next((slot for slot in slots if slot not in bands), None)
            if slot is None:
                raise PluginError(
                    f"MultiEQ has no slot left for the {kind.replace('_', ' ')} at "
                    f"{band.frequency_hz:g} Hz: it takes one high pass (slot 1), four peaks "
                    "(2–5), and shelves where room is left; remove a band or render without "
                    "--plugins"
                )
            bands[slot] = band
    parameters: dict[str, Value] = {}
    for slot in range(1, 7):
        # Every slot is on by default, slot 1 as a high pass.
        parameters[f"filter_enablement_{slot}"] = slot in bands
        if slot in bands:
            parameters |= _slot(slot, bands[slot])
    return parameters


def _slot(slot: int, band: EqualizerBand) -> dict[str, Value]:
    return {
        f"filter_type_{slot}": _TYPES[band.kind],
        f"filter_frequency_{slot}_hz": band.frequency_hz,
        f"filter_q_{slot}": band.q,
        f"filter_gain_{slot}_db": 0.0 if band.kind == "high_pass" else band.gain_db,
    }


def omni_compressor(settings: CompressorSettings) -> dict[str, Value]:
    """Parameters of OmniCompressor; its knee and look-ahead stay off, as they are by default."""
    return {
        "threshold_db": settings.threshold_db,
        # At threshold 0 our compressor is off; the plug-in would still act on peaks above 0 dBFS.
        "ratio_1": settings.ratio if settings.threshold_db < 0 else 1.0,
        "attack_time_ms": settings.attack_ms,
        "release_time_ms": settings.release_ms,
        "makeup_gain_db": settings.makeup_db,
    }


def fdn_reverb(settings: FdnReverbSettings) -> dict[str, Value]:
    """Parameters of FdnReverb. Feed it stereo audio padded with zeros for the tail."""
    return {
        "room_size": settings.room_size,
        "reverberation_time_s": settings.reverberation_time_s,
        "dry_wet": settings.dry_wet,
        "fade_in_time_s": settings.fade_in_time_s,
        "lows_cutoff_frequency_hz": settings.low_cutoff_hz,
        "lows_q_factor": settings.low_q,
        "lows_gain_db_s": settings.low_gain_db_s,
        "highs_cutoff_frequency_hz": settings.high_cutoff_hz,
        "highs_q_factor": settings.high_q,
        "highs_gain_db_s": settings.high_gain_db_s,
        "fdn_size_internal": float(settings.lines),
    }
