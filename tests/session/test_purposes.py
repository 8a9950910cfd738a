"""Names of files that are no tracks of a song: its mixes, clicks, and scratch takes."""

import pytest

from automix.session.roles.purpose import find_purposes

TRACKS = [
    *("Kick", "Snare Top", "OH L", "OH R", "Bass DI", "EGtr 1", "Keys", "Lead Vox", "BGV 1"),
]
"""What the names below stand beside, in a folder called Sunrise."""

# Written down by what an engineer would take each file for. Conventions: Logic ("Stereo Out",
# "Bounce 1", "Output 1-2"), Cubase ("Song - Mixdown"), Pro Tools ("Song_Print", "Bounced"), Live
# and Reaper ("Master", "rendered"), MUSDB18 ("mixture"), Cambridge-MT, live desks and recorders.
NAMES = {
    "mix": """
        mixture | Sunrise - Mixdown | Mixdown(1) | mixdown_v2 | Stereo Out | 10 Stereo Out
        StereoOut | Output 1-2 | Out 1-2 | Main Out | Main LR | LR | Bounce | Bounce 1 | Master
        01_Master | Master 24bit 48k | Mstr | Sunrise_Master_v3 | Sunrise (Mastered) | PreMaster
        Master Bus | Mix Bus | Stereo Bus | mix | Mix L | MixR | Mix01 | MIX PRINT | Print
        Rough Mix | RoughMix_0312 | Song_RoughMix | Rough | Final Mix 2 | mix_final_FINAL
        full mix | FullMix | MixDown | 2-Mix | 2mix | 2trk | Board Mix | Monitor Mix
        Live Mix 2024-03-02 | Sunrise 120bpm Mix | Vocal Up Mix | TV Mix | Instrumental
        Sunrise Instrumental Mix | Karaoke | Acapella | Reference | ref mix
        Reference - Somebody Else | Demo | Rendered | Sum | Sunrise | roughmix | finalmix | songmix
        stereomix | mixfinal | premix | Premix 3 | Sunset_Rough 3.12 | UnmasteredWAV | Main
        linear_mixture | accompaniment | no_vocals | Mischung | mastered_v2 | Main Mix Out
        Rohmix | Endmix | Mezcla Final | Mixage Final | Missaggio | Mixagem | Masterización""",
    "guide": """
        Click | click | CLICK TRACK | Click 120bpm | Clicktrack | 01 Click | Click_bip | Click L
        Clk | Clicks | Klick | clic | Click + Cue | Sunrise Click | Metronome | Metronom | Metro
        Talkback | Talk Back | TB | TB Mic | Slate | Count In | CountIn | Count-Off | Count
        Vocal Count In | Precount | Cue | SMPTE | LTC | Timecode | Time Code | Tempo
        Vocal Cues | Spoken Cues | TB Drums | Producer Talkback | clicktrk | Click Hi
        Count Vox | Count In Sticks | Conteo | Contagem | Claqueta | Metrónomo | Métronome""",
    "scratch": """
        Scratch Vox | Scratch | Scratch Track | Guide Vocal | Guide | Guide Gtr | Scratch Gtr
        scratch gtr 2 | Pilot Vox | Ref Vox | Voz Guia | Voce Guida | Voix Témoin""",
    "track": """
        Kick In | Kick Click | Click Kick | Snap Click | Finger Clicks | Percussion Count 3 | Room
        Reverb | Delay | Drum Bus | Drum Mix | DrumMixdown | Drums Stereo Out | Vox Mix | MixVox
        Gtr Bounce | Toms Bounce | Vox Bounced | Audio 7_bounce | Audio 1_03 | Track 07 | Stem 4
        Bass Print | Keys Render | Vox Verb Print | Drum Master | Master Vox | Masterful Strings
        Snare Comp | Kick Sum | Piano Sum | Choir Mixed | OH Stereo | Mono Room | Backing Track
        Main Vox | Lead Vox Main | Full Drum Kit | Remix Synth | Final Vox | Demo Vox | Gtr Demo
        Scratches | DJ Scratch | scratch_hats | scratch_beat | Country Gtr | Countermelody
        Cue Drums | Metro Synth | Outro Pad | Output FX | Cowbell | TB 303 | TB303 Bass
        Rough Guitar | Submix 1 | Mainstream Synth | Mixolydian Gtr | Masterpiece Strings | Playback
        vocals | drums | bass | other | fill_scratch | scratch_outro
        Mix Guitars | Guitar Mix | Clicky Synth | Count Bass | Master of Puppets Gtr | Talk Box
        Talkbox Lead | Bounce Bass | Print Room | Stereo Out Piano | Full Strings | Full Kit
        Instrumental Hook | Instrumental Break | Karaoke Choir | Acapella Chop | Acapella FX
        Metronome Marimba | Metronomy Synth | Click Track Vox FX | Clicks Loop | Remix Chop
        Amp Mix | Cab Mix | TB-303 | Bus Drums | Scratch DJ | Vinyl Scratch | Scratch Loop
        Final Chorus Vox | Main Riff | Main Loop | Mixtape Sample | Sync Lead | Steven Slate Kick
        Click Perc | Glitch Clicks | Parallel Comp | Crush Bus | Bus 3 | Aux 1 | Group 1
        Line Out Bass | Gtr Out 1 | Countdown Riser | Gitarre Mix | Summe Gitarren | Klick Synth
        Guitare Mixage | Mezcla Guitarras | Guitarra Mistura | Chitarra Master | Cliquetis | Ruf
        Contracanto | Contratempo | Caja | Kakegoe | Hyoshigi | Masterizado Coro | Rim Click
        Stick Click | Click 808""",
}
TABLE = [
    (name.strip(), None if purpose == "track" else purpose)
    for purpose, block in NAMES.items()
    for line in block.splitlines()
    for name in line.split("|")
    if name.strip()
]


