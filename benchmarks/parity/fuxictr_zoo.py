"""Our layers beside those of FuxiCTR's models, files of its repository, with weights copied."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.parity.parts import (
    DIM,
    FIELDS,
    FLAT,
    WIDTH,
    Call,
    Pair,
    drawn,
    ours,
    put,
    put_linear,
    put_linears,
)
from benchmarks.parity.peers import FUXICTR_COMMON, fuxictr_features, load_file

Both = tuple[nn.Module, nn.Module]


def autoint(zoo: Path) -> Both:
    mine: Any = ours("autoint", "fields", layers=1, heads=2, width=16)
    source = load_file(zoo / "AutoInt/src/AutoInt.py")
    theirs = drawn(source.MultiHeadSelfAttention(DIM, attention_dim=32, num_heads=2))
    layer = mine.layers[0]
    put_linear(layer.query, theirs.W_q)
    put_linear(layer.key, theirs.W_k)
    put_linear(layer.value, theirs.W_v)
    put_linear(layer.residual, theirs.W_res)
    return mine, theirs


def gated_cross(zoo: Path) -> Both:
    mine: Any = ours("gated_cross", "vector", layers=3)
    theirs = drawn(load_file(zoo / "GDCN/src/GDCN.py").GateCorssLayer(FLAT, 3))
    for layer in range(3):
        put_linear(mine.gates[layer], theirs.wg[layer])
        put(mine.crosses[layer].weight, theirs.w[layer].weight)
        put(mine.crosses[layer].bias, theirs.b[layer])
    return mine, theirs


def masked(structure: str, zoo: Path) -> Both:
    """Three blocks; the layer norm of each field, which stands outside its class, on both sides."""
    mine: Any = ours("masked", "fields", blocks=3, width=WIDTH, reduction=1.0, structure=structure)
    put(mine.norm.gain, 1.0)
    put(mine.norm.bias, 0.0)
    source = load_file(zoo / "MaskNet/src/MaskNet.py")
    theirs: Any = (
        source.SerialMaskNet(FLAT, hidden_units=[WIDTH] * 3)
        if structure == "serial"
        else source.ParallelMaskNet(FLAT, num_blocks=3, block_dim=WIDTH)
    )
    drawn(theirs)
    for block, other in zip(mine.blocks, theirs.mask_blocks, strict=True):
        put_linears(block.mask, other.mask_layer)
        put_linear(block.dense, other.hidden_layer[0])
        put_linear(block.norm, other.hidden_layer[1])  # a gain and a bias

    def normed(module: nn.Module, fields: Tensor) -> Tensor:
        result: Tensor = module(fields.flatten(1), F.layer_norm(fields, (DIM,)).flatten(1))
        return result

    return mine, Call(theirs, normed)


class WithResidual(nn.Module):
    """A cross layer that adds its input."""

    def __init__(self, cross: nn.Module) -> None:
        super().__init__()
        self.cross = cross

    def forward(self, x0: Tensor, x: Tensor) -> Tensor:
        crossed: Tensor = self.cross(x0, x) + x
        return crossed


def bridge(residual: bool, zoo: Path) -> Both:
    """Its model without embeddings, regulation, head and sigmoid."""
    mine: Any = ours("bridge", "fields", layers=2, fuse="hadamard", regulation=False)
    features = fuxictr_features([{"type": "categorical", "vocab_size": 2}] * FIELDS, DIM)
    theirs: Any = load_file(zoo / "EDCN/src/EDCN.py").EDCN(
        features, embedding_dim=DIM, num_cross_layers=2, **FUXICTR_COMMON
    )
    drawn(theirs)
    for layer, cross, dense in zip(
        mine.layers, theirs.cross_layers, theirs.dense_layers, strict=True
    ):
        put_linear(layer.cross.weight, cross.weight)
        put(layer.cross.bias, cross.bias)
        put_linears(layer.dense, dense)
    if residual:
        theirs.cross_layers = nn.ModuleList(WithResidual(c) for c in theirs.cross_layers)
    theirs.get_inputs, theirs.embedding_layer = lambda fields: fields, nn.Identity()
    twice = Call(nn.Identity(), lambda _, x: (x, x))
    theirs.regulation_modules = nn.ModuleList([twice, twice])
    theirs.fc = theirs.output_activation = nn.Identity()
    return mine, Call(theirs, lambda module, fields: module(fields)["y_pred"])


def regulation(zoo: Path) -> Both:
    """A gate of fields without the batch norm, which has other statistics there."""
    mine: Any = ours("field_gate", "fields", temperature=0.3, batch_norm=False)
    theirs = drawn(load_file(zoo / "EDCN/src/EDCN.py").RegulationModule(FIELDS, DIM, tau=0.3))
    put(mine.logits, theirs.g1)
    first = Call(theirs, lambda module, fields: module(fields.flatten(1))[0])
    return mine, first


def pairs(zoo: Path) -> list[Pair]:
    """The pairs, for a checkout's model_zoo."""
    no_residual = "leaves out + x in the cross of every layer"
    put_back = "with + x put back into its crosses; regulation off"
    serial, parallel = partial(masked, "serial", zoo), partial(masked, "parallel", zoo)
    as_is, mended = partial(bridge, False, zoo), partial(bridge, True, zoo)
    return [
        Pair("autoint", "MultiHeadSelfAttention", "fields", partial(autoint, zoo)),
        Pair("gated_cross", "GateCorssLayer", "vector", partial(gated_cross, zoo)),
        Pair("masked", "SerialMaskNet", "fields", serial),
        Pair("masked", "ParallelMaskNet", "fields", parallel),
        Pair("bridge", "EDCN", "fields", as_is, no_residual, departs=True),
        Pair("bridge", "EDCN", "fields", mended, put_back),
        Pair("field_gate", "RegulationModule", "fields", partial(regulation, zoo), BATCH_NORM),
    ]


BATCH_NORM = "without batch norm: its own is one for each unit, which divides the weights out again"
