"""Knowledge distillation: boosted trees predict rows that they have not seen.

The target of a row in a network's training is then ``(1 - d) y + d q``: its label, and the trees'
probability for it. Binary cross-entropy is linear in the label: its loss is ``(1 - d)`` times that
of the label and ``d`` times that of the trees (Hinton et al., 2015,
https://arxiv.org/abs/1503.02531, at temperature 1). Trees that had seen the row would return its
label, therefore they are trained on the other folds. They still know a little of the label by the
target rates of the other folds' rows, which count it: with 20 rows an id and no signal q ranks
labels by an AUC of .51 to .52, not .5. Only the network is served.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock

from automlrank.data.dataset import Dataset
from automlrank.data.values import Array
from automlrank.errors import TrialError, UsageError
from automlrank.training.trees.features import flat_of
from automlrank.training.trees.params import (
    INSTALL,
    PATIENCE,
    ROUNDS,
    SETTINGS,
    UNINSTALLED,
    Labelled,
    gathered,
    installed,
    labelled,
)

FOLDS = 5
FOLD_SEED = 0  # one teacher for all seeds of a network
MOST_ROWS = 300_000  # for the trees of a fold
LEAST_ROWS = 200  # with a label, two leaves: fewer are predicted by their mean
BLIND_ROUNDS = 100  # LightGBM's own number
LOSSES = {"binary": "binary_logloss", "regression": "l2"}

Watch = Callable[[], None]


def unwatched() -> None:
    """Let the boosting continue."""


def soft_labels(data: Dataset, distillation: float, said: Array | None = None) -> Array | None:
    """Return the targets of the training rows, ``[rows, tasks]``; None without distillation."""
    if distillation == 0:
        return None
    return softened(data.labels("train"), taught(data) if said is None else said, distillation)


def softened(labels: Array, taught: Array, distillation: float) -> Array:
    """Return ``(1 - d) y + d q``; an unknown label stays unknown."""
    soft: Array = ((1 - distillation) * labels + distillation * taught).astype(np.float32)
    return soft


def taught(data: Dataset, watch: Watch = unwatched) -> Array:
    """Return the trees' predictions of the training rows, ``[rows, tasks]``.

    They are kept beside the encoded rows; of several processes one trains the trees. ``watch`` is
    called after every round and may raise to stop them. Raises TrialError if LightGBM is absent or
    refuses the data.
    """
    path = kept_at(data)
    with FileLock(path.with_suffix(".lock")):
        found = read_kept(data)
        if found is None:
            found = asked(data, watch)
            keep(path, found)
    return found


def asked(data: Dataset, watch: Watch) -> Array:
    """Train the trees, and return their predictions of the training rows."""
    if not installed():
        raise TrialError(f"{UNINSTALLED} {INSTALL}")
    from lightgbm.basic import LightGBMError

    flat = flat_of(data.schema, data.encoder, with_rates=True)
    train, valid = (labelled(data, split, flat) for split in ("train", "valid"))
    kinds = [task.kind for task in data.schema.tasks]
    try:
        return out_of_fold(train, valid, kinds, flat.categories, watch)
    except LightGBMError as error:
        raise TrialError(f"the trees of distillation: {error}") from error


def is_taught(data: Dataset) -> bool:
    """Return True if the predictions for these rows are kept."""
    return read_kept(data) is not None


def read_kept(data: Dataset) -> Array | None:
    """Return the kept predictions for these rows; None if there are none that can be read."""
    try:
        found = np.load(kept_at(data))
    except (OSError, EOFError, ValueError):
        return None
    return found if found.shape == data.labels("train").shape else None


def kept_at(data: Dataset) -> Path:
    """Return the file of the predictions for these rows, named by everything they depend on."""
    rounds = (ROUNDS, PATIENCE, BLIND_ROUNDS, FOLDS, FOLD_SEED, MOST_ROWS)
    flat = flat_of(data.schema, data.encoder, with_rates=True)
    facts = repr((SETTINGS, rounds, flat.parts, sorted(data.part)))
    parts = [data.part[split].tobytes() for split in ("train", "valid") if split in data.part]
    digest = hashlib.sha256(b"".join([facts.encode(), *parts])).hexdigest()
    return data.folder / f"taught_{digest[:16]}.npy"


def keep(path: Path, array: Array) -> None:
    """Write an array whole or not at all: several workers may, and write the same.

    If the disk refuses it, it is not kept, and computed again when it is needed.
    """
    partial = path.with_suffix(f".{uuid.uuid4().hex}.npy")
    try:
        np.save(partial, array)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)


def out_of_fold(
    train: Labelled,
    valid: Labelled,
    kinds: Sequence[str],
    categories: list[int],
    watch: Watch = unwatched,
) -> Array:
    """Return ``[rows, tasks]``: predictions of each training row by trees of the other folds.

    ``kinds`` are those of the tasks: of a binary one it is a probability. The validation rows stop
    the boosting, by log loss or squared error.
    """
    rng = np.random.default_rng(FOLD_SEED)
    folds = rng.integers(FOLDS, size=len(train.labels))
    found = np.empty(train.labels.shape, np.float32)
    for task, kind in enumerate(kinds):
        known, judges = train.known(task), valid.of(valid.known(task), task)
        if len(known) < LEAST_ROWS:
            found[:, task] = train.labels[known, task].mean() if len(known) else 0.0
            continue
        for fold in range(FOLDS):
            others = known[folds[known] != fold]
            if len(others) > MOST_ROWS:
                others = np.sort(rng.permutation(others)[:MOST_ROWS])
            own = folds == fold
            found[own, task] = expected(
                train.matrix[own], train.of(others, task), judges, kind, categories, watch
            )
    return found


def expected(
    rows: Array, train: Labelled, valid: Labelled, kind: str, categories: list[int], watch: Watch
) -> Array:
    """Return ``[rows]``: predictions of some rows by trees of one task's other rows.

    Validation stops the boosting; without a label there, it stops after ``BLIND_ROUNDS``.
    """
    import lightgbm

    settings = SETTINGS | {
        "objective": kind,
        "metric": LOSSES[kind],
        "num_threads": torch.get_num_threads(),
    }
    made = gathered(train, categories, settings)
    heard = [lambda _: watch()]
    if len(valid.labels):
        judged = made.create_valid(valid.matrix, valid.labels, weight=valid.weights)
        ending = lightgbm.early_stopping(PATIENCE, verbose=False)
        booster = lightgbm.train(
            settings, made, ROUNDS, valid_sets=[judged], callbacks=[ending, *heard]
        )
    else:
        booster = lightgbm.train(settings, made, BLIND_ROUNDS, callbacks=heard)
    return np.asarray(booster.predict(rows, num_threads=settings["num_threads"]))


def check_teacher(data: Dataset, *, needed: bool) -> None:
    """Raise UsageError if networks are to learn from trees that cannot be trained here."""
    if needed and not installed() and not is_taught(data):
        raise UsageError(UNINSTALLED, INSTALL)
