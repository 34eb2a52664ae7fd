"""Structures that tasks and scenarios share: each beside single-task models, per task, over seeds.

    python -m benchmarks.quality.structures DATA SCHEMA --tasks A B --out RUNS.jsonl
        [--epochs 1] [--balances [NAME ...]]
    python -m benchmarks.quality.structures DATA SCHEMA --tasks A B C --cost

All models have the settings of ``COMMON`` and are trained for the same epochs by a learning rate
that falls to 0; the end counts. So no model is helped by an epoch of its own choice: at one rate a
single task's best epoch on KuaiRand is the first, and that of the tasks' mean a later one, where
the frequent tasks have learned ids by heart. A single-task model is ``shared_bottom`` with one
task. Structures that need what the schema lacks (context, a scenario) are left out. ``--balances``
adds mmoe and shared_bottom with each balance, or with those named; the fixed one's row is the
structure's own, where that is there. Runs are appended to the file as they end, and those that it
holds are not repeated; all models get their first seed before any gets its second. ``--rows`` draws
a sample of the training rows, to try it out: in a file of its own. ``--cost`` times the steps of
shared_bottom with all tasks against one task's, in turn.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from automlrank import Architecture, Dataset, build_model
from automlrank.blocks import BLOCKS
from automlrank.documents import parse_document
from automlrank.errors import SpaceError
from automlrank.measurement.metrics import AUC, auc
from automlrank.model.cost import cost
from automlrank.model.wiring import wire
from automlrank.schema import Schema, read_schema
from automlrank.training.loop import fit, predict, score_logits
from automlrank.training.trainer import make_trainer
from benchmarks import harness
from benchmarks.harness import Run, keep, markdown, read, spread

STEPS = 150  # that are timed
SCENARIOS = 5  # the largest, of which the first task is scored alone
COMMON: dict[str, object] = {
    "interaction": "none",
    "tower": {"mlp": {"width": 64, "depth": 1}},
    "training": {"learning_rate": 2e-3, "batch_size": 256, "schedule": "linear", "dropout": 0.2},
}
ALONE = {"interaction": {"mlp": {"width": 256, "depth": 1}}}
"""The network of shared_bottom for one task."""
TWO = {"width": 128, "depth": 2}
STRUCTURES: dict[str, dict[str, object]] = {
    "shared embedding only": {"tower": {"stack": [{"mlp": {"width": 256, "depth": 1}}, "mlp"]}},
    "shared_bottom": {"tasks": {"shared_bottom": {"width": 256}}},
    "omoe": {"tasks": {"omoe": {"experts": 8}}},
    "mmoe": {"tasks": {"mmoe": {"experts": 8}}},
    "mmoe, gates with a hidden layer": {"tasks": {"mmoe": {"experts": 8, "gate_width": 32}}},
    "cgc": {"tasks": {"cgc": {"shared": 4, "own": 2}}},
    "ple": {"tasks": {"ple": {"shared": 4, "own": 2}}},
    "ple, gates with a hidden layer": {"tasks": {"ple": {"shared": 4, "own": 2, "gate_width": 32}}},
    "poso_mmoe": {"tasks": {"poso_mmoe": {"experts": 8}}},
    "m2m": {"tasks": {"m2m": {"experts": 8}}, "tower": "none"},
    "lhuc": {"tower": {"lhuc": TWO}},
    "poso": {"tower": {"poso": TWO}},
    "ppnet": {"tower": {"ppnet": TWO}},
    "epnet, shared_bottom": {"gate": "epnet", "tasks": {"shared_bottom": {"width": 256}}},
    "pepnet": {"gate": "epnet", "tower": {"ppnet": TWO}},
    **{
        f"scenario_towers, {kind}": {"scenario": {"scenario_towers": {"width": 256, **knobs}}}
        for kind, knobs in {
            "sum": {"mode": "sum"},
            "gated": {"mode": "gated"},
            "star": {"mode": "star"},
            "star of 3 groups": {"mode": "star", "groups": 3},
        }.items()
    },
}
SINGLE = "single task"
BALANCED = ("mmoe", "shared_bottom")
"""The structures that balances are compared in."""


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("data")
    parser.add_argument("schema", type=Path)
    parser.add_argument("--tasks", nargs="+", required=True, help="0/1 columns")
    parser.add_argument("--out", type=Path, help="JSON lines")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--structures", nargs="*", choices=STRUCTURES, help="default: all that the schema can serve"
    )
    parser.add_argument(
        "--balances", nargs="*", choices=BLOCKS.of("balance"), help="without names: all"
    )
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--rows", type=int, help="of training, drawn at random: to try it out")
    parser.add_argument("--cost", action="store_true", help="time steps, train nothing")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    together = opened(chosen, chosen.tasks)
    alone = {task: opened(chosen, [task]) for task in chosen.tasks}
    if chosen.cost:
        compare_steps(alone[chosen.tasks[0]], together)
        return
    if chosen.out is None:
        parser.error("--out is needed.")
    models = servable(together, stages_of(chosen))
    trainings(models, together, alone, chosen)
    runs = read(chosen.out)
    print("\n".join([*table(chosen.tasks, runs), "", *scenario_table(runs)]))


def opened(chosen: argparse.Namespace, tasks: list[str]) -> Dataset:
    """The data with these tasks; all other labels are ignored."""
    data = Dataset.open(chosen.data, with_tasks(chosen.schema, tasks, chosen.tasks))
    return data.sample(chosen.rows) if chosen.rows else data


def with_tasks(path: Path, tasks: list[str], labels: list[str]) -> Schema:
    """The schema of a file with other tasks, the first of them the primary."""
    schema: Any = dict(parse_document(path.read_text(encoding="utf-8")).data)
    others = {*schema.get("ignore", []), *schema["tasks"], *labels}
    schema["tasks"] = {task: {"kind": "binary"} for task in tasks}
    schema["ignore"] = sorted(others.difference(tasks))
    return read_schema(schema)


def architecture(name: str, stages: Mapping[str, object]) -> Architecture:
    return Architecture.read({"architecture": name, **COMMON, **stages})


def stages_of(chosen: argparse.Namespace) -> dict[str, dict[str, object]]:
    """The structures that were asked for by name, then those with other balances."""
    stages = {name: STRUCTURES[name] for name in chosen.structures or STRUCTURES}
    balances = chosen.balances or BLOCKS.of("balance") if chosen.balances is not None else ()
    for structure, balance in itertools.product(BALANCED, balances):
        stages[f"{structure}, {balance}"] = {**STRUCTURES[structure], "balance": balance}
    return stages


def servable(data: Dataset, structures: Mapping[str, dict[str, object]]) -> dict[str, Architecture]:
    """The architectures by name, each once, without those that need what the schema lacks."""
    models: dict[str, Architecture] = {}
    for name, stages in structures.items():
        made = architecture("structure", stages)
        if made in models.values():
            continue
        try:
            wire(made, data.schema)
        except SpaceError as error:
            print(f"{name} left out: {error}")
        else:
            models[name] = made
    return models


def trainings(
    models: Mapping[str, Architecture],
    together: Dataset,
    alone: Mapping[str, Dataset],
    chosen: argparse.Namespace,
) -> None:
    done = {(run["model"], *run["test"], run["seed"]) for run in read(chosen.out)}
    runs = [(SINGLE, architecture("single", ALONE), data) for data in alone.values()]
    runs += [(name, made, together) for name, made in models.items()]
    for seed, (name, made, data) in itertools.product(range(chosen.seeds), runs):
        if (name, *(task.name for task in data.schema.tasks), seed) not in done:
            run = trained(with_epochs(made, chosen.epochs), data, seed)
            keep(chosen.out, {"model": name, "seed": seed, **run})


def with_epochs(made: Architecture, epochs: int) -> Architecture:
    training = dataclasses.replace(made.training, epochs=epochs, patience=epochs)
    return dataclasses.replace(made, training=training)


def trained(made: Architecture, data: Dataset, seed: int) -> dict[str, Any]:
    """Scores of the end, by task, and of the first task in the largest scenarios."""
    model, found = build_model(made, data.schema, seed), {}
    began = time.perf_counter()
    for progress in fit(model, made, data, seed=seed):
        if progress.scores and progress.epoch + 1 == made.training.epochs:
            logits = predict(model, data, "test")
            found = {
                "valid": dict(progress.scores),
                "test": score_logits(logits, data, "test", AUC),
                "scenarios": in_scenarios(logits, data),
            }
    parameters = cost(model.plan, data.schema).parameters
    return {**found, "parameters": parameters, "seconds": round(time.perf_counter() - began, 1)}


def in_scenarios(logits: np.ndarray, data: Dataset) -> dict[str, float]:
    """The first task's test AUC in each of the largest scenarios; none without scenarios."""
    ids = data.scenarios("test")
    if ids is None:
        return {}
    labels = data.labels("test")[:, 0]
    largest = [one for one, _ in Counter(ids.tolist()).most_common(SCENARIOS)]
    names = data.scenario_names(largest)
    return {
        name: auc(labels[ids == one], logits[ids == one, 0])
        for one, name in zip(largest, names, strict=True)
    }


