"""Songs for the tests of the page's engine, and a small server that gives them to a page.

What the page is told of a song is made here from the exact console alone, by another way than the
desk's own server makes it.
"""

import contextlib
import json
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from numpy.typing import NDArray

import automix.desk
from automix.audio.blocks import collect
from automix.audio.samples import BLOCK_FRAMES, Audio
from automix.consoles.exact import ExactConsole, apply_master
from automix.dsp import equalizer
from automix.dsp.compressor import smoothing_pole
from automix.dsp.processors import load, reverb_of
from automix.plan.model import MixPlan
from automix.plan.parameters import Settings, parameters
from automix.plan.settings import (
    Bus,
    CompressorSettings,
    EqualizerSettings,
    LimiterSettings,
    Master,
)
from automix.session.tracks import Session, Track
from automix.units import db_to_gain, ms_to_samples

PAGE_FOLDER = Path(automix.desk.__file__).parent / "page"
SAMPLES = NDArray[np.float32]


def to_json(value: Any) -> Any:
    """Settings as the page gets them."""
    if isinstance(value, Settings):
        return {name: to_json(getattr(value, name)) for name in parameters(type(value))}
    return [to_json(item) for item in value] if isinstance(value, tuple) else value


def describe_stages(part: Bus | Master, rate: int) -> list[dict[str, Any]]:
    stages: list[dict[str, Any]] = []
    eq: EqualizerSettings = part.equalizer
    if eq.is_active:
        stages.append({"kind": "sections", "rows": equalizer.sections(eq, rate).tolist()})
    leveler: CompressorSettings = part.compressor
    if leveler.is_active:
        stages.append(
            {
                "kind": "compressor",
                "threshold": db_to_gain(leveler.threshold_db),
                "slope": 1 - 1 / leveler.ratio,
                "attack": smoothing_pole(leveler.attack_ms, rate),
                "release": smoothing_pole(leveler.release_ms, rate),
                "makeup": db_to_gain(leveler.makeup_db),
            }
        )
    return stages


@dataclass
class Song:
    """A plan, what its tracks play, and what the page needs of both."""

    plan: MixPlan
    tracks: dict[str, SAMPLES]
    rate: int
    renders: dict[str, SAMPLES] = field(default_factory=dict)
    responses: dict[str, SAMPLES] = field(default_factory=dict)

    @cached_property
    def console(self) -> ExactConsole:
        named = self.tracks.items()
        return ExactConsole(
            Session(
                tracks=tuple(
                    Track(name=n, role="other", source=Audio(a, self.rate)) for n, a in named
                )
            )
        )

    def expect(self, plan: MixPlan | None = None) -> NDArray[np.float64]:
        """What the exact console makes of the plan, without a limiter."""
        plan = plan or self.plan
        from dataclasses import replace

        master = replace(plan.master, limiter=LimiterSettings())
        mix = collect(apply_master(self.console.premaster(plan), master)).samples
        return mix.astype(np.float64)

    def describe(self, plan: MixPlan | None = None) -> dict[str, Any]:
        """The plan and its sound as JSON; makes the renders and responses that they name."""
        plan = plan or self.plan
        tracks = {}
        for strip in plan.tracks:
            source = self.console.inserted(strip, plan.pan_law)
            key = f"{strip.name}-{abs(hash((strip.fold, plan.pan_law, repr(_inserts(strip)))))}"
            if key not in self.renders:
                self.renders[key] = np.asarray(collect(source).samples)
            samples = self.renders[key]
            tracks[strip.name] = {
                "key": key,
                "channels": len(samples),
                "is_mono": self.console.source(strip).channels == 1,
                "ready": samples.shape[1],
            }
        sound = {
            "length": self.console.frames(plan),
            "tracks": tracks,
            "buses": {bus.name: self._describe_bus(bus, plan) for bus in plan.buses},
            "master": {"stages": describe_stages(plan.master, self.rate)},
        }
        told = {name: to_json(getattr(plan, name)) for name in ("tracks", "buses", "master")}
        return {"plan": {**told, "pan_law": plan.pan_law, "decisions": []}, "sound": sound}

    def _describe_bus(self, bus: Bus, plan: MixPlan) -> dict[str, Any]:
        row = reverb_of(bus)
        key = ""
        if row is not None:
            key = f"r{abs(hash(repr((row.name, row.of(bus)))))}"
            if key not in self.responses:
                frames = self.console.frames(plan)  # no more of it is heard
                impulse = np.zeros((1, frames))
                impulse[0, 0] = 1.0
                stage = load(row.wet)(row.of(bus), self.rate)
                self.responses[key] = stage.process(impulse).astype(np.float32)
        return {
            "key": key,
            "parallel": bus.parallel,
            "channels": 2 if bus.parallel else 1,
            "delay": ms_to_samples(bus.pre_delay_ms, self.rate),
            "before": describe_stages(bus, self.rate),
            "response": row is not None,
            "after": [],
        }


