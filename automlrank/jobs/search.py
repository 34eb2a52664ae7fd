"""The main job: a table in, a front of architectures and its report out."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import time as clock
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import optuna

from automlrank.architecture import Architecture
from automlrank.data.dataset import AsSchema, Dataset
from automlrank.data.read import Data
from automlrank.errors import RunError, UsageError
from automlrank.evaluate.latency import ROUNDS, TRIES, Latency
from automlrank.evaluate.significance import auc_error
from automlrank.jobs.feasibility import check_budget
from automlrank.jobs.machine import device_of, machine, versions
from automlrank.jobs.result import Result
from automlrank.jobs.spaces import AsSpace, references_for, space_for
from automlrank.jobs.suspicions import suspicions
from automlrank.report.files import write_report
from automlrank.serving.runtimes import torch_threads
from automlrank.space.value import Space
from automlrank.space.write import space_data
from automlrank.trials.bench import (
    FAILURES,
    INTERRUPTED,
    TIME_UP,
    Bench,
    Goal,
    TimeIsUp,
    reason_of,
)
from automlrank.trials.crew import Crew
from automlrank.trials.events import DataReady, Event, Listen, Notice, TrialEnded, ignore
from automlrank.trials.facts import RunFacts
from automlrank.trials.finals import (
    choose_finalists,
    measure_in_turn,
    run_finals,
    with_finals,
    with_latency,
)
from automlrank.trials.folder import RunFolder, check_new, new_folder, write_text
from automlrank.trials.hypervolume import PATIENCE
from automlrank.trials.launcher import LocalLauncher
from automlrank.trials.objective import Objective
from automlrank.trials.records import Record
from automlrank.trials.records_of import reference_records, trial_records
from automlrank.trials.results import Results
from automlrank.trials.rivals import Network, Rival, outsiders
from automlrank.trials.study import (
    enqueue_references,
    open_study,
    retry_cut_off,
    run_reference,
)
from automlrank.trials.work import begin_session, run_trials, trainings

FINALS_SHARE = 1 / 3  # of --time
COORDINATOR = "coordinator"  # its name among the workers, where it is the only one


def search(
    data: Data,
    schema: AsSchema = None,
    space: AsSpace | None = None,
    *,
    label: str | None = None,
    joins: Sequence[str] = (),
    incumbent: str | None = None,
    trials: int = 50,
    time: float | None = None,
    latency_ms: float | None = None,
    candidates: int = 200,
    metric: str = "auc",
    sample_rows: int | None = None,
    runtime: str = "torch",
    device: str = "auto",
    workers: int = 1,
    sampler: str = "tpe",
    pruner: str = "halving",
    objectives: int = 2,
    trial_time: float | None = None,
    patience: int = PATIENCE,
    seed: int = 0,
    out: str | Path | None = None,
    resume: bool = False,
    command: str | None = None,
    listen: Listen = ignore,
) -> Result:
    """Search architectures for a table; writes a run's folder and gives its Result.

    ``space`` is a file, a shipped name, or a Space; ``time`` is in seconds and covers
    everything, a third of it kept for the finalists; with ``sample_rows`` trials see a part of the
    training rows (``Dataset.sample``), finalists all. ``incumbent`` is the column of the present
    model's score: a reference on the same rows, no feature. Raises UsageError for what a person
    can mend.

    >>> import automlrank, numpy as np, pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> frame = pd.DataFrame(rng.integers(9, size=(4000, 2)), columns=["user", "item"])
    >>> frame["click"] = (rng.random(4000) < frame["item"] / 10).astype(int)
    >>> space = {"name": "small", "references": ["lr"], "interaction": {"mlp": {"depth": [1, 2]}}}
    >>> result = automlrank.search(frame, label="click", space=space, trials=1, out="run")
    >>> result.best().score("auc") > 0.6
    True
    """
    began = clock.monotonic()
    goal = Goal(
        metric=metric,
        trials=trials,
        seconds=time,
        latency_ms=latency_ms,
        candidates=candidates,
        runtime=runtime,
        device=device_of(device),
        seed=seed,
        sampler=sampler,
        pruner=pruner,
        objectives=objectives,
        trial_seconds=trial_time,
        patience=patience,
    )
    for name, number in (("sample-rows", sample_rows), ("workers", workers)):
        if number is not None and number < 1:
            raise UsageError(f"--{name} must be 1 or more, but got {number}.")
    dataset = Dataset.open(data, schema, label=label, joins=joins, incumbent=incumbent)
    chosen = space_for(dataset.schema, space)
    limits = chosen.limits
    goal = dataclasses.replace(
        goal, latency_ms=latency_ms or limits.latency_ms, parameters=limits.parameters
    )
    folder = _folder(out, dataset, resume)
    set_aside = dataset.inferred.set_aside if dataset.inferred else ()
    suspicions = suspicions_of(dataset)
    listen(DataReady(dataset.name, dataset.rows, dataset.label_rates, set_aside, suspicions))
    references, skipped = references_for(dataset.schema, chosen.references)
    rivals, absent = outsiders(dataset.schema, chosen.references, goal.metric)
    skipped |= absent
    part = dataset if sample_rows is None else dataset.sample(sample_rows, goal.seed)
    bench = Bench(part, goal, listen, splits=("valid", "test"))
    check_budget(bench, chosen, references)
    facts = _facts(dataset, goal, command, sample_rows)
    facts = dataclasses.replace(facts, set_aside=set_aside, suspicions=suspicions, skipped=skipped)
    with folder.locked():
        if folder.exists:
            known = folder.read_run()
            facts = dataclasses.replace(facts, seconds=known["seconds"], command=known["command"])
        else:
            folder.create(dataset, chosen, facts.to_data())
        run = _Run(bench, dataset, chosen, folder, references, rivals, facts, began, workers)
        return run.to_the_end()


@dataclass
class _Run:
    """One search from the study to the report."""

    bench: Bench
    data: Dataset
    """All of it; the bench may hold a sample."""
    space: Space
    folder: RunFolder
    references: Sequence[Architecture]
    outsiders: Sequence[Rival]
    facts: RunFacts
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
        facts = dataclasses.replace(self.facts, seconds=seconds, ended=ended)
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
        try:
            rivals = (*map(Network, outside), *self.outsiders)
            if self.workers > 1:
                return self.by_workers(study, rivals)
            self.run_references(study, rivals, bench)
            with self.folder.presence.of(COORDINATOR):
                return run_trials(
                    study, Objective(self.space, bench, self.folder, study, COORDINATOR)
                )
        except TimeIsUp:
            return TIME_UP
        except KeyboardInterrupt:
            return INTERRUPTED

    def by_workers(self, study: optuna.Study, rivals: Sequence[Rival]) -> str | None:
        """Trials by processes of their own, meanwhile here what they are compared with."""
        launcher = LocalLauncher(self.folder.path, self.workers, self.bench.goal.device)
        crew = Crew(study, self.bench, launcher, self.folder.presence)
        listen = self.bench.listen

        def look_after_them(event: Event) -> None:
            listen(event)
            crew.poll()

        crew.start()
        try:
            with torch_threads(launcher.threads):
                bench = Bench(self.bench.data, self.bench.goal, look_after_them)
                bench.deadline = self.bench.deadline
                self.run_references(study, rivals, bench)
            return crew.to_the_end()
        except BaseException:
            crew.stop()
            raise

    def run_references(self, study: optuna.Study, rivals: Sequence[Rival], bench: Bench) -> None:
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
        return Results(goal.metric, latency, trial_records(study), reference_records(study))

    def finals(self, results: Results) -> tuple[Results, str | None]:
        """The results with their finalists' scores on the test split; why it ended early."""
        bench = Bench(self.data, self.bench.goal, self.bench.listen, splits=("valid", "test"))
        if bench.goal.seconds:
            bench.deadline = self.began + bench.goal.seconds
        finalists = choose_finalists(results, self.valid_error(results))
        if finalists:
            self.notice(
                f"Finalists, trained again with unseen seeds and scored on the test split: "
                f"{len(finalists)}."
            )
        finals, ended = run_finals(bench, self.folder, finalists, self.outsiders)
        latencies = {} if ended == INTERRUPTED else self.latencies(bench, finalists)
        records, references = (
            tuple(with_latency(with_finals(record, finals), latencies) for record in group)
            for group in (results.records, results.references)
        )
        return dataclasses.replace(results, records=records, references=references), ended

    def latencies(self, bench: Bench, finalists: Sequence[Record]) -> dict[str, Latency]:
        """Those of the finalists, measured again in turn; none where that was not possible."""
        architectures = {
            r.fingerprint: Architecture.read(r.architecture) for r in finalists if r.architecture
        }
        try:
            return measure_in_turn(bench, architectures)
        except (KeyboardInterrupt, *FAILURES) as error:
            self.notice(f"The finalists' latencies were not measured again: {reason_of(error)}")
            return {}

    def valid_error(self, results: Results) -> float:
        """The standard error of the best validation AUC."""
        labels = self.bench.data.labels("valid")[:, 0]
        scores = [record.score("auc") or 0.5 for record in results.complete]
        best = max(scores, default=0.5)
        return auc_error(best, int((labels == 1).sum()), int((labels == 0).sum()))

    def identity(self) -> dict[str, str]:
        """What trials of one study have in common."""
        text = json.dumps(space_data(self.space), sort_keys=True)
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


