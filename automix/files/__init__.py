"""Audio files in and out: the only place that opens them."""

from automix.files.blocks import collected, folded, joined, mono_fold, padded
from automix.files.disk import check_disk_space, sha256
from automix.files.encode import mp3_bytes
from automix.files.formats import OutputFormat, output_format
from automix.files.info import AudioInfo, ReadOptions
from automix.files.names import shown
from automix.files.probe import probe
from automix.files.reading import FileSource, Opened, open_audio
from automix.files.resample import resampled
from automix.files.target import OutputTarget, Written

__all__ = [
    "AudioInfo",
    "FileSource",
    "Opened",
    "OutputFormat",
    "OutputTarget",
    "ReadOptions",
    "Written",
    "check_disk_space",
    "collected",
    "folded",
    "joined",
    "mono_fold",
    "mp3_bytes",
    "open_audio",
    "output_format",
    "padded",
    "probe",
    "resampled",
    "sha256",
    "shown",
]
