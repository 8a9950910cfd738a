"""Makes the rows of `automix evaluate effects`: bypass, and the networks asked for."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from automix.datasets.signaltrain_la2a import is_layout
from automix.errors import UsageError
from automix.evaluation.effects import EffectScore, Model, bypass, evaluate_effects


def score_effects(
    audio: Sequence[Path],
    models: Sequence[str],
    *,
    device: str = "auto",
    cases: int = 50,
    varied_order: bool = False,
    seed: int = 0,
    report: Callable[[str], None] = lambda task: None,
    note: Callable[[str], None] = lambda sentence: None,
) -> list[EffectScore]:
    """Scores bypass and trained networks.

    Args:
        audio: Files or folders of dry audio; or one folder alone, that of SignalTrain LA2A.
        models: Names or files of the weights of networks.
        device: Device that they run on, as in `automix.networks.device.choose_device`.
        cases: Number of pieces of audio for each task.
        varied_order: Whether the order of the processors is drawn too.
        seed: Seed of all that is drawn.
        report: Called with each task as it begins.
        note: Called with sentences for the user.

    Raises:
        InputError: Audio cannot be used.
        DeviceError: Weights or the device cannot be used.
        UsageError: A network does not suit the audio.
    """
    la2a = [root for root in audio if os.path.isdir(root) and is_layout(root)]
    if la2a and (len(audio) > 1 or varied_order):
        raise UsageError("SignalTrain LA2A stands alone, and has no order of processors")
    candidates: dict[str, Model] = {"bypass": bypass}
    if models:
        from automix.evaluation.effect_models import open_models

        candidates |= open_models(models, device, la2a=bool(la2a), varied_order=varied_order)
    if la2a:
        from automix.evaluation.effect_models import evaluate_la2a

        report("la2a")
        return evaluate_la2a(la2a[0], candidates, cases=cases, seed=seed, note=note)
    return evaluate_effects(
        audio, candidates, cases=cases, varied_order=varied_order, seed=seed, report=report
    )
