"""Our layers beside those that FuxiCTR ships to PyPI, with weights copied."""

from __future__ import annotations

from typing import Any

import torch
from fuxictr.pytorch.layers import (
    BilinearInteraction,
    BilinearInteractionV2,
    CompressedInteractionNet,
    CrossNet,
    CrossNetMix,
    CrossNetV2,
    DIN_Attention,
    InnerProductInteraction,
    MLP_Block,
    SqueezeExcitation,
)
from model_zoo.LongCTR.FinalMLP.FinalMLP import InteractionAggregation
from torch import Tensor, nn

from automlrank.blocks.interaction.two_stream import BilinearHeads
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
    put,
    put_linear,
    put_linears,
)

Both = tuple[nn.Module, nn.Module]


def fm() -> Both:
    mine: Any = ours("fm", "fields")
    put(mine.scale, 1.0)
    return mine, InnerProductInteraction(FIELDS, "product_sum")


def nfm() -> Both:
    return ours("nfm", "fields"), InnerProductInteraction(FIELDS, "bi_interaction")


def cin() -> Both:
    mine: Any = ours("cin", "fields", maps=16, layers=2)
    theirs = drawn(CompressedInteractionNet(FIELDS, [16, 16]))
    for weight, conv in zip(mine.weights, theirs.cin_layer.values(), strict=True):
        maps, before, fields = weight.shape
        put(weight, conv.weight.view(maps, fields, before).transpose(1, 2))
        put(conv.bias, 0.0)
    theirs.fc = nn.Identity()
    return mine, theirs


def cross_net() -> Both:
    mine: Any = ours("cross_net", "vector", layers=3)
    theirs = drawn(CrossNet(FLAT, 3))
    put(mine.weights, torch.cat([cross.weight.weight for cross in theirs.cross_net]))
    put(mine.biases, torch.stack([cross.bias for cross in theirs.cross_net]))
    return mine, theirs


def cross_net_v2() -> Both:
    mine: Any = ours("cross_net_v2", "vector", layers=3)
    theirs = drawn(CrossNetV2(FLAT, 3))
    put_linears(mine, theirs)
    return mine, theirs


def cross_net_mix() -> Both:
    theirs = drawn(CrossNetMix(FLAT, layer_num=3, low_rank=RANK, num_experts=4))
    weights = (theirs.U_list, theirs.V_list, theirs.C_list, theirs.bias, theirs.gating)
    return mixture_of_ours(*weights), theirs


def senet(activation: str) -> Both:
    mine: Any = ours("senet", "fields", reduction=3, activation=activation)
    theirs = drawn(SqueezeExcitation(FIELDS, 3, activation))
    put_linears(mine, theirs)
    return mine, theirs


def bilinear(layer: Any, matrix: str) -> Both:
    mine: Any = ours("bilinear", "fields", matrix=matrix)
    theirs = drawn(layer(FIELDS, DIM, f"field_{matrix}"))
    weights = theirs.bilinear_W.mT.reshape(-1, DIM, DIM)
    put(mine.weight, weights[: len(mine.weight)])  # "each": the last field is never left
    return mine, theirs


def inner_products() -> Both:
    return inner_products_of_ours(), InnerProductInteraction(FIELDS, "inner_product")


def din(softmax: bool) -> Both:
    mine: Any = ours("din", "history", width=36, activation="sigmoid", softmax=softmax)
    theirs = drawn(DIN_Attention(DIM, [36], "sigmoid", use_softmax=softmax))
    first, last = (m for m in theirs.modules() if isinstance(m, nn.Linear))
    put_linear(mine.meet.joint, first)
    put_linear(mine.score, last)

    def pooled(module: nn.Module, keys: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        result: Tensor = module(target, keys, mask)
        return result

    return mine, Call(theirs, pooled)


def mlp() -> Both:
    mine: Any = ours("mlp", "vector", width=WIDTH, depth=2)
    theirs = drawn(MLP_Block(FLAT, [WIDTH, WIDTH]))
    put_linears(mine, theirs)
    return mine, theirs


def fusion() -> Both:
    """The products of two streams, with a linear head on streams and products."""
    heads = drawn(BilinearHeads(WIDTH, WIDTH, 8))
    head = nn.Linear(2 * WIDTH + 8, 1)
    theirs = drawn(InteractionAggregation(WIDTH, WIDTH, num_heads=8))
    put(heads.weight, theirs.w_xy.view(heads.weight.shape))
    put(head.weight, torch.cat([theirs.w_x.weight, theirs.w_y.weight, torch.ones(1, 8)], dim=1))
    put(head.bias, theirs.w_x.bias + theirs.w_y.bias)
    mine = nn.ModuleList([heads, head])

    def fused(parts: Any, a: Tensor, b: Tensor) -> Tensor:
        logit: Tensor = parts[1](torch.cat([a, b, parts[0](a, b)], dim=1))
        return logit

    return Call(mine, fused), theirs


V1, V2 = BilinearInteraction, BilinearInteractionV2
NO_BIAS = "its convolutions have biases, the paper's layer none: set to 0"
WEIGHS = (
    "gives every product, where the paper weighs them by theta theta^T; its products are "
    "combinations of ours"
)
EMPTY = "an empty history gives the mean of its padding, ours zero: not among the inputs"
PAIRS = [
    Pair("fm", "InnerProductInteraction, product_sum", "fields", fm),
    Pair("nfm", "InnerProductInteraction, bi_interaction", "fields", nfm),
    Pair("cin", "CompressedInteractionNet", "fields", cin, NO_BIAS),
    Pair("cross_net", "CrossNet", "vector", cross_net),
    Pair("cross_net_v2", "CrossNetV2", "vector", cross_net_v2),
    Pair("cross_net_mix", "CrossNetMix", "vector", cross_net_mix, "one gate for all its layers"),
    Pair("senet", "SqueezeExcitation, relu", "fields", lambda: senet("relu")),
    Pair("senet", "SqueezeExcitation, sigmoid", "fields", lambda: senet("sigmoid")),
    Pair("bilinear", "BilinearInteraction, all", "fields", lambda: bilinear(V1, "all")),
    Pair("bilinear", "BilinearInteraction, each", "fields", lambda: bilinear(V1, "each")),
    Pair(
        "bilinear",
        "BilinearInteraction, interaction",
        "fields",
        lambda: bilinear(V1, "interaction"),
    ),
    Pair("bilinear", "BilinearInteractionV2, all", "fields", lambda: bilinear(V2, "all")),
    Pair("bilinear", "BilinearInteractionV2, each", "fields", lambda: bilinear(V2, "each")),
    Pair(
        "bilinear",
        "BilinearInteractionV2, interaction",
        "fields",
        lambda: bilinear(V2, "interaction"),
    ),
    Pair(
        "ipnn",
        "InnerProductInteraction, inner_product",
        "fields",
        inner_products,
        WEIGHS,
        timed=False,
    ),
    Pair("din", "DIN_Attention", "history", lambda: din(False)),
    Pair("din", "DIN_Attention, softmax", "history", lambda: din(True), EMPTY),
    Pair("mlp", "MLP_Block", "vector", mlp),
    Pair("two_stream", "InteractionAggregation", "streams", fusion, "with our linear head"),
]
