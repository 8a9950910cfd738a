"""Random plans for the tests of the differentiable console."""

from dataclasses import replace

import numpy as np

from automix.audio.samples import Audio
from automix.dsp.processors import list_ridables
from automix.plan.model import MixPlan
from automix.plan.parameters import parameters
from automix.plan.rides import Ride, find_ridable
from automix.plan.settings import (
    Bus,
    ChannelStrip,
    CompressorSettings,
    DeEsserSettings,
    DelaySettings,
    EqualizerBand,
    EqualizerSettings,
    FdnReverbSettings,
    GateSettings,
    Master,
    SaturationSettings,
    Send,
    SpaceSettings,
    WidenerSettings,
)
from automix.plan.vector import ORDERS, SPACES
from automix.session.tracks import Session, Track

NETWORK = FdnReverbSettings(reverberation_time_s=0.3, room_size=3.0, lines="16")


def drawn(rng, settings, **fixed):
    """Settings with all numbers drawn evenly from their ranges."""
    ranged = {name: p.range for name, p in parameters(settings).items() if p.range is not None}
    values = {name: allowed.from_unit(rng.random()) for name, allowed in ranged.items()}
    return settings(**(values | fixed))


def equalizer(rng, most=5):
    kinds = ("high_pass", "low_shelf", "peak", "high_shelf")
    bands = [
        drawn(
            rng,
            EqualizerBand,
            kind=kinds[rng.integers(4)],
            frequency_hz=float(np.exp(rng.uniform(np.log(50), np.log(20_000)))),
            gain_db=float(rng.uniform(-12, 12)),
            q=float(rng.uniform(0.3, 4)),
        )
        for _ in range(rng.integers(most + 1))
    ]
    return EqualizerSettings(bands=tuple(bands))


def compressor(rng):
    return drawn(rng, CompressorSettings, threshold_db=float(rng.uniform(-50, -6)))


def space(rng, *, wet=None):
    wet = float(rng.uniform(0.05, 0.8)) if wet is None else wet
    return SpaceSettings(space=SPACES[rng.integers(5)], decay=float(rng.uniform(0.1, 0.5)), wet=wet)


def delay(rng, **fixed):
    return drawn(
        rng,
        DelaySettings,
        time_ms=float(rng.uniform(10, 90)),
        feedback=float(rng.uniform(0, 0.6)),
        ping_pong=bool(rng.random() < 0.5),
        **fixed,
    )


def with_rides(plan, seed, seconds):
    """The plan with rides of about half of what can be ridden."""
    rng = np.random.default_rng([seed, 17])

    def ridden(part, settings):
        rides = []
        for setting in settings:
            legal = find_ridable(part, setting)[1]
            low, high = (legal.low, legal.high) if setting == "pan" else (-12.0, 6.0)
            times_s = np.sort(rng.uniform(0.0, seconds, rng.integers(1, 9)))
            values = rng.uniform(low, high, len(times_s))
            if rng.random() < 0.5:
                rides.append(Ride(setting=setting, times_s=tuple(times_s), values=tuple(values)))
        return replace(part, rides=tuple(rides))

    tracks = [
        ridden(
            strip,
            [
                *list_ridables(ChannelStrip),
                *(f"sends.{n}.gain_db" for n in range(1, len(strip.sends) + 1)),
            ],
        )
        for strip in plan.tracks
    ]
    return replace(
        plan,
        tracks=tuple(tracks),
        buses=tuple(ridden(bus, list_ridables(Bus)) for bus in plan.buses),
        master=ridden(plan.master, list_ridables(Master)),
    )


def random_plan(seed, names, rate, *, dynamics):
    """A plan that uses everything, or everything but dynamics."""
    rng = np.random.default_rng(seed)

    def some(make, neutral, share=0.5):
        return make(rng) if rng.random() < share else neutral

    moves_ms = np.random.default_rng([seed, 1]).uniform(-5, 5, len(names))
    tracks = []
    for name, move_ms in zip(names, moves_ms, strict=True):
        sends = tuple(
            Send(bus=bus, gain_db=float(rng.uniform(-20, 0)))
            for bus in ("network", "space", "echo", "press")
            if rng.random() < 0.4
        )
        strip = ChannelStrip(
            name=name,
            input_gain_db=float(rng.uniform(-6, 6)),
            invert_polarity=bool(rng.random() < 0.3),
            delay_ms=float(move_ms) if abs(move_ms) < 3.0 else 0.0,  # some are in time
            fold=bool(rng.random() < 0.2),
            equalizer=equalizer(rng),
            space=some(space, SpaceSettings(), 0.4),
            reverb=some(lambda rng: replace(NETWORK, dry_wet=rng.random()), NETWORK, 0.2),
            order=ORDERS[rng.integers(6)],
            fader_db=float(rng.uniform(-12, 6)),
            pan=float(rng.random()),
            mute=bool(rng.random() < 0.1) and name != names[0],
            sends=sends,
        )
        if dynamics:
            strip = replace(
                strip,
                compressor=some(compressor, CompressorSettings(), 0.7),
                de_esser=some(
                    lambda rng: drawn(rng, DeEsserSettings, threshold_db=-12.0),
                    DeEsserSettings(),
                    0.3,
                ),
                gate=some(
                    lambda rng: drawn(rng, GateSettings, threshold_db=float(rng.uniform(-30, 0))),
                    GateSettings(),
                    0.3,
                ),
                saturation=some(
                    lambda rng: drawn(rng, SaturationSettings), SaturationSettings(), 0.3
                ),
            )
        if rng.random() < 0.4:
            strip = replace(strip, widener=drawn(rng, WidenerSettings))
        if rng.random() < 0.3:
            strip = replace(strip, delay=delay(rng))
        tracks.append(strip)
    buses = (
        Bus(name="network", pre_delay_ms=13.0, equalizer=equalizer(rng, 2), reverb=NETWORK),
        Bus(name="space", equalizer=equalizer(rng, 1), space=space(rng, wet=1.0), gain_db=-6.0),
        Bus(name="press", parallel=True, pre_delay_ms=4.0, equalizer=equalizer(rng, 2)),
        Bus(name="echo", equalizer=equalizer(rng, 2), delay=delay(rng, wet=1.0)),
    )
    if dynamics:
        buses = tuple(replace(bus, compressor=compressor(rng)) for bus in buses)
    master = Master(equalizer=equalizer(rng, 3), gain_db=float(rng.uniform(-6, 6)))
    if dynamics:
        master = replace(master, compressor=some(compressor, CompressorSettings()))
    return MixPlan(
        sample_rate_hz=rate,
        tracks=tuple(tracks),
        buses=buses,
        master=master,
        pan_law=("linear", "constant-power", "compromise")[rng.integers(3)],
    )


def random_session(seed, rate, frames):
    """Two mono and two stereo tracks of noise whose level jumps.

    Longer ones end in silence: the exact console cuts what filters ring beyond the session.
    """
    rng = np.random.default_rng(seed)
    tracks = []
    for name, channels in (("a", 1), ("b", 2), ("c", 1), ("d", 2)):
        steps = np.repeat(rng.uniform(0.02, 1.0, 8), -(-frames // 8))[:frames]
        samples = (rng.uniform(-0.7, 0.7, (channels, frames)) * steps).astype(np.float32)
        if frames > 1_000:
            samples[:, frames // 5 :] = 0.0
        tracks.append(Track(name=name, role="other", source=Audio(samples, rate)))
    return Session(tracks=tuple(tracks))
