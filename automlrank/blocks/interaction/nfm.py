"""Neural factorization machines: every pair of fields, summed to one vector in linear time."""

from __future__ import annotations

from torch import Tensor, nn

from automlrank.blocks.base import Block, block
from automlrank.blocks.parts.fields import sum_of_pairs
from automlrank.blocks.parts.layers import Dropout
from automlrank.blocks.ports import Fields, Vector
from automlrank.blocks.shared_knobs import batch_norm_knob, dropout_knob


class BiInteraction(nn.Module):
    def __init__(self, dim: int, batch_norm: bool, dropout: float) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(dim) if batch_norm else nn.Identity()
        self.dropout = Dropout(dropout) if dropout else nn.Identity()

    def forward(self, fields: Tensor) -> Tensor:
        pooled: Tensor = self.dropout(self.norm(sum_of_pairs(fields)))  # [batch, dim]
        return pooled


@block("nfm", family="interaction")
class Nfm(Block):
    """Bi-interaction pooling: ``0.5 * ((sum_i v_i)^2 - sum_i v_i^2)`` for every dimension.

    It equals ``sum_{i<j} v_i * v_j``, then a batch norm and dropout as published. Shapes: fields
    ``[batch, n, dim]`` to ``[batch, dim]``. The paper's model is ``stack: [nfm, mlp]``.
    """

    paper = "He and Chua, NFM, SIGIR 2017, https://arxiv.org/abs/1708.05027"
    module = BiInteraction

    batch_norm: bool | None = batch_norm_knob(help="normalise the sum")
    dropout: float | None = dropout_knob(help="share of the sum's entries dropped")

    def out(self, x: Fields) -> Vector:
        return Vector(x.dim)

    def arguments(self, x: Fields) -> dict[str, object]:
        return {"dim": x.dim, "batch_norm": self.batch_norm, "dropout": self.dropout}
