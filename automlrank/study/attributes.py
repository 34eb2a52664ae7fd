"""Attributes in Optuna's database: every key of a trial and of a study, with its type.

The name of an attribute is its key in ``study.db``. Only this module names keys; everything else
reads and writes ``TrialAttributes(trial)`` and ``StudyAttributes(study)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar, overload

import optuna
from optuna.trial import FrozenTrial

T = TypeVar("T")


class Attribute(Generic[T]):
    """One attribute of a view; None as long as nobody has written it."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.key = name

    @overload
    def __get__(self, view: None, owner: type) -> Self: ...

    @overload
    def __get__(self, view: TrialAttributes | StudyAttributes, owner: type) -> T | None: ...

    def __get__(
        self, view: TrialAttributes | StudyAttributes | None, owner: type
    ) -> Self | T | None:
        return self if view is None else view.of.user_attrs.get(self.key)

    def __set__(self, view: TrialAttributes | StudyAttributes, value: T | None) -> None:
        view.of.set_user_attr(self.key, value)

    def is_written(self, view: TrialAttributes | StudyAttributes) -> bool:
        """Return True if the attribute has been written, be it with None."""
        return self.key in view.of.user_attrs


@dataclass(eq=False)
class TrialAttributes:
    """The attributes of one trial, running or finished; a finished one cannot be written."""

    of: optuna.Trial | FrozenTrial

    worker = Attribute[str]()
    """Name of the process that runs the trial."""
    name = Attribute[str]()
    """Name of the reference that the trial trains; a drawn architecture has none."""
    fingerprint = Attribute[str]()
    """Fingerprint of the architecture."""
    architecture = Attribute[Mapping[str, Any]]()
    """The architecture as plain data."""
    summary = Attribute[str]()
    """The architecture in one line."""
    state = Attribute[str]()
    """State of the record where Optuna's is too coarse: duplicate, over_budget."""
    duplicate_of = Attribute[int]()
    """Number of an earlier trial of the same architecture."""
    cost = Attribute[Mapping[str, Any]]()
    """Parameters, bytes of embeddings and FLOPs."""
    latency_ms = Attribute[Mapping[str, Any]]()
    """Percentiles of the latency of a request."""
    training_seed = Attribute[int]()
    """Seed of the training; a retry has that of the trial that it replaces."""
    began = Attribute[float]()
    """UNIX time at which the training began; None if it was given up for others' trainings."""
    stopped_at = Attribute[int]()
    """The rung at which halving stopped the trial."""
    valid = Attribute[Mapping[str, Any]]()
    """Scores on the validation split."""
    rows_seen = Attribute[int]()
    """Number of training rows up to the end."""
    zero_shares = Attribute[Mapping[str, float]]()
    """Shares of exact zeros by parameter."""
    weights = Attribute[Mapping[str, Any]]()
    """Weights of the tasks by epoch, where the balance moves them."""
    reason = Attribute[str]()
    """Reason why the trial was not completed."""
    cut_off = Attribute[bool]()
    """True if something outside the trial stopped it: it is run again."""
    retry = Attribute[int]()
    """Number of processes that have died with the trial; only a retry has it."""
    seconds = Attribute[float]()
    """Duration of the trial."""

    @property
    def is_reference(self) -> bool:
        """True if the trial trains a reference of the space."""
        return self.name is not None

    @property
    def gave_way(self) -> bool:
        """True if the trial stopped untrained because enough trainings had started before it."""
        return type(self).began.is_written(self) and self.began is None

    @property
    def is_being_drawn(self) -> bool:
        """True if it is not decided yet if a drawn architecture is trained."""
        return not type(self).began.is_written(self) and not self.is_reference

    def at_rung(self, rows: int) -> tuple[float, float] | None:
        """Return the (metric, latency) at a rung, or None if the trial was not judged there."""
        pair = self.of.user_attrs.get(f"{RUNG}{rows}")
        return tuple(pair) if pair else None

    def keep_rung(self, rows: int, metric: float, latency: float) -> None:
        """Write the (metric, latency) at a rung."""
        self.of.set_user_attr(f"{RUNG}{rows}", [metric, latency])

    @property
    def has_reached_a_rung(self) -> bool:
        return any(key.startswith(RUNG) for key in self.of.user_attrs)

    def for_retry(self, deaths: int) -> dict[str, Any]:
        """Return the attributes of a trial that replaces this one."""
        kept = {key: self.of.user_attrs[key] for key in INHERITED if key in self.of.user_attrs}
        return {**kept, TrialAttributes.retry.key: deaths}

    @staticmethod
    def for_reference(name: str) -> dict[str, Any]:
        """Return the attributes of a queued trial that trains a reference."""
        return {TrialAttributes.name.key: name}


@dataclass(eq=False)
class StudyAttributes:
    """The attributes of a study: every process of a search reads and writes them."""

    of: optuna.Study

    identity = Attribute[Mapping[str, str]]()
    """Inputs that all trials of the study have in common."""
    replaced = Attribute[list[int]]()
    """Numbers of the trials that a retry replaced."""
    stop = Attribute[str]()
    """Reason for which every worker must stop; empty while the search continues."""
    drawn_before = Attribute[int]()
    """Number of trials when the current session began."""
    deadline = Attribute[float]()
    """UNIX time at which trials stop; 0 if there is no limit."""

    def replace(self, number: int) -> None:
        """Add a trial to those that a retry replaced."""
        self.replaced = [*(self.replaced or ()), number]

    def reference(self, name: str) -> Mapping[str, Any] | None:
        """Return the record of a reference that ran beside the study, or None."""
        return self.of.user_attrs.get(f"{REFERENCE}{name}")

    def keep_reference(self, name: str, record: Mapping[str, Any]) -> None:
        """Write the record of a reference that ran beside the study."""
        self.of.set_user_attr(f"{REFERENCE}{name}", record)

    @property
    def references(self) -> list[Mapping[str, Any]]:
        """Records of all references that ran beside the study."""
        return self._of_prefix(REFERENCE)

    def keep_processor(self, process: str, computing: float, total: float) -> None:
        """Write a process's seconds of processor time: in training and scoring, and in all."""
        self.of.set_user_attr(f"{PROCESSOR}{process}", [computing, total])

    @property
    def processor(self) -> list[tuple[float, float]]:
        """Seconds of processor time of each process: in training and scoring, and in all."""
        return [(computing, total) for computing, total in self._of_prefix(PROCESSOR)]

    def _of_prefix(self, prefix: str) -> list[Any]:
        return [value for key, value in self.of.user_attrs.items() if key.startswith(prefix)]


RUNG, REFERENCE, PROCESSOR = "rung:", "reference:", "processor:"
INHERITED = tuple(
    attribute.key
    for attribute in (TrialAttributes.name, TrialAttributes.training_seed, TrialAttributes.began)
)
