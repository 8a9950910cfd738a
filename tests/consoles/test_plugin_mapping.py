"""Settings → plug-in parameters, against the names of the IEM plug-ins (specs/vocal.md)."""

import pytest

from automix.consoles.plugin.mapping import (
    PLUGIN_NAMES,
    fdn_reverb,
    find_plugins,
    multi_eq,
    omni_compressor,
)
from automix.errors import PluginError
from automix.plan.settings import (
    CompressorSettings,
    EqualizerBand,
    EqualizerSettings,
    FdnReverbSettings,
)


def equalizer(*bands):
    return multi_eq(
        EqualizerSettings(
            bands=[
                EqualizerBand(kind=kind, frequency_hz=frequency_hz, gain_db=gain_db, q=1.0)
                for kind, frequency_hz, gain_db in bands
            ]
        )
    )


def slots(parameters):
    """(type, frequency, gain) of the slots in use."""
    return {
        n: tuple(
            parameters[name.format(n)]
            for name in ("filter_type_{}", "filter_frequency_{}_hz", "filter_gain_{}_db")
        )
        for n in range(1, 7)
        if parameters[f"filter_enablement_{n}"]
    }


def test_peaks_take_slots_two_to_five():
    parameters = equalizer(
        ("peak", 250, 1), ("peak", 500, -2), ("peak", 1000, 3), ("peak", 2000, 4)
    )
    assert slots(parameters) == {
        2: ("Peak", 250, 1),
        3: ("Peak", 500, -2),
        4: ("Peak", 1000, 3),
        5: ("Peak", 2000, 4),
    }
    assert parameters["filter_q_2"] == 1.0


def test_neutral_equalizer_switches_every_slot_off():
    # All six are on in a fresh MultiEQ, the first as a 20 Hz high pass.
    assert equalizer() == {f"filter_enablement_{n}": False for n in range(1, 7)}
    assert slots(equalizer(*[("peak", 1000, 0)] * 9)) == {}


def test_shelves_make_room_for_what_has_fewer_places_to_go():
    parameters = equalizer(
        ("low_shelf", 200, 3),
        ("high_shelf", 8000, 2),
        ("high_shelf", 12000, -1),
        ("high_pass", 80, 0),
        ("peak", 500, 1),
        ("peak", 1000, 1),
    )
    assert slots(parameters) == {
        1: ("HP (12dB/oct)", 80, 0),
        2: ("Peak", 500, 1),
        3: ("Peak", 1000, 1),
        4: ("Low-shelf", 200, 3),
        5: ("High-shelf", 12000, -1),
        6: ("High-shelf", 8000, 2),
    }


@pytest.mark.parametrize(
    ("bands", "culprit"),
    [
        ([("peak", 100 * n, 1) for n in range(1, 6)], "peak at 500 Hz"),
        ([("high_pass", 80, 0), ("high_pass", 90, 0)], "high pass at 90 Hz"),
        ([("peak", 500, 1)] * 4 + [("low_shelf", f, 1) for f in (100, 150)], "low shelf at 150 Hz"),
    ],
)
def test_too_many_bands_are_refused(bands, culprit):
    with pytest.raises(PluginError, match=culprit):
        equalizer(*bands)


def test_compressor():
    settings = CompressorSettings(
        threshold_db=-12, ratio=3.4, attack_ms=30, release_ms=150, makeup_db=2
    )
    assert omni_compressor(settings) == {
        "threshold_db": -12,
        "ratio_1": 3.4,
        "attack_time_ms": 30,
        "release_time_ms": 150,
        "makeup_gain_db": 2,
    }


def test_compressor_at_threshold_zero_is_off():
    assert omni_compressor(CompressorSettings(ratio=4))["ratio_1"] == 1


def test_reverberator():
    settings = FdnReverbSettings(
        reverberation_time_s=1.78, fade_in_time_s=0.68, dry_wet=0.11, lines="32"
    )
    assert fdn_reverb(settings) == {
        "room_size": 14.54,
        "reverberation_time_s": 1.78,
        "dry_wet": 0.11,
        "fade_in_time_s": 0.68,
        "lows_cutoff_frequency_hz": 101.77,
        "lows_q_factor": 0.53,
        "lows_gain_db_s": -2.13,
        "highs_cutoff_frequency_hz": 11858.54,
        "highs_q_factor": 0.77,
        "highs_gain_db_s": -16.02,
        "fdn_size_internal": 32,
    }


def test_find_plugins_ignores_case_and_looks_one_level_down(tmp_path):
    (tmp_path / "multieq.VST3").touch()
    (tmp_path / "A").mkdir()
    (tmp_path / "A" / "MultiEQ.vst3").touch()
    (tmp_path / "IEM").mkdir()
    (tmp_path / "IEM" / "OmniCompressor.vst3" / "Contents").mkdir(parents=True)
    (tmp_path / "IEM" / "FdnReverb.vst3").touch()
    assert find_plugins(tmp_path) == {
        "MultiEQ": tmp_path / "multieq.VST3",
        "OmniCompressor": tmp_path / "IEM" / "OmniCompressor.vst3",
        "FdnReverb": tmp_path / "IEM" / "FdnReverb.vst3",
    }


def test_find_plugins_names_folder_and_what_is_missing(tmp_path):
    (tmp_path / "MultiEQ.vst3").touch()
    (tmp_path / "MultiEQ.txt").touch()
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    (tmp_path / "deep" / "deeper" / "FdnReverb.vst3").touch()
    with pytest.raises(PluginError) as caught:
        find_plugins(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "no OmniCompressor.vst3, FdnReverb.vst3" in str(caught.value)
    assert find_plugins(tmp_path, ["MultiEQ"]) == {"MultiEQ": tmp_path / "MultiEQ.vst3"}


def test_find_plugins_without_the_folder(tmp_path):
    with pytest.raises(PluginError, match="No such file"):
        find_plugins(tmp_path / "absent")
    (tmp_path / "file").touch()
    with pytest.raises(PluginError, match="Not a directory"):
        find_plugins(tmp_path / "file", PLUGIN_NAMES)
