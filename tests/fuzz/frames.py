"""Frames with columns of every Polars type, and schemas that more or less fit them."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl

from .draws import between, chance, names, pick, some, word
from .judge import Rng

LABEL = "label"
UNITS = ("ms", "us", "ns")
ZONES = (None, None, "UTC", "Europe/Berlin", "Asia/Kolkata")
WHOLE = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)
LONG = (pl.Int128, pl.UInt128)
FRACTIONS = (pl.Float16, pl.Float32, pl.Float64)
BITS = {pl.Int8: 7, pl.Int16: 15, pl.Int32: 31, pl.Int64: 63, pl.Int128: 127}
BITS |= {pl.UInt8: 8, pl.UInt16: 16, pl.UInt32: 32, pl.UInt64: 64, pl.UInt128: 128}
FAR_DATES = (datetime.date(1, 1, 1), datetime.date(1969, 12, 31), datetime.date(9999, 12, 31))
FORMATS = ("%Y-%m-%d", "%Y%m%d", "%d/%m/%Y", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%H:%M:%S")
Values = Callable[[Rng, int], pl.Series]


def frame(rng: Rng, odd_names: float = 0.3, most_rows: int = 300) -> pl.DataFrame:
    """Return a frame; most have a column ``label`` that may be a task."""
    rows = pick(rng, (0, 1, 2, 10, *([between(rng, 20, most_rows)] * 12)))
    titles = names(rng, between(rng, 1, 8), odd_names)
    held = {name: column(rng, rows).alias(name) for name in titles}
    if chance(rng, 0.93):
        held[LABEL] = label(rng, rows)
    order = rng.permutation(len(held))
    columns = list(held.values())
    return pl.DataFrame([columns[int(i)] for i in order])


def without_objects(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame without what no file can hold."""
    return frame.drop([name for name, kind in frame.schema.items() if kind == pl.Object])


def label(rng: Rng, rows: int) -> pl.Series:
    """Return a label: mostly 0 and 1 of some type, now and then with nulls, amounts or nonsense."""
    kind = pick(rng, ("binary",) * 12 + ("amount", "nulls", "constant", "odd"))
    flags = pl.Series(LABEL, rng.integers(2, size=rows), dtype=pl.Int64)
    if kind == "amount":
        return pl.Series(LABEL, np.round(rng.normal(size=rows), 3))
    if kind == "odd":
        return column(rng, rows).alias(LABEL)
    if kind == "constant":
        flags = flags.clear().extend_constant(1, rows)
    if kind == "nulls":
        flags = _with_nulls(rng, flags, 0.1)
    kinds = (pl.Int64, pl.Int8, pl.UInt8, pl.Float64, pl.Boolean, pl.String, pl.Decimal(4, 0))
    return flags.cast(pick(rng, kinds))


def column(rng: Rng, rows: int, depth: int = 1) -> pl.Series:
    """Return a column of a random type, now and then with nulls."""
    nested = depth and chance(rng, 0.25)
    values = pick(rng, NESTED if nested else SIMPLE)(rng, rows)
    nulls = pick(rng, (0.0, 0.0, 0.0, 0.05, 0.3, 0.9, 1.0))
    return _with_nulls(rng, values, nulls) if nulls and values.dtype != pl.Object else values


def _with_nulls(rng: Rng, values: pl.Series, share: float) -> pl.Series:
    known = pl.Series(rng.random(len(values)) >= share)
    both = pl.DataFrame({"v": values, "k": known})
    return both.select(pl.when("k").then("v").alias(values.name)).to_series()


# ---- plain types --------------------------------------------------------------------------------


def _codes(rng: Rng, rows: int, most: int | None = None) -> np.ndarray[Any, Any]:
    """Whole numbers of which few, some or nearly all are different."""
    return rng.integers(most or pick(rng, (1, 2, 5, 40, 10_000)), size=rows)


def whole(rng: Rng, rows: int) -> pl.Series:
    kind = pick(rng, (*WHOLE, pl.Int64, pl.Int64, *LONG))
    bits = BITS[kind]
    style = pick(rng, ("small", "small", "extreme", "id", "epoch"))
    low = 0 if kind in (pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64, pl.UInt128) else -(2**bits)
    if style == "extreme":
        ends = (low, low + 1, 0, 1, 2**bits - 1, 2**bits - 2)
        values = [pick(rng, ends) for _ in range(rows)]
    elif style == "epoch" and bits > 40:
        start = 1_700_000_000 * pick(rng, (1, 1000, 10**6 if bits > 60 else 1))
        values = (start + 60 * _codes(rng, rows, 1000)).tolist()
    elif style == "id" and bits > 40:
        values = (10**12 + _codes(rng, rows)).tolist()
    else:
        values = [int(v) % min(100, 2**bits) for v in _codes(rng, rows)]
    return pl.Series(values, dtype=kind)


