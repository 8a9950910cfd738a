"""The trained controller that ships: whole, plausible, and careful with what it does not know."""

import hashlib
import tomllib
from pathlib import Path

import numpy as np
import pytest

from automix.analysis.loudness import LoudnessMeter, integrated_lufs
from automix.audio.blocks import collect
from automix.audio.samples import Audio
from automix.consoles.exact import ExactConsole
from automix.datasets.plain import read_song
from automix.errors import DeviceError
from automix.files.info import ReadOptions
from automix.library import mix_session
from automix.methods.catalog import STEMS_METHODS
from automix.methods.stems.advice import Advice, scale_pan
from automix.methods.stems.dynamics import HIGHEST_RATIO
from automix.methods.stems.hearing import hear_stems
from automix.methods.stems.rules import write_rules
from automix.methods.stems.sends import REVERB
from automix.methods.stems.settings import StemsRules
from automix.methods.stems.tone import MOST_DB
from automix.mixing.request import StemsRequest
from automix.networks.checkpoints import WEIGHTS, read_description, weights_path
from automix.networks.dmc_description import DmcDescription
from automix.plan.roles import ROLE_FAMILIES
from automix.plan.writer import PlanWriter
from automix.session.blank_plan import make_blank_plan
from automix.session.song_folder import open_song
from automix.session.tracks import Session, Track

METHODS = {entry.name: entry for entry in STEMS_METHODS}
AUDIO = Path(__file__).parents[3] / "shared" / "audio"
MODES = ("basic", "full")
MANIFEST = tomllib.loads((WEIGHTS / "manifest.toml").read_text(encoding="utf-8"))


def planned(session, mode="basic", method="dmc", **options):
    return mix_session(session, StemsRequest(method=method, mode=mode, constants=options)).plan


@pytest.fixture(scope="module")
def session(cut_demo):
    return cut_demo(8, 24)


@pytest.fixture(scope="module", params=MODES)
def mode(request):
    return request.param


@pytest.fixture(scope="module")
def plan(session, mode):
    return planned(session, mode)


@pytest.mark.parametrize("name", [name for name in MANIFEST if name.startswith("dmc-")])
def test_weights_are_what_the_manifest_says_and_have_a_card(name):
    row = MANIFEST[name]
    path = weights_path(name)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == row["sha256"]
    assert path.suffix == ".safetensors"
    card = (WEIGHTS / row["card"]).read_text(encoding="utf-8")
    for word in ("automix train", "equal loudness", "rules", "mono", "random", "Limits", "CC0"):
        assert word in card, word


def test_all_weights_together_stay_small():
    assert sum(path.stat().st_size for path in WEIGHTS.iterdir()) < 40e6


def test_damaged_weights_are_refused(tmp_path, monkeypatch):
    for path in WEIGHTS.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / MANIFEST["dmc-basic"]["file"]).write_bytes(b"damaged")
    monkeypatch.setattr("automix.networks.checkpoints.WEIGHTS", tmp_path)
    with pytest.raises(DeviceError, match="damaged"):
        weights_path("dmc-basic")


def test_the_descriptions_are_of_their_modes(mode):
    description = read_description(weights_path(f"dmc-{mode}"), "dmc", DmcDescription)
    assert description.mode == mode
    assert description.base == "rules"


@pytest.mark.slow
def test_no_setting_sits_at_the_edge_of_its_range(plan):
    for strip in plan.tracks:
        assert abs(strip.input_gain_db) < 40, strip.name
        assert abs(strip.fader_db) < 12, strip.name
        assert 0.04 < strip.pan < 0.96, strip.name
        assert strip.compressor.ratio < HIGHEST_RATIO
        assert all(abs(band.gain_db) <= MOST_DB for band in strip.equalizer.bands)


@pytest.mark.slow
def test_neither_order_nor_input_level_changes_the_mix(session, mode, plan):
    turned = planned(Session(tracks=session.tracks[::-1]), mode)
    for strip in plan.tracks:
        assert turned.strip(strip.name) == strip
    draw = np.random.default_rng(2)
    offsets = {track.name: float(draw.uniform(-12, 12)) for track in session.tracks}
    loud = Session(
        tracks=tuple(
            Track(
                name=track.name,
                role=track.role,
                source=Audio(
                    collect(track.source).samples * np.float32(10 ** (offsets[track.name] / 20)),
                    44100,
                ),
            )
            for track in session.tracks
        )
    )
    offset = planned(loud, mode)
    # After a compressor, a soft hit passes the gate of the meter in the one and not in the other.
    near = 0.1 if mode == "basic" else 0.5
    for name, offset_db in offsets.items():
        sums = [strip.input_gain_db + strip.fader_db + added for strip, added in
                ((plan.strip(name), 0.0), (offset.strip(name), offset_db))]  # fmt: skip
        assert sums[1] == pytest.approx(sums[0], abs=near), name


