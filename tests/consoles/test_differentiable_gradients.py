"""Gradients of the differentiable console in double precision, for every continuous setting."""

import numpy as np
import pytest
import torch

from automix.consoles.differentiable import (
    NEUTRAL,
    SPACES,
    BusLayout,
    ConsoleLayout,
    DifferentiableConsole,
    TrackLayout,
)
from automix.consoles.differentiable.convolution import convolve_and_mix
from automix.dsp.processors import PROCESSORS, Twin, list_ridables
from automix.plan.parameters import Settings, parameters
from automix.plan.settings import (
    STRIP_IDENTITY,
    Bus,
    ChannelStrip,
    DelaySettings,
    EqualizerBand,
    FdnReverbSettings,
    Master,
)

RATE = 8_000
FRAMES = 24
ECHO_FRAMES = 170  # two repeats, at 10 ms
BANDS = ("high_pass", "low_shelf", "peak", "high_shelf")
NETWORK = FdnReverbSettings(reverberation_time_s=0.1, room_size=1.0, lines="16")
ECHO = DelaySettings(time_ms=10.0)
PING_PONG = DelaySettings(time_ms=10.0, ping_pong=True)
TIMES_S = (0.0004, 0.001, 0.0021)  # about the third, the eighth and the seventeenth sample
RIDES = tuple((name, TIMES_S) for name in (*list_ridables(ChannelStrip), "sends.0", "sends.1"))
LAYOUT = ConsoleLayout(
    tracks=(
        TrackLayout(bands=BANDS, order="ecr", reverb=NETWORK),
        TrackLayout(bands=BANDS[1:], order="rce", delay=PING_PONG, rides=RIDES),
    ),
    buses=(
        BusLayout(bands=BANDS, rides=(("gain_db", TIMES_S),)),
        BusLayout(bands=("peak",), parallel=True, pre_delay_ms=0.5),
        BusLayout(bands=("peak",), pre_delay_ms=1.0, reverb=NETWORK),
        BusLayout(bands=("peak",), delay=ECHO),
    ),
    master_bands=BANDS,
    master_rides=(("gain_db", TIMES_S[:2]),),
)
FIXED = {
    "bus.pre_delay_ms": "a whole number of samples",
    "master.limiter.ceiling_dbtp": "left to the exact console",
    "master.limiter.release_ms": "left to the exact console",
    "start_s": "the place of the file, which the session gives it",
    "delay.time_ms": "a whole number of samples",
    "bus.delay.time_ms": "a whole number of samples",
    "bus.delay.wet": "all of a return is wet",
    "bus.space.wet": "all of a return is wet",
    "bus.reverb.dry_wet": "all of a return is wet",
}
"""Settings without a gradient, and why. So are those inside of a feedback delay network."""

FLAT = {
    f"{row.name}.{name}"
    for row in PROCESSORS
    if isinstance(row.twin, Twin)
    for name in row.twin.flat
}
"""Settings whose gradient is 0, because they only move the moment of a decision."""

RANGES = {
    "gate.threshold_db": (-12, -6),
    "gate.range_db": (30, 80),
    "gate.hysteresis_db": (0, 3),
    "gate.attack_ms": (0.1, 3),
    "gate.hold_ms": (0.2, 0.4),
    "gate.release_ms": (5, 20),
    "equalizer.frequency_hz": (200, 3000),
    "equalizer.gain_db": (-9, 9),
    "equalizer.q": (0.4, 3),
    "de_esser.frequency_hz": (2000, 3000),
    "de_esser.threshold_db": (-20, -15),
    "de_esser.max_reduction_db": (3, 9),
    "compressor.threshold_db": (-40, -30),
    "compressor.ratio": (2, 8),
    "compressor.attack_ms": (0.1, 3),
    "compressor.release_ms": (50, 200),
    "saturation.drive_db": (6, 18),
    "saturation.mix": (0.2, 0.8),
    "space.decay": (0.2, 0.9),
    "space.wet": (0.2, 0.8),
    "reverb.dry_wet": (0.2, 0.8),
    "delay.feedback": (0.3, 0.8),
    "delay.low_cut_hz": (50, 300),
    "delay.high_cut_hz": (1500, 3000),
    "delay.wet": (0.2, 0.8),
    "widener.side_db": (-12, 0),
    "widener.corner_hz": (200, 1000),
    "delay_ms": (-0.2, 0.2),
    "pan": (0.1, 0.4),
    "rides.pan": (0.1, 0.4),
    "polarity": (0.2, 1.0),
    "space.mixture": (0.2, 1.0),
}
"""Where values are drawn; the rest within ±6 dB or the like."""


