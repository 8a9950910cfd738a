"""Foreign formats in and out through the program ffmpeg, where it is installed.

ffmpeg works in a child process that gets an open file and never a name, so no name can mean
anything to it; it may open nothing else, has limits of time and memory, and what it decodes is
spooled to a file without a name, which no ending of this process leaves behind.
"""

import contextlib
import io
import os
import re
import resource
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from threading import Lock
from typing import Any

from automix.errors import InputError, OutputError
from automix.files.boxes import Movie, MovieTrack, read_movie
from automix.files.chunks import read_packet_table
from automix.files.foreign import FOREIGN
from automix.files.names import printable
from automix.files.text import parse_json

STALL_S = 30.0
"""Seconds for which the child may neither take nor give anything."""

_LIMIT_S = 120.0  # and a second for every so many bytes of the file:
_BYTES_PER_S = 50_000
_MEMORY_BYTES = 3 << 30  # of addresses, most of it programs and stacks
_LEAST_BYTES_PER_SECOND = 25  # no codec says a second of silence with fewer bytes
_PIPE_BYTES = 1 << 18
_TEXT_BYTES = 1 << 22
_LONGEST_START_S = 60.0
_PADDING_S = 0.1  # codecs add up to two frames to the end
_SAMPLE_EXACT = ("wavpack", "tta", "ape", "au")  # their length is that of the original
_HARMLESS = ("non monotonically increasing dts",)
_GENERIC = re.compile("handler|core media|stereo|mono|^$", re.IGNORECASE)  # names of no track
_ADDRESS = re.compile(r" @ 0x[0-9a-f]+|file:/dev/fd/\d+: ")  # differ from run to run
_SPARED = ("FFREPORT",)  # would have ffmpeg write a file

_USUAL_DELAYS = {"aac": 1024, "ac3": 256, "eac3": 256, "mp3": 1105}
"""Frames that encoders put before the audio: the overlap of the transform, which none of AAC, AC-3
and E-AC-3 is without, and for MP3 what LAME adds, with its decoder. AAC at half rate has more."""

_DELAYS_S = {"aac": 0.048, "ac3": 0.006, "eac3": 0.006, "dts": 0.012, "mp3": 0.025, "mp2": 0.011}
_SPEAKERS = {  # of channel layouts with a downmix to stereo
    "quad": ("FL", "FR", "BL", "BR"),
    "quad(side)": ("FL", "FR", "SL", "SR"),
    "4.0": ("FL", "FR", "FC", "BC"),
    "5.0": ("FL", "FR", "FC", "BL", "BR"),
    "5.0(side)": ("FL", "FR", "FC", "SL", "SR"),
    "5.1": ("FL", "FR", "FC", "LFE", "BL", "BR"),
    "5.1(side)": ("FL", "FR", "FC", "LFE", "SL", "SR"),
}
LOSSLESS = ("alac", "flac", "wavpack", "ape", "tta", "tak", "mlp", "truehd", "wmalossless", "pcm_")


class EncoderFailure(Exception):
    """ffmpeg did not write all, for whatever reason."""


def find_program(name: str) -> str | None:
    """Finds ``ffmpeg`` or ``ffprobe`` among the installed programs; none if it is not there."""
    return shutil.which(name)


@dataclass(frozen=True, kw_only=True)
class CodedStream:
    """One stream of audio in a file.

    Attributes:
        index: Its number among all streams of the file, from 0.
        codec: Codec, as ffmpeg names it.
        title: Name that the file gives it, or empty.
        sample_rate: Frames per second.
        channels: Number of channels.
        speakers: Speakers of its channels, in their order; empty for mono, stereo and unknown.
        bits: Smallest output depth that holds the samples: ``"16"``, ``"24"`` or ``"32f"``.
        is_lossy: Whether the codec loses.
        may_be_padded: Whether the length that the file tells may count padding at the end.
        frames: Length in frames that the file tells, or an estimate.
        exact: Whether ``frames`` is exact to the frame: then what is over at the end is padding.
        told: Whether the file tells its length; else ``frames`` is an estimate.
        start: Frames of silence before the audio, by the clock of the file.
        skip: Frames at the start to leave out of what is decoded: the delay of the encoder.
        options: Options with which ffmpeg decodes it.
        notes: Sentences for the user.
    """

    index: int
    codec: str
    title: str
    sample_rate: int
    channels: int
    speakers: tuple[str, ...]
    bits: str
    is_lossy: bool
    may_be_padded: bool
    frames: int
    exact: bool
    told: bool
    start: int = 0
    skip: int = 0
    options: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Spool:
    """Decoded audio in a file without a name.

    Attributes:
        descriptor: The file: interleaved float32 samples, little endian. It is closed with this.
        frames: Length in frames.
        missing: Frames that the file promised and did not hold, 0 or more.
        surplus: Frames that it held beyond what it said, 0 or more.
        complaint: The first thing that ffmpeg could not decode, or empty.
    """

    descriptor: int
    frames: int
    missing: int
    surplus: int
    complaint: str


