"""FluidSynth and the built-in instruments: pitch, length, dryness, and what is missing."""

from pathlib import Path

import numpy as np
import pytest

from automix.errors import DeviceError, InputError, OutputError, UsageError
from automix.sound.instruments import SOUNDS
from automix.sound.score import Hit, Note
from automix.synthesis import engines
from automix.synthesis.built_in import STROKES, BuiltIn
from automix.synthesis.engines import Engine, EngineChoice, FluidSynth, choose_engine
from automix.synthesis.instruments import INSTRUMENTS

RATE = 44100
FRAMES = 3 * RATE
C4 = [Note(start_s=0.5, duration_s=1.0, pitch=60, velocity=0.8)]
KICK = [Hit(start_s=0.5, piece="36", velocity=0.9)]


@pytest.fixture(params=["fluidsynth", "built-in"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    if request.param == "built-in":
        return EngineChoice().start(tmp_path, FRAMES, RATE, 1)
    choice = choose_engine("auto")
    if choice.soundfont is None:
        pytest.skip("FluidSynth or a sound font is not installed")
    return choice.start(tmp_path, FRAMES, RATE, 1)


def pitch_hz(sound: np.ndarray) -> float:
    """Of a steady tone, from its autocorrelation."""
    power = np.abs(np.fft.rfft(sound, 2 * sound.size)) ** 2
    correlation = np.fft.irfft(power)[: sound.size]
    low, high = round(RATE / 900.0), round(RATE / 90.0)
    window = correlation[low:high]
    # The first of the peaks that are about as high as the highest: not an octave below.
    lag = low + int(np.flatnonzero(window > 0.95 * window.max())[0])
    while correlation[lag + 1] > correlation[lag]:
        lag += 1
    return RATE / lag


@pytest.mark.parametrize("key", ["piano", "oboe", "strings", "synth lead", "acoustic guitar"])
def test_a_note_sounds_when_and_as_high_as_written(engine: Engine, key: str) -> None:
    sound = engine.play(C4, INSTRUMENTS[key], INSTRUMENTS[key].programs[0])
    assert sound.shape == (2, FRAMES)
    assert np.isfinite(sound).all()
    left = sound[0]
    peak = np.abs(left).max()
    assert peak > 0.0
    assert np.abs(left[: round(0.495 * RATE)]).max() < 1e-3 * peak
    assert np.abs(left[round(0.8 * RATE) : round(1.2 * RATE)]).max() > 0.02 * peak
    found_hz = pitch_hz(left[round(0.8 * RATE) : round(1.3 * RATE)])
    octaves = np.log2(found_hz / 261.63)
    assert abs(octaves - round(octaves)) < 1 / 24  # within a quarter tone, in some octave


def test_nothing_reverberates(engine: Engine) -> None:
    sound = engine.play(C4, INSTRUMENTS["organ"], 16)
    level = np.abs(sound).max()
    assert np.abs(sound[:, round(2.5 * RATE) :]).max() < 1e-3 * level


def test_a_bass_drum_is_low_and_a_hat_is_high(engine: Engine) -> None:
    centers = []
    for key in (36, 42):
        sound = engine.strike([Hit(start_s=0.5, piece=str(key), velocity=0.9)], 0).mean(axis=0)
        power = np.abs(np.fft.rfft(sound)) ** 2
        hz = np.fft.rfftfreq(sound.size, 1 / RATE)
        centers.append(float((hz * power).sum() / power.sum()))
    assert centers[0] < 400.0
    assert centers[1] > 3000.0


def test_a_harder_stroke_is_louder(engine: Engine) -> None:
    soft, hard = (
        np.abs(engine.strike([Hit(start_s=0.1, piece="38", velocity=v)], 0)).max()
        for v in (0.3, 0.95)
    )
    assert hard > 1.5 * soft


def test_an_engine_repeats_itself(engine: Engine) -> None:
    first, second = (engine.play(C4, INSTRUMENTS["piano"], 0) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("name", SOUNDS)
def test_every_built_in_sound_is_clean(name: str) -> None:
    for pitch in (36, 60, 84):
        sound = SOUNDS[name](pitch, 0.9, 0.4, np.random.default_rng(1), RATE)
        assert np.isfinite(sound).all()
        assert 0.01 < np.abs(sound).max() < 3.0
        assert np.abs(sound[-5:]).max() < 0.02


@pytest.mark.parametrize("key", STROKES)
def test_every_built_in_stroke_sounds(key: int) -> None:
    engine = BuiltIn(RATE, RATE, 1)
    sound = engine.strike([Hit(start_s=0.1, piece=str(key), velocity=0.8)], 0)
    assert np.abs(sound[:, : round(0.099 * RATE)]).max() == 0.0
    assert 0.01 < np.abs(sound).max() < 3.0


def test_without_fluidsynth_auto_takes_the_built_in_instruments_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")
    choice = choose_engine("auto")
    assert choice.soundfont is None
    assert "FluidSynth" in choice.note
    with pytest.raises(DeviceError, match="built-in"):
        choose_engine("fluidsynth")


def fake_program(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "fluidsynth"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_without_a_sound_font_auto_takes_the_built_in_instruments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_program(tmp_path, "exit 0", monkeypatch)
    monkeypatch.setattr(engines, "SOUND_FONTS", (str(tmp_path / "none.sf2"),))
    assert "sound font" in choose_engine("auto").note
    with pytest.raises(DeviceError, match="--soundfont"):
        choose_engine("fluidsynth")


def test_what_is_no_sound_font_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_program(tmp_path, "exit 0", monkeypatch)
    with pytest.raises(InputError, match="is not a file"):
        choose_engine("auto", tmp_path / "absent.sf2")
    (tmp_path / "text.sf2").write_text("no sound font")
    with pytest.raises(InputError, match="is not a sound font"):
        choose_engine("auto", tmp_path / "text.sf2")
    (tmp_path / "good.sf2").write_bytes(b"RIFF\x00\x00\x00\x00sfbk")
    assert choose_engine("auto", tmp_path / "good.sf2").soundfont == str(tmp_path / "good.sf2")
    with pytest.raises(UsageError, match="--soundfont"):
        choose_engine("built-in", tmp_path / "good.sf2")


@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        ("echo bad >&2; exit 3", DeviceError, "bad"),
        ("echo 'fluidsynth: error: Failed to load SoundFont' >&2", InputError, "sound font"),
        ('while [ "$1" != -F ]; do shift; done; printf abcd > "$2"', OutputError, "disk"),
    ],
)
def test_a_failing_program_is_reported(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    error: type[Exception],
    words: str,
) -> None:
    fake_program(tmp_path, script, monkeypatch)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    engine = FluidSynth("font.sf2", scratch, RATE, RATE)
    with pytest.raises(error, match=words):
        engine.strike(KICK, 0)
    assert not list(scratch.iterdir())
