"""What is refused: each class has its exit code, a message that names the cause, and no trace."""

import os
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from automix.files.target import OutputTarget
from tests.cli.short_song import RATE, drums, voice


def refusal(result, exit_code: int) -> str:
    """The message on stderr; stdout stays empty and no exception's name shows."""
    assert result.exit_code == exit_code
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert "Errno" not in result.stderr
    return result.stderr


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--bogus"], "--bogus"),
        (["--preset", "nope"], "'nope'"),
        (["--method", "dmc"], "'dmc'"),
        (["--bits", "12"], "'12'"),
        (["--level", "31"], "--level"),
        (["--level", "nan"], "--level"),
        (["--tempo", "5"], "--tempo"),
        (["--loudness", "1"], "--loudness"),
        (["--true-peak", "0.1"], "--true-peak"),
        (["--seed", "-1"], "--seed"),
        (["--set", "fader_db"], "'fader_db'"),
        (["--set", "bass.fader_db=1"], "'bass.fader_db'"),
        (["--set", "vocal.volume=1"], "'volume'"),
        (["--set", "vocal.fader_db=loud"], "'vocal.fader_db'"),
        (["--set", "vocal.pan=1.5"], "'vocal.pan'"),
        (["--set", "vocal.name+=1"], "vocal.name"),
        (["--set", "vocal.equalizer.bands.9.q=1"], "'9'"),
        (["-o", "mix.wav", "--name", "{song}.wav"], "folder"),
        (["-o", ".", "--name", "{title}.wav"], "{song}"),
        (["-o", ".", "--name", "{song[0]}.wav"], "{song[0]}"),
        (["-o", ".", "--name", "{}.wav"], "{song}"),
        (["-o", ".", "--name", "../{song}.wav"], "file name"),
        (["-o", ".", "--name", ""], "file name"),
        (["-o", ".", "--name", "{song}"], "extension"),
        (["-o", "mix.txt"], "mix.txt"),
        (["-o", "mix"], "extension"),
        (["-o", "mix.flac", "--bits", "32f"], "mix.flac"),
        (["--skip-existing", "--no-plan"], "--no-plan"),
        (["--config", "missing.toml"], "missing.toml"),
        (["--config", "."], "folder"),
        (["third.wav"], "third.wav"),
    ],
)
def test_usage_exits_2(cli, song, options: list[str], named: str) -> None:
    message = refusal(cli("vocal", song.vocal, song.beat, *options), 2)
    assert named in message
    assert not list(Path().iterdir())


@pytest.mark.parametrize("arguments", [["mix"], ["vocal"], ["render"], ["completion", "tcsh"]])
def test_wrong_commands_exit_2(cli, arguments: list[str]) -> None:
    refusal(cli(*arguments), 2)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("loudnes = 1", "'loudnes'"),
        ("filter_q = 100", "filter_q"),
        ("filters = 2.5", "filters"),
        ("reverb = 1", "reverb"),
        ("[reverb]\nroom = 1", "'room'"),
        ("filter_q = ", "Invalid value"),
        ("filter_q = '\udcff'", "line 1: is not UTF-8"),
        ("filters = " + 5000 * "[", "TOML"),
    ],
)
def test_a_wrong_config_exits_2(cli, song, text: str, named: str) -> None:
    Path("rules.toml").write_bytes(text.encode(errors="surrogateescape"))
    message = refusal(cli("vocal", song.vocal, song.beat, "--config", "rules.toml"), 2)
    assert "rules.toml" in message
    assert named in message