class SpoolFile:
    """A file object on a spool with a position of its own, so that passes do not disturb another.

    Args:
        spool: The decoded audio, which it keeps open.
    """

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._position = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves to a position and returns it, as `io.IOBase.seek` does."""
        size = os.fstat(self._spool.descriptor).st_size
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: size}[whence]
        self._position = max(start + offset, 0)
        return self._position

    def tell(self) -> int:
        """Returns the position, as `io.IOBase.tell` does."""
        return self._position

    def read(self, count: int) -> bytes:
        """Reads up to ``count`` bytes, as `io.RawIOBase.read` does."""
        data = os.pread(self._spool.descriptor, count, self._position)
        self._position += len(data)
        return data


@dataclass(eq=False)
class ForeignAudio:
    """A stream of a file that only ffmpeg decodes; it is decoded once, when it is first read.

    Attributes:
        name: Name of the file in messages.
        container: Container of the file, a key of `automix.files.foreign.FOREIGN`.
        stream: The stream.
    """

    name: str
    container: str
    stream: CodedStream
    _spool: Spool | None = None
    _lock: Any = field(default_factory=Lock, repr=False)

    def decode(self, descriptor: int) -> Spool:
        """Decodes the stream, or returns what was decoded before.

        Args:
            descriptor: The file, open for reading.

        Raises:
            InputError: ffmpeg is not there, fails, hangs, or finds no audio.
            OutputError: The disk has no room for the decoded audio.
        """
        with self._lock:
            if self._spool is None:
                self._spool = _decode(descriptor, self.name, self.container, self.stream)
            return self._spool


def list_streams(descriptor: int, name: str, container: str) -> list[CodedStream | None]:
    """Lists the streams of audio in a file, without decoding them.

    A stream of a codec that ffmpeg does not know, such as the spatial sound that phones put beside
    the stereo one, keeps its place as none.

    Args:
        descriptor: File open for reading.
        name: Its name, for messages.
        container: Its container, a key of `automix.files.foreign.FOREIGN`.

    Raises:
        InputError: ffmpeg is not installed, or finds no audio in the file that it can read.
    """
    label, text = FOREIGN[container].label, bytearray()

    def take(data: bytes) -> None:
        text.extend(data)
        if len(text) > _TEXT_BYTES:
            raise InputError(f"{name}: its description has no end; export it again")

    command = ["ffprobe", "-v", "error", *_open(descriptor, container)]
    command += ["-show_streams", "-show_format", "-of", "json"]
    status, said = _read_by_child(command, descriptor, name, label, take)
    found, form = _parse_description(text)
    if status or not found:
        raise InputError(f"{name}: {_explain_no_audio(descriptor, container, label, said)}")
    movie = read_movie(descriptor) if container == "mp4" else Movie()
    table = read_packet_table(descriptor) if container == "caf-coded" else None
    tracks = movie.list_tracks("soun")
    streams: list[CodedStream | None] = []
    for number, row in enumerate(found):
        track = tracks[number] if len(tracks) == len(found) else None
        try:
            streams.append(_describe(row, form, container, movie, track, table))
        except (KeyError, ValueError, TypeError, ZeroDivisionError, OverflowError):
            streams.append(None)
    if not any(streams):
        raise InputError(f"{name}: {describe_unreadable(container)}")
    return streams


def describe_unreadable(container: str, stream: str = "audio") -> str:
    """Writes why ``stream`` in a file of a container is not read, and the remedy."""
    return (
        f"{FOREIGN[container].label} whose {stream} ffmpeg cannot read (it may be protected); "
        "save it as WAV in a program that plays it"
    )


def _parse_description(text: bytes | bytearray) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Reads what ffprobe says of each stream of audio, and of the whole file."""
    try:
        told = parse_json(text.decode("utf-8", "replace"), "ffprobe")
        rows = [row for row in told["streams"] if row.get("codec_type") == "audio"]
        return rows, dict(told["format"])
    except (InputError, KeyError, TypeError, ValueError, AttributeError):
        return [], {}


