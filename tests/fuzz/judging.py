"""Judges what the program makes of an input: in a child process, so that nothing of it is lost.

A child that raises anything but the program's own errors, is ended by a signal, takes too long or
too much memory, changes an input or leaves a file behind has a fault.
"""

import contextlib
import faulthandler
import hashlib
import io
import json
import os
import resource
import select
import shutil
import signal
import stat
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from automix.errors import AutomixError

LIMIT_S = 10.0
FREE_BYTES = 500 << 20
"""What any input may take beside twice its own size."""
ADDRESS_SPACE_BYTES = 3 << 30
"""Where a child is stopped, so that a fault does not take the machine with it."""


@dataclass(frozen=True)
class Case:
    """An input, and what is done with it.

    Attributes:
        name: What the input is, for people.
        act: Does something with the files in the working folder; returns a complaint or none.
        outputs: Beginnings of the names of files that may be there afterwards if it went well.
        caches: Beginnings of the names of files that may be there in any case.
    """

    name: str
    act: Callable[[], str | None]
    outputs: tuple[str, ...] = ()
    caches: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What came of a case.

    Attributes:
        name: Name of the case.
        accepted: Whether the program took the input.
        faults: What must not be; empty if all is well.
        detail: A traceback or the program's words.
        seconds: How long it took.
        megabytes: How much memory it took.
    """

    name: str
    accepted: bool
    faults: tuple[str, ...]
    detail: str
    seconds: float
    megabytes: float


def run_program(*arguments: str, codes: tuple[int, ...] = (2, 3)) -> str | None:
    """Runs the program as its users do.

    Returns:
        What is wrong with how it ended, or none.

    Raises:
        AutomixError: It refused the input with one of the exit codes ``codes``, and in order.
    """
    from automix.cli import app

    sys.argv = ["automix", *arguments]
    code: object = 0
    try:
        app.main()
    except SystemExit as ended:
        code = ended.code or 0
    sys.stdout.flush()
    sys.stderr.flush()
    said = Path("/dev/fd/2").resolve().read_bytes()
    if b"Traceback" in said:
        return "a traceback on stderr"
    if code == 0:
        return None
    if code not in codes:
        return f"exit code {code}"
    errors = [line for line in said.splitlines() if line.startswith((b"automix: ", b"Error: "))]
    if not errors and b"\xe2\x95\xad\xe2\x94\x80 Error" not in said:
        return f"exit code {code} without a word"
    if any(b"standard output" in line or line.endswith(b": None") for line in errors):
        return "an error that blames the wrong file or says nothing"
    raise AutomixError(errors[-1].decode(errors="replace") if errors else "usage")


def judge(prepare: Callable[[Path], Case], scratch: Path, *, limit_s: float = LIMIT_S) -> Verdict:
    """Prepares a case in an empty folder, and sees what comes of it.

    Args:
        prepare: Writes the input to a folder and says what is to be done there.
        scratch: A folder for it, in which the input of the last case stays.
        limit_s: What takes longer hangs.
    """
    folder, aside = scratch / "folder", scratch / "aside"
    for path in (folder, aside):
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
    case = prepare(folder)
    before = take_stock(folder)
    size = sum(path.lstat().st_size for path in folder.rglob("*"))
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(receiving)
        _act(case, folder, aside, sending, limit_s)
    os.close(sending)
    document, in_time = _receive(child, receiving, limit_s)
    os.close(receiving)
    if not in_time:
        os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    words = (aside / "stderr").read_bytes()[:6000].decode(errors="replace")
    faults = []
    if not in_time:
        faults.append(f"hung for over {limit_s:g} s")
    elif os.WIFSIGNALED(status):
        faults.append(f"ended by {signal.Signals(os.WTERMSIG(status)).name}")
    elif document is None:
        faults.append(f"left by itself with {os.waitstatus_to_exitcode(status)}")
    document = document or {}
    if document.get("complaint"):
        faults.append(document["complaint"])
    # Pages of the parent count from the start, and are no work of the child.
    taken = usage.ru_maxrss * 1024 - int((aside / "base").read_text() or 0)
    if taken > 2 * size + FREE_BYTES:
        faults.append(f"took {taken >> 20} MB for {size} bytes")
    accepted = bool(document.get("accepted"))
    allowed = (*case.caches, *(case.outputs if accepted else ()))
    faults += _compare(before, take_stock(folder), allowed)
    if list(aside.joinpath("tmp").iterdir()):
        faults.append("left a file in the folder for temporary files")
    return Verdict(
        name=case.name,
        accepted=accepted,
        faults=tuple(faults),
        detail=document.get("detail") or words,
        seconds=usage.ru_utime + usage.ru_stime,
        megabytes=taken / (1 << 20),
    )


def _act(case: Case, folder: Path, aside: Path, sending: int, limit_s: float) -> None:
    """Does what a case says, tells the parent, and ends; runs in the child."""
    document: dict[str, object] = {"accepted": False, "complaint": None, "detail": ""}
    (aside / "tmp").mkdir()
    (aside / "base").write_text(str(read_resident_bytes()))
    os.environ["TMPDIR"] = str(aside / "tmp")
    os.chdir(folder)
    files = {0: os.devnull, 1: aside / "stdout", 2: aside / "stderr"}
    for number, path in files.items():
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        os.dup2(opened, number)
    for kind, limit in (
        (resource.RLIMIT_AS, read_address_space_bytes() + ADDRESS_SPACE_BYTES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 1 << 30),
    ):
        resource.setrlimit(kind, (limit, limit))
    faulthandler.dump_traceback_later(limit_s, repeat=True, file=2)
    try:
        document["complaint"] = case.act()
        document["accepted"] = not document["complaint"]
    except AutomixError as error:
        document["detail"] = str(error)
    except BaseException as error:
        where = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in where if "automix" in Path(frame.filename).parts] or where
        place = f"{Path(own[-1].filename).name}:{own[-1].name}"
        document["complaint"] = f"{type(error).__name__} in {place}"
        document["detail"] = "".join(traceback.format_exception(error))[-6000:]
    text = json.dumps(document, default=repr).encode()
    with contextlib.suppress(BrokenPipeError):
        os.write(sending, text)
    os._exit(0)


def _receive(child: int, receiving: int, limit_s: float) -> tuple[dict[str, str] | None, bool]:
    """What the child says, and whether it ended in time.

    A busy machine makes it slower: what counts is its own work, and that it does not stand still.
    """
    text, began = io.BytesIO(), time.monotonic()
    worked_s, still = 0.0, 0
    while True:
        ready, _, _ = select.select([receiving], [], [], 0.5)
        if ready:
            piece = os.read(receiving, 1 << 16)
            if not piece:
                return (json.loads(text.getvalue()) if text.getvalue() else None), True
            text.write(piece)
            continue
        before, worked_s = worked_s, read_work_s(child)
        still = still + 1 if worked_s == before else 0
        passed_s = time.monotonic() - began
        if worked_s > limit_s or (passed_s > limit_s and still > 4) or passed_s > 12 * limit_s:
            return None, False


def take_stock(folder: Path) -> dict[str, str]:
    """The names of all files below a folder with what they hold."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        else:
            content = stat.filemode(path.lstat().st_mode)
        found[str(path.relative_to(folder))] = content
    return found


def _compare(before: dict[str, str], after: dict[str, str], allowed: tuple[str, ...]) -> list[str]:
    faults = [
        f"changed or removed {name!r}"
        for name, content in before.items()
        if after.get(name) != content and not name.startswith(allowed)
    ]
    faults += [
        f"left {name!r} behind"
        for name in after
        if name not in before and not name.startswith(allowed)
    ]
    return faults


def read_resident_bytes() -> int:
    """How much memory this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def read_address_space_bytes() -> int:
    """How many addresses this process has mapped."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def read_work_s(process: int) -> float:
    """The processor time of a process so far, in seconds."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0
