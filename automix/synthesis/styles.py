"""The table of styles: the tempos, grooves, instruments and levels that a song chooses from."""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Style:
    """What is usual in a style of music.

    Attributes:
        name: Name of the style.
        tempo_bpm: Slowest and fastest tempo.
        minor: Probability of a minor key.
        waltz: Probability of three quarters to the bar.
        sevenths: Probability of four-note chords.
        one_loop: Probability that a section has the chords that the others have.
        swing: Least and most swing, as in `automix.synthesis.form.Bar`.
        grooves: Names in `automix.synthesis.grooves.GROOVES`; none for songs without drums.
        kits: MIDI programs of the drum kit to choose from.
        drums: Weights of the ways in which the kit is recorded: ``microphones``, ``pieces`` (dry,
            with no overheads), ``loop`` (one stereo track), ``none``.
        bass: Weights of the instruments that may play the bass; ``none`` may be among them.
        chords: Weights of the instruments that may play chords.
        colors: Weights of all other instruments: melodies, pads, sections.
        percussion: Largest number of percussion tracks.
        vocal: Probability of a lead voice.
        spoken: Probability that it raps.
        tracks: Least and largest number of tracks.
        levels_db: Decibels that the style adds to the level of a role.
    """

    name: str
    tempo_bpm: tuple[float, float]
    minor: float = 0.4
    waltz: float = 0.0
    sevenths: float = 0.2
    one_loop: float = 0.3
    swing: tuple[float, float] = (0.0, 0.05)
    grooves: tuple[str, ...] = ()
    kits: tuple[int, ...] = (0,)
    drums: dict[str, float] = field(default_factory=dict)
    bass: dict[str, float]
    chords: dict[str, float]
    colors: dict[str, float]
    percussion: int = 1
    vocal: float = 0.8
    spoken: float = 0.0
    tracks: tuple[int, int] = (6, 14)
    levels_db: dict[str, float] = field(default_factory=dict)


_ACOUSTIC = {"microphones": 0.85, "pieces": 0.1, "loop": 0.05}
_PROGRAMMED = {"pieces": 0.75, "loop": 0.25}