def _open(descriptor: int, container: str) -> list[str]:
    demuxer = FOREIGN[container].demuxer
    whitelist = ["-protocol_whitelist", "file,pipe"]
    return [*whitelist, "-f", demuxer, "-i", f"file:/dev/fd/{descriptor}"]


def _explain_no_audio(descriptor: int, container: str, label: str, said: str) -> str:
    again = "fetch it again, or export it as WAV"
    if container == "mp4" and "moov atom not found" in said:
        return (
            f"cut off: the index at its end is missing, without which no {label} is read; {again}"
        )
    reason = said.splitlines()[-1] if said else "it holds no stream of audio"
    return f"{label} without audio that can be read ({_shorten(reason)}); {again}"


def _describe(
    row: dict[str, Any],
    form: dict[str, Any],
    container: str,
    movie: Movie,
    track: MovieTrack | None,
    table: tuple[int, int] | None,
) -> CodedStream:
    """Makes a `CodedStream` of what ffprobe and the boxes of the file say."""
    codec, rate = str(row["codec_name"]), int(row["sample_rate"])
    if rate < 1 or int(row["channels"]) < 1:
        raise ValueError("no audio")
    lossless = codec.startswith(LOSSLESS)
    tags = {key.lower(): str(text) for part in (row, form) for key, text in _tags(part).items()}
    duration = _read_seconds(row.get("duration")) or _read_seconds(form.get("duration"))
    exact = container in _SAMPLE_EXACT and duration is not None
    frames = 0 if duration is None else round(duration * rate)
    if row.get("duration_ts") and row.get("time_base"):
        frames = round(int(row["duration_ts"]) * Fraction(row["time_base"]) * rate)
    begins = _read_seconds(row.get("start_time"), negative=True) or 0.0
    skip = 0
    options: tuple[str, ...] = ()
    delay_told = container not in ("adts", "ac3", "eac3", "dts", "avi")
    if track is not None:
        counted = track.count_frames(rate)
        tick = rate / max(movie.timescale, 1)
        if counted is not None and abs(counted - frames) <= tick + 1:
            frames, exact = counted, True
            if track.media_time and codec in ("aac", "mp3"):  # Opus does it by itself
                # ffmpeg would drop what lies behind an end that is rounded to milliseconds
                skip = round(track.media_time * rate / track.timescale)
                options = ("-ignore_editlist", "1")
        delay_told = bool(track.media_time)
        if gapless := _read_gapless(tags):
            (delay, frames), exact, delay_told = gapless, True, True
            skip, options = 0, ()  # ffmpeg knows the tag, and counts the delay as a late start
            if abs(begins - delay / rate) < 0.001:
                begins = 0.0
    if container == "caf-coded":
        delay_told = table is not None and table[0] > 0
        if table is not None and delay_told:
            # ffmpeg leaves the delay in, and what a later one leaves out it is told to keep
            (skip, frames), exact, options = table, True, ("-flags2", "+skip_manual")
    if container == "matroska":
        delay_told = begins < 0
        frames = max(frames - round(max(begins, 0.0) * rate), 0)  # its clock ends its audio
    notes = []
    if not delay_told and codec in _DELAYS_S:
        plain = codec != "aac" or str(row.get("profile", "LC")) == "LC"
        usual = _USUAL_DELAYS.get(codec, 0) if plain and skip == 0 and begins <= 0.0 else 0
        late_ms = max(1000.0 * (_DELAYS_S[codec] - usual / rate), 0.0)
        left_out = f" the usual {usual} frames are left out at its start;" if usual else ""
        notes.append(
            f"does not tell the delay of its {codec.upper()} encoder:{left_out} its audio may begin"
            f" up to {late_ms:.0f} ms late"
        )
        skip, frames = skip + usual, max(frames - usual, 0)
    told = FOREIGN[container].tells_length and frames > 0
    if FOREIGN[container].tells_length and not told:
        notes.append("its header gives no length: a missing end would go unnoticed")
    start = 0
    if container in ("mp4", "matroska") and begins >= 0.001:
        start = round(min(begins, _LONGEST_START_S) * rate)
        notes.append(f"its audio begins at {begins:.3f} s: silence put before it")
    if codec in ("wmav1", "wmav2") and tags.get("encoder", "").startswith("Lavf"):
        # of its own encoder's frames it would leave out two, although only one is delay
        skip = 512 if rate <= 16000 else 1024 if rate <= 22050 else 2048
        options = ("-flags2", "+skip_manual")
    return CodedStream(
        index=int(row["index"]),
        codec=codec,
        title=_read_title(row),
        sample_rate=rate,
        channels=int(row["channels"]),
        speakers=_SPEAKERS.get(str(row.get("channel_layout")), ()),
        bits=_choose_bits(row, lossless),
        is_lossy=not lossless,
        may_be_padded=container not in _SAMPLE_EXACT and not codec.startswith("pcm_"),
        frames=max(frames, 0),
        exact=exact,
        told=told,
        start=start,
        skip=skip,
        options=options,
        notes=tuple(notes),
    )


