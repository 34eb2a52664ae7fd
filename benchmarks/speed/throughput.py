"""Rows per second of a training step: ours in float32 and bfloat16 beside three libraries.

    python -m benchmarks.speed.throughput [--ids 0.4 4 40] [--models deepfm]
        [--lengths full uniform short] [--fuxictr FuxiCTR/model_zoo] [--out FIGURES.csv]

The table has Criteo's shape and lies in memory: 26 categorical columns with log-spaced vocabularies
(so many million ids in all) and Zipf's frequencies, 13 numbers. Each model is a process of its own,
which gives an honest peak of memory; all take turns, some steps at a time. A step is the library's
own on a batch (of 4096) as it takes it, with Adam; ours includes gathering the batch. Figures are
medians over the repetitions, ratios too (of neighbours in time). The clock is that of the process
(with one thread the time that it computed), because machines are shared; ``--clock wall`` says
otherwise. The limit is the time of the step's matrix products alone, forward and backward, at the
same shapes, types and strides, with one read and one write of the touched rows.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import harness

NUMERIC, CATEGORICAL = 13, 26
HEADINGS = (
    *("ids", "model", "library", "rows/s"),
    *("ours over it", "bf16 over it", "of the limit", "GiB"),
)
Cells = Iterator[list[str]]
BATCHES = 32  # different ones, in a circle
LIBRARIES = ("automlrank", "automlrank bf16", "torch-rechub", "DeepCTR-Torch", "fuxictr")
COMPARED = {  # where not all are: torch-rechub has no xDeepFM, and din costs what mlp does not
    "xdeepfm": {"automlrank", "DeepCTR-Torch", "fuxictr"},
    "mlp": {"automlrank"},
    "din": {"automlrank", "torch-rechub"},
    "dien": {"automlrank", "torch-rechub"},
}
HISTORIES = {"din", "dien"}
CLOCKS: dict[str, Callable[[], float]] = {"cpu": time.process_time, "wall": time.perf_counter}


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("--ids", type=float, nargs="+", default=[0.4, 4, 40], help="in millions")
    parser.add_argument("--models", nargs="+", default=["deepfm", "dcn_v2", "xdeepfm", "autoint"])
    parser.add_argument(
        "--libraries", nargs="+", default=LIBRARIES, help="'automlrank adagrad' is bf16 too"
    )
    parser.add_argument("--fuxictr", type=Path, help="model_zoo of a checkout; without, no FuxiCTR")
    parser.add_argument("--batch", type=int, default=4096, help="rows")
    parser.add_argument(
        "--lengths",
        nargs="+",
        default=["full"],
        help="of histories, at most 50: full uniform short",
    )
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--steps", type=int, default=4, help="a repetition")
    parser.add_argument("--warm-up", type=int, default=3, help="steps before the first repetition")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clock", choices=CLOCKS, default="cpu")
    parser.add_argument("--gib", type=float, default=8.0, help="memory that a process may take")
    parser.add_argument("--out", type=Path, help="all figures as CSV")
    parser.add_argument("--serve", nargs=4, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        serve(chosen, *chosen.serve)
        return
    table = harness.Figures(HEADINGS)
    for millions in chosen.ids:
        for name in chosen.models:
            for lengths in chosen.lengths if name in HISTORIES else ["full"]:
                for cells in compared(chosen, millions, name, lengths):
                    table.add(cells)
    table.write(chosen.out)


@dataclass
class TimedWorker:
    """A process that trains on demand."""

    library: str
    process: subprocess.Popen[str]
    seconds: list[float]
    limits: list[float]
    peak: float = 0.0
    failed: str = ""

    def ask(self, steps: int) -> dict[str, Any] | None:
        """Some steps; None from a process that is no more."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with suppress(BrokenPipeError):
            self.process.stdin.write(f"{steps}\n")
            self.process.stdin.flush()
        line = self.process.stdout.readline()
        found: dict[str, Any] = json.loads(line) if line else {"failed": "killed"}
        self.failed = found.get("failed", "")
        return None if self.failed else found


