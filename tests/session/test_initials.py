"""A song's initials glued to the names of its tracks, and whole sessions as they are shared."""

import re

import pytest

from automix.session.roles.naming import make_natural_names
from automix.session.roles.recognition import read_role

# What each file alone must be taken for. "-" stands for names that say nothing.
ALONE = {
    "backing vocal": """
        QRSBGVocals_03 | QRSBGVox1 | QRSBGV1 | QRSBV2 | MTSBVs | QRSBackingVox3 | TRHBGVoxL
        05_QRSBGVocals | XTCBVHi | MTBGVox | ABCBackingVocals""",
    "lead vocal": """
        QRSLdVox | QRSLVox | QRSLV | PNBLeadVox | KLFVoxDbl | QRSLeadVocal | 12_MTSVox
        ABCVocal | QRSVOX | RNBVox | PHANTOMVox | STORMVox | CLUBVox""",
    "kick": "ABCKickIn | QRSKick | PNBKickOut | QRSBDIn | MTSKick | QRSKICK | STORMKick",
    "snare": "QRSSnareTop | MTSSNTop | QRSSNBot | ABCSnareBtm | QRSSnr",
    "overheads": "PNBDrumsOH_L | QRSOHL | QRSOH_R | MTSOHLeft | QRSOHs | TRHOverheads",
    "room": "QRSRoomL | MTSDrumRoom | QRSRM_L",
    "hats": "QRSHiHat | QRSHH | ABCHat",
    "tom": "QRSTom1 | MTSFloorTom | PNBRackTom | KLFTom",
    "bass": "TRHBassDI | QRSBassAmp | QRSSynthBass | MTSBass | QRSDIBass | DEEPBass",
    "electric guitar": "MTSElecGtr1 | QRSEGtr1 | PNBLeadGtr | QRSELGtr",
    "acoustic guitar": "QRSACGuitar | QRSAGtr | QRSAcGtr2",
    "guitar": "QRSGtr1 | MTSGtrL | LISAGtr | RNBGtr",
    "keys": "QRSEPiano | QRSRhodes | QRSKeys",
    "piano": "QRSPiano",
    "synth": "QRSSynth1",
    "pad": "DEEPPad | WARMPad | QRSPad",
    "strings": "QRSStrings | QRSStringsHi",
    "percussion": "QRSTamb | MTSClaps | QRSShaker",
    "fx": "QRSSFX | QRSFX1 | QRSFXVox",
    "-": """
        PHANTOM | STORM | STEP | SLEEP | TURKEY | QRS | MYSONG | SHARP | THRONE | FARM
        QRS_02 | STRAP | SUNSHINE | WHAT""",
}

# Abbreviations in capitals that are a part of the name.
OWN_CAPITALS = {
    "EGtr": "electric guitar",
    "ELGtr": "electric guitar",
    "LDGtr": "electric guitar",
    "AGtr": "acoustic guitar",
    "ACGuitar": "acoustic guitar",
    "BGVox": "backing vocal",
    "BVs": "backing vocal",
    "BGVL": "backing vocal",
    "LDVox": "lead vocal",
    "LVDbl": "lead vocal",
    "OHL": "overheads",
    "OHs": "overheads",
    "SNTop": "snare",
    "BDIn": "kick",
    "HHTop": "hats",
    "DIBass": "bass",
    "FXVox": "fx",
    "SFX": "fx",
    "EPiano": "keys",
    "SYNBass": "bass",
    "STRPad": "pad",
    "MS20Bass": "bass",
    "TR808Kick": "kick",
}

# Sessions of raw tracks as they are shared for practice: instrument, microphone, side, number.
SESSIONS = {
    "rock": """
        KickIn kick | KickOut kick | SnareTop snare | SnareBtm snare | HiHat hats | Tom1 tom
        FloorTom tom | OHL overheads | OHR overheads | RoomL room | RoomR room | KneeMic drums
        BassDI bass | BassAmp bass | ElecGtr1 electric guitar | ElecGtr2DT electric guitar
        EGtrLead electric guitar | GtrSolo electric guitar | LeadVox lead vocal
        LeadVoxDT lead vocal | BackingVox1 backing vocal | BGVocals_03 backing vocal
        Tambourine percussion""",
    "disco": """
        Kick kick | Snare snare | Hat hats | Toms tom | OH overheads | Congas percussion
        Cowbell percussion | Claps percussion | Tamb percussion | Bass bass | WahGtr electric guitar
        FunkGtr guitar | Clav keys | Rhodes keys | EPiano keys | StringsHi strings
        StringsLo strings | Brass brass | TenorSax woodwind | Syndrum drums | LdVox lead vocal
        BVs backing vocal | BV1 backing vocal | Whoas backing vocal""",
    "dance": """
        Kick kick | KickLoop kick | Clap percussion | SnareFill snare | HatLoop hats
        TopLoop drums | PercLoop percussion | SubBass bass | SynthBass bass | MoogBass bass
        Arp synth | Pluck synth | SynthLead synth | Supersaw synth | Pads pad | StringPad pad
        Riser fx | Downlifter fx | WhiteNoise fx | SFX fx | FX1 fx | Vox lead vocal
        VoxDbl lead vocal | VoxChops backing vocal | VoxVerb fx""",
    "soul": """
        KikOut kick | SnrUnder snare | SNUp snare | HatMic hats | FTom tom | PZM room
        LinnSnare snare | DMX drums | BassSansamp bass | BassSVT bass | GtrWah electric guitar
        GtrRhyL guitar | KeysOrgan organ | LeslieHorn organ | LeslieBtm organ | WurliAmp keys
        RhodesDI keys | UprightPno piano | HornsStab brass | BariSax woodwind | StringsRoom strings
        VoxMain lead vocal | LVDbl1 lead vocal | SlapVox fx | VoxDelay fx | Ahs backing vocal
        Mmms backing vocal | BGVOohs backing vocal | GospelChoir backing vocal
        FingerSnaps percussion""",
    "country": """
        Kick kick | Snare snare | OHs overheads | DrumsRoom room | UprightBass bass | DIBass bass
        AcGtr1 acoustic guitar | AGtrDbl acoustic guitar | HighStrung acoustic guitar
        Banjo acoustic guitar | Mandolin acoustic guitar | Dobro acoustic guitar
        PedalSteel guitar | TeleLead electric guitar | Fiddle strings | Harmonica woodwind
        B3Hi organ | Piano piano | LVox lead vocal | Harm1 backing vocal | HarmLo backing vocal
        Shaker percussion""",
    "grunge": """
        KickIn kick | KickSub kick | SNTop snare | SNBtm snare | HH hats | RackTom tom
        FlrTom tom | Flr tom | OverL overheads | OverR overheads | Ride cymbals | Crash cymbals
        TrashMic room | RoomMono room | BassDist bass | BassDI bass | GtrL guitar | GtrR guitar
        GtrClean electric guitar | GtrFuzz electric guitar | GtrFeedback guitar | Vox lead vocal
        Scream lead vocal | GangVox backing vocal | Shouts backing vocal""",
    "britpop": """
        BD kick | SD snare | HH hats | OHL overheads | OHR overheads | Amb room | Bs bass
        JangleGtr guitar | GtrArp guitar | AcousticGtr acoustic guitar | ACGuitar acoustic guitar
        12String acoustic guitar | Mellotron keys | ElecPno keys | PnoL piano | Solina strings
        Cello strings | Trumpet brass | LeadVocal lead vocal | LeadVocalDbl lead vocal
        BkVox backing vocal | BGVox6 backing vocal | Oohs backing vocal | Handclaps percussion
        Tambo percussion""",
}


