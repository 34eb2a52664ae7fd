"""The first sentence in every case: real, tie, no finalists, over budget, references best."""

from __future__ import annotations

import dataclasses

import pytest

from automlrank.report.compare import best_reference, compare
from automlrank.report.headline import headline
from automlrank.trials.results import Results


def run(*records, references=(), metric="auc"):
    return Results(metric, {}, records, tuple(references))


def test_a_tie_is_said_to_be_one(results, facts):
    """.0015 is below 1.96 * .0011; lr is scored too, but deepfm is the better opponent."""
    assert headline(results, facts) == (
        "The best architecture within 30 ms scores test AUC 0.7279 ± 0.0027 at 4.1 ms; deepfm, "
        "the best reference, scores 0.7264 at 5.0 ms: the difference (+0.0015) is within noise."
    )


def test_a_real_difference_is_said_to_be_one(make_trial, make_test, deepfm, facts):
    best = make_trial(1, 0.74, 4.0, test=make_test(0.7279, deepfm=[0.0015, 0.0005]))
    text = headline(run(best, references=[deepfm]), facts)
    assert text.endswith("the difference (+0.0015) is more than noise.")


def test_a_real_loss_is_not_sold_as_a_gain(make_trial, make_test, deepfm, facts):
    """The references are best, but none of them is a trial."""
    best = make_trial(1, 0.74, 4.0, test=make_test(0.71, deepfm=[-0.0164, 0.0011]))
    text = headline(run(best, references=[deepfm]), facts)
    assert text.endswith("difference (-0.0164) is more than noise, and not in its favour.")


def test_for_log_loss_a_positive_difference_is_a_loss(make_trial, facts):
    def losses(number, value, **more):
        test = {"logloss": value, "logloss_low": value - 0.001, "logloss_high": value + 0.001}
        return make_trial(number, None, 4.0, valid={"logloss": value}, test=test, **more)

    reference = losses(-1, 0.60, state="reference", name="lr")
    text = headline(run(losses(1, 0.65), references=[reference], metric="logloss"), facts)
    assert "scores test log loss 0.6500 ± 0.0010" in text
    assert text.endswith("(+0.0500) is more than noise, and not in its favour.")
    text = headline(run(losses(1, 0.55), references=[reference], metric="logloss"), facts)
    assert text.endswith("(-0.0500) is more than noise.")


def test_a_reference_that_wins_is_named_with_the_best_of_the_search(
    make_trial, make_test, deepfm, facts
):
    known = dataclasses.replace(deepfm, number=0, state="complete")
    own = make_trial(1, 0.73, 4.0, test=make_test(0.7250, deepfm=[-0.0014, 0.0011]))
    assert headline(run(known, own, references=[known]), facts) == (
        "deepfm, a reference, is the best architecture within 30 ms: it scores test AUC "
        "0.7264 ± 0.0027 at 5.0 ms; the best that the search composed scores 0.7250 at 4.0 ms: "
        "the difference (+0.0014) is within noise."
    )
    assert headline(run(known, references=[known]), facts).endswith(
        "no architecture of its own among the finalists."
    )


def test_without_finalists_validation_is_not_passed_off_as_test(make_trial, facts):
    text = headline(run(make_trial(0, 0.74, 4.0)), facts)
    assert text.startswith(
        "Nothing within 30 ms was scored on the test split; the best on validation has AUC 0.7400"
    )


def test_a_budget_that_nothing_meets_names_the_fastest(make_trial, facts):
    slow = make_trial(0, None, 48.0, state="over_budget", summary="emb8 · linear")
    slower = make_trial(1, None, 90.0, state="over_budget")
    assert headline(run(slower, slow), facts) == (
        "No architecture fits 30 ms: the fastest, emb8 · linear, takes 48.0 ms."
    )


def test_a_run_without_a_complete_trial_says_what_became_of_them(make_trial, facts):
    failed = make_trial(0, None, 3.0, state="failed")
    text = headline(run(failed), facts)
    assert text == "No trial within 30 ms was trained to the end (1 failed)."
    unlimited = dataclasses.replace(facts, latency_ms=None)
    assert headline(run(), unlimited) == "No trial was trained to the end (none began)."


def test_without_a_scored_reference_that_is_said(make_trial, make_test, facts):
    best = make_trial(1, 0.74, 4.0, test=make_test(0.7279))
    assert headline(run(best), facts).endswith("no reference was scored on the test split.")


def test_a_reference_over_the_budget_is_marked(make_trial, make_test, deepfm, facts):
    best = make_trial(1, 0.74, 2.0, test=make_test(0.7279))
    tight = dataclasses.replace(facts, latency_ms=3.0)
    assert "0.7264 at 5.0 ms (over the budget)" in headline(run(best, references=[deepfm]), tight)


@pytest.mark.parametrize(("half", "real"), [(0.004, False), (0.001, True)])
def test_without_a_paired_error_intervals_decide(make_trial, make_test, half, real):
    a = make_trial(0, 0.7, 1.0, test=make_test(0.730, half))
    b = make_trial(1, 0.7, 1.0, test=make_test(0.725, half))
    assert compare(a, b, "auc").real is real
    assert compare(b, a, "auc").value == pytest.approx(-0.005)


def test_a_paired_error_counts_in_both_directions(make_trial, make_test):
    a = make_trial(0, 0.7, 1.0, test=make_test(0.7302, print1=[0.0052, 0.001]))
    b = make_trial(1, 0.7, 1.0, test=make_test(0.7250))
    assert (compare(a, b, "auc").value, compare(b, a, "auc").value) == (0.0052, -0.0052)
    assert compare(b, a, "auc").real


def test_no_spread_is_neither_a_tie_nor_a_difference(make_trial):
    a, b = (make_trial(i, 0.7, 1.0, test={"gauc": 0.6 + i / 10}) for i in (0, 1))
    assert compare(a, b, "gauc").real is None
    assert compare(a, make_trial(2, 0.7, 1.0), "gauc") is None


def test_the_best_reference_is_the_strongest_within_the_budget(make_trial, make_test, deepfm):
    slow = make_trial(-1, 0.7, 40.0, state="reference", name="din", test=make_test(0.74))
    results = run(references=[deepfm, slow])
    assert best_reference(results).name == "din"
    assert best_reference(results, 30.0).name == "deepfm"
