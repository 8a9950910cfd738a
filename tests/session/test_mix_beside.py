"""A file named mix beside the tracks is a mix, not a track."""

import numpy as np
import soundfile

from automix.datasets.plain import read_song
from automix.session.song_folder import find_song_files


def write(path):
    soundfile.write(path, np.full(800, 0.1), 8000)


def test_a_mix_beside_the_tracks_is_left_out(tmp_path):
    for name in ("kick.wav", "bass.wav", "Mix.wav"):
        write(tmp_path / name)
    tracks, notes = find_song_files([tmp_path])
    assert sorted(track.name for track in tracks) == ["bass", "kick"]
    assert any("Mix.wav" in note and "left out" in note for note in notes)
    named, _ = find_song_files([tmp_path / "kick.wav", tmp_path / "Mix.wav"])
    assert len(named) == 2  # what is asked for by name is taken


def test_the_human_mix_is_not_one_that_automix_wrote(tmp_path):
    for name in ("kick.wav", "bass.wav", "mix.wav"):
        write(tmp_path / name)
    assert read_song(tmp_path).human == tmp_path / "mix.wav"
    (tmp_path / "mix.toml").write_text("# automix plan: edit any value\n")
    song = read_song(tmp_path)
    assert song.human is None
    assert len(song.stems) == 2