def compared(chosen: argparse.Namespace, millions: float, name: str, lengths: str) -> Cells:
    """A line a library: all of them in turn, repetition by repetition."""
    libraries = [
        library
        for library in chosen.libraries
        if library.partition(" ")[0] in COMPARED.get(name, {library.partition(" ")[0]})
        and (library != "fuxictr" or chosen.fuxictr)
    ]
    workers = [started(library, name, millions, lengths) for library in libraries]
    for worker in workers:
        worker.ask(chosen.warm_up)  # one after the other, as memory is tight
    for _ in range(chosen.repeats):
        for worker in (w for w in workers if not w.failed):
            if found := worker.ask(chosen.steps):
                worker.seconds.append(found["seconds"])
                worker.limits.append(found["limit"])
                worker.peak = found["gib"]
    for worker in workers:
        worker.process.kill()
        worker.process.wait()
    shown = f"{name}, {lengths}" if name in HISTORIES else name
    of = {worker.library: worker.seconds for worker in workers}
    for worker in workers:
        yield [f"{millions:g}M", shown, *cells_of(worker, chosen.batch, of)]


def cells_of(worker: TimedWorker, batch: int, of: dict[str, list[float]]) -> list[str]:
    if not worker.seconds:
        return [worker.library, worker.failed, "", "", "", ""]
    ratios = []
    for mine in ("automlrank", "automlrank bf16"):
        pairs = list(zip(worker.seconds, of.get(mine, []), strict=False))
        own = worker.library.startswith("automlrank")
        ratios.append("" if own or not pairs else f"{median(t / o for t, o in pairs):.2f}")
    shares = [a / b for a, b in zip(worker.limits, worker.seconds, strict=True) if a]
    limit = f"{median(shares):.0%}" if shares else ""
    rows = batch / median(worker.seconds)
    return [worker.library, f"{rows:,.0f}", *ratios, limit, f"{worker.peak:.2f}"]


def started(library: str, name: str, millions: float, lengths: str) -> TimedWorker:
    served = [library, name, str(millions), lengths]
    command = [sys.executable, "-m", "benchmarks.speed.throughput", *sys.argv[1:]]
    process = subprocess.Popen(
        [*command, "--serve", *served],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None if os.environ.get("THROUGHPUT_ERRORS") else subprocess.DEVNULL,
        text=True,
    )
    return TimedWorker(library, process, [], [])


def serve(chosen: argparse.Namespace, library: str, name: str, millions: str, lengths: str) -> None:
    """Read numbers of steps, answer with seconds a step, those of the limit, and peak memory."""
    reserved = int(1.25 * chosen.gib * 2**30)  # pages that are never written count here
    resource.setrlimit(resource.RLIMIT_DATA, (reserved, reserved))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # libraries print
    import torch

    from benchmarks.speed.throughput_limit import Limit, peak_gib

    torch.set_num_threads(chosen.threads)
    clock = CLOCKS[chosen.clock]
    run: Iterator[None] | None = None
    limit: Limit | None = None
    for line in sys.stdin:
        try:
            if run is None:
                run = steps_of(chosen, library, name, float(millions), lengths)
                limit = Limit.of(run) if library.startswith("automlrank") else None
            began = clock()
            for _ in range(int(line)):
                next(run)
            seconds = (clock() - began) / int(line)
            bound = limit.seconds(clock, int(line)) if limit else 0.0
            gib = peak_gib() - (limit.gib if limit else 0.0)
            answer = {"seconds": seconds, "limit": bound, "gib": gib}
            if gib > chosen.gib:
                raise MemoryError
        except (MemoryError, RuntimeError) as error:
            if "memory" not in str(error) and not isinstance(error, MemoryError):
                raise
            answer = {"failed": f"needs over {chosen.gib:g} GiB"}
        print(json.dumps(answer), file=answers, flush=True)


def steps_of(
    chosen: argparse.Namespace, library: str, name: str, millions: float, lengths: str
) -> Iterator[None]:
    """Train for ever, a step each time."""
    from benchmarks.speed.throughput_data import criteo_shaped
    from benchmarks.speed.throughput_models import stepper

    data = criteo_shaped(round(millions * 1e6), chosen.batch * BATCHES, lengths)
    name_of_library, _, kind = library.partition(" ")
    feed, step = stepper(name_of_library, name, data, kind, chosen.fuxictr)
    if name_of_library == "automlrank":
        while True:
            for batch in data.batches("train", chosen.batch, seed=0):
                step(batch)
                yield
    fed = [feed(batch) for batch in data.batches("train", chosen.batch, seed=0)]
    while True:
        for batch in fed:
            step(batch)
            yield


if __name__ == "__main__":
    main()
