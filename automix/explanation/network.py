"""What moved the advice of a mixing network: facts, spectrum, other tracks; and where it looks.

Facts: integrated gradients (Sundararajan, Taly & Yan 2017) along the straight way from the average
track of the training set to the tracks of the song, so that the parts add up to the advice.
Saliency: the absolute gradient of one value of advice with respect to every cell of the log-mel
spectrogram (Simonyan, Vedaldi & Zisserman 2014).
"""

from collections.abc import Collection, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from automix.explanation.hearing import HeardByNetwork, Hearing, Map, Said, Saliency
from automix.explanation.moves import Move, find_moves
from automix.files.disk import sha256
from automix.methods.stems.advice import MOST_PROCESSING, Advice
from automix.methods.stems.dmc_hearing import LISTENING_LUFS, summarize_tracks
from automix.methods.stems.hearing import HeardTrack
from automix.networks.checkpoints import read_network, weights_path
from automix.networks.device import choose_device
from automix.networks.dmc import Dmc, combine_opinions, value_at
from automix.networks.dmc_description import DmcDescription, outputs
from automix.networks.encoders import FACTS, CompactEncoder, log_mel_patches
from automix.networks.vggish import HOP_SAMPLES, RATE_HZ, mel_bank
from automix.plan.model import MixPlan
from automix.plan.vector import Slot
from automix.session.tracks import Session
from automix.units import db_to_gain

_STEPS = 64
_COLUMNS = 96  # of a patch
_FACT_NAMES = dict(zip(FACTS, ("crest factor", "loudness range", "activity", "sides"), strict=True))
SPECTRUM, OTHERS, ALWAYS = "spectrum", "other tracks", "for any track"


def open_controller(plan: MixPlan, weights: str, device: str) -> Dmc | str:
    """The network that wrote a plan, or why it cannot be had.

    Raises:
        DeviceError: The weights or the device cannot be used.
    """
    path = weights_path(weights or f"dmc-{plan.preset}")
    if plan.weights and sha256(path) != plan.weights:
        return (
            "the plan was made with other weights of the network; give their file with --weights to"
            " see what the network heard"
        )
    network = read_network(path, "dmc", DmcDescription, Dmc)
    network.eval().requires_grad_(False).to(choose_device(device)).double()
    return network


