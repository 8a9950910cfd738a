"""Plans as text: exact in both directions, commented, and with errors that name the place."""

import math
import re
import tomllib
from dataclasses import replace

import pytest

from automix.errors import PlanError
from automix.plan.decision import Decision
from automix.plan.model import MixPlan
from automix.plan.parameters import Settings, parameters
from automix.plan.settings import (
    Bus,
    ChannelStrip,
    CompressorSettings,
    EqualizerBand,
    EqualizerSettings,
    Send,
)
from automix.plan.toml import FORMAT, dumps

PLAN = MixPlan(
    method="rules",
    tracks=(
        ChannelStrip(
            name="vocal",
            equalizer=EqualizerSettings(
                bands=(
                    EqualizerBand(kind="high_pass", frequency_hz=80.0),
                    EqualizerBand(frequency_hz=2000.0, gain_db=3.0),
                )
            ),
            compressor=CompressorSettings(threshold_db=-18.0),
            sends=(Send(bus="reverb", gain_db=-6.0),),
        ),
        ChannelStrip(name="beat", fader_db=-2.0),
    ),
    buses=(Bus(name="reverb", gain_db=-10.0),),
    decisions=(
        Decision(
            setting="vocal.compressor.threshold_db",
            value=-18.0,
            rule="loudness range",
            reason="it was wide",
            figures=(("range_lu", 18.2),),
        ),
    ),
)


def test_random_plans_round_trip_exactly(drawn_plan):
    text = dumps(drawn_plan)
    assert MixPlan.from_toml(text) == drawn_plan
    assert dumps(MixPlan.from_toml(text)) == text


def test_the_text_survives_a_utf8_file(drawn_plan, tmp_path):
    path = tmp_path / "mix.toml"
    path.write_text(dumps(drawn_plan), encoding="utf-8")
    assert MixPlan.from_toml(path.read_text(encoding="utf-8")) == drawn_plan


def test_the_text_is_toml_of_the_format_that_is_written_first(drawn_plan):
    text = dumps(drawn_plan)
    assert tomllib.loads(text)["format"] == FORMAT
    assert next(line for line in text.split("\n") if line and line[0] != "#") == "format = 1"


def test_minus_zero_and_undefined_figures_survive():
    decision = replace(PLAN.decisions[0], value=-0.0, figures=(("lufs", math.nan),))
    text = dumps(replace(PLAN, decisions=(decision,)))
    (read,) = MixPlan.from_toml(text).decisions
    assert math.copysign(1.0, read.value) == -1.0
    assert math.isnan(read.figures[0][1])


def test_numpy_numbers_are_written_as_plain_numbers():
    numpy = pytest.importorskip("numpy")
    decision = replace(PLAN.decisions[0], value=numpy.float64(-1.25))
    plan = replace(PLAN, decisions=(decision,)).with_strip("beat", fader_db=numpy.float64(0.1))
    assert MixPlan.from_toml(dumps(plan)) == plan


def test_neutral_processors_are_not_written():
    text = dumps(MixPlan(tracks=(ChannelStrip(name="vocal"),)))
    assert "[tracks.compressor]" not in text
    assert "[master" not in text
    assert MixPlan.from_toml("format = 1") == MixPlan()


def written_parameters(plan):
    """Every parameter that has a line of its own, by the header that the line stands under."""
    tables = {"": MixPlan}
    waiting = [("", MixPlan)]
    while waiting:
        table, kind = waiting.pop()
        for name, parameter in parameters(kind).items():
            if issubclass(parameter.kind, Settings):
                path = f"{table}.{name}".strip(".")
                tables[path] = parameter.kind
                waiting.append((path, parameter.kind))
    kind = MixPlan
    for line in re.sub(r"\[\n[^\]]+\]", "[…]", dumps(plan)).split("\n"):  # long lists
        if header := re.fullmatch(r"\[+(.+?)\]+", line):
            kind = tables.get(header[1])
        elif kind and line and line[0] != "#" and not line.startswith("format"):
            yield parameters(kind)[line.split(" = ")[0]], line