def values_for(seed=0, batch=1):
    rng = np.random.default_rng(seed)
    values = {}
    for name in NEUTRAL:
        bare = name.removeprefix("bus.").removeprefix("master.")
        low, high = RANGES.get(bare, (-6, 6))
        shape = [batch]
        if not name.startswith("master."):
            shape.append(len(LAYOUT.buses if name.startswith("bus.") else LAYOUT.tracks))
        if bare.startswith("equalizer."):
            shape.append(len(BANDS))
        elif bare == "space.mixture":
            shape.append(len(SPACES))
        elif bare.endswith("sends_db"):
            shape.append(len(LAYOUT.buses))
        if bare.startswith("rides."):
            shape.append(len(TIMES_S))
        values[name] = torch.tensor(rng.uniform(low, high, shape))
    return values


def audio_for(seed=0, batch=1, frames=FRAMES):
    rng = np.random.default_rng(seed)
    return torch.tensor(rng.uniform(-0.8, 0.8, (batch, 2, 2, frames)))


@pytest.mark.parametrize("name", NEUTRAL)
def test_the_gradient_of_every_value_is_that_of_finite_differences(name):
    frames = ECHO_FRAMES if "delay." in name else FRAMES
    console, values = DifferentiableConsole(RATE, LAYOUT), values_for()
    audio = audio_for(frames=frames)

    def mix(value):
        return console.mix(audio, values | {name: value})

    inputs = (values[name].requires_grad_(),)
    # The fast mode compares a random projection of all outputs instead of each of them.
    assert torch.autograd.gradcheck(mix, inputs, atol=1e-6, rtol=1e-4, fast_mode=True)
    gradient = torch.autograd.grad(mix(values[name]).square().sum(), values[name])[0]
    assert (gradient.abs().max() > 0) == (name not in FLAT)


def test_the_gradient_of_the_audio_is_that_of_finite_differences():
    console, values = DifferentiableConsole(RATE, LAYOUT), values_for(1)
    audio = audio_for(1, frames=12).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: console.mix(x, values), (audio,), atol=1e-6)


def declared(settings, prefix=""):
    """Names of all numbers of a settings class and of those within it."""
    for name, parameter in parameters(settings).items():
        if parameter.range is not None:
            yield prefix + name
        elif isinstance(parameter.default, Settings):
            yield from declared(type(parameter.default), f"{prefix}{name}.")


def test_every_continuous_setting_has_a_gradient_or_a_reason():
    names = set(declared(ChannelStrip)) - set(STRIP_IDENTITY)
    names |= {f"bus.{name}" for name in declared(Bus)}
    names |= {f"master.{name}" for name in declared(Master)}
    for part in ("", "bus.", "master."):
        names |= {f"{part}equalizer.{name}" for name in declared(EqualizerBand)}
    names |= {"sends_db", "rides.sends_db"}  # the numbers of `Send`, for every bus
    for part, kind in (("", ChannelStrip), ("bus.", Bus), ("master.", Master)):
        names |= {f"{part}rides.{name}" for name in list_ridables(kind)}
    network = {n for n in names if "reverb." in n and not n.endswith("dry_wet")}
    assert names - network - set(FIXED) == set(NEUTRAL) - {
        "polarity",  # a choice in a plan, a number here
        "space.mixture",
        "bus.space.mixture",
    }


@pytest.mark.parametrize("frames", [1, 500])
def test_silence_gives_finite_gradients(frames):
    console, values = DifferentiableConsole(RATE, LAYOUT), values_for(2)
    audio = torch.zeros(1, 2, 2, frames, dtype=torch.float32, requires_grad=True)
    for value in values.values():
        value.requires_grad_()
    mix = console.mix(audio, values)
    assert not mix.any()
    gradients = torch.autograd.grad(mix.sum(), [audio, *values.values()])
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_neutral_strips_sum_without_a_plan():
    audio = audio_for(3)
    mix = DifferentiableConsole(RATE).mix(audio, {})
    torch.testing.assert_close(mix, audio.sum(1))


