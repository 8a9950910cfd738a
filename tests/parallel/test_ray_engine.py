"""A Ray that is not there; `tests/cli` has the real thing."""

import sys

import pytest

from automix.errors import UsageError
from automix.parallel.ray_engine import RayEngine
from tests.parallel import toy


def test_ray_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"pip install 'automix\[ray\]'"):
        RayEngine(toy.mix, None, 1)
