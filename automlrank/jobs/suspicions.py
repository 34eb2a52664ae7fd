"""What looks wrong in a table, before anything is trained: one sentence each, with a figure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from automlrank.data.check import is_list, is_plain, item_of
from automlrank.data.split import NAMES, Labels
from automlrank.data.values import Array, as_lists, as_seconds, as_text, unit_of
from automlrank.evaluate.metrics import auc
from automlrank.schema import Categorical, Feature, History, Numeric, Schema

PRIOR = 5.0  # rows at the mean rate, so that a value of one row is not certain
RANGES = 50
LAST_ITEMS = 20  # of a list; a row's mean hardly changes with more

# Single columns of kuairand for is_click: long_view, an outcome, has .851, then come video_id,
# author_id, music_id, duration_ms and user_id with .659 to .651; for is_like user_id has .756 and
# the next one .716. Census has twelve honest ones from .862 down to .755, no two neighbours more
# than .04 apart. So columns are suspect from .9 on, or from .75 on if the next best is .1 below;
# by such a gap at most a quarter of the columns are.
CERTAIN_AUC, SUSPECT_AUC, GAP, SUSPECT_SHARE = 0.9, 0.75, 0.1, 0.25
MIN_OUTCOME_ROWS, OUTCOME_RATE, COMMON_RATE = 30, 0.98, 0.9
UNIQUE_SHARE = 0.95  # as in inference
CONSTANT_SHARE = 0.999  # the most constant ones of kuairand and census have .995 and .990
UNSEEN_SHARE = 0.5  # kuairand, split by time: date .91, user_id .05 (.27 in the small sample)
COPIES_SHARE = 0.005  # kuairand .002, census .016
LONELY_SHARE = 0.5  # kuairand by user .34, its small sample .69
JUMP_ODDS, JUMP_ERRORS = 1.5, 5.0  # times the odds, and standard errors of the difference
LAST_SHARE, LAST_GAP = 0.9, 0.2
MIN_ROWS = 50  # fewer give no share worth saying
MIN_CLASS = 100  # the AUC's standard error is then .03
SENTINEL_SHARE = 0.001
SENTINELS = [-1, *(sign * (10**n - 1) for n in range(1, 10) for sign in (-1, 1) if n * sign != 1)]
ID_NAME = re.compile(r"(^|_)(id|ids|code|key|hash)$", re.IGNORECASE)
WHOLE_BELOW: dict[type[pl.DataType], int] = {pl.Float32: 2**24, pl.Float64: 2**53}  # a float's bits
FEW_VALUES = 100  # as in inference
SHOWN = 5  # columns in a sentence


def suspicions(
    frame: pl.DataFrame,
    schema: Schema,
    splits: Labels,
    *,
    set_aside: Sequence[str] = (),
    aucs: Mapping[str, float | None] | None = None,
    step: int = 1,
) -> list[str]:
    """One sentence for each thing that looks wrong: the columns, the figure, what to do.

    ``frame`` holds raw rows with their split, or every ``step``-th row of the table; then nothing
    is said about what such a sample distorts: ids that never repeat, values unseen in training,
    groups of one class. ``set_aside`` are columns of 0 and 1 that are no features; ``aucs`` those
    of single columns, where they are known already.
    """
    look = _Look(frame, schema, splits, tuple(set_aside), aucs)
    rules = [rule for rule in RULES if step == 1 or rule not in WHOLE_TABLE]
    return [sentence for rule in rules for sentence in rule(look)]


def column_auc(column: pl.Series, label: Array, is_train: Array, is_valid: Array) -> float | None:
    """The AUC on validation rows of one column alone: each value by its rate on training rows.

    ``(positives + prior * mean) / (rows + prior)`` for each value; of numbers also for each of 50
    ranges with equally many rows, and the better one counts; of a list the mean of its items', or
    the rate of its length where items cannot be compared. None where it is not defined.
    """
    known = np.isin(label, (0.0, 1.0))
    train, valid = is_train & known, is_valid & known
    if not train.any() or not valid.any():
        return None
    scores = (_score(key, label, train, valid) for key in _keys(column, train))
    found = [value for score in scores if not math.isnan(value := auc(label[valid], score))]
    return max(found, default=None)


def _keys(column: pl.Series, train: Array) -> list[pl.Series]:
    """What rates are of: the values, or their ranges; none where every row has the same."""
    kind = column.dtype
    if is_list(kind):
        lists = as_lists(column, None)
        item = item_of(kind)
        if item.is_float():
            return [_ranges(lists.list.mean(), train)]
        return [lists if is_plain(item) else lists.list.len()]
    if not is_plain(kind) or kind == pl.Null:
        return []
    if kind.is_temporal():
        column = column.to_physical()
    if kind.is_decimal():
        column = column.cast(pl.Float64)
    if column.dtype.is_float():
        column = column.fill_nan(None)
    if column.n_unique() == 1:
        return []
    return [column, _ranges(column, train)] if column.dtype.is_numeric() else [column]


def _ranges(column: pl.Series, train: Array) -> pl.Series:
    """The number of the range of each value; null stays null."""
    known = column.is_not_null().to_numpy()
    values = column.cast(pl.Float64).fill_null(0.0).to_numpy()
    ordered = np.sort(values[known & train])
    if not len(ordered):
        return pl.repeat(None, len(column), dtype=pl.Int64, eager=True)
    places = np.linspace(0, len(ordered) - 1, RANGES + 1).astype(np.int64)[1:-1]
    return pl.Series(np.searchsorted(ordered[places], values)).set(pl.Series(~known), None)


def _score(key: pl.Series, label: Array, train: Array, valid: Array) -> Array:
    """``[validation rows]``: the smoothed training rate of a row's value, or of its items."""
    mean = float(label[train].mean())
    rows = pl.DataFrame({"key": key, "y": label, "train": train, "valid": valid})
    rows = rows.filter(train | valid).with_row_index("row")
    if is_list(key.dtype):
        rows = rows.with_columns(pl.col("key").list.tail(LAST_ITEMS))
        rows = rows.explode("key", empty_as_null=True)
    rates = (
        rows.filter("train")
        .group_by("key")
        .agg(rate=(pl.col("y").sum() + PRIOR * mean) / (pl.len() + PRIOR))
    )
    scored = rows.filter("valid").join(rates, on="key", how="left", nulls_equal=True)
    score = scored.group_by("row").agg(pl.col("rate").fill_null(mean).mean()).sort("row")
    return score["rate"].to_numpy()


