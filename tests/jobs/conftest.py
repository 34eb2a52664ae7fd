"""What a search takes, as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from automlrank.data.synthetic import synthetic_frame
from automlrank.documents import dump


@pytest.fixture
def inputs(tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, Any]:
    """A table, a schema and the module's ``SPACE``, and where the run goes."""
    frame, schema = synthetic_frame(2000, seed=0)
    frame.write_parquet(tmp_path / "t.parquet")
    (tmp_path / "schema.yaml").write_text(dump(schema.to_data()))
    (tmp_path / "space.yaml").write_text(request.module.SPACE)
    return {
        "data": tmp_path / "t.parquet",
        "schema": tmp_path / "schema.yaml",
        "space": tmp_path / "space.yaml",
        "out": tmp_path / "run",
    }
