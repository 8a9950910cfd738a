"""A file through a neural effect to a file."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from automix.consoles.neural import through_effect
from automix.files.formats import choose_format
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
    """The file that was written, and how.

    Attributes:
        path: The file that was written.
        network: The name of the network.
        effect: The effect that it imitates.
        settings: Settings of the effect by name, in their units; those of a choice are 0 or 1.
        sample_rate_hz: The sample rate of both files.
        frames: The length of the file that was written.
        clipped: How many samples were held at full scale.
        notes: Remarks for the user.
    """

    path: Path
    network: str
    effect: str
    settings: dict[str, float]
    sample_rate_hz: int
    frames: int
    clipped: int
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class EffectFiles:
    """The file that goes through an effect, and the file that comes out.

    Attributes:
        audio: File to read.
        output: File to write; its format by its extension.
        bits: ``16``, ``24`` or ``32f``; if none, those of the input.
        overwrite: Whether an existing file may be replaced.
        read: How the input is read.
        guard: Given what discards an unfinished output, around the work.
    """

    audio: Path
    output: Path
    bits: str | None = None
    overwrite: bool = False
    read: ReadOptions = field(default_factory=ReadOptions)
    guard: Callable[[Callable[[], object]], AbstractContextManager[None]] = lambda discard: (
        nullcontext()
    )


def apply_effect(
    model: str,
    files: EffectFiles,
    settings: Mapping[str, str],
    *,
    device: str = "auto",
    half: bool = False,
) -> Applied:
    """Sends a file through a neural effect.

    Args:
        model: Name of weights that ship, or a file of `automix train effect`.
        files: The file to read and the file to write.
        settings: See `automix.networks.effect_description.EffectDescription.conditioning`.
        device: See `automix.networks.device.choose_device`.
        half: See `automix.networks.effect_rendering.render_effect`.

    Raises:
        AutomixError: The weights, the input, the output, a setting or the device cannot be used.
    """
    audio, output, bits = files.audio, files.output, files.bits
    choose_format(output, bits or "24")
    network = read_effect(weights_path(model), choose_device(device))
    description = network.description
    conditioning = description.conditioning(settings)
    with (
        OutputTarget.reserve(output, overwrite=files.overwrite, inputs=[audio]) as target,
        files.guard(target.discard),
    ):
        opened = open_audio(audio, files.read)
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
