"""The page in real Chromium: taken part in by keys, by mouse, by twenty at once, and on a phone."""

import csv
import json
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from automix.listening.export import export_results
from automix.listening.key import PAGE_FOLDER, Key, load_key
from automix.listening.making import TEMPLATE
from automix.listening.results import read_submission
from automix.listening.store import read_documents
from tests.browser.chromium import Browser, Page
from tests.listening.listening_tests import make, served, write_mixes

ROBOT = (Path(__file__).parent / "robot.js").read_text()
PARTICIPANTS = 20
KINDS: dict[str, dict[str, Any]] = {
    "ape": {"kind": "ape"},
    "mushra": {"kind": "mushra", "reference": "b"},
    "likert": {"kind": "likert"},
}


@pytest.fixture(scope="module")
def tests(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One test of each type; that of mushra with training."""
    folder = tmp_path_factory.mktemp("page")
    mixes = write_mixes(folder / "mixes", methods="abc")
    for kind, changes in KINDS.items():
        training = (mixes / "song0" / "a.wav", mixes / "song0" / "c.wav")
        extra = {"training": training} if kind == "mushra" else {}
        make(mixes, folder / kind, duration_s=0.7, **changes, **extra)
    return {kind: folder / kind for kind in KINDS}


def wishes(key: Key, number: int) -> dict[str, float]:
    """What a participant thinks of each stimulus: a is best, c is worst."""
    worth = {"a": 0.8, "b": 0.5, "c": 0.2, "anchor 3.5 kHz": 0.1}
    low, high = {"ape": (0, 1), "mushra": (0, 100), "likert": (1, 5)}[key.kind]
    digits = 2 if key.kind == "ape" else 0
    return {
        stimulus: round(low + (worth[method] + 0.01 * (number % 7)) * (high - low), digits)
        for passage in key.passages.values()
        for stimulus, method in passage.methods.items()
    }


def take_part(page: Page, key: Key, number: int = 0) -> Any:
    return page.run(f"({ROBOT})({json.dumps(wishes(key, number))})")


def ratings(document: Any) -> dict[str, float]:
    return {
        stimulus["stimulus"]: stimulus["rating"]
        for passage in document["passages"]
        for stimulus in passage["stimuli"]
    }


@pytest.mark.parametrize("kind", KINDS)
def test_a_participant_gets_through_and_what_is_meant_arrives(
    browser: Browser, tests: dict[str, Path], kind: str, tmp_path: Path
) -> None:
    key = load_key(tests[kind])
    with (
        served(tests[kind], tmp_path / "results.sqlite") as server,
        browser.page(server.url) as page,
    ):
        document = take_part(page, key)
        assert "Your answers have arrived" in page.run("main.innerText")
        assert page.complaints == []
    (kept,) = map(json.loads, read_documents(tmp_path / "results.sqlite"))
    assert kept == document
    assert ratings(kept) == wishes(key, 0)
    submission = read_submission(kept, key)
    assert submission.answers["remarks"] == "It was <fun>."
    for rating in submission.ratings:
        assert set(rating.aspects.values()) <= {rating.rating}


@pytest.mark.slow
def test_twenty_pages_at_once_and_every_rating_is_read_back(
    browser: Browser, tests: dict[str, Path], tmp_path: Path
) -> None:
    key, database = load_key(tests["likert"]), tmp_path / "results.sqlite"

    def participate(number: int) -> Any:
        with browser.page(f"{server.url}?participant=p{number}") as page:
            return take_part(page, key, number)

    with served(tests["likert"], database) as server, ThreadPoolExecutor(PARTICIPANTS) as pool:
        documents = list(pool.map(participate, range(PARTICIPANTS)))
    kept = {
        document["participant"]: document for document in map(json.loads, read_documents(database))
    }
    assert kept == {document["participant"]: document for document in documents}
    assert set(kept) == {f"p{number}" for number in range(PARTICIPANTS)}
    export_results(
        tests["likert"],
        [],
        database=database,
        ratings=tmp_path / "ratings.csv",
        screen=False,
        overwrite=False,
    )
    with (tmp_path / "ratings.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == PARTICIPANTS * 2 * 3
    names = {passage.name: passage.methods for passage in key.passages.values()}
    for row in rows:
        number = int(row["participant"].removeprefix("p"))
        methods = {method: stimulus for stimulus, method in names[row["passage"]].items()}
        assert float(row["rating"]) == wishes(key, number)[methods[row["method"]]]


def test_it_works_from_a_file_and_saves_one(
    browser: Browser, tests: dict[str, Path], tmp_path: Path
) -> None:
    key = load_key(tests["ape"])
    with browser.page((tests["ape"] / PAGE_FOLDER / "index.html").as_uri()) as page:
        browser.send(
            "Browser.setDownloadBehavior",
            behavior="allow",
            downloadPath=str(tmp_path),
            browserContextId=page.context,
        )
        document = take_part(page, key)
        page.click(".next")
        page.wait("main.innerText.includes('Saved as')")
        (name,) = re.findall(r"Saved as (\S+)\. ", page.run("main.innerText"))
        page.run("new Promise((resolve) => setTimeout(resolve, 500))")
        assert json.loads((tmp_path / name).read_text()) == document
        assert page.complaints == []
    assert read_submission(document, key).ratings


@pytest.mark.slow
def test_a_server_that_is_gone_costs_no_answers(
    browser: Browser, tests: dict[str, Path], tmp_path: Path
) -> None:
    key, database = load_key(tests["ape"]), tmp_path / "results.sqlite"
    with served(tests["ape"], database) as server, browser.page(server.url) as page:
        page.run(
            "{ const real = fetch; globalThis.lost = 0;"
            "globalThis.fetch = async (...given) => { const answer = await real(...given);"
            "if ((lost += 1) === 1) throw new TypeError('network'); return answer; } }"
        )
        take_part(page, key)  # the first answer was lost on the way: the page sent it again
        assert page.run("lost") == 2
        assert server.store.count() == 1


def test_a_reload_goes_on_where_it_was(
    browser: Browser, tests: dict[str, Path], tmp_path: Path
) -> None:
    database = tmp_path / "results.sqlite"
    with served(tests["ape"], database) as server, browser.page(server.url) as page:
        _to_first_passage(page)
        order = page.run("order[0].stimuli")
        for digit in "123":
            page.press(digit)
            for _ in range(3):
                page.press("ArrowRight")
        given = page.run("order[0].stimuli.map((name) => state.ratings[name].rating)")
        page.press("Enter")
        page.wait("document.getElementById('place').textContent === 'Passage 2 of 2'")
        page.send("Page.reload")
        page.wait("document.readyState === 'complete' && main.innerText.includes('Continue')")
        page.click(".next")
        page.wait("document.getElementById('place').textContent === 'Passage 2 of 2'")
        assert page.run("order[0].stimuli") == order
        assert page.run("order[0].stimuli.map((name) => state.ratings[name].rating)") == given
        assert None not in given


def _to_first_passage(page: Page) -> None:
    page.wait("document.querySelector('.next')")
    page.press("Enter")
    page.wait("document.querySelector('form')")
    page.run("main.querySelectorAll('fieldset').forEach((f) => f.querySelector('input').click())")
    page.click(".next")
    page.wait("document.querySelector('.transport')")
    if page.run("document.getElementById('place').textContent") == "Training":
        page.press("1")
        page.press("2")
        page.press("Enter")
        page.wait("document.getElementById('place').textContent.startsWith('Passage')")
        page.wait("document.querySelector('.transport')")


def test_keys_choose_rate_play_and_go_on_only_when_all_is_rated(
    browser: Browser, tests: dict[str, Path]
) -> None:
    with browser.page((tests["mushra"] / PAGE_FOLDER / "index.html").as_uri()) as page:
        _to_first_passage(page)
        stimuli = page.run("order[0].stimuli")
        assert len(stimuli) == 4
        page.press("Enter")
        assert "Still to hear: 1, 2, 3, 4" in page.run("statusLine.textContent")
        page.press("r")
        assert page.run("player.heard === order[0].reference && player.playing")
        for number, name in enumerate(stimuli, 1):
            page.press(str(number))
            assert page.run("player.heard") == name
            assert page.run("document.activeElement.getAttribute('aria-label')") == f"Mix {number}"
            assert page.run("document.activeElement.matches(':focus-visible')")
            for key in ["ArrowUp"] * (5 * number) + ["ArrowLeft"]:
                page.press(key)
            if number == 3:
                page.press("Enter")
                assert "Still to hear: 4" in page.run("statusLine.textContent")
        given = page.run("order[0].stimuli.map((name) => state.ratings[name].rating)")
        assert given == [50 + 5 * number - 1 for number in (1, 2, 3, 4)]
        page.press(" ")
        assert page.run("player.playing") is False
        page.press("Enter")
        page.wait("document.getElementById('place').textContent === 'Passage 2 of 2'")


def test_markers_are_dragged_and_a_click_alone_rates_nothing(
    browser: Browser, tests: dict[str, Path]
) -> None:
    with browser.page((tests["ape"] / PAGE_FOLDER / "index.html").as_uri()) as page:
        _to_first_passage(page)
        page.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        first = page.run("order[0].stimuli[0]")
        page.click(".knob:nth-child(1) .head")
        assert page.run("player.heard") == first
        assert page.run(f"state.ratings['{first}'].rating") is None
        start = page.middle(".knob:nth-child(1) .head")
        left, width = page.run(
            "(() => { const b = document.querySelector('.line').getBoundingClientRect();"
            "return [b.x, b.width]; })()"
        )
        page.drag(start, (left + 0.75 * width, start[1] + 30))
        assert page.run(f"state.ratings['{first}'].rating") == pytest.approx(0.75, abs=0.005)
        start = page.middle(".knob:nth-child(1) .head")
        page.drag(start, (left + 3 * width, start[1]))
        assert page.run(f"state.ratings['{first}'].rating") == 1


def test_orders_are_those_of_the_participant_and_even(
    browser: Browser, tests: dict[str, Path]
) -> None:
    with browser.page((tests["ape"] / PAGE_FOLDER / "index.html").as_uri()) as page:
        orders = page.run("Array.from({length: 600}, (_, n) => orderFor(`p${n}`))")
        assert page.run("orderFor('p17')") == orders[17]
        stimuli = page.run("test.passages[0].stimuli")
        first = page.run("test.passages[0].id")
    counts = Counter(
        tuple(stimuli.index(name) for name in passage["stimuli"])
        for order in orders
        for passage in order
        if passage["id"] == first
    )
    assert len(counts) == 6
    assert all(70 <= count <= 130 for count in counts.values())  # 100 ± 3.3 standard deviations
    assert 250 <= sum(order[0]["id"] == first for order in orders) <= 350
    places = [place for order in orders for place in order[0]["places"]]
    assert 0.1 <= min(places) < 0.15 < 0.85 < max(places) <= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (340, 640)])
def test_everything_is_named_and_fits(
    browser: Browser, tests: dict[str, Path], kind: str, width: int, height: int
) -> None:
    with browser.page((tests[kind] / PAGE_FOLDER / "index.html").as_uri()) as page:
        page.resize(width, height, phone=width < 500)
        _to_first_passage(page)
        assert page.run("document.documentElement.scrollWidth <= innerWidth")
        tree = page.send("Accessibility.getFullAXTree")["nodes"]
        controls = [
            (node["role"]["value"], node.get("name", {}).get("value", ""))
            for node in tree
            if node.get("role", {}).get("value") in ("button", "slider", "radio", "textbox")
        ]
        assert all(name for _, name in controls)
        roles = Counter(role for role, _ in controls)
        mixes = {"ape": 3, "mushra": 4, "likert": 3}[kind]
        assert roles["slider"] == 1 + (mixes if kind != "likert" else 0)
        assert roles["radio"] == (mixes * 5 * 5 if kind == "likert" else 0)
        small = page.run(
            "[...document.querySelectorAll('button, .head, .point, .knob')].filter((e) =>"
            "e.getBoundingClientRect().height < 24 || e.getBoundingClientRect().width < 24).length"
        )
        assert small == 0  # WCAG 2.2, 2.5.8


def test_colors_contrast_in_light_and_dark() -> None:
    """WCAG 2.2: 4.5 : 1 for text (1.4.3), 3 : 1 for what is not (1.4.11)."""
    light, dark = re.findall(r":root \{(.*?)\}", (TEMPLATE / "page.css").read_text(), re.S)[:2]

    def luminance(color: str) -> float:
        parts = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for theme in (light, dark):
        colors = dict(re.findall(r"--([\w-]+): (#\w{6});", theme))

        def contrast(one: str, other: str, colors: dict[str, str] = colors) -> float:
            low, high = sorted((luminance(colors[one]), luminance(colors[other])))
            return (high + 0.05) / (low + 0.05)

        for text, ground in (
            ("ink", "paper"),
            ("ink", "card"),
            ("quiet", "paper"),
            ("quiet", "card"),
            ("focus", "paper"),
            ("on-accent", "accent"),
            ("accent", "paper"),
            ("ink", "tint"),
        ):
            assert contrast(text, ground) >= 4.5, (text, ground)


def test_the_page_needs_no_network_and_no_eval() -> None:
    for path in TEMPLATE.iterdir():
        text = path.read_text()
        assert not re.search(r"https?://|@import|@font-face|\beval\(|innerHTML", text), path.name
