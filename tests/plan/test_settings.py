"""What the `Settings` base checks, and what every settings class of the package declares."""

import importlib
import math
import pkgutil
from dataclasses import MISSING, FrozenInstanceError, dataclass, replace
from typing import Annotated, Literal

import pytest

import automix
from automix.errors import UsageError
from automix.mixing.request import Delivery, SongRequest, option_of
from automix.plan.decision import Decision
from automix.plan.model import MixPlan
from automix.plan.parameters import Range, Settings, parameters

UNITS = {
    "_db": "dB",
    "_dbtp": "dBTP",
    "_db_s": "dB/s",
    "_lu": "LU",
    "_lufs": "LUFS",
    "_hz": "Hz",
    "_ms": "ms",
    "_s": "s",
    "_bpm": "BPM",
    "_percent": "%",
    "_octaves": "octaves",
}


@dataclass(frozen=True, kw_only=True)
class Inner(Settings):
    level_db: Annotated[float, Range(-10, 10, "dB"), "level"] = 0.0


@dataclass(frozen=True, kw_only=True)
class Example(Settings):
    ratio: Annotated[float, Range(1, 10), "ratio"] = 2.0
    count: Annotated[int, Range(0, 9), "count"] = 3
    active: Annotated[bool, "on"] = False
    word: Annotated[Literal["16", "24"], "a choice"] = "16"
    text: Annotated[str, "free"] = ""
    tempo_bpm: Annotated[float | None, Range(20, 400, "BPM"), "maybe"] = None
    inner: Inner = Inner()
    many: tuple[Inner, ...] = ()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("ratio", "2", "ratio must be a number"),
        ("ratio", True, "ratio must be a number"),
        ("ratio", None, "ratio must be a number"),
        ("ratio", 0.999, r"ratio = 0\.999 is outside 1 … 10"),
        ("ratio", 10.0000001, r"ratio = 10\.0000001 is outside 1 … 10"),
        ("ratio", 11, "ratio = 11 is outside"),
        ("ratio", 10**400, "is outside 1 … 10"),
        ("ratio", math.nan, "ratio must be finite, not nan"),
        ("ratio", math.inf, "ratio must be finite, not inf"),
        ("ratio", -math.inf, "ratio must be finite, not -inf"),
        ("count", 2.0, "count must be a whole number"),
        ("count", True, "count must be a whole number"),
        ("count", 10, "count = 10 is outside 0 … 9"),
        ("count", -(10**400), "is outside 0 … 9"),
        ("active", 1, "active must be true or false"),
        ("active", "true", "active must be true or false"),
        ("word", "32", "word must be one of '16', '24', not '32'"),
        ("word", 16, "word must be one of '16', '24', not 16"),
        ("word", [], "word must be one of"),
        ("text", 5, "text must be a text"),
        ("text", "caf\udce9", "text must be Unicode text"),
        ("tempo_bpm", 19.0, "tempo_bpm = 19.0 is outside 20 … 400 BPM"),
        ("tempo_bpm", False, "tempo_bpm must be a number"),
        ("inner", {"level_db": 1.0}, "inner must be Inner"),
        ("many", Inner(), "many must be a list"),
        ("many", (Inner(), 1.0), "many must be Inner"),
    ],
)
def test_an_illegal_value_is_named_with_its_field(field, value, message):
    with pytest.raises(UsageError, match=message):
        Example(**{field: value})
    with pytest.raises(UsageError, match=message):
        replace(Example(), **{field: value})


def test_a_whole_number_is_accepted_as_a_float_and_becomes_one():
    settings = Example(ratio=3)
    assert type(settings.ratio) is float
    assert settings == Example(ratio=3.0)


def test_a_float_of_another_type_becomes_a_float():
    numpy = pytest.importorskip("numpy")
    assert type(Example(ratio=numpy.float64(3.1)).ratio) is float


def test_the_ends_of_a_range_and_none_are_accepted():
    assert Example(ratio=1, tempo_bpm=None) == Example(ratio=1.0)
    assert Example(ratio=10, count=9, tempo_bpm=400).tempo_bpm == 400.0