def fraction(rng: Rng, rows: int) -> pl.Series:
    kind = pick(rng, FRACTIONS)
    style = pick(rng, ("normal", "whole", "extreme", "holes", "cents"))
    numbers = rng.normal(size=rows) * 10 ** between(rng, -3, 3)
    if style == "whole":
        numbers = _codes(rng, rows).astype(float)
    elif style == "cents":
        numbers = np.round(np.exp(rng.normal(3, 1, rows)), 2)
    odd = {
        "extreme": (0.0, -0.0, 1e-300, 1e39, 1.7e308, -3.5e38, 3.4e38),
        "holes": (np.nan, np.inf),
    }
    if style in odd:
        some_rows = rng.random(rows) < 0.2
        picked = rng.integers(len(odd[style]), size=rows)
        numbers = np.where(some_rows, np.array(odd[style])[picked], numbers)
    return pl.Series(numbers, dtype=pl.Float64).cast(kind, strict=False)


def exact(rng: Rng, rows: int) -> pl.Series:
    scale = pick(rng, (0, 0, 2, 9))
    start = pick(rng, (0, -5, 10**17, 10**25))
    values = [decimal.Decimal(start + int(v)).scaleb(-scale) for v in _codes(rng, rows)]
    return pl.Series(values, dtype=pl.Decimal(38, scale))


def flag(rng: Rng, rows: int) -> pl.Series:
    return pl.Series(rng.integers(2, size=rows).astype(bool), dtype=pl.Boolean)


def text(rng: Rng, rows: int) -> pl.Series:
    odd = pick(rng, (0.0, 0.02, 0.5))
    style = pick(rng, ("words", "words", "numbers", "ids", "dates", "lists", "durations"))
    if style == "words":
        held = [word(rng, odd) for _ in range(pick(rng, (1, 3, 30)))]
        return pl.Series([pick(rng, held) for _ in range(rows)], dtype=pl.String)
    values = _TEXTS[style](rng, rows)
    spoiled = [word(rng, 1.0) if chance(rng, odd * 0.3) else value for value in values]
    return pl.Series(spoiled, dtype=pl.String)


def _number_texts(rng: Rng, rows: int) -> list[str]:
    forms = ("{}", "{:.2f}", "{:,.2f}", "${:.2f}", "{:e}", " {} ", "{:.0f}", "{:05.0f}")
    form = pick(rng, forms)
    return [form.format(float(v)) for v in np.round(rng.normal(0, 1000, rows), 2)]


def _id_texts(rng: Rng, rows: int) -> list[str]:
    form = pick(rng, ("u{}", "{}", "{}.0", "00{}", "{:x}", "{}-{}"))
    return [form.format(int(v), int(v)) for v in _codes(rng, rows)]


def _date_texts(rng: Rng, rows: int) -> list[str]:
    form = pick(rng, FORMATS)
    first = datetime.datetime(2024, 1, 1)
    minutes = _codes(rng, rows, pick(rng, (10, 100_000)))
    return [(first + datetime.timedelta(minutes=int(m))).strftime(form) for m in minutes]


def _list_texts(rng: Rng, rows: int) -> list[str]:
    mark, item = pick(rng, (",", "|", ";", " ", ", ")), pick(rng, ("{}", "v{}", "{}.5"))
    parts = [[item.format(int(v)) for v in _codes(rng, between(rng, 0, 5), 9)] for _ in range(rows)]
    texts = [mark.join(part) for part in parts]
    return [f"[{text}]" for text in texts] if chance(rng, 0.2) else texts


def _duration_texts(rng: Rng, rows: int) -> list[str]:
    form = pick(rng, ("{:02d}:{:02d}:{:02d}", "PT{:d}H{:d}M{:d}S", "0 days {:02d}:{:02d}:{:02d}"))
    return [form.format(*map(int, rng.integers(0, 24, 3))) for _ in range(rows)]


_TEXTS = {
    "numbers": _number_texts,
    "ids": _id_texts,
    "dates": _date_texts,
    "lists": _list_texts,
    "durations": _duration_texts,
}


def binary(rng: Rng, rows: int) -> pl.Series:
    return pl.Series([rng.bytes(between(rng, 0, 4)) for _ in range(rows)], dtype=pl.Binary)


def date(rng: Rng, rows: int) -> pl.Series:
    first = datetime.date(2024, 1, 1)
    values = [first + datetime.timedelta(days=int(v)) for v in _codes(rng, rows, 60)]
    if chance(rng, 0.2):
        values = [pick(rng, FAR_DATES) if chance(rng, 0.2) else value for value in values]
    return pl.Series(values, dtype=pl.Date)


