"""The settings of a listening test: its scale, its excerpts, and its questionnaire."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

from automix.errors import UsageError
from automix.plan.parameters import Range, Settings

Kind = Literal["ape", "mushra", "likert"]
KINDS: tuple[Kind, ...] = get_args(Kind)

MOST_STIMULI = 20
"""Largest number of stimuli per passage. There are keys for ten; ITU-R BS.1534-3 allows twelve."""
MOST_FILES = 500
SHORTEST_S = 0.5
"""Shortest excerpt; loudness needs 0.4 s."""

_DURATIONS_S: dict[Kind, float] = {"ape": 20.0, "mushra": 12.0, "likert": 10.0}
_WORDS: dict[Kind, tuple[str, ...]] = {
    "ape": ("worst", "best"),
    "mushra": ("Bad", "Poor", "Fair", "Good", "Excellent"),
    "likert": ("Very poor", "Poor", "Fair", "Good", "Very good"),
}
_ASPECTS: dict[Kind, tuple[str, ...]] = {
    "ape": (),
    "mushra": (),
    "likert": ("level", "equalization", "compression", "reverb"),
}
_QUESTIONS: dict[Kind, str] = {
    "ape": "Compare the mixes and place each of them on the line.",
    "mushra": "How good is each mix, compared with the reference?",
    "likert": "How good is each mix, overall and in each respect?",
}


@dataclass(frozen=True, kw_only=True)
class Scale:
    """A scale of ratings.

    Attributes:
        low: Lowest rating.
        high: Highest rating.
        decimals: Number of decimals of a rating.
        step: Distance that an arrow key moves a rating by.
    """

    low: float
    high: float
    decimals: int
    step: float


SCALES: dict[Kind, Scale] = {
    "ape": Scale(low=0, high=1, decimals=3, step=0.01),
    "mushra": Scale(low=0, high=100, decimals=0, step=1),
    "likert": Scale(low=1, high=5, decimals=0, step=1),
}


@dataclass(frozen=True, kw_only=True)
class Design(Settings):
    """The settings of a test, as in its description; a setting of none is what suits the type.

    ``ape`` is one axis with a marker per stimulus (De Man and Reiss, "APE: Audio Perceptual
    Evaluation toolbox for MATLAB", AES 136, 2014), ``mushra`` follows ITU-R BS.1534-3, and
    ``likert`` is the five-point scale of Li and Lerch 2022, section IV-C, overall and per effect.
    """

    kind: Annotated[Kind, "type of the test"] = "ape"
    title: Annotated[str, "heading of the page"] = "Listening test"
    instructions: Annotated[str, "text of the first page; an empty line parts paragraphs"] = ""
    question: Annotated[str | None, "what is asked about each passage"] = None
    words: Annotated[tuple[str, ...] | None, "words along the scale, from low to high"] = None
    aspects: Annotated[tuple[str, ...] | None, "what likert asks beside the overall rating"] = None
    start_s: Annotated[float, Range(0, 86400, "s"), "where the excerpts start"] = 0.0
    duration_s: Annotated[float | None, Range(SHORTEST_S, 300, "s"), "their length"] = None
    loudness_lufs: Annotated[float, Range(-60, -10, "LUFS"), "integrated, of each excerpt"] = -28.0
    reference: Annotated[str | None, "method that mushra shows as the reference, and hides"] = None
    anchors_hz: Annotated[
        tuple[float, ...] | None, Range(500, 20000, "Hz"), "low-passed references of mushra"
    ] = None
    bits: Annotated[Literal["16", "24"], "sample depth of the stimuli"] = "16"
    seed: Annotated[int, Range(0, 2**53), "another seed gives every participant other orders"] = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kind == "mushra" and self.reference is None:
            raise UsageError("mushra needs a reference: name the method that is it (--reference)")
        if self.kind != "mushra" and (self.reference is not None or self.anchors_hz):
            raise UsageError(f"only mushra has a reference and anchors; this test is {self.kind}")
        if self.kind != "likert" and self.aspects:
            raise UsageError(f"only likert asks for aspects; this test is {self.kind}")
        aspects = [aspect.strip() for aspect in self.aspects or ()]
        if "" in aspects or len(set(aspects)) < len(aspects):
            raise UsageError("aspects must be different words")
        if taken := {"participant", "passage", "method", "rating"} & set(aspects):
            raise UsageError(f"an aspect may not be named {sorted(taken)[0]!r}")
        if self.words is not None and len(self.words) != len(_WORDS[self.kind]):
            raise UsageError(f"words: {self.kind} has {len(_WORDS[self.kind])} of them")

    @property
    def excerpt_s(self) -> float:
        """Length of the excerpts."""
        return self.duration_s if self.duration_s is not None else _DURATIONS_S[self.kind]

    @property
    def shown_words(self) -> tuple[str, ...]:
        """Words along the scale, from low to high."""
        return self.words if self.words is not None else _WORDS[self.kind]

    @property
    def asked_aspects(self) -> tuple[str, ...]:
        """Aspects that are rated beside the whole."""
        return self.aspects if self.aspects is not None else _ASPECTS[self.kind]

    @property
    def asked_question(self) -> str:
        """Question that is asked about each passage."""
        return self.question if self.question is not None else _QUESTIONS[self.kind]

    @property
    def made_anchors_hz(self) -> tuple[float, ...]:
        """Cut-offs of the anchors; mushra has the one at 3.5 kHz unless told otherwise."""
        if self.anchors_hz is not None:
            return tuple(sorted(set(self.anchors_hz)))
        return (3500.0,) if self.kind == "mushra" else ()


@dataclass(frozen=True, kw_only=True)
class Question(Settings):
    """One question of the questionnaire; each field says what it holds."""

    name: Annotated[str, "column of the answers"]
    text: Annotated[str, "as the participant reads it"]
    choices: Annotated[tuple[str, ...], "one of them is picked; without any, text is written"] = ()
    after: Annotated[bool, "asked at the end, not at the start"] = False
    required: Annotated[bool, "must be answered to go on"] = True


QUESTIONNAIRE = (
    Question(
        name="age",
        text="How old are you?",
        choices=("under 25", "25–34", "35–44", "45–54", "55 or older", "rather not say"),
    ),
    Question(
        name="experience",
        text="Do you mix music?",
        choices=("no", "yes, as an amateur", "yes, as a professional"),
    ),
    Question(
        name="training",
        text="How many years have you trained in music or audio?",
        choices=("none", "up to 2", "3–5", "6–10", "more than 10"),
    ),
    Question(
        name="device",
        text="What do you listen on?",
        choices=(
            "closed headphones",
            "open headphones",
            "earphones",
            "loudspeakers in a treated room",
            "other loudspeakers",
        ),
    ),
    Question(
        name="hearing",
        text="Do you know of any hearing impairment of yours?",
        choices=("no", "yes", "rather not say"),
    ),
    Question(
        name="remarks",
        text="Is there anything that you would like to tell us?",
        after=True,
        required=False,
    ),
)


@dataclass(frozen=True, kw_only=True)
class Passage:
    """One page of the test.

    Attributes:
        name: Name in the results; participants never see it.
        mixes: Audio files by name of the method.
        start_s: Time at which the excerpts start.
    """

    name: str
    mixes: Mapping[str, Path]
    start_s: float


@dataclass(frozen=True, kw_only=True)
class TestDescription:
    """The description of a whole test.

    Attributes:
        design: Settings of the test.
        passages: Passages, each of which is one page.
        training: Files of a very good and a very poor example, or none.
        training_start_s: Time at which the excerpts of the examples start.
        questions: Questions of the questionnaire.
    """

    design: Design
    passages: tuple[Passage, ...]
    training: tuple[Path, Path] | None
    training_start_s: float
    questions: tuple[Question, ...]
