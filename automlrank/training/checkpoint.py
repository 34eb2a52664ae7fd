"""Checkpoints of a training as safetensors, from which an interrupted training resumes."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from automlrank.errors import reason_of
from automlrank.files import disk_error
from automlrank.training.course import Course
from automlrank.training.progress import Progress
from automlrank.training.step import Trainer
from automlrank.training.tensors import read_tensors, write_tensors

SECONDS = 20.0  # between two checkpoints at least: the most that a kill costs


class Checkpoint:
    """The file of one training's state, written at most every ``seconds``.

    If it cannot be written or read, ``tell`` is called with the reason, and training goes on:
    without checkpoints from then, or from its start.
    """

    def __init__(
        self, path: Path, tell: Callable[[str], None], seconds: float | None = None
    ) -> None:
        self.path = path
        self.tell = tell
        self.seconds = SECONDS if seconds is None else seconds
        self.last = time.monotonic()
        self.can_write = True

    @property
    def is_due(self) -> bool:
        return self.can_write and time.monotonic() - self.last >= self.seconds

    def save(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Replace the file, whole or not at all."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_tensors(self.path, tensors, json.dumps(dict(facts)))
        except OSError as error:
            self.can_write = False
            self.tell(f"No more checkpoints of this training: {self.path}: {disk_error(error)}.")
        self.last = time.monotonic()

    def load(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Return the tensors and facts of the last state; None if none can be read."""
        if not self.path.is_file():
            return None
        try:
            tensors, facts = read_tensors(self.path)
            return tensors, dict(json.loads(facts))
        except (OSError, SafetensorError, TypeError, ValueError) as error:
            self.refuse(error)
            return None

    def refuse(self, error: Exception) -> None:
        """Say that the training begins anew, and why."""
        reason = reason_of(error).rstrip(".")
        self.tell(f"{self.path} cannot be read, so its training begins anew: {reason}.")

    def drop(self) -> None:
        """Remove it: the training has finished."""
        self.path.unlink(missing_ok=True)


def save_course(checkpoint: Checkpoint, course: Course, trainer: Trainer) -> None:
    """Write the epochs behind a training, and the trainer as it is now."""
    facts = {
        "ends": [dataclasses.asdict(end) for end in course.ends],
        "waited": course.waited,
        "drops": trainer.drops,
    }
    models = {"model": trainer.model, "balance": trainer.balance}
    checkpoint.save(training_state(models, course.best_weights, trainer.optimizers), facts)


def load_course(checkpoint: Checkpoint, trainer: Trainer) -> Course:
    """Return the epochs of a checkpoint and restore the trainer; no epochs without one."""
    found = checkpoint.load()
    if found is None:
        return Course()
    tensors, facts = found
    models = {"model": trainer.model, "balance": trainer.balance}
    state = training_state(models, {}, trainer.optimizers)
    before = {name: tensor.clone() for name, tensor in state.items()}
    try:
        best = restore_state(tensors, models, trainer.optimizers)
    except (KeyError, RuntimeError, TypeError, ValueError) as error:  # of another architecture
        restore_state(before, models, trainer.optimizers)
        checkpoint.refuse(error)
        return Course()
    trainer.drops = facts["drops"]
    return Course([Progress(**end) for end in facts["ends"]], best, facts["waited"])


def training_state(
    modules: Mapping[str, nn.Module],
    best: Mapping[str, Tensor],
    optimizers: Sequence[torch.optim.Optimizer],
) -> dict[str, Tensor]:
    """Return all tensors that a training resumes from, by one level of names."""
    tensors = {
        f"{key}.{name}": tensor
        for key, module in modules.items()
        for name, tensor in module.state_dict().items()
    }
    tensors |= {f"best.{name}": tensor for name, tensor in best.items()}
    for i, optimizer in enumerate(optimizers):
        for place, values in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{i}.{place}.{key}": value for key, value in values.items()}
    return tensors | {"random": torch.get_rng_state()}


def restore_state(
    tensors: Mapping[str, Tensor],
    modules: Mapping[str, nn.Module],
    optimizers: Sequence[torch.optim.Optimizer],
) -> dict[str, Tensor]:
    """Put the state back; return the best weights so far."""
    for key, module in modules.items():
        module.load_state_dict(_below(tensors, f"{key}."))
    for i, optimizer in enumerate(optimizers):
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _below(tensors, f"optimizer.{i}.").items():
            place, key = name.split(".", 1)
            state.setdefault(int(place), {})[key] = tensor
        optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    torch.set_rng_state(tensors["random"])
    return _below(tensors, "best.")


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}
