"""Target rates as features: which form helps a network, on one table, over seeds.

    python -m benchmarks.quality.target_rates DATA SCHEMA [--chosen] [--epochs 2] [--out FILE]

One small DeepFM, the same settings throughout; only the statistics change: how the training rows'
rates are computed (``form``), how much a rate is smoothed (``prior``), and what is made of them
(``fields``: numbers that interact with everything, beside their columns' ids or in their place, or
20 buckets; ``logit``: a linear branch of their own). Every model is trained with each seed by a
falling learning rate; mean and sd over the seeds are printed. The statistics are those of
KuaiRand's columns below or, with ``--chosen``, what a schema that does not say is given.
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
from automlrank.measurement.metrics import AUC, GAUC
from automlrank.training.loop import fit, score
from benchmarks import harness

OF = ["user_id", "video_id", "author_id", "music_id", "tab"]
CROSSES = [["user_id", "tab"], ["video_id", "tab"], ["author_id", "tab"]]
LOGIT, FIELDS, BUCKETS = "rate_logit", "rate_fields", {"rate_fields": {"buckets": 20}}
INSTEAD = {"rate_fields": {"replace_ids": True}}
CASES: list[tuple[str, str | None, float, Any]] = [
    ("off", None, 5.0, "none"),
    ("fields", "out_of_fold", 5.0, FIELDS),
    ("fields for ids", "out_of_fold", 5.0, INSTEAD),
    ("logit", "out_of_fold", 5.0, LOGIT),
    ("fields in buckets", "out_of_fold", 5.0, BUCKETS),
    ("fields", "earlier_rows", 5.0, FIELDS),
    ("fields for ids", "earlier_rows", 5.0, INSTEAD),
    ("logit", "earlier_rows", 5.0, LOGIT),
    ("fields", "earlier_days", 5.0, FIELDS),
    ("logit", "earlier_days", 5.0, LOGIT),
    ("fields", "out_of_fold", 50.0, FIELDS),
]

HEADINGS = ("statistics", "form", "prior", "valid AUC", "test AUC", "test GAUC", "seconds")


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("data")
    parser.add_argument("schema")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--chosen", action="store_true", help="statistics as they are chosen")
    parser.add_argument("--cases", nargs="+", help="names of those to be run; without, all")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--width", type=int, default=256, help="of the mlp's two layers")
    parser.add_argument("--dropout", type=float, default=0.3)
    parser.add_argument("--l2", type=float, default=0.3, help="of embeddings and linear weights")
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    table = harness.Figures(HEADINGS)
    of = None if chosen.chosen else OF
    for name, form, prior, stage in CASES:
        if chosen.chosen and (form, prior) not in ((None, 5.0), ("out_of_fold", 5.0)):
            continue
        if chosen.cases and name not in chosen.cases:
            continue
        data = Dataset.open(chosen.data, schema_with(chosen.schema, form, prior, of))
        runs = [trained(data, deepfm(stage, chosen), seed) for seed in range(chosen.seeds)]
        table.add(row(name, form, prior, runs))
    table.write(chosen.out)


def schema_with(
    path: str, form: str | None, prior: float, of: list[str] | None = OF
) -> dict[str, Any]:
    """The schema with statistics of a form, or without any; None: of the columns chosen for it."""
    schema: Any = dict(read_document(path).data)  # type: ignore[call-overload]
    if form is None:
        return schema | {"statistics": "none"}
    if of is None:
        return schema
    return schema | {"statistics": {"of": of, "form": form, "prior": prior}, "crosses": CROSSES}


def deepfm(stage: Any, chosen: argparse.Namespace) -> Architecture:
    return Architecture.read(
        {
            "architecture": "deepfm",
            "statistics": stage,
            "embedding": {"dim": 16, "l2": chosen.l2},
            "interaction": {
                "parallel": [
                    {"linear": {"l2": chosen.l2}},
                    "fm",
                    {"mlp": {"width": chosen.width, "depth": 2}},
                ]
            },
            "training": {
                "dropout": chosen.dropout,
                "batch_size": 1024,
                "batch_norm": False,
                "learning_rate": 2e-3,
                "schedule": "linear",
                "epochs": chosen.epochs,
            },
        }
    )


def trained(data: Dataset, architecture: Architecture, seed: int) -> tuple[float, ...]:
    """Valid AUC, test AUC, test GAUC (NaN without groups), seconds of one training."""
    began = time.perf_counter()
    model = build_model(architecture, data.schema, seed)
    for progress in fit(model, architecture, data, seed=seed):
        best = progress.best
    seconds = time.perf_counter() - began
    assert best is not None
    task = data.schema.tasks[0].name
    test = score(model, data, "test", AUC)[task]
    gauc = score(model, data, "test", GAUC)[task] if data.schema.group else np.nan
    return best[task], test, gauc, seconds


def row(name: str, form: str | None, prior: float, runs: list[tuple[float, ...]]) -> list[str]:
    *scores, seconds = zip(*runs, strict=True)
    shown = ["" if np.isnan(values).all() else harness.spread(values) for values in scores]
    settings = ["", ""] if form is None else [form, f"{prior:g}"]
    return [name, *settings, *shown, f"{np.mean(seconds):.0f}"]


if __name__ == "__main__":
    main()