class Listener:
    """A network and the tracks that it hears.

    Args:
        network: In double precision.
        session: Whose tracks they are.
        heard: Those that are not silent.
    """

    def __init__(self, network: Dmc, session: Session, heard: Mapping[str, HeardTrack]) -> None:
        self._network, self._session, self._heard = network, session, heard
        self._device = next(network.parameters()).device
        found = summarize_tracks(session, heard, network.description)
        self.summaries = {
            name: summary.to(self._device, torch.float64)
            for name, summary in zip(heard, found, strict=True)
        }
        self.slots = outputs(network.description)

    @property
    def is_compact(self) -> bool:
        """Whether the network is told facts."""
        return self._network.description.encoder == "compact"

    @property
    def advises(self) -> bool:
        """Whether it departs from the rules."""
        return self._network.description.base == "rules"

    def positions(self, names: Collection[str]) -> Tensor:
        """What it says ``(tracks, outputs)`` of these tracks when it hears them alone, −1…1."""
        return combine_opinions(
            self._network.give_opinions([self.summaries[name] for name in names])
        )

    def values(self, names: Collection[str]) -> dict[str, list[float]]:
        """The same as values of the slots."""
        rows = self.positions(names).tolist()
        return {
            name: [slot.value(place) for slot, place in zip(self.slots, row, strict=True)]
            for name, row in zip(names, rows, strict=True)
        }

    def advice(self, names: Collection[str]) -> dict[str, Advice]:
        """What it advises the rules when it hears these tracks alone."""
        if len(names) < 2:
            return {}
        said = self.values(names)
        mean_lu = sum(row[0] for row in said.values()) / len(said)
        return {
            name: Advice(
                level_lu=row[0] - mean_lu,
                width=row[1],
                processing=min(row[2], MOST_PROCESSING) if len(row) > 2 else 1.0,
                source="by the network",
            )
            for name, row in said.items()
        }

    def moves(self) -> dict[str, tuple[Move, ...]]:
        """How what it says of the others changes without each track."""
        names = list(self._heard)
        whole = self._plain(names)
        return {
            name: find_moves(whole, self._plain([other for other in names if other != name]))
            for name in names
        }

    def _plain(self, names: Collection[str]) -> dict[tuple[str, str], float]:
        if not names:
            return {}
        said = self.values(names)
        return {
            (name, slot.name.removesuffix("_db")): value
            for name, row in said.items()
            for slot, value in zip(self.slots, row, strict=True)
            if slot.name in ("fader_db", "pan")
        }

    def hearing(self, track: str | None = None) -> Hearing:
        """What it hears of every track, and where it looks for one of them.

        Args:
            track: Which; else the one whose first output is furthest from the others'.
        """
        names = list(self._heard)
        parts = self._parts(names) if self.is_compact else {}
        values = self.values(names)
        mean = sum(row[0] for row in values.values()) / len(values)
        tracks = {}
        for name in names:
            facts = self.summaries[name][-len(FACTS) :].tolist() if self.is_compact else []
            row = [values[name][0] - mean * self.advises, *values[name][1:]]
            tracks[name] = HeardByNetwork(
                facts=tuple(zip(_FACT_NAMES.values(), facts, strict=False)),
                said=tuple(
                    Said(
                        output=slot.name.removesuffix("_lu"),
                        value=value,
                        unit="×" if slot.name in ("width", "processing") else slot.range.unit,
                        parts=parts.get((name, slot.name), ()),
                    )
                    for slot, value in zip(self.slots, row, strict=True)
                    if not slot.choice
                ),
            )
        chosen = max(names, key=lambda name: (abs(values[name][0] - mean), name))
        wanted = track if track is not None and track in self._heard else chosen
        return Hearing(tracks=tracks, saliency=self.saliency(wanted))

    def _targets(self, positions: Tensor) -> Tensor:
        """Of positions ``(..., tracks, outputs)``: LU relative to the mean, and dB of factors."""
        columns = []
        for index, slot in enumerate(self.slots):
            value = value_at(positions[..., index], slot)
            if slot.range.scale == "log":
                value = 20.0 * torch.log10(value)
            elif _is_advised_level(slot):
                value = value - value.mean(-1, keepdim=True)
            columns.append(value)
        return torch.stack(columns, -1)

    def _parts(self, names: list[str]) -> dict[tuple[str, str], tuple[tuple[str, float], ...]]:
        """What facts, spectrum and others contribute to each output of each track."""
        whole = torch.stack([self.summaries[name] for name in names])
        encoders = [member.encoder for member in self._network.controllers]
        centers = [encoder.center for encoder in encoders if isinstance(encoder, CompactEncoder)]
        base = torch.stack(centers).mean(0)
        steps = (torch.arange(_STEPS, device=self._device, dtype=torch.float64) + 0.5) / _STEPS
        way = (base + steps[:, None, None] * (whole - base)).requires_grad_()
        mask = torch.ones(way.shape[:2], dtype=torch.float64, device=self._device)
        targets = self._targets(combine_opinions(self._network(way, mask)))
        with torch.no_grad():
            start = self._targets(
                combine_opinions(self._network(base.expand(1, len(names), -1), mask[:1]))
            )[0]
        found = {}
        for row, name in enumerate(names):
            for column, slot in enumerate(self.slots):
                target = targets[:, row, column].sum()
                (gradient,) = torch.autograd.grad(target, way, retain_graph=True)
                shares = gradient.mean(0) * (whole - base)
                own = shares[row]
                others = shares.sum() - own.sum()
                parts = dict(zip(_FACT_NAMES.values(), own[-len(FACTS) :].tolist(), strict=True))
                parts[SPECTRUM] = float(own[: -len(FACTS)].sum())
                parts[OTHERS] = float(others)
                parts[ALWAYS] = float(start[row, column])
                found[name, slot.name] = tuple(parts.items())
        return found

    def saliency(self, track: str) -> Saliency:
        """Where it looks for the first output of a track; one track in memory at a time."""
        names = list(self._heard)
        leaves = [self.summaries[name].clone().requires_grad_() for name in names]
        opinions = torch.stack(
            [member.predict_song(leaves) for member in self._network.controllers]
        )
        target = self._targets(combine_opinions(opinions))[names.index(track), 0]
        gradients = torch.autograd.grad(target, leaves)
        own, mel, others = np.empty((0, 64), np.float32), np.empty((0, 64), np.float32), None
        for name, gradient in zip(names, gradients, strict=True):
            patches = self.patches(name).requires_grad_()
            given = encode_patches(patches, self.summaries[name][-len(FACTS) :], self.is_compact)
            (slopes,) = torch.autograd.grad(given, patches, gradient)
            places = self.places(name, len(patches))
            spread = self._on_time(slopes.abs(), places)
            if name == track:
                own, mel = spread, self._on_time(patches.detach(), places)
            elif others is None:
                others = spread
            else:
                others = np.where(np.isnan(others), spread, others + np.nan_to_num(spread)).astype(
                    np.float32
                )
        others = np.full_like(own, np.nan) if others is None else others
        mine, theirs = float(np.nansum(own)), float(np.nansum(others))
        return Saliency(
            track=track,
            output=self.slots[0].name,
            mel=mel,
            own=own,
            others=others,
            own_share=mine / (mine + theirs) if mine + theirs > 0.0 else 0.0,
            frequencies_hz=tuple(mel_frequencies_hz().tolist()),
        )

    def patches(self, name: str) -> Tensor:
        """Log-mel patches ``(patches, 96, 64)`` of a track, as the encoder is given them."""
        track = self._heard[name]
        gain = db_to_gain(LISTENING_LUFS - track.lufs)
        found = log_mel_patches(self._session.track(name).source, gain, track.active)
        return found.to(self._device, torch.float64)

    def places(self, name: str, count: int) -> list[int]:
        """Which patches of the track's time those are: the active ones."""
        active = self._heard[name].active
        edges = [round(n * HOP_SAMPLES / RATE_HZ * 10.0) for n in range(self._patches() + 1)]
        shares = [
            float(span.mean()) if (span := active[first:last]).size else 0.0
            for first, last in zip(edges, edges[1:], strict=False)
        ]
        found = [place for place, share in enumerate(shares) if share >= 0.5]
        return found[:count] if len(found) >= count else [int(np.argmax(shares))][:count]

    def _patches(self) -> int:
        return max(1, int(self._session.frames / self._session.sample_rate * RATE_HZ / HOP_SAMPLES))

    def _on_time(self, patches: Tensor, places: list[int]) -> Map:
        whole = np.full((self._patches(), _COLUMNS, patches.shape[-1]), np.nan, np.float32)
        for place, patch in zip(places, patches.detach().cpu().numpy(), strict=False):
            whole[place] = patch
        return whole.reshape(-1, patches.shape[-1])


def encode_patches(patches: Tensor, facts: Tensor, compact: bool) -> Tensor:
    """What an encoder is given of patches, with gradients; see `encoders.summary`."""
    if not compact:
        return patches
    spread = patches.flatten(0, 1).std(0, unbiased=False)
    flux = patches.diff(dim=1).clamp_min(0.0).mean((0, 1))
    return torch.cat([patches.mean((0, 1)), spread, flux, facts])


def _is_advised_level(slot: Slot) -> bool:
    return slot.name == "level_lu"


def mel_frequencies_hz() -> NDArray[np.float64]:
    """Centers of the 64 mel bands."""
    bank = mel_bank()
    bins = torch.linspace(0.0, RATE_HZ / 2, len(bank))
    centers = (bank * bins[:, None]).sum(0) / bank.sum(0).clamp_min(1e-12)
    return np.asarray(centers.numpy(), np.float64)
