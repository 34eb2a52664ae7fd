"""Parts of a schema: tasks, features, statistics, split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

Side = Literal["user", "request", "item"]


@dataclass(frozen=True)
class Task:
    """A label; ``of`` names the task that must have happened first.

    ``weight`` is that of its loss where the balance is fixed.
    """

    name: str
    kind: Literal["binary", "regression", "inferred"] = "binary"
    """Inferred, where a label alone was given: what it is when the schema meets its table."""
    of: str | None = None
    weight: float = 1.0


@dataclass(frozen=True)
class Nulls:
    """Spellings of null in a column or a table, instead of the usual ones, or added to them."""

    words: tuple[str, ...] = ()
    adds: bool = False

    def to_data(self) -> object:
        """The plain data that a schema holds: a list, or ``{add: [...]}``."""
        return {"add": list(self.words)} if self.adds else list(self.words)


class _Feature:
    """Input of the model from one column: the column of the feature's name, or ``column``.

    A column may have several features, such as an id and a number.
    """

    name: str
    column: str | None
    nulls: Nulls | None

    @property
    def source(self) -> str:
        """The column of the table that it is made of."""
        return self.column or self.name


@dataclass(frozen=True)
class CategoricalFeature(_Feature):
    """One id per row; values rarer than ``min_count`` share the out-of-vocabulary id.

    With ``buckets`` ids are hashed and there is no vocabulary; with ``shared_with`` the column
    has the vocabulary and the embeddings of another.
    """

    kind: ClassVar[str] = "categorical"
    role: ClassVar[str] = "ids"
    name: str
    side: Side = "item"
    context: bool = False
    min_count: int = 1
    buckets: int | None = None
    shared_with: str | None = None
    column: str | None = None
    nulls: Nulls | None = None
    size: int = 0
    """Ids including padding, null and out-of-vocabulary; 0 until fitted."""


@dataclass(frozen=True)
class NumericFeature(_Feature):
    """One number per row, with a transform fitted on the training split.

    ``standard``: mean 0 and deviation 1; ``log``: the same after ``sign(x) log(1 + |x|)``;
    ``quantile``: its share of the training rows, mean 0 and deviation 1; ``bucket``: the id of one
    of ``buckets`` ranges with equally many rows; ``none``: as it is.
    """

    kind: ClassVar[str] = "numeric"
    name: str
    side: Side = "item"
    context: bool = False
    transform: Literal["standard", "log", "quantile", "bucket", "none"] = "standard"
    buckets: int = 20
    column: str | None = None
    nulls: Nulls | None = None
    size: int = 0
    """Ids of ``bucket``; 0 until fitted."""

    @property
    def role(self) -> str:
        return "ids" if self.transform == "bucket" else "numbers"


@dataclass(frozen=True)
class MultiFeature(_Feature):
    """Several ids per row: a list column, or text with a ``separator``; averaged or summed."""

    kind: ClassVar[str] = "multi"
    role: ClassVar[str] = "multi"
    name: str
    side: Side = "item"
    context: bool = False
    separator: str | None = None
    pool: Literal["mean", "sum"] = "mean"
    min_count: int = 1
    max_length: int = 20
    buckets: int | None = None
    shared_with: str | None = None
    column: str | None = None
    nulls: Nulls | None = None
    size: int = 0


@dataclass(frozen=True)
class VectorFeature(_Feature):
    """As many numbers in every row, projected to one field: a list column, or text."""

    kind: ClassVar[str] = "vector"
    role: ClassVar[str] = "vector"
    name: str
    side: Side = "item"
    context: bool = False
    separator: str | None = None
    column: str | None = None
    nulls: Nulls | None = None
    size: int = 0
    """Length of the vector; 0 until fitted."""


@dataclass(frozen=True)
class HistoryFeature(_Feature):
    """Earlier behaviours, oldest first, the last ``max_length`` kept; shares the ids of ``of``.

    A list column, or text with a ``separator``. Histories with one ``sequence`` are joined per
    position. With ``time``, the column of the behaviours' times, each has an age, and a new
    session begins after ``session_minutes`` without one.
    """

    kind: ClassVar[str] = "history"
    role: ClassVar[str] = "history"
    name: str
    of: str = ""
    sequence: str = ""
    max_length: int = 50
    time: str | None = None
    session_minutes: int = 30
    side: Side = "item"
    separator: str | None = None
    column: str | None = None
    nulls: Nulls | None = None


Feature = CategoricalFeature | NumericFeature | MultiFeature | VectorFeature | HistoryFeature
KINDS: dict[str, type[Feature]] = {
    cls.kind: cls
    for cls in (CategoricalFeature, NumericFeature, MultiFeature, VectorFeature, HistoryFeature)
}


@dataclass(frozen=True)
class TargetStatistics:
    """Smoothed target rates of the columns ``of`` and of pairs of columns, and their counts.

    The pairs are ``crosses``, or the schema's where that is None. A schema that says nothing has
    them chosen when it meets its table; ``NO_STATISTICS`` is a schema's ``statistics: none``.
    ``rate = (sum of labels + prior * mean) / (rows + prior)``, as the difference of its log-odds
    from the mean's; of a regression task their difference over the label's deviation. ``form``
    says what a training row may see: ``out_of_fold`` the rows of other folds, ``earlier_rows`` the
    rows before it, ``earlier_days`` those of the days before.
    """

    of: tuple[str, ...] = ()
    form: Literal["out_of_fold", "earlier_rows", "earlier_days"] = "out_of_fold"
    prior: float = 5.0
    crosses: tuple[tuple[str, str], ...] | None = None


NO_STATISTICS = TargetStatistics(crosses=())


@dataclass(frozen=True)
class Split:
    """Rule that assigns rows to train, valid and test.

    ``time``: by a column, as shares of rows from its end or from given values on; ``random``:
    shares; ``group``: shares, all rows of one value in one split; ``column``: a column that says
    train, valid or test; ``file``: files beside the data.
    """

    by: Literal["time", "random", "group", "column", "file"] = "random"
    column: str | None = None
    valid: float = 0.1
    test: float = 0.1
    valid_from: int | float | str | None = None
    test_from: int | float | str | None = None
    train_file: str | None = None
    test_file: str | None = None
