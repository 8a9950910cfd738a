"""A song on disk, and its plan with everything that a plan can hold."""

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from automix.plan.decision import Decision
from automix.plan.model import MixPlan
from automix.plan.rides import Ride
from automix.plan.settings import (
    Bus,
    ChannelStrip,
    CompressorSettings,
    DeEsserSettings,
    EqualizerBand,
    EqualizerSettings,
    FdnReverbSettings,
    LimiterSettings,
    Master,
    Send,
    SpaceSettings,
)

RATE = 16000
FRAMES = RATE


@contextmanager
def guard(remove: Callable[[], object]):
    yield


def write(path: Path, seed: int, channels: int = 1, rate: int = RATE, frames: int = FRAMES) -> str:
    """Noise in bursts, so that compressors and de-essers have work; silent towards its end."""
    t = np.arange(frames)[:, None] / rate
    noise = np.random.default_rng(seed).standard_normal((frames, channels))
    noise[3 * frames // 4 :] = 0.0
    soundfile.write(path, 0.1 * noise * np.exp(-6 * (t % 0.25)), rate, "PCM_24")
    return path.name


EQUALIZER = EqualizerSettings(
    bands=(
        EqualizerBand(kind="high_pass", frequency_hz=80.0),
        EqualizerBand(kind="low_shelf", frequency_hz=200.0, gain_db=2.5),
        EqualizerBand(kind="peak", frequency_hz=1500.0, gain_db=-4.0, q=2.0),
        EqualizerBand(kind="high_shelf", frequency_hz=5000.0, gain_db=3.0, q=0.6),
    )
)
COMPRESSOR = CompressorSettings(
    threshold_db=-30.0, ratio=3.5, attack_ms=4.0, release_ms=90.0, makeup_db=2.0
)


LINE = Ride(times_s=(0.1, 0.3, 0.31, 0.5, 0.72), values=(-3.0, 4.0, -60.0, 2.5, 2.5))
PANNED = Ride(setting="pan", times_s=(0.0, 0.4, 0.9), values=(0.4, 0.0, 1.0))
ON_SENDS = Ride(setting="sends.2.gain_db", times_s=(0.2, 0.6), values=(-40.0, 6.0))


def with_rides(plan: MixPlan) -> MixPlan:
    """The plan of a song with lines for all that a DAW can move."""
    of_gain = replace(LINE, setting="gain_db")
    plan = plan.with_strip("vocal", rides=(PANNED, LINE, ON_SENDS))
    plan = plan.with_strip("kick", rides=(LINE,)).with_strip("spare", rides=(LINE,))
    room, *others = plan.buses
    return replace(
        plan,
        buses=(replace(room, rides=(of_gain,)), *others),
        master=replace(plan.master, rides=(of_gain,)),
    )


@pytest.fixture
def song(tmp_path: Path) -> tuple[MixPlan, Path]:
    """A plan that uses every processor, and the folder that its files are in."""
    names = ("vocal", "kick", "guitar", "pad", "keys", "spare")
    files = {
        name: write(tmp_path / f"{name}.wav", seed, channels=2 if name in ("guitar", "pad") else 1)
        for seed, name in enumerate(names)
    }
    plan = MixPlan(
        method="rules",
        preset="full",
        sample_rate_hz=RATE,
        tracks=(
            ChannelStrip(
                name="vocal",
                file=files["vocal"],
                input_gain_db=4.5,
                equalizer=EQUALIZER,
                de_esser=DeEsserSettings(max_reduction_db=9.0, threshold_db=-12.0),
                compressor=COMPRESSOR,
                fader_db=-2.25,
                pan=0.4,
                sends=(Send(bus="room", gain_db=-7.5), Send(bus="hall", gain_db=-11.0)),
            ),
            ChannelStrip(
                name="kick",
                file=files["kick"],
                compressor=COMPRESSOR,
                fader_db=13.5,
                order="cer",
                equalizer=EQUALIZER,
                invert_polarity=True,
            ),
            ChannelStrip(
                name="guitar",
                file=files["guitar"],
                equalizer=EQUALIZER,
                fader_db=0.1,
                pan=0.8,
                sends=(Send(bus="room", gain_db=3.0),),
            ),
            ChannelStrip(
                name="pad",
                file=files["pad"],
                space=SpaceSettings(space="small room", wet=0.3),
                compressor=COMPRESSOR,
                order="rec",
                pan=0.25,
            ),
            ChannelStrip(name="keys", file=files["keys"], pan=0.0, fader_db=-20.0),
            ChannelStrip(name="spare", file=files["spare"], mute=True, fader_db=3.0),
        ),
        buses=(
            Bus(
                name="room",
                pre_delay_ms=15.0,
                equalizer=EqualizerSettings(bands=(EqualizerBand(gain_db=-3.0),)),
                reverb=FdnReverbSettings(reverberation_time_s=0.4, dry_wet=1.0),
                gain_db=2.0,
            ),
            Bus(name="hall", space=SpaceSettings(space="medium room", decay=0.5, wet=1.0)),
            Bus(name="idle"),
        ),
        master=Master(
            equalizer=EqualizerSettings(bands=(EqualizerBand(gain_db=1.0),)),
            compressor=CompressorSettings(threshold_db=-18.0, ratio=1.5, attack_ms=20.0),
            gain_db=5.0,
            limiter=LimiterSettings(ceiling_dbtp=-3.0),
        ),
        decisions=(
            Decision(
                setting="room.reverb.reverberation_time_s",
                value=0.4,
                rule="tempo reverb",
                reason="tempo",
                figures=(("tempo_bpm", 93.5), ("confidence", 0.8)),
            ),
        ),
    )
    return plan, tmp_path
