"""The vocal networks as a method: equalization → compression → reverb → level (Li & Lerch III-C).

Each network hears the vocal as the stage before left it. What it says becomes settings by the same
procedures as the rules use, and the rules decide where a network is not wanted or not there.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from automix.audio.samples import AudioSource, Samples
from automix.audio.streams import Stream
from automix.consoles.exact import ExactConsole
from automix.methods.conditions import report_conditions
from automix.methods.vocal.cnn_reverb import HeardReverb, add_what_is_missing, apply_reverb
from automix.methods.vocal.cnn_settings import VocalNetworks
from automix.methods.vocal.cnn_weights import LoadedNetwork, Networks, open_networks
from automix.methods.vocal.hearing import HeardVocal, hear
from automix.methods.vocal.rules import (
    energies,
    filter_rumble,
    in_hz,
    set_compressor,
    set_de_esser,
    set_equalizer,
    set_levels,
)
from automix.methods.vocal.settings import VocalRules
from automix.methods.vocal.tempo_reverb import BUS, add_tempo_reverb
from automix.networks.vocal_cnn_description import BAND_Q, BANDS_HZ, CHANGED_BANDS, REVERB_FIELDS
from automix.networks.vocal_mel import MelFrames, measure_spectra, pair_spectra, use_one_thread
from automix.parallel.workers import Workers
from automix.plan.settings import EqualizerBand
from automix.plan.writer import PlanWriter


def write_plan(console: ExactConsole, writer: PlanWriter, rules: VocalRules) -> None:
    """Lets the networks write the plan, stage by stage.

    Those that ship decide all stages, unless the rules are `VocalNetworks` and say otherwise.

    Raises:
        DeviceError: The weights or the device cannot be used.
    """
    chosen = rules if isinstance(rules, VocalNetworks) else VocalNetworks.over(rules)
    with use_one_thread():
        _write_plan(console, writer, chosen)


def _write_plan(console: ExactConsole, writer: PlanWriter, options: VocalNetworks) -> None:
    networks = open_networks(options)
    for note in networks.notes:
        writer.warn(note)
    _remember(writer, networks)
    session = console.session
    with Workers(2) as workers:
        spectra = workers.start(measure_spectra, session.with_role("backing track").source)
        vocal, backing = hear(session, options)
        under = spectra()
    name = session.with_role("lead vocal").name
    backing_name = session.with_role("backing track").name
    report_conditions(writer, {name: vocal.conditions, backing_name: backing.conditions})
    if vocal.conditions.silent:
        return
    stages = _Stages(console, writer, name, under, options)
    stages.equalize(networks.get("equalization"), vocal, backing)
    if options.de_ess:
        set_de_esser(writer, name, vocal)
    stages.compress(networks.get("compression"))
    stages.reverberate(networks.get("reverb"), backing)
    stages.balance(networks.get("level"))


def _remember(writer: PlanWriter, networks: Networks) -> None:
    """Puts one hash of all weights into the plan."""
    told = "".join(networks[task].sha256 for task in sorted(networks))
    if told:
        writer.plan = replace(writer.plan, weights=hashlib.sha256(told.encode()).hexdigest())


class _Stages:
    """The four stages of one vocal.

    Args:
        console: Listens.
        writer: Takes the settings.
        name: Of the vocal's track.
        under: Spectra of the backing.
        options: Constants.
    """

    def __init__(
        self,
        console: ExactConsole,
        writer: PlanWriter,
        name: str,
        under: MelFrames,
        options: VocalNetworks,
    ) -> None:
        self._console = console
        self._writer = writer
        self._name = name
        self._under = under
        self._options = options

    def _said(
        self, network: LoadedNetwork | None, source: AudioSource | None = None
    ) -> list[float]:
        """What a network says of the vocal so far; nothing where the rules are to decide."""
        if network is None:
            return []
        strip = self._writer.plan.strip(self._name)
        heard = source or self._console.inserted(strip, self._writer.plan.pan_law)
        try:
            return network.predict(pair_spectra(measure_spectra(heard), self._under))
        except ValueError:
            self._writer.warn(f"{network.name} hears no vocal above its gate: the rules decide")
            return []

    def equalize(
        self, network: LoadedNetwork | None, vocal: HeardVocal, backing: HeardVocal
    ) -> None:
        """Undoes the four largest of the gains that the network hears as damage."""
        heard_db = self._said(network)
        if network is None or not heard_db:
            set_equalizer(self._writer, self._name, vocal, backing, self._options)
            return
        filter_rumble(self._writer, self._name, self._options)
        order = sorted(range(len(heard_db)), key=lambda band: -abs(heard_db[band]))
        nyquist_hz = self._console.session.sample_rate / 2.0
        for band in sorted(order[:CHANGED_BANDS]):
            center_hz, gain_db = BANDS_HZ[band], -heard_db[band]
            if abs(gain_db) < max(self._options.filter_floor_db, 1e-3) or center_hz >= nyquist_hz:
                continue
            path = self._writer.add_band(
                self._name, EqualizerBand(frequency_hz=center_hz, gain_db=gain_db, q=BAND_Q)
            )
            self._writer.decide(
                f"{path}.gain_db",
                gain_db,
                network.name,
                f"the network hears the {in_hz(center_hz)} band {heard_db[band]:+.1f} dB off; the"
                " inverse is applied",
                center_hz=center_hz,
                heard_db=heard_db[band],
            )

    def compress(self, network: LoadedNetwork | None) -> None:
        """Compresses to the loudness range that the network predicts."""
        said = self._said(network)
        if network is None or not said:
            set_compressor(self._console, self._writer, self._name, self._options)
            return
        wanted = replace(self._options, loudness_range_below_lu=said[0])
        set_compressor(self._console, self._writer, self._name, wanted, network.name)

    def reverberate(self, network: LoadedNetwork | None, backing: HeardVocal) -> None:
        """Adds the reverb that the network finds missing, or the one that it wants."""
        said = self._said(network)
        if network is None or not said:
            add_tempo_reverb(self._writer, self._name, backing, self._options)
            return
        heard = HeardReverb(
            network=network.name, values=dict(zip(REVERB_FIELDS, said, strict=True))
        )
        if self._options.reverb_reading == "wanted":
            apply_reverb(self._writer, self._name, heard)
            self._options = replace(self._options, return_below_mix_lu=None)
        else:
            self._options = add_what_is_missing(
                self._writer, self._name, backing, self._options, heard
            )

    def balance(self, network: LoadedNetwork | None) -> None:
        """Sets the level that the network predicts from the vocal with its reverb."""
        matrix = energies(self._console, self._writer, self._name)
        level = (self._console, self._writer, self._name)
        before = self._writer.plan
        set_levels(*level, self._options, matrix)
        if network is None or "fader_db" not in _find_decided_settings(self._writer, self._name):
            return
        said = self._said(network, self._mixed_vocal())
        if not said:
            return
        self._writer.plan = before
        wanted = replace(self._options, relative_loudness_lu=said[0])
        set_levels(*level, wanted, matrix, network.name)

    def _mixed_vocal(self) -> Stream:
        """The vocal and its reverb at their levels in the mix so far."""
        plan = self._writer.plan

        def blocks() -> Iterator[Samples]:
            for flow in self._console.flow(plan):
                wet = flow.returns.get(BUS, 0.0)
                yield np.asarray(flow.channels[self._name] + wet, np.float32)

        return Stream(
            sample_rate=self._console.session.sample_rate,
            channels=2,
            frames=self._console.frames(plan),
            make_blocks=blocks,
        )


def _find_decided_settings(writer: PlanWriter, name: str) -> set[str]:
    """Which settings of the strip were decided with figures behind them."""
    return {
        decision.setting.removeprefix(f"{name}.")
        for decision in writer.plan.decisions
        if decision.figures
    }
