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


def test_embedding_reads_ids_numbers_and_bags_from_one_table() -> None:
    """Fields in the order ids, numbers, bags; nulls have a vector of their own."""
    torch.manual_seed(0)
    table = EmbeddingTable((4, 6, 5), DIM, FIRST_ID, 0.5).double()().detach()
    module = FieldEmbedding(DIM, (0, 4), 1, (10,), 0.5).double().eval()
    torch.nn.init.normal_(module.null_vectors)
    for start in (0, 4, 10):
        assert not table[start : start + FIRST_ID].any()
        assert table[start + FIRST_ID].any()
    ids, numbers = torch.tensor([[3, 5], [0, 3]]), torch.tensor([[2.0], [torch.nan]]).double()
    bag, w = torch.tensor([[3, 4, 0], [0, 0, 0]]), weights_of(module)
    t = table.numpy()
    expected = [
        [t[3], t[4 + 5], 2.0 * w["number_vectors"][0], (t[13] + t[14]) / 2],
        [t[0], t[4 + 3], w["null_vectors"][0], np.zeros(DIM)],
    ]
    close(module(table, ids, numbers, bag), expected)
