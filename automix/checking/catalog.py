"""The table of checks: one row for each, with what finds it, how bad it is, and the remedy.

Each row hears all takes of a song, so that a check may hold takes against each other. The limits
were set on the stems of "Caesium" and "Francium" and on three synthetic songs, and tried on others.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from automix.analysis.arrival import Arrival, find_arrivals
from automix.analysis.conditions import Spike
from automix.analysis.copies import compare_recordings, find_alike
from automix.analysis.fine_powers import FINE_S
from automix.analysis.late_files import LateFile, find_late_files
from automix.analysis.take_spectra import Tuning
from automix.audio.blocks import fit
from automix.audio.resampling import resample
from automix.audio.samples import AudioSource
from automix.checking.findings import PLACES, Severity, TakeFinding, rank
from automix.checking.takes import HeardTake
from automix.parallel.workers import run_in_parallel
from automix.plan.roles import ROLE_FAMILIES
from automix.units import gain_to_db, seconds_to_samples

Takes = Sequence[HeardTake]

_LOW_DB, _LOW_PEAK_DB, _LOWEST_PEAK_DB = -60.0, -30.0, -40.0
_LEAST_RANGE_DB = 40.0
_STEP_16_DB = -98.0  # the noise of rounding to 16 bits
_KNOWN_CUT_DB = -30.0
_QUIETEST_CUT_DB, _ABOVE_NOISE_DB = -75.0, 10.0
_SHORTEST_S = 0.4  # of one block of the loudness meter
_OTHER_LENGTH_S = 0.05
_MISTAKABLE_HZ = (44100, 48000, 88200, 96000, 176400, 192000)
_RATE_RATIO = 48000 / 44100
_RATE_CENTS = 1200.0 * math.log2(_RATE_RATIO) - 100.0  # modulo a semitone: +46.7
_CENTS_APART = 10.0
_LENGTH_APART = 0.001
_AGREEMENT, _PARTIALS, _NOTES = 0.35, 400, 20.0


@dataclass(frozen=True, kw_only=True)
class SeverityScale:
    """From which figure on a finding is how bad.

    Attributes:
        unit: Unit of the figure.
        information: Limit of what is good to know; none if nothing is.
        warning: Limit of what is heard in a mix; none if nothing is.
        fault: Limit of what makes a take useless; none if nothing does.
        rises: Whether a larger figure is worse.
    """

    unit: str
    information: float | None = None
    warning: float | None = None
    fault: float | None = None
    rises: bool = True

    def judge(self, figure: float) -> Severity | None:
        """How bad a figure is; none if it is not worth a word."""
        worst: Severity | None = None
        limits: tuple[tuple[Severity, float | None], ...] = (
            ("information", self.information),
            ("warning", self.warning),
            ("fault", self.fault),
        )
        for severity, limit in limits:
            if limit is not None and (figure >= limit if self.rises else figure <= limit):
                worst = severity
        return worst


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a check finds before it is judged.

    Attributes:
        track: Name of the track.
        what: What it is, with its figure, as people would say it.
        figure: How strong it is, in the unit of the scale.
        times_s: All places, or some of them, in seconds; empty where it is throughout.
        count: How many places there are, if more than ``times_s`` holds.
        words: What the remedy names, by its place in the text.
        severity: How bad it is, where the figure alone does not tell.
    """

    track: str
    what: str
    figure: float
    times_s: Sequence[float] = ()
    count: int = 0
    words: Mapping[str, str] = field(default_factory=dict)
    severity: Severity | None = None


@dataclass(frozen=True, kw_only=True)
class Check:
    """One row of the table.

    Attributes:
        name: Name in documents.
        title: What it finds, for help pages.
        scale: How bad its figures are.
        remedy: What to do; ``{track}`` is the name of the track.
        find: Hears all takes of a song and tells what it finds.
    """

    name: str
    title: str
    scale: SeverityScale
    remedy: str
    find: Callable[[Takes], Iterable[Found]]

    def judge(self, found: Found) -> TakeFinding | None:
        """Gives what was found its severity and its remedy; none if it is not worth a word."""
        severity = found.severity or self.scale.judge(found.figure)
        if severity is None:
            return None
        return TakeFinding(
            check=self.name,
            track=found.track,
            severity=severity,
            what=found.what,
            figure=round(found.figure, 4),
            unit=self.scale.unit,
            remedy=self.remedy.format(track=found.track, **found.words),
            times_s=tuple(round(time, 4) for time in found.times_s[:PLACES]),
            count=max(found.count, len(found.times_s)),
        )


