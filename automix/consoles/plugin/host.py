"""Runs plug-ins in a child process, so that their crashes and hangs end there."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from automix.audio.samples import Samples
from automix.consoles.plugin.child import DISK_FAILED, fault_of
from automix.consoles.plugin.mapping import PluginCall
from automix.errors import OutputError, PluginError

DEFAULT_LOADER = "automix.consoles.plugin.child:load_vst3"


def process(
    calls: Sequence[PluginCall],
    samples: Samples,
    sample_rate: int,
    *,
    time_limit_s: float,
    loader: str = DEFAULT_LOADER,
) -> Samples:
    """Runs audio through plug-ins, one after the other, in one fresh process.

    Args:
        calls: The plug-ins in signal order, with their parameters.
        samples: ``(channels, frames)`` float32, mono or stereo, already padded with zeros for a
            reverberation tail; stereo where a plug-in makes stereo (FdnReverb).
        sample_rate: Frames per second.
        time_limit_s: Wall time for starting, loading and processing everything.
        loader: ``module:function`` that takes a plug-in's path and returns an object with
            ``process(samples, sample_rate, reset=True)`` and its parameters as attributes.

    Returns:
        ``(channels, frames)`` float32, finite, as long as the input. A plug-in that does not
        take mono makes mono stereo.

    Raises:
        PluginError: A plug-in crashed, hung, does not know a parameter or its value, or returned
            audio of the wrong length, with NaN, or above +60 dBFS.
        OutputError: No room for the temporary files.
    """
    if not calls or samples.shape[1] == 0:
        return samples.copy()
    request = {
        "loader": loader,
        "sample_rate": sample_rate,
        "channels": samples.shape[0],
        "time_limit_s": time_limit_s,
        "calls": [
            {"plugin": os.fspath(call.plugin), "parameters": dict(call.parameters)}
            for call in calls
        ],
    }
    needed = f"{2 * samples.nbytes / 1e6:.0f} MB of temporary audio"
    try:
        with tempfile.TemporaryDirectory(prefix="automix-plugin-") as name:
            folder = Path(name)
            (folder / "request.json").write_text(
                json.dumps(request, allow_nan=False), encoding="utf-8"
            )
            samples.astype("<f4").tofile(folder / "input.f32")
            status = _run_child(folder, calls, time_limit_s)
            if status == DISK_FAILED:
                raise OutputError(f"no room for {needed} in {tempfile.gettempdir()}")
            return _result(folder, calls, status, *samples.shape)
    except OSError as error:
        raise OutputError(f"plug-in host: {error}; it needs {needed}") from error


def _run_child(folder: Path, calls: Sequence[PluginCall], time_limit_s: float) -> int:
    """Runs the child to its end and returns its exit status; leaves no process behind."""
    root = str(Path(__file__).parents[3])
    # The child resolves modules as this process does; -P keeps the working folder out of it.
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([root, *filter(None, sys.path)])}
    with (folder / "stderr").open("wb") as errors:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "automix.consoles.plugin.child", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=environment,
            start_new_session=True,  # Ctrl-C comes here only, and its helpers are killed with it
        )
    try:
        return child.wait(time_limit_s)
    except subprocess.TimeoutExpired:
        index, stage = _progress(folder)
        raise _fault(calls, index, f"still {stage} after {time_limit_s:g} s, stopped") from None
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _result(
    folder: Path, calls: Sequence[PluginCall], status: int, channels: int, frames: int
) -> Samples:
    reply = folder / "reply.json"
    if status != 0 or not reply.exists():
        index, stage = _progress(folder)
        raise _fault(calls, index, f"{_ending(status)} while {stage}{_last_words(folder)}")
    answer = json.loads(reply.read_text(encoding="utf-8"))
    if answer["error"]:
        raise _fault(calls, answer["call"], answer["error"])
    samples = np.fromfile(folder / "output.f32", "<f4")
    samples = samples.reshape(answer["channels"], -1).astype(np.float32, copy=False)
    # Checked in the child too, to name the culprit; but plug-ins can scribble over its memory.
    fault = fault_of(samples, channels, frames)
    if fault:
        raise _fault(calls, answer["call"], fault)
    return samples


def _progress(folder: Path) -> tuple[int, str]:
    """Which call the child was at, and what it was doing."""
    try:
        index, _, stage = (folder / "progress").read_text().partition(" ")
        return int(index), stage
    except (OSError, ValueError):
        return 0, "starting"


def _ending(status: int) -> str:
    if status >= 0:
        return f"ended its process with status {status}"
    try:
        return f"crashed with {signal.Signals(-status).name}"
    except ValueError:
        return f"crashed with signal {-status}"


def _last_words(folder: Path) -> str:
    with (folder / "stderr").open("rb") as errors:
        errors.seek(max(0, errors.seek(0, os.SEEK_END) - 2000))
        lines = errors.read().decode(errors="replace").split("\n")
    said = [line.strip() for line in lines if line.strip()]
    return f" ({said[-1][:300]})" if said else ""


def _fault(calls: Sequence[PluginCall], index: int, what: str) -> PluginError:
    return PluginError(
        f"plug-in {calls[index].plugin.name}: {what}; "
        "--on-plugin-error skip goes on without the plug-ins"
    )
