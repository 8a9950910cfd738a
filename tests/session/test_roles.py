"""Roles, names and stereo pairs from file names as engineers write them."""

import re
from typing import get_args

import pytest

from automix.plan.roles import ROLE_FAMILIES, ROLE_TRAITS, ROLES, Family, Role
from automix.session.roles.naming import make_natural_name, make_natural_names
from automix.session.roles.pairs import find_stereo_pairs, name_pair
from automix.session.roles.recognition import read_role

# Written down before the first run, by what an engineer would call the track. "-" stands for names
# that say nothing. Conventions: Pro Tools, Logic, Ableton and Reaper exports, Cambridge-MT,
# MedleyDB, ENST-drums, MUSDB18/Demucs/Spleeter, the CC0 songs of development, live desks.
NAMES = {
    "lead vocal": """
        01_LeadVox.wav | 11_LeadVoxDT | Lead Vox | LEAD VOCAL | VOX | Vox_1 | LV | LV Dbl
        LdVox.dup1 | vox_lead | Vocals | vocals.wav | Vocal Comp_03 | VOX MAIN | Main Vocal
        LeadVocal_dry | Vx 2 | Voc_Lead | LVox-01 | 24 Vocal (U87) | leadvox | VocalDbl L
        Vox Verse | Ld Vox Chorus | Gesang | Stimme 1 | Voix | Voce principale | Voz | Rap 2
        Singer | Vox Tuned v3 | Lead_Vocal_Melodyne | male vocal | FemaleVox | Scratch Vox
        Guide Vocal | Vox SM7 | Voice | female singer | Audio 5_Lead Vox_02.1 | vox hook DT
        Vocal-Bip""",
    "backing vocal": """
        BGV | BGVs | BV Hi L | BV Lo R | BVs | BVOX 2 | 14_BackingVox1 | BackingVoxDT
        Backing Vocals | bgvox_alt | bgvox_echo | bgvox_harmony | bgvox_scatter_outro
        Vox Harmony | Harm 1 | HarmVox R | Background Vocal 3 | BG Vox | Bkg Vox L | Choir
        Choir L | Gang Vox | GangVocals | Ad Libs | AdLib_2 | Oohs | Oohs Aahs R | Vox Oohs
        Harmonies | BackupVocals | LeadVox Harmony | Coro | Choeurs | Choir Room | B.V. 1
        BGV_Alto_DT | Soprano | Gtr Vox | Drum Vox | Keys Vox | Vox Stack 4 | ChoirTenor""",
    "kick": """
        01_Kick_In.wav | 01_KickIn | Kick Out | KIK | Kik In | Kick.1_01.L | BD | Bass Drum
        BassDrum | bass_drum | Kick Sub | SubKick | Kick 91 | KICK D112 | Kd | kck | 808 Kick
        Kick Trig | Kick Sample | Drums_Kick | kick_drum | KickDrum_02 | Kick (Beater)
        BD_Out | kickout | K Out | Grosse Caisse | kick-inside | 1 Kick | DRUM - KICK""",
    "snare": """
        SN | SN Top | Snare | SnareTop | Snare_Bottom | Snr Btm | SNR | 04_SnareDown | SD
        snare_top | SN Bot_02 | Snare 57 | snaretop | Rimshot | Side Stick | Sidestick
        X-Stick | 808 Snare | SnareTrig | Snare Sample | Drum_Snare | Clap Snare | SnTop
        Piccolo Snare | Caisse Claire | Snare Up 1""",
    "hats": """
        HH | HiHat | Hi-Hat | hi-hat | hihat | Hat | Hats | HATS 2 | open_hats | alt_hats
        scratch_hats | hat_fill | Closed Hat | CHH | OHH | 05_HiHat | HH_Mic | Hi Hat Loop
        HH 451 | hats.ogg | ClosedHH | 808 Hats""",
    "tom": """
        Tom | Tom1 | Tom 2 | TOM FLOOR | Floor Tom | FloorTom | Rack Tom | RackTom1 | Toms
        tom_1 | TomHi | Tom L | Tom Lo | 06_Tom1 | Hi Tom | Toms_Overdub | Rack | Floor | T1
        TOM FL | Tom 2 Bottom""",
    "cymbals": """
        Ride | Crash | crash | Cymbals | cymbals | Crash L | Ride Bell | China | Splash | CYM
        HH_Ride | RideCymbal_01 | Cymb R""",
    "overheads": """
        OH | OH L | 07 OH L.wav | OHL | OHR | OHs | OH_Left | Overheads | Overhead R
        overhead_L | 07_Overheads | Drum OH | OH HH Side | Drums_OH_R | OVHD | Over Heads
        OH Ride Side | OH Mono | DrumOverheads""",
    "room": """
        Room | ROOM L | Rooms | Drum Room | DrumRoom_R | Rm | 08_Room | RoomMono | Room Far
        Room Crush | Snare Room | Amb | Ambience L | Kit Room | MONO ROOM | RM Close""",
    "percussion": """
        Perc | Perc 2 | Percussion | perc_build | Shaker | Tamb | Tambourine | TAMBO
        Conga L | Congas | Bongos | Cowbell | Clap | claps | Claps Verb Dry | Snaps | Cajon
        Djembe | Triangle | Guiro | Maracas | Perc Loop | Hand Claps | Timpani | Tabla R
        Shk | Darbuka | Perc OH | Synth Perc | Woodblock | Stomps | Chimes | BeatBox""",
    "drums": """
        Drums | drums.wav | Drum Bus | DRUM LOOP | Drumloop 120bpm | garage_beat | big_beat
        breakbeat | trap_beat | end_drums | outro_drum | kick_hats | Kick + Snare | Loop
        Schlagzeug | Batería | Batterie | Drum Kit L | Kit | Break | break.ogg | fill_beat
        scratch_beat | DrumMix | Drum Machine | TR909 | DRS | Beat 1 | Electronic Drums
        Drum Fill | Drm St""",
    "bass": """
        Bass | BS | BASS DI | Bass_Amp | BassDI | Bip Bass DI-01 | 09_Bass | Bass Gtr
        bassguitar | Bass Guitar | E-Bass | BassMic | Sub Bass | SubBass | Sub | 808 | 808s
        Synth Bass | SynBass | SynthBass1 | Bass Synth | BsDI | Bs Amp SVT | Upright Bass
        Double Bass | Acoustic Bass | Bajo | Basso | Basse | Kontrabass | DI | bass_line
        Moog Bass | Reese | Bass Comp | Key Bass | Electric Bass | Bass_06_DI_01 | Upright""",
    "electric guitar": """
        EGTR | E Gtr | E Gtr Dbl R | EGtr1 | ElecGtr1 | ElecGtr2DT | Electric Guitar
        Elec Gtr L | Electric_Guitar_3 | E-Gtr 57 | Dist Gtr L | Gtr Dist | Clean Gtr
        GTR CLEAN R | Lead Gtr | leadguitar | LeadGtr2 | Gtr Lead | Gtr Solo | CrunchGtr
        E-Gitarre | Guitare Electrique | Chitarra elettrica | ElecGtrAmp421 | Strat
        Tele Gtr | Les Paul L | eguitar | Elec""",
    "acoustic guitar": """
        AGTR | A Gtr | AGtr L | AcGtr | Ac Gtr 2 | Acoustic Guitar | AcousticGtr1 | Acoustic
        Aco Gtr | ACOUSTIC L | Gtr Acoustic | Acou Gtr Dbl | 12 String | 12string | Nylon
        Nylon Gtr | Ukulele | Banjo | Mandolin | Acoustic Gtr DI | Gtr Strum | Akustikgitarre""",
    "guitar": """
        GTR | Gtr 1 | Gtr_L | GTR R | Guitar | guitar.wav | Guitars | Gtr Amp | Gtr Rhythm
        Rhythm Gtr | GT 2 | Gitarre | guitare | Chitarra | Guitarra | Slide Gtr | Gtr Cab 57
        gtrl | Pedal Steel | Gtr Harm | Gtr_DI | Gtr Delay | Guit Dbl | Baritone Gtr
        Reverse Gtr | Gtr Room""",
    "keys": """
        KEYS | Keys | keys.ogg | Key 1 | Keyboard | Rhodes | Rhodes L | Wurli | Wurlitzer
        EP | E Piano | E.Piano | Electric Piano | clav | Clavinet | mallet | Vibes
        Glockenspiel | Kbd 2 | Marimba | Keys R | Mellotron | Celeste | Harpsichord
        Accordion | Bells | Music Box | Xylophone | FenderRhodes_DI""",
    "piano": """
        Piano | PNO | Pno L | piano.wav | Piano Hi | Piano_Low | Grand Piano | Klavier
        12_Piano | PianoL | Upright Piano | Piano Room | Keys - Piano | GrandPno R
        Acoustic Piano | Piano OH""",
    "organ": """
        ORG | Organ | Organ Hi | B3 | B3 Hi | Hammond | HammondLeslie | Leslie Low | Orgel
        Hammond B3 L | 15_Organ | Vox Organ | orgue""",
    "synth": """
        SYN | Synth | Syn 1 | minilogue_synth | Synth Lead | Lead Synth | Arp | Arp 2 | Pluck
        Juno | Moog | SynthArp_R | sine | Supersaw | Seq 1 | Sequencer | Synth Stab | DX7
        Melody | Syn Ld | Gtr Synth | Prophet L | 18_Synth1 | SQR Synth | Vox Synth""",
    "pad": """
        PAD | Pad | Pads L | Synth Pad | SynPad | String Pad | Warm Pad | Vox Pad | Choir Pad
        Atmos | Drone | texture | AmbientPad | Atmosphere 2""",
    "strings": """
        STR | Strings | Str L | Vln 1 | Violin | Violins I | Viola | Vla | Cello | Vc | Celli
        Fiddle | String Quartet | Orchestra | Harp | Synth Strings | Streicher | 20_Strings
        Pizz | Archi | StringsHi""",
    "brass": """
        BRS | Brass | Trumpet | Tpt 1 | Trombone | Tbn | Horns | horns.mp3 | Horn Section
        French Horn | Tuba | Flugelhorn | BrassHits | Posaune | Bass Trombone | TrumpetDT""",
    "woodwind": """
        Sax | Alto Sax | TenorSax | Bari Sax | Flute | Clarinet | Oboe | Bassoon | Woodwinds
        Piccolo | Bass Clarinet | Harmonica | Saxophone L | Sax Solo | T. Sax | Whistle""",
    "fx": """
        FX | FX 1 | SFX | Fx_Riser | Riser | Sweep | sweep.ogg | Impact | Downlifter
        microcosm_effect | White Noise | Whoosh | Reverse Cymbal | Vox Verb | Vox FX
        Vocal Reverb | Lead Vox Delay | Vox Throw | Snare Plate | Drum Verb | Scratch | build
        Vinyl | Effects L | Synth FX | Rev Crash | Gtr Verb | Vocal Echo""",
    "backing track": """
        Instrumental | MySong Instrumental | Backing Track | no_vocals.wav | accompaniment
        Playback | Karaoke | 2mix | Minus One""",
    "other": """
        other.wav | Click | CLICK TRACK | Metronome | Talkback | Cue | Other 2""",
    "-": """
        Audio 1_03 | Audio 12 | Track 07 | 01 | Untitled | Inst 3 | MIDI 2 | Bounce 4 | A1
        Lead | MySong_RAW_03_01 | Take 4 | Recording (2)""",
}
TABLE = [
    (name.strip(), None if role == "-" else role)
    for role, block in NAMES.items()
    for name in re.split(r"\||\n", block)
    if name.strip()
]