def check_takes(takes: Takes) -> list[TakeFinding]:
    """Runs all checks.

    Args:
        takes: The takes of a song.

    Returns:
        What is wrong, the worst first, and else in the order of the table and of the takes.

    Raises:
        InputError: A file changed while it was read.
    """
    judged = (row.judge(found) for row in CHECKS for found in row.find(takes))
    return rank(finding for finding in judged if finding is not None)


def describe_spike(track: str, spike: Spike) -> TakeFinding:
    """The finding of a spike, also where the audio is no take."""
    return _describe(_SPIKE, _report_spike(track, spike))


def describe_misalignment(track: str, arrival: Arrival) -> TakeFinding:
    """The finding of a microphone that is out of line with another one of its source."""
    return _describe(_ARRIVAL, _report_misalignment(track, arrival))


def describe_late_take(track: str, late: LateFile, starts_s: float) -> TakeFinding:
    """The finding of a take that is played at another time than all others.

    Args:
        track: Name of the track.
        late: What was found.
        starts_s: When the take begins on the time line of the song, as it is.
    """
    return _describe(_LATE, _report_late_take(track, late, starts_s))


def _describe(row: Check, found: Found) -> TakeFinding:
    finding = row.judge(found)
    if finding is None:
        raise ValueError(f"{row.name}: what was found is below every limit")
    return finding


def _each(find: Callable[[HeardTake], Iterator[Found]]) -> Callable[[Takes], Iterable[Found]]:
    """Makes a check of a song out of a check of one take."""
    return lambda takes: (found for take in takes for found in find(take))


def _find_silence(take: HeardTake) -> Iterator[Found]:
    if take.conditions.silent:
        level_db = gain_to_db(take.conditions.sample_peak)
        yield Found(track=take.name, what="silent", figure=level_db)


def _find_clipping(take: HeardTake) -> Iterator[Found]:
    tops, runs = take.flat_tops, take.conditions.clipped_runs
    count, level_db = runs, 0.0
    if tops is not None and tops.count >= runs:
        count, level_db = tops.count, gain_to_db(tops.level)
    if count:
        places = "1 place" if count == 1 else f"{count} places"
        yield Found(
            track=take.name,
            what=f"clipped in {places}, flat at {level_db:.1f} dBFS",
            figure=count,
            times_s=tops.times_s if tops is not None else (),
            count=count,
        )


def _find_offset(take: HeardTake) -> Iterator[Found]:
    if take.conditions.has_offset and not take.conditions.silent:
        level_db = max(take.conditions.offset_db)
        yield Found(track=take.name, what=f"a DC offset of {level_db:.1f} dBFS", figure=level_db)


def _find_spike(take: HeardTake) -> Iterator[Found]:
    if take.conditions.spike is not None:
        yield _report_spike(take.name, take.conditions.spike)


def _report_spike(track: str, spike: Spike) -> Found:
    return Found(
        track=track,
        what=f"a spike of {spike.level_dbfs:+.1f} dBFS",
        figure=spike.above_db,
        times_s=(spike.time_s,),
        count=spike.others + 1,
        words={"above": f"{spike.above_db:.0f}"},
    )


def _find_inversion(take: HeardTake) -> Iterator[Found]:
    if take.conditions.channel_relation == "inverted":
        what = "left and right are the same with opposite polarity: silent in mono"
        yield Found(track=take.name, what=what, figure=180.0)


def _find_only_side(take: HeardTake) -> Iterator[Found]:
    side = take.conditions.only_side
    if side is not None:
        yield Found(
            track=take.name,
            what=f"its {('right', 'left')[side]} channel is silent",
            figure=gain_to_db(min(take.conditions.channel_peaks)),
            severity="information" if take.is_placed else None,
        )


def _find_equal_sides(take: HeardTake) -> Iterator[Found]:
    if take.conditions.channel_relation == "identical":
        yield Found(track=take.name, what="both sides are the same: mono", figure=0.0)


def _find_clicks(take: HeardTake) -> Iterator[Found]:
    spike = take.conditions.spike
    clicks = [c for c in take.clicks if spike is None or abs(c.time_s - spike.time_s) > 0.002]
    if clicks:
        loudest = max(click.level for click in clicks)
        number = "a click" if len(clicks) == 1 else f"{len(clicks)} clicks"
        yield Found(
            track=take.name,
            what=f"{number} of up to {gain_to_db(loudest):.0f} dBFS",
            figure=gain_to_db(loudest) - take.program_db,
            times_s=[click.time_s for click in clicks],
        )


