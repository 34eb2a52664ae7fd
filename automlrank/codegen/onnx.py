"""``model.onnx``: an exported model as an ONNX graph, held to the model on random requests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from automlrank.blocks.ports import AGES
from automlrank.codegen.printing import in_docstring, wrapped
from automlrank.errors import RunError
from automlrank.model.cost import request_shapes
from automlrank.model.network import RankingModel
from automlrank.schema import HistoryFeature, Schema
from automlrank.serving.onnx import (
    OUTPUT,
    feed_of,
    input_names,
    list_lengths,
    open_session,
    write_onnx,
)

FILE = "model.onnx"
CANDIDATES = (1, 7, 200)
TOLERANCE = 1e-4
NULL_SHARE = 0.1
VERIFIED = (
    f"{FILE} was run by ONNX Runtime beside the model on random requests of "
    f"{', '.join(map(str, CANDIDATES))} candidates: the logits agree within {TOLERANCE:g} "
    "(relative to the request's largest where that is above 1)."
)


def export_onnx(model: RankingModel, schema: Schema, folder: Path) -> float:
    """Write ``model.onnx`` and give the largest difference of its logits from the model's.

    Raises RunError where it is above 1e-4, in the units of ``VERIFIED``.
    """
    path = folder / FILE
    write_onnx(model, schema, path)
    session = open_session(path, threads=1)
    worst = 0.0
    for seed, candidates in enumerate(CANDIDATES):
        request = random_request(schema, candidates, seed)
        with torch.inference_mode():
            ours = model.eval()(request).numpy()
        (theirs,) = session.run([OUTPUT], feed_of(model, request))
        if theirs.shape != ours.shape:
            raise RunError(f"{FILE} gives logits {theirs.shape}, the model {ours.shape}.")
        scale = max(1.0, float(np.abs(ours).max()))  # float32 rounds sums by their largest terms
        worst = float(np.maximum(worst, np.abs(theirs - ours).max() / scale))  # NaN stays
    if not worst <= TOLERANCE:  # NaN differs
        raise RunError(
            f"the logits of {FILE} differ from the model's by {worst:.3g}, "
            f"which is more than {TOLERANCE:g}."
        )
    return worst


def onnx_readme(model: RankingModel, difference: float, *, has_weights: bool) -> str:
    """What an export's README says of ``model.onnx``."""
    names = input_names(model)
    width = max(map(len, names.values()))
    rows = "".join(f"    {name:<{width}}  {in_docstring(key)}\n" for key, name in names.items())
    held = "the weights of weights.safetensors" if has_weights else "untrained weights"
    said = (
        f"{FILE} scores one request with {held}: the user's side has one row, the items N; it "
        f"gives {OUTPUT} [N, tasks]. {VERIFIED} The largest difference was {difference:.2g}. "
        "Its inputs, and what a batch of model.py calls them:"
    )
    return f"\n## {FILE}\n\n{wrapped(said)}\n\n{rows}"


def random_request(schema: Schema, candidates: int, seed: int) -> dict[str, Tensor]:
    """A request of random ids, of numbers and vectors with nulls, of lists of random lengths."""
    generator = torch.Generator().manual_seed(seed)
    shapes, names = request_shapes(schema, candidates), list_lengths(schema)
    real = {names[key]: _real(shapes[key], generator) for key in names if key in shapes}
    request = {}
    for key, zeros in shapes.items():
        if key in names:
            mask = real[names[key]]
            ids = torch.randint(1, _size(schema, key), mask.shape, generator=generator)
            request[key] = (ids.sort(dim=1).values * mask).int()  # sessions grow
        elif key.startswith("ids:"):
            columns = schema.of_role("ids", request=key == "ids:request")
            sizes = torch.tensor([_ids(schema, column.name) for column in columns])
            request[key] = (torch.rand(zeros.shape, generator=generator) * sizes).int()
        else:
            request[key] = _numbers(key.partition(":")[0], zeros.shape, generator)
    return request


def _numbers(kind: str, shape: torch.Size, generator: torch.Generator) -> Tensor:
    """NaN is a null number, or throughout a row a null vector; a statistic is always known."""
    numbers = torch.randn(shape, generator=generator)
    null = torch.rand(shape, generator=generator) < (0.0 if kind == "statistics" else NULL_SHARE)
    return numbers.masked_fill(null[:, :1] if kind == "vector" else null, torch.nan)


def _real(longest: Tensor, generator: torch.Generator) -> Tensor:
    """Which places of a list hold something: the first ones, some or none, as a mask."""
    rows, most = longest.shape
    length = int(torch.randint(1, most + 1, (), generator=generator))
    filled = torch.randint(0, length + 1, (rows, 1), generator=generator)
    return torch.arange(length) < filled  # [rows, length]


def _size(schema: Schema, key: str) -> int:
    """One more than the largest number that a list may hold."""
    kind, _, name = key.partition(":")
    match kind:
        case "age":
            return AGES + 1
        case "session":
            return max(column.max_length for column in schema.sequences[name]) + 1
    return _ids(schema, name)


def _ids(schema: Schema, name: str) -> int:
    """How many ids a column has, or the one that it shares them with."""
    owner = schema.feature(schema.owner(name))
    assert not isinstance(owner, HistoryFeature)
    return owner.size