def _inserts(strip: Any) -> Any:
    from automix.consoles.exact import inserts_of

    return inserts_of(strip)


class Bench:
    """What the server has, and what the page sent back."""

    def __init__(self) -> None:
        self.renders: dict[str, SAMPLES] = {}
        self.responses: dict[str, SAMPLES] = {}
        self.results: dict[str, SAMPLES] = {}
        self.blocked: set[tuple[str, int]] = set()  # key and chunk that do not come
        self.latency_s = 0.0
        self.asked: list[tuple[int, list[str]]] = []
        self.url = ""

    def add(self, song: Song, plan: MixPlan | None = None) -> dict[str, Any]:
        """Holds what a plan of a song needs; returns what the page is told of it."""
        told = song.describe(plan)
        self.renders |= song.renders
        self.responses |= song.responses
        return {**told, "rate": song.rate}

    def cut(self, chunk: int, keys: list[str]) -> bytes:
        """A part of some renders, as the desk sends it."""
        parts = []
        for key in keys:
            samples = self.renders[key][:, chunk * BLOCK_FRAMES : (chunk + 1) * BLOCK_FRAMES]
            whole = np.zeros((len(self.renders[key]), BLOCK_FRAMES), "<f4")
            whole[:, : samples.shape[1]] = samples
            parts.append(whole.tobytes())
        return b"".join(parts)


PAGE = b"<!doctype html><title>engine</title><link rel=icon href='data:,'>"


@contextlib.contextmanager
def open_bench() -> Iterator[Bench]:
    bench = Bench()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *about: Any) -> None:
            pass

        def answer(self, body: bytes, kind: str = "application/octet-stream", status: int = 200):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            folder, _, name = url.path[1:].partition("/")
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                if folder == "sound":
                    keys = parse_qs(url.query)["keys"][0].split(",")
                    bench.asked.append((int(name), keys))
                    time.sleep(bench.latency_s)
                    until = time.monotonic() + 20
                    while any((key, int(name)) in bench.blocked for key in keys):
                        if time.monotonic() > until:
                            return self.answer(b"{}", "application/json", 503)
                        time.sleep(0.01)
                    if any(key not in bench.renders for key in keys):
                        return self.answer(b"{}", "application/json", 404)
                    return self.answer(bench.cut(int(name), keys))
                if folder == "response":
                    return self.answer(bench.responses[name].astype("<f4").tobytes())
                if not folder:
                    return self.answer(PAGE, "text/html; charset=utf-8")
                file = PAGE_FOLDER / folder
                if file.suffix == ".js" and file.is_file():
                    return self.answer(file.read_bytes(), "text/javascript")
                file = Path(__file__).parent / folder
                if file.suffix == ".js" and file.is_file():
                    return self.answer(file.read_bytes(), "text/javascript")
                return self.answer(b"", status=404)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            bench.results[self.path[1:]] = np.frombuffer(body, "<f4").reshape(2, -1)
            self.answer(b"{}", "application/json")

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            if not isinstance(sys.exception(), ConnectionError):  # of a page that is gone
                super().handle_error(request, client_address)

    server = Server(("127.0.0.1", 0), Handler)
    bench.url = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield bench
    finally:
        server.shutdown()
        server.server_close()


def js(value: Any) -> str:
    """A value as it is written in a script."""
    return json.dumps(value)
