"""Options of the commands and of the functions of the same names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from automlrank.errors import UsageError, did_you_mean
from automlrank.options.base import Options
from automlrank.options.kinds import argument, choice, flag, number, path, text, whole
from automlrank.runs.search_config import (
    PREFERENCES,
    SPEED,
    DeviceOptions,
    RequestOptions,
    SearchSettings,
    SeedOptions,
)

if TYPE_CHECKING:
    from automlrank.architecture import Architecture
    from automlrank.data.dataset import AsSchema
    from automlrank.data.read import Data
    from automlrank.runs.events import Listen
    from automlrank.space.shipped import AsSpace

UNKNOWN_SHARE = 0.5
METRIC_NAMES = ("auc", "gauc", "logloss", "rmse", "mae")


def _samples() -> Iterable[str]:
    from automlrank.data.sources import samples

    return samples()


def _shipped() -> Iterable[str]:
    from automlrank.space.shipped import shipped

    return shipped()


def _metric(name: str) -> str:
    """Return the name of a metric; raise UsageError for another."""
    from automlrank.measurement.metric_language import FUSED_NAMES, parse_metric
    from automlrank.measurement.metrics import METRICS

    try:
        return parse_metric(name).name
    except ValueError as error:
        problem = str(error).removeprefix("metric ")  # the name of the option stands before
        raise UsageError(problem, did_you_mean(name, (*METRICS, *FUSED_NAMES))) from None


DATA = path(
    "Parquet, Arrow, text or Delta: a file, several, a folder of parts, or a bundled sample "
    "(kuairand).",
    names=_samples,
    metavar="DATA",
    several=True,
)


@dataclass(frozen=True)
class TableOptions(Options):
    """A table and its columns."""

    data: Data = field(metadata=argument(DATA))
    schema: AsSchema = field(
        default=None,
        metadata=path("Schema of the columns; inferred without one.", kept="schema.yaml"),
    )
    _: KW_ONLY
    joins: Sequence[str] = field(
        default=(),
        metadata=path(
            "Side table and the column that joins it.",
            metavar="FILE:KEY",
            several=True,
            spelled="join",
        ),
    )
    label: str | None = field(
        default=None, metadata=text("Column to predict, or the primary task.", metavar="NAME")
    )


@dataclass(frozen=True, kw_only=True)
class MetricOptions(Options):
    """The metric."""

    metric: str | None = field(
        default=None,
        metadata=text(
            "Metric to optimise. Default: auc of the primary task (rmse for regression). Several "
            "tasks: auc:click=1,auc:buy=0.5. Fused score: auc@score.",
            metavar="|".join(METRIC_NAMES),
            read=_metric,
        ),
    )


@dataclass(frozen=True, kw_only=True)
class UnknownOptions(Options):
    """The share of values that may be unknown."""

    max_unknown: float = field(
        default=UNKNOWN_SHARE,
        metadata=number(
            "Share of a column's values that training did not see, above which a warning names it."
        ),
    )


PREFER = (
    "Finalist to recommend: the fastest that is not really worse than the best, or the highest "
    "score."
)


@dataclass(frozen=True)
class SearchOptions(UnknownOptions, MetricOptions, SearchSettings, TableOptions):
    """Options of ``search``."""

    data: Data = field(default=(), metadata=argument(DATA))
    space: AsSpace | None = field(
        default=None,
        metadata=path(
            "Search space: a file or a shipped name; ctr without one.",
            names=_shipped,
            kept="space.yaml",
        ),
    )
    _: KW_ONLY
    incumbent: str | None = field(
        default=None,
        metadata=text(
            "Column of the current model's score, a reference to compare with; never a feature.",
            metavar="COLUMN",
        ),
    )
    sample_rows: int | None = field(
        default=None,
        metadata=whole(
            "Number of training rows to search on (whole groups, if any); finalists use all.",
            low=1,
        ),
    )
    prefer: str = field(default=SPEED, metadata=choice(PREFER, PREFERENCES))
    workers: int = field(
        default=1, metadata=whole("Number of processes that train; they share the cores.", low=1)
    )
    config: str | Path | None = field(
        default=None,
        metadata=path(
            "File of options, or a run's run.yaml; options given here win.", recorded=False
        ),
    )
    out: str | Path | None = field(
        default=None,
        metadata=path(
            "Folder of the run; a new one under reports/ by default.",
            metavar="DIR",
            recorded=False,
        ),
    )
    resume: bool = field(default=False, metadata=flag("Continue the run in --out.", recorded=False))
    command: str | None = None
    """Command line, for the run's record."""
    listen: Listen | None = None
    """Called with each event of the search."""


