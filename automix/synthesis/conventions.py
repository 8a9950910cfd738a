"""Tables of what engineers usually do, by role: levels, filters, compression, sends.

What is published: the lead vocal is the loudest element (De Man, Leonard, King & Reiss 2014). Over
the MUSDB18 test songs all voices together are 3.6 LU below the rest, standard deviation 1.3 LU;
over 64 mixes of De Man et al. the voice was 2.7 LU below the whole, which is 0.6 LU above the rest:
the leads here are in between. Levels follow the role rather than equal loudness (Pestana & Reiss
2014, "Intelligent audio production strategies informed by best practices"). The reverb return is
about 14 dB below the mix (De Man, McNally & Reiss 2017). Low sources and leads stand in the center,
the others are spread (Perez Gonzalez & Reiss 2007; Pestana & Reiss 2014). What has no low end gets
a high pass (De Man & Reiss 2013). All other numbers are conventions of this module.
"""

from dataclasses import dataclass

from automix.plan.roles import Role

LEVELS_LU: dict[Role, float] = {
    "kick": 2.5, "snare": 2.0, "hats": -3.5, "tom": 0.0, "cymbals": -4.0, "overheads": -1.5,
    "room": -5.0, "percussion": -3.0, "drums": 3.0,
    "bass": 1.0,
    "electric guitar": 0.0, "guitar": 0.0, "acoustic guitar": -1.0,
    "piano": -0.5, "keys": -1.0, "organ": -2.5, "synth": -0.5, "pad": -4.0,
    "strings": -2.5, "brass": -0.5, "woodwind": -0.5,
    "lead vocal": 4.0, "backing vocal": -1.5, "fx": -6.0, "other": -1.0,
}  # fmt: skip
"""Loudness of a track above the song's reference, before the correction by crest factor."""

SPREAD_DB = 1.5
"""Standard deviation of one engineer's levels around another's."""

CREST_SLOPE = 0.4
"""LU of level taken per dB of crest factor above the song's median: human mixes lie about that far
below equal loudness (see `automix.methods.stems.levels.crest_correction_lu`)."""

CREST_LIMIT_LU = 4.0

SECOND_MICROPHONE_LU = -6.0
"""Level of the outer microphone of a kick, and of the one below a snare, against the first."""

PAIR_LU = -2.0
"""Level taken from each of two tracks that double each other: together they are one part."""

LEAD_BELOW_REST_LU, LEAD_SPREAD_LU = -2.8, 1.3
"""Loudness of the lead vocal against all other tracks together: mean and standard deviation."""

LEAD_ABOVE_MEDIAN_LU = 1.5
"""Least distance of the lead vocal above the median track."""

SOLOIST_LU = 3.0
"""What is added to the instrument that leads a song without a voice."""

RETURN_BELOW_MIX_LU, RETURN_SPREAD_LU = -14.0, 2.0

MIX_LUFS, MIX_SPREAD_LU, MIX_PEAK_DBTP = -17.0, 1.5, -1.0

STAGED_LUFS = -20.0
"""Loudness to which the input gain brings each track, so that thresholds mean something."""

HIGH_PASS_HZ: dict[Role, tuple[float, float]] = {
    "lead vocal": (75, 120), "backing vocal": (100, 180), "snare": (60, 110), "hats": (200, 450),
    "cymbals": (150, 350), "overheads": (80, 300), "tom": (40, 70), "percussion": (120, 300),
    "electric guitar": (70, 130), "guitar": (70, 130), "acoustic guitar": (75, 150),
    "piano": (40, 90), "keys": (50, 120), "organ": (60, 140), "synth": (80, 180),
    "pad": (100, 220), "strings": (90, 200), "brass": (90, 160), "woodwind": (110, 220),
    "fx": (80, 250), "room": (60, 150),
}  # fmt: skip
"""Lowest and highest corner of the high pass; roles that are not here keep their lows."""

SENDS_DB: dict[Role, float] = {
    "lead vocal": 0.0, "backing vocal": 2.0, "snare": -3.0, "tom": -4.0, "percussion": -4.0,
    "strings": 0.0, "brass": -2.0, "woodwind": -1.0, "acoustic guitar": -4.0,
    "electric guitar": -6.0, "guitar": -6.0, "piano": -4.0, "keys": -4.0, "organ": -6.0,
    "synth": -5.0, "pad": -5.0, "other": -6.0,
}  # fmt: skip
"""Levels of the sends to the one shared reverb; roles that are not here stay dry."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Compression:
    """How a role is compressed.

    Attributes:
        probability: Probability that a track is compressed at all.
        above_rms_db: Least and most distance of the threshold above the track's RMS while it
            sounds.
        ratio: Least and most ratio.
        attack_ms: Shortest and longest attack.
        release_ms: Shortest and longest release.
    """

    probability: float
    above_rms_db: tuple[float, float]
    ratio: tuple[float, float]
    attack_ms: tuple[float, float]
    release_ms: tuple[float, float]


_VOICE = Compression(
    probability=1.0,
    above_rms_db=(-3.0, 4.0),
    ratio=(2.5, 5.0),
    attack_ms=(2.0, 12.0),
    release_ms=(60.0, 200.0),
)
_BASS = Compression(
    probability=0.95,
    above_rms_db=(-2.0, 4.0),
    ratio=(2.5, 5.0),
    attack_ms=(5.0, 25.0),
    release_ms=(60.0, 250.0),
)
_DRUM = Compression(
    probability=0.5,
    above_rms_db=(6.0, 12.0),
    ratio=(2.0, 4.0),
    attack_ms=(8.0, 28.0),
    release_ms=(60.0, 150.0),
)
_OTHER = Compression(
    probability=0.3,
    above_rms_db=(2.0, 8.0),
    ratio=(1.5, 3.0),
    attack_ms=(5.0, 28.0),
    release_ms=(80.0, 300.0),
)
COMPRESSION: dict[Role, Compression] = {
    "lead vocal": _VOICE, "backing vocal": _VOICE, "bass": _BASS, "kick": _DRUM, "snare": _DRUM,
    "drums": _DRUM, "room": _DRUM, "tom": _DRUM,
}  # fmt: skip
OTHER_COMPRESSION = _OTHER
"""Compression of roles that are not in the table."""

CENTERED: frozenset[Role] = frozenset(
    ("lead vocal", "kick", "snare", "bass", "drums", "overheads", "room")
)
"""Roles that stay in the middle."""
