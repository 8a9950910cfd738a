"""The rules of a DAWproject 1.0 that automix has to keep, written down from the published format.

An independent check of `project.xml`: what follows what, which attributes there may and must be,
what values they take, and that identifiers are unique and references lead to them.
"""

import re
from xml.etree.ElementTree import Element

_NAMED = {"name", "color", "comment"}
_IDENTIFIED = _NAMED | {"id"}
_PARAMETER = _IDENTIFIED | {"parameterID"}
_TIMELINE = _IDENTIFIED | {"timeUnit", "track"}
_DEVICE = _IDENTIFIED | {"deviceID", "deviceName", "deviceRole", "deviceVendor", "loaded"}
_DEVICE_START = "(Parameters )?(Enabled )?(State )?"
_ANY_TIMELINE = "Lanes|Notes|Clips|ClipSlot|markers|Warps|Audio|Video|Points"
_DEVICES = "Device|Vst2Plugin|Vst3Plugin|ClapPlugin|BuiltinDevice|Equalizer|Compressor|NoiseGate"

# by element: order of its children, attributes that it may have, attributes that it must have
RULES: dict[str, tuple[str, set[str], set[str]]] = {
    "Project": (
        "Application (Transport )?(Structure )?(Arrangement )?(Scenes )?",
        {"version"},
        {"version"},
    ),
    "Application": ("", {"name", "version"}, {"name", "version"}),
    "Transport": ("(Tempo )?(TimeSignature )?", set(), set()),
    "Structure": ("((Track|Channel) )*", set(), set()),
    "Track": ("(Channel )?(Track )*", _IDENTIFIED | {"contentType", "loaded"}, set()),
    "Channel": (
        "(Devices )?(Mute )?(Pan )?(Sends )?(Volume )?",
        _IDENTIFIED | {"audioChannels", "destination", "role", "solo"},
        set(),
    ),
    "Devices": (f"(({_DEVICES}|Limiter|AuPlugin) )*", set(), set()),
    "Sends": ("(Send )*", set(), set()),
    "Send": ("(Enable )?(Pan )?Volume ", _IDENTIFIED | {"destination", "type"}, set()),
    "Equalizer": (
        f"{_DEVICE_START}(Band )*(InputGain )?(OutputGain )?",
        _DEVICE,
        {"deviceName", "deviceRole"},
    ),
    "Band": ("Freq (Gain )?(Q )?(Enabled )?", {"type", "order"}, {"type"}),
    "Compressor": (
        f"{_DEVICE_START}(Attack )?(AutoMakeup )?(InputGain )?(OutputGain )?(Ratio )?(Release )?"
        "(Threshold )?",
        _DEVICE,
        {"deviceName", "deviceRole"},
    ),
    "Limiter": (
        f"{_DEVICE_START}(Attack )?(InputGain )?(OutputGain )?(Release )?(Threshold )?",
        _DEVICE,
        {"deviceName", "deviceRole"},
    ),
    "Arrangement": (
        "(Lanes )?(Markers )?(TempoAutomation )?(TimeSignatureAutomation )?",
        _IDENTIFIED,
        set(),
    ),
    "Lanes": (f"(({_ANY_TIMELINE}) )*", _TIMELINE, set()),
    "Clips": ("(Clip )*", _TIMELINE, set()),
    "Clip": (
        f"(({_ANY_TIMELINE}) )?",
        _NAMED
        | {"time", "duration", "contentTimeUnit", "playStart", "playStop", "loopStart", "loopEnd"}
        | {"fadeTimeUnit", "fadeInTime", "fadeOutTime", "enable", "reference"},
        {"time"},
    ),
    "Points": ("Target (RealPoint )*", _TIMELINE | {"unit"}, set()),
    "Target": ("", {"parameter", "expression", "channel", "key", "controller"}, set()),
    "RealPoint": ("", {"time", "value", "interpolation"}, {"time", "value"}),
    "Audio": (
        "File ",
        _TIMELINE | {"duration", "algorithm", "channels", "sampleRate"},
        {"duration", "channels", "sampleRate"},
    ),
    "File": ("", {"path", "external"}, {"path"}),
}
_REAL = ("", _PARAMETER | {"min", "max", "unit", "value"}, {"unit"})
_BOOL = ("", _PARAMETER | {"value"}, set[str]())
RULES |= dict.fromkeys(
    [
        "Tempo",
        "Pan",
        "Volume",
        "Freq",
        "Gain",
        "Q",
        "InputGain",
        "OutputGain",
        "Attack",
        "Ratio",
        "Release",
        "Threshold",
    ],
    _REAL,
)
RULES |= dict.fromkeys(["Mute", "Enable", "Enabled", "AutoMakeup"], _BOOL)

