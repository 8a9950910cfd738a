"""The vocal rider against constructed voices whose phrases and offsets are known."""

from pathlib import Path

import numpy as np
import pytest

from automix.analysis.loudness import integrated_lufs
from automix.methods.rides.hearing import to_meter_hops
from automix.methods.rides.lines import Hold, add_lines, make_line
from automix.methods.rides.phrases import find_phrases
from automix.methods.rides.rider import LIMITS_DB, MOST_RIDE_DB, draw_line, ride_voice
from tests.methods.raw_songs import RATE, hits, noise
from tests.methods.ridden_songs import energies_of, hops_between, sing

AUDIO = Path(__file__).parents[3] / "shared" / "audio"
STEEPEST_DB_S = 12.0


def backing(seconds, moving):
    """A steady noise with a beat, or the same with a level that changes every 6 s."""
    steady = noise(60, 9000, 77, seconds) * (0.3 + hits(0.5, 0.1, seconds=seconds))
    if not moving:
        return steady
    levels = np.random.default_rng(5).uniform(-2.0, 2.0, int(seconds // 6) + 1)
    return steady * 10 ** (np.repeat(levels, 6 * RATE)[: len(steady)] / 20)


def hold(start_s, end_s, value_db):
    return Hold(start_s=start_s, end_s=end_s, value_db=value_db)


def relations_db(voice, rest, sung):
    """Level of each phrase against the backing meanwhile, from the samples as they are."""
    found = []
    for phrase in sung:
        inside = hops_between(phrase.start_s, phrase.end_s)
        own = voice[inside]
        own = own[own > own.max() / 300]
        found.append(10 * np.log10(own.mean() / rest[inside].mean()))
    return np.array(found)


@pytest.mark.parametrize("moving", [False, True])
@pytest.mark.parametrize("seed", [1, 2])
def test_offsets_of_phrases_are_found_and_the_spread_is_halved(seed, moving):
    signal, sung = sing(seed)
    voice = energies_of(signal)
    rest = energies_of(backing(len(signal) / RATE, moving)[: len(signal)])
    ridden = ride_voice(voice, rest)
    assert ridden is not None
    assert len(ridden.phrases) == len(sung)
    before = relations_db(voice, rest, sung)
    middles = np.array([(phrase.start_s + phrase.end_s) / 2 for phrase in sung])
    moved = ridden.line.at(middles)
    # Levels depend on what of a phrase is counted as sounding; by the median that is one number.
    target = ridden.target_lu + np.median(before - ridden.relative_lu)
    wanted = np.clip(target - before, -MOST_RIDE_DB, MOST_RIDE_DB)
    assert np.abs(moved - wanted).max() < 1.0
    assert np.std(before + moved) < 0.5 * np.std(before)
    assert ridden.line.steepest_db_s < STEEPEST_DB_S
    # As loud as before, against the same backing.
    times_s = (np.arange(len(voice)) + 0.5) / 50
    after = to_meter_hops(voice * 10 ** (ridden.line.at(times_s) / 10))
    assert integrated_lufs(after) == pytest.approx(integrated_lufs(to_meter_hops(voice)), abs=0.1)


@pytest.mark.parametrize(("deeper_db", "is_enough"), [(5.0, True), (20.0, False)])
def test_the_limit_gives_way_only_as_far_as_halves_the_spread(deeper_db, is_enough):
    """Every third phrase is sung so much softer that 4 dB do not halve the spread."""
    signal, sung = sing(3)
    voice = energies_of(signal)
    rest = energies_of(backing(len(signal) / RATE, False)[: len(signal)])
    before = relations_db(voice, rest, sung)
    for phrase, level_db in zip(sung[::3], before[::3], strict=True):
        lowered_db = np.median(before) - level_db - deeper_db - 4.0
        voice[hops_between(phrase.start_s, phrase.end_s)] *= 10 ** (lowered_db / 10)
    ridden = ride_voice(voice, rest)
    assert ridden is not None
    assert MOST_RIDE_DB < ridden.limit_db <= LIMITS_DB[-1]
    assert np.abs(ridden.gains_db).max() <= ridden.limit_db
    assert (ridden.spread_after_lu <= 0.5 * ridden.spread_before_lu) == is_enough


def test_phrases_are_constant_and_long_rests_untouched():
    signal, sung = sing(3)
    ridden = ride_voice(energies_of(signal), energies_of(backing(len(signal) / RATE, False)))
    for phrase in sung:
        # A short rest is not always enough for the way; the middle of a phrase always stands.
        inside = np.linspace(phrase.start_s + 0.45, phrase.end_s - 0.45, 50)
        assert np.ptp(ridden.line.at(inside)) == 0.0
    rests = [(a.end_s, b.start_s) for a, b in zip(sung, sung[1:], strict=False)]
    long = [(end, start) for end, start in rests if start - end > 2.0]
    assert long
    for end, start in long:
        assert np.abs(ridden.line.at(np.linspace(end + 0.5, start - 0.5, 50))).max() == 0.0


def test_breaths_are_no_phrases_and_not_raised():
    # A soft phrase after a loud one: the line rises, but no sooner than it must.
    signal, sung = sing(4, phrases=8, rests_s=(1.2,))
    voice = energies_of(signal)
    phrases = find_phrases(voice)
    assert [p.start_s for p in phrases] == pytest.approx([p.start_s for p in sung], abs=0.06)
    ridden = ride_voice(voice, energies_of(backing(len(signal) / RATE, False)))
    for before, after in zip(sung, sung[1:], strict=False):
        low, high = ridden.line.at(np.array([before.end_s - 0.5, after.start_s + 0.5]))
        breath = ridden.line.at(np.linspace(after.start_s - 0.24, after.start_s - 0.04, 20))
        assert breath.max() <= max(low, high)
        if high - low > 3.0:
            assert breath.mean() < high - 1.0


def test_a_steady_voice_and_a_few_phrases_are_left_alone():
    signal, _ = sing(1, phrases=3)
    assert ride_voice(energies_of(signal), energies_of(backing(30, False))) is None
    steady = noise(150, 6000, 8, 30) * (hits(3.0, 9.0, seconds=30) > 0.8)
    assert len(find_phrases(energies_of(steady))) >= 8
    assert ride_voice(energies_of(steady), energies_of(backing(30, False))) is None
    nothing = np.zeros(1000)
    assert ride_voice(nothing, nothing) is None
    assert ride_voice(nothing[:0], nothing[:0]) is None


def test_noise_in_long_rests_is_no_phrase_and_not_raised():
    signal, sung = sing(7, phrases=6, rests_s=(4.0, 6.0))
    time = np.arange(len(signal)) / RATE
    hum = 10 ** (-45 / 20) * sum(np.sin(2 * np.pi * 100 * n * time) / n for n in (1, 2, 3))
    voice = energies_of(signal + hum)
    assert len(find_phrases(voice)) == len(sung)
    ridden = ride_voice(voice, energies_of(backing(len(signal) / RATE, False)))
    for before, after in zip(sung, sung[1:], strict=False):
        resting = np.linspace(before.end_s + 0.6, after.start_s - 0.6, 100)
        assert (ridden.line.at(resting) == 0.0).all()


def test_phrases_without_a_backing_are_left_alone():
    signal, sung = sing(6, phrases=9)
    accompanied = backing(len(signal) / RATE, False)[: len(signal)]
    third = round((sung[2].end_s + 0.2) * RATE)
    accompanied[:third] = 0.0
    ridden = ride_voice(energies_of(signal), energies_of(accompanied))
    assert np.isnan(ridden.relative_lu[:3]).all()
    assert (ridden.gains_db[:3] == 0.0).all()
    assert np.abs(ridden.gains_db[3:]).max() > 1.0


def test_a_rest_that_is_too_short_is_moved_through_slowly():
    line = draw_line([hold(1.0, 3.0, -4.0), hold(3.2, 5.0, 4.0)], 10.0)
    steepest = np.abs(np.diff(line.values_db) / np.diff(line.times_s)).max()
    assert steepest == pytest.approx(11.0, abs=0.05)
    assert line.at(np.array([2.0, 4.0])).tolist() == [-4.0, 4.0]
    small = draw_line([hold(1.0, 3.0, 0.0), hold(3.05, 5.0, 0.5)], 10.0)
    assert np.diff(small.times_s).min() >= 0.149


def test_lines_have_corners_only_and_add_up_within_their_range():
    line = make_line([(0.0, 1.0), (1.0, 1.0), (2.0, 1.0), (3.0, 2.0), (4.0, 3.0), (5.0, 3.0)])
    assert line.times_s.tolist() == [2.0, 4.0]
    assert line.values_db.tolist() == [1.0, 3.0]
    muted = make_line([(2.5, 0.0), (2.7, -60.0)])
    both = add_lines([line, muted])
    at = np.array([0.0, 2.25, 2.6, 9.0])
    assert both.at(at) == pytest.approx(np.maximum(line.at(at) + muted.at(at), -60.0), abs=0.011)
    assert both.values_db.min() >= -60.0


@pytest.mark.slow
@pytest.mark.skipif(not AUDIO.exists(), reason="needs the shared audio")
@pytest.mark.parametrize("song", ["francium", "potassium", "caesium"])
def test_real_voices_stand_steadier_against_their_songs(song):
    from automix.analysis.loudness import LoudnessMeter
    from automix.audio.blocks import pad
    from automix.files.reading import open_audio

    sources = {file.stem: open_audio(file).source for file in sorted((AUDIO / song).glob("*.ogg"))}
    frames = max(source.frames for source in sources.values())
    voice, rest = (LoudnessMeter(48000, 2, 50) for _ in (0, 1))
    streams = {name: pad(source, frames).blocks() for name, source in sources.items()}
    for blocks in zip(*streams.values(), strict=True):
        by_name = dict(zip(streams, blocks, strict=True))
        lead = by_name.pop("vox_lead")
        voice.add(lead)
        rest.add(np.sum(list(by_name.values()), axis=0))
    ridden = ride_voice(voice.energies, rest.energies)
    assert ridden is not None
    # 4 dB do not reach as far as potassium's last phrases stand out.
    assert ridden.spread_after_lu < 0.55 * ridden.spread_before_lu
    assert ridden.line.steepest_db_s < STEEPEST_DB_S
