"""Choose the finalists, retrain them with fresh seeds, and score them on the test split."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from torch import nn

from automlrank.architecture import Architecture
from automlrank.candidates.baseline import Baseline, BaselineRun
from automlrank.candidates.evaluator import REQUESTS, Evaluator
from automlrank.candidates.networks import NetworkBaseline
from automlrank.errors import TrialError, reason_of
from automlrank.finals.joint_scores import FinalRun
from automlrank.finals.kept import kept_final
from automlrank.finals.row_sampling import task_of
from automlrank.finals.scores import FinalistScores, final_scores
from automlrank.measurement.calibration import intercept
from automlrank.measurement.latency import Latency, remeasure, seconds_of_rounds
from automlrank.measurement.metrics import USUAL
from automlrank.runs.events import Notice
from automlrank.runs.folder import RunFolder
from automlrank.runs.record import Record
from automlrank.runs.results import Results
from automlrank.runs.score_data import seed_scores_data
from automlrank.runs.scores import SeedScores, SplitScores
from automlrank.runs.seeds import seed_of
from automlrank.runs.stop_reasons import FAILURES, INTERRUPTED, TIME_UP, TimeIsUp

MOST, LEAST = 5, 2  # finalists, references not counted
SEEDS = 3
SEEDS_IN_TIME = 2  # of all finalists: with less time there are fewer of them
FINAL_SEEDS = 3  # the stream of seeds
ORDER_SEEDS = 5  # the stream of seeds for the order of a measurement
NOISE = 0.5
"""Share of the validation score's standard error that counts as noise between two models.

On the same rows, with a correlation of .9 between their scores, the error of the difference is .45
of it.
"""


def choose_finalists(
    results: Results, valid_error: float, seconds: float = math.inf
) -> tuple[Record, ...]:
    """Return at most 5 trials, the front's best and those within noise of it, and references.

    There are two trials at least, and more only if two trainings of all take no more than so many
    seconds, as their first ones did.
    """
    sign = -1.0 if results.metric.up else 1.0

    def rank(record: Record) -> float:
        return sign * (record.valid_score or 0.0)

    front = sorted(results.front, key=rank)
    chosen = list(front[:MOST])
    if front and results.metric in USUAL.values():  # the error is that of an AUC, or an RMSE
        best = rank(front[0])
        near = [
            r
            for r in sorted(results.complete, key=rank)
            if r not in chosen and rank(r) - best <= NOISE * valid_error
        ]
        chosen += near[: MOST - len(chosen)]
    known = [record for record in results.references if record.valid is not None]
    while len(chosen) > LEAST and _seconds((*chosen, *known)) > seconds:
        chosen.pop()
    taken = {record.fingerprint for record in chosen}
    return *chosen, *(record for record in known if record.fingerprint not in taken)


def _seconds(finalists: Sequence[Record]) -> float:
    """Return about how many seconds the seeds of all finalists take that are due in time."""
    each = {record.fingerprint: record.seconds or 0.0 for record in finalists}
    return SEEDS_IN_TIME * sum(each.values())


def run_finals(
    evaluator: Evaluator,
    folder: RunFolder,
    finalists: Sequence[Record],
    leaders: set[str],
    baselines: Sequence[Baseline] = (),
) -> tuple[dict[str, FinalistScores], str | None]:
    """Train every finalist ``SEEDS`` times: one seed of all, then the leaders', then the others'.

    ``leaders`` are the fingerprints of ``leaders_of``: if the time is up early, the difference that
    the report begins with has a spread over seeds. ``baselines`` are the references that are no
    architectures; fixed scores have one run.

    Returns the scores by fingerprint, and the reason of an early stop or None. After an early stop
    or a failure the scores that were reached are returned.
    """
    runs: dict[str, list[FinalRun]] = {}
    fixed = {baseline.fingerprint for baseline in baselines if baseline.is_fixed}
    ended = None
    try:
        for n, record in in_order(finalists, leaders):
            if n and record.fingerprint in fixed:
                continue
            try:
                done = _final(evaluator, folder, record, baselines, n)
                runs.setdefault(record.fingerprint, []).append(done)
            except FAILURES as error:
                evaluator.listen(
                    Notice(f"A training of {title(record)} failed: {reason_of(error)}")
                )
    except TimeIsUp:
        ended = TIME_UP
    except KeyboardInterrupt:
        ended = INTERRUPTED
    return final_scores(evaluator.data, evaluator.metric, runs, fixed), ended


def leaders_of(results: Results, limit: float | None) -> set[str]:
    """Fingerprints of the two models that a report compares first, chosen by validation.

    They are the best architecture within a latency and the best reference, without the incumbent,
    within the latency, or at any if none fits.
    """
    others = tuple(r for r in results.references if r is not results.incumbent)
    reference = dataclasses.replace(results, references=others).best_reference(limit, "valid")
    leaders = (*results.within(limit)[:1], *([reference] if reference else []))
    return {record.fingerprint for record in leaders}


def in_order(finalists: Sequence[Record], leaders: set[str]) -> list[tuple[int, Record]]:
    """Return one training of all, leaders first, then other seeds, those of the leaders first."""

    def place(pair: tuple[int, Record]) -> tuple[bool, bool, int]:
        n, record = pair
        return n > 0, record.fingerprint not in leaders, n

    return sorted(itertools.product(range(SEEDS), finalists), key=place)


def title(record: Record) -> str:
    """Return a record's name, or its number."""
    return record.name or f"trial {record.number}"


