"""Gradient-boosted trees as a baseline, trained on the same encoded rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from automlrank.data.dataset import Batch, Dataset
from automlrank.data.values import Array
from automlrank.errors import TrialError
from automlrank.measurement.metrics import AUC, LOGLOSS, Metric, evaluate, metric_of
from automlrank.training.progress import Progress
from automlrank.training.trees.features import TreeFeatures, flat_of
from automlrank.training.trees.params import PATIENCE, ROUNDS, SETTINGS, gathered, labelled

if TYPE_CHECKING:
    from lightgbm import Booster
    from lightgbm.callback import CallbackEnv

LARGEST_SEED = 2**31 - 1


class Trees(nn.Module):
    """Trained boosters, one a task, that answer a batch as a network does, ``[rows, tasks]``.

    Making the matrix from the batch is a part of it, and therefore of its latency; it uses as many
    threads as torch may.
    """

    def __init__(self, flat: TreeFeatures, boosters: Sequence[Booster]) -> None:
        super().__init__()
        self.flat = flat
        self.boosters = list(boosters)

    def forward(self, batch: Batch) -> Tensor:
        matrix, threads = self.flat(batch), torch.get_num_threads()
        logits = [b.predict(matrix, raw_score=True, num_threads=threads) for b in self.boosters]
        return torch.from_numpy(np.stack([np.asarray(x) for x in logits], axis=1))

    def save(self, folder: Path) -> None:
        """Write each task's booster, to be read by ``load``."""
        folder.mkdir(parents=True, exist_ok=True)
        for i, booster in enumerate(self.boosters):
            text = booster.model_to_string()
            (folder / f"{i}.txt").write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, data: Dataset, *, with_rates: bool) -> Trees:
        """Return the trees that ``save`` wrote; raises TrialError if they cannot be read."""
        from lightgbm import Booster
        from lightgbm.basic import LightGBMError

        paths = [folder / f"{i}.txt" for i in range(len(data.schema.tasks))]
        try:
            boosters = [Booster(model_file=path) for path in paths]
        except LightGBMError as error:
            raise TrialError(str(error)) from error
        return cls(flat_of(data.schema, data.encoder, with_rates=with_rates), boosters)


def fit_trees(
    data: Dataset,
    *,
    with_rates: bool,
    seed: int,
    metric: Metric = AUC,
    tell: Callable[[Progress], None],
) -> Trees:
    """Train until the validation metric stands still; the best rounds stay.

    Learning rate 0.05, 63 leaves of at least 100 rows, L2 of 1, 80 % of rows and of features a
    tree, at most 2,000 rounds, 50 without a gain; every task has trees of its own. ``tell`` hears
    of every round as of an epoch, with the loss on validation rows. Raises TrialError if
    LightGBM refuses.
    """
    from lightgbm.basic import LightGBMError

    try:
        return _Boosting(data, with_rates, seed, metric, tell).trees()
    except LightGBMError as error:
        raise TrialError(str(error)) from error


class _Boosting:
    """Training of all tasks' trees on matrices that are built once."""

    def __init__(
        self,
        data: Dataset,
        with_rates: bool,
        seed: int,
        metric: Metric,
        tell: Callable[[Progress], None],
    ) -> None:
        self.data, self.metric, self.tell = data, metric, tell
        self.began = time.perf_counter()
        self.flat = flat_of(data.schema, data.encoder, with_rates=with_rates)
        self.train, self.valid = (labelled(data, split, self.flat) for split in ("train", "valid"))
        self.settings = SETTINGS | {
            "seed": seed % LARGEST_SEED,
            "num_threads": torch.get_num_threads(),
        }

    def trees(self) -> Trees:
        boosters: list[Booster] = []
        for task in range(len(self.data.schema.tasks)):
            boosters.append(self.booster(task, boosters[0].best_iteration if boosters else ROUNDS))
        return Trees(self.flat, boosters)

    def booster(self, task: int, rounds: int) -> Booster:
        """Return one task's trees: ``rounds`` of them if validation holds a single label of it."""
        import lightgbm

        train = self.train.of(self.train.known(task), task)
        judged = self.valid.known(task)
        valid, groups = self.valid.of(judged, task), self.data.groups("valid")
        within = None if groups is None else groups[judged]
        kind = self.data.schema.tasks[task].kind
        metric = metric_of(self.metric, kind)
        settings, names = self.settings, dict.fromkeys((metric, LOGLOSS))
        if kind == "regression":
            settings, names = settings | {"objective": "regression"}, {metric: None}
        made = gathered(train, self.flat.categories, settings)
        if len(np.unique(valid.labels)) < 2:
            return lightgbm.train(settings, made, rounds)
        return lightgbm.train(
            settings,
            made,
            ROUNDS,
            valid_sets=[made.create_valid(valid.matrix, valid.labels)],
            feval=[self.scorer(name, valid.labels, within) for name in names],
            callbacks=[
                lightgbm.early_stopping(PATIENCE, first_metric_only=True, verbose=False),
                self.heard,
            ],
        )

    def scorer(
        self, metric: Metric, labels: Array, groups: Array | None
    ) -> Callable[[Array, Any], tuple[str, float, bool]]:
        """Return a metric as LightGBM calls it: predictions of a binary task are probabilities."""

        def score(predictions: Array, _: Any) -> tuple[str, float, bool]:
            logits = predictions
            if metric.kind == "binary":
                p = np.clip(predictions, 1e-15, 1 - 1e-15)
                logits = np.log(p) - np.log1p(-p)
            value = evaluate(metric, labels, logits, groups)
            return metric.name, value, metric.up

        return score

    def heard(self, env: CallbackEnv) -> None:
        """Report a round."""
        found = {name: value for _, name, value, *_ in env.evaluation_result_list or ()}
        rows = (env.iteration + 1) * len(self.train.matrix)
        seconds = time.perf_counter() - self.began
        loss = float(next(reversed(found.values())))  # of a binary task the log loss
        self.tell(Progress(env.iteration, rows, loss, seconds))
