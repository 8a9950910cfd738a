"""The page: measurements, diagrams, players and the plan, put together."""

import base64
import html
import json
import math
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from automix.analysis.features import MixFeatures
from automix.analysis.finished_music import WIDTH_BANDS_HZ, WIDTH_SOURCE
from automix.analysis.readings import Loudness
from automix.audio.samples import Audio, AudioSource
from automix.consoles.exact import apply_master
from automix.files.encode import encode_mp3
from automix.mixing.mix import Mix
from automix.mixing.outcome import SongOutcome
from automix.parallel.workers import run_in_parallel
from automix.plan.model import MASTER, MixPlan
from automix.plan.ride_figures import Part
from automix.report import diagrams
from automix.report.hearing import excerpts, hear_mix, loudest_part, loudness_of, sum_of_inputs
from automix.report.reductions import MasterReductions, make_strip_reductions
from automix.report.rides import draw_rides, make_level_meters
from automix.report.strips import (
    bus_card,
    draw_reductions,
    master_card,
    settings_table,
    track_card,
)
from automix.session.tracks import Session
from automix.units import format_clock

PLAYER_LUFS = -23.0
_PLAYED_S = 240.0  # all excerpts together: what a page can hold
_LONGEST_EXCERPT_S, _SHORTEST_EXCERPT_S = 30.0, 6.0
_MIX = "mix"
_BEFORE = "inputs, summed"


def make_report(name: str, mix: Mix, outcome: SongOutcome) -> str:
    """The page of a song's report, as HTML: what was done, to read and to hear.

    Args:
        name: Title of the page.
        mix: The mix.
        outcome: How it was written.

    Raises:
        InputError: An input changed while it was read.
    """
    plan, loudness = outcome.plan or mix.plan, outcome.loudness or mix.loudness
    notes = [*outcome.notes, *outcome.delivery_notes]
    return report_page(name, mix, plan, mix.session, loudness, notes)


def report_page(
    name: str, mix: Mix, plan: MixPlan, session: Session, loudness: Loudness, notes: Sequence[str]
) -> str:
    """The report as HTML.

    Args:
        name: Of the mix, for the title.
        mix: The mix.
        plan: As it was written.
        session: That it was made from.
        loudness: Of the mix as it was written.
        notes: For the user, beside the warnings of the mix.

    Raises:
        InputError: An input changed while it was read.
    """
    inputs = sum_of_inputs(session)
    frames, rate = mix.source.frames, mix.source.sample_rate
    of_tracks = make_strip_reductions(mix.plan, session, frames)
    levels = make_level_meters(mix.plan, frames)
    listeners = {
        track.name: [made[track.name] for made in (of_tracks, levels) if track.name in made]
        for track in session.tracks
    }
    of_master = MasterReductions(mix.plan.master, rate, frames)
    watched = apply_master(mix.premaster, mix.plan.master, of_master.watch)
    after, before = run_in_parallel(hear_mix, (watched, sum_of_inputs(session, listeners)))
    duration_s = frames / rate
    louder_db = _difference(loudness.integrated_lufs, before.features.loudness.integrated_lufs)

    def draw_ridden(owner: str, part: Part) -> list[str]:
        level_db = levels[owner].result() if owner in levels else None
        return draw_rides(owner, part, level_db, duration_s)

    sections = [
        _header(name, plan, loudness, after.features, duration_s),
        _list("Warnings", mix.warnings, "warnings") + _list("Notes", notes, "notes"),
        _players(mix, inputs, session, after.short_term_lufs, duration_s),
        "<h2>Over time</h2>",
        _figure(diagrams.waveform(after.low, after.high, duration_s), "Waveform"),
        _figure(
            diagrams.loudness_curve(after.short_term_lufs, loudness.integrated_lufs, duration_s),
            "Short-term loudness in LUFS; the line is the integrated loudness",
        ),
        "<h2>Spectrum</h2>",
        _figure(
            diagrams.spectrum(
                before.features.third_octaves_db + louder_db, after.features.third_octaves_db
            ),
            "Thirds of an octave in dB: <b class=before>the inputs, summed</b> at the loudness of"
            " <b class=after>the mix</b>",
        ),
        "<h2>Width</h2>",
        _figure(
            diagrams.width(
                before.features.side_over_mid_db(WIDTH_BANDS_HZ),
                after.features.side_over_mid_db(WIDTH_BANDS_HZ),
            ),
            "Sides over middle in dB, by band, at the bottom mono: <b class=before>the inputs,"
            " summed</b> and <b class=after>the mix</b>; the shaded area is the middle half, the"
            f" dashed line the median of {html.escape(WIDTH_SOURCE)}",
        ),
        "<h2>Tracks</h2><div class=cards>",
        *(
            track_card(
                strip,
                plan,
                mix.levels_at(loudness.integrated_lufs),
                [
                    *draw_ridden(strip.name, strip),
                    *(
                        draw_reductions(of_tracks[strip.name].result(), duration_s, strip.name)
                        if strip.name in of_tracks
                        else []
                    ),
                ],
            )
            for strip in plan.tracks
        ),
        *(bus_card(bus, plan, draw_ridden(bus.name, bus)) for bus in plan.buses),
        master_card(
            plan,
            [
                *draw_ridden(MASTER, plan.master),
                *draw_reductions(of_master.result(), duration_s, "master"),
            ],
        ),
        "</div><h2>All settings</h2>",
        settings_table(plan),
    ]
    return _document(f"{name} · automix", "\n".join(sections))


