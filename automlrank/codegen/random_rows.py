"""Random requests of a schema, used to verify an exported model."""

from __future__ import annotations

import torch
from torch import Tensor

from automlrank.blocks.ports import AGES
from automlrank.model.cost import request_shapes
from automlrank.model.serving.onnx import list_lengths
from automlrank.schema import HistoryFeature, Schema

NULL_SHARE = 0.1


def random_request(schema: Schema, candidates: int, seed: int) -> dict[str, Tensor]:
    """Return random ids, numbers and vectors with nulls, and lists of random lengths."""
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
    """Return random numbers with nulls; a vector is null as a whole, a statistic never."""
    numbers = torch.randn(shape, generator=generator)
    null = torch.rand(shape, generator=generator) < (0.0 if kind == "statistics" else NULL_SHARE)
    return numbers.masked_fill(null[:, :1] if kind == "vector" else null, torch.nan)


def _real(longest: Tensor, generator: torch.Generator) -> Tensor:
    """Return a mask of the places of lists that hold something: the first ones, some or none."""
    rows, most = longest.shape
    length = int(torch.randint(1, most + 1, (), generator=generator))
    filled = torch.randint(0, length + 1, (rows, 1), generator=generator)
    return torch.arange(length) < filled  # [rows, length]


def _size(schema: Schema, key: str) -> int:
    """Return one more than the largest number that a list may hold."""
    kind, _, name = key.partition(":")
    match kind:
        case "age":
            return AGES + 1
        case "session":
            return max(column.max_length for column in schema.sequences[name]) + 1
    return _ids(schema, name)


def _ids(schema: Schema, name: str) -> int:
    """Return the number of ids of a column, or of the one that it shares them with."""
    owner = schema.feature(schema.owner(name))
    assert not isinstance(owner, HistoryFeature)
    return owner.size
