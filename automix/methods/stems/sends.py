"""The buses of the rules for stems: reverb, room and delay, and parallel compression of the drums.

All of their levels are found at once: the mix is rendered with every return at unity, the energies
of the returns and of the dry tracks are measured, and the gains follow from them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from automix.analysis.loudness import EnergyMatrixMeter
from automix.analysis.tempo import Tempo
from automix.audio.streams import prefetch
from automix.consoles.exact import ExactConsole
from automix.methods.stems.advice import Advice, scale_send_db
from automix.methods.stems.rawness import LEAST, Rawness
from automix.methods.stems.settings import StemsRules
from automix.methods.vocal.level_balance import lufs
from automix.methods.vocal.settings import PAPER
from automix.methods.vocal.tempo_reverb import choose_reverberation_time_s
from automix.plan.address import change_setting, look_up
from automix.plan.roles import Role
from automix.plan.settings import (
    Bus,
    CompressorSettings,
    DelaySettings,
    EqualizerBand,
    EqualizerSettings,
    FdnReverbSettings,
    Send,
    SpaceSettings,
)
from automix.plan.writer import PlanWriter
from automix.units import db_to_gain, gain_to_db

REVERB, ROOM, DELAY, PARALLEL = "reverb", "room", "delay", "drum compression"
"""What the buses are, and their names where no track has these."""

SENDS_DB: dict[str, dict[Role, float]] = {
    REVERB: {
        "lead vocal": 0.0, "backing vocal": 2.0, "snare": -9.0,
        "strings": -2.0, "brass": -3.0, "woodwind": -3.0,
        "acoustic guitar": -4.0, "electric guitar": -7.0, "guitar": -6.0,
        "keys": -4.0, "piano": -4.0, "organ": -5.0, "synth": -6.0, "pad": -4.0, "other": -8.0,
    },
    ROOM: {
        "snare": 0.0, "tom": 0.0, "drums": -6.0, "percussion": -3.0, "kick": -10.0,
        "overheads": -6.0, "electric guitar": -8.0, "guitar": -8.0,
    },
    DELAY: {"lead vocal": 0.0},
}  # fmt: skip
"""Relative levels of the sends to each bus by role. Roles that are not here stay dry: low sources,
cymbals, rooms and effects (common practice as collected by De Man & Reiss 2013; Moffat & Sandler
2019): voices and what sustains share a reverb, drums stand in a short room, the lead has echoes."""

TREBLE_DB = {REVERB: -9.0, ROOM: -15.0, DELAY: 0.0}
"""Gain in dB above 5 kHz on the way to a bus: air and walls swallow treble."""

PARALLEL_BELOW_DRUMS_LU = 12.0
"""Loudness of the parallel compression below the drums, at a compression of 1."""

_PARALLEL = CompressorSettings(ratio=8.0, attack_ms=0.3, release_ms=60.0)
_PARALLEL_BELOW_DB = 2.0  # threshold under the loudness of the drums: all of it is held down
_LONGEST_ECHO_MS, _SLOWEST_BPM, _FASTEST_BPM = 430.0, 40.0, 150.0
_STEP_DB = 3.0  # of a send, for each step that its track stands back
OFF_LU = 60.0
"""A return that is to be this far below the mix is left out."""
_ROUNDS = 20


@dataclass(frozen=True, kw_only=True)
class Sender:
    """A track that is sent to a bus."""

    role: Role
    raw: Rawness
    advice: Advice
    usual_db: float
    steps_back: float

    @property
    def send_db(self) -> float:
        """Level of the send by role, less where the track brings a space of its own."""
        share = self.raw.track * (1.0 - self.raw.finish)
        return self.usual_db + gain_to_db(share) + _STEP_DB * self.steps_back

    @property
    def reason(self) -> str:
        """Why it has this level."""
        reason = str(self.role)
        share = self.raw.track * (1.0 - self.raw.finish)
        if share < 0.995:
            reason += f"; × {share:.2f}: it has some space already"
        if self.steps_back:
            reason += f"; {_STEP_DB * self.steps_back:+.0f} dB for its importance"
        return reason


Senders = Mapping[str, Mapping[str, Sender]]


@dataclass(frozen=True, kw_only=True)
class SongFacts:
    """What the buses need to know of the song.

    Attributes:
        tempo: If one was found.
        kit_lufs: Loudness of the sum of the drums that are compressed in parallel.
    """

    tempo: Tempo | None
    kit_lufs: float


def find_senders(
    raw: Mapping[str, Rawness],
    roles: Mapping[str, Role],
    advice: Mapping[str, Advice],
    importances: Mapping[str, float],
) -> Senders:
    """The tracks that are sent to each bus, by name; none where the song has its spaces."""
    found = {
        bus: {
            name: Sender(
                role=roles[name],
                raw=rawness,
                advice=advice[name],
                usual_db=sends[roles[name]],
                steps_back=-importances.get(name, 0.0),
            )
            for name, rawness in raw.items()
            if roles[name] in sends and rawness.share >= LEAST
        }
        for bus, sends in SENDS_DB.items()
    }
    return {bus: sending for bus, sending in found.items() if sending}


def add_buses(
    console: ExactConsole,
    writer: PlanWriter,
    senders: Senders,
    drums: Mapping[str, float],
    rules: StemsRules,
    song: SongFacts,
) -> None:
    """Adds the buses, the sends to them, and the levels of their returns.

    Args:
        console: Of the session.
        writer: Takes the settings and the reasons.
        senders: The tracks that send to reverb, room and delay; see `find_senders`.
        drums: Drums that are compressed in parallel, with the amount of each; may be empty.
        rules: Constants.
        song: Tempo, and loudness of the drums.
    """
    below_lu = {
        REVERB: rules.sends_below_mix_lu,
        ROOM: rules.room_below_mix_lu,
        DELAY: rules.delay_below_mix_lu,
    }
    has_tempo = song.tempo is not None and song.tempo.bpm >= _SLOWEST_BPM
    buses = _Buses(writer)
    for kind, sending in senders.items():
        if below_lu[kind] < OFF_LU and (kind != DELAY or has_tempo):
            buses.add_space(kind, sending, song.tempo)
    if drums:
        buses.add_parallel(drums, song.kit_lufs)
    if not buses.names:
        return
    buses.measure(console, drums)
    if drums:
        share = rules.compression * max(drums.values())
        buses.set_parallel(drums, PARALLEL_BELOW_DRUMS_LU - gain_to_db(share))
    for kind in buses.senders:
        buses.set_return(kind, below_lu[kind])
    buses.heed_advice()


class _Buses:
    """The buses of a plan in the making.

    Args:
        writer: Takes the settings and the reasons.

    Attributes:
        names: Name of the bus of each kind.
        senders: The tracks that send to it.
    """

    def __init__(self, writer: PlanWriter) -> None:
        self._writer = writer
        self.names: dict[str, str] = {}
        self.senders: dict[str, Mapping[str, Sender]] = {}
        self._louder_db: dict[str, float] = {}

    def add_space(self, kind: str, sending: Mapping[str, Sender], tempo: Tempo | None) -> None:
        """Adds a reverb, a room or a delay, and what is sent there."""
        name = self._name(kind)
        bus, setting, reason = _make_space(kind, name, tempo)
        self._writer.add_bus(bus)
        figures = {} if tempo is None or kind == ROOM else {"tempo_bpm": tempo.bpm}
        value = float(look_up(self._writer.plan, f"{name}.{setting}")[1])
        self._writer.decide(f"{name}.{setting}", value, kind, reason, **figures)
        self.senders[kind] = sending
        for track, sender in sending.items():
            self._send(track, kind, sender.send_db, sender.reason)

    def add_parallel(self, drums: Mapping[str, float], kit_lufs: float) -> None:
        """Adds the parallel compression of the drums."""
        name = self._name(PARALLEL)
        threshold_db = float(np.clip(kit_lufs - _PARALLEL_BELOW_DB, -60.0, -1.0))
        compressor = replace(_PARALLEL, threshold_db=threshold_db)
        self._writer.add_bus(Bus(name=name, parallel=True, compressor=compressor))
        for track in drums:
            sends = (*self._writer.plan.strip(track).sends, Send(bus=name, gain_db=0.0))
            self._writer.change(track, sends=sends)

    def _name(self, kind: str) -> str:
        self.names[kind] = self._writer.find_free_name(kind)
        return self.names[kind]

    def measure(self, console: ExactConsole, drums: Mapping[str, float]) -> None:
        """Renders the mix with every return at unity, and measures its parts.

        They are, in this order: all tracks but the drums, the drums, and the buses.
        """
        kinds = list(self.names)
        meter = EnergyMatrixMeter(console.session.sample_rate, 2 + len(kinds))
        for flow in prefetch(console.flow(self._writer.plan)):
            signals = np.zeros((2 + len(kinds), *next(iter(flow.channels.values())).shape))
            for name, block in flow.channels.items():
                signals[int(name in drums)] += block
            for place, kind in enumerate(kinds, 2):
                signals[place] = flow.returns[self.names[kind]]
            meter.add(signals)
        self._matrix = meter.matrix
        self._places = {kind: place for place, kind in enumerate(kinds, 2)}
        self._gains = np.array([1.0, 1.0, *(0.0 for _ in kinds)])

    def set_parallel(self, drums: Mapping[str, float], below_lu: float) -> None:
        """Sets the level of the parallel compression, and the drums as loud with it as without.

        Faders and threshold go down by the same amount, so that the compressor does what it did;
        the other sends of the drums go up by it, so that their reverbs stay.

        Args:
            drums: The drums.
            below_lu: Loudness of the parallel compression below the drums.
        """
        writer, place = self._writer, self._places[PARALLEL]
        kit, pressed = np.zeros((2, len(self._gains)))
        kit[1], pressed[place] = 1.0, 1.0
        kit_lufs = lufs(self._matrix, tuple(kit))
        gain_db = kit_lufs - below_lu - lufs(self._matrix, tuple(pressed))
        name = self.names[PARALLEL]
        if not math.isfinite(gain_db):
            writer.set(name, "gain_db", -60.0, PARALLEL, "too soft or short for its loudness")
            return
        gain = db_to_gain(gain_db)
        threshold_db = writer.plan.bus(name).compressor.threshold_db
        louder_lu = lufs(self._matrix, tuple(kit + gain * pressed)) - kit_lufs
        lower_db = min(louder_lu, threshold_db + 60.0)
        reason = f"return {below_lu:.1f} LU below the drums"
        writer.set(name, "gain_db", gain_db, PARALLEL, reason, below_drums_lu=below_lu)
        address = f"{name}.compressor.threshold_db"
        writer.plan = change_setting(writer.plan, address, lambda _: threshold_db - lower_db)
        reason = "below the loudness of the drums, so that all of them is held down"
        writer.decide(address, threshold_db - lower_db, PARALLEL, reason)
        for track in drums:
            before = writer.decision(f"{track}.fader_db")
            writer.set(
                track,
                "fader_db",
                writer.plan.strip(track).fader_db - lower_db,
                before.rule,
                f"{before.reason}, {-lower_db:+.1f} dB for the parallel compression",
                **{**dict(before.figures), "parallel_db": -lower_db},
            )
        self._louder_db = dict.fromkeys(drums, lower_db)
        for kind, sending in self.senders.items():
            for track, sender in sending.items():
                if track in drums:
                    reason = f"{sender.reason}; {lower_db:+.1f} dB, as its fader went down"
                    self._send(track, kind, sender.send_db + lower_db, reason)
        self._gains[1] = db_to_gain(-lower_db)
        self._gains[place] = gain * self._gains[1]

    def set_return(self, kind: str, below_mix_lu: float) -> None:
        """Sets the gain of a return by its loudness below the mix that it is added to.

        Where only such tracks send as usually hardly do, there is less of it; so there is where the
        song is less raw.
        """
        senders = self.senders[kind].values()
        song = next(iter(senders)).raw.song
        below_mix_lu -= min(max(sender.usual_db for sender in senders), 0.0)
        place, alone = self._places[kind], np.zeros(len(self._gains))
        gain_db = 0.0
        for _ in range(_ROUNDS):
            self._gains[place] = alone[place] = db_to_gain(gain_db)
            mix, wet = (lufs(self._matrix, tuple(gains)) for gains in (self._gains, alone))
            if not (math.isfinite(mix) and math.isfinite(wet)):
                return
            gain_db += mix - below_mix_lu - wet
        reason = f"return {below_mix_lu:g} LU below the mix"
        if kind == REVERB:
            reason += " (De Man et al. 2017)"
        less_db = gain_to_db(song)
        if song < 0.995:
            percent = 100 * song
            reason += f", and {-less_db:.1f} LU less: by its width the song is {percent:.0f} % raw"
        self._writer.set(
            self.names[kind],
            "gain_db",
            gain_db + less_db,
            f"{kind} return",
            reason,
            below_mix_lu=below_mix_lu - less_db,
            rawness=song,
        )

    def heed_advice(self) -> None:
        """Changes sends by the advice on tracks; before, the returns would have made up for it."""
        for kind, sending in self.senders.items():
            for track, sender in sending.items():
                advice = sender.advice
                if advice.processing != 1.0:
                    send_db = sender.send_db + self._louder_db.get(track, 0.0)
                    reason = f"{sender.reason}; × {advice.processing:.2f} {advice.source}"
                    self._send(track, kind, scale_send_db(send_db, advice.processing), reason)

    def _send(self, track: str, kind: str, send_db: float, reason: str) -> None:
        """Sets the level of a send, which is added where it is not there yet."""
        sends = self._writer.plan.strip(track).sends
        bus = self.names[kind]
        place = next((n for n, send in enumerate(sends) if send.bus == bus), len(sends))
        sends = (*sends[:place], Send(bus=bus, gain_db=send_db), *sends[place + 1 :])
        self._writer.change(track, sends=sends)
        side_db = self.senders[kind][track].raw.side_db
        setting = f"{track}.sends.{place + 1}.gain_db"
        self._writer.decide(setting, send_db, "send by role", reason, side_db=side_db)


def _make_space(kind: str, name: str, tempo: Tempo | None) -> tuple[Bus, str, str]:
    """A bus, the address within it of the setting that makes it what it is, and why it has that."""
    cuts = EqualizerSettings(
        bands=(
            EqualizerBand(kind="high_pass", frequency_hz=200.0),
            EqualizerBand(kind="high_shelf", frequency_hz=5000.0, gain_db=TREBLE_DB[kind]),
        )
    )
    if kind == ROOM:
        space = SpaceSettings(space="medium room", decay=0.45, wet=1.0)
        bus = Bus(name=name, pre_delay_ms=8.0, equalizer=cuts, space=space)
        return bus, "space.decay", "a short room for the drums"
    bpm = 0.0 if tempo is None else _fold_tempo(tempo.bpm)
    if kind == DELAY and tempo is not None:
        note, time_ms = "1/4", 60_000.0 / bpm
        if time_ms > _LONGEST_ECHO_MS:
            note, time_ms = "1/8", time_ms / 2
        delay = DelaySettings(
            time_ms=time_ms,
            feedback=0.3,
            low_cut_hz=300.0,
            high_cut_hz=4500.0,
            ping_pong=True,
            wet=1.0,
        )
        reason = f"{note} at {bpm:.1f} BPM (measured)"
        return Bus(name=name, delay=delay), "delay.time_ms", reason
    if tempo is None:
        time_s = PAPER.reverb.reverberation_time_s
        reason = "no tempo was found: the mean of published data"
    else:
        time_s = choose_reverberation_time_s(bpm)
        reason = f"RT = −T/45 + 40/9 at {bpm:.1f} BPM (measured)"
    reverb = FdnReverbSettings(reverberation_time_s=time_s, dry_wet=1.0)
    bus = Bus(name=name, pre_delay_ms=20.0, equalizer=cuts, reverb=reverb)
    return bus, "reverb.reverberation_time_s", reason


def _fold_tempo(bpm: float) -> float:
    """The tempo, halved or doubled into the range in which a reverb and an echo make sense."""
    while bpm > _FASTEST_BPM:
        bpm /= 2.0
    while bpm < _FASTEST_BPM / 2.0:
        bpm *= 2.0
    return bpm
