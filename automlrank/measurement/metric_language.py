"""Metrics as people write them: ``auc``, ``auc:click=1,auc:buy=0.5``, ``auc@score``."""

from __future__ import annotations

import re
from dataclasses import replace

from automlrank.measurement.metrics import METRICS, Metric

FUSED_NAMES = tuple(f"{metric.name}@score" for metric in METRICS.values() if metric.of_order)
PART = re.compile(
    r"\s*(?P<base>\w+):(?P<task>.+?)=(?P<weight>\d+(\.\d+)?)\s*(,(?=\s*\w+:)|$)", re.DOTALL
)


def parse_metric(text: str) -> Metric:
    """Return the metric that a text names; raises ValueError with the fault if it names none.

    ``auc:is_click=1,auc:long_view=0.5`` is a weighted mean over tasks, ``auc@score`` the metric of
    the schema's fused score.
    """
    if text in METRICS:
        return METRICS[text]
    if text in FUSED_NAMES:
        base = METRICS[text.partition("@")[0]]
        return replace(base, name=text, label=f"{base.label} of the score", fused=True)
    if "@" in text and ":" not in text:
        names = " or ".join(FUSED_NAMES)
        raise ValueError(f"a fused score is judged by {names}, but got {text!r}.")
    if ":" not in text:
        raise ValueError(f"metric must be one of {', '.join(METRICS)}, but got {text!r}.")
    return _weighted(text)


def _weighted(text: str) -> Metric:
    """Return the weighted mean that ``METRIC:TASK=WEIGHT,METRIC:TASK=WEIGHT`` names."""
    parts = list(PART.finditer(text))
    if "".join(part[0] for part in parts) != text:
        raise ValueError(
            f"a metric of several tasks is METRIC:TASK=WEIGHT,METRIC:TASK=WEIGHT, each weight "
            f"above 0, but got {text!r}."
        )
    bases = list(dict.fromkeys(part["base"] for part in parts))
    weights = {part["task"]: float(part["weight"]) for part in parts}
    if len(bases) > 1:
        raise ValueError(f"different metrics have no mean, but got {' and '.join(bases)}.")
    if bases[0] not in METRICS:
        raise ValueError(
            f"tasks are averaged by one of {', '.join(METRICS)}, but got {bases[0]!r}."
        )
    if len(weights) < len(parts) or not all(weights.values()):
        raise ValueError(f"each task is given once, with a weight above 0, but got {text!r}.")
    base = METRICS[bases[0]]
    only = next(iter(weights)) if len(weights) == 1 else None
    label = f"weighted {base.label}" if only is None else f"{base.label} of {only}"
    return replace(base, name=text, label=label, weights=weights)
