"""Searches by several processes: they share the trials, and a kill loses nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import optuna
import pytest

from automlrank.errors import RunError
from automlrank.jobs.result import Result
from automlrank.jobs.search import search
from automlrank.jobs.worker import work
from automlrank.runs.events import Event, Notice, TrainingUpdate
from automlrank.runs.folder import RunFolder
from automlrank.runs.liveness import Liveness
from automlrank.study.attributes import TrialAttributes
from automlrank.study.retries import retry_cut_off, retry_dead
from automlrank.study.study import NAME

SPACE = """
name: tiny
references: [lr]
embedding: {dim: [4, 8], l2: {log: [0.01, 1.0]}}
interaction: {mlp: {width: [8, 16], depth: 1}}
training: {learning_rate: 0.01, batch_size: 512, dropout: 0.0, batch_norm: false, epochs: 3}
"""
PROLOGUE = """
import json, os, signal, sqlite3, time
from pathlib import Path
import automlrank.training.checkpoint as checkpoint
from automlrank.workers import search_watch
from automlrank.candidates import evaluator
checkpoint.SECONDS, search_watch.LOOK_SECONDS = 0.0, 0.1
place, real = Path({place!r}), evaluator.fit

def once(name):
    try:
        (place / name).touch(exist_ok=False)
        return True
    except FileExistsError:
        return False

def began_long_ago(study, architecture):
    its = "SELECT trial_id FROM trial_user_attributes WHERE key = 'fingerprint' AND value_json = ?"
    change = "UPDATE trials SET datetime_start = '2000-01-01 00:00:00.000000' "
    with sqlite3.connect(study) as database:
        database.execute(
            change + f"WHERE state = 'RUNNING' AND trial_id IN ({{its}})",
            [json.dumps(architecture.fingerprint)],
        )

def fit(model, architecture, *args, **options):
    for progress in real(model, architecture, *args, **options):
        within = progress.scores is None
        row = (os.getpid(), architecture.fingerprint, progress.epoch, within)
        with (place / "steps").open("a") as file:
            print(*row, file=file)
        {happens}
        yield progress

evaluator.fit = fit
"""


@pytest.fixture
def inputs(
    inputs: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """What a search takes, with a temporary folder of one's own."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return {**inputs, "candidates": 20, "pruner": "none", "seed": 1}


def in_every_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, happens: str) -> None:
    """Let something happen at every progress of a training, in processes that start from now."""
    place = tmp_path / "hooks"
    place.mkdir(exist_ok=True)
    code = PROLOGUE.format(place=str(place), happens=happens)
    (place / "sitecustomize.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", f"{place}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")


def steps(tmp_path: Path) -> list[list[str]]:
    """The progress of all trainings in workers: process, fingerprint, epoch, whether within it."""
    return [line.split() for line in (tmp_path / "hooks" / "steps").read_text().splitlines()]


def no_trial_is_missing(result: Result, n: int) -> None:
    """``n`` complete trials, each architecture once, none of them counted twice."""
    complete = result.results.complete
    assert len(complete) == n
    assert max(Counter(record.fingerprint for record in complete).values()) == 1
    assert all(record.valid_score for record in complete)


