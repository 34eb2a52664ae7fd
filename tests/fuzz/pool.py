"""Run cases in processes that may die, and count their outcomes by family."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from .judge import OUTCOMES, SECONDS, Verdict

BATCH = 25  # cases that a process is given at once
GRACE_SECONDS = 30  # for the imports of a new process, and for the alarm inside


@dataclass(frozen=True)
class Batch:
    """Cases of one family with seeds one after the other."""

    family: str
    first: int
    number: int


@dataclass
class Count:
    """Outcomes of a family's cases, and the seconds that they took."""

    outcomes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    seconds: float = 0.0

    @property
    def tries(self) -> int:
        return sum(self.outcomes.values())


Tell = Callable[[str, int, Verdict], None]


def run_all(
    tries: Mapping[str, int], first: int, processes: int, tell: Tell, place: Path
) -> dict[str, Count]:
    """Run the families' numbers of cases; a case in which its process dies has failed."""
    counts = {family: Count() for family in tries}
    left = list(_batches(tries, first))
    workers = [Worker(place / str(i)) for i in range(processes)]
    try:
        while left or any(worker.batch for worker in workers):
            for worker in workers:
                if worker.batch is None and left:
                    worker.give(left.pop(0))
            ready = wait([worker.pipe for worker in workers if worker.batch], timeout=1.0)
            for worker in workers:
                worker.end_if_late()
                if worker.pipe in ready and (found := worker.heard()):
                    family, seed, verdict, seconds = found
                    counts[family].outcomes[verdict.outcome] += 1
                    counts[family].seconds += seconds
                    tell(family, seed, verdict)
    finally:
        for worker in workers:
            worker.end()
    return counts


def _batches(tries: Mapping[str, int], first: int) -> Iterator[Batch]:
    """Yield batches of the families by turns, so that the processes end together."""
    for start in range(0, max(tries.values(), default=0), BATCH):
        for family, number in tries.items():
            if start < number:
                yield Batch(family, first + start, min(BATCH, number - start))


class Worker:
    """A process, the batch that it was given, and how many of its cases have ended."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.batch: Batch | None = None
        self.done = 0
        self.since = 0.0
        self.start()

    def start(self) -> None:
        context = multiprocessing.get_context("spawn")  # Polars' threads do not live on in a fork
        self.pipe, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(target=work, args=(theirs, self.place))
        self.process.start()
        theirs.close()

    def give(self, batch: Batch) -> None:
        self.batch, self.done, self.since = batch, 0, time.monotonic()
        self.pipe.send(batch)

    def heard(self) -> tuple[str, int, Verdict, float] | None:
        """Return the case that has ended; a new process takes over from a dead one."""
        assert self.batch is not None
        batch, now = self.batch, time.monotonic()
        try:
            verdict: Verdict = self.pipe.recv()
        except (EOFError, ConnectionResetError):
            self.process.join()
            verdict = Verdict("failed", f"the process ended with {self.process.exitcode}")
            self.start()
            if self.done + 1 < batch.number:
                rest = batch.first + self.done + 1
                self.pipe.send(Batch(batch.family, rest, batch.number - self.done - 1))
        seed, took = batch.first + self.done, now - self.since
        self.done, self.since = self.done + 1, now
        if self.done == batch.number:
            self.batch = None
        return batch.family, seed, verdict, took

    def end_if_late(self) -> None:
        """Kill a process whose case does not end: compiled code knows no alarm."""
        if self.batch and time.monotonic() - self.since > SECONDS + GRACE_SECONDS:
            self.process.kill()

    def end(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self.pipe.send(None)
        self.process.join(timeout=10)
        if self.process.is_alive():
            self.process.kill()


def work(pipe: Connection, place: Path) -> None:
    """Judge batches until there are no more."""
    os.environ["AUTOMLRANK_CACHE"] = str(place / "cache")
    import torch

    from .families import FAMILIES
    from .judge import judged

    torch.set_num_threads(1)
    while batch := pipe.recv():
        for seed in range(batch.first, batch.first + batch.number):
            folder = place / f"{batch.family}-{seed}"
            pipe.send(judged(FAMILIES[batch.family], seed, folder))
