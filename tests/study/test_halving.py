"""Pareto halving: ranks and distances by their definitions, and who may be stopped."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automlrank.errors import UsageError
from automlrank.study.halving import ParetoHalving, crowding_distances, non_domination_ranks

RULE = ParetoHalving()
POINT = st.tuples(st.integers(-4, 4).map(float), st.integers(0, 8).map(float))
POINTS = st.lists(POINT, min_size=1, max_size=40)
PEERS = st.lists(POINT, min_size=5, max_size=30)


def dominates(a, b) -> bool:
    """At least as good in both, better in one: more gain, less latency."""
    return a[0] >= b[0] and a[1] <= b[1] and tuple(a) != tuple(b)


def peeled(points) -> list[int]:
    """Ranks by the definition: take the front away, again and again."""
    ranks, left, rank = [-1] * len(points), set(range(len(points))), 0
    while left:
        front = {i for i in left if not any(dominates(points[j], points[i]) for j in left)}
        for i in front:
            ranks[i] = rank
        left, rank = left - front, rank + 1
    return ranks


def judged(peers, mine, reached=1000, stopped=0, rule=RULE) -> bool:
    return rule.stops(np.array(peers, float), mine, reached, stopped)


@given(POINTS)
def test_ranks_are_fronts_taken_away_one_by_one(points):
    assert non_domination_ranks(np.array(points)).tolist() == peeled(points)


def test_ranks_of_random_numbers_too():
    points = np.random.default_rng(0).normal(size=(300, 2))
    assert non_domination_ranks(points).tolist() == peeled(points.tolist())


def test_crowding_is_the_gap_between_neighbours():
    """Extents 4 and 8: for the second ``3/4 + 4/8``, for the third ``3/4 + 6/8``."""
    front = np.array([(4.0, 9.0), (3.0, 7.0), (1.0, 3.0), (0.0, 1.0)])
    assert crowding_distances(front).tolist() == [np.inf, 3 / 4 + 6 / 8, 3 / 4 + 6 / 8, np.inf]


@given(POINTS, st.randoms())
def test_crowding_does_not_depend_on_the_order(points, random):
    points = np.array(points)
    front = points[non_domination_ranks(points) == 0]
    order = list(range(len(front)))
    random.shuffle(order)
    assert crowding_distances(front)[order].tolist() == crowding_distances(front[order]).tolist()


@given(PEERS, POINT)
def test_a_member_of_the_rungs_front_is_never_stopped(peers, mine):
    if not any(dominates(peer, mine) for peer in peers):
        assert not judged(peers, mine)


@given(PEERS)
def test_one_that_dominates_all_goes_on_and_one_dominated_by_all_stops(peers):
    assert not judged(peers, (5.0, -1.0))
    assert judged(peers, (-5.0, 9.0))


@given(PEERS, POINT, st.randoms())
def test_the_order_of_peers_does_not_matter(peers, mine, random):
    shuffled = random.sample(peers, len(peers))
    assert judged(peers, mine) == judged(shuffled, mine)


@given(PEERS, POINT, st.integers(1, 3), st.integers(1, 3))
def test_a_better_trial_is_not_judged_worse_by_its_rank(peers, mine, gain, quicker):
    """What does not stop at one point, stops at no point that dominates it with a lower rank."""
    better = (mine[0] + gain, mine[1] - quicker)
    ranks = [non_domination_ranks(np.array([*peers, p]))[-1] for p in (mine, better)]
    if ranks[1] < ranks[0] and not judged(peers, mine):
        assert not judged(peers, better)


def test_the_best_third_goes_on():
    """On a chain, where each dominates the next, rank is place."""
    chain = [(float(-i), float(i)) for i in range(0, 18, 2)]
    goes_on = [not judged(chain, (-i - 0.5, i + 0.5)) for i in range(-1, 18, 2)]
    assert goes_on == [True] * 4 + [False] * 6  # four of ten, as a third is rounded up


def test_within_a_front_the_lonely_go_on():
    """Behind a front of three, places 4 of 12: one more than the front, by crowding."""
    front = [(10.0, 3.0), (9.0, 2.0), (8.0, 1.0)]
    second = [(7.0, 10.0), (6.0, 9.5), (5.5, 9.4), (5.4, 9.3), (5.3, 9.2), (5.2, 9.1), (1.0, 4.0)]
    assert judged([*front, *second], (5.35, 9.25))  # amid its peers
    assert not judged([*front, *second], (7.5, 11.0))  # an end of the second front


def test_too_few_peers_stop_nobody():
    worst = (-1.0, 9.0)
    assert not judged([(1.0, 1.0)] * 4, worst)
    assert judged([(1.0, 1.0)] * 5, worst)
    assert not judged(np.empty((0, 2)), worst)


@pytest.mark.parametrize("most", [0.0, 0.5, 0.9])
def test_the_share_stopped_never_exceeds_its_limit(most):
    """Each trial is worse than all before it, so that the rule would stop every one."""
    rule = ParetoHalving(most_stopped=most)
    peers: list[tuple[float, float]] = []
    stopped = 0
    for i in range(300):
        mine = (float(-i), float(i))
        stopped += judged(peers, mine, reached=i + 1, stopped=stopped, rule=rule)
        peers.append(mine)
        assert stopped <= most * (i + 1)
    assert stopped == most * 300


def test_judging_a_thousand_peers_takes_one_sweep():
    """O(n log n): ten times the peers take ten times the calls, not a hundred times."""

    def calls(peers: int) -> int:
        count, points = 0, np.random.default_rng(0).normal(size=(peers, 2))

        def counted(frame, event, argument):
            nonlocal count
            count += event in ("call", "c_call")

        sys.setprofile(counted)
        try:
            judged(points, (0.0, 0.0))
        finally:
            sys.setprofile(None)
        return count

    assert calls(1000) < 12 * calls(100)
    assert calls(1000) < 2 * 1000 + 500


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"eta": 1}, "eta must be 2 or more, but got 1"),
        ({"min_peers": 0}, "min_peers must be 1 or more, but got 0"),
        ({"most_stopped": 1.0}, "0 <= most_stopped < 1 must hold, but got 1.0"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(wrong, message):
    with pytest.raises(UsageError, match=message):
        ParetoHalving(**wrong)
