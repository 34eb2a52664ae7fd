"""A table that is ready for training: encoded once, memory-mapped, read in batches."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import numpy as np
import polars as pl
import torch

from automlrank.blocks.ports import FIRST_ID, NULL_ID, OOV_ID
from automlrank.data import read
from automlrank.data.batches import Rows, gather, orders
from automlrank.data.cache import default_cache
from automlrank.data.infer import Inferred
from automlrank.data.prepare import SAMPLE_ROWS, prepare
from automlrank.data.split import NAMES, parts_of
from automlrank.data.store import (
    FORMAT,
    SAMPLE_FILE,
    Arrays,
    DamagedStore,
    Store,
    StoreWriter,
    open_or_build,
    read_store,
)
from automlrank.data.summary import binary_columns
from automlrank.data.transform import FORMAT as ENCODER_FORMAT
from automlrank.data.transform import Encoder
from automlrank.data.unknown import unknown_values
from automlrank.data.values import Array, Ragged
from automlrank.errors import DataError, SchemaError, did_you_mean
from automlrank.schema import HistoryFeature, Schema, Task, read_schema

Batch = dict[str, torch.Tensor]
AsSchema = Schema | str | Path | Mapping[str, object] | None
SAMPLE_VALID = 20_000  # rows: the standard error of an AUC of .7 is then below .004
OUTCOMES = ("labels", "weight")  # of a batch, but not of a request
APART = ("group", "incumbent")  # not of a batch


@dataclass(frozen=True, eq=False)
class Dataset:
    """Encoded rows of train, valid and test; ``Dataset.open`` makes one."""

    name: str
    schema: Schema
    """With the number of ids of each column."""
    fingerprint: str
    """SHA-256 of the data's content and the schema, wherever the data lies."""
    store: Store
    inferred: Inferred | None
    """Reason for each column's kind, if the schema named no features."""
    part: Mapping[str, Rows] = field(default_factory=dict)
    """The rows of a sample, by split; all rows of a split that is not named."""

    @classmethod
    def open(
        cls,
        data: read.Data,
        schema: AsSchema = None,
        *,
        label: str | None = None,
        joins: Sequence[str] = (),
        incumbent: str | None = None,
        cache: str | Path | None = None,
    ) -> Dataset:
        """Encode a table, or find it encoded in the cache folder.

        ``data`` is a file, several, a folder, a frame or a sample's name; ``label`` is the primary
        task; ``joins`` are side tables, as ``users.parquet:user_id``; ``incumbent`` is the column
        of the current model's score. Raises DataError, DocumentError or SchemaError for what a
        person can mend.
        """
        data = read.only_item(data)
        sides = [read.Join.parse(join) for join in joins]
        wanted = _wanted(data, sides, schema, label)
        if incumbent is not None:
            wanted = dataclasses.replace(wanted, incumbent=incumbent)
        source = parts_of(data, wanted.split)
        fingerprint = _fingerprint(read.digest(source, sides), wanted)

        def build(writer: StoreWriter) -> None:
            with read.open_table(source, sides, wanted) as table:
                prepare(table, wanted, writer)

        store = open_or_build(Path(cache or default_cache()) / fingerprint, build)
        return cls._of(store, read.name_of(data))

    @classmethod
    def load(cls, folder: str | Path, name: str) -> Dataset:
        """The data set whose encoded arrays lie in a folder; raises DataError if they do not."""
        try:
            return cls._of(read_store(Path(folder)), name)
        except DamagedStore as damage:
            hint = "Continue its search with --resume, which encodes the table again."
            raise DataError(f"{damage}.", hint) from None

    @classmethod
    def _of(cls, store: Store, name: str) -> Dataset:
        fitted = read_schema(store.facts["schema"]).fitted(store.encoder.sizes)
        found = store.facts["inferred"]
        inferred = None
        if found:
            sayings = (tuple(found[key]) for key in ("set_aside", "read_as"))
            inferred = Inferred(fitted, found["reasons"], *sayings)
        return cls(name, fitted, store.folder.name, store, inferred)

    @property
    def encoder(self) -> Encoder:
        """Encoder that turned the table's values into ids and numbers."""
        return self.store.encoder

    @property
    def folder(self) -> Path:
        """Folder of the encoded arrays."""
        return self.store.folder

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what was decided and done when the table was read."""
        return (*self.store.notes, *self.store.facts.get("notes", ()))

    @property
    def rows(self) -> dict[str, int]:
        """The number of rows of each split."""
        return {**self.store.facts["rows"], **{k: len(part) for k, part in self.part.items()}}

    @property
    def label_rates(self) -> dict[str, dict[str, float | None]]:
        """The mean of each task's label in each split, whole; None where no label is known."""
        return dict(self.store.facts["label_rates"])

    def labels(self, split: str) -> Array:
        """``[rows, tasks]`` float32; null is NaN."""
        return self._array(split, "labels")

    def groups(self, split: str) -> Array | None:
        """``[rows]`` int64, equal for rows of one group; None if the schema names no group."""
        return self._array(split, "group") if self.schema.group else None

    def weights(self, split: str) -> Array | None:
        """``[rows]`` float32, the weight of each row; None if the schema names none."""
        return self._array(split, "weight") if self.schema.weight else None

    def incumbent(self, split: str) -> Array | None:
        """``[rows]`` float64, null is NaN; None if the schema names no incumbent."""
        return self._array(split, "incumbent") if self.schema.incumbent else None

    def scenarios(self, split: str) -> Array | None:
        """``[rows]``, the id of each row's scenario; None if the schema names none."""
        name = self.schema.scenario
        if name is None:
            return None
        ids = self.encoder.ids_in(self._arrays(split))[name]
        return ids[self.part[split]] if split in self.part else np.asarray(ids)

    def scenario_names(self, ids: Sequence[int]) -> list[str]:
        """The values of ids of scenarios; what is not in the vocabulary has one name for all."""
        assert self.schema.scenario is not None
        owner = self.schema.owner(self.schema.scenario)
        rare = getattr(self.schema.feature(owner), "min_count", 1) > 1
        unknown = "rare, or not in training" if rare else "not in training"
        known = {NULL_ID: "none", OOV_ID: unknown}
        if owner not in self.encoder.vocabularies:  # hashed
            return [known.get(i, f"bucket {i - FIRST_ID}") for i in ids]
        values = self.encoder.decode(owner, ids)
        return [known.get(i, str(value)) for i, value in zip(ids, values, strict=True)]

    def raw_rows(self) -> tuple[pl.DataFrame, Array, int]:
        """Every k-th row of the table as it was read, up to 50,000, their splits, and k."""
        frame = pl.read_parquet(self.folder / SAMPLE_FILE)
        step = -(-sum(self.store.facts["rows"].values()) // SAMPLE_ROWS)
        *read, split = frame.columns
        return frame[read], frame[split].to_numpy(), step

    def unknown(self, limit: float) -> list[str]:
        """A sentence for each column of valid or test with more than ``limit`` unknown values."""
        frame, splits, _ = self.raw_rows()
        found = []
        for k, split in enumerate(NAMES[1:], start=1):
            rows = frame.filter(splits == k)
            if rows.height:
                arrays = self.encoder.encode(rows)
                sentences = unknown_values(self.encoder, rows, arrays, limit)
                found += [f"{split} rows: {sentence}" for sentence in sentences]
        return found

    def sample(self, rows: int, seed: int = 0) -> Dataset:
        """A part of about ``rows`` training rows, and of as large a share of the validation rows.

        With a group in the schema whole groups are drawn, else rows. At least 20,000 validation
        rows stay, as far as there are so many; the test split stays whole.
        """
        share = rows / self.rows["train"]
        if share >= 1:
            return self
        valid = max(share * self.rows["valid"], SAMPLE_VALID)
        grouped = self.schema.group is not None
        part = self.part_of("train", rows, seed, whole_groups=grouped)
        return part.part_of("valid", round(valid), seed, whole_groups=grouped)

    def part_of(
        self, split: str, rows: int, seed: int = 0, *, whole_groups: bool = False
    ) -> Dataset:
        """The same data with a random sample of ``rows`` rows of one split.

        Equal seeds draw the same rows; they keep their order. ``whole_groups`` draws groups of
        the schema until there are ``rows`` rows or, by the last group, a few more.
        """
        if rows >= self.rows[split]:
            return self
        drawn = self._drawn(split, rows, seed, self.groups(split) if whole_groups else None)
        return dataclasses.replace(self, part={**self.part, split: self._rows_of(split, drawn)})

    def of_rows(self, split: str, rows: Rows) -> Dataset:
        """The same but for one split, of which these rows are left."""
        return dataclasses.replace(self, part={**self.part, split: self._rows_of(split, rows)})

    def _drawn(self, split: str, rows: int, seed: int, groups: Array | None) -> Rows:
        rng = np.random.default_rng(seed)
        if groups is None:
            return np.sort(rng.permutation(self.rows[split])[:rows])
        names, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
        order = rng.permutation(len(names))
        kept = order[: np.searchsorted(np.cumsum(sizes[order]), rows) + 1]
        return np.flatnonzero(np.isin(codes, kept))

    def batches(self, split: str, batch_size: int, *, seed: int | None = None) -> Iterator[Batch]:
        """All rows once, in their order or, with a seed, shuffled; the last batch may be short."""
        for rows in self.orders(split, batch_size, seed=seed):
            yield self.take(split, rows)

    def orders(
        self, split: str, batch_size: int, *, seed: int | None = None, kept: Rows | None = None
    ) -> Iterator[Rows]:
        """The rows of each batch; ``kept`` are the only ones, where given."""
        rows = np.arange(self.rows[split]) if kept is None else kept
        return orders(rows, batch_size, seed)

    def take(self, split: str, rows: Rows) -> Batch:
        """The batch of the given rows: one gather per array, lists padded to their longest."""
        rows = self._rows_of(split, rows)
        return {
            key: torch.from_numpy(gather(array, rows))
            for key, array in self._arrays(split).items()
            if key not in APART
        }

    def request(self, split: str, candidates: int, index: int = 0) -> Batch:
        """Return a request as serving scores it: one row's user and request columns, many items.

        Row ``index`` of the split gives the request; its items are those of the ``candidates``
        rows from there on, starting over at the split's end.
        """
        items = self._rows_of(split, (index + np.arange(candidates)) % self.rows[split])
        one = items[:1]
        keys = _request_keys(self.schema)
        return {
            key: torch.from_numpy(gather(array, one if key in keys else items))
            for key, array in self._arrays(split).items()
            if key not in (*OUTCOMES, *APART)
        }

    def _rows_of(self, split: str, rows: Rows) -> Rows:
        """Rows of the sample as rows of the store."""
        return self.part[split][rows] if split in self.part else rows

    def _arrays(self, split: str) -> Arrays:
        splits = self.store.splits
        if split not in splits:
            raise ValueError(f"no split {split!r}. {did_you_mean(split, splits)}")
        return splits[split]

    def _array(self, split: str, key: str) -> Array:
        array = self._arrays(split)[key]
        assert not isinstance(array, Ragged)
        return array[self.part[split]] if split in self.part else array


def _request_keys(schema: Schema) -> set[str]:
    """The keys of a batch that hold one row in a request."""
    features = [feature for feature in schema.features if feature.side != "item"]
    keys = {f"{f.role}:{f.name}" for f in features if f.role in ("multi", "vector", "history")}
    sequences = {f.sequence for f in features if isinstance(f, HistoryFeature)}
    times = {f"{key}:{sequence}" for key in ("age", "session") for sequence in sequences}
    return {"ids:request", "numbers:request", "statistics:request", *keys, *times}


def _wanted(
    data: read.Data, joins: Sequence[read.Join], schema: AsSchema, label: str | None
) -> Schema:
    """The schema that was given, the sample's, or one of the label alone."""
    if schema is None and isinstance(data, str | Path) and read.is_sample(str(data)):
        schema = read.sample_schema(str(data))
    if schema is None:
        return Schema((Task(label or _ask_for_label(data, joins), "inferred"),))
    if not isinstance(schema, Schema):
        schema = read_schema(schema)
    return schema if label is None else schema.with_primary(label)


def _ask_for_label(data: read.Data, joins: Sequence[read.Join]) -> NoReturn:
    with read.open_table(data, joins) as table:
        columns = ", ".join(binary_columns(table)) or "none"
    raise SchemaError(
        "neither a label nor a schema was given.", f"Columns of only 0 and 1: {columns}."
    )


def _fingerprint(content: str, schema: Schema) -> str:
    """SHA-256 of the content, the schema, and the formats that they are written in."""
    facts = [content, schema.to_data(), FORMAT, ENCODER_FORMAT]
    text = json.dumps(facts, default=str)  # not sorted: the order of columns counts
    return hashlib.sha256(text.encode()).hexdigest()
