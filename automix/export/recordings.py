"""What a DAW gets of each track: its audio, and what of its strip is left to the DAW.

A DAWproject has an equalizer, a compressor, sends, volume, pan and mute for a track. The rest of a
strip is printed into the audio: input gain, fold, polarity and delay always; a processor without a
device, such as the de-esser, with those of its group and before it; with a reverb among the
inserts, all of them. Faders in a DAW end sooner than ours: what a fader needs beyond that end is in
the audio too, and the compressor's threshold moves along, so that it does the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from automix.audio.blocks import fit
from automix.audio.samples import AudioSource, Samples
from automix.audio.streams import Stream
from automix.consoles.exact import ExactConsole
from automix.dsp.processors import (
    Processor,
    active_at,
    active_inserts,
    makes_stereo,
    places_in_order,
    processors_of,
)
from automix.dsp.time_shift import latency_frames
from automix.files.info import ReadOptions
from automix.files.probe import probe
from automix.plan.model import Depth, MixPlan
from automix.plan.rides import Ride, find_ride
from automix.plan.settings import Bus, ChannelStrip
from automix.session.tracks import Track
from automix.units import db_to_gain, seconds_to_samples

USUAL_MAX_FADER_DB = 6.0
"""Where the faders of several DAWs end."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PrintedRecording:
    """One track on its way to a DAW.

    Attributes:
        strip: The strip as it is in the plan.
        audio: The audio of its clip.
        start_frame: Where the clip begins in the song.
        bits: The depth that holds the audio without loss.
        devices: The processors that become devices of the DAW, in signal order.
        volume_db: The level of the DAW's fader.
        audio_gain_db: The part of the plan's fader that is in the audio.
        printed: Other things in the audio, for people.
        left_out: Processors that are neither in the audio nor devices, for people.
        highest_db: The highest level of the DAW's fader, where a ride moves it.
    """

    strip: ChannelStrip
    audio: AudioSource
    start_frame: int
    bits: Depth
    devices: tuple[Processor, ...]
    volume_db: float
    audio_gain_db: float
    printed: tuple[str, ...]
    left_out: tuple[str, ...]
    highest_db: float


def print_recording(
    console: ExactConsole,
    plan: MixPlan,
    strip: ChannelStrip,
    *,
    dry: bool,
    max_fader_db: float,
    read: ReadOptions,
) -> PrintedRecording:
    """Prepares a track for a DAW.

    Args:
        console: The console of the plan's session.
        plan: The mix.
        strip: One of its tracks.
        dry: Leave out what no device can do instead of printing it with what comes before it.
        max_fader_db: Where the DAW's faders end.
        read: How the session's files were read.
    """
    inexpressible = [
        row for row in processors_of(ChannelStrip) if row.device is None and row.is_active(strip)
    ]
    in_audio = [] if dry else _processors_in_audio(strip, inexpressible)
    left_out = [row.title for row in inexpressible] if dry else []
    made_stereo = bool(in_audio) and makes_stereo(strip) and console.source(strip).channels == 1
    panned = find_ride(strip.rides, "pan")
    if made_stereo and {0.5} != {*(panned.values if panned else (strip.pan,))}:
        left_out.append("pan law (with its reverb a mono track is stereo)")
    printed = _list_preparation(strip)
    printed += [row.title for row in in_audio if row.device is not None]
    printed += [row.title for row in inexpressible if row in in_audio]
    audio = console.inserted(_with_inserts(strip, in_audio), plan.pan_law)
    track = console.session.track(strip.name)
    exact = audio is track.source and _is_exact(track, read)
    start_frame = _find_start(strip, audio)
    audio = fit(audio, audio.frames - start_frame, -start_frame)
    highest_db = strip.fader_db + find_highest_db(strip.rides, "fader_db")
    excess_db = max(0.0, highest_db - max_fader_db)
    if excess_db:
        audio = _amplify(audio, excess_db)
        printed.append(f"{excess_db:.2f} dB of the fader")
    return PrintedRecording(
        strip=strip,
        audio=audio,
        start_frame=start_frame,
        bits=track.bits if exact and not excess_db else "32f",
        devices=tuple(
            row for row in active_inserts(strip) if row.device is not None and row not in in_audio
        ),
        volume_db=strip.fader_db - excess_db,
        audio_gain_db=excess_db,
        printed=tuple(printed),
        left_out=tuple(left_out),
        highest_db=highest_db - excess_db,
    )


