"""What a DAW gets of each track: its audio, and what of its strip is left to the DAW.

A DAWproject has an equalizer, a compressor, sends, volume, pan and mute for a track. The rest of a
strip is printed into the audio: input gain, fold and polarity always; the de-esser with the
processors before it; with a reverb among the inserts, all of them. Faders in a DAW end sooner than
ours: what a fader needs beyond that end is in the audio too, and the compressor's threshold moves
along, so that it does the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from automix.audio.samples import AudioSource, Samples
from automix.audio.streams import Stream
from automix.consoles.exact import ExactConsole
from automix.dsp.strip import has_reverb
from automix.files.info import ReadOptions
from automix.files.probe import probe
from automix.plan.model import Bus, ChannelStrip, Depth, MixPlan
from automix.plan.settings import CompressorSettings
from automix.session.tracks import Track
from automix.units import db_to_gain

USUAL_MAX_FADER_DB = 6.0
"""Where the faders of several DAWs end."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PrintedRecording:
    """One track on its way to a DAW.

    Attributes:
        strip: As in the plan.
        audio: Of its clip.
        bits: That hold the audio without loss.
        devices: ``"e"`` equalizer and ``"c"`` compressor, in order, that the DAW is to have.
        volume_db: Of the DAW's fader.
        audio_gain_db: What of the plan's fader is in the audio.
        printed: Other things in the audio, for people.
        left_out: What is nowhere, for people.
    """

    strip: ChannelStrip
    audio: AudioSource
    bits: Depth
    devices: str
    volume_db: float
    audio_gain_db: float
    printed: tuple[str, ...]
    left_out: tuple[str, ...]


def recording(
    console: ExactConsole,
    plan: MixPlan,
    strip: ChannelStrip,
    *,
    dry: bool,
    max_fader_db: float,
    read: ReadOptions,
) -> PrintedRecording:
    """What a DAW gets of a track.

    Args:
        console: Of the plan's session.
        plan: The mix.
        strip: One of its tracks.
        dry: Leave out what no device can do instead of printing it with what comes before it.
        max_fader_db: Where the DAW's faders end.
        read: How the session's files were read.
    """
    inexpressible = _inexpressible(strip)
    kept = strip if inexpressible and not dry else _without_inserts(strip)
    devices = "".join(stage for stage in strip.order if stage in _device_stages(strip))
    printed, left_out = _preparation(strip), list(inexpressible) if dry else []
    if inexpressible and not dry:
        if has_reverb(strip):
            done: str = strip.order
            if console.source(strip).channels == 1 and strip.pan != 0.5:
                left_out.append("pan law (with its reverb a mono track is stereo)")
        else:
            done = strip.order[: strip.order.index("e") + 1]
            if "c" not in done:
                kept = replace(kept, compressor=CompressorSettings())
        devices = "".join(stage for stage in devices if stage not in done)
        printed += [*_printed_devices(strip, done), *inexpressible]
    audio = console.inserted(kept, plan.pan_law)
    track = console.session.track(strip.name)
    exact = audio is track.source and _is_exact(track, read)
    excess_db = max(0.0, strip.fader_db - max_fader_db)
    if excess_db:
        audio = _amplified(audio, excess_db)
        printed.append(f"{excess_db:.2f} dB of the fader")
    return PrintedRecording(
        strip=strip,
        audio=audio,
        bits=track.bits if exact and not excess_db else "32f",
        devices=devices,
        volume_db=strip.fader_db - excess_db,
        audio_gain_db=excess_db,
        printed=tuple(printed),
        left_out=tuple(left_out),
    )


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
        replace(
            strip,
            mute=strip.name not in feeding,
            sends=tuple(send for send in strip.sends if send.bus == bus.name),
        )
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


def compresses(settings: CompressorSettings) -> bool:
    """Whether a compressor does more than its makeup gain."""
    return settings.threshold_db < 0.0 and settings.ratio > 1.0


def _device_stages(strip: ChannelStrip) -> str:
    compressor = strip.compressor
    return ("e" if strip.equalizer.bands else "") + (
        "c" if compresses(compressor) or compressor.makeup_db else ""
    )


def _inexpressible(strip: ChannelStrip) -> list[str]:
    """The processors of a strip that no device can stand for."""
    found = ["de-esser"] if strip.de_esser.max_reduction_db > 0.0 else []
    found += ["reverb"] if strip.reverb.dry_wet > 0.0 else []
    return found + (["space"] if strip.space.wet > 0.0 else [])


def _preparation(strip: ChannelStrip) -> list[str]:
    printed = [f"input gain {strip.input_gain_db:+.2f} dB"] if strip.input_gain_db else []
    printed += ["fold to mono"] if strip.fold else []
    return printed + (["inverted polarity"] if strip.invert_polarity else [])


def _printed_devices(strip: ChannelStrip, done: str) -> list[str]:
    names = {"e": "equalizer", "c": "compressor"}
    return [names[stage] for stage in done if stage in _device_stages(strip)]


def _without_inserts(strip: ChannelStrip) -> ChannelStrip:
    return ChannelStrip(
        name=strip.name,
        input_gain_db=strip.input_gain_db,
        fold=strip.fold,
        invert_polarity=strip.invert_polarity,
    )


_EXACT = ("PCM_U8", "PCM_S8", "PCM_16", "PCM_24")


def _is_exact(track: Track, read: ReadOptions) -> bool:
    """Whether integers of the track's depth hold its samples as they are."""
    infos = [probe(path, read) for path in (track.path, track.right) if path is not None]
    return bool(infos) and all(
        info.subtype in _EXACT
        and info.channels <= 2
        and info.sample_rate == track.source.sample_rate
        for info in infos
    )


def _amplified(source: AudioSource, gain_db: float) -> Stream:
    gain = np.float32(db_to_gain(gain_db))
    return Stream(
        sample_rate=source.sample_rate,
        channels=source.channels,
        frames=source.frames,
        make_blocks=lambda: (np.asarray(gain * block) for block in source.blocks()),
    )
