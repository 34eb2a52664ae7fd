"""New kinds of columns in a model: shared tables, vectors, pools, times of behaviours."""

from __future__ import annotations

import dataclasses
from operator import attrgetter
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from automlrank.architecture import Architecture
from automlrank.blocks import BLOCKS
from automlrank.blocks import ports as block_ports
from automlrank.blocks.base import Block, block
from automlrank.blocks.ports import AGES
from automlrank.blocks.ports import Vector as VectorPort
from automlrank.codegen.model_source import model_source
from automlrank.data import columns as encoded_columns
from automlrank.documents import parse_document
from automlrank.errors import SpaceError
from automlrank.model.cost import cost, request_shapes
from automlrank.model.network import RankingModel, build_model
from automlrank.model.wiring import wire
from automlrank.schema import (
    CategoricalFeature,
    Feature,
    HistoryFeature,
    MultiFeature,
    NumericFeature,
    Schema,
    Task,
    VectorFeature,
)
from automlrank.space.requirements import needs_met
from automlrank.space.space import Space

SIZES = {"user": 11, "age": 6, "item": 9, "seen": 9, "tags": 7, "liked": 9, "taste": 3, "image": 4}
FEATURES: tuple[Feature, ...] = (
    MultiFeature("liked", "user", pool="sum", shared_with="item", max_length=5),
    VectorFeature("taste", "user", context=True),
    CategoricalFeature("seen", "user", shared_with="item"),
    CategoricalFeature("user", "user", context=True),
    NumericFeature("age", "request", transform="bucket"),
    NumericFeature("hour", "request", transform="quantile"),
    CategoricalFeature("item"),
    MultiFeature("tags", pool="sum", max_length=4),
    VectorFeature("image", context=True),
    HistoryFeature("clicks_seen", "seen", "clicks", 6, time="clicks_time", side="user"),
    HistoryFeature("clicks_tags", "tags", "clicks", 4, side="user"),
)
SCHEMA = Schema((Task("click"), Task("buy")), FEATURES, time="time").fitted(SIZES)
OWNERS = 11 + 6 + 9 + 7
TEXTS = {
    "linear": "interaction: linear",
    "fields": "interaction: {parallel: [linear, fm, {mlp: {width: 8}}]}\n"
    "embedding: {scale: 0.5, number_scale: 0.5}",
    "all": "history: {parallel: [din, mean_pool]}\ngate: senet\ninteraction: {mlp: {width: 8}}\n"
    "tasks: mmoe\ntower: ppnet\nembedding: {scale: 0.5, number_scale: 0.5}",
    "branches": "history: din\ngate: senet\ninteraction: {parallel: ["
    "{linear: {}, fields: [user, tags, taste, hour]}, {fm: {}, fields: [age, item]}, "
    "{stack: [senet, {mlp: {width: 8}}], embedding: own, fields: [user, taste, hour, liked]}, "
    "{mlp: {width: 8}, embedding: own}]}\ntower: ppnet\nembedding: {scale: 0.5, number_scale: 0.5}",
    "of the user": "interaction: {parallel: [{fm: {}, fields: [user, age, taste]}, "
    "{mlp: {width: 8}, fields: [liked, hour], embedding: own}]}\n"
    "embedding: {scale: 0.5, number_scale: 0.5}",
}


def architecture(text: str) -> Architecture:
    return Architecture.read(parse_document(f"architecture: a\n{text}").data)  # type: ignore[arg-type]


def filled(shapes: dict[str, Tensor], seed: int = 0, schema: Schema = SCHEMA) -> dict[str, Tensor]:
    """Values for a batch of zeros: ids of every column, nulls, lists of all lengths."""
    draw = torch.Generator().manual_seed(seed)
    batch = {}
    for key, zeros in shapes.items():
        rows, width = zeros.shape
        role, name = key.split(":")
        if role in ("numbers", "vector"):
            values = torch.randn(rows, width, generator=draw)
            null = torch.rand(rows, 1, generator=draw) < 0.3
            batch[key] = values.masked_fill(null, torch.nan)
        elif role == "ids":
            sizes = [f.size for f in schema.of_role("ids", request=name == "request")]
            columns = [torch.randint(size, (rows, 1), generator=draw) for size in sizes]
            batch[key] = torch.cat([zeros[:, :0], *columns], dim=1).int()
        else:
            drawn = torch.randint(1, 6, (rows, width), generator=draw)
            place = torch.arange(rows).unsqueeze(1) + 3
            batch[key] = (drawn * (torch.arange(width) < place % (width + 1))).int()
    return batch


def rows_of(rows: int) -> dict[str, Tensor]:
    """A batch of training rows: the request's side differs from row to row."""
    return filled({key: x[:1].expand(rows, -1) for key, x in request_shapes(SCHEMA, 1).items()})


def values_of(model: RankingModel, batch: dict[str, Tensor]) -> dict[str, Any]:
    """Every value of the model's plan."""
    values: dict[str, Any] = dict(batch)
    for step in model.plan.steps:
        call = attrgetter(step.call)(model) if isinstance(step.call, str) else step.call
        values[step.output] = call(*(values[n] for n in step.inputs), *step.constants)
    return values


