"""The same models of four libraries, each trained by its own step: for ``throughput.py``.

No dropout and no batch norm; our tables decay by the default L2, the others have none. Numbers are
what each library makes of them: a field of 16 with us and in FuxiCTR, an input of the MLP in
torch-rechub and DeepCTR-Torch, whose first product is smaller by a third.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from automlrank import Architecture, Dataset, build_model
from automlrank.training.step import Trainer
from automlrank.training.trainer import make_trainer
from benchmarks.parity.peer_models import peer_columns, peer_kinds
from benchmarks.parity.peers import FUXICTR_COMMON, fuxictr_features, load_file, without_batch_norm

DIM, BATCH, RATE = 16, 4096, 1e-3
WIDE3, WIDE2 = [400, 400, 400], [400, 400]
CROSSES, MAPS = 3, [16, 16, 16]
ATTENTIONS, HEADS, HEAD_WIDTH = 3, 2, 32
MLP3 = {"mlp": {"width": 400, "depth": 3}}
MLP2 = {"mlp": {"width": 400, "depth": 2}}
OURS: dict[str, Any] = {
    "deepfm": {"parallel": ["linear", "fm", MLP3]},
    "dcn_v2": {"parallel": [{"cross_net_v2": {"layers": CROSSES}}, MLP2]},
    "xdeepfm": {"parallel": ["linear", {"cin": {"layers": len(MAPS), "maps": MAPS[0]}}, MLP2]},
    "autoint": {"autoint": {"layers": ATTENTIONS, "heads": HEADS, "width": HEAD_WIDTH}},
    "mlp": {"mlp": {"width": 200, "depth": 2}},
}
OURS |= dict.fromkeys(("din", "dien"), OURS["mlp"])
WIDTHS, UNIT = [200, 200], 32  # of the MLP, and of din's scorer
FUXICTR: dict[str, tuple[str, str, dict[str, Any]]] = {
    "deepfm": ("DeepFM/DeepFM_torch", "DeepFM", {"hidden_units": WIDE3}),
    "dcn_v2": (
        "DCNv2",
        "DCNv2",
        {"parallel_dnn_hidden_units": WIDE2, "num_cross_layers": CROSSES},
    ),
    "xdeepfm": ("xDeepFM", "xDeepFM", {"dnn_hidden_units": WIDE2, "cin_hidden_units": MAPS}),
    "autoint": (
        "AutoInt",
        "AutoInt",
        {
            "dnn_hidden_units": [],
            "attention_layers": ATTENTIONS,
            "num_heads": HEADS,
            "attention_dim": HEADS * HEAD_WIDTH,
        },
    ),
}
Batch = Mapping[str, Tensor]
Step = Callable[[Any], object]
Feed = Callable[[Batch], Any]


def stepper(
    library: str, name: str, data: Dataset, kind: str, zoo: Path | None
) -> tuple[Feed, Step]:
    """A library's conversion of a batch of ours, and its step of training on the result.

    ``kind`` is of ours: empty, ``bf16``, or ``adagrad`` (in bf16).
    """
    torch.manual_seed(0)
    if library == "automlrank":
        return dict, ours(name, data, kind).step
    if library == "fuxictr":
        assert zoo is not None, "FuxiCTR's models are files of its repository: --fuxictr"
        return fuxictr(name, data, zoo)
    return (torch_rechub if library == "torch-rechub" else deepctr)(name, data)


def ours(name: str, data: Dataset, kind: str) -> Trainer:
    training = {"batch_size": BATCH, "learning_rate": RATE, "bf16": kind != ""}
    training |= {"optimizer": "adagrad"} if kind == "adagrad" else {}
    file = {"architecture": name, "interaction": OURS[name], "training": training}
    file |= {"history": name} if name in ("din", "dien") else {}
    architecture = Architecture.read(file)
    model = build_model(architecture, data.schema, 0)
    return make_trainer(model.train(), architecture, data.schema, data.labels("train"), "cpu")


def torch_rechub(name: str, data: Dataset) -> tuple[Feed, Step]:
    """A step of ``CTRTrainer`` without its progress bar. It has no xDeepFM; AutoInt has heads of
    8 and of the embedding's width in all; DIN takes no numbers; its MLP and DIEN's have Dice."""
    from torch_rechub.basic.features import DenseFeature, SequenceFeature, SparseFeature
    from torch_rechub.models.ranking import DIEN, DIN, AutoInt, DCNv2, DeepFM
    from torch_rechub.trainers import CTRTrainer

    kinds = peer_kinds(data)
    ids = [SparseFeature(f"c{i}", n, DIM) for i, (kind, n) in enumerate(kinds) if n]
    numbers = [DenseFeature(f"c{i}") for i, (kind, n) in enumerate(kinds) if not n]
    others, size = ids[:-1] + numbers, ids[-1].vocab_size
    target = SparseFeature(ids[-1].name, size, DIM, padding_idx=0)
    past, negatives = (
        SequenceFeature(name, size, DIM, "concat", target.name, padding_idx=0)
        for name in ("history", "negatives")
    )
    mlp = {"dims": WIDTHS}
    makers: dict[str, Callable[[], Any]] = {
        "din": lambda: DIN(ids[:-1], [past], [target], mlp, {"dims": [UNIT], "activation": "dice"}),
        "dien": lambda: DIEN(others, [past], [negatives], [target], mlp, alpha=0.1),
        "deepfm": lambda: DeepFM(ids + numbers, ids, {"dims": WIDE3}),
        "dcn_v2": lambda: DCNv2(
            ids + numbers, CROSSES, {"dims": WIDE2}, use_low_rank_mixture=False
        ),
        "autoint": lambda: AutoInt(ids, numbers, num_layers=ATTENTIONS, num_heads=HEADS),
    }
    model = without_batch_norm(makers[name]()).train()
    trainer = CTRTrainer(model, optimizer_params={"lr": RATE})

    def step(batch: tuple[dict[str, Tensor], Tensor]) -> object:
        predicted = model(batch[0])
        auxiliary = 0.0
        if name == "dien":
            predicted, auxiliary = predicted
        loss = trainer.criterion(predicted, batch[1]) + auxiliary
        loss = loss + trainer.reg_loss_fn(model)
        model.zero_grad()
        loss.backward()
        trainer.optimizer.step()
        return loss.item()

    def feed(batch: Batch) -> tuple[dict[str, Tensor], Tensor]:
        columns = peer_columns(batch, data)
        if name in ("din", "dien"):
            past = batch["history:H"]
            drawn = past[past > 0][torch.randint(int((past > 0).sum()), past.shape)]
            columns |= {"history": past, "negatives": drawn * (past > 0)}
        return columns, batch["labels"][:, 0]

    return feed, step


def deepctr(name: str, data: Dataset) -> tuple[Feed, Step]:
    """A step as in its ``fit``: one float matrix of all columns. Its DCN-V2 is ``DCN, matrix``."""
    from deepctr_torch.inputs import DenseFeat, SparseFeat
    from deepctr_torch.models import DCN, AutoInt, DeepFM, xDeepFM

    columns: Any = [
        SparseFeat(f"c{i}", n, DIM) if n else DenseFeat(f"c{i}", 1)
        for i, (_, n) in enumerate(peer_kinds(data))
    ]
    no_l2 = {"l2_reg_embedding": 0}
    both = no_l2 | {"l2_reg_linear": 0}
    makers: dict[str, Callable[[], Any]] = {
        "deepfm": lambda: DeepFM(columns, columns, dnn_hidden_units=WIDE3, **both),
        "dcn_v2": lambda: DCN(
            [],
            columns,
            CROSSES,
            "matrix",
            dnn_hidden_units=WIDE2,
            l2_reg_cross=0,
            **both,
        ),
        "xdeepfm": lambda: xDeepFM(columns, columns, WIDE2, tuple(MAPS), False, "linear", **both),
        "autoint": lambda: AutoInt(
            columns, columns, ATTENTIONS, HEADS, dnn_hidden_units=(), **no_l2
        ),
    }
    model = makers[name]().train()
    model.compile(torch.optim.Adam(model.parameters(), lr=RATE), "binary_crossentropy")

    def feed(batch: Batch) -> tuple[Tensor, Tensor]:
        return torch.stack([c.float() for c in peer_columns(batch, data).values()], 1), batch[
            "labels"
        ][:, 0]

    def step(batch: tuple[Tensor, Tensor]) -> object:
        predicted = model(batch[0]).squeeze(-1)
        model.optim.zero_grad()
        loss = F.binary_cross_entropy(predicted, batch[1], reduction="sum")
        total = loss + model.get_regularization_loss() + model.aux_loss
        total.backward()
        model.optim.step()
        return total.item()

    return feed, step


def fuxictr(name: str, data: Dataset, zoo: Path) -> tuple[Feed, Step]:
    """Its models' own ``train_step``, whose gradient is clipped as ours is."""
    specs = [
        {"type": "categorical" if size else "numeric", "vocab_size": size}
        for _, size in peer_kinds(data)
    ]
    folder, cls, settings = FUXICTR[name]
    source = load_file(zoo / folder / "src" / f"{cls}.py")
    model = getattr(source, cls)(
        fuxictr_features(specs, DIM), embedding_dim=DIM, **FUXICTR_COMMON, **settings
    )
    model.train()
    model._max_gradient_norm = 10.0

    def step(batch: dict[str, Tensor]) -> object:
        return model.train_step(batch).item()

    return lambda batch: peer_columns(batch, data) | {"label": batch["labels"]}, step
