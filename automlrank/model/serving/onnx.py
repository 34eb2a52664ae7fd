"""Models as ONNX graphs that score one request, and sessions of ONNX Runtime that run them.

The inputs of a graph are the tensors of a batch that the model reads, under names that any runtime
accepts: ``ids:request`` becomes ``ids_request``. The user's side has one row; the number of
candidates and the length of each list are open. The output is ``logits [candidates, tasks]``.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.export import Dim

from automlrank.errors import UsageError
from automlrank.model.cost import request_shapes
from automlrank.model.network import RankingModel
from automlrank.model.serving.requests import Request, repeated
from automlrank.schema import Schema

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

PACKAGES = ("onnx", "onnxruntime", "onnxscript")
TRACED = 3  # candidates of the traced request: 1 would be taken for a constant
OUTPUT = "logits"
CHATTY = ("torch.onnx", "torch.export", "onnxscript", "onnx_ir")  # warn of nodes left alone

Feed = dict[str, npt.NDArray[np.generic]]


def check_installed() -> None:
    """Raise UsageError if a package of the extra ``onnx`` is not installed."""
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            f"ONNX needs packages that are not installed: {', '.join(missing)}.",
            "Run pip install 'automlrank[onnx]'.",
        )


def write_onnx(
    model: RankingModel, schema: Schema, path: Path, *, repeat_user: bool = False
) -> None:
    """Write the graph of a model on the CPU, with its weights: beside the file above 2 GB.

    With ``repeat_user`` the user's side has as many rows as the item's.
    """
    check_installed()
    names = input_names(model)
    one = request_shapes(schema, TRACED)
    request = repeated(one) if repeat_user else one
    was_training = model.training
    torch.compiler.reset()  # loops are traced apart, and a length that an earlier trace fixed stays
    with _silent(), torch.no_grad():
        program = torch.onnx.export(
            _Positional(model, list(names)).eval(),
            tuple(request[key] for key in names),
            dynamo=True,
            dynamic_shapes=(_open_axes(schema, request, list(names)),),
            input_names=list(names.values()),
            output_names=[OUTPUT],
            verbose=False,
        )
        assert program is not None
        program.model.metadata_props["batch_keys"] = json.dumps({v: k for k, v in names.items()})
        program.save(path)
    model.train(was_training)


def input_names(model: RankingModel) -> dict[str, str]:
    """Return the name of the graph's input by each key of a batch that the model reads."""
    names: dict[str, str] = {}
    for i, key in enumerate(model.plan.batch_keys):
        name = re.sub(r"\W", "_", key, flags=re.ASCII)
        names[key] = f"{name}_{i}" if name in names.values() else name
    return names


def open_session(path: Path, threads: int) -> InferenceSession:
    """Return a session of ONNX Runtime on the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def feed_of(model: RankingModel, request: Request) -> Feed:
    """Return a request under the names of the graph's inputs."""
    return {name: request[key].numpy() for key, name in input_names(model).items()}


class _Positional(nn.Module):
    """A model that takes its batch as tensors in order, as a graph's inputs are."""

    def __init__(self, model: RankingModel, keys: Sequence[str]) -> None:
        super().__init__()
        self.model = model
        self.keys = keys

    def forward(self, *tensors: Tensor) -> Tensor:
        logits: Tensor = self.model(dict(zip(self.keys, tensors, strict=True)))
        return logits


def _open_axes(schema: Schema, request: Request, keys: Sequence[str]) -> tuple[dict[int, Dim], ...]:
    """Return the axes without a fixed size: rows of the item, and the length of each list."""
    rows, lengths = (
        Dim("candidates"),
        {key: Dim(name) for key, name in list_lengths(schema).items()},
    )
    axes = []
    for key in keys:
        n, width = request[key].shape
        opened = {0: rows} if n == TRACED else {}
        if key in lengths and width > 1:
            opened[1] = lengths[key]
        axes.append(opened)
    return tuple(axes)


def list_lengths(schema: Schema) -> dict[str, str]:
    """Return the name of the list length by key of the batch; a sequence has one for all keys."""
    names = {f"multi:{f.name}": f"values_{i}" for i, f in enumerate(schema.of_role("multi"))}
    for i, (sequence, columns) in enumerate(schema.sequences.items()):
        keys = [f"{key}:{sequence}" for key in ("age", "session")]
        keys += [f"history:{column.name}" for column in columns]
        names |= dict.fromkeys(keys, f"length_{i}")
    return names


@contextmanager
def _silent() -> Iterator[None]:
    """Silence the exporter's warnings about torch's own code and about nodes left as they are."""
    loggers = [logging.getLogger(name) for name in CHATTY]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r".*treespec", FutureWarning)
            warnings.filterwarnings("ignore", r"# The axis name", UserWarning)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
