"""The roles that a track can have, and the words that engineers name them by."""

from dataclasses import dataclass
from typing import Literal, get_args

Family = Literal["vocal", "drums", "bass", "guitar", "keys", "orchestra", "fx", "other"]

Role = Literal[
    "lead vocal", "backing vocal",
    "kick", "snare", "hats", "tom", "cymbals", "overheads", "room", "percussion", "drums",
    "bass", "electric guitar", "acoustic guitar", "guitar",
    "keys", "piano", "organ", "synth", "pad",
    "strings", "brass", "woodwind", "fx", "backing track", "other",
]  # fmt: skip
ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True, slots=True)
class RoleTraits:
    """What is known of a role.

    Attributes:
        family: The group that it is treated with.
        centered: Whether a mono track of this role usually stays in the middle.
        words: Names of it, space-separated, without spaces, accents and capitals: ``"hihat"``
            stands for "HiHat", "hi-hat" and "Hi Hat" too. A plural s may follow.
        hints: Words that count only where no word does, and that refine a more general role.
    """

    family: Family
    centered: bool
    words: str
    hints: str = ""


ROLE_TRAITS: dict[Role, RoleTraits] = {
    "lead vocal": RoleTraits(
        "vocal",
        True,
        "vox vx voc vocal voice lv lvox ldvox ldvx singer singing rap rapper gesang stimme voix"
        " voce canto voz cantante",
        "chant spoken speech speaker dialog dialogue whisper scream screamer",
    ),
    "backing vocal": RoleTraits(
        "vocal",
        False,
        "bgv bv bvox bgvox bgvx bgs bvoc bgvoc bgvocal bkv bkgv backvox backvocal choir chor"
        " chorale coro choeur vocalists ooh oo oos aah adlib voices satb vocoder crowdvox",
        "harm harmony harmonies hrm backing background backup bg bgd bkg bkgd bgnd stack gang"
        " bck bk bkng bking group answer response shout yell soprano alto tenor baritone chants hum"
        " chop whoa woah heys lala nana ah mmm",
    ),
    "kick": RoleTraits(
        "drums",
        True,
        "kick kik kck kk kic kd bd bdr bassdrum kickdrum subkick kout grossecaisse bombo cassa"
        " grancassa",
        "kin",
    ),
    "snare": RoleTraits(
        "drums",
        True,
        "snare snr sn sna sd rimshot sidestick crossstick crosstick xstick caisseclaire rullante"
        " caja redoblante",
        "rim",
    ),
    "hats": RoleTraits("drums", False, "hat hh hht hihat hhat chh ohh openhat charley charleston"),
    "tom": RoleTraits(
        "drums",
        False,
        "tom racktom floortom rtom ftom",
        "floor flr rack ft rt t1 t2 t3",
    ),
    "cymbals": RoleTraits(
        "drums",
        False,
        "cym cymb cymbal crash crashes ride china splash becken piatti",
        "rd",
    ),
    "overheads": RoleTraits("drums", False, "oh overhead ovhd ovh ovrhd ohead overs overl overr"),
    "room": RoleTraits(
        "drums", True, "room rm amb ambience ambiance raum sala", "hall hallway pzm crush trashmic"
    ),
    "percussion": RoleTraits(
        "drums",
        False,
        "perc prc percussion perkussion percusion shaker shk shkr tamb tambo tambourine tmb conga"
        " bongo cowbell triangle guiro cabasa maraca claves clap handclap clp snap stomp woodblock"
        " block djembe cajon darbuka tabla timbale timbal timpani timp taiko gong udu shekere"
        " vibraslap agogo castanet sleighbell sleigh pandeiro surdo bodhran rainstick chime"
        " windchime handdrum handbell anvil daiko doumbek drumstick beatbox marktree"
        " washboard spoon jawharp",
        "rattle brush brushes stick",
    ),
    "drums": RoleTraits(
        "drums",
        True,
        "drum drm drs drumkit drumset kit beat breakbeat drumloop schlagzeug batterie bateria"
        " batteria trommel 909 707 606 linn linndrum simmons"
        " dmx",
        "loop break fill groove kneemic machine dr mpc",
    ),
    "bass": RoleTraits(
        "bass",
        True,
        "bass bs bss bas ebass bgtr bassgtr subbass subsynth bassline doublebass contrabass cbass"
        " kontrabass contrebasse contrabajo contrabbasso bajo basso basse reese 303 fretless"
        " taurus",
        "sub upright di 808 808s low",
    ),
    "electric guitar": RoleTraits(
        "guitar",
        False,
        "egtr eg egt egit elgtr elecgtr electricgtr electricguitar elecguitar elguitar eguitar"
        " egitarre strat stratocaster tele telecaster lespaul ebow powerchord wah ac30 voxac30",
        "elec electric electrique elettrica electrica el dist distortion crunch clean fuzz"
        " marshall fender riff chug solo",
    ),
    "acoustic guitar": RoleTraits(
        "guitar",
        False,
        "agtr ag agt acgtr acogtr acougtr acousticgtr acousticguitar acguitar aguitar nylon"
        " 12string dobro ukulele ukelele uke oud saz pipa shamisen mandolin mando banjo"
        " bouzouki akustikgitarre",
        "acoustic acou acous aco ac acoustique acustica akustik classical steel strum fingerpicked"
        " picking highstrung histrung",
    ),
    "guitar": RoleTraits(
        "guitar",
        False,
        "gtr gt git gtar guit guitar gitarre gitarren guitare guitarra chitarra chitarre gitaar"
        " gitara slide lapsteel pedalsteel steelgtr sitar gtrarp guitararp gtrpluck guitarpluck",
        "rhythm rhy rhyth",
    ),
    "keys": RoleTraits(
        "keys",
        False,
        "key keyb keybd keyboard kys kbd kb rhodes rhodespiano wurli wurly wurlitzer ep epiano"
        " epno elpiano elecpiano electricpiano elecpno clav clavi clavinet mellotron melotron"
        " harpsichord cembalo celesta celeste mallet vibes vibraphone marimba xylo xylophone"
        " glock glockenspiel kalimba musicbox steeldrum steelpan accordion accordian akkordeon"
        " melodica tastiera teclado clavier dulcimer",
        "bell chord nord",
    ),
    "piano": RoleTraits(
        "keys",
        False,
        "piano pno pn pf pianoforte klavier uprightpiano toypiano",
        "grand",
    ),
    "organ": RoleTraits(
        "keys",
        False,
        "organ org orgn orgel orgue organo b3 hammond leslie lesliehorn farfisa harmonium",
    ),
    "synth": RoleTraits(
        "keys",
        False,
        "synth syn synthe synthesizer synthi arp arpeggio pluck plk moog minimoog juno jupiter"
        " prophet minilogue microkorg dx7 ms20 supersaw saw seq sequencer stab guitarsynth"
        " gtrsynth orchhit stylophone",
        "melody mel theme sine square bleep blip serum massive omnisphere wavetable",
    ),
    "pad": RoleTraits("keys", False, "pad drone atmo atmos atmosphere", "ambient texture bed"),
    "strings": RoleTraits(
        "orchestra",
        False,
        "str strg stg string vln vl violin violine viola vla vc vlc cello celli fiddle harp orch"
        " orchestra orchestral orchestre quartet solina streicher geige archi cordes cuerdas"
        " violino violon violoncello pizz erhu guzheng koto yangqin zither psaltery kora",
        "spiccato staccato legato",
    ),
    "brass": RoleTraits(
        "orchestra",
        False,
        "brass brs horn hrn frenchhorn fhn trumpet tpt trp trpt tromb trombone tbn trb tuba flugel"
        " flugelhorn cornet euphonium trompete trompette tromba posaune cuivres metales ottoni",
    ),
    "woodwind": RoleTraits(
        "orchestra",
        False,
        "sax saxes saxophone saxofon flute clarinet clar clt bcl oboe bassoon bsn fagott piccolo"
        " picc woodwind ww winds recorder harmonica whistle bagpipe shakuhachi englishhorn"
        " coranglais querflote dizi ocarina flauto flauta klarinette reeds ewi",
        "fl flt ob",
    ),
    "fx": RoleTraits(
        "fx",
        False,
        "fx sfx efx effect effekt effekte reverb verb rvb plate riser uplifter downlifter whoosh"
        " woosh sweep impact whitenoise foley turntable subdrop bassdrop",
        "delay dly slap slapback echo echoes throw rev reverse reversed rvs tail swell return rtn"
        " drop hit noise vinyl crackle glitch scratch scratches sample sampler transition build"
        " buildup rise tape stutter boom rain audience crowd applause laugh feedback soundscape",
    ),
    "backing track": RoleTraits(
        "other",
        True,
        "instrumental backingtrack playback karaoke minusone novocals novox accompaniment accomp"
        " 2mix 2track 2trk twotrack",
        "music musik musique",
    ),
    "other": RoleTraits(
        "other",
        False,
        "",
        "other click clk clicktrack metronome metro talkback timecode smpte ltc cue count countdown"
        " guide misc",
    ),
}
"""The one declaration of every role."""

ROLE_FAMILIES: dict[Role, Family] = {role: traits.family for role, traits in ROLE_TRAITS.items()}
