"""Tiny trees in the real layouts of the data sets, with junk as operating systems leave it."""

import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import soundfile

RATE_HZ = 44100

METADATA = """\
artist: {artist}
mix_filename: {song}_MIX.wav
raw_dir: {song}_RAW
stem_dir: {song}_STEMS
stems:
  S01:
    component: bass
    filename: {song}_STEM_01.wav
    instrument: electric bass
    raw:
      R01: {{filename: {song}_RAW_01_01.wav, instrument: electric bass}}
      R02: {{filename: {song}_RAW_01_02.wav, instrument: electric bass}}
  S02:
    component: melody
    filename: {song}_STEM_02.wav
    instrument: female singer
    raw:
      R01: {{filename: {song}_RAW_02_01.wav, instrument: female singer}}
  S03:
    component: ''
    filename: {song}_STEM_03.wav
    instrument: male singer
    raw:
      R01: {{filename: {song}_RAW_03_01.wav, instrument: male singer}}
"""


def write_wav(path, channels=2):
    """Noise of 50 ms, another one for each file name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(zlib.crc32(str(path).encode()))
    soundfile.write(path, 0.1 * rng.standard_normal((RATE_HZ // 20, channels)), RATE_HZ, "PCM_16")


def litter(root):
    """Junk in every folder."""
    for folder in [root, *(path for path in root.rglob("*") if path.is_dir())]:
        for name in (".DS_Store", "Thumbs.db", "desktop.ini", "._x.wav"):
            (folder / name).write_bytes(b"\0\1\2")
        (folder / ".Trash").mkdir()
        (folder / "__MACOSX").mkdir()
        (folder / "__MACOSX" / "._kick.wav").write_bytes(b"\0")


@dataclass
class Tree:
    """A fake data set, and what is to be found in it.

    Attributes:
        layout: Its row of the catalog.
        root: Its folder.
        songs: Name to artist.
        stems: Name to the number of stems.
        human: Name to the path of the human mix below ``root``, or none.
        needed: A file that cannot be missing.
        told: Whether the layout is told by what lies there.
    """

    layout: str
    root: Path
    songs: dict[str, str] = field(default_factory=dict)
    stems: dict[str, int] = field(default_factory=dict)
    human: dict[str, str | None] = field(default_factory=dict)
    needed: str = ""
    told: bool = True

    def add(self, name, artist, stems, human):
        self.songs[name], self.stems[name], self.human[name] = artist, stems, human


def plain(root):
    tree = Tree("plain", root)
    for folder in ("Ann - First", "Ann - Second", "Solo"):
        for stem in ("kick", "vox", "pad"):
            write_wav(root / folder / f"{stem}.wav")
        write_wav(root / folder / "mix.wav")
        tree.add(folder, folder.split(" - ")[0], 3, f"{folder}/mix.wav")
    write_wav(root / "Bob" / "Third" / "01_Bass.wav", channels=1)
    tree.add("Bob/Third", "Bob", 1, None)
    return tree


def musdb18hq(root):
    tree = Tree("musdb18hq", root, needed="train/Ann - First/drums.wav")
    for side, song in (("train", "Ann - First"), ("train", "Bob - Second"), ("test", "Cy - Third")):
        for stem in ("mixture", "vocals", "drums", "bass", "other"):
            write_wav(root / side / song / f"{stem}.wav")
        tree.add(song, song.split(" - ")[0], 4, f"{side}/{song}/mixture.wav")
    return tree


def medleydb(root, layout="medleydb"):
    tree = Tree(layout, root, needed="V1/AnnBand_One/AnnBand_One_MIX.wav")
    for volume, song, artist in (
        ("V1", "AnnBand_One", "The Ann Band"),
        ("V1", "Bob_Two", "Bob"),
        ("V2", "Cy_Three", ""),
    ):
        folder = root / volume / song
        for number in (1, 2, 3):
            write_wav(folder / f"{song}_STEMS" / f"{song}_STEM_0{number}.wav")
            write_wav(folder / f"{song}_RAW" / f"{song}_RAW_0{number}_01.wav", channels=1)
        write_wav(folder / f"{song}_RAW" / f"{song}_RAW_01_02.wav", channels=1)
        write_wav(folder / f"{song}_MIX.wav")
        if artist:
            text = METADATA.format(song=song, artist=artist)
            (folder / f"{song}_METADATA.yaml").write_text(text)
        human = f"{volume}/{song}/{song}_MIX.wav"
        tree.add(song, artist or "Cy", 3 if layout == "medleydb" else 4, human)
    return tree


def medleydb_raw(root):
    tree = medleydb(root, "medleydb-raw")
    tree.told = False
    return tree


MICROPHONES = ("kick", "snare", "hi-hat", "tom_1", "tom_2", "tom_3", "overhead_L", "overhead_R")


def enst_drums(root, layout="enst-drums", mix="dry_mix"):
    recordings = ("036_phrase_disco_simple_slow_sticks", "115_MIDI-minus-one_fusion-125_sticks")
    tree = Tree(layout, root, needed=f"drummer_2/audio/{mix}/{recordings[0]}.wav")
    for number, microphones in ((1, MICROPHONES[:4] + MICROPHONES[6:]), (2, MICROPHONES)):
        audio = root / f"drummer_{number}" / "audio"
        for recording in (*recordings, "001_hits_snare-drum_sticks_x6"):
            for microphone in microphones:
                write_wav(audio / microphone / f"{recording}.wav", channels=1)
            for folder in ("dry_mix", "wet_mix", "accompaniment"):
                write_wav(audio / folder / f"{recording}.wav")
        for recording in recordings:
            human = f"drummer_{number}/audio/{mix}/{recording}.wav"
            name = f"drummer_{number}/{recording}"
            tree.add(name, f"drummer_{number}", len(microphones), human)
    return tree


def enst_drums_wet(root):
    tree = enst_drums(root, "enst-drums-wet", "wet_mix")
    tree.told = False
    return tree


def signaltrain_la2a(root):
    tree = Tree("signaltrain-la2a", root, needed="Train/input_138_.wav")
    for side, number, settings in (
        ("Train", 138, "2c__0__10"),
        ("Train", 139, "3c__1__65"),
        ("Val", 201, "2c__1__100"),
        ("Test", 235, "3c__0__0"),
    ):
        target = f"{side}/target_{number}_LA2A_{settings}.wav"
        write_wav(root / side / f"input_{number}_.wav", channels=1)
        write_wav(root / target, channels=1)
        tree.add(f"{side}/{number}", f"{side}/{number}", 1, target)
    return tree


TREES = {
    "plain": plain,
    "musdb18hq": musdb18hq,
    "medleydb": medleydb,
    "medleydb-raw": medleydb_raw,
    "enst-drums": enst_drums,
    "enst-drums-wet": enst_drums_wet,
    "signaltrain-la2a": signaltrain_la2a,
}


@pytest.fixture
def make_tree(tmp_path):
    """Makes the tree of a layout."""

    def make(layout):
        made = TREES[layout](tmp_path / "data")
        litter(made.root)
        return made

    return make


@pytest.fixture(params=TREES)
def tree(request, make_tree):
    """Each layout in turn."""
    return make_tree(request.param)
