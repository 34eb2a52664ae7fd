"""Whether products in bfloat16 cost AUC: a zoo model trained both ways, from the same seeds.

    python benchmarks/bf16_auc.py DATA SCHEMA --out RUNS.jsonl [--model deepfm] [--seeds 3]

Runs are appended to the file as they end, and those that it holds are not run again. The table
gives the mean of each way over the seeds with its spread, and the mean of the seeds' differences.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

import torch
from histories import differences, spread, trained
from runs import keep, read

from automlrank import Architecture, Dataset
from automlrank.jobs.spaces import find

SPLITS = ("valid_auc", "test_auc")
WAYS = {"fp32": False, "bf16": True}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("schema", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="JSON lines")
    parser.add_argument("--model", default="deepfm")
    parser.add_argument("--seeds", type=int, default=3)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    data = Dataset.open(chosen.data, chosen.schema)
    names = {"data": data.name, "model": chosen.model}
    done = [{key: run[key] for key in (*names, "way", "seed")} for run in read(chosen.out)]
    for seed in range(chosen.seeds):
        for way, bf16 in WAYS.items():
            run = {**names, "way": way, "seed": seed}
            if run not in done:
                made = with_products(Architecture.read(find(chosen.model)), bf16)
                keep(chosen.out, {**run, **trained(data, made, seed)})
    runs = [run for run in read(chosen.out) if names.items() <= run.items()]
    print("\n".join(table(runs)))


def with_products(made: Architecture, bf16: bool) -> Architecture:
    return dataclasses.replace(made, training=dataclasses.replace(made.training, bf16=bf16))


def table(runs: list[dict[str, Any]]) -> list[str]:
    """A row a split: both ways, and what bfloat16 gains seed by seed."""
    lines = [f"| split | {' | '.join(WAYS)} | bf16 less fp32 |", f"|{' --- |' * (len(WAYS) + 2)}"]
    by_way = [{run["seed"]: run for run in runs if run["way"] == way} for way in WAYS]
    for key in SPLITS:
        cells = [spread([run[key] for run in seeds.values()]) for seeds in by_way]
        gain = spread(differences(by_way[1], by_way[0], key), sign="+")
        lines.append(f"| {key} | {' | '.join(cells)} | {gain} |")
    return lines


if __name__ == "__main__":
    main()
