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
}
"""The extensions that each container goes by, in lower case, with their dot."""

_ONLY_IF_NAMED = {".mp2", ".mpga"}

AUDIO_EXTENSIONS = frozenset(sum(EXTENSIONS.values(), ())) - _ONLY_IF_NAMED
"""The extensions by which folders are searched for audio, in lower case, with their dot."""
