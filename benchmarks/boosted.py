"""Boosted trees on the encoded rows that networks train on: AUC, CPU seconds, latency, over seeds.

    python benchmarks/boosted.py DATA SCHEMA [--seeds 3] [--threads 1] [--out FILE]

Both references by LightGBM, ``lightgbm`` and ``lightgbm_rates``, are trained with each seed as a
search trains them; latency is that of 200 candidates by the protocol of docs/numbers.md.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from automlrank import Dataset
from automlrank.candidates.evaluator import Evaluator
from automlrank.candidates.trees import BOOSTED
from automlrank.runs.events import ignore
from automlrank.runs.search_config import SearchConfig
from automlrank.training.loop import score
from automlrank.training.trees.baseline import fit_trees


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("schema")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    bench = Evaluator(Dataset.open(chosen.data, chosen.schema), SearchConfig(), ignore)
    lines = [
        "| reference | valid AUC | test AUC | trees | CPU s | p50 ms | p95 ms |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    print("\n".join(lines), flush=True)
    for name in BOOSTED:
        runs = [trained(bench, name, seed) for seed in range(chosen.seeds)]
        lines.append(row(name, runs))
        print(lines[-1], flush=True)
    if chosen.out:
        chosen.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


def trained(bench: Evaluator, name: str, seed: int) -> tuple[float, ...]:
    """Valid AUC, test AUC, trees, CPU seconds, p50 and p95 of one training."""
    data, task = bench.data, bench.data.schema.tasks[0].name
    began = time.process_time()
    trees = fit_trees(data, with_rates=BOOSTED[name].with_rates, seed=seed, tell=lambda _: None)
    seconds = time.process_time() - began
    valid, test = (score(trees, data, split, "auc")[task] for split in ("valid", "test"))
    latency = bench.latency(trees)
    return valid, test, trees.boosters[0].best_iteration, seconds, latency.p50, latency.p95


def row(name: str, runs: list[tuple[float, ...]]) -> str:
    valid, test, *rest = zip(*runs, strict=True)
    aucs = [f"{np.mean(values):.4f} ± {np.std(values, ddof=1):.4f}" for values in (valid, test)]
    counts = [f"{np.mean(values):.0f}" for values in rest[:2]]
    times = [f"{np.mean(values):.1f}" for values in rest[2:]]
    return f"| {' | '.join([name, *aucs, *counts, *times])} |"


if __name__ == "__main__":
    main()
