"""What a search compares its trials with: networks outside the space, boosted trees, the incumbent.

A rival has a name and a way to be trained with a seed. What comes out has scores and logits of a
split and, where it answers requests, a latency; networks, trees and fixed scores go one way.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
from torch import nn

from automlrank.architecture import Architecture
from automlrank.candidates.evaluator import Evaluator
from automlrank.measurement.fusion import judged
from automlrank.measurement.latency import Latency
from automlrank.measurement.metrics import Metric, evaluate
from automlrank.model.network import build
from automlrank.runs.events import TrainingUpdate
from automlrank.runs.folder import RunFolder
from automlrank.runs.record import plain
from automlrank.runs.stop_reasons import TimeIsUp
from automlrank.schema import Schema
from automlrank.training.loop import predict, score, score_logits
from automlrank.training.progress import Progress
from automlrank.training.trained import Trained
from automlrank.training.trees.baseline import Trees, fit_trees
from automlrank.training.trees.params import ROUNDS, SETTINGS, installed

Logits = npt.NDArray[Any]
Scores = Mapping[str, float]


class BaselineRun(Protocol):
    """One training of a rival."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What a record keeps of it beside its scores."""

    def scores(self, split: str) -> Scores:
        """The metric by task."""

    def logits(self, split: str) -> Logits:
        """``[rows, tasks]`` of a split; NaN where a row has none."""

    def latency(self) -> Latency | None:
        """Of one request; None where nothing answers one."""

    def keep(self, folder: RunFolder) -> None:
        """Write what a later command needs of it."""


class Baseline(Protocol):
    """What can be trained and compared; ``is_fixed`` where no seed changes its scores."""

    is_fixed: ClassVar[bool]

    @property
    def name(self) -> str: ...

    @property
    def summary(self) -> str: ...

    @property
    def fingerprint(self) -> str: ...

    @property
    def architecture(self) -> Mapping[str, Any]:
        """As a record holds it; empty for what is none."""

    def cost(self, bench: Evaluator) -> Mapping[str, Any]:
        """What a record holds of its size, known before anything is trained."""

    def train(self, bench: Evaluator, seed: int, what: str) -> BaselineRun:
        """Raises TimeIsUp past the deadline, TrialError where it cannot go on."""

    def served(self, bench: Evaluator, folder: RunFolder) -> nn.Module | None:
        """What answers requests as fast as a trained one; None where nothing does, or was kept."""


@dataclass(frozen=True)
class ModelRun:
    """A trained module that answers batches."""

    bench: Evaluator
    model: nn.Module
    valid: Scores

    @property
    def facts(self) -> Mapping[str, Any]:
        return {}

    def scores(self, split: str) -> Scores:
        if split == "valid":
            return self.valid
        return score_logits(self.logits(split), self.bench.data, split, self.bench.metric)

    def logits(self, split: str) -> Logits:
        return predict(self.model, self.bench.data, split, self.bench.goal.device)

    def latency(self) -> Latency | None:
        return self.bench.latency(self.model)


@dataclass(frozen=True)
class NetworkRun(ModelRun):
    """A trained network: its weights and its curve are kept."""

    architecture: Architecture
    trained: Trained

    @property
    def facts(self) -> Mapping[str, Any]:
        zeros = dict(self.trained.zero_shares)
        return {
            "rows_seen": self.trained.rows,
            "zero_shares": zeros,
            "weights": self.trained.weights,
        }

    def keep(self, folder: RunFolder) -> None:
        folder.keep(self.architecture, self.trained)


@dataclass(frozen=True)
class NetworkBaseline:
    """An architecture of ours."""

    of: Architecture
    is_fixed: ClassVar[bool] = False

    @property
    def name(self) -> str:
        return self.of.name

    @property
    def summary(self) -> str:
        return self.of.summary

    @property
    def fingerprint(self) -> str:
        return self.of.fingerprint

    @property
    def architecture(self) -> Mapping[str, Any]:
        return plain(self.of.to_data())  # type: ignore[no-any-return]

    def cost(self, bench: Evaluator) -> Mapping[str, Any]:
        return vars(bench.cost(bench.wire(self.of)))

    def train(self, bench: Evaluator, seed: int, what: str) -> BaselineRun:
        model = build(bench.wire(self.of), seed)
        trained = bench.train(model, self.of, seed, what)
        return NetworkRun(bench, trained.model, trained.scores, self.of, trained)

    def served(self, bench: Evaluator, folder: RunFolder) -> nn.Module:
        return build(bench.wire(self.of), seed=0)  # a latency does not depend on weights