def _final(
    evaluator: Evaluator, folder: RunFolder, record: Record, baselines: Sequence[Baseline], n: int
) -> FinalRun:
    """Return one training of a finalist, from an earlier run if it is kept."""
    seed = seed_of(evaluator.config.seed, FINAL_SEEDS, n)
    kept = kept_final(evaluator, folder, record, seed, exported=n == 0)
    if kept is not None:
        return kept
    baseline = _baseline_of(record, baselines)
    run = baseline.train(evaluator, seed, f"finalist {title(record)}, seed {n + 1} of {SEEDS}")
    scores = SeedScores(run.scores("valid"), run.scores("test"), _shift(evaluator, baseline, run))
    logits = {split: run.logits(split) for split in ("valid", "test")}
    if n == 0:  # the weights to export come from a seed that the search did not choose by
        run.keep(folder)
    folder.write_final(record.fingerprint, seed, seed_scores_data(scores), logits)
    return FinalRun(scores, logits)


def _shift(evaluator: Evaluator, baseline: Baseline, run: BaselineRun) -> float | None:
    """Return the intercept that validation adds to the logits; None unless the loss bends them."""
    task = task_of(evaluator.metric, evaluator.data.schema)
    is_binary = evaluator.data.schema.tasks[task].kind == "binary"
    if not (isinstance(baseline, NetworkBaseline) and baseline.of.loss.bends and is_binary):
        return None
    return intercept(evaluator.data.labels("valid")[:, task], run.logits("valid")[:, task])


def _baseline_of(record: Record, baselines: Sequence[Baseline]) -> Baseline:
    """Return the reference of a record; raises TrialError if its library is not installed now."""
    if record.architecture:
        return NetworkBaseline(Architecture.read(record.architecture))
    for baseline in baselines:
        if baseline.fingerprint == record.fingerprint:
            return baseline
    raise TrialError(f"{title(record)} cannot be trained: its library is not installed here")


def with_finals(record: Record, finals: Mapping[str, FinalistScores]) -> Record:
    """Return the record with its finalist's scores, if it was a finalist."""
    if record.fingerprint not in finals or record.state == "duplicate":
        return record
    final = finals[record.fingerprint]
    own = record.valid or SplitScores(final.test.metric, None)
    valid = dataclasses.replace(final.valid, value=own.value, tasks=own.tasks)
    return dataclasses.replace(record, valid=valid, test=final.test)


def with_all_finals(results: Results, finals: Mapping[str, FinalistScores]) -> Results:
    """Return the results with every finalist's scores."""
    return results.changed(lambda record: with_finals(record, finals))


def models_of(
    evaluator: Evaluator,
    folder: RunFolder,
    finalists: Sequence[Record],
    baselines: Sequence[Baseline],
) -> dict[str, nn.Module]:
    """Return a model that answers requests for each finalist that has one."""
    found: dict[str, nn.Module] = {}
    for record in finalists:
        try:
            model = _baseline_of(record, baselines).served(evaluator, folder)
        except FAILURES as error:
            text = f"The latency of {title(record)} is not measured again: {reason_of(error)}"
            evaluator.listen(Notice(text))
            continue
        if model is not None:
            found[record.fingerprint] = model
    return found


def measure_in_turn(evaluator: Evaluator, models: Mapping[str, nn.Module]) -> dict[str, Latency]:
    """Return the latencies of several models, measured interleaved in random order.

    Each is measured with the user's side once and repeated. All are in memory at once.
    """
    with ExitStack() as stack:
        calls = {}
        for key, model in models.items():
            for repeat_user in (False, True):
                serving = evaluator.served(model, repeat_user=repeat_user)
                calls[key, repeat_user] = stack.enter_context(serving)
        brief = [(key, True) for key in models]
        found = remeasure(calls, seed_of(evaluator.config.seed, ORDER_SEEDS), brief=brief)
    return {
        key: dataclasses.replace(found[key, False], p50_repeated=found[key, True].p50)
        for key in models
    }


def measuring_seconds(finalists: Sequence[Record]) -> float:
    """Return about how many seconds ``measure_in_turn`` takes, by the latencies known so far."""
    known = [record.p50 for record in finalists if record.p50 is not None]
    return sum(
        seconds_of_rounds(p50, REQUESTS) + seconds_of_rounds(p50, REQUESTS, brief=True)
        for p50 in known
    )


def with_latency(record: Record, latencies: Mapping[str, Latency]) -> Record:
    """Return the record with its second latency, if it was measured again."""
    if record.fingerprint not in latencies or record.p50 is None:
        return record
    again = dataclasses.replace(latencies[record.fingerprint], p50_first=record.p50)
    return dataclasses.replace(record, latency_ms=again)
