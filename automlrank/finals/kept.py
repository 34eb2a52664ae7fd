"""Trainings of finalists that an earlier session of a search has kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from automlrank.candidates.evaluator import Evaluator
from automlrank.errors import RunError
from automlrank.finals.joint_scores import FinalRun
from automlrank.finals.row_sampling import Logits
from automlrank.runs.events import Notice
from automlrank.runs.field_types import check_fields
from automlrank.runs.folder import Final, RunFolder
from automlrank.runs.record import Record
from automlrank.runs.score_data import read_seed_scores
from automlrank.runs.scores import SeedScores


def kept_logits(evaluator: Evaluator, folder: RunFolder, key: str, seed: int) -> Logits | None:
    """Return the test logits of a kept training; None without one, or if it is damaged."""
    try:
        found = _found(evaluator, folder, key, seed, ["test"])
    except RunError as error:
        _tell(evaluator, error)
        return None
    return found and found[1]["test"]


def kept_final(
    evaluator: Evaluator, folder: RunFolder, record: Record, seed: int, *, exported: bool
) -> FinalRun | None:
    """Return a kept training of a finalist, whose weights are there if they are ``exported``."""
    key = record.fingerprint
    try:
        found = _found(evaluator, folder, key, seed, ["valid", "test"])
        if found is None:
            return None
        scores = _scores(evaluator, folder, key, found[0])
        if exported and record.architecture:
            folder.weights(key)
    except RunError as error:
        _tell(evaluator, error)
        return None
    return FinalRun(scores, found[1])


def _found(
    evaluator: Evaluator, folder: RunFolder, key: str, seed: int, splits: Sequence[str]
) -> Final | None:
    found = folder.final(key, seed, splits)
    data = evaluator.data
    for split, logits in found[1].items() if found else ():
        shapes = [(data.rows[split], columns) for columns in (1, len(data.schema.tasks))]
        if logits.shape not in shapes or logits.dtype.kind != "f":
            raise RunError(f"the logits in {folder.trial(key)} are not those of this data.")
    return found


def _scores(
    evaluator: Evaluator, folder: RunFolder, key: str, data: Mapping[str, Any]
) -> SeedScores:
    """Return the scores of a kept training; raises RunError if they are not of the metric."""
    try:
        scores = read_seed_scores(data)
        check_fields(scores)
        for each in (scores.valid, scores.test):
            evaluator.metric.overall(each)
    except (KeyError, StopIteration, TypeError):
        raise RunError(f"the scores in {folder.trial(key)} are damaged.") from None
    return scores


def _tell(evaluator: Evaluator, error: RunError) -> None:
    evaluator.listen(Notice(f"{error.faults[0].problem} What it holds is computed again."))