def _find_dropouts(take: HeardTake) -> Iterator[Found]:
    if take.dropouts:
        longest_ms = 1000.0 * max(dropout.duration_s for dropout in take.dropouts)
        number = "a dropout" if len(take.dropouts) == 1 else f"{len(take.dropouts)} dropouts"
        yield Found(
            track=take.name,
            what=f"{number} of up to {longest_ms:.0f} ms of digital silence",
            figure=longest_ms,
            times_s=[dropout.time_s for dropout in take.dropouts],
        )


def _find_hum(take: HeardTake) -> Iterator[Found]:
    if take.hum is None:
        return
    lines = ", ".join(f"{hertz}" for hertz in take.hum.lines_hz)
    below_db = take.hum.level_db - take.program_db
    yield Found(
        track=take.name,
        what=f"hum of {take.hum.mains_hz} Hz mains ({lines} Hz),"
        f" {-below_db:.0f} dB below what is played",
        figure=below_db,
        words={"lines": lines},
    )


def _find_noise(take: HeardTake) -> Iterator[Found]:
    if take.noise is None:
        return
    kind = "hiss" if take.noise.is_hiss else "noise"
    yield Found(
        track=take.name,
        what=f"{kind} of {take.noise.level_db:.0f} dBFS in the pauses,"
        f" {take.noise.below_program_db:.0f} dB below what is played",
        figure=take.noise.below_program_db,
        words={"threshold": f"{min(take.noise.level_db + 15.0, -1.0):.0f}"},
    )


def _find_low_level(take: HeardTake) -> Iterator[Found]:
    peak_db = gain_to_db(take.conditions.sample_peak)
    most_db = _LOW_PEAK_DB if take.program_db < _LOW_DB else _LOWEST_PEAK_DB
    if take.conditions.silent or peak_db > most_db:
        return
    noise_db = take.noise.level_db if take.noise is not None else -math.inf
    range_db = take.program_db - max(noise_db, _STEP_16_DB if take.bits == "16" else -math.inf)
    what = f"very low: it peaks at {peak_db:.0f} dBFS"
    if math.isfinite(range_db):
        what += f", and its noise is only {range_db:.0f} dB below what is played"
    yield Found(
        track=take.name,
        what=what,
        figure=peak_db,
        severity="warning" if range_db < _LEAST_RANGE_DB else "information",
    )


def _find_cuts(take: HeardTake) -> Iterator[Found]:
    if take.edges is None:
        return
    noise_db = take.noise.level_db if take.noise is not None else -math.inf
    least_db = max(_QUIETEST_CUT_DB, noise_db + _ABOVE_NOISE_DB)
    ends = (
        ("begins", take.edges.start_db, 0.0),
        ("ends", take.edges.end_db, take.duration_s),
    )
    for verb, level_db, time_s in ends:
        if level_db > least_db:
            below_db = take.program_db - level_db
            # A cymbal that is hit with the first sample sounds like one that was cut.
            is_hit = verb == "begins" and ROLE_FAMILIES[take.role] == "drums"
            is_loud = below_db <= -_KNOWN_CUT_DB
            yield Found(
                track=take.name,
                what=f"{verb} with a cut in the middle of the sound,"
                f" {max(below_db, 0.0):.0f} dB below what is played,",
                figure=-below_db,
                times_s=(time_s,),
                severity="information" if is_hit and is_loud else None,
            )


def _find_shortness(take: HeardTake) -> Iterator[Found]:
    if 0.0 < take.duration_s < _SHORTEST_S:
        milliseconds = 1000.0 * take.duration_s
        yield Found(
            track=take.name,
            what=f"only {milliseconds:.3g} ms long, too short to have a loudness",
            figure=take.duration_s,
        )


def _find_lengths(takes: Takes) -> Iterator[Found]:
    last_s = max((take.start_s + take.duration_s for take in takes), default=0.0)
    for take in takes:
        missing_s = last_s - take.start_s - take.duration_s
        if take.duration_s > 0.0 and missing_s > _OTHER_LENGTH_S:
            what = f"ends {missing_s:.2f} s before the last one"
            yield Found(track=take.name, what=what, figure=missing_s)


