"""P14: how long a neural effect takes for audio of a length."""

from importlib import import_module

from automix.audio.blocks import collect, fold_to_mono
from automix.audio.resampling import resample
from automix.benchmark.processes import compare_calls
from automix.benchmark.table import Measurement
from automix.benchmark.workbench import Workbench

WEIGHTS = "tcn-20-channel"
LONGEST_S = 20


def effect_against_time(bench: Workbench) -> Measurement:
    """The TCN-20 that ships over up to 20 s of mono audio, against how long that lasts."""
    torch = import_module("torch")
    effects = import_module("automix.networks.effects")
    rendering = import_module("automix.networks.effect_rendering")
    path = import_module("automix.networks.checkpoints").weights_path(WEIGHTS)
    network = effects.read_effect(
        path, import_module("automix.networks.device").choose_device("auto")
    )
    settings = network.description.conditioning({"compressor.threshold_db": "-24"})
    audio = collect(resample(fold_to_mono(bench.beat), effects.RATE_HZ)).samples
    audio = audio[:, : LONGEST_S * effects.RATE_HZ]
    whole, half = compare_calls(
        [
            lambda: list(rendering.rendered(network, [audio], settings)),
            lambda: list(rendering.rendered(network, [audio], settings, half=True)),
        ],
        bench.runs,
    )
    duration_s = audio.shape[1] / effects.RATE_HZ
    return Measurement(
        ours=whole.seconds,
        reference=duration_s,
        note=f"{duration_s / whole.seconds:.1f} × real time, {duration_s / half.seconds:.1f} × with"
        f" --half; {torch.get_num_threads()} threads",
    )
