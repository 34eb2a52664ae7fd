"""Networks as baselines: architectures outside the space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

from automlrank.architecture import Architecture
from automlrank.candidates.baseline import BaselineRun, ModelRun
from automlrank.candidates.evaluator import Evaluator
from automlrank.model.network import build
from automlrank.runs.folder import RunFolder
from automlrank.runs.record import plain
from automlrank.training.trained import Trained


@dataclass(frozen=True)
class NetworkRun(ModelRun):
    """A trained network with its weights and its learning curve."""

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
    """An architecture as a baseline."""

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

    def cost(self, evaluator: Evaluator) -> Mapping[str, Any]:
        return vars(evaluator.cost(evaluator.wire(self.of)))

    def train(self, evaluator: Evaluator, seed: int, what: str) -> BaselineRun:
        model = build(evaluator.wire(self.of), seed)
        return self.run_of(evaluator, evaluator.train(model, self.of, seed, what))

    def run_of(self, evaluator: Evaluator, trained: Trained) -> NetworkRun:
        """Return a training as a baseline's."""
        return NetworkRun(evaluator, trained.model, trained.scores, self.of, trained)

    def served(self, evaluator: Evaluator, folder: RunFolder) -> nn.Module:
        return build(evaluator.wire(self.of), seed=0)  # a latency does not depend on weights
