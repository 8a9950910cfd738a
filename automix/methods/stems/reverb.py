"""The shared reverberation of the rules for stems."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from automix.analysis.loudness import EnergyMatrixMeter
from automix.analysis.tempo import Tempo
from automix.audio.streams import prefetch
from automix.consoles.exact import ExactConsole
from automix.methods.stems.advice import Advice, scale_send_db
from automix.methods.stems.processing import SENDS_DB
from automix.methods.stems.rawness import LEAST, Rawness
from automix.methods.vocal.level_balance import lufs
from automix.methods.vocal.settings import PAPER
from automix.methods.vocal.tempo_reverb import choose_reverberation_time_s
from automix.plan.roles import Role
from automix.plan.settings import Bus, EqualizerBand, EqualizerSettings, FdnReverbSettings, Send
from automix.plan.writer import PlanWriter
from automix.units import db_to_gain, gain_to_db

BUS = "reverb"


@dataclass(frozen=True, kw_only=True)
class Sender:
    """A track that is sent to the reverb."""

    role: Role
    raw: Rawness
    advice: Advice

    @property
    def send_db(self) -> float:
        """Level of the send by role, less where the track brings a space of its own."""
        return SENDS_DB[self.role] + gain_to_db(self.raw.track)

    @property
    def reason(self) -> str:
        """Why it has this level."""
        if self.raw.track >= 0.995:
            return self.role
        return f"{self.role}; × {self.raw.track:.2f}: by its width it has some space already"


def senders(
    raw: Mapping[str, Rawness], roles: Mapping[str, Role], advice: Mapping[str, Advice]
) -> dict[str, Sender]:
    """The tracks that are sent to the reverb, by name; none where the song has its spaces."""
    return {
        name: Sender(role=roles[name], raw=found, advice=advice[name])
        for name, found in raw.items()
        if roles[name] in SENDS_DB and min(found.track, found.song) >= LEAST
    }


def add_shared_reverb(
    console: ExactConsole,
    writer: PlanWriter,
    sending: Mapping[str, Sender],
    below_mix_lu: float,
    tempo: Tempo | None,
) -> None:
    """Adds the bus, the sends, and the level of the return.

    Args:
        console: Of the session.
        writer: Takes the settings and the reasons.
        sending: The tracks that send to the reverb, at least one; see `senders`.
        below_mix_lu: Loudness of the return below the mix, in a song of raw tracks.
        tempo: Of the song, if one was found.
    """
    _add_bus(writer, tempo)
    for name, sender in sending.items():
        _send(writer, name, sender.send_db, sender.reason, sender)
    meter = EnergyMatrixMeter(console.session.sample_rate, 2)
    for flow in prefetch(console.flow(writer.plan)):
        wet = flow.returns[BUS]
        meter.add(np.stack([flow.sum() - wet, wet]))
    _set_return(writer, meter, below_mix_lu, next(iter(sending.values())).raw.song)
    for name, sender in sending.items():  # the return would make up for what advice takes away
        advice = sender.advice
        if advice.processing != 1.0:
            send_db = scale_send_db(sender.send_db, advice.processing)
            reason = f"{sender.reason}; × {advice.processing:.2f} {advice.source}"
            _send(writer, name, send_db, reason, sender)


def _add_bus(writer: PlanWriter, tempo: Tempo | None) -> None:
    time_s = (
        PAPER.reverb.reverberation_time_s
        if tempo is None
        else choose_reverberation_time_s(tempo.bpm)
    )
    low_cut = EqualizerSettings(bands=(EqualizerBand(kind="high_pass", frequency_hz=200.0),))
    reverb = FdnReverbSettings(reverberation_time_s=time_s, dry_wet=1.0)
    writer.add_bus(Bus(name=BUS, pre_delay_ms=20.0, equalizer=low_cut, reverb=reverb))
    writer.decide(
        f"{BUS}.reverb.reverberation_time_s",
        time_s,
        "tempo reverb",
        "no tempo was found: the mean of published data"
        if tempo is None
        else f"RT = −T/45 + 40/9 at {tempo.bpm:.1f} BPM (measured)",
        **({} if tempo is None else {"tempo_bpm": tempo.bpm, "confidence": tempo.confidence}),
    )


def _send(writer: PlanWriter, name: str, send_db: float, reason: str, sender: Sender) -> None:
    writer.change(name, sends=(Send(bus=BUS, gain_db=send_db),))
    writer.decide(
        f"{name}.sends.1.gain_db", send_db, "send by role", reason, side_db=sender.raw.side_db
    )


def _set_return(
    writer: PlanWriter, meter: EnergyMatrixMeter, below_mix_lu: float, song: float
) -> None:
    gain_db = 0.0
    for _ in range(20):
        gain = db_to_gain(gain_db)
        mix, wet = lufs(meter.matrix, (1.0, gain)), lufs(meter.matrix, (0.0, gain))
        if not (math.isfinite(mix) and math.isfinite(wet)):
            return
        gain_db += mix - below_mix_lu - wet
    reason = f"return {below_mix_lu:g} LU below the mix (De Man et al. 2017)"
    less_db = gain_to_db(song)
    if song < 0.995:
        reason += f", and {-less_db:.1f} LU less: by its width the song is {100 * song:.0f} % raw"
    writer.set(
        BUS,
        "gain_db",
        gain_db + less_db,
        "reverb return",
        reason,
        below_mix_lu=below_mix_lu - less_db,
        rawness=song,
    )
