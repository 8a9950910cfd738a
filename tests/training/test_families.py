"""Every row of the table of families can be carried out."""

import inspect

import pytest

from automix.plan.parameters import Settings
from automix.training.families import FAMILIES
from automix.training.settings import LoopSettings


@pytest.mark.parametrize("name", FAMILIES)
def test_a_row_names_settings_with_a_loop_and_functions_of_one_form(name):
    family = FAMILIES[name]
    settings = family.make_settings()
    assert isinstance(settings, Settings)
    assert isinstance(settings.loop, LoopSettings)
    for function, count in ((family.open_sources, 2), (family.make_task, 3)):
        assert len(inspect.signature(function).parameters) == count
