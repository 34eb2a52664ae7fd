"""A finalist's test score by task and by scenario: what one number for all rows hides.

What is not defined (one class only, one row) is NaN, never .5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from automlrank.data.dataset import Dataset
from automlrank.measurement.metrics import Metric, metric_of
from automlrank.measurement.significance import Sampling, sampling

MOST_SCENARIOS = 20  # of the largest; the smaller ones are one line
REST = "others"
Floats = npt.NDArray[Any]


def breakdown(
    data: Dataset, metric: Metric, logits: Mapping[str, Sequence[Floats]]
) -> dict[str, dict[str, Any]]:
    """``tasks`` and ``scenarios`` as a record's ``test`` holds them, by fingerprint.

    ``logits`` are those of the test split, an array ``[rows, tasks]`` a seed. What has scores of
    one task only, or of some rows only, is left out; so is a schema of one task without scenarios.
    """
    schema = data.schema
    if len(schema.tasks) == 1 and schema.scenario is None:
        return {}
    whole = {
        key: mine
        for key, mine in logits.items()
        if all(x.shape[1] == len(schema.tasks) and not np.isnan(x).any() for x in mine)
    }
    if not whole:
        return {}
    parts = _Parts(data, metric.base, whole)
    found: dict[str, dict[str, Any]] = {key: {"tasks": parts.tasks(key)} for key in whole}
    for name, rows in scenario_rows(data).items():
        for key, scores in parts.of_scenario(rows).items():
            found[key].setdefault("scenarios", {})[name] = scores
    return found


def scenario_rows(data: Dataset) -> dict[str, npt.NDArray[np.bool_]]:
    """The test rows of each scenario by its value, the largest first; empty without scenarios.

    Rows of scenarios that training did not see, and those without one, are told apart.
    """
    ids = data.scenarios("test")
    if ids is None:
        return {}
    values, counts = np.unique(ids, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    names = data.scenario_names(values[order].tolist())
    rows = {
        name: ids == value
        for name, value in zip(names[:MOST_SCENARIOS], values[order], strict=False)
    }
    if len(values) > MOST_SCENARIOS:
        rows[REST] = np.isin(ids, values[order[MOST_SCENARIOS:]])
    return rows


class _Parts:
    """All finalists' logits ``[rows, tasks, runs]`` and the columns that each has."""

    def __init__(
        self, data: Dataset, metric: Metric, logits: Mapping[str, Sequence[Floats]]
    ) -> None:
        self.metrics = [metric_of(metric, task.kind) for task in data.schema.tasks]
        self.names = [task.name for task in data.schema.tasks]
        self.labels, self.groups = data.labels("test"), data.groups("test")
        self.logits = np.stack([x for mine in logits.values() for x in mine], axis=2)
        self.columns: dict[str, range] = {}
        end = 0
        for key, mine in logits.items():
            self.columns[key] = range(end, end + len(mine))
            end += len(mine)
        everywhere = np.ones(len(self.labels), bool)
        self.sampled = [self.sampling(i, everywhere) for i in range(len(self.names))]

    def sampling(self, task: int, rows: npt.NDArray[np.bool_]) -> Sampling:
        groups = None if self.groups is None else self.groups[rows]
        labels, logits = self.labels[rows, task], self.logits[rows, task]
        return sampling(self.metrics[task], labels, logits, groups)

    def tasks(self, key: str) -> dict[str, dict[str, Any]]:
        """Each task's score, rows and positives, and the difference to every other finalist."""
        found = {}
        for i, name in enumerate(self.names):
            mine, sampled = self.columns[key], self.sampled[i]
            versus = {
                other: list(sampled.difference(mine, theirs))
                for other, theirs in self.columns.items()
                if other != key and len(mine) > 1 and len(theirs) > 1
            }
            scores = self.scores(i, self.labels[:, i], sampled, mine)
            found[name] = {**scores, "versus": versus}
        return found

    def of_scenario(self, rows: npt.NDArray[np.bool_]) -> dict[str, dict[str, Any]]:
        """By fingerprint the rows of a scenario, and each task's score on them."""
        sampled = [self.sampling(i, rows) for i in range(len(self.names))]
        return {
            key: {
                "rows": int(rows.sum()),
                "tasks": {
                    name: self.scores(i, self.labels[rows, i], sampled[i], mine)
                    for i, name in enumerate(self.names)
                },
            }
            for key, mine in self.columns.items()
        }

    def scores(
        self, task: int, labels: Floats, sampled: Sampling, mine: Sequence[int]
    ) -> dict[str, Any]:
        """The seeds' mean, its interval, the rows with a label and the positive ones."""
        metric = self.metrics[task]
        low, high = sampled.interval(mine)
        found: dict[str, Any] = {
            metric.name: float(sampled.values[list(mine)].mean()),
            f"{metric.name}_low": low,
            f"{metric.name}_high": high,
            "rows": int((~np.isnan(labels)).sum()),
        }
        if metric.kind == "binary":
            found["positives"] = int((labels == 1).sum())
        return found
