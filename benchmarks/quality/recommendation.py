"""Share of searches whose recommended finalist fresh seeds confirm.

    python -m benchmarks.quality.recommendation [--table reports/search/table.parquet]

A search draws 25 trainings of a table that were made once (``benchmarks.quality.search``), and its
best by validation and latency are trained again with three seeds. Their true scores are the
table's test scores; rows and seeds move them as they do in the report of kuairand: a difference of
two architectures by .0008 over draws of rows, a training by .0004 between seeds, some tables have
twice the one or the other. One seed in forty collapses. The rule of ``runs/recommendation`` then
recommends one by these validation scores alone.

It is confirmed if three fresh seeds on other rows do not show it to be worse than the highest score
beyond 1.96 standard errors. ``score`` takes that one, ``fastest`` the fastest finalist, and ``speed
at 1.96`` every finalist that is not significantly worse for a tie.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from automlrank.measurement.latency import Latency
from automlrank.measurement.metrics import AUC
from automlrank.measurement.significance import Z_95, Sampling, Spread
from automlrank.measurement.stability import pooled_spread, unstable
from automlrank.runs.recommendation import Recommendation, fastest
from automlrank.runs.record import Record
from automlrank.runs.results import pareto
from automlrank.runs.scores import SplitScores, difference_of

TRIALS, SEEDS, SEARCHES = 25, 3, 2000
COLLAPSE = 0.025  # share of trainings that end at chance
CASES = ((5, 0.0008, 0.0004), (2, 0.0008, 0.0004), (8, 0.0008, 0.0004), (5, 0.0016, 0.0008))
Floats = npt.NDArray[np.float64]


def finalists_of(table: pl.DataFrame, count: int, draw: np.random.Generator) -> pl.DataFrame:
    """Return the finalists of one search: the front's best, then the next by validation."""
    trials = table[draw.choice(len(table), TRIALS, replace=False)].sort("valid", descending=True)
    front = pareto(trials["valid"].to_list(), trials["p50"].to_list(), up=True)
    best = sorted(front)[:count]
    others = [i for i in range(TRIALS) if i not in best]
    return trials[(best + others)[:count]]


def trained(
    true: Floats, rows: float, seeds: float, draw: np.random.Generator, collapse: float
) -> tuple[Sampling, dict[str, range]]:
    """Return fresh seeds of every finalist on one draw of rows."""
    own = true + draw.normal(0, rows / np.sqrt(2), len(true))
    values = own[:, None] + draw.normal(0, seeds, (len(true), SEEDS))
    values[draw.random(values.shape) < collapse] = 0.5 + draw.uniform(0, 0.02)
    of = {str(i): range(SEEDS * i, SEEDS * (i + 1)) for i in range(len(true))}
    shared = np.kron(np.eye(len(true)), np.full((SEEDS, SEEDS), rows**2 / 2))
    return Sampling(values.ravel(), shared), of


def records_of(found: Sampling, of: dict[str, range], p50: Sequence[float]) -> list[Record]:
    """Return the finalists as a search records them."""
    wild = unstable(found, of, AUC)
    pooled = pooled_spread(found, {k: seeds for k, seeds in of.items() if k not in wild})
    records = []
    for (key, seeds), ms in zip(of.items(), p50, strict=True):
        versus = {
            other: difference_of(found.difference(seeds, theirs, pooled))
            for other, theirs in of.items()
            if other != key
        }
        mean = float(found.values[list(seeds)].mean())
        valid = SplitScores(AUC, mean, mean=mean, versus=versus, unstable=key in wild)
        number, latency = int(key), Latency(ms, ms, ms)
        records.append(Record(number, "complete", key, {}, key, valid, latency_ms=latency))
    return records


def is_worse(one: Record, best: Record) -> bool:
    """Return True if the difference on validation is significant."""
    known = None if one.valid is None else one.valid.versus[best.fingerprint]
    return known is not None and (known.value or 0.0) < -Z_95 * (known.error or 0.0)


def confirmed(
    true: Floats, one: int, best: int, rows: float, seeds: float, draw: np.random.Generator
) -> bool:
    """Return True if fresh seeds do not show a finalist to be worse than the highest score."""
    found, of = trained(true[[one, best]], rows, seeds, draw, 0.0)
    value, error = found.difference(of["0"], of["1"], Spread(seeds**2, 30))
    return one == best or value > -Z_95 * error


def share_of(
    table: pl.DataFrame, count: int, rows: float, seeds: float
) -> dict[str, tuple[float, ...]]:
    """Return confirmed share, mean loss of true AUC and mean p50 of each way to choose."""
    draw = np.random.default_rng(0)
    ends: dict[str, list[tuple[float, ...]]] = {}
    for _ in range(SEARCHES):
        chosen = finalists_of(table, count, draw)
        true, p50 = chosen["test"].to_numpy(), chosen["p50"].to_list()
        records = records_of(*trained(true, rows, seeds, draw, COLLAPSE), p50)
        stable = [record for record in records if not record.is_unstable]
        found = Recommendation.among(stable, AUC)
        if found is None:
            continue
        best = found.highest
        wide = fastest([one for one in stable if one is best or not is_worse(one, best)])
        ways = {"speed": found.fastest, "score": best, "speed at 1.96": wide}
        for name, record in {**ways, "fastest": fastest(records)}.items():
            kept = confirmed(true, record.number, best.number, rows, seeds, draw)
            end = kept, float(true.max() - true[record.number]), p50[record.number]
            ends.setdefault(name, []).append(end)
    return {name: tuple(np.mean(values, axis=0)) for name, values in ends.items()}


def main() -> None:
    """Print a Markdown table, a row for each case and way to choose."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--table", type=Path, default=Path("reports/search/table.parquet"))
    table = pl.read_parquet(parser.parse_args().table)
    print("| finalists | rows, seeds | choice | confirmed | lost AUC | p50 ms |")
    print("|---|---|---|---|---|---|")
    for count, rows, seeds in CASES:
        for name, (kept, lost, ms) in share_of(table, count, rows, seeds).items():
            print(f"| {count} | {rows}, {seeds} | {name} | {kept:.1%} | {lost:.5f} | {ms:.2f} |")


if __name__ == "__main__":
    main()
