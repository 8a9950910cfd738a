"""Names that XML and file systems can hold."""

import re
from xml.etree import ElementTree

import pytest

from automix.export.names import audio_file_names, xml_text

RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


@pytest.mark.parametrize("code", [*range(0x20), 0x7F, 0x85, 0xFFFE, 0xFFFF, 0x1F3B9, 0x10FFFF])
def test_every_character_can_be_parsed(code: int) -> None:
    text = xml_text(f"a{chr(code)}b")
    element = ElementTree.Element("x", name=text)
    assert ElementTree.fromstring(ElementTree.tostring(element)).get("name") == text
    assert len(text) == 3


def test_what_xml_holds_stays() -> None:
    text = "  <a & 'b'> \"c\"\t\r\n é 日本 🎹 "
    assert xml_text(text) == text


def test_file_names_are_legal_everywhere() -> None:
    names = ["CON", "aux.wav", "COM1", 'a/b\\c:d*e?f"g<h>i|j', "x. . ", "\x00\x1f", "é" * 300, ""]
    files = audio_file_names(names)
    for file in files:
        assert not re.search(r'[<>:"/\\|?*\x00-\x1f]', file)
        assert not RESERVED.fullmatch(file)
        assert not file.removesuffix(".wav").endswith((" ", "."))
        assert len(file.encode()) < 200


def test_file_names_are_unique_and_in_order() -> None:
    names = ["kick", "Kick", "kick", *map(str, range(120))]
    files = audio_file_names(names)
    assert len({file.casefold() for file in files}) == len(names)
    assert sorted(files) == files
    assert files[0] == "001 kick.wav"
    assert audio_file_names(["a"]) == ["01 a.wav"]
