"""Score a split: the logits of its rows, and the metric of each task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

import torch
from torch import Tensor, nn

from automlrank.data.values import Array
from automlrank.measurement.fusion import fused, judged
from automlrank.measurement.metrics import Metric, evaluate, metric_of

EVALUATION_ROWS = 8192  # rows a forward without gradients: larger ones leave the cache


def logits_of(model: nn.Module, batches: Iterable[Mapping[str, Tensor]]) -> Array:
    """Return the logits ``[rows, tasks]`` of all batches, in their order."""
    was_training = model.training
    model.eval()
    with torch.inference_mode():
        parts = [model(batch).float() for batch in batches]
    model.train(was_training)
    logits: Array = torch.cat(parts).cpu().numpy()
    return logits


def task_scores(
    logits: Array,
    labels: Array,
    groups: Array | None,
    *,
    tasks: Mapping[str, str],
    metric: Metric,
    exponents: tuple[float, ...] = (),
) -> dict[str, float]:
    """Return the metric of each task, or the default one of its kind (see ``metric_of``).

    ``tasks`` are their kinds by name. A fused metric, under its name, comes behind them.
    """
    scores = {
        task: evaluate(metric_of(metric, kind), labels[:, i], logits[:, i], groups)
        for i, (task, kind) in enumerate(tasks.items())
    }
    if metric.fused:
        judge = partial(evaluate, metric, groups=groups)
        scores[metric.name] = judged(judge, labels, fused(logits, exponents), exponents)
    return scores


def label_of(metric: Metric, tasks: Mapping[str, str]) -> str:
    """Return the name of the tasks' scores; the scores of tasks of the other kind are named."""
    labels = {task: metric_of(metric, kind).label for task, kind in tasks.items()}
    main = metric.base.label
    others = [f"{label} of {task}" for task, label in labels.items() if label != main]
    return f"{main} ({', '.join(others)})" if others else main
