"""The neural console: networks in place of the strip's equalizer, compressor and reverb.

As the thesis rendered its mixes (Steinmetz 2020, figure 8). Gain, polarity, fader, pan, buses and
the master stay those of the exact console.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from automix.audio import AudioSource, Samples
from automix.checkpoints import weights_path
from automix.conditioning import vector, vector_with_order
from automix.consoles.exact import ExactConsole, inserts_of
from automix.errors import UsageError
from automix.files import collected, padded, resampled
from automix.files.blocks import Padded, reblocked
from automix.nn.device import chosen_device
from automix.nn.effect_description import RATE_HZ
from automix.nn.effect_rendering import rendered
from automix.nn.effects import EffectNetwork, read_effect
from automix.plan import ChannelStrip, PanLaw
from automix.session import Session
from automix.streams import Stream
from automix.units import db_to_gain, seconds_to_samples

SHIPPED = "tcn-20-channel"


def through_effect(
    source: AudioSource,
    network: EffectNetwork,
    conditioning: Sequence[float],
    *,
    half: bool = False,
) -> AudioSource:
    """Audio through a neural effect, computed while it is read, in bounded memory.

    Args:
        source: Mono or stereo at any rate; the effect works at 44.1 kHz, and each side by itself.
        network: Trained.
        conditioning: Its settings, −1…1.
        half: See `automix.nn.effect_rendering.rendered`.

    Returns:
        At the source's rate. Where a space reverberates, longer by what the network hears of the
        past: it knows no more of the tail.
    """
    names = [slot.name for slot in network.description.slots]
    wet = "space.wet" in names and conditioning[names.index("space.wet")] > -1.0
    tail_s = network.before / RATE_HZ if wet else 0.0
    frames = source.frames + seconds_to_samples(tail_s, source.sample_rate)
    at_rate = resampled(padded(source, frames), RATE_HZ)

    def blocks() -> Iterator[Samples]:
        return reblocked(rendered(network, at_rate.blocks(), conditioning, half=half))

    made = Stream(
        sample_rate=RATE_HZ, channels=source.channels, frames=at_rate.frames, make_blocks=blocks
    )
    return Padded(resampled(made, source.sample_rate), frames)  # or a frame less


class NeuralConsole(ExactConsole):
    """Renders plans with a neural effect of the whole strip in every channel.

    A strip whose equalizer, compressor and space do nothing stays as it is. The space of a mono
    track is mono.

    Args:
        session: The tracks.
        network: Of the effect ``channel``.
        half: See `automix.nn.effect_rendering.rendered`.

    Raises:
        UsageError: The network imitates something else.
    """

    def __init__(self, session: Session, network: EffectNetwork, *, half: bool = False) -> None:
        super().__init__(session)
        effect = network.description.effect
        if effect != "channel":
            raise UsageError(f"the network imitates the {effect}; a console needs the channel")
        self._network, self._half = network, half

    def inserted(self, strip: ChannelStrip, pan_law: PanLaw) -> AudioSource:
        """A track after its strip's inserts, before fader and pan.

        Raises:
            UsageError: The network has no such processor, band or order; see
                `automix.conditioning.vector`.
        """
        source = self.source(strip)
        inserts = inserts_of(strip)
        gains = ChannelStrip(
            name=strip.name,
            fold=strip.fold,
            input_gain_db=strip.input_gain_db,
            invert_polarity=strip.invert_polarity,
        )
        if inserts == replace(gains, order=inserts.order):
            return super().inserted(gains, pan_law)
        kept = self._kept.get(strip.name)
        if kept is not None and kept[:2] == (inserts, pan_law):
            return kept[2]
        in_any_order = self._network.description.order == "variable"
        conditioning = (vector_with_order if in_any_order else vector)(inserts)
        gain = db_to_gain(strip.input_gain_db) * (-1.0 if strip.invert_polarity else 1.0)
        audio = through_effect(
            _amplified(source, gain), self._network, conditioning, half=self._half
        )
        if self.in_memory:
            audio = collected(audio)
            self._kept[strip.name] = (inserts, pan_law, audio)
        return audio


def open_console(name: str, device: str) -> Callable[[Session], NeuralConsole]:
    """How to make the neural console of some weights.

    Args:
        name: ``neural``, which is `SHIPPED`, other weights that ship, or a file.
        device: See `automix.nn.device.chosen_device`.

    Raises:
        DeviceError: The weights or the device cannot be used.
    """
    path = weights_path(SHIPPED if name == "neural" else name)
    network = read_effect(path, chosen_device(device))
    return lambda session: NeuralConsole(session, network)


def _amplified(source: AudioSource, gain: float) -> AudioSource:
    if gain == 1.0:
        return source
    return Stream(
        sample_rate=source.sample_rate,
        channels=source.channels,
        frames=source.frames,
        make_blocks=lambda: ((block * gain).astype("float32") for block in source.blocks()),
    )
