"""Outputs: absent, the old ones, or whole, whatever happens."""

import contextlib
import errno
import fcntl
import hashlib
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from automix.audio.samples import BLOCK_FRAMES, Audio
from automix.errors import InputError, OutputError
from automix.files.disk import check_disk_space, report_write_failures, sha256
from automix.files.probe import probe
from automix.files.reading import open_audio
from automix.files.state import digest
from automix.files.target import OutputTarget, commit_together
from automix.files.temporary import lock_temporary, name_temporary, rename_to_new
from automix.inputs import keep_inputs, read_outputs, remember_input

ROOT = Path(__file__).parents[2]
RATE = 44100


def noise(frames=30000):
    generator = np.random.default_rng(1)
    return Audio(0.2 * generator.standard_normal((2, frames)).astype(np.float32), RATE)


def write(path, source=None, **options):
    with OutputTarget.reserve(path, **options) as target:
        return target.write_audio(source or noise())


class Failing:
    """A source that raises after two blocks."""

    sample_rate, channels, frames = RATE, 2, 4 * BLOCK_FRAMES

    def __init__(self, error):
        self.error = error

    def blocks(self):
        for _ in range(2):
            yield np.zeros((2, BLOCK_FRAMES), np.float32)
        raise self.error


# What may be written


@pytest.mark.parametrize("overwrite", [False, True])
def test_content_is_on_the_disk_before_the_name_and_the_name_before_the_end(
    tmp_path, monkeypatch, overwrite
):
    calls = []
    for name in ("fsync", "link", "replace"):
        real = getattr(os, name)

        def spy(*arguments, name=name, real=real):
            is_folder = name == "fsync" and os.path.isdir(f"/proc/self/fd/{arguments[0]}")
            calls.append("folder" if is_folder else name)
            return real(*arguments)

        monkeypatch.setattr(os, name, spy)
    write(tmp_path / "a.wav", overwrite=overwrite)
    # The first is before the encoder's library closes the file, and syncs without a word.
    assert calls == ["fsync", "fsync", "replace" if overwrite else "link", "folder"]


def test_text_and_bytes(tmp_path):
    for name, method, content in [
        ("a.toml", "write_text", "gain = 1 # naïve\n"),
        ("a.json", "write_bytes", b"{}"),
    ]:
        with OutputTarget.reserve(tmp_path / name) as target:
            getattr(target, method)(content)
            assert not (tmp_path / name).exists()
        expected = content.encode() if isinstance(content, str) else content
        assert (tmp_path / name).read_bytes() == expected
    assert sorted(os.listdir(tmp_path)) == ["a.json", "a.toml"]


def test_the_last_write_counts(tmp_path):
    with OutputTarget.reserve(tmp_path / "a") as target:
        target.write_text("a longer text")
        target.write_text("short")
    assert (tmp_path / "a").read_text() == "short"


def test_commit_before_the_end(tmp_path):
    with OutputTarget.reserve(tmp_path / "a") as target:
        target.write_text("text")
        target.commit()
        assert os.listdir(tmp_path) == ["a"]
        target.commit()
    assert (tmp_path / "a").read_text() == "text"


def test_nothing_written_leaves_nothing(tmp_path):
    with OutputTarget.reserve(tmp_path / "new" / "folder" / "a.wav"):
        assert (tmp_path / "new" / "folder").is_dir()
    assert os.listdir(tmp_path) == []


def test_folders_are_created(tmp_path):
    write(tmp_path / "new" / "folder" / "a.wav")
    assert os.listdir(tmp_path / "new" / "folder") == ["a.wav"]


def test_permissions_follow_the_umask(tmp_path):
    write(tmp_path / "a.wav")
    (tmp_path / "b").write_bytes(b"")
    assert (tmp_path / "a.wav").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_existing_files_are_kept_unless_asked(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"old")
    with pytest.raises(OutputError, match="exists.*--force"):
        OutputTarget.reserve(path)
    assert os.listdir(tmp_path) == ["a.wav"]
    write(path, overwrite=True)
    assert probe(path).frames == 30000


