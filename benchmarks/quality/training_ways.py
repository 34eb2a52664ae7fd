"""Ways of training one model from the same seeds: bfloat16, schedules, what trees teach.

    python -m benchmarks.quality.training_ways bf16|schedules|distillation DATA SCHEMA
        --out RUNS.jsonl [--model NAME|FILE] [--seeds 3] [--ways NAME ...]

``bf16`` asks whether products in bfloat16 cost AUC, ``schedules`` what a learning rate that falls
linearly over few epochs gains over one that drops on plateaus, ``distillation`` what labels gain by
a share of boosted trees' out-of-fold predictions. Runs are appended to the file as
they end, and those that it holds are not run again. The table gives each way's mean over the seeds
with its spread, and the mean of the seeds' differences to the first.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from automlrank import Architecture, Dataset
from automlrank.space.shipped import find
from benchmarks import harness
from benchmarks.harness import Run, differences, keep, markdown, missing, read, spread
from benchmarks.quality.histories import trained

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
    parser = harness.parser(__doc__)
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
    cases = [
        {**names, "way": way, "seed": seed}
        for seed in range(chosen.seeds)
        for way in chosen.ways or ways
    ]
    for case in missing(chosen.out, cases):
        made = with_training(model, ways[case["way"]])
        keep(chosen.out, {**case, **trained(data, made, case["seed"])})
    print("\n".join(table(chosen.what, read(chosen.out), **names)))


def with_training(made: Architecture, settings: dict[str, Any]) -> Architecture:
    return dataclasses.replace(made, training=dataclasses.replace(made.training, **settings))


def table(what: str, runs: Sequence[Run], data: str, model: str) -> list[str]:
    """A row a way: its scores, its gain on the first seed by seed, its epochs and seconds."""
    headings = ["way", *(f"{key}, to the first" for key in SPLITS), "seeds", "epochs", "seconds"]
    own = [run for run in runs if (run["data"], run["model"]) == (data, model)]
    by_way = {way: {r["seed"]: r for r in own if r["way"] == way} for way in WAYS[what]}
    first = next(iter(by_way.values()))
    rows = [cells(way, found, first) for way, found in by_way.items() if found]
    return markdown(headings, rows)


def cells(way: str, own: Mapping[int, Run], first: Mapping[int, Run]) -> list[str]:
    found = [way]
    for key in SPLITS:
        gain = spread(differences(own, first, key), sign="+") if own is not first else ""
        found.append(spread([run[key] for run in own.values()]) + (gain and f", {gain}"))
    means = [np.mean([run[key] for run in own.values()]) for key in ("epochs", "seconds")]
    return [*found, str(len(own)), *(f"{mean:.0f}" for mean in means)]


if __name__ == "__main__":
    main()