def test_an_unknown_value_and_a_wrong_shape_are_refused():
    console = DifferentiableConsole(RATE)
    with pytest.raises(ValueError, match="unknown values loudness"):
        console.mix(audio_for(), {"loudness": torch.zeros(1, 2)})
    with pytest.raises(ValueError, match="channels"):
        console.mix(torch.zeros(1, 2, 3, 8), {})
    with pytest.raises(ValueError, match="layout has 2"):
        DifferentiableConsole(RATE, LAYOUT).mix(torch.zeros(1, 3, 2, 8), {})


def test_gradient_descent_finds_the_settings_of_a_mix():
    console, audio, wanted = DifferentiableConsole(RATE), audio_for(4, frames=4_000), {}
    wanted = {"fader_db": torch.tensor([[-6.0, 3.0]]), "pan": torch.tensor([[0.2, 0.7]])}
    target = console.mix(audio, wanted)
    found = {
        "fader_db": torch.zeros(1, 2, requires_grad=True),
        "pan": torch.full((1, 2), 0.5, requires_grad=True),
    }
    optimizer = torch.optim.LBFGS(list(found.values()), max_iter=100)

    def loss():
        optimizer.zero_grad()
        error = (console.mix(audio, found) - target).square().mean()
        error.backward()
        return error

    optimizer.step(loss)
    for name, value in wanted.items():
        torch.testing.assert_close(found[name].detach(), value, rtol=0, atol=0.01)


@pytest.mark.parametrize("responses", [1, 2])
@pytest.mark.parametrize("frames", [11, 12])
def test_the_gradients_of_a_convolution(responses, frames):
    generator = torch.Generator().manual_seed(0)

    def drawn(*shape):
        values = torch.randn(shape, generator=generator, dtype=torch.float64)
        return values.requires_grad_()

    inputs = drawn(2, 3, frames), drawn(responses, 3, 2, 7), drawn(2, 4, 3, 2)
    assert torch.autograd.gradcheck(convolve_and_mix, inputs)
    feeds, of_parts, gains = (x.detach().numpy() for x in inputs)
    mixed = np.zeros((2, 4, frames))
    for batch, output, feed, side in np.ndindex(gains.shape):
        response = of_parts[batch % responses, feed, side]
        part = np.convolve(feeds[batch, feed], response)[:frames]
        mixed[batch, output] += gains[batch, output, feed, side] * part
    np.testing.assert_allclose(convolve_and_mix(*inputs).detach(), mixed, atol=1e-12)


def hits(frames=3_000):
    """Three decaying hits over a faint noise, two strips of one channel."""
    rng = np.random.default_rng(5)
    time = np.arange(frames) % (frames // 3)
    noise = rng.uniform(-1.0, 1.0, (1, 2, 1, frames))
    return torch.tensor(noise * (0.8 * np.exp(-time / 150.0) + 0.01))


@pytest.mark.parametrize("name", ["threshold_db", "range_db", "attack_ms", "release_ms"])
def test_the_gradients_of_a_gate_that_opens_and_closes_are_those_of_finite_differences(name):
    values = {
        "gate.threshold_db": [[-20.0, -12.0]],
        "gate.range_db": [[60.0, 30.0]],
        "gate.attack_ms": [[0.5, 4.0]],
        "gate.hold_ms": [[2.0, 0.0]],
        "gate.release_ms": [[20.0, 60.0]],
    }
    values = {key: torch.tensor(value, dtype=torch.float64) for key, value in values.items()}
    value = values[f"gate.{name}"].requires_grad_()
    console, audio = DifferentiableConsole(RATE), hits()

    def level(changed):
        mix = console.mix(audio, values | {f"gate.{name}": changed})
        return mix.square().mean((-1, -2)).log()

    assert torch.autograd.gradcheck(level, (value,), atol=1e-8, rtol=1e-4)
    assert (torch.autograd.grad(level(value).sum(), value)[0] != 0.0).all()


def test_a_drive_of_0_has_the_gradient_of_turning_it_up():
    console, audio = DifferentiableConsole(RATE), 0.5 * hits()

    def level(value):
        return console.mix(audio, {"saturation.drive_db": value}).square().mean().log()

    off = torch.zeros(1, 2, dtype=torch.float64, requires_grad=True)
    gradient = torch.autograd.grad(level(off), off)[0].sum()
    step = 1e-4
    difference = (level(torch.full_like(off, step)) - level(off.detach())) / step
    assert gradient.item() == pytest.approx(difference.item(), rel=1e-3)
    assert gradient < 0.0
