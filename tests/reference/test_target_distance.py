"""What a descent makes small: distances of the whole song, told by excerpts, and their guards."""

import numpy as np
import pytest
import torch

from automix.reference.bands import FEATURES
from automix.reference.target_distance import TargetDistance

CPU = torch.device("cpu")
LENGTHS = {
    name: 144 if name == "dynamics" else 24 if "band" in name or name == "spectrum" else 1
    for name in FEATURES
}


def like(offset_db=0.0, **others):
    """Figures of a mix that is everywhere as much apart from 10 dB."""
    values = {name: 10.0 + others.get(name.replace(" ", "_"), offset_db) for name in FEATURES}
    return {name: np.full(LENGTHS[name], values[name]) for name in FEATURES}


def heard(offset_db=0.0, **others):
    """The same as excerpts, which are 3 dB off in all but their loudness range, half as large."""
    tensors = {
        name: torch.tensor(v, dtype=torch.float32) for name, v in like(offset_db, **others).items()
    }
    return {
        name: 0.5 * values if name == "loudness range" else values - 3.0
        for name, values in tensors.items()
    }


def nearness(before_db=2.0):
    found = TargetDistance(target=like(), start=like(2.0), before=like(before_db), device=CPU)
    found.calibrate(heard(2.0), like(2.0))
    return found


def test_excerpts_tell_how_far_the_whole_song_is():
    """Excerpts in which all is nearer by 1.5 dB are of a song that is: a quarter is left."""
    found = nearness()
    there, nearer = float(found.loss(heard(0.0))), float(found.loss(heard(0.5)))
    at_first = float(found.loss(heard(2.0)))
    assert there == pytest.approx(0.0, abs=1e-5)
    assert 0.05 * at_first < nearer < 0.25 * at_first  # small distances count less
    assert found.score(like(0.5)) == pytest.approx(0.25 * found.score(like(2.0)))


@pytest.mark.parametrize("name", [name for name in FEATURES if name != "dynamics"])
def test_what_goes_away_costs_more_than_its_weight(name):
    """By 0.4 dB past where it was without references, against as much on this side of it."""
    found = nearness()

    def at(distance_db):
        return float(found.loss(heard(0.0, **{name.replace(" ", "_"): distance_db})))

    nearer, past = at(1.6) - at(1.2), at(2.4) - at(2.0)
    assert past > nearer + 0.5
    found.guard([name])
    assert at(2.4) - at(2.0) > nearer + 2.0 * (past - nearer)
    assert at(1.6) - at(1.2) == pytest.approx(nearer)


def test_the_guard_stands_where_the_mix_was_without_references():
    """And not where limiting to the loudness of the reference has led."""
    limited, plain = nearness(before_db=2.0), nearness(before_db=4.0)
    assert float(limited.loss(heard(2.5))) > float(plain.loss(heard(2.5))) + 0.5
    assert float(limited.loss(heard(1.0))) == pytest.approx(float(plain.loss(heard(1.0))))


def test_what_the_reference_does_not_say_is_left_alone():
    target = like()
    target["width"][:] = np.nan
    target["spectrum"][20:] = np.nan
    found = TargetDistance(target=target, start=like(2.0), before=like(2.0), device=CPU)
    found.calibrate(heard(2.0), like(2.0))
    excerpts = {name: values.requires_grad_() for name, values in heard(1.0).items()}
    found.loss(excerpts).backward()
    assert excerpts["width"].grad is None
    slopes = excerpts["spectrum"].grad
    assert (slopes[:20] > 0.0).all()
    assert not slopes[20:].any()
