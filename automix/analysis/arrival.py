"""Finds how microphones of one source differ in polarity and in time of arrival.

The delay between two microphones is where their generalized cross-correlation peaks (Knapp & Carter
1976, "The generalized correlation method for estimation of time delay"), with the weights of
Hannan and Thomson: every frequency counts by how coherent the two are there over many hits. What
bleeds into one of them alone, and their noise, is not coherent and does not count; how the two
microphones sound does not either. The sign of the peak is their polarity.

A microphone hears other sources too, later than their own microphones do. So a drum is only
listened to where its own microphone stands out against those of the other drums.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from automix.analysis.fine_powers import FINE_S, measure_fine_powers
from automix.audio.samples import AudioSource, Samples
from automix.parallel.workers import run_in_parallel
from automix.plan.roles import ROLE_FAMILIES, Role
from automix.units import power_to_db

MOST_MS = 20.0
"""Longest delay that is looked for: sound goes almost seven meters in that time."""

HIT_S = 0.15
"""How long a hit is listened to: the next one may follow."""

NOTE_S = 0.3
"""How long a stretch of what is no drum is."""

LEAST_CORRELATION = 0.3
"""Of 1, what a peak must reach; kits and amplifiers of the tests reach 0.5 to 1."""

MOST_SECOND = 0.6
"""What is left of the correlation without its peak, over the peak: two sources leave two peaks."""

LEAST_COHERENCE = 0.25
"""Share of a track's power that must be coherent with another one that is no drum."""

MOST_SPREAD_DB = 6.0
"""Standard deviation of the levels of two tracks against each other, from stretch to stretch.

Two microphones of a source keep their difference; an amplifier that distorts levels a player out.
Of two instruments in one room, each is louder in its own microphone.
"""

_LOW_HZ = 200.0
"""The sum below this may not become weaker: there it holds the weight of a kit."""

_BAND_HZ = (40.0, 10_000.0)
_EDGE_OCTAVES = 0.5
_SMOOTH_HOPS = 3
_MOST_WINDOWS = 24
_MOST_IN_ALL = 192  # of all tracks that are compared together, which all are read at
_FEWEST_WINDOWS = 4
_RISE = 4.0  # of power over 30 ms: 6 dB
_STANDS_OUT = 2.0  # power against that of the other drums, each against its own hits: 3 dB
_HOLDS_ITS_OWN = 0.5  # likewise, for a hit that is as loud as those that stand out
_AS_LOUD = 0.25  # power against those that stand out: −6 dB
_ENOUGH_WINDOWS = 12
_LEAST_GAIN_DB = 0.2
_SHORT_S = 0.001  # so short a move may gain less
_SIDES_APART_S = 0.005
_HARDLY_HIT = 0.125  # power against the hits of the drum: −9 dB, more than what bleeds in
_AGAINST_BLEED = 3.0  # power that a frequency needs against what is heard of other drums: 5 dB
_QUIETEST = 0.06  # power against the hits of the drum: −12 dB
_SOUNDS = 0.01  # power against the loud notes of an instrument: −20 dB
_LOUD_HOPS = 20
_FOLDS = 4
_SAME_S = 3e-5  # by which the delay may differ when some of the windows are left out
_LEAST_FRAMES = 2  # a microphone moves by more between two hits of a pedal
_LEAST_LIKENESS = 0.6  # correlation of levels in dB over time
_COARSE_HOPS = 10
_MOST_WEIGHT = 20.0
_NOT_WEAKER = 0.999  # of the power as recorded: rounding
_HEARS_WELL = 0.8  # of the correlation with the side that is most alike

_CLOSE = frozenset[Role]({"kick", "snare", "tom", "hats", "cymbals"})
_TWICE_MIKED = frozenset[Role]({"kick", "snare"})
_NO_SINGLE_SOURCE = frozenset[Role]({"synth", "pad"})
"""Roles of sounds that were made, whose layers are as they are meant to be."""

Windows = NDArray[np.float32]
Powers = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """What brings a track in line with another one that hears the same source.

    Attributes:
        reference: Name of the track that it is brought in line with.
        delay_ms: How much later the track has to be; negative for earlier, 0 for as it is. A whole
            number of frames.
        inverted: Whether its polarity has to be inverted.
        correlation: Weighted correlation of the two at this delay, 0…1; 1 is the same signal.
        second: What is left of the correlation elsewhere, over the peak, 0…1.
        windows: How many stretches of the song speak for it.
        sum_db: How much louder the two add up to than they do as they are, with both at one
            level, where they sound together.
        weakens_lows: Whether all that is found together would take from the sum of the tracks
            below 200 Hz, where bleed adds up by chance, unless this is left out.
    """

    reference: str
    delay_ms: float
    inverted: bool
    correlation: float
    second: float
    windows: int
    sum_db: float
    weakens_lows: bool = False