def labels_of(frame: pl.DataFrame, name: str) -> Array:
    """``[rows]`` float64, what is no finite number as NaN."""
    column = frame[name].cast(pl.Float64)
    numbers: Array = column.set(~column.is_finite().fill_null(False), math.nan).to_numpy()
    return numbers


def shown(name: str) -> str:
    """A column's name on one line."""
    return name if name.isprintable() else ascii(name)[1:-1]


@dataclass(frozen=True)
class _Look:
    """Rows, what they are, and what several rules ask for."""

    frame: pl.DataFrame
    schema: Schema
    splits: Labels
    set_aside: tuple[str, ...]
    known_aucs: Mapping[str, float | None] | None

    @cached_property
    def train(self) -> pl.DataFrame:
        return self.frame.filter(self.splits == 0)

    @cached_property
    def valid(self) -> pl.DataFrame:
        return self.frame.filter(self.splits == 1)

    @cached_property
    def label(self) -> Array:
        """The primary label, NaN where it is neither 0 nor 1."""
        label = labels_of(self.frame, self.schema.tasks[0].name)
        return np.where(np.isin(label, (0.0, 1.0)), label, math.nan)

    @cached_property
    def aucs(self) -> dict[str, float]:
        """The AUC of each feature and each column set aside, best first."""
        if self.schema.tasks[0].kind != "binary":
            return {}
        names = [*(feature.name for feature in self.schema.features), *self.set_aside]
        is_train, is_valid = self.splits == 0, self.splits == 1
        known = self.known_aucs
        found = {
            name: column_auc(self.frame[name], self.label, is_train, is_valid)
            if known is None
            else known.get(name)
            for name in names
        }
        kept = {name: value for name, value in found.items() if value is not None}
        return dict(sorted(kept.items(), key=lambda item: -item[1]))

    @cached_property
    def leaks(self) -> dict[str, float]:
        """The columns whose AUC is suspect; the rule and its figures stand above."""
        values = [*self.aucs.values(), 0.5]
        most = max(1, math.floor(SUSPECT_SHARE * len(self.aucs)))
        gaps = [
            n
            for n in range(1, min(most, len(self.aucs)) + 1)
            if values[n - 1] >= SUSPECT_AUC and values[n - 1] - values[n] >= GAP
        ]
        certain = sum(value >= CERTAIN_AUC for value in self.aucs.values())
        label = self.label[self.splits == 1]
        noise = 2 * _auc_error(min((label == 0).sum(), (label == 1).sum()))
        beyond_noise = sum(value - noise >= SUSPECT_AUC for value in self.aucs.values())
        return dict(list(self.aucs.items())[: min(beyond_noise, max([certain, *gaps]))])

    @cached_property
    def unique(self) -> dict[str, float]:
        """The distinct values of ids per training row, where they hardly ever repeat."""
        found = {}
        for feature in self.features(Categorical):
            column = self.train[feature.name].drop_nulls()
            if len(column) >= MIN_ROWS and column.n_unique() >= UNIQUE_SHARE * len(column):
                found[feature.name] = column.n_unique() / len(column)
        return found

    def features(self, *kinds: type[Feature]) -> Iterator[Feature]:
        """The features of these kinds."""
        return (feature for feature in self.schema.features if isinstance(feature, kinds))