def test_every_line_is_commented_with_range_unit_and_meaning(drawn_plan):
    lines = list(written_parameters(drawn_plan))
    assert len(lines) > 20
    for parameter, line in lines:
        comment = line.rsplit("  # ", 1)[1]
        assert comment.endswith(parameter.about)
        if legal := parameter.range:
            assert comment.startswith(f"{legal.low:.10g} … {legal.high:.10g}")
            assert legal.unit in comment
        assert all(choice in comment for choice in parameter.choices)


def edited(old, new):
    """The example's text with one piece replaced, and the number of the line that changed."""
    text = dumps(PLAN)
    assert text.count(old) == 1, old
    start = text.index(old)
    return text.replace(old, new), text.count("\n", 0, start) + 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "threshold_db = -18.0",
            "treshold_db = -18.0",
            "unknown key 'treshold_db'; known are",
        ),
        ("threshold_db = -18.0", "threshold_db = -60.5", "threshold_db = -60.5 is outside -60 … 0"),
        ("threshold_db = -18.0", "threshold_db = nan", "threshold_db must be finite"),
        ("threshold_db = -18.0", "threshold_db = -inf", "threshold_db must be finite"),
        ("threshold_db = -18.0", f"threshold_db = -{'9' * 400}", "not fit into 64 bits (at line"),
        ("threshold_db = -18.0", 'threshold_db = "-18"', "threshold_db must be a number"),
        ("threshold_db = -18.0", "threshold_db = true", "threshold_db must be a number"),
        ("threshold_db = -18.0", "threshold_db = 1979-05-27", "threshold_db must be a number"),
        ("threshold_db = -18.0", "threshold_db = [1]", "threshold_db must be a number"),
        ("threshold_db = -18.0", "threshold_db = {a = 1}", "threshold_db must be a number"),
        ("[tracks.compressor]", "[tracks.compresor]", "unknown key 'compresor'"),
        ("gain_db = 3.0", "gain_db = 30.0", "gain_db = 30.0 is outside -24 … 24 dB"),
        ("gain_db = -6.0", "gain_db = 24.1", "gain_db = 24.1 is outside -60 … 24 dB"),
        ("gain_db = -10.0", "gain_db = 48.1", "gain_db = 48.1 is outside -60 … 48 dB"),
        ("fader_db = -2.0", "fader_db = 61", "fader_db = 61 is outside -60 … 60 dB"),
        ("fader_db = -2.0", "reverb.dry_wet = 2.0", "dry_wet = 2.0 is outside 0 … 1"),
        ("fader_db = -2.0", "equalizer = 5", "equalizer must be a table"),
        ("fader_db = -2.0", "sends = {}", r"sends must be written as [[sends]]"),
        ("fader_db = -2.0", 'sends = [{bus = "reverb", gain_db = 99.0}]', "gain_db = 99.0 is out"),
        ('kind = "high_pass"', 'kind = "notch"', "kind must be one of 'high_pass', 'low_shelf',"),
        ('pan_law = "constant-power"', 'pan_law = "quadratic"', "pan_law must be one of 'linear',"),
        ("sample_rate_hz = 44100", "sample_rate_hz = 44100.0", "must be a whole number"),
        (
            "sample_rate_hz = 44100",
            "sample_rate_hz = 7999",
            "sample_rate_hz = 7999 is outside",
        ),
        ("value = -18.0", 'value = "low"', "value must be a number, true or false"),
        ("value = -18.0", "value = 2020-01-01", "value must be a number, true or false"),
        ('rule = "loudness range"', "rule = 3", "rule must be a text"),
        (
            "figures = { range_lu = 18.2 }",
            'figures = { range_lu = "a" }',
            "figures must be numbers",
        ),
        ("figures = { range_lu = 18.2 }", "figures = 3", "figures must be numbers"),
        # what tomllib itself refuses
        ("fader_db = -2.0", "fader_db = -2,0", "not valid TOML"),
        ("fader_db = -2.0", "fader_db == -2.0", "not valid TOML"),
        ("fader_db = -2.0", "fader_db = -2.0\nfader_db = -2.0", "not valid TOML"),
    ],
)
def test_an_illegal_line_is_named(old, new, message):
    text, line = edited(old, new)
    with pytest.raises(
        PlanError, match=rf"^mix\.toml.*\bline {line + new.count(chr(10))}\b"
    ) as failure:
        MixPlan.from_toml(text, "mix.toml")
    assert message in str(failure.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("fader_db = -2.0", '"fader db" = -2.0', "unknown key 'fader db'; known are: name, role"),
        (
            "format = 1",
            "format = 2",
            "plan format 2, but this version of automix reads 1",
        ),
        ("format = 1", 'format = "1"', "mix.toml: plan format '1'"),
        ("format = 1", "", "mix.toml: plan format None"),
        ('bus = "reverb"', 'bus = "reverv"', "track 'vocal' sends to an unknown bus 'reverv'"),
        ('[[buses]]\nname = "reverb"', '[[buses]]\nname = "room"', "unknown bus 'reverb'"),
        (
            '[[tracks]]\nname = "beat"',
            '[[tracks]]\nname = "vocal"',
            "two of the tracks, buses and the master are named 'vocal'",
        ),
        ('[[tracks]]\nname = "beat"', '[[tracks]]\nname = ""', "a track or a bus has no name"),
    ],
)
def test_an_illegal_whole_is_named_by_its_key(old, new, message):
    text, _ = edited(old, new)
    with pytest.raises(PlanError, match=re.escape(message)):
        MixPlan.from_toml(text, "mix.toml")


