"""A mix as a DAWproject: an archive that a DAW opens as a session.

Clips hold the recordings, in their places and of one rate; see `automix.export.recordings` for what
is in their audio. A DAWproject has no reverb: each bus becomes an effect channel that its sends
lead to, muted, for a reverb of the user's own, and a track that plays the return as automix made
it. That of a parallel bus has its equalizer, compressor and level.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from automix.audio.samples import AudioSource
from automix.consoles.exact import ExactConsole
from automix.dsp.processors import (
    COMPRESSOR,
    active_at,
    describe_return,
    describe_settings,
    processors_of,
)
from automix.errors import UsageError
from automix.export.archive import ArchiveTarget, AudioEntry
from automix.export.dawproject_xml import Clip, ReturnTrack, metadata_xml, project_xml
from automix.export.ends import ExportSource, ExportTarget
from automix.export.names import audio_file_names
from automix.export.recordings import (
    USUAL_MAX_FADER_DB,
    PrintedRecording,
    find_highest_db,
    print_recording,
    print_return,
)
from automix.files.names import printable
from automix.plan.model import MixPlan
from automix.plan.ride_figures import list_rides
from automix.plan.settings import Bus, Master
from automix.session.tracks import list_plan_inputs, open_plan_session

SUFFIX = ".dawproject"
TEMPO_BPM = (20.0, 999.0)
"""Tempos that DAWs take."""


@dataclass(frozen=True, kw_only=True)
class ExportedProject:
    """The contents of an archive, and what is missing from it.

    Attributes:
        path: The archive.
        sample_rate_hz: The sample rate of all audio.
        tempo_bpm: Written to the project, or none.
        tracks: The tracks in the order of the plan.
        returns: Tracks that play the returns of buses, by name of the bus.
        automated: The settings whose rides are automation lanes, by name of the track or bus, or
            ``master``. Other rides are in the audio, with their processor.
        left_out: The parts of the mix that are nowhere in the archive.
        notes: Remarks for the user.
    """

    path: Path
    sample_rate_hz: int
    tempo_bpm: float | None
    tracks: tuple["ExportedTrack", ...]
    returns: dict[str, str]
    automated: dict[str, tuple[str, ...]]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ExportedTrack:
    """One track of an archive.

    Attributes:
        name: The name of the track in the plan.
        file: The path of its audio in the archive.
        channels: The number of channels of that file.
        bits: The depth of that file.
        volume_db: The level of the DAW's fader.
        audio_gain_db: The part of the plan's fader that is in the audio.
        pan: 0 left, 0.5 center, 1 right.
        mute: Whether it is muted.
        devices: The devices of the DAW in signal order.
        printed: The processors and gains that are in the audio, for people.
    """

    name: str
    file: str
    channels: int
    bits: str
    volume_db: float
    audio_gain_db: float
    pan: float
    mute: bool
    devices: tuple[str, ...]
    printed: tuple[str, ...]


def export_dawproject(
    source: ExportSource,
    target: ExportTarget,
    *,
    title: str,
    inputs: Sequence[Path] = (),
    dry: bool = False,
    max_fader_db: float = math.inf,
) -> ExportedProject:
    """Writes the archive.

    Args:
        source: The plan and how its files are read.
        target: The archive, ``.dawproject``.
        title: The title of the song.
        inputs: Files not to be written over, beside those of the plan.
        dry: Leave out what no device of the format can do, instead of printing it.
        max_fader_db: Where the DAW's faders end; more than that goes into the audio. By default
            volumes are those of the plan.

    Raises:
        UsageError: The output has another extension.
        PlanError: A file of the plan is missing or may not be read.
        InputError: A file cannot be used.
        OutputError: The archive cannot be written.
    """
    plan, path, report = source.plan, target.path, target.report
    if path.suffix.lower() != SUFFIX:
        raise UsageError(
            f"{printable(path)}: DAWs know such a file by its name; end it in {SUFFIX}"
        )
    kept = [*inputs, *list_plan_inputs(plan, source.folder)]
    with (
        ArchiveTarget.reserve(path, overwrite=target.overwrite, inputs=kept) as archive,
        target.guard(archive.discard),
    ):
        report("reading")
        session = open_plan_session(
            plan, source.folder, source.read, allow_outside=source.allow_outside
        )
        console = ExactConsole(session)
        recordings = [
            print_recording(
                console, plan, strip, dry=dry, max_fader_db=max_fader_db, read=source.read
            )
            for strip in plan.tracks
        ]
        contents = _Contents(plan, recordings, [] if dry else _print_returns(console, plan))
        tempo_bpm = tempo_of(plan)
        project = project_xml(
            plan,
            contents.list_clips(),
            [contents.return_track(bus) for bus in plan.buses],
            tempo_bpm,
        )
        comment = " ".join(f"Mixed by automix: {plan.method} {plan.preset}".split())
        texts = {"project.xml": project, "metadata.xml": metadata_xml(title, comment)}
        archive.write_archive(texts, contents.list_entries(), lambda: report("writing"))
    return ExportedProject(
        path=path,
        sample_rate_hz=session.sample_rate,
        tempo_bpm=tempo_bpm,
        tracks=tuple(contents.list_tracks()),
        returns={name: contents.return_names[name] for name in contents.return_audio},
        automated=_list_automated(plan),
        left_out=tuple(_list_left_out(plan, recordings, dry=dry)),
        notes=(*session.notes, *_make_notes(plan, recordings, max_fader_db)),
    )


def tempo_of(plan: MixPlan) -> float | None:
    """The tempo in BPM that a method measured or was given; none if no decision names it."""
    for decision in plan.decisions:
        tempo = dict(decision.figures).get("tempo_bpm")
        if tempo is not None and TEMPO_BPM[0] <= tempo <= TEMPO_BPM[1]:
            return tempo
    return None


def _print_returns(console: ExactConsole, plan: MixPlan) -> list[tuple[Bus, AudioSource]]:
    found = [(bus, print_return(console, plan, bus)) for bus in plan.buses]
    return [(bus, audio) for bus, audio in found if audio is not None]


class _Contents:
    """The audio of an archive: recordings, then returns, with their names."""

    def __init__(
        self,
        plan: MixPlan,
        recordings: Sequence[PrintedRecording],
        returns: Sequence[tuple[Bus, AudioSource]],
    ) -> None:
        self.recordings = recordings
        self.return_audio = {bus.name: audio for bus, audio in returns}
        self.return_names = {bus.name: f"{bus.name} return" for bus in plan.buses}
        names = [track.strip.name for track in recordings]
        names += [self.return_names[bus] for bus in self.return_audio]
        self._paths = [f"audio/{name}" for name in audio_file_names(names)]

    def list_clips(self) -> list[tuple[PrintedRecording, Clip]]:
        """The recordings with their clips."""
        pairs = zip(self.recordings, self._paths, strict=False)
        return [
            (track, Clip(path=path, audio=track.audio, start_frame=track.start_frame))
            for track, path in pairs
        ]

    def return_track(self, bus: Bus) -> ReturnTrack:
        """The track that plays the return of a bus, with the channel that its sends lead to."""
        paths = dict(zip(self.return_audio, self._paths[len(self.recordings) :], strict=True))
        name, clip = self.return_names[bus.name], None
        if bus.name in paths:
            clip = Clip(path=paths[bus.name], audio=self.return_audio[bus.name])
        instead = f"; mute {name}, which plays the return of automix" if clip else ""
        how = (
            "To process it in the DAW, unmute"
            if bus.parallel
            else "To use a reverb of your own, put it here and unmute"
        )
        return ReturnTrack(
            bus=bus,
            clip=clip,
            name=name,
            comment=f"{_describe_bus(bus)}. {how} this channel{instead}.",
        )

    def list_entries(self) -> list[AudioEntry]:
        """All audio files in the order of the archive."""
        whole = [(track.audio, track.bits) for track in self.recordings]
        whole += [(audio, "32f") for audio in self.return_audio.values()]
        return [
            AudioEntry(path=path, source=audio, bits=bits)
            for path, (audio, bits) in zip(self._paths, whole, strict=True)
        ]

    def list_tracks(self) -> list[ExportedTrack]:
        """The tracks as the caller is told of them."""
        return [
            ExportedTrack(
                name=track.strip.name,
                file=clip.path,
                channels=track.audio.channels,
                bits=track.bits,
                volume_db=track.volume_db,
                audio_gain_db=track.audio_gain_db,
                pan=track.strip.pan,
                mute=track.strip.mute,
                devices=tuple(row.device.name for row in track.devices if row.device),
                printed=track.printed,
            )
            for track, clip in self.list_clips()
        ]


def _describe_bus(bus: Bus) -> str:
    others = "".join(
        f", {row.title} ({describe_settings(row.of(bus))})"
        for row in active_at(bus, "before", "after")
        if row.device is None
    )
    return (
        f"{describe_return(bus)}, pre-delay {bus.pre_delay_ms:g} ms,"
        f" return {bus.gain_db:+.2f} dB{others}"
    )


def _list_left_out(
    plan: MixPlan, recordings: Sequence[PrintedRecording], *, dry: bool
) -> list[str]:
    missing = [
        f"{recording.strip.name}: {what}" for recording in recordings for what in recording.left_out
    ]
    missing += [f"{bus.name}: {_describe_bus(bus)}" for bus in plan.buses] if dry else []
    of_master = active_at(plan.master, "filter", "gain")
    return missing + [f"master: {row.title}" for row in of_master if row.device is None]


def _list_automated(plan: MixPlan) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for owner, part, _, ride in list_rides(plan):
        if ride.setting.partition(".")[0] not in {row.name for row in processors_of(type(part))}:
            found[owner] = (*found.get(owner, ()), ride.setting)
    return found


_CENTER_DB = {"linear": -6.0, "constant-power": -3.0, "compromise": -4.5}


def _make_notes(
    plan: MixPlan, recordings: Sequence[PrintedRecording], max_fader_db: float
) -> list[str]:
    notes = []
    if any(track.audio.channels == 1 for track in recordings):
        notes.append(
            f"the plan's pan law puts mono tracks at {_CENTER_DB[plan.pan_law]:g} dB in the center;"
            " the format has no pan law: choose the same in the DAW"
        )
    if any(track.devices for track in recordings) or not _is_plain(plan):
        notes.append(
            "equalizers, compressors and limiters become the DAW's own, which sound similar, not"
            " the same; --to stems keeps the sound"
        )
    if plan.buses:
        notes.append(
            "the channels that sends lead to are muted: they wait for a reverb"
            if not any(bus.parallel for bus in plan.buses)
            else "the channels that sends lead to are muted, as their returns have tracks"
        )
    highest_db = max((track.highest_db for track in recordings), default=0.0)
    if highest_db > USUAL_MAX_FADER_DB and max_fader_db == math.inf:
        notes.append(
            f"a fader is at {highest_db:+.1f} dB, where those of many DAWs end at"
            f" {USUAL_MAX_FADER_DB:+g} dB: --max-fader {USUAL_MAX_FADER_DB:g} puts the rest into"
            " the audio"
        )
    gain_db = plan.master.gain_db + find_highest_db(plan.master.rides, "gain_db")
    if gain_db > min(max_fader_db, USUAL_MAX_FADER_DB) and plan.master.limiter.is_neutral:
        notes.append(f"the master's fader is at {gain_db:+.2f} dB, more than many DAWs have")
    if plan.master.rides and plan.master.limiter.is_active:
        notes.append(
            "the ride of the master moves the input gain of its limiter, as it comes before it"
        )
    for track in recordings:
        threshold_db = track.strip.compressor.threshold_db + track.audio_gain_db
        if COMPRESSOR in track.devices and threshold_db > 0.0 and track.audio_gain_db:
            notes.append(
                f"{track.strip.name}: compressor threshold {threshold_db:+.1f} dB, more than"
                " many compressors have"
            )
    return notes


def _is_plain(plan: MixPlan) -> bool:
    return replace(plan.master, gain_db=0.0, rides=()) == Master()