def wrong(table):
    found = ((name, role, read_role(name)) for name, role in table)
    return [(name, role, got) for name, role, got in found if (got and got.role) != role]


def test_the_table_covers_every_role_and_is_large_enough():
    assert {role for _, role in TABLE} == {*ROLES, None}
    assert len(TABLE) == len({name for name, _ in TABLE})
    assert len(TABLE) >= 200


def test_names_tell_the_role():
    mistakes = wrong(TABLE)
    for name, role, got in mistakes:
        print(f"{name!r}: {got}, not {role}")
    assert len(mistakes) <= 0.05 * len(TABLE)


def test_every_role_is_declared_once():
    assert tuple(ROLE_TRAITS) == ROLES == get_args(Role)
    assert set(ROLE_FAMILIES.values()) == set(get_args(Family))
    words = [word for traits in ROLE_TRAITS.values() for word in traits.words.split()]
    hints = [word for traits in ROLE_TRAITS.values() for word in traits.hints.split()]
    assert len({*words, *hints}) == len(words) + len(hints)
    assert all(re.fullmatch("[a-z0-9]+", word) for word in words + hints)


def test_low_and_lead_tracks_are_centered():
    centered = {role for role, traits in ROLE_TRAITS.items() if traits.centered}
    assert {"lead vocal", "kick", "snare", "bass"} <= centered
    assert not centered & {"backing vocal", "electric guitar", "acoustic guitar", "pad", "hats"}


