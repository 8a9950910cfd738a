"""A headless Chromium, driven over the DevTools protocol through a pipe."""

import base64
import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue
from typing import Any

PROGRAM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--autoplay-policy=no-user-gesture-required",
    "--remote-debugging-pipe",
)
PATIENCE_S = 60.0


class Browser:
    """The process. Commands and answers are JSON, parted by zero bytes, on descriptors 3 and 4."""

    def __init__(self, process: "subprocess.Popen[bytes]", commands: int, answers: int) -> None:
        self.process = process
        self._commands = commands
        self._answers = answers
        self._lock = threading.Lock()
        self._count = 0
        self._waiting: dict[int, Queue[Any]] = {}
        self.events: dict[str, list[Any]] = {}
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        pending = b""
        while data := os.read(self._answers, 1 << 20):
            *messages, pending = (pending + data).split(b"\0")
            for message in map(json.loads, messages):
                if "id" in message:
                    self._waiting.pop(message["id"]).put(message)
                else:
                    self.events.setdefault(message.get("sessionId", ""), []).append(message)

    def send(self, method: str, session: str | None = None, **parameters: Any) -> Any:
        answer: Queue[Any] = Queue()
        with self._lock:
            self._count += 1
            command = {"id": self._count, "method": method, "params": parameters}
            if session:
                command["sessionId"] = session
            self._waiting[self._count] = answer
            data = json.dumps(command).encode() + b"\0"
            while data:
                data = data[os.write(self._commands, data) :]
        try:
            message = answer.get(timeout=PATIENCE_S)
        except Empty:
            raise TimeoutError(f"Chromium does not answer {method}") from None
        if "error" in message:
            raise RuntimeError(f"{method}: {message['error']}")
        return message["result"]

    @contextlib.contextmanager
    def page(
        self, url: str = "about:blank", width: int = 1280, height: int = 900
    ) -> Iterator["Page"]:
        """A page in a profile of its own."""
        context = self.send("Target.createBrowserContext")["browserContextId"]
        try:
            target = self.send("Target.createTarget", url="about:blank", browserContextId=context)
            session = self.send("Target.attachToTarget", targetId=target["targetId"], flatten=True)
            page = Page(self, session["sessionId"], context)
            for domain in ("Page", "Runtime", "Log"):
                page.send(f"{domain}.enable")
            page.resize(width, height)
            page.open(url)
            yield page
        finally:
            self.send("Target.disposeBrowserContext", browserContextId=context)


class Page:
    """One page."""

    def __init__(self, browser: Browser, session: str, context: str) -> None:
        self.browser = browser
        self.session = session
        self.context = context

    def send(self, method: str, **parameters: Any) -> Any:
        return self.browser.send(method, self.session, **parameters)

    def open(self, url: str) -> None:
        self.send("Page.navigate", url=url)
        if url != "about:blank":
            self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def resize(self, width: int, height: int, *, phone: bool = False, scale: float = 1) -> None:
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=phone,
        )

    def run(self, script: str) -> Any:
        """The value of an expression, awaited if it is a promise."""
        done = self.send(
            "Runtime.evaluate",
            expression=script,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        if "exceptionDetails" in done:
            details = done["exceptionDetails"]
            raise RuntimeError(details.get("exception", {}).get("description", str(details)))
        return done["result"].get("value")

    def wait(self, condition: str) -> None:
        """Until an expression is true."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            with contextlib.suppress(RuntimeError):  # between two pages
                if self.run(f"Boolean({condition})"):
                    return
            time.sleep(0.02)
        raise TimeoutError(f"never true: {condition}")

    def press(self, key: str) -> None:
        code = {" ": 32, "Enter": 13, "Tab": 9, "ArrowLeft": 37, "ArrowUp": 38}.get(key)
        code = code or {"ArrowRight": 39, "ArrowDown": 40}.get(key) or ord(key[0].upper())
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        common = {"key": key, "windowsVirtualKeyCode": code}
        self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.send("Input.dispatchKeyEvent", type="keyUp", **common)

    def middle(self, selector: str) -> tuple[float, float]:
        x, y = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            " e.scrollIntoView({block: 'center'}); const b = e.getBoundingClientRect();"
            " return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        return x, y

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        def mouse(kind: str, at: tuple[float, float], buttons: int) -> None:
            button = "left" if kind != "mouseMoved" or buttons else "none"
            self.send(
                "Input.dispatchMouseEvent",
                type=kind,
                x=at[0],
                y=at[1],
                button=button,
                buttons=buttons,
                clickCount=1,
            )

        mouse("mousePressed", start, 1)
        if end != start:
            for share in (0.3, 0.7, 1.0):
                at = tuple(a + share * (b - a) for a, b in zip(start, end, strict=True))
                mouse("mouseMoved", (at[0], at[1]), 1)
        mouse("mouseReleased", end, 0)

    def click(self, selector: str) -> None:
        at = self.middle(selector)
        self.drag(at, at)

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        data = self.send("Page.captureScreenshot", captureBeyondViewport=whole)["data"]
        path.write_bytes(base64.b64decode(data))

    @property
    def complaints(self) -> list[str]:
        """Errors, and whatever the browser refused, such as for the Content-Security-Policy."""
        found = []
        for event in self.browser.events.get(self.session, []):
            if event["method"] == "Runtime.exceptionThrown":
                found.append(json.dumps(event["params"]["exceptionDetails"])[:500])
            elif event["method"] == "Log.entryAdded":
                entry = event["params"]["entry"]
                if entry["level"] in ("error", "warning"):
                    found.append(entry["text"])
        return found


@contextlib.contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """Starts Chromium; ends it with the context."""
    read_commands, write_commands = _pipe()
    read_answers, write_answers = _pipe()

    def place() -> None:
        os.dup2(read_commands, 3)
        os.dup2(write_answers, 4)

    # So that the pipe on which `subprocess` hears of a failed start is neither 3 nor 4.
    taken = [os.open(os.devnull, os.O_RDONLY)]
    while taken[-1] < 5:
        taken.append(os.open(os.devnull, os.O_RDONLY))
    process = subprocess.Popen(
        [str(PROGRAM), *OPTIONS, f"--user-data-dir={profile}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(3, 4),
        preexec_fn=place,
        env={**os.environ, "TMPDIR": str(profile)},  # or it leaves its folders behind
    )
    for descriptor in taken:
        os.close(descriptor)
    os.close(read_commands)
    os.close(write_answers)
    try:
        yield Browser(process, write_commands, read_answers)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(write_commands)


def _pipe() -> tuple[int, int]:
    """With descriptors that are neither 3 nor 4."""
    ends = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    return high[0], high[1]
