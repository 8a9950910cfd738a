"""Tables of instruments: what engineers call their tracks, how they sound, what they play."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Instrument:
    """A pitched instrument.

    Attributes:
        names: Names that its track may have.
        programs: General MIDI programs that it may sound like, from 0.
        built_in: Sound of `automix.sound.instruments` that stands in for it without FluidSynth.
        low: Lowest note that it plays.
        high: Highest note that it plays.
        patterns: Patterns that it may play, see `automix.synthesis.patterns.play_part`.
        stereo: Probability of a stereo track.
        doubled: Probability that a second player plays the same, panned opposite.
        amplifier: Drive of a guitar amplifier, least and most; 0 is none.
    """

    names: tuple[str, ...]
    programs: tuple[int, ...]
    built_in: str
    low: int
    high: int
    patterns: tuple[str, ...]
    stereo: float = 0.0
    doubled: float = 0.0
    amplifier: tuple[float, float] = (0.0, 0.0)


_BASS = ("roots", "eighth roots", "syncopated bass", "walking")
_KEYS = ("comping", "sustained", "arpeggio", "broken chords")

INSTRUMENTS: dict[str, Instrument] = {
    "finger bass": Instrument(
        names=("bass", "bass guitar", "bass DI"), programs=(33,), built_in="bass",
        low=28, high=47, patterns=_BASS,
    ),
    "pick bass": Instrument(
        names=("bass", "bass pick", "bass amp"), programs=(34,), built_in="bass",
        low=28, high=47, patterns=("eighth roots", "roots", "syncopated bass"),
    ),
    "fretless bass": Instrument(
        names=("bass", "fretless bass"), programs=(35,), built_in="bass",
        low=28, high=50, patterns=("roots", "walking", "syncopated bass"),
    ),
    "slap bass": Instrument(
        names=("bass", "slap bass"), programs=(36, 37), built_in="bass",
        low=28, high=47, patterns=("syncopated bass", "octaves"),
    ),
    "upright bass": Instrument(
        names=("bass", "upright bass", "double bass"), programs=(32,), built_in="bass",
        low=28, high=50, patterns=("walking", "roots"),
    ),
    "synth bass": Instrument(
        names=("bass synth", "synth bass", "bass"), programs=(38, 39, 87), built_in="saw",
        low=28, high=45, patterns=("eighth roots", "octaves", "syncopated bass", "pulse"),
    ),
    "sub bass": Instrument(
        names=("sub bass", "808 bass", "bass"), programs=(39, 38), built_in="sub",
        low=26, high=42, patterns=("roots", "syncopated bass"),
    ),
    "contrabass": Instrument(
        names=("contrabass", "double bass"), programs=(43, 48), built_in="pad",
        low=28, high=45, patterns=("roots",),
    ),
    "piano": Instrument(
        names=("piano", "grand piano", "keys piano"), programs=(0, 1, 2, 3), built_in="piano",
        low=48, high=79, patterns=_KEYS, stereo=0.7,
    ),
    "electric piano": Instrument(
        names=("rhodes", "electric piano", "wurlitzer", "keys"), programs=(4, 5),
        built_in="electric piano", low=48, high=76, patterns=_KEYS, stereo=0.4,
    ),
    "clavinet": Instrument(
        names=("clav", "clavinet"), programs=(7,), built_in="muted guitar",
        low=48, high=72, patterns=("sixteenth chops", "comping"),
    ),
    "organ": Instrument(
        names=("organ", "hammond", "B3 organ"), programs=(16, 17, 18, 19), built_in="organ",
        low=50, high=76, patterns=("sustained", "off-beats", "comping"), stereo=0.4,
    ),
    "accordion": Instrument(
        names=("accordion",), programs=(21, 23), built_in="organ",
        low=53, high=79, patterns=("sustained", "off-beats", "melody"),
    ),
    "vibes": Instrument(
        names=("vibes", "marimba"), programs=(11, 12), built_in="electric piano",
        low=55, high=84, patterns=("comping", "arpeggio"), stereo=0.4,
    ),
    "bells": Instrument(
        names=("glockenspiel", "celesta", "bells", "music box"), programs=(8, 9, 10, 14),
        built_in="electric piano", low=67, high=96, patterns=("arpeggio", "melody"), stereo=0.3,
    ),
    "harp": Instrument(
        names=("harp",), programs=(46,), built_in="guitar",
        low=48, high=84, patterns=("arpeggio", "broken chords"), stereo=0.5,
    ),
    "acoustic guitar": Instrument(
        names=("acoustic guitar", "acoustic gtr", "ac guitar strum", "steel acoustic guitar"),
        programs=(25,), built_in="guitar",
        low=45, high=69, patterns=("strummed", "picked", "strummed"), stereo=0.1, doubled=0.35,
    ),
    "nylon guitar": Instrument(
        names=("nylon guitar", "classical guitar"), programs=(24,), built_in="guitar",
        low=45, high=69, patterns=("picked", "bossa chords"), doubled=0.1,
    ),
    "banjo": Instrument(
        names=("banjo",), programs=(105,), built_in="muted guitar",
        low=55, high=76, patterns=("rolls",),
    ),
    "mandolin": Instrument(
        names=("mandolin",), programs=(25, 105), built_in="muted guitar",
        low=60, high=81, patterns=("off-beats", "rolls"),
    ),
    "clean guitar": Instrument(
        names=("clean guitar", "electric guitar", "elec gtr clean", "rhythm guitar"),
        programs=(26, 27), built_in="guitar", low=45, high=69,
        patterns=("picked", "strummed", "off-beats", "arpeggio"), doubled=0.3,
        amplifier=(0.0, 1.5),
    ),
    "jazz guitar": Instrument(
        names=("electric guitar jazz", "jazz guitar"), programs=(26,), built_in="guitar",
        low=48, high=69, patterns=("comping", "bossa chords"), amplifier=(0.0, 1.0),
    ),
    "funk guitar": Instrument(
        names=("funk guitar", "electric guitar", "wah guitar"), programs=(27, 28),
        built_in="muted guitar", low=52, high=74, patterns=("sixteenth chops", "muted line"),
        doubled=0.15, amplifier=(0.0, 2.0),
    ),
    "skank guitar": Instrument(
        names=("skank guitar", "electric guitar skank"), programs=(27, 28),
        built_in="muted guitar", low=52, high=74, patterns=("off-beats",), doubled=0.1,
        amplifier=(0.0, 1.0),
    ),
    "crunch guitars": Instrument(
        names=("rhythm guitar", "crunch guitar", "electric guitar"), programs=(29, 27),
        built_in="guitar", low=40, high=64, patterns=("power eighths", "strummed", "ringing"),
        doubled=0.8, amplifier=(1.5, 5.0),
    ),
    "distorted guitars": Instrument(
        names=("rhythm guitar", "dist guitar", "heavy gtr"), programs=(30, 29),
        built_in="guitar", low=38, high=60, patterns=("power eighths", "gallop", "ringing"),
        doubled=0.95, amplifier=(2.0, 8.0),
    ),
    "lead guitar": Instrument(
        names=("lead guitar", "guitar solo", "lead gtr"), programs=(29, 30, 27),
        built_in="guitar", low=59, high=84, patterns=("melody", "riff"), amplifier=(0.5, 4.0),
    ),
    "strings": Instrument(
        names=("strings", "string section", "orchestra strings"), programs=(48, 49, 50, 44),
        built_in="pad", low=48, high=79, patterns=("sustained", "sustained", "pulse chords"),
        stereo=0.85,
    ),
    "pizzicato": Instrument(
        names=("pizz strings", "strings pizzicato"), programs=(45,), built_in="muted guitar",
        low=55, high=79, patterns=("arpeggio", "off-beats"), stereo=0.5,
    ),
    "violin": Instrument(
        names=("violin", "fiddle", "solo violin"), programs=(40, 110), built_in="saw",
        low=62, high=88, patterns=("melody", "counter-melody"),
    ),
    "cello": Instrument(
        names=("cello",), programs=(42,), built_in="pad",
        low=43, high=64, patterns=("counter-melody", "melody"),
    ),
    "brass": Instrument(
        names=("brass section", "horns", "brass"), programs=(61, 62, 63), built_in="saw",
        low=53, high=77, patterns=("stabs", "sustained", "stabs"), stereo=0.5,
    ),
    "trumpet": Instrument(
        names=("trumpet",), programs=(56, 59), built_in="saw",
        low=60, high=82, patterns=("melody", "riff", "counter-melody"),
    ),
    "trombone": Instrument(
        names=("trombone",), programs=(57,), built_in="saw",
        low=46, high=67, patterns=("counter-melody", "riff"),
    ),
    "french horn": Instrument(
        names=("french horns", "horn"), programs=(60,), built_in="pad",
        low=48, high=70, patterns=("counter-melody", "sustained"),
    ),
    "sax": Instrument(
        names=("sax", "tenor sax", "alto sax"), programs=(65, 66, 64), built_in="saw",
        low=53, high=77, patterns=("melody", "riff", "counter-melody"),
    ),
    "clarinet": Instrument(
        names=("clarinet",), programs=(71,), built_in="organ",
        low=55, high=82, patterns=("melody", "counter-melody"),
    ),
    "flute": Instrument(
        names=("flute",), programs=(73, 75), built_in="organ",
        low=67, high=91, patterns=("melody", "counter-melody"),
    ),
    "oboe": Instrument(
        names=("oboe",), programs=(68, 69), built_in="organ",
        low=62, high=84, patterns=("counter-melody", "melody"),
    ),
    "harmonica": Instrument(
        names=("harmonica",), programs=(22,), built_in="organ",
        low=60, high=84, patterns=("melody", "counter-melody"),
    ),
    "choir": Instrument(
        names=("choir", "oohs", "choir aahs"), programs=(52, 53), built_in="pad",
        low=50, high=76, patterns=("sustained",), stereo=0.7,
    ),
    "pad": Instrument(
        names=("pad", "synth pad", "warm pad"), programs=(88, 89, 90, 91, 92, 94, 95),
        built_in="pad", low=50, high=76, patterns=("sustained",), stereo=0.8,
    ),
    "synth keys": Instrument(
        names=("synth", "synth chords", "poly synth"), programs=(50, 51, 62, 63, 81, 90),
        built_in="saw", low=50, high=76, patterns=("comping", "sustained", "pulse chords"),
        stereo=0.6,
    ),
    "synth stabs": Instrument(
        names=("synth stab", "supersaw", "synth chords"), programs=(81, 62, 63, 55, 50),
        built_in="saw", low=52, high=77, patterns=("stabs", "off-beats", "pulse chords"),
        stereo=0.6,
    ),
    "synth lead": Instrument(
        names=("lead synth", "synth lead", "synth melody"), programs=(80, 81, 84, 87, 82),
        built_in="saw", low=60, high=84, patterns=("melody", "riff"), stereo=0.3,
    ),
    "arp": Instrument(
        names=("arp", "synth arp", "pluck"), programs=(80, 81, 98, 99, 6, 46, 108),
        built_in="electric piano", low=55, high=84, patterns=("sixteenth arpeggio", "arpeggio"),
        stereo=0.4,
    ),
    "sweep": Instrument(
        names=("fx sweep", "fx", "riser"), programs=(95, 97, 101, 103), built_in="pad",
        low=48, high=72, patterns=("swell",), stereo=0.9,
    ),
}  # fmt: skip
"""Every instrument, by its key in `automix.synthesis.styles`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Percussion:
    """A percussion instrument of the General MIDI drum map.

    Attributes:
        name: Name of its track.
        keys: Keys of its strokes in the drum map, the strong stroke first.
        rhythms: Rhythms to choose from, in sixteenths of a bar; ``x`` is strong, ``o`` weak.
    """

    name: str
    keys: tuple[int, ...]
    rhythms: tuple[str, ...]


