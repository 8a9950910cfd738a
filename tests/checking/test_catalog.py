"""The table of checks: each row, how bad it is, and that its remedy can be followed."""

import re
from dataclasses import replace

import numpy as np
import pytest

import automix
from automix.analysis.conditions import Conditions, Spike
from automix.analysis.discontinuities import Click, Dropout
from automix.analysis.flat_tops import FlatTops
from automix.analysis.hum import Hum
from automix.analysis.take_edges import Edges
from automix.analysis.take_spectra import NoiseFloor, Tuning
from automix.audio.samples import Audio
from automix.checking.catalog import CHECKS, check_takes
from automix.checking.findings import SEVERITIES, TakeFinding, are_faults, rank
from automix.checking.takes import HeardTake
from automix.plan.address import change_setting
from automix.plan.assignment import parse_assignment
from automix.plan.model import MixPlan
from automix.plan.settings import ChannelStrip

SOUND = Conditions(
    sample_peak=0.5,
    dc_offset=(0.0, 0.0),
    clipped_runs=0,
    samples_above_full_scale=0,
    channel_relation="independent",
    first_sound_s=0.0,
    last_sound_s=60.0,
    channel_peaks=(0.5, 0.4),
)
TAKE = HeardTake(
    name="gtr 1",
    role="guitar",
    conditions=SOUND,
    program_db=-20.0,
    sample_rate=48000,
    duration_s=60.0,
    edges=Edges(start_db=-np.inf, end_db=-np.inf),
)


def with_conditions(**changed):
    return replace(TAKE, conditions=replace(SOUND, **changed))


SPIKE = Spike(level_dbfs=12.0, above_db=18.0, time_s=1.5, others=2)
HUM = Hum(mains_hz=50, level_db=-55.0, lines_hz=(50, 100), prominence_db=30.0)
NOISE = NoiseFloor(level_db=-45.0, below_program_db=25.0, is_hiss=True)
CLICK = Click(time_s=3.0, level=0.1, above_db=30.0)
FAULTS = {
    "silent": (with_conditions(first_sound_s=None, sample_peak=0.0), "warning"),
    "clipping": (
        replace(TAKE, flat_tops=FlatTops(count=60, level=0.5, times_s=(1.0, 2.0, 3.0))),
        "fault",
    ),
    "dropouts": (replace(TAKE, dropouts=(Dropout(time_s=2.0, duration_s=0.01),)), "fault"),
    "inverted_sides": (with_conditions(channel_relation="inverted"), "fault"),
    "spike": (with_conditions(spike=SPIKE), "warning"),
    "clicks": (replace(TAKE, clicks=(CLICK,)), "warning"),
    "hum": (replace(TAKE, hum=HUM), "warning"),
    "noise": (replace(TAKE, noise=NOISE), "warning"),
    "low_level": (
        replace(with_conditions(sample_peak=0.001), program_db=-75.0, bits="16"),
        "warning",
    ),
    "offset": (with_conditions(dc_offset=(0.0, 0.01)), "warning"),
    "one_side": (with_conditions(channel_peaks=(0.5, 0.0)), "warning"),
    "cut": (replace(TAKE, edges=Edges(start_db=-np.inf, end_db=-22.0)), "warning"),
    "short": (replace(TAKE, duration_s=0.1), "warning"),
    "equal_sides": (with_conditions(channel_relation="identical"), "information"),
    "coding": (replace(TAKE, coding="MP3"), "information"),
}
OF_SONGS = {"sample_rate", "copy", "length", "late", "arrival"}


def test_a_sound_take_has_no_findings():
    assert check_takes([TAKE]) == []
    assert check_takes([]) == []


def test_every_check_of_one_take_is_tried_here():
    assert {row.name for row in CHECKS} == set(FAULTS) | OF_SONGS
    assert len({row.name for row in CHECKS}) == len(CHECKS)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_by_its_check_alone(name):
    take, severity = FAULTS[name]
    (found,) = check_takes([take])
    assert (found.check, found.track, found.severity) == (name, "gtr 1", severity)
    assert min(len(found.what), len(found.remedy), len(found.unit)) > 0
    assert found.message().startswith(f"gtr 1: {found.what}")


def test_settings_that_remedies_name_can_be_set():
    plan = MixPlan(tracks=(ChannelStrip(name="gtr 1", role="guitar", file="gtr.wav"),))
    named = 0
    for take, _ in FAULTS.values():
        for finding in check_takes([take]):
            for assignment in re.findall(r"--set '([^']+)'", finding.remedy):
                changed = change_setting(plan, *parse_assignment(assignment))
                assert changed != plan
                named += 1
    assert named >= 3


