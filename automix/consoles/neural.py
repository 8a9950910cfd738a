"""The neural console: networks in place of the strip's equalizer, compressor and reverb.

As the thesis rendered its mixes (Steinmetz 2020, figure 8). Gain, polarity, fader, pan, buses and
the master stay those of the exact console.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from automix.audio.blocks import Padded, collect, pad, reblock
from automix.audio.resampling import resample
from automix.audio.samples import AudioSource, Samples
from automix.audio.streams import Stream
from automix.consoles.exact import ExactConsole, insert_stream, inserts_of
from automix.dsp.processors import StripPlace, active_at, places_in_order, processors_of
from automix.errors import UsageError
from automix.networks.checkpoints import weights_path
from automix.networks.device import choose_device
from automix.networks.effect_description import RATE_HZ
from automix.networks.effect_rendering import render_effect
from automix.networks.effects import EffectNetwork, read_effect
from automix.plan.model import PanLaw
from automix.plan.settings import ChannelStrip
from automix.plan.vector import vector, vector_with_order
from automix.session.tracks import Session
from automix.units import seconds_to_samples

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
        half: See `automix.networks.effect_rendering.render_effect`.

    Returns:
        At the source's rate. Where a space reverberates, longer by what the network hears of the
        past: it knows no more of the tail.
    """
    names = [slot.name for slot in network.description.slots]
    wet = "space.wet" in names and conditioning[names.index("space.wet")] > -1.0
    tail_s = network.before / RATE_HZ if wet else 0.0
    frames = source.frames + seconds_to_samples(tail_s, source.sample_rate)
    at_rate = resample(pad(source, frames), RATE_HZ)

    def blocks() -> Iterator[Samples]:
        return reblock(render_effect(network, at_rate.blocks(), conditioning, half=half))

    made = Stream(
        sample_rate=RATE_HZ, channels=source.channels, frames=at_rate.frames, make_blocks=blocks
    )
    return Padded(resample(made, source.sample_rate), frames)  # or a frame less


class NeuralConsole(ExactConsole):
    """Renders plans with a neural effect of the whole strip in every channel.

    A strip whose equalizer, compressor and space do nothing stays as it is. The space of a mono
    track is mono. The exact processors do what the network has no settings for where they can, with
    a warning: what comes before and after the three groups, the first group (such as the equalizer
    with the de-esser), and the reverb with the space where they come last.

    Args:
        session: The tracks.
        network: A network that imitates the effect ``channel``.
        half: See `automix.networks.effect_rendering.render_effect`.

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
            UsageError: The network has no such processor, band or order, and the exact console
                cannot do it before or after it; see `automix.plan.vector.vector`.
        """
        inserts = inserts_of(strip)
        kept = self._kept.get(strip.name)
        if kept is not None and kept[:2] == (inserts, pan_law):
            return kept[2]
        first, imitated, last = self._share_out(inserts)
        if imitated == ChannelStrip(name=strip.name, order=strip.order):
            return super().inserted(strip, pan_law)
        in_any_order = self._network.description.order == "variable"
        conditioning = (vector_with_order if in_any_order else vector)(imitated)
        given = insert_stream(self.source(strip), first, pan_law)
        audio = through_effect(given, self._network, conditioning, half=self._half)
        if last is not None:
            audio = insert_stream(audio, last, pan_law)
        if self.in_memory:
            audio = collect(audio)
            self._kept[strip.name] = (inserts, pan_law, audio)
        return audio

    def _share_out(
        self, inserts: ChannelStrip
    ) -> tuple[ChannelStrip, ChannelStrip, ChannelStrip | None]:
        """What comes before the network, what it imitates, and what comes after it, if anything."""
        first = ChannelStrip(
            name=inserts.name,
            input_gain_db=inserts.input_gain_db,
            invert_polarity=inserts.invert_polarity,
            delay_ms=inserts.delay_ms,
        )
        imitated = replace(
            inserts,
            fold=False,
            input_gain_db=0.0,
            invert_polarity=False,
            delay_ms=0.0,
            rides=(),
        )
        before, *groups, after = places_in_order(inserts.order)
        early = [before]
        if groups[0] != "r" and not _is_imitable(inserts, groups[0]):
            early.append(groups[0])
        late = [after]
        if groups[-1] == "r" and not _is_imitable(inserts, "r"):
            late.append("r")
        first = replace(first, **_at_places(inserts, early))
        imitated = replace(imitated, **_at_places(ChannelStrip(), early + late))
        last = ChannelStrip(name=inserts.name, **_at_places(inserts, late))
        self._warn(inserts, early)
        self._warn(inserts, late)
        if last == ChannelStrip(name=inserts.name):
            return first, imitated, None
        return first, imitated, replace(last, rides=inserts.rides)

    def _warn(self, inserts: ChannelStrip, places: list[StripPlace]) -> None:
        titles = [row.title for row in active_at(inserts, *places)]
        if not titles:
            return
        what = f"{' and '.join(titles)} {'is' if len(titles) == 1 else 'are'}"
        warning = f"{inserts.name}: {what} exact, not neural: the network has no settings for that"
        if warning not in self.warnings:  # every pass asks for the inserts again
            self.warnings.append(warning)


def _at_places(strip: ChannelStrip, places: list[StripPlace]) -> dict[str, Any]:
    """The settings of the processors at some places, by field."""
    rows = processors_of(ChannelStrip)
    return {row.name: row.of(strip) for row in rows if row.strip in places}


def _is_imitable(inserts: ChannelStrip, place: StripPlace) -> bool:
    """Whether the conditioning vector has room for the processors at one place."""
    try:
        vector(replace(ChannelStrip(), **_at_places(inserts, [place])))
    except UsageError:
        return False
    return True


def open_console(name: str, device: str) -> Callable[[Session], NeuralConsole]:
    """Reads weights and returns a function that makes their console for a session.

    Args:
        name: ``neural``, which is `SHIPPED`, other weights that ship, or a file.
        device: See `automix.networks.device.choose_device`.

    Raises:
        DeviceError: The weights or the device cannot be used.
    """
    network = read_effect(console_weights(name), choose_device(device))
    return lambda session: NeuralConsole(session, network)


def console_weights(name: str) -> Path:
    """The file of weights that `open_console` takes.

    Raises:
        DeviceError: There is none.
    """
    return weights_path(SHIPPED if name == "neural" else name)
