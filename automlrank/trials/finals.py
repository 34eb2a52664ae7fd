"""Finalists: retrained with seeds that the search never used, scored on the test split.

A finalist's test AUC is the mean over its seeds. Its interval is that of one trained model on
these rows (DeLong, the variance averaged over the seeds); the spread over seeds stands apart.
``versus`` compares two finalists on the same rows: the mean of the seeds' paired differences,
its standard error from DeLong's paired variance and from the spread over seeds.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from automlrank.architecture import Architecture
from automlrank.errors import TrialError
from automlrank.evaluate.metrics import METRICS
from automlrank.evaluate.significance import delong_interval, paired_delong
from automlrank.trials.bench import (
    FAILURES,
    INTERRUPTED,
    TIME_UP,
    Bench,
    TimeIsUp,
    reason_of,
    seed_of,
)
from automlrank.trials.events import Notice
from automlrank.trials.folder import RunFolder
from automlrank.trials.records import Record
from automlrank.trials.results import Results
from automlrank.trials.rivals import Logits, Network, Rival, where_scored

MOST = 5  # finalists, references not counted
SEEDS = 3
FINAL_SEEDS = 3  # the stream of seeds
NOISE = 0.5
"""Share of the validation AUC's standard error that counts as noise between two models on the
same rows: with a correlation of .9 between their scores the difference's error is .45 of it."""


def choose_finalists(results: Results, valid_error: float) -> tuple[Record, ...]:
    """At most 5: the front's best, then trials within noise of the best one; then references."""
    up = METRICS[results.metric].up
    sign = -1.0 if up else 1.0

    def rank(record: Record) -> float:
        return sign * (record.score(results.metric) or 0.0)

    front = sorted(results.front, key=rank)
    chosen = list(front[:MOST])
    if front and results.metric == "auc":  # the error is one of an AUC
        best = rank(front[0])
        near = [
            r
            for r in sorted(results.complete, key=rank)
            if r not in chosen and rank(r) - best <= NOISE * valid_error
        ]
        chosen += near[: MOST - len(chosen)]
    taken = {record.fingerprint for record in chosen}
    return (
        *chosen,
        *(r for r in results.references if r.fingerprint not in taken and r.valid is not None),
    )


def run_finals(
    bench: Bench, folder: RunFolder, finalists: Sequence[Record], outsiders: Sequence[Rival] = ()
) -> tuple[dict[str, dict[str, Any]], str | None]:
    """Train every finalist ``SEEDS`` times, one seed of all before the next.

    ``outsiders`` are what records without an architecture stand for; fixed scores have one run.

    Gives ``valid`` and ``test`` by fingerprint as a record holds them, and why it ended early, or
    None. Where it ends early, or a finalist fails, what was reached stands.
    """
    runs: dict[str, list[tuple[Mapping[str, Any], Logits]]] = {}
    fixed = {rival.fingerprint for rival in outsiders if rival.is_fixed}
    ended = None
    try:
        for n, record in itertools.product(range(SEEDS), finalists):
            if n and record.fingerprint in fixed:
                continue
            try:
                done = _final(bench, folder, record, outsiders, n)
                runs.setdefault(record.fingerprint, []).append(done)
            except FAILURES as error:
                bench.listen(Notice(f"A training of {title(record)} failed: {reason_of(error)}"))
    except TimeIsUp:
        ended = TIME_UP
    except KeyboardInterrupt:
        ended = INTERRUPTED
    scored = [record for record in finalists if record.fingerprint in runs]
    return {record.fingerprint: _summary(bench, record, runs, fixed) for record in scored}, ended


def title(record: Record) -> str:
    """A record's name, or its number."""
    return record.name or f"trial {record.number}"


def _final(
    bench: Bench, folder: RunFolder, record: Record, outsiders: Sequence[Rival], n: int
) -> tuple[Mapping[str, Any], Logits]:
    """One training of a finalist, or what an earlier run left of it."""
    seed = seed_of(bench.goal.seed, FINAL_SEEDS, n)
    kept = folder.final(record.fingerprint, seed)
    if kept is not None:
        return kept
    rival = _rival_of(record, outsiders)
    run = rival.train(bench, seed, f"finalist {title(record)}, seed {n + 1} of {SEEDS}")
    scores = {split: dict(run.scores(split)) for split in ("valid", "test")}
    logits = run.logits("test")
    if n == 0:  # the weights to export come from a seed that the search did not choose by
        run.keep(folder)
    folder.write_final(record.fingerprint, seed, scores, logits)
    return scores, logits


