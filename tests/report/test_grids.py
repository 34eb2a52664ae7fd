"""Tables by task, scenario and specialist, and of weights: only what the run has, all escaped."""

from __future__ import annotations

import dataclasses

import pytest

from automlrank.measurement.latency import Latency
from automlrank.measurement.metric_language import parse_metric
from automlrank.measurement.metrics import AUC, RMSE
from automlrank.report.grids import grids
from automlrank.report.html import html
from automlrank.report.markdown import markdown
from automlrank.report.sections import measured, notes
from automlrank.report.weights import weights_figure
from automlrank.runs.scores import (
    Interval,
    PairedDifference,
    PartScore,
    ScenarioScores,
    SpecialistScore,
)

EVIL = "<b>|\\"


def scores(value, rows=100, positives=40):
    ends = (None, None) if value is None else (value - 0.01, value + 0.01)
    return PartScore(AUC, value, Interval(*ends), rows, positives)


def special(whole, alone, value, error, seeds=3, metric=AUC):
    return SpecialistScore(metric, whole, alone, PairedDifference(value, error), seeds)


@pytest.fixture
def many(results, make_test):
    """The run with two tasks, two scenarios, a seesaw and weights for its best trial."""
    undefined = scores(None, 7, 7)
    test = dataclasses.replace(
        make_test(0.7279, deepfm=[0.0015, 0.0011]),
        tasks={"is_click": scores(0.7279), EVIL: scores(0.61, 50, 3)},
        scenarios={
            EVIL: ScenarioScores(1093, {"is_click": scores(0.7), EVIL: undefined}),
            "not in training": ScenarioScores(7, {"is_click": undefined, EVIL: undefined}),
        },
        seesaw={
            "tasks": {
                "is_click": special(0.72, 0.71, 0.01, 0.002),
                EVIL: special(0.61, 0.65, -0.04, 0.01),
            },
            "scenarios": {
                "tab 1": special(0.7, 0.701, -0.001, 0.01, seeds=2),
                "tab 2": special(None, None, None, None),
            },
        },
    )
    weights = {"is_click": [1.0, 0.8], EVIL: [1.0, 1.2]}
    best = dataclasses.replace(results.records[1], test=test, weights=weights)
    records = (results.records[0], best, *results.records[2:])
    return dataclasses.replace(results, records=records)


def test_a_plain_run_has_none(results, facts):
    assert grids(results, facts) == []


def test_each_table_says_what_was_found(many, facts):
    tasks, scenarios, seesaw, weights = grids(many, facts)
    assert tasks.columns == ("architecture", "AUC of is_click", f"AUC of {EVIL}")
    assert tasks.rows[0][1:] == ("0.7279 ± 0.0100", "0.6100 ± 0.0100")
    assert f"{EVIL}: 3 of 50 rows are positive" in tasks.note
    assert scenarios.rows == (
        (EVIL, "1,093", "0.7000 ± 0.0100", "not defined"),
        ("not in training", "7", "not defined", "not defined"),
    )
    assert [row[3:] for row in seesaw.rows] == [
        ("+0.0100", "gained", "3"),
        ("-0.0400", "lost", "3"),
        ("-0.0010", "within noise", "2"),
        ("not defined", "-", "3"),
    ]
    assert seesaw.rows[1][0] == f"task {EVIL}"
    assert weights.rows[0][1:] == ("1 0.8", "1 1.2")


def test_finalists_latency_with_the_user_repeated_stands_beside_theirs(results, facts):
    """Only of what was measured so."""
    ms = Latency(4.0, 5.0, 6.0, low=3.9, high=4.125, p50_repeated=18.0)
    best = dataclasses.replace(results.records[1], latency_ms=ms)
    results = dataclasses.replace(results, records=(results.records[0], best))
    (latency,) = grids(results, facts)
    assert latency.columns[3] == "p50 repeated ms"
    assert [row[1:] for row in latency.rows] == [("4.0", "3.9 to 4.12", "18.0", "4.5")]
    assert "| 18.0 | 4.5 |" in markdown(results, facts)


def test_they_stand_in_both_reports_and_stay_text(many, facts, monkeypatch):
    monkeypatch.setattr("automlrank.report.html.get_plotlyjs", lambda: "var Plotly = {};")
    page, text = html(many, facts), markdown(many, facts)
    for heading in ("Tasks", "Scenarios", "Seesaw", "Task weights"):
        assert f"<h2>{heading}</h2>" in page
        assert f"## {heading}\n" in text
    assert EVIL not in page
    assert "&lt;b&gt;" in page
    assert "\\<b\\>\\|" in text
    assert 'id="weights"' in page


def test_a_regression_part_goes_down_and_trees_are_named(many, facts):
    """Less error together is gained; a loss to LightGBM is marked."""
    part, worse = special(20.5, 21.0, -0.5, 0.1, metric=RMSE), special(0.7, 0.72, -0.02, 0.002)
    seesaw = {"tasks": {"stay": part}, "boosted": {"is_click": worse, "stay": part}}
    best = many.records[1]
    test = dataclasses.replace(best.test, seesaw=seesaw)
    records = (many.records[0], dataclasses.replace(best, test=test), *many.records[2:])
    grid = next(
        g for g in grids(dataclasses.replace(many, records=records), facts) if g.heading == "Seesaw"
    )
    assert grid.rows == (
        ("task stay (RMSE)", "20.500", "21.000", "-0.5000", "gained", "3"),
        ("task is_click, LightGBM", "0.7000", "0.7200", "-0.0200", "lost", "3"),
        ("task stay (RMSE), LightGBM", "20.500", "21.000", "-0.5000", "gained", "3"),
    )
    assert "beside LightGBM with target rates for the task" in grid.note


def test_the_weights_are_drawn_by_task(many):
    figure = weights_figure([many.records[1]])
    assert [list(trace.y) for trace in figure.data] == [[1.0, 0.8], [1.0, 1.2]]
    assert [list(trace.x) for trace in figure.data] == [[1, 2], [1, 2]]
    assert "<b>" not in figure.to_json()


def test_a_task_without_positives_in_a_split_is_said(results, facts):
    rates = {"valid": {"is_click": 0.4, "is_like": 0.0}, "test": {"is_click": 0.4, "is_like": None}}
    said = dict(notes(dataclasses.replace(facts, label_rates=rates)))
    assert said["Task is_like"] == "no label in the test split: its AUC there is not defined"
    every = [text for term, text in notes(dataclasses.replace(facts, label_rates=rates))]
    assert "no positive row in the valid split: its AUC there is not defined" in every
    assert "Task is_like" not in dict(notes(facts))


def test_a_weighted_metric_is_told_with_its_weights(many, facts):
    name = "auc:is_click=1,auc:is_like=0.5"
    text = dict(measured(dataclasses.replace(many, metric=parse_metric(name)), facts))["Metric"]
    assert text == "weighted AUC, the mean of is_click 1, is_like 0.5"
