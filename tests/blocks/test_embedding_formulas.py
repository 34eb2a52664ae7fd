"""The input layer against its formula, and the decay that blocks declare."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from formula_checks import (
    DIM,
    close,
    weights_of,
)

from automlrank.blocks import BLOCKS
from automlrank.blocks.embedding import EmbeddingTable, FieldEmbedding
from automlrank.blocks.ports import (
    FIRST_ID,
)


@pytest.mark.parametrize("block", ["linear", "embedding"])
def test_l2_is_decoupled_and_named_by_parameter(block: str) -> None:
    assert BLOCKS[block](l2=2.5).decay() == {"weight": 2.5}


def test_the_table_starts_at_zero_below_the_first_id_of_each_column() -> None:
    table = EmbeddingTable((4, 6, 5), DIM, FIRST_ID, 0.5)()
    for start in (0, 4, 10):
        assert not table[start : start + FIRST_ID].any()
        assert table[start + FIRST_ID].any()


def test_fields_are_ids_numbers_bags_and_vectors_in_this_order() -> None:
    """A null number or vector has a field of its own, an empty bag is zero."""
    torch.manual_seed(0)
    module = FieldEmbedding(DIM, (0, 4), 1, (10, 10), ("mean", "sum"), (2, 4), 0.5).double().eval()
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter)
    nan = torch.nan
    table = torch.randn(15, DIM).double()
    ids, numbers = torch.tensor([[3, 5], [0, 3]]), torch.tensor([[2.0], [nan]]).double()
    bags = [torch.tensor([[3, 4, 0], [0, 0, 0]]), torch.tensor([[2, 2], [1, 0]])]
    vectors = [
        torch.tensor(v).double() for v in ([[1.0, -2.0], [0.0, 3.0]], [[nan] * 4, [0.5] * 4])
    ]
    w, t = weights_of(module), table.numpy()

    def projected(column: int, row: int) -> list[float]:
        weight, vector = w[f"projections.{column}.weight"], vectors[column][row].tolist()
        return [sum(weight[d, i] * x for i, x in enumerate(vector)) for d in range(DIM)]

    expected = [
        [t[3], t[4 + 5], 2.0 * w["number_vectors"][0], (t[13] + t[14]) / 2, t[12] + t[12],
         projected(0, 0), w["projections.1.null"]],
        [t[0], t[4 + 3], w["null_vectors"][0], np.zeros(DIM), t[11],
         projected(0, 1), projected(1, 1)],
    ]  # fmt: skip
    close(module(table, ids, numbers, *bags, *vectors), expected)


def test_a_null_vector_trains_its_own_field_only() -> None:
    """No gradient is NaN beside nulls."""
    module = FieldEmbedding(DIM, (), 0, (), (), (2,), 0.5)
    vector = torch.full((1, 2), torch.nan)
    module(torch.zeros(0, DIM), torch.zeros(1, 0).int(), torch.zeros(1, 0), vector).sum().backward()
    assert (module.projections[0].weight.grad == 0.0).all()
    assert (module.projections[0].null.grad == 1.0).all()


@pytest.mark.parametrize("size", [1, 16, 400])
def test_fields_of_numbers_and_vectors_start_with_their_scale(size: int) -> None:
    """Of values with variance 1, whatever the length of the vector."""
    torch.manual_seed(0)
    module = FieldEmbedding(512, (), 1, (), (), (size,), scale=0.1)
    numbers, vectors = torch.randn(512, 1), torch.randn(512, size)
    fields = module(torch.zeros(0, 512), torch.zeros(512, 0).int(), numbers, vectors)
    assert fields[:, 0].std().item() == pytest.approx(0.1, rel=0.2)
    assert fields[:, 1].std().item() == pytest.approx(0.1, rel=0.2)
