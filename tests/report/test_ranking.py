"""The leaderboard's order: real differences part ranks, speed orders ties."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automlrank.finals.finalists import with_finals
from automlrank.finals.joint_scores import FinalRun
from automlrank.finals.scores import final_scores
from automlrank.measurement.latency import Latency
from automlrank.measurement.metrics import METRICS
from automlrank.report.ranking import ranked, ranks, really_beats
from automlrank.runs.record import Record
from automlrank.runs.results import Results
from automlrank.runs.scores import FinalScores, PairedDifference, SeedScores, SplitScores
from automlrank.training.loop import score_logits

ERRORS = st.sampled_from([0.0005, 0.002, 0.01])


def finalist(number: int, metric: str, score: float | None, p50: float = 1.0) -> Record:
    return Record(
        number=number,
        state="complete",
        fingerprint=f"print{number}",
        architecture={},
        summary=f"model {number}",
        valid=SplitScores(METRICS[metric], 0.5 + number / 100),
        test=None if score is None else FinalScores(METRICS[metric], score, seeds=3, versus={}),
        latency_ms=Latency(p50, p50, p50),
    )


def board(metric: str, *records: Record, references: tuple[Record, ...] = ()) -> Results:
    return Results(METRICS[metric], {}, records, references)


def order(results: Results) -> list[int]:
    return [record.number for record in ranked(results)]


@st.composite
def boards(draw):
    """Up to six finalists with paired errors of any size, and with latencies that may tie."""
    metric = draw(st.sampled_from(sorted(METRICS)))
    scores = draw(st.lists(st.integers(7000, 7100), min_size=1, max_size=6))
    records = [
        finalist(i, metric, score / 1e4, draw(st.sampled_from([1.0, 2.0, 3.0])))
        for i, score in enumerate(scores)
    ]
    for a, b in itertools.combinations(records, 2):
        value, error = a.test.value - b.test.value, draw(ERRORS)
        a.test.versus[b.fingerprint] = PairedDifference(value, error)
        b.test.versus[a.fingerprint] = PairedDifference(-value, error)
    return board(metric, *draw(st.permutations(records)))


@given(boards())
def test_ranks_follow_real_differences(results):
    """Who really beats another has a better rank; each below the first is beaten from the rank
    above; so two of one rank are a tie."""
    places, metric = ranks(results), results.metric
    records = results.records
    assert len(places) == len(records)
    for a, b in itertools.permutations(records, 2):
        if really_beats(a, b, metric):
            assert places[a.fingerprint] < places[b.fingerprint]
    for b in records:
        above = [a for a in records if places[a.fingerprint] == places[b.fingerprint] - 1]
        assert not above or any(really_beats(a, b, metric) for a in above)
    assert set(places.values()) == set(range(1, max(places.values()) + 1))


@given(boards(), st.randoms())
def test_the_order_is_by_rank_then_speed_whatever_order_records_come_in(results, random):
    places, found = ranks(results), ranked(results)
    keys = [(places[record.fingerprint], record.p50) for record in found]
    assert keys == sorted(keys)
    assert {r.fingerprint for r in found} >= {r.fingerprint for r in results.finalists}
    shuffled = list(results.records)
    random.shuffle(shuffled)
    assert order(dataclasses.replace(results, records=tuple(shuffled))) == order(results)


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
@pytest.mark.parametrize("strength", [0.5, 3.0])
def test_from_logits_to_ranks(dataset, metric, strength):
    """Identical models under two names tie, the faster first; a really better one is above, be it
    the slowest, and a really worse one below, be it the fastest."""
    kind = metric.kind
    tasks = tuple(dataclasses.replace(t, kind=kind, of=None) for t in dataset.schema.tasks)
    schema = dataclasses.replace(dataset.schema, tasks=tasks)
    dataset = dataclasses.replace(dataset, schema=schema)
    labels = {split: np.nan_to_num(dataset.labels(split)) for split in ("test", "valid")}
    draw = np.random.default_rng(1)

    def logits(labels, strength):
        noise = draw.normal(0, 0.5, labels.shape)
        if kind == "regression":
            return (labels + noise / strength).astype(np.float32)
        return (strength * (labels - 0.5) + noise).astype(np.float32)

    def runs(strength):
        for _ in range(3):
            found = {split: logits(known, strength) for split, known in labels.items()}
            scores = score_logits(found["test"], dataset, "test", metric)
            yield FinalRun(SeedScores(scores, scores), found)

    twin = list(runs(1.5))
    models = {"print0": twin, "print1": twin, "print2": list(runs(strength))}
    finals = final_scores(dataset, metric, models)
    records = [
        with_finals(finalist(number, metric.name, None, p50), finals)
        for number, p50 in enumerate([2.0, 1.0, 9.0 if strength > 1.5 else 0.5])
    ]
    results = board(metric.name, *records)
    assert finals["print0"].test.versus["print1"].value == 0
    if strength > 1.5:
        assert order(results) == [2, 1, 0]
        assert ranks(results) == {"print2": 1, "print1": 2, "print0": 2}
    else:
        assert order(results) == [1, 0, 2]
        assert ranks(results) == {"print1": 1, "print0": 1, "print2": 2}


def test_without_a_measured_spread_nothing_is_above_another():
    results = board("gauc", finalist(0, "gauc", 0.9, 2.0), finalist(1, "gauc", 0.6, 1.0))
    assert ranks(results) == {"print0": 1, "print1": 1}
    assert order(results) == [1, 0]


def test_what_was_not_a_finalist_comes_after_by_validation():
    """Their p50 falls with their number, so that all are on the front."""
    records = [finalist(n, "auc", 0.6 if n == 0 else None, 9.0 - n) for n in range(4)]
    records = [dataclasses.replace(r, latency_ms=Latency(*[1 + r.number] * 3)) for r in records]
    results = board("auc", *records)
    assert order(results) == [0, 3, 2, 1]
    assert ranks(results) == {"print0": 1}


def test_a_reference_outside_the_space_is_ranked_too(make_trial, make_test, deepfm):
    """It is no trial, but it was scored on the same rows; without a latency it comes last."""
    own = make_trial(1, 0.74, 9.0, test=make_test(0.7279, deepfm=[0.0015, 0.0011]))
    assert order(board("auc", own, references=(deepfm,))) == [-1, 1]
    unknown = dataclasses.replace(deepfm, latency_ms=None)
    assert order(board("auc", own, references=(unknown,))) == [1, -1]
    better = dataclasses.replace(own, test=make_test(0.7279, deepfm=[0.0015, 0.0005]))
    assert order(board("auc", better, references=(deepfm,))) == [1, -1]