def table(tasks: Sequence[str], runs: Sequence[Run]) -> list[str]:
    """A row a structure: of each task the mean test AUC, its spread, and the gain on single."""
    names = dict.fromkeys(run["model"] for run in runs)
    headings = ["structure", *tasks, "seeds", "M parameters", "seconds"]
    return markdown(headings, [cells(name, tasks, runs) for name in names])


def cells(name: str, tasks: Sequence[str], runs: Sequence[Run]) -> list[str]:
    scores, single = (
        [[r["test"][task] for r in runs if r["model"] == model and task in r["test"]]
         for task in tasks]
        for model in (name, SINGLE)
    )  # fmt: skip
    compared = [cell(*both, name != SINGLE) for both in zip(scores, single, strict=True)]
    own = [run for run in runs if run["model"] == name]
    models = len(tasks) if name == SINGLE else 1  # one for each task
    size, seconds = (models * np.mean([r[key] for r in own]) for key in ("parameters", "seconds"))
    return [name, *compared, str(len(scores[0])), f"{size / 1e6:.2f}", f"{seconds:.0f}"]


def scenario_table(runs: Sequence[Run]) -> list[str]:
    """A row a structure: the first task's mean test AUC in each of the largest scenarios.

    The single-task model is that of the first task.
    """
    first = next(iter(runs[0]["test"]))
    runs = [run for run in runs if first in run["test"] and run["scenarios"]]
    if not runs:
        return []
    scenarios = list(runs[0]["scenarios"])
    single = [run["scenarios"] for run in runs if run["model"] == SINGLE]
    rows = []
    for name in dict.fromkeys(run["model"] for run in runs):
        own = [run["scenarios"] for run in runs if run["model"] == name]
        pairs = [([r[s] for r in own], [r[s] for r in single]) for s in scenarios]
        rows.append([name, *(cell(*pair, name != SINGLE) for pair in pairs)])
    return markdown([f"{first} in scenario", *scenarios], rows)


