"""An exported ``train.py --score``: the types of values are the encoder's, not a file's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from automlrank.architecture import Architecture
from automlrank.codegen.folder import export_architecture
from automlrank.data.dataset import Dataset
from automlrank.model.network import build_model
from automlrank.schema import read_schema

Make = Callable[[str], Architecture]
Load = Callable[[Path], dict[str, Any]]

MARKED = read_schema(
    {
        "tasks": {"click": None},
        "features": {
            "user_id": {"kind": "categorical"},
            "app": {"kind": "categorical"},
            "price": {"kind": "numeric"},
        },
        "split": {"by": "column", "column": "part"},
        "statistics": "none",
    }
)


def marked_table() -> pl.DataFrame:
    """Ids, flags and prices as text, each with one spelling of null in a training row."""
    rng, rows = np.random.default_rng(0), 300
    part = np.where(
        np.arange(rows) < 200, "train", np.where(np.arange(rows) < 250, "valid", "test")
    )
    return pl.DataFrame(
        {
            "click": rng.integers(2, size=rows),
            "user_id": [
                "\\N" if k == 3 else f"{v}.0" for k, v in enumerate(rng.integers(30, size=rows))
            ],
            "app": [
                "unknown" if k == 5 else str(v > 1)
                for k, v in enumerate(rng.integers(4, size=rows))
            ],
            "price": ["NA" if k == 7 else f"{v:.2f}" for k, v in enumerate(rng.random(rows))],
            "part": part,
        }
    )


def test_rows_score_alike_whatever_else_is_in_their_table(
    make: Make,
    load_script: Load,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ids as 1127.0, flags and prices mean the same beside a marker, without one, and typed."""
    marked = marked_table()
    data = Dataset.open(marked, MARKED, cache=tmp_path / "cache")
    weights = build_model(make("fm"), data.schema, seed=5).state_dict()
    export_architecture(make("fm"), data.schema, data.encoder, tmp_path / "export", weights=weights)
    plain = marked.with_row_index("k").filter(~pl.col("k").is_in([3, 5, 7])).drop("k")
    typed = plain.with_columns(pl.col("user_id", "price").cast(pl.Float64), pl.col("app") == "True")
    script, said = load_script(tmp_path / "export"), set()
    for name, frame in {"marked.csv": marked, "plain.csv": plain, "t.parquet": typed}.items():
        path = tmp_path / name
        frame.write_csv(path) if path.suffix == ".csv" else frame.write_parquet(path)
        caplog.clear()
        monkeypatch.setattr("sys.argv", ["train.py", str(path), "--score", "--test"])
        with caplog.at_level("INFO"):
            script["main"](script["PARTS"], script["FILES"])
        said.add(tuple(caplog.messages))
    assert len(said) == 1
    assert any("test: AUC click" in line for line in said.pop())
