"""Blocks over pairs of fields against their papers' formulas, as loops over numpy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from formula_checks import (
    DIM,
    ROWS,
    Array,
    N,
    built,
    close,
    drawn,
    relu,
    softmax,
    weights_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from automlrank.blocks import BLOCKS
from automlrank.blocks.ports import Fields, Targets

PAIRS = [(i, j) for i in range(N) for j in range(i + 1, N)]
MATRICES = ("all", "each", "interaction")


def test_afm_weighs_pairs_by_a_softmax_over_all_of_them() -> None:
    width = 4
    module = built("afm", Fields(N, DIM), width=width)
    x, w, expected = drawn(ROWS, N, DIM), weights_of(module), []
    for row in x.numpy():
        scores = []
        for i, j in PAIRS:
            hidden = relu(w["score.0.weight"] @ (row[i] * row[j]) + w["score.0.bias"])
            scores.append(sum(w["score.2.weight"][0, k] * hidden[k] for k in range(width)))
        shares = softmax(scores)
        total = np.zeros(DIM)
        for share, (i, j) in zip(shares, PAIRS, strict=True):
            total += share * row[i] * row[j]
        expected.append(total)
    close(module(x), expected)


def test_afm_without_attention_is_the_mean_of_the_pairs() -> None:
    module, x = built("afm", Fields(N, DIM)), drawn(ROWS, N, DIM)
    torch.nn.init.zeros_(module.score[2].weight)
    close(module(x) * len(PAIRS), built("nfm", Fields(N, DIM))(x).numpy())


@pytest.mark.parametrize(
    ("name", "knobs"), [("afm", {}), ("nfm", {}), ("nfm", {"batch_norm": True})]
)
def test_dropout_falls_on_the_pooled_pairs(name: str, knobs: dict[str, bool]) -> None:
    """Last of all: what is dropped is zero, what is kept is the whole's, scaled up."""
    x = drawn(64, N, DIM)
    whole = built(name, Fields(N, DIM), **knobs).train()(x)
    dropped = built(name, Fields(N, DIM), dropout=0.5, **knobs).train()(x)
    kept = dropped != 0.0
    assert 0.3 < kept.double().mean() < 0.7
    close(dropped[kept], 2.0 * whole[kept].detach().numpy())


@pytest.mark.parametrize("batch_norm", [False, True])
def test_nfm_sums_the_products_of_pairs(batch_norm: bool) -> None:
    module = built("nfm", Fields(N, DIM), batch_norm=batch_norm)
    for name, buffer in module.named_buffers():
        if "running" in name:
            torch.nn.init.uniform_(buffer, 0.5, 1.5)
    x, w, expected = drawn(ROWS, N, DIM), weights_of(module), []
    for row in x.numpy():
        total = np.zeros(DIM)
        for i, j in PAIRS:
            total += row[i] * row[j]
        if batch_norm:
            total = (total - w["norm.running_mean"]) / np.sqrt(w["norm.running_var"] + 1e-5)
            total = total * w["norm.weight"] + w["norm.bias"]
        expected.append(total)
    close(module(x), expected)


def test_nfm_summed_over_dimensions_is_fm() -> None:
    x, fm = drawn(ROWS, N, DIM), built("fm", Fields(N, DIM), Targets(1))
    torch.nn.init.ones_(fm.scale)
    close(built("nfm", Fields(N, DIM))(x).sum(dim=1, keepdim=True), fm(x).detach().numpy())


def joined(w: dict[str, Array], join: str, row: Array, products: list[float]) -> Array:
    """``relu(W z + b + l)``, or ``[z; l]``."""
    z = row.flatten()
    if join == "concat":
        return np.concatenate([z, products])
    return relu(w["join.linear.weight"] @ z + w["join.linear.bias"] + np.array(products))