def test_a_file_that_appears_meanwhile_is_kept(tmp_path):
    path = tmp_path / "a.wav"

    def meanwhile():
        with OutputTarget.reserve(path) as target:
            target.write_audio(noise())
            path.write_bytes(b"someone else's")

    with pytest.raises(OutputError, match="exists"):
        meanwhile()
    assert path.read_bytes() == b"someone else's"
    assert os.listdir(tmp_path) == ["a.wav"]


def test_without_hard_links_existing_files_are_kept_too(tmp_path, monkeypatch):
    def no_links(*_):
        raise PermissionError(errno.EPERM, "not supported")

    monkeypatch.setattr(os, "link", no_links)
    (tmp_path / "new").write_text("new")
    (tmp_path / "old").write_text("old")
    with pytest.raises(FileExistsError):
        rename_to_new(tmp_path / "new", tmp_path / "old")
    rename_to_new(tmp_path / "new", tmp_path / "other")
    assert (tmp_path / "old").read_text() == "old"
    assert (tmp_path / "other").read_text() == "new"


@pytest.mark.parametrize("how", ["itself", "symlink", "hard link", "moved there meanwhile"])
def test_never_over_what_the_run_has_read_whoever_names_it(tmp_path, how):
    source, target = tmp_path / "in.wav", tmp_path / "out.wav"
    write(source)
    before = source.read_bytes()
    with keep_inputs():
        if how == "moved there meanwhile":
            reserved = OutputTarget.reserve(target, overwrite=True)
            reserved.write_bytes(b"new")
        open_audio(source)
        if how == "itself":
            target = source
        elif how == "symlink":
            target.symlink_to("in.wav")
        else:
            target.hardlink_to(source)
        with pytest.raises(OutputError, match=r"out\.wav|in\.wav.*the input .*in\.wav"):
            reserved.commit() if how.startswith("moved") else write(target, overwrite=True)
        if how.startswith("moved"):
            reserved.discard()
    assert source.read_bytes() == target.read_bytes() == before


def test_an_input_is_known_by_its_path_where_inodes_change_and_case_alone_makes_no_input(tmp_path):
    """FAT and some network file systems number their files anew whenever they forget them."""
    source = tmp_path / "in.wav"
    write(source)
    (tmp_path / "IN.wav").write_bytes(b"another file here")
    with keep_inputs():
        remember_input(source, os.stat(tmp_path))
        with pytest.raises(OutputError, match="the same file as the input"):
            write(tmp_path / "." / "in.wav", overwrite=True)
        write(tmp_path / "IN.wav", overwrite=True)
    assert probe(tmp_path / "IN.wav").frames == 30000


def test_what_is_read_only_to_look_at_an_earlier_output_may_be_replaced(tmp_path):
    path = tmp_path / "out.wav"
    with keep_inputs():
        write(path)
        digest(path)
        with read_outputs():
            open_audio(path)
        write(path, noise(100), overwrite=True)
    open_audio(path)  # no run: a library that reads what it wrote may write it again
    write(path, noise(200), overwrite=True)
    assert probe(path).frames == 200


def test_an_input_whose_name_no_file_can_have_is_not_blamed_on_the_output(tmp_path):
    write(tmp_path / "a.wav")
    write(tmp_path / "a.wav", overwrite=True, inputs=["x\0.wav", tmp_path / ("x" * 300)])


@pytest.mark.parametrize("how", ["itself", "symlink", "hard link", "other spelling", "folder link"])
def test_never_over_an_input(tmp_path, how):
    source = tmp_path / "in.wav"
    write(source)
    before = source.read_bytes()
    target = tmp_path / "out.wav"
    if how == "itself":
        target = source
    elif how == "symlink":
        target.symlink_to("in.wav")
    elif how == "hard link":
        target.hardlink_to(source)
    elif how == "other spelling":
        target = tmp_path / "." / ".." / tmp_path.name / "in.wav"
    else:
        (tmp_path / "link").symlink_to(tmp_path)
        target = tmp_path / "link" / "in.wav"
    with pytest.raises(OutputError, match=r"the input .*in\.wav"):
        OutputTarget.reserve(target, overwrite=True, inputs=[tmp_path / "other", source])
    assert source.read_bytes() == before


