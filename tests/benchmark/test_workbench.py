import numpy as np
import pytest
import soundfile

from automix.audio.samples import Audio
from automix.benchmark.functions import CLICKS_BPM, click_errors, measure_all_three
from automix.benchmark.libebur128 import Library
from automix.benchmark.workbench import Workbench, make_click_track
from automix.errors import OutputError

RATE = 44_100


def noise(channels, seconds, seed=1):
    rng = np.random.default_rng(seed)
    return (0.1 * rng.standard_normal((channels, round(seconds * RATE)))).astype(np.float32)


def test_the_reference_song_is_the_demo_over_and_over(demo, tmp_path):
    song = Workbench(tmp_path, tmp_path, 1).song
    for path, audio, subtype, step in (
        (song.vocal, demo.vocal, "PCM_24", 2**-23),
        (song.beat, demo.beat, "PCM_16", 2**-15),
    ):
        assert soundfile.info(path).subtype == subtype
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        expected = np.concatenate([audio.samples] * 3, axis=1)[:, : 4 * RATE]
        assert rate == RATE
        np.testing.assert_allclose(samples.T, expected, atol=2 * step)
    assert song.float_bytes == 4 * RATE * 3 * 4


def test_the_files_are_used_again(demo, tmp_path):
    first = Workbench(tmp_path, tmp_path, 1).song
    written = first.beat.stat().st_mtime_ns, first.beat.stat().st_ino
    second = Workbench(tmp_path, tmp_path, 1).song
    assert (second.beat.stat().st_mtime_ns, second.beat.stat().st_ino) == written


@pytest.mark.parametrize("content", [b"not audio", None])
def test_another_file_of_that_name_is_kept_and_refused(demo, tmp_path, content):
    other = tmp_path / "song-beat.wav"
    if content is None:
        soundfile.write(other, noise(2, 3).T, RATE, subtype="PCM_16")
    else:
        other.write_bytes(content)
    before = other.read_bytes()
    with pytest.raises(OutputError, match=r"song-beat\.wav: exists and is not the reference song"):
        _ = Workbench(tmp_path, tmp_path, 1).song
    assert other.read_bytes() == before


def test_the_beat_in_memory_is_that_of_the_file(demo, tmp_path):
    bench = Workbench(tmp_path, tmp_path, 1)
    samples, _ = soundfile.read(bench.song.beat, dtype="float32")
    np.testing.assert_array_equal(bench.beat.samples, samples.T)


@pytest.mark.parametrize("bpm", CLICKS_BPM)
def test_clicks_come_at_their_tempo(bpm):
    track = make_click_track(bpm, 22_050, 20.0)
    blocks = np.abs(track[: 20 * 22_050].reshape(-1, 441)).max(axis=1) > 0.05  # 20 ms
    onsets_s = np.flatnonzero(blocks & ~np.roll(blocks, 1)) * 0.02
    beats = np.arange(len(onsets_s))
    assert np.polyfit(beats, onsets_s, 1)[0] == pytest.approx(60 / bpm, rel=2e-3)
    assert len(track) == 20 * 22_050


def test_octave_errors_count():
    errors = click_errors(lambda track: 2 * 120.0)
    assert errors[CLICKS_BPM.index(120)] == pytest.approx(1.0)
    assert errors[CLICKS_BPM.index(60)] == pytest.approx(3.0)
    assert errors[CLICKS_BPM.index(180)] == pytest.approx(1 / 3)


def test_libebur128_and_automix_read_the_same():
    try:
        library = Library()
    except OSError:
        pytest.skip("libebur128 is not installed")
    swell = np.linspace(0.05, 1.0, 10 * RATE, dtype=np.float32)
    audio = Audio(noise(2, 10) * swell, RATE)
    theirs = library.measure(np.ascontiguousarray(audio.samples.T), RATE)
    ours = measure_all_three(audio)
    assert theirs.integrated_lufs == pytest.approx(ours.integrated_lufs, abs=0.02)
    # It takes a 3 s window every second, automix every 100 ms; the swell moves 1.5 LU a second.
    assert theirs.loudness_range_lu == pytest.approx(ours.loudness_range_lu, abs=1.5)
    assert theirs.loudness_range_lu > 5
    assert theirs.true_peak_dbtp == pytest.approx(ours.true_peak_dbtp, abs=0.3)
    assert library.version.count(".") == 2
