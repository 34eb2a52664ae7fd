"""Measure latency on this host: one architecture, or a run's front again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from automlrank.architecture import Architecture
from automlrank.architecture.shipped import architecture_for
from automlrank.candidates.evaluator import Evaluator
from automlrank.data.dataset import AsSchema, Dataset
from automlrank.data.read import Data
from automlrank.finals.finalists import measure_in_turn
from automlrank.jobs.machine import device_of
from automlrank.jobs.result import load_run
from automlrank.measurement.latency import Latency
from automlrank.model.network import build
from automlrank.runs.events import ignore
from automlrank.runs.folder import RunFolder
from automlrank.runs.search_config import SearchConfig


@dataclass(frozen=True)
class Timed:
    """An architecture and how long a request takes it."""

    name: str
    summary: str
    latency: Latency


def latency(
    what: str | Path,
    data: Data,
    schema: AsSchema = None,
    *,
    label: str | None = None,
    joins: Sequence[str] = (),
    candidates: int = 200,
    threads: int = 1,
    runtime: str = "torch",
    device: str = "auto",
) -> list[Timed]:
    """The latency of an architecture's file or zoo name, or of a run's front and references.

    They are measured in turn, as a search measures its finalists. A run brings its own schema.
    """
    folder = RunFolder(what)
    if folder.exists and schema is None:
        schema = folder.path / "schema.yaml"
    goal = SearchConfig(
        candidates=candidates, threads=threads, runtime=runtime, device=device_of(device)
    )
    dataset = Dataset.open(data, schema, label=label, joins=joins)
    named = dict(_architectures(folder, dataset, what))
    bench = Evaluator(dataset, goal, ignore)
    models = {name: build(bench.wire(architecture), seed=0) for name, architecture in named.items()}
    measured = measure_in_turn(bench, models)
    return [Timed(name, named[name].summary, measured[name]) for name in named]


def _architectures(
    folder: RunFolder, dataset: Dataset, what: str | Path
) -> list[tuple[str, Architecture]]:
    if not folder.exists:
        architecture = architecture_for(dataset.schema, what)
        return [(architecture.name, architecture)]
    results = load_run(folder.path).results
    records = {r.fingerprint: r for r in (*results.front, *results.references)}
    return [
        (record.name or f"trial {record.number}", Architecture.read(record.architecture))
        for record in records.values()
        if record.architecture
    ]
