"""The file of a plan: read as it stands, written whole or not at all, and nothing in it lost."""

import contextlib
import hashlib
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from automix.errors import InputError, OutputError, PlanError
from automix.files.disk import report_write_failures
from automix.files.encode import write_all
from automix.files.names import printable
from automix.files.state import FileState, digest
from automix.files.temporary import is_named, lock_temporary, name_temporary, sync_folder
from automix.files.text import MOST_TOML_BYTES, decode_text, read_bytes
from automix.inputs import read_outputs
from automix.plan.model import MixPlan
from automix.plan.toml import dumps


@dataclass(frozen=True, kw_only=True)
class PlanFile:
    """A plan's file as it was read or written.

    Attributes:
        real_path: The file itself, where it was named by a link.
        plan: What it holds; its tracks name their files as it does.
        text: The plan as automix writes it.
        state: Its state, which tells whether it was changed since.
        has_own_text: Whether it holds more than automix wrote, such as comments or another layout.
        kept: Where what it held before it was written is kept; none if nothing needed to be.
    """

    real_path: Path
    plan: MixPlan
    text: str
    state: FileState
    has_own_text: bool
    kept: Path | None = None

    def is_unchanged(self, path: Path) -> bool:
        """Whether a file holds the same, however lately it was written; one that is gone does."""
        try:
            return digest(path) == self.state.sha256
        except FileNotFoundError:
            return True  # nothing of anybody's is lost by writing it
        except OSError:
            return False


def read_plan_file(path: Path) -> PlanFile:
    """Reads a plan's file.

    Raises:
        PlanError: It cannot be read or holds no plan; names the line.
    """
    name = printable(path)
    try:
        with read_outputs():  # it may be written over
            status = os.stat(path)
            data = read_bytes(path, MOST_TOML_BYTES)
    except InputError as error:
        raise PlanError(str(error)) from error
    except OSError as error:
        raise PlanError(f"{name}: cannot be read: {error.strerror or error}") from error
    text, line = decode_text(data, name, PlanError)
    if line is not None:
        raise PlanError(f"{name}, line {line}: is not UTF-8 text; save the file as UTF-8")
    plan = MixPlan.from_toml(text.replace("\r\n", "\n").replace("\r", "\n"), name)
    text = dumps(plan)
    return PlanFile(
        real_path=Path(os.path.realpath(path)),
        plan=plan,
        text=text,
        state=FileState.of(status, hashlib.sha256(data).hexdigest()),
        has_own_text=_encode(text) != data,
    )


def write_plan_file(
    path: Path, plan: MixPlan, before: PlanFile, expected: str | None
) -> PlanFile | None:
    """Writes a plan to a file, which is there whole or as it was.

    Its permissions stay. A file that holds text of its own is kept under another name.

    Args:
        path: The file; a link is followed.
        plan: The plan.
        before: The file as it was read or written last.
        expected: Digest of what it has to hold still; none if it may hold anything.

    Returns:
        The file as it is now; none if it held something else, and was left alone.

    Raises:
        OutputError: It cannot be written.
    """
    text = dumps(plan)
    data = _encode(text)
    if len(data) > MOST_TOML_BYTES:
        raise OutputError(
            f"{printable(path)}: would have {len(data) / 1e6:.1f} MB, and no plan of more than"
            f" {MOST_TOML_BYTES / 1e6:.1f} MB is ever read; take points out of its rides"
        )
    with report_write_failures(path, len(data)):
        real_path = Path(os.path.realpath(path))
        temporary = real_path.parent / name_temporary(real_path)
        was = _stat(real_path)
        if was is not None and not _may_write(real_path, was):
            raise OutputError(
                f"{printable(path)}: may not be written; change its permissions (chmod +w)"
            )
        descriptor = lock_temporary(temporary, path)
        if descriptor is None:
            raise OutputError(
                f"{printable(path)}: the name of its temporary file, {temporary.name}, is taken by"
                " someone else's; remove that"
            )
        try:
            if was is not None:
                _copy_permissions(was, descriptor)
            write_all(descriptor, data)
            os.fsync(descriptor)  # a disk that is full may say so only here
            if not _is_as_expected(real_path, expected):
                return None
            kept = _keep(real_path) if _may_hold_more(real_path, before) else None
            if not is_named(descriptor, temporary):
                raise OutputError(
                    f"{printable(path)}: another program took the file away while it was written"
                )
            os.replace(temporary, real_path)
            sync_folder(real_path.parent)
            state = FileState.of(os.fstat(descriptor), hashlib.sha256(data).hexdigest())
        finally:
            with contextlib.suppress(OSError):
                if is_named(descriptor, temporary):
                    os.unlink(temporary)
            os.close(descriptor)
    return PlanFile(
        real_path=real_path, plan=plan, text=text, state=state, has_own_text=False, kept=kept
    )


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _stat(path: Path) -> os.stat_result | None:
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def _may_write(path: Path, status: os.stat_result) -> bool:
    """Whether a file is one whose content may be changed, which putting another in place is."""
    by_effective_user = os.access in os.supports_effective_ids
    return stat.S_ISREG(status.st_mode) and os.access(
        path, os.W_OK, effective_ids=by_effective_user
    )


def _is_as_expected(path: Path, expected: str | None) -> bool:
    try:
        return expected is None or digest(path) == expected
    except FileNotFoundError:
        return True


def _may_hold_more(path: Path, before: PlanFile) -> bool:
    """Whether a file holds anything but what automix wrote; in doubt it does."""
    try:
        if digest(path) == before.state.sha256:
            return before.has_own_text
        return read_plan_file(path).has_own_text
    except FileNotFoundError:
        return False
    except (PlanError, OSError):
        return True


def _copy_permissions(was: os.stat_result, descriptor: int) -> None:
    """Gives an open file the owner and permissions of another, as far as that is allowed."""
    now = os.fstat(descriptor)
    if (now.st_uid, now.st_gid) != (was.st_uid, was.st_gid):
        with contextlib.suppress(OSError):
            os.fchown(descriptor, was.st_uid, was.st_gid)
    with contextlib.suppress(OSError):  # a file system without permissions
        os.fchmod(descriptor, stat.S_IMODE(was.st_mode))


def _keep(path: Path) -> Path:
    """Keeps a file under a new name beside it."""
    number = 1
    while True:
        kept = path.with_name(f"{path.name}.before-desk{f'-{number}' if number > 1 else ''}")
        try:
            os.link(path, kept)
            return kept
        except FileExistsError:
            number += 1
        except OSError:  # a file system without hard links
            if not os.path.lexists(kept):
                shutil.copy2(path, kept)
                return kept
            number += 1