def _tags(part: dict[str, Any]) -> dict[str, Any]:
    tags = part.get("tags")
    return tags if isinstance(tags, dict) else {}


def _read_title(row: dict[str, Any]) -> str:
    tags = {key.lower(): str(text).strip() for key, text in _tags(row).items()}
    handler = tags.get("handler_name", "")
    return tags.get("title") or tags.get("name") or ("" if _GENERIC.search(handler) else handler)


def _read_seconds(text: object, *, negative: bool = False) -> float | None:
    try:
        seconds = float(str(text))
    except ValueError:
        return None
    return seconds if (negative or seconds > 0) and abs(seconds) < 1e9 else None


def _read_gapless(tags: dict[str, str]) -> tuple[int, int] | None:
    """Reads delay and length in frames from the tag that iTunes writes; none without one."""
    words = tags.get("itunsmpb", "").split()
    try:
        delay, frames = int(words[1], 16), int(words[3], 16)
    except (IndexError, ValueError):
        return None
    return (delay, frames) if frames else None


def _choose_bits(row: dict[str, Any], lossless: bool) -> str:
    if not lossless:
        return "16"
    if str(row.get("sample_fmt", "")).startswith(("flt", "dbl")):
        return "32f"
    raw = int(row.get("bits_per_raw_sample") or row.get("bits_per_sample") or 16)
    return "16" if raw <= 16 else "24"


