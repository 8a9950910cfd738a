"""What is asked of a song, and where the result goes: the one declaration of every option.

A request is a value: the command line, `automix batch` and the library build one, it is checked
when it is built, and it is carried as it is. The fields of a request are the options of its
command; their names, ranges, units, defaults and help texts stand here and nowhere else.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from automix.errors import UsageError
from automix.methods.catalog import MODES, STEMS_METHODS, VOCAL_METHODS, Method, find_method
from automix.methods.rides.kinds import ALL, RIDE_KINDS, RideKind, choose_kinds
from automix.methods.stems.settings import DEFAULT as BALANCED
from automix.methods.stems.settings import PRESETS as TASTES
from automix.methods.stems.settings import StemsRules
from automix.methods.vocal.settings import PRESETS, VocalRules
from automix.plan.assignment import Change, parse_assignment
from automix.plan.loudness import LoudnessTarget
from automix.plan.macros import Macros
from automix.plan.parameters import FileName, Parameter, Range, Settings, parameters


@dataclass(frozen=True, kw_only=True)
class Option:
    """How a field is given on the command line.

    Attributes:
        flag: Its long name, where that is not the name of the field.
        short: Its short name, such as ``-o``.
        metavar: What stands for the value in help texts.
        unset: What applies where the option is not given, for help texts.
        choices: The values that it may have, where they are words.
        sets: Class and name of the setting that it sets, whose range and unit it has.
        argument: Whether it is given by its place and not by its name.
        hidden: Whether it is for the library alone.
    """

    flag: str = ""
    short: str = ""
    metavar: str = ""
    unset: str = ""
    choices: tuple[str, ...] = ()
    sets: tuple[type[Settings], str] | None = None
    argument: bool = False
    hidden: bool = False

    def range_of(self, parameter: Parameter) -> Range | None:
        """The legal interval of the field, its own or that of the setting that it sets."""
        if self.sets is None:
            return parameter.range
        owner, name = self.sets
        return parameters(owner)[name].range


def option_of(parameter: Parameter) -> Option:
    """How a field of a request is given."""
    return next((note for note in parameter.notes if isinstance(note, Option)), Option())


def flag_of(parameter: Parameter) -> str:
    """The long name of a field's option, such as ``--true-peak``."""
    return option_of(parameter).flag or "--" + parameter.name.replace("_", "-")


_METHOD_HELP = "How to mix. "


def _summaries(methods: tuple[Method, ...]) -> str:
    return _METHOD_HELP + "; ".join(f"{row.name}: {row.summary}" for row in methods) + "."


def _names(methods: tuple[Method, ...]) -> tuple[str, ...]:
    return tuple(row.name for row in methods)


def _levels() -> str:
    levels = {name: rules.relative_loudness_lu for name, rules in PRESETS.items()}
    return ", ".join(f"{name} {level:g}" for name, level in levels.items())


