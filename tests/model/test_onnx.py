"""A model as an ONNX graph: the same logits, for every block, at every size of a request."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from automlrank.architecture import Architecture
from automlrank.blocks import BLOCKS
from automlrank.codegen.onnx import CANDIDATES, TOLERANCE
from automlrank.codegen.random_rows import random_request
from automlrank.data.dataset import Dataset
from automlrank.data.synthetic import synthetic_frame
from automlrank.model.network import RankingModel, build_model
from automlrank.model.serving.onnx import feed_of, input_names, open_session, write_onnx
from automlrank.schema import Schema

STAGES = ("history", "gate", "scenario", "tasks", "tower", "statistics")
SMALL = {"width": 8, "depth": 1, "layers": 1, "heads": 1, "maps": 4}


def of(family: str) -> list[str]:
    return [name for name in BLOCKS.of(family) if name != "none"]


def small(name: str) -> dict[str, object]:
    """The block with small knobs, where it has them and may be so small."""
    knobs = BLOCKS[name].knobs()
    return {name: {k: v for k, v in SMALL.items() if k in knobs and v in knobs[k].legal}}


def architectures() -> list[Architecture]:
    """Every block of every family in one of them: interactions all at once, stages in turn."""
    branches = [{"parallel": [small("mlp"), "cross_net"], "merge": name} for name in of("merge")]
    made: list[dict[str, object]] = [
        {"interaction": {"parallel": [small(name) for name in of("interaction")]}}
    ]
    for i in range(max(len(of(family)) for family in STAGES)):
        stages = {family: small(of(family)[i % len(of(family))]) for family in STAGES}
        made.append({**stages, "interaction": {"parallel": branches}})
    named = ({"architecture": f"turn {i}", **each} for i, each in enumerate(made))
    return [Architecture.read({"embedding": {"dim": 4}, **each}) for each in named]


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Schema:
    frame, schema = synthetic_frame(600)
    return Dataset.open(frame, schema, cache=tmp_path_factory.mktemp("cache")).schema


def build(architecture: Architecture, schema: Schema) -> RankingModel:
    """With weights all drawn: zeros would make different models agree."""
    model = build_model(architecture, schema, seed=1).eval()
    generator = torch.Generator().manual_seed(2)
    for parameter in model.parameters():
        parameter.data += 0.2 * torch.randn(parameter.shape, generator=generator)
    return model


def test_every_block_is_in_a_graph() -> None:
    families = (*STAGES, "merge", "interaction")
    wanted = set(itertools.chain.from_iterable(map(of, families)))
    used = {block.name for one in architectures() for _, block in one.blocks()}
    assert wanted <= used | {"concat"}  # parallel concats are merged into what follows


@pytest.mark.parametrize("architecture", architectures(), ids=lambda a: a.name)
def test_the_graph_gives_the_models_logits(
    architecture: Architecture, schema: Schema, tmp_path: Path
) -> None:
    """One, seven and 200 candidates, lists of other lengths than were traced."""
    model = build(architecture, schema)
    write_onnx(model, schema, tmp_path / "model.onnx")
    session = open_session(tmp_path / "model.onnx", threads=1)
    for seed, candidates in enumerate(CANDIDATES):
        request = random_request(schema, candidates, seed)
        with torch.inference_mode():
            ours = model(request).numpy()
        (theirs,) = session.run(None, feed_of(model, request))
        assert theirs.shape == (candidates, 2)
        np.testing.assert_allclose(theirs, ours, rtol=TOLERANCE, atol=TOLERANCE)
        assert np.ptp(theirs, axis=0).min() > 0 or candidates == 1


def test_inputs_have_names_that_any_runtime_takes(schema: Schema, tmp_path: Path) -> None:
    """Only what the model reads is asked for, and no two names meet."""
    model = build(Architecture.read({"architecture": "x", "interaction": "linear"}), schema)
    names = input_names(model)
    assert set(names) == {
        *("ids:request", "ids:item", "numbers:request", "numbers:item", "multi:tags"),
    }
    assert names["ids:request"] == "ids_request"
    write_onnx(model, schema, tmp_path / "model.onnx")
    graph = onnx.load(tmp_path / "model.onnx")
    assert [value.name for value in graph.graph.input] == list(names.values())
    assert [value.name for value in graph.graph.output] == ["logits"]
    assert all(value.name.isidentifier() for value in graph.graph.input)


def test_names_that_would_meet_are_told_apart(schema: Schema) -> None:
    class Twins:
        plan = build(Architecture.read({"architecture": "x", "interaction": "linear"}), schema).plan

    steps = [step for step in Twins.plan.steps if "multi:tags" in step.inputs]
    assert steps
    object.__setattr__(steps[0], "inputs", ("multi:a b", "multi:a-b"))
    names = input_names(Twins())  # type: ignore[arg-type]
    assert names["multi:a b"] == "multi_a_b"
    assert names["multi:a-b"] not in (
        "multi_a_b",
        *(n for k, n in names.items() if k != "multi:a-b"),
    )


def test_the_model_trains_on_as_before(schema: Schema, tmp_path: Path) -> None:
    architecture = Architecture.read({"architecture": "x", "interaction": {"mlp": {"width": 8}}})
    model = build(architecture, schema).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    write_onnx(model, schema, tmp_path / "model.onnx")
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
