"""Rates in the place of their columns' ids: ``rate_fields`` with ``replace_ids``."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from test_inputs import SCHEMA, architecture, filled, random_weights
from torch import Tensor

from automlrank.architecture.requirements import read_columns
from automlrank.codegen.model_source import model_source
from automlrank.errors import SpaceError
from automlrank.model.cost import cost, request_shapes
from automlrank.model.network import RankingModel
from automlrank.model.wiring import wire
from automlrank.schema import CategoricalFeature, NumericFeature, Schema, TargetStatistics, Task

REPLACE = "statistics: {rate_fields: {replace_ids: true}}"
RATED = ("seen", "item", "user")
ALL_BLOCKS = "interaction: {parallel: [linear, fm, {mlp: {width: 8}}]}"
FEW = Schema(
    (Task("click"),),
    (CategoricalFeature("a"), CategoricalFeature("b", "user"), NumericFeature("price")),
    crosses=(),
).fitted({"a": 5, "b": 4})


def rated(schema: Schema, *of: str) -> Schema:
    return dataclasses.replace(schema, statistics=TargetStatistics(of, crosses=(of[:2],)))


def with_random_weights(text: str, schema: Schema) -> RankingModel:
    return random_weights(architecture(f"{REPLACE}\n{text}"), schema)


def batch_of(schema: Schema, rows: int = 6) -> dict[str, Tensor]:
    shapes = {key: x[:1].expand(rows, -1) for key, x in request_shapes(schema, 1).items()}
    statistics = {key for key in shapes if key.startswith("statistics")}
    batch = filled({k: x for k, x in shapes.items() if k not in statistics}, schema=schema)
    return batch | {key: torch.randn(shapes[key].shape) for key in sorted(statistics)}


def is_read(model: RankingModel, schema: Schema, name: str) -> bool:
    """Whether another id of the column in every row moves the logits."""
    batch = batch_of(schema)
    side = schema.feature(name).side
    key = "ids:item" if side == "item" else "ids:request"
    names = [f.name for f in schema.of_role("ids", request=side != "item")]
    ids = batch[key].clone()
    ids[:, names.index(name)] = (ids[:, names.index(name)] + 1) % 4
    with torch.no_grad():
        return not torch.equal(model({**batch, key: ids}), model(batch))


def without_context(schema: Schema) -> Schema:
    features = tuple(
        dataclasses.replace(f, context=False) if getattr(f, "context", False) else f
        for f in schema.features
    )
    return dataclasses.replace(schema, features=features)


PLAIN = rated(without_context(SCHEMA), *RATED)


def test_the_ids_of_rated_columns_are_read_by_no_block() -> None:
    """Nor have they rows in a table; other columns and the rates are read as ever."""
    model = with_random_weights(ALL_BLOCKS, PLAIN)
    read = {name for name in ("seen", "item", "user", "age") if is_read(model, PLAIN, name)}
    assert read == {"age"}
    owners = 6 + 7 + 9  # age, tags, and liked's, who shares the ids of an item that is not read
    assert model.get_parameter("table.weight").shape[0] == owners
    batch = batch_of(PLAIN)
    moved = {**batch, "statistics:item": batch["statistics:item"] + 1.0}
    with torch.no_grad():
        assert not torch.equal(model(moved), model(batch))


@pytest.mark.parametrize(
    ("text", "schema", "kept"),
    [
        (f"history: din\n{ALL_BLOCKS}", PLAIN, {"seen", "age"}),  # clicks_seen is of seen
        (ALL_BLOCKS, rated(SCHEMA, *RATED), {"user", "age"}),  # user is context
        (ALL_BLOCKS, dataclasses.replace(PLAIN, scenario="item"), {"item", "age"}),
        (
            "interaction: {parallel: [{mlp: {width: 8}}, {fm: {}, fields: [user, tags]}]}",
            PLAIN,
            {"user", "age"},
        ),
    ],
    ids=["a history's target", "context", "the scenario", "a branch's fields"],
)
def test_what_is_asked_for_by_name_keeps_its_ids(text: str, schema: Schema, kept: set[str]) -> None:
    model = with_random_weights(text, schema)
    assert {name for name in (*RATED, "age") if is_read(model, schema, name)} == kept


@pytest.mark.parametrize("interaction", ["linear", "{mlp: {width: 8}}", "fm"])
def test_rates_may_replace_every_id(interaction: str) -> None:
    """A schema whose columns are all rated has a model of rates and numbers, or of rates alone."""
    for schema in (FEW, dataclasses.replace(FEW, features=FEW.features[:2])):
        whole = rated(schema, "a", "b")
        text = f"interaction: {{parallel: [{interaction}, {{mlp: {{width: 8}}}}]}}"
        model = with_random_weights(text, whole)
        batch = batch_of(whole)
        assert model(batch).shape == (6, 1)
        assert not is_read(model, whole, "a")
        assert not is_read(model, whole, "b")


@pytest.mark.parametrize("text", [ALL_BLOCKS, f"history: din\ngate: senet\n{ALL_BLOCKS}"])
def test_one_request_its_cost_and_the_printed_model_agree(text: str) -> None:
    schema = rated(SCHEMA, *RATED)
    model = with_random_weights(text, schema)
    request = batch_of(schema, 1)
    names: dict[str, Any] = {"__name__": "printed"}
    read = architecture(f"{REPLACE}\n{text}")
    exec(model_source(model.plan, read, schema), names)
    printed = names["RankingModel"]().eval()
    printed.load_state_dict(model.state_dict())
    repeated = {key: x.expand(5, -1) for key, x in request.items()}
    with torch.no_grad():
        assert torch.equal(printed(request), model(request))
        torch.testing.assert_close(model(repeated), model(request).expand(5, -1))
    assert cost(model.plan, schema).parameters == sum(p.numel() for p in model.parameters())


def test_the_schemas_crosses_keep_their_ids_under_wide() -> None:
    schema = dataclasses.replace(PLAIN, crosses=(("user", "item"),))
    wide = architecture(f"{REPLACE}\ninteraction: {{parallel: [wide, {{mlp: {{width: 8}}}}]}}")
    kept = {f.name for f in read_columns(wide, schema).features}
    assert {"user", "item"} <= kept
    assert "seen" not in kept


def test_wide_without_two_columns_of_ids_is_refused() -> None:
    """Not by a stack trace in the middle of a model: the trial says why."""
    schema = rated(FEW, "a", "b")
    wide = architecture(f"{REPLACE}\ninteraction: {{parallel: [wide, {{mlp: {{width: 8}}}}]}}")
    words = "wide cannot be used: without the ids that rates replace, the schema has no two"
    with pytest.raises(SpaceError, match=words):
        wire(wide, schema)


def test_without_the_knob_every_column_is_read() -> None:
    for statistics in ("none", "rate_fields", "rate_logit"):
        read = architecture(f"statistics: {statistics}\n{ALL_BLOCKS}")
        assert read_columns(read, PLAIN) is PLAIN
