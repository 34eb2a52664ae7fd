"""Every zoo model on one table: AUC over seeds, latency, parameters, seconds.

    python -m benchmarks.quality.zoo DATA SCHEMA --out RUNS.jsonl [--seeds 3] [--models lr fm ...]
    python -m benchmarks.quality.zoo DATA SCHEMA --out RUNS.jsonl --latency 5

Each training is that of ``automlrank train NAME DATA --schema SCHEMA --seed SEED --test`` on one
thread, with the settings of the model's file. Runs are appended to the file as they end, and those
that it holds are not repeated; all models get their first seed before any gets its second.
``--latency N`` measures all models N times, in turn; the table takes the median of their p50.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from automlrank import Architecture, Dataset, build_model
from automlrank.errors import SpaceError
from automlrank.jobs.train import train
from automlrank.measurement.latency import measure_latency
from automlrank.model.cost import cost
from automlrank.model.serving.runtimes import served
from automlrank.model.wiring import wire
from automlrank.space.shipped import shipped
from benchmarks import harness
from benchmarks.harness import Run, keep, markdown, missing, read, spread

CANDIDATES = 200


def main() -> None:
    parser = harness.parser(__doc__)
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
        sizes = {name: cost(wire(a, data.schema), data.schema) for name, a in models.items()}
        cases = [{"model": name, "parameters": one.parameters} for name, one in sizes.items()]
        for case in missing(chosen.out, cases):
            keep(chosen.out, case)
        trainings(chosen.data, chosen.schema, models, chosen.seeds, chosen.out)
    print("\n".join(table(read(chosen.out))))


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
    cases = [{"model": name, "seed": seed} for seed in range(seeds) for name in models]
    for case in missing(out, cases):
        result = train(models[case["model"]], data, schema, test=True, seed=case["seed"])
        scores = {s: found["auc"] for s, found in result.scores.items() if found}
        keep(out, {**case, **scores, "seconds": result.seconds})


def latencies(data: Dataset, models: dict[str, Architecture], times: int, out: Path) -> None:
    requests = [data.request("valid", CANDIDATES, 1000 * i) for i in range(8)]
    built = {name: build_model(a, data.schema, seed=0) for name, a in models.items()}
    for _ in range(times):
        for name, model in built.items():
            with served(model, data.schema, requests) as calls:
                keep(out, {"model": name, "p50": measure_latency(calls).p50})


def table(runs: Sequence[Run]) -> list[str]:
    """A row a model, best mean test AUC first."""
    names = dict.fromkeys(run["model"] for run in runs if "seed" in run)
    rows = sorted((row_of(name, runs) for name in names), reverse=True)
    headings = ("model", "valid AUC", "test AUC", "seeds", "p50 ms", "M parameters", "seconds")
    return markdown(headings, [cells for _, cells in rows])


def row_of(name: str, runs: Sequence[Run]) -> tuple[float, list[str]]:
    """A model's mean test AUC and its cells."""
    own = [run for run in runs if run["model"] == name]
    trained, times = [r for r in own if "seed" in r], [r["p50"] for r in own if "p50" in r]
    test, valid, seconds = ([r[key] for r in trained] for key in ("test", "valid", "seconds"))
    (parameters,) = (run["parameters"] for run in own if "parameters" in run)
    return float(np.mean(test)), [
        name,
        f"{np.mean(valid):.4f}",
        spread(test),
        str(len(test)),
        f"{statistics.median(times):.2f}" if times else "",
        f"{parameters / 1e6:.2f}",
        f"{np.mean(seconds):.0f}",
    ]


if __name__ == "__main__":
    main()
