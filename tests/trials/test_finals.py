"""In which order finalists are trained: what the report says first is known first."""

from __future__ import annotations

import pytest

from automlrank.trials.finals import SEEDS, in_order
from automlrank.trials.records import Record


def record(name: str, score: float, metric: str, state: str = "complete") -> Record:
    return Record(0, state, name, {}, name, valid={metric: score}, name=name)


@pytest.mark.parametrize(("metric", "sign"), [("auc", 1.0), ("logloss", -1.0)])
def test_one_seed_of_all_then_the_leaders_then_the_others(metric: str, sign: float) -> None:
    """The leaders are the first architecture and the reference with the better score."""
    finalists = [
        record("best", sign * 0.7, metric),
        record("second", sign * 0.6, metric),
        record("weak reference", sign * 0.5, metric, "reference"),
        record("strong reference", sign * 0.8, metric, "reference"),
    ]
    order = [(n, r.name) for n, r in in_order(finalists, metric)]
    assert len(order) == len(set(order)) == SEEDS * len(finalists)
    assert order[:4] == [(0, r.name) for r in finalists]
    leaders = ("best", "strong reference")
    assert order[4:8] == [(n, name) for n in (1, 2) for name in leaders]


def test_without_references_the_best_architecture_leads() -> None:
    finalists = [record("best", 0.7, "auc"), record("second", 0.6, "auc")]
    assert [r.name for _, r in in_order(finalists, "auc")][2:4] == ["best", "best"]
