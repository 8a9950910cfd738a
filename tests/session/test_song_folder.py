"""Which files make up a song."""

import numpy as np
import pytest
import soundfile

from automix.errors import InputError
from automix.files.info import ReadOptions
from automix.session.song_folder import find_song_files, open_song

RATE = 22050


def write(path, channels=1, rate=RATE, seconds=0.5, value=0.1):
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(len(path.name))
    soundfile.write(path, value * rng.normal(size=(int(seconds * rate), channels)), rate)
    return path


@pytest.fixture
def folder(tmp_path):
    for name in ("01_Kick.wav", "02_OH_L.wav", "03_OH_R.wav", "04_LeadVox.wav", "05_Bass DI.wav"):
        write(tmp_path / "song" / name)
    return tmp_path / "song"


def test_names_roles_and_pairs(folder):
    files, notes = find_song_files([folder])
    assert {file.name: file.role for file in files} == {
        "kick": "kick", "oh": "overheads", "lead vox": "lead vocal", "bass di": "bass"
    }  # fmt: skip
    (pair,) = (file for file in files if file.right)
    assert [path.name for path in pair.paths] == ["02_OH_L.wav", "03_OH_R.wav"]
    assert notes == []


def test_a_pair_becomes_one_stereo_track(folder):
    files, notes = find_song_files([folder])
    session = open_song(files, ReadOptions(), notes)
    track = session.track("oh")
    samples = np.concatenate(list(track.source.blocks()), axis=1)
    for side, name in zip(samples, ("02_OH_L.wav", "03_OH_R.wav"), strict=True):
        expected, _ = soundfile.read(folder / name, dtype="float32")
        np.testing.assert_array_equal(side, expected)
    assert len(track.sha256.split()) == 2


def test_junk_is_left_out_and_folders_are_searched_on_request(folder):
    for name in (".DS_Store", "._01_Kick.wav", "cover.jpg", "notes.txt"):
        (folder / name).write_bytes(b"junk")
    write(folder / "more" / "Shaker.wav")
    (folder / "loop").symlink_to(folder)
    assert len(find_song_files([folder])[0]) == 4
    assert {"shaker"} == {f.name for f in find_song_files([folder], recursive=True)[0]} - {
        f.name for f in find_song_files([folder])[0]
    }


def test_a_mix_of_ours_in_the_folder_is_no_track(folder):
    write(folder / "mix.wav", channels=2)
    (folder / "mix.toml").write_text("# automix plan: edit\n")
    files, notes = find_song_files([folder])
    assert "mix" not in {file.name for file in files}
    assert "left out" in notes[0]


def test_a_file_named_twice_counts_once(folder):
    files, notes = find_song_files([folder / "01_Kick.wav", folder / "01_Kick.wav"])
    assert len(files) == 1
    assert "once" in notes[0]


def test_roles_can_be_given(folder):
    files, _ = find_song_files([folder], roles={"kick": "tom"})
    assert {file.role for file in files if file.name == "kick"} == {"tom"}
    with pytest.raises(InputError, match="no track is named 'nobody'"):
        find_song_files([folder], roles={"nobody": "tom"})
    with pytest.raises(InputError, match="no role 'drumz'"):
        find_song_files([folder], roles={"kick": "drumz"})


def test_a_session_file(folder):
    session = folder / "session.toml"
    session.write_text(
        '[[tracks]]\nfile = "01_Kick.wav"\nname = "boom"\nrole = "kick"\n'
        '[[tracks]]\nfile = "02_OH_L.wav"\nright = "03_OH_R.wav"\nname = "overheads"\n'
    )
    files, _ = find_song_files([session])
    assert [(f.name, f.role, len(f.paths)) for f in files] == [
        ("boom", "kick", 1), ("overheads", "overheads", 2)
    ]  # fmt: skip
    session.write_text('[[tracks]]\nname = "x"\n')
    with pytest.raises(InputError, match="track 1: needs `file`"):
        find_song_files([session])


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(InputError, match="no audio files"):
        find_song_files([tmp_path])


def test_mixed_rates_lengths_and_channels_make_one_session(tmp_path):
    write(tmp_path / "kick.wav", rate=44100)
    write(tmp_path / "bass.wav", rate=48000, seconds=0.7)
    write(tmp_path / "keys.wav", channels=2, rate=22050)
    session = open_song(find_song_files([tmp_path])[0], ReadOptions())
    assert session.sample_rate == 48000
    assert session.frames == round(0.7 * 48000)
    assert {track.source.channels for track in session.tracks} == {1, 2}


def test_left_and_right_that_a_session_file_pairs_must_be_mono(tmp_path):
    write(tmp_path / "OH L.wav", channels=2)
    write(tmp_path / "OH R.wav", channels=2)
    session = tmp_path / "session.toml"
    session.write_text('[[tracks]]\nfile = "OH L.wav"\nright = "OH R.wav"\n')
    with pytest.raises(InputError, match="must be mono"):
        open_song(find_song_files([session])[0], ReadOptions())


def test_a_hundred_tracks(tmp_path):
    for number in range(100):
        write(tmp_path / f"Audio 1_{number:02}.wav", seconds=0.05)
    files, _ = find_song_files([tmp_path])
    assert len({file.name for file in files}) == 100


@pytest.mark.parametrize("double", ["LeadVox Dbl", "Lead Vox Double", "LeadVoxDouble2"])
def test_the_double_of_a_lead_stands_behind_it(tmp_path, double):
    for name in ("LeadVox", double, "Gtr", "Gtr Dbl"):
        write(tmp_path / "song" / f"{name}.wav")
    files, _ = find_song_files([tmp_path / "song"])
    roles = {file.path.stem: file.role for file in files}
    assert roles["LeadVox"] == "lead vocal"
    assert roles[double] == "backing vocal"
    assert roles["Gtr"] == roles["Gtr Dbl"] != "backing vocal"


def test_a_double_without_another_lead_stays_the_lead(tmp_path):
    for name in ("LeadVox Dbl", "Gtr"):
        write(tmp_path / "song" / f"{name}.wav")
    files, _ = find_song_files([tmp_path / "song"])
    assert {file.path.stem: file.role for file in files}["LeadVox Dbl"] == "lead vocal"
