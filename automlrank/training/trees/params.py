"""LightGBM settings and data sets, shared by the reference and the distillation teacher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from automlrank.data.batches import Rows
from automlrank.data.dataset import Dataset
from automlrank.data.values import Array
from automlrank.training.trees.features import CHUNK_ROWS, TreeFeatures

ROUNDS, PATIENCE = 2000, 50  # boosting rounds at most, and without a gain
SETTINGS: dict[str, Any] = {
    "objective": "binary",
    "metric": "None",  # ours, of the logits
    "learning_rate": 0.05,
    "num_leaves": 63,
    "min_data_in_leaf": 100,
    "lambda_l2": 1.0,
    "feature_fraction": 0.8,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "deterministic": True,
    "force_col_wise": True,  # else it is chosen by timing, and sums differ
    "verbosity": -1,
}
UNINSTALLED = "distillation needs LightGBM, which is not installed."
INSTALL = "pip install 'automlrank[lightgbm]', or leave distillation at 0."


def installed() -> bool:
    """Return True if LightGBM can be imported: its library may lack one that it is linked with."""
    try:
        import lightgbm  # noqa: F401
    except (ImportError, OSError):
        return False
    return True


@dataclass(frozen=True)
class Labelled:
    """Rows for trees: ``matrix`` [rows, features], ``labels`` [rows, tasks], ``weights`` [rows]."""

    matrix: Array
    labels: Array
    weights: Array | None = None

    def known(self, task: int) -> Rows:
        """Return the rows whose label of a task is known."""
        return np.flatnonzero(~np.isnan(self.labels[:, task]))

    def of(self, rows: Rows, task: int) -> Labelled:
        """Return some rows with the label ``[rows]`` of one task; all rows share the matrix."""
        labels = self.labels[rows, task]  # a copy: LightGBM warns of views
        if len(rows) == len(self.matrix):
            return Labelled(self.matrix, labels, self.weights)
        return Labelled(
            self.matrix[rows], labels, None if self.weights is None else self.weights[rows]
        )


def labelled(data: Dataset, split: str, flat: TreeFeatures) -> Labelled:
    """Return the rows of a split."""
    matrix = flat.matrix(data.batches(split, CHUNK_ROWS), data.rows[split])
    return Labelled(matrix, data.labels(split), data.weights(split))


def gathered(rows: Labelled, categories: Sequence[int], settings: Mapping[str, Any]) -> Any:
    """Return the ``lightgbm.Dataset`` of one task's rows."""
    import lightgbm

    return lightgbm.Dataset(
        rows.matrix,
        rows.labels,
        weight=rows.weights,
        categorical_feature=list(categories),
        params=dict(settings),
    )
