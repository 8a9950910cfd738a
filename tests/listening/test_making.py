"""Stimuli: loudness, length, rate, blindness; and what `make` refuses."""

import base64
import io
import json
import os
import re
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import scipy.signal
import soundfile

from automix.errors import InputError, OutputError, UsageError
from automix.listening.key import load_key
from automix.listening.stimuli import design_anchor_filter
from tests.listening.listening_tests import RATE, make, page_config, write_mixes, write_tone


def audio_of(folder: Path, name: str) -> tuple[np.ndarray, int]:
    text = (folder / "page" / "audio" / f"{name}.js").read_text()
    called = re.fullmatch(r'window\.automixAudio\("(\w+)", "([\w+/=]+)"\);\n', text)
    assert called is not None
    assert called[1] == name
    return soundfile.read(io.BytesIO(base64.b64decode(called[2])))


def every_byte(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_stimuli_have_one_loudness_length_and_rate(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    verse = tmp_path / "mixes" / "verse"
    verse.mkdir(parents=True)
    loud = 0.3 * rng.standard_normal((44100 * 4, 2))
    soundfile.write(verse / "loud.wav", np.clip(loud, -1, 1), 44100, "PCM_24")
    soundfile.write(verse / "mono.wav", 0.01 * rng.standard_normal(22050 * 5), 22050, "PCM_24")
    soundfile.write(verse / "tone.flac", 0.5 * np.sin(np.arange(48000 * 4) * 0.05), 48000)
    made = make(tmp_path / "mixes", tmp_path / "test", start_s=0.5, duration_s=3.0)
    assert made.sample_rate_hz == 48000
    assert any("resampled to 48000 Hz" in note for note in made.notes)
    names = page_config(tmp_path / "test")["passages"][0]["stimuli"]
    assert len(names) == 3
    for name in names:
        samples, rate = audio_of(tmp_path / "test", name)
        assert (rate, samples.shape) == (48000, (144000, 2))
        measured = pyloudnorm.Meter(rate).integrated_loudness(samples)
        assert measured == pytest.approx(-28, abs=0.1)
        assert np.abs(samples[[0, -1]]).max() < 1e-3  # the loop has no seam


def test_the_excerpt_is_the_one_asked_for(tmp_path: Path) -> None:
    ramp = np.linspace(-0.5, 0.5, 8 * RATE) * np.sin(np.arange(8 * RATE) * 0.1)
    for method in "ab":
        (tmp_path / "mixes" / "p").mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / "mixes" / "p" / f"{method}.wav", ramp, RATE, "PCM_24")
    make(tmp_path / "mixes", tmp_path / "test", start_s=5.0, duration_s=1.0)
    name = page_config(tmp_path / "test")["passages"][0]["stimuli"][0]
    samples, _ = audio_of(tmp_path / "test", name)
    inner = slice(RATE // 50, -RATE // 50)
    expected = ramp[5 * RATE : 6 * RATE][inner]
    gain = (samples[inner, 0] @ expected) / (expected @ expected)
    assert np.abs(samples[inner, 0] / gain - expected).max() < 2e-3


def test_loud_peaks_lower_all_stimuli_alike_and_are_announced(tmp_path: Path) -> None:
    clicks = np.zeros(3 * 48000)
    clicks[::12000] = 0.9
    write_tone(tmp_path / "mixes" / "p" / "tone.wav", 500, seconds=3)
    soundfile.write(tmp_path / "mixes" / "p" / "clicks.wav", clicks, 48000, "PCM_24")
    made = make(tmp_path / "mixes", tmp_path / "test", loudness_lufs=-12.0, duration_s=2.0)
    assert "clicks.wav: would clip at -12 LUFS" in made.warnings[0]
    assert made.loudness_lufs < -12
    key = load_key(tmp_path / "test")
    for name in key.audio:
        samples, rate = audio_of(tmp_path / "test", name)
        assert np.abs(samples).max() < 0.995
        measured = pyloudnorm.Meter(rate).integrated_loudness(samples)
        assert measured == pytest.approx(made.loudness_lufs, abs=0.1)


def test_neither_names_nor_page_reveal_the_methods(tmp_path: Path) -> None:
    methods = ("wizardry", "sorcery", "alchemy")
    for index, method in enumerate(methods):
        write_tone(tmp_path / "mixes" / "grimoire" / f"{method}.wav", 300 + 100 * index)
    make(tmp_path / "mixes", tmp_path / "test")
    for name, data in every_byte(tmp_path / "test" / "page").items():
        assert not any(word.encode() in data for word in (*methods, "grimoire")), name
        assert not any(word in name for word in methods)
    key = load_key(tmp_path / "test")
    (passage,) = key.passages.values()
    assert sorted(passage.methods.values()) == sorted(methods)
    # the order that the page is told is that of the random names
    assert page_config(tmp_path / "test")["passages"][0]["stimuli"] == sorted(passage.methods)


def test_the_same_command_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    mixes = write_mixes(tmp_path / "mixes")
    for name in ("one", "two"):
        make(mixes, tmp_path / name)
    make(mixes, tmp_path / "three", seed=1)
    assert every_byte(tmp_path / "one") == every_byte(tmp_path / "two")
    one, three = load_key(tmp_path / "one"), load_key(tmp_path / "three")
    assert not set(one.audio) & set(three.audio)
    assert one.test != three.test


def test_mushra_hides_the_reference_and_makes_anchors(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    for method in ("human", "rules"):
        (tmp_path / "mixes" / "p").mkdir(parents=True, exist_ok=True)
        noise = 0.1 * rng.standard_normal((2 * 44100, 2))
        soundfile.write(tmp_path / "mixes" / "p" / f"{method}.wav", noise, 44100, "PCM_24")
    make(
        tmp_path / "mixes",
        tmp_path / "test",
        kind="mushra",
        reference="human",
        anchors_hz=(3500.0, 7000.0),
        duration_s=1.5,
    )
    (passage,) = page_config(tmp_path / "test")["passages"]
    (keyed,) = load_key(tmp_path / "test").passages.values()
    by_method = {method: name for name, method in keyed.methods.items()}
    assert set(by_method) == {"human", "rules", "anchor 3.5 kHz", "anchor 7 kHz"}
    assert set(passage["stimuli"]) == set(keyed.methods)
    assert passage["reference"] not in keyed.methods
    shown, _ = audio_of(tmp_path / "test", passage["reference"])
    hidden, rate = audio_of(tmp_path / "test", by_method["human"])
    np.testing.assert_array_equal(shown, hidden)
    frequencies, power = scipy.signal.welch(hidden[:, 0], rate, nperseg=4096)
    for method, edge_hz in (("anchor 3.5 kHz", 3500), ("anchor 7 kHz", 7000)):
        samples, _ = audio_of(tmp_path / "test", by_method[method])
        ratio_db = 10 * np.log10(scipy.signal.welch(samples[:, 0], rate, nperseg=4096)[1] / power)
        low = (frequencies > 200) & (frequencies < edge_hz - 100)
        assert np.ptp(ratio_db[low]) < 0.5
        assert ratio_db[frequencies > edge_hz + 600].max() < ratio_db[low].mean() - 50


def test_the_anchor_is_as_steep_as_bs_1534_asks() -> None:
    """ITU-R BS.1534-1, section 5: ±0.1 dB to 3.5 kHz, −25 dB at 4 kHz, −50 dB at 4.5 kHz."""
    for rate in (16000, 44100, 48000, 96000):
        response = design_anchor_filter(3500, rate)
        frequencies, gain = scipy.signal.freqz(response, worN=np.arange(0, 7900, 10), fs=rate)
        gain_db = 20 * np.log10(np.abs(gain) + 1e-12)
        assert np.abs(gain_db[frequencies <= 3500]).max() < 0.1
        assert gain_db[frequencies >= 4000].max() < -25
        assert gain_db[frequencies >= 4500].max() < -50
        np.testing.assert_allclose(response, response[::-1], atol=1e-15)


def test_a_toml_description_says_everything(tmp_path: Path) -> None:
    write_mixes(tmp_path / "mixes")
    (tmp_path / "test.toml").write_text(
        """
        type = "likert"
        title = "Böhmisch <b>"
        instructions = "First.\\n\\nSecond."
        aspects = ["reverb"]
        duration_s = 0.8
        [[passage]]
        name = "late"
        start_s = 0.6
        [passage.mixes]
        "by rules" = "mixes/song0/a.wav"
        "by hand" = "mixes/song0/b.wav"
        [training]
        good = "mixes/song1/a.wav"
        poor = "mixes/song1/b.wav"
        [[question]]
        name = "instrument"
        text = "What do you play?"
        choices = ["nothing", "something"]
        """
    )
    made = make(tmp_path / "test.toml", tmp_path / "test")
    config, key = page_config(tmp_path / "test"), load_key(tmp_path / "test")
    assert (config["title"], config["type"]) == ("Böhmisch <b>", "likert")
    assert config["instructions"] == ["First.", "Second."]
    assert config["aspects"] == ["reverb"]
    assert [question["name"] for question in config["questions"]] == ["instrument"]
    assert made.stimuli == 4
    assert len(config["training"]) == 2
    (passage,) = key.passages.values()
    assert passage.name == "late"
    assert set(passage.methods.values()) == {"by rules", "by hand"}
    starts = {record["start_s"] for record in key.made_from.values()}
    assert starts == {0.0, 0.6}
    assert make(tmp_path / "test.toml", tmp_path / "other", kind="ape", aspects=()).passages == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "mushra"}, "needs a reference"),
        ({"kind": "mushra", "reference": "z"}, "no reference 'z'; there are: a, b, c, d"),
        ({"reference": "a"}, "only mushra has a reference"),
        ({"aspects": ("level",)}, "only likert asks for aspects"),
        ({"kind": "likert", "aspects": ("level", "level")}, "different words"),
        ({"kind": "likert", "aspects": ("rating",)}, "may not be named 'rating'"),
        ({"duration_s": 0.1}, "duration_s = 0.1 is outside"),
        ({"loudness_lufs": 3.0}, "loudness_lufs = 3.0 is outside"),
    ],
)
def test_contradictions_are_refused(tmp_path: Path, changes: dict, words: str) -> None:
    mixes = write_mixes(tmp_path / "mixes", passages=1)
    with pytest.raises(UsageError, match=re.escape(words)):
        make(mixes, tmp_path / "test", **changes)
    assert not (tmp_path / "test").exists()


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("tpye = 'ape'\nfolder = 'mixes'", "unknown key 'tpye'"),
        ("type = 'abx'\nfolder = 'mixes'", "must be one of 'ape', 'mushra', 'likert'"),
        ("type = 'ape'", "either [[passage]] tables or `folder`"),
        ("[[passage]]\nname = 'x'", "passage 1: needs a table [passage.mixes]"),
        ("[[passage]]\n[passage.mixes]\na = 'mixes/song0/a.wav'", "has 1 mixes"),
        ("folder = 'mixes'\n[[question]]\nname = 'a'", "question 1: needs `name` and `text`"),
        ("folder = 'mixes'\n[training]\ngood = 'a.wav'", "needs `good` and `poor`"),
        ("folder = [", "not valid TOML"),
    ],
)
def test_mistakes_in_a_description_are_named(tmp_path: Path, toml: str, words: str) -> None:
    write_mixes(tmp_path / "mixes", passages=1)
    (tmp_path / "test.toml").write_text(toml)
    with pytest.raises(UsageError, match=re.escape(words)) as caught:
        make(tmp_path / "test.toml", tmp_path / "test")
    assert "test.toml" in str(caught.value)


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    mixes = write_mixes(tmp_path / "mixes", passages=1)
    soundfile.write(mixes / "song0" / "e.wav", np.zeros(2 * RATE), RATE)
    with pytest.raises(InputError, match=r"song0/e\.wav: its excerpt from 0 s is silent"):
        make(mixes, tmp_path / "test")
    (mixes / "song0" / "e.wav").write_bytes(b"RIFF")
    with pytest.raises(InputError, match=r"song0/e\.wav"):
        make(mixes, tmp_path / "test")
    (mixes / "song0" / "e.wav").unlink()
    with pytest.raises(InputError, match=r"has 1\.50 s, but the excerpt starts at 1\.2 s"):
        make(mixes, tmp_path / "test", start_s=1.2)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no mixes"):
        make(tmp_path / "empty", tmp_path / "test")
    assert not (tmp_path / "test").exists()