def split_table(text):
    return [entry.strip() for entry in re.split(r"\||\n", text) if entry.strip()]


def read(name, siblings=()):
    found = read_role(name, siblings)
    return found.role if found else "-"


def split_session(genre):
    return dict(entry.split(" ", 1) for entry in split_table(SESSIONS[genre]))


@pytest.mark.parametrize("role", ALONE)
def test_initials_glued_to_a_single_name_do_not_hide_what_it_is(role):
    names = split_table(ALONE[role])
    assert {name: read(name) for name in names} == dict.fromkeys(names, role)


def test_abbreviations_are_no_initials():
    assert {name: read(name) for name in OWN_CAPITALS} == OWN_CAPITALS
    siblings = list(OWN_CAPITALS)
    assert {name: read(name, siblings) for name in OWN_CAPITALS} == OWN_CAPITALS


@pytest.mark.parametrize("genre", SESSIONS)
def test_typical_sessions_are_read(genre):
    session = split_session(genre)
    assert {name: read(name) for name in session} == session
    assert {name: read(name, list(session)) for name in session} == session


@pytest.mark.parametrize("genre", SESSIONS)
@pytest.mark.parametrize(
    "song", ["QRS", "PNB", "ABC", "SD", "OH", "MTSE", "KING", "STORM", "Qrs_", "storm_", "qrs_"]
)
def test_initials_of_a_session_do_not_matter(genre, song):
    session = split_session(genre)
    named = {f"{n:02d}_{song}{name}.wav": role for n, (name, role) in enumerate(session.items(), 1)}
    names = [*named, "Click.wav"]
    assert {name: read(name, names) for name in named} == named
    few = list(named)[::6]
    assert {name: read(name, few) for name in few} == {name: named[name] for name in few}


def test_lower_case_names_share_initials_too():
    session = {"qrskick": "kick", "qrsbass": "bass", "qrsvox": "lead vocal", "qrsbgvox": "-"}
    found = {name: read(name, list(session)) for name in session}
    assert found == session | {"qrsbgvox": "backing vocal"}


@pytest.mark.parametrize(
    ("names", "roles"),
    [
        (["EGtr L", "EGtr R"], ["electric guitar"] * 2),
        (["QRSEGtrL", "QRSEGtrR"], ["electric guitar"] * 2),
        (["QRSBGVox1", "QRSBGVox2"], ["backing vocal"] * 2),
        (["BGVoxHi", "BGVoxLo", "BGVocals"], ["backing vocal"] * 3),
        (["FXVox", "FXGtr", "FXSnare", "FXBass"], ["fx"] * 4),
        (["ZODIACGtr", "ZODIACKick"], ["guitar", "kick"]),
        (["MONKEY Vox", "MONO ROOM", "Moog"], ["lead vocal", "room", "synth"]),
    ],
)
def test_what_siblings_share_may_describe_them(names, roles):
    assert [read(name, names) for name in names] == roles


@pytest.mark.parametrize(
    ("stems", "names"),
    [
        (["QRSKick", "QRSBGVocals_03", "QRSLdVox"], ["kick", "bg vocals", "ld vox"]),
        (["QRSBGVox_01", "QRSBGVox_02", "QRSBass"], ["bg vox 1", "bg vox 2", "bass"]),
        (["SDKick", "SDBassDI", "SDVox", "SDGtr"], ["kick", "bass di", "vox", "gtr"]),
        (["01_ABCOHL.wav", "02_ABCOHR.wav", "03_ABCBass.wav"], ["ohl", "ohr", "bass"]),
    ],
)
def test_natural_names_leave_the_initials_out(stems, names):
    assert make_natural_names(stems) == names