def find_arrivals(
    sources: Mapping[str, AudioSource],
    roles: Mapping[str, Role],
    powers: Mapping[str, Powers] | None = None,
) -> dict[str, Arrival]:
    """Finds the tracks that are out of line with another microphone of their source.

    The close microphones of a drum kit are brought in line with its overheads, which hear all of
    it: their distance is the one that cannot be changed without changing how the drums are heard
    against each other. Where there are none, and for other instruments, such as a direct box and an
    amplifier, the latest microphone stays where it is. Rooms are left alone: their distance is
    wanted. Tracks of different sources are never compared; tracks of one role that do not hear the
    same, such as doubles, show no peak.

    Args:
        sources: Raw tracks of one rate and length, by name.
        roles: Role of each.
        powers: What `measure_fine_powers` gives for them, where that is known already.

    Returns:
        What brings a track in line, by its name; those that are in line, and those of which
        nothing can be told for certain, are missing.

    Raises:
        InputError: The file behind a source changed or cannot be read.
    """
    overheads = [name for name in sources if roles[name] == "overheads"]
    close = [name for name in sources if roles[name] in _CLOSE]
    doubled = [name for name in close if roles[name] in _TWICE_MIKED]
    found: dict[str, Arrival] = {}
    if (overheads and close) or len({roles[name] for name in doubled}) < len(doubled):
        found |= _line_up_kit(sources, roles, overheads, _know(powers, sources, close))
    for group in _list_instruments(list(sources), roles):
        found |= _line_up_instrument(sources, _know(powers, sources, group))
    return found


def _know(
    powers: Mapping[str, Powers] | None, sources: Mapping[str, AudioSource], names: Sequence[str]
) -> dict[str, Powers]:
    """The powers of some tracks, measured where they are not known."""
    if powers is None:
        return measure_fine_powers(sources, names)
    return {name: powers[name] for name in names}


def _list_instruments(names: Sequence[str], roles: Mapping[str, Role]) -> list[list[str]]:
    """Tracks that may be one source and are no drums, by family."""
    families: dict[str, list[str]] = {}
    for name in names:
        family = ROLE_FAMILIES[roles[name]]
        if family in ("bass", "guitar", "keys", "orchestra") and (
            roles[name] not in _NO_SINGLE_SOURCE
        ):
            families.setdefault(family, []).append(name)
    return [group for group in families.values() if len(group) > 1]


@dataclass(frozen=True, kw_only=True)
class _Match:
    """How one track hears what another one hears.

    Attributes:
        frames: By how much the first must be later.
        sign: −1 where its polarity is opposite.
        correlation: Height of the peak.
        second: What is left elsewhere, over the peak.
        coherence: Share of the first track's power that is coherent with the second.
        spread_db: See `MOST_SPREAD_DB`.
        steady: Whether the windows agree.
        windows: How many there are.
        sum_db: See `Arrival`.
    """

    frames: int
    sign: int
    correlation: float
    second: float
    coherence: float
    spread_db: float
    steady: bool
    windows: int
    sum_db: float

    @property
    def is_clear(self) -> bool:
        """Whether there is one source, and one delay."""
        return self.steady and self.correlation >= LEAST_CORRELATION and self.second <= MOST_SECOND


