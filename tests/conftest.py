"""What tests of several parts share."""

import os
import signal
from collections.abc import Iterator

# Several tests run at a time, one on each core: threads within them would only wait for each other.
# Read when torch and NumPy are loaded, here and in the programs that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest

from tests.browser.chromium import PROGRAM, Browser, chromium

# Started in the background (`nohup`, `&` in a script), tests inherit signals that are ignored, and
# so would the commands that they start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if PROGRAM is None:
        pytest.skip("Chromium is not installed")
    with chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that take minutes wait until they are asked for."""
    if "AUTOMIX_LONG_TESTS" not in os.environ:
        for item in items:
            if item.get_closest_marker("long") is not None:
                item.add_marker(pytest.mark.skip(reason="takes minutes: set AUTOMIX_LONG_TESTS"))
