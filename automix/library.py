"""The library: what ``import automix`` offers, and what the command line and `automix batch` call.

```python
import automix

mix = automix.mix_vocal("vox.wav", "beat.wav", preset="studio")
mix.write("mix.wav")
mix.plan.save("mix.toml")
```
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from automix.audio.blocks import pad
from automix.audio.resampling import resample
from automix.audio.samples import Audio
from automix.checking.song import SongCheck, check_session
from automix.consoles.exact import ExactConsole
from automix.errors import UsageError
from automix.inputs import Inputs, keep_inputs
from automix.mixing.candidates import draw_candidates
from automix.mixing.inputs import (
    BACKING,
    VOCAL,
    SongInputs,
    check_song,
    find_inputs,
    inputs_of_plan,
)
from automix.mixing.mix import Mix
from automix.mixing.outcome import SongOutcome
from automix.mixing.renderer import open_renderer
from automix.mixing.request import (
    Delivery,
    PlanRequest,
    SongRequest,
    StemsRequest,
    VocalRequest,
    add_macros,
)
from automix.mixing.song import Guard, run_song, unguarded
from automix.mixing.spine import Report, choose_target, prepare_mixer, render_plan, silent
from automix.plan.macros import Macros
from automix.plan.model import MixPlan
from automix.plan.roles import Role
from automix.session.roles.naming import describe_new_names, make_unreserved_name
from automix.session.song_folder import name_roles
from automix.session.tracks import Session, Track

if TYPE_CHECKING:
    from automix.evaluation.mixes import EvaluatedMix
    from automix.explanation.explaining import Explanation

PathLike = str | os.PathLike[str]
Signal = NDArray[Any] | Audio
"""Samples in memory: ``(frames,)``, ``(channels, frames)``, or an `Audio` that has a rate."""


def mix_vocal(
    vocal: PathLike | Signal,
    backing: PathLike | Signal,
    *,
    sample_rate: int | None = None,
    **options: Any,
) -> Mix:
    """Mixes a lead vocal over a finished backing track.

    Args:
        vocal: File of the vocal, or its samples.
        backing: File of the backing track, or its samples.
        sample_rate: Frames per second of samples that are given as arrays.
        **options: The options of ``automix vocal``, see `automix.VocalRequest`: ``method``,
            ``preset``, ``level``, ``loudness``, ``reference``, ``changes`` and so on.

    Returns:
        The mix: its plan, its audio, its loudness, and what writes it to a file.

    Raises:
        AutomixError: An option or an input cannot be used; the message says why.

    Example:
        >>> import numpy as np, automix
        >>> rate = 44100
        >>> time_s = np.arange(3 * rate) / rate
        >>> vocal = 0.2 * np.sin(2 * np.pi * 440 * time_s)
        >>> backing = 0.1 * np.sin(2 * np.pi * 110 * time_s)
        >>> mix = automix.mix_vocal(vocal, backing, sample_rate=rate, method="sum")
        >>> mix.audio.samples.shape[0]
        2
    """
    if isinstance(vocal, str | os.PathLike) and isinstance(backing, str | os.PathLike):
        return mix(VocalRequest(vocal=Path(vocal), backing=Path(backing), **options))
    if isinstance(vocal, str | os.PathLike) or isinstance(backing, str | os.PathLike):
        raise UsageError("give both the vocal and the backing as files, or both as samples")
    tracks: dict[str, tuple[Audio, Role]] = {
        VOCAL: (_audio(vocal, sample_rate), "lead vocal"),
        BACKING: (_audio(backing, sample_rate), "backing track"),
    }
    return mix_session(_session(tracks), VocalRequest(**options))


def mix_stems(
    song: "PathLike | Sequence[PathLike] | Session | Mapping[str, Signal]",
    *,
    sample_rate: int | None = None,
    **options: Any,
) -> Mix:
    """Mixes the tracks of a song.

    Args:
        song: Folder of the song, its audio files, a session file, an opened `Session`, or samples
            by name of the track.
        sample_rate: Frames per second of samples that are given as arrays.
        **options: The options of ``automix stems``, see `automix.StemsRequest`: ``mode``,
            ``method``, ``role``, ``loudness``, ``reference``, ``changes`` and so on.

    Returns:
        The mix: its plan, its audio, its loudness, and what writes it to a file.

    Raises:
        AutomixError: An option or an input cannot be used; the message says why.

    Example:
        >>> import numpy as np, automix
        >>> rng = np.random.default_rng(1)
        >>> tracks = {name: 0.1 * rng.standard_normal(44100) for name in ("bass", "drums")}
        >>> mix = automix.mix_stems(tracks, sample_rate=44100, method="equal-loudness")
        >>> [strip.role for strip in mix.plan.tracks]
        ['bass', 'drums']
    """
    if isinstance(song, Session):
        return mix_session(song, StemsRequest(**options))
    if isinstance(song, Mapping):
        request = StemsRequest(**options)
        audio = {name: _audio(signal, sample_rate) for name, signal in song.items()}
        roles = name_roles(list(audio), request.roles())
        return mix_session(_session({n: (audio[n], roles[n]) for n in audio}), request)
    paths = (song,) if isinstance(song, str | os.PathLike) else tuple(song)
    return mix(StemsRequest(song=tuple(Path(path) for path in paths), **options))


def check(
    song: "PathLike | Sequence[PathLike] | Session | Mapping[str, Signal]",
    *,
    sample_rate: int | None = None,
    **options: Any,
) -> SongCheck:
    """Listens to the takes of a song before it is mixed, and says what is wrong with each.

    Files are heard as they are, at their own rates and lengths. Of tracks in memory, the lengths
    and the sample rates are not judged.

    Args:
        song: Folder of the song, its audio files, a session file, an opened `Session`, or samples
            by name of the track.
        sample_rate: Frames per second of samples that are given as arrays.
        **options: The options of ``automix check``: ``role``, ``recursive``, ``strict``,
            ``repair``, ``allow_truncated``, see `automix.StemsRequest`.

    Returns:
        What was found, the worst first; ``is_sound`` tells whether nothing is wrong.

    Raises:
        AutomixError: An option or an input cannot be used; the message says why.

    Example:
        >>> import numpy as np, automix
        >>> tone = 0.1 * np.sin(0.1 * np.arange(44100))
        >>> checked = automix.check({"bass": tone, "keys": tone + 0.05}, sample_rate=44100)
        >>> [(found.track, found.check) for found in checked.findings if found.check == "offset"]
        [('keys', 'offset')]
    """
    request = StemsRequest(**options)
    if isinstance(song, Session):
        return check_session("session", song)
    if isinstance(song, Mapping):
        audio = {name: _audio(signal, sample_rate) for name, signal in song.items()}
        roles = name_roles(list(audio), request.roles())
        return check_session("session", _session({n: (audio[n], roles[n]) for n in audio}))
    paths = (song,) if isinstance(song, str | os.PathLike) else tuple(song)
    request = replace(request, song=tuple(Path(path) for path in paths))
    with keep_inputs():
        return check_song(request)


def render(plan: "PathLike | MixPlan", **options: Any) -> Mix:
    """Renders a plan, as it is or with changes.

    The same plan and the same files give the same samples.

    Args:
        plan: File of the plan, or a plan whose tracks name their files by absolute paths, as that
            of a `Mix` and `MixPlan.load` do.
        **options: The options of ``automix render``, see `automix.PlanRequest`: ``changes``,
            ``vocals``, ``reverb``, ``width``, ``brightness``, ``console`` and so on.

    Raises:
        AutomixError: The plan or a file of it cannot be used; the message says why.

    Example:
        >>> mix = automix.render("mix.toml", vocals=+2)  # doctest: +SKIP
    """
    if isinstance(plan, MixPlan):
        request = PlanRequest(allow_outside=True, **options)
        return _render(request, inputs_of_plan(request, plan, Path()), silent)
    return mix(PlanRequest(plan=Path(plan), **options))


def mix(request: SongRequest, *, report: Report = silent) -> Mix:
    """Mixes what a request asks for, without writing a file.

    Args:
        request: A `VocalRequest`, a `StemsRequest` or a `PlanRequest` with its files.
        report: Told the name of each stage as it begins.

    Raises:
        AutomixError: Something that the request names cannot be used.
    """
    if not isinstance(request, PlanRequest | VocalRequest | StemsRequest):
        raise TypeError(f"{type(request).__name__} is no request of a mix")
    with keep_inputs() as kept:
        if isinstance(request, PlanRequest):
            made = _render(request, find_inputs(request), report)
        else:
            mixer, inputs = prepare_mixer(request), find_inputs(request)
            report("reading")
            made = mixer(inputs.open(), report)
    return _remember(made, kept)


def _remember(mix: Mix, kept: Inputs) -> Mix:
    """The mix with the files that it was made from."""
    return replace(mix, inputs=tuple(dict.fromkeys(absolute for _, absolute in kept.values())))


def _render(request: PlanRequest, inputs: SongInputs, report: Report) -> Mix:
    renderer = open_renderer(request)
    plan = inputs.plan or MixPlan()
    report("reading")
    return render_plan(
        inputs.open(),
        plan,
        macros=request.macros(),
        target=choose_target(request, plan),
        renderer=renderer,
        report=report,
    )


def mix_session(session: Session, request: VocalRequest | StemsRequest) -> Mix:
    """Mixes tracks that are at hand, as a request asks for; files that it names are not opened.

    Raises:
        AutomixError: The session does not suit the method, or an option cannot be used.
    """
    with keep_inputs() as kept:
        made = prepare_mixer(request)(session, silent)
    return _remember(made, kept)


def mix_song(
    request: SongRequest,
    delivery: Delivery,
    *,
    report: Report = silent,
    guard: Guard = unguarded,
    number: int | None = None,
) -> SongOutcome:
    """Mixes a song and writes the files that are asked for: what every command does.

    Args:
        request: A `VocalRequest`, a `StemsRequest` or a `PlanRequest` with its files.
        delivery: Where the mix, its plan, its stems and its report go.
        report: Told the name of each stage as it begins.
        guard: Given what removes an unfinished file, makes a context in which that is called if a
            signal ends the program.
        number: Which of several mixes of the song this is: it goes into the names of its files.

    Raises:
        AutomixError: An option, an input, an output, weights, a device or a plug-in cannot be used;
            the message names it and the remedy.
    """
    return run_song(
        request, delivery, make_page=_make_page, report=report, guard=guard, number=number
    )


def _make_page(name: str, mix: Mix, outcome: SongOutcome) -> str:
    from automix.report.page import make_report  # only now: few mixes want a report

    return make_report(name, mix, outcome)


def explain(plan: "PathLike | MixPlan") -> "Explanation":
    """Says why a mix is as it is: what stands out, and what was done from which figures.

    Args:
        plan: File of the plan, or a plan whose tracks name their files by absolute paths.

    Raises:
        AutomixError: The plan or a file of it cannot be used.
    """
    from automix.explanation.explaining import explain as explain_plan

    request = PlanRequest(allow_outside=True)
    opened = plan if isinstance(plan, MixPlan) else MixPlan.load(plan)
    session = inputs_of_plan(request, opened, Path()).open()
    return explain_plan(ExactConsole(session), opened)


def evaluate(mixes: Sequence[PathLike], target: PathLike | None = None) -> "list[EvaluatedMix]":
    """Measures mixes, and how far each is from a target such as the artist's own mix.

    Args:
        mixes: Audio files.
        target: Audio file that they are compared with.

    Raises:
        InputError: A file cannot be used.
    """
    from automix.evaluation.mixes import Excerpt, evaluate_mixes

    files = [Path(path) for path in mixes]
    return list(evaluate_mixes(files, Path(target) if target else None, Excerpt()))


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One of several mixes of a song.

    Attributes:
        macros: How it departs from the mix as it is.
        outcome: How it was made.
    """

    macros: Macros
    outcome: SongOutcome