def _line_up_kit(
    sources: Mapping[str, AudioSource],
    roles: Mapping[str, Role],
    overheads: Sequence[str],
    energies: Mapping[str, Powers],
) -> dict[str, Arrival]:
    """Brings close microphones, whose powers are ``energies``, in line with the overheads."""
    close = list(energies)
    rate = sources[close[0]].sample_rate
    rivals = {
        name: [n for n in close if roles[n] != roles[name] or n != name and roles[n] == "tom"]
        for name in close
    }
    most = _limit_windows(len(close))
    starts = {name: _choose_hits(energies, name, rivals[name], most) for name in close}
    heard = [name for name in close if len(starts[name]) >= _FEWEST_WINDOWS]
    if not heard:
        return {}
    wanted = np.unique(np.concatenate([starts[name] for name in heard]))
    lead = round(FINE_S * rate)
    length, frames = _add_margins(round(HIT_S * rate) + lead, wanted * lead - lead, rate)
    tracks = [*heard, *overheads]
    read = run_in_parallel(lambda name: _read_windows(sources[name], frames, length), tracks)
    windows = dict(zip(tracks, read, strict=True))
    hits = {name: np.searchsorted(wanted, starts[name]) for name in heard}
    bleed = {}
    for name in heard:
        others = _pick_others(hits, [rival for rival in rivals[name] if rival in hits])
        alone = _find_loudest(_level(energies[name]), wanted[others]) < _HARDLY_HIT
        bleed[name] = windows[name][others[alone]].mean(axis=1)
    matches: dict[str, tuple[str, _Match]] = {}

    def compare(name: str) -> list[tuple[str, _Match]]:
        own = windows[name][hits[name]].mean(axis=1)
        sides = [
            (other, _compare(own, windows[other][hits[name], side], rate, bleed[name]))
            for other in overheads
            for side in range(windows[other].shape[1])
        ]
        return [(other, match) for other, match in sides if match is not None]

    compared = dict(zip(heard, run_in_parallel(compare, heard), strict=True))
    opposite = _find_opposite_overheads(compared, overheads)
    for name in heard:
        sides = [
            (other, replace(match, sign=-match.sign) if other in opposite else match)
            for other, match in compared[name]
        ]
        if _agree([match for _, match in sides], rate):
            matches[name] = _choose_side([side for side in sides if side[1].is_clear])
    found = {
        name: _Placed(match.frames, match.sign, other, match)
        for name, (other, match) in matches.items()
    }
    for role in _TWICE_MIKED:
        of_drum = {name: hits[name] for name in heard if roles[name] == role}
        found = _join(found, of_drum, windows, bleed, rate)
    flipped = {name: _Placed(0, -1, next(iter(found)), None) for name in opposite if found}
    found = _invert_fewest({**found, **flipped}, [n for n in overheads if n not in flipped])
    low = {name: _decimate(windows[name], rate) for name in tracks}
    return _accept(found, low, rate)


@dataclass(frozen=True)
class _Placed:
    """Where a track belongs: so many frames later, with a sign, against another track."""

    frames: int
    sign: int
    reference: str
    match: _Match | None


def _agree(sides: Sequence[_Match], rate: int) -> bool:
    """Whether a side of the overheads is clear, and those that hear the drum as well say the same.

    One side may be some meters nearer to a drum than the other, but not opposite to it. The hum of
    a tom, of one frequency, can be mistaken by a period: where it is, a sum gains nothing.
    """
    clear = [
        match
        for match in sides
        if match.is_clear
        and (match.sum_db >= _LEAST_GAIN_DB or abs(match.frames) < _SHORT_S * rate)
    ]
    if not clear:
        return False
    best = max(clear, key=lambda match: match.correlation)
    return all(
        match.sign == best.sign and abs(match.frames - best.frames) <= _SIDES_APART_S * rate
        for match in sides
        if match.correlation >= _HEARS_WELL * best.correlation
    )


def _choose_side(clear: Sequence[tuple[str, _Match]]) -> tuple[str, _Match]:
    """The side of the overheads that is nearest to the drum, of those that hear it well."""
    best = max(match.correlation for _, match in clear)
    heard_well = [pair for pair in clear if pair[1].correlation >= _HEARS_WELL * best]
    return min(heard_well, key=lambda pair: (pair[1].frames, -pair[1].correlation))


def _find_opposite_overheads(
    compared: Mapping[str, Sequence[tuple[str, _Match]]], overheads: Sequence[str]
) -> set[str]:
    """Overheads that are tracks of their own and hear the kit upside down against the first one."""
    opposite = set()
    for other in overheads[1:]:
        votes = 0
        for matches in compared.values():
            signs = {
                name: match.sign
                for name, match in matches
                if name in (overheads[0], other) and match.is_clear
            }
            if len(signs) == 2:
                votes += signs[overheads[0]] * signs[other]
        if votes < 0:
            opposite.add(other)
    return opposite


def _find_loudest(level: Powers, hops: NDArray[np.int64]) -> Powers:
    """The highest level during a hit from each of some hops on."""
    length = round(HIT_S / FINE_S)
    padded = np.concatenate([np.zeros(_SMOOTH_HOPS), level, np.zeros(length)])
    around = np.lib.stride_tricks.sliding_window_view(padded, length + _SMOOTH_HOPS)
    return np.asarray(around[hops].max(axis=1))