def test_a_link_is_followed(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "a.wav").symlink_to("disk/b.wav")
    write(tmp_path / "a.wav")
    assert (tmp_path / "a.wav").is_symlink()
    assert probe(tmp_path / "disk" / "b.wav").frames == 30000
    assert os.listdir(tmp_path / "disk") == ["b.wav"]


def test_impossible_targets(tmp_path):
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "loop.wav").symlink_to("loop.wav")
    os.mkfifo(tmp_path / "pipe.wav")
    names = {
        "folder.wav": "is a folder",
        "file/a.wav": "not a folder",
        "loop.wav": "leads to itself",
        "pipe.wav": "pipe",
        "a" * 252 + ".wav": "too long",
        "a\0.wav": "not a possible",
    }
    before = sorted(os.listdir(tmp_path))
    for name, word in names.items():
        with pytest.raises(OutputError, match=word):
            OutputTarget.reserve(tmp_path / name, overwrite=True)
    assert sorted(os.listdir(tmp_path)) == before


def test_the_longest_name_works(tmp_path):
    name = "a" * 251 + ".wav"
    write(tmp_path / name)
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("name", ["שיר.wav", "two\nlines.wav", os.fsdecode(b"\xff.wav"), "-a.wav"])
def test_names(tmp_path, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(name)
    assert os.listdir(tmp_path) == [name]
    with pytest.raises(OutputError) as caught:
        OutputTarget.reserve(name)
    assert str(caught.value).isprintable()


def test_unwritable_folder(open_folder, unprivileged):
    with unprivileged(), pytest.raises(OutputError, match="may not be written"):
        OutputTarget.reserve(open_folder / "a.wav")
    with unprivileged(), pytest.raises(OutputError, match="may not be written"):
        OutputTarget.reserve(open_folder / "new" / "a.wav")


# Other runs


def test_two_runs_of_one_target(tmp_path):
    with OutputTarget.reserve(tmp_path / "a.wav") as first:
        with pytest.raises(OutputError, match="another run"):
            OutputTarget.reserve(tmp_path / "a.wav", overwrite=True)
        with OutputTarget.reserve(tmp_path / "b.wav") as other:  # another target is free
            other.write_audio(noise())
        first.write_audio(noise())
    assert sorted(os.listdir(tmp_path)) == ["a.wav", "b.wav"]
    write(tmp_path / "a.wav", overwrite=True)


def test_leftovers_are_removed_but_not_the_files_of_live_runs(tmp_path):
    stale = tmp_path / name_temporary(Path("killed.wav"))
    stale.write_bytes(b"stale")
    own = tmp_path / name_temporary(Path("a.wav"))
    own.write_bytes(b"stale and longer than what will be written")
    live = tmp_path / name_temporary(Path("live.wav"))
    other = tmp_path / ".automix-notes.part"
    other.write_bytes(b"not ours")
    with live.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with OutputTarget.reserve(tmp_path / "a.wav") as target:
            target.write_bytes(b"new")
    assert (tmp_path / "a.wav").read_bytes() == b"new"
    assert sorted(os.listdir(tmp_path)) == sorted(["a.wav", live.name, other.name])


def write_and_interrupt(path):
    with OutputTarget.reserve(path, overwrite=True) as target:
        target.write_bytes(b"new")
        raise KeyboardInterrupt


def test_a_leftover_that_is_a_link_to_the_target_does_not_empty_it(tmp_path):
    """What a run leaves that is killed between `link` and `unlink`."""
    target = tmp_path / "a.wav"
    target.write_bytes(b"whole")
    (tmp_path / name_temporary(target)).hardlink_to(target)
    with pytest.raises(KeyboardInterrupt):
        write_and_interrupt(target)
    assert target.read_bytes() == b"whole"
    assert os.listdir(tmp_path) == ["a.wav"]


def test_a_temporary_that_is_a_symlink_is_not_followed(tmp_path):
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / name_temporary(Path("a.wav"))).symlink_to("precious")
    write(tmp_path / "a.wav")
    assert probe(tmp_path / "a.wav").frames == 30000
    assert (tmp_path / "precious").read_bytes() == b"precious"
    assert sorted(os.listdir(tmp_path)) == ["a.wav", "precious"]