def _leaks(look: _Look) -> Iterator[str]:
    if look.leaks:
        rest = [value for name, value in look.aucs.items() if name not in look.leaks]
        others = f"the best of the others has {rest[0]:.3f}" if rest else "there is no other"
        label = shown(look.schema.tasks[0].name)
        yield (
            f"{_list(look.leaks, 'AUC {:.3f}')}: alone predicts {label} suspiciously well "
            f"({others}). An outcome, or known only afterwards? Leave it out."
        )


def _outcomes(look: _Look) -> Iterator[str]:
    """Columns of 0 and 1 that are 1 hardly anywhere but where the label is 1."""
    label = look.label[look.splits == 0]
    known = label[~np.isnan(label)]
    if look.schema.tasks[0].kind != "binary" or not known.sum() <= COMMON_RATE * len(known):
        return
    names = [*(f.name for f in look.features(Categorical, Numeric)), *look.set_aside]
    rates = {name: _outcome_rate(look, name, label) for name in names if name not in look.leaks}
    found = {name: rate for name, rate in rates.items() if rate >= OUTCOME_RATE}
    if found:
        target = shown(look.schema.tasks[0].name)
        yield (
            f"{_list(found, '{:.1%}')}: where it is 1, {target} is 1 in that share of training "
            f"rows, against {known.mean():.1%} of all. It may be an outcome: leave it out."
        )


def _outcome_rate(look: _Look, name: str, label: Array) -> float:
    """The label's rate where a column of 0 and 1 is 1; 0 where it is no such column."""
    column = as_text(look.train[name])
    ones = (column == "1").fill_null(False).to_numpy() & ~np.isnan(label)
    if ones.sum() < MIN_OUTCOME_ROWS or not column.is_in(["0", "1"]).all():
        return 0.0
    return float(label[ones].mean())


def _unique_ids(look: _Look) -> Iterator[str]:
    if look.unique:
        yield (
            f"{_list(look.unique, '{:.0%}')}: distinct values per training row; such an id hardly "
            "ever repeats, so nothing is learnt for it. Leave it out."
        )


def _constants(look: _Look) -> Iterator[str]:
    found = {}
    for feature in look.features(Categorical, Numeric):
        counts = as_text(look.train[feature.name].alias("value")).value_counts(name="rows")
        most = counts["rows"].max()
        share = most / max(1, look.train.height) if isinstance(most, int) else 0.0
        if share >= CONSTANT_SHARE:
            found[feature.name] = share
    if found:
        yield (
            f"{_list(found, '{:.2%}')}: nearly constant: that share of training rows has one "
            "value. Leave it out, unless the rare rows matter."
        )


def _unseen(look: _Look) -> Iterator[str]:
    found = {}
    for feature in look.features(Categorical):
        values = as_text(look.valid[feature.name]).drop_nulls()
        if len(values) >= MIN_ROWS and feature.name not in look.unique:
            seen = as_text(look.train[feature.name]).unique()
            found[feature.name] = 1 - float(values.is_in(seen.implode()).mean() or 0)  # type: ignore[arg-type]
    found |= _out_of_range(look)
    found = {name: share for name, share in found.items() if share >= UNSEEN_SHARE}
    if found:
        yield (
            f"{_list(found, '{:.0%}')}: that share of validation rows has a value that no training "
            "row has. A date, or a count that grows? Leave it out, or split at random."
        )


def _out_of_range(look: _Look) -> dict[str, float]:
    """The share of validation rows beyond what a numeric column has in training."""
    found = {}
    for feature in look.features(Numeric):
        train, valid = (_known(rows[feature.name]) for rows in (look.train, look.valid))
        if len(train) and len(valid) >= MIN_ROWS:
            found[feature.name] = float(np.mean((valid < train.min()) | (valid > train.max())))
    return found


