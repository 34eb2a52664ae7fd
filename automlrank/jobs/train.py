"""Train one architecture: a zoo model, a file, or what a search found."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automlrank.architecture import Architecture
from automlrank.architecture.shipped import architecture_for
from automlrank.candidates.evaluator import Evaluator
from automlrank.candidates.metric_checks import metric_for
from automlrank.data.dataset import AsSchema, Dataset
from automlrank.data.read import Data
from automlrank.documents import dump
from automlrank.files import check_new, write_text
from automlrank.jobs.machine import device_of, machine, versions
from automlrank.measurement.latency import Latency
from automlrank.measurement.metric_language import parse_metric
from automlrank.measurement.metrics import Metric
from automlrank.model.cost import Cost
from automlrank.model.network import build
from automlrank.runs.events import DataReady, Listen, ignore
from automlrank.runs.folder import RunFolder
from automlrank.runs.score_data import latency_data, split_scores_data
from automlrank.runs.scores import SplitScores
from automlrank.runs.search_config import SearchConfig
from automlrank.space.shipped import AsSpace
from automlrank.training.loop import score
from automlrank.training.trees.distillation import check_teacher


@dataclass(frozen=True)
class TrainingResult:
    """One training: ``scores`` by split, then as a record holds them; ``test`` only if asked."""

    architecture: Architecture
    metric: Metric
    scores: Mapping[str, SplitScores | None]
    latency: Latency
    cost: Cost
    curve: list[dict[str, Any]]
    zero_shares: Mapping[str, float]
    seconds: float
    folder: Path | None


def train(
    architecture: AsSpace | Architecture,
    data: Data,
    schema: AsSchema = None,
    *,
    label: str | None = None,
    joins: Sequence[str] = (),
    test: bool = False,
    seed: int = 0,
    out: str | Path | None = None,
    metric: str | None = None,
    candidates: int = 200,
    device: str = "auto",
    listen: Listen = ignore,
) -> TrainingResult:
    """Train an architecture with a seed; the test split is read only where it is asked for.

    With ``out`` the architecture, the curve, the weights and what was asked are written there.
    ``metric`` is that of the primary task unless told: auc, or rmse of a regression task. Raises
    UsageError for what a person can mend, TrialError where the training cannot go on.
    """
    began = time.perf_counter()
    if out is not None:
        check_new(Path(out))
    goal = SearchConfig(
        metric=metric or SearchConfig.metric,
        candidates=candidates,
        device=device_of(device),
        seed=seed,
    )
    dataset = Dataset.open(data, schema, label=label, joins=joins)
    goal = dataclasses.replace(goal, metric=metric_for(dataset.schema, metric))
    listen(DataReady.of(dataset, parse_metric(goal.metric)))
    chosen = architecture_for(dataset.schema, architecture)
    bench = Evaluator(dataset, goal, listen, splits=("valid", "test") if test else ("valid",))
    check_teacher(dataset, needed=chosen.training.distillation > 0)
    plan = bench.wire(chosen)
    model = build(plan, seed)
    latency = bench.latency(model)
    trained = bench.train(model, chosen, seed, chosen.name)
    scores: dict[str, SplitScores | None] = {
        "valid": bench.scores(trained.scores),
        "test": bench.scores(score(model, dataset, "test", bench.metric, goal.device))
        if test
        else None,
    }
    seconds = round(time.perf_counter() - began, 1)
    result = TrainingResult(
        chosen,
        bench.metric,
        scores,
        latency,
        bench.cost(plan),
        trained.curve,
        trained.zero_shares,
        seconds,
        Path(out) if out else None,
    )
    if out is not None:
        folder = RunFolder(out)
        facts = {
            "architecture": chosen.name,
            "data": dataset.name,
            "seed": seed,
            "test": test,
            "data_fingerprint": dataset.fingerprint,
            "scores": {
                split: found and split_scores_data(found) for split, found in scores.items()
            },
            "latency_ms": latency_data(latency),
            "zero_shares": dict(trained.zero_shares),
            "versions": versions(),
            "machine": machine(),
        }
        folder.keep(chosen, trained)
        write_text(folder.path / "training.yaml", dump(facts))
    return result