PERCUSSION: tuple[Percussion, ...] = (
    Percussion(name="shaker", keys=(70, 82), rhythms=("xoxoxoxoxoxoxoxo", "x.o.x.o.x.o.x.o.")),
    Percussion(name="tambourine", keys=(54,), rhythms=("....x.......x...", "x.o.x.o.x.o.x.o.")),
    Percussion(name="cowbell", keys=(56,), rhythms=("x...x...x...x...", "x...x.x...x.x.o.")),
    Percussion(name="congas", keys=(63, 64, 62), rhythms=("o.ox..xxo.ox..xx", "..x...xx..x...xx")),
    Percussion(name="bongos", keys=(60, 61), rhythms=("x.oxo.oxx.oxo.ox", "xooxxooxxooxxoox")),
    Percussion(name="claps", keys=(39,), rhythms=("....x.......x...", "....x.......x..x")),
    Percussion(name="claves", keys=(75,), rhythms=("x..x..x...x.x...", "x..x...x..x.x...")),
    Percussion(name="guiro", keys=(74, 73), rhythms=("x...o.o.x...o.o.",)),
    Percussion(name="triangle", keys=(81, 80), rhythms=("x...o...x...o...", "..x...x...x...x.")),
    Percussion(name="cabasa", keys=(69,), rhythms=("x.oox.oox.oox.oo",)),
    Percussion(name="woodblock", keys=(76, 77), rhythms=("x..x..o...x.o...",)),
    Percussion(name="timbales", keys=(65, 66), rhythms=("x...x.oox...x.o.",)),
    Percussion(name="taiko", keys=(41, 43), rhythms=("x...............", "x..x..x.x.......")),
    Percussion(name="gong", keys=(52,), rhythms=("x...............",)),
)
"""Every percussion instrument."""