def _copies(look: _Look) -> Iterator[str]:
    """Rows that equal another in every column."""
    opaque = [name for name, kind in look.frame.schema.items() if kind == pl.Object]
    hashes = look.frame.drop(opaque).hash_rows(seed=0)
    train = hashes.filter(look.splits == 0)
    within = len(train) - train.n_unique()
    if within > COPIES_SHARE * len(train):
        yield (
            f"{within:,} training rows ({within / len(train):.1%}) are exact copies of others. "
            "Keep one of each, unless equal rows are separate events."
        )
    later = hashes.filter(look.splits != 0)
    across = int(later.is_in(train.unique().implode()).sum())
    if across > COPIES_SHARE * len(later):
        yield (
            f"{across:,} rows of valid and test ({across / len(later):.1%}) are exact copies of "
            "training rows, which flatters a model that remembers. Keep one of each, unless equal "
            "rows are separate events."
        )


def _lonely_groups(look: _Look) -> Iterator[str]:
    """Groups whose rows have one class count nothing in GAUC."""
    group, task = look.schema.group, look.schema.tasks[0]
    if group is None or task.kind != "binary" or look.valid.height < MIN_ROWS:
        return
    rows = pl.DataFrame({"group": as_text(look.valid[group]), "y": look.label[look.splits == 1]})
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


def _rates(look: _Look) -> Iterator[str]:
    """Labels whose rate jumps between splits, or that have hardly a row of one class."""
    for task in look.schema.tasks:
        if task.kind != "binary":
            continue
        label = labels_of(look.frame, task.name)
        parts = [label[(look.splits == k) & np.isin(label, (0, 1))] for k in range(len(NAMES))]
        jumps = [k for k in (1, 2) if _jump(parts[0], parts[k])]
        if jumps:
            rates = ", ".join(f"{NAMES[k]} {parts[k].mean():.1%}" for k in (0, *jumps))
            yield (
                f"{shown(task.name)} is positive in other shares: {rates}. Did logging or the "
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
                f"uncertain by {_auc_error(min(few.values())):.2f}. Use more rows."
            )


def _auc_error(rows: int) -> float:
    """The standard error of an AUC of one half with so many rows of the rarer class."""
    return 0.29 / math.sqrt(max(1, rows))  # sqrt(1 / 12 rows)


def _jump(first: Array, second: Array) -> bool:
    """Whether a rate differs by much more than noise, and by much."""
    if not len(first) or not len(second):
        return False
    rows = len(first) + len(second)
    a, b = ((part.sum() + 0.5) / (len(part) + 1) for part in (first, second))
    mean = (first.sum() + second.sum() + 0.5) / (rows + 1)
    error = math.sqrt(mean * (1 - mean) * (1 / len(first) + 1 / len(second)))
    odds = abs(math.log(a / (1 - a)) - math.log(b / (1 - b)))
    return bool(abs(a - b) > JUMP_ERRORS * error and odds > math.log(JUMP_ODDS))


def _future_behaviours(look: _Look) -> Iterator[str]:
    """Histories that hold what happened at the row's own time or later."""
    time = look.schema.time
    timed = {f.time: f for f in look.features(History) if isinstance(f, History) and f.time}
    for name, feature in timed.items() if time else ():
        lists = as_lists(look.frame[name], feature.separator)
        if lists.dtype.inner == pl.String:  # type: ignore[attr-defined]
            lists = lists.list.eval(pl.element().cast(pl.Float64, strict=False))
        last, now = _seconds(lists.list.max()), _seconds(look.frame[str(time)])
        known = ~np.isnan(last) & ~np.isnan(now)
        late = int((last >= now)[known].sum())
        if late:
            yield (
                f"{shown(feature.sequence)}: {late:,} of {known.sum():,} histories "
                f"({late / known.sum():.1%}) hold behaviours at or after the row's own time, by "
                f"{shown(name)}. Keep only earlier ones."
            )


def _seconds(times: pl.Series) -> Array:
    if times.dtype.is_float():
        times = times.set(~times.is_finite().fill_null(False), None)
    return as_seconds(times, unit_of(times))


