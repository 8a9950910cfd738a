"""The conditioning vector: its slots, its neutral, round trips, and what it cannot express."""

import math
import random
from dataclasses import replace

import pytest

from automix.errors import UsageError
from automix.plan.settings import (
    ChannelStrip,
    CompressorSettings,
    DeEsserSettings,
    EqualizerBand,
    EqualizerSettings,
    FdnReverbSettings,
    Send,
    SpaceSettings,
)
from automix.plan.vector import (
    NEUTRAL,
    ORDERS,
    SLOTS,
    SPACES,
    from_vector,
    table,
    vector,
    vector_with_order,
)

PEAKS_HZ = ((200.0, 5000.0), (500.0, 6000.0), (2000.0, 10000.0))
NEUTRAL_STRIP = ChannelStrip(name="a")


def between(dice, low, high):
    """Uniform, and now and then an end of the range."""
    return dice.choice((low, high)) if dice.random() < 0.1 else dice.uniform(low, high)


def shelf(dice, kind, low_hz, high_hz):
    frequency_hz = between(dice, low_hz, high_hz)
    gain_db = between(dice, -24.0, 24.0)
    return EqualizerBand(kind=kind, frequency_hz=frequency_hz, gain_db=gain_db, q=0.707)


def random_strip(seed):
    """A legal strip with five bands in order, and things that the vector does not hold."""
    dice = random.Random(seed)
    peaks = [
        EqualizerBand(
            frequency_hz=between(dice, *edges),
            gain_db=between(dice, -24.0, 24.0),
            q=between(dice, 0.1, 10.0),
        )
        for edges in PEAKS_HZ
    ]
    bands = (
        shelf(dice, "low_shelf", 20.0, 1000.0),
        *peaks,
        shelf(dice, "high_shelf", 8000.0, 20000.0),
    )
    return ChannelStrip(
        name="lead",
        input_gain_db=3.0,
        invert_polarity=True,
        equalizer=EqualizerSettings(bands=bands),
        compressor=CompressorSettings(
            threshold_db=between(dice, -60.0, 0.0),
            ratio=between(dice, 1.0, 10.0),
            attack_ms=between(dice, 0.03, 30.0),
            release_ms=between(dice, 50.0, 3000.0),
            makeup_db=between(dice, -12.0, 12.0),
        ),
        space=SpaceSettings(
            space=dice.choice(SPACES), decay=between(dice, 0.1, 1.0), wet=between(dice, 0.0, 1.0)
        ),
        order=dice.choice(ORDERS),
        fader_db=-4.0,
        pan=0.2,
        sends=(Send(bus="hall", gain_db=-12.0),),
    )


def numbers(strip):
    bands = [x for b in strip.equalizer.bands for x in (b.frequency_hz, b.gain_db, b.q)]
    compressor, space = vars(strip.compressor).values(), strip.space
    return [*bands, *compressor, space.decay, space.wet]


def with_bands(*bands):
    return ChannelStrip(name="lead", equalizer=EqualizerSettings(bands=bands))


def test_the_slots_are_those_of_the_specification():
    expected = [
        ("low_shelf.frequency_hz", 20, 1000, "log", 80),
        ("low_shelf.gain_db", -24, 24, "linear", 0),
        ("peak_1.frequency_hz", 200, 5000, "log", 400),
        ("peak_1.gain_db", -24, 24, "linear", 0),
        ("peak_1.q", 0.1, 10, "log", 0.7),
        ("peak_2.frequency_hz", 500, 6000, "log", 1000),
        ("peak_2.gain_db", -24, 24, "linear", 0),
        ("peak_2.q", 0.1, 10, "log", 0.7),
        ("peak_3.frequency_hz", 2000, 10000, "log", 5000),
        ("peak_3.gain_db", -24, 24, "linear", 0),
        ("peak_3.q", 0.1, 10, "log", 0.7),
        ("high_shelf.frequency_hz", 8000, 20000, "log", 10000),
        ("high_shelf.gain_db", -24, 24, "linear", 0),
        ("compressor.threshold_db", -60, 0, "linear", 0),
        ("compressor.ratio", 1, 10, "log", 2),
        ("compressor.attack_ms", 0.03, 30, "log", 2),
        ("compressor.release_ms", 50, 3000, "log", 50),
        ("compressor.makeup_db", -12, 12, "linear", 0),
        ("space.small room", 0, 1, "linear", 1),
        ("space.medium room", 0, 1, "linear", 0),
        ("space.large room", 0, 1, "linear", 0),
        ("space.hall", 0, 1, "linear", 0),
        ("space.plate", 0, 1, "linear", 0),
        ("space.decay", 0.1, 1, "linear", 1),
        ("space.wet", 0, 1, "linear", 0),
    ]
    found = [(s.name, s.range.low, s.range.high, s.range.scale, s.neutral) for s in SLOTS]
    assert found == expected


