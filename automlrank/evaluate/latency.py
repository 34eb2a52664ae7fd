"""How long one request takes: measured on real encoded rows, before anything is trained.

The protocol: requests of ``candidates`` rows (the user's side once), ``threads`` threads, a
warm-up, then timed calls that walk through different requests, so that the tables' rows are not
all in the cache. Three tries; the one with the smallest median counts, because whatever else
runs on the machine only ever adds time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

TRIES = 3
WARM_UP = 5
MIN_CALLS, MAX_CALLS = 20, 200
TRY_SECONDS = 0.4


@dataclass(frozen=True)
class Latency:
    """Milliseconds for one request: the median and the 95th percentile."""

    p50: float
    p95: float


def measure_latency(
    model: nn.Module,
    requests: Sequence[Mapping[str, Tensor]],
    threads: int = 1,
    *,
    tries: int = TRIES,
    try_seconds: float = TRY_SECONDS,
) -> Latency:
    """The latency of ``model`` on ``requests``, the best of ``tries``."""
    was_training = model.training
    model.eval()
    with torch.inference_mode(), torch_threads(threads):
        measured = [_one_try(model, requests, try_seconds) for _ in range(tries)]
    model.train(was_training)
    return min(measured, key=lambda latency: latency.p50)


def _one_try(
    model: nn.Module, requests: Sequence[Mapping[str, Tensor]], try_seconds: float
) -> Latency:
    for i in range(WARM_UP):
        _timed(model, requests[i % len(requests)])
    times: list[float] = []
    end = time.perf_counter() + try_seconds
    while len(times) < MIN_CALLS or (len(times) < MAX_CALLS and time.perf_counter() < end):
        times.append(_timed(model, requests[len(times) % len(requests)]))
    p50, p95 = np.percentile(times, [50, 95]) * 1e3
    return Latency(round(float(p50), 4), round(float(p95), 4))


def _timed(model: nn.Module, request: Mapping[str, Tensor]) -> float:
    start = time.perf_counter()
    logits = model(request)
    if logits.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start


@contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Let torch use ``threads`` threads inside."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
