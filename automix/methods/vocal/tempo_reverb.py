"""Reverberation of the vocal, its time from the tempo of the backing."""

from dataclasses import replace

from automix.methods.vocal.hearing import HeardVocal
from automix.methods.vocal.settings import PAPER, VocalRules
from automix.plan.settings import Bus, EqualizerBand, EqualizerSettings, Send
from automix.plan.writer import PlanWriter

BUS = "vocal reverb"


def choose_reverberation_time_s(tempo_bpm: float) -> float:
    """T60 from tempo: RT = −T/45 + 40/9, 0.1…9 s (Li & Lerch eq. 1, after Moffat & Sandler)."""
    return min(max(-tempo_bpm / 45.0 + 40.0 / 9.0, 0.1), 9.0)


def add_tempo_reverb(writer: PlanWriter, name: str, backing: HeardVocal, rules: VocalRules) -> None:
    """Puts the reverb into the vocal's strip, or on a send where the rules want a return level."""
    tempo = rules.tempo_bpm or (backing.tempo.bpm if backing.tempo else None)
    time_s = (
        PAPER.reverb.reverberation_time_s if tempo is None else choose_reverberation_time_s(tempo)
    )
    reverb = replace(rules.reverb, reverberation_time_s=time_s)
    if rules.return_below_mix_lu is None:
        path = f"{name}.reverb"
        writer.change(name, reverb=reverb)
    else:
        path = f"{BUS}.reverb"
        low_cut = EqualizerBand(kind="high_pass", frequency_hz=rules.return_low_cut_hz)
        bus = Bus(
            name=BUS,
            pre_delay_ms=rules.pre_delay_ms,
            equalizer=EqualizerSettings(bands=(low_cut,)),
            reverb=reverb,
        )
        writer.add_bus(bus)
        writer.change(name, sends=(Send(bus=BUS),))
    if tempo is None:
        reason = "no tempo was found: the mean of the paper's data"
        writer.warn("no tempo found in the backing: reverberation time 1.595 s; give --tempo")
        figures = {}
    else:
        source = "given" if rules.tempo_bpm else "measured"
        reason = f"RT = −T/45 + 40/9 at {tempo:.1f} BPM ({source})"
        figures = {"tempo_bpm": tempo}
        if backing.tempo and not rules.tempo_bpm:
            figures["confidence"] = backing.tempo.confidence
    writer.decide(f"{path}.reverberation_time_s", time_s, "tempo reverb", reason, **figures)
    constants = "mean of the paper's data" if rules.return_below_mix_lu is None else "constant"
    for field in ("dry_wet", "fade_in_time_s", "room_size"):
        writer.decide(f"{path}.{field}", getattr(reverb, field), "tempo reverb", constants)
