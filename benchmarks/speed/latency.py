"""Stability of a latency: measured again and again while a search trains on the same machine.

    python -m benchmarks.speed.latency [--times 20] [--out FIGURES.csv]

``automlrank search kuairand`` runs in the background from the first measurement to the last.

1. Ten zoo models of clearly different size are each measured ``--times`` times as a trial is (best
   of three tries), one model after the other. For each: how far its p50s lie from their median. For
   each repetition: whether all ten come in the order of the final figures.
2. All zoo models that the schema serves are measured once as a trial is, then as finalists are
   (interleaved, in random order). Kendall's tau-b of parameters, FLOPs and the first latency
   against the final one says how well each foretells it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from scipy.stats import kendalltau

from automlrank import Architecture, Dataset
from automlrank.candidates.evaluator import Evaluator
from automlrank.errors import SpaceError
from automlrank.finals.finalists import measure_in_turn
from automlrank.model.network import build
from automlrank.model.wiring import wire
from automlrank.runs.events import ignore
from automlrank.runs.search_config import SearchConfig
from automlrank.space.shipped import shipped
from benchmarks import harness

TEN = (
    *("lr", "nfm", "din", "dcn", "opnn"),
    *("dcn_mix", "dcn_v2", "gdcn", "masknet_parallel", "fibinet"),
)
SAMPLE = "kuairand"


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--out", type=Path, help="the table as CSV")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    data = Dataset.open(SAMPLE)
    evaluator, zoo = Evaluator(data, SearchConfig(), ignore), servable(data)
    with searching() as search:
        repeated = [first_pass(evaluator, {n: zoo[n] for n in TEN}) for _ in range(chosen.times)]
        first = first_pass(evaluator, zoo)
        models = {name: build(evaluator.wire(made), seed=0) for name, made in zoo.items()}
        final = {name: vars(ms) for name, ms in measure_in_turn(evaluator, models).items()}
        if search.poll() is not None:
            sys.exit("The search ended before the measurements did.")
    costs = {name: vars(evaluator.cost(model.plan)) for name, model in models.items()}
    headings = ("model", f"median p50 of {chosen.times}", "median deviation", "largest")
    table = harness.Figures([*headings, "final p50"])
    for cells in spreads(repeated, final):
        table.add(cells)
    table.write(chosen.out)
    figures = {"first": first, "final": final, "costs": costs}
    print("\n".join([*orders(repeated, final), *taus(figures)]))
    print(f"Load of the machine in the last minutes: {os.getloadavg()}, {os.cpu_count()} cores.")


def servable(data: Dataset) -> dict[str, Architecture]:
    """The zoo's models that the schema can serve."""
    models = {}
    for name, path in shipped().items():
        if path.parent.name != "zoo":
            continue
        architecture = Architecture.read(path)
        try:
            wire(architecture, data.schema)
        except SpaceError:
            continue
        models[name] = architecture
    return models


@contextmanager
def searching() -> Iterator[subprocess.Popen[bytes]]:
    """A search on the sample, at work until the context ends."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--trials", "10000", "--format", "quiet", "--out", f"{folder}/run"]
        command = [sys.executable, "-m", "automlrank", "search", SAMPLE, *options]
        with subprocess.Popen(command) as search:
            try:
                yield search
            finally:
                search.kill()


def first_pass(evaluator: Evaluator, models: dict[str, Architecture]) -> dict[str, float]:
    """The p50 of each, measured as a trial's is."""
    p50s = {}
    for name, architecture in models.items():
        p50s[name] = evaluator.latency(build(evaluator.wire(architecture), seed=0)).p50
        print(f"{name} {p50s[name]}", file=sys.stderr, flush=True)
    return p50s


def spreads(
    repeated: list[dict[str, float]], final: dict[str, dict[str, float]]
) -> Iterator[list[str]]:
    """A row a model: its median, the repetitions' deviation from it, and the final figure."""
    for name in TEN:
        p50s = np.array([one[name] for one in repeated])
        middle = float(np.median(p50s))
        off = np.abs(p50s / middle - 1)
        ms = final[name]
        last = f"{ms['p50']:.3g} ms, {ms['low']:.3g} to {ms['high']:.3g}"
        yield [name, f"{middle:.3g} ms", f"{np.median(off):.1%}", f"{off.max():.1%}", last]


def orders(repeated: list[dict[str, float]], final: dict[str, dict[str, float]]) -> Iterator[str]:
    right = sorted(TEN, key=lambda name: final[name]["p50"])
    held = sum(sorted(TEN, key=one.__getitem__) == right for one in repeated)
    yield f"Ten models in the final order in {held} of {len(repeated)} repetitions."


def taus(figures: dict[str, dict[str, dict[str, float]]]) -> Iterator[str]:
    final = figures["final"]
    last = [final[name]["p50"] for name in final]
    yield f"Kendall's tau against the final order of {len(final)} models:"
    for key in ("parameters", "matmul_flops"):
        tau = kendalltau([figures["costs"][name][key] for name in final], last).statistic
        yield f"- {key}: {tau:.3f}"
    tau = kendalltau([figures["first"][name] for name in final], last).statistic
    yield f"- first-pass latency: {tau:.3f}"


if __name__ == "__main__":
    main()
