"""Specialists: the recommended architecture trained for a single task, or on one scenario's rows.

Sharing between tasks and scenarios may help one and hurt another. A specialist has the same
architecture, settings and seeds, and sees the labels of one task or the rows of one scenario.
Boosted trees are trained for one task, and count as specialists if they are among the finalists.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from automlrank.architecture import Architecture
from automlrank.blocks.stages import STAGES
from automlrank.candidates.evaluator import Evaluator
from automlrank.candidates.trees import LIGHTGBM_RATES
from automlrank.data.dataset import Dataset
from automlrank.errors import reason_of
from automlrank.finals.finalists import FINAL_SEEDS, SEEDS, title
from automlrank.finals.kept import kept_logits
from automlrank.measurement.metrics import metric_of
from automlrank.measurement.significance import sampling
from automlrank.model.network import build
from automlrank.runs.events import Notice
from automlrank.runs.folder import RunFolder
from automlrank.runs.record import Record
from automlrank.runs.score_data import seed_scores_data
from automlrank.runs.scores import SeedScores, SpecialistScore, difference_of, finite
from automlrank.runs.seeds import seed_of
from automlrank.runs.stop_reasons import FAILURES, TimeIsUp
from automlrank.training.loop import predict

MOST_SCENARIOS = 5  # the largest
LEAST_ROWS = 10_000  # training rows: with fewer a specialist is too weak to compare with
Logits = npt.NDArray[Any]


@dataclass(frozen=True)
class Specialist:
    """A model to compare the recommended architecture with on one part: a ``task`` on ``rows``."""

    kind: str
    name: str
    key: str
    """Name in file names, independent of names in the data."""
    task: int
    rows: npt.NDArray[np.bool_]
    """Rows of the test split."""
    architecture: Architecture
    data: Dataset


def specialists(architecture: Architecture, data: Dataset) -> Iterator[Specialist]:
    """Yield a specialist for each of several tasks, and for each of the largest scenarios."""
    known = (~np.isnan(data.labels("train"))).sum(axis=0)
    everywhere = np.ones(data.rows["test"], bool)
    tasks = data.schema.tasks
    if len(tasks) > 1:
        loss = _default("loss") if architecture.loss.on_all_rows else architecture.loss
        alone = dataclasses.replace(architecture, loss=loss, balance=_default("balance"))
        for i, task in enumerate(tasks):
            if known[i] >= LEAST_ROWS:
                key, part = f"task-{i}", only_task(data, i)
                yield Specialist("tasks", task.name, key, i, everywhere, alone, part)
    ids = data.scenarios("test")
    if ids is None:
        return
    values, counts = np.unique(ids, return_counts=True)
    for value in values[np.argsort(-counts, kind="stable")][:MOST_SCENARIOS].tolist():
        scenario = only_scenario(data, value)
        if scenario is not None:
            (name,) = data.scenario_names([value])
            key, rows = f"scenario-{value}", ids == value
            yield Specialist("scenarios", name, key, 0, rows, architecture, scenario)


def _default(stage: str) -> Any:
    """Return the default block of a stage."""
    return Architecture.value_of(str(STAGES[stage].default))


def only_task(data: Dataset, chosen: int) -> Dataset:
    """Return the data for one task: the others have weight 0, and no task is a product.

    A regression task keeps its parent, which determines the rows that it is trained on.
    """
    tasks = tuple(
        dataclasses.replace(
            task,
            of=task.of if i == chosen and task.kind == "regression" else None,
            weight=float(i == chosen),
        )
        for i, task in enumerate(data.schema.tasks)
    )
    return dataclasses.replace(data, schema=dataclasses.replace(data.schema, tasks=tasks))


def only_scenario(data: Dataset, value: int) -> Dataset | None:
    """Return the data with one scenario's rows for training and validation.

    None where training has too few rows, or one of the two a single class.
    """
    part = data
    for split in ("train", "valid"):
        ids = data.scenarios(split)
        assert ids is not None
        rows = np.flatnonzero(ids == value)
        too_few = split == "train" and len(rows) < LEAST_ROWS
        if too_few or len(np.unique(data.labels(split)[rows, 0])) < 2:
            return None
        part = part.of_rows(split, rows)
    return part


def seesaw(
    evaluator: Evaluator, folder: RunFolder, best: Record
) -> dict[str, dict[str, SpecialistScore]]:
    """Compare the recommended architecture with a specialist for each part, by kind and name.

    The kinds are ``tasks``, ``scenarios``, and ``boosted``: the tasks again, beside boosted trees.
    One seed of all specialists is trained before the next. Once the time is up, the comparisons
    that were reached are returned; a specialist that fails is left out.
    """
    found = list(specialists(Architecture.read(best.architecture), evaluator.data))
    runs: dict[tuple[str, str], list[Logits]] = {(x.kind, x.name): [] for x in found}
    try:
        for n, special in itertools.product(range(SEEDS), found):
            try:
                runs[special.kind, special.name].append(
                    trained(evaluator, folder, best, special, n)
                )
            except FAILURES as error:
                what = f"A training for {special.name} alone failed"
                evaluator.listen(Notice(f"{what}: {reason_of(error)}"))
    except TimeIsUp:
        evaluator.listen(
            Notice("The time was up before all models of one task or scenario were trained.")
        )
    whole = finals_of(evaluator, folder, best.fingerprint)
    parts: dict[str, dict[str, SpecialistScore]] = {"tasks": {}, "boosted": {}, "scenarios": {}}
    for special in found:
        alone = runs[special.kind, special.name]
        if alone and whole:
            known = compared(evaluator, special.task, special.rows, whole, alone)
            parts[special.kind][special.name] = known
    parts["boosted"] = beside_trees(evaluator, folder, whole)
    return {kind: of for kind, of in parts.items() if of}


def beside_trees(
    evaluator: Evaluator, folder: RunFolder, whole: Sequence[Logits]
) -> dict[str, SpecialistScore]:
    """Return the comparison of the best with trees that read target rates, by task."""
    tasks, everywhere = evaluator.data.schema.tasks, np.ones(evaluator.data.rows["test"], bool)
    trees = finals_of(evaluator, folder, LIGHTGBM_RATES.fingerprint)
    if len(tasks) == 1 or not whole or not trees:
        return {}
    return {
        task.name: compared(evaluator, i, everywhere, whole, trees) for i, task in enumerate(tasks)
    }


def finals_of(evaluator: Evaluator, folder: RunFolder, fingerprint: str) -> list[Logits]:
    """Return the test logits of all trainings of a finalist."""
    seeds = [seed_of(evaluator.config.seed, FINAL_SEEDS, n) for n in range(SEEDS)]
    kept = (kept_logits(evaluator, folder, fingerprint, seed) for seed in seeds)
    return [logits for logits in kept if logits is not None]


def trained(
    evaluator: Evaluator, folder: RunFolder, best: Record, special: Specialist, n: int
) -> Logits:
    """Return the test logits of a specialist's n-th training, from an earlier run if it is kept."""
    seed = seed_of(evaluator.config.seed, FINAL_SEEDS, n)
    key = f"{best.fingerprint}-{special.key}"
    if (kept := kept_logits(evaluator, folder, key, seed)) is not None:
        return kept
    task = special.data.schema.tasks[special.task]
    metric = f"{metric_of(evaluator.metric, task.kind).name}:{task.name}=1"
    config = dataclasses.replace(evaluator.config, metric=metric)
    own = Evaluator(special.data, config, evaluator.listen)
    own.deadline = evaluator.deadline
    what = f"{title(best)} for {special.name} alone, seed {n + 1} of {SEEDS}"
    model = build(own.wire(special.architecture), seed)
    made = own.train(model, special.architecture, seed, what)
    logits = predict(made.model, evaluator.data, "test", config.device)
    scores = seed_scores_data(SeedScores(made.scores))
    folder.write_final(key, seed, scores, {"test": logits})
    return logits


def compared(
    evaluator: Evaluator,
    task: int,
    rows: npt.NDArray[np.bool_],
    whole: Sequence[Logits],
    alone: Sequence[Logits],
) -> SpecialistScore:
    """Return the means of both over their seeds, and their difference on the same rows."""
    groups = evaluator.data.groups("test")
    columns = np.stack([x[rows, task] for x in (*whole, *alone)], axis=1)
    labels = evaluator.data.labels("test")[rows, task]
    metric = metric_of(evaluator.metric, evaluator.data.schema.tasks[task].kind)
    found = sampling(metric, labels, columns, None if groups is None else groups[rows])
    first, second = range(len(whole)), range(len(whole), len(whole) + len(alone))
    return SpecialistScore(
        metric=metric,
        whole=finite(float(found.values[: len(whole)].mean())),
        alone=finite(float(found.values[len(whole) :].mean())),
        difference=difference_of(found.difference(first, second)),
        seeds=len(alone),
    )
