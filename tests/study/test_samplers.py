"""Samplers on a conditional space with two objectives: what they draw, what children inherit."""

from __future__ import annotations

import optuna
import pytest
from optuna.distributions import CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState

from automlrank.architecture import draw
from automlrank.space.shipped import shipped
from automlrank.space.space import Space
from automlrank.study import samplers
from automlrank.study.samplers import SAMPLERS, STARTUP, Evolution, Tpe, make_sampler, parents_of
from automlrank.study.suggest import decider

SPACE = Space.read(shipped()["ctr"])


def objective(trial: optuna.Trial) -> tuple[float, float]:
    """A conditional space in small: what a block has is asked for only where it is taken."""
    block = trial.suggest_categorical("block", ["mlp", "cross"])
    dim = trial.suggest_categorical("dim", [8, 16, 32])
    if block == "mlp":
        depth = trial.suggest_int("mlp.depth", 1, 4)
        return 0.6 + depth / 100 + dim / 1000, depth * dim
    rank = trial.suggest_float("cross.rank", 1, 64, log=True)
    return 0.6 + rank / 1000, rank + dim


def searched(sampler: optuna.samplers.BaseSampler, n: int = 40, ends: int = 2) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    directions = ["maximize", "minimize"][:ends]
    study = optuna.create_study(directions=directions, sampler=sampler)
    study.optimize(lambda trial: objective(trial)[:ends], n_trials=n)
    return study


def add(study: optuna.Study, values: list[float], params: dict, **attrs: object) -> FrozenTrial:
    domains = {"a": CategoricalDistribution([0, 1, 2]), "b": CategoricalDistribution("xyz")}
    study.add_trial(
        optuna.trial.create_trial(
            values=values,
            params=params,
            distributions={name: domains[name] for name in params},
            user_attrs=attrs,
        )
    )
    return study.trials[-1]


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_works_on_the_default_space_with_two_objectives(name):
    """40 trials, a third of them pruned; every draw is an architecture of the space."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        directions=["maximize", "minimize"], sampler=make_sampler(name, 0, 0)
    )
    for i in range(40):
        trial = study.ask()
        architecture = draw(SPACE, decider(trial))
        if i % 3:
            study.tell(trial, [len(architecture.summary), len(trial.params)])
        else:
            study.tell(trial, state=TrialState.PRUNED)
    assert len({str(trial.params) for trial in study.trials}) > 30


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_works_with_one_objective(name):
    assert searched(make_sampler(name, 0, 0), ends=1).best_value > 0.62


@pytest.mark.parametrize("name", SAMPLERS)
def test_equal_seeds_draw_alike_and_a_resume_does_not(name):
    one, same, resumed = (
        [trial.params for trial in searched(make_sampler(name, 5, n), 25).trials]
        for n in (0, 0, 25)
    )
    assert one == same
    assert one != resumed


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_sampler_that_is_reseeded_leaves_its_stream(name):
    """Optuna does so in each process of a pool."""
    plain, other = make_sampler(name, 5, 0), make_sampler(name, 5, 0)
    other.reseed_rng()
    assert [t.params for t in searched(plain, 5).trials] != [
        t.params for t in searched(other, 5).trials
    ]


def test_children_stay_inside_their_distributions():
    study = searched(Evolution(0), 100)
    for trial in study.trials:
        for name, distribution in trial.distributions.items():
            assert distribution._contains(distribution.to_internal_repr(trial.params[name]))


def test_evolution_inherits_by_name_and_changes_a_few():
    """One parent of 40 choices: on average two differ, never none, and all the rest is its own."""
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=Evolution(3))
    domains = {f"p{i}": CategoricalDistribution(range(5)) for i in range(40)}
    parent = dict.fromkeys(domains, 2)
    trial = optuna.trial.create_trial(values=[1.0, 1.0], params=parent, distributions=domains)
    study.add_trials([trial] * STARTUP)
    changes = []
    for _ in range(300):
        child = study.ask(domains)
        changes.append(sum(child.params[name] != 2 for name in domains))
        study.tell(child, [0.0, 2.0])
    assert min(changes) == 1
    assert 1.9 < sum(changes) / len(changes) < 2.4


def test_what_the_parent_lacks_is_drawn_at_random():
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=Evolution(0))
    for _ in range(STARTUP):
        add(study, [1.0, 1.0], {"a": 1})
    seen = set()
    for _ in range(60):
        child = study.ask({"b": CategoricalDistribution("xyz")})
        seen.add(child.params["b"])
        study.tell(child, [0.0, 2.0])
    assert seen == {"x", "y", "z"}


def test_a_value_that_the_distribution_no_longer_holds_is_drawn_anew():
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=Evolution(0))
    for _ in range(STARTUP):
        study.add_trial(
            optuna.trial.create_trial(
                values=[1.0, 1.0],
                params={"n": 9},
                distributions={"n": optuna.distributions.IntDistribution(1, 9)},
            )
        )
    drawn = {study.ask().suggest_int("n", 1, 3) for _ in range(20)}
    assert drawn == {1, 2, 3}


def test_the_first_trials_are_random_and_later_ones_children():
    study = searched(Evolution(0), STARTUP)
    assert not Evolution(0)._children
    sampler = Evolution(1)
    study.sampler = sampler
    trial = study.ask()
    assert trial.number in sampler._children
    study.tell(trial, [0.0, 1.0])
    assert not sampler._children


def test_parents_are_the_front_of_what_counts():
    """Complete, feasible, no duplicate; by time from the fastest."""
    study = optuna.create_study(directions=["maximize", "minimize"])
    good = add(study, [0.7, 5.0], {"a": 0})
    add(study, [0.7, 5.0], {"a": 0}, duplicate_of=0)
    add(study, [0.6, 6.0], {"a": 1})
    quick = add(study, [0.6, 1.0], {"a": 2})
    over = study.ask()
    over.set_constraint("latency_ms", 3.0)
    study.tell(over, [0.9, 0.5])
    study.tell(study.ask(), state=TrialState.PRUNED)
    assert [parent.number for parent in parents_of(study)] == [quick.number, good.number]


def test_with_one_objective_the_ten_best_are_parents():
    study = optuna.create_study(direction="minimize")
    for i in range(30):
        add(study, [float((7 * i) % 30)], {"a": 0})
    assert [parent.value for parent in parents_of(study)] == list(range(10))


def test_tpe_is_grouped_until_trials_are_many(monkeypatch):
    """The same draws as a grouped TPE's before, and as an ungrouped one's after."""
    sampler = Tpe(1)
    study = searched(sampler, 15)
    frozen = study.trials[0]
    for number, group in ((samplers.GROUPED_TRIALS - 1, True), (samplers.GROUPED_TRIALS, False)):
        frozen.number = number
        assert sampler._at(frozen)._group is group
    monkeypatch.setattr(samplers, "GROUPED_TRIALS", 15)
    study.optimize(objective, n_trials=15)
    grouped = searched(samplers.multivariate_tpe(1, group=True), 30)
    assert [t.params for t in study.trials[:15]] == [t.params for t in grouped.trials[:15]]
    assert [t.params for t in study.trials[15:]] != [t.params for t in grouped.trials[15:]]