@dataclass(frozen=True)
class TreesRun(ModelRun):
    """Trained trees: they are kept, because how fast they are depends on how many they are."""

    model: Trees
    fingerprint: str

    def keep(self, folder: RunFolder) -> None:
        self.model.save(folder.trees(self.fingerprint))


@dataclass(frozen=True)
class _NoArchitecture:
    """What is no architecture: it has a name and a sentence, and nothing to count."""

    name: str
    summary: str
    is_fixed: ClassVar[bool] = False

    @property
    def settings(self) -> object:
        """What makes it another one than its namesake."""
        return None

    @property
    def fingerprint(self) -> str:
        text = json.dumps([self.name, self.settings], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def architecture(self) -> Mapping[str, Any]:
        return {}

    def cost(self, bench: Evaluator) -> Mapping[str, Any]:
        return {}


@dataclass(frozen=True)
class TreesBaseline(_NoArchitecture):
    """Boosted trees by LightGBM, with or without target rates (``fit_trees``)."""

    with_rates: bool

    @property
    def settings(self) -> object:
        return {**SETTINGS, "rounds": ROUNDS}

    def train(self, bench: Evaluator, seed: int, what: str) -> BaselineRun:
        def tell(progress: Progress) -> None:
            bench.listen(TrainingUpdate(what, self.summary, progress))
            if bench.out_of_time():
                raise TimeIsUp

        data, metric = bench.data, bench.metric
        trees = fit_trees(data, with_rates=self.with_rates, seed=seed, metric=metric, tell=tell)
        return TreesRun(bench, trees, score(trees, data, "valid", metric), self.fingerprint)

    def served(self, bench: Evaluator, folder: RunFolder) -> nn.Module | None:
        place = folder.trees(self.fingerprint)
        if not place.is_dir():
            return None
        return Trees.load(place, bench.data, with_rates=self.with_rates)


@dataclass(frozen=True)
class FixedRun:
    """Scores that came with the data; a row without one does not count."""

    bench: Evaluator

    @property
    def facts(self) -> Mapping[str, Any]:
        return {}

    def scores(self, split: str) -> Scores:
        data, metric, logits = self.bench.data, self.bench.metric, self.logits(split)[:, 0]
        judge = partial(evaluate, metric, groups=data.groups(split))
        labels = where_scored(data.labels(split).T, logits).T
        if metric.fused:
            return {metric.name: judged(judge, labels, logits, data.schema.exponents)}
        return {data.schema.tasks[0].name: judge(labels[:, 0], logits)}

    def logits(self, split: str) -> Logits:
        scores = self.bench.data.incumbent(split)
        assert scores is not None
        return scores[:, None]

    def latency(self) -> Latency | None:
        return None

    def keep(self, folder: RunFolder) -> None:
        """Nothing: the store has the scores."""


@dataclass(frozen=True)
class Incumbent(_NoArchitecture):
    """The model in use, by a column of its score: of the primary task, or the fused one."""

    is_fixed: ClassVar[bool] = True

    @property
    def settings(self) -> object:
        return self.summary

    def train(self, bench: Evaluator, seed: int, what: str) -> BaselineRun:
        return FixedRun(bench)

    def served(self, bench: Evaluator, folder: RunFolder) -> None:
        return None


BOOSTED = {
    rival.name: rival
    for rival in (
        TreesBaseline("lightgbm", "LightGBM, ids as categories", with_rates=False),
        TreesBaseline("lightgbm_rates", "LightGBM with target rates", with_rates=True),
    )
}


def outsiders(
    schema: Schema, names: Sequence[str], metric: Metric
) -> tuple[list[Baseline], dict[str, str]]:
    """The schema's incumbent and the boosted trees among ``names``, and why others are skipped."""
    usable: list[Baseline] = []
    skipped: dict[str, str] = {}
    if schema.incumbent is not None:
        if metric.weights:
            skipped["incumbent"] = "its score is of one task, the metric of several."
        elif metric.of_order:
            usable.append(Incumbent("incumbent", f"the present model ({schema.incumbent!r})"))
        else:
            skipped["incumbent"] = (
                f"its score may have any scale, which {metric.name} cannot judge."
            )
    for rival in (BOOSTED[name] for name in dict.fromkeys(names) if name in BOOSTED):
        if not installed():
            skipped[rival.name] = "LightGBM is not installed: pip install 'automlrank[lightgbm]'."
        elif rival.with_rates and not schema.rated:
            skipped[rival.name] = "the schema has no statistics."
        else:
            usable.append(rival)
    return usable, skipped


def where_scored(labels: Logits, *scores: Logits) -> Logits:
    """The labels of rows, the last axis, that every score knows; NaN elsewhere: not counted."""
    unknown = np.isnan(np.stack(scores)).any(axis=0)
    return np.where(unknown, np.nan, labels)
