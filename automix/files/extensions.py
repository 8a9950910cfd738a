"""The extensions of audio files that are read, in one list. Importing it loads nothing else."""

AUDIO_EXTENSIONS = frozenset(
    (
        *(".wav", ".wave", ".bwf", ".rf64", ".w64", ".aif", ".aiff", ".aifc"),
        *(".flac", ".ogg", ".oga", ".opus", ".mp3", ".caf"),
    )
)
"""In lower case, with their dot."""
