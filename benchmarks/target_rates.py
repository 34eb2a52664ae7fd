"""Target rates as features: which form helps a network, on one table, over seeds.

    python benchmarks/target_rates.py DATA SCHEMA [--seeds 3] [--threads 1] [--out FILE]

One small DeepFM, the same settings throughout; only the statistics change: how the training rows'
rates are computed (``form``), how much a rate is smoothed (``prior``), and what is made of them
(``fields``: numbers that interact with everything, or 20 buckets; ``logit``: a linear branch of
their own). Every model is trained with each seed; mean and sd over the seeds are printed.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from automlrank import Architecture, Dataset, build_model
from automlrank.documents import read_document
from automlrank.train.loop import fit, score

OF = ["user_id", "video_id", "author_id", "music_id", "tab"]
CROSSES = [["user_id", "tab"], ["video_id", "tab"], ["author_id", "tab"]]
LOGIT, FIELDS, BUCKETS = "rate_logit", "rate_fields", {"rate_fields": {"buckets": 20}}
CASES: list[tuple[str, str | None, float, Any]] = [
    ("off", None, 5.0, "none"),
    ("fields", "out_of_fold", 5.0, FIELDS),
    ("logit", "out_of_fold", 5.0, LOGIT),
    ("fields in buckets", "out_of_fold", 5.0, BUCKETS),
    ("fields", "earlier_rows", 5.0, FIELDS),
    ("logit", "earlier_rows", 5.0, LOGIT),
    ("fields", "earlier_days", 5.0, FIELDS),
    ("logit", "earlier_days", 5.0, LOGIT),
    ("fields", "out_of_fold", 50.0, FIELDS),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("schema")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--l2", type=float, default=0.3, help="of embeddings and linear weights")
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    lines = [
        "| statistics | form | prior | valid AUC | test AUC | test GAUC | seconds |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    print("\n".join(lines), flush=True)
    for name, form, prior, stage in CASES:
        data = Dataset.open(chosen.data, schema_with(chosen.schema, form, prior))
        runs = [trained(data, stage, seed, chosen.l2) for seed in range(chosen.seeds)]
        lines.append(row(name, form, prior, runs))
        print(lines[-1], flush=True)
    if chosen.out:
        chosen.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


def schema_with(path: str, form: str | None, prior: float) -> dict[str, Any]:
    """The schema with statistics of a form, or without any."""
    schema: Any = dict(read_document(path).data)  # type: ignore[call-overload]
    if form is None:
        return schema | {"statistics": "none"}
    return schema | {"statistics": {"of": OF, "form": form, "prior": prior}, "crosses": CROSSES}


def trained(data: Dataset, stage: Any, seed: int, l2: float) -> tuple[float, ...]:
    """Valid AUC, test AUC, test GAUC, seconds of one training."""
    architecture = Architecture.read(
        {
            "architecture": "deepfm",
            "statistics": stage,
            "embedding": {"dim": 16, "l2": l2},
            "interaction": {
                "parallel": [{"linear": {"l2": l2}}, "fm", {"mlp": {"width": 256, "depth": 2}}]
            },
            "training": {"dropout": 0.3, "batch_size": 1024},
        }
    )
    began = time.perf_counter()
    model = build_model(architecture, data.schema, seed)
    for progress in fit(model, architecture, data, seed=seed):
        best = progress.best
    seconds = time.perf_counter() - began
    assert best is not None
    task = data.schema.tasks[0].name
    test = [score(model, data, "test", metric)[task] for metric in ("auc", "gauc")]
    return best[task], *test, seconds


def row(name: str, form: str | None, prior: float, runs: list[tuple[float, ...]]) -> str:
    *scores, seconds = zip(*runs, strict=True)
    shown = [f"{np.mean(values):.4f} ± {np.std(values, ddof=1):.4f}" for values in scores]
    settings = ["", ""] if form is None else [form, f"{prior:g}"]
    return f"| {' | '.join([name, *settings, *shown, f'{np.mean(seconds):.0f}'])} |"


if __name__ == "__main__":
    main()
