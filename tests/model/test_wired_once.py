"""An architecture is wired once for all that is made of its plan."""

from __future__ import annotations

import sys
from pathlib import Path

import optuna
import pytest

from automlrank.architecture import Architecture
from automlrank.candidates.evaluator import Evaluator
from automlrank.codegen.folder import export_architecture
from automlrank.data.dataset import Dataset
from automlrank.model.plan import Plan
from automlrank.model.wiring import wire
from automlrank.runs.events import ignore
from automlrank.runs.folder import RunFolder
from automlrank.runs.search_config import SearchConfig
from automlrank.schema import Schema
from automlrank.space.space import Space
from automlrank.study.objective import Objective


@pytest.fixture
def architecture() -> Architecture:
    return Architecture.read(
        {"architecture": "a", "interaction": {"mlp": {"width": 8}}, "training": {"epochs": 1}}
    )


@pytest.fixture
def wired(monkeypatch: pytest.MonkeyPatch) -> list[Architecture]:
    """Architectures that are wired meanwhile, whichever module calls ``wire``."""
    calls: list[Architecture] = []

    def counted(architecture: Architecture, schema: Schema) -> Plan:
        calls.append(architecture)
        return wire(architecture, schema)

    for name, module in list(sys.modules.items()):
        if name.startswith("automlrank.") and getattr(module, "wire", None) is wire:
            monkeypatch.setattr(module, "wire", counted)
    return calls


@pytest.mark.parametrize("onnx", [False, True])
def test_for_an_export(
    onnx: bool,
    architecture: Architecture,
    dataset: Dataset,
    wired: list[Architecture],
    tmp_path: Path,
) -> None:
    out = tmp_path / "export"
    export_architecture(architecture, dataset.schema, dataset.encoder, out, onnx=onnx)
    assert wired == [architecture]


def test_for_a_trial(
    architecture: Architecture, dataset: Dataset, wired: list[Architecture], tmp_path: Path
) -> None:
    """For its cost and its training."""
    study = optuna.create_study(directions=["maximize", "minimize"])
    space = Space.read(architecture.to_data())
    evaluator = Evaluator(dataset, SearchConfig(trials=1), ignore)
    objective = Objective(space, evaluator, RunFolder(tmp_path), study, "worker")
    trial = study.ask()
    objective(trial)
    assert trial.user_attrs["cost"]["parameters"] > 0
    assert [made.fingerprint for made in wired] == [trial.user_attrs["fingerprint"]]
