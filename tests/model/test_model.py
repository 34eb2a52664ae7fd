"""The wiring plan: every stage, the user's side once, the cost on shapes."""

from __future__ import annotations

from operator import attrgetter

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from automlrank.architecture import Architecture, draw
from automlrank.blocks import BLOCKS
from automlrank.blocks.domains import Domain, Range, Scalar
from automlrank.blocks.parts.losses import task_gradients
from automlrank.data.dataset import Dataset
from automlrank.data.synthetic import synthetic_schema
from automlrank.documents import parse_document
from automlrank.errors import SpaceError
from automlrank.model.cost import cost, request_shapes
from automlrank.model.network import RankingModel, build_model
from automlrank.model.wiring import wire
from automlrank.schema import Schema
from automlrank.space.requirements import fit_to
from automlrank.space.shipped import shipped
from automlrank.space.space import Space
from automlrank.training import tables
from automlrank.training.loop import fit
from automlrank.training.trainer import make_trainer

ZOO = sorted(name for name, path in shipped().items() if path.parent.name == "zoo")
RICH = """
architecture: rich
history: {parallel: [din, mean_pool]}
gate: senet
interaction:
  parallel:
    - linear
    - fm
    - {stack: [senet, {parallel: [{mlp: {width: 8}}, linear]}, {mlp: {width: 8}}]}
    - bridge
  merge: gated_sum
scenario: scenario_towers
tasks: mmoe
tower: ppnet
"""

BRANCHES = """
architecture: branches
history: mean_pool
gate: senet
interaction:
  parallel:
    - {linear: {}, fields: [user_id, page]}
    - {mlp: {width: 8}, fields: [user_id, page]}
    - {stack: [senet, {mlp: {width: 8}}], embedding: own, fields: [item_id, price, tags]}
    - {parallel: [fm, {mlp: {width: 8}}], embedding: own}
tower: ppnet
"""


def read(text: str) -> Architecture:
    return Architecture.read(parse_document(text).data)  # type: ignore[arg-type]


def architectures() -> list[Architecture]:
    zoo = [Architecture.read(shipped()[name]) for name in ZOO]
    return [*zoo, read(RICH), read(BRANCHES), *(drawn(seed) for seed in range(12))]


def drawn(seed: int) -> Architecture:
    rng = np.random.default_rng(seed)

    def decide(path: str, domain: Domain) -> Scalar:
        if isinstance(domain, Range):
            return domain.coerce(float(rng.uniform(domain.low, domain.high)))
        return domain.values[int(rng.integers(len(domain.values)))]

    return draw(fit_to(Space.read(shipped()["ctr"]), synthetic_schema()), decide)


def fitted(schema: Schema) -> Schema:
    """Nine ids in every column."""
    return schema.fitted({f.name: 9 for f in schema.features if f.kind != "history"})


def with_history(dataset: Dataset) -> int:
    """A row of the validation split whose history is not empty."""
    batch = dataset.take("valid", np.arange(200))
    name = dataset.schema.of_role("history")[0].name
    return int((batch[f"history:{name}"] > 0).any(dim=1).int().argmax())


def repeated(request: dict[str, Tensor], rows: int) -> dict[str, Tensor]:
    return {key: x.expand(rows, *x.shape[1:]) for key, x in request.items()}


