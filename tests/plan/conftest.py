"""Random legal plans."""

import math
import random
from dataclasses import replace

import pytest

from automix.plan.decision import Decision
from automix.plan.model import MixPlan
from automix.plan.parameters import Settings, parameters
from automix.plan.rides import Ride, find_ridable
from automix.plan.settings import Bus, ChannelStrip, Send

RIDDEN = ("fader_db", "pan", "widener.side_db", "gain_db")
"""What strips, buses and the master can ride, besides the sends of strips."""

TEXTS = (
    "lead vocal",
    "Gesäng 歌 שיר 🎤",
    'a "quoted" \\ name',
    "two\nlines\r\n\tand a tab",
    "\x7f\x01\x1f\x85\u2028",
    '# = [[tracks]] \'single\' """',
    "a.b.c",
    " spaces ",
    "-leading-dash",
    "1",
)


class Draw:
    """Draws legal values, with a bent for the ends of every range."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def settings(self, kind: type[Settings]):
        declared = parameters(kind)
        drawn = {name: self.value(declared[name]) for name in declared if name != "rides"}
        return self.with_rides(kind(**drawn), RIDDEN) if "rides" in declared else kind(**drawn)

    def with_rides(self, part, settings):
        """The part with rides of some of its settings."""
        rides = []
        for setting in settings:
            if hasattr(part, setting.partition(".")[0]) and self.random.random() < 0.3:
                times_s = {self.number(parameters(Ride)["times_s"].range) for _ in range(15)}
                legal = find_ridable(part, setting)[1]
                values = [self.number(legal) for _ in times_s]
                legal = parameters(Ride)["values"].range
                rides.append(
                    Ride(
                        setting=setting,
                        times_s=tuple(sorted(times_s)),
                        values=tuple(map(legal.clamp, values)),
                    )
                )
        return replace(part, rides=(*part.rides, *rides))

    def value(self, parameter):
        if parameter.optional and self.random.random() < 0.3:
            return None
        if parameter.many:
            return tuple(self.one(parameter) for _ in range(self.random.randrange(4)))
        return self.one(parameter)

    def one(self, parameter):
        if parameter.kind is Decision:
            return self.decision()
        if issubclass(parameter.kind, Settings):
            # Every other group stays neutral: it is the one that is not written.
            return self.settings(parameter.kind) if self.random.random() < 0.5 else parameter.kind()
        if parameter.choices:
            return self.random.choice(parameter.choices)
        if parameter.kind is bool:
            return self.random.random() < 0.5
        if parameter.kind is str:
            return self.random.choice(TEXTS)
        value = self.number(parameter.range)
        return parameter.range.clamp(round(value)) if parameter.kind is int else value

    def number(self, legal):
        inside = legal.from_unit(self.random.random())
        beside = math.nextafter(legal.low, legal.high), math.nextafter(legal.high, legal.low)
        return self.random.choice([legal.low, legal.high, *beside, inside, inside, inside])

    def decision(self):
        figures = [0.1 + 0.2, -0.0, 1e-300, 1e300, 1e16, math.inf, -math.inf, 5e-324]
        names = ["vocal_lufs", "gain at 1 kHz", "ü", 'a"b', "x.y"]
        count = self.random.randrange(len(names) + 1)
        return Decision(
            setting=self.random.choice(TEXTS),
            value=self.random.choice([True, False, *figures]),
            rule=self.random.choice(TEXTS),
            reason=self.random.choice(TEXTS),
            figures=tuple((name, self.random.choice(figures)) for name in names[:count]),
        )

    def plan(self):
        names = self.random.sample(TEXTS, 6)
        buses = tuple(replace(self.settings(Bus), name=name) for name in names[:2])
        tracks = []
        for name in names[2 : 2 + self.random.randrange(1, 5)]:
            sends = tuple(
                replace(self.settings(Send), bus=self.random.choice(buses).name)
                for _ in range(self.random.randrange(3))
            )
            strip = replace(self.settings(ChannelStrip), name=name, sends=sends)
            ridden = [f"sends.{number}.gain_db" for number in range(1, len(sends) + 1)]
            tracks.append(self.with_rides(strip, ridden))
        rest = {
            name: self.value(parameter)
            for name, parameter in parameters(MixPlan).items()
            if name not in ("tracks", "buses")
        }
        return MixPlan(tracks=tuple(tracks), buses=buses, **rest)


@pytest.fixture(params=range(8))
def drawn_plan(request):
    return Draw(request.param).plan()
