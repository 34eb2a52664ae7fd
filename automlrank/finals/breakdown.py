"""Scores of finalists on the test split by task and by scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from automlrank.data.dataset import Dataset
from automlrank.measurement.metrics import Metric, metric_of
from automlrank.measurement.significance import Sampling, sampling
from automlrank.runs.scores import (
    Interval,
    PairedDifference,
    PartScore,
    ScenarioScores,
    difference_of,
    finite,
    interval_of,
)

MOST_SCENARIOS = 20  # the largest; smaller ones are counted together
REST = "others"
Floats = npt.NDArray[Any]


@dataclass(frozen=True)
class Breakdown:
    """Scores of a finalist by task, and by the value of the scenario."""

    tasks: Mapping[str, PartScore]
    scenarios: Mapping[str, ScenarioScores] = field(default_factory=dict)


def breakdown(
    data: Dataset, metric: Metric, logits: Mapping[str, Sequence[Floats]]
) -> dict[str, Breakdown]:
    """Return the scores of each finalist by task and scenario, by fingerprint.

    ``logits`` are those of the test split, an array ``[rows, tasks]`` a seed. A finalist with
    scores of one task only, or of some rows only, is left out; for a schema of one task without
    scenarios nothing is broken down.
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
    scenarios = {name: parts.of_scenario(rows) for name, rows in scenario_rows(data).items()}
    return {
        key: Breakdown(parts.tasks(key), {name: of[key] for name, of in scenarios.items()})
        for key in whole
    }


def scenario_rows(data: Dataset) -> dict[str, npt.NDArray[np.bool_]]:
    """Return the test rows of each scenario by its value, the largest first.

    Rows without a scenario and rows of scenarios unseen in training have names of their own. The
    result is empty for a schema without scenarios.
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
    """Logits ``[rows, tasks, runs]`` of all finalists, and the columns of each."""

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

    def tasks(self, key: str) -> dict[str, PartScore]:
        """Return a finalist's score of each task with its differences to all other finalists."""
        return {
            name: self.score(i, self.labels[:, i], self.sampled[i], key, self.versus(key, i))
            for i, name in enumerate(self.names)
        }

    def versus(self, key: str, task: int) -> dict[str, PairedDifference]:
        """Return the differences to other finalists; one seed does not show its spread."""
        mine = self.columns[key]
        return {
            other: difference_of(self.sampled[task].difference(mine, theirs))
            for other, theirs in self.columns.items()
            if other != key and len(mine) > 1 and len(theirs) > 1
        }

    def of_scenario(self, rows: npt.NDArray[np.bool_]) -> dict[str, ScenarioScores]:
        """Return each finalist's scores on the rows of a scenario, by fingerprint."""
        sampled = [self.sampling(i, rows) for i in range(len(self.names))]
        return {
            key: ScenarioScores(
                int(rows.sum()),
                {
                    name: self.score(i, self.labels[rows, i], sampled[i], key)
                    for i, name in enumerate(self.names)
                },
            )
            for key in self.columns
        }

    def score(
        self,
        task: int,
        labels: Floats,
        sampled: Sampling,
        key: str,
        versus: Mapping[str, PairedDifference] | None = None,
    ) -> PartScore:
        """Return a finalist's mean over its seeds, its interval and the counts of labels."""
        metric = self.metrics[task]
        value, interval = mean_of(sampled, self.columns[key])
        is_binary = metric.kind == "binary"
        return PartScore(
            metric=metric,
            value=value,
            interval=interval,
            rows=int((~np.isnan(labels)).sum()),
            positives=int((labels == 1).sum()) if is_binary else None,
            versus=versus,
        )


def mean_of(sampled: Sampling, seeds: Sequence[int]) -> tuple[float | None, Interval]:
    """Return the mean of an architecture's seeds, and the interval of one of them."""
    value = float(sampled.values[list(seeds)].mean())
    return finite(value), interval_of(sampled.interval(seeds))
