"""Every argument and option of the command line, declared once."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Annotated

import typer

from automlrank.cli import console

UNITS = {"s": 1, "m": 60, "h": 3600}
TIME = re.compile(r"(\d+(?:\.\d+)?)([smh])")


def seconds(text: str) -> float:
    """``90s``, ``30m`` or ``2h`` in seconds; raises BadParameter for anything else."""
    match = TIME.fullmatch(text.strip())
    value = float(match[1]) * UNITS[match[2]] if match else math.nan
    if not 0 < value < math.inf:
        raise typer.BadParameter(
            f"a time is a number above 0 with its unit, such as 90s, 30m or 2h, but got {text!r}."
        )
    return value


Data = Annotated[
    list[str],
    typer.Argument(
        metavar="DATA",
        help="Parquet, CSV, TSV (.gz) or Arrow: a file, several, a folder of parts, or a bundled "
        "sample (kuairand).",
        show_default=False,
    ),
]
Architecture = Annotated[
    str,
    typer.Argument(
        metavar="ARCHITECTURE",
        help="An architecture's YAML file, or a published model's name (deepfm).",
        show_default=False,
    ),
]
ArchitectureOrRun = Annotated[
    str,
    typer.Argument(
        metavar="ARCHITECTURE|RUN",
        help="An architecture's YAML file or name, or a run's folder: its front.",
        show_default=False,
    ),
]
Run = Annotated[
    Path, typer.Argument(metavar="RUN", help="The folder of a search.", show_default=False)
]
SpaceFile = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="A space's YAML file, or the name of one that is shipped (ctr, deepfm).",
        show_default=False,
    ),
]
BlockName = Annotated[
    str | None,
    typer.Argument(metavar="NAME", help="One block, with its knobs.", show_default=False),
]

Format = Annotated[
    console.Format,
    typer.Option("--format", help="For a person, for a program, or only what a script reads."),
]
Schema = Annotated[
    Path | None,
    typer.Option("--schema", metavar="F", help="What the columns are; inferred without one."),
]
Joins = Annotated[
    list[str] | None,
    typer.Option("--join", metavar="FILE:KEY", help="A side table and the column it is joined by."),
]
SampleRows = Annotated[
    int | None,
    typer.Option(
        "--sample-rows",
        metavar="N",
        help="Search on so many training rows (whole groups, if any); finalists use all.",
    ),
]
Label = Annotated[
    str | None,
    typer.Option("--label", metavar="NAME", help="The column to predict, or the primary task."),
]
Incumbent = Annotated[
    str | None,
    typer.Option(
        "--incumbent",
        metavar="COLUMN",
        help="The present model's score, to compare with; never a feature.",
    ),
]
Space = Annotated[
    str | None,
    typer.Option("--space", metavar="F", help="A space's file or name; ctr without one."),
]
Trials = Annotated[int, typer.Option("--trials", metavar="N", help="Drawn architectures to train.")]
Time = Annotated[
    float | None,
    typer.Option(
        "--time",
        metavar="30m",
        parser=seconds,
        help="At most so long (90s, 30m, 2h), a third of it for the finalists.",
    ),
]
LatencyMs = Annotated[
    float | None,
    typer.Option("--latency-ms", metavar="X", help="The budget: p50 of one request."),
]
Candidates = Annotated[
    int, typer.Option("--candidates", metavar="N", help="Items that one request scores.")
]
Threads = Annotated[int, typer.Option("--threads", metavar="N", help="Threads of a request.")]
Runtime = Annotated[
    str,
    typer.Option(
        "--runtime", metavar="torch|onnxruntime", help="What serves: latencies are measured by it."
    ),
]
Metric = Annotated[
    str | None,
    typer.Option(
        "--metric",
        metavar="auc|gauc|logloss|rmse|mae",
        help="What to search for: of the primary task, auc, or rmse of a regression task, unless "
        "told; or of several, auc:click=1,auc:buy=0.5, or of the schema's fused score, auc@score.",
    ),
]
Device = Annotated[
    str,
    typer.Option("--device", metavar="auto|cpu|cuda", help="Where models train and serve."),
]
Workers = Annotated[
    int,
    typer.Option(
        "--workers", metavar="N", help="Processes that train; each has its share of cores."
    ),
]
Sampler = Annotated[
    str,
    typer.Option(
        "--sampler", metavar="tpe|evolution|nsga2|random", help="Who proposes architectures."
    ),
]
Pruner = Annotated[
    str,
    typer.Option(
        "--pruner", metavar="halving|none", help="Whether what falls behind its peers is stopped."
    ),
]
Objectives = Annotated[
    int,
    typer.Option(
        "--objectives",
        metavar="1|2",
        help="2: metric and latency, a front; 1: the metric, the latency only a budget.",
    ),
]
TrialTime = Annotated[
    float | None,
    typer.Option(
        "--trial-time", metavar="10m", parser=seconds, help="The most that one trial may take."
    ),
]
Patience = Annotated[
    int,
    typer.Option(
        "--patience", metavar="N", help="Trainings without a better front that end it; 0: never."
    ),
]
WorkerIndex = Annotated[
    int | None,
    typer.Option("--index", metavar="N", help="Tells the workers' random numbers apart."),
]
WorkerName = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="Its name in the run's folder.")
]
WorkerThreads = Annotated[
    int | None, typer.Option("--threads", metavar="N", help="Threads that it trains with.")
]
Seed = Annotated[
    int, typer.Option("--seed", metavar="N", help="Same seed and one thread, same numbers.")
]
SearchOut = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="DIR", help="The run's folder; a new one under reports/ without it."
    ),
]
TrainOut = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="Keep weights and scores here.")
]
ExportOut = Annotated[
    Path,
    typer.Option("--out", metavar="DIR", help="A new folder for the code.", show_default=False),
]
Onnx = Annotated[bool, typer.Option("--onnx", help="Write model.onnx too, and verify it.")]
Resume = Annotated[bool, typer.Option("--resume", help="Continue the run in --out.")]
Test = Annotated[bool, typer.Option("--test", help="Score the test split too.")]
Html = Annotated[
    Path | None, typer.Option("--html", metavar="F", help="Write the page to this file.")
]
Open = Annotated[bool, typer.Option("--open", help="Open the page in a browser.")]
Trial = Annotated[
    int | None,
    typer.Option("--trial", metavar="N", help="This trial instead of the best one."),
]
MaxLatencyMs = Annotated[
    float | None,
    typer.Option("--max-latency-ms", metavar="X", help="The best one within this p50."),
]
