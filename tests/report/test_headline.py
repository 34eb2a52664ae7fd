"""The first sentence in every case: real, tie, no finalists, over budget, references best."""

from __future__ import annotations

import dataclasses

import pytest

from automlrank.measurement.metrics import AUC, GAUC, LOGLOSS, METRICS
from automlrank.report.cells import row
from automlrank.report.compare import compare
from automlrank.report.files import results_data
from automlrank.report.headline import headline
from automlrank.report.ranking import ranks
from automlrank.report.sections import measured
from automlrank.runs.results import Results
from automlrank.runs.scores import FinalScores, Interval, PairedDifference, SplitScores


def run(*records, references=(), metric="auc"):
    return Results(METRICS[metric], {}, records, tuple(references))


def test_a_tie_is_said_to_be_one(results, facts):
    """.0015 is below 1.96 * .0011; lr is scored too, but deepfm is the better reference."""
    assert headline(results, facts) == (
        "The recommended architecture within 30 ms, trial 1, scores test AUC 0.7279 ± 0.0027 at "
        "4.1 ms. The best "
        "reference, deepfm, scores 0.7264 at 5.0 ms. The difference (+0.0015) is within noise: "
        "a tie."
    )


def test_a_real_difference_is_said_to_be_one(make_trial, make_test, deepfm, facts):
    best = make_trial(1, 0.74, 4.0, test=make_test(0.7279, deepfm=[0.0015, 0.0005]))
    text = headline(run(best, references=[deepfm]), facts)
    assert text.endswith("The gain of 0.0015 is significant at 95 %.")


def test_a_real_loss_is_not_sold_as_a_gain(make_trial, make_test, deepfm, facts):
    """The references are best, but none of them is a trial."""
    best = make_trial(1, 0.74, 4.0, test=make_test(0.71, deepfm=[-0.0164, 0.0011]))
    text = headline(run(best, references=[deepfm]), facts)
    assert text.endswith("The architecture is significantly worse (-0.0164).")


def test_for_log_loss_a_positive_difference_is_a_loss(make_trial, facts):
    """The reference is worse on validation, so that it is not recommended."""

    def losses(number, value, **more):
        test = FinalScores(LOGLOSS, value, interval=Interval(value - 0.001, value + 0.001))
        return make_trial(number, None, 4.0, valid=SplitScores(LOGLOSS, value), test=test, **more)

    worse = SplitScores(LOGLOSS, 0.9)
    reference = dataclasses.replace(losses(-1, 0.60, state="reference", name="lr"), valid=worse)
    text = headline(run(losses(1, 0.65), references=[reference], metric="logloss"), facts)
    assert "scores test log loss 0.6500 ± 0.0010" in text
    assert text.endswith("The architecture is significantly worse (+0.0500).")
    text = headline(run(losses(1, 0.55), references=[reference], metric="logloss"), facts)
    assert text.endswith("The gain of 0.0500 is significant at 95 %.")


def test_a_reference_that_wins_is_named_with_the_best_of_the_search(
    make_trial, make_test, deepfm, facts
):
    known = dataclasses.replace(deepfm, number=0, state="complete")
    own = make_trial(1, 0.73, 4.0, test=make_test(0.7250, deepfm=[-0.0014, 0.0011]))
    assert headline(run(known, own, references=[known]), facts) == (
        "deepfm, a reference, is the recommended architecture within 30 ms: it scores test AUC "
        "0.7264 ± 0.0027 at 5.0 ms. The best architecture of the search scores 0.7250 at 4.0 ms. "
        "The difference (+0.0014) is within noise: a tie."
    )
    slow = make_trial(1, 0.73, 34.0, test=make_test(0.7250, deepfm=[-0.0014, 0.0011]))
    for others in ([], [slow]):
        assert headline(run(known, *others, references=[known]), facts).endswith(
            "No architecture of the search is a finalist within 30 ms."
        )


