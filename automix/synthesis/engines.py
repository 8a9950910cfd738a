"""Turns notes into sound: FluidSynth with a General MIDI sound font, or built-in synthesis."""

import os
import resource
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from automix.errors import DeviceError, InputError, OutputError, UsageError
from automix.files.names import printable
from automix.sound.filters import Signal
from automix.sound.score import Hit, Note
from automix.synthesis.built_in import BuiltIn
from automix.synthesis.instruments import Instrument
from automix.synthesis.midi import write_drums, write_pitched

EngineName = Literal["auto", "fluidsynth", "built-in"]

SOUND_FONTS = (
    "/usr/share/sounds/sf2/FluidR3_GM.sf2",
    "/usr/share/sounds/sf2/default-GM.sf2",
    "/usr/share/sounds/sf3/default-GM.sf3",
    "/usr/share/sounds/sf2/TimGM6mb.sf2",
    "/usr/share/soundfonts/FluidR3_GM.sf2",
    "/usr/share/soundfonts/default.sf2",
)
"""Files in which Debian and other systems keep General MIDI sound fonts."""

_TIMEOUT_S = 60.0
_REMEDY = "install the packages fluidsynth and fluid-soundfont-gm, or use --engine built-in"


class Engine(Protocol):
    """Renders parts dry. All results are ``(2, frames)`` float64 at any level."""

    def play(self, notes: Sequence[Note], instrument: Instrument, program: int) -> Signal:
        """Plays the notes on an instrument, as a General MIDI program where it has programs."""

    def strike(self, hits: Sequence[Hit], kit: int) -> Signal:
        """Plays drums; the ``piece`` of a hit is the number of its key in the MIDI drum map."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineChoice:
    """Which engine is to be used, found out once for all songs.

    Attributes:
        soundfont: File of the sound font; none for built-in synthesis.
        note: Sentence for the user, or empty.
    """

    soundfont: str | None = None
    note: str = ""

    @property
    def name(self) -> str:
        """Name of the engine and of its sound font, as plans record it."""
        if self.soundfont is None:
            return "built-in"
        return f"FluidSynth with {os.path.basename(self.soundfont)}"

    def start(self, folder: Path, frames: int, sample_rate: int, seed: int) -> Engine:
        """Makes the engine that was chosen.

        Args:
            folder: Folder for temporary files.
            frames: Length of what it renders.
            sample_rate: Frames per second.
            seed: Seed of built-in sounds.
        """
        if self.soundfont is None:
            return BuiltIn(frames, sample_rate, seed)
        return FluidSynth(self.soundfont, folder, frames, sample_rate)


def choose_engine(name: EngineName, soundfont: Path | None = None) -> EngineChoice:
    """Finds an engine.

    Args:
        name: Name of the engine; ``auto`` takes FluidSynth where it and a sound font are installed.
        soundfont: File of a sound font; none looks in the usual places.

    Raises:
        DeviceError: FluidSynth is asked for and not installed, or has no sound font.
        InputError: ``soundfont`` is not a sound font.
        UsageError: A sound font is given for built-in synthesis.
    """
    if name == "built-in":
        if soundfont is not None:
            raise UsageError("--soundfont goes with FluidSynth, not with --engine built-in")
        return EngineChoice()
    asked = name == "fluidsynth" or soundfont is not None
    if shutil.which("fluidsynth") is None:
        if asked:
            raise DeviceError(f"FluidSynth is not installed; {_REMEDY}")
        return EngineChoice(note="FluidSynth is not installed: built-in instruments play")
    if soundfont is not None:
        _check_soundfont(soundfont)
        return EngineChoice(soundfont=os.path.abspath(soundfont))
    found = next((path for path in SOUND_FONTS if os.path.isfile(path)), None)
    if found is None and asked:
        raise DeviceError(f"no General MIDI sound font found; give --soundfont FILE, or {_REMEDY}")
    if found is None:
        return EngineChoice(note="there is no sound font: built-in instruments play")
    return EngineChoice(soundfont=found)


def _check_soundfont(path: Path) -> None:
    try:
        if not path.is_file():
            raise InputError(f"{printable(path)}: is not a file; give a sound font (.sf2, .sf3)")
        with path.open("rb") as file:
            head = file.read(12)
    except OSError as error:
        raise InputError(f"{printable(path)}: cannot be read: {error.strerror}") from error
    if head[:4] != b"RIFF" or head[8:] != b"sfbk":
        raise InputError(f"{printable(path)}: is not a sound font; give an .sf2 or .sf3 file")


class FluidSynth:
    """Plays with the program FluidSynth, run once per part; its reverb and chorus are off.

    Args:
        soundfont: The sound font.
        folder: Folder for temporary files; the caller removes it.
        frames: Length of what is rendered.
        sample_rate: Frames per second, 8000 … 96000.
    """

    def __init__(self, soundfont: str, folder: Path, frames: int, sample_rate: int) -> None:
        self._soundfont = soundfont
        self._folder = folder
        self._frames = frames
        self._sample_rate = sample_rate
        # The file ends a little late, so that what is rendered is never too short.
        self._duration_s = frames / sample_rate + 0.1

    def play(self, notes: Sequence[Note], instrument: Instrument, program: int) -> Signal:
        """Plays the notes with a program of the sound font, ``(2, frames)``."""
        return self._render(write_pitched(notes, program, self._duration_s))

    def strike(self, hits: Sequence[Hit], kit: int) -> Signal:
        """Plays drums with a kit of the sound font, ``(2, frames)``."""
        return self._render(write_drums(hits, kit, self._duration_s))

    def _render(self, midi: bytes) -> Signal:
        """Renders a MIDI file to ``(2, frames)`` float64.

        Raises:
            DeviceError: FluidSynth cannot be started, or fails.
            InputError: FluidSynth cannot load the sound font.
            OutputError: There is no room for its output.
        """
        number = os.urandom(8).hex()
        score, sound = self._folder / f"{number}.mid", self._folder / f"{number}.raw"
        try:
            score.write_bytes(midi)
            self._run(score, sound)
            samples = np.fromfile(sound, "<f4")
        except OSError as error:
            raise OutputError(
                f"{printable(self._folder)}: cannot be written: {error.strerror}; make room, or"
                " choose"
                " another folder"
            ) from error
        finally:
            score.unlink(missing_ok=True)
            sound.unlink(missing_ok=True)
        if samples.size < 2 * self._frames:
            raise OutputError(
                f"{printable(self._folder)}: FluidSynth wrote too little; the disk may be full:"
                " needs"
                f" {8 * self._frames / 1e6:.1f} MB"
            )
        stereo = samples[: 2 * self._frames].reshape(-1, 2).T
        return np.ascontiguousarray(stereo, dtype=np.float64)

    def _run(self, score: Path, sound: Path) -> None:
        settings = {
            "synth.cpu-cores": "1",
            "synth.dynamic-sample-loading": "1",
            "synth.polyphony": "256",
            "synth.lock-memory": "0",
        }
        command = ["fluidsynth", "-n", "-i", "-q", "-R", "0", "-C", "0", "-g", "0.3"]
        command += ["-r", str(self._sample_rate), "-T", "raw", "-O", "float", "-E", "little"]
        command += [word for item in settings.items() for word in ("-o", "=".join(item))]
        command += ["-F", str(sound.absolute()), self._soundfont, str(score.absolute())]
        # A player that never ends, as over a broken sound font, must not fill the disk; what the
        # program maps for audio drivers that it does not use counts as a file of 64 MiB, too.
        limit = 4 * 8 * self._frames + 2**28
        try:
            with subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            ) as process:
                try:
                    if hasattr(resource, "prlimit"):
                        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (limit, limit))
                    _, errors = process.communicate(timeout=_TIMEOUT_S)
                finally:
                    process.kill()
        except FileNotFoundError as error:
            raise DeviceError(f"FluidSynth is not installed; {_REMEDY}") from error
        except subprocess.TimeoutExpired as error:
            raise DeviceError(f"FluidSynth did not end within {_TIMEOUT_S:.0f} s") from error
        said = errors.decode(errors="replace").strip()
        # The program has no exit code of its own for a sound font that it cannot load.
        if "Failed to load SoundFont" in said or "not a SoundFont" in said:
            raise InputError(
                f"{printable(self._soundfont)}: FluidSynth cannot load this sound font; give"
                " another"
                " with --soundfont"
            )
        if process.returncode or not sound.is_file():
            last = (said.splitlines() or ["it said nothing"])[-1]
            raise DeviceError(f"FluidSynth failed: {last}")
