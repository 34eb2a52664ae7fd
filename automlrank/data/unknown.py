"""Values that an encoder does not know: their share in each column of new rows, and examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl

from automlrank.data.columns import BagColumn, HistoryColumn, IdColumn
from automlrank.data.forms import typed
from automlrank.data.transform import Encoder
from automlrank.data.values import NULL_ID, OOV_ID, Array, Ragged, as_text, flatten

UNKNOWN_SHARE = 0.5  # of a column's values; more are told
EXAMPLES = 3
Counts = dict[str, Array]  # [2] int64 by feature: unknown values, and all that are not null


def unknown_counts(encoder: Encoder, arrays: Mapping[str, Array | Ragged]) -> Counts:
    """The unknown values of each vocabulary's features, and all values that are not null."""
    found = encoder.ids_in(arrays)
    for column in encoder.columns:
        if isinstance(column, BagColumn | HistoryColumn):
            key = f"{'multi' if isinstance(column, BagColumn) else 'history'}:{column.name}"
            array = arrays[key]
            found[column.name] = array.values if isinstance(array, Ragged) else array
    return {
        column.name: np.array([(ids == OOV_ID).sum(), (ids > NULL_ID).sum()])
        for column in _id_columns(encoder)
        for ids in [found[column.name]]
    }


def shares_of(counts: Counts) -> dict[str, float]:
    """The share of unknown values of each feature."""
    return {name: int(unknown) / max(1, int(known)) for name, (unknown, known) in counts.items()}


def unknown_values(
    encoder: Encoder,
    frame: pl.DataFrame,
    arrays: Mapping[str, Array | Ragged],
    limit: float = UNKNOWN_SHARE,
) -> list[str]:
    """Return a sentence for each column with more than ``limit`` of its values unknown.

    ``arrays`` are the encoded rows of ``frame``. Values that were unknown among the training rows
    already, being too rare, do not count: of the others' share more than ``limit`` must be unknown.
    """
    found: dict[str, str] = {}
    shares = shares_of(unknown_counts(encoder, arrays))
    for column in _id_columns(encoder):
        share, before = shares[column.name], encoder.unknown.get(column.name, 0.0)
        if share - before > limit * (1 - before):
            values = ", ".join(f"{value!r:.60}" for value in _examples(encoder, column, frame))
            found[column.source] = (
                f"{column.source}: {share:.0%} of its values are unknown to the model, such as "
                f"{values} ({before:.0%} of the training rows' were)."
            )
    return list(found.values())


def _id_columns(encoder: Encoder) -> Iterator[IdColumn | BagColumn | HistoryColumn]:
    columns = [c for c in encoder.columns if isinstance(c, IdColumn | BagColumn | HistoryColumn)]
    return (column for column in columns if column.vocabulary in encoder.vocabularies)


def _examples(
    encoder: Encoder, column: IdColumn | BagColumn | HistoryColumn, frame: pl.DataFrame
) -> list[str]:
    """The most frequent unknown values."""
    values = typed(frame.select(pl.nth(frame.columns.index(column.source))), encoder.forms)
    series = values.to_series()
    if not isinstance(column, IdColumn):
        series = flatten(column.lists(series))[0]
    text = as_text(series).drop_nulls().alias("value")
    unknown = text.filter(~text.is_in(encoder.vocabularies[column.vocabulary].implode()))
    counted = unknown.value_counts(name="rows").sort(["rows", "value"], descending=[True, False])
    return counted["value"].head(EXAMPLES).to_list()
