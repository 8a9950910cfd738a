"""What begins at a bound can leave it."""

import torch

from automix.consoles.differentiable.pan import balance_gains
from automix.networks.bounds import clamp_to_learn


def test_values_are_those_of_torch_and_the_bounds_have_a_gradient():
    values = torch.tensor([-2.0, -1.0, 0.3, 1.0, 1.5], requires_grad=True)
    clamped = clamp_to_learn(values, -1.0, 1.0)
    assert torch.equal(clamped, values.clamp(-1.0, 1.0))
    clamped.sum().backward()
    assert values.grad.tolist() == [0.0, 1.0, 1.0, 1.0, 0.0]


def test_a_stereo_track_in_the_center_can_be_panned():
    """To the right: the left side gets softer, as far as a step to either side says."""
    pan = torch.tensor([0.5], dtype=torch.float64, requires_grad=True)
    gains = balance_gains(pan, "constant-power")
    assert gains.tolist() == [[1.0, 1.0]]
    (left,) = torch.autograd.grad(gains[0, 0], pan)
    step = balance_gains(pan + 1e-6, "constant-power")[0, 0] - gains[0, 0]
    torch.testing.assert_close(left, step[None] / 1e-6, rtol=1e-4, atol=0.0)
