"""Examples for the mixing console's controller: a disturbed stretch of a song, and its target.

The stems of a human mix are offset, folded, equalized, compressed, left out and put together at
random ("effect normalization" in reverse), and the network is to find the human mix again.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from automix.analysis.loudness import LoudnessMeter, integrated_lufs
from automix.audio.blocks import collect
from automix.audio.samples import Audio, AudioSource, Samples
from automix.consoles.exact import ExactConsole
from automix.dsp.compressor import Compressor
from automix.dsp.equalizer import Equalizer
from automix.errors import InputError
from automix.methods.stems.dmc_hearing import summarize_tracks
from automix.methods.stems.hearing import HeardTrack, hear_stems
from automix.methods.stems.levels import choose_pans, level_offsets
from automix.methods.stems.rules import write_rules
from automix.methods.stems.settings import StemsRules
from automix.networks.encoders import stack_summaries
from automix.plan.model import MixPlan
from automix.plan.roles import Role
from automix.plan.settings import CompressorSettings, EqualizerBand, EqualizerSettings
from automix.plan.writer import PlanWriter
from automix.session.blank_plan import make_blank_plan
from automix.session.tracks import Session, Track
from automix.training.controller.settings import Augmentation, DmcTraining
from automix.training.decoded_songs import RATE_HZ, DecodedSong, as_source, as_stereo
from automix.training.songs import Songs
from automix.units import db_to_gain

_LEAST_BELOW_LOUDEST_LU = 40.0
_TRIES = 20
_ALIKE = 0.98
"""Correlation of the sides from which a stem counts as a panned mono track."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MixExample:
    """One example: a few tracks of one song.

    Attributes:
        song: Number of the song.
        summaries: Input of the encoder for each track ``(tracks, ...)``.
        base_lu: Loudness ``(tracks,)`` that the outputs depart from: above equal loudness as the
            rules set it, or that of the tracks as they are.
        wanted_lu: Loudness ``(tracks,)`` in the human mix.
        base_pan: Pan position ``(tracks,)`` that the outputs depart from: that of the rules, or the
            center.
        wanted_distance: Distance from the center ``(tracks,)`` in the human mix; NaN where that
            says nothing, because the track is stereo there, or the rules leave it in the center.
        session: The disturbed tracks where the song is loudest; none where nothing is mixed.
        human: The human mix of these tracks ``(2, samples)``.
        plan: The plan of the rules, or a blank one.
    """

    song: int
    summaries: Tensor
    base_lu: Tensor
    wanted_lu: Tensor
    base_pan: Tensor
    wanted_distance: Tensor
    session: Session | None = None
    human: Samples | None = None
    plan: MixPlan | None = None

    def without_audio(self) -> "MixExample":
        """The example as it is needed to learn from without mixing."""
        return replace(self, session=None, human=None, plan=None)


@dataclass(eq=False)
class _Stem:
    """A stem as it is in the human mix (``wet``), and as the controller is given it."""

    name: str
    role: Role
    wet: Samples
    given: Samples


