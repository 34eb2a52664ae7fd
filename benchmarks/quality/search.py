"""Cost of a search until it knows the front: samplers and rungs on trainings made once.

    python -m benchmarks.quality.search train DATA SCHEMA --runs RUNS [--part 0 --parts 2]
    python -m benchmarks.quality.search latency DATA SCHEMA --runs RUNS --latencies LATENCIES
    python -m benchmarks.quality.search gather --runs ... --latencies ... --table TABLE.parquet
    python -m benchmarks.quality.search replay --table TABLE.parquet [--budget 50] --out FOLDER

``train`` trains every architecture of ``search_space.yaml`` once on one thread and notes its AUC at
each rung; it goes on where the runs end, and several parts may run at once. ``latency`` measures
each as a trial is. ``replay`` then searches without training: a trial costs the training rows that
it would have seen until its end, or until the rung that stops it; a duplicate costs nothing.

A search spends as many rows as ``--budget`` whole trainings of the table's mean length. Its
hypervolume is that of validation AUC and p50 above the table's lowest AUC and below its slowest
p50, as a share of what the whole table's front covers.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
import optuna
import polars as pl
import torch
from optuna.trial import TrialState

from automlrank import Architecture, Dataset, Space
from automlrank.architecture import draw
from automlrank.candidates.evaluator import Evaluator
from automlrank.runs.events import ignore
from automlrank.runs.search_config import SearchConfig
from automlrank.study.first_draws import enqueue_start
from automlrank.study.hypervolume import Point, hypervolume
from automlrank.study.pruners import Halving, NoPruner, Pruner
from automlrank.study.samplers import make_sampler
from automlrank.study.suggest import decider
from benchmarks import harness
from benchmarks.quality.search_table import SPACE, every_draw, gather, measure_all, train_all
from benchmarks.quality.target_rates import schema_with

DRAWS_PER_TRAINING = 20  # beyond it a search ends, as all new draws are known
TICKS = 200  # of the axis of rows, to which searches are compared
Curve = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TrialRun:
    """One training: its rungs as (number, rows, value), its end, its latency."""

    rungs: tuple[tuple[int, int, float], ...]
    rows: int
    valid: float
    latency: float


@dataclass(frozen=True)
class TrialTable:
    """All trainings by fingerprint, with what a hypervolume is measured by."""

    runs: dict[str, TrialRun]
    reference: Point
    whole: float

    @classmethod
    def read(cls, path: Path) -> TrialTable:
        runs = {}
        for row in pl.read_parquet(path).iter_rows(named=True):
            points = zip(row["rung"], row["rows"], row["value"], strict=True)
            rungs = tuple(point for point in points if point[0])
            runs[row["fingerprint"]] = TrialRun(rungs, row["rows"][-1], row["valid"], row["p50"])
        reference = min(r.valid for r in runs.values()), max(r.latency for r in runs.values())
        points = [(run.valid, run.latency) for run in runs.values()]
        return cls(runs, reference, hypervolume(points, reference))

    @property
    def mean_rows(self) -> float:
        return float(np.mean([run.rows for run in self.runs.values()]))


@dataclass
class Spending:
    """The rows that a search has spent, and the hypervolume that it had after each training."""

    table: TrialTable
    budget: float
    rows: int = 0
    trainings: int = 0

    def __post_init__(self) -> None:
        self.found: list[Point] = []
        self.steps: list[tuple[int, float]] = []

    def spend(self, rows: int, run: TrialRun | None = None) -> None:
        """Count a training's rows; ``run`` where it went to its end."""
        self.rows += rows
        self.trainings += 1
        if run is not None:
            self.found.append((run.valid, run.latency))
        covered = hypervolume(self.found, self.table.reference) if self.found else 0.0
        self.steps.append((self.rows, covered / self.table.whole))

    @property
    def is_over(self) -> bool:
        return self.rows >= self.budget

    def at(self, rows: Curve) -> Curve:
        """The hypervolume when so many rows were spent."""
        spent, covered = (np.array(column) for column in zip((0, 0.0), *self.steps, strict=True))
        return covered[np.searchsorted(spent, rows, side="right") - 1]


def sampled(table: TrialTable, sampler: str, pruner: Pruner, seed: int, budget: float) -> Spending:
    """A search by a sampler, one trial after the other, as an objective runs them."""
    space, spending = Space.read(SPACE), Spending(table, budget)
    study = optuna.create_study(
        directions=["maximize", "minimize"], sampler=make_sampler(sampler, seed, 0)
    )
    config = SearchConfig(trials=len(table.runs), seed=seed)
    enqueue_start(study, space, config, lambda drawn: table.runs[drawn.fingerprint].latency)
    known: dict[str, list[float] | None] = {}
    draws = 0
    while not spending.is_over and draws < DRAWS_PER_TRAINING * (spending.trainings + 1):
        trial = study.ask()
        draws += 1
        fingerprint = draw(space, decider(trial)).fingerprint
        if fingerprint in known:
            trial.set_user_attr("duplicate_of", fingerprint)
        else:
            run = table.runs[fingerprint]
            stopped = stopped_at(trial, run, pruner)
            known[fingerprint] = [run.valid, run.latency] if stopped is None else None
            spending.spend(run.rows if stopped is None else stopped, None if stopped else run)
        values = known[fingerprint]
        study.tell(trial, values, state=TrialState.COMPLETE if values else TrialState.PRUNED)
    return spending


