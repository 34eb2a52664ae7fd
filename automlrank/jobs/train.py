"""The function ``train``: train a published model or an architecture from a file."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automlrank.architecture import Architecture
from automlrank.architecture.shipped import architecture_for
from automlrank.candidates.evaluator import Evaluator
from automlrank.candidates.metric_checks import metric_for
from automlrank.data.dataset import Dataset
from automlrank.documents import dump
from automlrank.files import check_new, filled, write_text
from automlrank.jobs.machine import device_of, machine, versions
from automlrank.jobs.options import TrainOptions
from automlrank.measurement.latency import Latency
from automlrank.measurement.metric_language import parse_metric
from automlrank.measurement.metrics import Metric
from automlrank.model.cost import Cost
from automlrank.model.network import build
from automlrank.options.call import takes
from automlrank.runs.events import DataReady, ignore
from automlrank.runs.folder import RunFolder
from automlrank.runs.score_data import latency_data, split_scores_data
from automlrank.runs.scores import SplitScores
from automlrank.runs.search_config import SearchConfig
from automlrank.training.loop import score
from automlrank.training.trained import Trained
from automlrank.training.trees.distillation import check_teacher


@dataclass(frozen=True)
class TrainingResult:
    """One training: ``scores`` by split as a record holds them; ``test`` is None if not asked."""

    architecture: Architecture
    metric: Metric
    scores: Mapping[str, SplitScores | None]
    latency: Latency
    cost: Cost
    curve: list[dict[str, Any]]
    zero_shares: Mapping[str, float]
    seconds: float
    folder: Path | None
    suspicions: tuple[str, ...] = ()
    """Columns of which much is unknown in the rows that are scored."""


@takes(TrainOptions)
def train(options: TrainOptions) -> TrainingResult:
    """Train one architecture and score it; the test split is scored only with ``test``.

    With ``out`` the architecture, the curve, the weights and the scores are written there.
    ``listen`` is called with each event of ``runs.events``; ``candidates`` is the number of items
    of the request whose latency is measured. Raises UsageError for wrong input, TrialError if the
    training cannot go on.
    """
    began = time.perf_counter()
    if options.out is not None:
        check_new(Path(options.out))
    device, listen = device_of(options.device), options.listen or ignore
    dataset = Dataset.open(options.data, options.schema, label=options.label, joins=options.joins)
    metric = metric_for(dataset.schema, options.metric)
    config = SearchConfig.of(options, device=device, metric=metric)
    suspicions = tuple(dataset.unknown(options.max_unknown))
    listen(DataReady.of(dataset, parse_metric(metric), suspicions=suspicions))
    chosen = architecture_for(dataset.schema, options.architecture)
    splits = ("valid", "test") if options.test else ("valid",)
    evaluator = Evaluator(dataset, config, listen, splits=splits)
    check_teacher(dataset, needed=chosen.training.distillation > 0)
    result, trained = _trained(evaluator, chosen, began, test=options.test)
    result = dataclasses.replace(result, suspicions=suspicions)
    if options.out is None:
        return result
    with filled(Path(options.out)) as folder:
        _keep(RunFolder(folder), options, dataset, result, trained)
    return dataclasses.replace(result, folder=Path(options.out))


def _trained(
    evaluator: Evaluator, chosen: Architecture, began: float, *, test: bool
) -> tuple[TrainingResult, Trained]:
    config = evaluator.config
    plan = evaluator.wire(chosen)
    model = build(plan, config.seed)
    latency = evaluator.latency(model)
    trained = evaluator.train(model, chosen, config.seed, chosen.name)
    scores: dict[str, SplitScores | None] = {
        "valid": evaluator.scores(trained.scores),
        "test": evaluator.scores(
            score(model, evaluator.data, "test", evaluator.metric, config.device)
        )
        if test
        else None,
    }
    result = TrainingResult(
        chosen,
        evaluator.metric,
        scores,
        latency,
        evaluator.cost(plan),
        trained.curve,
        trained.zero_shares,
        round(time.perf_counter() - began, 1),
        None,
    )
    return result, trained


def _keep(
    folder: RunFolder,
    options: TrainOptions,
    dataset: Dataset,
    result: TrainingResult,
    trained: Trained,
) -> None:
    """Write the architecture, the weights, and ``training.yaml`` with what was said of the data."""
    facts = {
        "architecture": result.architecture.name,
        "data": dataset.name,
        "seed": options.seed,
        "test": options.test,
        "data_fingerprint": dataset.fingerprint,
        "scores": {
            split: found and split_scores_data(found) for split, found in result.scores.items()
        },
        "latency_ms": latency_data(result.latency),
        "zero_shares": dict(result.zero_shares),
        "suspicions": list(result.suspicions),
        "notes": list(dataset.notes),
        "versions": versions(),
        "machine": machine(),
    }
    folder.keep(result.architecture, trained)
    write_text(folder.path / "training.yaml", dump(facts))
