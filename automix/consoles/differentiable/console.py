"""The differentiable console: audio and tensors of settings in, a stereo mix with gradients out."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from automix.consoles.differentiable.convolution import convolve_and_mix
from automix.consoles.differentiable.layout import BusLayout, ConsoleLayout, RideTimes, TrackLayout
from automix.consoles.differentiable.pan import balance_gains, pan_gains
from automix.consoles.differentiable.processors import delay_samples, equalize, gain_of, repeat
from automix.consoles.differentiable.responses import network_response, space_responses
from automix.consoles.differentiable.rides import interpolate
from automix.consoles.differentiable.time_shift import shift
from automix.consoles.differentiable.values import ConsolePart, Values, split_values
from automix.dsp.processors import (
    DELAY,
    EQUALIZER,
    REVERB,
    SPACE,
    Part,
    Place,
    Processor,
    Twin,
    load,
    places_in_order,
    processors_of,
)
from automix.plan.settings import BandKind, Bus, ChannelStrip, Master
from automix.units import ms_to_samples


@dataclass(frozen=True)
class _Alike:
    """What the strips that are processed together have in common.

    Attributes:
        mono: Whether the tracks are mono.
        order: The order of the three groups.
        reverb: The feedback delay network, if it is used.
        delay: The delay, if it is used.
        switched_on: Names of the processors with a switch that are used.
        ridden: The number of the one track where it has rides; none where there are none.
    """

    mono: bool
    order: str
    reverb: object
    delay: object
    switched_on: frozenset[str]
    ridden: int | None


class DifferentiableConsole:
    """Mixes batches of tracks; renders the same as `automix.consoles.exact` within rounding.

    Recursions run exactly, sample by sample, in compiled loops (see `recursion`); reverbs by one
    Fourier transform over the whole length. All of it is differentiable once.

    Two things are left to the exact console: the limiter of the master, and the reverberation that
    goes on after the audio. To hear that, append zeros to the audio.

    Args:
        sample_rate: Frames per second.
        layout: The part of the mix that has no gradient; see `ConsoleLayout`.
    """

    def __init__(self, sample_rate: int, layout: ConsoleLayout | None = None) -> None:
        self.sample_rate = sample_rate
        self.layout = layout or ConsoleLayout()

    def mix(self, audio: Tensor, values: Values) -> Tensor:
        """Mixes.

        Args:
            audio: ``(batch, tracks, channels, samples)``, mono or stereo, float32; float64 where
                gradients are checked. Its gradient is computed if wanted.
            values: See `values`; on any device and in any precision. What is neutral and wants no
                gradient costs nothing.

        Returns:
            ``(batch, 2, samples)`` in the audio's dtype, on its device.

        Raises:
            ValueError: Audio of another shape than the layout's, or an unknown value.
        """
        layout = self._check_audio(audio)
        of_strips, of_buses, of_master = split_values(values)
        batch, tracks, channels, _ = audio.shape
        strips = ConsolePart(of_strips, (batch, tracks), audio.device)
        sides = sum(2 if bus.parallel else 1 for bus in self.layout.buses)
        outputs = audio.new_zeros(batch, 2 + sides, audio.shape[-1])
        for alike, members in self._group_strips(layout, strips, channels).items():
            signal = audio if len(members) == tracks else audio[:, members]
            if alike.mono:
                signal = signal[:, :, :1]
            kinds = [layout[n] for n in members]
            outputs = outputs + self._mix_strips(signal, strips.of(members), alike, kinds)
        mix, feeds = outputs[:, :2], outputs[:, 2:]
        if self.layout.buses:
            buses = ConsolePart(of_buses, (batch, len(self.layout.buses)), audio.device)
            mix = mix + self._mix_returns(feeds, buses)
        return self._apply_master(mix, ConsolePart(of_master, (batch, 1), audio.device))

    def _check_audio(self, audio: Tensor) -> Sequence[TrackLayout]:
        if audio.ndim != 4 or audio.shape[2] not in (1, 2):
            shape = tuple(audio.shape)
            raise ValueError(
                f"audio must be (batch, tracks, 1 or 2 channels, samples), not {shape}"
            )
        tracks = self.layout.tracks or (TrackLayout(),) * audio.shape[1]
        if len(tracks) != audio.shape[1]:
            raise ValueError(f"the layout has {len(tracks)} tracks, the audio {audio.shape[1]}")
        return tracks

    def _group_strips(
        self, layout: Sequence[TrackLayout], strips: ConsolePart, channels: int
    ) -> dict[_Alike, list[int]]:
        groups: dict[_Alike, list[int]] = {}
        used = {
            row.name: strips.used(f"{row.name}.{row.twin.switch}")
            for row in processors_of(ChannelStrip)
            if isinstance(row.twin, Twin) and row.twin.switch
        }
        for n, track in enumerate(layout):
            mono = channels == 1 if track.mono is None else track.mono
            names = {name for name, of_tracks in used.items() if of_tracks[n]}
            if track.reverb is None:
                names.discard(REVERB.name)
            if track.delay is None:
                names.discard(DELAY.name)
            reverb = track.reverb if REVERB.name in names else None
            delay = track.delay if DELAY.name in names else None
            ridden = n if track.rides else None
            alike = _Alike(mono, track.order, reverb, delay, frozenset(names), ridden)
            groups.setdefault(alike, []).append(n)
        return groups

    def _mix_strips(
        self, signal: Tensor, strips: ConsolePart, alike: _Alike, layout: Sequence[TrackLayout]
    ) -> Tensor:
        """What strips of one kind give ``(batch, outputs, samples)``: left, right, sends."""
        if any(strips.used("input_gain_db")) or any(strips.used("polarity")):
            gain = gain_of(strips.get("input_gain_db")) * strips.get("polarity")
            signal = signal * gain[..., None, None].to(signal.dtype)
        if any(strips.used("delay_ms")):
            signal = shift(signal, strips.get("delay_ms"), self.sample_rate)
        if alike.ridden is not None:
            lines = self._draw_lines(strips, layout[0].rides, signal.shape[-1])
            strips = strips.with_lines(lines)
        routes = self._make_routes(strips, alike.mono)
        wet_part: Tensor | float = 0.0
        chain = _list_processors(alike)
        for row in chain:
            if row.makes_stereo and row not in (REVERB, SPACE):
                signal = signal.expand(-1, -1, 2, -1)
            if row is REVERB:
                signal = self._apply_network(signal, strips, layout[0])
            elif row is SPACE and row is chain[-1] and alike.ridden is None:
                # Nothing but gains follows: the wet parts are added up as spectra.
                wet = strips.get("space.wet")[:, None, :, None]
                wet_part = self._convolve_spaces(signal, strips, routes * wet)
                routes = routes * (1.0 - wet)
            elif row is SPACE:
                signal = self._apply_space(signal, strips)
            elif row is DELAY:
                signal = self._apply_delay(signal, strips, layout[0])
            else:
                signal = self._process(row, signal, strips, [track.bands for track in layout])
        if alike.ridden is not None:
            return self._route_ridden(signal, strips, alike.mono)
        if signal.shape[2] == 1:
            routes = routes.sum(-1, keepdim=True)
        dry = torch.matmul(routes.flatten(2).to(signal.dtype), signal.flatten(1, 2))
        return dry + wet_part

    def _process(
        self,
        row: Processor,
        signal: Tensor,
        settings: ConsolePart,
        bands: Sequence[Sequence[BandKind]],
    ) -> Tensor:
        """A signal through one processor that leaves its length alone."""
        if row is EQUALIZER:
            return equalize(signal, settings, bands, self.sample_rate)
        if not isinstance(row.twin, Twin):  # `from_plan` refuses those that are on
            return signal
        processed: Tensor = load(row.twin.function)(signal, settings, self.sample_rate)
        return processed

    def _process_all(
        self,
        rows: Sequence[Processor],
        signal: Tensor,
        settings: ConsolePart,
        bands: Sequence[Sequence[BandKind]],
    ) -> Tensor:
        """Buses or the master through those of some processors that are on in any of them."""
        for row in rows:
            switch = row.twin.switch if isinstance(row.twin, Twin) else None
            if switch is None or any(settings.used(f"{row.name}.{switch}")):
                signal = self._process(row, signal, settings, bands)
        return signal

    def _make_routes(self, strips: ConsolePart, mono: bool) -> Tensor:
        """Gains ``(batch, outputs, tracks, sides)`` of fader, pan and sends."""
        gains_of = pan_gains if mono else balance_gains
        sides = gains_of(strips.get("pan"), self.layout.pan_law)
        sides = sides * gain_of(strips.get("fader_db"))[..., None]
        straight = torch.diag_embed(sides).movedim(-1, 1)
        if not self.layout.buses:
            return straight
        sends = gain_of(strips.get("sends_db", len(self.layout.buses))).movedim(-1, 1)
        sent = sends[..., None] * sides[:, None]
        routes = [straight]
        for n, bus in enumerate(self.layout.buses):
            both = torch.diag_embed(sent[:, n]).movedim(-1, 1)
            routes.append(both if bus.parallel else 0.5 * sent[:, n : n + 1])
        return torch.cat(routes, 1)

    def _draw_lines(self, part: ConsolePart, rides: RideTimes, frames: int) -> dict[str, Tensor]:
        """The lines ``(batch, parts, frames)`` of rides, by setting."""
        return {
            setting: interpolate(
                part.get_points(setting, len(times_s)), times_s, frames, self.sample_rate
            )
            for setting, times_s in rides
        }

    def _route_ridden(self, signal: Tensor, strip: ConsolePart, mono: bool) -> Tensor:
        """Fader, pan and sends of one strip ``(batch, 1, sides, samples)`` that move."""
        lines = strip.lines
        gains_of = pan_gains if mono else balance_gains
        pan = lines["pan"] if "pan" in lines else strip.get("pan")[..., None]
        level_db = strip.get("fader_db")[..., None] + lines.get("fader_db", 0.0)
        sides = gains_of(pan, self.layout.pan_law) * gain_of(level_db)[..., None]
        placed = signal[:, 0] * sides[:, 0].movedim(-1, 1).to(signal.dtype)
        outputs = [placed]
        sends_db = strip.get("sends_db", max(len(self.layout.buses), 1))
        for n, bus in enumerate(self.layout.buses):
            send_db = sends_db[:, 0, n, None]
            if f"sends.{n}" in lines:
                send_db = send_db + lines[f"sends.{n}"][:, 0]
            sent = placed * gain_of(send_db)[:, None].to(signal.dtype)
            outputs.append(sent if bus.parallel else sent.mean(1, keepdim=True))
        return torch.cat(outputs, 1)

    def _apply_network(self, signal: Tensor, strips: ConsolePart, track: TrackLayout) -> Tensor:
        """The feedback delay network of an insert, on two sides."""
        if track.reverb is None:
            return signal
        signal = signal.expand(-1, -1, 2, -1)
        batch, tracks, _, samples = signal.shape
        response = network_response(track.reverb, self.sample_rate, signal)
        rows = signal.reshape(batch * tracks, 2, samples)
        both = signal.new_tensor([[[1, 0], [1, 0]], [[0, 1], [0, 1]]]).expand(len(rows), 2, 2, 2)
        reverberation = convolve_and_mix(rows, response[None], both).view(batch, tracks, 2, samples)
        return _blend(signal, reverberation, strips.get("reverb.dry_wet"))

    def _apply_delay(self, signal: Tensor, strips: ConsolePart, track: TrackLayout) -> Tensor:
        if track.delay is None:
            return signal
        echoes = repeat(signal, strips, track.delay, self.sample_rate)
        return _blend(signal.expand(-1, -1, 2, -1), echoes, strips.get("delay.wet"))

    def _convolve_spaces(self, signal: Tensor, strips: ConsolePart, gains: Tensor) -> Tensor:
        """The mean of the sides of each track in its space, mixed with ``gains``."""
        feeds = signal.mean(2)
        responses = space_responses(strips, self.sample_rate, feeds.shape[-1], signal.dtype)
        return convolve_and_mix(feeds, responses, gains)

    def _apply_space(self, signal: Tensor, strips: ConsolePart) -> Tensor:
        batch, tracks, _, samples = signal.shape
        responses = space_responses(strips, self.sample_rate, samples, signal.dtype)
        rows = signal.mean(2).reshape(batch * tracks, 1, samples)
        sides = torch.eye(2).to(signal)[None, :, None].expand(len(rows), 2, 1, 2)
        wet = convolve_and_mix(rows, responses.flatten(0, 1).unsqueeze(1), sides)
        wet = wet.view(batch, tracks, 2, samples)
        return _blend(signal.expand(-1, -1, 2, -1), wet, strips.get("space.wet"))

    def _mix_returns(self, feeds: Tensor, buses: ConsolePart) -> Tensor:
        """The sum ``(batch, 2, samples)`` of what the buses return."""
        layout = self.layout.buses
        total = feeds.new_zeros(len(feeds), 2, feeds.shape[-1])
        for parallel in (False, True):
            members = [n for n, bus in enumerate(layout) if bus.parallel == parallel]
            if not members:
                continue
            signal = torch.stack([self._feed_of(feeds, n) for n in members], 1)
            of_members = buses.of(members)
            bands = [layout[n].bands for n in members]
            rows = _find_processors(Bus, "before")
            signal = self._process_all(rows, signal, of_members, bands)
            for place, n in enumerate(members):
                of_bus = of_members.of([place])
                gain = gain_of(of_bus.get("gain_db"))[..., None, None]
                returned = self._return(layout[n], signal[:, [place]], of_bus, gain)
                lines = self._draw_lines(of_bus, layout[n].rides, feeds.shape[-1])
                total = total + _ride(returned, lines)
        return total

    def _feed_of(self, feeds: Tensor, bus: int) -> Tensor:
        """What is sent to a bus ``(batch, 1 or 2 sides, samples)``, after its pre-delay."""
        layout = self.layout.buses
        first = sum(2 if other.parallel else 1 for other in layout[:bus])
        feed = feeds[:, first : first + (2 if layout[bus].parallel else 1)]
        return delay_samples(feed, ms_to_samples(layout[bus].pre_delay_ms, self.sample_rate))

    def _return(
        self, bus: BusLayout, signal: Tensor, settings: ConsolePart, gain: Tensor
    ) -> Tensor:
        """The return ``(batch, 2, samples)`` of a signal ``(batch, 1, sides, samples)``."""
        if bus.parallel:
            return signal[:, 0] * gain[:, 0].to(signal.dtype)
        if bus.delay is not None:
            echoes = repeat(signal, settings, bus.delay, self.sample_rate)
            return echoes[:, 0] * gain[:, 0].to(signal.dtype)
        response = self._bus_response(bus, settings, signal)
        sides = torch.eye(2).to(gain)[None, :, None] * gain
        return convolve_and_mix(signal[:, 0], response, sides)

    def _bus_response(self, bus: BusLayout, settings: ConsolePart, like: Tensor) -> Tensor:
        if bus.reverb is not None:
            return network_response(bus.reverb, self.sample_rate, like, channels=1)[None]
        return space_responses(settings, self.sample_rate, like.shape[-1], like.dtype)

    def _apply_master(self, mix: Tensor, master: ConsolePart) -> Tensor:
        rows = [*_find_processors(Master, "filter"), *_find_processors(Master, "gain")]
        bands = [self.layout.master_bands]
        signal = self._process_all(rows, mix.unsqueeze(1), master, bands)
        gain = gain_of(master.get("gain_db"))[..., None, None]
        mix = (signal * gain.to(signal.dtype)).squeeze(1)
        return _ride(mix, self._draw_lines(master, self.layout.master_rides, mix.shape[-1]))


def _find_processors(part: type[Part], place: Place) -> list[Processor]:
    """The processors at one place that have a twin."""
    return [
        row
        for row in processors_of(part)
        if row.place_in(part) == place and isinstance(row.twin, Twin)
    ]


def _list_processors(alike: _Alike) -> list[Processor]:
    """The processors of alike strips in signal order, without those that are switched off."""
    return [
        row
        for place in places_in_order(alike.order)
        for row in _find_processors(ChannelStrip, place)
        if isinstance(row.twin, Twin) and (row.twin.switch is None or row.name in alike.switched_on)
    ]


def _ride(signal: Tensor, lines: Values) -> Tensor:
    """The signal ``(batch, sides, samples)`` of a bus or the master with its gain's ride."""
    if "gain_db" not in lines:
        return signal
    return signal * gain_of(lines["gain_db"]).to(signal.dtype)


def _blend(dry: Tensor, wet: Tensor, amount: Tensor) -> Tensor:
    amount = amount[..., None, None].to(dry.dtype)
    return (1.0 - amount) * dry + amount * wet