def find_highest_db(rides: tuple[Ride, ...], setting: str) -> float:
    """How far a ride raises a level at most; 0 without a ride."""
    ride = find_ride(rides, setting)
    return 0.0 if ride is None else max(ride.values)


def print_return(console: ExactConsole, plan: MixPlan, bus: Bus) -> AudioSource | None:
    """The return of a bus, before the master; none if nothing is sent to it."""
    feeding = {
        strip.name
        for strip in plan.tracks
        if not strip.mute and any(send.bus == bus.name for send in strip.sends)
    }
    if not feeding:
        return None
    # The other tracks stay, muted, and the other buses: the return is as long as the mix.
    tracks = tuple(
        replace(strip.keep_sends_to(bus.name), mute=strip.name not in feeding)
        for strip in plan.tracks
    )
    only = replace(plan, tracks=tracks)

    def blocks() -> Iterator[Samples]:
        for flow in console.flow(only):
            yield flow.returns[bus.name].astype(np.float32)

    return Stream(
        sample_rate=console.session.sample_rate,
        channels=2,
        frames=console.frames(only),
        make_blocks=blocks,
    )


def _find_start(strip: ChannelStrip, audio: AudioSource) -> int:
    """Frames that are silent because the file begins later, whatever its delay.

    A muted track may begin after the end of the mix: one frame of silence is left of it.
    """
    start = seconds_to_samples(strip.start_s, audio.sample_rate)
    early = latency_frames(strip.delay_ms, audio.sample_rate)
    return min(max(start - early, 0), max(audio.frames - 1, 0))


def _processors_in_audio(
    strip: ChannelStrip, inexpressible: Sequence[Processor]
) -> list[Processor]:
    """What is printed so that nothing is lost: all up to the last one that no device can be."""
    if any(row.makes_stereo for row in inexpressible):
        return active_inserts(strip)
    places = places_in_order(strip.order)
    last = max((places.index(row.strip) for row in inexpressible if row.strip), default=-1)
    return active_at(strip, *places[: last + 1])


def _list_preparation(strip: ChannelStrip) -> list[str]:
    """What comes before the processors, for people."""
    printed = [f"input gain {strip.input_gain_db:+.2f} dB"] if strip.input_gain_db else []
    printed += ["fold to mono"] if strip.fold else []
    printed += ["inverted polarity"] if strip.invert_polarity else []
    return printed + ([f"delay {strip.delay_ms:+.3f} ms"] if strip.delay_ms else [])


def _with_inserts(strip: ChannelStrip, rows: Sequence[Processor]) -> ChannelStrip:
    """The strip up to its fader, with only these processors."""
    kept = ChannelStrip(
        name=strip.name,
        input_gain_db=strip.input_gain_db,
        fold=strip.fold,
        invert_polarity=strip.invert_polarity,
        delay_ms=strip.delay_ms,
    )
    settings: dict[str, Any] = {row.name: row.of(strip) for row in rows}
    rides = tuple(ride for ride in strip.rides if ride.setting.partition(".")[0] in settings)
    return replace(kept, order=strip.order, **settings, rides=rides) if rows else kept


_EXACT = ("PCM_U8", "PCM_S8", "PCM_16", "PCM_24")


def _is_exact(track: Track, read: ReadOptions) -> bool:
    """Whether integers of the track's depth hold its samples as they are."""
    parted = track.channel is not None
    paths = [path for path in (track.path, track.right) if path is not None]
    infos = [probe(path, read, separate=parted) for path in paths]
    return bool(infos) and all(
        info.subtype in _EXACT
        and (parted or info.channels <= 2)
        and info.sample_rate == track.source.sample_rate
        for info in infos
    )


def _amplify(source: AudioSource, gain_db: float) -> Stream:
    gain = np.float32(db_to_gain(gain_db))
    return Stream(
        sample_rate=source.sample_rate,
        channels=source.channels,
        frames=source.frames,
        make_blocks=lambda: (np.asarray(gain * block) for block in source.blocks()),
    )