@dataclass(frozen=True, kw_only=True)
class SongRequest(Settings):
    """What may be asked of any mix, however it came about.

    Raises:
        UsageError: An option has no legal value, or contradicts another.
    """

    changes: Annotated[
        tuple[str, ...],
        FileName(),
        Option(flag="--set", metavar="SETTING=VALUE"),
        "Change a setting of the plan, as vocal.pan=0.4 or vocal.fader_db+=2 (dB). May be given"
        " several times; --dry-run shows all settings.",
    ] = ()
    vocals: Annotated[
        float | None,
        Option(metavar="DB", sets=(Macros, "vocals_db")),
        "All vocals louder or softer, as +2 or -1.5.",
    ] = None
    reverb: Annotated[
        str | None,
        Option(metavar="PERCENT", sets=(Macros, "reverb_percent")),
        "More or less reverb, as +50% or -30%.",
    ] = None
    width: Annotated[
        str | None,
        Option(metavar="PERCENT", sets=(Macros, "width_percent")),
        "Tracks further to the sides or to the center, as +20% or -50%.",
    ] = None
    brightness: Annotated[
        float | None,
        Option(metavar="DB", sets=(Macros, "brightness_db")),
        "A brighter or darker mix, as +1.5 or -2.",
    ] = None
    loudness: Annotated[
        float | None,
        Option(metavar="LUFS", unset="as it comes", sets=(LoudnessTarget, "loudness_lufs")),
        "Integrated loudness of the mix, with a limiter where it needs one.",
    ] = None
    true_peak: Annotated[
        float | None,
        Option(metavar="DBTP", unset="-1", sets=(LoudnessTarget, "true_peak_dbtp")),
        "The true peak of the mix stays below this.",
    ] = None
    no_rides: Annotated[bool, "Leave all rides out: nothing moves in the mix."] = False
    console: Annotated[
        str,
        FileName(),
        Option(metavar="NAME"),
        "exact; or neural: a network imitates the equalizer, compressor and space of each strip, as"
        " the thesis rendered. Or weights, as for automix apply.",
    ] = "exact"
    device: Annotated[
        str,
        Option(metavar="DEVICE"),
        "auto, cpu, cuda or cuda:N. auto takes CUDA where there is one.",
    ] = "auto"
    plugins: Annotated[
        Path | None,
        Option(metavar="FOLDER"),
        "Render through the IEM VST3 plug-ins in this folder: MultiEQ, OmniCompressor and"
        " FdnReverb.",
    ] = None
    on_plugin_error: Annotated[
        Literal["fail", "skip"],
        "When a plug-in fails: fail with exit code 6, or skip it for the built-in processor.",
    ] = "fail"
    strict: Annotated[bool, "Refuse files whose header contradicts their content."] = False
    repair: Annotated[
        bool,
        "Replace NaN, infinite and impossibly high samples by zero; read on where a header is"
        " wrong.",
    ] = False
    allow_truncated: Annotated[
        bool, "Use what is left of a coded file (FLAC, MP3, Ogg, M4A …) that was cut off."
    ] = False

    def __post_init__(self) -> None:
        _coerce_fields(self)
        super().__post_init__()
        for parameter in parameters(type(self)).values():
            self._check_option(parameter)
        if self.plugins is not None and self.console != "exact":
            raise UsageError("--plugins and --console: choose one")
        self.parsed_changes()
        self.macros()

    def _check_option(self, parameter: Parameter) -> None:
        """Checks what the declaration of another setting says of a field."""
        option, value = option_of(parameter), getattr(self, parameter.name)
        flag = flag_of(parameter)
        for word in value if parameter.many else (value,):
            if option.choices and word not in option.choices:
                raise UsageError(f"{flag} {word}: choose {', '.join(option.choices)}")
        if option.sets is None or value is None or isinstance(value, str):
            return
        owner, name = option.sets
        try:
            parameters(owner)[name].check(value)
        except UsageError as error:
            raise UsageError(f"{flag}: {error}") from error

    def parsed_changes(self) -> list[tuple[str, Change]]:
        """Address and change of each setting that is to be changed, in order.

        Raises:
            PlanError: One is not of the form ``NAME.setting=VALUE``.
        """
        return [parse_assignment(change) for change in self.changes]

    def macros(self) -> Macros:
        """The macro controls.

        Raises:
            UsageError: One is not a number, or out of range.
        """
        macros = Macros()
        for parameter in parameters(type(self)).values():
            sets, value = option_of(parameter).sets, getattr(self, parameter.name)
            if sets is None or sets[0] is not Macros or value is None:
                continue
            flag = flag_of(parameter)
            try:
                number = float(value.strip().removesuffix("%") if isinstance(value, str) else value)
            except ValueError:
                raise UsageError(f"{flag} {value}: write a percentage, as +20% or -30%") from None
            try:
                macros = replace(macros, **{sets[1]: number})
            except UsageError as error:
                raise UsageError(f"{flag}: {error}") from error
        return macros

    def loudness_target(self, base: LoudnessTarget | None = None) -> LoudnessTarget:
        """How loud the mix is to leave: as the options say, and else as ``base`` does."""
        given = {"loudness_lufs": self.loudness, "true_peak_dbtp": self.true_peak}
        return replace(
            base or LoudnessTarget(), **{n: v for n, v in given.items() if v is not None}
        )

    def given(self) -> dict[str, Any]:
        """What was asked for beyond the defaults, by field, as values that JSON has words for."""
        return {
            parameter.name: _plain(getattr(self, parameter.name))
            for parameter in parameters(type(self)).values()
            if getattr(self, parameter.name) != parameter.default
        }


