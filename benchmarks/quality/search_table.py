"""Every architecture of a small space trained once: what any search over the space would see."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from automlrank import Architecture, Dataset, Space, build_model
from automlrank.architecture import draw
from automlrank.blocks.domains import Choice, Domain, Scalar
from automlrank.candidates.evaluator import Evaluator
from automlrank.measurement.metrics import AUC
from automlrank.model.cost import cost
from automlrank.model.network import build
from automlrank.runs.seeds import seed_of
from automlrank.study.objective import RUNG_SEEDS
from automlrank.study.rungs import Rungs
from automlrank.training.loop import fit, score
from automlrank.training.progress import Progress
from benchmarks.harness import keep, read

SPACE = Path(__file__).with_name("search_space.yaml")
CURVE = "rows", "value", "rung"
"""Of each end of an epoch: training rows seen, the best AUC until then, and the number of the rung
that lies there (0 is none); the rung inside the first epoch comes first."""


class Counter:
    """Decisions that count up through every point of a space of choices, the last one first."""

    def __init__(self) -> None:
        self.taken: list[tuple[int, int]] = []  # of each decision: which value, of how many
        self.forced: list[int] = []

    def __call__(self, path: str, domain: Domain) -> Scalar:
        assert isinstance(domain, Choice), path
        at = len(self.taken)
        which = self.forced[at] if at < len(self.forced) else 0
        self.taken.append((which, len(domain.values)))
        return domain.values[which]

    def advance(self) -> bool:
        """Go to the next point; whether there is one."""
        while self.taken and self.taken[-1][0] + 1 == self.taken[-1][1]:
            self.taken.pop()
        self.forced = [which for which, _ in self.taken]
        if self.forced:
            self.forced[-1] += 1
        self.taken = []
        return bool(self.forced)


def every_draw(space: Space) -> Iterator[Architecture]:
    """Each point of a space of choices."""
    counter = Counter()
    yield draw(space, counter)
    while counter.advance():
        yield draw(space, counter)


def train_all(data: Dataset, part: int, parts: int, runs: Path) -> None:
    """Train every ``parts``-th architecture of the space that ``runs`` lacks, and append it."""
    rungs = Rungs.of(data, AUC, seed_of(0, RUNG_SEEDS))
    known = {run["fingerprint"] for run in read(runs)}
    unique = {a.fingerprint: a for a in every_draw(Space.read(SPACE))}
    for i, (fingerprint, architecture) in enumerate(unique.items()):
        if i % parts == part and fingerprint not in known:
            run = trained(architecture, data, rungs, seed=i)
            keep(runs, {"fingerprint": fingerprint, "summary": architecture.summary, **run})


def trained(architecture: Architecture, data: Dataset, rungs: Rungs, seed: int) -> dict[str, Any]:
    """A whole training, with what it showed at each rung that it came to."""
    model = build_model(architecture, data.schema, seed)
    task, epochs = data.schema.tasks[0].name, architecture.training.epochs
    points: list[tuple[int, float, int]] = []
    before = 0
    last: Progress | None = None
    for progress in fit(model, architecture, data, seed=seed):
        rung = rungs.due(before, progress, epochs)
        before, last = progress.rows, progress
        if progress.best is not None and progress.scores is not None:
            points.append((progress.rows, progress.best[task], rung or 0))
        elif rung is not None and rungs.sample is not None:
            value = score(model, rungs.sample, "valid", AUC)[task]
            points.append((progress.rows, value, rung))
    assert last is not None
    return {
        **dict(zip(CURVE, (list(column) for column in zip(*points, strict=True)), strict=True)),
        "valid": points[-1][1],
        "test": score(model, data, "test", AUC)[task],
        "parameters": cost(model.plan, data.schema, 200).parameters,
        "seconds": round(last.seconds, 1),
    }


def measure_all(evaluator: Evaluator, runs: Path, latencies: Path) -> None:
    """The latency of every architecture as a trial's is measured, appended where it is missing."""
    known = {run["fingerprint"] for run in read(latencies)}
    done = {run["fingerprint"] for run in read(runs)}
    for architecture in {a.fingerprint: a for a in every_draw(Space.read(SPACE))}.values():
        if architecture.fingerprint in done - known:
            p50 = evaluator.latency(build(evaluator.wire(architecture), seed=0)).p50
            keep(latencies, {"fingerprint": architecture.fingerprint, "p50": p50})


def gather(runs: Path, latencies: Path, table: Path) -> None:
    """One Parquet file of all trainings with their latencies."""
    both = pl.DataFrame(read(runs)).join(pl.DataFrame(read(latencies)), on="fingerprint")
    both.sort("fingerprint").write_parquet(table, compression="zstd")
