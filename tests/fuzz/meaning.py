"""One content in several forms: text, typed files, parts of unlike types, pandas, Polars."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from automlrank.data.dataset import Dataset
from automlrank.data.split import NAMES
from automlrank.errors import UsageError

from .draws import between, chance, pick, some
from .frames import LABEL
from .judge import Rng
from .storage import TextOptions, spelled, text_of
from .tables import equal, opened, same_arrays

NULLS = ("", "", "NA", "N/A", "NULL", "\\N", "None", "nan", "-", "?")
FORMS = ("arrow", "csv", "floats", "pandas", "parts", "semicolon", "stream", "texts", "tsv")
FORMS = (*FORMS, "comma", "iso", "lazy", "money", "pipe")
SEPARATORS = {"csv": ",", "tsv": "\t", "semicolon": ";", "pipe": "|", "comma": ";"}
SEPARATORS |= {"money": ",", "iso": ","}
SPELLINGS: dict[str, dict[str, Callable[[Any], str]]] = {
    "money": {"price": "${:,.2f}".format, "amount": "{:,}".format},
    "comma": {name: lambda v: str(v).replace(".", ",") for name in ("price", "ratio", "halves")},
    "iso": {
        "moment": lambda v: f"{v:%Y-%m-%dT%H:%M:%SZ}",
        "day": lambda v: f"{v:%Y%m%d}",
        "dwell": lambda v: f"PT{int(v.total_seconds())}S",
    },
}
FIRST = datetime.datetime(2024, 1, 1)


@dataclass(frozen=True)
class MeaningCase:
    """A table, and the forms that must mean the same."""

    frame: pl.DataFrame
    forms: tuple[str, ...]
    null: str
    seed: int


def case(rng: Rng) -> MeaningCase:
    """Draw a table of plain columns, and two forms beside the frame itself."""
    rows = between(rng, 60, 300)
    makers = some(rng, list(COLUMNS), least=1, most=6)
    held = {name: COLUMNS[name](rng, rows) for name in makers}
    known = [name for name in makers if name != "long_id"]  # pandas' floats would round it
    if known and chance(rng, 0.4):
        name = pick(rng, known)
        held[name] = held[name].set(pl.Series(rng.random(rows) < 0.1), None)
    table = pl.DataFrame({**held, LABEL: rng.integers(2, size=rows)})
    forms = tuple(some(rng, FORMS, least=2, most=2))
    return MeaningCase(table, forms, pick(rng, NULLS), between(rng, 0, 2**31))


def _codes(low: int, high: int) -> Callable[[Rng, int], pl.Series]:
    return lambda rng, rows: pl.Series(rng.integers(low, high, size=rows))


def _texts(*words: str) -> Callable[[Rng, int], pl.Series]:
    return lambda rng, rows: pl.Series([pick(rng, words) for _ in range(rows)])


def _moments(unit: datetime.timedelta, most: int) -> Callable[[Rng, int], pl.Series]:
    def make(rng: Rng, rows: int) -> pl.Series:
        return pl.Series([FIRST + unit * int(n) for n in rng.integers(most, size=rows)])

    return make


def _lists(rng: Rng, rows: int) -> pl.Series:
    lengths = rng.integers(1, 5, size=rows)
    return pl.Series(["|".join(f"t{v}" for v in rng.integers(9, size=int(n))) for n in lengths])


COLUMNS: dict[str, Callable[[Rng, int], pl.Series]] = {
    "user_id": _codes(1000, 1100),
    "itemId": _codes(0, 40),
    "long_id": _codes(10**17, 10**17 + 50),
    "amount": _codes(-5, 5000),
    "price": lambda rng, rows: pl.Series(np.round(np.exp(rng.normal(3, 1, rows)), 2)),
    "ratio": lambda rng, rows: pl.Series(rng.normal(size=rows)),
    "halves": lambda rng, rows: pl.Series(rng.integers(0, 20, rows) / 2),
    "flag": lambda rng, rows: pl.Series(rng.integers(2, size=rows).astype(bool)),
    "page": _texts("home", "search", "related", "a b"),
    "zip": _texts("00123", "04567", "98765", "00001"),
    "mixed": _texts("7", "x", "12", "0.5", "true"),
    "day": lambda rng, rows: _moments(datetime.timedelta(days=1), 60)(rng, rows).cast(pl.Date),
    "moment": _moments(datetime.timedelta(seconds=1), 10**6),
    "epoch": _codes(1_700_000_000, 1_700_100_000),
    "dwell": lambda rng, rows: (
        pl.Series(rng.integers(1, 5000, rows)).cast(pl.Duration("us")) * 10**6
    ),
    "tags": _lists,
}


def attempt(case: MeaningCase, folder: Path) -> Dataset:
    """Open the frame itself."""
    return opened(case.frame, None, LABEL, folder).data


def refused(case: MeaningCase, error: UsageError, folder: Path) -> None:
    """What is refused in one form is refused in each."""
    for form in case.forms:
        source = written(case, form, folder / form)
        try:
            Dataset.open(source, label=LABEL, cache=folder / "cache")
        except UsageError:
            continue
        raise AssertionError(f"{form} is taken, but the frame was refused: {error}")


def hold(case: MeaningCase, taken: Dataset, folder: Path) -> None:
    """Each form has the same schema and the same arrays, so that models see the same."""
    texts = taken.encoder.encode(as_texts(case.frame, case.null))
    for key, array in taken.encoder.encode(case.frame).items():
        assert equal(array, texts[key]), f"{key} of the frame as text"
    for form in case.forms:
        source = written(case, form, folder / form)
        try:
            other = Dataset.open(source, label=LABEL, cache=folder / "cache")
        except UsageError as error:
            raise AssertionError(f"{form} is refused, but the frame was taken: {error}") from error
        assert other.schema.to_data() == taken.schema.to_data(), form
        for split in NAMES:
            rows = np.arange(taken.rows[split])
            assert other.rows == taken.rows, form
            same_arrays(other, split, dict(taken.store.splits[split]), rows)


def written(case: MeaningCase, form: str, folder: Path) -> Any:
    """Write the table in a form, and return what is opened."""
    folder.mkdir()
    frame, rng = case.frame, np.random.default_rng(case.seed)
    match form:
        case form if form in SEPARATORS:
            options = TextOptions(SEPARATORS[form], null=case.null, title_case=chance(rng, 0.5))
            file = folder / f"table.{'tsv' if form == 'tsv' else 'csv'}"
            file.write_bytes(text_of(as_spelled(frame, form), options))
            return file
        case "lazy":
            return frame.lazy()
        case "arrow":
            frame.write_ipc(folder / "table.arrow")
            return folder / "table.arrow"
        case "stream":
            frame.write_ipc_stream(folder / "table.arrow")
            return folder / "table.arrow"
        case "pandas":
            return frame.to_pandas()
        case "texts":
            return as_texts(frame, case.null)
        case "floats":
            whole = [name for name in ("user_id", "itemId", "amount") if name in frame.columns]
            return frame.with_columns(pl.col(whole).cast(pl.Float64))
        case _:
            return parts(rng, frame, case.null, folder)


def as_spelled(frame: pl.DataFrame, form: str) -> pl.DataFrame:
    """Return the frame with amounts, and times, spelled as in some countries and programs."""
    spell = SPELLINGS.get(form, {})
    texts = {
        name: pl.Series(
            [None if v is None else spell[name](v) for v in frame[name]], dtype=pl.String
        )
        for name in frame.columns
        if name in spell
    }
    return frame.with_columns(**texts)


def as_texts(frame: pl.DataFrame, null: str) -> pl.DataFrame:
    """Return every column as text, as files have it."""
    options = TextOptions(null=null)
    return pl.DataFrame(
        [
            pl.Series(name, [text or None for text in spelled(frame[name], options)])
            for name in frame.columns
        ],
        schema=dict.fromkeys(frame.columns, pl.String),
    )


def parts(rng: Rng, frame: pl.DataFrame, null: str, folder: Path) -> Path:
    """Write Parquet files of which each has types of its own for the same values."""
    cuts = sorted({0, frame.height, *rng.integers(1, frame.height, size=2).tolist()})
    for i, (start, end) in enumerate(itertools.pairwise(cuts)):
        part = frame[start:end]
        texts = as_texts(part, null)
        held = [respelled(rng, part[name], texts[name]) for name in frame.columns]
        pl.DataFrame(held).write_parquet(folder / f"{i}.parquet")
    return folder


def respelled(rng: Rng, values: pl.Series, text: pl.Series) -> pl.Series:
    """Return the values in a type that can hold them."""
    kinds: list[Any] = [values.dtype, pl.String]
    if values.dtype.is_integer():
        kinds += [pl.Float64] if values.name != "long_id" else [pl.Decimal(20, 0)]
    if values.dtype == pl.Boolean:
        kinds += [pl.Int8]
    kind = pick(rng, kinds)
    return text if kind == pl.String else values.cast(kind)
