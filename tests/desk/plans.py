"""Random edits of random plans."""

import errno
import os
import random
from dataclasses import replace

from automix.desk.edits import SettingEdit, parts_of
from automix.errors import PlanError
from automix.plan.model import MixPlan
from automix.plan.parameters import Settings, parameters
from automix.plan.plain import to_plain
from automix.plan.rides import Ride
from automix.plan.settings import (
    STRIP_IDENTITY,
    Bus,
    ChannelStrip,
    EqualizerBand,
    EqualizerSettings,
    Send,
)
from automix.plan.toml import dumps
from tests.plan.conftest import Draw

PLAN = MixPlan(
    method="rules",
    plan_sha256="as written",
    tracks=(
        ChannelStrip(
            name="lead vocal",
            file="lead vocal.wav",
            equalizer=EqualizerSettings(bands=(EqualizerBand(), EqualizerBand(gain_db=3.0))),
            sends=(Send(bus="hall", gain_db=-9.0), Send(bus="plate", gain_db=-12.0)),
            rides=(
                Ride(setting="fader_db", times_s=(0.0, 4.0), values=(0.0, 2.0)),
                Ride(setting="sends.1.gain_db", times_s=(1.0,), values=(-3.0,)),
                Ride(setting="sends.2.gain_db", times_s=(2.0,), values=(3.0,)),
            ),
        ),
        ChannelStrip(name="a.b.c", file="beat.wav", fader_db=-2.0),
        ChannelStrip(name="Gesäng 歌", file="back.wav"),
    ),
    buses=(Bus(name="hall"), Bus(name="plate", gain_db=-10.0)),
)


def edit(address, value):
    """An edit of the example, from ``owner: setting``."""
    owner, _, setting = address.partition(": ")
    return SettingEdit(owner=owner, setting=setting, value=value)


def write(folder, plan=PLAN, name="mix.toml"):
    path = folder / name
    path.write_text(dumps(plan), encoding="utf-8")
    return path


def fail_on_a_full_disk(*arguments):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def part_of(plan, owner):
    return parts_of(plan)[owner]


class EditDraw:
    """Draws edits that are legal by themselves; together, they may not be."""

    def __init__(self, seed):
        self.draw = Draw(seed)
        self.random = random.Random(seed)

    def edit(self, plan):
        parts = parts_of(plan)
        owner = self.random.choice(list(parts))
        part, path = parts[owner], []
        while True:
            names = [name for name in parameters(type(part)) if name not in STRIP_IDENTITY]
            name = self.random.choice(names)
            parameter = parameters(type(part))[name]
            value = getattr(part, name)
            path.append(name)
            if parameter.many and value and self.random.random() < 0.7 and name != "rides":
                place = self.random.randrange(len(value))
                path.append(str(place + 1))
                part = value[place]
            elif not parameter.many and issubclass(parameter.kind, Settings):
                part = value
            else:
                return SettingEdit(
                    owner=owner, setting=".".join(path), value=self.value(plan, part, parameter)
                )
            if self.random.random() < 0.2:
                return SettingEdit(
                    owner=owner,
                    setting=".".join(path),
                    value=to_plain(self.settings(plan, type(part))),
                )

    def settings(self, plan, kind):
        drawn = self.draw.settings(kind)
        return replace(drawn, bus=self.bus(plan)) if kind is Send else drawn

    def bus(self, plan):
        return self.random.choice([bus.name for bus in plan.buses])

    def value(self, plan, part, parameter):
        if parameter.name == "rides":
            return [
                to_plain(ride)
                for ride in self.draw.with_rides(replace(part, rides=()), RIDDEN).rides
            ]
        if parameter.name == "bus":
            return self.bus(plan)
        if parameter.many:
            count = self.random.randrange(4)
            return [to_plain(self.settings(plan, parameter.kind)) for _ in range(count)]
        return self.draw.value(parameter)

    def legal_edits(self, plan, apply):
        """One to three edits that are legal together, and what ``apply`` makes of them."""
        while True:
            edits = [self.edit(plan) for _ in range(self.random.randrange(1, 4))]
            try:
                return edits, apply(plan, edits)
            except PlanError:
                continue


RIDDEN = ("fader_db", "gain_db", "pan", "widener.side_db")
