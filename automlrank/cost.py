"""What a candidate costs before anything is trained: counted on shapes, no weights made."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from automlrank.architecture import Architecture
from automlrank.model import RankingModel
from automlrank.schema import Schema
from automlrank.wiring import wire


@dataclass(frozen=True)
class Cost:
    """``parameters`` in all, ``embedding_bytes`` of the shared table, ``matmul_flops`` a request.

    FLOPs are those of matrix products (two per multiply-add) for one request; look-ups and
    elementwise work count as none.
    """

    parameters: int
    embedding_bytes: int
    matmul_flops: int


def cost(architecture: Architecture, schema: Schema, candidates: int = 200) -> Cost:
    """The cost of an architecture on a fitted schema."""
    with torch.device("meta"):
        model = RankingModel(wire(architecture, schema)).eval()
        batch = request_shapes(schema, candidates)
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            model(batch)
    table = dict(model.named_parameters()).get("table.weight")
    return Cost(
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        embedding_bytes=0 if table is None else table.numel() * table.element_size(),
        matmul_flops=counter.get_total_flops(),
    )


def request_shapes(schema: Schema, candidates: int) -> dict[str, torch.Tensor]:
    """A request's batch with every list at its longest, zeros throughout."""
    batch = {}
    for side, rows in (("request", 1), ("item", candidates)):
        ids, numbers = (
            schema.of_kind(kind, request=side == "request") for kind in ("categorical", "numeric")
        )
        batch[f"ids:{side}"] = torch.zeros(rows, len(ids), dtype=torch.int32)
        batch[f"numbers:{side}"] = torch.zeros(rows, len(numbers))
    for feature in (*schema.of_kind("multi"), *schema.of_kind("history")):
        rows = candidates if feature.side == "item" else 1
        shape = (rows, feature.max_length)
        batch[f"{feature.kind}:{feature.name}"] = torch.zeros(shape, dtype=torch.int32)
    return batch