@dataclass(frozen=True, kw_only=True)
class MethodRequest(SongRequest):
    """What may be asked of a mix that a method makes."""

    method: Annotated[str, "Name of the method."] = "rules"
    weights: Annotated[str | None, Option(metavar="WEIGHTS"), "Weights of the network."] = None
    reference: Annotated[
        tuple[Path, ...],
        Option(metavar="FILE"),
        "Mix towards this finished mix, of this song or another, in loudness, dynamics, spectrum"
        " and stereo image. May be given several times.",
    ] = ()
    reference_weight: Annotated[
        tuple[float, ...],
        Range(0, 1e6),
        Option(metavar="N", unset="1"),
        "How much each --reference counts, in their order; 0 or more.",
    ] = ()
    amount: Annotated[
        float,
        Range(0, 100, "%"),
        Option(metavar="PERCENT"),
        "How far the mix goes towards the reference; 0 is the mix without it.",
    ] = 100.0
    rides: Annotated[
        tuple[str, ...],
        Option(
            metavar="KIND",
            choices=(*RIDE_KINDS, ALL),
            unset="all with --preset studio or --mode full",
        ),
        "What moves: vocal holds the lead against the rest, phrase by phrase; sections raises a"
        " little what they bury; mutes fades noise between phrases out; or all. Repeatable.",
    ] = ()
    config: Annotated[
        Path | None,
        Option(metavar="TOML"),
        "File of constants of the rules, such as high_pass_hz = 100; they go over the preset.",
    ] = None
    constants: Annotated[
        dict[str, Any],
        Option(hidden=True),
        "Constants of the rules by name, as in a config file; they go over it.",
    ] = field(default_factory=dict)
    as_recorded: Annotated[
        bool,
        "Leave tracks as they were recorded: none is inverted or moved in time, and the time stamps"
        " of their files are not used.",
    ] = False
    seed: Annotated[
        int,
        Range(0, 2**32 - 1),
        Option(metavar="N"),
        "Another seed is another mix of --method random.",
    ] = 0

    methods: ClassVar[tuple[Method, ...]] = ()
    """The rows that ``method`` may name."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.method not in _names(self.methods):
            raise UsageError(f"--method {self.method}: choose {', '.join(_names(self.methods))}")
        row = self.row
        if self.weights and row.weights == "none":
            takers = " or ".join(row.name for row in self.methods if row.weights != "none")
            raise UsageError(f"--weights goes with --method {takers}, not with {row.name}")
        if self.reference_weight:
            if not self.reference:
                raise UsageError("--reference-weight goes with --reference")
            as_many = len(self.reference_weight) == len(self.reference)
            if not as_many or not any(self.reference_weight):
                raise UsageError(
                    "--reference-weight: give one for each --reference, not all of them 0"
                )
        if row.makes == "audio":
            self._check_needs_no_plan()
        self._check_rides()

    def _check_rides(self) -> None:
        """Refuses options of rides that contradict each other, or that nothing would come of."""
        flag = "--rides" if self.rides else "--no-rides" if self.no_rides else ""
        if self.rides and self.no_rides:
            raise UsageError("--rides and --no-rides contradict each other; choose one")
        ridden = [row for row in self.methods if row.ridden_with]
        if flag and self.row not in ridden:
            takers = " or ".join(row.name for row in ridden)
            raise UsageError(f"{flag} goes with --method {takers}, not with {self.method}")
        if self.no_rides and self.variant not in self.row.ridden_with:
            raise UsageError(
                f"--no-rides goes with --{self.row.variant} {' or '.join(self.row.ridden_with)}:"
                f" {self.variant} writes no rides unless --rides asks for them"
            )

    @property
    def ride_kinds(self) -> frozenset[RideKind]:
        """The kinds of rides that are written."""
        usual = (ALL,) if self.variant in self.row.ridden_with else ()
        return frozenset() if self.no_rides else choose_kinds(self.rides or usual)

    def _check_needs_no_plan(self) -> None:
        for option, given in (
            ("--set", self.changes),
            ("--reference", self.reference),
            (self.macros().described(), self.macros() != Macros()),
            ("--console", self.console != "exact"),
            ("--plugins", self.plugins),
        ):
            if given:
                raise UsageError(f"{option} needs a plan, and --method {self.method} makes none")

    @property
    def row(self) -> Method:
        """The method's row of the catalog."""
        return find_method(self.methods, self.method)

    def named(self) -> dict[str, str]:
        """What the names of outputs may hold of the request."""
        return {"method": self.method}

    @property
    def variant(self) -> str:
        """What the plan records as its preset."""
        return str(getattr(self, self.row.variant)) if self.row.variant else ""

    @property
    def taste(self) -> str:
        """What the plan records as its taste."""
        return ""


