"""Branches that read some columns only, or have a table of their own."""

from __future__ import annotations

import dataclasses
import re

import pytest
import torch
from test_inputs import SCHEMA, architecture, filled, is_same, random_weights, rows_of, values_of
from torch import Tensor

from automlrank.architecture import Architecture
from automlrank.architecture.shipped import architecture_for
from automlrank.errors import SpaceError
from automlrank.model.cost import cost, request_shapes
from automlrank.model.network import RankingModel, build_model
from automlrank.model.wiring import wire

READ = ("user", "taste", "liked", "hour", "item")
NOT_READ = ("age", "seen", "tags", "image")
FIELDS = f"fields: [{', '.join(READ)}]"
BODIES = {
    "mlp": "{mlp: {width: 8}, KEYS}",
    "raw columns": "{linear: {}, KEYS}",
    "a stack": "{stack: [senet, {mlp: {width: 8}}], KEYS}",
    "side by side": "{parallel: [linear, fm, {mlp: {width: 8}}], KEYS}",
}


def with_keys(body: str, keys: str) -> Architecture:
    return architecture(
        f"interaction: {BODIES[body].replace('KEYS', keys)}\nembedding: {{scale: 0.5}}"
    )


def changed(batch: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    """Another value of one column in every row."""
    feature = SCHEMA.feature(name)
    if feature.role in ("ids", "numbers"):
        request = feature.side != "item"
        key = f"{feature.role}:{'request' if request else 'item'}"
        place = [f.name for f in SCHEMA.of_role(feature.role, request=request)].index(name)
        x = batch[key].clone()
        x[:, place] = (x[:, place] + 1) % 5 if feature.role == "ids" else 7.0
    else:
        key = f"{feature.role}:{name}"
        x = torch.full_like(batch[key], 3)
    return {**batch, key: x}


@pytest.mark.parametrize("own", ["", ", embedding: own"])
@pytest.mark.parametrize("body", BODIES)
def test_what_is_not_named_is_not_read(body: str, own: str) -> None:
    """A change of a column that ``fields`` names moves the logits, of another it does not."""
    model = random_weights(with_keys(body, FIELDS + own))
    batch = rows_of(6)
    with torch.no_grad():
        before = model(batch)
        for name in READ:
            assert not torch.equal(model(changed(batch, name)), before), name
        for name in NOT_READ:
            assert torch.equal(model(changed(batch, name)), before), name


@pytest.mark.parametrize("body", BODIES)
def test_an_own_table_is_the_model_of_a_table_with_those_columns_only(body: str) -> None:
    """The logits are those of a model whose schema has the columns alone, weights copied."""
    few = SCHEMA.only(READ)
    model = random_weights(with_keys(body, f"{FIELDS}, embedding: own"))
    alone = build_model(with_keys(body, "embedding: own"), few).eval()
    weights = {plain(name): weight for name, weight in model.state_dict().items()}
    alone.load_state_dict({name: weights.pop(plain(name)) for name in alone.state_dict()})
    assert not weights
    batch = rows_of(6)
    with torch.no_grad():
        is_same(alone(only(batch, READ)), model(batch))


def plain(name: str) -> str:
    """A parameter's name without its place: ``interaction_1_table.weight``, ``table.weight``."""
    return re.sub(r"^interaction_|\d+_", "", name)


def only(batch: dict[str, Tensor], names: tuple[str, ...]) -> dict[str, Tensor]:
    """The batch of the schema that has these columns alone."""
    for side in ("request", "item"):
        for role in ("ids", "numbers"):
            columns = SCHEMA.of_role(role, request=side == "request")
            places = [i for i, column in enumerate(columns) if column.name in names]
            batch = {**batch, f"{role}:{side}": batch[f"{role}:{side}"][:, places]}
    return batch


def test_behind_a_gate_a_branch_reads_the_gated_fields() -> None:
    """In the order of the fields that flow in: request before item, ids before numbers."""
    model = random_weights(
        architecture(f"gate: senet\nhistory: mean_pool\ninteraction: {{mlp: {{}}, {FIELDS}}}")
    )
    values = values_of(model, rows_of(6))
    order = ["seen", "user", "age", "hour", "liked", "taste", "item", "tags", "image"]
    places = [order.index(name) for name in order if name in READ]
    is_same(values["interaction_reads_0_gated_fields"], values["gate_senet_out"][:, places])


def test_an_own_table_reads_statistics_and_interests_as_they_are() -> None:
    """Behind its own columns stand the same interests as behind the shared ones, ungated."""
    text = "gate: senet\nhistory: din\ninteraction: {parallel: [fm, {mlp: {}, embedding: own}]}"
    values = values_of(random_weights(architecture(text)), rows_of(6))
    own, shared = values["interaction_1_all_fields"], values["all_fields"]
    is_same(own[:, 9:], shared[:, 9:])
    assert not torch.equal(own[:, :9], shared[:, :9])


def test_own_tables_decay_and_count() -> None:
    text = "interaction: {parallel: [fm, {mlp: {}, embedding: own, fields: [user]}]}"
    read = architecture(f"{text}\nembedding: {{l2: 0.7, dim: 4}}")
    decays = wire(read, SCHEMA).decays
    assert decays == {"table.weight": 0.7, "interaction_1_table.weight": 0.7}
    rows = (11 + 6 + 9 + 7) + 11
    assert cost(wire(read, SCHEMA), SCHEMA).embedding_bytes == 4 * 4 * rows


def test_a_table_that_nothing_reads_is_not_made() -> None:
    """Own tables of some columns: no shared one; the first own one of all columns is shared."""
    text = "interaction: {parallel: [{fm: {}, embedding: own, fields: [user, item]}, linear]}"
    assert "table" not in wire(architecture(text), SCHEMA).modules
    both = "interaction: {parallel: [{fm: {}, embedding: own}, {mlp: {}, embedding: own}]}"
    one = "interaction: {parallel: [fm, {mlp: {}, embedding: own}]}"
    assert architecture(both).fingerprint == architecture(one).fingerprint
    tables = [name for name in wire(architecture(both), SCHEMA).modules if "table" in name]
    assert tables == ["table", "interaction_1_table"]


def test_what_reads_the_user_alone_runs_once_and_scores_every_candidate() -> None:
    read = architecture("interaction: {mlp: {width: 8}, fields: [user, age]}")
    plan = wire(read, SCHEMA)
    assert "item_embedding" not in plan.modules
    assert {step.output for step in plan.steps if step.request} >= {"interaction_mlp_out"}
    model = random_weights(read)
    with torch.no_grad():
        scores = model(filled(request_shapes(SCHEMA, 7)))
    assert scores.shape == (7, 2)
    assert (scores == scores[0]).all()


def test_histories_that_no_branch_reads_are_not_encoded() -> None:
    plain = architecture(f"interaction: {{mlp: {{}}, {FIELDS}}}")
    unread = architecture(f"history: din\ninteraction: {{mlp: {{}}, {FIELDS}}}")
    gated = architecture(f"history: din\ngate: senet\ninteraction: {{mlp: {{}}, {FIELDS}}}")
    assert unread.fingerprint == plain.fingerprint
    assert "history_clicks_encoder_din" in wire(gated, SCHEMA).modules


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("fields: [usr]", "the schema has no column 'usr'. Did you mean 'user'?"),
        ("fields: [clicks_tags]", "clicks_tags is a history: no branch can read it by itself."),
    ],
)
@pytest.mark.parametrize("body", BODIES)
def test_names_that_the_schema_lacks_are_told(body: str, keys: str, words: str) -> None:
    """Where a space meets its schema, with the line; and at wiring, for who comes from Python."""
    read = with_keys(body, keys)
    with pytest.raises(SpaceError) as wired:
        wire(read, SCHEMA)
    assert words in str(wired.value)
    with pytest.raises(SpaceError) as met:
        architecture_for(SCHEMA, read.to_data())
    assert words in str(met.value)
    assert met.value.faults[0].path.endswith("fields")


def test_the_order_of_the_weights_is_that_of_the_names() -> None:
    one, other = (
        architecture(f"interaction: {{mlp: {{width: 8}}, fields: [{names}]}}")
        for names in ("user, item", "item, user")
    )
    assert one.fingerprint == other.fingerprint
    batch = rows_of(4)
    models: list[RankingModel] = [build_model(a, SCHEMA, seed=0).eval() for a in (one, other)]
    assert torch.equal(models[0](batch), models[1](batch))


def test_a_reading_further_on_is_refused_at_wiring() -> None:
    """The check tells it of files; an architecture may come without."""
    from automlrank.architecture import ScopedPart, StackPart

    plain = architecture("interaction: {mlp: {width: 8}}")
    wrong = StackPart((plain.interaction, ScopedPart(plain.interaction, ("user",), False)))
    with pytest.raises(SpaceError, match="where the stage begins"):
        wire(dataclasses.replace(plain, interaction=wrong), SCHEMA)