def wav(frames: bytes, *, claimed: int | None = None, channels: int = 1) -> bytes:
    """A PCM file of 16 bits whose header may claim another size than it has."""
    size = len(frames) if claimed is None else claimed
    fmt = struct.pack("<HHIIHH", 1, channels, RATE, RATE * 2 * channels, 2 * channels % 65536, 16)
    head = b"WAVEfmt " + struct.pack("<I", 16) + fmt + b"data" + struct.pack("<I", size)
    return b"RIFF" + struct.pack("<I", min(len(head) + size, 2**32 - 1)) + head + frames


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"These are the lyrics of the song.\n",
        bytes(range(256)) * 40,
        wav(b"")[:20],
        wav(b""),
        wav(b"\x01\x02" * 1000, claimed=0),
        wav(b"\x01\x02" * 1000, channels=0),
        wav(b"\x01\x02" * 1000, channels=65535),
    ],
    ids=["empty", "text", "bytes", "half a header", "no frames", "size 0", "no channels", "many"],
)
def test_what_is_no_audio_exits_3(cli, song, content: bytes) -> None:
    Path("vox.wav").write_bytes(content)
    assert "vox.wav" in refusal(cli("vocal", "vox.wav", song.beat), 3)
    assert [path.name for path in Path().iterdir()] == ["vox.wav"]


def test_missing_files_and_folders_exit_3(cli, song) -> None:
    Path("folder.wav").mkdir()
    assert "gone.wav" in refusal(cli("vocal", song.vocal, "gone.wav"), 3)
    assert "folder.wav" in refusal(cli("vocal", "folder.wav", song.beat), 3)


def test_a_fifo_exits_3_at_once(start, song, tmp_path) -> None:
    os.mkfifo(tmp_path / "vox.wav")
    process = start("vocal", "vox.wav", song.beat)
    _, message = process.communicate(timeout=30)  # reading it would wait for a writer forever
    assert process.returncode == 3
    assert b"vox.wav" in message


