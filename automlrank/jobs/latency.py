"""Measure the latency of an architecture, or of a run's front, on this host."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from automlrank.architecture import Architecture
from automlrank.architecture.shipped import architecture_for
from automlrank.candidates.evaluator import Evaluator
from automlrank.data.dataset import Dataset
from automlrank.finals.finalists import measure_in_turn
from automlrank.jobs.machine import device_of
from automlrank.jobs.options import LatencyOptions
from automlrank.jobs.result import load_run
from automlrank.measurement.latency import Latency
from automlrank.model.network import build
from automlrank.options.call import takes
from automlrank.runs.events import ignore
from automlrank.runs.folder import RESULTS, RunFolder
from automlrank.runs.reading import reading
from automlrank.runs.search_config import SearchConfig


@dataclass(frozen=True)
class Timed:
    """An architecture and its latency."""

    name: str
    summary: str
    latency: Latency


@takes(LatencyOptions)
def latency(options: LatencyOptions) -> list[Timed]:
    """Return latencies of an architecture's file or zoo name, or of a run's front and references.

    They are measured in turn, as a search measures its finalists. A run brings its own schema.
    """
    folder, schema = RunFolder(options.what), options.schema
    if folder.exists and schema is None:
        schema = folder.inputs.schema()
    config = SearchConfig.of(options, device=device_of(options.device, options.runtime))
    dataset = Dataset.open(options.data, schema, label=options.label, joins=options.joins)
    named = dict(_architectures(folder, dataset, options.what))
    evaluator = Evaluator(dataset, config, ignore)
    models = {
        name: build(evaluator.wire(architecture), seed=0) for name, architecture in named.items()
    }
    measured = measure_in_turn(evaluator, models)
    return [Timed(name, named[name].summary, measured[name]) for name in named]


def _architectures(
    folder: RunFolder, dataset: Dataset, what: str | Path
) -> list[tuple[str, Architecture]]:
    if not folder.exists:
        architecture = architecture_for(dataset.schema, what)
        return [(architecture.name, architecture)]
    results = load_run(folder.path).results
    records = {r.fingerprint: r for r in (*results.front, *results.references)}
    with reading(folder.path / RESULTS, folder.restored_by):
        return [
            (record.name or f"trial {record.number}", Architecture.read(record.architecture))
            for record in records.values()
            if record.architecture
        ]