@dataclass(frozen=True)
class _ArchitectureOptions(Options):
    architecture: AsSpace | Architecture = field(
        metadata=argument(
            path(
                "Architecture: a YAML file, or the name of a published model (deepfm).",
                names=_shipped,
                metavar="ARCHITECTURE",
            )
        )
    )


@dataclass(frozen=True)
class TrainOptions(
    UnknownOptions, SeedOptions, DeviceOptions, MetricOptions, TableOptions, _ArchitectureOptions
):
    """Options of ``train``."""

    _: KW_ONLY
    test: bool = field(default=False, metadata=flag("Score the test split too."))
    candidates: int = 200
    """Number of items that one request scores."""
    out: str | Path | None = field(
        default=None,
        metadata=path("New folder for weights and scores.", metavar="DIR"),
    )
    listen: Listen | None = None
    """Called with each event of the training."""


@dataclass(frozen=True)
class _SubjectOptions(Options):
    what: str | Path = field(
        metadata=argument(
            path(
                "Architecture: a YAML file or a name; or the folder of a run: its front.",
                names=_shipped,
                metavar="ARCHITECTURE|RUN",
            )
        )
    )


@dataclass(frozen=True)
class LatencyOptions(RequestOptions, TableOptions, _SubjectOptions):
    """Options of ``latency``."""

    _: KW_ONLY
    threads: int = field(default=1, metadata=whole("Number of threads of a request.", low=1))


@dataclass(frozen=True)
class InspectOptions(UnknownOptions, TableOptions):
    """Options of ``data inspect``."""


@dataclass(frozen=True)
class _RunOptions(Options):
    run: str | Path = field(metadata=argument(path("Folder of a search.", metavar="RUN")))


@dataclass(frozen=True, kw_only=True)
class _PreferOptions(Options):
    prefer: str | None = field(
        default=None, metadata=choice(f"{PREFER} By default as the search did.", PREFERENCES)
    )


@dataclass(frozen=True)
class ExportOptions(_PreferOptions, _RunOptions):
    """Options of ``export``."""

    out: str | Path = field(metadata=path("New folder for the code.", metavar="DIR"))
    _: KW_ONLY
    trial: int | None = field(
        default=None,
        metadata=whole("Number of the trial to export instead of the recommended one.", low=None),
    )
    max_latency_ms: float | None = field(
        default=None, metadata=number("Export the one recommended within this p50 in ms.")
    )
    onnx: bool = field(default=False, metadata=flag("Write and verify model.onnx too."))


@dataclass(frozen=True)
class ReportOptions(_PreferOptions, _RunOptions):
    """Options of ``report``."""

    _: KW_ONLY
    html: str | Path | None = field(default=None, metadata=path("Write the page to this file."))
    open: bool = field(default=False, metadata=flag("Open the page in a browser."))


@dataclass(frozen=True)
class WorkerOptions(_RunOptions):
    """Options of ``worker``."""

    _: KW_ONLY
    index: int | None = field(
        default=None, metadata=whole("Number that tells the workers' random streams apart.")
    )
    name: str | None = field(
        default=None, metadata=text("Name of the worker in the run's folder.", metavar="NAME")
    )
    threads: int | None = field(
        default=None, metadata=whole("Number of threads to train with.", low=1)
    )


@dataclass(frozen=True)
class SpaceOptions(Options):
    """Options of ``space check``, ``space count`` and ``space show``."""

    file: str = field(
        metadata=argument(
            path(
                "Space: a YAML file, or the name of a shipped one (ctr, deepfm).",
                names=_shipped,
                metavar="FILE",
            )
        )
    )


@dataclass(frozen=True)
class BlocksOptions(Options):
    """Options of ``blocks``."""

    name: str | None = field(
        default=None,
        metadata=argument(text("Name of one block, to show its knobs.", metavar="NAME")),
    )


COMMANDS: dict[str, type[Options]] = {
    "search": SearchOptions,
    "train": TrainOptions,
    "latency": LatencyOptions,
    "report": ReportOptions,
    "export": ExportOptions,
    "data inspect": InspectOptions,
    "space check": SpaceOptions,
    "space count": SpaceOptions,
    "space show": SpaceOptions,
    "blocks": BlocksOptions,
    "worker": WorkerOptions,
}
"""Options of each command, by its name."""
