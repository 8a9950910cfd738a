"""`automix vocal`: what it writes, where, and what it says about unusual inputs."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile

from automix.networks.checkpoints import save_weights
from automix.networks.effects import FAMILY
from tests.cli.short_song import RATE, drums, voice
from tests.networks.effect_networks import lively


def test_it_writes_the_mix_and_its_plan(cli, song) -> None:
    result = cli("vocal", song.vocal, song.beat, "-o", "mix.wav")
    assert result.exit_code == 0
    info = soundfile.info("mix.wav")
    assert (info.samplerate, info.channels, info.subtype) == (RATE, 2, "PCM_24")
    plan = tomllib.loads(Path("mix.toml").read_text())
    assert [track["name"] for track in plan["tracks"]] == ["vocal", "beat"]
    assert "vocal.fader_db" in result.stdout
    assert "LUFS" in result.stdout
    assert sorted(path.name for path in Path().iterdir()) == ["mix.toml", "mix.wav"]


def test_without_o_it_writes_mix_wav_here(cli, song) -> None:
    assert cli("vocal", song.vocal, song.beat, "--no-plan").exit_code == 0
    assert [path.name for path in Path().iterdir()] == ["mix.wav"]


def test_the_same_command_gives_the_same_bytes(cli, song) -> None:
    for name in ("one.wav", "two.wav"):
        assert cli("vocal", song.vocal, song.beat, "-o", name, "--bits", "16").exit_code == 0
    assert Path("one.wav").read_bytes() == Path("two.wav").read_bytes()
    assert Path("one.toml").read_text() == Path("two.toml").read_text()


@pytest.mark.parametrize(
    "options",
    [("--preset", "paper"), ("--preset", "poster"), ("--method", "random"), ("--method", "sum")],
)
def test_every_method_mixes(cli, song, options: tuple[str, str]) -> None:
    result = cli("vocal", song.vocal, song.beat, *options, "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["plan"]["method"] == (options[1] if options[0] == "--method" else "rules")
    samples, _ = soundfile.read("mix.wav")
    assert 0.01 < np.abs(samples).max() < 1


def test_another_seed_is_another_random_mix(cli, song) -> None:
    for seed in (1, 2):
        cli(
            "vocal",
            song.vocal,
            song.beat,
            "--method",
            "random",
            "--seed",
            seed,
            "-o",
            f"{seed}.wav",
        )
    assert Path("1.wav").read_bytes() != Path("2.wav").read_bytes()


def test_level_is_the_loudness_of_the_vocal_against_the_beat(cli, song) -> None:
    result = cli(
        "vocal", song.vocal, song.beat, "--level", "-4", "--export-stems", "stems", "--json"
    )
    assert result.exit_code == 0
    meter = pyloudnorm.Meter(RATE)
    vocal, beat = (
        meter.integrated_loudness(soundfile.read(f"stems/{name}.wav")[0])
        for name in ("vocal", "beat")
    )
    assert vocal - beat == pytest.approx(-4, abs=0.1)
    levels = json.loads(result.stdout)["levels_lufs"]
    assert levels == {"vocal": pytest.approx(vocal, abs=0.1), "beat": pytest.approx(beat, abs=0.1)}


@pytest.mark.parametrize("lufs", [-12, -30])
def test_loudness_is_reached(cli, song, lufs: int) -> None:
    options = ("--loudness", lufs, "--bits", "32f", "--true-peak", "-2")
    assert cli("vocal", song.vocal, song.beat, *options).exit_code == 0
    samples, _ = soundfile.read("mix.wav")
    assert pyloudnorm.Meter(RATE).integrated_loudness(samples) == pytest.approx(lufs, abs=0.2)
    assert np.abs(samples).max() < 10 ** (-2 / 20)


@pytest.mark.parametrize("limited", [False, True])
def test_stems_sum_to_the_mix(cli, song, limited: bool) -> None:
    loud = ("--loudness", "-8") if limited else ()
    options = ("--bits", "32f", "--export-stems", "stems", *loud)
    assert cli("vocal", song.vocal, song.beat, *options).exit_code == 0
    mix, _ = soundfile.read("mix.wav")
    stems = [soundfile.read(path)[0] for path in sorted(Path("stems").iterdir())]
    assert len(stems) == 2
    assert all(np.abs(stem).max() > 0.01 for stem in stems)
    np.testing.assert_allclose(sum(stems), mix, atol=1e-6)


@pytest.mark.parametrize(
    ("extension", "form", "subtype"),
    [
        ("flac", "FLAC", "PCM_24"),
        ("ogg", "OGG", "VORBIS"),
        ("mp3", "MP3", "MPEG_LAYER_III"),
        ("aiff", "AIFF", "PCM_24"),
        ("w64", "W64", "PCM_24"),
        ("rf64", "RF64", "PCM_24"),
    ],
)
def test_the_extension_says_the_format(cli, song, extension: str, form: str, subtype: str) -> None:
    assert (
        cli("vocal", song.vocal, song.beat, "-o", f"m.{extension}", "--method", "sum").exit_code
        == 0
    )
    info = soundfile.info(f"m.{extension}")
    assert (info.format, info.subtype) == (form, subtype)


def test_o_may_be_a_folder_that_is_not_there_yet(cli, song) -> None:
    assert cli("vocal", song.vocal, song.beat, "-o", "new/folder/").exit_code == 0
    assert Path("new/folder/beat.mix.wav").is_file()


def test_name_makes_names_in_a_folder(cli, song) -> None:
    Path("mixes").mkdir()
    options = ("-o", "mixes", "--name", "{song} {method} {preset}.flac", "--method", "sum")
    assert cli("vocal", song.vocal, song.beat, *options).exit_code == 0
    assert Path("mixes/beat sum studio.flac").is_file()


def test_a_leading_dash_is_a_name_after_two_dashes(cli, song) -> None:
    Path("-v.wav").write_bytes(song.vocal.read_bytes())
    Path("-b.wav").write_bytes(song.beat.read_bytes())
    assert cli("vocal", "-o", "-m.wav", "--", "-v.wav", "-b.wav").exit_code == 0
    assert Path("-m.wav").is_file()


@pytest.mark.parametrize(
    ("vocal", "beat", "warnings"),
    [
        (0 * voice(), drums(), ["vocal: silent"]),
        (voice(), 0 * drums(), ["beat: silent", "levels are left as they are"]),
        (0 * voice(), 0 * drums(), ["vocal: silent", "beat: silent", "the mix is silent"]),
        (voice(0.3), drums(0.3), ["no tempo found"]),
        (voice(0.01), drums(0.01), ["no tempo found"]),
        (voice(2), drums(), ["3.00 s shorter, padded with silence"]),
        (voice(), drums(2), ["3.00 s shorter, padded with silence"]),
    ],
    ids=["vocal", "beat", "both", "short", "ten milliseconds", "vocal ends", "beat ends"],
)
@pytest.mark.parametrize(
    "options", [(), ("--loudness", "-14"), ("--preset", "paper"), ("--method", "random")]
)
def test_poor_material_is_mixed_with_a_warning(
    cli, vocal: np.ndarray, beat: np.ndarray, warnings: list[str], options: tuple[str, ...]
) -> None:
    soundfile.write("v.wav", vocal, RATE, "FLOAT")
    soundfile.write("b.wav", beat, RATE, "FLOAT")
    result = cli("vocal", "v.wav", "b.wav", *options, "--json")
    assert result.exit_code == 0
    samples, _ = soundfile.read("mix.wav")
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() < 1
    assert samples.any() == (vocal.any() or beat.any())
    assert (json.loads(result.stdout)["loudness"]["integrated_lufs"] is None) == (not samples.any())
    for warning in warnings:
        assert warning in result.stderr or "random" in options


def test_a_silent_vocal_passes_the_beat_on(cli) -> None:
    soundfile.write("v.wav", 0 * voice(), RATE, "FLOAT")
    soundfile.write("b.wav", 0.25 * drums(), RATE, "FLOAT")
    assert cli("vocal", "v.wav", "b.wav").exit_code == 0
    mix, beat = soundfile.read("mix.wav")[0], soundfile.read("b.wav")[0]
    np.testing.assert_allclose(mix[: len(beat)], beat, atol=1e-6)


@pytest.mark.parametrize("rate", [8000, 44100, 192000])
def test_the_highest_rate_wins_and_is_announced(cli, song, rate: int) -> None:
    soundfile.write("v.wav", voice(rate=rate), rate)
    result = cli("vocal", "v.wav", song.beat)
    assert result.exit_code == 0
    assert soundfile.info("mix.wav").samplerate == max(rate, RATE)
    assert f"resampled from {min(rate, RATE)} to {max(rate, RATE)} Hz" in result.stderr


@pytest.mark.parametrize("channels", [(1, 1), (1, 2), (2, 1), (2, 2)])
def test_mono_and_stereo_go_together(cli, channels: tuple[int, int]) -> None:
    soundfile.write("v.wav", np.repeat(voice()[:, None], channels[0], 1), RATE)
    soundfile.write("b.wav", drums()[:, : channels[1]], RATE)
    assert cli("vocal", "v.wav", "b.wav").exit_code == 0
    assert soundfile.info("mix.wav").channels == 2


def test_the_highest_depth_wins(cli, song) -> None:
    soundfile.write("v.wav", voice(), RATE, "FLOAT")
    assert cli("vocal", "v.wav", song.beat).exit_code == 0
    assert soundfile.info("mix.wav").subtype == "FLOAT"
    assert cli("vocal", "v.wav", song.beat, "--bits", "16", "-f").exit_code == 0
    assert soundfile.info("mix.wav").subtype == "PCM_16"


def test_surround_is_mixed_down_and_said_so(cli, song) -> None:
    soundfile.write("b.wav", np.repeat(drums()[:, :1], 6, 1) / 4, RATE)
    result = cli("vocal", song.vocal, "b.wav")
    assert result.exit_code == 0
    assert "5.1 surround mixed down to stereo" in result.stderr


def test_the_same_file_twice_is_said(cli, song) -> None:
    result = cli("vocal", song.beat, song.beat)
    assert result.exit_code == 0
    assert "vocal and beat are the same audio file" in result.stderr


def test_set_comes_after_the_rules(cli, song) -> None:
    def fader_db(*options: str) -> float:
        result = cli("vocal", song.vocal, song.beat, "--dry-run", *options)
        return tomllib.loads(result.stdout)["tracks"][0]["fader_db"]

    assert fader_db("--set", "vocal.fader_db+=2") == pytest.approx(fader_db() + 2)
    assert fader_db("--set", "vocal.fader_db=1", "--set", "vocal.fader_db-=3") == -2


def test_config_goes_over_the_preset_and_flags_over_it(cli, song) -> None:
    Path("rules.toml").write_text("relative_loudness_lu = -7\n[reverb]\nroom_size = 9\n")
    options = ("--dry-run", "--json", "--config", "rules.toml")

    def balance_lu(*more: str) -> float:
        plan = json.loads(cli("vocal", song.vocal, song.beat, *options, *more).stdout)["plan"]
        assert plan["buses"][0]["reverb"]["room_size"] == 9
        (decision,) = (d for d in plan["decisions"] if d["setting"] == "vocal.fader_db")
        return decision["figures"]["relative_loudness_lu"]

    assert balance_lu() == -7
    assert balance_lu("--level", "-3") == -3


def test_a_network_compresses_the_vocal_and_says_what_it_leaves_to_the_strip(cli, song) -> None:
    network = lively(network="tcn-8", causal=True)
    save_weights(Path("effect.safetensors"), FAMILY, network.description, network.state_dict())
    changes = ("--set", "vocal.compressor.threshold_db=-40", "--set", "vocal.space.wet=0.2")
    changes += ("--set", "vocal.de_esser.max_reduction_db=6")
    command = ("vocal", song.vocal, song.beat, *changes)
    neural = ("--console", "effect.safetensors")
    done = cli(*command, "-o", "mix.wav", *neural)
    assert done.exit_code == 0
    assert "vocal: equalizer and de-esser are exact, not neural" in done.stderr
    assert cli(*command, "-o", "exact.wav").exit_code == 0
    assert Path("exact.wav").read_bytes() != Path("mix.wav").read_bytes()
    assert cli("render", "mix.toml", "-o", "again.wav", *neural).exit_code == 0
    assert Path("again.wav").read_bytes() == Path("mix.wav").read_bytes()
    both = cli(*command, "-o", "both.wav", *neural, "--plugins", ".")
    assert both.exit_code == 2
    assert "--plugins and --console" in both.stderr
