"""Runtimes that score a request: torch, or ONNX Runtime with the model as a graph."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from automlrank.errors import UsageError, did_you_mean
from automlrank.measurement.latency import Call
from automlrank.model.network import RankingModel
from automlrank.model.serving import RUNTIMES
from automlrank.model.serving.onnx import check_installed, feed_of, open_session, write_onnx
from automlrank.model.serving.requests import Request, repeated
from automlrank.schema import Schema


def check_runtime(name: str, device: str) -> None:
    """Raise UsageError if a runtime is unknown, not installed or not for the device."""
    if name not in RUNTIMES:
        raise UsageError(f"no runtime {name!r}.", did_you_mean(name, RUNTIMES))
    if name == "onnxruntime":
        check_installed()
        if device != "cpu":
            raise UsageError(
                f"--runtime onnxruntime runs on the processor, but the device is {device}.",
                "Give --device cpu, or --runtime torch.",
            )


def served(
    model: nn.Module,
    schema: Schema,
    requests: Sequence[Request],
    *,
    runtime: str = "torch",
    threads: int = 1,
    repeat_user: bool = False,
) -> AbstractContextManager[list[Call]]:
    """Return a call for each request, valid while the context lasts.

    With ``repeat_user`` the user's side is scored anew for each candidate.
    """
    if repeat_user:
        requests = [repeated(request) for request in requests]
    if runtime == "torch" or not isinstance(model, RankingModel):  # trees answer by torch only
        return _by_torch(model, requests, threads)
    return _by_onnxruntime(model, schema, requests, threads, repeat_user)


@contextmanager
def _by_torch(model: nn.Module, requests: Sequence[Request], threads: int) -> Iterator[list[Call]]:
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode(), torch_threads(threads):
            yield [partial(_score, model, request) for request in requests]
    finally:
        model.train(was_training)


def _score(model: nn.Module, request: Request) -> Tensor:
    logits: Tensor = model(request)
    if logits.is_cuda:
        torch.cuda.synchronize()
    return logits


@contextmanager
def _by_onnxruntime(
    model: RankingModel,
    schema: Schema,
    requests: Sequence[Request],
    threads: int,
    repeat_user: bool,
) -> Iterator[list[Call]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        write_onnx(model, schema, path, repeat_user=repeat_user)
        session = open_session(path, threads)
        yield [partial(session.run, None, feed_of(model, request)) for request in requests]


@contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Set torch's number of threads inside the context."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