class MixExamples:
    """Examples by number: the same number, settings and songs give the same example.

    Args:
        songs: Songs that the examples are cut from.
        weights: How often each song is taken, on any scale.
        settings: Settings of the training.
    """

    def __init__(
        self, songs: Sequence[DecodedSong], weights: Sequence[float], settings: DmcTraining
    ) -> None:
        self._songs = songs
        self._shares = np.asarray(weights, float) / float(np.sum(weights))
        self._settings = settings
        self._rules = StemsRules(mode=settings.model.mode)

    @property
    def count(self) -> int:
        """Number of songs that the examples are cut from."""
        return len(self._songs)

    def __getitem__(self, number: int) -> MixExample:
        """Makes the example of a number.

        Raises:
            InputError: None of several stretches of the songs had two audible tracks.
        """
        draw = np.random.default_rng((self._settings.loop.seed, number))
        for _ in range(_TRIES):
            song = int(draw.choice(len(self._songs), p=self._shares))
            stems, human = self._stretch(self._songs[song], draw)
            if len(stems) >= 2:
                example = self._example(song, stems, human, draw)
                if example is not None:
                    return example
        raise InputError(
            "the songs have hardly a stretch in which two tracks can be heard; give other songs"
        )

    def _stretch(self, song: DecodedSong, draw: np.random.Generator) -> tuple[list[_Stem], Samples]:
        """The stems of a random stretch of a song as the human mix has them, and that mix."""
        length_s = draw.uniform(self._settings.shortest_s, self._settings.longest_s)
        length = min(round(length_s * RATE_HZ), song.frames)
        start = int(draw.integers(song.frames - length + 1))
        stems = [
            _Stem(name, role, samples, samples)
            for (name, role), samples in (
                (track, song.stem(index, start, start + length))
                for index, track in enumerate(song.tracks)
            )
            if np.abs(samples).max(initial=0.0) > 1e-4
        ]
        human = song.mix(start, start + length)
        if len(stems) < 2:
            return stems, human
        if song.human is not None:
            return _fit_levels(stems, human), human
        order = [int(index) for index in draw.permutation(len(stems))]
        if draw.uniform() < self._settings.augmentation.subset and len(stems) > 2:
            order = order[: int(draw.integers(2, len(stems) + 1))]
        stems = [stems[index] for index in sorted(order[: self._settings.tracks])]
        if draw.uniform() < self._settings.augmentation.regroup and len(stems) > 2:
            first, second = sorted(int(n) for n in draw.choice(len(stems), 2, replace=False))
            both = as_stereo(stems[first].wet) + as_stereo(stems.pop(second).wet)
            stems[first] = replace(stems[first], role="other", wet=both, given=both)
        return stems, _sum(stems)

    def _example(
        self, song: int, stems: list[_Stem], human: Samples, draw: np.random.Generator
    ) -> MixExample | None:
        stems = [
            replace(stem, given=disturb_track(stem.given, self._settings.augmentation, draw))
            for stem in stems
        ]
        session = Session(
            tracks=tuple(
                Track(name=stem.name, role=stem.role, source=as_source(stem.given))
                for stem in stems
            )
        )
        heard = hear_stems(session)
        loudness = {stem.name: _lufs(stem.wet) for stem in stems}
        least = max(loudness.values()) - _LEAST_BELOW_LOUDEST_LU
        kept = [
            stem for stem in stems if loudness[stem.name] > least and not heard[stem.name].is_silent
        ]
        if len(kept) < 2:
            return None
        if len(kept) < len(stems):
            session = Session(tracks=tuple(session.track(stem.name) for stem in kept))
            heard = {stem.name: heard[stem.name] for stem in kept}
        levels, pans = self._base(kept, heard)
        free = self._settings.model.base == "none"
        distances = [
            _wanted_distance(stem) if free or pan != 0.5 else math.nan
            for stem, pan in zip(kept, pans, strict=True)
        ]
        example = MixExample(
            song=song,
            summaries=stack_summaries(summarize_tracks(session, heard, self._settings.model)),
            base_lu=torch.tensor(levels),
            wanted_lu=torch.tensor([loudness[stem.name] for stem in kept]),
            base_pan=torch.tensor(pans),
            wanted_distance=torch.tensor(distances),
        )
        if self._settings.audio_weight == 0.0:
            return example
        writer = PlanWriter(make_blank_plan(session, method="rules", preset=self._rules.mode))
        if self._settings.model.base == "rules":
            write_rules(ExactConsole(session), writer, self._rules, heard)
        length = min(round(self._settings.patch_s * RATE_HZ), human.shape[1])
        start = _find_loudest(human, length)
        patch = Session(
            tracks=tuple(
                replace(track, source=_cut(track.source, start, start + length))
                for track in session.tracks
            )
        )
        wanted = np.ascontiguousarray(human[:, start : start + length])
        return replace(example, session=patch, human=wanted, plan=writer.plan)

    def _base(
        self, stems: list[_Stem], heard: Mapping[str, HeardTrack]
    ) -> tuple[list[float], list[float]]:
        """The loudness and the pan position of each stem that the outputs depart from."""
        names = [stem.name for stem in stems]
        if self._settings.model.base == "none":
            return [heard[name].lufs for name in names], [0.5] * len(names)
        roles: dict[str, Role] = {stem.name: stem.role for stem in stems}
        offsets = level_offsets(heard, roles, self._rules)
        pans = choose_pans(heard, roles, self._rules)
        return [offsets[name].sum_lu for name in names], [pans.get(name, 0.5) for name in names]