_NUMBER = r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?"
_COUNT = "[0-9]+"
VALUES = {
    "unit": "linear|normalized|percent|decibel|hertz|semitones|seconds|beats|bpm",
    "timeUnit": "beats|seconds",
    "interpolation": "hold|linear",
    "contentTimeUnit": "beats|seconds",
    "deviceRole": "instrument|noteFX|audioFX|analyzer",
    "role": "regular|master|effect|submix|vca",
    "contentType": "(audio|automation|notes|video|markers|tracks)( (audio|automation|notes))*",
    "loaded": "true|false",
    "external": "true|false",
    "id": "[A-Za-z_][A-Za-z0-9._-]*",
    **dict.fromkeys(("time", "duration", "playStart", "min", "max"), _NUMBER),
    **dict.fromkeys(("audioChannels", "channels", "sampleRate", "order"), _COUNT),
}
BAND_TYPES = "highPass|lowPass|bandPass|highShelf|lowShelf|bell|notch"
REFERENCES = {"destination": "Channel", "track": "Track"}


def faults(root: Element) -> list[str]:
    """What breaks the rules; empty for a valid project."""
    found = [] if root.tag == "Project" else [f"the root is {root.tag}"]
    for element in root.iter():
        found += _faults_of(element)
    identified = [element for element in root.iter() if "id" in element.attrib]
    kinds = {element.attrib["id"]: element.tag for element in identified}
    if len(kinds) < len(identified):
        found.append("two elements have one id")
    for element in root.iter():
        for attribute, kind in REFERENCES.items():
            target = element.get(attribute)
            if target is not None and kinds.get(target) != kind:
                found.append(f"{element.tag}: {attribute} {target} is no {kind}")
    for target in root.iter("Target"):
        if RULES.get(kinds.get(target.get("parameter", ""), "")) is not _REAL:
            found.append(f"Target: {target.get('parameter')} is no parameter with a number")
    return found


def _faults_of(element: Element) -> list[str]:
    if element.tag not in RULES:
        return [f"unknown element {element.tag}"]
    order, may, must = RULES[element.tag]
    found = []
    children = "".join(f"{child.tag} " for child in element)
    if not re.fullmatch(order, children):
        found.append(f"{element.tag}: children {children!r}")
    if (element.text or "").strip():
        found.append(f"{element.tag}: has text")
    if unknown := set(element.attrib) - may:
        found.append(f"{element.tag}: unknown attributes {unknown}")
    if missing := must - set(element.attrib):
        found.append(f"{element.tag}: lacks {missing}")
    patterns = dict(VALUES)
    if RULES[element.tag] is _REAL or element.tag == "RealPoint":
        patterns["value"] = _NUMBER
    elif RULES[element.tag] is _BOOL:
        patterns["value"] = "true|false"
    patterns["type"] = "pre|post" if element.tag == "Send" else BAND_TYPES
    for attribute, value in element.attrib.items():
        if attribute in patterns and not re.fullmatch(patterns[attribute], value):
            found.append(f"{element.tag}: {attribute} is {value!r}")
    return found
