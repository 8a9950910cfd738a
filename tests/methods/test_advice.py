"""Advice is the same arithmetic on numbers and, with gradients, on tensors."""

import pytest
import torch

from automix.methods.stems import advice
from automix.methods.stems.dynamics import HIGHEST_RATIO

VALUES = {
    "scale_pan": (0.2, 0.45, 0.5, 0.9),
    "scale_cut_db": (-3.0, -2.0, -1.0, 0.0),
    "scale_ratio": (1.0, 1.3, 2.0, 4.9),
    "scale_send_db": (-18.0, -6.0, 0.0, 2.0),
}
AMOUNTS = (0.0625, 0.5, 1.0, 2.0)


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("amount", AMOUNTS)
def test_a_number_and_a_tensor_give_one_result(name, amount):
    function, values = getattr(advice, name), VALUES[name]
    numbers = [function(value, amount) for value in values]
    tensor = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    made = function(tensor, torch.full((len(values),), amount, dtype=torch.float64))
    assert made.tolist() == pytest.approx(numbers, rel=1e-14)
    made.sum().backward()
    assert torch.isfinite(tensor.grad).all()


def test_advice_has_limits():
    assert advice.limit_processing(5.0) == advice.MOST_PROCESSING
    assert advice.limit_processing(torch.tensor([0.1, 5.0])).tolist() == pytest.approx([0.1, 2.0])
    assert advice.scale_cut_db(-3.0, 2.0) == -3.0
    assert advice.scale_ratio(3.5, 2.0) == HIGHEST_RATIO
    assert advice.scale_pan(0.05, 4.0) == pytest.approx(0.05)
