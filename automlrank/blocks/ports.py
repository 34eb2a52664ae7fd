"""Ports: what flows between blocks, as shapes without a tensor.

What flows along the edges of a model is ``Fields``, ``Vector``, ``Logit`` or ``Tasks``; the
others are root inputs, which a block takes by the name of a parameter of its ``out`` (and the
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

from dataclasses import dataclass

PAD_ID, NULL_ID, OOV_ID, FIRST_ID = 0, 1, 2, 3  # FIRST_ID: the most frequent value
AGES = 40  # of a behaviour, in buckets of its time gap


@dataclass(frozen=True)
class Fields:
    """``[batch, n, dim]``: one embedding per column."""

    n: int
    dim: int


@dataclass(frozen=True)
class Vector:
    """``[batch, dim]``."""

    dim: int


@dataclass(frozen=True)
class Logit:
    """``[batch, tasks]``: added to the tasks' logits; it skips everything that follows."""

    tasks: int


@dataclass(frozen=True)
class Tasks:
    """``[batch, n, dim]``: one vector per task."""

    n: int
    dim: int


@dataclass(frozen=True)
class History:
    """One sequence, its columns joined per position.

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


@dataclass(frozen=True)
class Columns:
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
class Crosses:
    """The pairs of categorical columns that the schema names, by their places among the ids."""

    pairs: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Statistics:
    """``[batch, n]``: of each column or pair a rate for every task, then a count.

    ``dim`` is the embedding's width, 0 in a model without one.
    """

    n: int
    dim: int


@dataclass(frozen=True)
class Context:
    """``[batch, n, dim]``: the fields of the columns marked ``context: true``."""

    n: int
    dim: int


@dataclass(frozen=True)
class Scenario:
    """``scenario_id [batch]`` of ``size`` ids and its embedding ``scenario [batch, dim]``."""

    size: int
    dim: int


@dataclass(frozen=True)
class Targets:
    """The number of tasks."""

    n: int


@dataclass(frozen=True)
class Labels:
    """What is known of the tasks' labels before training; a value per task, in the schema's order.

    ``parents`` is the place of the task that must have happened first, -1 for none; ``rates`` the
    mean label, ``deviations`` the standard deviation of a regression task's and None for a binary
    one, both over the training rows that count for the task; ``weights`` those of the schema;
    ``negatives`` the share of the first task's that training keeps.
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