def test_neutral_in_both_directions():
    assert vector(NEUTRAL_STRIP) == NEUTRAL
    assert from_vector(NEUTRAL, NEUTRAL_STRIP) == NEUTRAL_STRIP
    busy = random_strip(1)
    cleared = from_vector(NEUTRAL, busy)
    assert (cleared.equalizer, cleared.compressor) == (EqualizerSettings(), CompressorSettings())
    assert (cleared.space, cleared.order) == (SpaceSettings(), "ecr")
    assert replace(cleared, equalizer=busy.equalizer).sends == busy.sends


def test_the_scales():
    """Half way is the geometric mean where the ear is logarithmic, else the arithmetic one."""
    middle = from_vector([0.0] * 25, NEUTRAL_STRIP)
    low, *peaks, high = middle.equalizer.bands
    assert low.frequency_hz == pytest.approx(math.sqrt(20 * 1000))
    assert [p.frequency_hz for p in peaks] == pytest.approx([math.sqrt(a * b) for a, b in PEAKS_HZ])
    assert high.frequency_hz == pytest.approx(math.sqrt(8000 * 20000))
    assert [band.gain_db for band in middle.equalizer.bands] == [0.0] * 5
    assert [band.q for band in middle.equalizer.bands] == pytest.approx([0.707, 1, 1, 1, 0.707])
    expected = [-30.0, math.sqrt(10), math.sqrt(0.03 * 30), math.sqrt(50 * 3000), 0.0]
    assert list(vars(middle.compressor).values()) == pytest.approx(expected)
    assert (middle.space.decay, middle.space.wet) == pytest.approx((0.55, 0.5))


@pytest.mark.parametrize("seed", range(25))
def test_strips_survive_the_round_trip(seed):
    strip = random_strip(seed)
    values = vector_with_order(strip)
    assert len(values) == 31
    assert all(-1.0 <= value <= 1.0 for value in values)
    again = from_vector(values, replace(strip, equalizer=EqualizerSettings(), order="ecr"))
    assert numbers(again) == pytest.approx(numbers(strip), rel=1e-9, abs=1e-9)
    same = replace(again, equalizer=strip.equalizer, compressor=strip.compressor, space=strip.space)
    assert same == strip
    assert again.space.space == strip.space.space
    plain = replace(strip, order="ecr")
    assert vector(plain) == values[:25]
    assert from_vector(values[:25], strip) == replace(again, order="ecr")


@pytest.mark.parametrize("seed", range(20))
def test_vectors_survive_the_round_trip(seed):
    dice = random.Random(seed)
    values = [dice.uniform(-1.0, 1.0) for _ in range(25)]
    for slot in range(0, 13, dice.choice((1, 2, 3))):
        values[slot] = NEUTRAL[slot]
    values[18:23] = [-1.0] * 5
    values[18 + dice.randrange(5)] = 1.0
    order = [-1.0] * 6
    order[dice.randrange(6)] = 1.0
    values += order
    again = vector_with_order(from_vector(values, NEUTRAL_STRIP))
    assert again == pytest.approx(values, rel=0, abs=1e-9)


def test_the_largest_of_a_choice_wins():
    values = [0.0] * 31
    values[18:23] = [0.1, -0.4, 0.3, 0.2, -1.0]
    values[25:] = [-1.0, -0.9, -0.8, -0.2, -0.3, -0.4]
    strip = from_vector(values, NEUTRAL_STRIP)
    assert (strip.space.space, strip.order) == ("large room", "cre")


def test_values_outside_are_clamped():
    values = [-3.0, 7.0, *[math.inf] * 9, *[-math.inf] * 14]
    strip = from_vector(values, NEUTRAL_STRIP)
    clamped = from_vector([-1.0, *[1.0] * 10, *[-1.0] * 14], NEUTRAL_STRIP)
    assert strip == clamped
    assert (strip.equalizer.bands[0].frequency_hz, strip.equalizer.bands[0].gain_db) == (20.0, 24.0)


@pytest.mark.parametrize("values", [[], [0.0] * 24, [0.0] * 30, [0.0] * 24 + [math.nan]])
def test_refuses_what_is_no_vector(values):
    with pytest.raises(ValueError, match="conditioning vector"):
        from_vector(values, NEUTRAL_STRIP)