def test_two_workers_share_the_trials(
    inputs: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_every_worker(tmp_path, monkeypatch, "time.sleep(0.02)")
    told: list[TrainingUpdate] = []

    def listen(event: Event) -> None:
        if isinstance(event, TrainingUpdate) and event.worker:
            told.append(event)

    result = search(**inputs, trials=5, workers=2, listen=listen)
    no_trial_is_missing(result, 5)
    trials = {f"trial {record.number}" for record in result.results.records}
    assert {training.what for training in told} <= trials
    assert {training.worker for training in told} == {"0", "1"}
    assert result.facts.ended is None
    assert len({pid for pid, *_ in steps(tmp_path)}) == 2
    assert [record.name for record in result.results.references] == ["lr"]
    assert result.facts.processor is not None
    inside, total = result.facts.processor
    assert 0.0 < inside < total  # both have started Python and opened the data besides


@pytest.mark.slow
def test_a_worker_that_is_killed_loses_nothing(
    inputs: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL within the second epoch: another goes on from the end of the first."""
    kill = "if progress.epoch == 1 and once('killed'): os.kill(os.getpid(), signal.SIGKILL)"
    in_every_worker(tmp_path, monkeypatch, kill)
    told: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, Notice):
            told.append(event.text)

    result = search(**inputs, trials=4, workers=2, listen=listen)
    no_trial_is_missing(result, 4)
    assert any("stopped with exit code -9" in text and "start again: 1." in text for text in told)
    seen = steps(tmp_path)
    by_process: dict[str, set[str]] = {}
    for pid, fingerprint, *_ in seen:
        by_process.setdefault(fingerprint, set()).add(pid)
    twice = [fingerprint for fingerprint, pids in by_process.items() if len(pids) == 2]
    assert len(twice) == 1
    second = next(pid for pid, fingerprint, *_ in reversed(seen) if fingerprint == twice[0])
    own = [row[2:] for row in seen if row[:2] == [second, twice[0]]]
    assert ["0", "True"] not in own  # the first epoch was not trained again
    assert ["0", "False"] in own
    assert ["1", "True"] in own


@pytest.mark.slow
def test_when_the_coordinator_is_killed_its_workers_end_and_a_resume_goes_on(
    inputs: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_every_worker(tmp_path, monkeypatch, "time.sleep(0.1)")
    script = tmp_path / "search.py"
    arguments = {k: str(v) if isinstance(v, Path) else v for k, v in inputs.items()}
    script.write_text(
        f"from automlrank.jobs.search import search\nsearch(**{arguments!r}, trials=6, workers=2)\n"
    )
    coordinator = subprocess.Popen([sys.executable, script])
    wait_for(lambda: (tmp_path / "hooks" / "steps").exists() and len(steps(tmp_path)) > 8)
    coordinator.send_signal(signal.SIGKILL)
    coordinator.wait()
    before = len(steps(tmp_path))
    wait_for(lambda: not alive({int(pid) for pid, *_ in steps(tmp_path)}))
    assert len(steps(tmp_path)) > before - 1
    with pytest.raises(RunError, match="no search is at work"):
        work(inputs["out"])
    result = search(**inputs, trials=6, workers=2, resume=True)
    no_trial_is_missing(result, 6)


@pytest.mark.slow
def test_when_all_are_killed_a_resume_loses_nothing(
    inputs: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_every_worker(tmp_path, monkeypatch, "time.sleep(0.05)")
    script = tmp_path / "search.py"
    arguments = {k: str(v) if isinstance(v, Path) else v for k, v in inputs.items()}
    script.write_text(
        f"from automlrank.jobs.search import search\nsearch(**{arguments!r}, trials=6, workers=2)\n"
    )
    group = subprocess.Popen([sys.executable, script], start_new_session=True)
    wait_for(lambda: len(finished(inputs["out"])) >= 2)
    os.killpg(group.pid, signal.SIGKILL)
    group.wait()
    before = finished(inputs["out"])
    result = search(**inputs, trials=6, workers=2, resume=True)
    no_trial_is_missing(result, 6)
    kept = (*result.results.complete, *result.results.references)
    assert before <= {record.fingerprint for record in kept}


@pytest.mark.parametrize("trains", [False, True], ids=["draws", "trains"])
@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_what_a_joined_worker_leaves_when_it_dies_is_made_up_for(
    inputs: dict[str, Any], workers: int, trains: bool
) -> None:
    """Its trial is run by another: the search has its number of trainings, and ends."""

    def listen(event: Event) -> None:
        if isinstance(event, TrainingUpdate) and not joined:
            joined.append(begin_trial_of(inputs["out"], "joined-1", trains))

    joined: list[int] = []
    result = search(**inputs, trials=4, workers=workers, listen=listen)
    no_trial_is_missing(result, 4)
    assert joined[0] not in {record.number for record in result.results.records}


@pytest.mark.slow
def test_the_last_trial_of_a_joined_worker_is_waited_for(
    inputs: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_every_worker(tmp_path, monkeypatch, "time.sleep(0.2)")
    command = [sys.executable, "-m", "automlrank", "worker", str(inputs["out"])]
    processes: list[subprocess.Popen[bytes]] = []

    def listen(event: Event) -> None:
        if isinstance(event, TrainingUpdate) and not processes:
            processes.append(subprocess.Popen(command))
            wait_for(lambda: bool((tmp_path / "hooks" / "steps").exists()))

    result = search(**inputs, trials=3, listen=listen)
    assert processes[0].wait() == 0
    no_trial_is_missing(result, 3)
    seen = {fingerprint for _, fingerprint, *_ in steps(tmp_path)}
    assert seen & {record.fingerprint for record in result.results.complete}


def begin_trial_of(run: Path, worker: str, trains: bool) -> int:
    """A trial that a worker asked for, or began to train, before it was killed."""
    study = optuna.load_study(study_name=NAME, storage=RunFolder(run).storage_url)
    trial = study.ask()
    TrialAttributes(trial).worker = worker
    if trains:
        TrialAttributes(trial).began = True
    return trial.number


def test_a_trial_that_is_being_drawn_has_no_worker_yet(tmp_path: Path) -> None:
    """It is not taken from whoever is about to put a name to it, unless nobody is alive."""
    study, liveness = optuna.create_study(), Liveness(tmp_path)
    drawn = study.ask()
    with liveness.of("0-a"):
        assert retry_dead(study, liveness) == 0
        TrialAttributes(drawn).worker = "0-b"
        assert retry_dead(study, liveness, but={"0-b"}) == 0
        assert retry_dead(study, liveness) == 1
    study.ask()
    study.ask()
    assert retry_cut_off(study, liveness) == 2


def test_a_trial_that_ended_while_it_was_looked_at_is_not_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker tells of its last trial, then lets go of its lock: between two looks of another."""
    study, liveness = optuna.create_study(), Liveness(tmp_path)
    trial = study.ask()
    TrialAttributes(trial).worker = "joined-1"

    def ends(worker: str) -> bool:
        study.tell(trial, 1.0)
        return False

    monkeypatch.setattr(liveness, "is_alive", ends)
    assert retry_dead(study, liveness) == 0
    assert [t.state.name for t in study.trials] == ["COMPLETE"]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_trial_that_hangs_is_ended_and_given_up(
    inputs: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """A step that does not return: its worker is killed; after two retries it is a failed trial.

    The trial that hangs says that it began long ago, and waits.
    """
    hang = (
        "if once('hangs'): (place / 'which').write_text(architecture.fingerprint)\n"
        "        if architecture.fingerprint == (place / 'which').read_text():\n"
        f"            began_long_ago({str(inputs['out'] / 'study.db')!r}, architecture)\n"
        "            time.sleep(600)"
    )
    in_every_worker(tmp_path, monkeypatch, hang)
    result = search(**inputs, trials=3, workers=workers, trial_time=600.0)
    assert len(result.results.complete) == 2
    failed = [record for record in result.results.records if record.state == "failed"]
    assert [record.reason for record in failed] == ["its process died 3 times"]


@pytest.mark.slow
def test_a_trial_without_memory_is_recorded_and_the_search_goes_on(
    inputs: dict[str, Any], tmp_path: Path
) -> None:
    """Under a limit of the process's memory: what the system refuses is a failed trial."""
    huge = SPACE.replace("width: [8, 16], depth: 1", "width: [8, 4096], depth: [1, 8]")
    inputs["space"].write_text(huge)
    script = tmp_path / "limited.py"
    arguments = {k: str(v) if isinstance(v, Path) else v for k, v in inputs.items()}
    script.write_text(
        "import resource, torch\n"
        "from automlrank.jobs.search import search\n"
        "torch.set_num_threads(1)\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 1300 * 2**20,) * 2)\n"
        f"result = search(**{arguments!r}, trials=8)\n"
        "print(result.results.counts)\n"
        "print({r.reason.split(':')[0] for r in result.results.records if r.state == 'failed'})\n"
    )
    ended = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    counts, reasons = ended.stdout.strip().splitlines()[-2:]
    assert "'failed': 0" not in counts
    assert "'complete': 0" not in counts
    assert "RuntimeError" in reasons or "MemoryError" in reasons


def wait_for(condition: Any, seconds: float = 600.0) -> None:
    """Wait for a condition; the limit only keeps a hanging test from hanging all."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)


def alive(pids: set[int]) -> set[int]:
    """The processes that still run; a zombie does not."""
    found = set()
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            continue
        if state != "Z":
            found.add(pid)
    return found


def finished(folder: Path) -> set[str]:
    """The fingerprints of trials whose weights are kept."""
    return {path.parent.name for path in (folder / "trials").glob("*/weights.safetensors")}
