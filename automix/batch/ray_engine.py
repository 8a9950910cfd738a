"""The processes of a batch on a Ray cluster: one task per item, results are files.

Every node needs automix and sees the same files under the same names.
"""

import os
import signal
from importlib import import_module
from types import TracebackType
from typing import Any, Self

from automix.batch.process import Children, Outcome, Task
from automix.errors import DeviceError, UsageError

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_task(task: Task) -> Outcome:
    """Runs a task in a worker of the cluster; its process ends when the worker does."""
    return Children().run(task)


class RayEngine:
    """Processes of a Ray cluster.

    Args:
        address: Of a running cluster; without one, a cluster of this machine is started.
        slots: How many items at a time; as many as the cluster has cores unless given.

    Raises:
        UsageError: Ray is not installed.
        DeviceError: The cluster cannot be reached or started.
    """

    def __init__(self, address: str | None, slots: int | None) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        handlers = {number: signal.getsignal(number) for number in _SIGNALS}
        try:
            ray: Any = import_module("ray")
        except ImportError as error:
            raise UsageError(
                "--engine ray needs Ray: python -m pip install 'automix[ray]'"
            ) from error
        self._ray = ray
        local = {"num_cpus": slots, "include_dashboard": False} if address is None else {}
        try:
            ray.init(
                address=address or "local", log_to_driver=False, logging_level="error", **local
            )
            self.slots = slots or max(1, int(ray.cluster_resources().get("CPU", 1)))
        except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            raise DeviceError(
                f"--engine ray: no cluster at {address or 'this machine'}: {error}"
            ) from error
        finally:  # Ray puts its own in place
            for number, handler in handlers.items():
                signal.signal(number, handler)
        self._remote = ray.remote(num_cpus=1, max_retries=0)(run_task)
        self._running: dict[Any, Task] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()

    def submit(self, task: Task) -> None:
        """Starts a task; at most `slots` are at work."""
        self._running[self._remote.remote(task)] = task

    def next_outcome(self) -> Outcome:
        """Waits for any task to end; at least one is at work."""
        (ready,), _ = self._ray.wait(list(self._running), num_returns=1)
        task = self._running.pop(ready)
        try:
            outcome: Outcome = self._ray.get(ready)
        except self._ray.exceptions.RayError as error:  # its worker died, or its node
            reason = str(error).strip().splitlines()[0]
            return Outcome(key=task.key, exit_code=1, crashed=True, error=f"Ray: {reason}")
        return outcome

    def end(self) -> None:
        """Ends what is at work: workers die, and the processes of dead workers too."""
        for reference in self._running:
            self._ray.cancel(reference, force=True)
        self._ray.shutdown()
