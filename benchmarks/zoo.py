"""Every zoo model on one table: AUC over seeds, latency, parameters, seconds.

    python benchmarks/zoo.py DATA SCHEMA --out RUNS.jsonl [--seeds 3] [--models lr fm ...]
    python benchmarks/zoo.py DATA SCHEMA --out RUNS.jsonl --latency 5

Each training is that of ``automlrank train NAME DATA --schema SCHEMA --seed SEED --test`` on one
thread, with the settings of the model's file. Runs are appended to the file as they end, and those
that it holds are not repeated; all models get their first seed before any gets its second.
``--latency N`` measures all models N times, in turn; the table takes the median of their p50.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import torch
from runs import keep, read

from automlrank import Architecture, Dataset, build_model
from automlrank.errors import SpaceError
from automlrank.jobs.train import train
from automlrank.measurement.latency import measure_latency
from automlrank.model.cost import cost
from automlrank.model.wiring import wire
from automlrank.serving.runtimes import served
from automlrank.space.shipped import shipped

CANDIDATES = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("schema")
    parser.add_argument("--out", type=Path, required=True, help="JSON lines")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--models", nargs="*", help="default: all that the schema can serve")
    parser.add_argument("--latency", type=int, default=0, help="measure so often, train nothing")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    data = Dataset.open(chosen.data, chosen.schema)
    models = servable(data, chosen.models)
    if chosen.latency:
        latencies(data, models, chosen.latency, chosen.out)
    else:
        trainings(chosen.data, chosen.schema, models, chosen.seeds, chosen.out)
    print("\n".join(table(data, models, read(chosen.out))))


def servable(data: Dataset, names: list[str] | None) -> dict[str, Architecture]:
    """The zoo's models by name, without those that need what the schema lacks."""
    models = {}
    zoo = {name: path for name, path in shipped().items() if path.parent.name == "zoo"}
    for name in names or zoo:
        architecture = Architecture.read(zoo[name])
        try:
            wire(architecture, data.schema)
        except SpaceError as error:
            print(f"{name} left out: {error}")
        else:
            models[name] = architecture
    return models


def trainings(
    data: str, schema: str, models: dict[str, Architecture], seeds: int, out: Path
) -> None:
    done = {(run["model"], run["seed"]) for run in read(out) if "seed" in run}
    for seed in range(seeds):
        for name, architecture in models.items():
            if (name, seed) in done:
                continue
            result = train(architecture, data, schema, test=True, seed=seed)
            scores = {s: found["auc"] for s, found in result.scores.items() if found}
            keep(out, {"model": name, "seed": seed, **scores, "seconds": result.seconds})


def latencies(data: Dataset, models: dict[str, Architecture], times: int, out: Path) -> None:
    requests = [data.request("valid", CANDIDATES, 1000 * i) for i in range(8)]
    built = {name: build_model(a, data.schema, seed=0) for name, a in models.items()}
    for _ in range(times):
        for name, model in built.items():
            with served(model, data.schema, requests) as calls:
                keep(out, {"model": name, "p50": measure_latency(calls).p50})


def table(data: Dataset, models: dict[str, Architecture], runs: list[dict[str, Any]]) -> list[str]:
    """A row a model, best test AUC first."""
    rows = []
    for name, architecture in models.items():
        own = [run for run in runs if run["model"] == name]
        trained, times = [r for r in own if "seed" in r], [r["p50"] for r in own if "p50" in r]
        if not trained:
            continue
        test, valid, seconds = ([r[key] for r in trained] for key in ("test", "valid", "seconds"))
        parameters = cost(wire(architecture, data.schema), data.schema, CANDIDATES).parameters
        spread = f" ± {np.std(test, ddof=1):.4f}" if len(test) > 1 else ""
        cells = [
            name,
            f"{np.mean(valid):.4f}",
            f"{np.mean(test):.4f}{spread}",
            str(len(test)),
            f"{statistics.median(times):.2f}" if times else "",
            f"{parameters / 1e6:.2f}",
            f"{np.mean(seconds):.0f}",
        ]
        rows.append((float(np.mean(test)), f"| {' | '.join(cells)} |"))
    rows.sort(reverse=True)
    return [
        "| model | valid AUC | test AUC | seeds | p50 ms | M parameters | seconds |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(text for _, text in rows),
    ]


if __name__ == "__main__":
    main()