def _find_codings(take: HeardTake) -> Iterator[Found]:
    if take.coding:
        yield Found(
            track=take.name, what=f"coded with losses ({take.coding})", figure=take.sample_rate / 2
        )
    elif take.cutoff_hz is not None:
        yield Found(
            track=take.name,
            what=f"cut off above {take.cutoff_hz / 1000:.1f} kHz, as by a lossy coder",
            figure=take.cutoff_hz,
        )


def _find_copies(takes: Takes) -> Iterator[Found]:
    heard = [take for take in takes if take.source is not None and not take.conditions.silent]
    alike = find_alike([take.fine_powers for take in heard])
    pairs = [(heard[first], heard[second]) for first, second in alike]

    def compare(pair: tuple[HeardTake, HeardTake]) -> Found | None:
        first, second = pair
        if first.source is None or second.source is None:
            return None
        other = resample(second.source, first.source.sample_rate)
        copy = compare_recordings(first.source, other, first.fine_powers)
        if copy is None:
            return None
        what = f"the same audio as {first.name}, {copy.gain_db:+.1f} dB"
        if copy.delay_s:
            when = "later" if copy.delay_s > 0 else "earlier"
            what += f", {1000.0 * abs(copy.delay_s):.1f} ms {when}"
        if copy.inverted:
            what += ", with opposite polarity"
        severity: Severity = "fault" if copy.inverted else "warning"
        return Found(track=second.name, what=what, figure=copy.gain_db, severity=severity)

    told = set()
    for found in filter(None, run_in_parallel(compare, pairs)):
        if found.track not in told:  # of three that are alike, each is told once
            told.add(found.track)
            yield found


@dataclass(frozen=True, kw_only=True, eq=False)
class _PlacedTakes:
    """Takes on the time line of their song, at one rate and of one length.

    Attributes:
        sources: The audio by name of the track.
        powers: Its power every hundredth of a second, all as many.
    """

    sources: dict[str, AudioSource]
    powers: dict[str, NDArray[np.float64]]


def _place(takes: Takes) -> _PlacedTakes:
    """Places the takes that can be heard once more; those without sound are left out."""
    audible = {
        take.name: (take, take.source)
        for take in takes
        if take.source is not None and not take.conditions.silent
    }
    rate = max((source.sample_rate for _, source in audible.values()), default=0)
    sources, powers = {}, {}
    for name, (take, source) in audible.items():
        start = seconds_to_samples(take.start_s, rate)
        source = resample(source, rate)
        sources[name] = fit(source, source.frames + start, start)
        silence = np.zeros(round(take.start_s / FINE_S))
        powers[name] = np.concatenate([silence, take.fine_powers])
    frames = max((source.frames for source in sources.values()), default=0)
    hops = max((len(power) for power in powers.values()), default=0)
    return _PlacedTakes(
        sources={name: fit(source, frames) for name, source in sources.items()},
        powers={name: np.pad(power, (0, hops - len(power))) for name, power in powers.items()},
    )


def _find_misalignments(takes: Takes) -> Iterator[Found]:
    copies = {found.track for found in _find_copies(takes)}  # how they differ is told there
    placed = _place([take for take in takes if take.name not in copies])
    roles = {take.name: take.role for take in takes}
    for name, arrival in find_arrivals(placed.sources, roles, placed.powers).items():
        yield _report_misalignment(name, arrival)


def _report_misalignment(track: str, arrival: Arrival) -> Found:
    found, changes = [], []
    if arrival.inverted:
        found.append(f"of opposite polarity to {arrival.reference}")
        changes.append(f"--set '{track}.invert_polarity=true'")
    if arrival.delay_ms:
        way = "before" if arrival.delay_ms > 0.0 else "after"
        found.append(f"{abs(arrival.delay_ms):.2f} ms {way} {arrival.reference}")
        changes.append(f"--set '{track}.delay_ms={arrival.delay_ms:.3f}'")
    by_hand = " ".join(changes)
    remedy = f"automix stems lines raw tracks up when it mixes; by hand: {by_hand}"
    if arrival.weakens_lows:
        remedy = (
            "automix stems leaves it as it is, because in line the tracks would be weaker together"
            f" below 200 Hz; {by_hand} does it all the same"
        )
    return Found(
        track=track,
        what=f"hears its source {' and '.join(found)}",
        figure=arrival.delay_ms,
        words={"remedy": remedy},
        severity="warning" if arrival.inverted else "information",
    )


def _find_late_takes(takes: Takes) -> Iterator[Found]:
    placed = _place(takes)
    starts = {take.name: take.start_s for take in takes}
    for name, late in find_late_files(placed.sources, placed.powers).items():
        yield _report_late_take(name, late, starts[name])


