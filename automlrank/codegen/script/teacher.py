"""Soft labels from boosted trees that are trained on the other folds of the training rows."""

from __future__ import annotations

import logging

from automlrank.codegen.script.config import TreeSettings
from automlrank.codegen.script.table import EncodedTable, TableSettings
from automlrank.data.transform import Encoder
from automlrank.data.values import Array
from automlrank.training.trees.distillation import FOLDS, out_of_fold, softened
from automlrank.training.trees.features import CHUNK_ROWS, TreeFeatures, numbers_in
from automlrank.training.trees.params import Labelled


def soft_labels(
    table: EncodedTable,
    settings: TableSettings,
    trees: TreeSettings,
    encoder: Encoder,
    distillation: float,
) -> Array:
    """Return the training targets of the training rows, ``[rows, tasks]``."""
    values = {name: numbers_in(encoder, owner) for name, owner in trees.values.items()}
    features = TreeFeatures(trees.parts, values)
    train, valid = (labelled(features, table, split) for split in ("train", "valid"))
    logging.info("boosted trees learn in %d folds, to teach", FOLDS)
    kinds = tuple(settings.tasks.values())
    taught = out_of_fold(train, valid, kinds, features.categories)
    return softened(train.labels, taught, distillation)


def labelled(features: TreeFeatures, table: EncodedTable, split: str) -> Labelled:
    """Return the rows of a split as boosted trees read them."""
    matrix = features.matrix(table.batches(split, CHUNK_ROWS), table.rows[split])
    return Labelled(matrix, table.labels(split), table.weights(split))