def test_places_are_told_up_to_three_with_their_number():
    clicks = tuple(replace(CLICK, time_s=float(n)) for n in range(1, 6))
    (found,) = check_takes([replace(TAKE, clicks=clicks)])
    assert (found.times_s, found.count) == ((1.0, 2.0, 3.0), 5)
    assert found.sentence.endswith("at 1.000, 2.000, 3.000 s and 2 more")
    (spike,) = check_takes([FAULTS["spike"][0]])
    assert "a spike of +12.0 dBFS at 1.500 s and 2 more" in spike.message()


@pytest.mark.parametrize(
    ("below_db", "severity"), [(20, "fault"), (30, "warning"), (50, "information"), (65, None)]
)
def test_the_figure_says_how_bad_hum_is(below_db, severity):
    found = check_takes([replace(TAKE, hum=replace(HUM, level_db=-20.0 - below_db))])
    assert [finding.severity for finding in found] == ([severity] if severity else [])


def test_the_worst_comes_first_and_information_is_no_fault():
    findings = check_takes([FAULTS["coding"][0], FAULTS["hum"][0], FAULTS["dropouts"][0]])
    assert [finding.check for finding in findings] == ["dropouts", "hum", "coding"]
    assert rank(reversed(findings))[0].check == "dropouts"
    assert are_faults(findings)
    assert not are_faults([findings[-1]])
    assert SEVERITIES.index("information") == 0


def test_a_side_that_is_meant_to_be_silent_is_good_to_know():
    (found,) = check_takes([replace(FAULTS["one_side"][0], is_placed=True)])
    assert found.severity == "information"


def tuned(cents, **changed):
    tuning = Tuning(cents=cents, agreement=0.6, partials=2000, notes=35.0)
    return replace(TAKE, tuning=tuning, **changed)


def rates(*takes):
    named = [replace(take, name=f"t{n}") for n, take in enumerate(takes)]
    return [
        (finding.track, re.findall(r"at (\d+) Hz", finding.what)[0])
        for finding in check_takes(named)
        if finding.check == "sample_rate"
    ]


RATIO = 48000 / 44100


@pytest.mark.parametrize(
    ("take", "expected"),
    [
        (tuned(46.7 - 5, duration_s=60 / RATIO), ["44100"]),  # everything speaks for it
        (tuned(46.7 - 5, duration_s=47.0), ["44100"]),  # the pitch alone
        (replace(TAKE, duration_s=60 / RATIO), ["44100"]),  # the length alone
        (tuned(-46.7 - 5, sample_rate=44100, duration_s=60 * RATIO), ["48000"]),
        (tuned(-5, duration_s=60 / RATIO), []),  # as long, and in tune
        (tuned(25.0), []),
        (replace(TAKE, duration_s=60 / RATIO * 1.002), []),
        (replace(TAKE, sample_rate=44100, duration_s=60 / RATIO), []),  # shorter, but not marked so
        (tuned(46.7 - 5, role="percussion"), []),
    ],
)
def test_a_wrong_sample_rate_is_told_by_pitch_and_length(take, expected):
    others = (tuned(-5), tuned(-4), replace(TAKE))
    assert rates(*others, take) == [("t3", rate) for rate in expected]


def test_two_takes_are_too_few_to_tell_which_has_the_wrong_rate():
    assert rates(tuned(0), tuned(46.7)) == []


def test_lengths_are_held_against_the_longest():
    findings = check_takes([TAKE, replace(TAKE, name="b", duration_s=57.5)])
    assert [(f.track, f.check, f.figure) for f in findings] == [("b", "length", 2.5)]


def test_the_same_recording_twice_is_told_once():
    rng = np.random.default_rng(1)
    noise = (rng.standard_normal(6 * 48000) * np.repeat(rng.random(12), 24000)).astype(np.float32)

    def take(name, samples):
        powers = np.square(samples).reshape(-1, 480).sum(axis=1)
        return replace(TAKE, name=name, source=Audio(samples, 48000), fine_powers=powers)

    findings = check_takes([take("a", noise), take("b", -0.5 * noise), take("c", noise[::-1])])
    assert [(f.check, f.track, f.severity) for f in findings] == [("copy", "b", "fault")]
    assert findings[0].what == "the same audio as a, -6.0 dB, with opposite polarity"


def test_findings_are_documents():
    (found,) = check_takes([FAULTS["hum"][0]])
    document = found.document()
    assert TakeFinding(**{**document, "times_s": tuple(document["times_s"])}) == found


def test_of_three_that_are_alike_each_is_told_once():
    rng = np.random.default_rng(3)
    sound = rng.standard_normal((1, 3 * 48000)) * np.repeat(rng.random(30), 4800)
    tracks = {name: gain * 0.1 * sound[0] for name, gain in (("a", 1.0), ("b", 0.7), ("c", 0.5))}
    found = automix.check(tracks, sample_rate=48000).findings
    assert [finding.track for finding in found if finding.check == "copy"] == ["b", "c"]
