"""Scores by task and by scenario against loops over the rows."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest

from automlrank.data.dataset import Dataset
from automlrank.data.synthetic import synthetic_frame
from automlrank.finals.breakdown import REST, breakdown, scenario_rows
from automlrank.measurement.metrics import AUC, auc
from automlrank.measurement.significance import sampling


def logits_of(dataset: Dataset, seeds: int = 2, strength: float = 1.0) -> list[np.ndarray]:
    labels = np.nan_to_num(dataset.labels("test"))
    rng = np.random.default_rng(int(10 * strength))
    return [strength * labels + rng.normal(size=labels.shape) for _ in range(seeds)]


def test_a_task_has_its_mean_over_the_seeds_rows_and_positives(dataset: Dataset) -> None:
    runs, labels = logits_of(dataset), dataset.labels("test")
    found = breakdown(dataset, AUC, {"a": runs})["a"].tasks
    for i, task in enumerate(dataset.schema.tasks):
        expected = np.mean([auc(labels[:, i], x[:, i]) for x in runs])
        part = found[task.name]
        assert part.value == pytest.approx(expected)
        assert part.interval.low < expected < part.interval.high
        assert part.rows == len(labels)
        assert part.positives == int(labels[:, i].sum())


def test_tasks_are_compared_on_the_same_rows(dataset: Dataset) -> None:
    weak, strong = logits_of(dataset, strength=0.2), logits_of(dataset, strength=2.0)
    found = breakdown(dataset, AUC, {"weak": weak, "strong": strong})
    labels = dataset.labels("test")[:, 1]
    columns = np.stack([x[:, 1] for x in (*weak, *strong)], axis=1)
    expected = sampling(AUC, labels, columns, dataset.groups("test")).difference([0, 1], [2, 3])
    versus = found["weak"].tasks["buy"].versus["strong"]
    assert (versus.value, versus.error) == pytest.approx(expected)
    cut = breakdown(dataset, AUC, {"a": weak[:1], "b": strong})
    assert cut["b"].tasks["buy"].versus == {}


def test_every_scenario_has_its_own_rows(dataset: Dataset) -> None:
    runs, labels = logits_of(dataset), dataset.labels("test")
    pages = synthetic_frame(3000, seed=0)[0]["page"].to_numpy()[-len(labels) :]
    found = breakdown(dataset, AUC, {"a": runs})["a"].scenarios
    assert sorted(found) == sorted(set(pages))
    assert [s.rows for s in found.values()] == sorted(s.rows for s in found.values())[::-1]
    for page, scores in found.items():
        mine = pages == page
        expected = np.mean([auc(labels[mine, 0], x[mine, 0]) for x in runs])
        assert scores.rows == mine.sum()
        assert scores.tasks["click"].value == pytest.approx(expected)


def opened(
    tmp_path, page: list[str] | None = None, clicks: dict[str, int] | None = None
) -> Dataset:
    """The synthetic table with other pages at its end, and with pages of one label."""
    frame, schema = synthetic_frame(1000, seed=1)
    frame = frame.sort("time")
    pages, click = frame["page"].to_list(), frame["click"].to_list()
    for i, value in enumerate(page or []):
        pages[-1 - i] = value
    for i, value in enumerate(pages):
        click[i] = (clicks or {}).get(value, click[i])
    columns = {"page": pages, "click": click}
    frame = frame.with_columns(**{k: pl.Series(v) for k, v in columns.items()})
    free = tuple(dataclasses.replace(task, of=None) for task in schema.tasks)
    return Dataset.open(frame, dataclasses.replace(schema, tasks=free), cache=tmp_path)


def test_scenarios_that_training_did_not_see_are_counted_together(tmp_path) -> None:
    data = opened(tmp_path, ["new", "newer", "new"])
    found = breakdown(data, AUC, {"a": logits_of(data)})["a"].scenarios
    assert found["not in training"].rows == 3


def test_what_is_not_defined_is_not_a_half(tmp_path) -> None:
    """A scenario with one row, and one in which every label is 1."""
    data = opened(tmp_path, ["alone"], {"home": 1})
    found = breakdown(data, AUC, {"a": logits_of(data)})["a"].scenarios
    assert found["not in training"].rows == 1
    for name in ("not in training", "home"):
        click = found[name].tasks["click"]
        assert click.value is None
        assert click.interval.low is None
    assert found["home"].tasks["click"].positives == found["home"].rows


def test_many_scenarios_end_in_one_line(dataset: Dataset, monkeypatch) -> None:
    monkeypatch.setattr("automlrank.finals.breakdown.MOST_SCENARIOS", 1)
    rows = scenario_rows(dataset)
    assert list(rows)[1:] == [REST]
    assert sum(mask.sum() for mask in rows.values()) == dataset.rows["test"]


def test_one_task_without_scenarios_has_no_parts(dataset: Dataset) -> None:
    schema = dataclasses.replace(dataset.schema, tasks=dataset.schema.tasks[:1], scenario=None)
    assert breakdown(dataclasses.replace(dataset, schema=schema), AUC, {}) == {}


def test_a_score_of_one_task_has_no_parts(dataset: Dataset) -> None:
    """The incumbent's, and one that some rows lack."""
    one = [logits_of(dataset)[0][:, :1]]
    partial = logits_of(dataset, seeds=1)
    partial[0][0] = np.nan
    assert breakdown(dataset, AUC, {"incumbent": one, "partial": partial}) == {}