def test_a_cut_flac_exits_3_unless_allowed(cli, song) -> None:
    soundfile.write("whole.flac", voice(), RATE)
    data = Path("whole.flac").read_bytes()
    Path("vox.flac").write_bytes(data[: len(data) // 2])
    assert "--allow-truncated" in refusal(cli("vocal", "vox.flac", song.beat), 3)
    result = cli("vocal", "vox.flac", song.beat, "--allow-truncated")
    assert result.exit_code == 0
    assert "vox.flac" in result.stderr


def test_not_a_number_exits_3_unless_repaired(cli, song) -> None:
    samples = voice()
    samples[RATE : RATE + 3] = np.nan
    samples[2 * RATE] = np.inf
    soundfile.write("vox.wav", samples, RATE, "FLOAT")
    message = refusal(cli("vocal", "vox.wav", song.beat), 3)
    assert "1.000" in message  # seconds to the first
    assert "--repair" in message
    result = cli("vocal", "vox.wav", song.beat, "--repair")
    assert result.exit_code == 0
    assert "4 NaN or infinite" in result.stderr
    assert np.isfinite(soundfile.read("mix.wav")[0]).all()


def test_a_header_that_claims_too_much_is_used_with_a_warning_unless_strict(cli, song) -> None:
    frames = (voice() * 32767).astype("<i2").tobytes()
    Path("vox.wav").write_bytes(wav(frames, claimed=4_000_000_000))
    assert "vox.wav" in refusal(cli("vocal", "vox.wav", song.beat, "--strict"), 3)
    result = cli("vocal", "vox.wav", song.beat)
    assert result.exit_code == 0
    assert "header claims" in result.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_input_exits_3(cli, song) -> None:
    Path("vox.wav").write_bytes(song.vocal.read_bytes())
    Path("vox.wav").chmod(0)
    assert "vox.wav" in refusal(cli("vocal", "vox.wav", song.beat), 3)


def test_an_existing_output_exits_4_without_force(cli, song) -> None:
    Path("mix.wav").write_text("mine")
    assert "--force" in refusal(cli("vocal", song.vocal, song.beat), 4)
    assert Path("mix.wav").read_text() == "mine"
    assert not Path("mix.toml").exists()
    assert cli("vocal", song.vocal, song.beat, "-f").exit_code == 0
    assert soundfile.info("mix.wav").frames > 0


def test_an_existing_plan_exits_4_without_force(cli, song) -> None:
    Path("mix.toml").write_text("mine")
    assert "mix.toml" in refusal(cli("vocal", song.vocal, song.beat), 4)
    assert [path.name for path in Path().iterdir()] == ["mix.toml"]


@pytest.mark.parametrize("link", [None, os.symlink, os.link])
def test_an_output_that_is_an_input_exits_4(cli, song, link) -> None:
    data = song.beat.read_bytes()
    Path("beat.wav").write_bytes(data)
    if link:
        link("beat.wav", "mix.wav")
    output = "mix.wav" if link else "beat.wav"
    message = refusal(cli("vocal", song.vocal, "beat.wav", "-o", output, "-f"), 4)
    assert "beat.wav" in message
    assert Path("beat.wav").read_bytes() == data


def test_an_output_below_a_file_exits_4(cli, song) -> None:
    Path("file").write_text("")
    assert "file/mix.wav" in refusal(cli("vocal", song.vocal, song.beat, "-o", "file/mix.wav"), 4)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_folder_exits_4(cli, song) -> None:
    Path("locked").mkdir(mode=0o555)
    assert "locked" in refusal(cli("vocal", song.vocal, song.beat, "-o", "locked/mix.wav"), 4)


@pytest.mark.parametrize("length", [256, 300, 5000])
def test_too_long_a_name_exits_4(cli, song, length: int) -> None:
    name = "x" * (length - 4) + ".wav"
    assert "too long" in refusal(cli("vocal", song.vocal, song.beat, "-o", name), 4)


def test_two_outputs_of_one_name_exit_4(cli, song) -> None:
    options = ("-o", "stems/vocal.wav", "--export-stems", "./stems")
    assert "stems/vocal.wav" in refusal(cli("vocal", song.vocal, song.beat, *options), 4)
    assert not list(Path().iterdir())


def test_an_output_that_another_run_is_writing_exits_4(cli, song) -> None:
    with OutputTarget.reserve("mix.wav"):
        assert "another run" in refusal(cli("vocal", song.vocal, song.beat), 4)
        assert "another run" in refusal(cli("vocal", song.vocal, song.beat, "-f"), 4)
    assert cli("vocal", song.vocal, song.beat).exit_code == 0


def test_missing_plug_ins_exit_6_before_work(cli, song) -> None:
    for folder in ("none", "."):
        message = refusal(cli("vocal", song.vocal, song.beat, "--plugins", folder), 6)
        assert f"folder {folder}:" in message
    assert not list(Path().iterdir())


def test_inputs_are_not_changed(cli, song) -> None:
    Path("b.wav").write_bytes(wav((drums()[:, 0] * 32767).astype("<i2").tobytes(), claimed=10**9))
    before = Path("b.wav").read_bytes(), song.vocal.read_bytes()
    assert cli("vocal", song.vocal, "b.wav", "--repair").exit_code == 0
    assert before == (Path("b.wav").read_bytes(), song.vocal.read_bytes())


LONG = 300 * "v"


@pytest.mark.parametrize(
    "words",
    [
        ("stems", f"{LONG}.wav"),
        ("vocal", f"{LONG}.wav", "beat.wav"),
        ("vocal", "vox.wav", "beat.wav", "--reference", f"{LONG}.wav"),
        ("evaluate", "mixes", f"{LONG}.wav"),
        ("evaluate", "stems", LONG),
        ("batch", LONG, "-o", "mixes"),
    ],
    ids=lambda words: words[0],
)
def test_a_name_that_no_file_can_have_is_an_error_of_input(cli, song, words) -> None:
    words = [{"vox.wav": song.vocal, "beat.wav": song.beat}.get(word, word) for word in words]
    result = cli(*words)
    assert result.exit_code == 3, result.output
    assert "vvv" in result.output
