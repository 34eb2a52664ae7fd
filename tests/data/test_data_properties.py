"""Laws of the whole way from a table to its arrays, for random tables and random schemas."""

from __future__ import annotations

import dataclasses
import itertools
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from unittest import mock

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from automlrank.data import read, table
from automlrank.data.columns import BagColumn, HistoryColumn, IdColumn, NumberColumn
from automlrank.data.dataset import Dataset
from automlrank.data.forms import typed
from automlrank.data.split import NAMES
from automlrank.data.values import FIRST_ID, NULL_ID, OOV_ID, Ragged, as_text, flatten
from automlrank.errors import UsageError
from automlrank.schema import (
    NO_STATISTICS,
    CategoricalFeature,
    HistoryFeature,
    MultiFeature,
    NumericFeature,
    Schema,
    Split,
    TargetStatistics,
    Task,
    VectorFeature,
)

EXAMPLES = 30
SLOW = settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
ODD = ['say "x"', "two\nlines", "a,b", "\N{ROCKET}", "</script>", "", " ", "7", "007", "7.0",
       "true", "nan", "\\", "'", "x" * 300, "a b", "a_b", "A B", "\ta"]  # fmt: skip
TEXT = st.one_of(
    st.sampled_from(ODD), st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
)
FLOATS = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, 7.0, float("nan"), 0.1, 1e6]),
    st.floats(-1e6, 1e6, width=32, allow_subnormal=False),
)
INTS = st.one_of(st.integers(-3, 9), st.integers(-(2**63), 2**63 - 1))
DAYS = st.integers(0, 40_000).map(lambda days: date(1970, 1, 1) + timedelta(days=days))
PLAIN = {
    "i": (INTS, pl.Int64()),
    "b": (st.booleans(), pl.Boolean()),
    "f": (FLOATS, pl.Float64()),
    "s": (TEXT, pl.String()),
    "s2": (TEXT, pl.String()),
    "d": (DAYS, pl.Date()),
}
LONGEST = 4  # of a list


@dataclass(frozen=True)
class TableCase:
    """A table with a column of splits, another whose other splits' rows differ, and a schema."""

    frame: pl.DataFrame
    other: pl.DataFrame
    schema: Schema


