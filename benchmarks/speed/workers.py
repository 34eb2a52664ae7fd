"""Trials an hour: two workers with one thread each against one worker with two threads.

    python -m benchmarks.speed.workers [--data kuairand] [--trials 16] [--rounds 3] [--out FILE]

Both search ``search_space.yaml`` with the same seeds, at random and without pruning, in turn on the
same machine. The clock runs from the start of the first drawn trial to the end of the last one, so
neither encoding nor finalists count.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import optuna

from automlrank.study.study import NAME
from benchmarks import harness
from benchmarks.quality.search_table import SPACE

WORKERS = (2, 1)


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("--data", default="kuairand")
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    headings = ("seed", "2 workers, trials an hour", "1 worker, trials an hour", "ratio")
    table = harness.Figures(headings)
    ratios = []
    for seed in range(chosen.rounds):
        two, one = (searched(chosen.data, chosen.trials, seed, n) for n in WORKERS)
        ratios.append(two / one)
        table.add([str(seed), f"{two:.0f}", f"{one:.0f}", f"{ratios[-1]:.2f}"])
    table.write(chosen.out)
    print(f"median ratio {median(ratios):.2f}; load {os.getloadavg()}, {os.cpu_count()} cores")


def searched(data: str, trials: int, seed: int, workers: int) -> float:
    """Trials an hour of one search."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "run")
        options = {
            "--space": str(SPACE),
            "--trials": str(trials),
            "--seed": str(seed),
            "--workers": str(workers),
            "--sampler": "random",
            "--pruner": "none",
            "--out": str(out),
            "--format": "quiet",
        }
        words = [word for option in options.items() for word in option]
        subprocess.run([sys.executable, "-m", "automlrank", "search", data, *words], check=True)
        return rate(out)


def rate(run: Path) -> float:
    """Drawn trainings an hour from the first one's start to the last one's end."""
    study = optuna.load_study(study_name=NAME, storage=f"sqlite:///{run}/study.db")
    drawn = [trial for trial in study.trials if "name" not in trial.user_attrs and trial.values]
    starts = [trial.datetime_start for trial in drawn if trial.datetime_start]
    ends = [trial.datetime_complete for trial in drawn if trial.datetime_complete]
    return len(drawn) / (max(ends) - min(starts)).total_seconds() * 3600


if __name__ == "__main__":
    main()
