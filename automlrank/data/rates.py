"""Statistics as features: smoothed target rates of ids and of pairs of ids, and their counts.

For an id seen ``n`` times in training with labels of sum ``s``, all labels' mean ``m``

    rate  = (s + prior * m) / (n + prior)
    value = log(rate / (1 - rate)) - log(m / (1 - m))       0 where nothing is known
    value = (rate - m) / d                                  of a regression task, d the deviation
    count = log((1 + n) / (1 + prior))                      0 where n is the prior's weight

A new row sees all training rows. A training row must not see its own label: by its form it sees
the rows of other folds, the rows before it, or those of the days before.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from automlrank.data.sums import Seen, earlier, out_of_fold, sums_by
from automlrank.data.times import as_seconds
from automlrank.data.values import Array, EncodingError

DAY = 86_400  # seconds
SHIFT = np.int64(2**31)  # ids are below it

Ids = Mapping[str, Array]  # [rows] int32 by column


@dataclass(frozen=True, eq=False)
class RateTable:
    """Counts and rates of the training rows by the ids of one column, or of two together."""

    columns: tuple[str, ...]
    request: bool
    keys: Array  # [keys] int64, sorted
    sums: Array  # [keys, tasks] float64: of labels
    rows: Array  # [keys, tasks] float64: with a label

    def seen(self, keys: Array) -> Seen:
        """Sums and rows ``[n, tasks]`` of keys; 0 of what was never seen."""
        if not len(self.keys):
            nothing = np.zeros((len(keys), self.sums.shape[1]))
            return nothing, nothing
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        known = (self.keys[at] == keys)[:, None]
        return np.where(known, self.sums[at], 0.0), np.where(known, self.rows[at], 0.0)


@dataclass(frozen=True, eq=False)
class Rates:
    """Fitted statistics: ``tasks + 1`` numbers each, the tasks' values and the first's count."""

    form: str
    prior: float
    means: Array  # [tasks] float64
    deviations: Array  # [tasks] float64, of a regression task's labels; NaN of a binary task's
    time: str | None = None
    """The column of when a row happened, for the earlier forms."""
    unit: str = "s"
    tables: tuple[RateTable, ...] = ()

    def shapes(self, rows: int) -> dict[str, tuple[int, int]]:
        """The shape of each array ``statistics:SIDE``; sides without a statistic have none."""
        width = len(self.means) + 1
        counts = {
            f"statistics:{side}": sum(table.request == request for table in self.tables)
            for side, request in (("request", True), ("item", False))
        }
        return {key: (rows, n * width) for key, n in counts.items() if n}

    def encode(self, ids: Ids) -> dict[str, Array]:
        """``statistics:SIDE [rows, n * (tasks + 1)]`` float32 of new rows."""
        rows = len(next(iter(ids.values())))
        out = {key: np.empty(shape, np.float32) for key, shape in self.shapes(rows).items()}
        self._fill(out, lambda table: table.seen(keys_of(ids, table.columns)))
        return out

    def encode_training(
        self, ids: Ids, labels: Array, times: pl.Series | None, out: Mapping[str, Array]
    ) -> None:
        """The same for the rows that were fitted, into ``out``; the earlier forms need times."""
        when = None if times is None else as_seconds(times, self.unit)
        self._fill(out, lambda table: self._unseen(keys_of(ids, table.columns), labels, when))

    def save(self, folder: str | Path) -> None:
        """Write ``rates.json`` and ``rates.npz`` into the folder."""
        tables = [{"columns": t.columns, "request": t.request} for t in self.tables]
        settings = {key: getattr(self, key) for key in ("form", "prior", "time", "unit")}
        document = {**settings, "tables": tables}
        text = json.dumps(document, indent=1, ensure_ascii=False)
        Path(folder, "rates.json").write_text(text, encoding="utf-8")
        arrays: dict[str, Any] = {"means": self.means, "deviations": self.deviations}
        for i, table in enumerate(self.tables):
            arrays |= {f"{key}{i}": getattr(table, key) for key in ("keys", "sums", "rows")}
        np.savez(Path(folder, "rates.npz"), **arrays)

    @classmethod
    def load(cls, folder: str | Path) -> Rates | None:
        """Read what ``save`` wrote; None where there is nothing."""
        path = Path(folder, "rates.json")
        if not path.exists():
            return None
        document = json.loads(path.read_text(encoding="utf-8"))
        saved = document.pop("tables")
        with np.load(Path(folder, "rates.npz"), allow_pickle=False) as arrays:
            tables = tuple(
                RateTable(
                    tuple(table["columns"]),
                    table["request"],
                    *(arrays[f"{key}{i}"] for key in ("keys", "sums", "rows")),
                )
                for i, table in enumerate(saved)
            )
            whole = {key: arrays[key] for key in ("means", "deviations")}
            return cls(**whole, tables=tables, **document)

    def _fill(self, out: Mapping[str, Array], seen: Callable[[RateTable], Seen]) -> None:
        """One table after the other: what a table needs on its way is many times its result."""
        width, at = len(self.means) + 1, dict.fromkeys(out, 0)
        for table in self.tables:
            key = f"statistics:{'request' if table.request else 'item'}"
            out[key][:, at[key] : at[key] + width] = self.numbers(*seen(table))
            at[key] += width

    def numbers(self, sums: Array, rows: Array) -> Array:
        """``[n, tasks + 1]`` float32: the tasks' values, and the first task's count."""
        rates = (sums + self.prior * self.means) / (rows + self.prior)
        values = (rates - self.means) / self.deviations
        binary = np.isnan(self.deviations)
        rate, mean = rates[:, binary], self.means[binary]
        values[:, binary] = np.log(rate / (1 - rate)) - np.log(mean / (1 - mean))
        counts = np.log((1 + rows[:, :1]) / (1 + self.prior))
        return np.concatenate([values, counts], axis=1).astype(np.float32)

    def _unseen(self, keys: Array, labels: Array, times: Array | None) -> Seen:
        """Sums and rows of what each training row may see, by the form."""
        if self.form == "out_of_fold":
            return out_of_fold(keys, labels)
        if times is None:
            raise EncodingError(f"statistics of {self.form} need the times of the rows.")
        return earlier(keys, labels, times if self.form == "earlier_rows" else times // DAY)


def fit_rates(
    statistics: Mapping[tuple[str, ...], bool],
    ids: Ids,
    labels: Array,
    *,
    form: str,
    prior: float,
    regression: Sequence[int] = (),
    time: str | None = None,
    unit: str = "s",
) -> Rates:
    """Rates of the training rows; ``statistics`` says of columns whether they are the request's.

    ``labels [rows, tasks]``, null as NaN; those of the tasks ``regression`` are no 0 and 1.
    """
    known = ~np.isnan(labels)
    means = np.nansum(labels, axis=0, dtype=np.float64) / np.maximum(known.sum(axis=0), 1)
    deviations = np.full(len(means), np.nan)
    deviations[list(regression)] = np.nanstd(labels[:, list(regression)], axis=0, dtype=np.float64)
    means = np.where(np.isnan(deviations), np.clip(means, 1e-6, 1 - 1e-6), means)
    rates = Rates(form, prior, means, deviations, time, unit)
    tables = []
    for columns, request in statistics.items():
        keys, codes = np.unique(keys_of(ids, columns), return_inverse=True)
        tables.append(RateTable(columns, request, keys, *sums_by(codes, labels, len(keys))))
    return dataclasses.replace(rates, tables=tuple(tables))


def keys_of(ids: Ids, columns: tuple[str, ...]) -> Array:
    """``[rows]`` int64: one number for the ids of the columns together."""
    first, *others = (ids[name].astype(np.int64) for name in columns)
    for other in others:
        first = first * SHIFT + other
    return first
