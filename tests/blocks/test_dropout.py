"""Dropout by random bytes: the share, the scale, the gradient, and nothing outside training."""

from __future__ import annotations

import pytest
import torch

from automlrank.blocks.parts.layers import Dropout


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9])
def test_it_drops_its_share_and_keeps_the_mean(p: float) -> None:
    """The share of zeros is p to 1/256, kept entries are scaled by 1/(1 - share), exactly."""
    torch.manual_seed(0)
    x = torch.ones(1000, 333, requires_grad=True)
    y = Dropout(p)(x)
    share = round(256 * p) / 256
    assert (y == 0).float().mean().item() == pytest.approx(share, abs=0.004)
    kept = y.detach()[y != 0]
    torch.testing.assert_close(kept, torch.full_like(kept, 1 / (1 - share)))
    y.sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad, y.detach())


def test_each_call_drops_anew_and_a_seed_repeats_it() -> None:
    layer, x = Dropout(0.5), torch.ones(8, 9)
    torch.manual_seed(1)
    one, two = layer(x), layer(x)
    torch.manual_seed(1)
    assert torch.equal(layer(x), one)
    assert not torch.equal(one, two)


def test_it_is_the_identity_in_eval_mode() -> None:
    x = torch.randn(3, 4)
    assert Dropout(0.5).eval()(x) is x