@dataclass(frozen=True, kw_only=True)
class VocalRequest(MethodRequest):
    """A lead vocal over a finished backing track.

    The two files may be left out where the audio itself is at hand; see `automix.mix_vocal`.
    """

    vocal: Annotated[
        Path | None, Option(metavar="VOCAL", argument=True), "File of the lead vocal."
    ] = None
    backing: Annotated[
        Path | None, Option(metavar="BEAT", argument=True), "File of the finished backing track."
    ] = None
    method: Annotated[str, Option(choices=_names(VOCAL_METHODS)), _summaries(VOCAL_METHODS)] = (
        "rules"
    )
    preset: Annotated[
        str,
        Option(choices=tuple(PRESETS)),
        "Constants of --method rules and cnn: those of Li and Lerch's paper or poster, or studio,"
        " which repairs what measurement shows to be weak in them.",
    ] = "studio"
    level: Annotated[
        float | None,
        Option(
            metavar="LU",
            unset=f"of the preset: {_levels()}",
            sets=(VocalRules, "relative_loudness_lu"),
        ),
        "Loudness of the vocal minus that of the beat.",
    ] = None
    tempo: Annotated[
        float | None,
        Option(metavar="BPM", unset="measured", sets=(VocalRules, "tempo_bpm")),
        "Tempo of the beat; it sets the reverberation time.",
    ] = None
    weights: Annotated[
        str | None,
        FileName(),
        Option(metavar="WEIGHTS", unset="wide"),
        "Networks of --method cnn: wide or paper, which ship, or a folder of automix train vocal"
        " --task all.",
    ] = None

    methods: ClassVar[tuple[Method, ...]] = VOCAL_METHODS

    def named(self) -> dict[str, str]:
        """What the names of outputs may hold of the request."""
        return {"method": self.method, "preset": self.preset}


