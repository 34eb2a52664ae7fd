"""A table that is ready for training: encoded once, memory-mapped, read in batches."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import torch

from automlrank.data import read
from automlrank.data.infer import Inferred, binary_columns
from automlrank.data.prepare import prepare
from automlrank.data.split import Rows, files_of_split, read_split
from automlrank.data.store import FORMAT, Arrays, Content, Store, default_cache, open_or_build
from automlrank.data.transform import FORMAT as ENCODER_FORMAT
from automlrank.data.transform import Array, Encoder, Ragged
from automlrank.errors import Fault, SchemaError, did_you_mean
from automlrank.schema import Schema, Task, read_schema

Batch = dict[str, torch.Tensor]
AsSchema = Schema | str | Path | Mapping[str, object] | None
OUTCOMES = ("labels", "weight")  # of a batch, but not of a request
APART = ("group",)  # not of a batch


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
    """Why each column is what it is, if the schema named no features."""

    @classmethod
    def open(
        cls,
        data: read.Data,
        schema: AsSchema = None,
        *,
        label: str | None = None,
        cache: str | Path | None = None,
    ) -> Dataset:
        """Encode a table, or find it encoded in the cache folder.

        ``data`` is a file, a folder, a frame or a sample's name; ``label`` is the primary task.
        Raises DataError, DocumentError or SchemaError for what a person can mend.
        """
        if not isinstance(data, str | Path):
            data = read.read_table(data)
        wanted = _wanted(data, schema, label)
        fingerprint = _fingerprint(data, wanted)

        def build() -> Content:
            frame, train_rows = read_split(data, wanted.split)
            return prepare(frame, wanted, train_rows)

        store = open_or_build(Path(cache or default_cache()) / fingerprint, build)
        facts = store.content.facts
        fitted = read_schema(facts["schema"]).fitted(store.content.encoder.sizes)
        found = facts["inferred"]
        inferred = Inferred(fitted, found["reasons"], tuple(found["set_aside"])) if found else None
        return cls(read.name_of(data), fitted, fingerprint, store, inferred)

    @property
    def encoder(self) -> Encoder:
        """What turned the table's values into ids and numbers."""
        return self.store.content.encoder

    @property
    def folder(self) -> Path:
        """Where the encoded arrays lie."""
        return self.store.folder

    @property
    def rows(self) -> dict[str, int]:
        """The number of rows of each split."""
        return dict(self.store.content.facts["rows"])

    @property
    def label_rates(self) -> dict[str, dict[str, float | None]]:
        """The mean of each task's label in each split; None where no label is known."""
        return dict(self.store.content.facts["label_rates"])

    def labels(self, split: str) -> Array:
        """``[rows, tasks]`` float32; null is NaN."""
        return self._array(split, "labels")

    def groups(self, split: str) -> Array | None:
        """``[rows]`` int64, equal for rows of one group; None if the schema names no group."""
        return self._array(split, "group") if self.schema.group else None

    def batches(self, split: str, batch_size: int, *, seed: int | None = None) -> Iterator[Batch]:
        """All rows once, in their order or, with a seed, shuffled; the last batch may be short.

        Shuffled, a last batch of one row is left out: batch norm has no statistics of one row.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size must be 1 or more, but got {batch_size}.")
        rows = np.arange(self.rows[split])
        if seed is not None:
            np.random.default_rng(seed).shuffle(rows)
            rows = rows[: len(rows) - (len(rows) % batch_size == 1)]
        for start in range(0, len(rows), batch_size):
            yield self.take(split, rows[start : start + batch_size])

    def take(self, split: str, rows: Rows) -> Batch:
        """The batch of the given rows: one gather per array, lists padded to their longest."""
        return {
            key: torch.from_numpy(_gather(array, rows))
            for key, array in self._arrays(split).items()
            if key not in APART
        }

    def request(self, split: str, candidates: int, index: int = 0) -> Batch:
        """What serving scores at once: one row's user and request columns, ``candidates`` items.

        Row ``index`` of the split gives the request; its items are those of the ``candidates``
        rows from there on, starting over at the split's end.
        """
        items = (index + np.arange(candidates)) % self.rows[split]
        one = items[:1]
        keys = _request_keys(self.schema)
        return {
            key: torch.from_numpy(_gather(array, one if key in keys else items))
            for key, array in self._arrays(split).items()
            if key not in (*OUTCOMES, *APART)
        }

    def _arrays(self, split: str) -> Arrays:
        splits = self.store.content.splits
        if split not in splits:
            raise ValueError(f"no split {split!r}. {did_you_mean(split, splits)}")
        return splits[split]

    def _array(self, split: str, key: str) -> Array:
        array = self._arrays(split)[key]
        assert not isinstance(array, Ragged)
        return array


def _gather(array: Array | Ragged, rows: Rows) -> Array:
    return array.take(rows).pad() if isinstance(array, Ragged) else np.take(array, rows, axis=0)


def _request_keys(schema: Schema) -> set[str]:
    """The keys of a batch that hold one row in a request."""
    lists = (f for f in schema.features if f.kind in ("multi", "history") and f.side != "item")
    return {"ids:request", "numbers:request", *(f"{f.kind}:{f.name}" for f in lists)}


def _wanted(data: read.Data, schema: AsSchema, label: str | None) -> Schema:
    """The schema that was given, the sample's, or one of the label alone."""
    if schema is None and isinstance(data, str | Path) and read.is_sample(str(data)):
        schema = read.sample_schema(str(data))
    if schema is None:
        return Schema((Task(label or _ask_for_label(data)),))
    if not isinstance(schema, Schema):
        schema = read_schema(schema)
    return schema if label is None else with_primary(schema, label)


def _ask_for_label(data: read.Data) -> NoReturn:
    columns = ", ".join(binary_columns(read.read_table(data))) or "none"
    raise SchemaError(
        "neither a label nor a schema was given.", f"Columns of only 0 and 1: {columns}."
    )


def with_primary(schema: Schema, label: str) -> Schema:
    """The schema with the label's task first; raises SchemaError where it has no such task."""
    names = [task.name for task in schema.tasks]
    if label not in names:
        raise SchemaError(
            Fault(f"no task {label!r} in the schema.", "tasks", did_you_mean(label, names))
        )
    tasks = sorted(schema.tasks, key=lambda task: task.name != label)  # stable: the rest stays
    return dataclasses.replace(schema, tasks=tuple(tasks))


def _fingerprint(data: read.Data, schema: Schema) -> str:
    """SHA-256 of the content, the schema, and the formats that they are written in."""
    if schema.split.by == "file":
        content = read.digest_of_files(files_of_split(data, schema.split))
    else:
        content = read.digest(data)
    facts = [content, schema.to_data(), FORMAT, ENCODER_FORMAT]
    text = json.dumps(facts, default=str)  # not sorted: the order of columns counts
    return hashlib.sha256(text.encode()).hexdigest()