def test_names_tell_what_is_no_track():
    mistakes = []
    for name, purpose in TABLE:
        *others, found = find_purposes([*TRACKS, name], "Sunrise")
        assert others == [None] * len(TRACKS), name
        if found != purpose:
            mistakes.append((name, found, purpose))
    assert mistakes == []


@pytest.mark.parametrize(
    ("names", "title", "expected"),
    [
        (["Lead Vox", "2mix"], "", [None, None]),
        (["Lead Vox", "BGV", "Instrumental"], "", [None, None, None]),
        (["Main", "BGV 1", "BGV 2"], "", [None, None, None]),
        (["Bounce 1", "Bounce 2", "Bounce 3"], "", [None, None, None]),
        (["Kick", "Bass", "Vocals", "Piano Man - Mixdown"], "Piano Man", [None, None, None, "mix"]),
        (["Piano Man - Kick", "Piano Man - Vox", "Piano Man - Mixdown"], "x", [None, None, "mix"]),
        (["Kick", "Bass", "Vocals", "Master"], "Master", [None, None, None, "mix"]),
        (["Drums", "Kick", "Snare"], "Drums", [None, None, None]),
        (["Main", "Main DT", "Adlib"], "", [None, None, None]),
        (["Violin I", "Viola", "Cello", "Main L", "Main R"], "", [None] * 5),
        (["Lead", "Double", "Adlibs", "Main"], "", [None] * 4),
        (["Lead Vox", "BGV", "Backing Track Master"], "", [None, None, None]),
        (["", "   ", "歌", "#1"], "", [None] * 4),
    ],
)
def test_some_names_need_their_neighbors(names, title, expected):
    assert find_purposes(names, title) == expected


@pytest.mark.parametrize("pattern", ["{title} - {part}", "{part}_{title}", "{part} ({title})"])
def test_words_that_all_names_bear_say_nothing_of_one(pattern):
    titles = """Master of Puppets | The Final Countdown | Metronome | Click Click Boom | Scratch
        Guide Me Home | Pilot | Remix | Mix 3 | 120bpm_mix | Talkback | Demo | bounce"""
    for title in (line.strip() for line in titles.replace("\n", "|").split("|")):
        parts = ["Kick", "Bass", "Gtr", "Vocals", "Outro", "Texture", "Rough Mixdown"]
        names = [pattern.format(title=title, part=part) for part in parts]
        for folder in ("stems", title):
            assert find_purposes(names[:-1], folder) == [None] * 6, title
            assert find_purposes(names, folder) == [*[None] * 6, "mix"], title
