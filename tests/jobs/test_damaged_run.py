"""A run whose files are cut, empty, zeros or of another version: told with the file, or healed."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from automlrank.data.synthetic import synthetic_frame
from automlrank.documents import dump
from automlrank.errors import RunError, UsageError
from automlrank.jobs.export import export
from automlrank.jobs.latency import latency
from automlrank.jobs.report import rewrite
from automlrank.jobs.result import Result
from automlrank.jobs.search import search
from automlrank.jobs.worker import work
from automlrank.runs.events import Event, Notice
from automlrank.study.study import open_study

SPACE = """
name: tiny
references: []
embedding: {dim: 2}
interaction: {mlp: {width: [4, 8], depth: 1}}
training: {batch_size: 512, epochs: 1}
"""


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A search of one trial."""
    folder = tmp_path_factory.mktemp("searched")
    frame, schema = synthetic_frame(1000, seed=0)
    frame.write_parquet(folder / "t.parquet")
    (folder / "schema.yaml").write_text(dump(schema.to_data()))
    (folder / "space.yaml").write_text(SPACE)
    names = (folder / name for name in ("t.parquet", "schema.yaml", "space.yaml"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOMLRANK_CACHE", str(folder / "cache"))
        return search(*names, out=folder / "run", trials=1, candidates=10, device="cpu")


@pytest.fixture
def run(searched: Result, tmp_path: Path) -> Path:
    shutil.copytree(searched.folder, tmp_path / "run")
    return tmp_path / "run"


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def zeros(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def a_list(path: Path) -> None:
    path.write_text("[]")


def gone(path: Path) -> None:
    path.unlink()


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES = (half, empty, zeros, a_list, gone, a_folder)
ACTIONS: dict[str, Callable[[Path], Any]] = {
    "report": rewrite,
    "export": lambda run: export(run, run.parent / "out"),
    "latency": lambda run: latency(run, run.parent / "no.parquet", candidates=5, device="cpu"),
    "work": work,
}
READ = {  # the files that each action reads first
    "report": ("run.yaml", "front.json"),
    "export": ("run.yaml", "front.json", "schema.yaml", "data/checksums.json",
               "data/encoder/encoder.json", "data/encoder/vocabularies.parquet",
               "trials/*/weights.safetensors"),
    "latency": ("schema.yaml", "data/checksums.json"),
    "work": ("run.yaml", "space.yaml"),
}  # fmt: skip
CASES = [(action, file) for action, files in READ.items() for file in files]


@pytest.mark.parametrize(("action", "file"), CASES)
def test_a_damaged_file_is_named_with_what_to_do(action: str, file: str, run: Path) -> None:
    (path,) = run.glob(file)
    whole = path.read_bytes()
    for damage in DAMAGES:
        damage(path)
        with pytest.raises(RunError) as raised:
            ACTIONS[action](run)
        told = str(raised.value)
        assert any(
            sentence in told
            for sentence in (f"{path} cannot be read: ", f"{run} is not a run", f"{run} has no res")
        ), told
        assert not re.search(r"Error|object|class '", told), told
        assert not (run.parent / "out").exists()
        path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
        path.write_bytes(whole)


def test_another_version_is_told_as_that(run: Path) -> None:
    path = run / "data" / "encoder" / "encoder.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))
    with pytest.raises(RunError, match=r"run was made by another version of automlrank: .* 99"):
        export(run, run.parent / "out")


@pytest.mark.parametrize("change", [
    {"trials": 5}, {"trials": [5]}, {"latency": "x"}, {"metric": 3}, {"metric": "acu"},
    {"format": 2}, {"references": None},
])  # fmt: skip
def test_results_of_other_types_are_refused(change: dict[str, Any], run: Path) -> None:
    path = run / "front.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(RunError, match=r"front\.json cannot be read: .*automlrank search --config"):
        rewrite(run)


@pytest.mark.parametrize("change", [
    {"number": "x"}, {"seconds": "x"}, {"parameters": 1.5}, {"zero_shares": {"a": "x"}},
    {"latency_ms": {"p50": "x", "p95": 1, "p99": 1}}, {"valid": {"auc": "x", "tasks": {}}},
    {"valid": 5}, {"test": {}}, {"summary": None}, {"architecture": [1]},
])  # fmt: skip
def test_a_trial_of_other_types_is_refused(change: dict[str, Any], run: Path) -> None:
    path = run / "front.json"
    data = json.loads(path.read_text())
    data["trials"][0] |= change
    path.write_text(json.dumps(data))
    with pytest.raises(RunError, match=r"front\.json cannot be read: trial .* cannot be read: "):
        rewrite(run)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_study_is_not_begun_anew(damage: Callable[[Path], None], run: Path) -> None:
    """Its trials would be lost without a word."""
    from automlrank.runs.folder import RunFolder
    from automlrank.runs.search_config import SearchConfig

    damage(run / "study.db")
    with pytest.raises(RunError, match=r"study\.db cannot be read: .*Restore it from a copy"):
        open_study(RunFolder(run), SearchConfig(), {})


def test_a_resumed_search_writes_again_what_follows_from_the_rest(
    run: Path, searched: Result
) -> None:
    """Results, inputs and the kept trainings of finalists; the advice above is true."""
    for name in ("front.json", "report.html", "schema.yaml", "data/encoder/encoder.json",
                 "data/store.txt", "data/checksums.json"):  # fmt: skip
        zeros(run / name)
    for path in run.glob("trials/*/weights.safetensors"):
        half(path)
    finals = sorted(run.glob("trials/*/final-*.json"))
    zeros(finals[0])
    zeros(finals[1].with_name(f"{finals[1].stem}-valid.npy"))
    told: list[Event] = []
    result = search(config=run / "run.yaml", out=run, resume=True, listen=told.append)
    assert result.results.counts == searched.results.counts
    words = [event.text for event in told if isinstance(event, Notice)]
    assert sum("computed again" in text for text in words) >= 2
    export(run, run.parent / "out")


def test_options_of_a_damaged_file_are_refused(run: Path) -> None:
    (run / "run.yaml").write_text("options: 5\n")
    with pytest.raises(UsageError, match=r"run\.yaml:1: options: must be a mapping of options"):
        search(config=run / "run.yaml", out=run, resume=True)