def _rival_of(record: Record, outsiders: Sequence[Rival]) -> Rival:
    """What a record stands for; raises TrialError for a library that was there once."""
    if record.architecture:
        return Network(Architecture.read(record.architecture))
    for rival in outsiders:
        if rival.fingerprint == record.fingerprint:
            return rival
    raise TrialError(f"{title(record)} cannot be trained here any more")


def _summary(
    bench: Bench,
    record: Record,
    runs: Mapping[str, Sequence[tuple[Mapping[str, Any], Logits]]],
    fixed: Collection[str],
) -> dict[str, Any]:
    metric, task = bench.goal.metric, bench.data.schema.tasks[0].name
    mine = runs[record.fingerprint]
    valid = [scores["valid"][task] for scores, _ in mine]
    test = [scores["test"][task] for scores, _ in mine]
    spread = float(np.std(test, ddof=1)) if len(test) > 1 else None
    summary: dict[str, Any] = {
        metric: float(np.mean(test)),
        "seeds": len(test),
        f"{metric}_std": spread,
        "tasks": _task_means(mine, "test", metric),
    }
    labels = bench.data.labels("test")[:, 0]
    if metric == "auc" and bench.data.schema.tasks[0].kind == "binary":
        error = _error(labels, [logits for _, logits in mine])
        summary |= {
            "auc_low": summary["auc"] - 1.96 * error,
            "auc_high": summary["auc"] + 1.96 * error,
        }
        logits = {
            key: [x for _, x in one] * (SEEDS if key in fixed else 1) for key, one in runs.items()
        }
        own = logits[record.fingerprint]
        summary["versus"] = {
            other: _versus(labels, own, theirs)
            for other, theirs in logits.items()
            if other != record.fingerprint and min(len(own), len(theirs)) > 1
        }
    scored = int((~np.isnan(mine[0][1][:, 0])).sum())
    if scored < len(labels):
        summary["rows"] = scored
    return {"valid": {f"{metric}_mean": float(np.mean(valid))}, "test": summary}


def _task_means(
    runs: Iterable[tuple[Mapping[str, Any], Logits]], split: str, metric: str
) -> dict[str, dict[str, float]]:
    scores = [run[split] for run, _ in runs]
    return {task: {metric: float(np.mean([s[task] for s in scores]))} for task in scores[0]}


def _error(labels: npt.NDArray[Any], runs: Sequence[Logits]) -> float:
    """The standard error of one trained model's AUC on these rows."""
    variances = []
    for logits in runs:
        scores = logits[:, 0]
        _, low, high = delong_interval(where_scored(labels, scores), scores)
        variances.append(((high - low) / 2 / 1.96) ** 2)
    return math.sqrt(float(np.mean(variances)))


def _versus(labels: npt.NDArray[Any], a: Sequence[Logits], b: Sequence[Logits]) -> list[float]:
    """The mean difference in AUC and its standard error; one seed would not show its spread."""
    scores = [(x[:, 0], y[:, 0]) for x, y in zip(a, b, strict=False)]
    pairs = [paired_delong(where_scored(labels, x, y), x, y) for x, y in scores]
    differences = [difference for difference, _ in pairs]
    variance = float(np.mean([error**2 for _, error in pairs]))
    variance += float(np.var(differences, ddof=1)) / len(pairs)
    return [float(np.mean(differences)), math.sqrt(variance)]


def with_finals(record: Record, finals: Mapping[str, Mapping[str, Any]]) -> Record:
    """The record with its finalist's scores, where it was one."""
    if record.fingerprint not in finals or record.state == "duplicate":
        return record
    final = finals[record.fingerprint]
    valid = {**(record.valid or {}), **final["valid"]}
    return dataclasses.replace(record, valid=valid, test=final["test"])