@st.composite
def cases(draw: st.DrawFn, plain_only: bool = False) -> TableCase:
    """Every column draws from a few values; a schema of some of them."""
    rows = draw(st.integers(12, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    split = np.array([*NAMES, "train"])[rng.integers(4, size=rows)]
    split[:8] = [*NAMES, *["train"] * 5]
    label = rng.integers(2, size=rows)
    label[3:5] = 0, 1  # both, in training rows
    unknown = (rng.random(rows) < 0.2) & (np.arange(rows) > 4)
    outcomes = {
        "y": label,
        "z": pl.Series(label * 1.0).set(pl.Series(unknown), None),
        "w": rng.random(rows) + 0.5,
        "g": rng.integers(5, size=rows),
        "t": 1_700_000_000 + 40_000 * rng.integers(rows, size=rows),
        "split": split,
    }
    size = draw(st.integers(1, 3))
    pools = [{k: draw(pool(values)) for k, (values, _) in PLAIN.items()} for _ in range(2)]
    tables = []
    for pool_of in pools:
        features = {
            name: pl.Series(name, chosen(rng, pool_of[name], rows), kind)
            for name, (_, kind) in PLAIN.items()
        }
        features |= lists(rng, pool_of, rows, size)
        tables.append(pl.DataFrame({**outcomes, **features}))
    frame, fresh = tables
    is_train = pl.Series(split) == "train"
    named = [name for name in fresh.columns if name not in outcomes]
    other = frame.with_columns(
        pl.when(is_train).then(pl.col(name)).otherwise(fresh[name]).alias(name) for name in named
    )
    schema = draw(schemas(plain_only))
    return TableCase(frame, other, schema)


def pool(values: st.SearchStrategy[object]) -> st.SearchStrategy[list[object]]:
    return st.lists(st.one_of(values, values, st.none()), min_size=1, max_size=6)


def chosen(rng: np.random.Generator, values: list[object], rows: int) -> list[object]:
    return [values[i] for i in rng.integers(len(values), size=rows)]


def lists(
    rng: np.random.Generator, pools: dict[str, list[object]], rows: int, size: int
) -> dict[str, pl.Series]:
    """Lists of ints and of text, a vector, and a sequence of two histories and their times."""

    def of(name: str, lengths: object) -> pl.Series:
        items = [chosen(rng, pools[name], int(n)) for n in lengths]  # type: ignore[attr-defined]
        return pl.Series(items, dtype=pl.List(PLAIN[name][1]))

    some, sequence = (rng.integers(LONGEST + 1, size=rows) for _ in range(2))
    nulls = pl.Series(rng.random(rows) < 0.2)
    vector = pl.Series(
        [list(row) for row in rng.normal(size=(rows, size))], dtype=pl.List(pl.Float64)
    )
    times = [sorted(1_600_000_000 + rng.integers(10**8, size=int(n))) for n in sequence]
    return {
        "li": none_where(of("i", some), nulls),
        "ls": of("s", some),
        "v": none_where(vector, nulls & (pl.int_range(rows, eager=True) > 8)),
        "history_s": of("s", sequence),
        "history_i": of("i", sequence),
        "history_t": pl.Series(times, dtype=pl.List(pl.Int64)),
    }  # fmt: skip


def none_where(values: pl.Series, mask: pl.Series) -> pl.Series:
    frame = pl.DataFrame({"values": values, "mask": mask})
    return frame.select(pl.when(~pl.col("mask")).then("values")).to_series()


@st.composite
def schemas(draw: st.DrawFn, plain_only: bool) -> Schema:
    """A schema of some of the columns, with every kind and transform."""
    sides = st.sampled_from(["user", "request", "item"])
    buckets = st.sampled_from([None, None, 1, 5])
    ids = [
        CategoricalFeature(
            name,
            side=draw(sides),
            min_count=draw(st.integers(1, 3)),
            buckets=draw(buckets),
        )
        for name in ("i", "b", "s", "d")
        if name == "s" or draw(st.booleans())
    ]
    features: list[object] = list(ids)
    names = [feature.name for feature in ids]
    if draw(st.booleans()):
        features.append(CategoricalFeature("s2", side=draw(sides), shared_with="s"))
        names.append("s2")
    if draw(st.booleans()):
        transform = draw(st.sampled_from(["standard", "log", "quantile", "bucket", "none"]))
        numeric = NumericFeature(
            "f", draw(sides), transform=transform, buckets=draw(st.integers(1, 4))
        )
        features.append(numeric)
        names += ["f"] * (transform == "bucket")
    if not plain_only:
        features += draw(list_features("i" in names))
    crosses = tuple((a, b) for a, b in itertools.pairwise(names) if draw(st.booleans()))
    forms = st.sampled_from(["out_of_fold", "earlier_rows", "earlier_days"])
    has_rates = draw(st.booleans())
    statistics = TargetStatistics(tuple(names[:2]), draw(forms)) if has_rates else NO_STATISTICS
    tasks = (Task("y"), Task("z"))[: draw(st.integers(1, 2))]
    return Schema(
        tasks,
        tuple(features),  # type: ignore[arg-type]
        crosses if has_rates else (),
        statistics,
        weight=draw(st.sampled_from([None, "w"])),
        time="t",
        split=Split("column", "split"),
    )


@st.composite
def list_features(draw: st.DrawFn, with_i: bool) -> list[object]:
    length = draw(st.integers(1, 3))
    found: list[object] = []
    if draw(st.booleans()):
        pooling = draw(st.sampled_from(["mean", "sum"]))
        found.append(
            MultiFeature("li", pool=pooling, max_length=length, min_count=draw(st.integers(1, 2)))
        )
    if draw(st.booleans()):
        own = {"buckets": 3} if draw(st.booleans()) else {"shared_with": "s"}
        found.append(MultiFeature("ls", side="user", **own))  # type: ignore[arg-type]
    if draw(st.booleans()):
        found.append(VectorFeature("v"))
    if draw(st.booleans()):
        time = draw(st.sampled_from([None, "history_t"]))
        found.append(HistoryFeature("history_s", "s", "q", max_length=length, time=time))
        if with_i:
            found.append(HistoryFeature("history_i", "i", "q", max_length=length))
    return found


@contextmanager
def opened(source: read.Data, schema: Schema) -> Iterator[Dataset]:
    with tempfile.TemporaryDirectory() as cache:
        yield Dataset.open(source, schema, cache=cache)


def arrays_of(dataset: Dataset, split: str) -> dict[str, np.ndarray]:
    batch = dataset.take(split, np.arange(dataset.rows[split]))
    return {key: value.numpy() for key, value in batch.items()}


def assert_equal_arrays(one: Dataset, other: Dataset) -> None:
    for split in NAMES:
        ours, theirs = arrays_of(one, split), arrays_of(other, split)
        assert ours.keys() == theirs.keys()
        for key, array in ours.items():
            np.testing.assert_array_equal(array, theirs[key], err_msg=f"{split} {key}")


def assert_close(array: np.ndarray, other: np.ndarray, place: str) -> None:
    """Ids exactly; numbers but for the rounding of a mean."""
    rtol, atol = (1e-5, 1e-6) if array.dtype == np.float32 else (0.0, 0.0)
    np.testing.assert_allclose(array, other, rtol=rtol, atol=atol, err_msg=place)


def assert_equal_fits(one: Dataset, other: Dataset, rtol: float = 0.0) -> None:
    ours, theirs = one.encoder, other.encoder
    assert ours.buckets == theirs.buckets
    for name, values in ours.vocabularies.items():
        assert values.to_list() == theirs.vocabularies[name].to_list()
    for a, b in zip(ours.columns, theirs.columns, strict=True):
        if isinstance(a, NumberColumn):
            assert isinstance(b, NumberColumn)
            size = 1 / a.scale if a.scale else 1.0  # a mean may be 0 but for rounding
            assert b.mean == pytest.approx(a.mean, rel=rtol, abs=rtol * size)
            assert b.scale == pytest.approx(a.scale, rel=rtol, abs=0)
            a, b = (dataclasses.replace(x, mean=0.0, scale=1.0) for x in (a, b))
        assert a == b
    if ours.rates:
        assert theirs.rates is not None
        np.testing.assert_array_equal(ours.rates.means, theirs.rates.means)
        for table, same in zip(ours.rates.tables, theirs.rates.tables, strict=True):
            for key in ("keys", "sums", "rows"):
                np.testing.assert_array_equal(getattr(table, key), getattr(same, key))


@SLOW
@given(cases())
def test_ids_map_back_to_their_values(case: TableCase) -> None:
    """decode(encode(x)) is x's text where the vocabulary has it; null is 1, the rest is 2."""
    with opened(case.frame, case.schema) as dataset:
        encoder = dataset.encoder
        frame = typed(case.frame, encoder.forms)
        for split in NAMES:
            rows = frame.filter(pl.col("split") == split)
            stored = dataset.store.splits[split]
            for name, ids in encoder.ids_in(stored).items():
                column = next(c for c in encoder.columns if c.name == name)
                if isinstance(column, IdColumn) and column.vocabulary in encoder.vocabularies:
                    assert_maps_back(dataset, column.vocabulary, as_text(rows[name]), ids)
            for column in encoder.columns:
                if isinstance(column, BagColumn | HistoryColumn):
                    key = f"{'multi' if column.kind == 'bag' else 'history'}:{column.name}"
                    ragged = stored[key]
                    assert isinstance(ragged, Ragged)
                    assert_lists_map_back(dataset, column, rows[column.name], ragged)


def assert_maps_back(dataset: Dataset, name: str, text: pl.Series, ids: np.ndarray) -> None:
    vocabulary = set(dataset.encoder.vocabularies[name])
    for value, back, number in zip(text, dataset.encoder.decode(name, ids), ids, strict=True):
        assert number == NULL_ID if value is None else number != NULL_ID
        assert back == (value if value in vocabulary else None)
        assert (number >= FIRST_ID) == (back is not None)
        assert back is not None or number in (NULL_ID, OOV_ID)


def assert_lists_map_back(
    dataset: Dataset, column: BagColumn | HistoryColumn, values: pl.Series, ragged: Ragged
) -> None:
    flat, starts = flatten(column.lists(values))
    lengths, stored = np.diff(starts), np.diff(ragged.starts)
    is_bag = isinstance(column, BagColumn)
    np.testing.assert_array_equal(stored, np.maximum(lengths, 1) if is_bag else lengths)
    held = np.repeat(lengths > 0, stored)  # but for the null id of an empty bag
    assert (ragged.values[~held] == NULL_ID).all()
    if column.vocabulary in dataset.encoder.vocabularies:
        assert_maps_back(dataset, column.vocabulary, as_text(flat), ragged.values[held])


@SLOW
@given(cases())
def test_what_is_fitted_never_sees_other_splits(case: TableCase) -> None:
    """Other values in the rows of valid and test change no column, vocabulary or rate."""
    with opened(case.frame, case.schema) as one, opened(case.other, case.schema) as other:
        assert_equal_fits(one, other)
        ours, theirs = (arrays_of(dataset, "train") for dataset in (one, other))
        for key, array in ours.items():
            np.testing.assert_array_equal(array, theirs[key], err_msg=key)


@SLOW
@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(case: TableCase, random: object) -> None:
    """Shuffled rows are the same rows shuffled; folds go by position, and so do their rates."""
    order = list(range(case.frame.height))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = case.frame[order]
    with opened(case.frame, case.schema) as one, opened(shuffled, case.schema) as other:
        assert_equal_fits(one, other, rtol=1e-9)
        assert case.schema.statistics is not None
        folds = case.schema.statistics.form == "out_of_fold"
        for split in NAMES:
            was = np.flatnonzero(case.frame["split"].to_numpy() == split)
            now = np.array(order)[shuffled["split"].to_numpy() == split]
            ours, theirs = arrays_of(one, split), arrays_of(other, split)
            for key, array in ours.items():
                if folds and split == "train" and key.startswith("statistics:"):
                    continue
                same = array[np.searchsorted(was, now)]
                assert_close(theirs[key], same, f"{split} {key}")


@SLOW
@given(cases())
def test_small_chunks_give_the_arrays_of_one_chunk(case: TableCase) -> None:
    """Seven rows at a time; moments may differ in their last digits."""
    small = mock.patch.object(table, "CHUNK_ROWS", 7)
    with opened(case.frame, case.schema) as one, small, opened(case.frame, case.schema) as other:
        assert_equal_fits(one, other, rtol=1e-9)
        for split in NAMES:
            ours, theirs = arrays_of(one, split), arrays_of(other, split)
            for key, array in ours.items():
                assert_close(theirs[key], array, f"{split} {key}")


@SLOW
@given(cases(), st.sampled_from(["column", "random", "group", "time"]))
def test_parquet_and_frame_give_the_same_arrays(case: TableCase, by: str) -> None:
    """Under every split, which may be refused: then both are."""
    split = {
        "column": case.schema.split,
        "random": Split("random", valid=0.3, test=0.3),
        "group": Split("group", "g", valid=0.3, test=0.3),
        "time": Split("time", "t", valid=0.3, test=0.3),
    }[by]
    schema = dataclasses.replace(case.schema, split=split)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t.parquet")
        case.frame.write_parquet(path)
        ended = [fault_of(source, schema) for source in (case.frame, path)]
        assert ended[0] == ended[1]
        if ended[0] is None:
            with opened(case.frame, schema) as one, opened(path, schema) as other:
                assert_equal_fits(one, other)
                assert_equal_arrays(one, other)


def fault_of(source: read.Data, schema: Schema) -> str | None:
    """What is wrong with a table, or None."""
    try:
        with opened(source, schema):
            return None
    except UsageError as error:
        return str(error)


@SLOW
@given(cases(plain_only=True))
def test_csv_and_parquet_give_the_same_arrays(case: TableCase) -> None:
    """Where the text column says that it is text: one of its values is no number."""
    named = ["y", "z", "w", "g", "t", "split", *PLAIN]
    first = pl.int_range(pl.len()) == 0
    frame = case.frame.select(named).with_columns(
        pl.when(first).then(pl.lit("text")).otherwise(pl.col(name)).alias(name)
        for name in ("s", "s2")
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t.csv")
        frame.write_csv(path)
        with opened(frame, case.schema) as one, opened(path, case.schema) as other:
            assert_equal_fits(one, other)
            assert_equal_arrays(one, other)


@SLOW
@given(
    st.lists(st.one_of(st.none(), st.floats()), min_size=12, max_size=30),
    st.sampled_from(["standard", "log", "quantile", "bucket", "none"]),
)
def test_any_numbers_become_finite_numbers_or_are_refused(
    values: list[float | None], transform: str
) -> None:
    """Subnormal, huge, infinite: without a warning; NaN stands for null alone."""
    labels = [i % 2 for i in range(len(values))]
    frame = pl.DataFrame({"y": labels, "f": pl.Series(values, dtype=pl.Float64)})
    schema = Schema(
        (Task("y"),),
        (NumericFeature("f", transform=transform),),  # type: ignore[arg-type]
        split=Split("random", valid=0.2, test=0.2),
    )
    fault = fault_of(frame, schema)
    if fault is not None:
        assert re.search(r"column 'f' must be (finite|at most 3.4e\+38), but is", fault)
        return
    with opened(frame, schema) as dataset:
        arrays = [arrays_of(dataset, split) for split in NAMES]
    numbers = np.concatenate([array["numbers:item"].ravel() for array in arrays])
    assert not np.isinf(numbers).any()
    known = frame["f"].fill_nan(None).drop_nulls()
    assert transform == "bucket" or np.isnan(numbers).sum() == len(values) - len(known)