@pytest.mark.parametrize("architecture", architectures(), ids=lambda a: a.name + a.fingerprint[:6])
class TestEveryArchitecture:
    def test_the_users_side_runs_once_and_gives_the_same(
        self, architecture: Architecture, dataset: Dataset
    ) -> None:
        """A request's logits are those of rows that repeat the user, to 1e-5; its steps marked
        as the request's really run at batch 1."""
        model = build_model(architecture, dataset.schema, seed=0).eval()
        request = dataset.request("valid", 7, index=with_history(dataset))
        with torch.no_grad():
            once, rows = model(request), model(repeated(request, 7))
        assert once.shape == (7, 2)
        torch.testing.assert_close(once, rows, atol=1e-5, rtol=1e-4)
        values: dict[str, object] = dict(request)
        for step in model.plan.live_steps:
            call = attrgetter(step.call)(model) if isinstance(step.call, str) else step.call
            values[step.output] = call(*(values[n] for n in step.inputs), *step.constants)
            value = values[step.output]
            if step.request and not step.output.endswith("table") and isinstance(value, Tensor):
                assert value.shape[0] == 1, step

    def test_the_same_seed_gives_the_same_weights(
        self, architecture: Architecture, dataset: Dataset
    ) -> None:
        torch.manual_seed(5)
        before = torch.random.get_rng_state()
        one, other = (build_model(architecture, dataset.schema, seed=3) for _ in range(2))
        assert torch.equal(before, torch.random.get_rng_state())
        for a, b in zip(one.parameters(), other.parameters(), strict=True):
            assert torch.equal(a, b)

    def test_a_gradient_reaches_every_parameter(
        self, architecture: Architecture, dataset: Dataset
    ) -> None:
        model = build_model(architecture, dataset.schema, seed=0).train()
        batch = dataset.take("train", np.arange(256))
        torch.manual_seed(0)
        model(batch).square().sum().backward()
        missing = [name for name, p in model.named_parameters() if p.grad is None]
        assert missing == []

    def test_the_cost_counts_what_the_model_has(
        self, architecture: Architecture, dataset: Dataset
    ) -> None:
        model = build_model(architecture, dataset.schema)
        counted = cost(model.plan, dataset.schema)
        assert counted.parameters == sum(p.numel() for p in model.parameters())
        twice = cost(model.plan, dataset.schema, candidates=400)
        assert counted.matmul_flops <= twice.matmul_flops <= 2 * counted.matmul_flops

    def test_decays_name_parameters(self, architecture: Architecture, dataset: Dataset) -> None:
        model = build_model(architecture, dataset.schema)
        assert set(model.plan.decays) <= {name for name, _ in model.named_parameters()}


def test_other_rows_do_not_matter(dataset: Dataset) -> None:
    """In eval mode a row's logit depends on that row alone."""
    model = build_model(read(RICH), dataset.schema, seed=0).eval()
    batch = dataset.take("valid", np.arange(50))
    with torch.no_grad():
        part = model({key: x[:5] for key, x in batch.items()})
        torch.testing.assert_close(model(batch)[:5], part, atol=1e-5, rtol=1e-4)


def test_the_user_once_saves_work(dataset: Dataset) -> None:
    """Mean pooling reads no candidate: 200 candidates cost its keys once."""
    architecture = read("architecture: a\nhistory: mean_pool\ninteraction: {mlp: {width: 8}}")
    plan = wire(architecture, dataset.schema)
    request_steps = {step.output for step in plan.steps if step.request}
    assert {"request_fields", "history_clicks_keys", "history_clicks_interest"} <= request_steps
    assert "fields_flat" not in request_steps


def test_no_embedding_where_nothing_reads_fields(dataset: Dataset) -> None:
    model = build_model(read("architecture: lr\ninteraction: linear"), dataset.schema)
    assert "table.weight" not in model.state_dict()
    assert cost(model.plan, dataset.schema).embedding_bytes == 0


def model_architecture() -> Architecture:
    return read("architecture: lr\ninteraction: linear")


def test_wiring_agrees_with_the_check() -> None:
    """What `space check` accepts is wired, what it refuses is not."""
    schema = fitted(synthetic_schema())
    for text in ("{stack: [mlp, fm]}", "{stack: [mlp, cin]}"):
        data = parse_document(f"architecture: a\ninteraction: {text}").data
        with pytest.raises(SpaceError):
            Space.read(data)  # type: ignore[arg-type]
        with pytest.raises(SpaceError):
            wire(Architecture.read(data), schema)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "lacks", "words"),
    [
        ("history: din", "history", "no history column"),
        ("tower: ppnet", "context", "no column as context"),
        ("scenario: scenario_towers", "scenario", "names no scenario"),
        ("tasks: mmoe", "tasks", "one task only"),
    ],
)
def test_a_schema_that_lacks_what_a_block_needs_is_refused(
    text: str, lacks: str, words: str
) -> None:
    import dataclasses

    schema = synthetic_schema()
    features = [f for f in schema.features if f.kind != "history" or lacks != "history"]
    if lacks == "context":
        features = [
            dataclasses.replace(f, context=False) if hasattr(f, "context") else f for f in features
        ]
    schema = dataclasses.replace(
        schema,
        features=tuple(features),
        scenario=None if lacks == "scenario" else schema.scenario,
        tasks=schema.tasks[:1] if lacks == "tasks" else schema.tasks,
    )
    with pytest.raises(SpaceError, match=words):
        wire(read(f"architecture: a\ninteraction: mlp\n{text}"), fitted(schema))


def test_an_unfitted_schema_is_refused() -> None:
    with pytest.raises(SpaceError, match="no sizes yet"):
        wire(model_architecture(), synthetic_schema())