@pytest.mark.parametrize("change", [str.upper, str.lower])
def test_capitals_do_not_matter_where_separators_part_the_words(change):
    table = [(change(name), role) for name, role in TABLE if not re.search("[a-z][A-Z]", name)]
    assert len(wrong(table)) <= 0.05 * len(table)


@pytest.mark.parametrize("prefix", ["Night Drive - ", "07_", "Band_Song_RAW_", "MySong 120bpm "])
def test_numbers_and_the_name_of_the_song_do_not_matter(prefix):
    names = [(f"{prefix}{name}", role) for name, role in TABLE if not name[0].isdigit()]
    siblings = [f"{prefix}{name}" for name in ("Kick", "Bass DI", "Audio 1", "Vox")]
    mistakes = [
        name
        for name, role in names
        if ((found := read_role(name, siblings)) and found.role) != role
    ]
    assert len(mistakes) <= 0.05 * len(names), mistakes


def test_a_song_named_like_an_instrument_does_not_mislead():
    song = [f"Guitar Hero - {part}" for part in ("Vox", "Kick", "Keys", "Take")]
    assert [found and found.role for found in (read_role(name, song) for name in song)] == [
        "lead vocal",
        "kick",
        "keys",
        None,
    ]
    assert read_role("Vox Hi", ["Vox Hi", "Vox Lo"]).role == "lead vocal"


