"""Audio of any length through a neural effect, piece by piece in bounded memory."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch

from automix.audio.samples import Samples
from automix.networks.effects import EffectNetwork
from automix.networks.soundness import require_sound

PIECE_SAMPLES = 2**16
"""Output of one pass: a multiple of the Wave-U-Net's strides, so that pieces meet."""


def render_effect(
    network: EffectNetwork,
    blocks: Iterable[Samples],
    conditioning: Sequence[float],
    *,
    half: bool = False,
) -> Iterator[Samples]:
    """Passes audio of any length through an effect, with silence before and after it.

    All passes have the same length and lie on one grid, each with the context that the network
    needs around it: convolutions round differently at other lengths. So how the audio is cut into
    blocks changes no bit, and from one pass over the whole it differs by rounding alone.

    Args:
        network: Trained, see `automix.networks.effects.read_effect`.
        blocks: Consecutive blocks ``(channels, n)`` of any length at 44.1 kHz; each channel is
            processed by itself.
        conditioning: Settings of the effect in −1…1.
        half: Whether to compute in bfloat16, where that is faster; it adds noise 20 to 50 dB below
            the signal.

    Yields:
        Consecutive blocks ``(channels, n)``; in all as long as the input.

    Raises:
        DeviceError: The network gives no audio, see `automix.networks.soundness`.
    """
    device = next(network.parameters()).device
    settings = torch.tensor([list(conditioning)], dtype=torch.float32, device=device)
    whole = network.before + PIECE_SAMPLES + network.after
    waiting: list[Samples] = []
    length = given = made = 0

    def process(piece: Samples) -> Samples:
        signal = torch.from_numpy(piece[:, np.newaxis]).to(device)
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=half):
            found = network(signal, settings)
        return require_sound(
            np.ascontiguousarray(found[:, 0].float().cpu().numpy()), piece, network
        )

    for block in blocks:
        if not waiting:
            waiting, length = [np.zeros((len(block), network.before), np.float32)], network.before
        waiting.append(block)
        length += block.shape[1]
        given += block.shape[1]
        if length < whole:
            continue
        buffer = np.concatenate(waiting, axis=1)
        while buffer.shape[1] >= whole:
            yield process(np.ascontiguousarray(buffer[:, :whole]))
            made += PIECE_SAMPLES
            buffer = buffer[:, PIECE_SAMPLES:]
        waiting, length = [buffer], buffer.shape[1]
    while made < given:
        buffer = np.concatenate(waiting, axis=1)[:, :whole]
        missing = whole - buffer.shape[1]
        piece = process(np.pad(buffer, ((0, 0), (0, missing))))[:, : given - made]
        yield piece
        made += piece.shape[1]
        waiting = [np.concatenate(waiting, axis=1)[:, PIECE_SAMPLES:]]