def test_two_buses_of_one_name_are_refused():
    with pytest.raises(PlanError, match="the master are named 'reverb'"):
        replace(PLAN, buses=(*PLAN.buses, Bus(name="reverb")))


def test_a_plan_without_its_buses_is_refused():
    text = dumps(PLAN)
    without = text[: text.index("[[buses]]")] + text[text.index("[[decisions]]") :]
    with pytest.raises(PlanError, match="track 'vocal' sends to an unknown bus 'reverb'"):
        MixPlan.from_toml(without)


@pytest.mark.parametrize("missing", ["setting", "value", "rule", "reason", "figures"])
def test_a_decision_has_all_its_keys(missing):
    text = dumps(PLAN)
    head, tail = text.split("[[decisions]]")
    tail = "".join(line + "\n" for line in tail.split("\n") if not line.startswith(missing))
    line = head.count("\n") + 1
    with pytest.raises(PlanError, match=f"line {line}: a decision has the keys figures, reason"):
        MixPlan.from_toml(head + "[[decisions]]" + tail)


@pytest.mark.parametrize(
    "text",
    ["\x00", "RIFF\x00\x00WAVE", "format = ", "[" * 5000, "a = " + "[" * 50000, "{", "= 1", "🎤"],
)
def test_what_is_not_toml_is_refused(text):
    with pytest.raises(PlanError, match=r"mix\.toml: not valid TOML"):
        MixPlan.from_toml(text, "mix.toml")


def test_a_number_without_end_is_refused():
    with pytest.raises(PlanError, match="not valid TOML"):
        MixPlan.from_toml("format = 1\nseed = " + "9" * 10_000)


def test_lines_are_counted_as_editors_do():
    # Python's str.splitlines would also break at these three.
    text, line = edited("fader_db = -2.0", "fader_db = 99.0")
    with pytest.raises(PlanError, match=f"line {line}:"):
        MixPlan.from_toml("# \u2028 \x85 \u2029" + text[1:])


def test_a_plan_may_be_written_tersely():
    text = """
    format = 1
    tracks = [{name = "a", fader_db = -3}, {name = "b"}]
    master.gain_db = 1
    """
    plan = MixPlan.from_toml(text)
    assert plan.strip("a").fader_db == -3.0
    assert plan.master.gain_db == 1.0
    with pytest.raises(PlanError, match=r"line 4: gain_db = 61 is outside"):
        MixPlan.from_toml(text.replace("gain_db = 1", "gain_db = 61"))


def test_a_strip_is_found_by_name():
    assert PLAN.strip("beat").fader_db == -2.0
    with pytest.raises(PlanError, match="the plan has no track named 'bass'"):
        MixPlan.strip(PLAN, "bass")
    with pytest.raises(PlanError, match="the plan has no track named 'bass'"):
        PLAN.with_strip("bass", mute=True)
    assert PLAN.with_strip("beat", mute=True).strip("vocal") == PLAN.strip("vocal")
