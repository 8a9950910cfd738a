"""Runs items on a Ray cluster: one Ray task for each item; results are files.

Every node needs automix and sees the same files under the same names.
"""

import os
import signal
import socket
from importlib import import_module
from types import TracebackType
from typing import Any, Self

from automix.errors import DeviceError, UsageError
from automix.parallel.engine import Job, Outcome, RunJob
from automix.parallel.local_engine import GRACE_S
from automix.parallel.memory import ONE_THREAD

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_REACH_S = 5.0


class RayEngine:
    """Runs items as tasks of a Ray cluster.

    Args:
        mix: Runs one item.
        address: Address of a running cluster; none starts a cluster of this machine alone.
        slots: Largest number of items at a time; none takes the processors of the cluster.

    Raises:
        UsageError: Ray is not installed.
        DeviceError: The cluster cannot be reached or started.
    """

    def __init__(self, mix: RunJob, address: str | None, slots: int | None) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            ray: Any = import_module("ray")
        except ImportError as error:
            raise UsageError(
                "--engine ray needs Ray: python -m pip install 'automix[ray]'"
            ) from error
        self._ray = ray
        own = {"num_cpus": slots, "include_dashboard": False} if address is None else {}
        handlers = {number: signal.getsignal(number) for number in _SIGNALS}
        try:
            _check_reachable(address or "")
            ray.init(
                address=address or "local",
                log_to_driver=False,
                logging_level="error",
                runtime_env={"env_vars": ONE_THREAD},
                **own,
            )
            self.slots = slots or max(1, int(ray.cluster_resources().get("CPU", 1)))
        except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            place = address or "this machine"
            raise DeviceError(f"--engine ray: no cluster at {place}: {error}") from error
        finally:  # Ray puts its own in place
            for number, handler in handlers.items():
                signal.signal(number, handler)
        self._mix = ray.remote(num_cpus=1, max_retries=0)(mix)
        self._running: dict[Any, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()
        self._ray.shutdown()

    def submit(self, task: Job) -> None:
        """Begins an item. The caller makes sure that fewer than `slots` are at work."""
        self._running[self._mix.remote(task)] = task.key

    def next_outcome(self) -> tuple[str, Outcome]:
        """Waits for any item to end and returns its key and outcome; one must be at work."""
        (ready,), _ = self._ray.wait(list(self._running), num_returns=1)
        key = self._running.pop(ready)
        try:
            outcome: Outcome = self._ray.get(ready)
        except self._ray.exceptions.RayError as error:  # its worker died, or its node
            reason = str(error).strip().splitlines()[0]
            return key, Outcome(exit_code=1, error=f"its worker died: {reason}", died=True)
        return key, outcome

    def end(self) -> None:
        """Ends what is at work within a fraction of a second; may be called from any thread."""
        running = list(self._running)
        for reference in running:
            self._ray.cancel(reference)  # raises KeyboardInterrupt there: unfinished files go
        if running:
            self._ray.wait(running, num_returns=len(running), timeout=GRACE_S)


def _check_reachable(address: str) -> None:
    """Tries the port: Ray itself takes minutes to give up, and cannot be interrupted meanwhile.

    Raises:
        OSError: Nothing answers within `_REACH_S` seconds.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal() and len(port) <= 5 and int(port) < 1 << 16:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_REACH_S).close()