def _answer_in_history(look: _Look) -> Iterator[str]:
    """Histories that end with the row's own candidate where the label is 1."""
    if look.schema.tasks[0].kind != "binary":
        return
    label = look.label[look.splits == 0]
    for feature in look.features(History):
        assert isinstance(feature, History)
        if not isinstance(look.schema.feature(feature.of), Categorical):
            continue
        last = as_lists(look.train[feature.name], feature.separator).list.last()
        same = as_text(last.alias("last")) == as_text(look.train[feature.of])
        known = same.is_not_null().to_numpy()
        equal = same.fill_null(False).to_numpy()
        positive, negative = (equal[known & (label == value)] for value in (1, 0))
        if len(positive) < MIN_ROWS:
            continue
        share, other = float(positive.mean()), float(negative.mean()) if len(negative) else 0.0
        if share >= LAST_SHARE and share - other >= LAST_GAP:
            yield (
                f"{shown(feature.name)} ends with the row's own {shown(feature.of)} in {share:.0%} "
                f"of the positive rows and {other:.0%} of the negative ones: it holds the answer. "
                "Keep only earlier behaviours."
            )


def _sentinels(look: _Look) -> Iterator[str]:
    found: dict[str, float] = {}
    for feature in look.features(Numeric):
        values = _known(look.train[feature.name])
        for code in {values.min(), values.max()} if len(values) else ():
            if (share := _sentinel_share(values, code)) >= SENTINEL_SHARE:
                found[f"{feature.name} = {code:g}"] = share
    if found:
        yield (
            f"{_list(found, '{:.1%}')}: that share of training rows holds what looks like a code "
            "for unknown, far from all other values. Make it null."
        )


def _sentinel_share(values: Array, code: float) -> float:
    """The share of an extreme that stands apart: -1 below 0, 999 and such twice the next."""
    others = values[values != code]
    if code not in SENTINELS or not len(others):
        return 0.0
    if code == -1:
        apart = others.min() >= 0
    else:
        apart = others.min() > code / 2 if code < 0 else others.max() < code / 2
    return 1 - len(others) / len(values) if apart else 0.0


def _float_ids(look: _Look) -> Iterator[str]:
    numbers: dict[str, float] = {}
    merged: dict[str, float] = {}
    for feature in look.features(Numeric, Categorical):
        column = look.frame[feature.name]
        if not column.dtype.is_numeric():
            continue
        values = _known(column)
        whole = len(values) > 0 and bool((values == np.round(values)).all())
        limit = WHOLE_BELOW.get(type(column.dtype))
        if limit and whole and np.abs(values).max() >= limit:
            merged[feature.name] = float(np.abs(values).max())
        elif isinstance(feature, Numeric) and whole and ID_NAME.search(feature.name):
            distinct = len(np.unique(values))
            if distinct > FEW_VALUES:
                numbers[feature.name] = distinct
    if merged:
        yield (
            f"{_list(merged, 'up to {:.3g}')}: ids stored as floats that are too large for them, "
            "so neighbours have become one. Store them as whole numbers or text."
        )
    if numbers:
        yield (
            f"{_list(numbers, '{:,.0f} distinct')}: whole numbers named like an id, but taken as "
            "amounts. Make it categorical."
        )


def _spellings(look: _Look) -> Iterator[str]:
    """Text that differs only by case or blanks around it."""
    found = {}
    for feature in look.features(Categorical):
        column = look.frame[feature.name]
        if column.dtype not in (pl.String, pl.Categorical, pl.Enum):
            continue
        values = as_text(column).drop_nulls().unique().sort().alias("value").to_frame()
        values = values.with_columns(form=pl.col("value").str.strip_chars().str.to_lowercase())
        twins = values.filter(pl.len().over("form") > 1).sort("form")
        if twins.height:
            first, second = (repr(value) for value in twins["value"].head(2))
            extra = twins.height - twins["form"].n_unique()
            found[feature.name] = f"{extra:,}, such as {first} and {second}"
    if found:
        yield (
            f"{_list(found, '{}')}: that many values differ from another only by case or by blanks "
            "around them. Make them one."
        )


def _known(column: pl.Series) -> Array:
    """The finite numbers of a column."""
    values: Array = column.cast(pl.Float64).drop_nulls().to_numpy()
    return values[np.isfinite(values)]


def _list(found: Mapping[str, object], form: str) -> str:
    """``a (0.91), b (0.90) and 12 more``."""
    named = [f"{shown(name)} ({form.format(value)})" for name, value in found.items()]
    rest = len(named) - SHOWN
    return ", ".join(named[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")


RULES: tuple[Callable[[_Look], Iterable[str]], ...] = (
    *(_leaks, _outcomes, _future_behaviours, _answer_in_history, _copies, _rates, _unseen),
    *(_unique_ids, _constants, _lonely_groups, _sentinels, _float_ids, _spellings),
)
WHOLE_TABLE = (_unseen, _unique_ids, _lonely_groups)  # a sample of rows overstates them
