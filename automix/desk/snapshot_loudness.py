"""How loud the snapshots of a plan are, measured in the background, one after the other."""

import threading
from collections.abc import Callable, Mapping

from automix.desk.full_mix import measure_plan
from automix.desk.renders import Renders
from automix.errors import AutomixError
from automix.plan.model import MixPlan


class SnapshotLoudness:
    """Measures snapshots, so that the page can compare them at equal loudness.

    Args:
        changed: Called, in the thread that measures, when another one is known.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._condition = threading.Condition()
        self._stop = threading.Event()
        self._renders: Renders | None = None
        self._plans: dict[str, MixPlan] = {}
        self._known: list[tuple[MixPlan, float | None]] = []
        self._thread = threading.Thread(target=self._work, name="snapshots", daemon=True)
        self._thread.start()

    def follow(self, snapshots: Mapping[str, MixPlan], renders: Renders) -> None:
        """Keeps the renders of these snapshots, and lets go of those of others.

        Args:
            snapshots: Plans by their names.
            renders: The renders of their tracks.
        """
        with self._condition:
            before, self._plans = self._plans, dict(snapshots)
            if renders is not self._renders:
                before, self._known, self._renders = {}, [], renders
            for name in before.keys() - snapshots.keys():
                renders.release(name)
            for name, plan in snapshots.items():
                if before.get(name) is not plan:
                    renders.keep(name, plan)
            self._known = [known for known in self._known if self._is_wanted(known[0])]
            self._condition.notify_all()

    def find(self, plan: MixPlan) -> float | None:
        """Loudness of a snapshot in LUFS; none if it is not measured yet, or is silent."""
        with self._condition:
            return next((lufs for known, lufs in self._known if known is plan), None)

    def has_measured(self, plan: MixPlan) -> bool:
        """Whether a snapshot is measured; one that is silent or too short has no loudness then."""
        with self._condition:
            return any(known is plan for known, _ in self._known)

    def close(self) -> None:
        """Ends the work."""
        with self._condition:
            self._stop.set()
            self._condition.notify_all()
        self._thread.join()

    def _is_wanted(self, plan: MixPlan) -> bool:
        return any(plan is wanted for wanted in self._plans.values())

    def _find_next(self) -> MixPlan | None:
        known = [plan for plan, _ in self._known]
        waiting = (p for p in self._plans.values() if not any(p is other for other in known))
        return next(waiting, None)

    def _work(self) -> None:
        while True:
            with self._condition:
                while (plan := self._find_next()) is None and not self._stop.is_set():
                    self._condition.wait()
                renders = self._renders
            if self._stop.is_set() or plan is None or renders is None:
                return
            try:
                lufs = measure_plan(renders, plan, self._stop)
            except AutomixError:
                lufs = None  # the page is told by whoever renders the track
            except Exception:  # a defect in one plan; the others are measured
                lufs = None
            with self._condition:
                if self._is_wanted(plan) and renders is self._renders:
                    self._known.append((plan, lufs))
            self._changed()
