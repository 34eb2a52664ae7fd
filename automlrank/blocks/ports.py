"""Ports: shapes of the inputs and outputs of blocks.

Along the edges of a model flow ``Fields``, a ``Vector``, a ``Logit`` or ``Tasks``; the other
ports are root inputs, which a block takes by the name of a parameter of its ``out`` (and the
module by the names of its ``forward``):

    parameter   port         tensors that ``forward`` may name
    fields      Fields       fields [batch, n, dim], before the gate
    context     Context      context [batch, n, dim]: the columns marked ``context: true``
    scenario    Scenario     scenario_id [batch] (below FIRST_ID: unseen), scenario [batch, dim]
    columns     Columns      ids [batch, n], numbers [batch, m] (NaN = null), bags: a list of
                             [batch, length], vectors: a list of [batch, size] (NaN = null)
    crosses     Crosses      none: only the pairs of columns that the schema names
    statistics  Statistics   statistics [batch, n]: rates and counts (see Statistics)
    history     History      keys, target, mask, age, session, key_ids, target_id (see History)
    targets     Targets      none: only the number of tasks

Losses and balances have no ``out``: they are built of ``Labels``.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from automlrank.schema import Schema

PAD_ID, NULL_ID, OOV_ID, FIRST_ID = 0, 1, 2, 3  # FIRST_ID: the most frequent value
AGES = 40  # buckets of the time from a behaviour to the row


class Shape:
    """A port: the shape of a value, and the reason why a schema has none."""

    @classmethod
    def absent(cls, schema: Schema, tensors: Collection[str] = ()) -> str | None:
        """Return why ``schema`` lacks this input, or one of its ``tensors``; None if it has all."""
        return None


@dataclass(frozen=True)
class Fields(Shape):
    """One embedding per column: ``[batch, n, dim]``."""

    n: int
    dim: int


@dataclass(frozen=True)
class Vector(Shape):
    """One vector: ``[batch, dim]``."""

    dim: int


@dataclass(frozen=True)
class Logit(Shape):
    """Summand of the tasks' logits, ``[batch, tasks]``; it skips everything that follows."""

    tasks: int


@dataclass(frozen=True)
class Tasks(Shape):
    """One vector per task: ``[batch, n, dim]``."""

    n: int
    dim: int


@dataclass(frozen=True)
class History(Shape):
    """One sequence of behaviours, its columns joined per position.

    ``keys [batch, length, dim]``, ``target [batch, dim]``, ``mask [batch, length]`` (true = a
    real behaviour; the real ones come first, oldest first). ``dim`` is the number of columns
    times the embedding's width. A block that names them in its ``forward`` asks for a schema with
    times: ``age [batch, length]``, the bucket of the time gap to the row, 1 to AGES, and
    ``session [batch, length]``, the number of the behaviour's session, 1 for the oldest kept;
    both int32, 0 where the mask is false. ``key_ids [batch, length]`` and ``target_id [batch]`` are
    those of the sequence's first column, of ``ids`` in all; a sequence whose first column holds
    several ids a behaviour has none, and ``ids`` is 0.

    A module may have two more methods, whose parameters are named alike. ``extract`` does not
    read the target: serving runs it once per request, and ``forward`` takes its result as
    ``extracted``. ``loss`` gives an auxiliary loss, weighted, a number: it may take ``extracted``
    and ``negatives [batch, length, dim]``, behaviours drawn from the batch, and runs in training
    only.
    """

    dim: int
    length: int
    ids: int

    @classmethod
    def absent(cls, schema: Schema, tensors: Collection[str] = ()) -> str | None:
        if not schema.sequences:
            return "the schema has no history column"
        untimed = [name for name in schema.sequences if not schema.timed(name)]
        if untimed and not {"age", "session"}.isdisjoint(tensors):
            return f"the histories of {', '.join(untimed)} have no time"
        first = {name: schema.feature(of[0].of) for name, of in schema.sequences.items()}
        bags = [name for name, feature in first.items() if feature.role != "ids"]
        if bags and "key_ids" in tensors:
            named = ", ".join(bags)
            return f"the first history of {named} is of a multi feature, so it has no one id"
        return None


@dataclass(frozen=True)
class Columns(Shape):
    """Raw inputs: ``sizes`` ids per column of ids, then ``numbers``, ``bags`` and ``vectors``.

    ``sizes`` counts PAD_ID, NULL_ID and OOV_ID too; ``bags`` are the sizes of the multi columns,
    whose lists are padded with PAD_ID, and ``pools`` says ``mean`` or ``sum`` for each; ``vectors``
    are the lengths of the vector columns.
    """

    sizes: tuple[int, ...]
    numbers: int
    bags: tuple[int, ...]
    pools: tuple[str, ...]
    vectors: tuple[int, ...]


@dataclass(frozen=True)
class Crosses(Shape):
    """The pairs of categorical columns that the schema names, by their places among the ids."""

    pairs: tuple[tuple[int, int], ...]

    @classmethod
    def absent(cls, schema: Schema, tensors: Collection[str] = ()) -> str | None:
        few = len(schema.of_role("ids")) < 2
        return "the schema has no two categorical columns" if few else None


@dataclass(frozen=True)
class Statistics(Shape):
    """Rates of each column or pair for every task, then its count: ``[batch, n]``.

    ``dim`` is the embedding's width, 0 in a model without one.
    """

    n: int
    dim: int

    @classmethod
    def absent(cls, schema: Schema, tensors: Collection[str] = ()) -> str | None:
        return None if schema.rated else "the schema has no statistics"


@dataclass(frozen=True)
class Context(Shape):
    """Fields of the columns marked ``context: true``: ``[batch, n, dim]``."""

    n: int
    dim: int

    @classmethod
    def absent(cls, schema: Schema, tensors: Collection[str] = ()) -> str | None:
        marked = any(getattr(feature, "context", False) for feature in schema.features)
        return None if marked else "the schema marks no column as context"


@dataclass(frozen=True)
class Scenario(Shape):
    """Scenario of each row: ``scenario_id [batch]`` of ``size`` ids, embedded ``[batch, dim]``."""

    size: int
    dim: int

    @classmethod
    def absent(cls, schema: Schema, tensors: Collection[str] = ()) -> str | None:
        return "the schema names no scenario" if schema.scenario is None else None


@dataclass(frozen=True)
class Targets(Shape):
    """The number of tasks."""

    n: int


@dataclass(frozen=True)
class Labels:
    """Statistics of the tasks' labels before training; a value per task, in the schema's order.

    ``parents`` is the index of the task that must have happened first, -1 for none; ``rates`` is
    the mean label and ``deviations`` the standard deviation of a regression task's (None for a
    binary one), both over the training rows that count for the task; ``weights`` are the schema's;
    ``negatives`` is the share of the first task's negatives that training keeps.
    """

    parents: tuple[int, ...]
    rates: tuple[float, ...]
    deviations: tuple[float | None, ...]
    weights: tuple[float, ...]
    negatives: float = 1.0

    @property
    def n(self) -> int:
        return len(self.parents)


Flow = Fields | Vector | Logit | Tasks
Root = Columns | Crosses | Statistics | Context | Scenario | Targets | History
Port = Flow | Root