@pytest.mark.parametrize(
    ("name", "siblings", "role"),
    [
        ("Beat", ["Vox", "Vox Dbl", "Beat"], "backing track"),
        ("my_beat_140bpm", ["my_beat_140bpm", "vocal"], "backing track"),
        ("Beat", ["Vox", "Bass", "Beat"], "drums"),
        ("Inst", ["LV", "BGV", "Inst"], "backing track"),
        ("Backing", ["Vocals", "Backing"], "backing track"),
        ("Backing Vox", ["Vox", "Backing Vox"], "backing vocal"),
        ("Lead", ["Lead", "Lead Dbl", "BGV 1"], "lead vocal"),
        ("Lead", ["Lead", "Vox", "Kick"], "synth"),
        ("Lead", ["Lead", "Kick", "Pad"], None),
    ],
)
def test_some_names_need_their_siblings(name, siblings, role):
    found = read_role(name, siblings)
    assert (found.role if found else None) == role


@pytest.mark.parametrize(
    ("name", "token", "double"),
    [
        ("01_Kick_In.wav", "Kick", False),
        ("E Gtr Dbl R", "E Gtr", True),
        ("11_LeadVoxDT", "Vox", True),
        ("LeadVoxDoubles", "Vox", True),
        ("Double Bass", "Double Bass", False),
        ("kick_hats", "kick hats", False),
        ("Vox Harm", "Vox Harm", False),
        ("Batería", "Batería", False),
        ("ElecGtr2_VoxSM57", "Elec Gtr", False),
    ],
)
def test_what_decided_is_told(name, token, double):
    found = read_role(name)
    assert (found.token, found.double) == (token, double)


