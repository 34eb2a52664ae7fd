"""Attention merge: branches projected to one width, averaged with weights from attention."""

from __future__ import annotations

from torch import Tensor, nn

from automlrank.blocks.base import block, knob
from automlrank.blocks.domains import ints, one_of
from automlrank.blocks.merge.base import ProjectingMerge
from automlrank.blocks.parts.attention import AttentionPool
from automlrank.blocks.parts.layers import Dense
from automlrank.blocks.parts.shapes import join


class AttendedProjections(nn.Module):
    def __init__(self, dims: tuple[int, ...], width: int, attention_width: int) -> None:
        super().__init__()
        self.projections = nn.ModuleList(Dense(dim, width, bias=False) for dim in dims)
        # the share of a single branch is 1
        self.pool = AttentionPool(width, attention_width) if len(dims) > 1 else nn.Flatten()

    def forward(self, *branches: Tensor) -> Tensor:
        parts = zip(self.projections, branches, strict=True)
        projected = join(*(project(x).unsqueeze(1) for project, x in parts))
        pooled: Tensor = self.pool(projected)  # [batch, branches, width] to [batch, width]
        return pooled


@block("attention", family="merge")
class Attention(ProjectingMerge):
    """``sum_i a_i P_i x_i`` with ``a = softmax_i(p^T relu(W P_i x_i + b))``: a row's own mean."""

    paper = "Chen et al., EDCN, CIKM 2021, https://doi.org/10.1145/3459637.3481915"
    module = AttendedProjections

    attention_width: int = knob(
        32, legal=ints(1, 1024), search=one_of(16, 32, 64), help="hidden units of the scorer"
    )