@pytest.mark.parametrize("join", ["add", "concat"])
def test_ipnn_sums_the_inner_products_of_all_fields(join: str) -> None:
    """``||sum_i theta_i v_i||^2`` is the sum over i and j of ``theta_i theta_j <v_i, v_j>``."""
    width = 4
    module = built("ipnn", Fields(N, DIM), width=width, join=join)
    x, w, expected = drawn(ROWS, N, DIM), weights_of(module), []
    for row in x.numpy():
        products = [0.0] * width
        for n, theta in enumerate(w["theta"]):
            for i in range(N):
                for j in range(N):
                    products[n] += theta[i] * theta[j] * (row[i] @ row[j])
        expected.append(joined(w, join, row, products))
    close(module(x), expected)


@pytest.mark.parametrize("join", ["add", "concat"])
def test_opnn_weighs_the_outer_product_of_the_sum(join: str) -> None:
    """Which is the sum over i and j of ``v_i v_j^T``; the matrices are not symmetric."""
    width = 4
    module = built("opnn", Fields(N, DIM), width=width, join=join)
    x, w, expected = drawn(ROWS, N, DIM), weights_of(module), []
    assert np.abs(w["weight"] - w["weight"].transpose(0, 2, 1)).max() > 0.1
    for row in x.numpy():
        products = [0.0] * width
        for n, matrix in enumerate(w["weight"]):
            for i in range(N):
                for j in range(N):
                    products[n] += float((matrix * np.outer(row[i], row[j])).sum())
        expected.append(joined(w, join, row, products))
    close(module(x), expected)


def test_opnn_with_the_identity_is_the_squared_norm_of_the_sum() -> None:
    module, x = built("opnn", Fields(N, DIM), width=1, join="concat"), drawn(ROWS, N, DIM)
    module.weight.data[0] = torch.eye(DIM)
    close(module(x)[:, -1], [np.linalg.norm(row.sum(axis=0)) ** 2 for row in x.numpy()])


@pytest.mark.parametrize("matrix", MATRICES)
def test_bilinear_maps_the_left_field_of_every_pair(matrix: str) -> None:
    module = built("bilinear", Fields(N, DIM), matrix=matrix)
    x, w, expected = drawn(ROWS, N, DIM), weights_of(module)["weight"], []
    assert len(w) == {"all": 1, "each": N - 1, "interaction": len(PAIRS)}[matrix]
    for row in x.numpy():
        vectors = []
        for place, (i, j) in enumerate(PAIRS):
            of_pair = w[{"all": 0, "each": i, "interaction": place}[matrix]]
            mapped = [sum(row[i, a] * of_pair[b, a] for a in range(DIM)) for b in range(DIM)]
            vectors.append(mapped * row[j])
        expected.append(vectors)
    close(module(x), expected)


@pytest.mark.parametrize("matrix", MATRICES)
def test_bilinear_with_the_identity_is_the_product_of_pairs(matrix: str) -> None:
    module, x = built("bilinear", Fields(N, DIM), matrix=matrix), drawn(ROWS, N, DIM)
    module.weight.data[:] = torch.eye(DIM)
    close(module(x), [[row[i] * row[j] for i, j in PAIRS] for row in x.numpy()])


@pytest.mark.parametrize("name", ["afm", "nfm"])
@settings(max_examples=20)
@given(order=st.permutations(range(N)), seed=st.integers(0, 1000))
def test_pooled_pairs_do_not_know_the_order_of_fields(
    name: str, order: list[int], seed: int
) -> None:
    module, x = built(name, Fields(N, DIM)), drawn(ROWS, N, DIM, seed=seed)
    close(module(x[:, order]), module(x).detach().numpy())


@pytest.mark.parametrize(
    ("name", "knobs"),
    [("afm", {}), ("nfm", {}), *(("bilinear", {"matrix": matrix}) for matrix in MATRICES)],
)
def test_a_single_field_has_no_pairs(name: str, knobs: dict[str, Any]) -> None:
    port = Fields(1, DIM)
    out = built(name, port, **knobs)(drawn(ROWS, 1, DIM))
    declared = BLOCKS[name](**knobs).out(port)
    shape = (declared.n, DIM) if isinstance(declared, Fields) else (DIM,)
    assert out.shape == (ROWS, *shape)
    assert not out.any()
