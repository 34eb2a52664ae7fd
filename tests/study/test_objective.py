"""What an objective decides before it trains."""

from __future__ import annotations

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.trial import TrialState

from automlrank.runs.search_config import SearchConfig
from automlrank.study.attributes import TrialAttributes
from automlrank.study.objective import begin, find_twin


def drawn(study: optuna.Study, fingerprint: str) -> optuna.Trial:
    trial = study.ask()
    TrialAttributes(trial).fingerprint = fingerprint
    return trial


def test_who_begins_beyond_what_was_asked_for_gives_way_and_is_no_twin_later() -> None:
    study = optuna.create_study(directions=["maximize", "minimize"])
    begin(drawn(study, "a"), most=1)
    surplus = drawn(study, "b")
    with pytest.raises(optuna.TrialPruned):
        begin(surplus, most=1)
    study.tell(surplus, state=TrialState.PRUNED)
    assert find_twin(drawn(study, "b"), "b") is None  # a resume with more trials trains it
    twin = find_twin(drawn(study, "a"), "a")
    assert twin is not None
    assert twin.number == 0


def test_a_trial_that_was_cut_off_or_is_a_duplicate_is_no_twin() -> None:
    study = optuna.create_study(directions=["maximize", "minimize"])
    TrialAttributes(drawn(study, "a")).cut_off = True
    TrialAttributes(drawn(study, "a")).duplicate_of = 7
    assert find_twin(drawn(study, "a"), "a") is None


def test_a_retry_has_no_twin() -> None:
    """Another worker may have drawn the same architecture after the trial that died."""
    study = optuna.create_study(directions=["maximize", "minimize"])
    drawn(study, "a")
    again = drawn(study, "a")
    assert find_twin(again, "a") is not None
    TrialAttributes(again).retry = 1
    assert find_twin(again, "a") is None


@given(st.floats(1e-3, 1e3), st.floats(0.0, 1.0))
def test_latency_counts_in_steps_of_a_budget(budget: float, share: float) -> None:
    """Never less than measured, by less than a step more, and as measured without a budget."""
    p50, config = budget * share, SearchConfig(latency_ms=budget)
    told = config.objective_latency(p50)
    assert p50 <= told * (1 + 1e-12) <= p50 + budget / 50 * (1 + 1e-6)
    assert SearchConfig().objective_latency(p50) == p50
