"""Rules on labels: leaks, and the spread over splits, groups and copies."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl

from automlrank.audit.sample_view import (
    MIN_ROWS,
    SampleView,
    auc_error,
    labels_of,
    listed,
    shown,
)
from automlrank.data.check import columns_named
from automlrank.data.split import NAMES
from automlrank.data.values import Array, as_text
from automlrank.schema import CategoricalFeature, NumericFeature

MIN_OUTCOME_ROWS, OUTCOME_RATE, COMMON_RATE = 30, 0.98, 0.9
JUMP_ODDS, JUMP_ERRORS = 1.5, 5.0  # times the odds, and standard errors of the difference
MIN_CLASS = 100  # the AUC's standard error is then .03
LONELY_SHARE = 0.5  # kuairand by user .34, its small sample .69
COPIES_SHARE = 0.005  # kuairand .002, census .016


def leaks(view: SampleView) -> Iterator[str]:
    if view.leaks:
        rest = [value for name, value in view.figures.items() if name not in view.leaks]
        others = f"the best of the others has {rest[0]:.3f}" if rest else "there is no other"
        label = shown(view.schema.tasks[0].name)
        found = listed(view.leaks, f"{view.alone.label} {{:.3f}}")
        yield (
            f"{found}: alone predicts {label} suspiciously well "
            f"({others}). An outcome, or known only afterwards? Leave it out."
        )


def outcomes(view: SampleView) -> Iterator[str]:
    """Yield the columns of 0 and 1 that are hardly ever 1 unless the label is 1."""
    label = view.label[view.splits == 0]
    known = label[~np.isnan(label)]
    if view.schema.tasks[0].kind != "binary" or not known.sum() <= COMMON_RATE * len(known):
        return
    names = [
        *(f.source for f in view.features(CategoricalFeature, NumericFeature)),
        *view.set_aside,
    ]
    rates = {name: _outcome_rate(view, name, label) for name in names if name not in view.leaks}
    found = {name: rate for name, rate in rates.items() if rate >= OUTCOME_RATE}
    if found:
        target = shown(view.schema.tasks[0].name)
        yield (
            f"{listed(found, '{:.1%}')}: where it is 1, {target} is 1 in that share of training "
            f"rows, against {known.mean():.1%} of all. It may be an outcome: leave it out."
        )


def _outcome_rate(view: SampleView, name: str, label: Array) -> float:
    """Return the label's rate in rows with a 1 in a column of 0 and 1; 0 for other columns."""
    column = as_text(view.train[name])
    ones = (column == "1").fill_null(False).to_numpy() & ~np.isnan(label)
    if ones.sum() < MIN_OUTCOME_ROWS or not column.is_in(["0", "1"]).all():
        return 0.0
    return float(label[ones].mean())


def orphans(view: SampleView) -> Iterator[str]:
    """Yield the tasks with positive rows whose parent task is not positive."""
    for task in view.schema.tasks:
        if task.of is None or task.kind != "binary" or {task.name, task.of} & view.refused:
            continue
        happened = labels_of(view.frame, task.name) == 1
        alone = happened & (labels_of(view.frame, task.of) != 1)
        if alone.any():
            yield (
                f"{shown(task.name)}: is 1 without {shown(task.of)} in {alone.sum():,} of "
                f"{happened.sum():,} rows looked at. Only the loss esmm counts them."
            )


