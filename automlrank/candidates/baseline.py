"""Interface of baselines: models that a search trains beside its trials to compare with them.

A baseline has a name and can be trained with a seed. Its run has scores and logits of a split and,
if it answers requests, a latency: networks, boosted trees and fixed scores are used alike.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy.typing as npt
from torch import nn

from automlrank.candidates.evaluator import Evaluator
from automlrank.measurement.latency import Latency
from automlrank.runs.folder import RunFolder
from automlrank.training.loop import predict, score_logits

Logits = npt.NDArray[Any]
Scores = Mapping[str, float]


class BaselineRun(Protocol):
    """One training of a baseline."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """Fields of its record beside the scores."""

    def scores(self, split: str) -> Scores:
        """Return the metric by task."""

    def logits(self, split: str) -> Logits:
        """Return ``[rows, tasks]`` of a split; NaN where a row has none."""

    def latency(self) -> Latency | None:
        """Return the latency of a request; None if nothing answers one."""

    def keep(self, folder: RunFolder) -> None:
        """Write the files that a later command needs."""


class Baseline(Protocol):
    """A model to compare with; ``is_fixed`` is true if its scores do not depend on a seed."""

    is_fixed: ClassVar[bool]

    @property
    def name(self) -> str: ...

    @property
    def summary(self) -> str: ...

    @property
    def fingerprint(self) -> str: ...

    @property
    def architecture(self) -> Mapping[str, Any]:
        """The architecture as a record holds it; empty if it is not one."""

    def cost(self, evaluator: Evaluator) -> Mapping[str, Any]:
        """Return the fields of a record that tell its size; they are known before training."""

    def train(self, evaluator: Evaluator, seed: int, what: str) -> BaselineRun:
        """Train it; raises TimeIsUp past the deadline, TrialError if it cannot continue."""

    def served(self, evaluator: Evaluator, folder: RunFolder) -> nn.Module | None:
        """Return a module as fast as a trained one; None if nothing serves, or was kept."""


@dataclass(frozen=True)
class ModelRun:
    """A trained module that answers batches."""

    evaluator: Evaluator
    model: nn.Module
    valid: Scores

    @property
    def facts(self) -> Mapping[str, Any]:
        return {}

    def scores(self, split: str) -> Scores:
        if split == "valid":
            return self.valid
        return score_logits(self.logits(split), self.evaluator.data, split, self.evaluator.metric)

    def logits(self, split: str) -> Logits:
        return predict(self.model, self.evaluator.data, split, self.evaluator.config.device)

    def latency(self) -> Latency | None:
        return self.evaluator.latency(self.model)


@dataclass(frozen=True)
class WithoutArchitecture:
    """A baseline that is not an architecture: a name and a description, no cost."""

    name: str
    summary: str
    is_fixed: ClassVar[bool] = False

    @property
    def settings(self) -> object:
        """Settings that tell apart two baselines of the same name."""
        return None

    @property
    def fingerprint(self) -> str:
        text = json.dumps([self.name, self.settings], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def architecture(self) -> Mapping[str, Any]:
        return {}

    def cost(self, evaluator: Evaluator) -> Mapping[str, Any]:
        return {}
