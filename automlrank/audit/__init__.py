"""Suspicions about a table, found before training: one sentence each, with a figure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import polars as pl

from automlrank.audit.frames import in_seconds
from automlrank.audit.frames import with_lists as with_lists
from automlrank.audit.histories import (
    answer_in_history,
    future_behaviours,
    split_at_random,
)
from automlrank.audit.labels import (
    copies,
    leaks,
    lonely_groups,
    orphans,
    outcomes,
    rates,
)
from automlrank.audit.sample_view import ALONE as ALONE
from automlrank.audit.sample_view import SampleView
from automlrank.audit.sample_view import column_figure as column_figure
from automlrank.audit.sample_view import labels_of as labels_of
from automlrank.audit.sample_view import shown as shown
from automlrank.audit.values import (
    constants,
    float_ids,
    sentinels,
    spellings,
    unique_ids,
    unseen,
)
from automlrank.data.split import Labels
from automlrank.data.unknown import UNKNOWN_SHARE
from automlrank.schema import Schema

RULES: tuple[Callable[[SampleView], Iterable[str]], ...] = (
    *(leaks, outcomes, split_at_random, future_behaviours, answer_in_history, copies, rates),
    *(unseen, unique_ids, constants, lonely_groups, sentinels, float_ids, spellings, orphans),
)
WHOLE_TABLE = (unseen, unique_ids, lonely_groups)  # a sample of rows overstates them
OF_LABEL = (leaks, outcomes, answer_in_history, lonely_groups)  # the primary one


def suspicions(
    frame: pl.DataFrame,
    schema: Schema,
    splits: Labels,
    *,
    set_aside: Sequence[str] = (),
    figures: Mapping[str, float | None] | None = None,
    step: int = 1,
    whole: bool = True,
    refused: Collection[str] = (),
    unknown: Sequence[str] | None = None,
    max_unknown: float = UNKNOWN_SHARE,
) -> list[str]:
    """Return one sentence for each suspicion: the columns, the figure, the remedy.

    ``frame`` holds raw rows with their split, or every ``step``-th row of the table. A sample
    distorts some figures, and then their rules are left out: ids that never repeat, values unseen
    in training, groups of one class. ``set_aside`` are columns of 0 and 1 that are not features;
    ``figures`` are those of single columns, if they are known already. The frame has all columns
    of the table, unless ``whole`` is false. ``refused`` are tasks whose labels cannot be used: no
    rule reads them.
    """
    rows, aside = in_seconds(frame), tuple(set_aside)
    view = SampleView(rows, schema, splits, aside, figures, whole, frozenset(refused))
    unfit = (WHOLE_TABLE if step > 1 else ()) + (
        OF_LABEL if schema.tasks[0].name in refused else ()
    )
    rules = [rule for rule in RULES if rule not in unfit]
    if unknown is not None and unseen in unfit:
        return [*unknown, *(sentence for rule in rules for sentence in rule(view))]
    return [sentence for rule in rules for sentence in rule(view)]
