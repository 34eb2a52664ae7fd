"""FTRL-proximal: with L1, weights of rare values stay exactly zero."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from automlrank.blocks.base import Block, block, knob
from automlrank.blocks.domains import floats, logs


class FtrlProximal(torch.optim.Optimizer):
    """Per weight ``n``, the sum of squared gradients, and ``z``, of which the weight is made.

    The gradient is that of the sum over the batch's ``rows``, which stand in the parameter group,
    so that what ``l1`` means does not change with the batch. A weight whose gradient is zero stays
    as it is, so sparse gradients update the rows that they name and give the same weights as dense
    ones.
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter],
        alpha: float,
        beta: float,
        l1: float,
        l2: float,
    ) -> None:
        super().__init__(params, {"alpha": alpha, "beta": beta, "l1": l1, "l2": l2, "rows": 1})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            settings = (group["alpha"], group["beta"], group["l1"], group["l2"])
            for weight in group["params"]:
                if weight.grad is not None:
                    self.learn(weight, weight.grad * group["rows"], *settings)

    def learn(
        self, weight: Tensor, gradient: Tensor, alpha: float, beta: float, l1: float, l2: float
    ) -> None:
        state = self.state[weight]
        if not state:
            state["n"] = torch.zeros_like(weight)
            state["z"] = -(weight * (beta / alpha + l2) + l1 * weight.sign())  # gives this weight
        touched: Tensor | slice = slice(None)
        if gradient.is_sparse:
            gradient = gradient.coalesce()
            touched, gradient = gradient.indices()[0], gradient.values()
        w, n, z = weight[touched], state["n"][touched], state["z"][touched]
        more = n + gradient * gradient
        z = z + gradient - (more.sqrt() - n.sqrt()) / alpha * w
        w = -(z - z.sign() * l1) / ((beta + more.sqrt()) / alpha + l2)
        weight[touched] = w.masked_fill(z.abs() <= l1, 0.0)
        state["n"][touched], state["z"][touched] = more, z

    def report(self) -> dict[str, float]:
        """Return the share of exact zeros among the weights that had a gradient."""
        met = [weight[state["n"] > 0] for weight, state in self.state.items()]
        return {"zero_share": float((torch.cat(met) == 0).float().mean())}


@block("ftrl", family="optimizer")
class Ftrl(Block):
    """FTRL-proximal with L1: the weight is a function of all gradients so far.

    ``sigma = (sqrt(n + g^2) - sqrt(n)) / alpha; z += g - sigma w; n += g^2;``
    ``w = 0 if |z| <= l1 else -(z - sign(z) l1) / ((beta + sqrt(n)) / alpha + l2)``.

    >>> Ftrl(l1=3.0).arguments()
    {'alpha': 0.1, 'beta': 1.0, 'l1': 3.0, 'l2': 1.0}
    """

    paper = "McMahan et al., Ad Click Prediction, KDD 2013, https://doi.org/10.1145/2487575.2488200"
    module = FtrlProximal

    alpha: float = knob(0.1, legal=logs(1e-4, 10.0), help="scale of a weight's learning rate")
    beta: float = knob(1.0, legal=floats(0.0, 100.0), help="larger values damp early steps")
    l1: float = knob(
        1.0, legal=floats(0.0, 1e4), help="L1 penalty; a weight is zero while its |z| is below it"
    )
    l2: float = knob(1.0, legal=floats(0.0, 1e4), help="L2 penalty")

    def arguments(self) -> dict[str, object]:
        return {**self.settings()}