@dataclass(frozen=True, kw_only=True)
class StemsRequest(MethodRequest):
    """The tracks of a song.

    The files may be left out where a session is at hand; see `automix.mix_stems`.
    """

    song: Annotated[
        tuple[Path, ...],
        Option(metavar="SONG", argument=True),
        "Folder of the song, its audio files, or a session file (.toml).",
    ] = ()
    mode: Annotated[
        str,
        Option(choices=MODES, sets=(StemsRules, "mode")),
        "basic sets gain and pan; full also tone, dynamics, width and space.",
    ] = "basic"
    preset: Annotated[
        str,
        Option(choices=tuple(TASTES)),
        "Taste of --method rules and dmc: balanced; natural, which leaves most as it was played;"
        " modern: bright, dense and wide; intimate: close and dry, with the voice in front.",
    ] = BALANCED
    no_tone: Annotated[
        bool,
        Option(sets=(StemsRules, "no_tone")),
        "Leave the equalizers of --mode full out.",
    ] = False
    no_dynamics: Annotated[
        bool,
        Option(sets=(StemsRules, "no_dynamics")),
        "Leave the gates, compressors and saturation of --mode full out.",
    ] = False
    no_width: Annotated[
        bool, Option(sets=(StemsRules, "no_width")), "Leave the wideners of --mode full out."
    ] = False
    no_space: Annotated[
        bool,
        Option(sets=(StemsRules, "no_space")),
        "Leave the reverbs and delays of --mode full out.",
    ] = False
    focus: Annotated[
        tuple[str, ...],
        FileName(),
        Option(metavar="TRACK", sets=(StemsRules, "focus")),
        "Let a track stand out: 3 LU louder, and nearer. Repeatable.",
    ] = ()
    behind: Annotated[
        tuple[str, ...],
        FileName(),
        Option(metavar="TRACK", sets=(StemsRules, "behind")),
        "Let a track stand back: 3 LU softer, and further away. Repeatable.",
    ] = ()
    importance: Annotated[
        tuple[str, ...],
        FileName(),
        Option(metavar="TRACK=N", sets=(StemsRules, "importance")),
        "How many such steps a track stands out; below 0 back, as 'pad=-0.5'. Repeatable.",
    ] = ()
    method: Annotated[str, Option(choices=_names(STEMS_METHODS)), _summaries(STEMS_METHODS)] = (
        "rules"
    )
    weights: Annotated[
        str | None,
        FileName(),
        Option(metavar="FILE", unset="those of automix, for dmc"),
        "Weights for --method dmc or wave-u-net, as automix train writes them.",
    ] = None
    role: Annotated[
        tuple[str, ...],
        FileName(),
        Option(metavar="TRACK=ROLE"),
        "Say what a track is, such as 'lead=lead vocal'. Repeatable.",
    ] = ()
    recursive: Annotated[bool, "Look into the folders of the song's folder."] = False

    methods: ClassVar[tuple[Method, ...]] = STEMS_METHODS

    def __post_init__(self) -> None:
        super().__post_init__()
        self.roles()
        self._check_goes_together()

    def _check_goes_together(self) -> None:
        """Refuses options that this method or mode would take no notice of."""
        takers = " or ".join(row.name for row in self.methods if row.presets)
        for parameter in parameters(type(self)).values():
            sets, given = option_of(parameter).sets, getattr(self, parameter.name)
            is_taste = parameter.name == "preset" or (sets is not None and sets[0] is StemsRules)
            if parameter.name == "mode" or not is_taste or given == parameter.default:
                continue
            flag = flag_of(parameter)
            if not self.row.presets:
                raise UsageError(f"{flag} goes with --method {takers}, not with {self.method}")
            if parameter.kind is bool and self.mode != "full":
                raise UsageError(f"{flag} goes with --mode full: basic sets gain and pan only")

    @property
    def taste(self) -> str:
        """The preset, where it is not the usual one."""
        return "" if self.preset == BALANCED else self.preset

    def named(self) -> dict[str, str]:
        """What the names of outputs may hold of the request."""
        return {"method": self.method, "mode": self.mode, "preset": self.preset}

    def roles(self) -> dict[str, str]:
        """What tracks are said to be, by their names.

        Raises:
            UsageError: One is not of the form ``TRACK=ROLE``.
        """
        given = {}
        for role in self.role:
            track, equals, name = role.rpartition("=")
            if not equals or not track:
                raise UsageError(f"--role {role!r}: write TRACK=ROLE")
            given[track] = name
        return given


@dataclass(frozen=True, kw_only=True)
class PlanRequest(SongRequest):
    """A plan that is rendered, as it is or with changes.

    The file may be left out where the plan itself is at hand; see `automix.render`.
    """

    plan: Annotated[
        Path | None, Option(metavar="PLAN", argument=True), "File of a plan, such as mix.toml."
    ] = None
    allow_outside: Annotated[
        bool,
        "Read files outside the plan's folder even if they are not those that it was made from.",
    ] = False