@pytest.mark.parametrize("plant", ["pipe", "folder", "link", "open file", "hard link", "read-only"])
def test_a_planted_temporary_file_is_never_used(tmp_path, plant):
    """Who plants a file, and keeps it open, could read and change the mix ever after."""
    planted = tmp_path / name_temporary(Path("a.wav"))
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    held = None
    if plant == "pipe":
        os.mkfifo(planted)
    elif plant == "folder":
        planted.mkdir()
    elif plant == "link":
        planted.symlink_to("nowhere")
    elif plant == "hard link":
        planted.hardlink_to(precious)
    else:
        planted.write_bytes(b"planted")
        planted.chmod(0o444 if plant == "read-only" else 0o666)
        held = planted.open("rb")
    write(tmp_path / "a.wav")
    status = (tmp_path / "a.wav").stat()
    assert (status.st_nlink, status.st_uid) == (1, os.geteuid())
    assert held is None or os.fstat(held.fileno()).st_ino != status.st_ino
    assert not (tmp_path / "nowhere").exists()
    assert precious.read_bytes() == b"precious"
    expected = ["a.wav", "precious"] + ([planted.name] if plant == "folder" else [])
    assert sorted(os.listdir(tmp_path)) == sorted(expected)
    if held is not None:
        held.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users")
@pytest.mark.parametrize("mode", [0o666, 0o600])
def test_a_file_of_another_user_in_a_shared_folder_is_not_used(open_folder, unprivileged, mode):
    open_folder.chmod(0o1777)
    planted = open_folder / name_temporary(Path("a.wav"))
    planted.write_bytes(b"planted")
    planted.chmod(mode)
    (open_folder / "b.wav").symlink_to(open_folder / "elsewhere")
    os.lchown(open_folder / "b.wav", 12345, 12345)
    audio = noise()
    with unprivileged():
        write(open_folder / "a.wav", audio)
        with pytest.raises(OutputError, match="somebody else's link"):
            OutputTarget.reserve(open_folder / "b.wav")
    assert (open_folder / "a.wav").stat().st_uid == 65534
    assert planted.read_bytes() == b"planted"
    assert sorted(os.listdir(open_folder)) == sorted([planted.name, "a.wav", "b.wav"])


def test_what_another_program_put_in_place_of_the_temporary_file_is_no_output(tmp_path):
    target = OutputTarget.reserve(tmp_path / "a.wav")
    target.write_bytes(b"mine")
    temporary = tmp_path / name_temporary(Path("a.wav"))
    temporary.unlink()
    temporary.write_bytes(b"theirs")
    with pytest.raises(OutputError, match="another program took the file away"):
        target.commit()
    target.discard()
    assert temporary.read_bytes() == b"theirs"
    assert not (tmp_path / "a.wav").exists()


@pytest.mark.parametrize("made_again", [False, True])
def test_a_lock_on_a_removed_file_does_not_count(tmp_path, made_again):
    """Between opening and locking, another run may remove the file, or make it anew."""
    temporary = tmp_path / "t"
    real_flock = fcntl.flock
    calls = []

    def flock(descriptor, operation):
        calls.append(descriptor)
        if len(calls) == 1:
            temporary.unlink()
            if made_again:
                temporary.touch()
        real_flock(descriptor, operation)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fcntl, "flock", flock)
        descriptor = lock_temporary(temporary, tmp_path / "a")
    assert os.fstat(descriptor).st_ino == temporary.stat().st_ino
    assert len(calls) >= 2
    os.close(descriptor)


