"""Songs that several tests look at: made once, with the built-in instruments."""

from pathlib import Path
from typing import Any

import pytest

from automix.mixing.mix import Mix
from automix.mixing.spine import render_plan
from automix.plan.model import MixPlan
from automix.session.tracks import open_plan_session
from automix.synthesis.engines import EngineChoice
from automix.synthesis.song import SyntheticSongRequest, write_song


@pytest.fixture(scope="session")
def songs(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, dict[str, Any]]:
    """What was told of eight songs, by their folders."""
    root = tmp_path_factory.mktemp("songs")
    made = {}
    for number in range(1, 9):
        folder = root / f"song-{number:04d}"
        folder.mkdir()
        request = SyntheticSongRequest(seed=3, number=number, duration_s=8.0, choice=EngineChoice())
        made[folder] = write_song(request, folder)
    return made


@pytest.fixture(scope="session")
def mixes(songs: dict[Path, dict[str, Any]]) -> dict[Path, Mix]:
    """The plans of the songs, rendered."""
    rendered = {}
    for folder in songs:
        plan = MixPlan.from_toml((folder / "mix.toml").read_text())
        session = open_plan_session(plan, folder)
        assert session.notes == ()
        rendered[folder] = render_plan(session, plan)
    return rendered
