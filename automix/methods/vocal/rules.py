"""Rule-based vocal mixing: equalization → compression → reverberation → level balance.

Li & Lerch, section III; the rules themselves are pure functions in the modules beside this one.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from automix.analysis.loudness import EnergyMatrixMeter, LoudnessMeter, loudness_range_lu
from automix.analysis.octave_bands import band_levels_db
from automix.audio.samples import AudioSource
from automix.audio.streams import prefetch
from automix.consoles.exact import ExactConsole
from automix.methods.conditions import report_conditions
from automix.methods.vocal.compression_search import CompressionFinding, find_compression, ladder
from automix.methods.vocal.compressor_ladder import CompressorLadder
from automix.methods.vocal.hearing import HeardVocal, hear, singing
from automix.methods.vocal.level_balance import vocal_gains
from automix.methods.vocal.settings import VocalRules
from automix.methods.vocal.tempo_reverb import BUS, add_tempo_reverb
from automix.methods.vocal.unmasking import BandFinding, essential, find_masking
from automix.plan.settings import CompressorSettings, DeEsserSettings, EqualizerBand
from automix.plan.writer import PlanWriter
from automix.units import db_to_gain, gain_to_db, power_to_db

NORMALIZED_PEAK_DB = -1.0
SHORTEST_S = 0.4
"""One block of the loudness meter; what is shorter has no loudness to balance by."""


def write_plan(console: ExactConsole, writer: PlanWriter, rules: VocalRules) -> None:
    """Listens to a vocal and its backing and writes the plan.

    Args:
        console: Of a session with one lead vocal and one backing track.
        writer: Takes the settings and the reasons.
        rules: Constants.
    """
    session = console.session
    vocal, backing = hear(session, rules)
    name = session.with_role("lead vocal").name
    backing_name = session.with_role("backing track").name
    report_conditions(writer, {name: vocal.conditions, backing_name: backing.conditions})
    if vocal.conditions.silent:
        return
    set_equalizer(writer, name, vocal, backing, rules)
    if rules.de_ess:
        set_de_esser(writer, name, vocal)
    set_compressor(console, writer, name, rules)
    add_tempo_reverb(writer, name, backing, rules)
    balance(console, writer, name, rules)


def set_equalizer(
    writer: PlanWriter, name: str, vocal: HeardVocal, backing: HeardVocal, rules: VocalRules
) -> None:
    """Boosts and cuts where vocal and backing mask each other; see `unmasking`."""
    gate = singing(vocal)
    whole = gate if rules.compare_while_singing else np.ones_like(gate)
    findings = find_masking(
        vocal.centers_hz,
        band_levels_db(vocal.bands, gate),
        band_levels_db(backing.bands, whole),
        essential(band_levels_db(vocal.weighted_bands, gate), rules.essential_vocal_bands),
        essential(band_levels_db(backing.weighted_bands, whole), rules.essential_backing_bands),
        limit_db=rules.filter_limit_db,
        filters=rules.filters,
    )
    filter_rumble(writer, name, rules)
    for finding in findings:
        if finding.gain_db != 0.0 and abs(finding.gain_db) >= rules.filter_floor_db:
            _add_filter(writer, name, finding, rules)
    if not any(band.kind == "peak" for band in writer.plan.strip(name).equalizer.bands):
        writer.decide(
            f"{name}.equalizer",
            0.0,
            "unmasking",
            "no filter: no band is essential for one and masked by the other",
            bands=len(findings),
        )


def filter_rumble(writer: PlanWriter, name: str, rules: VocalRules) -> None:
    """Adds the high pass, where the rules want one."""
    if rules.high_pass_hz is not None:
        band = EqualizerBand(kind="high_pass", frequency_hz=rules.high_pass_hz)
        path = writer.add_band(name, band)
        writer.decide(
            f"{path}.frequency_hz", rules.high_pass_hz, "rumble filter", "below any sung note"
        )


def _add_filter(writer: PlanWriter, name: str, finding: BandFinding, rules: VocalRules) -> None:
    band = EqualizerBand(frequency_hz=finding.center_hz, gain_db=finding.gain_db, q=rules.filter_q)
    path = writer.add_band(name, band)
    verdict = (
        "essential for the vocal, masked by the backing"
        if finding.verdict == "maskee"
        else "essential for the backing, masked by the vocal"
    )
    writer.decide(
        f"{path}.gain_db",
        finding.gain_db,
        "unmasking",
        f"{in_hz(finding.center_hz)} band: {verdict} (difference {finding.difference_db:+.1f} dB)",
        center_hz=finding.center_hz,
        vocal_db=finding.vocal_db,
        backing_db=finding.backing_db,
        difference_db=finding.difference_db,
    )


def in_hz(frequency_hz: float) -> str:
    """A frequency for people."""
    return f"{frequency_hz / 1000:g} kHz" if frequency_hz >= 1000 else f"{frequency_hz:g} Hz"


UNOBTRUSIVE_SIBILANCE_DB = -12.0
"""Treble of the most sibilant twentieth of a voice, relative to its mean power."""


def set_de_esser(writer: PlanWriter, name: str, vocal: HeardVocal) -> None:
    """Turns sibilance down as far as it stands out."""
    treble = [band for band, center in enumerate(vocal.centers_hz) if center >= 8000]
    sung = singing(vocal)
    if not treble or not sung.any():
        return
    sibilants = float(np.percentile(vocal.bands[sung][:, treble].sum(axis=1), 95))
    sibilance_db = power_to_db(sibilants / float(vocal.power[sung].mean()))
    # Half of what stands out, 4 dB at most: a voice that lisps is worse than one that hisses.
    reduction_db = float(np.clip((sibilance_db - UNOBTRUSIVE_SIBILANCE_DB) / 2, 0.0, 4.0))
    if reduction_db > 0.0:
        writer.change(name, de_esser=DeEsserSettings(max_reduction_db=reduction_db))
    writer.decide(
        f"{name}.de_esser.max_reduction_db",
        reduction_db,
        "de-essing",
        f"sibilants {sibilance_db:.1f} dB, unobtrusive up to {UNOBTRUSIVE_SIBILANCE_DB:g} dB",
        sibilance_db=sibilance_db,
        unobtrusive_db=UNOBTRUSIVE_SIBILANCE_DB,
    )


def set_compressor(
    console: ExactConsole,
    writer: PlanWriter,
    name: str,
    rules: VocalRules,
    rule: str = "loudness range",
) -> None:
    """Compresses until the loudness range is below that of the rules; ``rule`` is told as why."""
    equalized, before = normalize_peak(console, writer, name, rules.loudness_range_window_s)
    # The gain that was really set: a very quiet recording may need more than there is.
    gain = db_to_gain(writer.plan.strip(name).input_gain_db)
    rungs = CompressorLadder(ladder(), equalized.sample_rate, equalized.channels, equalized.frames)
    if before >= rules.loudness_range_below_lu:
        for block in equalized.blocks():
            rungs.add(gain * block.astype(np.float64))
    window = rules.loudness_range_window_s

    def measure(settings: CompressorSettings) -> float:
        strip = replace(writer.plan.strip(name), compressor=settings)
        return _peak_and_range(console.inserted(strip, writer.plan.pan_law), window)[1]

    finding = find_compression(
        before,
        [loudness_range_lu(energies, window) for energies in rungs.energies],
        measure,
        rules.loudness_range_below_lu,
    )
    _record_compression(writer, name, finding, rules, rule)


def normalize_peak(
    console: ExactConsole, writer: PlanWriter, name: str, window_s: float = 3.0
) -> tuple[AudioSource, float]:
    """Sets the input gain that brings the vocal's peak before its compressor to −1 dBFS.

    Returns:
        The vocal before that gain, and its loudness range in LU over windows of ``window_s``.
    """
    source = console.inserted(writer.plan.strip(name), writer.plan.pan_law)
    peak, range_lu = _peak_and_range(source, window_s)
    writer.set(
        name,
        "input_gain_db",
        NORMALIZED_PEAK_DB - gain_to_db(peak),
        "peak normalization",
        "peak before the compressor at −1 dBFS, so that its threshold means something",
        peak_db=gain_to_db(peak),
    )
    return source, range_lu


def _record_compression(
    writer: PlanWriter, name: str, finding: CompressionFinding, rules: VocalRules, rule: str
) -> None:
    if finding.step:
        writer.change(name, compressor=finding.settings)
    reason = f"loudness range {finding.before_lu:.2f} LU is below the target already"
    if finding.step:
        reason = f"loudness range {finding.before_lu:.2f} → {finding.after_lu:.2f} LU, " + (
            f"below {rules.loudness_range_below_lu:g} after {finding.step} steps"
            if finding.reached
            else f"not below {rules.loudness_range_below_lu:g} at the last step"
        )
    figures = {
        "loudness_range_before_lu": finding.before_lu,
        "loudness_range_after_lu": finding.after_lu,
        "target_below_lu": rules.loudness_range_below_lu,
        "window_s": rules.loudness_range_window_s,
    }
    settings = finding.settings
    path = f"{name}.compressor"
    writer.decide(f"{path}.threshold_db", settings.threshold_db, rule, reason, **figures)
    if finding.step:
        writer.decide(f"{path}.ratio", settings.ratio, rule, reason, **figures)
        writer.decide(f"{path}.attack_ms", settings.attack_ms, rule, "constant of the paper")
        writer.decide(f"{path}.release_ms", settings.release_ms, rule, "constant of the paper")


def _peak_and_range(source: AudioSource, window_s: float) -> tuple[float, float]:
    meter = LoudnessMeter(source.sample_rate, source.channels)
    peak = 0.0
    for block in source.blocks():
        meter.add(block)
        peak = max(peak, float(np.abs(block).max(initial=0.0)))
    return peak, loudness_range_lu(meter.energies, window_s)


def balance(console: ExactConsole, writer: PlanWriter, name: str, rules: VocalRules) -> None:
    """Sets the fader, and the return of the reverb send if there is one, by measured loudness."""
    set_levels(console, writer, name, rules, energies(console, writer, name))


def energies(console: ExactConsole, writer: PlanWriter, name: str) -> NDArray[np.float64]:
    """Cross energies ``(hops, 3, 3)`` of vocal, reverb return and backing, as the plan is now."""
    meter = EnergyMatrixMeter(console.session.sample_rate, 3)
    backing_name = console.session.with_role("backing track").name
    for flow in prefetch(console.flow(writer.plan)):
        vocal, backing = flow.channels[name], flow.channels[backing_name]
        wet = flow.returns.get(BUS, np.zeros_like(vocal))
        meter.add(np.stack([vocal, wet, backing]))
    return meter.matrix


def set_levels(
    console: ExactConsole,
    writer: PlanWriter,
    name: str,
    rules: VocalRules,
    matrix: NDArray[np.float64],
    rule: str = "level balance",
) -> None:
    """The same from `energies` at a fader and a return gain of 0 dB; ``rule`` is told as why."""
    try:
        if console.session.frames < SHORTEST_S * console.session.sample_rate:
            raise ValueError("too short for the meter")
        gain, wet_gain = vocal_gains(matrix, rules.relative_loudness_lu, rules.return_below_mix_lu)
    except ValueError:
        writer.warn("vocal or backing is silent or under 0.4 s: levels are left as they are")
        undo_db = -writer.plan.strip(name).input_gain_db
        writer.set(name, "fader_db", undo_db, "level", "undoes the peak normalization")
        return
    writer.set(
        name,
        "fader_db",
        gain_to_db(gain),
        rule,
        f"vocal with its reverb {rules.relative_loudness_lu:+.2f} LU against the backing",
        relative_loudness_lu=rules.relative_loudness_lu,
    )
    if wet_gain > 0.0 and rules.return_below_mix_lu is not None:
        writer.set(
            BUS,
            "gain_db",
            gain_to_db(wet_gain),
            "reverb return",
            f"return {rules.return_below_mix_lu:g} LU below the mix (De Man et al. 2017)",
            below_mix_lu=rules.return_below_mix_lu,
        )
