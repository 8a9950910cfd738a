"""Brings the microphones of one source in line before anything else is heard of them."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from automix.analysis.arrival import Arrival, find_arrivals
from automix.analysis.late_files import find_late_files
from automix.audio.blocks import fit
from automix.audio.samples import AudioSource
from automix.checking.catalog import describe_late_take, describe_misalignment
from automix.consoles.exact import ExactConsole, insert_stream
from automix.methods.stems.hearing import HeardTrack, parts
from automix.methods.stems.rawness import song_rawness
from automix.methods.stems.settings import StemsRules
from automix.plan.roles import Role
from automix.plan.settings import ChannelStrip
from automix.plan.writer import PlanWriter
from automix.session.tracks import Session

RULE = "polarity and arrival"

LEAST_RAWNESS = 0.5
"""What a song and a track must have of 1: what was mixed before is as somebody wanted it."""


def line_up(
    console: ExactConsole,
    writer: PlanWriter,
    rules: StemsRules,
    heard: Mapping[str, HeardTrack],
) -> None:
    """Sets polarity and delay of raw tracks that hear one source at different times.

    Finished stems are left as they are, and everything is where the rules say so.

    Args:
        console: Of the session.
        writer: Takes the settings and the reasons.
        rules: Constants.
        heard: What was measured of each track, by name.

    Raises:
        InputError: A file changed while it was read.
    """
    if rules.as_recorded:
        return
    roles = {track.name: track.role for track in console.session.tracks}
    raw = _find_raw(heard, roles, rules)
    sources = {track.name: track.source for track in console.session.tracks if track.name in raw}
    powers = {name: track.fine_powers for name, track in heard.items()}
    _report_late_files(writer, console.session, heard, powers)
    for name, arrival in sorted(find_arrivals(sources, roles, powers).items()):
        if arrival.weakens_lows:
            writer.warn(describe_misalignment(name, arrival).message())
        else:
            _set(writer, name, arrival)


def _report_late_files(
    writer: PlanWriter,
    session: Session,
    heard: Mapping[str, HeardTrack],
    powers: Mapping[str, NDArray[np.float64]],
) -> None:
    """Warns of tracks that are played at another time than the others; none is moved for that."""
    audible = {track.name: track.source for track in session.tracks if track.name in parts(heard)}
    for name, late in find_late_files(audible, powers).items():
        writer.warn(describe_late_take(name, late, session.track(name).start_s).message())


def apply_arrival(source: AudioSource, strip: ChannelStrip) -> AudioSource:
    """A track with the polarity and the delay of its strip and nothing else, as long as before."""
    if not strip.invert_polarity and strip.delay_ms == 0.0:
        return source
    bare = ChannelStrip(
        name=strip.name, invert_polarity=strip.invert_polarity, delay_ms=strip.delay_ms
    )
    return fit(insert_stream(source, bare, "linear"), source.frames)


def _find_raw(
    heard: Mapping[str, HeardTrack], roles: Mapping[str, Role], rules: StemsRules
) -> set[str]:
    """Names of the raw tracks, with the overheads of a raw song, which are wide by nature."""
    audible = parts(heard)
    if len(audible) < 2:
        return set()
    rawness = song_rawness(audible, roles, rules.processed_side_db)
    return {
        name
        for name, of_track in rawness.items()
        if of_track.song >= LEAST_RAWNESS
        and (roles[name] == "overheads" or of_track.share >= LEAST_RAWNESS)
    }


def _set(writer: PlanWriter, name: str, arrival: Arrival) -> None:
    figures = {
        "correlation": arrival.correlation,
        "second_peak": arrival.second,
        "windows": float(arrival.windows),
        "sum_db": arrival.sum_db,
    }
    if arrival.inverted:
        inverted = not writer.plan.strip(name).invert_polarity
        writer.change(name, invert_polarity=inverted)
        writer.decide(
            f"{name}.invert_polarity",
            inverted,
            RULE,
            f"opposite to {arrival.reference}, which hears the same source",
            **figures,
        )
    if arrival.delay_ms:
        writer.set(name, "delay_ms", arrival.delay_ms, RULE, _describe_delay(arrival), **figures)


def _describe_delay(arrival: Arrival) -> str:
    way = "before" if arrival.delay_ms > 0.0 else "after"
    return (
        f"hears its source {abs(arrival.delay_ms):.2f} ms {way} {arrival.reference}: in line, the"
        f" two add up to {arrival.sum_db:+.1f} dB against as they were recorded"
    )
