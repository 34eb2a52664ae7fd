"""A table of Criteo's shape in memory, encoded: for ``throughput.py``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from automlrank.data.dataset import Dataset
from automlrank.data.store import Store
from automlrank.data.transform import Encoder
from automlrank.data.values import FIRST_ID, Ragged
from automlrank.schema import CategoricalFeature, HistoryFeature, NumericFeature, Schema, Task

NUMERIC, CATEGORICAL = 13, 26
LONGEST = 50  # behaviours of a history
LENGTHS = ("full", "uniform", "short")


def criteo_shaped(ids: int, rows: int, lengths: str) -> Dataset:
    """So many ids in 26 columns, from 10 to 30 % of all, drawn by Zipf; 13 numbers, a label.

    Beside them a history of the last column; models without histories do not look it up.
    """
    rng = np.random.default_rng(0)
    spaced = np.geomspace(1e-5, 1.0, CATEGORICAL)
    sizes = np.maximum(spaced / spaced.sum() * ids, 10).astype(int)
    columns = [zipf(rng, size, rows) for size in sizes]
    arrays = {
        "ids:request": np.empty((rows, 0), np.int32),
        "numbers:request": np.empty((rows, 0), np.float32),
        "ids:item": np.stack(columns, axis=1),
        "history:H": history(rng, sizes[-1], rows, lengths),
        "numbers:item": rng.normal(size=(rows, NUMERIC)).astype(np.float32),
        "labels": (rng.random((rows, 1)) < 0.25).astype(np.float32),
    }
    features = (
        *(CategoricalFeature(f"C{i}", size=int(size) + FIRST_ID) for i, size in enumerate(sizes)),
        *(NumericFeature(f"I{i}") for i in range(NUMERIC)),
        HistoryFeature("H", of=f"C{CATEGORICAL - 1}", sequence="S", max_length=LONGEST),
    )
    schema = Schema((Task("click"),), features)
    store = Store(Path(), {"rows": {"train": rows}}, Encoder((), {}), {"train": arrays})
    return Dataset("criteo-shaped", schema, "", store, None)


def zipf(
    rng: np.random.Generator, size: int, rows: int
) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    """Ids of which the k-th most frequent has a share of about 1 / k."""
    return (FIRST_ID + np.floor((size + 1) ** rng.random(rows)) - 1).astype(np.int32)


def history(rng: np.random.Generator, size: int, rows: int, lengths: str) -> Ragged:
    """Lists of 50; of 0 to 50; or as short as KuaiRand's: 2.2 on average, a third of them empty."""
    drawn = {
        "full": lambda: np.full(rows, LONGEST),
        "uniform": lambda: rng.integers(0, LONGEST + 1, rows),
        "short": lambda: np.minimum(rng.geometric(1 / 3.2, rows) - 1, LONGEST),
    }[lengths]()
    starts = np.concatenate([[0], np.cumsum(drawn)])
    return Ragged(zipf(rng, size, int(starts[-1])), starts)
