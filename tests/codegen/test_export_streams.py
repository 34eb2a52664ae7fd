"""Exports of what no zoo model has: residual layers, drawn weights, field weights, attention."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from raw_rows import raw_difference
from test_export_folder import run_alone

from automlrank.architecture import Architecture
from automlrank.codegen.folder import export_architecture
from automlrank.data.dataset import Dataset
from automlrank.documents import parse_document
from automlrank.model.network import RankingModel

STREAMS = """
architecture: streams
gate: {field_gate: {temperature: 0.3}}
interaction:
  parallel:
    - {mlp: {width: 16, depth: 3, residual: true, initialisation: he, dropout: 0.1}}
    - {mlp: {width: 8, depth: 1, initialisation: xavier, batch_norm: true}}
    - {two_stream: {width: 8, width_2: 5, heads: 3, gates: false}}
    - {stack: [{field_gate: {batch_norm: false}}, {bridge: {layers: 1, fuse: attention}}]}
  merge: {attention: {width: 16, attention_width: 4}}
tower: {mlp: {width: 16, depth: 2, residual: true}}
training: {epochs: 1}
"""


@pytest.mark.new_process
def test_streams_are_exported_with_the_same_logits(
    with_random_weights: Callable[[Architecture, Dataset], RankingModel],
    data: Dataset,
    table: Path,
    tmp_path: Path,
) -> None:
    """And the exported folder trains on its own."""
    architecture = Architecture.read(parse_document(STREAMS).data)  # type: ignore[arg-type]
    model = with_random_weights(architecture, data)
    out = tmp_path / "export"
    export_architecture(architecture, data.schema, data.encoder, out, weights=model.state_dict())
    rows = pl.read_parquet(table).sample(64, seed=3)
    assert raw_difference(out, model, data.encoder, rows) <= 1e-5
    text = (out / "model.py").read_text(encoding="utf-8")
    assert all(f"class {name}(" in text for name in ("Residual", "Regulation", "AttentionPool"))
    assert "valid: AUC" in run_alone(out, table, "--seed", 7, "--threads", 1)
