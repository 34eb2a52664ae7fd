"""A model trained on one content in several containers: one schema, and one AUC."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from automlrank.jobs.inspect import inspect
from automlrank.jobs.train import train

ROWS = 1000
RNG = np.random.default_rng(0)
USER, PRICE = RNG.integers(40, size=ROWS), np.round(np.exp(RNG.normal(3, 1, ROWS)), 2)
FRAME = pl.DataFrame(
    {
        "click": (RNG.random(ROWS) < 0.2 + 0.6 * (USER % 2)).astype(int),
        "user_id": [None if k % 11 == 0 else int(v) + 1000 for k, v in enumerate(USER)],
        "price": PRICE,
        "tags": [f"t{v % 7}|t{v % 5 + 7}" for v in USER],
    }
)


def in_parts(folder: Path) -> Path:
    """Parquet files of unlike types: whole numbers, floats and text."""
    (folder / "parts").mkdir()
    for number, kind in enumerate((pl.Int64, pl.Float64, pl.String)):
        part = FRAME[400 * number :][:400].with_columns(pl.col("user_id").cast(kind))
        part.write_parquet(folder / "parts" / f"{number}.parquet")
    return folder / "parts"


def written(name: str, of: str, **options: Any) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        getattr(FRAME, f"write_{of}")(folder / name, **options)
        return folder / name

    return write


CONTAINERS: Mapping[str, Callable[[Path], Any]] = {
    "polars": lambda _: FRAME,
    "pandas": lambda _: FRAME.to_pandas(),
    "csv": written("t.csv", of="csv", null_value="NA"),
    "tsv": written("t.tsv", of="csv", separator="\t"),
    "arrow": written("t.arrow", of="ipc"),
    "parts": in_parts,
}


@pytest.mark.slow
def test_a_model_has_one_auc_whatever_holds_its_table(tmp_path: Path) -> None:
    found = []
    for name, make in CONTAINERS.items():
        data = make(tmp_path)
        schema = inspect(data, label="click").schema
        scores = train("lr", data, schema=schema, seed=1).scores
        found.append((name, schema.to_data(), scores["valid"]))
    assert all(one[1:] == found[0][1:] for one in found)
    assert found[0][2] is not None
