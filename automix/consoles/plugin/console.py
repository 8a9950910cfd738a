"""The console of real plug-ins: IEM MultiEQ, OmniCompressor and FdnReverb, where they serve.

Gains, pan, de-esser, pre-delay and sums stay those of the exact console.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from automix.audio.blocks import collect
from automix.audio.samples import Audio, AudioSource, Samples
from automix.consoles.exact import Block, ExactConsole, Processor, inserts_of, reverb_tail_frames
from automix.consoles.plugin.host import DEFAULT_LOADER, process
from automix.consoles.plugin.mapping import (
    FDN_REVERB,
    MULTI_EQ,
    OMNI_COMPRESSOR,
    PluginCall,
    Value,
    fdn_reverb,
    find_plugins,
    multi_eq,
    omni_compressor,
)
from automix.dsp.de_esser import DeEsser
from automix.dsp.equalizer import band_is_active
from automix.dsp.pan import pan_gains
from automix.errors import PluginError
from automix.plan.model import Bus, ChannelStrip, MixPlan, PanLaw
from automix.plan.settings import (
    CompressorSettings,
    DeEsserSettings,
    EqualizerSettings,
    FdnReverbSettings,
)
from automix.session.tracks import Session
from automix.units import db_to_gain, ms_to_samples

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

    def returns(self, plan: MixPlan) -> Mapping[str, Processor]:
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
        if strip.space.wet > 0.0 or strip.order != "ecr":
            raise PluginError(f"no plug-in stands for the space or the order; {_SKIP}")
        plain = replace(
            strip,
            equalizer=EqualizerSettings(),
            de_esser=DeEsserSettings(),
            compressor=CompressorSettings(),
            reverb=FdnReverbSettings(),
        )
        audio = collect(super().inserted(plain, pan_law))
        samples = audio.samples
        if any(band_is_active(band) for band in strip.equalizer.bands):
            samples = self._run([(MULTI_EQ, multi_eq(strip.equalizer))], samples)
        if strip.de_esser.max_reduction_db > 0.0:
            de_esser = DeEsser(strip.de_esser, audio.sample_rate, len(samples))
            samples = de_esser.process(samples.astype(np.float64)).astype(np.float32)
        calls = []
        if strip.compressor != CompressorSettings():
            calls.append((OMNI_COMPRESSOR, omni_compressor(strip.compressor)))
        if strip.reverb.dry_wet > 0.0:
            calls.append((FDN_REVERB, fdn_reverb(strip.reverb)))
            tail = reverb_tail_frames(strip.reverb, audio.sample_rate)
            samples = np.pad(samples, ((0, 0), (0, tail)))
            if len(samples) == 1:
                samples = np.repeat(samples, 2, axis=0)
        samples = self._run(calls, samples)
        if len(samples) > audio.channels:  # after the compressor, which is not to see this level
            samples = samples * np.float32(pan_gains(0.5, pan_law)[0])
        return Audio(samples, audio.sample_rate)

    def _through_bus(self, bus: Bus, feed: list[Block]) -> Processor:
        """As `Return`: the network is fed on one line, and its pass-through faded out."""
        if bus.space.wet > 0.0:
            raise PluginError(f"no plug-in stands for the space; {_SKIP}")
        folded = np.concatenate([block.mean(axis=0) for block in feed])
        delay = ms_to_samples(bus.pre_delay_ms, self.session.sample_rate)
        samples = np.zeros((2, len(folded)), np.float32)
        samples[0, delay:] = folded[: max(0, len(folded) - delay)]
        fade_in_time_s = max(bus.reverb.fade_in_time_s, _SHORTEST_FADE_IN_S)
        reverb = replace(bus.reverb, dry_wet=1.0, fade_in_time_s=fade_in_time_s)
        calls = [(FDN_REVERB, fdn_reverb(reverb))]
        if any(band_is_active(band) for band in bus.equalizer.bands):
            calls.insert(0, (MULTI_EQ, multi_eq(bus.equalizer)))
        return _Replay(self._run(calls, samples) * np.float32(db_to_gain(bus.gain_db)))

    def _run(self, calls: list[tuple[str, dict[str, Value]]], samples: Samples) -> Samples:
        if not calls:
            return samples
        return process(
            [PluginCall(self._plugins[name], settings) for name, settings in calls],
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
