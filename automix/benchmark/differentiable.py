"""Measures P12: a step through the differentiable console beside one through the training loss."""

from importlib import import_module

from automix.benchmark.processes import compare_calls
from automix.benchmark.table import Measurement
from automix.benchmark.workbench import STEMS, Workbench

PATCH_S = 5


def console_against_loss(bench: Workbench) -> Measurement:
    """Measures P12, forward and backward: eight mono tracks of 5 s against the stereo loss.

    Equalizer, compressor, space, gains and pan of every track are tensors that want gradients, as
    a network would give them.
    """
    torch = import_module("torch")
    consoles = import_module("automix.consoles.differentiable")
    losses = import_module("automix.networks.losses")
    generator = torch.Generator().manual_seed(0)
    rate = bench.beat.sample_rate
    audio = torch.rand((1, len(STEMS), 1, PATCH_S * rate), generator=generator) - 0.5
    target = torch.rand((1, 2, PATCH_S * rate), generator=generator) - 0.5
    console = consoles.DifferentiableConsole(rate)
    tracks = (1, len(STEMS))
    values = {
        "equalizer.frequency_hz": torch.tensor([80.0, 400.0, 1000.0, 5000.0, 10000.0]),
        "equalizer.gain_db": torch.full((5,), 3.0),
        "equalizer.q": torch.full((5,), 0.7),
        "compressor.threshold_db": torch.tensor(-24.0),
        "compressor.ratio": torch.tensor(3.0),
        "compressor.attack_ms": torch.tensor(5.0),
        "compressor.release_ms": torch.tensor(100.0),
        "compressor.makeup_db": torch.tensor(2.0),
        "space.mixture": torch.full((5,), 0.2),
        "space.decay": torch.tensor(0.5),
        "space.wet": torch.tensor(0.2),
        "fader_db": torch.tensor(-3.0),
        "pan": torch.tensor(0.4),
    }
    values = {
        name: value.expand(*tracks, *value.shape).clone().requires_grad_()
        for name, value in values.items()
    }
    mixed = console.mix(audio, values).detach().requires_grad_()

    def console_step() -> None:
        console.mix(audio, values).square().mean().backward()

    def loss_step() -> None:
        losses.stereo_mr_stft(mixed, target).mean().backward()

    ours, reference = compare_calls([console_step, loss_step], bench.runs)
    return Measurement(
        ours=ours.seconds,
        reference=reference.seconds,
        note=f"{torch.get_num_threads()} threads, float32",
    )
