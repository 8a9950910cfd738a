"""Figures of ratings: what they show, and that the same ratings give the same bytes."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import matplotlib.image
import numpy as np
import pytest

from automix.errors import UsageError
from automix.evaluation.picture_format import FORMATS, choose_picture_format
from automix.evaluation.plots import draw_box_plots, draw_likert_bars
from automix.evaluation.ratings import Ratings

ROOT = Path(__file__).parents[2]


def ratings(methods, passages, *, listeners=6, draw=lambda rng: rng.uniform(), aspects=1):
    rng = np.random.default_rng(1)
    rows = [(f"P{p}", s, m) for p in range(listeners) for s in passages for m in methods]
    names = ("rating", "reverb", "level", "compression", "equalization")[:aspects]
    who, where, which = zip(*rows, strict=True)
    return Ratings(
        participants=who,
        passages=where,
        methods=which,
        aspects={name: np.array([float(draw(rng)) for _ in rows]) for name in names},
    )


def answers(rng):
    return rng.integers(1, 6)


def texts(svg):
    """All text of an SVG file; lines of one label are elements of their own."""
    return [element.text for element in ElementTree.fromstring(svg).iter() if element.text]


def pixels(picture):
    return matplotlib.image.imread(io.BytesIO(picture.data), format="png")


def test_every_method_and_passage_is_named():
    picture = draw_box_plots(ratings(("mono", "rules"), ("A", "B", "C")), "rating", "svg")
    shown = texts(picture.data)
    assert {"All passages", "A", "B", "C"} <= set(shown)
    assert shown.count("mono") == 2  # beside the panel of all and beside the first of a row


def test_names_are_shown_as_they_are():
    names = ("$x_1$ & <b>", "\N{KELVIN SIGN}ラ", "a" * 60, "tab\tnew\nline")
    picture = draw_box_plots(ratings(names, ("A",)), "rating", "svg")
    shown = texts(picture.data)
    assert "$x_1$ & <b>" in shown
    assert any(text.endswith("…") for text in shown)
    assert "tab\\tnew\\nline" in shown
    assert picture.notes == ()


def test_letters_that_no_font_has_are_said():
    cuneiform = ratings(("mono", "\N{CUNEIFORM SIGN A}"), ("A",))
    assert "font" in draw_box_plots(cuneiform, "rating", "png").notes[0]


def test_the_boxes_lie_where_the_ratings_are():
    """One method at the lower end of the scale and one at the upper: colors left and right."""
    rated = ratings(("low", "top"), ("A",))
    low = np.array([method == "low" for method in rated.methods])
    rated.aspects["rating"][:] = np.where(low, 0.1, 0.9) + 0.01 * np.arange(low.size) / low.size
    image = pixels(draw_box_plots(rated, "rating", "png"))[..., :3]
    # Okabe and Ito's blue is the first method's, their orange the second's.
    blue = (image[..., 2] > 0.6) & (image[..., 0] < 0.1)
    orange = (image[..., 0] > 0.85) & (image[..., 2] < 0.1)
    width = image.shape[1]
    assert np.nonzero(blue)[1].max() < width / 3
    assert np.nonzero(orange)[1].min() > width * 2 / 3
    assert np.nonzero(blue)[0].max() < np.nonzero(orange)[0].min()  # in order from the top


@pytest.mark.slow
@pytest.mark.parametrize(("methods", "passages"), [(2, 1), (10, 15), (4, 4)])
def test_the_picture_grows_with_what_it_shows(methods, passages):
    rated = ratings(
        [f"method number {index}" for index in range(methods)],
        [f"passage number {index}" for index in range(passages)],
        listeners=3,
    )
    height, width = pixels(draw_box_plots(rated, "rating", "png")).shape[:2]
    assert width == 1500
    assert height > 200 * 0.25 * methods * (1 + passages / 3)


def test_bars_show_the_shares_of_the_answers():
    rated = ratings(("mono",), ("A",), listeners=10)
    rated.aspects["rating"][:] = [1, 1, 2, 3, 3, 3, 5, 5, 5, 5]
    shown = texts(draw_likert_bars(rated, "svg").data)
    assert {"very poor", "fair", "very good", "20", "10", "30", "40"} <= set(shown)


def test_bars_have_a_panel_for_every_aspect():
    rated = ratings(("mono", "rules"), ("A", "B"), draw=answers, aspects=5)
    rated.aspects["reverb"][3] = np.nan
    assert set(rated.aspects) <= set(texts(draw_likert_bars(rated, "svg").data))


@pytest.mark.parametrize("wrong", [0.0, 6.0, 2.5])
def test_bars_of_other_scales_are_refused(wrong):
    rated = ratings(("mono",), ("A",), draw=answers)
    rated.aspects["rating"][2] = wrong
    with pytest.raises(UsageError, match=f"{wrong:g}"):
        draw_likert_bars(rated, "svg")


PROGRAM = """
import hashlib, sys
sys.path[:0] = [{root!r}, {here!r}]
from test_ratings_plots import *
for form in FORMATS:
    one = ratings(("mono", "rules"), ("A", "B"), draw=answers)
    for picture in (draw_box_plots(one, "rating", form), draw_likert_bars(one, form)):
        print(form, hashlib.sha256(picture.data).hexdigest())
"""


@pytest.mark.slow
def test_the_same_ratings_give_the_same_bytes(tmp_path):
    """In another process, with other hashes, on another day, whatever the user's settings."""
    (tmp_path / "matplotlibrc").write_text("font.size: 20\nsvg.fonttype: path\naxes.grid: True\n")
    program = PROGRAM.format(root=str(ROOT), here=str(Path(__file__).parent))

    def run(**variables):
        environment = {**os.environ, **variables}
        return subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            cwd=tmp_path if variables["PYTHONHASHSEED"] == "2" else ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    first = run(PYTHONHASHSEED="1", SOURCE_DATE_EPOCH="0")
    assert first == run(PYTHONHASHSEED="2", SOURCE_DATE_EPOCH="1000000000")
    assert len(first.splitlines()) == 2 * len(FORMATS)


def test_no_date_is_written():
    rated = ratings(("mono", "rules"), ("A",))
    for form in FORMATS:
        data = draw_box_plots(rated, "rating", form).data
        assert not re.search(rb"CreationDate|<dc:date>|tIME", data)


def test_the_format_is_that_of_the_name():
    assert choose_picture_format(Path("a/b.PNG")) == "png"
    for name in ("plot", "plot.jpg", ".svg"):
        with pytest.raises(UsageError, match=r"\.png, \.svg"):
            choose_picture_format(Path(name))
