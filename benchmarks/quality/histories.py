"""Every history encoder inside one model: test AUC, GAUC by user, latency.

    python -m benchmarks.quality.histories --out RUNS.jsonl [DATA] [SCHEMA] [--encoders din ...]
    python -m benchmarks.quality.histories --out RUNS.jsonl --latency 5

The model around them is fixed: a linear part and an MLP 256 x 2 with dropout .3, embedding 16, L2
.3, no statistics. Runs are appended to the file as they end, and those that it holds are not
run again; all encoders get their first seed before any gets its second. ``--latency N`` measures
all N times as a search measures its finalists; the table takes the medians of their p50.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from automlrank import Architecture, Dataset, build_model
from automlrank.blocks import BLOCKS
from automlrank.candidates.evaluator import Evaluator
from automlrank.finals.finalists import measure_in_turn
from automlrank.measurement.metrics import AUC, GAUC
from automlrank.model.cost import cost
from automlrank.model.network import build
from automlrank.model.wiring import wire
from automlrank.runs.events import ignore
from automlrank.runs.search_config import SearchConfig
from automlrank.training.loop import fit, predict, score_logits
from benchmarks import harness
from benchmarks.harness import Run, differences, keep, markdown, missing, read, spread
from benchmarks.quality.zoo import CANDIDATES

BODY = {
    "embedding": {"dim": 16, "l2": 0.3},
    "interaction": {"parallel": ["linear", {"mlp": {"width": 256, "depth": 2}}]},
    "training": {"dropout": 0.3},
}
METRICS = (AUC, GAUC)
MEDIANS = ("p50", "p50_repeated")
BASE = "mean_pool"  # what differences are to

HEADINGS = (
    *("encoder", "test AUC", f"to {BASE}", "test GAUC", f"to {BASE}", "seeds", "p50 ms"),
    *("p50 repeated ms", "M parameters", "seconds"),
)


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("data", nargs="?", default="kuairand")
    parser.add_argument("schema", nargs="?")
    parser.add_argument("--out", type=Path, required=True, help="JSON lines")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--encoders", nargs="*", default=list(BLOCKS.of("history")))
    parser.add_argument("--latency", type=int, default=0, help="measure so often, train nothing")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    data = Dataset.open(chosen.data, chosen.schema)
    models = {name: architecture(name) for name in chosen.encoders}
    if chosen.latency:
        latencies(data, models, chosen.latency, chosen.out)
    else:
        trainings(data, models, chosen.seeds, chosen.out)
    print("\n".join(table(read(chosen.out))))


def architecture(encoder: str) -> Architecture:
    return Architecture.read({"architecture": encoder, "history": encoder, **BODY})


def trainings(data: Dataset, models: dict[str, Architecture], seeds: int, out: Path) -> None:
    sizes = [{"model": name, "parameters": size(made, data)} for name, made in models.items()]
    for case in missing(out, sizes):
        keep(out, case)
    cases = [{"model": name, "seed": seed} for seed in range(seeds) for name in models]
    for case in missing(out, cases):
        keep(out, {**case, **trained(data, models[case["model"]], case["seed"])})


def size(made: Architecture, data: Dataset) -> int:
    return cost(wire(made, data.schema), data.schema).parameters


def trained(data: Dataset, chosen: Architecture, seed: int) -> dict[str, float]:
    """The primary task's metrics on valid and test after a training that valid's AUC ends."""
    began = time.perf_counter()
    model = build_model(chosen, data.schema, seed)
    *_, last = fit(model, chosen, data, seed=seed)
    found: dict[str, float] = {}
    for split in ("valid", "test"):
        logits = predict(model, data, split)
        for metric in METRICS if data.schema.group else METRICS[:1]:
            scores = score_logits(logits, data, split, metric)
            found[f"{split}_{metric.name}"] = scores[data.schema.tasks[0].name]
    return {**found, "epochs": last.epoch + 1, "seconds": time.perf_counter() - began}


def latencies(data: Dataset, models: dict[str, Architecture], times: int, out: Path) -> None:
    evaluator = Evaluator(data, SearchConfig(candidates=CANDIDATES), ignore)
    built = {
        name: build(evaluator.wire(architecture), seed=0) for name, architecture in models.items()
    }
    for _ in range(times):
        for name, latency in measure_in_turn(evaluator, built).items():
            keep(out, {"model": name, **{key: getattr(latency, key) for key in MEDIANS}})


def table(runs: Sequence[Run]) -> list[str]:
    """A row an encoder, in the order of the file."""
    names = dict.fromkeys(run["model"] for run in runs if "seed" in run)
    base = {run["seed"]: run for run in runs if run["model"] == BASE and "seed" in run}
    return markdown(HEADINGS, [cells(name, runs, base) for name in names])


def cells(name: str, runs: Sequence[Run], base: Mapping[int, Run]) -> list[str]:
    own = [run for run in runs if run["model"] == name]
    seeds = {run["seed"]: run for run in own if "seed" in run}
    found = [name]
    for metric in METRICS:
        key = f"test_{metric.name}"
        found += [spread([run[key] for run in seeds.values()])]
        found += [spread(differences(seeds, base, key), sign="+")]
    found.append(str(len(seeds)))
    for key in MEDIANS:
        times = [run[key] for run in own if key in run]
        found.append(f"{statistics.median(times):.2f}" if times else "")
    (parameters,) = (run["parameters"] for run in own if "parameters" in run)
    seconds = np.mean([run["seconds"] for run in seeds.values()])
    return [*found, f"{parameters / 1e6:.2f}", f"{seconds:.0f}"]


if __name__ == "__main__":
    main()