@pytest.mark.parametrize(
    "name", ["", "   ", "___", ".wav", "🎸", "#1", "歌", "Бас", "é", "L", "\0"]
)
def test_odd_names_say_nothing_and_still_get_a_name(name):
    assert read_role(name) is None
    assert make_natural_name(name).strip()


@pytest.mark.parametrize(
    ("stems", "names"),
    [
        (["01_Kick_In", "02_Kick_Out", "03_SnareTop"], ["kick in", "kick out", "snare top"]),
        (["MySong_Gtr1", "MySong_Gtr2", "MySong_Bass DI"], ["gtr 1", "gtr 2", "bass di"]),
        (["Kick_03", "Snare.dup1", "Bass_bip", "Pad v2"], ["kick", "snare", "bass", "pad"]),
        (["Vox_01", "Vox_02"], ["vox 1", "vox 2"]),
        (["Vox Hi", "Vox Lo"], ["vox hi", "vox lo"]),
        (["B3 Hi", "Gtr SM57", "OHs", "12string"], ["b3 hi", "gtr sm57", "ohs", "12string"]),
        (["808 Kick", "909 Snare"], ["808 kick", "909 snare"]),
        (["Gitarre_Höhe.wav", "Batería.wav"], ["gitarre höhe", "batería"]),
        (["01", "02"], ["1", "2"]),
    ],
)
def test_natural_names(stems, names):
    assert make_natural_names(stems) == names
    assert [make_natural_name(stem, stems) for stem in stems] == names


def test_natural_names_are_unique_and_not_empty():
    awkward = [
        "Vox",
        "vox",
        "VOX.wav",
        "Vox 2",
        "Vox_02",
        "vox 3",
        "",
        "_",
        "01",
        "1",
        "01_",
        "Vox_",
    ]
    for stems in (awkward, [name for name, _ in TABLE] * 2, ["Kick"] * 50):
        names = make_natural_names(stems)
        assert len(set(names)) == len(names) == len(stems)
        assert all(name == name.strip() == name.lower() and name for name in names)


PAIRS = """
    OH.L OH.R | OH_L OH_R | OH L OH R | Gtr-left Gtr-right | OHL OHR | ohl ohr | RoomL RoomR
    Piano Left Piano Right | Tom L Tom R | Kick.1_01.L Kick.1_01.R | BV Hi L BV Hi R | LGtr RGtr
    Synth (L) Synth (R) | Keys_L_03 Keys_R_03 | overhead_left_01 overhead_right_01 | GtrL1 GtrR1"""


@pytest.mark.parametrize("pair", re.split(r"\||\n", PAIRS.strip()))
def test_the_sides_of_a_stereo_recording_are_found(pair):
    words = pair.split()
    half = len(words) // 2
    left, right = " ".join(words[:half]), " ".join(words[half:])
    stems = ["Vocal", right, "Kick", left, "Bass L"]
    assert find_stereo_pairs(stems) == [(left, right)]
    joined = name_pair(left, right)
    assert read_role(joined) == read_role(left) or read_role(left) is None
    assert 0 < len(joined) < len(left)


@pytest.mark.parametrize(
    "stems",
    [
        ["Vocal R", "Kick", "Bass"],
        ["Vocal L", "Guitar R"],
        ["Gtr 1 L", "Gtr 2 R"],
        ["Lead", "Read"],
        ["Lows", "Rows"],
        ["Clap", "Crap"],
        ["Left", "Kick"],
        ["OH 1", "OH 2"],
        [],
    ],
)
def test_what_is_no_pair_is_left_alone(stems):
    assert find_stereo_pairs(stems) == []


def test_list_numbers_of_a_pair_may_differ():
    stems = ["07 OH L", "08 OH R", "09 Gtr L", "10 Gtr R", "11 Gtr L", "12 Gtr R", "13 Vox"]
    assert find_stereo_pairs(stems) == [
        ("07 OH L", "08 OH R"),
        ("09 Gtr L", "10 Gtr R"),
        ("11 Gtr L", "12 Gtr R"),
    ]
    assert name_pair("07 OH L", "08 OH R") == "07 OH"
    assert find_stereo_pairs(["01 Gtr L", "02 Gtr L", "03 Gtr R"]) == []
