"""Our layers beside those of torch-rechub, with weights copied."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch_rechub.basic.layers import (
    CIN,
    FM,
    MLP,
    BiLinearInteractionLayer,
    CrossNetMix,
    CrossNetV2,
    CrossNetwork,
    InteractingLayer,
    SENETLayer,
)

from benchmarks.parity.parts import (
    DIM,
    FIELDS,
    FLAT,
    RANK,
    WIDTH,
    Pair,
    drawn,
    mixture_of_ours,
    ours,
    put,
    put_linear,
    put_linears,
)
from benchmarks.parity.peers import without_batch_norm

Both = tuple[nn.Module, nn.Module]
NORMS = "its batch norms, which have no switch, taken out"
NO_BIAS = "its convolutions have biases, the paper's layer none: set to 0"
SCALED = "scales by width^-0.5, the paper does not: taken into the copied W_Q"


def fm() -> Both:
    mine: Any = ours("fm", "fields")
    put(mine.scale, 1.0)
    return mine, FM()


def nfm() -> Both:
    return ours("nfm", "fields"), FM(reduce_sum=False)


def cin() -> Both:
    mine: Any = ours("cin", "fields", maps=16, layers=2)
    theirs = drawn(CIN(FIELDS, [16, 16], split_half=False))
    for weight, conv in zip(mine.weights, theirs.conv_layers, strict=True):
        maps, before, fields = weight.shape
        put(weight, conv.weight.view(maps, fields, before).transpose(1, 2))
        put(conv.bias, 0.0)
    theirs.fc = nn.Identity()
    return mine, theirs


def autoint() -> Both:
    mine: Any = ours("autoint", "fields", layers=1, heads=2, width=8)
    theirs = drawn(InteractingLayer(DIM, num_heads=2))
    layer = mine.layers[0]
    put(layer.query.weight, theirs.W_Q.weight * theirs.scale)
    put_linear(layer.key, theirs.W_K)
    put_linear(layer.value, theirs.W_V)
    put_linear(layer.residual, theirs.W_Res)
    return mine, theirs


def cross_net() -> Both:
    mine: Any = ours("cross_net", "vector", layers=3)
    theirs = drawn(CrossNetwork(FLAT, 3))
    put(mine.weights, torch.cat([linear.weight for linear in theirs.w]))
    put(mine.biases, torch.stack(list(theirs.b)))
    return mine, theirs


def cross_net_v2(bias: bool) -> Both:
    mine: Any = ours("cross_net_v2", "vector", layers=3)
    theirs = drawn(CrossNetV2(FLAT, 3))
    for cross, linear, b in zip(mine.crosses, theirs.w, theirs.b, strict=True):
        if not bias:
            put(b, 0.0)
        put(cross.weight, linear.weight)
        put(cross.bias, b)
    return mine, theirs


def cross_net_mix() -> Both:
    theirs = drawn(CrossNetMix(FLAT, num_layers=3, low_rank=RANK, num_experts=4))
    weights = (theirs.u_list, theirs.v_list, theirs.c_list, theirs.bias, theirs.gating)
    return mixture_of_ours(*weights), theirs


def senet() -> Both:
    mine: Any = ours("senet", "fields", reduction=3, activation="relu")
    theirs = drawn(SENETLayer(FIELDS, reduction_ratio=3))
    put_linears(mine, theirs)
    return mine, theirs


def bilinear(matrix: str) -> Both:
    mine: Any = ours("bilinear", "fields", matrix=matrix)
    theirs = drawn(BiLinearInteractionLayer(DIM, FIELDS, f"field_{matrix}"))
    linears = [theirs.bilinear_layer] if matrix == "all" else theirs.bilinear_layer
    weights = torch.stack([linear.weight for linear in linears])
    put(mine.weight, weights[: len(mine.weight)])  # "each": the last field is never left
    return mine, theirs


def mlp() -> Both:
    mine: Any = ours("mlp", "vector", width=WIDTH, depth=2)
    theirs = drawn(without_batch_norm(MLP(FLAT, output_layer=False, dims=[WIDTH, WIDTH])))
    put_linears(mine, theirs)
    return mine, theirs


PAIRS = [
    Pair("fm", "FM", "fields", fm),
    Pair("nfm", "FM, reduce_sum=False", "fields", nfm),
    Pair("cin", "CIN", "fields", cin, f"relu after every layer; {NO_BIAS}", departs=True),
    Pair("autoint", "InteractingLayer", "fields", autoint, SCALED),
    Pair("cross_net", "CrossNetwork", "vector", cross_net),
    Pair(
        "cross_net_v2",
        "CrossNetV2",
        "vector",
        lambda: cross_net_v2(bias=True),
        "adds the bias outside the product with x0",
        departs=True,
    ),
    Pair("cross_net_v2", "CrossNetV2", "vector", lambda: cross_net_v2(False), "biases set to 0"),
    Pair("cross_net_mix", "CrossNetMix", "vector", cross_net_mix, "one gate for all its layers"),
    Pair("senet", "SENETLayer", "fields", senet),
    Pair("bilinear", "BiLinearInteractionLayer, all", "fields", lambda: bilinear("all")),
    Pair("bilinear", "BiLinearInteractionLayer, each", "fields", lambda: bilinear("each")),
    Pair(
        "bilinear",
        "BiLinearInteractionLayer, interaction",
        "fields",
        lambda: bilinear("interaction"),
    ),
    Pair("mlp", "MLP", "vector", mlp, NORMS),
]