def moment(rng: Rng, rows: int) -> pl.Series:
    unit = pick(rng, UNITS)
    per = {"ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    start = pick(rng, (1_700_000_000, 1_700_000_000, 0, -5_000_000_000)) * per
    step = pick(rng, (per * 3600, per, 1))
    values = start + step * _codes(rng, rows, 100_000)
    return pl.Series(values, dtype=pl.Int64).cast(pl.Datetime(unit, pick(rng, ZONES)))


def duration(rng: Rng, rows: int) -> pl.Series:
    values = _codes(rng, rows) * pick(rng, (1, 10**6, 10**9)) - pick(rng, (0, 0, 5))
    return pl.Series(values, dtype=pl.Int64).cast(pl.Duration(pick(rng, UNITS)))


def day_time(rng: Rng, rows: int) -> pl.Series:
    return pl.Series(_codes(rng, rows, 86_400) * 10**9, dtype=pl.Int64).cast(pl.Time)


def category(rng: Rng, rows: int) -> pl.Series:
    held = list(dict.fromkeys(word(rng, pick(rng, (0.0, 0.3))) for _ in range(8)))
    kind = pl.Enum(held) if chance(rng, 0.5) else pl.Categorical()
    return pl.Series([pick(rng, held) for _ in range(rows)], dtype=pl.String).cast(kind)


def nothing(rng: Rng, rows: int) -> pl.Series:
    return pl.Series([None] * rows, dtype=pl.Null)


def objects(rng: Rng, rows: int) -> pl.Series:
    return pl.Series([{1, int(v)} for v in _codes(rng, rows, 3)], dtype=pl.Object)


SIMPLE: tuple[Values, ...] = (
    *(whole, whole, whole, fraction, fraction, exact, flag, text, text, text, text),
    *(binary, date, moment, duration, day_time, category, nothing),
)


# ---- nested types -------------------------------------------------------------------------------


def lists(rng: Rng, rows: int) -> pl.Series:
    inner = column(rng, 8 * rows, depth=int(chance(rng, 0.1)))
    if inner.dtype == pl.Object:
        return inner.head(rows)
    lengths = rng.integers(0, pick(rng, (1, 4, 8)), size=rows) + pick(rng, (0, 0, 1))
    ends = np.cumsum(lengths)
    starts = ends - lengths
    return pl.Series(
        [inner.slice(int(a), int(n)) for a, n in zip(starts, lengths, strict=True)],
        dtype=pl.List(inner.dtype),
    )


def arrays(rng: Rng, rows: int) -> pl.Series:
    width = between(rng, 1, 4)
    inner = column(rng, width * rows, depth=0)
    return (
        inner.reshape((rows, width)) if rows else pl.Series([], dtype=pl.Array(inner.dtype, width))
    )


def structs(rng: Rng, rows: int) -> pl.Series:
    fields = [column(rng, rows, depth=0).alias(name) for name in ("x", "y")[: between(rng, 1, 2)]]
    return pl.DataFrame(fields).to_struct()


NESTED: tuple[Values, ...] = (*[lists] * 6, *[arrays] * 3, structs, structs, objects)


# ---- schemas ------------------------------------------------------------------------------------


def fitting_schema(rng: Rng, frame: pl.DataFrame) -> dict[str, Any]:
    """Return the data of a schema whose kinds mostly fit the frame's types."""
    others = [name for name in frame.columns if name != LABEL]
    features: dict[str, Any] = {}
    for name in some(rng, others, least=1):
        features[name] = _feature(rng, frame.schema[name], list(features), features)
    data: dict[str, Any] = {"tasks": {LABEL: {"kind": "binary"}}, "features": features}
    if chance(rng, 0.2):
        data["nulls"] = pick(rng, (["-", "NA"], {"add": ["7", "x"]}, ["0"]))
    for role in ("group", "time", "weight", "incumbent", "scenario"):
        if others and chance(rng, 0.12):
            data[role] = pick(rng, others)
    ids = [name for name, of in features.items() if of["kind"] == "categorical"]
    if ids and chance(rng, 0.4):
        data["statistics"] = {"of": some(rng, ids, least=1, most=2)}
    if len(ids) > 1 and chance(rng, 0.3):
        data["crosses"] = [ids[:2]]
    if chance(rng, 0.3) and others:
        data["split"] = {"by": pick(rng, ("time", "group", "column")), "column": pick(rng, others)}
    return data


def _feature(
    rng: Rng, kind: pl.DataType, before: Sequence[str], features: dict[str, Any]
) -> dict[str, Any]:
    ids = [name for name in before if features[name]["kind"] in ("categorical", "multi")]
    fits = ["multi", "vector", *(["history"] * bool(ids))] if kind.is_nested() else ["categorical"]
    if kind.is_numeric() or kind.is_temporal() or kind == pl.Boolean:
        fits.append("numeric")
    if kind == pl.String:
        fits += ["multi", "history"] if ids else ["multi"]
    chosen = (
        pick(rng, fits) if chance(rng, 0.9) else pick(rng, ("numeric", "categorical", "vector"))
    )
    data: dict[str, Any] = {"kind": chosen}
    if chosen == "history":
        data["of"] = pick(rng, ids)
    if chosen in ("multi", "vector", "history") and kind == pl.String:
        data["separator"] = pick(rng, (",", "|", " "))
    if chosen == "numeric":
        data["transform"] = pick(rng, ("standard", "log", "quantile", "bucket", "none"))
    if chosen in ("categorical", "multi") and chance(rng, 0.3):
        data |= pick(rng, ({"buckets": 10}, {"min_count": 2}))
    if chance(rng, 0.3):
        data["side"] = pick(rng, ("user", "request"))
    return data
