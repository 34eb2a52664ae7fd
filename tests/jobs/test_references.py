"""References: those that a schema cannot serve are skipped with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from automlrank.architecture.shipped import references_for
from automlrank.data.synthetic import synthetic_schema
from automlrank.schema import HistoryFeature


@pytest.mark.parametrize(
    ("interaction", "reason"),
    [
        ("{mlp: {}, fields: [nowhere]}", "the schema has no column 'nowhere'."),
        ("{wide: {}, fields: [user_id]}", "among fields, the schema has no two categorical"),
    ],
)
def test_a_branch_that_cannot_be_read_skips_the_reference(
    interaction: str, reason: str, tmp_path: Path
) -> None:
    schema = synthetic_schema()
    schema = schema.fitted(
        {f.name: 9 for f in schema.features if not isinstance(f, HistoryFeature)}
    )
    path = tmp_path / "mine.yaml"
    path.write_text(f"architecture: mine\ninteraction: {interaction}\n", encoding="utf-8")
    usable, skipped = references_for(schema, ("lr", str(path)))
    assert [architecture.name for architecture in usable] == ["lr"]
    assert reason in skipped[str(path)]
