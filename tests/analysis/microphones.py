"""Raw takes whose polarity and times of arrival are known: drum kits, and boxes with amplifiers."""

from dataclasses import dataclass

import numpy as np
from scipy.signal import butter, sosfiltfilt

from automix.audio.samples import Audio
from automix.sound import drums, instruments

RATE = 48_000
BLEED = 10 ** (-12 / 20)


@dataclass
class Kit:
    """A kit as it was recorded, and by how much each close microphone is early and opposite."""

    sources: dict
    roles: dict
    early: dict
    inverted: set


def filtered(signal, rate, kind, corner_hz):
    return sosfiltfilt(butter(2, corner_hz, kind, fs=rate, output="sos"), signal)


def late(signal, frames):
    return np.concatenate([np.zeros(frames), signal])[: len(signal)]


def play_kit(rng, rate, seconds):
    """Each piece alone, in a pattern with fills and loose timing, ``(frames,)``."""
    frames = round(seconds * rate)
    pieces = {name: np.zeros(frames) for name in ("kick", "snare", "high tom", "low tom", "hat")}
    pieces["crash"] = np.zeros(frames)
    strokes = {
        "kick": drums.kick,
        "snare": drums.snare,
        "high tom": drums.high_tom,
        "low tom": drums.low_tom,
        "hat": drums.closed_hat,
        "crash": drums.crash,
    }

    def strike(piece, beat, velocity):
        at = round((0.2 + 0.5 * beat + rng.normal(0, 0.004)) * rate)
        sound = strokes[piece](velocity * rng.uniform(0.8, 1.0), rng, rate)
        stop = min(at + len(sound), frames)
        if 0 <= at < stop:
            pieces[piece][at:stop] += sound[: stop - at]

    for beat in range(int(seconds / 0.5) - 1):
        bar, step = divmod(beat, 4)
        if bar % 2 == 1 and step >= 2:
            strike("high tom" if step == 2 else "low tom", beat, 0.9)
            strike("high tom" if step == 2 else "low tom", beat + 0.5, 0.8)
            continue
        strike("hat", beat, 0.6)
        strike("hat", beat + 0.5, 0.5)
        if step in (0, 2):
            strike("kick", beat, 0.9)
        if step in (1, 3):
            strike("snare", beat, 0.9)
        if step == 0 and rng.random() < 0.6:
            strike("kick", beat + 1.5, 0.7)
        if bar % 4 == 0 and step == 0:
            strike("crash", beat, 0.7)
    return pieces


CLOSE = {
    "kick in": ("kick", "kick"),
    "kick out": ("kick", "kick"),
    "snare top": ("snare", "snare"),
    "snare bottom": ("snare", "snare"),
    "rack tom": ("tom", "high tom"),
    "floor tom": ("tom", "low tom"),
}


def record_kit(seed, rate=RATE, seconds=30.0, *, overheads="stereo", room=True, most_ms=10.0):
    """Eight microphones: delays of 0–10 ms, two opposite ones, bleed at −12 dB, noise of a room.

    Args:
        seed: Seed of all that is drawn.
        rate: Frames per second.
        seconds: Length.
        overheads: "stereo", "pair" (two tracks), "mono" or "none".
        room: Whether there is a room microphone besides.
        most_ms: Longest delay.
    """
    rng = np.random.default_rng(seed)
    pieces = play_kit(rng, rate, seconds)
    frames = len(pieces["kick"])
    sources, roles, early = {}, {}, {}
    inverted = set(rng.choice(list(CLOSE), 2, replace=False).tolist())

    def noise(level_db):
        return 10 ** (level_db / 20) * rng.standard_normal(frames)

    for name, (role, piece) in CLOSE.items():
        own = pieces[piece]
        if name == "kick out":
            own = filtered(own, rate, "low", 2_500)
        if name == "snare bottom":
            own = filtered(own, rate, "high", 400)
        heard = own.copy()
        for other, sound in pieces.items():
            if other != piece:
                heard += BLEED * late(sound, round(rng.uniform(0.001, 0.006) * rate))
        offset = round(rng.uniform(0, most_ms / 1000) * rate)
        early[name] = offset
        sources[name] = (-1 if name in inverted else 1) * heard + noise(-70)
        roles[name] = role
    # The overheads hear every piece as late as its own microphone is to be moved.
    sides = []
    for _ in range(1 if overheads == "mono" else 2):
        side = noise(-65)
        for sound in pieces.values():
            side += rng.uniform(0.5, 0.8) * late(sound, round(0.011 * rate))
        sides.append(side)
    total = round(0.011 * rate)
    for name in CLOSE:
        sources[name] = late(sources[name], total - early[name])
    if overheads == "pair":
        sources["OH L"], sources["OH R"] = sides
        roles |= {"OH L": "overheads", "OH R": "overheads"}
    elif overheads != "none":
        sources["overheads"], roles["overheads"] = np.stack(sides), "overheads"
    if room:
        tail = rng.standard_normal(round(0.4 * rate)) * np.exp(
            -np.arange(round(0.4 * rate)) / (0.08 * rate)
        )
        dry = sum(pieces.values())
        size = 2 ** int(np.ceil(np.log2(frames + len(tail))))
        wet = np.fft.irfft(np.fft.rfft(dry, size) * np.fft.rfft(tail, size), size)[:frames]
        sources["room"], roles["room"] = 0.05 * late(wet, round(0.018 * rate)), "room"
    audio = {
        name: Audio((0.3 * np.atleast_2d(signal)).astype(np.float32), rate)
        for name, signal in sources.items()
    }
    return Kit(audio, roles, early, inverted)


def play_riff(rng, rate, seconds, instrument="guitar"):
    """A line of single notes and chords, dry."""
    frames = round(seconds * rate)
    signal, at_s = np.zeros(frames), 0.1
    lowest = 28 if instrument == "bass" else 45
    while at_s < seconds - 1.0:
        length_s = float(rng.choice([0.25, 0.5, 0.75]))
        for pitch in lowest + rng.choice([0, 3, 5, 7, 10, 12, 15], rng.integers(1, 3), False):
            play = instruments.bass if instrument == "bass" else instruments.guitar
            note = play(float(pitch), float(rng.uniform(0.5, 1.0)), length_s, rng, rate)
            start = round(at_s * rate)
            stop = min(start + len(note), frames)
            signal[start:stop] += note[: stop - start]
        at_s += length_s + float(rng.choice([0.0, 0.0, 0.25]))
    return signal / np.abs(signal).max()


def record_amplifier(seed, rate=RATE, seconds=20.0, *, instrument="guitar", drive=4.0):
    """A direct box and an amplifier: distorted, through a cabinet, late, and opposite or not.

    Returns:
        Sources, roles, by how many frames the direct box is early, and whether it is opposite.
    """
    rng = np.random.default_rng(seed)
    direct = play_riff(rng, rate, seconds, instrument)
    frames = round(rng.uniform(0.001, 0.008) * rate)
    inverted = bool(rng.random() < 0.5)
    amplified = np.tanh(drive * direct)
    amplified = filtered(filtered(amplified, rate, "high", 70), rate, "low", 4_500)
    amplified = (-1 if inverted else 1) * late(amplified, frames)
    role = "bass" if instrument == "bass" else "electric guitar"
    names = (f"{instrument} di", f"{instrument} amp")
    sources = {
        name: Audio((0.3 * x + 1e-4 * rng.standard_normal(len(x)))[None].astype(np.float32), rate)
        for name, x in zip(names, (direct, amplified), strict=True)
    }
    return sources, dict.fromkeys(names, role), frames, inverted
