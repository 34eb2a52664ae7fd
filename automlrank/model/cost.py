"""Count parameters and FLOPs of a plan from shapes, without allocating weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from automlrank.model.network import RankingModel
from automlrank.model.plan import Plan
from automlrank.schema import Feature, Schema


@dataclass(frozen=True)
class Cost:
    """Size of a model and the work of one request."""

    parameters: int
    embedding_bytes: int
    """Bytes of all embedding tables."""
    matmul_flops: int
    """Matrix products of one request, two FLOPs a multiply-add; other work counts as none."""


def cost(plan: Plan, schema: Schema, candidates: int = 200) -> Cost:
    """Return the cost of a plan for requests with the given number of candidates."""
    with torch.device("meta"):
        model = RankingModel(plan).eval()
        batch = request_shapes(schema, candidates)
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            model(batch)
    tables = [model.get_parameter(name) for name in plan.tables]
    return Cost(
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        embedding_bytes=sum(table.numel() * table.element_size() for table in tables),
        matmul_flops=counter.get_total_flops(),
    )


def request_shapes(schema: Schema, candidates: int) -> dict[str, torch.Tensor]:
    """Return a request as a batch of zeros, every list at its longest."""
    batch = {}
    for side, rows in (("request", 1), ("item", candidates)):
        ids, numbers = (schema.of_role(r, request=side == "request") for r in ("ids", "numbers"))
        batch[f"ids:{side}"] = torch.zeros(rows, len(ids), dtype=torch.int32)
        batch[f"numbers:{side}"] = torch.zeros(rows, len(numbers))
        if n := schema.statistic_sizes.get(f"statistics:{side}"):
            batch[f"statistics:{side}"] = torch.zeros(rows, n)
    for feature in schema.of_role("multi"):
        shape = (_rows(feature, candidates), feature.max_length)
        batch[f"multi:{feature.name}"] = torch.zeros(shape, dtype=torch.int32)
    for feature in schema.of_role("vector"):
        batch[f"vector:{feature.name}"] = torch.zeros(_rows(feature, candidates), feature.size)
    for name, columns in schema.sequences.items():
        shape = (_rows(columns[0], candidates), max(column.max_length for column in columns))
        keys = [f"history:{column.name}" for column in columns]
        if schema.timed(name):
            keys += [f"age:{name}", f"session:{name}"]
        batch |= {key: torch.zeros(shape, dtype=torch.int32) for key in keys}
    return batch


def _rows(feature: Feature, candidates: int) -> int:
    return candidates if feature.side == "item" else 1