def cell(scores: list[float], single: list[float], compared: bool) -> str:
    """``.7301 ± .0004 (+.0012)``; a loss beyond two standard errors of the difference is bold."""
    text = spread(scores)
    if not compared or not single:
        return text
    gain = float(np.mean(scores) - np.mean(single))
    text += f" ({gain:+.4f})"
    if min(len(scores), len(single)) < 2:
        return text
    error = np.sqrt(sum(np.var(each, ddof=1) / len(each) for each in (scores, single)))
    return f"**{text}**" if gain < -2 * error else text


def compare_steps(one: Dataset, several: Dataset) -> None:
    """Median CPU time of a training step of shared_bottom: several tasks against one."""
    both = []
    for data, stages in ((one, ALONE), (several, STRUCTURES["shared_bottom"])):
        made = architecture("structure", stages)
        model = build_model(made, data.schema, seed=0).train()
        batches = list(itertools.islice(data.batches("train", 1024, seed=0), STEPS))
        trainer = make_trainer(model, made, data.schema, data.labels("train"), "cpu")
        both.append((trainer, itertools.cycle(batches)))
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(STEPS):
        for (trainer, batches), found in zip(both, seconds, strict=True):
            batch = next(batches)
            began = time.process_time()
            trainer.step(batch)
            found.append(time.process_time() - began)
    first, second = (1000 * median(found) for found in seconds)
    n = len(several.schema.tasks)
    print(f"one task {first:.2f} ms, {n} tasks {second:.2f} ms a step: {second / first:.2f} times")


if __name__ == "__main__":
    main()