def is_same(one: Tensor, other: Tensor) -> None:
    torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-5)


# ---- sharing ------------------------------------------------------------------------------


def test_an_id_has_one_embedding_in_every_column_that_shares() -> None:
    """As a field of either side, in a bag, and as a key of a history of a column that shares."""
    model = build_model(architecture(TEXTS["all"]), SCHEMA, seed=0).eval()
    batch = rows_of(5)
    for key, column in (("ids:request", 0), ("ids:item", 0), ("history:clicks_seen", slice(None))):
        batch[key][:, column] = 4
    batch["multi:liked"] = torch.tensor([[4, 0]]).int().expand(5, -1)
    values = values_of(model, batch)
    dim = values["item_fields"].shape[2]
    seen = values["request_fields"][:, 0]
    assert seen.abs().sum() > 0
    is_same(seen, values["item_fields"][:, 0])
    is_same(seen, values["request_fields"][:, 4])  # user's ids, age, hour, then the bag
    is_same(seen, values["history_clicks_keys"][:, 0, :dim])
    is_same(seen, values["history_clicks_target_fields"][:, 0])


def test_the_gradient_of_a_shared_id_reaches_one_row() -> None:
    model = build_model(architecture(TEXTS["fields"]), SCHEMA, seed=0)
    batch = {key: torch.zeros_like(x) for key, x in rows_of(3).items()}
    batch["ids:request"][:, 0] = batch["ids:item"][:, 0] = 4
    values = values_of(model, batch)
    picked = values["request_fields"][:, 0] + values["item_fields"][:, 0]
    picked.sum().backward()
    grad, item_4 = model.get_parameter("table.weight").grad, SIZES["user"] + SIZES["age"] + 4
    assert grad is not None
    assert grad.abs().sum(dim=1).nonzero().flatten().tolist() == [item_4]
    assert (grad[item_4] == 6.0).all()  # three rows, two columns


def test_the_table_has_the_rows_of_an_owner_once_and_linear_of_every_column() -> None:
    model = build_model(architecture(TEXTS["fields"]), SCHEMA)
    dim = model.get_parameter("table.weight").shape[1]
    assert model.get_parameter("table.weight").shape == (OWNERS, dim)
    assert cost(model.plan, SCHEMA).embedding_bytes == 4 * OWNERS * dim
    linear = next(m for name, m in model.named_children() if name.endswith("linear"))
    of_columns = sum(f.size for role in ("ids", "multi") for f in SCHEMA.of_role(role))
    assert linear.get_parameter("weight").shape == (of_columns, 2)


# ---- both sides ---------------------------------------------------------------------------


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
class TestEveryReader:
    def test_the_users_side_runs_once_and_gives_the_same(self, text: str) -> None:
        model = random_weights(architecture(text))
        request = filled(request_shapes(SCHEMA, 7))
        repeated = {key: x.expand(7, -1) for key, x in request.items()}
        with torch.no_grad():
            values = values_of(model, request)
            torch.testing.assert_close(values["logits"], model(repeated), atol=1e-5, rtol=1e-4)
        for step in model.plan.steps:
            if step.request and not step.output.endswith("table"):
                assert values[step.output].shape[0] == 1, step

    def test_the_cost_counts_what_the_model_has(self, text: str) -> None:
        model = build_model(architecture(text), SCHEMA)
        counted = cost(model.plan, SCHEMA)
        assert counted.parameters == sum(p.numel() for p in model.parameters())

    def test_a_gradient_reaches_every_parameter(self, text: str) -> None:
        model = build_model(architecture(text), SCHEMA, seed=0).train()
        model(rows_of(64)).square().sum().backward()
        assert [name for name, p in model.named_parameters() if p.grad is None] == []

    def test_the_printed_model_computes_the_same(self, text: str) -> None:
        model = random_weights(architecture(text))
        names: dict[str, Any] = {"__name__": "printed"}
        exec(model_source(model.plan, architecture(text), SCHEMA), names)
        printed = names["RankingModel"]().eval()
        printed.load_state_dict(model.state_dict())
        batch = filled(request_shapes(SCHEMA, 5), seed=3)
        with torch.no_grad():
            assert torch.equal(printed(batch), model(batch))


def random_weights(read: Architecture, schema: Schema = SCHEMA) -> RankingModel:
    """Weights that are all drawn: zeros would make different models agree."""
    model = build_model(read, schema, seed=1).eval()
    draw = torch.Generator().manual_seed(2)
    for parameter in model.parameters():
        parameter.data += 0.2 * torch.randn(parameter.shape, generator=draw)
    return model


def test_context_fields_are_found_behind_ids_numbers_and_bags() -> None:
    """In the schema's order, whatever their role and side."""
    model = random_weights(architecture(TEXTS["all"]))
    values = values_of(model, filled(request_shapes(SCHEMA, 4)))
    context, request, item = (values[f"{n}_fields"] for n in ("context", "request", "item"))
    assert context.shape[1] == 3
    is_same(context[:, 0], request[:, 5].expand(4, -1))  # taste
    is_same(context[:, 1], request[:, 1].expand(4, -1))  # user
    is_same(context[:, 2], item[:, 2])  # image


