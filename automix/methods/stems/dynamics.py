"""Gates and compressors by role: small functions of measured figures."""

from dataclasses import dataclass

import numpy as np

from automix.analysis.loudness import integrated_lufs
from automix.methods.stems.hearing import EQUAL_LUFS, HeardTrack
from automix.plan.roles import ROLE_FAMILIES, Family, Role
from automix.plan.settings import CompressorSettings, GateSettings
from automix.units import power_to_db

HIGHEST_RATIO = 5.0
_LEAST_RATIO = 1.15
_FULL_EXCESS_DB = 6.0


@dataclass(frozen=True, kw_only=True)
class RoleCompression:
    """How tracks of a role are compressed where they are as peaky as raw tracks are.

    Attributes:
        crest_db: Crest factor of finished tracks of the role: what is not above it stays.
        above_db: Threshold above the loudness of the track.
        ratio: Ratio from 6 dB above that crest factor on.
        attack_ms: Time constant of more reduction.
        release_ms: Time constant of recovery.
    """

    crest_db: float
    above_db: float
    ratio: float
    attack_ms: float
    release_ms: float


_VOICE = RoleCompression(crest_db=13.0, above_db=-1.0, ratio=3.0, attack_ms=4.0, release_ms=100.0)
_CLOSE_DRUM = RoleCompression(
    crest_db=15.0, above_db=6.0, ratio=3.0, attack_ms=12.0, release_ms=90.0
)
_KIT = RoleCompression(crest_db=15.0, above_db=5.0, ratio=2.0, attack_ms=20.0, release_ms=120.0)
_ROOM = RoleCompression(crest_db=12.0, above_db=3.0, ratio=4.0, attack_ms=10.0, release_ms=120.0)
_BASS = RoleCompression(crest_db=9.0, above_db=1.0, ratio=3.5, attack_ms=15.0, release_ms=120.0)
_OTHER = RoleCompression(crest_db=13.0, above_db=5.0, ratio=2.0, attack_ms=15.0, release_ms=150.0)

COMPRESSION: dict[Role, RoleCompression] = {
    "lead vocal": _VOICE, "backing vocal": _VOICE,
    "kick": _CLOSE_DRUM, "snare": _CLOSE_DRUM, "tom": _CLOSE_DRUM,
    "drums": _KIT, "overheads": _KIT, "room": _ROOM, "bass": _BASS,
}  # fmt: skip
"""Roles that are not here are compressed as others are.

Ratios, times and what is compressed at all are common practice (Ma et al. 2015, Giannoulis et al.
2013, De Man & Reiss 2013). Crest factors of finished tracks follow the onset peaks of MUSDB18's
stems, see `automix.analysis.finished_music`.
"""


def measure_excess(role: Role, crest_db: float) -> float:
    """How far a track is peakier than finished tracks of its role, 0…1: 1 from 6 dB on."""
    usual = COMPRESSION.get(role, _OTHER)
    return float(np.clip((crest_db - usual.crest_db) / _FULL_EXCESS_DB, 0.0, 1.0))


def choose_compression(role: Role, crest_db: float, amount: float) -> CompressorSettings | None:
    """The compressor of a track that has been staged to `EQUAL_LUFS`.

    Args:
        role: What the track is.
        crest_db: Peak over RMS of its active parts.
        amount: Factor on how far the ratio goes beyond 1.

    Returns:
        None where the track is as dense as finished ones are.
    """
    usual = COMPRESSION.get(role, _OTHER)
    excess = measure_excess(role, crest_db)
    ratio = min(1.0 + (usual.ratio - 1.0) * excess * amount, HIGHEST_RATIO)
    if ratio < _LEAST_RATIO:
        return None
    return CompressorSettings(
        threshold_db=EQUAL_LUFS + usual.above_db,
        ratio=ratio,
        attack_ms=usual.attack_ms,
        release_ms=usual.release_ms,
    )


