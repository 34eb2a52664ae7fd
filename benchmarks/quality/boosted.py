"""Boosted trees on the encoded rows that networks train on: AUC, CPU seconds, latency, over seeds.

    python -m benchmarks.quality.boosted DATA SCHEMA [--seeds 3] [--threads 1] [--out FILE]

Both references by LightGBM, ``lightgbm`` and ``lightgbm_rates``, are trained with each seed as a
search trains them; latency is that of 200 candidates by the protocol of docs/numbers.md.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch

from automlrank import Dataset
from automlrank.candidates.evaluator import Evaluator
from automlrank.candidates.trees import BOOSTED
from automlrank.measurement.metrics import AUC
from automlrank.runs.events import ignore
from automlrank.runs.search_config import SearchConfig
from automlrank.training.loop import score
from automlrank.training.trees.baseline import fit_trees
from benchmarks import harness

HEADINGS = ("reference", "valid AUC", "test AUC", "trees", "CPU s", "p50 ms", "p95 ms")


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("data")
    parser.add_argument("schema")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    evaluator = Evaluator(Dataset.open(chosen.data, chosen.schema), SearchConfig(), ignore)
    table = harness.Figures(HEADINGS)
    for name in BOOSTED:
        runs = [trained(evaluator, name, seed) for seed in range(chosen.seeds)]
        table.add(row(name, runs))
    table.write(chosen.out)


def trained(evaluator: Evaluator, name: str, seed: int) -> tuple[float, ...]:
    """Valid AUC, test AUC, trees, CPU seconds, p50 and p95 of one training."""
    data, task = evaluator.data, evaluator.data.schema.tasks[0].name
    began = time.process_time()
    trees = fit_trees(data, with_rates=BOOSTED[name].with_rates, seed=seed, tell=lambda _: None)
    seconds = time.process_time() - began
    valid, test = (score(trees, data, split, AUC)[task] for split in ("valid", "test"))
    latency = evaluator.latency(trees)
    return valid, test, trees.boosters[0].best_iteration, seconds, latency.p50, latency.p95


def row(name: str, runs: list[tuple[float, ...]]) -> list[str]:
    valid, test, *rest = zip(*runs, strict=True)
    aucs = [harness.spread(values) for values in (valid, test)]
    counts = [f"{np.mean(values):.0f}" for values in rest[:2]]
    times = [f"{np.mean(values):.1f}" for values in rest[2:]]
    return [name, *aucs, *counts, *times]


if __name__ == "__main__":
    main()
