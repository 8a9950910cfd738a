"""The page's way from kept renders to a mix, written anew in NumPy, and what tests play with it."""

import json
import math

import numpy as np
from scipy.signal import fftconvolve, lfilter

from automix.audio.samples import Audio
from automix.desk.render_files import CHUNK_FRAMES
from automix.desk.sound import describe_sound, find_response
from automix.session.tracks import Session, Track


def make_session(seed, rate=44100, frames=100_000):
    """Two mono and two stereo tracks of noise whose level jumps."""
    rng = np.random.default_rng(seed)
    tracks = []
    for name, channels in (("a", 1), ("b", 2), ("c", 1), ("d", 2)):
        steps = np.repeat(rng.uniform(0.02, 1.0, 8), -(-frames // 8))[:frames]
        samples = (rng.uniform(-0.7, 0.7, (channels, frames)) * steps).astype(np.float32)
        digest = f"{seed:032x}{frames:031x}{name}"
        source = Audio(samples, rate)
        tracks.append(Track(name=name, role="other", source=source, sha256=digest))
    return Session(tracks=tuple(tracks))


def read_render(renders, key, channels, frames):
    """All of a render ``(channels, frames)``, as the page reads it."""
    chunks = []
    for number in range(-(-frames // CHUNK_FRAMES)):
        data = renders.read(number, [key])
        chunks.append(np.frombuffer(data, "<f4").reshape(channels, CHUNK_FRAMES))
    return np.concatenate(chunks, axis=1)[:, :frames].astype(float)


def play(plan, session, renders):
    """The mix ``(2, length)`` before the limiter, from what the server tells the page alone."""
    sound = json.loads(json.dumps(describe_sound(plan, session, renders)))
    rate, length = session.sample_rate, sound["length"]
    mix = np.zeros((2, length))
    feeds = {bus.name: np.zeros((2, length)) for bus in plan.buses}
    for strip in plan.tracks:
        if strip.mute:
            continue
        told = sound["tracks"][strip.name]
        audio = read_render(renders, told["key"], told["channels"], length)
        pan = _line(strip.rides, "pan", rate, length)
        sides = _place(strip.pan if pan is None else pan, told, plan.pan_law)
        placed = np.stack(
            [side * audio[min(n, len(audio) - 1)] for n, side in enumerate(sides)]
        ) * _gain(strip.fader_db, strip.rides, "fader_db", rate, length)
        mix += placed
        for number, send in enumerate(strip.sends, 1):
            feeds[send.bus] += placed * _gain(
                send.gain_db, strip.rides, f"sends.{number}.gain_db", rate, length
            )
    for bus in plan.buses:
        told = sound["buses"][bus.name]
        feed = feeds[bus.name] if told["parallel"] else feeds[bus.name].mean(axis=0, keepdims=True)
        feed = np.pad(feed, ((0, 0), (told["delay"], 0)))[:, :length]
        for stage in told["before"]:
            feed = _process(stage, feed)
        if told["response"]:
            response = find_response([plan], told["key"], rate).astype(float)
            feed = np.stack([fftconvolve(feed[0], side)[:length] for side in response])
        for stage in told["after"]:
            feed = _process(stage, feed)
        mix += feed * _gain(bus.gain_db, bus.rides, "gain_db", rate, length)
    for stage in sound["master"]["stages"]:
        mix = _process(stage, mix)
    return mix * _gain(plan.master.gain_db, plan.master.rides, "gain_db", rate, length)


def _line(rides, setting, rate, length):
    for ride in rides:
        if ride.setting == setting:
            return np.interp(np.arange(length), np.array(ride.times_s) * rate, ride.values)
    return None


def _gain(setting_db, rides, name, rate, length):
    line = _line(rides, name, rate, length)
    return 10 ** ((setting_db + (0.0 if line is None else line)) / 20)


def _pan(position, law):
    linear = np.array([1 - position, position])
    power = np.array([np.cos(position * math.pi / 2), np.sin(position * math.pi / 2)])
    if law == "linear":
        return linear
    return power if law == "constant-power" else np.sqrt(np.maximum(linear * power, 0))


def _place(position, told, law):
    sides, center = _pan(position, law), _pan(0.5, law)[0]
    if not told["is_mono"]:
        return np.minimum(sides / center, 1.0)
    return sides / center if told["channels"] == 2 else sides


def _process(stage, signal):
    if stage["kind"] == "sections":
        for b0, b1, b2, a1, a2 in stage["rows"]:
            signal = lfilter([b0, b1, b2], [1, a1, a2], signal)
        return signal
    assert stage["kind"] == "compressor"
    level, gains = 0.0, []
    for key in np.abs(signal.mean(axis=0)).tolist():
        over = key > stage["threshold"]
        target = stage["slope"] * math.log(key / stage["threshold"]) if over else 0.0
        pole = stage["attack"] if target > level else stage["release"]
        level = target + pole * (level - target)
        gains.append(math.exp(-level))
    return signal * (np.array(gains) * stage["makeup"])


def difference_db(found, wanted):
    return 10 * math.log10(max(((found - wanted) ** 2).sum() / (wanted**2).sum(), 1e-30))
