"""What an objective decides before it trains."""

from __future__ import annotations

import optuna
import pytest
from optuna.trial import TrialState

from automlrank.trials.objective import begin, find_twin, note


def drawn(study: optuna.Study, fingerprint: str) -> optuna.Trial:
    trial = study.ask()
    note(trial, fingerprint=fingerprint)
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
    note(drawn(study, "a"), cut_off=True)
    note(drawn(study, "a"), duplicate_of=7)
    assert find_twin(drawn(study, "a"), "a") is None
