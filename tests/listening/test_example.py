"""`examples/listening-test.sh`: a test of the demo song, from the mixes to the statistics."""

import csv
import json
import os
import signal
import subprocess
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from automix.listening.key import Key, load_key
from tests.browser.chromium import Browser

ROOT = Path(__file__).parents[2]
ROBOT = (Path(__file__).parent / "robot.js").read_text()
SCRIPT = ROOT / "examples" / "listening-test.sh"
METHODS = ("rules", "equal-loudness", "random", "mono")
PARTICIPANTS = 4


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """With a program `automix` on the path."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "automix"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m automix "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}


def opinions(key: Key, number: int) -> dict[str, float]:
    """Ratings of one participant: rules best, mono worst, each a little different."""
    worth = {"rules": 0.8, "equal-loudness": 0.6, "random": 0.35, "mono": 0.2}
    return {
        stimulus: round(worth[method] + 0.02 * number, 2)
        for passage in key.passages.values()
        for stimulus, method in passage.methods.items()
    }


@pytest.mark.slow
def test_a_song_is_made_served_rated_and_analyzed(
    browser: Browser, environment: dict[str, str], tmp_path: Path
) -> None:
    def run(*arguments: str) -> str:
        done = subprocess.run(
            ["sh", str(SCRIPT), *arguments],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    subprocess.run(
        ["automix", "demo", "demo", "--sample-rate", "16000", "-q"],
        env=environment,
        cwd=tmp_path,
        check=True,
        timeout=120,
    )
    printed = run("make", "demo/song", "my test")
    assert "2 passages, 10 stimuli at -28.0 LUFS" in printed
    key = load_key(tmp_path / "my test" / "test")
    server = subprocess.Popen(
        ["sh", str(SCRIPT), "serve", "my test", "--port", "0"],
        env=environment,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with server:
        try:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            assert url.startswith("http://127.0.0.1:")

            def participate(number: int) -> None:
                with browser.page(f"{url}?participant=p{number}") as page:
                    page.run(f"({ROBOT})({json.dumps(opinions(key, number))})")
                    assert "have arrived" in page.run("main.innerText")

            with ThreadPoolExecutor(PARTICIPANTS) as pool:
                list(pool.map(participate, range(PARTICIPANTS)))
            server.send_signal(signal.SIGINT)
            _, said = server.communicate(timeout=30)
        finally:
            server.kill()
    assert server.returncode == 130
    assert f"{PARTICIPANTS} results so far" in said
    assert "Traceback" not in said
    printed = run("analyze", "my test")
    assert f"{2 * 4 * PARTICIPANTS} ratings by {PARTICIPANTS} participants" in printed
    with (tmp_path / "my test" / "ratings.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    ratings = defaultdict(list)
    for row in rows:
        ratings[row["method"]].append(float(row["rating"]))
    means = {method: sum(values) / len(values) for method, values in ratings.items()}
    assert sorted(means, key=lambda method: -means[method]) == list(METHODS)
    assert means["rules"] == pytest.approx(0.83)
    for method in METHODS:  # the analysis names them all
        assert method in printed