@dataclass(frozen=True, kw_only=True)
class Delivery(Settings):
    """Where and how a mix is written; what is not given follows from the inputs.

    Raises:
        UsageError: An option has no legal value, or contradicts another.
    """

    output: Annotated[
        str | None,  # a `Path` would lose the slash that says folder
        FileName(),
        Option(short="-o", metavar="PATH"),
        "File to write, its format by its extension: wav, flac, ogg, mp3, m4a, aiff, w64, rf64. Or"
        " a folder, if it exists or ends in /.",
    ] = None
    name: Annotated[
        str | None,
        FileName(),
        Option(metavar="NAME", unset="{song}.mix.{ext}"),
        "Name of the file where -o is a folder, with {song}, {method}, {preset} or {mode}, and"
        " {ext}.",
    ] = None
    bits: Annotated[
        Literal["16", "24", "32f"] | None,
        Option(unset="of the plan; of a new plan, the most among the inputs"),
        "Bits per sample of wav, aiff and flac; 32f is float, which flac has not.",
    ] = None
    force: Annotated[bool, Option(short="-f"), "Overwrite existing files."] = False
    skip_existing: Annotated[
        bool,
        "Do nothing if the mix is there already, made from the same inputs and settings. With -f,"
        " what differs is mixed again; without, it is an error.",
    ] = False
    no_plan: Annotated[bool, "Write no plan beside the mix."] = False
    export_stems: Annotated[
        Path | None,
        Option(metavar="FOLDER"),
        "Write each track as it is in the mix to this folder; they sum to the mix.",
    ] = None
    report: Annotated[
        Path | None,
        Option(metavar="FILE.html"),
        "Write a report: one page to read and hear what was done. It needs no network.",
    ] = None
    dry_run: Annotated[bool, "Print the plan and write no file."] = False

    def __post_init__(self) -> None:
        _coerce_fields(self)
        super().__post_init__()
        if self.skip_existing and self.no_plan:
            raise UsageError("--skip-existing needs the plan beside the mix: leave --no-plan out")
        if self.report is not None and self.report.suffix.lower() not in (".html", ".htm"):
            raise UsageError(f"--report {self.report}: a report is a page; name it .html")


def _coerce_fields(asked: Settings) -> None:
    """Gives each field its type where it is plain what is meant, and checks it.

    Raises:
        UsageError: A field has no legal value; names its option.
    """
    for parameter in parameters(type(asked)).values():
        value = _coerce(parameter, getattr(asked, parameter.name))
        object.__setattr__(asked, parameter.name, value)
        try:
            parameter.check(value)
        except UsageError as error:
            raise UsageError(f"{flag_of(parameter)}: {error}") from error


def _coerce(parameter: Parameter, value: Any) -> Any:
    """A value in the type of its field, where it is plain what is meant."""
    if parameter.many:
        if isinstance(value, Mapping):  # settings with their values
            value = [f"{address}={_format_toml(new)}" for address, new in value.items()]
        elif value is None:
            value = ()
        elif isinstance(value, str | os.PathLike | float | int):
            value = (value,)
        return tuple(_coerce_one(parameter, item) for item in value)
    return _coerce_one(parameter, value)


def _coerce_one(parameter: Parameter, value: Any) -> Any:
    if parameter.kind is Path and isinstance(value, str | os.PathLike):
        return Path(value)
    if parameter.kind is str and isinstance(value, os.PathLike):
        return os.fspath(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if parameter.kind is str and is_number else value


def _format_toml(value: object) -> str:
    """A value as TOML has it."""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return os.fspath(value) if isinstance(value, os.PathLike) else value


Mixes = TypeVar("Mixes", bound=SongRequest)


def add_macros(request: Mixes, macros: Macros) -> Mixes:
    """A request with macro controls over those that it has."""
    own = request.macros()
    changes = {}
    for parameter in parameters(type(request)).values():
        sets = option_of(parameter).sets
        if sets is not None and sets[0] is Macros:
            changes[parameter.name] = getattr(own, sets[1]) + getattr(macros, sets[1])
    return replace(request, **changes)
