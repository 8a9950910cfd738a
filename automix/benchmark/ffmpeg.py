"""Builds the commands of ffmpeg that automix is measured against."""

from pathlib import Path

from automix.benchmark.table import Missing
from automix.benchmark.workbench import Song
from automix.files.ffmpeg import find_program

Command = list[str | Path]

LOUDNESS_LUFS = -14.0

# Reports every 100 ms would cost more than the measurement: the summary is enough.
_METER = "ebur128=framelog=verbose"
_EQUALIZER = ",".join(
    f"equalizer=f={frequency_hz}:t=o:w=1:g={gain_db}"
    for frequency_hz, gain_db in ((250, -2), (500, -2), (2000, 2), (4000, 2))
)


def _ffmpeg(*arguments: str | Path) -> Command:
    program = find_program("ffmpeg")
    if program is None:
        raise Missing("ffmpeg")
    return [program, "-hide_banner", "-nostats", "-nostdin", "-y", *arguments]


def loudness_of_both(song: Song) -> Command:
    """Builds a command that measures loudness and loudness range of both inputs.

    Raises:
        Missing: ffmpeg is not installed.
    """
    graph = f"[0:a]{_METER}[vocal];[1:a]{_METER}[beat]"
    outputs = ("-map", "[vocal]", "-f", "null", "-", "-map", "[beat]", "-f", "null", "-")
    return _ffmpeg("-i", song.vocal, "-i", song.beat, "-filter_complex", graph, *outputs)


def true_peak(file: Path) -> Command:
    """Builds a command that measures loudness, loudness range and true peak of one file.

    Raises:
        Missing: ffmpeg is not installed.
    """
    return _ffmpeg("-i", file, "-filter:a", f"{_METER}:peak=true", "-f", "null", "-")


def decode(file: Path) -> Command:
    """Builds a command that decodes one file and does nothing with it.

    Raises:
        Missing: ffmpeg is not installed.
    """
    return _ffmpeg("-i", file, "-f", "null", "-")


def mix_with_ffmpeg(song: Song, output: Path, *, loudnorm: bool) -> Command:
    """Builds a command that does what `automix vocal` does, with fixed settings.

    The vocal passes four equalizer bands, a compressor, and a convolution reverb with a response of
    2.2 s, which is the reverberation time for the tempo of the reference song; then follow a gain,
    the sum with the beat and, on request, ``loudnorm``.

    Raises:
        Missing: ffmpeg is not installed.
    """
    chain = (
        f"[0:a]{_EQUALIZER},acompressor=threshold=0.1:ratio=2:attack=2:release=50,"
        "aformat=channel_layouts=stereo,asplit[dry][send];"
        "anoisesrc=d=2.2:r=44100:a=0.3:seed=1,afade=t=out:d=2.2:curve=exp[response];"
        "[send][response]afir=irfmt=mono[wet];"
        "[dry][wet]amix=inputs=2:normalize=0:weights=1 5,volume=-3dB[vocal];"
        "[vocal][1:a]amix=inputs=2:normalize=0"
    )
    if loudnorm:
        chain += f",loudnorm=I={LOUDNESS_LUFS:g}:TP=-1:LRA=11"
    chain += "[mix]"
    encoder = ("-map", "[mix]", "-ar", "44100", "-c:a", "pcm_s24le")
    return _ffmpeg("-i", song.vocal, "-i", song.beat, "-filter_complex", chain, *encoder, output)
