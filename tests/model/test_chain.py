"""Tasks that exist only after another: what is served is the product of probabilities."""

from __future__ import annotations

import math

import pytest
import torch

from automlrank.architecture import Architecture
from automlrank.blocks.parts.logits import Chain
from automlrank.data.dataset import Dataset
from automlrank.documents import parse_document
from automlrank.errors import SchemaError, SpaceError
from automlrank.model.network import build_model
from automlrank.schema import Schema, Task, read_schema
from automlrank.space.requirements import needs_met
from automlrank.space.space import Space


def architecture(rest: str) -> Architecture:
    text = f"{{architecture: a, embedding: {{dim: 4}}, {rest}}}"
    return Architecture.read(parse_document(text).data)  # type: ignore[arg-type]


def chance(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def test_a_childs_probability_is_multiplied_by_those_before_it() -> None:
    """click, buy of click, free, keep of buy: keep is the product of three."""
    logits = torch.tensor([[0.3, -1.0, 2.0, 0.5], [-4.0, 3.0, 0.0, -2.0]])
    chain = Chain((-1, 0, -1, 1), on_all_rows=False).eval()
    for row, out in zip(logits.tolist(), chain(logits).tolist(), strict=True):
        click, buy, _, keep = map(chance, row)
        expected = [click, click * buy, chance(row[2]), click * buy * keep]
        assert [chance(x) for x in out] == pytest.approx(expected, rel=1e-5)
        assert (out[0], out[2]) == (row[0], row[2])


def test_a_product_stays_finite_at_both_ends() -> None:
    logits = torch.tensor([[80.0, 80.0], [-80.0, -80.0], [80.0, -80.0]], requires_grad=True)
    out = Chain((-1, 0), on_all_rows=True)(logits)
    assert out.isfinite().all()
    expected = [80.0 - math.log(2.0), -160.0, -80.0]  # (1 + e^-80)^2 - 1 is 2 e^-80
    assert out[:, 1].tolist() == pytest.approx(expected)
    out.sum().backward()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_training_sees_the_product_on_the_entire_space_only() -> None:
    logits = torch.tensor([[0.3, -1.0]])
    assert torch.equal(Chain((-1, 0), on_all_rows=False).train()(logits), logits)
    entire = Chain((-1, 0), on_all_rows=True).train()(logits)
    assert torch.equal(entire, Chain((-1, 0), on_all_rows=False).eval()(logits))
    assert entire[0, 1] < -1.0


@pytest.mark.parametrize("interaction", ["mlp: {width: 8}", "linear: {}"])
def test_no_child_is_likelier_than_its_parent(dataset: Dataset, interaction: str) -> None:
    """Served logits of every architecture, one without a vector among them."""
    model = build_model(architecture(f"interaction: {{{interaction}}}"), dataset.schema, 0).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
        logits = model(dataset.request("valid", 50))
    assert (logits[:, 1] < logits[:, 0]).all()


def test_the_entire_space_needs_a_task_after_another(dataset: Dataset) -> None:
    space = Space.read(architecture("interaction: mlp, loss: esmm").to_data())
    free = Schema((Task("click"), Task("buy")), dataset.schema.features)
    needs_met(space, dataset.schema)
    with pytest.raises(SpaceError, match="loss: esmm cannot be used: the schema has no task that"):
        needs_met(space, free)


@pytest.mark.parametrize(
    ("tasks", "problem"),
    [
        ({"a": {"kind": "regression"}, "b": {"of": "a"}}, "a binary task, but got 'a'"),
        ({"a": {"weight": 0}}, "must be a number above 0, but got 0"),
        ({"a": {"weight": True}}, "must be a number above 0, but got True"),
    ],
)
def test_tasks_that_cannot_be_are_named(tasks: dict[str, object], problem: str) -> None:
    with pytest.raises(SchemaError, match=problem):
        read_schema({"tasks": tasks})


def test_a_tasks_weight_is_kept() -> None:
    schema = read_schema({"tasks": {"a": {}, "b": {"weight": 2}}})
    assert [task.weight for task in schema.tasks] == [1.0, 2.0]
    assert read_schema(schema.to_data()) == schema
