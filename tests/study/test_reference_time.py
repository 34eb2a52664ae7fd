"""References beside the study: how much of the search's time one may take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest

from automlrank import Architecture
from automlrank.candidates.evaluator import Evaluator
from automlrank.candidates.networks import NetworkBaseline
from automlrank.data.dataset import Dataset
from automlrank.runs.events import Event, TrainingUpdate
from automlrank.runs.folder import RunFolder
from automlrank.runs.search_config import SearchConfig
from automlrank.runs.stop_reasons import TimeIsUp
from automlrank.study.references import run_reference


@pytest.mark.parametrize("validated", [True, False])
@pytest.mark.parametrize("seconds", [11.0, 1000.0])
def test_a_reference_takes_a_tenth_of_the_time_and_keeps_its_best_epoch(
    dataset: Dataset, tmp_path: Path, clock: Any, validated: bool, seconds: float
) -> None:
    """Before a whole validation it has no score; past the search's own time that ends all."""

    def listen(event: Event) -> None:
        if isinstance(event, TrainingUpdate) and (event.progress.scores is not None) == validated:
            clock.now += seconds

    study = optuna.create_study(directions=["maximize", "minimize"])
    evaluator = Evaluator(dataset, SearchConfig(), listen)
    deadline = evaluator.deadline = clock.now + 100.0
    baseline = NetworkBaseline(Architecture.read({"architecture": "lr", "interaction": "linear"}))
    if not validated and seconds > 100:
        with pytest.raises(TimeIsUp):
            run_reference(study, evaluator, RunFolder(tmp_path), baseline, 0)
        return
    record = run_reference(study, evaluator, RunFolder(tmp_path), baseline, 0)
    assert evaluator.deadline == deadline
    assert (record.valid is not None) == validated
    assert validated or str(record.reason).endswith("11 s, longer than a trial may")
    assert record.rows_seen == (dataset.rows["train"] if validated else None)
