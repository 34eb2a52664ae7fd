"""The behaviour sequence transformer: self-attention over the behaviours and the target item."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from automlrank.blocks.base import Block, block, knob
from automlrank.blocks.domains import ints, one_of
from automlrank.blocks.parts.attention import SelfAttention
from automlrank.blocks.ports import AGES, History, Vector
from automlrank.blocks.shared_knobs import activation_knob, dropout_knob


class BehaviourTransformer(nn.Module):
    def __init__(
        self,
        dim: int,
        ages: int,
        layers: int,
        heads: int,
        activation: str,
        dropout: float,
        pool: str,
    ) -> None:
        super().__init__()
        self.pool = pool
        self.ages = nn.Parameter(torch.randn(ages + 1, dim) * 0.01)  # row 0: the target's
        self.layers = nn.ModuleList(
            SelfAttention(dim, heads, dropout, activation) for _ in range(layers)
        )

    def forward(self, keys: Tensor, target: Tensor, mask: Tensor, age: Tensor) -> Tensor:
        behaviours = keys + F.embedding(age * mask, self.ages)
        x = torch.cat([(target + self.ages[0]).unsqueeze(1), behaviours], dim=1)
        real = F.pad(mask, (1, 0), value=True)  # [batch, 1 + length], the target first
        for layer in self.layers:
            x = layer(x, real.unsqueeze(1))
        if self.pool == "target":
            return x[:, 0]  # [batch, dim]
        shown = real.unsqueeze(2)
        return (x * shown).sum(dim=1) / shown.sum(dim=1)


@block("bst", family="history")
class Bst(Block):
    """A transformer over the real behaviours and the target, then the mean of its positions.

    ``x_t = k_t + p[age_t]`` for a learned vector of each bucket of the time gap to the row, 0 for
    the target; a layer is ``norm(x + attention)``, ``norm(y + W' f(W y))``. ``pool: target`` takes
    what comes out at the target's place. Shapes: keys ``[batch, length, dim]``, target ``[batch,
    dim]`` to ``[batch, dim]``. All of it reads the target, so all of it runs for each candidate.
    """

    paper = "Chen et al., BST, DLP-KDD 2019, https://arxiv.org/abs/1905.06874"
    module = BehaviourTransformer

    layers: int = knob(1, legal=ints(1, 8), search=one_of(1, 2), help="layers of the transformer")
    heads: int = knob(4, legal=ints(1, 16), search=one_of(2, 4, 8), help="heads of a layer")
    activation: str = activation_knob(help="activation of a layer's feed-forward network")
    dropout: float = dropout_knob(help="dropout rate of each residual branch")
    pool: str = knob(
        "mean",
        legal=one_of("mean", "target"),
        search=one_of("mean", "target"),
        help="mean of all positions, or the target's",
    )

    def out(self, x: History) -> Vector:
        return Vector(x.dim)

    def arguments(self, x: History) -> dict[str, object]:
        return {"dim": x.dim, "ages": AGES, **self.settings(), "dropout": self.dropout or 0.0}
