"""Latency of one request, measured by the same protocol for every runtime.

A first measurement is made before training: a warm-up, then timed calls that cycle through
different requests, because tables whose rows are all in the cache answer too fast. Of three
tries the one with the smallest median counts, because other load on the machine only adds time.
Time in which the thread waits for a CPU is subtracted from each call: with 13 busy processes on two
cores, dcn_v2 took 35.0 to 36.3 ms by the clock and 11.4 to 12.2 ms without the wait.

Finalists are measured again, in rounds of a short measurement each, all models in a new random
order every round: changes on the machine then affect all models alike. Models for comparison only,
which may be slow, get one call per request and round.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from automlrank.measurement.host_lock import quiet

Call = Callable[[], object]
"""Call that scores one request."""
TRIES = 3
WARM_UP = 5
MIN_CALLS, MAX_CALLS = 20, 200
TRY_SECONDS = 0.4
ROUNDS = 10
ROUND_SECONDS = 0.05
QUEUE_FILE = Path("/proc/thread-self/schedstat")  # ns on a CPU, ns waiting, time slices

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Latency:
    """Milliseconds for one request: the median, the 95th and the 99th percentile.

    ``low`` and ``high`` are an interval of the median of at least 95 % confidence, known only for
    measurements in rounds. ``p50_repeated`` is the median with the user's side scored anew for each
    candidate, known only for finalists. ``p50_first`` is the median of an earlier measurement.
    """

    p50: float
    p95: float
    p99: float
    low: float | None = None
    high: float | None = None
    p50_repeated: float | None = None
    p50_first: float | None = None


def measure_latency(
    calls: Sequence[Call], *, tries: int = TRIES, try_seconds: float = TRY_SECONDS
) -> Latency:
    """Return the latency of ``calls``, one for each request: the best of ``tries``."""
    measured = [Latency(*_percentiles(timed(calls, try_seconds))) for _ in range(tries)]
    return min(measured, key=lambda latency: latency.p50)


def remeasure(
    models: Mapping[Key, Sequence[Call]],
    seed: int,
    *,
    brief: Collection[Key] = (),
    rounds: int = ROUNDS,
) -> dict[Key, Latency]:
    """Return the latencies of several models, measured in turn.

    p50 is the median of the rounds' medians, ``low`` and ``high`` its interval; p95 and p99 are
    percentiles of all calls. A round of a model in ``brief`` may be as short as one call to warm up
    and one for each request.
    """
    rng = np.random.default_rng(seed)
    names = list(models)
    times: dict[Key, list[list[float]]] = {name: [] for name in names}
    for _ in range(rounds):
        for i in rng.permutation(len(names)):
            name, calls = names[i], models[names[i]]
            least = (1, len(calls)) if name in brief else (WARM_UP, MIN_CALLS)
            times[name].append(timed(calls, ROUND_SECONDS, *least))
    return {name: _over_rounds(times[name]) for name in names}


def seconds_of_rounds(p50_ms: float, requests: int, *, brief: bool = False) -> float:
    """Return about how many seconds ``remeasure`` takes for a model of that median."""
    warm_up, least = (1, requests) if brief else (WARM_UP, MIN_CALLS)
    call = p50_ms / 1000
    return ROUNDS * (warm_up * call + max(ROUND_SECONDS, least * call))


def timed(
    calls: Sequence[Call], seconds: float, warm_up: int = WARM_UP, least: int = MIN_CALLS
) -> list[float]:
    """Return the seconds of each call after a warm-up.

    There are at least ``least`` calls, then more until ``seconds`` have passed, at most 200.
    Trainings on this host pause meanwhile.
    """
    times: list[float] = []
    with quiet(), queue_clock() as waited:
        for i in range(warm_up):
            calls[i % len(calls)]()
        end = time.perf_counter() + seconds
        while len(times) < least or (len(times) < MAX_CALLS and time.perf_counter() < end):
            call = calls[len(times) % len(calls)]
            before, start = waited(), time.perf_counter()
            call()
            took = time.perf_counter() - start
            times.append(max(0.0, took - (waited() - before)))
    return times


@contextmanager
def queue_clock() -> Iterator[Callable[[], float]]:
    """Yield a function that returns the seconds this thread waited for a CPU: 0 unless on Linux."""
    if not QUEUE_FILE.exists():
        yield lambda: 0.0
        return
    descriptor = os.open(QUEUE_FILE, os.O_RDONLY)
    try:
        yield lambda: int(os.pread(descriptor, 64, 0).split()[1]) * 1e-9
    finally:
        os.close(descriptor)


def median_interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the order statistics that cover the median with at least 95 %: 97.9 % for ten values.

    ``x_(k)`` and ``x_(n + 1 - k)`` for the largest k with ``P(B(n, 1/2) < k) <= 2.5 %``: no
    distribution is assumed. Fewer than six values have no such interval: their lowest and highest
    are returned.
    """
    ordered, n = sorted(values), len(values)
    below, tail = 0, 0.5**n
    while tail <= 0.025:
        below += 1
        tail += math.comb(n, below) * 0.5**n
    k = max(1, below)
    return ordered[k - 1], ordered[n - k]


def _over_rounds(times: Sequence[Sequence[float]]) -> Latency:
    medians = [1e3 * float(np.median(one)) for one in times]
    _, p95, p99 = _percentiles([t for one in times for t in one])
    low, high = median_interval(medians)
    return Latency(round(float(np.median(medians)), 4), p95, p99, round(low, 4), round(high, 4))


def _percentiles(times: Sequence[float]) -> list[float]:
    """Return the median, the 95th and the 99th percentile, in milliseconds."""
    return [round(1e3 * float(value), 4) for value in np.percentile(times, (50, 95, 99))]
