"""What tests of several parts share."""

from collections.abc import Iterator

import pytest

from tests.browser.chromium import PROGRAM, Browser, chromium


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if PROGRAM is None:
        pytest.skip("Chromium is not installed")
    with chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser
