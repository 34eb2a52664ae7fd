"""Run one search: references and trials, then finalists, then the report."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import time as clock
from collections.abc import Sequence
from dataclasses import dataclass

from automlrank.architecture import Architecture
from automlrank.candidates.baseline import Baseline
from automlrank.candidates.evaluator import Evaluator
from automlrank.data.dataset import Dataset
from automlrank.errors import reason_of
from automlrank.finals.finalists import (
    choose_finalists,
    leaders_of,
    measure_in_turn,
    measuring_seconds,
    models_of,
    run_finals,
    with_all_finals,
    with_latency,
)
from automlrank.finals.specialists import seesaw
from automlrank.jobs.result import Result
from automlrank.measurement.latency import Latency
from automlrank.measurement.metrics import AUC, RMSE
from automlrank.measurement.significance import auc_error, relative_error
from automlrank.report.files import write_report
from automlrank.runs.events import Notice
from automlrank.runs.folder import RunFolder
from automlrank.runs.record import Record
from automlrank.runs.results import Results
from automlrank.runs.run_info import RunInfo
from automlrank.runs.stop_reasons import FAILURES, INTERRUPTED
from automlrank.space.space import Space
from automlrank.study.study import Study, open_study
from automlrank.study.study_records import processor_seconds, results_of
from automlrank.workers.coordinator import Coordinator

FINALS_SHARE = 1 / 3  # of --time
REPORT_SECONDS = 3.0  # to open the finalists' models, and to write the report


@dataclass(frozen=True)
class SearchRun:
    """One search from the study to the report."""

    evaluator: Evaluator
    """Evaluates trials; its data may be a sample."""
    data: Dataset
    """All of the data."""
    space: Space
    folder: RunFolder
    references: Sequence[Architecture]
    baselines: Sequence[Baseline]
    facts: RunInfo
    began: float
    workers: int

    def begun(self) -> Study:
        """Write the run's files; return its study, created or continued."""
        if self.folder.exists:
            study = open_study(self.folder, self.evaluator.config, self.identity())
            self.folder.create(self.data, self.space, self.facts.to_data())
            return study
        with self.folder.beginning():
            self.folder.create(self.data, self.space, self.facts.to_data())
            return open_study(self.folder, self.evaluator.config, self.identity())

    def to_the_end(self) -> Result:
        """Run trials, then finalists; write the report."""
        study = self.begun()
        self.evaluator.deadline = self.deadline(1 - FINALS_SHARE)
        sides = self.references, self.baselines
        stopped = Coordinator(
            study, self.evaluator, self.space, self.folder, *sides, self.workers
        ).run()
        results = results_of(study, self.evaluator)
        if stopped != INTERRUPTED:
            results, cut = self.finals(results)
            stopped = stopped or cut
        if not any(record.state == "complete" for record in results.records):
            self.notice("no trial was completed: the report holds no front.")
        return self.reported(results, stopped, processor_seconds(study))

    def deadline(self, share: float) -> float | None:
        """Return the end of a share of the search's time; None if it has no limit."""
        seconds = self.evaluator.config.time
        return self.began + seconds * share if seconds else None

    def finals_deadline(self, measuring: float) -> float | None:
        """Return the end of finalists' trainings: measurements and the report take time, too."""
        seconds = self.evaluator.config.time
        if not seconds:
            return None
        after = min(measuring + REPORT_SECONDS, seconds * FINALS_SHARE / 2)
        return self.began + seconds - after

    def finals(self, results: Results) -> tuple[Results, str | None]:
        """Return the results with the finalists' test scores, and the reason of an early stop."""
        config = dataclasses.replace(self.evaluator.config, trial_time=None)  # all rows take longer
        evaluator = Evaluator(self.data, config, self.evaluator.listen, splits=("valid", "test"))
        finalists = self.finalists(results)
        evaluator.deadline = self.finals_deadline(measuring_seconds(finalists))
        leaders = leaders_of(results, config.latency_ms)
        finals, stopped = run_finals(evaluator, self.folder, finalists, leaders, self.baselines)
        tested = with_all_finals(results, finals)
        if stopped != INTERRUPTED:
            tested = self.measured_again(evaluator, tested, finalists)
        if stopped is not None:
            return tested, stopped
        evaluator.deadline = self.finals_deadline(0.0)
        try:
            return self.with_specialists(evaluator, tested), None
        except KeyboardInterrupt:
            return tested, INTERRUPTED

    def finalists(self, results: Results) -> tuple[Record, ...]:
        """Choose the finalists, and report their number."""
        end = self.finals_deadline(0.0)
        left = math.inf if end is None else end - clock.monotonic()
        finalists = choose_finalists(results, self.valid_error(results), left)
        if finalists:
            self.notice(
                f"Finalists, trained again with unseen seeds and scored on the test split: "
                f"{len(finalists)}."
            )
        return finalists

    def with_specialists(self, evaluator: Evaluator, results: Results) -> Results:
        """Add to the recommended one's scores those of models of one task or scenario alone."""
        best = results.recommended(evaluator.config.latency_ms, self.facts.prefer)
        if best is None or best.test is None:
            return results
        known = best.fingerprint
        compared = dataclasses.replace(best.test, seesaw=seesaw(evaluator, self.folder, best))
        return results.changed(
            lambda r: dataclasses.replace(r, test=compared) if r.fingerprint == known else r
        )

    def measured_again(
        self, evaluator: Evaluator, results: Results, finalists: Sequence[Record]
    ) -> Results:
        """Return the results with the finalists' latencies measured again in turn."""
        latencies = self.latencies(evaluator, finalists)
        return results.changed(lambda record: with_latency(record, latencies))

    def latencies(self, evaluator: Evaluator, finalists: Sequence[Record]) -> dict[str, Latency]:
        """Measure the finalists' latencies in turn; none if that is not possible."""
        try:
            models = models_of(evaluator, self.folder, finalists, self.baselines)
            return measure_in_turn(evaluator, models)
        except (KeyboardInterrupt, *FAILURES) as error:
            self.notice(f"The finalists' latencies were not measured again: {reason_of(error)}")
            return {}

    def valid_error(self, results: Results) -> float:
        """Return the standard error of the best validation AUC, or of the best RMSE."""
        labels = self.evaluator.data.labels("valid")[:, 0]
        if results.metric == RMSE:
            errors = [record.valid_score or 0.0 for record in results.complete]
            return min(errors, default=0.0) * relative_error(labels)
        own = results.complete if results.metric == AUC else ()
        best = max((record.valid_score or 0.5 for record in own), default=0.5)
        return auc_error(best, int((labels == 1).sum()), int((labels == 0).sum()))

    def reported(
        self, results: Results, stopped: str | None, processor: tuple[float, float] | None
    ) -> Result:
        """Drop the weights of trials that cannot be exported; write the run's facts and report."""
        kept = (*results.front, *results.finalists, *results.references)
        self.folder.drop_weights({record.fingerprint for record in kept})
        seconds = round(clock.monotonic() - self.began, 1) + self.facts.seconds
        facts = dataclasses.replace(self.facts, seconds=seconds, ended=stopped, processor=processor)
        self.folder.write_run(facts.to_data())
        write_report(results, facts, self.folder.path)
        return Result(self.folder.path, results, facts)

    def identity(self) -> dict[str, str]:
        """Return the inputs that all trials of one study have in common."""
        text = json.dumps(self.space.to_data(), sort_keys=True)
        config = self.evaluator.config
        return {
            "space": hashlib.sha256(text.encode()).hexdigest(),
            "data": self.evaluator.data.fingerprint,
            "metric": config.metric,
            "seed": str(config.seed),
            "number of candidates": str(config.candidates),
            "runtime": config.runtime,
            "number of objectives": str(config.objectives),
            "number of sampled rows": str(self.facts.sample_rows),
        }

    def notice(self, text: str) -> None:
        self.evaluator.listen(Notice(text))
