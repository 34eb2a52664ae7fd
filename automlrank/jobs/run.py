"""One search at work: references and trials, finalists, report."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time as clock
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import optuna

from automlrank.architecture import Architecture
from automlrank.candidates.baselines import Baseline, NetworkBaseline
from automlrank.candidates.evaluator import Evaluator
from automlrank.data.dataset import Dataset
from automlrank.errors import UsageError, reason_of
from automlrank.finals.finalists import (
    choose_finalists,
    leaders_of,
    measure_in_turn,
    models_of,
    run_finals,
    with_all_finals,
    with_latency,
)
from automlrank.finals.specialists import seesaw
from automlrank.jobs.result import Result
from automlrank.measurement.latency import ROUNDS, TRIES, Latency
from automlrank.measurement.metrics import RMSE
from automlrank.measurement.significance import auc_error, relative_error
from automlrank.report.files import write_report
from automlrank.runs.events import Event, Notice, TrialEnded
from automlrank.runs.folder import RunFolder
from automlrank.runs.record import Record
from automlrank.runs.results import Results
from automlrank.runs.run_info import RunInfo
from automlrank.runs.stop_reasons import FAILURES, INTERRUPTED, TIME_UP, TimeIsUp
from automlrank.serving.runtimes import torch_threads
from automlrank.space.space import Space
from automlrank.study.first_draws import enqueue_start
from automlrank.study.objective import Objective
from automlrank.study.study import (
    enqueue_references,
    open_study,
    retry_cut_off,
    retry_dead,
    run_reference,
    wait_for_joined,
)
from automlrank.study.study_records import reference_records, trial_records
from automlrank.study.worker_loop import begin_session, processor_seconds, run_trials, trainings
from automlrank.workers.launcher import LocalLauncher
from automlrank.workers.worker_pool import WorkerPool

FINALS_SHARE = 1 / 3  # of --time
TEACHING_SHARE = 1 / 2  # of the trials' time, that trees may take before the first
NO_TEACHER = "a space with distillation at 0: automlrank space show NAME writes a shipped one."
COORDINATOR = "coordinator"  # its name among the workers, where it is the only one


@dataclass
class SearchRun:
    """One search from the study to the report."""

    bench: Evaluator
    data: Dataset
    """All of it; the bench may hold a sample."""
    space: Space
    folder: RunFolder
    references: Sequence[Architecture]
    outsiders: Sequence[Baseline]
    facts: RunInfo
    began: float
    workers: int

    def to_the_end(self) -> Result:
        study = open_study(self.folder, self.bench.goal, self.identity())
        ended = self.trials(study)
        results = self.results(study)
        if ended != INTERRUPTED:
            results, cut = self.finals(results)
            ended = ended or cut
        if not any(record.state == "complete" for record in results.records):
            self.notice("no trial was completed: the report holds no front.")
        kept = {
            record.fingerprint
            for record in (*results.front, *results.finalists, *results.references)
        }
        self.folder.drop_weights(kept)
        seconds = round(clock.monotonic() - self.began, 1) + self.facts.seconds
        processor = processor_seconds(study)
        facts = dataclasses.replace(self.facts, seconds=seconds, ended=ended, processor=processor)
        self.folder.write_run(facts.to_data())
        write_report(results, facts, self.folder.path)
        return Result(self.folder.path, results, facts)

    def trials(self, study: optuna.Study) -> str | None:
        """References, then trials; gives why they ended before their number."""
        bench = self.bench
        if bench.goal.seconds:
            bench.deadline = self.began + bench.goal.seconds * (1 - FINALS_SHARE)
        begin_session(study, bench)
        self.folder.write_goal(bench.goal)
        again = retry_cut_off(study, self.folder.presence)
        if again:
            self.notice(f"Trials that were cut off and begin again: {again}.")
        outside = enqueue_references(study, self.space, self.references)
        enqueue_start(
            study, self.space, bench.goal, lambda drawn: bench.cost(bench.wire(drawn)).matmul_flops
        )
        try:
            self.teach()
            rivals = (*map(NetworkBaseline, outside), *self.outsiders)
            if self.workers > 1 or bench.goal.trial_seconds:  # a process that hangs can be killed
                return self.with_joined(study, partial(self.by_workers, study, rivals))
            self.run_references(study, rivals, bench)
            bench.computed = 0.0  # references are not a worker's
            since = clock.process_time()
            return self.with_joined(study, partial(self.by_myself, study, since))
        except TimeIsUp:
            return TIME_UP
        except KeyboardInterrupt:
            return INTERRUPTED

    def teach(self) -> None:
        """Trees first, where trials learn from them: no trial pays for it.

        Raises UsageError where they take half of the trials' time, or cannot be trained.
        """
        if not self.space.distils:
            return
        deadline, now = self.bench.deadline, clock.monotonic()
        if deadline is not None:
            self.bench.deadline = now + TEACHING_SHARE * (deadline - now)
        try:
            self.bench.said_by_trees()
        except TimeIsUp:
            problem = "the trees that teach took half of the trials' time."
            raise UsageError(problem, f"Give more --time, or {NO_TEACHER}") from None
        except FAILURES as error:
            raise UsageError(f"{reason_of(error)}.", f"Take {NO_TEACHER}") from error
        finally:
            self.bench.deadline = deadline

    def with_joined(self, study: optuna.Study, work: Callable[[], str | None]) -> str | None:
        """Trials until those of workers that joined have ended too, or died and were made up."""
        while True:
            ended = work()
            wait_for_joined(study, self.folder.presence, self.bench)
            if ended or not retry_dead(study, self.folder.presence):
                return ended

    def by_myself(self, study: optuna.Study, since: float) -> str | None:
        """Trials by this process, beside workers that may have joined."""
        presence = self.folder.presence
        with presence.of(COORDINATOR):
            objective = Objective(self.space, self.bench, self.folder, study, COORDINATOR)
            return run_trials(study, objective, since, partial(retry_dead, study, presence))

    def by_workers(self, study: optuna.Study, rivals: Sequence[Baseline]) -> str | None:
        """Trials by processes of their own, meanwhile here what they are compared with."""
        launcher = LocalLauncher(self.folder.path, self.workers, self.bench.goal.device)
        crew = WorkerPool(study, self.bench, launcher, self.folder.presence)
        listen = self.bench.listen

        def look_after_them(event: Event) -> None:
            listen(event)
            crew.poll()

        crew.start()
        try:
            with torch_threads(launcher.threads):
                bench = Evaluator(self.bench.data, self.bench.goal, look_after_them)
                bench.deadline = self.bench.deadline
                self.run_references(study, rivals, bench)
            return crew.to_the_end()
        except BaseException:
            crew.stop()
            raise

    def run_references(
        self, study: optuna.Study, rivals: Sequence[Baseline], bench: Evaluator
    ) -> None:
        """The references outside the space, each of which keeps its number in a resumed run."""
        names = [*(architecture.name for architecture in self.references)]
        names += [rival.name for rival in self.outsiders]
        for rival in rivals:
            record = run_reference(study, bench, self.folder, rival, names.index(rival.name))
            records = (*reference_records(study), *trial_records(study))
            bench.listen(TrialEnded(record, records, trainings(study, ended=True)))

    def results(self, study: optuna.Study) -> Results:
        goal = self.bench.goal
        latency = {
            "candidates": goal.candidates,
            "threads": goal.threads,
            "runtime": goal.runtime,
            "device": goal.device,
            "tries": TRIES,
            "rounds": ROUNDS,
        }
        return Results(self.bench.metric, latency, trial_records(study), reference_records(study))

    def finals(self, results: Results) -> tuple[Results, str | None]:
        """The results with their finalists' scores on the test split; why it ended early."""
        goal = dataclasses.replace(self.bench.goal, trial_seconds=None)  # more rows than a trial's
        bench = Evaluator(self.data, goal, self.bench.listen, splits=("valid", "test"))
        if bench.goal.seconds:
            bench.deadline = self.began + bench.goal.seconds
        finalists = choose_finalists(results, self.valid_error(results))
        if finalists:
            self.notice(
                f"Finalists, trained again with unseen seeds and scored on the test split: "
                f"{len(finalists)}."
            )
        leaders = leaders_of(results, bench.goal.latency_ms)
        finals, ended = run_finals(bench, self.folder, finalists, leaders, self.outsiders)
        tested = with_all_finals(results, finals)
        best = next(iter(tested.within(bench.goal.latency_ms)), None)
        if ended is None and best is not None and best.fingerprint in finals:
            finals[best.fingerprint]["test"]["seesaw"] = seesaw(bench, self.folder, best)
        latencies = {} if ended == INTERRUPTED else self.latencies(bench, finalists)
        tested = with_all_finals(results, finals)
        records, references = (
            tuple(with_latency(record, latencies) for record in group)
            for group in (tested.records, tested.references)
        )
        return dataclasses.replace(tested, records=records, references=references), ended

    def latencies(self, bench: Evaluator, finalists: Sequence[Record]) -> dict[str, Latency]:
        """Those of the finalists, measured again in turn; none where that was not possible."""
        try:
            return measure_in_turn(bench, models_of(bench, self.folder, finalists, self.outsiders))
        except (KeyboardInterrupt, *FAILURES) as error:
            self.notice(f"The finalists' latencies were not measured again: {reason_of(error)}")
            return {}

    def valid_error(self, results: Results) -> float:
        """The standard error of the best validation AUC, or of the best RMSE."""
        labels = self.bench.data.labels("valid")[:, 0]
        if results.metric == RMSE:
            errors = [record.score("rmse") or 0.0 for record in results.complete]
            return min(errors, default=0.0) * relative_error(labels)
        scores = [record.score("auc") or 0.5 for record in results.complete]
        best = max(scores, default=0.5)
        return auc_error(best, int((labels == 1).sum()), int((labels == 0).sum()))

    def identity(self) -> dict[str, str]:
        """What trials of one study have in common."""
        text = json.dumps(self.space.to_data(), sort_keys=True)
        return {
            "space": hashlib.sha256(text.encode()).hexdigest(),
            "data": self.bench.data.fingerprint,
            "metric": self.bench.goal.metric,
            "seed": str(self.bench.goal.seed),
            "number of candidates": str(self.bench.goal.candidates),
            "runtime": self.bench.goal.runtime,
            "number of objectives": str(self.bench.goal.objectives),
            "number of sampled rows": str(self.facts.sample_rows),
        }

    def notice(self, text: str) -> None:
        self.bench.listen(Notice(text))