def stopped_at(trial: optuna.Trial, run: TrialRun, pruner: Pruner) -> int | None:
    """The rows after which a pruner ends a training, or None."""
    for rung, rows, value in run.rungs:
        if pruner.stops(trial, rung, value, run.latency):
            return rows
    return None


def gridded(table: TrialTable, seed: int, budget: float) -> Spending:
    """One model after the other, each with every value of its settings, trained to the end.

    A model is what is wired; its grid goes through embeddings, L2 and the mlp's shape in order.
    The order of models is drawn by the seed.
    """
    grids: dict[str, list[str]] = {}
    for architecture in every_draw(Space.read(SPACE)):
        grid = grids.setdefault(_model_of(architecture), [])
        if architecture.fingerprint not in grid:
            grid.append(architecture.fingerprint)
    spending, names = Spending(table, budget), list(grids)
    for i in np.random.default_rng(seed).permutation(len(names)):
        for fingerprint in grids[names[i]]:
            if not spending.is_over:
                run = table.runs[fingerprint]
                spending.spend(run.rows, run)
    return spending


def _model_of(architecture: Architecture) -> str:
    """The blocks of an architecture, whatever their settings."""
    return " ".join(f"{path}={block.name}" for path, block in architecture.blocks())


WAYS: dict[str, tuple[str, type[Halving] | type[NoPruner]]] = {
    "random": ("random", NoPruner),
    "random, rungs": ("random", Halving),
    "nsga2": ("nsga2", NoPruner),
    "tpe": ("tpe", NoPruner),
    "tpe, rungs (default)": ("tpe", Halving),
    "evolution, rungs": ("evolution", Halving),
}
GRID = "grid, model by model"


def searched(name: str, seed: int, path: Path, budget: float) -> Spending:
    """A search of a way by name, in a process of its own."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    table = TrialTable.read(path)
    if name == GRID:
        return gridded(table, seed, budget)
    sampler, pruner = WAYS[name]
    return sampled(table, sampler, pruner(), seed, budget)


def replay(path: Path, seeds: int, budget: int, out: Path) -> None:
    """Search in every way; write the table of figures and the plot."""
    table = TrialTable.read(path)
    most = budget * table.mean_rows
    rows = np.linspace(0, most, TICKS + 1)
    curves: dict[str, Curve] = {}
    figures = harness.Figures(headings(budget))
    spawned = get_context("spawn")  # Polars does not survive a fork
    with ProcessPoolExecutor(mp_context=spawned) as pool:
        waiting = {
            name: [pool.submit(searched, name, seed, path, most) for seed in range(seeds)]
            for name in (*WAYS, GRID)
        }
        for name, results in waiting.items():
            spendings = [result.result() for result in results]
            curves[name] = np.array([spending.at(rows) for spending in spendings])
            figures.add(row_of(name, spendings, curves[name], curves["random"]))
    out.mkdir(parents=True, exist_ok=True)
    figures.write(out / "search.csv")
    plot(rows / table.mean_rows, curves, out / "search.svg")


def headings(budget: int) -> list[str]:
    shares = [f"{budget // part}" for part in (10, 3, 1)]
    return ["search", *(f"after {n}" for n in shares), "random's last after", "trainings"]


def row_of(name: str, spendings: Sequence[Spending], curves: Curve, random: Curve) -> list[str]:
    """Mean and sd over the seeds of the hypervolume at shares of the budget, and of trainings."""
    cells = [name]
    for part in (10, 3, 1):
        here = curves[:, TICKS // part]
        cells.append(f"{here.mean():.3f} ± {here.std(ddof=1):.3f}")
    reached = curves.mean(axis=0) >= random[:, -1].mean()
    cells.append(f"{reached.argmax() / TICKS:.0%}" if reached.any() else "never")
    cells.append(f"{np.mean([spending.trainings for spending in spendings]):.0f}")
    return cells


def plot(trainings: Curve, curves: dict[str, Curve], path: Path) -> None:
    """Mean hypervolume against rows spent, with the standard error of the mean."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    for name, curve in curves.items():
        mean, error = curve.mean(axis=0), curve.std(axis=0, ddof=1) / np.sqrt(len(curve))
        (line,) = axes.plot(trainings, mean, label=name)
        axes.fill_between(trainings, mean - error, mean + error, color=line.get_color(), alpha=0.2)
    axes.set_xlabel("training rows spent, in whole trainings of mean length")
    axes.set_ylabel("share of the whole table's hypervolume")
    axes.set_ylim(bottom=0.5, top=1.0)
    axes.legend(frameon=False)
    figure.savefig(path)


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("step", choices=["train", "latency", "gather", "replay"])
    parser.add_argument("data", nargs="?")
    parser.add_argument("schema", nargs="?")
    for name in ("runs", "latencies", "table", "out"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--part", type=int, default=0)
    parser.add_argument("--parts", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--budget", type=int, default=50, help="whole trainings of mean length")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if chosen.step == "gather":
        gather(chosen.runs, chosen.latencies, chosen.table)
    elif chosen.step == "replay":
        replay(chosen.table, chosen.seeds, chosen.budget, chosen.out)
    else:
        data = Dataset.open(chosen.data, schema_with(chosen.schema, "out_of_fold", 5.0))
        if chosen.step == "train":
            train_all(data, chosen.part, chosen.parts, chosen.runs)
        else:
            measure_all(Evaluator(data, SearchConfig(), ignore), chosen.runs, chosen.latencies)


if __name__ == "__main__":
    main()
