"""Raw songs whose truth is known: mono tracks of noise in bands, played in phrases and hits."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from automix.analysis.loudness import LoudnessMeter, integrated_lufs
from automix.audio.samples import Audio
from automix.consoles.exact import ExactConsole, Flow
from automix.methods.stems.hearing import hear_stems
from automix.methods.stems.rules import write_rules
from automix.methods.stems.settings import StemsRules
from automix.plan.model import MixPlan
from automix.plan.roles import Role
from automix.plan.writer import PlanWriter
from automix.session.blank_plan import make_blank_plan
from automix.session.tracks import Session, Track

RATE = 22050
SECONDS = 8.0
Signal = NDArray[np.float64]


def noise(low_hz: float, high_hz: float, seed: int, seconds: float = SECONDS) -> Signal:
    """Steady noise between two frequencies, at −20 dB."""
    white = np.random.default_rng(seed).normal(size=int(RATE * seconds))
    band = butter(4, (low_hz, high_hz), btype="band", fs=RATE, output="sos")
    samples = sosfilt(band, white)
    return np.asarray(0.1 * samples / samples.std())


def hits(
    period_s: float, decay_s: float, offset_s: float = 0.0, seconds: float = SECONDS
) -> Signal:
    """Envelope of hits that die away, one per period."""
    time = np.arange(int(RATE * seconds)) / RATE
    return np.asarray(np.exp(-((time - offset_s) % period_s) / decay_s))


def notes(seed: int, jitter_s: float = 0.0, player: int = 0, seconds: float = SECONDS) -> Signal:
    """Envelope of notes at times and of strengths that the seed says, played by one of several."""
    draw, player_draw = np.random.default_rng(seed), np.random.default_rng(1000 + player)
    time, envelope, start = np.arange(int(RATE * seconds)) / RATE, 0.0, 0.0
    while start < seconds:
        length, strength = draw.uniform(0.25, 0.7), 10 ** (draw.uniform(-15, 0) / 20)
        begin = start + player_draw.uniform(-jitter_s, jitter_s)
        inside = np.clip((time - begin) / 0.01, 0, 1) * np.clip(
            (begin + length - time) / 0.05, 0, 1
        )
        envelope = envelope + strength * inside
        start += length + draw.choice([0.05, 0.3])
    return np.asarray(envelope + 1e-3)


def session_of(tracks: dict[str, tuple[Role, Signal]]) -> Session:
    """A session of ``{name: (role, samples)}``; samples ``(frames,)`` or ``(2, frames)``."""
    return Session(
        tracks=tuple(
            Track(name=name, role=role, source=Audio(np.atleast_2d(x).astype(np.float32), RATE))
            for name, (role, x) in tracks.items()
        )
    )


def band_song() -> dict[str, tuple[Role, Signal]]:
    """Eight mono tracks with hits at 150 BPM, at levels like those of a mix."""
    return {
        "lead": ("lead vocal", 1.2 * noise(200, 6000, 1) * notes(1)),
        "backing": ("backing vocal", 0.4 * noise(300, 5000, 2) * notes(2)),
        "kick": ("kick", 3.0 * noise(45, 120, 3) * hits(0.8, 0.06)),
        "snare": ("snare", 2.0 * noise(180, 8000, 4) * hits(0.8, 0.06, 0.4)),
        "bass": ("bass", 1.2 * noise(40, 300, 5) * notes(5)),
        "guitar": ("guitar", 0.7 * noise(150, 5000, 6) * notes(6)),
        "keys": ("keys", 0.5 * noise(200, 4000, 7) * notes(7)),
        "pad": ("pad", 0.4 * noise(250, 9000, 8)),
    }


def beat_song() -> dict[str, tuple[Role, Signal]]:
    """The same with a drum loop and a bass on every beat, from which its tempo is heard."""
    return band_song() | {
        "loop": ("drums", noise(50, 9000, 50) * hits(0.4, 0.04)),
        "bass": ("bass", 1.2 * noise(40, 300, 5) * hits(0.4, 0.1)),
    }


def written(session: Session, **rules: object) -> MixPlan:
    """The plan that the rules write."""
    writer = PlanWriter(make_blank_plan(session, method="rules"))
    write_rules(ExactConsole(session), writer, StemsRules(**rules), hear_stems(session))
    return writer.plan


def gain_db(plan: MixPlan, name: str) -> float:
    """Gain of a track before and after its processors."""
    strip = plan.strip(name)
    return strip.input_gain_db + strip.fader_db


def lufs(samples: Signal) -> float:
    """Integrated loudness of ``(frames,)`` or ``(channels, frames)``."""
    block = np.atleast_2d(samples).astype(np.float32)
    meter = LoudnessMeter(RATE, len(block))
    meter.add(block)
    return integrated_lufs(meter.energies)


def flows(session: Session, plan: MixPlan) -> Flow:
    """Every channel and every return of a rendered plan, whole."""
    blocks = list(ExactConsole(session).flow(plan))
    return Flow(
        channels={
            n: np.concatenate([b.channels[n] for b in blocks], 1) for n in blocks[0].channels
        },
        returns={n: np.concatenate([b.returns[n] for b in blocks], 1) for n in blocks[0].returns},
    )


def premaster(session: Session, plan: MixPlan) -> Audio:
    """The mix before its master."""
    return Audio(flows(session, plan).sum().astype(np.float32), RATE)
