"""Time of two trainings at once against one alone, each with its default number of threads.

    python -m benchmarks.speed.contention [--package DIR] [--rounds 3]

Every training is a process of its own: an mlp on a table drawn at random, timed from the first
quarter of its first epoch on, when all data and code are loaded; both begin the timed part
together. One alone and two at once take turns. The last line prints medians and their ratio: two
that shared the cores without loss would take 2.0 times as long as one. ``--package`` is a folder
with another version of automlrank.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import harness

ROWS, COLUMNS, VALUES, EPOCHS = 60_000, 12, 500, 2
ARCHITECTURE = """
architecture: contention
embedding: {dim: 16}
interaction: {mlp: {width: 400, depth: 3}}
training: {epochs: EPOCHS, patience: 20}
"""
TRAINING = """
import sys
import numpy as np
import automlrank
import pandas as pd
from automlrank.jobs.train import train

rng = np.random.default_rng(0)
rows, columns, values = map(int, sys.argv[1:4])
frame = pd.DataFrame(
    rng.integers(values, size=(rows, columns)).astype(str),
    columns=[f"c{i}" for i in range(columns)],
)
frame["click"] = (rng.random(rows) < 0.3).astype(int)
began = False

def listen(event):
    global began
    if not began and hasattr(event, "progress"):
        began = True
        print("ready", flush=True)
        sys.stdin.readline()

train(sys.argv[4], frame, label="click", listen=listen)
print("done", flush=True)
"""


class TimedTraining:
    """One training in a process of its own."""

    def __init__(self, package: Path, architecture: Path) -> None:
        arguments = [*map(str, (ROWS, COLUMNS, VALUES)), str(architecture)]
        own = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "KMP_", "GOMP_"))}
        self.process = subprocess.Popen(
            [sys.executable, "-c", TRAINING, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**own, "PYTHONPATH": str(package)},
            cwd=package,  # which python -c looks in first
        )

    def wait_for(self, line: str) -> None:
        assert self.process.stdout is not None
        told = self.process.stdout.readline().strip()
        if told != line:
            raise SystemExit(f"a training ended before it was {line}.")

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()


def seconds(n: int, package: Path, architecture: Path) -> float:
    """Return the time from which ``n`` trainings go on together until all are done."""
    trainings = [TimedTraining(package, architecture) for _ in range(n)]
    for training in trainings:
        training.wait_for("ready")
    began = time.perf_counter()
    for training in trainings:
        training.go()
    for training in trainings:
        training.wait_for("done")
    took = time.perf_counter() - began
    for training in trainings:
        training.process.wait()
    return took


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("--package", type=Path, default=harness.ROOT)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    times: dict[int, list[float]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as folder:
        architecture = Path(folder) / "contention.yaml"
        architecture.write_text(ARCHITECTURE.replace("EPOCHS", str(EPOCHS)))
        for _ in range(chosen.rounds):
            for n, found in times.items():
                found.append(seconds(n, chosen.package.resolve(), architecture))
                print(f"{n} at once: {found[-1]:.1f} s", flush=True)
    one, two = (statistics.median(found) for found in times.values())
    print(f"one alone {one:.1f} s, two at once {two:.1f} s: {two / one:.2f} times")


if __name__ == "__main__":
    main()
