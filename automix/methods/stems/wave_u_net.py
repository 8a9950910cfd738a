"""The Mix-Wave-U-Net as a method: it makes the mix itself, so there are no settings to write."""

from pathlib import Path

import numpy as np

from automix.audio.blocks import collect, fold_to_mono
from automix.audio.resampling import resample
from automix.audio.samples import Audio
from automix.errors import InputError, UsageError
from automix.methods.stems.settings import WaveUNetOptions
from automix.networks.checkpoints import read_network
from automix.networks.device import choose_device
from automix.networks.mix_wave_u_net import MOST_TRACKS, RATE_HZ, MixWaveUNet, mix_in_pieces
from automix.networks.mix_wave_u_net_description import MixWaveUNetDescription
from automix.session.tracks import Session, Track

TRACK = "mix"
"""Name of the only track of what `mix_with_network` gives."""


def mix_with_network(session: Session, options: WaveUNetOptions) -> Session:
    """A session of one stereo track, the mix of the network.

    Args:
        session: Eight tracks or fewer; stereo tracks are folded to mono.
        options: Weights of the network, and the device that it works on.

    Raises:
        DeviceError: The weights or the device cannot be used.
        InputError: There are more tracks.
        UsageError: No weights are given.
    """
    if len(session.tracks) > MOST_TRACKS:
        raise InputError(
            f"the Mix-Wave-U-Net takes {MOST_TRACKS} tracks and the song has"
            f" {len(session.tracks)}; sum some of them first, or use another method"
        )
    if not options.weights:
        raise UsageError("--method wave-u-net needs --weights FILE, as automix train writes it")
    weights = Path(options.weights)
    network = read_network(weights, "mix-wave-u-net", MixWaveUNetDescription, MixWaveUNet)
    tracks = [collect(resample(fold_to_mono(t.source), RATE_HZ)).samples[0] for t in session.tracks]
    stack = np.zeros((MOST_TRACKS, len(tracks[0])), np.float32)
    stack[: len(tracks)] = tracks
    made = mix_in_pieces(network.eval().to(choose_device(options.device)), stack)
    mix = collect(resample(Audio(made, RATE_HZ), session.sample_rate)).samples
    whole = np.zeros((2, session.frames), np.float32)
    whole[:, : mix.shape[1]] = mix[:, : session.frames]
    track = Track(name=TRACK, role="other", source=Audio(whole, session.sample_rate))
    return Session(tracks=(track,), notes=session.notes)
