"""Ways of training one model from the same seeds: bfloat16, schedules, what trees teach.

    python benchmarks/training_ways.py bf16 DATA SCHEMA --out RUNS.jsonl [--model NAME] [--seeds 3]
    python benchmarks/training_ways.py schedules DATA SCHEMA --out RUNS.jsonl
    python benchmarks/training_ways.py distillation DATA SCHEMA --out RUNS.jsonl --model FILE

``bf16`` asks whether products in bfloat16 cost AUC, ``schedules`` what a learning rate that falls
linearly over few epochs gains over one that drops on plateaus, ``distillation`` what labels gain by
a share of boosted trees' out-of-fold predictions. Runs are appended to the file as
they end, and those that it holds are not run again. The table gives each way's mean over the seeds
with its spread, and the mean of the seeds' differences to the first.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import torch
from histories import differences, spread, trained
from runs import keep, read

from automlrank import Architecture, Dataset
from automlrank.space.shipped import find

SPLITS = ("valid_auc", "test_auc")
LINEAR = {"schedule": "linear", "learning_rate": 2e-3}
WAYS: dict[str, dict[str, dict[str, Any]]] = {
    "bf16": {"fp32": {"bf16": False}, "bf16": {"bf16": True}},
    "schedules": {
        "plateaus": {},
        "plateaus from 2e-3": {"learning_rate": 2e-3},
        **{f"linear, {n} epochs": {**LINEAR, "epochs": n} for n in (1, 2, 4)},
    },
    "distillation": {str(d): {"distillation": d} for d in (0.0, 0.5, 0.8, 0.95)},
}
"""Settings of training by their name; the first are those that others are compared with."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=WAYS)
    parser.add_argument("data")
    parser.add_argument("schema", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="JSON lines")
    parser.add_argument("--model", default="deepfm")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--ways", nargs="+", help="names of those to be run; without, all")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    ways, model = WAYS[chosen.what], Architecture.read(find(chosen.model))
    data = Dataset.open(chosen.data, chosen.schema)
    names = {"data": data.name, "model": Path(chosen.model).stem}
    done = [{key: run[key] for key in (*names, "way", "seed")} for run in read(chosen.out)]
    for seed in range(chosen.seeds):
        for way in chosen.ways or ways:
            run = {**names, "way": way, "seed": seed}
            if run not in done:
                keep(chosen.out, {**run, **trained(data, with_training(model, ways[way]), seed)})
    runs = [run for run in read(chosen.out) if names.items() <= run.items()]
    print("\n".join(table(list(ways), runs)))


def with_training(made: Architecture, settings: dict[str, Any]) -> Architecture:
    return dataclasses.replace(made, training=dataclasses.replace(made.training, **settings))


def table(ways: list[str], runs: list[dict[str, Any]]) -> list[str]:
    """A row a way: its scores, what it gains on the first seed by seed, its epochs and seconds."""
    headings = ["way", *(f"{key}, to the first" for key in SPLITS), "seeds", "epochs", "seconds"]
    lines = [f"| {' | '.join(headings)} |", f"|{' --- |' * len(headings)}"]
    by_way = {way: {run["seed"]: run for run in runs if run["way"] == way} for way in ways}
    first = by_way[ways[0]]
    for way, own in by_way.items():
        if not own:
            continue
        cells = [way]
        for key in SPLITS:
            gain = spread(differences(own, first, key), sign="+") if own is not first else ""
            cells.append(spread([run[key] for run in own.values()]) + (gain and f", {gain}"))
        means = [np.mean([run[key] for run in own.values()]) for key in ("epochs", "seconds")]
        lines.append(f"| {' | '.join([*cells, str(len(own)), *(f'{x:.0f}' for x in means)])} |")
    return lines


if __name__ == "__main__":
    main()