def disturb_track(
    samples: Samples, augmentation: Augmentation, draw: np.random.Generator
) -> Samples:
    """A track ``(channels, samples)`` at another gain and perhaps processed, as long as before."""
    if len(samples) == 2 and draw.uniform() < augmentation.mono:
        samples = samples.mean(axis=0, keepdims=True)
    signal = samples.astype(np.float64)
    if draw.uniform() < augmentation.equalize:
        bands = tuple(
            EqualizerBand(
                frequency_hz=float(np.exp(draw.uniform(math.log(60.0), math.log(12000.0)))),
                gain_db=float(draw.uniform(-1.0, 1.0) * augmentation.equalizer_db),
                q=float(draw.uniform(0.3, 1.5)),
            )
            for _ in range(3)
        )
        signal = Equalizer(EqualizerSettings(bands=bands), RATE_HZ, len(signal)).process(signal)
    if draw.uniform() < augmentation.compress:
        peak_db = 20.0 * math.log10(float(np.abs(signal).max()) + 1e-9)
        settings = CompressorSettings(
            threshold_db=float(np.clip(peak_db - draw.uniform(6.0, 24.0), -60.0, 0.0)),
            ratio=float(draw.uniform(1.5, 5.0)),
            attack_ms=float(draw.uniform(1.0, 30.0)),
            release_ms=float(draw.uniform(60.0, 300.0)),
        )
        signal = Compressor(settings, RATE_HZ).process(signal)
    gain = db_to_gain(draw.uniform(-augmentation.offset_db, augmentation.offset_db))
    return (signal * gain).astype(np.float32)


def _fit_levels(stems: list[_Stem], human: Samples) -> list[_Stem]:
    """Stems at the least-squares levels that they have in a human mix, left and right apart."""
    sources = np.stack([as_stereo(stem.given) for stem in stems]).astype(np.float64)
    wet = np.empty_like(sources)
    for side in (0, 1):
        rows = sources[:, side]
        products = rows @ rows.T
        products += 1e-6 * np.trace(products) / len(rows) * np.eye(len(rows))
        gains = np.linalg.solve(products, rows @ human[side].astype(np.float64))
        wet[:, side] = np.abs(gains)[:, None] * rows
    return [replace(stem, wet=row.astype(np.float32)) for stem, row in zip(stems, wet, strict=True)]


def _wanted_distance(stem: _Stem) -> float:
    """Distance of a mono track from the center in the human mix, 0…0.5; NaN where it is stereo."""
    if len(stem.given) == 2:
        return math.nan
    left, right = as_stereo(stem.wet).astype(np.float64)
    powers = float(left @ left), float(right @ right)
    if abs(float(left @ right)) < _ALIKE * math.sqrt(powers[0] * powers[1]):
        return math.nan
    return abs(math.atan2(math.sqrt(powers[1]), math.sqrt(powers[0])) / (math.pi / 2) - 0.5)


def _sum(stems: Sequence[_Stem]) -> Samples:
    """The mix ``(2, samples)`` of the stems."""
    total = np.zeros((2, stems[0].wet.shape[1]), np.float32)
    for stem in stems:
        total += as_stereo(stem.wet)
    return total


def _lufs(samples: Samples) -> float:
    """Integrated loudness in LUFS."""
    meter = LoudnessMeter(RATE_HZ, len(samples))
    meter.add(np.ascontiguousarray(samples))
    return integrated_lufs(meter.energies)


def _find_loudest(human: Samples, length: int) -> int:
    """First sample of the stretch with the highest power, in steps of a fifth of its length."""
    sums = np.concatenate([[0.0], np.cumsum(np.square(human, dtype=np.float64).sum(axis=0))])
    starts = np.arange(0, human.shape[1] - length + 1, max(length // 5, 1))
    return int(starts[np.argmax(sums[starts + length] - sums[starts])])


def _cut(source: AudioSource, start: int, stop: int) -> Audio:
    """The samples of a source from ``start`` to before ``stop``."""
    return as_source(collect(source).samples[:, start:stop])


def open_examples(songs: Songs, settings: DmcTraining) -> tuple[MixExamples, MixExamples]:
    """Examples to learn from, and examples of the songs that are held out.

    Args:
        songs: Songs as `open_songs` finds them.
        settings: Settings of the training.
    """
    return (
        MixExamples(songs.training, songs.weights, settings),
        MixExamples(songs.validation, [1.0] * len(songs.validation), settings),
    )
