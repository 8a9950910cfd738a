"""Every track as it is in the mix, and the mix without it."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from automix.explanation.masking import (
    Cover,
    cover,
    ear_weights,
    excitation,
    mark_masked_cells,
    measure_masked_share,
    runs,
    weights_of,
)
from automix.explanation.measuring import BANDS, Cells, MeasuredMix, Signal
from automix.plan.model import MixPlan
from automix.plan.settings import ChannelStrip
from automix.units import db_to_power, power_to_db

State = Literal["in the mix", "muted", "silent"]

_HEARD_BAND_DB = -30.0  # bands of the mix that lie further below its strongest do not count
_LEAST_UNMASKED = 0.1


@dataclass(frozen=True, kw_only=True)
class Change:
    """What the mix would be without a track; with it, where it is muted.

    Attributes:
        mix_lu: Change of the integrated loudness of the mix; −inf if nothing is left.
        low_hz: Lower end of the critical bands that change most.
        high_hz: Upper end.
        band_db: Change of the power there, at most 60 dB.
        width_db: Change of the power of left − right over that of left + right.
        other: The track that becomes more audible by it (of a muted track, less), if any does.
        other_before: Share of that track that is masked now.
        other_after: Share that would be.
    """

    mix_lu: float
    low_hz: float
    high_hz: float
    band_db: float
    width_db: float
    other: str | None = None
    other_before: float = 0.0
    other_after: float = 0.0


@dataclass(frozen=True, kw_only=True)
class TrackInMix:
    """Measurements of one track.

    Attributes:
        name: The name of the track in the plan.
        role: The role of the track in the plan.
        state: Whether it is heard.
        lufs: Integrated loudness in the finished mix; of a muted track, as it would be.
        over_others_lu: That, over the median of the other tracks in the mix; 0 for the only one.
        pan: 0 left … 1 right, where no ride moves it.
        band_shares: Share of the mix's power in each critical band ``(24,)``, 0…1.
        leads: Regions in Hz in which it is the strongest of all.
        cover: How far the others mask it.
        change: How the mix would change without it.
    """

    name: str
    role: str
    state: State
    lufs: float
    over_others_lu: float
    pan: float
    band_shares: tuple[float, ...]
    leads: tuple[tuple[float, float], ...]
    cover: Cover
    change: Change

    @property
    def over_sum_lu(self) -> float:
        """Its loudness over that of all others together, as they would be without it."""
        left = db_to_power(min(self.change.mix_lu, -1e-9))
        return power_to_db(1.0 - left) - power_to_db(left)


def tracks_in_mix(measured: MeasuredMix, plan: MixPlan) -> tuple[TrackInMix, ...]:
    """Every track of a plan, in its order; no figure depends on that order."""
    ears = _Ears(measured, plan)
    return tuple(ears.track(strip) for strip in plan.tracks)


class _Ears:
    """What masking is computed from, kept for all tracks."""

    def __init__(self, measured: MeasuredMix, plan: MixPlan) -> None:
        self._measured = measured
        self._names = {strip.name for strip in plan.tracks}
        self._leads = {strip.name for strip in plan.tracks if strip.role == "lead vocal"}
        ear = ear_weights(plan.sample_rate_hz)
        self._heard = {n: s for n, s in measured.signals.items() if s.in_mix}
        self._excited = {n: excitation(s.cells) for n, s in measured.signals.items()}
        self._weights = {n: weights_of(s.cells, ear) for n, s in measured.signals.items()}
        self._whole: Cells = np.zeros_like(next(iter(self._excited.values())))
        for name in self._heard:
            self._whole = self._whole + self._excited[name]
        powers = [s.cells.mean((0, 1), dtype=np.float64) for s in self._heard.values()]
        self._power = np.sum(powers, 0) if powers else np.zeros(len(BANDS))
        self._shares = {
            name: measure_masked_share(self._weights[name], self._masked(name))
            for name in self._heard
            if name in self._names
        }

    def track(self, strip: ChannelStrip) -> TrackInMix:
        """All about one track."""
        signal = self._measured.signals[strip.name]
        silent = not math.isfinite(signal.lufs)
        shares = self._band_shares(signal)
        return TrackInMix(
            name=strip.name,
            role=strip.role,
            state="muted" if strip.mute else "silent" if silent else "in the mix",
            lufs=signal.lufs + self._measured.finished_lufs - self._measured.lufs
            if math.isfinite(self._measured.lufs)
            else signal.lufs,
            over_others_lu=self._over_others_lu(strip.name),
            pan=strip.pan,
            band_shares=tuple(float(share) for share in shares),
            leads=tuple(
                (BANDS[first][0], BANDS[last - 1][1])
                for first, last in runs(
                    [bool(b) for b in self._bands_heard(self._strongest(signal))]
                )
                if signal.in_mix
            ),
            cover=cover(
                signal.cells,
                self._weights[strip.name],
                self._others(*self._find_equals(strip)),
                {
                    name: self._excited[name]
                    for name in self._heard
                    if name not in self._find_equals(strip)
                },
            ),
            change=self._change(strip.name, signal, shares),
        )

    def _find_equals(self, strip: ChannelStrip) -> set[str]:
        """The tracks that do not mask a track: itself, and of a lead vocal its doubles."""
        same = {strip.name}
        if strip.role == "lead vocal":
            same |= self._leads
        return same

    def _others(self, *names: str) -> Cells:
        """Excitation by all that is heard but these."""
        left = self._whole
        for name in names:
            if name in self._heard:
                left = left - self._excited[name]
        return np.maximum(left, 0.0)

    def _masked(self, name: str, without: str | None = None) -> NDArray[np.bool_]:
        names = (name,) if without is None else (name, without)
        return mark_masked_cells(self._measured.signals[name].cells, self._others(*names))

    def _over_others_lu(self, name: str) -> float:
        levels = [
            signal.lufs
            for other, signal in self._heard.items()
            if other != name and other in self._names and math.isfinite(signal.lufs)
        ]
        return self._measured.signals[name].lufs - float(np.median(levels)) if levels else 0.0

    def _band_shares(self, signal: Signal) -> NDArray[np.float64]:
        power = signal.cells.mean((0, 1), dtype=np.float64)
        whole = self._power if signal.in_mix else self._power + power
        return np.asarray(power / np.maximum(whole, 1e-300))

    def _strongest(self, signal: Signal) -> NDArray[np.bool_]:
        """Marks the bands in which a signal has more power than any other in the mix."""
        powers = [heard.cells.mean((0, 1), dtype=np.float64) for heard in self._heard.values()]
        own = signal.cells.mean((0, 1), dtype=np.float64)
        most = np.max(powers, 0) if powers else np.zeros(len(BANDS))
        return np.asarray((own >= most) & (own > 0.0))

    def _bands_heard(self, marked: NDArray[np.bool_]) -> NDArray[np.bool_]:
        floor = self._power.max(initial=0.0) * db_to_power(_HEARD_BAND_DB)
        return np.asarray(marked & (self._power > floor))

    def _change(self, name: str, signal: Signal, shares: NDArray[np.float64]) -> Change:
        there = self._bands_heard(np.ones(len(BANDS), bool)) if signal.in_mix else shares > 0.0
        counted = np.where(there, shares, 0.0)
        most = counted.max(initial=0.0)
        first, last = next(
            run for run in runs([bool(c >= most) for c in counted])
        )  # bands that it has alone count together
        left_db = max(power_to_db(max(1.0 - most, 0.0)), -60.0)
        change = Change(
            mix_lu=_difference(signal.changed_lufs, self._measured.lufs),
            low_hz=BANDS[first][0],
            high_hz=BANDS[last - 1][1],
            band_db=left_db if signal.in_mix else -left_db,
            width_db=_difference(signal.changed_width_db, self._measured.width_db),
        )
        return self._with_other(change, name, signal)

    def _with_other(self, change: Change, name: str, signal: Signal) -> Change:
        """Adds the track whose masking changes most."""
        after: Callable[[str], float]
        if signal.in_mix:
            candidates = [n for n, share in self._shares.items() if share >= _LEAST_UNMASKED]

            def after(other: str) -> float:
                return measure_masked_share(self._weights[other], self._masked(other, name))
        else:
            candidates = list(self._shares)

            def after(other: str) -> float:
                others = self._others(other) + self._excited[name]
                masked = mark_masked_cells(self._measured.signals[other].cells, others)
                return measure_masked_share(self._weights[other], masked)

        shares = {other: after(other) for other in sorted(candidates) if other != name}
        if not shares:
            return change
        other = max(shares, key=lambda n: (abs(shares[n] - self._shares[n]), n))
        if abs(shares[other] - self._shares[other]) < _LEAST_UNMASKED:
            return change
        return replace(
            change, other=other, other_before=self._shares[other], other_after=shares[other]
        )


def _difference(after: float, before: float) -> float:
    """Of two levels of which either may be −inf."""
    return 0.0 if after == before else after - before