def test_fewer_bands_find_a_place():
    """In any order; the places that they leave are neutral."""
    bands = (
        EqualizerBand(kind="high_shelf", frequency_hz=9000.0, gain_db=3.0),
        EqualizerBand(frequency_hz=7000.0, gain_db=-2.0, q=4.0),
        EqualizerBand(frequency_hz=300.0, gain_db=-5.0, q=2.0),
    )
    again = from_vector(vector(with_bands(*bands)), NEUTRAL_STRIP).equalizer.bands
    assert [band.kind for band in again] == ["low_shelf", *["peak"] * 3, "high_shelf"]
    assert [band.gain_db for band in again] == pytest.approx([0.0, -5.0, 0.0, -2.0, 3.0])
    frequencies_hz = [band.frequency_hz for band in again]
    assert frequencies_hz == pytest.approx([80.0, 300.0, 1000.0, 7000.0, 9000.0])
    assert vector(with_bands(*again)) == pytest.approx(vector(with_bands(*bands)), abs=1e-9)


def test_a_band_takes_the_nearest_of_the_places_that_fit():
    """4500 Hz lies within the ranges of all three peaks."""
    strip = with_bands(EqualizerBand(frequency_hz=4500.0, gain_db=6.0))
    seated = from_vector(vector(strip), NEUTRAL_STRIP).equalizer.bands[1:4]
    assert [band.gain_db for band in seated] == pytest.approx([0.0, 0.0, 6.0])


def test_three_peaks_are_seated_so_that_all_fit():
    """By the first that fits, 900 Hz would take the only place that 300 Hz can have."""
    peaks = [EqualizerBand(frequency_hz=f, gain_db=-f / 1000) for f in (4500.0, 900.0, 300.0)]
    seated = from_vector(vector(with_bands(*peaks)), NEUTRAL_STRIP).equalizer.bands[1:4]
    assert [band.frequency_hz for band in seated] == pytest.approx([300.0, 900.0, 4500.0])
    assert [band.gain_db for band in seated] == pytest.approx([-0.3, -0.9, -4.5])


def test_bands_that_do_nothing_need_not_fit():
    idle = EqualizerBand(kind="low_shelf", frequency_hz=5000.0, q=2.0)
    assert vector(with_bands(idle, *[EqualizerBand()] * 7)) == NEUTRAL


@pytest.mark.parametrize(
    ("band", "says"),
    [
        ({"kind": "high_pass", "frequency_hz": 80.0}, "no high_pass"),
        ({"frequency_hz": 150.0, "gain_db": 1.0}, "not at 150 Hz"),
        ({"frequency_hz": 10_001.0, "gain_db": 1.0}, "2000 … 10000 Hz"),
        ({"kind": "low_shelf", "frequency_hz": 1200.0, "gain_db": 1.0}, "20 … 1000 Hz"),
        ({"kind": "high_shelf", "frequency_hz": 7000.0, "gain_db": 1.0}, "8000 … 20000 Hz"),
        ({"kind": "low_shelf", "frequency_hz": 100.0, "gain_db": 1.0, "q": 1.0}, "Q of 0.707"),
    ],
)
def test_bands_that_fit_nowhere_are_refused(band, says):
    with pytest.raises(UsageError, match=says) as caught:
        vector(with_bands(EqualizerBand(**band)))
    assert "lead" in str(caught.value)


@pytest.mark.parametrize(
    "frequencies_hz", [(300.0, 350.0), (1000.0,) * 4, (9000.0, 8000.0, 1000.0), (1000.0,) * 6]
)
def test_too_many_bands_are_refused(frequencies_hz):
    bands = [EqualizerBand(frequency_hz=f, gain_db=2.0) for f in frequencies_hz]
    with pytest.raises(UsageError, match="do not fit"):
        vector(with_bands(*bands))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"de_esser": DeEsserSettings(max_reduction_db=3.0)}, "de-esser"),
        ({"reverb": FdnReverbSettings(dry_wet=0.1)}, "feedback delay network"),
    ],
)
def test_processors_without_slots_are_refused(change, says):
    strip = ChannelStrip(name="lead", **change)
    for to_vector in (vector, vector_with_order):
        with pytest.raises(UsageError, match=says):
            to_vector(strip)
    cleared = from_vector(NEUTRAL, strip)
    assert vector(cleared) == NEUTRAL


def test_the_25_values_hold_one_order_only():
    strip = replace(NEUTRAL_STRIP, order="rce")
    with pytest.raises(UsageError, match="order"):
        vector(strip)
    assert from_vector(vector_with_order(strip), NEUTRAL_STRIP) == strip
    assert from_vector(NEUTRAL, strip) == NEUTRAL_STRIP


def test_the_table_shows_every_slot():
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table().splitlines()]
    assert rows[0] == ["#", "name", "range", "unit", "scale", "neutral"]
    assert {len(row) for row in rows} == {6}
    assert [int(row[0]) for row in rows[2:]] == list(range(1, 32))
    assert rows[2] == ["1", "low_shelf.frequency_hz", "20 … 1000", "Hz", "log", "80 (-0.291)"]
    assert rows[-1] == ["31", "order.rce", "0 … 1", "", "choice", "0 (-1.000)"]
