"""Examples: what is disturbed, and that what is wanted is known exactly."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile

from automix.analysis.loudness import LoudnessMeter, integrated_lufs
from automix.datasets.catalog import find_songs
from automix.errors import InputError
from automix.networks.dmc_description import PUBLISHED, DmcDescription
from automix.training.controller.examples import MixExamples, disturb_track
from automix.training.controller.settings import Augmentation
from automix.training.decoded_songs import RATE_HZ, decode_songs
from automix.training.example_loading import make_examples

NO_CHANGE = Augmentation(
    offset_db=0.0, subset=0.0, regroup=0.0, mono=0.0, equalize=0.0, compress=0.0
)


def lufs(samples):
    meter = LoudnessMeter(RATE_HZ, len(samples))
    meter.add(np.ascontiguousarray(samples, np.float32))
    return integrated_lufs(meter.energies)


def test_songs_are_decoded_once_and_again_when_a_file_changes(folder, tmp_path):
    first = decode_songs(find_songs(folder), tmp_path)
    stamp = (tmp_path / "song 0" / "0.npy").stat().st_mtime_ns
    again = decode_songs(find_songs(folder), tmp_path)
    assert (tmp_path / "song 0" / "0.npy").stat().st_mtime_ns == stamp
    assert [s.tracks for s in again] == [s.tracks for s in first]
    card = tmp_path / "song 0" / "song.json"
    card.write_text(card.read_text().replace("noise.wav", "other.wav"))
    decode_songs(find_songs(folder), tmp_path)
    assert (tmp_path / "song 0" / "0.npy").stat().st_mtime_ns != stamp


def test_the_human_mix_is_the_sum_of_the_stems(songs):
    total = sum(songs[0].stem(n, 1000, 5000) for n in range(3))
    np.testing.assert_allclose(songs[0].mix(1000, 5000), np.repeat(total, 2, axis=0), atol=1e-6)


def test_an_example_is_the_same_each_time_and_another_number_is_another(songs, settings):
    examples = MixExamples(songs, [1.0] * len(songs), settings())
    first, again, other = examples[3], examples[3], examples[4]
    assert first.song == again.song
    assert (first.summaries == again.summaries).all()
    assert first.summaries.shape != other.summaries.shape or (
        not (first.summaries == other.summaries).all()
    )


def test_offsets_change_neither_what_is_heard_nor_what_is_wanted(songs, settings):
    """The controller must not see the level of its inputs: it is to be undone."""
    plain = replace(settings(), augmentation=NO_CHANGE)
    loud = replace(settings(), augmentation=replace(NO_CHANGE, offset_db=12.0))
    for number in range(3):
        first = MixExamples(songs, [1.0] * 4, plain)[number]
        offset = MixExamples(songs, [1.0] * 4, loud)[number]
        assert offset.summaries == pytest.approx(first.summaries, abs=0.02)
        assert (offset.wanted_lu == first.wanted_lu).all()
        assert offset.base_lu == pytest.approx(first.base_lu, abs=0.02)


def test_without_a_base_the_fader_that_is_wanted_undoes_the_offset(songs, settings):
    published = replace(PUBLISHED, encoder="compact", embedding=16, width=16)
    examples = MixExamples(songs, [1.0] * 4, settings(model=published))
    example = examples[0]
    fader_db = (example.wanted_lu - example.base_lu).numpy()
    assert np.abs(fader_db).max() <= 12.01
    assert np.ptp(fader_db) > 1.0


def test_levels_in_a_mix_that_is_not_the_sum_are_found(folder, tmp_path, settings):
    """MedleyDB's mixes are not the sum of the raw tracks: gains by least squares."""
    place = tmp_path / "songs" / "one"
    place.mkdir(parents=True)
    gains = {"kick": 1.0, "vocal": 2.0, "noise": 0.5}
    total = 0.0
    for kind, gain in gains.items():
        samples, rate = soundfile.read(folder / "song 0" / f"{kind}.wav", dtype="float32")
        soundfile.write(place / f"{kind}.wav", samples, rate, "FLOAT")
        total = total + gain * samples
    soundfile.write(place / "mix.wav", np.stack([total, total], 1), 44100, "FLOAT")
    [song] = decode_songs(find_songs(tmp_path / "songs"), tmp_path / "cache")
    examples = MixExamples(
        [song], [1.0], replace(settings(), augmentation=NO_CHANGE, longest_s=30.0)
    )
    example = examples[0]
    names = [name for name, _ in song.tracks]
    for index, (name, gain) in enumerate(gains.items()):
        row = names.index(name)
        alone = lufs(np.repeat(song.stem(row, 0, song.frames), 2, axis=0)) + 20 * np.log10(gain)
        assert float(example.wanted_lu[row]) == pytest.approx(alone, abs=1.0), index


def test_disturbing_keeps_the_length_and_the_offset_within_its_range():
    draw = np.random.default_rng(0)
    samples = np.random.default_rng(1).normal(size=(2, 8000)).astype(np.float32) * 0.1
    for _ in range(40):
        given = disturb_track(samples, replace(NO_CHANGE, offset_db=12.0), draw)
        ratio_db = 20 * np.log10(np.linalg.norm(given) / np.linalg.norm(samples))
        assert abs(ratio_db) <= 12.0
    everything = Augmentation(mono=1.0, equalize=1.0, compress=1.0)
    changed = disturb_track(samples, everything, draw)
    assert changed.shape == (1, 8000)
    assert np.isfinite(changed).all()


def test_songs_in_which_nothing_is_heard_are_refused(tmp_path, settings):
    place = tmp_path / "songs" / "silent"
    place.mkdir(parents=True)
    for name in ("a.wav", "b.wav"):
        soundfile.write(place / name, np.zeros(44100 * 6), 44100)
    [song] = decode_songs(find_songs(tmp_path / "songs"), tmp_path / "cache")
    examples = MixExamples([song], [1.0], settings(model=DmcDescription()))
    with pytest.raises(InputError, match="two tracks"):
        examples[0]
    with pytest.raises(
        InputError, match=r"^the songs [^\n]*$"
    ):  # from a worker, without a traceback
        list(make_examples(examples, [0], workers=1, audio=False))
