"""Records: the front is what nothing beats, JSON goes there and back, choices ignore test."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automlrank.errors import BudgetError, RunError
from automlrank.measurement.latency import Latency
from automlrank.measurement.metric_language import parse_metric
from automlrank.measurement.metrics import AUC
from automlrank.runs.record import Record, plain
from automlrank.runs.results import Results, pareto
from automlrank.runs.run_info import RunInfo
from automlrank.runs.scores import FinalScores, SplitScores

POINTS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=30)
TESTED = FinalScores(AUC, 0.7)
CONTRACT = {
    *("number", "state", "fingerprint", "architecture", "summary", "valid", "test"),
    *("latency_ms", "parameters", "embedding_bytes", "matmul_flops", "seconds", "reason"),
}


def trial(number: int, score: float | None, p50: float | None, **values) -> Record:
    fields = {
        "number": number,
        "state": "complete",
        "fingerprint": f"print{number}",
        "architecture": {"interaction": "linear"},
        "summary": "emb8 · linear",
        "valid": SplitScores(AUC, score),
        "latency_ms": None if p50 is None else Latency(p50, p50, p50),
    }
    return Record(**{**fields, **values})


def run(*records: Record, metric: str = "auc", references: tuple[Record, ...] = ()) -> Results:
    return Results(parse_metric(metric), {"candidates": 200}, records, references)


def beats(a: tuple[float, float], b: tuple[float, float], up: bool) -> bool:
    better = a[0] >= b[0] if up else a[0] <= b[0]
    return better and a[1] <= b[1] and a != b


@given(POINTS, st.booleans())
def test_front_holds_exactly_what_nothing_beats(points, up):
    """Against the definition; equal points stand together; the order is that of latency."""
    front = pareto([p[0] for p in points], [p[1] for p in points], up=up)
    expected = [i for i, p in enumerate(points) if not any(beats(q, p, up) for q in points)]
    assert sorted(front) == expected
    assert [points[i][1] for i in front] == sorted(points[i][1] for i in expected)


def test_front_is_of_complete_trials_only():
    """A pruned score, a duplicate's and a reference's do not count; nor does a missing number."""
    better = [
        trial(i, 0.9, 1.0, state=state)
        for i, state in enumerate(("pruned", "failed", "over_budget", "duplicate", "reference"))
    ]
    lacking = [trial(7, math.nan, 1.0), trial(8, None, 1.0), trial(9, 0.9, None)]
    assert [r.number for r in run(trial(6, 0.7, 2.0), *better, *lacking).front] == [6]


def test_front_of_log_loss_goes_down():
    results = run(trial(0, 0.5, 1.0), trial(1, 0.4, 2.0), trial(2, 0.6, 3.0), metric="logloss")
    assert [record.number for record in results.front] == [0, 1]


def measured_again(number: int, score: float, first: float, second: float) -> Record:
    return trial(number, score, second, latency_ms=Latency(second, second, second, p50_first=first))


def test_what_was_beaten_before_a_second_measurement_stays_beaten():
    """Trial 1 was measured once: the finalist that beat it was slower only the second time."""
    results = run(measured_again(0, 0.7, 1.0, 1.5), trial(1, 0.6, 1.2))
    assert [record.number for record in results.front] == [0]


def test_finalists_are_compared_by_their_second_latencies():
    """So are those with what was measured once and stood on the first front."""
    a, b = measured_again(0, 0.7, 1.0, 3.0), measured_again(1, 0.8, 2.0, 2.5)
    assert [record.number for record in run(a, b, trial(2, 0.6, 0.9)).front] == [2, 1]
    assert [
        record.number for record in run(a, b, trial(2, 0.6, 0.9), trial(3, 0.65, 0.95)).front
    ] == [
        2,
        3,
        1,
    ]


@given(st.lists(st.tuples(*[st.integers(1, 5)] * 3, st.booleans()), min_size=1, max_size=12))
def test_a_front_after_a_second_measurement_has_only_finalists_of_the_first_or_its_own(points):
    """Whoever was not measured again stood on the first front, and nothing fair beats it."""
    records = [
        measured_again(i, score, first, second) if again else trial(i, score, first)
        for i, (score, first, second, again) in enumerate(points)
    ]
    before = run(*(trial(i, p[0], p[1]) for i, p in enumerate(points))).front
    stood = {record.number for record in before}
    front = run(*records).front
    assert front
    assert all(r.is_measured_again or r.number in stood for r in front)


def test_counts_are_those_of_the_states():
    results = run(trial(0, 0.5, 1.0), trial(1, 0.5, 1.0), trial(2, None, 9.0, state="pruned"))
    assert results.counts == {
        "complete": 2, "pruned": 1, "failed": 0, "over_budget": 0, "time_up": 0,
        "duplicate": 0}  # fmt: skip


def test_best_is_chosen_on_validation_not_on_test():
    quiet = trial(0, 0.74, 3.0, test=FinalScores(AUC, 0.70))
    lucky = trial(1, 0.73, 2.0, test=FinalScores(AUC, 0.75))
    assert run(quiet, lucky).best().number == 0


def test_best_goes_by_the_mean_over_seeds():
    """A single score flatters what was chosen by it."""
    lucky = trial(0, 0.76, 3.0, test=TESTED, valid=SplitScores(AUC, 0.76, mean=0.73))
    steady = trial(1, 0.75, 2.0, test=TESTED, valid=SplitScores(AUC, 0.75, mean=0.74))
    assert run(lucky, steady).best().number == 1


def test_best_prefers_finalists_and_falls_back_on_the_front():
    """A fast trial that was no finalist is the best where no finalist is as fast."""
    results = run(trial(0, 0.74, 9.0), trial(1, 0.73, 5.0, test=TESTED), trial(2, 0.7, 1.0))
    assert results.best().number == 1
    assert results.best(max_latency_ms=2.0).number == 2


def test_best_of_log_loss_is_the_lowest():
    results = run(trial(0, 0.5, 1.0), trial(1, 0.4, 2.0), metric="logloss")
    assert results.best().number == 1


def test_a_budget_that_nothing_meets_names_the_fastest():
    with pytest.raises(BudgetError, match=r"2 ms or less. The fastest, trial 1, takes 3.0 ms"):
        run(trial(0, 0.7, 4.0), trial(1, 0.6, 3.0)).best(max_latency_ms=2.0)
    with pytest.raises(RunError, match="needs a complete one"):
        run(trial(0, None, 4.0, state="failed")).best()


FINITE = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | st.integers() | st.text() | FINITE
SCORES = st.builds(FinalScores, st.just(AUC), st.floats(0, 1) | st.none())


@given(
    st.lists(
        st.builds(
            trial,
            st.integers(0, 99),
            st.floats(0, 1),
            st.floats(0.1, 99),
            state=st.sampled_from(["complete", "pruned", "duplicate"]),
            architecture=st.dictionaries(st.text(), SCALARS | st.lists(SCALARS)),
            test=st.none() | SCORES,
            summary=st.text(),
            reason=st.none() | st.text(),
        ),
        max_size=6,
    )
)
def test_json_goes_there_and_back(records):
    results = run(*records, references=tuple(records[:1]))
    text = json.dumps(results.to_data(), allow_nan=False)
    assert Results.from_data(json.loads(text)) == results


def test_json_has_the_keys_of_the_contract():
    data = run(trial(0, 0.7, 1.0)).to_data()
    assert set(data) == {"format", "metric", "latency", "counts", "front", "references", "trials"}
    assert set(data["trials"][0]) == CONTRACT | {
        "name",
        "duplicate_of",
        "rows_seen",
        "zero_shares",
        "weights",
    }
    assert data["front"] == data["trials"]


def test_nan_is_written_as_null_and_numpy_as_numbers():
    data = trial(0, math.nan, np.float32(2.0), parameters=np.int64(7)).to_data()
    assert json.loads(json.dumps(data, allow_nan=False))["valid"]["auc"] is None
    assert (data["latency_ms"]["p50"], data["parameters"]) == (2.0, 7)
    assert plain({"a": (math.inf, [-math.inf])}) == {"a": [None, [None]]}


def test_a_record_that_is_not_plain_data_is_refused():
    with pytest.raises(TypeError, match="plain data, but got ndarray"):
        trial(0, 0.7, 1.0, zero_shares={"wide": np.zeros(2)}).to_data()


def test_broken_data_is_named_with_every_fault():
    with pytest.raises(RunError) as caught:
        Record.from_data({"number": 1, "states": "complete"})
    assert "unknown key 'states'. Did you mean 'state'?" in str(caught.value)
    assert "'fingerprint' is missing" in str(caught.value)
    with pytest.raises(RunError, match="'latency' is missing"):
        Results.from_data({"format": 1, "metric": "auc"})
    with pytest.raises(RunError, match=r"state must be one of complete, .* but got 'done'"):
        trial(0, 0.7, 1.0, state="done")
    with pytest.raises(RunError, match=r"but got 'acu'. Did you mean 'auc'"):
        Results.from_data({**run().to_data(), "metric": "acu"})


def test_facts_go_there_and_back():
    facts = RunInfo(
        command="automlrank search a.csv",
        seed=1,
        data="a",
        data_fingerprint="f",
        metric="auc",
        rows={"train": 10},
        label_rates={"train": {"y": 0.5}},
        versions={"torch": "2"},
        machine="m",
        seconds=1.5,
        set_aside=("z",),
        skipped={"din": "no history"},
        processor=(8.0, 10.0),
    )
    assert RunInfo.from_data(json.loads(json.dumps(facts.to_data()))) == facts


def test_trials_are_a_flat_frame():
    frame = run(trial(0, 0.7, 1.0, parameters=5), trial(1, None, 2.0, state="failed")).trials
    assert frame["valid.auc"].tolist()[0] == 0.7
    assert frame["parameters"].tolist()[0] == 5
    assert frame["state"].tolist() == ["complete", "failed"]


def test_a_reference_is_known_by_its_fingerprint():
    lr, other = trial(0, 0.7, 1.0, name="lr"), trial(1, 0.7, 1.0)
    results = run(lr, other, references=(lr,))
    assert [results.is_reference(record) for record in results.records] == [True, False]