def _document(title: str, body: str) -> str:
    folder = files("automix.report")
    style = (folder / "report.css").read_text(encoding="utf-8")
    script = (folder / "report.js").read_text(encoding="utf-8")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{style}</style></head>\n"
        f"<body><main>{body}</main><script>{script}</script></body></html>\n"
    )


def _header(
    name: str, plan: MixPlan, loudness: Loudness, features: MixFeatures, duration_s: float
) -> str:
    figures = {
        "loudness": f"{loudness.integrated_lufs:.1f} LUFS",
        "loudness range": f"{loudness.loudness_range_lu:.1f} LU",
        "true peak": f"{loudness.true_peak_dbtp:.1f} dBTP",
        "crest factor": f"{features.crest_db:.1f} dB",
        "stereo width": f"{features.width_db:.1f} dB",
        "length": f"{int(duration_s) // 60}:{duration_s % 60:04.1f}",
        "rate": f"{plan.sample_rate_hz / 1000:g} kHz",
    }
    cells = "".join(
        f"<div><dt>{label}</dt><dd>{_figures(value)}</dd></div>" for label, value in figures.items()
    )
    method = " · ".join(filter(None, [plan.method, plan.preset, plan.taste]))
    return (
        f"<header><h1>{html.escape(name)}</h1><p>{len(plan.tracks)} tracks, mixed by automix"
        f" {html.escape(plan.automix_version)}: {html.escape(method)}</p><dl>{cells}</dl></header>"
    )


def _figures(text: str) -> str:
    return "–" if text.startswith("nan") else html.escape(text.replace("-inf", "−∞"))


def _list(heading: str, messages: Sequence[str], kind: str) -> str:
    if not messages:
        return ""
    items = "".join(f"<li>{html.escape(message)}</li>" for message in messages)
    return f"<section class={kind}><h2>{heading}</h2><ul>{items}</ul></section>"


def _figure(svg: str, caption: str) -> str:
    return f"<figure>{svg}<figcaption>{caption}</figcaption></figure>"


def _players(
    mix: Mix, inputs: AudioSource, session: Session, short_term: Any, duration_s: float
) -> str:
    sources: dict[str, AudioSource] = {_MIX: mix.source, _BEFORE: inputs}
    sources |= {f"input {track.name}": track.source for track in session.tracks}
    excerpt_s = min(max(_PLAYED_S / len(sources), _SHORTEST_EXCERPT_S), _LONGEST_EXCERPT_S)
    start_s, stop_s = loudest_part(short_term, duration_s, excerpt_s)
    heard = excerpts(sources, start_s, stop_s)
    data = run_in_parallel(_playable, heard.values())
    buttons = [
        f'<button type=button data-source="{number}">{html.escape(name)}</button>'
        for number, name in enumerate(heard)
    ]
    return (
        "<h2>Listen</h2><section class=player><p><button type=button id=play>Play</button>"
        f" {stop_s - start_s:.0f} s from {format_clock(start_s)}, the loudest part, all at one"
        " loudness."
        " Switching keeps the position; keys: space, and digits.</p>"
        f"<div class=sources>{''.join(buttons)}</div>"
        f'<script type="application/json" id=excerpts>{json.dumps(data)}</script></section>'
    )


def _matching_gain(audio: Audio) -> float:
    """What brings an excerpt to one loudness with the others; at most +24 dB, 0 for silence."""
    lufs = loudness_of(audio)
    return round(10 ** (min(PLAYER_LUFS - lufs, 24.0) / 20), 4) if math.isfinite(lufs) else 1.0


def _playable(audio: Audio) -> dict[str, Any]:
    """What the script of the page plays."""
    copy = base64.b64encode(encode_mp3(audio)).decode("ascii")
    return {"gain": _matching_gain(audio), "mp3": copy}


def _difference(first: float, second: float) -> float:
    return first - second if math.isfinite(first) and math.isfinite(second) else 0.0