def test_names_from_data_never_become_code() -> None:
    """Columns and tasks with any characters: module names are identifiers, no two alike."""
    from automlrank.data.synthetic import synthetic_frame
    from automlrank.schema import read_schema

    frame, schema = synthetic_frame(300)
    data = parse_document("{}").data
    renamed = {"click": 'cl"ick\n', "buy": "class", "history_item_id": "</script>", "tags": "🙂"}
    text = repr(schema.to_data())
    for old, new in renamed.items():
        text = text.replace(f"'{old}'", repr(new))
    import ast

    data = ast.literal_eval(text)
    dataset = Dataset.open(frame.rename(renamed), read_schema(data))
    model = RankingModel(wire(read(RICH), dataset.schema))
    assert all(name.isidentifier() for name, _ in model.named_children())
    assert model(dataset.request("valid", 3)).shape == (3, 2)


def test_request_shapes_are_a_batch(dataset: Dataset) -> None:
    real = dataset.request("valid", 5)
    assert request_shapes(dataset.schema, 5).keys() == real.keys()


@pytest.mark.parametrize(
    ("interaction", "shared"),
    [("{mlp: {width: 8}}", "interaction_mlp.layers.2.weight"), ("none", "table.weight")],
)
def test_the_last_shared_layer_is_a_layer_and_else_the_table(
    interaction: str, shared: str, dataset: Dataset
) -> None:
    """No column's own vectors: they have no gradient where the column is never null."""
    made = read(f"{{architecture: a, interaction: {interaction}, balance: gradnorm}}")
    assert wire(made, dataset.schema).shared == (shared,)


def task_losses(logits: Tensor, batch: dict[str, Tensor]) -> Tensor:
    labels = batch["labels"].nan_to_num(0.0)
    return binary_cross_entropy_with_logits(logits, labels, reduction="none").mean(dim=0)


@pytest.mark.parametrize("row_wise", [1, 10**9])
def test_the_tasks_gradients_in_a_table_are_those_of_its_rows(
    row_wise: int, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sparse or dense, GradNorm sees the same norms: rows that no batch reads have none."""
    monkeypatch.setattr(tables, "ROW_WISE_ROWS", row_wise)
    made = read("{architecture: a, interaction: none, balance: gradnorm}")
    model = build_model(made, dataset.schema, 0)
    table, batch = model.get_parameter("table.weight"), dataset.take("train", np.arange(64))
    whole = task_gradients(task_losses(model(batch), batch), [table])
    trainer = make_trainer(model, made, dataset.schema, dataset.labels("train"), "cpu")
    with trainer.tables.look_ups():
        logits = model(batch)
    read_rows = task_gradients(task_losses(logits, batch), [table])
    assert read_rows.shape[1] < whole.shape[1]
    torch.testing.assert_close(read_rows @ read_rows.T, whole @ whole.T)


@pytest.mark.parametrize("structure", [name for name in BLOCKS.of("tasks") if name != "none"])
def test_every_task_reaches_the_layer_that_a_structure_shares(
    structure: str, dataset: Dataset
) -> None:
    """What balances look at exists in the model, and no task's gradient there is zero."""
    made = read(
        f"{{architecture: a, interaction: {{mlp: {{width: 8}}}}, tasks: {structure}, "
        "balance: gradnorm}"
    )
    model = build_model(made, dataset.schema, 0)
    assert len(model.plan.shared) == 1
    assert model.plan.shared[0].startswith("tasks_stage")
    batch = dataset.take("train", np.arange(256))
    layer = [model.get_parameter(name) for name in model.plan.shared]
    assert (task_gradients(task_losses(model(batch), batch), layer).norm(dim=1) > 0).all()


@pytest.mark.parametrize("balance", BLOCKS.of("balance"))
def test_weights_keep_their_sum_in_a_whole_training(balance: str, dataset: Dataset) -> None:
    """The number of tasks, of Pareto 1; uncertainty's are free."""
    made = read(
        f"{{architecture: a, interaction: none, tasks: mmoe, balance: {balance}, "
        "training: {epochs: 2, batch_size: 256}}"
    )
    model = build_model(made, dataset.schema, 0)
    ends = [s for s in fit(model, made, dataset, seed=0) if s.scores]
    sums = [sum(end.weights.values()) for end in ends if end.weights]
    total = {"fixed": [], "pareto": [1.0] * 2}.get(balance, [float(len(dataset.schema.tasks))] * 2)
    if balance != "uncertainty":
        assert sums == pytest.approx(total, rel=1e-5)