def copies(view: SampleView) -> Iterator[str]:
    """Yield the number of rows that equal another in every column that the schema uses."""
    labels = {task.name for task in view.schema.tasks}
    unused = ("ignore", "incumbent")
    used = {name for path, name in columns_named(view.schema) if path[0] not in unused}
    if not used - labels:
        return
    hashes = pl.DataFrame(
        {
            "features": view.frame[sorted(used - labels)].hash_rows(seed=0),
            "labels": view.frame[sorted(used)].hash_rows(seed=0),
            "row": view.frame.hash_rows(seed=0),
        }
    )
    train, later = hashes.filter(view.splits == 0), hashes.filter(view.splits != 0)
    within = {name: train.height - train[name].n_unique() for name in hashes.columns}
    across = {name: int(later[name].is_in(train[name].implode()).sum()) for name in hashes.columns}
    remedy = "Keep one of each, unless equal rows are separate events."
    if within["labels"] > COPIES_SHARE * train.height:
        share = within["features"] / train.height
        rows = f"{within['features']:,} training rows ({share:.1%})"
        yield f"{rows} {_equal(view, within, 'others')}. {remedy}"
    if across["labels"] > COPIES_SHARE * later.height:
        share = across["features"] / later.height
        yield (
            f"{across['features']:,} rows of valid and test ({share:.1%}) "
            f"{_equal(view, across, 'training rows')}, which flatters a model that remembers. "
            f"{remedy}"
        )


def _equal(view: SampleView, rows: Mapping[str, int], others: str) -> str:
    """Return how far rows equal others: in all columns, in features and labels, or in features."""
    same, agree = rows["features"], rows["labels"]
    if same > agree:
        return (
            f"have the features of {others}: the labels of {agree:,} agree as well, "
            f"those of {same - agree:,} differ"
        )
    if view.whole and rows["row"] == agree:
        return f"are exact copies of {others}"
    return f"have the features and labels of {others}"


def lonely_groups(view: SampleView) -> Iterator[str]:
    """Yield the share of rows in groups of one class, which GAUC leaves out."""
    group, task = view.schema.group, view.schema.tasks[0]
    if group is None or task.kind != "binary" or view.valid.height < MIN_ROWS:
        return
    rows = pl.DataFrame({"group": as_text(view.valid[group]), "y": view.label[view.splits == 1]})
    rows = rows.filter(pl.col("y").is_not_nan())
    if rows.is_empty():
        return
    mixed = rows.select((pl.col("y").n_unique().over("group") > 1).mean()).item()
    if 1 - mixed >= LONELY_SHARE:
        yield (
            f"{1 - mixed:.0%} of the validation rows lie in groups of {shown(group)} with one "
            f"class of {shown(task.name)}: GAUC leaves them out. Group by something coarser, or "
            "search for AUC."
        )


def rates(view: SampleView) -> Iterator[str]:
    """Yield the labels whose rate jumps between splits, or with few rows of one class."""
    for task in view.schema.tasks:
        if task.kind != "binary" or task.name in view.refused:
            continue
        label = labels_of(view.frame, task.name)
        parts = [label[(view.splits == k) & np.isin(label, (0, 1))] for k in range(len(NAMES))]
        jumps = [k for k in (1, 2) if _jump(parts[0], parts[k])]
        if jumps:
            rates = ", ".join(f"{NAMES[k]} {parts[k].mean():.1%}" for k in (0, *jumps))
            yield (
                f"{shown(task.name)}: the label rate differs by split: {rates}. Did logging or the "
                "traffic change, or is the label not known yet at the end? Move the split."
            )
        few = {
            NAMES[k]: min(int(part.sum()), int(len(part) - part.sum()))
            for k, part in enumerate(parts)
        }
        few = {name: rows for name, rows in few.items() if rows < MIN_CLASS}
        if few:
            text = ", ".join(f"{name} {rows:,}" for name, rows in few.items())
            yield (
                f"{shown(task.name)} has few rows of its rarer class ({text}): the AUC is then "
                f"uncertain by {auc_error(min(few.values())):.2f}. Use more rows."
            )


def _jump(first: Array, second: Array) -> bool:
    """Return True if two rates differ significantly and by a factor that matters."""
    if not len(first) or not len(second):
        return False
    rows = len(first) + len(second)
    a, b = ((part.sum() + 0.5) / (len(part) + 1) for part in (first, second))
    mean = (first.sum() + second.sum() + 0.5) / (rows + 1)
    error = math.sqrt(mean * (1 - mean) * (1 / len(first) + 1 / len(second)))
    odds = abs(math.log(a / (1 - a)) - math.log(b / (1 - b)))
    return bool(abs(a - b) > JUMP_ERRORS * error and odds > math.log(JUMP_ODDS))
