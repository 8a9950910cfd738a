"""Batches for the Mix-Wave-U-Net: the controller's examples with their tracks in eight places."""

from collections.abc import Sequence

import torch
from torch import Tensor

from automix.audio.blocks import collect, fold_to_mono
from automix.errors import InputError
from automix.networks.mix_wave_u_net import MOST_TRACKS
from automix.training.controller.examples import MixExample


def stack_examples(examples: Sequence[MixExample]) -> tuple[Tensor, Tensor]:
    """Puts examples side by side, all cut to the length of the shortest.

    Returns:
        Tracks ``(batch, 8, samples)``, folded to mono, the missing ones being zeros; and human
        mixes ``(batch, 2, samples)``.

    Raises:
        InputError: An example has more than eight tracks.
    """
    mixes = [torch.from_numpy(e.human) for e in examples if e.human is not None]
    length = min(mix.shape[1] for mix in mixes)
    tracks = torch.zeros(len(mixes), MOST_TRACKS, length)
    for row, example in zip(tracks, examples, strict=True):
        given = example.session.tracks if example.session is not None else ()
        if len(given) > MOST_TRACKS:
            raise InputError(
                f"a song to learn from has {len(given)} tracks, and the Mix-Wave-U-Net takes"
                f" {MOST_TRACKS}; leave it out, or sum some of its tracks"
            )
        for place, track in zip(row, given, strict=False):
            place.copy_(
                torch.from_numpy(collect(fold_to_mono(track.source)).samples[0, :length].copy())
            )
    return tracks, torch.stack([mix[:, :length] for mix in mixes])
