"""Latency: what is timed, which try counts, how rounds interleave, what the median lies in."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from automlrank.measurement import latency
from automlrank.measurement.latency import (
    MAX_CALLS,
    MIN_CALLS,
    ROUNDS,
    WARM_UP,
    Latency,
    measure_latency,
    median_interval,
    remeasure,
    seconds_of_rounds,
    timed,
)


@pytest.fixture(autouse=True)
def _as_many_calls_as_in_earnest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "timed", timed)


def test_calls_walk_through_the_requests_after_a_warm_up() -> None:
    seen: list[int] = []
    times = timed([lambda i=i: seen.append(i) for i in range(3)], 0.0)
    assert len(times) == MIN_CALLS
    assert len(seen) == WARM_UP + MIN_CALLS
    assert seen[WARM_UP:] == [i % 3 for i in range(MIN_CALLS)]
    assert len(timed([lambda: None], 60.0)) == MAX_CALLS


def test_the_try_with_the_smallest_median_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its own percentiles, in milliseconds: those of another try do not mix in."""
    tries = [[0.004] * 30, list(np.arange(1, 102) / 1e5), [0.002] * 30]
    left = iter(tries)
    monkeypatch.setattr(latency, "timed", lambda *_: next(left))
    assert measure_latency([lambda: None]) == Latency(0.51, 0.96, 1.0)


def test_rounds_hold_every_model_once_in_changing_order(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["a", "b", "c", "d"]

    def orders(seed: int) -> list[tuple[str, ...]]:
        seen: list[str] = []
        monkeypatch.setattr(latency, "timed", lambda calls, *_: [seen.append(calls)] and [1.0])
        remeasure({name: name for name in names}, seed, rounds=8)  # type: ignore[arg-type]
        return [tuple(seen[i : i + len(names)]) for i in range(0, len(seen), len(names))]

    first = orders(1)
    assert len(first) == 8
    assert all(sorted(one) == names for one in first)
    assert len(Counter(first)) > 4
    assert orders(1) == first
    assert orders(2) != first


def test_a_model_gets_the_median_of_its_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """p50 and its interval are of the rounds' medians, p95 and p99 of all calls."""
    rounds = [[n / 1e3, n / 1e3, 9.0 * n / 1e3] for n in (3, 1, 2, 10, 5, 4, 9, 7, 8, 6)]
    left = iter(rounds)
    monkeypatch.setattr(latency, "timed", lambda *_: next(left))
    measured = remeasure({"a": []}, 0)["a"]
    everything = 1e3 * np.concatenate(rounds)
    assert measured == Latency(
        5.5, *np.percentile(everything, (95, 99)).round(4).tolist(), low=2.0, high=9.0
    )


def test_what_is_brief_meets_each_request_once_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """After one call to warm up, where calls are slower than a round; others get all of theirs."""
    monkeypatch.setattr(latency, "ROUND_SECONDS", 0.0)
    seen: Counter[tuple[str, int]] = Counter()
    slow = {
        name: [lambda key=(name, i): seen.update([key]) for i in range(8)]
        for name in ("whole", "brief")
    }
    remeasure(slow, 0, brief=["brief"], rounds=2)
    assert [seen["brief", i] for i in range(8)] == [4, *[2] * 7]
    assert sum(seen["whole", i] for i in range(8)) == 2 * (WARM_UP + MIN_CALLS)


@pytest.mark.parametrize("n", [6, 7, 10, 11, 20, 41])
def test_the_interval_holds_the_median_with_95_percent(n: int) -> None:
    """P(x_(k) <= median <= x_(n+1-k)) = 1 - 2 P(B(n, 1/2) < k): at least 95 %, not for k + 1."""
    low, high = median_interval(list(np.random.default_rng(0).permutation(n)))
    k = int(low) + 1
    assert high == n - k
    assert 1 - 2 * binom.cdf(k - 1, n, 0.5) >= 0.95 > 1 - 2 * binom.cdf(k, n, 0.5)


def test_few_values_give_their_range() -> None:
    assert median_interval([3.0, 1.0, 2.0]) == (1.0, 3.0)
    assert median_interval([3.0]) == (3.0, 3.0)


def test_waiting_for_a_processor_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Any
) -> None:
    """A call of 20 ms of which the system says that 15 were spent in the queue took 5."""
    file = tmp_path / "schedstat"
    waited = itertools.count(1)
    file.write_text("0 0 0")
    monkeypatch.setattr(latency, "QUEUE_FILE", file)

    def call() -> None:
        time.sleep(0.02)
        file.write_text(f"99 {next(waited) * 15_000_000} 7")

    assert timed([call], 0.0) == pytest.approx([0.005] * MIN_CALLS)


def test_without_the_system_s_word_the_clock_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Any
) -> None:
    monkeypatch.setattr(latency, "QUEUE_FILE", tmp_path / "absent")
    assert timed([lambda: time.sleep(0.01)], 0.0) == pytest.approx([0.01] * MIN_CALLS)


def test_the_queue_s_clock_never_runs_back() -> None:
    with latency.queue_clock() as waited:
        times = [waited() for _ in range(1000)]
    assert times == sorted(times)
    assert times[0] >= 0.0


@pytest.mark.parametrize("ms", [0.5, 3.0, 40.0])
@pytest.mark.parametrize("brief", [True, False])
def test_the_time_of_a_measurement_is_foretold(clock: Any, ms: float, brief: bool) -> None:
    """Within a call of each round, on a clock that only the calls move."""

    def call() -> None:
        clock.now += ms / 1000

    began = clock.now
    remeasure({"a": [call] * 8}, 0, brief=["a"] if brief else [])
    took = clock.now - began
    assert took == pytest.approx(seconds_of_rounds(ms, 8, brief=brief), abs=ROUNDS * ms / 1000)