def test_results_are_never_orphaned(tmp_path: Path) -> None:
    mixes = write_mixes(tmp_path / "mixes", passages=1)
    make(mixes, tmp_path / "test")
    with pytest.raises(OutputError, match="exists"):
        make(mixes, tmp_path / "test")
    make(mixes, tmp_path / "test", force=True, seed=5)
    audio = {path.stem for path in (tmp_path / "test" / "page" / "audio").iterdir()}
    assert audio == set(load_key(tmp_path / "test").audio)  # nothing is left of the other test
    (tmp_path / "test" / "results.sqlite").write_bytes(b"")
    with pytest.raises(OutputError, match="holds results of participants"):
        make(mixes, tmp_path / "test", force=True)


def test_webmushra_gets_its_configuration_and_audio(tmp_path: Path) -> None:
    mixes = write_mixes(tmp_path / "mixes", methods="abc")
    changes = {"kind": "mushra", "reference": "b", "anchors_hz": (3500.0,)}
    make(mixes, tmp_path / "test", webmushra=tmp_path / "wm", **changes)
    (path,) = (tmp_path / "wm" / "configs").glob("*.yaml")
    text = path.read_text()
    config = json.loads(text[text.index("\n") :])  # JSON is YAML
    assert config["testId"] == path.stem
    first, (random, *pages), last = config["pages"]
    assert (first["type"], random, last["type"]) == ("generic", "random", "finish")
    assert last["writeResults"] is True
    assert [page["type"] for page in pages] == ["mushra", "mushra"]
    for page in pages:
        assert (page["createAnchor35"], page["createAnchor70"]) == (True, False)
        assert set(page["stimuli"]) == {"a", "c"}
        for file in (page["reference"], *page["stimuli"].values()):
            assert soundfile.info(tmp_path / "wm" / file).duration == pytest.approx(1.5)
            assert not re.search(r"[/_]([abc]|song\d)\.wav", file)
    with pytest.raises(UsageError, match="no APE page"):
        make(mixes, tmp_path / "ape", webmushra=tmp_path / "no")
    make(mixes, tmp_path / "likert", kind="likert", webmushra=tmp_path / "wm2")
    (path,) = (tmp_path / "wm2" / "configs").glob("*.yaml")
    pages = json.loads(path.read_text().split("\n", 1)[1])["pages"][1][1:]
    assert len(pages) == 2 * 5
    assert len({page["id"] for page in pages}) == 10
    assert [point["value"] for point in pages[0]["response"]] == ["1", "2", "3", "4", "5"]


def test_names_of_any_kind_work(tmp_path: Path) -> None:
    names = ["-dash", "naïve 混音", "new\nline", 'quo"te', os.fsdecode(b"not-utf8-\xff")]
    for index, name in enumerate(names):
        write_tone(tmp_path / "mixes" / "söng" / "plain.wav", 300 + 50 * index)
        (tmp_path / "mixes" / "söng" / "plain.wav").rename(
            tmp_path / "mixes" / "söng" / f"{name}.wav"
        )
    (tmp_path / "mixes" / "söng" / "._rules.wav").write_bytes(b"finder")
    (tmp_path / "mixes" / "söng" / "rules.toml").write_text("")
    make(tmp_path / "mixes", tmp_path / "test")
    (passage,) = load_key(tmp_path / "test").passages.values()
    assert sorted(passage.methods.values()) == sorted([*names[:-1], "not-utf8-\\xff"])
