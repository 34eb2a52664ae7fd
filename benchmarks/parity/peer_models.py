"""The same models of other libraries, fed with our encoded rows; ``auc_parity.py`` trains them.

FuxiCTR ships its layers to PyPI but not its models: they are files of its repository, loaded from
a checkout (``git clone --depth 1 --branch v2.3.10 https://github.com/reczoo/FuxiCTR``).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from automlrank import Dataset
from benchmarks.parity.peers import FUXICTR_COMMON, fuxictr_features, load_file, without_batch_norm

DIM, HIDDEN = 16, [256, 256]
CROSSES, CIN_MAPS = 3, [16, 16]
ATTENTIONS, HEADS = 3, 2  # of width DIM / HEADS, so that a layer's output is as wide as its input

FUXICTR: Mapping[str, tuple[str, str, dict[str, Any]]] = {
    "wide_deep": ("WideDeep/WideDeep_torch", "WideDeep", {"hidden_units": HIDDEN}),
    "deepfm": ("DeepFM/DeepFM_torch", "DeepFM", {"hidden_units": HIDDEN}),
    "dcn_v2": (
        "DCNv2",
        "DCNv2",
        {"parallel_dnn_hidden_units": HIDDEN, "num_cross_layers": CROSSES},
    ),
    "xdeepfm": ("xDeepFM", "xDeepFM", {"dnn_hidden_units": HIDDEN, "cin_hidden_units": CIN_MAPS}),
    "autoint": (
        "AutoInt",
        "AutoInt",
        {
            "dnn_hidden_units": [],
            "attention_layers": ATTENTIONS,
            "num_heads": HEADS,
            "attention_dim": DIM,
        },
    ),
}


def peer_columns(batch: Mapping[str, Tensor], data: Dataset) -> dict[str, Tensor]:
    """A batch as other libraries take it: a tensor a column; they have no null number, 0 stands in.

    Our numbers are scaled, so that 0 is the mean. Columns are numbered: a name may be any text.
    """
    columns = []
    for role in ("ids", "numbers"):
        columns += [batch[f"{role}:{side}"] for side in ("request", "item")]
    single = [c for part in columns for c in part.nan_to_num(0.0).unbind(1)]
    bags = [batch[f"multi:{f.name}"] for f in data.schema.of_role("multi")]
    return {f"c{i}": column for i, column in enumerate([*single, *bags])}


def peer_kinds(data: Dataset) -> list[tuple[str, int]]:
    """The kind and the number of ids of each of ``peer_columns``."""
    schema, sides = data.schema, (True, False)
    ids = [("categorical", f.size) for side in sides for f in schema.of_role("ids", request=side)]
    numbers = [("numeric", 0)] * len(schema.of_role("numbers"))
    return [*ids, *numbers, *(("sequence", f.size) for f in schema.of_role("multi"))]


class Fuxictr(nn.Module):
    """A model of FuxiCTR: probabilities of a batch."""

    def __init__(self, name: str, data: Dataset, zoo: Path) -> None:
        super().__init__()
        specs: list[dict[str, Any]] = []
        for kind, size in peer_kinds(data):
            specs.append({"type": kind, "vocab_size": size})
            if kind == "sequence":
                pool = {"feature_encoder": "layers.MaskedAveragePooling()", "padding_idx": 0}
                specs[-1] |= pool
        folder, cls, settings = FUXICTR[name]
        source = load_file(zoo / folder / "src" / f"{cls}.py")
        features = fuxictr_features(specs, DIM)
        self.data = data
        self.model = getattr(source, cls)(features, embedding_dim=DIM, **FUXICTR_COMMON, **settings)

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        found: Tensor = self.model(peer_columns(batch, self.data))["y_pred"]
        return found.squeeze(1)  # [batch]


class TorchRechub(nn.Module):
    """A model of torch-rechub: probabilities of a batch.

    Its MLP always has batch norms; they are taken out, since the others have none here. Numbers
    stay numbers in the MLP and the cross network, and are no fields of FM; a linear part reads
    the embeddings and has no weights of its own per id. It has no xDeepFM.
    """

    def __init__(self, name: str, data: Dataset) -> None:
        super().__init__()
        from torch_rechub.basic.features import DenseFeature, SequenceFeature, SparseFeature
        from torch_rechub.models.ranking import AutoInt, DCNv2, DeepFM, WideDeep

        sparse: list[Any] = []
        dense: list[Any] = []
        for i, (kind, size) in enumerate(peer_kinds(data)):
            if kind == "categorical":
                sparse.append(SparseFeature(f"c{i}", size, DIM))
            elif kind == "sequence":
                sparse.append(SequenceFeature(f"c{i}", size, DIM, "mean", padding_idx=0))
            else:
                dense.append(DenseFeature(f"c{i}"))
        mlp = {"dims": HIDDEN}
        makers = {
            "wide_deep": lambda: WideDeep(sparse + dense, sparse + dense, mlp),
            "deepfm": lambda: DeepFM(sparse + dense, sparse, mlp),
            "dcn_v2": lambda: DCNv2(sparse + dense, CROSSES, mlp, use_low_rank_mixture=False),
            "autoint": lambda: AutoInt(sparse, dense, num_layers=ATTENTIONS, num_heads=HEADS),
        }
        self.data = data
        self.model = without_batch_norm(makers[name]())

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        found: Tensor = self.model(peer_columns(batch, self.data))
        return found  # [batch]
