"""Fixtures of the file tests."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def unprivileged():
    """A context in which permissions count, also when the tests run as root."""

    @contextlib.contextmanager
    def context():
        was = os.geteuid()
        if was == 0:
            os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(was)

    return context


@pytest.fixture
def open_folder():
    """A folder that every user can enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="automix-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)
