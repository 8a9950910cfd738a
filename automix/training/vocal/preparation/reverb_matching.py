"""Matches the ten parameters of the built-in reverb to an impulse response.

A genetic algorithm, as in Li & Lerch III-A (after Heise, Hlatky and Loviscach 2009), makes the
distance between magnitude spectrograms small. It searches twice: over all settings by their
envelopes in closed form, then around the best by their spectrograms. The first generation begins
with what can be read from the direct sound and the decay curve. PyGAD (``automix[matching]``) is
needed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automix.errors import InputError, UsageError
from automix.plan.parameters import Range
from automix.plan.settings import FdnReverbSettings
from automix.training.vocal.preparation.reverb_likeness import (
    Envelope,
    Signal,
    Spectrogram,
    shelves_db_s,
)

SEARCHED: dict[str, Range] = {
    "dry_wet": Range(0.0, 1.0),
    "reverberation_time_s": Range(0.1, 9.0, "s", "log"),
    "fade_in_time_s": Range(0.0, 0.6, "of the reverberation time"),
    "room_size": Range(1.0, 30.0),
    "low_cutoff_hz": Range(20.0, 300.0, "Hz", "log"),
    "low_gain_db_s": Range(-30.0, 6.0, "dB/s"),
    "low_q": Range(0.3, 0.9),
    "high_cutoff_hz": Range(4000.0, 20000.0, "Hz", "log"),
    "high_gain_db_s": Range(-60.0, 4.0, "dB/s"),
    "high_q": Range(0.3, 0.9),
}
"""Where the search looks. The shelves keep to the ends of the spectrum, as in the published means:
broader ones reach over all of it and could not be told from the reverberation time. The fade-in is
a share of the reverberation time: exchanged, the two would sound alike."""

_DRY, _TIME, _FADE, _ROOM = 0, 1, 2, 3  # places of their genes


@dataclass(frozen=True, kw_only=True)
class ReverbMatch:
    """The settings that come nearest to an impulse response.

    Attributes:
        settings: Settings of the reverb.
        distance_db: Mean difference of the spectrograms.
    """

    settings: FdnReverbSettings
    distance_db: float


@dataclass(frozen=True, kw_only=True)
class _Search:
    """How many settings a search tries, and how far around the best it begins."""

    population: int
    generations: int
    spread: float


_BY_ENVELOPE = _Search(population=80, generations=90, spread=0.2)
_BY_SOUND = _Search(population=36, generations=24, spread=0.12)
_FINELY = _Search(population=24, generations=30, spread=0.08)
COARSE_RATE_HZ = 16_000
FINE_RATE_HZ = 44_100
_MIDDLE_HZ = np.array([1000.0])
_ALL = 0.98
_ROOMS = 581  # every twentieth of the parameter
_NEAR, _ROOMS_NEAR = 0.02, 59  # every fiftieth


def match_reverb(
    response: NDArray[np.floating[Any]], sample_rate: int, *, seed: int = 0
) -> ReverbMatch:
    """Finds settings whose impulse response sounds like a given one.

    Args:
        response: ``(channels, frames)`` or ``(frames,)``, from the direct sound on, at the level at
            which the dry signal passes; channels are folded.
        sample_rate: Frames per second, 16 kHz or more.
        seed: Decides everything that is drawn; the same seed gives the same match.

    Raises:
        InputError: The response is silent, shorter than 50 ms, or of a lower rate.
        UsageError: PyGAD is not installed.
    """
    mono = np.atleast_2d(np.asarray(response, np.float64)).mean(axis=0)
    if sample_rate < COARSE_RATE_HZ:
        raise InputError(f"an impulse response needs {COARSE_RATE_HZ} Hz, not {sample_rate}")
    if len(mono) < 0.05 * sample_rate or not np.abs(mono).max() > 0.0:
        raise InputError("the impulse response is silent or shorter than 50 ms")
    rng = np.random.default_rng(seed)
    envelope = Envelope(mono, sample_rate)
    best = _search_by_envelope(envelope, _guess_genes(mono, sample_rate), rng)
    coarse = Spectrogram(_resample_response(mono, sample_rate, COARSE_RATE_HZ), COARSE_RATE_HZ, 1.5)
    fine = None
    if sample_rate >= FINE_RATE_HZ:  # a network of this rate has these very delays
        fine = Spectrogram(_resample_response(mono, sample_rate, FINE_RATE_HZ), FINE_RATE_HZ, 0.7)
    rooms = _choose_rooms(best, np.linspace(0.0, 1.0, _ROOMS), (fine or coarse).likeness)
    start = _draw_around(best, _BY_SOUND, rng)
    start[:, _ROOM] = rooms[np.arange(len(start)) % len(rooms)]
    best, distance_db = _evolve(start, _make_distance(coarse, envelope), _BY_SOUND, rng)
    if fine is not None:
        near = best[_ROOM] + np.linspace(-_NEAR, _NEAR, _ROOMS_NEAR)
        best[_ROOM] = _choose_rooms(best, near, lambda made: -fine.distance_db(made))[0]
        start = _draw_around(best, _FINELY, rng)
        start[:, _ROOM] = best[_ROOM]  # a room that is nearly right has other delays
        best, distance_db = _evolve(start, _make_distance(fine, envelope, 0.0), _FINELY, rng)
    return ReverbMatch(settings=_express_genes(best), distance_db=distance_db)


def _search_by_envelope(envelope: Envelope, guess: Signal, rng: np.random.Generator) -> Signal:
    """The best genes of all, and of some near a first guess, by direct sound and late levels."""
    start = rng.random((_BY_ENVELOPE.population, len(SEARCHED)))
    known = start[::2][:, [_DRY, _TIME]]
    start[::2, [_DRY, _TIME]] = guess[[_DRY, _TIME]] + 0.05 * rng.standard_normal(known.shape)
    start[::4, _FADE] = 0.0
    start[0] = guess
    best, _ = _evolve(
        start,
        lambda made: envelope.distance_db(made) + 0.5 * envelope.direct_distance_db(made),
        _BY_ENVELOPE,
        rng,
    )
    return best


def _draw_around(best: Signal, search: _Search, rng: np.random.Generator) -> Signal:
    """Genes around the best, and itself."""
    start: Signal = best + search.spread * rng.standard_normal((search.population, len(best)))
    start[0] = best
    return start


def _make_distance(
    sound: Spectrogram, envelope: Envelope, weight: float = 0.2
) -> Callable[[FdnReverbSettings], float]:
    """The distance by sound, by direct sound, and, ``weight`` of it, by late levels."""

    def distance_db(made: FdnReverbSettings) -> float:
        late_db = weight * envelope.distance_db(made)
        return sound.distance_db(made) + late_db + envelope.direct_distance_db(made)

    return distance_db


def _express_genes(genes: Signal) -> FdnReverbSettings:
    """The settings that genes stand for.

    The gene of the time is that of 1 kHz, which a response tells by itself: without that, a longer
    time with stronger shelves would be nearly as good, and the search would lose its way.
    """
    values = _gene_values(genes)
    at_middle_s = values.pop("reverberation_time_s")
    fade_in = values.pop("fade_in_time_s")
    settings = FdnReverbSettings(**values)
    shelf_db_s = float(shelves_db_s(settings, _MIDDLE_HZ, FINE_RATE_HZ)[0])
    decay_db_s = max(60.0 / at_middle_s + shelf_db_s, 60.0 / SEARCHED["reverberation_time_s"].high)
    time_s = SEARCHED["reverberation_time_s"].clamp(60.0 / decay_db_s)
    return replace(settings, reverberation_time_s=time_s, fade_in_time_s=fade_in * time_s)


def _gene_values(genes: Signal) -> dict[str, Any]:
    """Values of genes 0…1 by the names of `SEARCHED`."""
    return {
        name: legal.from_unit(float(gene))
        for (name, legal), gene in zip(SEARCHED.items(), genes, strict=True)
    }


def _choose_rooms(
    genes: Signal, tried: Signal, likeness: Callable[[FdnReverbSettings], float]
) -> Signal:
    """The three likeliest of some genes of the room size, the other genes being as they are."""
    rows = np.tile(genes, (len(tried), 1))
    rows[:, _ROOM] = np.clip(tried, 0.0, 1.0)
    order = np.argsort([likeness(_express_genes(row)) for row in rows], kind="stable")
    found: Signal = rows[order[::-1][:3], _ROOM]
    return found


def _resample_response(response: Signal, sample_rate: int, rate_hz: int) -> Signal:
    """The response to an impulse at another rate, of the same gain at every frequency."""
    import soxr

    if sample_rate == rate_hz:
        return response
    # Half a filter's length of silence in front keeps what rings before the direct sound.
    lead = sample_rate // 10
    padded = np.concatenate([np.zeros(lead), response])
    found = soxr.resample(padded, sample_rate, rate_hz) * (sample_rate / rate_hz)
    return np.asarray(found[rate_hz // 10 :])


def _guess_genes(response: Signal, sample_rate: int) -> Signal:
    """Genes in the middle, but for what can be read from the response itself.

    The first sample is the dry part alone where the network fades in; else it tells nothing.
    """
    genes = np.full(len(SEARCHED), 0.5)
    if abs(float(response[0])) < _ALL:
        genes[_DRY] = SEARCHED["dry_wet"].to_unit(1.0 - abs(float(response[0])))
    genes[_TIME] = SEARCHED["reverberation_time_s"].to_unit(decay_s(response, sample_rate))
    return genes


def decay_s(response: Signal, sample_rate: int) -> float:
    """Reverberation time by the slope of Schroeder's integral from −5 to −25 dB, less direct sound.

    Where the response ends before that, by what there is.
    """
    late = response[round(0.03 * sample_rate) :]
    energy = np.cumsum((late**2)[::-1])[::-1]
    if len(energy) < 2 or energy[0] <= 0.0:
        return SEARCHED["reverberation_time_s"].low
    level = 10.0 * np.log10(energy / energy[0] + 1e-12)
    first, last = (int(np.argmax(level < -depth)) for depth in (5.0, 25.0))
    if last <= first:
        return 1.0
    return 60.0 * (last - first) / sample_rate / float(level[first] - level[last])


def _evolve(
    start: Signal,
    distance_db: Callable[[FdnReverbSettings], float],
    search: _Search,
    rng: np.random.Generator,
) -> tuple[Signal, float]:
    """The best genes of all generations, and their distance in dB."""
    try:
        import pygad
    except ImportError as error:
        raise UsageError(
            "matching reverbs needs PyGAD, which is not installed; pip install 'automix[matching]'"
        ) from error

    def mutate(offspring: Signal, algorithm: Any) -> Signal:
        # Ever smaller steps, in some of the genes.
        share = algorithm.generations_completed / search.generations
        steps = search.spread * 0.1**share * rng.standard_normal(offspring.shape)
        steps *= rng.random(offspring.shape) < 0.35
        if search is _FINELY:
            steps[:, _ROOM] = 0.0
        changed: Signal = np.clip(offspring + steps, 0.0, 1.0)
        return changed

    algorithm = pygad.GA(
        num_generations=search.generations,
        num_parents_mating=search.population // 3,
        fitness_func=lambda algorithm, genes, index: -distance_db(_express_genes(genes)),
        initial_population=np.clip(start, 0.0, 1.0),
        parent_selection_type="tournament",
        K_tournament=3,
        crossover_type="uniform",
        mutation_type=mutate,
        keep_elitism=3,
        random_seed=int(rng.integers(2**31)),
        suppress_warnings=True,
    )
    algorithm.run()
    genes, fitness, _ = algorithm.best_solution(algorithm.last_generation_fitness)
    return np.asarray(genes, np.float64), -float(fitness)


def draw_searched_reverb(rng: np.random.Generator) -> FdnReverbSettings:
    """Draws settings from anywhere in `SEARCHED`."""
    values = _gene_values(rng.random(len(SEARCHED)))
    values["fade_in_time_s"] *= values["reverberation_time_s"]
    return FdnReverbSettings(**values)
