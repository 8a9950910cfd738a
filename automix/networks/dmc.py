"""The differentiable mixing console's controller (Steinmetz et al. 2021; Steinmetz 2020, ch. 3).

An encoder turns each track into an embedding; the mean of all embeddings is the context; a
post-processor turns embedding and context into the settings of that track. All tracks share all
weights and meet only in a mean that does not depend on their order, so any number of tracks in any
order will do.

Where the base is ``rules``, the outputs say how far to depart from the plan of the rules. Several
controllers, each trained on another weighting of the songs, then give their opinions, which count
as far as they agree: on material unlike their songs they disagree, and the rules stand.
"""

import math

import torch
from torch import Tensor, nn

from automix.errors import UsageError
from automix.networks.dmc_description import PUBLISHED, DmcDescription, outputs
from automix.networks.encoders import CompactEncoder, VggishEncoder
from automix.networks.soundness import require_finite
from automix.networks.vggish import EMBEDDING_SIZE
from automix.plan.vector import Slot


class PostProcessor(nn.Sequential):
    """Three layers with PReLU and dropout, and tanh at the end.

    Shape:
        ``(..., 2 * embedding)`` to ``(..., outputs)`` in −1…1.
    """

    def __init__(self, description: DmcDescription) -> None:
        layers: list[nn.Module] = []
        wide = 2 * description.embedding
        for _ in range(3):
            layers += [
                nn.Linear(wide, description.width),
                nn.PReLU(),
                nn.Dropout(description.dropout),
            ]
            wide = description.width
        last = nn.Linear(wide, len(outputs(description)))
        if description.base == "rules":
            nn.init.normal_(last.weight, std=1e-3)  # begin at the rules
            nn.init.zeros_(last.bias)
        super().__init__(*layers, last, nn.Tanh())


class Controller(nn.Module):
    """One encoder and one post-processor.

    Shape:
        Summaries of tracks ``(batch, tracks, ...)`` as the encoder wants them, and a mask ``(batch,
        tracks)`` of the tracks that are there, to ``(batch, tracks, outputs)`` in −1…1.
    """

    def __init__(self, description: DmcDescription) -> None:
        super().__init__()
        if description.encoder == "vggish" and description.embedding != EMBEDDING_SIZE:
            raise UsageError(f"embeddings of VGGish have {EMBEDDING_SIZE} values")
        self.encoder: CompactEncoder | VggishEncoder = (
            VggishEncoder()
            if description.encoder == "vggish"
            else CompactEncoder(description.embedding, description.spectrum, description.dropout)
        )
        self.post_processor = PostProcessor(description)

    def forward(self, summaries: Tensor, mask: Tensor) -> Tensor:
        """Computes the output in the shape that the class tells."""
        embeddings = self.encoder(summaries) * mask[..., None]
        context = embeddings.sum(1, keepdim=True) / mask.sum(1)[:, None, None].clamp_min(1)
        both = torch.cat([embeddings, context.expand_as(embeddings)], -1)
        positions: Tensor = self.post_processor(both)
        return positions

    def predict_song(self, summaries: list[Tensor]) -> Tensor:
        """Outputs ``(tracks, outputs)`` in −1…1 for the tracks of one song.

        The order of the tracks changes nothing, to the last bit: each is computed alone, and the
        context is a sum of sorted values.
        """
        embeddings = torch.stack([self.encoder(summary[None])[0] for summary in summaries])
        context = embeddings.double().sort(0).values.mean(0).to(embeddings.dtype)
        rows = (torch.cat([embedding, context])[None] for embedding in embeddings)
        return torch.cat([self.post_processor(row) for row in rows])


class Dmc(nn.Module):
    """Controllers that give their opinions; see `Controller` and `combine_opinions`.

    Shape:
        As `Controller`, to ``(members, batch, tracks, outputs)``.
    """

    def __init__(self, description: DmcDescription) -> None:
        super().__init__()
        self.description = description
        self.members = nn.ModuleList(Controller(description) for _ in range(description.members))

    def forward(self, summaries: Tensor, mask: Tensor) -> Tensor:
        """Computes the output in the shape that the class tells."""
        return torch.stack([member(summaries, mask) for member in self.members])

    @torch.inference_mode()
    def give_opinions(self, summaries: list[Tensor]) -> Tensor:
        """Outputs of each member for the tracks of one song ``(members, tracks, outputs)``.

        Raises:
            DeviceError: They are no numbers.
        """
        opinions = [member.predict_song(summaries) for member in self.controllers]
        return require_finite(torch.stack(opinions), self)

    @property
    def controllers(self) -> list[Controller]:
        """The members, with their type."""
        return [member for member in self.members if isinstance(member, Controller)]


def combine_opinions(opinions: Tensor) -> Tensor:
    """Combines opinions ``(members, ...)`` into one: their mean, reduced where they differ.

    Each value is multiplied by m² / (m² + v), with its mean m and variance v over the members: the
    gain of the Wiener filter, and of James–Stein shrinkage towards the base. (Deep ensembles as a
    measure of uncertainty: Lakshminarayanan et al. 2017.)
    """
    if len(opinions) == 1:
        return opinions[0]
    mean, variance = opinions.mean(0), opinions.var(0)
    return mean * mean.square() / (mean.square() + variance).clamp_min(1e-12)


def value_at(positions: Tensor, slot: Slot) -> Tensor:
    """The values of a slot at positions −1…1, as `Slot.value` but with gradients."""
    low, high = slot.range.low, slot.range.high
    unit = (positions + 1.0) / 2.0
    if slot.range.scale == "log":
        return low * torch.exp(unit * math.log(high / low))
    return low + unit * (high - low)


def compact_basic() -> Dmc:
    """The network of the weights dmc-basic."""
    return Dmc(DmcDescription())


def compact_full() -> Dmc:
    """The network of the weights dmc-full."""
    return Dmc(DmcDescription(mode="full"))


def published_controller() -> Dmc:
    """The basic controller of the paper."""
    return Dmc(PUBLISHED)