def _report_late_take(track: str, late: LateFile, starts_s: float) -> Found:
    start_s = starts_s - late.late_s
    remedy = f"move it with --set '{track}.start_s={start_s:.2f}'"
    if start_s < 0.0:
        remedy = "cut so much off the start of its file, or move the others by --set"
    return Found(
        track=track,
        what=f"its onsets come {abs(late.late_s):.2f} s"
        f" {'late' if late.late_s > 0.0 else 'early'} against all other tracks",
        figure=late.late_s,
        words={"remedy": remedy},
    )


def _find_sample_rates(takes: Takes) -> Iterator[Found]:
    for take in takes:
        others = [other for other in takes if other is not take and other.duration_s > 0.0]
        if take.sample_rate not in _MISTAKABLE_HZ or len(others) < 2:
            continue
        # What was recorded at 44.1 kHz and is played at 48 is short and high, and the reverse.
        is_high = take.sample_rate % 8000 == 0
        right_hz = take.sample_rate * (147 / 160 if is_high else 160 / 147)
        cents = _measure_detuning(take, others)
        wanted = _RATE_CENTS if is_high else -_RATE_CENTS
        tuned = cents is not None and abs(_wrap(cents - wanted)) < _CENTS_APART
        fits = _fits_in_length(take, others, is_high)
        if not tuned and (not fits or cents is not None):
            continue
        clues = []
        if tuned and cents is not None:
            way = "above" if is_high else "below"
            clues.append(f"its partials lie {abs(wanted):.0f} cents {way} those of the others")
        if fits:
            clues.append(f"it is {'shorter' if is_high else 'longer'} by the ratio of the rates")
        yield Found(
            track=take.name,
            what=f"recorded at {right_hz:.0f} Hz but marked as {take.sample_rate} Hz:"
            f" {' and '.join(clues)}",
            figure=take.sample_rate,
            words={"rate": f"{right_hz:.0f}"},
        )


def _measure_detuning(take: HeardTake, others: Takes) -> float | None:
    """By how many cents a take is tuned above the others, −50 … 50; none if that is not clear."""
    own = _clear_tuning(take)
    tunings = [tuning for other in others if (tuning := _clear_tuning(other)) is not None]
    if own is None or len(tunings) < 2:
        return None
    vectors = np.array([np.exp(2j * np.pi * tuning.cents / 100.0) for tuning in tunings])
    middle = float(np.angle(vectors.sum())) / (2 * math.pi) * 100.0
    near = [t for t in tunings if abs(_wrap(t.cents - middle)) < _CENTS_APART]
    if len(near) < 2 or len(near) < 0.75 * len(tunings):
        return None
    return _wrap(own.cents - middle)


def _clear_tuning(take: HeardTake) -> Tuning | None:
    tuning = take.tuning
    if tuning is None or ROLE_FAMILIES[take.role] == "drums":
        return None
    is_clear = tuning.agreement > _AGREEMENT and tuning.partials > _PARTIALS
    return tuning if is_clear and tuning.notes > _NOTES else None


def _wrap(cents: float) -> float:
    return (cents + 50.0) % 100.0 - 50.0


def _fits_in_length(take: HeardTake, others: Takes, is_high: bool) -> bool:
    """Whether a take would be as long as most of the others at the other rate."""
    wanted_s = take.duration_s * (_RATE_RATIO if is_high else 1.0 / _RATE_RATIO)
    alike = [o for o in others if abs(o.duration_s / wanted_s - 1.0) < _LENGTH_APART]
    return len(alike) >= 2 and 2 * len(alike) > len(others)


_LATE = Check(
    name="late",
    title="takes that come late or early against all others",
    scale=SeverityScale(unit="s", warning=-math.inf),
    remedy="if that is no intention, {remedy}",
    find=_find_late_takes,
)

_ARRIVAL = Check(
    name="arrival",
    title="polarity and arrival of microphones of one source",
    scale=SeverityScale(unit="ms", information=-math.inf),
    remedy="{remedy}",
    find=_find_misalignments,
)

_SPIKE = Check(
    name="spike",
    title="spikes",
    scale=SeverityScale(unit="dB", warning=0.0),
    remedy="{above} dB above the rest, it sets the level; if it is a fault, cut it out of the file",
    find=_each(_find_spike),
)