def suspicions_of(dataset: Dataset) -> tuple[str, ...]:
    """What looks wrong in the table; kept beside the encoded data, so that it is found once."""
    kept = dataset.folder / "suspicions.json"
    if not kept.exists():
        frame, splits, step = dataset.raw_rows()
        set_aside = dataset.inferred.set_aside if dataset.inferred else ()
        found = suspicions(frame, dataset.schema, splits, set_aside=set_aside, step=step)
        write_text(kept, json.dumps(found, ensure_ascii=False))
    return tuple(json.loads(kept.read_text(encoding="utf-8")))


def _facts(data: Dataset, goal: Goal, command: str | None, sample_rows: int | None) -> RunFacts:
    return RunFacts(
        command=command or "automlrank.search(...)",
        seed=goal.seed,
        data=data.name,
        data_fingerprint=data.fingerprint,
        metric=goal.metric,
        rows=data.rows,
        label_rates=data.label_rates,
        versions=versions(),
        machine=machine(),
        seconds=0.0,
        latency_ms=goal.latency_ms,
        sample_rows=sample_rows,
    )


def _folder(out: str | Path | None, dataset: Dataset, resume: bool) -> RunFolder:
    """The run's folder: a new one, or the one to resume."""
    if out is None:
        if resume:
            raise RunError("--resume needs the run's folder.", "Give it with --out.")
        date = datetime.date.today().isoformat()
        return RunFolder(new_folder("reports", dataset.name, date))
    folder = RunFolder(out)
    if resume:
        known = folder.read_run().get("data_fingerprint")
        if known != dataset.fingerprint:
            raise RunError(f"{out} belongs to other data.", "Give the same data, or another --out.")
    else:
        check_new(folder.path, "Give another --out, or --resume to continue a run.")
    return folder
