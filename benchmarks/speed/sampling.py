"""Cost of a suggestion: milliseconds a trial after so many finished ones, for each sampler.

    OMP_NUM_THREADS=1 python -m benchmarks.speed.sampling [--asks 10] [--seed 0] [--out FILE]

The space is `search_spaces/ctr.yaml` for a schema that has all it asks for. A suggestion is a whole
architecture, `draw(space, decider(study.ask()))`; printed are medians of the processor's time, as
a machine's other work must not count. The finished trials have random values, half of them are
pruned. `evolution` and `nsga2` drew theirs themselves, as what they do depends on it; for TPE,
which looks at params and values only, they were drawn at random. Studies are in memory: what a
storage costs comes on top, and is the same for all.
"""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

import numpy as np
import optuna
from optuna.samplers import BaseSampler, TPESampler
from optuna.trial import TrialState

from automlrank.architecture import draw
from automlrank.space.shipped import open_space
from automlrank.study.samplers import SAMPLERS, Tpe, make_sampler, multivariate_tpe
from automlrank.study.suggest import decider
from benchmarks import harness

SPACE, _ = open_space("ctr")


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("--trials", type=int, nargs="+", default=[100, 300, 1000, 3000])
    parser.add_argument("--asks", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    samplers = {name: make_sampler(name, chosen.seed, 0) for name in SAMPLERS}
    samplers["tpe, always grouped"] = multivariate_tpe(chosen.seed, group=True)
    samplers["tpe, never grouped"] = multivariate_tpe(chosen.seed, group=False)
    table = harness.Figures(["ms a suggestion after", *(f"{n:,}" for n in chosen.trials)])
    for name, sampler in samplers.items():
        costs = measured(sampler, chosen.trials, chosen.asks, chosen.seed)
        table.add([name, *(f"{ms:.1f}" for ms in costs)])
    table.write(chosen.out)


def measured(sampler: BaseSampler, counts: list[int], asks: int, seed: int) -> list[float]:
    """The median milliseconds at each count of finished trials, in one growing study."""
    rng = np.random.default_rng(seed)
    study = optuna.create_study(directions=["maximize", "minimize"])
    random = make_sampler("random", seed, 0)
    costs = []
    for count in sorted(counts):
        study.sampler = random if isinstance(sampler, Tpe | TPESampler) else sampler
        while len(study.get_trials(deepcopy=False)) < count:
            suggestion(study, rng)
        study.sampler = sampler
        costs.append(median(suggestion(study, rng) for _ in range(asks)))
    return costs


def suggestion(study: optuna.Study, rng: np.random.Generator) -> float:
    """The milliseconds of one trial's draw; the trial ends with random values."""
    began = time.process_time()
    trial = study.ask()
    draw(SPACE, decider(trial))
    ms = (time.process_time() - began) * 1000
    if rng.random() < 0.5:
        study.tell(trial, state=TrialState.PRUNED)
    else:
        study.tell(trial, [rng.normal(0.7, 0.02), rng.lognormal(1.0, 0.5)])
    return ms


if __name__ == "__main__":
    main()
