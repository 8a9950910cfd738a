"""The console of real plug-ins: IEM MultiEQ, OmniCompressor and FdnReverb, where they serve.

Gains, pan, pre-delay, sums, and processors without a plug-in, such as the de-esser, stay those of
the exact console.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

from automix.audio.blocks import collect
from automix.audio.samples import Audio, AudioSource, Samples
from automix.consoles.exact import Block, ExactConsole, inserts_of
from automix.consoles.plugin.host import DEFAULT_LOADER, process
from automix.consoles.plugin.mapping import PluginCall, find_plugins
from automix.dsp.pan import pan_gains
from automix.dsp.processors import (
    REVERB,
    Place,
    Plugin,
    Processor,
    Stage,
    active_at,
    active_inserts,
    load,
    neutral_inserts,
    reverb_of,
)
from automix.dsp.rides import Curve, open_line
from automix.errors import PluginError
from automix.plan.model import MixPlan, PanLaw
from automix.plan.settings import Bus, ChannelStrip, ProcessorSettings
from automix.session.tracks import Session
from automix.units import db_to_gain, ms_to_samples, seconds_to_samples

__all__ = ["PluginConsole", "find_plugins"]

Result = TypeVar("Result")
_SKIP = "--on-plugin-error skip renders it with the built-in processors"

_SHORTEST_FADE_IN_S = 0.01
"""Step of the plug-in: subtracts a network that ends at once, and with it the pass-through."""


class PluginConsole(ExactConsole):
    """Renders equalizers, compressors and reverbs through plug-ins, in child processes.

    Args:
        session: The tracks; they are rendered whole, in memory.
        plugins: Path of each plug-in by name, see `find_plugins`.
        skip_errors: Fall back to the built-in processors of a strip or bus whose plug-in fails,
            with a warning, instead of raising.
        loader: See `plugin_host.process`.
        time_limit_s: For one strip or bus; by default a minute and twice the session's length.
    """

    def __init__(
        self,
        session: Session,
        plugins: Mapping[str, Path],
        *,
        skip_errors: bool = False,
        loader: str = DEFAULT_LOADER,
        time_limit_s: float | None = None,
    ) -> None:
        super().__init__(session)
        self._plugins = plugins
        self._skip_errors = skip_errors
        self._loader = loader
        self._time_limit_s = time_limit_s or 60.0 + 2.0 * session.frames / session.sample_rate
        self._rendered: dict[tuple[ChannelStrip, PanLaw], AudioSource] = {}

    def inserted(self, strip: ChannelStrip, pan_law: PanLaw) -> AudioSource:
        """See `ExactConsole.inserted`."""
        inserts = inserts_of(strip)
        if (inserts, pan_law) not in self._rendered:
            self._rendered[inserts, pan_law] = self._attempt(
                strip.name,
                lambda: self._through_strip(inserts, pan_law),
                lambda: super(PluginConsole, self).inserted(strip, pan_law),
            )
        return self._rendered[inserts, pan_law]

    def returns(self, plan: MixPlan) -> Mapping[str, Stage]:
        """See `ExactConsole.returns`; what is sent to a bus is gathered first."""
        if not plan.buses:
            return {}
        gathered: dict[str, list[Block]] = {bus.name: [] for bus in plan.buses}
        for _, feeds in self.fed(plan):
            for name, feed in feeds.items():
                gathered[name].append(feed)
        built_in = super().returns(plan)
        return {
            bus.name: self._attempt(
                bus.name,
                lambda bus=bus: self._through_bus(bus, gathered[bus.name]),  # type: ignore[misc]
                lambda bus=bus: built_in[bus.name],  # type: ignore[misc]
            )
            for bus in plan.buses
        }

    def _attempt(
        self, name: str, plugin: Callable[[], Result], built_in: Callable[[], Result]
    ) -> Result:
        try:
            return plugin()
        except PluginError as error:
            if not self._skip_errors:
                raise
            warning = f"{name}: {error}; the built-in processors were used"
            if warning not in self.warnings:  # every pass renders the buses again
                self.warnings.append(warning)
            return built_in()

    def _through_strip(self, strip: ChannelStrip, pan_law: PanLaw) -> AudioSource:
        refused = [f"the {r.title}" for r in active_inserts(strip) if r.plugin == "refused"]
        refused += ["the order"] if strip.order != "ecr" else []
        if refused:
            raise PluginError(f"no plug-in stands for {' or '.join(refused)}; {_SKIP}")
        plain = replace(strip, **cast(dict[str, Any], neutral_inserts()))
        audio = collect(super().inserted(plain, pan_law))
        samples = audio.samples
        places: tuple[tuple[Place, ...], ...] = (("before",), ("e",), ("c", "r"), ("after",))
        for together in places:
            samples = self._through_inserts(active_at(strip, *together), strip, samples)
        if len(samples) > audio.channels:  # after the compressor, which is not to see this level
            samples = samples * np.float32(pan_gains(0.5, pan_law)[0])
        return Audio(samples, audio.sample_rate)

    def _through_inserts(
        self, rows: list[Processor], strip: ChannelStrip, samples: Samples
    ) -> Samples:
        """Some processors of a strip in a row; those without a plug-in are the exact ones."""
        rate = self.session.sample_rate
        tail = sum(seconds_to_samples(row.tail_s(strip), rate) for row in rows)
        samples = np.pad(samples, ((0, 0), (0, tail))) if tail else samples
        if len(samples) == 1 and any(row.makes_stereo for row in rows):
            samples = np.repeat(samples, 2, axis=0)
        calls: list[tuple[Plugin, ProcessorSettings]] = []
        for row in rows:
            if isinstance(row.plugin, Plugin):
                calls.append((row.plugin, row.of(strip)))
                continue
            samples, calls = self._run(calls, samples), []
            stage = row.make(strip, rate, len(samples))
            latency = row.latency_frames(strip, rate)
            late = np.pad(samples, ((0, 0), (0, latency))).astype(np.float64)
            samples = stage.process(late)[:, latency:].astype(np.float32)
        return self._run(calls, samples)

    def _through_bus(self, bus: Bus, feed: list[Block]) -> Stage:
        """As `Return`: the network is fed on one line, and its pass-through faded out."""
        before, reverb_row = active_at(bus, "before"), reverb_of(bus)
        # A gain curve must be there for the stems, and a plug-in does not tell its own.
        refused = [
            row for row in before if not isinstance(row.plugin, Plugin) or row.master == "gain"
        ]
        refused += [reverb_row] if reverb_row not in (None, REVERB) else []
        refused += active_at(bus, "after")
        titles = [f"the {row.title}" for row in refused if row is not None]
        titles += ["the two sides"] if reverb_row is None else []
        if titles:
            raise PluginError(f"no plug-in stands for {' or '.join(titles)} of a bus; {_SKIP}")
        folded = np.concatenate([block.mean(axis=0) for block in feed])
        delay = ms_to_samples(bus.pre_delay_ms, self.session.sample_rate)
        samples = np.zeros((2, len(folded)), np.float32)
        samples[0, delay:] = folded[: max(0, len(folded) - delay)]
        fade_in_time_s = max(bus.reverb.fade_in_time_s, _SHORTEST_FADE_IN_S)
        reverb = replace(bus.reverb, dry_wet=1.0, fade_in_time_s=fade_in_time_s)
        calls = [(row.plugin, row.of(bus)) for row in before if isinstance(row.plugin, Plugin)]
        calls.append((cast(Plugin, REVERB.plugin), reverb))
        gain: Curve = db_to_gain(bus.gain_db)
        line = open_line(bus.rides, "gain_db", self.session.sample_rate)
        if line is not None:
            gain = gain * line.next_gains(samples.shape[1])
        return _Replay(self._run(calls, samples) * np.float32(gain))

    def _run(self, calls: list[tuple[Plugin, ProcessorSettings]], samples: Samples) -> Samples:
        if not calls:
            return samples
        return process(
            [
                PluginCall(self._plugins[plugin.name], load(plugin.parameters)(settings))
                for plugin, settings in calls
            ],
            samples,
            self.session.sample_rate,
            time_limit_s=self._time_limit_s,
            loader=self._loader,
        )


class _Replay:
    """Gives a finished return out block by block."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        self._position = 0

    def process(self, block: Block) -> Block:
        """The next block, as long as the one that is sent."""
        start, self._position = self._position, self._position + block.shape[1]
        return self._samples[:, start : self._position].astype(np.float64)
