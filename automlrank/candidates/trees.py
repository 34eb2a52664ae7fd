"""Boosted trees by LightGBM as baselines."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from automlrank.candidates.baseline import BaselineRun, ModelRun, WithoutArchitecture
from automlrank.candidates.evaluator import Evaluator
from automlrank.runs.events import TrainingUpdate
from automlrank.runs.folder import RunFolder
from automlrank.runs.stop_reasons import TimeIsUp
from automlrank.training.loop import score
from automlrank.training.progress import Progress
from automlrank.training.trees.baseline import Trees, fit_trees
from automlrank.training.trees.params import ROUNDS, SETTINGS


@dataclass(frozen=True)
class TreesRun(ModelRun):
    """Trained trees, kept because their latency depends on their number."""

    model: Trees
    fingerprint: str

    def keep(self, folder: RunFolder) -> None:
        self.model.save(folder.trees(self.fingerprint))


@dataclass(frozen=True)
class TreesBaseline(WithoutArchitecture):
    """Boosted trees, with or without target rates (see ``fit_trees``)."""

    with_rates: bool

    @property
    def settings(self) -> object:
        return {**SETTINGS, "rounds": ROUNDS}

    def train(self, evaluator: Evaluator, seed: int, what: str) -> BaselineRun:
        def tell(progress: Progress) -> None:
            evaluator.listen(TrainingUpdate(what, self.summary, progress))
            if evaluator.out_of_time():
                raise TimeIsUp

        data, metric = evaluator.data, evaluator.metric
        trees = fit_trees(data, with_rates=self.with_rates, seed=seed, metric=metric, tell=tell)
        return TreesRun(evaluator, trees, score(trees, data, "valid", metric), self.fingerprint)

    def served(self, evaluator: Evaluator, folder: RunFolder) -> nn.Module | None:
        place = folder.trees(self.fingerprint)
        if not place.is_dir():
            return None
        return Trees.load(place, evaluator.data, with_rates=self.with_rates)


LIGHTGBM = TreesBaseline("lightgbm", "LightGBM, ids as categories", with_rates=False)
LIGHTGBM_RATES = TreesBaseline("lightgbm_rates", "LightGBM with target rates", with_rates=True)
BOOSTED = {baseline.name: baseline for baseline in (LIGHTGBM, LIGHTGBM_RATES)}
