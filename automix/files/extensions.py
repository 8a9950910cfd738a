"""The one list of the extensions of audio files that are read. Importing it loads nothing else."""

EXTENSIONS = {
    "wav": (".wav", ".wave", ".bwf"),
    "rf64": (".wav", ".wave", ".bwf", ".rf64"),
    "w64": (".w64",),
    "aiff": (".aiff", ".aif", ".aifc"),
    "caf": (".caf",),
    "flac": (".flac",),
    "ogg": (".ogg", ".oga", ".opus"),
    "mp3": (".mp3", ".mp2", ".mpga"),
    # through ffmpeg, where it is installed:
    "mp4": (".m4a", ".m4b", ".m4r", ".aac", ".alac", ".mp4", ".m4v", ".mov", ".qt", ".3gp", ".3g2"),
    "matroska": (".mka", ".weba", ".mkv", ".webm"),
    "asf": (".wma", ".wmv", ".asf"),
    "adts": (".aac", ".adts"),
    "ac3": (".ac3",),
    "eac3": (".eac3", ".ec3"),
    "dts": (".dts",),
    "wavpack": (".wv",),
    "ape": (".ape",),
    "tta": (".tta",),
    "mpc7": (".mpc", ".mp+", ".mpp"),
    "mpc8": (".mpc",),
    "amr": (".amr", ".awb"),
    "au": (".au", ".snd"),
    "caf-coded": (".caf",),
    "avi": (".avi",),
}
"""The extensions that each container goes by, in lower case, with their dot."""

_ONLY_IF_NAMED = {".mp2", ".mpga"}

VIDEO_EXTENSIONS = frozenset(
    (".mp4", ".m4v", ".mov", ".qt", ".3gp", ".3g2", ".mkv", ".webm", ".wmv", ".asf", ".avi")
)
"""The extensions of files that may hold video: in a folder, they are audio if they hold none."""

AUDIO_EXTENSIONS = frozenset(sum(EXTENSIONS.values(), ())) - _ONLY_IF_NAMED - VIDEO_EXTENSIONS
"""The extensions by which folders are searched for audio, in lower case, with their dot."""

UNREAD_EXTENSIONS = frozenset(
    (
        *(".sd2", ".dsf", ".dff", ".ra", ".rm", ".m4p", ".aax", ".aa", ".aaxc", ".gsm", ".voc"),
        *(".shn", ".ofr", ".tak", ".rx2", ".rex", ".spx", ".thd", ".mlp", ".8svx", ".iff", ".mogg"),
        *(".ac4", ".vqf", ".sds", ".xwm", ".at3", ".oma", ".qcp"),
    )
)
"""The extensions of audio files that are not read, in lower case, with their dot."""

_STEM_ENDINGS = (".stem.mp4", ".stem.m4a")


def is_stem_file(name: str) -> bool:
    """Tells by its name whether a file holds the stems of a whole song (Native Instruments)."""
    return name.lower().endswith(_STEM_ENDINGS)