# Faults


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), InputError("a.wav: changed"), ValueError("bug"), SystemExit(143)]
)
@pytest.mark.parametrize("extension", ["wav", "flac", "ogg", "mp3"])
def test_an_exception_leaves_the_old_file(tmp_path, error, extension):
    path = tmp_path / f"a.{extension}"
    path.write_bytes(b"old")
    with pytest.raises(type(error)):
        write(path, Failing(error), overwrite=True)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == [path.name]


def run(code, *arguments, **options):
    code = "import sys\nsys.path.insert(0, sys.argv.pop(1))\n" + textwrap.dedent(code)
    command = [sys.executable, "-c", code, ROOT, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


WRITE_UNTIL_FULL = """
    import resource
    from pathlib import Path
    import numpy as np
    from automix.audio.samples import Audio
    from automix.errors import OutputError
    from automix.files.target import OutputTarget

    path, frames, lowest, highest, step = Path(sys.argv[1]), *map(int, sys.argv[2:])
    noise = np.random.default_rng(0).standard_normal((2, frames)).astype(np.float32) * 0.1
    outcomes = set()
    for limit in range(lowest, highest, step):
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        try:
            with OutputTarget.reserve(path, overwrite=True) as target:
                target.write_audio(Audio(noise, 44100), bits="16")
            outcomes.add("written")
        except OutputError as error:
            outcomes.add(str(error))
            left = sorted(entry.name for entry in path.parent.iterdir())
            if path.read_bytes() != b"old" or left != [path.name]:
                outcomes.add(f"at {limit}: not as before: {left}")
    print("\\n".join(sorted(outcomes)))
"""


@pytest.mark.parametrize("extension", ["wav", "rf64", "w64", "aiff", "flac", "ogg", "mp3"])
def test_disk_full_at_any_point(tmp_path, extension):
    """A limit on the size of files, at every 24th of the file, its last bytes included."""
    whole = tmp_path / f"whole.{extension}"
    generator = np.random.default_rng(0)
    noise = generator.standard_normal((2, 20000)).astype(np.float32) * np.float32(0.1)
    with OutputTarget.reserve(whole) as target:
        target.write_audio(Audio(noise, RATE), bits="16")
    size = whole.stat().st_size
    whole.unlink()
    path = tmp_path / f"a.{extension}"
    path.write_bytes(b"old")
    for lowest, highest, step in [(1, size, max(size // 24, 1)), (size - 40, size, 3)]:
        arguments = [path, "20000", str(lowest), str(highest), str(step)]
        process = run(WRITE_UNTIL_FULL, *arguments)
        output, errors = process.communicate()
        assert process.returncode == 0, errors.decode()
        assert "Warning" not in errors.decode()
        for line in output.decode().splitlines():
            assert "the disk is full: needs" in line, output.decode()
            assert "MB" in line


@pytest.fixture
def tiny_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("cannot mount a small disk here")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("extension", ["wav", "flac", "ogg", "mp3"])
def test_a_disk_that_is_really_full(tiny_disk, extension):
    path = tiny_disk / f"a.{extension}"
    path.write_bytes(b"old")
    with pytest.raises(OutputError, match=r"the disk is full: needs \d+\.\d MB"):
        write(path, noise(600000), overwrite=True)
    assert path.read_bytes() == b"old"
    assert os.listdir(tiny_disk) == [path.name]
    with (
        pytest.raises(OutputError, match=r"needs 0\.5 MB"),
        OutputTarget.reserve(tiny_disk / "a.toml") as target,
    ):
        target.write_bytes(bytes(500_000))
    assert os.listdir(tiny_disk) == [path.name]


@pytest.mark.parametrize("extension", ["wav", "aiff", "flac", "ogg", "mp3"])
def test_an_error_that_the_disk_tells_once_is_not_lost(tmp_path, monkeypatch, extension):
    """The encoder's library syncs as it closes a file, and drops the error."""
    path = tmp_path / f"a.{extension}"
    path.write_bytes(b"old")
    real, failed = os.fsync, []

    def fsync(descriptor):
        if not failed:
            failed.append(True)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OutputError, match="disk is full"):
        write(path, overwrite=True)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("fault", ["a bit", "a block of zeros", "the end"])
@pytest.mark.parametrize(("name", "bits"), [("a.wav", "24"), ("a.wav", "32f"), ("a.flac", "16")])
def test_what_the_disk_holds_is_compared_with_what_was_written(
    tmp_path, monkeypatch, name, bits, fault
):
    close = soundfile.SoundFile.close

    def close_badly(file):
        was_open, is_output = not file.closed, "w" in file.mode
        close(file)
        if was_open and is_output:
            descriptor = int(file.name)
            size = os.fstat(descriptor).st_size
            if fault == "a bit":
                byte = os.pread(descriptor, 1, size // 2)[0]
                os.pwrite(descriptor, bytes([byte ^ 64]), size // 2)
            elif fault == "a block of zeros":
                os.pwrite(descriptor, bytes(4096), size // 2)
            else:
                os.ftruncate(descriptor, size - 100)

    monkeypatch.setattr(soundfile.SoundFile, "close", close_badly)
    with pytest.raises(OutputError, match=name), OutputTarget.reserve(tmp_path / name) as target:
        target.write_audio(noise(), bits=bits)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (OSError(errno.EIO, "Input/output error"), InputError, "an input of the mix: cannot be"),
        (OSError(errno.EIO, "Input/output error", "/x/in.wav"), InputError, "/x/in.wav: cannot be"),
        (OSError(errno.ENOSPC, "No space", "/tmp/y"), OutputError, "/tmp/y: the disk of temp"),
    ],
)
def test_a_fault_of_what_is_read_is_not_one_of_the_output(tmp_path, error, kind, words):
    with pytest.raises(kind, match=words):
        write(tmp_path / "a.wav", Failing(error))
    assert os.listdir(tmp_path) == []


def test_a_failure_names_the_file_that_it_is_about(tmp_path):
    def report(name):
        with report_write_failures(tmp_path / "out" / "a.wav"):
            raise PermissionError(errno.EACCES, "Permission denied", name)

    for name in (None, str(tmp_path / "out" / ".part"), str(tmp_path / "out"), str(tmp_path)):
        with pytest.raises(OutputError, match=r"out/a\.wav: may not be written"):
            report(name)
    with pytest.raises(OutputError, match=r"^/elsewhere/cache: may not be written"):
        report("/elsewhere/cache")


# Files that belong together


def reserve_three(folder, *, overwrite):
    targets = [OutputTarget.reserve(folder / name, overwrite=overwrite) for name in "abc"]
    for target in targets:
        target.write_bytes(b"new")
    return targets


@pytest.mark.parametrize("old", [(), ("a",), ("a", "b", "c")])
@pytest.mark.parametrize("failing", range(4))
def test_files_go_into_place_in_order_and_an_error_takes_back_those_that_are_new(
    tmp_path, monkeypatch, old, failing
):
    for name in old:
        (tmp_path / name).write_bytes(b"old")
    targets = reserve_three(tmp_path, overwrite=True)
    real, calls = os.replace, []

    def replace(*arguments):
        calls.append(arguments)
        if len(calls) == failing + 1:
            raise OSError(errno.EIO, "Input/output error")
        real(*arguments)

    monkeypatch.setattr(os, "replace", replace)
    with contextlib.ExitStack() as stack:
        for target in targets:
            stack.callback(target.discard)
        if failing < 3:
            stack.enter_context(pytest.raises(OutputError))
        commit_together(targets)
    found = {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)}
    in_place = {name: b"old" for name in old}
    for number, name in enumerate("abc"):
        if failing == 3 or (name in old and number < failing):
            in_place[name] = b"new"
    assert found == in_place


def test_a_signal_waits_until_all_files_are_in_place(tmp_path, monkeypatch):
    targets = reserve_three(tmp_path, overwrite=False)
    real = os.link

    def link(*arguments):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05)
        real(*arguments)

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(KeyboardInterrupt):
        commit_together(targets)
    assert sorted(os.listdir(tmp_path)) == ["a", "b", "c"]


def test_the_state_of_a_file_tells_whether_it_is_still_the_same(tmp_path):
    path = tmp_path / "a.wav"
    with OutputTarget.reserve(path) as target:
        target.write_audio(noise())
        assert target.digest() == hashlib.sha256(target_bytes(target)).hexdigest()
    state = target.state
    assert state is not None
    assert state.is_that_of(path)
    assert state.sha256 == sha256(path)
    content = path.read_bytes()
    path.write_bytes(content)  # anew, with other times
    assert state.is_that_of(path)
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert not state.is_that_of(path)
    path.unlink()
    assert not state.is_that_of(path)


def target_bytes(target):
    return (target.path.parent / name_temporary(target.path)).read_bytes()


def test_check_disk_space(tmp_path):
    check_disk_space(tmp_path, 1)
    with pytest.raises(OutputError, match=r"needs 1000000000000\.0 MB"):
        check_disk_space(tmp_path, 10**18)


WRITE_FOREVER = """
    from pathlib import Path
    import numpy as np
    from automix.audio.samples import Audio
    from automix.files.target import OutputTarget

    audio = Audio(np.full((2, 100000), float(sys.argv[2]), np.float32), 44100)
    print("ready", flush=True)
    while True:
        with OutputTarget.reserve(sys.argv[1], overwrite=True) as target:
            target.write_audio(audio, bits="24", dither=False)
"""


def test_killed_at_random_points(tmp_path):
    """The target is absent, the old one, or whole; the next run removes what is left."""
    path = tmp_path / "a.wav"
    chance = random.Random(0)
    leftovers = 0
    for attempt in range(100):
        process = run(WRITE_FOREVER, path, str(0.5 + attempt / 1000))
        assert process.stdout.readline() == b"ready\n"
        time.sleep(chance.uniform(0.0, 0.1))
        process.kill()
        process.communicate()
        leftovers += any(name.startswith(".automix-") for name in os.listdir(tmp_path))
        if path.exists():
            samples = open_audio(path).source.samples
            assert samples.shape == (2, 100000)
            assert len(np.unique(samples)) == 1
        if attempt >= 7 and leftovers:  # on a slow disk nearly all time passes after the rename
            break
    assert leftovers, "never killed while writing"
    write(path, overwrite=True)
    assert os.listdir(tmp_path) == ["a.wav"]


def test_an_interrupt_at_any_line_of_a_reservation_leaves_nothing(tmp_path):
    lines = 0

    def interrupt(frame, event, argument):
        nonlocal lines
        if Path(frame.f_code.co_filename).name not in ("target.py", "temporary.py"):
            return None
        lines += event == "line"
        if event == "line" and lines == stop:
            raise KeyboardInterrupt
        return interrupt

    for stop in range(1, 1000):
        lines = 0
        sys.settrace(interrupt)
        try:
            target = OutputTarget.reserve(tmp_path / "new" / "stems" / "a.wav")
        except KeyboardInterrupt:
            target = None
        finally:
            sys.settrace(None)
        if target is not None:
            target.discard()
            break
        assert os.listdir(tmp_path) == [], f"after line {stop}"
    assert 30 < stop < 1000


def test_ctrl_c_at_random_points(tmp_path):
    """No message of the encoder, no temporary file, and the interrupt is not lost."""
    path = tmp_path / "a.ogg"
    chance = random.Random(1)
    for _ in range(5):
        process = run(WRITE_FOREVER, path, "0.5")
        assert process.stdout.readline() == b"ready\n"
        time.sleep(chance.uniform(0.02, 0.1))
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=10)
        assert errors.decode().rstrip().endswith("KeyboardInterrupt"), errors.decode()
        assert [name for name in os.listdir(tmp_path) if name != "a.ogg"] == []


def test_sha256(tmp_path):
    """FIPS 180-2, appendix B.1."""
    (tmp_path / "a").write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256(tmp_path / "a") == expected
    with pytest.raises(InputError, match="no such file"):
        sha256(tmp_path / "b")