def test_one_track_and_silence_are_left_to_the_rules(session):
    alone = Session(tracks=session.tracks[:1])
    assert planned(alone).tracks == planned(alone, method="rules").tracks
    silent = Track(name="x", role="other", source=Audio(np.zeros((1, 44100), np.float32), 44100))
    assert planned(Session(tracks=(silent,))).strip("x").fader_db == 0.0


def test_what_it_has_never_heard_stays_near_the_rules():
    """Tones, clicks and noise: the members disagree, and nothing goes to extremes."""
    time = np.arange(44100 * 8) / 44100
    strange = {
        "tone": np.sin(2 * np.pi * 9000 * time),
        "clicks": (time % 1.0 < 1e-4).astype(float),
        "noise": np.random.default_rng(0).normal(size=len(time)) * 0.3,
        "rumble": np.sign(np.sin(2 * np.pi * 25 * time)),
    }
    session = Session(
        tracks=tuple(
            Track(name=name, role="other", source=Audio((0.2 * x).astype(np.float32), 44100))
            for name, x in strange.items()
        )
    )
    ours, rules = planned(session), planned(session, method="rules")
    for name in strange:
        departure = ours.strip(name).fader_db - rules.strip(name).fader_db
        assert abs(departure) < 9.0, name


def test_advice_never_pans_hard():
    assert scale_pan(0.2, 1.0) == pytest.approx(0.2)
    assert scale_pan(0.4, 2.0) == pytest.approx(0.3)
    assert scale_pan(0.1, 4.0) == pytest.approx(0.05)
    assert scale_pan(0.9, 4.0) == pytest.approx(0.95)


def test_advice_on_processing_changes_how_much_is_heard_of_it(session):
    """A quarter: sends 12 dB lower into the same return, shallower cuts, gentler ratios.

    Drums also have less parallel compression, and their faders and sends make room for it.
    """

    def written(advice):
        console = ExactConsole(session)
        writer = PlanWriter(make_blank_plan(session, method="rules"))
        write_rules(console, writer, StemsRules(mode="full"), hear_stems(session), advice)
        return writer.plan

    plain = written({})
    less = written({track.name: Advice(processing=0.25) for track in session.tracks})
    assert less.bus(REVERB).gain_db == pytest.approx(plain.bus(REVERB).gain_db, abs=1.0)
    cut_bands = {d.setting for d in plain.decisions if d.rule == "unmasking"}
    sends = cuts = ratios = 0
    for strip in plain.tracks:
        other = less.strip(strip.name)
        for send, lower in zip(strip.sends, other.sends, strict=True):
            if ROLE_FAMILIES[strip.role] != "drums":
                assert lower.gain_db == pytest.approx(send.gain_db - 12.04, abs=0.01)
                sends += 1
        both = zip(strip.equalizer.bands, other.equalizer.bands, strict=True)
        for number, (band, flatter) in enumerate(both, 1):
            if f"{strip.name}.equalizer.bands.{number}.gain_db" in cut_bands:
                assert flatter.gain_db == pytest.approx(band.gain_db / 4)
                cuts += 1
        if strip.compressor.threshold_db < 0.0:
            assert other.compressor.ratio - 1 == pytest.approx((strip.compressor.ratio - 1) / 4)
            ratios += 1
    assert sends
    assert cuts + ratios


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.skipif(not AUDIO.is_dir(), reason="the real multitracks are not here")
def test_the_lead_vocal_of_the_held_out_song_is_as_loud_as_the_artists():
    """Within 2 LU, relative to the rest of the mix; the failure of the published network."""
    song = read_song(AUDIO / "caesium")
    whole = open_song(song.stems, ReadOptions())
    tracks = []
    for track in whole.tracks:
        samples = collect(track.source).samples
        rate = track.source.sample_rate
        tracks.append((track, samples[:, 90 * rate : 120 * rate]))
    draw = np.random.default_rng(7)
    offset = Session(
        tracks=tuple(
            Track(
                name=track.name,
                role=track.role,
                source=Audio(samples * np.float32(10 ** (draw.uniform(-12, 12) / 20)), rate),
            )
            for track, samples in tracks
        )
    )
    plan = planned(offset)

    def lead_lu(gains):
        parts = {
            track.name: np.broadcast_to(gains[track.name] * samples, (2, samples.shape[1]))
            for track, samples in tracks
        }
        lead = next(track.name for track, _ in tracks if track.role == "lead vocal")
        rest = sum(part for name, part in parts.items() if name != lead)
        return _lufs(parts[lead], rate) - _lufs(rest, rate)

    draw = np.random.default_rng(7)
    strips = [plan.strip(track.name) for track, _ in tracks]
    ours = {
        strip.name: 10 ** ((strip.input_gain_db + strip.fader_db + draw.uniform(-12, 12)) / 20)
        for strip in strips
    }
    assert lead_lu(ours) == pytest.approx(lead_lu(dict.fromkeys(ours, 1.0)), abs=2.0)


def _lufs(samples, rate):
    meter = LoudnessMeter(rate, len(samples))
    meter.add(np.ascontiguousarray(samples, np.float32))
    return integrated_lufs(meter.energies)