def _decode(descriptor: int, name: str, container: str, stream: CodedStream) -> Spool:
    """Decodes a stream into a file without a name; see `ForeignAudio.decode`."""
    frame_bytes = 4 * stream.channels
    most_s = 60 + os.fstat(descriptor).st_size // _LEAST_BYTES_PER_SECOND
    folder = _choose_spool_folder()
    written, leave_out = 0, frame_bytes * stream.skip
    command = ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-threads", "1"]
    command += [*stream.options, *_open(descriptor, container), "-map", f"0:{stream.index}"]
    command += ["-c:a", "pcm_f32le", "-f", "f32le", "pipe:1"]
    needed = f"{frame_bytes * stream.frames / 1e6:.1f} MB for the decoded audio of {name}"
    with _report_full_disk(folder, needed), tempfile.TemporaryFile(dir=folder) as spool:
        spool.write(bytes(frame_bytes * stream.start))

        def take(data: bytes) -> None:
            nonlocal written, leave_out
            kept = memoryview(data)[leave_out:]
            leave_out -= len(data) - len(kept)
            written += len(kept)
            if written > frame_bytes * stream.sample_rate * most_s:
                raise InputError(
                    f"{name}: holds more audio than a file of its size can; export it again"
                )
            with _report_full_disk(folder, needed):
                spool.write(kept)

        label = FOREIGN[container].label
        status, said = _read_by_child(command, descriptor, name, label, take)
        complaint = _choose_complaint(said) or (f"exit status {status}" if status else "")
        if status and not written:
            raise InputError(f"{name}: ffmpeg cannot decode it ({complaint}); export it again")
        frames, missing, surplus = _compare_length(written // frame_bytes, stream)
        frames += stream.start
        spool.truncate(frame_bytes * frames)  # after writing out what is buffered
        kept_open = os.dup(spool.fileno())
    decoded = Spool(kept_open, frames, missing, surplus, complaint)
    weakref.finalize(decoded, os.close, kept_open)
    return decoded


def _choose_complaint(said: str) -> str:
    lines = [line for line in said.splitlines() if not any(words in line for words in _HARMLESS)]
    return _shorten(lines[0]) if lines else ""


def _shorten(line: str) -> str:
    return _ADDRESS.sub("", printable(line.strip()[:200]))


def _compare_length(decoded: int, stream: CodedStream) -> tuple[int, int, int]:
    """Compares the frames that were decoded with those that the file tells of.

    Returns:
        The frames to keep, without padding at the end; those that are missing; those too many.
    """
    if not stream.told:
        return decoded, 0, 0
    tick = 0 if stream.exact else stream.sample_rate // 1000 + 1
    padding = round(_PADDING_S * stream.sample_rate)
    if stream.frames - decoded > (padding if stream.may_be_padded else tick):
        return decoded, stream.frames - decoded, 0
    if decoded - stream.frames - tick > (padding if stream.is_lossy else 0):
        return decoded, 0, decoded - stream.frames
    return min(decoded, stream.frames + tick), 0, 0


def _choose_spool_folder() -> str:
    """Chooses where audio is spooled: `TMPDIR`, or the place for large temporary files."""
    large = "/var/tmp"  # on disk where /tmp may be memory
    if not os.environ.get("TMPDIR") and os.access(large, os.W_OK | os.X_OK):
        return large
    return tempfile.gettempdir()


@contextlib.contextmanager
def _report_full_disk(folder: str, needed: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{printable(folder)}: {error.strerror}: needs {needed}; make room, or set TMPDIR to "
            "another folder"
        ) from error


def _read_by_child(
    command: list[str], descriptor: int, name: str, label: str, take: Callable[[bytes], None]
) -> tuple[int, str]:
    """Runs ffmpeg or ffprobe on a file; returns its exit status and what it complained of."""
    program = find_program(command[0])
    if program is None:
        raise InputError(
            f"{name}: holds {label}, which automix reads through ffmpeg, and {command[0]} is not "
            "installed; install ffmpeg, or convert the file to WAV or FLAC"
        )
    os.lseek(descriptor, 0, os.SEEK_SET)  # where /dev/fd shares it with the child
    size = os.fstat(descriptor).st_size
    child = _Child(
        [program, *command[1:]],
        descriptor,
        limit_s=_LIMIT_S + size / _BYTES_PER_S,
        limits={
            resource.RLIMIT_AS: _MEMORY_BYTES + 8 * size,
            resource.RLIMIT_FSIZE: 0,
            resource.RLIMIT_CORE: 0,
        },
    )
    try:
        return child.run(take)
    except TimeoutError as error:
        raise InputError(
            f"{name}: {command[0]} {error}, and was stopped; convert the file to WAV or FLAC"
        ) from error
    except OSError as error:
        raise InputError(f"{name}: {command[0]} cannot be run: {error.strerror}") from error


def encode_m4a(
    descriptor: int, blocks: Iterable[bytes], *, sample_rate: int, channels: int, bitrate: int
) -> None:
    """Writes audio as AAC in MP4 to an open file, through ffmpeg.

    Args:
        descriptor: Empty file open for reading and writing.
        blocks: Interleaved float32 samples, little endian.
        sample_rate: Frames per second.
        channels: 1 or 2.
        bitrate: Bits per second.

    Raises:
        EncoderFailure: ffmpeg is not there, fails, or hangs.
    """
    program = find_program("ffmpeg")
    if program is None:
        raise EncoderFailure("ffmpeg is not installed")
    command = [program, "-y", "-hide_banner", "-loglevel", "error", "-threads", "1"]
    command += ["-protocol_whitelist", "file,pipe", "-f", "f32le", "-ar", str(sample_rate)]
    command += ["-ac", str(channels), "-i", "pipe:0", "-c:a", "aac", "-b:a", str(bitrate)]
    # no date and no version in the file: the same audio gives the same bytes
    command += ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact"]
    command += ["-f", "ipod", "-protocol_whitelist", "file,pipe", f"file:/dev/fd/{descriptor}"]
    child = _Child(command, descriptor, limits={resource.RLIMIT_CORE: 0})
    try:
        status, said = child.run(feed=iter(blocks))
    except (TimeoutError, BrokenPipeError) as error:
        raise EncoderFailure(f"ffmpeg: {error}") from error
    if status:
        last = said.splitlines()[-1] if said else f"exit status {status}"
        raise EncoderFailure(f"ffmpeg: {_shorten(last)}")


class _Child:
    """One run of ffmpeg or ffprobe.

    Args:
        command: The program and its arguments.
        descriptor: A file that it gets under the same number.
        limit_s: Seconds that it may take in all.
        limits: Limits of the system, by their names in `resource`.
    """

    def __init__(
        self,
        command: list[str],
        descriptor: int,
        *,
        limit_s: float = float("inf"),
        limits: dict[int, int],
    ) -> None:
        self._command = command
        self._descriptor = descriptor
        self._limit_s = limit_s
        self._limits = limits
        self._said = bytearray()

    def run(
        self, take: Callable[[bytes], None] | None = None, feed: Iterator[bytes] | None = None
    ) -> tuple[int, str]:
        """Runs the program to its end; leaves no process behind, whatever happens.

        Args:
            take: Gets its output piece by piece; none discards it.
            feed: Its input; none gives it no input.

        Returns:
            Its exit status, and the start of what it wrote as errors.

        Raises:
            TimeoutError: It hung, or took too long.
            OSError: It could not be started.
        """
        environment = {name: text for name, text in os.environ.items() if name not in _SPARED}
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL if feed is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=environment,
            pass_fds=(self._descriptor,),
            start_new_session=True,  # what it starts itself ends with it
        )
        try:
            if hasattr(resource, "prlimit"):
                for limit, most in self._limits.items():
                    with contextlib.suppress(OSError, ValueError):  # it has ended, or less is set
                        resource.prlimit(process.pid, limit, (most, most))
            self._pump(process, take, feed)
            status = process.wait(STALL_S)
        except subprocess.TimeoutExpired as error:
            raise TimeoutError(f"did not end within {STALL_S:g} s") from error
        finally:
            if process.returncode is None:
                with contextlib.suppress(OSError):
                    os.killpg(process.pid, signal.SIGKILL)
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
            process.wait()
        return status, self._said.decode(errors="replace").strip()

    def _pump(
        self,
        process: "subprocess.Popen[bytes]",
        take: Callable[[bytes], None] | None,
        feed: Iterator[bytes] | None,
    ) -> None:
        """Moves input, output and errors until the program has closed its side."""
        end = time.monotonic() + self._limit_s
        waiting = memoryview(b"")
        with selectors.DefaultSelector() as selector:
            for pipe, event in (
                (process.stdin, selectors.EVENT_WRITE),
                (process.stdout, selectors.EVENT_READ),
                (process.stderr, selectors.EVENT_READ),
            ):
                if pipe is not None:
                    os.set_blocking(pipe.fileno(), False)
                    selector.register(pipe, event)
            while selector.get_map():
                ready = selector.select(STALL_S)
                if not ready:
                    raise TimeoutError(f"did nothing for {STALL_S:g} s")
                if time.monotonic() > end:
                    raise TimeoutError(f"took longer than {self._limit_s:.0f} s")
                for key, _ in ready:
                    if key.fileobj is process.stdin:
                        waiting = self._give(process, selector, waiting, feed)
                        continue
                    data = os.read(key.fd, _PIPE_BYTES)
                    if not data:
                        selector.unregister(key.fileobj)
                    elif key.fileobj is process.stderr:
                        self._said += data
                        if len(self._said) > _TEXT_BYTES:
                            raise TimeoutError("complained without end")
                    elif take is not None:
                        take(data)

    def _give(
        self,
        process: "subprocess.Popen[bytes]",
        selector: selectors.BaseSelector,
        waiting: memoryview,
        feed: Iterator[bytes] | None,
    ) -> memoryview:
        """Writes what the program takes; closes its input behind the last piece."""
        pipe = process.stdin
        if pipe is None or feed is None:
            raise RuntimeError("the program has no input")
        if not waiting:
            waiting = memoryview(next((piece for piece in feed if piece), b""))
        try:
            if waiting:
                return waiting[os.write(pipe.fileno(), waiting) :]
        except BlockingIOError:
            return waiting
        except BrokenPipeError:  # it has given up: its errors say why
            pass
        selector.unregister(pipe)
        pipe.close()
        return waiting


def require_encoder(path: str | os.PathLike[str]) -> None:
    """Makes sure that M4A files can be written.

    Raises:
        OutputError: ffmpeg is not installed.
    """
    if any(find_program(name) is None for name in ("ffmpeg", "ffprobe")):
        raise OutputError(
            f"{printable(Path(path))}: M4A is written through ffmpeg, which is not installed; "
            "install it, or write .mp3, .ogg or .flac"
        )
