"""Feature-wise linear modulation: settings steer a network (Perez et al. 2018)."""

from itertools import pairwise

from torch import Tensor, nn

_HIDDEN = 128
_SLOPE = 0.2


class FilmGenerator(nn.Module):
    """Turns settings into the two vectors that all blocks share.

    Three hidden layers of 128 give the published numbers of parameters. Their slope below zero is
    learned and begins at 0.2: with a slope of 0, most units were soon silent for good, and with
    them the influence of the settings.

    Args:
        settings: Number of values of the conditioning vector.
        width: Number of values of each of the two shared vectors.

    Shape:
        Settings ``(batch, settings)`` in −1…1 to γ and β, each ``(batch, width)``.
    """

    def __init__(self, settings: int, width: int) -> None:
        super().__init__()
        widths = (settings, _HIDDEN, _HIDDEN, _HIDDEN)
        hidden = [
            layer
            for inputs, outputs in pairwise(widths)
            for layer in (nn.Linear(inputs, outputs), nn.PReLU(init=_SLOPE))
        ]
        self.layers = nn.Sequential(*hidden, nn.Linear(_HIDDEN, 2 * width))

    def forward(self, conditioning: Tensor) -> tuple[Tensor, Tensor]:
        """Computes the output in the shape that the class tells."""
        gamma, beta = self.layers(conditioning).chunk(2, dim=-1)
        return gamma, beta


class FilmAdaptor(nn.Module):
    """Makes the shared vectors the gains and shifts of one block (Steinmetz 2020, eq. 4.13).

    At first the gains are all alike, whatever the settings.

    Args:
        width: Number of values of each shared vector.
        channels: Number of channels of the block.
        first_gain: Value of all gains at first.

    Shape:
        γ and β, each ``(batch, width)``, to gains and shifts, each ``(batch, channels)``.
    """

    def __init__(self, width: int, channels: int, *, first_gain: float) -> None:
        super().__init__()
        self.gamma = nn.Linear(width, channels)
        self.beta = nn.Linear(width, channels)
        for layer, bias in ((self.gamma, first_gain), (self.beta, 0.0)):
            nn.init.zeros_(layer.weight)
            nn.init.constant_(layer.bias, bias)

    def forward(self, gamma: Tensor, beta: Tensor) -> tuple[Tensor, Tensor]:
        """Computes the output in the shape that the class tells."""
        return self.gamma(gamma), self.beta(beta)
