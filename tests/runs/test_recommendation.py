"""One finalist is recommended: the fastest that ties with the best, on validation alone."""

from __future__ import annotations

import dataclasses
import itertools

import pytest

from automlrank.errors import BudgetError, RunError
from automlrank.measurement.latency import Latency
from automlrank.measurement.metrics import AUC, LOGLOSS, Metric
from automlrank.runs.recommendation import Recommendation, fastest, ties
from automlrank.runs.record import Record
from automlrank.runs.results import Results
from automlrank.runs.scores import FinalScores, PairedDifference, SplitScores
from automlrank.runs.search_config import SCORE

ERROR = 0.001


def finalist(
    number: int,
    score: float,
    p50: float,
    metric: Metric = AUC,
    width: float = 0.0,
    **values: object,
) -> Record:
    """A finalist with its mean over seeds; ``width`` is half the interval of its latency."""
    latency = Latency(p50, p50, p50, p50 - width, p50 + width)
    fields: dict[str, object] = {
        "number": number,
        "state": "complete",
        "fingerprint": f"f{number}",
        "architecture": {"interaction": "fm"},
        "summary": "fm",
        "valid": SplitScores(metric, score, mean=score),
        "test": FinalScores(metric, 0.5),
        "latency_ms": latency,
        "embedding_bytes": 1000,
    }
    return Record(**{**fields, **values})  # type: ignore[arg-type]


def compared(*records: Record, error: float = ERROR) -> list[Record]:
    """Records with their paired differences, all of one error."""
    found = []
    for record in records:
        versus = {
            other.fingerprint: PairedDifference(
                (record.choice_score or 0.0) - (other.choice_score or 0.0), error
            )
            for other in records
            if other is not record
        }
        assert record.valid is not None
        valid = dataclasses.replace(record.valid, versus=versus)
        found.append(dataclasses.replace(record, valid=valid))
    return found


def chosen(*records: Record, prefer: str = "speed") -> int:
    found = Recommendation.among(records, records[0].valid.metric, prefer)  # type: ignore[union-attr]
    assert found is not None
    return found.recommended.number


@pytest.mark.parametrize(("metric", "sign"), [(AUC, 1), (LOGLOSS, -1)])
def test_a_tie_goes_to_the_faster_and_a_real_loss_does_not(metric, sign):
    records = [
        finalist(31, 0.7333, 13.4, metric),
        finalist(52, 0.7333 - sign * 0.0002, 1.9, metric),
        finalist(7, 0.7333 - sign * 0.01, 0.2, metric),
    ]
    assert chosen(*compared(*records)) == 52
    assert chosen(*compared(*records), prefer=SCORE) == 31
    assert chosen(*compared(*records, error=1.0)) == 7


@pytest.mark.parametrize("count", [2, 5, 12])
def test_the_more_stand_for_choice_the_closer_a_tie_is(count):
    """A fast one of many may be a lucky one: ``1.75 / sqrt(k)`` standard errors are the most."""
    for factor, tie in ((0.99, True), (1.01, False)):
        best = [finalist(n, 0.7, 9.0) for n in range(count - 1)]
        behind = finalist(99, 0.7 - factor * 1.75 / count**0.5 * ERROR, 1.0)
        records = compared(*best, behind)
        assert ties(records[-1], records[0], count, AUC) is tie
        assert (chosen(*records) == 99) is tie


def test_the_test_split_is_not_read():
    records = compared(finalist(0, 0.7, 9.0), finalist(1, 0.6999, 1.0), finalist(2, 0.65, 0.5))
    for scores in itertools.permutations([0.1, 0.5, 0.9]):
        tests = [FinalScores(AUC, score) for score in scores]
        known = [dataclasses.replace(r, test=t) for r, t in zip(records, tests, strict=True)]
        assert chosen(*known) == 1


def test_without_a_measured_spread_nothing_ties():
    assert chosen(finalist(0, 0.7001, 90.0), finalist(1, 0.7, 1.0)) == 0


def test_among_equally_fast_ones_the_smaller_embedding_is_taken():
    large = finalist(0, 0.7, 1.0, width=0.2, embedding_bytes=4_000_000)
    small = finalist(1, 0.7, 1.1, width=0.2, embedding_bytes=9_000)
    slow = finalist(2, 0.7, 1.5, width=0.2, embedding_bytes=1)
    assert fastest([large, small, slow]).number == 1
    assert chosen(*compared(large, small, slow)) == 1


def test_an_unstable_one_is_never_recommended_and_no_other_ties_with_it():
    wild = finalist(0, 0.79, 0.1)
    assert wild.valid is not None
    wild = dataclasses.replace(wild, valid=dataclasses.replace(wild.valid, unstable=True))
    records = compared(finalist(1, 0.7, 9.0), finalist(2, 0.6999, 2.0))
    results = Results(AUC, {}, (*records, wild))
    assert results.best().number == 2
    assert results.best(prefer=SCORE).number == 1
    assert [r.number for r in results.unstable] == [0]
    with pytest.raises(RunError, match="no finalist is stable: the seeds of trials 0 disagree"):
        Results(AUC, {}, (wild,)).best()


def test_a_reference_outside_the_space_can_be_recommended():
    own = finalist(0, 0.7, 9.0)
    outside = finalist(-1, 0.72, 2.0, state="reference", name="deepfm")
    trees = finalist(-2, 0.74, 1.0, state="reference", name="lightgbm", architecture={})
    results = Results(AUC, {}, (own,), (outside, trees))
    assert results.best().number == -1


def test_within_a_latency_the_choice_is_made_anew():
    results = Results(AUC, {}, tuple(compared(finalist(0, 0.7, 9.0), finalist(1, 0.6, 2.0))))
    assert results.best().number == 0
    assert results.best(5.0).number == 1
    with pytest.raises(BudgetError, match="no complete trial takes 1 ms or less"):
        results.best(1.0)
