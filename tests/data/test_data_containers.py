"""One table in many containers: whichever an encoder was fitted on, it gives one array for all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from automlrank.data.dataset import Dataset
from automlrank.data.read import open_table
from automlrank.data.values import EncodingError, Ragged
from automlrank.schema import CategoricalFeature, Schema, read_schema

ROWS = 160
FIRST = dt.datetime(2024, 1, 1)
LISTS = ("tags", "history")
TEXTS = ("code", "word")  # in which no marker is null
SCHEMA = read_schema(
    {
        "tasks": {"click": None},
        "features": {
            "user": {"kind": "categorical", "side": "user"},
            "price": {"kind": "numeric"},
            "price_id": {"kind": "categorical", "column": "price"},
            **{
                name: {"kind": "categorical"}
                for name in ("flag", "day", "moment", "amount", "large", "code", "word")
            },
            "paid": {"kind": "numeric", "column": "amount"},
            "stay": {"kind": "numeric", "transform": "bucket", "buckets": 5},
            "tags": {"kind": "multi", "separator": "|"},
            "history": {"kind": "history", "of": "user", "separator": "|"},
        },
        "split": {"by": "time", "column": "moment", "valid": 0.2, "test": 0.2},
        "statistics": "none",
    }
)


def plain_table() -> pl.DataFrame:
    """Values of every kind, each with nulls, in the types that hold them best."""
    rng = np.random.default_rng(0)

    def some(values: pl.Series, at: int) -> pl.Series:
        return values.set(pl.Series(np.arange(ROWS) % 17 == at), None)

    def numbers(low: int, high: int) -> list[int]:
        return rng.integers(low, high, ROWS).tolist()

    lists = [numbers(1000, 1040)[: n % 4] for n in range(ROWS)]
    return pl.DataFrame(
        {
            "click": numbers(0, 2),
            "user": some(pl.Series(numbers(1000, 1040)), 1),
            "price": some(pl.Series(np.round(np.exp(rng.normal(3, 1, ROWS)), 2)), 2),
            "flag": some(pl.Series(numbers(0, 2)).cast(pl.Boolean), 3),
            "day": some(pl.Series([FIRST + dt.timedelta(n) for n in numbers(0, 30)]), 4),
            "moment": pl.Series([FIRST + dt.timedelta(minutes=n) for n in numbers(0, 30_000)]),
            "amount": some(pl.Series(numbers(10, 900)).cast(pl.Decimal(9, 2)) / 4, 5),
            "large": pl.Series([10**17 + n for n in numbers(0, 20)]),
            "code": some(pl.Series([f"{n:03}" for n in numbers(0, 30)]), 6),
            "word": some(pl.Series([f"word {n}" for n in numbers(0, 9)]), 7),
            "stay": some(pl.Series([dt.timedelta(seconds=n) for n in numbers(0, 9000)]), 8),
            "tags": [[f"t{n % 9}" for n in of] for of in lists],
            "history": lists,
        }
    ).with_columns(pl.col("day").cast(pl.Date))


FRAME = plain_table()


def joined(frame: pl.DataFrame) -> pl.DataFrame:
    """Lists as text."""
    return frame.with_columns(pl.col(*LISTS).cast(pl.List(pl.String)).list.join("|"))


def texts(null: str | None = None, between: str = " ") -> pl.DataFrame:
    """Every value as text, as a CSV file holds them."""
    stays = [stay if stay is None else str(stay) for stay in FRAME["stay"]]
    frame = joined(FRAME).with_columns(
        pl.Series("stay", stays),
        pl.col("flag").cast(pl.String).str.to_titlecase(),
        pl.col("moment").dt.strftime(f"%Y-%m-%d{between}%H:%M:%S"),
    )
    frame = frame.with_columns(pl.all().cast(pl.String))
    return frame if null is None else frame.with_columns(pl.exclude(*TEXTS).fill_null(null))


def retyped(**kinds: Any) -> pl.DataFrame:
    return FRAME.with_columns(pl.col(name).cast(kind) for name, kind in kinds.items())


def as_csv(frame: pl.DataFrame, **options: Any) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        frame.write_csv(folder / "t.csv", **options)
        return folder / "t.csv"

    return write


def in_parts(folder: Path) -> Path:
    """Files of unlike types."""
    third = texts().with_columns(FRAME[name] for name in LISTS)
    unlike = (FRAME, retyped(user=pl.Float64, flag=pl.Int8, price=pl.Decimal(12, 4)), third)
    for number, frame in enumerate(unlike):
        frame[50 * number :][: 50 if number < 2 else ROWS].write_parquet(
            folder / f"{number}.parquet"
        )
    return folder


def from_pandas(folder: Path) -> Path:
    """As pandas writes it: floats for whole numbers with nulls, True, 0 days 00:01:30."""
    joined(FRAME).to_pandas().to_csv(folder / "t.csv", index=False)
    return folder / "t.csv"


CONTAINERS: Mapping[str, Callable[[Path], Any]] = {
    "typed": lambda _: FRAME,
    "text": lambda _: texts(),
    "csv": as_csv(texts()),
    "csv with markers": as_csv(texts(r"\N", "T"), separator=";"),
    "parts of unlike types": in_parts,
    "pandas": lambda _: FRAME.to_pandas(),
    "csv of pandas": from_pandas,
    "floats": lambda _: retyped(user=pl.Float64, flag=pl.Float64, history=pl.List(pl.Float64)),
    "not a number": lambda _: FRAME.with_columns(
        pl.col("user", "price").cast(pl.Float64).fill_null(float("nan"))
    ),
    "categories": lambda _: texts("NA").with_columns(pl.all().cast(pl.Categorical)),
    "integers": lambda _: retyped(user=pl.Int16, flag=pl.UInt8, click=pl.Boolean, large=pl.UInt64),
    "decimals": lambda _: retyped(
        user=pl.Decimal(20, 0), large=pl.Decimal(38, 2), price=pl.Decimal(12, 4)
    ),
    "moments": lambda _: retyped(day=pl.Datetime("ns"), moment=pl.Datetime("ms", "UTC")),
    "days in digits": lambda _: FRAME.with_columns(
        pl.col("day").dt.strftime("%Y%m%d").cast(pl.Float64)
    ),
}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return {name: make(tmp_path_factory.mktemp("t")) for name, make in CONTAINERS.items()}


@pytest.fixture(scope="module")
def raw(sources: dict[str, Any]) -> dict[str, pl.DataFrame]:
    """Rows as they lie there: columns that a schema does not name stay as they are stored."""
    schema, found = Schema(SCHEMA.tasks, (CategoricalFeature("word"),)), {}
    for name, source in sources.items():
        with open_table(source, schema=schema) as table:
            found[name] = table.scan.collect()
    return found


@pytest.mark.parametrize("name", CONTAINERS)
def test_an_encoder_gives_one_array_for_all_containers(
    name: str, sources: dict[str, Any], raw: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    """Each value is read by the encoder's form, whatever the type that it is stored in."""
    encoder = Dataset.open(sources[name], SCHEMA, cache=tmp_path).encoder
    expected = encoder.encode(raw[name])
    for other, frame in raw.items():
        assert_same(expected, encoder.encode(frame), other)