def test_a_schema_of_vectors_alone_has_a_model() -> None:
    schema = Schema(
        (Task("click"),), (VectorFeature("image"), VectorFeature("taste", "user"))
    ).fitted(SIZES)
    model = build_model(architecture(TEXTS["fields"]), schema, seed=0).eval()
    assert model(filled(request_shapes(schema, 3), schema=schema)).shape == (3, 1)


def test_the_lists_of_a_sequence_have_one_length() -> None:
    """A batch pads them together, though each column keeps its own share."""
    shapes = {key: tuple(x.shape) for key, x in request_shapes(SCHEMA, 5).items()}
    assert shapes == {
        "ids:request": (1, 3),
        "numbers:request": (1, 1),
        "ids:item": (5, 1),
        "numbers:item": (5, 0),
        "multi:liked": (1, 5),
        "multi:tags": (5, 4),
        "vector:taste": (1, 3),
        "vector:image": (5, 4),
        "history:clicks_seen": (1, 6),
        "history:clicks_tags": (1, 6),
        "age:clicks": (1, 6),
        "session:clicks": (1, 6),
    }


def test_the_printed_docstring_names_what_is_read() -> None:
    text = head_of(architecture(TEXTS["all"]), SCHEMA)
    for row in (
        "ids:request          [rows or 1, 3] int32       seen, user, age",
        "numbers:request      [rows or 1, 1] float32     hour",
        "multi:tags           [rows, length] int32       padded at the end",
        "vector:image         [rows, 4] float32          NaN where null",
        "history:clicks_seen  [rows or 1, length] int32  oldest first, padded at the end",
    ):
        assert row in text
    assert "age:clicks" not in text


# ---- times of behaviours ------------------------------------------------------------------


class AgedSum(nn.Module):
    """Keys plus the vectors of their ages and sessions, summed over the real positions."""

    def __init__(self, dim: int, length: int) -> None:
        super().__init__()
        self.ages = nn.Embedding(AGES + 1, dim)
        self.sessions = nn.Embedding(length + 1, dim)

    def forward(self, keys: Tensor, mask: Tensor, age: Tensor, session: Tensor) -> Tensor:
        aged: Tensor = keys + self.ages(age) + self.sessions(session)
        return (aged * mask.unsqueeze(2)).sum(dim=1)  # [batch, dim]


@pytest.fixture
def aged_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block that reads times, registered for one test."""
    monkeypatch.setattr(BLOCKS, "_blocks", dict(BLOCKS))

    @block("aged_sum", family="history")
    class AgedSumming(Block):
        """A sum that knows when."""

        module = AgedSum

        def out(self, x: block_ports.History) -> VectorPort:
            return VectorPort(x.dim)

        def arguments(self, x: block_ports.History) -> dict[str, object]:
            return {"dim": x.dim, "length": x.length}


AGED = "history: aged_sum\ninteraction: {mlp: {width: 8}}"


def test_the_encoder_counts_as_many_ages_as_blocks_do() -> None:
    assert encoded_columns.AGES == AGES


@pytest.mark.usefixtures("aged_sum")
def test_a_block_reads_the_ages_and_sessions_of_its_sequence() -> None:
    """Once per request, and row by row as its formula says."""
    model = build_model(architecture(AGED), SCHEMA, seed=0).eval()
    values = values_of(model, filled(request_shapes(SCHEMA, 3)))
    encoder: Any = next(m for m in model.children() if isinstance(m, AgedSum))
    age, session = values["age:clicks"][0], values["session:clicks"][0]
    keys, real = values["history_clicks_keys"][0], values["history_clicks_mask"][0]
    expected = torch.zeros_like(keys[0])
    for t in real.nonzero().flatten().tolist():
        expected = expected + keys[t] + encoder.ages.weight[age[t]]
        expected = expected + encoder.sessions.weight[session[t]]
    is_same(values["history_clicks_interest"].flatten(), expected)
    text = head_of(architecture(AGED), SCHEMA)
    assert "age:clicks           [rows or 1, length] int32" in text
    assert "session:clicks       [rows or 1, length] int32" in text


def head_of(read: Architecture, schema: Schema) -> str:
    """Docstring of the printed model."""
    return model_source(wire(read, schema), read, schema).partition('"""\n\n')[0]


@pytest.mark.usefixtures("aged_sum")
def test_a_block_that_reads_times_is_refused_where_some_sequence_has_none() -> None:
    more = HistoryFeature("views_item", "item", "views", side="user")
    schema = dataclasses.replace(SCHEMA, features=(*SCHEMA.features, more))
    words = "aged_sum cannot be used: the histories of views have no time"
    with pytest.raises(SpaceError, match=words):
        build_model(architecture(AGED), schema)
    with pytest.raises(SpaceError, match=words):
        needs_met(Space.read(parse_document(f"name: s\n{AGED}").data), schema)  # type: ignore[arg-type]
    build_model(architecture(TEXTS["all"]), schema)
