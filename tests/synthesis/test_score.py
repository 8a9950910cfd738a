"""What is written before it is played: chords, forms, grooves, parts, names, MIDI files."""

import io

import numpy as np
import pytest

from automix.session.roles.recognition import read_role
from automix.sound.harmony import build_chord, find_near, voice_chord
from automix.sound.instruments import SOUNDS
from automix.sound.score import Hit, Note
from automix.synthesis.arrangement import Arrangement, arrange
from automix.synthesis.form import Bar
from automix.synthesis.grooves import GROOVES
from automix.synthesis.instruments import INSTRUMENTS, PERCUSSION
from automix.synthesis.kit import KEYS
from automix.synthesis.midi import TICKS_PER_SECOND, write_drums, write_pitched
from automix.synthesis.patterns import PATTERNS
from automix.synthesis.styles import STYLES


def rng(*seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


SONGS = [arrange(rng(7, number), None) for number in range(150)]


def track_names(song: Arrangement) -> list[str]:
    names = [*(song.drums.names.values() if song.drums else ())]
    names += [name for name, _ in song.percussion]
    return names + [part.name for part in song.parts] + [voice.name for voice in song.voices]


def test_chords_of_c_major_and_a_minor() -> None:
    assert build_chord(0, "major", 0, seventh=False, dominant=False) == (0, 4, 7)
    assert build_chord(0, "major", 4, seventh=True, dominant=False) == (7, 11, 2, 5)
    assert build_chord(9, "minor", 0, seventh=False, dominant=False) == (9, 0, 4)
    assert build_chord(9, "minor", 4, seventh=False, dominant=False) == (4, 7, 11)
    assert build_chord(9, "minor", 4, seventh=False, dominant=True) == (4, 8, 11)


def test_voicings_hold_each_tone_once_and_move_little() -> None:
    first = voice_chord((), (0, 4, 7), 48, 72)
    second = voice_chord(first, (7, 11, 2), 48, 72)
    for voicing, tones in ((first, {0, 4, 7}), (second, {7, 11, 2})):
        assert {pitch % 12 for pitch in voicing} == tones
        assert max(voicing) - min(voicing) < 12
        assert len(voicing) == 3
    assert abs(np.mean(first) - np.mean(second)) <= 2.5  # no nearer inversion is further away


@pytest.mark.parametrize("pitch_class", range(12))
def test_the_nearest_note_is_at_most_a_tritone_away(pitch_class: int) -> None:
    assert find_near(pitch_class, 60) % 12 == pitch_class
    assert abs(find_near(pitch_class, 60) - 60) <= 6


def test_swing_delays_the_middle_of_the_beat_only() -> None:
    bar = Bar(
        number=0, start_s=1.0, beat_s=0.4, beats=4, swing=0.5, section="verse", strength=0.6,
        tones=(0, 4, 7), following=(0, 4, 7), fill=False, opens=True,
    )  # fmt: skip
    assert bar.find_time(0) == pytest.approx(1.0)
    assert bar.find_time(4) == pytest.approx(1.4)
    assert bar.find_time(2) == pytest.approx(1.0 + 2.5 * 0.1)
    assert bar.find_time(3) < bar.find_time(4)


def test_every_track_has_a_name_that_tells_its_role() -> None:
    for song in SONGS:
        names = track_names(song)
        assert len(set(names)) == len(names)
        said = {name: read_role(name, names) for name in names}
        assert [name for name, role in said.items() if role is None] == []
        for voice in song.voices:
            role = said[voice.name]
            assert role is not None
            assert role.role == ("lead vocal" if voice.lead else role.role)
            assert role.role in ("lead vocal", "backing vocal")
        if song.drums and song.drums.tracks != "loop":
            roles = {"kick": "kick", "snare": "snare", "hats": "hats", "toms": "tom"}
            for piece, name in song.drums.names.items():
                assert said[name].role == roles.get(piece, said[name].role), name


def test_all_names_of_the_tables_tell_roles() -> None:
    for instrument in INSTRUMENTS.values():
        for name in instrument.names:
            assert read_role(name) is not None, name
    for percussion in PERCUSSION:
        said = read_role(percussion.name)
        assert said is not None
        assert said.role == "percussion"


def test_songs_differ_in_everything_that_was_asked() -> None:
    counts = [len(track_names(song)) for song in SONGS]
    assert min(counts) >= 4
    assert max(counts) <= 16
    assert len(set(counts)) >= 9
    tempi = [song.form.tempo_bpm for song in SONGS]
    assert min(tempi) >= 70
    assert max(tempi) <= 180
    assert max(tempi) - min(tempi) > 80
    assert {song.style.name for song in SONGS} == {style.name for style in STYLES}
    assert {song.form.mode for song in SONGS} == {"major", "minor"}
    assert {song.form.tonic for song in SONGS} == set(range(12))
    assert {song.form.bars[0].beats for song in SONGS} == {3, 4}
    assert all(20.0 <= song.form.duration_s <= 40.0 for song in SONGS)
    kinds = {song.drums.tracks if song.drums else "none" for song in SONGS}
    assert kinds == {"microphones", "pieces", "loop", "none"}


def test_notes_are_playable() -> None:
    for song in SONGS:
        for part in song.parts:
            assert part.notes, part.name
            low, high = part.instrument.low, part.instrument.high
            for note in part.notes:
                assert 0.0 <= note.start_s < song.form.duration_s
                assert note.duration_s > 0.0
                assert low - 13 <= note.pitch <= high + 13
                assert 0.0 < note.velocity <= 1.0


def test_melodies_are_in_key_and_basses_on_the_root() -> None:
    for song in SONGS[:40]:
        roots = {bar.number: bar.tones[0] for bar in song.form.bars}
        bar_s = song.form.bars[1].start_s
        for part in song.parts:
            if part.instrument.high > 50:
                continue
            on_root = [
                note.pitch % 12 == roots[min(int((note.start_s + 0.03) / bar_s), max(roots))]
                for note in part.notes
            ]
            assert np.mean(on_root) > (0.25 if len(part.notes) else 0.0)


def test_the_tables_refer_to_each_other() -> None:
    for style in STYLES:
        assert set(style.grooves) <= set(GROOVES)
        assert set(style.bass) - {"none"} <= set(INSTRUMENTS)
        assert set(style.chords) | set(style.colors) <= set(INSTRUMENTS)
    for instrument in INSTRUMENTS.values():
        assert instrument.built_in in SOUNDS
        assert set(instrument.patterns) <= set(PATTERNS) | {"melody", "counter-melody", "riff"}
        assert all(0 <= program <= 127 for program in instrument.programs)
    for groove in GROOVES.values():
        assert set(groove) <= set(KEYS)
        assert all(len(rhythm) == 16 for rhythms in groove.values() for rhythm in rhythms)


def parsed(data: bytes) -> list[tuple[float, bytes]]:
    """Times in seconds and messages of a format 0 file, read by the specification."""
    assert data[:8] == b"MThd\x00\x00\x00\x06"
    division = int.from_bytes(data[12:14], "big")
    assert data[14:18] == b"MTrk"
    track = data[22:]
    assert int.from_bytes(data[18:22], "big") == len(track)
    events, position, tick, tempo_us = [], 0, 0, 500_000
    while position < len(track):
        delta = 0
        while True:
            byte = track[position]
            position += 1
            delta = delta << 7 | byte & 0x7F
            if not byte & 0x80:
                break
        tick += delta
        status = track[position]
        if status == 0xFF:
            length = 3 + track[position + 2]
            if track[position + 1] == 0x51:
                tempo_us = int.from_bytes(track[position + 3 : position + 6], "big")
        else:
            length = 2 if status >> 4 == 0xC else 3
        events.append((tick / division * tempo_us / 1e6, track[position : position + length]))
        position += length
    return events


def test_a_midi_file_says_when_and_what() -> None:
    notes = [
        Note(start_s=0.5, duration_s=0.25, pitch=60, velocity=1.0),
        Note(start_s=0.75, duration_s=9.0, pitch=60, velocity=0.5),
    ]
    events = parsed(write_pitched(notes, 24, 2.0))
    assert events[1] == (0.0, bytes((0xC0, 24)))
    sounding = [(time, message) for time, message in events if message[0] >> 4 in (8, 9)]
    assert [message[0] >> 4 for _, message in sounding] == [9, 8, 9, 8]
    times = [time for time, _ in sounding]
    assert times == pytest.approx([0.5, 0.75, 0.75, 2.0], abs=1 / TICKS_PER_SECOND)
    assert events[-1] == (2.0, b"\xff\x2f\x00")
    assert sounding[0][1][2] == 127


def test_another_reader_finds_the_same_notes() -> None:
    mido = pytest.importorskip("mido")
    hits = [Hit(start_s=0.25 * n, piece=str(36 + n), velocity=0.2 + 0.1 * n) for n in range(8)]
    file = mido.MidiFile(file=io.BytesIO(write_drums(hits, 16, 3.0)))
    assert file.type == 0
    assert file.length == pytest.approx(3.0)
    found, now_s = [], 0.0
    for message in file:
        now_s += message.time
        if message.type == "note_on":
            found.append((message.channel, round(now_s, 6), message.note, message.velocity))
    assert found == [(9, hit.start_s, int(hit.piece), round(127 * hit.velocity)) for hit in hits]
    assert [m.program for m in file if m.type == "program_change"] == [16]


def test_every_note_of_a_midi_file_is_released_before_its_end() -> None:
    """Else a player waits for it for ever."""
    hits = [Hit(start_s=float(time), piece="42", velocity=0.6) for time in np.arange(0, 3, 0.1)]
    for data in (
        write_drums(hits, 0, 2.5),
        write_pitched([Note(start_s=2.49, duration_s=5.0, pitch=50, velocity=1.0)], 0, 2.5),
    ):
        down = set()
        for time, message in parsed(data):
            assert time <= 2.5
            if message[0] >> 4 == 9:
                down.add(message[1])
            elif message[0] >> 4 == 8:
                down.discard(message[1])
        assert down == set()


def test_every_kind_of_track_comes_up() -> None:
    said = {
        found.role
        for song in SONGS
        for name in track_names(song)
        if (found := read_role(name)) is not None
    }
    assert said >= {
        "kick", "snare", "hats", "tom", "cymbals", "overheads", "room", "percussion", "drums",
        "bass", "acoustic guitar", "electric guitar", "guitar", "piano", "keys", "organ", "synth",
        "pad", "strings", "brass", "woodwind", "lead vocal", "backing vocal", "fx",
    }  # fmt: skip


def test_every_song_has_a_chorus_that_lasts() -> None:
    for song in SONGS:
        sections = [bar.section for bar in song.form.bars]
        assert sections.count("chorus") >= 2
        assert sections[-1] == "end"
        assert sections.count("end") == 1