def assert_same(ours: Mapping[str, Any], theirs: Mapping[str, Any], place: str) -> None:
    assert ours.keys() == theirs.keys()
    for key, array in ours.items():
        pairs = zip(array, theirs[key], strict=True) if isinstance(array, Ragged) else None
        for a, b in pairs or [(array, theirs[key])]:
            np.testing.assert_array_equal(a, b, f"{place}: {key}")


ODD = ("7", "7.0", "abc", "NA", "true", "2024-01-05", "20240105", "1,5", "[1]", "['t1'|\"t2\"]", "")


def test_a_rows_arrays_do_not_depend_on_other_rows(tmp_path: Path) -> None:
    """Odd values among ids, whatever their form: each row alone is what it is among all."""
    ids = [c for c in FRAME.columns if c not in ("click", "price", "amount", "stay", "moment")]
    rng = np.random.default_rng(1)
    odd = {c: rng.choice([*ODD, *texts()[c].drop_nulls()[:9]], ROWS) for c in ids}
    frame = texts().with_columns(pl.Series(name, values) for name, values in odd.items())
    encoder = Dataset.open(FRAME, SCHEMA, cache=tmp_path).encoder
    whole, order = encoder.encode(frame), rng.permutation(ROWS)
    assert_same(taken(whole, order), encoder.encode(frame[order]), "shuffled")
    for row in range(0, ROWS, 7):
        rows = np.array([row])
        assert_same(taken(whole, rows), encoder.encode(frame[rows]), f"row {row}")


def taken(arrays: Mapping[str, Any], rows: Any) -> dict[str, Any]:
    return {k: a.take(rows) if isinstance(a, Ragged) else a[rows] for k, a in arrays.items()}


def test_what_is_no_id_is_named(tmp_path: Path) -> None:
    encoder = Dataset.open(FRAME, SCHEMA, cache=tmp_path).encoder
    with pytest.raises(EncodingError, match="column 'word' must hold plain values, not List"):
        encoder.encode(FRAME.with_columns(pl.col("tags").alias("word")))
    with pytest.raises(EncodingError, match=r"row 3: column 'price' must be .* but holds 'abc'"):
        encoder.encode(texts().with_columns(price=pl.Series(["1", "2", "abc"] + ["4"] * 157)))
