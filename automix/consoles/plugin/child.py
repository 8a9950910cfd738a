"""The process in which plug-ins run: reads a request, answers in files, and dies alone.

Everything passes through one folder: ``request.json``, ``input.f32`` and ``output.f32`` (raw
little-endian float32, channel after channel), ``progress`` (which call, what it is doing; read
after a crash or a hang), and ``reply.json`` (``channels`` or ``error``, and the call's index).
"""

import importlib
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

DISK_FAILED = 74
"""Exit status (EX_IOERR of sysexits.h) when the answer cannot be written."""

PEAK_LIMIT = 1000.0
"""+60 dBFS: louder than this is a fault, not music."""


def main(folder: Path) -> int:
    """Runs the request in ``folder``. Returns the exit status: 0 once a reply is written."""
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    samples = np.fromfile(folder / "input.f32", "<f4").reshape(request["channels"], -1)
    _bound(request["time_limit_s"], file_bytes=4 * samples.nbytes + (1 << 20))
    fault = None
    for index, call in enumerate(request["calls"]):
        result, fault = _run(call, samples, request, folder / "progress", index)
        if fault:
            break
        samples = np.ascontiguousarray(result, np.float32)
    try:
        if not fault:
            samples.astype("<f4").tofile(folder / "output.f32")
        reply = {"error": fault, "call": index, "channels": len(samples)}
        (folder / "reply.json").write_text(json.dumps(reply), encoding="utf-8")
    except OSError:
        return DISK_FAILED
    return 0


def load_vst3(plugin: Path) -> Any:
    """Loads a VST3 plug-in with pedalboard."""
    from pedalboard import load_plugin  # type: ignore[attr-defined]

    return load_plugin(str(plugin), initialization_timeout=10.0)


def fault_of(result: Any, channels: int, frames: int) -> str | None:
    """What is wrong with a plug-in's output, or ``None``.

    Args:
        result: The audio that it returned; wanted is ``(channels or 2, frames)`` of finite floats.
        channels: Number of channels it was given.
        frames: Number of frames it was given.
    """
    if not isinstance(result, np.ndarray) or result.dtype.kind != "f" or result.ndim != 2:
        return "returned something that is not audio"
    if len(result) not in (channels, 2) or result.shape[1] != frames:
        return (
            f"returned {len(result)} channels of {result.shape[1]} frames "
            f"for {channels} of {frames}"
        )
    # The extremes carry NaN along, and need no array of absolute values.
    peak = max(float(result.max()), -float(result.min()))
    if not np.isfinite(peak):
        return "returned NaN or infinite samples"
    if peak > PEAK_LIMIT:
        return f"returned a peak of {20 * np.log10(peak):+.0f} dBFS"
    return None


def _bound(time_limit_s: float, file_bytes: int) -> None:
    # The parent keeps the time; should it be killed, the alarm ends this process whatever native
    # code is doing. A crash leaves no core file, and chatter on stderr cannot fill the disk.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, time_limit_s + 5.0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))


def _run(
    call: dict[str, Any],
    samples: NDArray[np.float32],
    request: dict[str, Any],
    progress: Path,
    index: int,
) -> tuple[Any, str | None]:
    """Runs one plug-in: what it returned, and what went wrong, if anything."""
    stage = "loading"
    try:
        progress.write_text(f"{index} {stage}")
        module, _, function = request["loader"].partition(":")
        plugin = getattr(importlib.import_module(module), function)(Path(call["plugin"]))
        stage = "setting its parameters"
        progress.write_text(f"{index} {stage}")
        fault = _set_parameters(plugin, call["parameters"])
        if fault:
            return None, fault
        stage = "processing"
        progress.write_text(f"{index} {stage}")
        result = _process(plugin, samples, request["sample_rate"])
    except Exception as error:  # a plug-in fails in any way: the parent says so
        return None, f"failed while {stage}: {type(error).__name__}: {error}"
    return result, fault_of(result, *samples.shape)


def _set_parameters(plugin: Any, parameters: dict[str, Any]) -> str | None:
    names = _parameter_names(plugin)
    known = f"its parameters are {', '.join(names) or '(none)'}"
    unknown = [name for name in parameters if name not in names]
    if unknown:
        return f"has no parameter {', '.join(unknown)}; {known}"
    for name, value in parameters.items():
        try:
            setattr(plugin, name, value)
        except Exception as error:  # a plug-in refuses values in its own way
            return f"refused {name} = {value!r}: {error}; {known}"
    return None


def _parameter_names(plugin: Any) -> list[str]:
    if hasattr(plugin, "parameters"):
        return list(plugin.parameters)
    # pedalboard's own processors declare theirs as properties
    kind = type(plugin)
    return [
        name
        for name in dir(kind)
        if not name.startswith("_") and isinstance(getattr(kind, name), property)
    ]


def _process(plugin: Any, samples: NDArray[np.float32], sample_rate: int) -> Any:
    try:
        return plugin.process(samples, sample_rate, reset=True)
    except ValueError:
        if len(samples) != 1:
            raise
        # pedalboard raises this for a channel count the plug-in does not take
        return plugin.process(np.repeat(samples, 2, axis=0), sample_rate, reset=True)


if __name__ == "__main__":
    # Not sys.exit: plug-ins like to crash or hang in their clean-up, after the work is done.
    os._exit(main(Path(sys.argv[1])))