def test_a_list_becomes_a_tuple():
    assert Example(many=[Inner()]).many == (Inner(),)


def test_settings_are_frozen_and_keyword_only():
    with pytest.raises(FrozenInstanceError):
        Example().ratio = 3.0
    with pytest.raises(TypeError):
        Example(3.0)


def test_neutral_means_that_everything_has_its_default():
    assert Example().is_neutral
    assert not Example(inner=Inner(level_db=0.1)).is_neutral
    assert not Example(tempo_bpm=120).is_neutral


def declared_settings():
    for module in pkgutil.walk_packages(automix.__path__, "automix."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found = []
    waiting = [Settings]
    while waiting:
        kinds = waiting.pop().__subclasses__()
        found += [kind for kind in kinds if kind.__module__.startswith("automix.")]
        waiting += kinds
    return sorted(found, key=lambda kind: kind.__qualname__)


REQUESTS = [kind for kind in declared_settings() if issubclass(kind, SongRequest | Delivery)]
"""What is asked, in options of the command line; they set settings whose ranges they share."""

DECLARED = [kind for kind in declared_settings() if kind not in REQUESTS]


@pytest.mark.parametrize("kind", REQUESTS, ids=lambda kind: kind.__name__)
def test_every_option_says_what_it_is_and_which_numbers_are_legal(kind):
    for parameter in parameters(kind).values():
        assert parameter.about.endswith("."), parameter.name
        if parameter.kind in (int, float):
            assert option_of(parameter).range_of(parameter) is not None, parameter.name
        sets = option_of(parameter).sets
        assert sets is None or sets[1] in parameters(sets[0])


def test_the_settings_of_every_module_were_found():
    names = {kind.__name__ for kind in DECLARED}
    assert names >= {"EqualizerBand", "ChannelStrip", "MixPlan", "VocalRules", "LoudnessTarget"}


@pytest.mark.parametrize("kind", DECLARED, ids=lambda kind: kind.__name__)
class TestDeclaration:
    def test_defaults_are_legal_and_neutral(self, kind):
        needed = [p.name for p in parameters(kind).values() if p.default is MISSING]
        if needed:
            with pytest.raises(TypeError, match=needed[0]):
                kind()
        else:
            assert kind().is_neutral

    def test_every_number_has_a_range(self, kind):
        numbers = [p for p in parameters(kind).values() if p.kind in (int, float)]
        assert [p.name for p in numbers if p.range is None] == []

    def test_the_unit_is_the_one_in_the_name(self, kind):
        for parameter in parameters(kind).values():
            suffixes = [suffix for suffix in UNITS if parameter.name.endswith(suffix)]
            if parameter.kind in (int, float):
                unit = UNITS[max(suffixes, key=len)] if suffixes else ""
                assert parameter.range.unit == unit, parameter.name

    def test_every_parameter_says_what_it_is(self, kind):
        silent = [
            parameter.name
            for parameter in parameters(kind).values()
            if not parameter.about
            and parameter.kind is not Decision
            and not issubclass(parameter.kind, Settings)
        ]
        assert silent == []

    def test_what_may_be_none_is_none_by_default(self, kind):
        # A plan file has no word for none: it leaves the key out.
        optional = [p for p in parameters(kind).values() if p.optional]
        assert all(p.default is None for p in optional)

    def test_every_class_explains_itself(self, kind):
        assert not kind.__doc__.startswith(f"{kind.__name__}(")


def test_every_number_of_a_plan_can_be_drawn_from_its_range_and_scaled_back():
    for kind in DECLARED:
        for parameter in parameters(kind).values():
            if parameter.kind is float:
                value = parameter.range.from_unit(0.3)
                checked = parameter.check([value] if parameter.many else value)
                (value,) = checked if parameter.many else (checked,)
                assert parameter.range.to_unit(value) == pytest.approx(0.3)


def test_a_plan_can_hold_every_rate_that_files_may_have():
    probe = pytest.importorskip("automix.files.probe")
    legal = parameters(MixPlan)["sample_rate_hz"].range
    assert (legal.low, legal.high) == (probe.MIN_SAMPLE_RATE, probe.MAX_SAMPLE_RATE)
