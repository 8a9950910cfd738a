"""A file through a neural effect to a file."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from automix.consoles.neural import through_effect
from automix.files.formats import output_format
from automix.files.info import ReadOptions
from automix.files.names import printable
from automix.files.reading import open_audio
from automix.files.target import OutputTarget
from automix.networks.checkpoints import weights_path
from automix.networks.device import choose_device
from automix.networks.effect_description import RATE_HZ
from automix.networks.effects import read_effect


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What was done.

    Attributes:
        path: The file that was written.
        network: Which network.
        effect: What it imitates.
        settings: Of the effect, by name, in their units; those of a choice are 0 or 1.
        sample_rate_hz: Of both files.
        frames: Length of what was written.
        clipped: Samples held at full scale.
        notes: For the user.
    """

    path: Path
    network: str
    effect: str
    settings: dict[str, float]
    sample_rate_hz: int
    frames: int
    clipped: int
    notes: tuple[str, ...]


def apply_effect(
    model: str,
    audio: Path,
    output: Path,
    settings: Mapping[str, str],
    *,
    device: str = "auto",
    half: bool = False,
    bits: str | None = None,
    overwrite: bool = False,
    read: ReadOptions | None = None,
    guard: Callable[[Callable[[], object]], AbstractContextManager[None]] = lambda discard: (
        nullcontext()
    ),
) -> Applied:
    """Sends a file through a neural effect.

    Args:
        model: Name of weights that ship, or a file of `automix train effect`.
        audio: File to read.
        output: File to write; its format by its extension.
        settings: See `automix.networks.effect_description.EffectDescription.conditioning`.
        device: See `automix.networks.device.choose_device`.
        half: See `automix.networks.effect_rendering.render_effect`.
        bits: ``16``, ``24`` or ``32f``; if none, those of the input.
        overwrite: Whether an existing file may be replaced.
        read: How the input is read.
        guard: Given what discards an unfinished output, around the work.

    Raises:
        AutomixError: The weights, the input, the output, a setting or the device cannot be used.
    """
    output_format(output, bits or "24")
    network = read_effect(weights_path(model), choose_device(device))
    description = network.description
    conditioning = description.conditioning(settings)
    with (
        OutputTarget.reserve(output, overwrite=overwrite, inputs=[audio]) as target,
        guard(target.discard),
    ):
        opened = open_audio(audio, read or ReadOptions())
        source = opened.source
        made = through_effect(source, network, conditioning, half=half)
        written = target.write_audio(made, bits=bits or opened.info.bits)
    notes = [*opened.notes, *written.notes]
    if source.sample_rate != RATE_HZ:
        rates = f"{source.sample_rate} Hz, converted to the model's {RATE_HZ} Hz and back"
        notes.append(f"{printable(audio)}: {rates}")
    used = zip(description.slots, conditioning, strict=True)
    settable = {slot.name for slot in description.settable}
    return Applied(
        path=output,
        network=description.network,
        effect=description.effect,
        settings={slot.name: slot.value(p) for slot, p in used if slot.name in settable},
        sample_rate_hz=source.sample_rate,
        frames=written.frames,
        clipped=written.clipped,
        notes=tuple(notes),
    )
