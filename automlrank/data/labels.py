"""Labels, weights, groups and the incumbent's scores: their checks and their arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from automlrank.data.split import NAMES, Labels
from automlrank.data.values import Array, EncodingError, as_numbers, as_text
from automlrank.errors import DataError, Fault
from automlrank.schema import Schema, Task


def read_labels(frame: pl.DataFrame, schema: Schema, is_train: Array) -> Array:
    """``[rows, tasks]`` float32, null as NaN.

    Null becomes 0 for a binary task that is null just where its parent did not happen.
    Raises DataError with every label that is constant on the training rows, or not binary where its
    task is, or null anywhere where its task is the primary one.
    """
    faults = label_faults(frame, schema, is_train)
    if faults:
        raise DataError(faults.values())
    columns = [_numbers(frame[task.name]) for task in schema.tasks]
    return not_happened(np.stack(columns, axis=1).astype(np.float32), schema.binary_parents)


def label_faults(frame: pl.DataFrame, schema: Schema, is_train: Array) -> dict[str, Fault]:
    """The fault of each label that cannot be used, by task."""
    return {
        task.name: schema.fault(("tasks", task.name), problem)
        for position, task in enumerate(schema.tasks)
        if (problem := _problem(task, _numbers(frame[task.name]), is_train, primary=position == 0))
    }


def not_happened(labels: Array, parents: Sequence[int]) -> Array:
    """The labels ``[rows, tasks]`` with 0 for null where a task's parent is 0.

    Only of a task that is null there and nowhere else: such a null says that it could not happen.
    Any other says that the label is not known. A parent is the position of a task, or -1.
    """
    labels = labels.copy()
    for _ in parents:  # a parent may have been filled in itself
        for child, parent in enumerate(parents):
            null = np.isnan(labels[:, child])
            if parent >= 0 and (labels[null, parent] == 0).all():
                labels[null, child] = 0.0
    return labels


def label_rates(
    labels: Array, schema: Schema, splits: Labels
) -> dict[str, dict[str, float | None]]:
    """The mean of each label in each split, over the rows where it is known."""
    return {
        split: {task.name: _mean(labels[splits == k, i]) for i, task in enumerate(schema.tasks)}
        for k, split in enumerate(NAMES)
    }


def read_weight(frame: pl.DataFrame, name: str, is_train: Array) -> Array:
    """``[rows]`` float32; raises DataError for weights null or negative, or all 0 in training."""
    weights = _numbers(frame[name])
    wrong = np.flatnonzero(~(weights >= 0))
    if len(wrong):
        raise DataError(
            f"weights must be 0 or more, but column {name!r} has {weights[wrong[0]]} "
            f"in row {wrong[0] + 1}."
        )
    if not weights[is_train].any():
        raise DataError(f"the weights of column {name!r} are 0 in every training row.")
    return weights.astype(np.float32)


def read_incumbent(frame: pl.DataFrame, name: str, splits: Labels) -> Array:
    """``[rows]`` float64, null as NaN: whatever tells two rows apart in the scores must stay.

    Raises DataError where no row of valid, or of test, has a score.
    """
    scores = _numbers(frame[name])
    known = ~np.isnan(scores)
    faults = [
        Fault(f"the incumbent's score {name!r} is null in every row of the {split} split.")
        for k, split in enumerate(NAMES)
        if k and not known[splits == k].any()
    ]
    if faults:
        raise DataError(faults)
    return scores


def read_group(frame: pl.DataFrame, name: str) -> Array:
    """``[rows]`` int64: equal values have equal codes, 0 is null."""
    codes = as_text(frame[name]).rank("dense").cast(pl.Int64).fill_null(0)
    return codes.to_numpy()


def _numbers(column: pl.Series) -> Array:
    try:
        return as_numbers(column)
    except EncodingError as error:
        raise DataError(str(error)) from None


def _problem(task: Task, labels: Array, is_train: Array, primary: bool) -> str:
    unknown = np.isnan(labels)
    known = labels[~unknown]
    if primary and unknown.any():
        return (
            f"the primary label must be known in every row, but is null in "
            f"{unknown.sum():,} of {len(labels):,}."
        )
    if task.kind == "binary" and not np.isin(known, (0.0, 1.0)).all():
        others = np.setdiff1d(known, (0.0, 1.0))
        some = ", ".join(f"{value:g}" for value in others[:5])
        return f"a binary label must be 0 or 1, but holds {some}. Is it of kind: regression?"
    trained = labels[is_train & ~unknown]
    if not len(trained):
        return "the label is null in every training row."
    if trained.min() == trained.max():
        return f"the label is constant on the training rows: always {trained[0]:g}."
    return ""


def _mean(labels: Array) -> float | None:
    known = labels[~np.isnan(labels)]
    return float(known.mean(dtype=np.float64)) if len(known) else None