CHECKS: tuple[Check, ...] = (
    Check(
        name="silent",
        title="silent takes",
        scale=SeverityScale(unit="dBFS", warning=-math.inf),
        remedy="mute it with --set '{track}.mute=true', or export it again if it should be heard",
        find=_each(_find_silence),
    ),
    Check(
        name="sample_rate",
        title="wrong sample rates",
        scale=SeverityScale(unit="Hz", fault=0.0),
        remedy="correct the header without converting the audio, as ffmpeg does with -af"
        " asetrate={rate}",
        find=_find_sample_rates,
    ),
    Check(
        name="clipping",
        title="clipping, at any level",
        scale=SeverityScale(unit="places", warning=1.0, fault=50.0),
        remedy="record it again with less input gain, or restore the peaks with a de-clipper",
        find=_each(_find_clipping),
    ),
    Check(
        name="dropouts",
        title="dropouts",
        scale=SeverityScale(unit="ms", fault=0.0),
        remedy="record these places again with a larger buffer, or take them from another take",
        find=_each(_find_dropouts),
    ),
    Check(
        name="inverted_sides",
        title="sides of opposite polarity",
        scale=SeverityScale(unit="°", fault=0.0),
        remedy="invert the polarity of one side and export it again",
        find=_each(_find_inversion),
    ),
    Check(
        name="copy",
        title="takes that are there twice",
        scale=SeverityScale(unit="dB", warning=-math.inf),
        remedy="mute one of the two, as with --set '{track}.mute=true'",
        find=_find_copies,
    ),
    _LATE,
    _ARRIVAL,
    _SPIKE,
    Check(
        name="clicks",
        title="clicks",
        scale=SeverityScale(unit="dB", warning=-math.inf),
        remedy="cross-fade the edits there or draw the clicks out, and export the take again",
        find=_each(_find_clicks),
    ),
    Check(
        name="hum",
        title="hum of 50 or 60 Hz",
        scale=SeverityScale(unit="dB", information=-60.0, warning=-45.0, fault=-25.0),
        remedy="take {lines} Hz out with narrow notch filters, or record it again with balanced"
        " cables away from power supplies",
        find=_each(_find_hum),
    ),
    Check(
        name="noise",
        title="noise and hiss",
        scale=SeverityScale(unit="dB", information=42.0, warning=30.0, fault=15.0, rises=False),
        remedy="turn the pauses down with --set '{track}.gate.range_db=12' --set"
        " '{track}.gate.threshold_db={threshold}'",
        find=_each(_find_noise),
    ),
    Check(
        name="low_level",
        title="very low levels",
        scale=SeverityScale(unit="dBFS", information=math.inf, rises=False),
        remedy="record it again with more input gain if the noise is heard once it is raised",
        find=_each(_find_low_level),
    ),
    Check(
        name="offset",
        title="DC offset",
        scale=SeverityScale(unit="dBFS", warning=-60.0, fault=-20.0),
        remedy="take it away with a high pass at 20 Hz, which automix stems and automix vocal add",
        find=_each(_find_offset),
    ),
    Check(
        name="one_side",
        title="a silent side",
        scale=SeverityScale(unit="dBFS", warning=-math.inf),
        remedy="automix takes it as mono; export it again if both sides were recorded",
        find=_each(_find_only_side),
    ),
    Check(
        name="cut",
        title="cut beginnings and ends",
        scale=SeverityScale(unit="dB", information=_KNOWN_CUT_DB, warning=-20.0),
        remedy="export the take again in full length, or fade it there",
        find=_each(_find_cuts),
    ),
    Check(
        name="short",
        title="takes that are too short",
        scale=SeverityScale(unit="s", warning=_SHORTEST_S, rises=False),
        remedy="export the take again in full length",
        find=_each(_find_shortness),
    ),
    Check(
        name="equal_sides",
        title="mono in stereo files",
        scale=SeverityScale(unit="dB", information=0.0),
        remedy="nothing needs to be done; a mono file takes half the room",
        find=_each(_find_equal_sides),
    ),
    Check(
        name="coding",
        title="lossy coding",
        scale=SeverityScale(unit="Hz", information=0.0),
        remedy="use the recording from before it was coded, if there is one",
        find=_each(_find_codings),
    ),
    Check(
        name="length",
        title="unequal lengths",
        scale=SeverityScale(unit="s", information=0.0),
        remedy="make sure that it begins with the others; automix pads its end with silence",
        find=_find_lengths,
    ),
)
"""All checks; of findings that are as bad, those of an earlier row come first."""
