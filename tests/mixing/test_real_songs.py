"""The vocal rules on real songs: lead vocal against the sum of all other stems."""

from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile

from automix.audio.blocks import collect
from automix.audio.resampling import resample
from automix.audio.samples import Audio
from automix.datasets.plain import read_song
from automix.evaluation.real_songs import Protocol, evaluate_songs
from automix.files.info import ReadOptions
from automix.files.reading import open_audio
from automix.library import mix_session
from automix.methods.vocal.tempo_reverb import BUS, choose_reverberation_time_s
from automix.mixing.request import StemsRequest, VocalRequest
from automix.session.song_folder import open_song
from automix.session.tracks import Session, Track

AUDIO = Path(__file__).parents[3] / "shared" / "audio"
BPM = {"francium": 128, "potassium": 90, "caesium": 130}  # as the artist states

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not AUDIO.is_dir(), reason="needs the real multitracks"),
]


@pytest.fixture(scope="module", params=BPM)
def session(request):
    stems = {path: open_audio(path).source for path in sorted(AUDIO.glob(f"{request.param}/*.ogg"))}
    frames = max(source.frames for source in stems.values())
    backing = np.zeros((2, frames), np.float32)
    for path, source in stems.items():
        if path.stem == "vox_lead":
            vocal = source
        else:
            backing[:, : source.frames] += source.samples
    vocal = Audio(np.pad(vocal.samples, ((0, 0), (0, frames - vocal.frames))), vocal.sample_rate)
    return request.param, Session(
        tracks=(
            Track(name="vocal", role="lead vocal", source=vocal),
            Track(name="beat", role="backing track", source=Audio(backing, vocal.sample_rate)),
        )
    )


def lufs(source):
    samples = np.concatenate([block.T for block in source.blocks()])
    return pyloudnorm.Meter(source.sample_rate, filter_class="DeMan").integrated_loudness(samples)


@pytest.mark.slow
def test_studio_keeps_its_promises(session):
    song, session = session
    mix = mix_session(session, VocalRequest())
    figures = {d.setting: (d.value, dict(d.figures)) for d in mix.plan.decisions}
    time_s, measured = figures[f"{BUS}.reverb.reverberation_time_s"]
    assert measured["tempo_bpm"] == pytest.approx(BPM[song], rel=0.01)
    assert time_s == pytest.approx(-measured["tempo_bpm"] / 45 + 40 / 9)
    assert time_s == choose_reverberation_time_s(measured["tempo_bpm"])
    assert lufs(mix.stems["vocal"]) - lufs(mix.stems["beat"]) == pytest.approx(-1.77, abs=0.1)
    audio = np.concatenate(list(mix.source.blocks()), axis=1)
    assert np.abs(audio).max() < 10 ** (-1 / 20)
    assert np.abs(audio[:, -session.sample_rate // 100 :]).max() < 1e-4, "the tail is cut"
    stems = sum(np.concatenate(list(stem.blocks()), axis=1) for stem in mix.stems.values())
    np.testing.assert_allclose(stems, audio, atol=1e-6)


@pytest.mark.slow
def test_the_artists_own_mix_as_reference_gives_its_balance_back(tmp_path):
    song = read_song(AUDIO / "potassium")
    protocol = Protocol(start_s=90.0, duration_s=20.0)
    session = open_song(song.stems, ReadOptions())
    stems = np.stack([collect(resample(track.source, 44100)).samples for track in session.tracks])
    mix = tmp_path / "artist.wav"
    soundfile.write(mix, stems.sum(axis=0)[:, 90 * 44100 : 110 * 44100].T, 44100, "FLOAT")

    def mixer(request):
        return lambda disturbed, seed: mix_session(disturbed, request).audio.samples

    methods = {
        "plain": mixer(StemsRequest()),
        "reference": mixer(StemsRequest(reference=mix, device="cpu")),
    }
    (evaluated,) = evaluate_songs([song], methods, protocol)
    plain, reference = evaluated.distances["plain"], evaluated.distances["reference"]
    assert reference.stereo_mr_stft < 0.6 * plain.stereo_mr_stft
    assert reference.level_error_db < plain.level_error_db
