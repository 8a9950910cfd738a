"""The package as others see it: version, types, names, and the tables that belong together."""

import importlib
import inspect
import pkgutil
import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import automix
from automix.cli.completion import Shell
from automix.cli.options import DepthName
from automix.errors import AutomixError
from automix.methods.catalog import STEMS_METHODS, VOCAL_METHODS
from automix.methods.vocal.settings import PRESETS, VocalRules
from automix.networks import catalog
from automix.plan.model import MixPlan
from automix.plan.parameters import Settings, parameters

ROOT = Path(__file__).parents[2]
MODULES = [
    module.name
    for module in pkgutil.walk_packages(automix.__path__, "automix.")
    if not module.name.endswith("__main__")
]


def test_the_types_are_shipped():
    assert (ROOT / "automix" / "py.typed").is_file()
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "py.typed" in settings["tool"]["setuptools"]["package-data"]["automix"]


def test_the_version_is_written_in_one_place():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert settings["project"]["dynamic"] == ["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", automix.__version__)


def test_the_installed_version_is_that_of_the_code():
    try:
        installed = metadata.version("automix")
    except metadata.PackageNotFoundError:
        pytest.skip("automix is not installed here")
    assert installed == automix.__version__


def test_the_program_is_installed_under_its_name():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    module, function = settings["project"]["scripts"]["automix"].split(":")
    assert callable(getattr(importlib.import_module(module), function))


@pytest.mark.parametrize("row", [*VOCAL_METHODS, *STEMS_METHODS], ids=lambda row: row.name)
def test_a_row_of_the_catalog_leads_to_its_function_and_its_options(row):
    takes = [*inspect.signature(row.load_function()).parameters]
    assert takes[0] == ("session" if row.makes == "audio" else "console")
    assert len(takes) == (2 if row.makes == "audio" else 3)
    assert isinstance(row.load_options()(), Settings)
    assert row.summary


def test_the_command_line_offers_what_there_is():
    assert tuple(depth.value for depth in DepthName) == parameters(MixPlan)["bits"].choices
    assert {shell.value for shell in Shell} == {"bash", "zsh", "fish"}


def test_presets_are_rules_that_differ():
    assert all(isinstance(rules, VocalRules) for rules in PRESETS.values())
    assert len(set(PRESETS.values())) == len(PRESETS)


def test_the_faithful_presets_hold_the_published_constants():
    """Li & Lerch 2022, section III-B; Li 2022 (poster)."""
    paper, poster = PRESETS["paper"], PRESETS["poster"]
    assert (paper.relative_loudness_lu, poster.relative_loudness_lu) == (-1.77, -0.5)
    assert (paper.loudness_range_below_lu, poster.loudness_range_below_lu) == (16.36, 16.7)
    assert (paper.essential_vocal_bands, paper.essential_backing_bands) == (6, 2)
    assert (poster.essential_vocal_bands, poster.essential_backing_bands) == (4, 3)
    assert (paper.rank_k_weighted, poster.rank_k_weighted) == (False, True)
    assert (paper.reverb.dry_wet, poster.reverb.dry_wet) == (0.11, 0.6)
    for rules in (paper, poster):
        assert (rules.filters, rules.filter_q, rules.filter_limit_db) == (4, 1.0, 8.0)
        assert (rules.high_pass_hz, rules.de_ess, rules.return_below_mix_lu) == (None, False, None)
        reverb = rules.reverb
        assert (reverb.reverberation_time_s, reverb.fade_in_time_s) == (1.595, 0.68)
        assert (reverb.room_size, reverb.lines) == (14.54, "64")
        assert (reverb.low_cutoff_hz, reverb.low_q, reverb.low_gain_db_s) == (101.77, 0.53, -2.13)
        assert (reverb.high_cutoff_hz, reverb.high_q) == (11858.54, 0.77)
        assert reverb.high_gain_db_s == -16.02


def test_what_is_public_is_documented():
    for name in MODULES:
        module = importlib.import_module(name)
        assert module.__doc__, name
        for label, member in vars(module).items():
            is_own = getattr(member, "__module__", None) == name
            if (
                not label.startswith("_")
                and is_own
                and (inspect.isclass(member) or inspect.isfunction(member))
            ):
                assert inspect.getdoc(member), f"{name}.{label}"


def test_the_catalog_of_networks_names_what_there_is():
    for model in catalog.MODELS:
        module = importlib.import_module(model.module)
        for name in (model.network, model.receptive_field, model.rate_hz):
            assert not name or hasattr(module, name), f"{model.name}: {model.module}.{name}"


def test_every_dependency_has_bounds_and_a_version_that_was_tested():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = (ROOT / "automix" / "constraints.txt").read_text().splitlines()
    assert not [line for line in lines if "/" in line.replace("automix/constraints.txt", "")]
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    extras = project["optional-dependencies"]
    locked = [*project["dependencies"], *extras["test"]]
    for text in {*locked, *(text for texts in extras.values() for text in texts)}:
        dependency = Requirement(text)
        operators = {bound.operator for bound in dependency.specifier}
        assert operators in ({"=="}, {">=", "<"}), text
        if text in locked:
            assert dependency.specifier.contains(pins[dependency.name]), text


def test_every_error_has_the_exit_code_of_its_kind():
    codes = {}
    waiting = [AutomixError]
    while waiting:
        kind = waiting.pop()
        codes[kind.__name__] = kind.exit_code
        waiting += kind.__subclasses__()
    expected = {
        "AutomixError": 1,
        "UsageError": 2,
        "PlanError": 2,
        "InputError": 3,
        "OutputError": 4,
        "DeviceError": 5,
        "PluginError": 6,
    }
    assert expected.items() <= codes.items()
    assert set(codes.values()) == set(range(1, 7))