def _pick_others(hits: Mapping[str, NDArray[np.int64]], rivals: Sequence[str]) -> NDArray[np.int64]:
    """Windows of the hits of other drums, some of each."""
    each = max(_MOST_WINDOWS // max(len(rivals), 1), 1)
    chosen = [hits[name][:each] for name in rivals]
    return np.unique(np.concatenate(chosen)) if chosen else np.zeros(0, np.int64)


def _join(
    found: dict[str, _Placed],
    hits: Mapping[str, NDArray[np.int64]],
    windows: Mapping[str, Windows],
    bleed: Mapping[str, Windows],
    rate: int,
) -> dict[str, _Placed]:
    """Places further microphones of a drum by the ones that are placed, or by the latest.

    Args:
        found: The microphones that are placed.
        hits: Which windows are those of the drum, by name of its microphones.
        windows: All windows ``(windows, channels, frames)`` of each microphone.
        bleed: What each hears of other drums ``(windows, frames)``.
        rate: Frames per second.
    """
    names = list(hits)
    waiting = [name for name in names if name not in found]
    if not waiting or len(names) < 2:
        return found
    placed = {name: found[name] for name in names if name in found}
    if not placed:
        first = waiting.pop(0)
        placed = {first: _Placed(0, 1, first, None)}
    for name in waiting:
        best: _Placed | None = None
        for other, place in placed.items():
            own, its = windows[name][hits[name]], windows[other][hits[name]]
            match = _compare(own.mean(axis=1), its.mean(axis=1), rate, bleed[name])
            if match is None or not match.is_clear or match.coherence < LEAST_COHERENCE:
                continue
            if best is None or best.match is None or match.correlation > best.match.correlation:
                best = _Placed(place.frames + match.frames, place.sign * match.sign, other, match)
        if best is not None:
            placed[name] = best
    if not any(name in found for name in names):
        placed = _delay_to_latest(placed) if len(placed) > 1 else {}
    return {**found, **placed}


def _delay_to_latest(placed: Mapping[str, _Placed]) -> dict[str, _Placed]:
    """Moves all so that the latest one stays, and nothing has to come earlier."""
    earliest = min(place.frames for place in placed.values())
    latest = min(placed, key=lambda name: placed[name].frames)
    match = next(place.match for place in placed.values() if place.match is not None)
    return {
        name: replace(
            place,
            frames=place.frames - earliest,
            reference=latest if name != latest else place.reference,
            match=place.match or match,
        )
        for name, place in placed.items()
    }


def _invert_fewest(found: dict[str, _Placed], references: Sequence[str]) -> dict[str, _Placed]:
    """Inverts the other half where that is fewer tracks: only what is opposite counts."""
    inverted = sum(place.sign < 0 for place in found.values())
    if 2 * inverted <= len(found) + len(references):
        return found
    turned = {name: replace(place, sign=-place.sign) for name, place in found.items()}
    anchor = next((name for name, place in turned.items() if place.sign > 0), None)
    if anchor is None:
        anchor = next(iter(found))
    return turned | {name: _Placed(0, -1, anchor, None) for name in references}


def _line_up_instrument(
    sources: Mapping[str, AudioSource], energies: Mapping[str, Powers]
) -> dict[str, Arrival]:
    """Brings the tracks of one family in line that hear the same instrument."""
    names = list(energies)
    rate = sources[names[0]].sample_rate
    pairs = [(a, b) for a, b in combinations(names, 2) if _rise_together(energies[a], energies[b])]
    if not pairs:
        return {}
    most = _limit_windows(len(pairs))
    chosen = {pair: _choose_stretches(energies, pair, most) for pair in pairs}
    pairs = [pair for pair in pairs if len(chosen[pair]) >= _FEWEST_WINDOWS]
    if not pairs:
        return {}
    wanted = np.unique(np.concatenate([chosen[pair] for pair in pairs]))
    members = [name for name in names if any(name in pair for pair in pairs)]
    length, frames = _add_margins(round(NOTE_S * rate), wanted * round(FINE_S * rate), rate)
    read = run_in_parallel(lambda name: _read_windows(sources[name], frames, length), members)
    windows = dict(zip(members, read, strict=True))

    def compare(pair: tuple[str, str]) -> _Match | None:
        own, other = (
            windows[name][np.searchsorted(wanted, chosen[pair])].mean(axis=1) for name in pair
        )
        return _compare(own, other, rate)

    edges = {
        pair: match
        for pair, match in zip(pairs, run_in_parallel(compare, pairs), strict=True)
        if match is not None
        and match.is_clear
        and match.coherence >= LEAST_COHERENCE
        and match.spread_db <= MOST_SPREAD_DB
        and match.sum_db > 0.0
    }
    low = {name: _decimate(windows[name], rate) for name in members}
    found: dict[str, Arrival] = {}
    for placed in _connect(edges):
        together = _invert_fewest(_delay_to_latest(placed), ())
        found |= _accept(together, {name: low[name] for name in placed}, rate)
    return found


def _connect(edges: Mapping[tuple[str, str], _Match]) -> list[dict[str, _Placed]]:
    """Tracks that are connected, each placed along the clearest connections."""
    groups: list[dict[str, _Placed]] = []
    left = dict(sorted(edges.items(), key=lambda edge: -edge[1].correlation))
    while left:
        start = next(iter(left))[0]
        placed = {start: _Placed(0, 1, start, None)}
        while True:
            step = next((pair for pair in left if (pair[0] in placed) != (pair[1] in placed)), None)
            if step is None:
                break
            match, (first, second) = left[step], step
            if second in placed:  # the first must be later by the match to be where the second is
                at = placed[second]
                placed[first] = _Placed(
                    at.frames + match.frames, at.sign * match.sign, second, match
                )
            else:
                at = placed[first]
                placed[second] = _Placed(
                    at.frames - match.frames, at.sign * match.sign, first, match
                )
        groups.append(placed)
        left = {pair: match for pair, match in left.items() if pair[0] not in placed}
    return groups


def _accept(
    found: Mapping[str, _Placed], low: Mapping[str, Windows], rate: int
) -> dict[str, Arrival]:
    """Leaves out what is no use, and marks what would take from the sum below 200 Hz."""
    most = round(MOST_MS * rate / 1000.0)
    kept = {}
    for name, place in found.items():
        frames = place.frames if abs(place.frames) >= _LEAST_FRAMES or place.sign < 0 else 0
        if (frames or place.sign < 0) and abs(frames) <= most:
            kept[name] = replace(place, frames=frames)
    spectra = {name: np.fft.rfft(windows, axis=-1) for name, windows in low.items()}
    size = next(iter(low.values())).shape[-1] if low else 1
    frequencies = np.fft.rfftfreq(size, _decimation(rate) / rate)
    band = frequencies <= _LOW_HZ

    def measure(gains: Mapping[str, float], moves: Mapping[str, _Placed]) -> float:
        total: NDArray[np.complex128] | float = 0.0
        for name, spectrum in spectra.items():
            sides = gains[name] * spectrum[..., band]
            if name in moves:
                turn = np.exp(-2j * np.pi * frequencies[band] * (moves[name].frames / rate))
                sides = moves[name].sign * sides * turn
            total = total + sides
        return float((np.abs(np.asarray(total)) ** 2).sum())

    powers = {name: float(np.square(part, dtype=np.float64).mean()) for name, part in low.items()}
    as_recorded = dict.fromkeys(low, 1.0)
    even = {name: 1.0 / np.sqrt(power) if power > 0.0 else 0.0 for name, power in powers.items()}
    before = [max(measure(gains, {}), 1e-30) for gains in (as_recorded, even)]

    def compare(moves: Mapping[str, _Placed]) -> float:
        """The sum against the one as recorded, at the levels at which it gains least."""
        both = zip((as_recorded, even), before, strict=True)
        return min(measure(gains, moves) / power for gains, power in both)

    useful = dict(kept)
    while kept and compare(kept) < _NOT_WEAKER:
        without = {name: {n: p for n, p in kept.items() if n != name} for name in kept}
        del kept[max(without, key=lambda name: compare(without[name]))]
    return {
        name: replace(_describe(place, rate), weakens_lows=name not in kept)
        for name, place in useful.items()
    }


def _describe(place: _Placed, rate: int) -> Arrival:
    match = place.match
    return Arrival(
        reference=place.reference,
        delay_ms=1000.0 * place.frames / rate,
        inverted=place.sign < 0,
        correlation=match.correlation if match else 1.0,
        second=match.second if match else 0.0,
        windows=match.windows if match else 0,
        sum_db=match.sum_db if match else 0.0,
    )


def _level(energy: Powers) -> Powers:
    """Power over 30 ms against that of the loud hits; 0 for silence."""
    if len(energy) < _SMOOTH_HOPS:
        return np.zeros(len(energy))
    smooth = np.convolve(energy, np.ones(_SMOOTH_HOPS), "full")[_SMOOTH_HOPS - 1 :]
    place = len(smooth) - min(_LOUD_HOPS, len(smooth))
    loud = float(np.partition(smooth, place)[place])
    return smooth / loud if loud > 0.0 else np.zeros(len(energy))


def _limit_windows(together: int) -> int:
    """How many windows each of some tracks or pairs may have, so that memory stays bounded."""
    return min(max(_MOST_IN_ALL // max(together, 1), 2 * _FEWEST_WINDOWS), _MOST_WINDOWS)


def _choose_hits(
    energies: Mapping[str, Powers], name: str, rivals: Sequence[str], most: int
) -> NDArray[np.int64]:
    """Chooses hops at which a drum is hit and stands out against the others, in order.

    Where those are few, because another one is nearly always hit at the same time, hits are taken
    as well that are as loud as those: what bleeds in is softer.
    """
    level = _level(energies[name])
    if not level.any():
        return np.zeros(0, np.int64)
    others = np.full(len(level), 1e-6)
    for rival in rivals:
        others = np.maximum(others, _level(energies[rival]))
    earlier = np.concatenate([np.zeros(_SMOOTH_HOPS), level[:-_SMOOTH_HOPS]])
    clear = np.minimum(level / others, 1.0 / _QUIETEST**2)
    rises = (level > _QUIETEST) & (level > _RISE * earlier)
    chosen: list[int] = []

    def choose(hits: NDArray[np.bool_], most: int) -> None:
        apart = round(HIT_S / FINE_S)
        for hop in np.flatnonzero(hits)[np.argsort(-(clear * level)[hits], kind="stable")]:
            if len(chosen) >= most:
                break
            if all(abs(hop - other) >= apart for other in chosen):
                chosen.append(int(hop))

    choose(rises & (clear > _STANDS_OUT), most)
    if chosen:
        as_loud = level > _AS_LOUD * np.median(level[chosen])
        choose(rises & as_loud & (clear > _HOLDS_ITS_OWN), min(_ENOUGH_WINDOWS, most))
    return np.array(sorted(chosen), np.int64)


def _choose_stretches(
    energies: Mapping[str, Powers], pair: tuple[str, str], most: int
) -> NDArray[np.int64]:
    """Chooses hops at which both of two tracks sound, spread over the song."""
    both = np.minimum(*(_level(energies[name]) for name in pair))
    sounding = np.flatnonzero(both[: len(both) - round(NOTE_S / FINE_S)] > _SOUNDS)
    if not len(sounding):
        return np.zeros(0, np.int64)
    places = np.linspace(0, len(sounding) - 1, 4 * _MOST_WINDOWS).astype(int)
    chosen: list[int] = []
    apart = round(NOTE_S / FINE_S)
    for hop in sounding[places]:
        if not chosen or hop - chosen[-1] >= apart:
            chosen.append(int(hop))
    kept = np.linspace(0, len(chosen) - 1, min(len(chosen), most)).astype(int)
    return np.array([chosen[number] for number in kept], np.int64)


def _rise_together(first: Powers, second: Powers) -> bool:
    """Whether the levels of two tracks go up and down together, as those of one source do."""
    levels = []
    hops = min(len(first), len(second)) // _COARSE_HOPS * _COARSE_HOPS
    for energy in (first, second):
        power = energy[:hops].reshape(-1, _COARSE_HOPS).sum(axis=1)
        if not power.any():
            return False
        levels.append(10.0 * np.log10(power / power.max() + 1e-4))
    if len(levels[0]) < _FEWEST_WINDOWS:
        return False
    one, other = (level - level.mean() for level in levels)
    scale = float(np.sqrt((one @ one) * (other @ other)))
    return scale > 0.0 and float(one @ other) / scale >= _LEAST_LIKENESS


def _add_margins(
    length: int, starts: NDArray[np.int64], rate: int
) -> tuple[int, NDArray[np.int64]]:
    """Length and first frames of windows with `MOST_MS` more on either side."""
    reach = round(MOST_MS * rate / 1000.0)
    first: NDArray[np.int64] = starts - reach
    return length + 2 * reach, first


def _read_windows(source: AudioSource, starts: NDArray[np.int64], length: int) -> Windows:
    """Reads stretches ``(windows, channels, length)``, with silence beyond the ends."""
    windows: Windows = np.zeros((len(starts), source.channels, length), np.float32)
    position = 0
    for block in source.blocks():
        stop = position + block.shape[1]
        for window in np.flatnonzero((starts < stop) & (starts + length > position)):
            _copy(block, windows[window], position - int(starts[window]))
        position = stop
    return windows


def _copy(block: Samples, window: Samples, offset: int) -> None:
    """Copies into a window what a block that begins ``offset`` frames after it holds of it."""
    first, last = max(offset, 0), min(offset + block.shape[1], window.shape[1])
    window[:, first:last] = block[:, first - offset : last - offset]


def _decimation(rate: int) -> int:
    return max(rate // 3000, 1)


def _decimate(windows: Windows, rate: int) -> Windows:
    """Windows of the mean of the sides at about 3 kHz, which is enough below 200 Hz."""
    step = _decimation(rate)
    kept = windows.shape[-1] // step * step
    fold = windows[..., :kept].mean(axis=1)
    return np.asarray(fold.reshape(len(windows), -1, step).mean(axis=-1))


def _compare(
    own: Windows, other: Windows, rate: int, bleed: Windows | None = None
) -> _Match | None:
    """Compares windows of two tracks, with `MOST_MS` more on either side ``(windows, frames)``.

    The delay is found twice: roughly, and between windows that begin at the same moment of the
    sound, so that what leaves one of them and not the other does not pull it.

    Args:
        own: Those of the first track.
        other: The same stretches of the second.
        rate: Frames per second.
        bleed: Other windows of the first track, in which it hears other sources. Frequencies that
            are as strong in them do not count.

    Returns:
        None where there is nothing to hear.
    """
    reach = round(MOST_MS * rate / 1000.0)
    length = own.shape[1] - 2 * reach
    inner = slice(reach, reach + length)
    loud = (own[:, inner] ** 2).sum(axis=1) * (other[:, inner] ** 2).sum(axis=1) > 0.0
    own, other = own[loud, inner], other[loud]
    if len(own) < _FEWEST_WINDOWS:
        return None
    taper = _make_taper(length, rate) / np.sqrt((own**2).sum(axis=1, keepdims=True))
    size = _choose_size(length + reach)
    band = _make_band(size, rate)
    if bleed is not None and len(bleed):
        fade = _make_taper(length, rate)
        band = band * _measure_share(own * fade, bleed[:, inner] * fade, size, len(band))
    first = np.fft.rfft(own * taper, size)[:, : len(band)]

    def hear(at: int) -> _Pair:
        moved = other[:, reach + at : reach + at + length]
        return _Pair(first, np.fft.rfft(moved * taper, size)[:, : len(band)], band, size)

    as_it_is = hear(0)
    roughly = _find_peak(*_correlate(as_it_is, reach))
    aligned = hear(int(np.clip(round(roughly.frames), -reach, reach)))
    peak = _find_peak(*_correlate(aligned, reach))
    folds = [_find_peak(*_correlate(aligned.without(fold), reach)) for fold in range(_FOLDS)]
    frames = round(roughly.frames) + round(peak.frames)
    strength = aligned.measure_sum(peak.sign, round(peak.frames))
    return _Match(
        frames=frames,
        sign=peak.sign,
        correlation=peak.height,
        second=peak.left,
        coherence=aligned.measure_coherent_share(),
        spread_db=aligned.measure_spread_db(),
        steady=all(
            fold.sign == peak.sign and abs(fold.frames - peak.frames) <= max(_SAME_S * rate, 1.0)
            for fold in folds
        ),
        windows=len(own),
        sum_db=power_to_db(strength) - power_to_db(as_it_is.measure_sum(1, 0)),
    )


@dataclass(frozen=True, eq=False)
class _Pair:
    """Spectra ``(windows, bins)`` of the windows of two tracks.

    Attributes:
        first: Those of the first track.
        second: Those of the second.
        band: How much each frequency counts, 0…1.
        size: Frames of the transform.
    """

    first: NDArray[np.complexfloating]
    second: NDArray[np.complexfloating]
    band: Powers
    size: int

    def without(self, fold: int) -> "_Pair":
        """Leaves every fourth window out."""
        kept = np.arange(len(self.first)) % _FOLDS != fold
        return _Pair(self.first[kept], self.second[kept], self.band, self.size)

    @cached_property
    def cross(self) -> NDArray[np.complexfloating]:
        """The cross spectrum, of all windows together."""
        return np.asarray((self.first.conj() * self.second).sum(axis=0))

    @cached_property
    def powers(self) -> tuple[Powers, Powers]:
        """The power spectra of the two, likewise."""
        return tuple((np.abs(part) ** 2).sum(axis=0) for part in (self.first, self.second))

    @cached_property
    def coherence(self) -> Powers:
        """Magnitude-squared coherence 0…1, without what chance alone makes of so few windows."""
        both = self.powers[0] * self.powers[1]
        raw = np.abs(self.cross) ** 2 / np.maximum(both, 1e-30)
        chance = 1.0 / len(self.first)
        return np.asarray(np.clip((raw - chance) / (1.0 - chance), 0.0, 1.0))

    def measure_coherent_share(self) -> float:
        """Share of the first track's power that is coherent with the second."""
        power = self.powers[0] * self.band
        return float(self.coherence @ power / max(float(power.sum()), 1e-30))

    def measure_spread_db(self) -> float:
        """Standard deviation over the windows of the two levels against each other."""
        first, second = (np.abs(part) ** 2 @ self.band for part in (self.first, self.second))
        return float(np.std(10.0 * np.log10((first + 1e-30) / (second + 1e-30))))

    def measure_sum(self, sign: int, frames: int) -> float:
        """Power of the sum over that of two unrelated signals, at equal levels."""
        turns = np.exp(2j * np.pi * np.arange(len(self.band)) / self.size * frames)
        levels = [float(power @ self.band) for power in self.powers]
        both = max(float(np.sqrt(levels[0] * levels[1])), 1e-30)
        return max(1.0 + sign * float((self.cross * turns).real @ self.band) / both, 1e-6)


def _choose_size(frames: int) -> int:
    """The least size that transforms are fast at, of those that hold so many frames."""
    power = 1 << (frames - 1).bit_length()
    return min(size for size in (power, power // 4 * 3, power // 8 * 5) if size >= frames)


def _make_taper(frames: int, rate: int) -> Windows:
    """Fades in within 2 ms and out over the last third."""
    taper = np.ones(frames, np.float32)
    rise, fall = min(round(0.002 * rate), frames // 4), frames // 3
    taper[:rise] = np.sin(np.linspace(0.0, np.pi / 2, rise)) ** 2
    taper[frames - fall :] = np.cos(np.linspace(0.0, np.pi / 2, fall)) ** 2
    return taper


def _measure_share(own: Windows, bleed: Windows, size: int, bins: int) -> Powers:
    """Share 0…1 of a track's power at each frequency that it does not hear at other times."""
    powers = [
        (np.abs(np.fft.rfft(part, size)[:, :bins]) ** 2).mean(axis=0) for part in (own, bleed)
    ]
    width = max(size // 512, 1)
    smooth = [np.convolve(power, np.ones(width) / width, "same") for power in powers]
    return np.asarray(
        np.clip(1.0 - _AGAINST_BLEED * smooth[1] / np.maximum(smooth[0], 1e-30), 0.0, 1.0) ** 2
    )


def _make_band(size: int, rate: int) -> Powers:
    """Weights of the frequencies from 0 on: 1 within the band, with soft edges."""
    low, high = _BAND_HZ[0], min(_BAND_HZ[1], 0.45 * rate)
    frequencies = np.fft.rfftfreq(size, 1.0 / rate)
    frequencies = frequencies[frequencies < min(2.0 * high, 0.5 * rate)]
    octaves = np.log2(np.maximum(frequencies, 1e-3))
    rising = np.clip((octaves - np.log2(low)) / _EDGE_OCTAVES + 0.5, 0.0, 1.0)
    falling = np.clip((np.log2(high) - octaves) / _EDGE_OCTAVES + 0.5, 0.0, 1.0)
    return np.asarray(np.minimum(rising, falling))


def _correlate(pair: _Pair, reach: int) -> tuple[Powers, Powers]:
    """The weighted correlation at delays from −reach to reach, and that of a pure delay of 0."""
    coherence, size = pair.coherence, pair.size
    weights = pair.band * np.minimum(coherence / (1.0 - coherence + 1e-9), _MOST_WEIGHT)
    turns = pair.cross / np.maximum(np.abs(pair.cross), 1e-30)
    total = 2.0 * float(weights.sum()) / size
    if total <= 0.0:
        return np.zeros(2 * reach + 1), np.zeros(4 * reach + 1)
    spectrum = np.zeros((2, size // 2 + 1), np.complex128)
    spectrum[0, : len(weights)], spectrum[1, : len(weights)] = weights * turns, weights
    lags = np.fft.irfft(spectrum, size) / total
    around = np.arange(-reach, reach + 1)
    return lags[0, around], lags[1, np.arange(-2 * reach, 2 * reach + 1)]


@dataclass(frozen=True)
class _Peak:
    """The highest peak of a correlation, of either sign.

    Attributes:
        frames: Where it is, to a fraction of a frame.
        sign: −1 for opposite polarity.
        height: How high it is.
        left: What is left of the correlation without it, over it.
    """

    frames: float
    sign: int
    height: float
    left: float


def _find_peak(correlation: Powers, alone: Powers) -> _Peak:
    """Finds the peak.

    Args:
        correlation: At delays from −reach to reach.
        alone: What a pure delay of 0 gives, at delays from −2·reach to 2·reach.
    """
    reach = len(correlation) // 2
    peak = int(np.argmax(np.abs(correlation)))
    height = float(abs(correlation[peak]))
    if height == 0.0:
        return _Peak(0.0, 1, 0.0, 1.0)
    sign = 1 if correlation[peak] > 0.0 else -1
    offset = 0.0
    if 0 < peak < 2 * reach:
        before, at, after = sign * correlation[peak - 1 : peak + 2]
        bend = before - 2.0 * at + after
        offset = 0.5 * float((before - after) / bend) if bend < 0.0 else 0.0
    shifted = alone[2 * reach - peak : 4 * reach + 1 - peak]
    left = float(np.abs(correlation - sign * height * shifted).max())
    return _Peak(peak - reach + offset, sign, height, left / height)