def test_without_finalists_validation_is_not_passed_off_as_test(make_trial, facts):
    text = headline(run(make_trial(0, 0.74, 4.0)), facts)
    assert text.startswith(
        "No model within 30 ms was scored on the test split. The best on validation has AUC 0.7400"
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
    assert headline(run(best), facts).endswith("No reference was scored on the test split.")


def test_a_reference_over_the_budget_is_marked(make_trial, make_test, deepfm, facts):
    best = make_trial(1, 0.74, 2.0, test=make_test(0.7279))
    tight = dataclasses.replace(facts, latency_ms=3.0)
    assert "0.7264 at 5.0 ms (over the budget)" in headline(run(best, references=[deepfm]), tight)


def test_boosted_trees_that_win_come_first(make_trial, make_test, deepfm, boosted, facts):
    best = make_trial(1, 0.74, 10.5, test=make_test(0.7285, trees=[-0.0020, 0.0006]))
    results = run(best, references=[deepfm, boosted(make_test(0.7305, print1=[0.0020, 0.0006]))])
    assert headline(results, facts) == (
        "LightGBM with target rates scores test AUC 0.7305 ± 0.0027 at 2.1 ms and beats the "
        "recommended architecture within 30 ms (0.7285 at 10.5 ms). The gain of 0.0020 is "
        "significant at 95 %."
    )


def test_boosted_trees_over_the_budget_win_all_the_same(make_trial, make_test, boosted, facts):
    best = make_trial(1, 0.74, 10.5, test=make_test(0.7285, trees=[-0.0020, 0.0006]))
    results = run(best, references=[boosted(make_test(0.7305), p50=44.0)])
    text = headline(results, facts)
    assert (
        "at 44.0 ms (over the budget) and beats the recommended architecture within 30 ms" in text
    )


def test_boosted_trees_within_noise_or_behind_are_the_best_reference_at_most(
    make_trial, make_test, boosted, facts
):
    for difference, verdict in (
        (-0.0020, "is within noise: a tie."),
        (0.0050, "is significant at 95 %."),
    ):
        best = make_trial(1, 0.74, 10.5, test=make_test(0.7285, trees=[difference, 0.0019]))
        text = headline(run(best, references=[boosted(make_test(0.7285 - difference))]), facts)
        assert text.startswith(
            "The recommended architecture within 30 ms, trial 1, scores test AUC 0.7285"
        )
        assert "The best reference, LightGBM with target rates, scores" in text
        assert text.endswith(verdict)


def test_the_incumbent_is_always_compared(make_trial, make_test, deepfm, incumbent, facts):
    """It takes no place among the references, and has no latency to tell."""
    versus = {"deepfm": [0.0015, 0.0005], "incumbent": [0.0079, 0.0011]}
    best = make_trial(1, 0.74, 4.0, test=make_test(0.7279, **versus))
    present = incumbent(make_test(0.7200))
    start = (
        "The recommended architecture within 30 ms, trial 1, scores test AUC 0.7279 ± 0.0027 at "
        "4.0 ms. The current "
        "model ('old') scores 0.7200. The architecture's gain of 0.0079 over it is significant at "
        "95 %."
    )
    assert headline(run(best, references=[present]), facts) == start
    assert headline(run(best, references=[deepfm, present]), facts) == (
        f"{start} The best reference, deepfm, scores 0.7264 at 5.0 ms. The gain of 0.0015 is "
        "significant at 95 %."
    )


def test_an_incumbent_within_noise_is_said_to_be(make_trial, make_test, incumbent, facts):
    best = make_trial(1, 0.74, 4.0, test=make_test(0.7279, incumbent=[-0.0010, 0.0011]))
    text = headline(run(best, references=[incumbent(make_test(0.7289))]), facts)
    assert text.endswith("The architecture's difference to it (-0.0010) is within noise: a tie.")


def test_an_incumbent_that_wins_comes_first(make_trial, make_test, deepfm, incumbent, facts):
    best = make_trial(1, 0.74, 4.0, test=make_test(0.7279, incumbent=[-0.0100, 0.0011]))
    results = run(best, references=[deepfm, incumbent(make_test(0.7379))])
    assert headline(results, facts) == (
        "The current model ('old') scores test AUC 0.7379 ± 0.0027 and beats the recommended "
        "architecture within 30 ms (0.7279 at 4.0 ms). The gain of 0.0100 is significant at 95 %."
    )


def test_of_two_winners_the_better_one_speaks(make_trial, make_test, boosted, incumbent, facts):
    versus = {"incumbent": [-0.0050, 0.0011], "trees": [-0.0100, 0.0011]}
    best = make_trial(1, 0.74, 4.0, test=make_test(0.7279, **versus))
    results = run(best, references=[incumbent(make_test(0.7329)), boosted(make_test(0.7379))])
    text = headline(results, facts)
    assert text.startswith("LightGBM with target rates scores")
    assert "(0.7279 at 4.0 ms), as does the current model ('old') (0.7329). The gain" in text


def test_trees_that_win_do_not_hide_the_incumbent(make_trial, make_test, boosted, incumbent, facts):
    """Nor does a reference that is the recommended architecture."""
    versus = {"incumbent": [0.0050, 0.0011], "trees": [-0.0100, 0.0011]}
    best = make_trial(1, 0.74, 4.0, name="deepfm", test=make_test(0.7279, **versus))
    present = incumbent(make_test(0.7229))
    told = " The current model ('old') scores 0.7229. The architecture's gain of 0.0050 over it is"
    results = run(best, references=[best, present, boosted(make_test(0.7379))])
    assert headline(results, facts).endswith(f"{told} significant at 95 %.")
    assert told in headline(run(best, references=[best, present]), facts)


def test_for_log_loss_less_wins(make_trial, boosted, facts):
    def losses(value):
        return FinalScores(LOGLOSS, value, interval=Interval(value - 0.001, value + 0.001))

    best = make_trial(1, None, 4.0, valid=SplitScores(LOGLOSS, 0.6), test=losses(0.60))
    trees = dataclasses.replace(boosted(losses(0.55)), valid=SplitScores(LOGLOSS, 0.55))
    assert headline(run(best, references=[trees], metric="logloss"), facts).startswith("LightGBM")
    trees = dataclasses.replace(trees, test=losses(0.65))
    assert headline(run(best, references=[trees], metric="logloss"), facts).startswith(
        "The recommended"
    )


@pytest.mark.parametrize(("half", "real"), [(0.004, False), (0.001, True)])
def test_without_a_paired_error_intervals_decide(make_trial, make_test, half, real):
    a = make_trial(0, 0.7, 1.0, test=make_test(0.730, half))
    b = make_trial(1, 0.7, 1.0, test=make_test(0.725, half))
    assert compare(a, b).real is real
    assert compare(b, a).value == pytest.approx(-0.005)


def test_a_paired_error_counts_in_both_directions(make_trial, make_test):
    a = make_trial(0, 0.7, 1.0, test=make_test(0.7302, print1=[0.0052, 0.001]))
    b = make_trial(1, 0.7, 1.0, test=make_test(0.7250))
    assert (compare(a, b).value, compare(b, a).value) == (0.0052, -0.0052)
    assert compare(b, a).real


def test_no_spread_is_neither_a_tie_nor_a_difference(make_trial):
    a, b = (make_trial(i, 0.7, 1.0, test=FinalScores(GAUC, 0.6 + i / 10)) for i in (0, 1))
    assert compare(a, b).real is None
    assert compare(a, make_trial(2, 0.7, 1.0)) is None


def test_the_best_reference_is_the_strongest_within_the_budget(make_trial, make_test, deepfm):
    slow = make_trial(-1, 0.7, 40.0, state="reference", name="din", test=make_test(0.74))
    results = run(references=[deepfm, slow])
    assert results.best_reference().name == "din"
    assert results.best_reference(30.0).name == "deepfm"


# -- the recommended one beside the highest score -------------------------------------------------


def tied(make_trial, make_test, score, p50, number, **versus):
    """A finalist that ties on validation with the others."""
    valid = SplitScores(AUC, score, mean=score, seeds=(score,) * 3, **versus)
    return make_trial(number, score, p50, valid=valid, test=make_test(score - 0.01))


@pytest.fixture
def pair(make_trial, make_test):
    """Trial 31 with the highest score, and trial 52, which ties with it and is faster."""
    small = PairedDifference(0.0002, 0.001)
    back = PairedDifference(-0.0002, 0.001)
    return (
        tied(make_trial, make_test, 0.7333, 13.4, 31, versus={"print52": small}),
        tied(make_trial, make_test, 0.7331, 1.9, 52, versus={"print31": back}),
    )


def test_the_faster_of_a_tie_is_recommended_beside_the_highest_score(pair, facts):
    assert headline(run(*pair), facts) == (
        "The recommended architecture within 30 ms, trial 52, scores test AUC 0.7231 ± 0.0027 at "
        "1.9 ms. On validation it ties with trial 31, the highest score there (0.7233 at 13.4 ms), "
        "and is 7.1 times faster. No reference was scored on the test split."
    )


def test_who_prefers_the_score_is_told_of_the_faster_one(pair, facts):
    assert headline(run(*pair), facts.preferring("score")).startswith(
        "The recommended architecture within 30 ms, trial 31, scores test AUC 0.7233 ± 0.0027 at "
        "13.4 ms. It has the highest score on validation; trial 52 ties with it there and is 7.1 "
        "times faster (0.7231 at 1.9 ms)."
    )


def test_an_unstable_finalist_is_told_with_its_seeds_and_has_no_rank(pair, make_trial, make_test):
    wild = tied(make_trial, make_test, 0.7033, 0.3, 7)
    seeds = SplitScores(AUC, 0.79, mean=0.7033, seeds=(0.79, 0.79, 0.53), unstable=True)
    wild = dataclasses.replace(wild, valid=seeds)
    results = run(*pair, wild)
    assert "print7" not in ranks(results)
    assert row(wild, results).seeds == "3, sd 0.0006, unstable"
    assert compare(wild, pair[0]).verdict == compare(pair[0], wild).verdict == "unstable"
    alone = run(wild)
    assert alone.recommendation() is None


def test_where_every_finalist_is_unstable_their_seeds_are_told(make_trial, make_test, facts):
    seeds = SplitScores(AUC, 0.79, mean=0.7033, seeds=(0.79, 0.79, 0.53), unstable=True)
    wild = make_trial(7, 0.79, 0.3, valid=seeds, test=make_test(0.7))
    assert headline(run(wild), facts) == (
        "No finalist within 30 ms is stable: the seeds disagree on validation (trial 7 0.7900, "
        "0.7900, 0.5300)."
    )
    said = dict(measured(run(wild), facts))
    assert said["Unstable: trial 7"].startswith("its seeds score 0.7900, 0.7900, 0.5300")


def test_front_json_names_the_recommended_and_the_unstable(pair, facts, make_trial, make_test):
    seeds = SplitScores(AUC, 0.79, mean=0.7033, seeds=(0.79, 0.79, 0.53), unstable=True)
    wild = make_trial(7, 0.79, 0.3, valid=seeds, test=make_test(0.7))
    data = results_data(run(*pair, wild), facts)
    assert (data["recommended"], data["unstable"]) == (52, [7])
    assert results_data(run(*pair), facts.preferring("score"))["recommended"] == 31
    assert results_data(run(wild), facts)["recommended"] is None
