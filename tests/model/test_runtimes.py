"""Runtimes: the same logits by each, nothing left changed, and a sentence for what is missing."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from automlrank.architecture import Architecture
from automlrank.data.dataset import Dataset
from automlrank.data.synthetic import synthetic_frame
from automlrank.errors import UsageError
from automlrank.model.network import RankingModel, build_model
from automlrank.model.plan import Step
from automlrank.model.serving.onnx import PACKAGES
from automlrank.model.serving.runtimes import RUNTIMES, check_runtime, served


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    frame, schema = synthetic_frame(600)
    return Dataset.open(frame, schema, cache=tmp_path_factory.mktemp("cache"))


@pytest.fixture
def model(data: Dataset) -> RankingModel:
    architecture = {"architecture": "x", "interaction": {"mlp": {"width": 8}}}
    return build_model(Architecture.read(architecture), data.schema, seed=0)


def encoding(data: Dataset) -> RankingModel:
    """A model with a history whose encoder reads no candidate at first."""
    architecture = {"architecture": "x", "history": "dien", "interaction": {"mlp": {"width": 8}}}
    return build_model(Architecture.read(architecture), data.schema, seed=0)


def test_each_runtime_scores_the_requests_alike(data: Dataset, model: RankingModel) -> None:
    requests = [data.request("valid", 9, i) for i in (0, 50)]
    logits = []
    for runtime in RUNTIMES:
        with served(model, data.schema, requests, runtime=runtime) as calls:
            logits.append([np.asarray(call()).reshape(9, 2) for call in calls])
    for ours, theirs in zip(*logits, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert not np.allclose(*logits[0])


def test_with_the_user_repeated_the_logits_are_the_same(data: Dataset) -> None:
    """By each runtime, with lists of several lengths."""
    requests = [data.request("valid", n, i) for n, i in ((9, 0), (4, 50))]
    model = encoding(data)
    for runtime in RUNTIMES:
        logits = []
        for repeat in (False, True):
            served_so = served(model, data.schema, requests, runtime=runtime, repeat_user=repeat)
            with served_so as calls:
                logits.append([np.asarray(call()).reshape(-1, 2) for call in calls])
        for once, repeated in zip(*logits, strict=True):
            np.testing.assert_allclose(once, repeated, atol=1e-5)


def test_with_the_user_repeated_nothing_runs_once(
    data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a plan marks to run once per request has one row, or one a candidate."""
    model, rows, run = encoding(data), {}, RankingModel.run

    def counted(self: RankingModel, steps: Sequence[Step], values: dict[str, Any]) -> None:
        run(self, steps, values)
        marked = [step.output for step in steps if step.request and step.inputs]
        rows.update({output: len(values[output]) for output in marked})

    monkeypatch.setattr(RankingModel, "run", counted)
    for repeat, expected in ((False, 1), (True, 9)):
        with served(model, data.schema, [data.request("valid", 9)], repeat_user=repeat) as calls:
            calls[0]()
        assert {"request_fields", "history_clicks_encoder_dien_extracted"} <= rows.keys()
        assert set(rows.values()) == {expected}


def test_the_model_and_the_threads_are_as_before(data: Dataset, model: RankingModel) -> None:
    model.train()
    threads = torch.get_num_threads()

    def fails() -> None:
        with served(model, data.schema, [data.request("valid", 3)], threads=threads + 1) as calls:
            assert torch.get_num_threads() == threads + 1
            assert not model.training
            assert not calls[0]().requires_grad  # type: ignore[attr-defined]
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert model.training
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize(
    ("runtime", "device", "sentence"),
    [
        ("onxruntime", "cpu", "no runtime 'onxruntime'. Did you mean 'onnxruntime'?"),
        ("onnxruntime", "cuda", "runs on the processor, but the device is cuda"),
    ],
)
def test_what_cannot_serve_is_said(runtime: str, device: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence.replace("?", r"\?")):
        check_runtime(runtime, device)


@pytest.mark.parametrize("package", PACKAGES)
def test_without_the_extra_it_says_what_to_install(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=rf"{package}\. Run pip install 'automlrank\[onnx\]'"):
        check_runtime("onnxruntime", "cpu")
    check_runtime("torch", "cuda")
