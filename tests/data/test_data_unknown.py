"""Unknown ids: their share and examples are told, unless training had as many."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from automlrank.data.dataset import Dataset
from automlrank.data.unknown import unknown_values
from automlrank.schema import read_schema

FRAME = pl.DataFrame(
    {"y": [0, 1] * 100, "user": [n % 20 for n in range(200)], "rare": list(range(200))}
)
FEATURES = {
    "user": {"kind": "categorical"},
    "rare": {"kind": "categorical", "min_count": 2},
}
SCHEMA = read_schema({"tasks": {"y": None}, "features": FEATURES, "statistics": "none"})


def test_columns_of_unknown_ids_are_named_with_examples(tmp_path: Path) -> None:
    encoder = Dataset.open(FRAME, SCHEMA, cache=tmp_path).encoder
    assert unknown_values(encoder, FRAME, encoder.encode(FRAME)) == []  # rare ones always were
    new = FRAME.with_columns(user=pl.Series(["a", "a", "b", "7"] * 50))
    (found,) = unknown_values(encoder, new, encoder.encode(new))
    assert found.startswith("user: 75% of its values are unknown to the model, such as 'a', 'b' (")
    assert unknown_values(encoder, new, encoder.encode(new), limit=0.8) == []