def mix_candidates(
    request: VocalRequest | StemsRequest,
    delivery: Delivery,
    count: int,
    *,
    guard: Guard = unguarded,
    report: Callable[[int, Macros], None] = lambda number, macros: None,
) -> list[Candidate]:
    """Writes several mixes of a song that differ audibly, the first as the request wants it.

    Args:
        request: What is asked; its seed draws the differences.
        delivery: Where the mixes go; their numbers are added to the names of the files.
        count: How many mixes.
        guard: As for `mix_song`.
        report: Told the number of each mix before it is made, and how it departs.

    Raises:
        UsageError: The method makes no plan, or the delivery asks for what one mix alone can have.
        AutomixError: As for `mix_song`.
    """
    for option, given in (
        ("--dry-run", delivery.dry_run),
        ("--export-stems", delivery.export_stems),
        ("--report", delivery.report),
        ("--skip-existing", delivery.skip_existing),
        ("--no-plan", delivery.no_plan),
    ):
        if given:
            raise UsageError(f"{option} goes with one mix: render the candidate that you choose")
    if request.row.makes != "plan":
        raise UsageError(f"--candidates needs a plan, and --method {request.method} makes none")
    first = mix_song(request, delivery, guard=guard, number=1)
    drawn = draw_candidates(first.plan or MixPlan(), count, request.seed)
    made = [Candidate(macros=drawn[0], outcome=first)]
    for number, macros in enumerate(drawn[1:], 2):
        report(number, macros)
        other = add_macros(request, macros)
        outcome = mix_song(other, delivery, guard=guard, number=number)
        made.append(Candidate(macros=macros, outcome=outcome))
    return made


def _audio(signal: Signal, sample_rate: int | None) -> Audio:
    if isinstance(signal, Audio):
        return signal
    if sample_rate is None:
        raise UsageError("say the sample_rate of samples that are given as arrays")
    return Audio(np.asarray(signal, np.float32), sample_rate)


def _session(tracks: Mapping[str, tuple[Audio, Role]]) -> Session:
    """A session of audio in memory: at the highest rate, padded to the longest track."""
    names = {name: make_unreserved_name(name, tracks) for name in tracks}
    rate = max(audio.sample_rate for audio, _ in tracks.values())
    sources = {name: resample(audio, rate) for name, (audio, _) in tracks.items()}
    frames = max(source.frames for source in sources.values())
    return Session(
        tracks=tuple(
            Track(name=names[name], role=role, source=pad(sources[name], frames))
            for name, (_, role) in tracks.items()
        ),
        notes=tuple(describe_new_names(names)),
    )
