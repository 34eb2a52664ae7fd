"""Our layers beside those that torch-rechub has inside its models, with weights copied."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch_rechub.basic.features import SparseFeature
from torch_rechub.models.ranking.afm import AFM
from torch_rechub.models.ranking.dien import AUGRU
from torch_rechub.models.ranking.din import ActivationUnit
from torch_rechub.models.ranking.edcn import EDCN

from benchmarks.parity.parts import DIM, FIELDS, Call, Pair, drawn, ours, put, put_linear
from benchmarks.parity.peers import without_batch_norm

Both = tuple[nn.Module, nn.Module]
BST_DEPARTS = (
    "torch's layer, which torch-rechub's BST stacks, without positions (places there, time gaps "
    "here and in the paper), with ReLU and 4 times the input's width as ours; theirs has leaky "
    "ReLU, 2048"
)
DIEN_AGREES = (
    "as served, half of the positions padding; masks it and takes the softmax, as the paper, "
    "DeepCTR-Torch and we do; RecBole's DIEN takes no softmax and counts padding in its auxiliary "
    "loss (RecBole#1483)"
)
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


class ConstantFields(nn.Module):
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
    theirs.embedding = ConstantFields()
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


class InterestEvolution(nn.Module):
    """DIEN's evolution of one history: its GRU, then its AUGRU."""

    def __init__(self) -> None:
        super().__init__()
        self.interest, self.evolution = nn.GRU(DIM, DIM, batch_first=True), AUGRU(DIM)

    def forward(self, keys: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        last: Tensor = self.evolution(self.interest(keys)[0], target, mask)[1]
        return last


def dien() -> Both:
    """torch's update gate is one minus ours, so its weights have the other sign."""
    mine: Any = ours("dien", "history")
    theirs = drawn(InterestEvolution())
    reset, update, new = (
        [part.detach().chunk(3)[i] for part in theirs.interest.parameters()] for i in range(3)
    )
    put(theirs.interest.bias_hh_l0, 0.0)
    gates = ([-part for part in update], reset, new)
    put(mine.interest.input.weight, torch.cat([gate[0] for gate in gates]))
    put(mine.interest.recurrent, torch.cat([gate[1] for gate in gates]).t())
    put(mine.interest.input.bias, torch.cat([gate[2] for gate in gates]))
    cell = theirs.evolution.augru_cell
    put(mine.evolution.input.weight, torch.cat([cell.Wu, cell.Wr, cell.Wh], dim=1).t())
    put(mine.evolution.recurrent, torch.cat([cell.Uu, cell.Ur, cell.Uh], dim=1))
    put(mine.evolution.input.bias, torch.cat([cell.bu, cell.br, cell.bh], dim=1)[0])
    put(mine.attention.weight, theirs.evolution.Wa)

    def encoded(module: Any, keys: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        result: Tensor = module(module.extract(keys, mask), target, mask)
        return result

    return Call(mine, encoded), theirs


def bst() -> Both:
    """The layer that BST is made of, as wide as ours, without positions."""
    mine: Any = ours("bst", "history", heads=4, pool="target")
    theirs = drawn(nn.TransformerEncoderLayer(DIM, 4, 4 * DIM, 0.0, nn.ReLU(), batch_first=True))
    layer = mine.layers[0]
    put(layer.joint.weight, theirs.self_attn.in_proj_weight)
    put(layer.joint.bias, theirs.self_attn.in_proj_bias)
    put_linear(layer.out, theirs.self_attn.out_proj)
    put_linear(layer.network[0], theirs.linear1)
    put_linear(layer.network[2], theirs.linear2)
    for norm, other in zip(layer.norms, (theirs.norm1, theirs.norm2), strict=True):
        put_linear(norm, other)
    put(mine.ages, 0.0)

    def encoded(module: nn.Module, keys: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        result: Tensor = module(keys, target, mask, mask.int())
        return result

    def of_target(module: nn.Module, keys: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        sequence = torch.cat([keys, target.unsqueeze(1)], dim=1)
        padding = nn.functional.pad(~mask, (0, 1))
        result: Tensor = module(sequence, src_key_padding_mask=padding)[:, -1]
        return result

    return Call(mine, encoded), Call(theirs, of_target)


PAIRS = [
    Pair(
        "afm",
        "AFM.attention",
        "fields",
        afm,
        "sums the pairs first and takes a softmax of one number, always 1: no pair is weighed",
        departs=True,
    ),
    Pair("bst", "nn.TransformerEncoderLayer", "history", bst, BST_DEPARTS),
    Pair("bridge", "EDCN", "fields", bridge, EDCN_MENDED),
    Pair("dien", "nn.GRU, AUGRU", "history", dien, DIEN_AGREES),
    Pair("din", "ActivationUnit", "history", din, f"no mask: padding attends; {NORMS}"),
]