STYLES: tuple[Style, ...] = (
    Style(
        name="pop",
        tempo_bpm=(88, 132),
        grooves=("backbeat", "eighths", "four on the floor", "half time"),
        kits=(0, 8, 16),
        drums={"microphones": 0.55, "pieces": 0.35, "loop": 0.1},
        bass={"finger bass": 3, "pick bass": 2, "synth bass": 2},
        chords={
            "piano": 3, "electric piano": 2, "acoustic guitar": 3, "clean guitar": 3,
            "synth keys": 2,
        },
        colors={
            "pad": 3, "strings": 3, "synth lead": 1, "lead guitar": 1, "bells": 1, "brass": 1,
            "arp": 1,
        },
        vocal=0.95,
        tracks=(7, 16),
    ),
    Style(
        name="rock",
        tempo_bpm=(100, 168),
        minor=0.5,
        sevenths=0.05,
        grooves=("backbeat", "eighths", "rock drive", "half time"),
        kits=(0, 16, 8),
        drums={"microphones": 0.95, "loop": 0.05},
        bass={"pick bass": 4, "finger bass": 2},
        chords={"distorted guitars": 5, "crunch guitars": 4, "clean guitar": 2, "organ": 1},
        colors={"lead guitar": 4, "organ": 1, "piano": 1, "strings": 0.5, "acoustic guitar": 1},
        percussion=1,
        vocal=0.85,
        tracks=(7, 15),
        levels_db={"electric guitar": 1.5, "snare": 0.5, "lead vocal": -1.0},
    ),
    Style(
        name="funk",
        tempo_bpm=(92, 122),
        minor=0.6,
        sevenths=0.8,
        one_loop=0.7,
        swing=(0.0, 0.2),
        grooves=("sixteenths", "syncopated"),
        kits=(0, 8),
        drums=_ACOUSTIC,
        bass={"slap bass": 3, "finger bass": 3},
        chords={"funk guitar": 4, "clavinet": 3, "electric piano": 2, "organ": 2},
        colors={"brass": 3, "trumpet": 1, "sax": 2, "strings": 1, "lead guitar": 1},
        percussion=2,
        vocal=0.7,
        tracks=(7, 15),
        levels_db={"bass": 1.0, "kick": 0.5},
    ),
    Style(
        name="ballad",
        tempo_bpm=(70, 92),
        minor=0.35,
        waltz=0.25,
        sevenths=0.4,
        grooves=("ballad", "side stick", "half time"),
        kits=(0, 40, 8),
        drums={"microphones": 0.55, "pieces": 0.1, "loop": 0.05, "none": 0.3},
        bass={"finger bass": 3, "fretless bass": 2, "upright bass": 1, "none": 0.5},
        chords={"piano": 4, "acoustic guitar": 3, "electric piano": 3, "nylon guitar": 1},
        colors={
            "strings": 4, "pad": 3, "cello": 1, "violin": 1, "choir": 1, "oboe": 1, "harp": 1,
            "flute": 1,
        },
        vocal=0.95,
        tracks=(4, 13),
        levels_db={"lead vocal": 1.0, "kick": -1.5, "snare": -1.0, "piano": 1.0},
    ),
    Style(
        name="electronic",
        tempo_bpm=(110, 150),
        minor=0.75,
        sevenths=0.25,
        one_loop=0.8,
        grooves=("four on the floor", "breakbeat", "four on the floor"),
        kits=(24, 25),
        drums=_PROGRAMMED,
        bass={"synth bass": 6, "sub bass": 3},
        chords={"synth stabs": 4, "synth keys": 3, "pad": 3, "electric piano": 1},
        colors={"arp": 4, "synth lead": 3, "pad": 3, "bells": 1, "strings": 1, "sweep": 2},
        percussion=3,
        vocal=0.45,
        tracks=(5, 16),
        levels_db={"kick": 2.0, "bass": 1.0, "snare": -0.5},
    ),
    Style(
        name="hip-hop",
        tempo_bpm=(70, 104),
        minor=0.8,
        sevenths=0.5,
        one_loop=0.9,
        swing=(0.0, 0.25),
        grooves=("boom bap", "trap", "boom bap"),
        kits=(25, 24, 0),
        drums=_PROGRAMMED,
        bass={"sub bass": 4, "synth bass": 2, "finger bass": 1},
        chords={"electric piano": 3, "piano": 3, "clean guitar": 1, "synth keys": 2, "vibes": 1},
        colors={"strings": 2, "bells": 2, "pad": 2, "flute": 1, "brass": 1, "choir": 1, "arp": 1},
        percussion=2,
        vocal=0.9,
        spoken=0.7,
        tracks=(5, 13),
        levels_db={"kick": 1.5, "bass": 1.5, "lead vocal": 0.5},
    ),
    Style(
        name="jazz",
        tempo_bpm=(96, 178),
        minor=0.4,
        waltz=0.15,
        sevenths=1.0,
        swing=(0.45, 0.67),
        grooves=("swing", "swing", "bossa"),
        kits=(32, 40),
        drums={"microphones": 0.9, "none": 0.1},
        bass={"upright bass": 5, "fretless bass": 1},
        chords={"piano": 5, "jazz guitar": 3, "electric piano": 2, "vibes": 1},
        colors={"sax": 4, "trumpet": 3, "clarinet": 1, "trombone": 1, "flute": 1, "brass": 1},
        percussion=0,
        vocal=0.4,
        tracks=(4, 11),
        levels_db={"kick": -4.0, "snare": -3.0, "overheads": 2.0, "bass": -0.5, "piano": 0.5},
    ),
    Style(
        name="folk",
        tempo_bpm=(76, 138),
        minor=0.35,
        waltz=0.3,
        sevenths=0.05,
        grooves=("train", "ballad", "side stick"),
        kits=(40, 0),
        drums={"none": 0.55, "microphones": 0.35, "pieces": 0.1},
        bass={"upright bass": 3, "finger bass": 2, "none": 2},
        chords={"acoustic guitar": 5, "nylon guitar": 2, "banjo": 2, "piano": 1, "accordion": 1},
        colors={
            "violin": 3, "flute": 1, "harmonica": 1, "cello": 1, "organ": 1, "choir": 0.5,
            "mandolin": 2,
        },
        percussion=2,
        vocal=0.9,
        tracks=(4, 10),
        levels_db={"acoustic guitar": 1.5, "kick": -1.0},
    ),
    Style(
        name="reggae",
        tempo_bpm=(70, 96),
        minor=0.5,
        sevenths=0.2,
        one_loop=0.6,
        swing=(0.0, 0.3),
        grooves=("one drop", "steppers"),
        kits=(0, 8),
        drums=_ACOUSTIC,
        bass={"finger bass": 4, "sub bass": 1},
        chords={"skank guitar": 5, "organ": 4, "piano": 2, "clavinet": 1},
        colors={"brass": 2, "sax": 1, "trombone": 1, "harmonica": 0.5, "pad": 0.5},
        percussion=2,
        vocal=0.8,
        tracks=(6, 13),
        levels_db={"bass": 2.0, "snare": -0.5},
    ),
    Style(
        name="latin",
        tempo_bpm=(84, 132),
        minor=0.5,
        sevenths=0.5,
        grooves=("bossa", "latin"),
        kits=(0, 40),
        drums={"microphones": 0.45, "none": 0.4, "loop": 0.15},
        bass={"upright bass": 2, "finger bass": 3, "fretless bass": 1},
        chords={"nylon guitar": 4, "piano": 4, "acoustic guitar": 1, "electric piano": 1},
        colors={"trumpet": 3, "flute": 3, "brass": 2, "strings": 2, "accordion": 1, "sax": 1},
        percussion=4,
        vocal=0.75,
        tracks=(6, 14),
        levels_db={"percussion": 1.5},
    ),
    Style(
        name="metal",
        tempo_bpm=(120, 178),
        minor=1.0,
        sevenths=0.0,
        grooves=("rock drive", "double kick", "half time"),
        kits=(16,),
        drums={"microphones": 0.9, "pieces": 0.1},
        bass={"pick bass": 1},
        chords={"distorted guitars": 1},
        colors={"lead guitar": 4, "strings": 1, "choir": 1, "pad": 0.5},
        percussion=0,
        vocal=0.75,
        tracks=(7, 13),
        levels_db={"electric guitar": 2.0, "kick": 1.0, "lead vocal": -1.5},
    ),
    Style(
        name="cinematic",
        tempo_bpm=(70, 120),
        minor=0.7,
        waltz=0.2,
        sevenths=0.2,
        drums={"none": 1.0},
        bass={"contrabass": 3, "synth bass": 1, "none": 1},
        chords={"strings": 4, "piano": 3, "harp": 1, "choir": 1},
        colors={
            "violin": 2, "cello": 2, "french horn": 3, "flute": 2, "oboe": 1, "clarinet": 1,
            "trumpet": 1, "pizzicato": 2, "pad": 1, "bells": 1, "sweep": 1, "trombone": 1,
        },
        percussion=2,
        vocal=0.2,
        tracks=(5, 13),
    ),
)  # fmt: skip
"""Every style; each is as likely as another."""
