"""The table of the comparisons that `automix bench` makes."""

from automix.benchmark import batch, differentiable, functions, neural, programs
from automix.benchmark.table import BenchmarkRow
from automix.errors import UsageError

COMPARISONS = (
    BenchmarkRow(
        number="P1",
        what="automix vocal ÷ ffmpeg ebur128 over both inputs",
        unit="s",
        pass_ratio=12,
        stretch_ratio=6,
        measure=programs.vocal_against_ebur128,
    ),
    BenchmarkRow(
        number="P2",
        what="automix vocal ÷ ffmpeg filter chain and loudnorm",
        unit="s",
        pass_ratio=1,
        stretch_ratio=0.6,
        measure=programs.vocal_against_chain,
    ),
    BenchmarkRow(
        number="P3",
        what="loudness, range and true peak ÷ libebur128",
        unit="s",
        pass_ratio=1,
        stretch_ratio=0.7,
        measure=functions.loudness_against_libebur128,
    ),
    BenchmarkRow(
        number="P4",
        what="loudness and range ÷ pyloudnorm's loudness alone",
        unit="s",
        pass_ratio=0.6,
        stretch_ratio=0.4,
        measure=functions.loudness_against_pyloudnorm,
    ),
    BenchmarkRow(
        number="P5",
        what="tempo ÷ librosa beat_track at 22.05 kHz",
        unit="s",
        pass_ratio=1,
        stretch_ratio=0.5,
        measure=functions.tempo_against_librosa,
    ),
    BenchmarkRow(
        number="P6",
        what='automix --help ÷ python -c "import typer"',
        unit="s",
        pass_ratio=2,
        stretch_ratio=1.3,
        measure=programs.help_against_typer,
    ),
    BenchmarkRow(
        number="P7",
        what="automix stems --mode full, 8 stems, -j 4 ÷ -j 1",
        unit="s",
        pass_ratio=0.6,
        stretch_ratio=0.4,
        measure=programs.stems_in_four_threads,
    ),
    BenchmarkRow(
        number="P8",
        what="peak memory of automix vocal ÷ its inputs as float32",
        unit="MB",
        pass_ratio=6,
        stretch_ratio=3,
        measure=programs.memory_against_input,
    ),
    BenchmarkRow(
        number="P9",
        what="peak memory of automix vocal, 60 min ÷ 4 min",
        unit="MB",
        pass_ratio=3,
        stretch_ratio=1.5,
        measure=programs.memory_of_an_hour,
    ),
    BenchmarkRow(
        number="P10",
        what="automix stems --mode basic, 8 stems ÷ reading them and writing their sum",
        unit="s",
        pass_ratio=5,
        stretch_ratio=2.5,
        measure=programs.stems_against_sum,
    ),
    BenchmarkRow(
        number="P11",
        what="automix stems --mode full ÷ --mode basic",
        unit="s",
        pass_ratio=4,
        stretch_ratio=2,
        measure=programs.full_against_basic,
    ),
    BenchmarkRow(
        number="P12",
        what="differentiable console ÷ stereo MR-STFT, forward and backward, 8 tracks × 5 s",
        unit="s",
        pass_ratio=1,
        stretch_ratio=0.5,
        measure=differentiable.console_against_loss,
    ),
    BenchmarkRow(
        number="P13",
        what="resuming a finished batch of 100 songs ÷ listing its files",
        unit="s",
        pass_ratio=3,
        stretch_ratio=3,  # the specification names none
        measure=batch.resuming_against_listing,
    ),
    BenchmarkRow(
        number="P14",
        what="automix apply tcn-20-channel, mono ÷ the length of the audio",
        unit="s",
        pass_ratio=0.5,  # the specification names none; published for a proxy: 0.13
        stretch_ratio=0.13,
        measure=neural.effect_against_time,
    ),
    BenchmarkRow(
        number="P15",
        what="automix stems --reference, 8 stems, after the plain mix ÷ a minute",
        unit="s",
        pass_ratio=1,
        stretch_ratio=0.5,  # the specification names none
        measure=programs.reference_against_plain,
    ),
)


def choose_comparisons(numbers: str | None) -> tuple[BenchmarkRow, ...]:
    """Chooses the comparisons of a list such as ``P1,P3``, in the order of the table.

    Args:
        numbers: The list; none for all comparisons.

    Raises:
        UsageError: No comparison has a number of the list.
    """
    if numbers is None:
        return COMPARISONS
    wanted = {number.strip().upper() for number in numbers.split(",")}
    known = [comparison.number for comparison in COMPARISONS]
    if unknown := sorted(wanted - set(known)):
        raise UsageError(f"--only {', '.join(unknown)}: choose from {', '.join(known)}")
    return tuple(comparison for comparison in COMPARISONS if comparison.number in wanted)
