"""Our layers beside those of DeepCTR-Torch, with weights copied."""

from __future__ import annotations

from typing import Any

import torch
from deepctr_torch.layers.core import DNN
from deepctr_torch.layers.interaction import (
    CIN,
    FM,
    AFMLayer,
    BiInteractionPooling,
    BilinearInteraction,
    CrossNet,
    CrossNetMix,
    InnerProductLayer,
    InteractingLayer,
    OutterProductLayer,
    SENETLayer,
)
from deepctr_torch.layers.sequence import AttentionSequencePoolingLayer
from torch import Tensor, nn

from benchmarks.parity.parts import (
    DIM,
    FIELDS,
    FLAT,
    RANK,
    WIDTH,
    Call,
    Pair,
    drawn,
    inner_products_of_ours,
    mixture_of_ours,
    ours,
    outer_products_of_ours,
    put,
    put_linear,
    put_linears,
)

Both = tuple[nn.Module, nn.Module]


def as_list(module: nn.Module, fields: Tensor) -> Tensor:
    """Layers that take a list with a tensor [batch, 1, dim] per field."""
    result: Tensor = module(list(fields.split(1, dim=1)))
    return result


def fm() -> Both:
    mine: Any = ours("fm", "fields")
    put(mine.scale, 1.0)
    return mine, FM()


def nfm() -> Both:
    return ours("nfm", "fields"), BiInteractionPooling()


def afm() -> Both:
    mine: Any = ours("afm", "fields", width=16)
    theirs = drawn(AFMLayer(DIM, attention_factor=16))
    put(mine.score[0].weight, theirs.attention_W.t())
    put(mine.score[0].bias, theirs.attention_b)
    put(mine.score[2].weight, theirs.projection_h.t())
    head = nn.Linear(DIM, 1, bias=False)
    put(head.weight, theirs.projection_p.t())
    return nn.Sequential(mine, head), Call(theirs, as_list)


def cin() -> Both:
    mine: Any = ours("cin", "fields", maps=16, layers=2)
    theirs = drawn(CIN(FIELDS, (16, 16), activation="linear", split_half=False))
    for weight, conv in zip(mine.weights, theirs.conv1ds, strict=True):
        put(weight, conv.weight.reshape(weight.shape))  # [maps, maps before, fields]
        put(conv.bias, 0.0)
    return mine, theirs


def autoint() -> Both:
    mine: Any = ours("autoint", "fields", layers=1, heads=2, width=8)
    theirs = drawn(InteractingLayer(DIM, head_num=2, scaling=False))
    layer = mine.layers[0]
    put(layer.query.weight, theirs.W_Query.t())
    put(layer.key.weight, theirs.W_key.t())
    put(layer.value.weight, theirs.W_Value.t())
    put(layer.residual.weight, theirs.W_Res.t())
    return mine, theirs


def cross_net() -> Both:
    mine: Any = ours("cross_net", "vector", layers=3)
    theirs = drawn(CrossNet(FLAT, 3, "vector"))
    put(mine.weights, theirs.kernels[:, :, 0])
    put(mine.biases, theirs.bias[:, :, 0])
    return mine, theirs


def cross_net_v2() -> Both:
    mine: Any = ours("cross_net_v2", "vector", layers=3)
    theirs = drawn(CrossNet(FLAT, 3, "matrix"))
    for layer, cross in enumerate(mine.crosses):
        put(cross.weight, theirs.kernels[layer])
        put(cross.bias, theirs.bias[layer, :, 0])
    return mine, theirs


def cross_net_mix() -> Both:
    theirs = drawn(CrossNetMix(FLAT, low_rank=RANK, num_experts=4, layer_num=3))
    weights = (theirs.U_list, theirs.V_list, theirs.C_list, theirs.bias, theirs.gating)
    return mixture_of_ours(*weights), theirs


def senet() -> Both:
    mine: Any = ours("senet", "fields", reduction=3, activation="relu")
    theirs = drawn(SENETLayer(FIELDS, reduction_ratio=3))
    put_linears(mine, theirs)
    return mine, theirs


def bilinear(matrix: str) -> Both:
    mine: Any = ours("bilinear", "fields", matrix=matrix)
    theirs = drawn(BilinearInteraction(FIELDS, DIM, matrix))
    linears = [theirs.bilinear] if matrix == "all" else theirs.bilinear
    weights = torch.stack([linear.weight for linear in linears])
    put(mine.weight, weights[: len(mine.weight)])  # "each": the last field is never left
    return mine, theirs


def inner_products() -> Both:
    return inner_products_of_ours(), Call(InnerProductLayer(), as_list)


def outer_products() -> Both:
    theirs: Any = OutterProductLayer(FIELDS, DIM, "mat")  # kernel [dim, pairs, dim]
    kernel = torch.randn(DIM, DIM) * 0.05
    kernel = kernel + kernel.t()
    put(theirs.kernel, kernel.unsqueeze(1).expand(theirs.kernel.shape).clone())
    summed = Call(theirs, lambda module, fields: as_list(module, fields).sum(dim=1, keepdim=True))
    return outer_products_of_ours(kernel), summed


def din() -> Both:
    mine: Any = ours("din", "history", width=36, activation="sigmoid")
    theirs = drawn(AttentionSequencePoolingLayer((36,), "sigmoid", embedding_dim=DIM))
    put_linear(mine.meet.joint, theirs.local_att.dnn.linears[0])
    put_linear(mine.score, theirs.local_att.dense)

    def pooled(module: nn.Module, keys: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        result: Tensor = module(target.unsqueeze(1), keys, mask.sum(dim=1, keepdim=True))
        return result

    return mine, Call(theirs, pooled)


def mlp() -> Both:
    mine: Any = ours("mlp", "vector", width=WIDTH, depth=2)
    theirs = drawn(DNN(FLAT, (WIDTH, WIDTH)))
    put_linears(mine, theirs)
    return mine, theirs


NO_BIAS = "its convolutions have biases, the paper's layer none: set to 0"
PAIRS = [
    Pair("fm", "FM", "fields", fm),
    Pair("nfm", "BiInteractionPooling", "fields", nfm),
    Pair("afm", "AFMLayer", "fields", afm, "its vector p is our head"),
    Pair("cin", "CIN", "fields", cin, NO_BIAS),
    Pair("autoint", "InteractingLayer", "fields", autoint),
    Pair("cross_net", "CrossNet, vector", "vector", cross_net),
    Pair("cross_net_v2", "CrossNet, matrix", "vector", cross_net_v2),
    Pair("cross_net_mix", "CrossNetMix", "vector", cross_net_mix, "one gate for all its layers"),
    Pair("senet", "SENETLayer", "fields", senet),
    Pair("bilinear", "BilinearInteraction, all", "fields", lambda: bilinear("all")),
    Pair("bilinear", "BilinearInteraction, each", "fields", lambda: bilinear("each")),
    Pair("bilinear", "BilinearInteraction, interaction", "fields", lambda: bilinear("interaction")),
    Pair(
        "ipnn",
        "InnerProductLayer",
        "fields",
        inner_products,
        "gives every product, where the paper weighs them by theta theta^T; its products are "
        "combinations of ours",
        timed=False,
    ),
    Pair(
        "opnn",
        "OutterProductLayer, mat",
        "fields",
        outer_products,
        "a matrix a pair, where the paper has the outer product of the fields' sum; with one "
        "symmetric matrix its sum over pairs is a combination of ours",
        timed=False,
    ),
    Pair("din", "AttentionSequencePoolingLayer", "history", din),
    Pair("mlp", "DNN", "vector", mlp),
]