GATE_RANGE_DB: dict[Role, float] = {"tom": 18.0}
_NOISE_RANGE_DB = 10.0
_GATE_ATTACK_MS: dict[Family, float] = {"drums": 0.2, "vocal": 2.0}
_RESTING_SHARE = 0.15
_AUDIBLE_NOISE_DB = 50.0
_CLEAR_DB = 18.0
_SHORTEST_REST = 4  # hops of 100 ms
_NEVER_GATED = frozenset[Role]({"room", "overheads", "cymbals", "hats", "percussion"})
_NOISE_PEAK_DB = 16.0  # of broadband noise over its loudness, and the hysteresis


@dataclass(frozen=True, kw_only=True)
class Noise:
    """What a track holds while it rests.

    Attributes:
        below_db: How far its loudness in the quietest tenth lies below that of its active parts.
        resting: Share of the time in which it is within 6 dB of that for 0.4 s and longer.
    """

    below_db: float
    resting: float


def measure_noise(track: HeardTrack) -> Noise | None:
    """The noise or bleed of a track between its phrases; none where it is silent there."""
    sounding = track.energies[track.energies > 0.0]
    if len(sounding) < 20:
        return None
    quiet = float(np.percentile(sounding, 10))
    active = float(track.energies[track.active].mean())
    rests = np.flatnonzero(np.diff(np.pad(track.energies < 4.0 * quiet, 1).astype(int)))
    lengths = rests[1::2] - rests[::2]
    resting = float(lengths[lengths >= _SHORTEST_REST].sum() / len(track.energies))
    return Noise(below_db=power_to_db(active) - power_to_db(quiet), resting=resting)


def choose_gate(
    role: Role, track: HeardTrack, staged_lufs: float
) -> tuple[GateSettings, Noise] | None:
    """The gate of a track with noise or bleed between its phrases.

    Args:
        role: What the track is.
        track: Its measurements.
        staged_lufs: Its loudness at the gate.

    Returns:
        None for tracks that play on, are clean, or whose noise is as loud as themselves.
    """
    if ROLE_FAMILIES[role] == "fx" or role in _NEVER_GATED:
        return None
    noise = measure_noise(track)
    if noise is None or noise.resting < _RESTING_SHARE:
        return None
    if not _CLEAR_DB <= noise.below_db <= _AUDIBLE_NOISE_DB:
        return None
    active = power_to_db(float(track.energies[track.active].mean())) - integrated_lufs(
        track.energies
    )
    noise_db = staged_lufs + active - noise.below_db
    settings = GateSettings(
        threshold_db=float(
            np.clip(noise_db + max(_NOISE_PEAK_DB, 0.45 * noise.below_db), -79.0, -12.0)
        ),
        range_db=GATE_RANGE_DB.get(role, _NOISE_RANGE_DB),
        attack_ms=_GATE_ATTACK_MS.get(ROLE_FAMILIES[role], 1.0),
        hold_ms=80.0 if ROLE_FAMILIES[role] == "drums" else 200.0,
        release_ms=250.0,
    )
    return settings, noise


_GLUE_ABOVE_DB = -2.0
_GLUE_RATIO = 1.5


def choose_glue(mix_lufs: float, amount: float) -> CompressorSettings | None:
    """The compressor of the master, which answers to the loudest moments of the whole mix.

    Args:
        mix_lufs: Loudness of the mix.
        amount: Factor on how far the ratio goes beyond 1.

    Returns:
        None where it would do next to nothing.
    """
    ratio = 1.0 + (_GLUE_RATIO - 1.0) * amount
    if ratio < _LEAST_RATIO:
        return None
    threshold_db = float(np.clip(mix_lufs + _GLUE_ABOVE_DB, -60.0, -0.1))
    return CompressorSettings(
        threshold_db=threshold_db, ratio=min(ratio, 2.0), attack_ms=30.0, release_ms=200.0
    )
