"""Exports with a fused score: the model ranks by it, the script is judged by it as ours is."""

from __future__ import annotations

import dataclasses
import re
import runpy
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from test_export_folder import CONFIG, RUFF, run_alone

from automlrank.architecture import Architecture
from automlrank.codegen.folder import export_architecture
from automlrank.data.dataset import Dataset
from automlrank.measurement.fusion import fused
from automlrank.measurement.metric_language import parse_metric
from automlrank.model.network import build_model
from automlrank.training.loop import fit, score

Make = Callable[[str], Architecture]
SCORE = (("buy", 0.5), ("click", 1.0))


@pytest.fixture
def scored(data: Dataset) -> Dataset:
    """The data set with a fused score in its schema."""
    return dataclasses.replace(data, schema=dataclasses.replace(data.schema, score=SCORE))


def test_the_model_ranks_by_the_product_of_its_predictions(
    make: Make, scored: Dataset, tmp_path: Path
) -> None:
    """Of a table's rows and of a request's, whose user side is one row."""
    architecture, out = make("deepfm"), tmp_path / "export"
    export_architecture(architecture, scored.schema, scored.encoder, out)
    theirs = runpy.run_path(str(out / "model.py"))["RankingModel"]().eval()
    ours = build_model(architecture, scored.schema, seed=1).eval()
    theirs.load_state_dict(ours.state_dict())
    for batch in (next(scored.batches("valid", 64)), scored.request("valid", 10)):
        with torch.inference_mode():
            clicked, bought = torch.sigmoid(ours(batch)).double().unbind(1)
            found = theirs.score(batch)
        torch.testing.assert_close(found.double().exp(), clicked * bought**0.5)
        expected = fused(ours(batch).detach().numpy(), scored.schema.exponents)
        torch.testing.assert_close(found.double(), torch.from_numpy(expected), rtol=0, atol=1e-5)
    assert "ranked by ``score``, the log of buy^0.5 * click." in (out / "model.py").read_text()
    assert "score(batch)" in (out / "README.md").read_text()


@pytest.mark.parametrize("metric", ["auc@score", "gauc@score"])
def test_exported_training_is_judged_as_ours_is(
    metric: str, make: Make, scored: Dataset, table: Path, tmp_path: Path
) -> None:
    """The same seed ends with the same scores, by code that the linter finds nothing in."""
    settings = {"epochs": 2, "batch_size": 256, "learning_rate": 0.01}
    architecture = make("lr")
    training = dataclasses.replace(architecture.training, **settings)
    architecture = dataclasses.replace(architecture, training=training)
    model, out = build_model(architecture, scored.schema, seed=7), tmp_path / "export"
    for _ in fit(model, architecture, scored, seed=7, metric=parse_metric(metric)):
        pass
    export_architecture(
        architecture, scored.schema, scored.encoder, out, metric=parse_metric(metric)
    )
    for command in (["check"], ["format", "--check"]):
        checked = [RUFF, *command, "--config", str(CONFIG), str(out)]
        subprocess.run(checked, check=True, capture_output=True)
    printed = run_alone(out, table, "--seed", 7, "--threads", 1, "--test")
    label = metric.partition("@")[0].upper()
    for split in ("valid", "test"):
        line = re.search(rf"^{split}: {label} (.*)$", printed, re.MULTILINE)
        assert line is not None
        theirs = {k: float(v) for k, v in (pair.split() for pair in line[1].split(", "))}
        assert list(theirs) == ["click", "buy", metric]
        assert theirs == pytest.approx(score(model, scored, split, parse_metric(metric)), abs=1e-4)


def test_without_a_score_nothing_of_it_is_printed(
    make: Make, data: Dataset, tmp_path: Path
) -> None:
    export_architecture(make("lr"), data.schema, data.encoder, tmp_path / "export")
    for name in ("model.py", "train.py", "config.yaml", "README.md"):
        text = (tmp_path / "export" / name).read_text()
        assert not [word for word in ("def score(self", "exponents:", "judged") if word in text]
