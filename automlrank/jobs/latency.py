"""Measure latency on this host: one architecture, or a run's front again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from automlrank.architecture import Architecture
from automlrank.data.dataset import AsSchema, Dataset
from automlrank.data.read import Data
from automlrank.jobs.machine import device_of
from automlrank.jobs.result import load
from automlrank.jobs.spaces import architecture_for
from automlrank.trials.bench import Bench, Goal
from automlrank.trials.events import ignore
from automlrank.trials.folder import RunFolder


@dataclass(frozen=True)
class Timed:
    """An architecture and the milliseconds that a request takes it."""

    name: str
    summary: str
    p50: float
    p95: float


def latency(
    what: str | Path,
    data: Data,
    schema: AsSchema = None,
    *,
    label: str | None = None,
    joins: Sequence[str] = (),
    candidates: int = 200,
    threads: int = 1,
    device: str = "auto",
) -> list[Timed]:
    """The latency of an architecture's file or zoo name, or of a run's front and references.

    A run brings its own schema. Weights are fresh: a latency does not depend on them.
    """
    folder = RunFolder(what)
    if folder.exists and schema is None:
        schema = folder.path / "schema.yaml"
    goal = Goal(candidates=candidates, threads=threads, device=device_of(device))
    dataset = Dataset.open(data, schema, label=label, joins=joins)
    bench = Bench(dataset, goal, ignore)
    timed = []
    for name, architecture in _architectures(folder, dataset, what):
        measured = bench.latency(bench.build(architecture, 0))
        timed.append(Timed(name, architecture.summary, measured.p50, measured.p95))
    return timed


def _architectures(
    folder: RunFolder, dataset: Dataset, what: str | Path
) -> list[tuple[str, Architecture]]:
    if not folder.exists:
        architecture = architecture_for(dataset.schema, what)
        return [(architecture.name, architecture)]
    results = load(folder.path).results
    records = {r.fingerprint: r for r in (*results.front, *results.references)}
    return [
        (record.name or f"trial {record.number}", Architecture.read(record.architecture))
        for record in records.values()
        if record.architecture
    ]
