"""Every history encoder inside one model: test AUC, GAUC by user, latency.

    python benchmarks/histories.py --out RUNS.jsonl [DATA] [SCHEMA] [--seeds 3] [--encoders din ...]
    python benchmarks/histories.py --out RUNS.jsonl --latency 5

The model around them is fixed: a linear part and an MLP 256 x 2 with dropout .3, embedding 16, L2
.3, no statistics. Runs are appended to the file as they end, and those that it holds are not
run again; all encoders get their first seed before any gets its second. ``--latency N`` measures
all N times as a search measures its finalists; the table takes the medians of their p50.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from runs import keep, read
from zoo import CANDIDATES

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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
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
    print("\n".join(table(data, models, read(chosen.out))))


def architecture(encoder: str) -> Architecture:
    return Architecture.read({"architecture": encoder, "history": encoder, **BODY})


def trainings(data: Dataset, models: dict[str, Architecture], seeds: int, out: Path) -> None:
    done = {(run["model"], run["seed"]) for run in read(out) if "seed" in run}
    for seed in range(seeds):
        for name, chosen in models.items():
            if (name, seed) not in done:
                keep(out, {"model": name, "seed": seed, **trained(data, chosen, seed)})


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
    bench = Evaluator(data, SearchConfig(candidates=CANDIDATES), ignore)
    built = {name: build(bench.wire(architecture), seed=0) for name, architecture in models.items()}
    for _ in range(times):
        for name, latency in measure_in_turn(bench, built).items():
            keep(out, {"model": name, **{key: getattr(latency, key) for key in MEDIANS}})


def table(data: Dataset, models: dict[str, Architecture], runs: list[dict[str, Any]]) -> list[str]:
    """A row an encoder, in the order of the registry."""
    lines = [f"| {' | '.join(HEADINGS)} |", f"|{' --- |' * len(HEADINGS)}"]
    for name, chosen in models.items():
        own = [run for run in runs if run["model"] == name]
        seeds = {run["seed"]: run for run in own if "seed" in run}
        if not seeds:
            continue
        base = {r["seed"]: r for r in runs if r["model"] == BASE and "seed" in r}
        cells = [name]
        for metric in METRICS:
            cells += [spread([r[f"test_{metric.name}"] for r in seeds.values()])]
            cells += [spread(differences(seeds, base, f"test_{metric.name}"), sign="+")]
        cells.append(str(len(seeds)))
        for key in MEDIANS:
            times = [run[key] for run in own if key in run]
            cells.append(f"{statistics.median(times):.2f}" if times else "")
        parameters = cost(wire(chosen, data.schema), data.schema, CANDIDATES).parameters
        cells.append(f"{parameters / 1e6:.2f}")
        cells.append(f"{np.mean([r['seconds'] for r in seeds.values()]):.0f}")
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def differences(
    one: dict[int, dict[str, Any]], other: dict[int, dict[str, Any]], key: str
) -> list[float]:
    """Seed by seed, of the seeds that both have."""
    return [one[seed][key] - other[seed][key] for seed in one if seed in other]


def spread(values: list[float], sign: str = "") -> str:
    """The mean and, of several, their standard deviation."""
    if not values:
        return ""
    sd = f" ± {np.std(values, ddof=1):.4f}" if len(values) > 1 else ""
    return f"{np.mean(values):{sign}.4f}{sd}"


if __name__ == "__main__":
    main()
