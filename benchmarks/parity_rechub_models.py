"""Our layers beside those that torch-rechub has inside its models, with weights copied."""

from __future__ import annotations

from typing import Any

from parity_parts import DIM, FIELDS, Call, Pair, drawn, ours, put, put_linear
from peers import without_batch_norm
from torch import Tensor, nn
from torch_rechub.basic.features import SparseFeature
from torch_rechub.models.ranking.afm import AFM
from torch_rechub.models.ranking.din import ActivationUnit
from torch_rechub.models.ranking.edcn import EDCN

Both = tuple[nn.Module, nn.Module]
NORMS = "its batch norms, which have no switch, taken out"
EDCN_MENDED = (
    "two dense layers a level, the paper has one: the second taken out; its regulation is a "
    f"softmax of one number, always 1: compared with ours off; {NORMS}"
)


def afm() -> Both:
    mine: Any = ours("afm", "fields", width=16)
    theirs = drawn(AFM([SparseFeature("a", 2, DIM)], DIM, t=16))
    put_linear(mine.score[0], theirs.attention_liner)
    put(mine.score[2].weight, theirs.h.t())

    def pooled(module: Any, fields: Tensor) -> Tensor:
        pairs = module.fm(fields)
        weighed: Tensor = module.attention(pairs) * pairs
        return weighed

    return mine, Call(theirs, pooled)


class Fields(nn.Module):
    """In the place of a model's embedding: fields as they are, flat."""

    def forward(self, fields: Tensor, features: Any, squeeze_dim: bool) -> Tensor:
        return fields.flatten(1)


class Streams(nn.Module):
    """In the place of a model's head: keeps what the head would read."""

    def forward(self, x: Tensor) -> Tensor:
        self.kept = x
        return x[:, :1]


def bridge() -> Both:
    mine: Any = ours("bridge", "fields", layers=2, fuse="hadamard", regulation=False)
    features = [SparseFeature(f"c{i}", 2, DIM) for i in range(FIELDS)]
    theirs: Any = drawn(without_batch_norm(EDCN(features, 2, {})))
    for layer, cross, dense in zip(mine.layers, theirs.cross_layers, theirs.mlps, strict=True):
        dense.mlp = dense.mlp[:4]  # the first of two layers
        put(layer.cross.weight.weight, cross.w.weight)
        put(layer.cross.bias, cross.b)
        put_linear(layer.dense[0], dense.mlp[0])
    theirs.embedding = Fields()
    theirs.linear = Streams()

    def streams(module: Any, fields: Tensor) -> Tensor:
        module(fields)
        kept: Tensor = module.linear.kept
        return kept

    return mine, Call(theirs, streams)


def din() -> Both:
    mine: Any = ours("din", "history", width=36, activation="sigmoid")
    theirs = drawn(without_batch_norm(ActivationUnit(DIM, [36], "sigmoid")))
    first, last = (m for m in theirs.modules() if isinstance(m, nn.Linear))
    put_linear(mine.meet.joint, first)
    put_linear(mine.score, last)

    def pooled(module: nn.Module, keys: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        result: Tensor = module(keys, target)
        return result

    return mine, Call(theirs, pooled)


PAIRS = [
    Pair(
        "afm",
        "AFM.attention",
        "fields",
        afm,
        "sums the pairs first and takes a softmax of one number, always 1: no pair is weighed",
        departs=True,
    ),
    Pair("bridge", "EDCN", "fields", bridge, EDCN_MENDED),
    Pair("din", "ActivationUnit", "history", din, f"no mask: padding attends; {NORMS}"),
]
