"""Handling the modules of other libraries."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from torch import nn


def load_file(path: Path) -> Any:
    """A Python file as a module, without its package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def without_batch_norm(module: Any) -> Any:
    """The module with the identity in the place of batch norms."""
    for part in list(module.modules()):
        for name, child in list(part.named_children()):
            if isinstance(child, nn.BatchNorm1d):
                setattr(part, name, nn.Identity())
    return module


def fuxictr_features(specs: list[dict[str, Any]], dim: int) -> Any:
    """FuxiCTR's description of columns ``c0``, ``c1``, ... with embeddings of one width."""
    from fuxictr.features import FeatureMap

    features = FeatureMap("data", "")
    features.features = {f"c{i}": {"source": "", **spec} for i, spec in enumerate(specs)}
    features.labels, features.default_emb_dim = ["label"], dim
    features.num_fields = features.get_num_fields()
    return features


FUXICTR_COMMON = {
    "verbose": 0,
    "model_root": "",
    "metrics": ["AUC"],
    "optimizer": "adam",
    "loss": "binary_crossentropy",
}
"""What every model of FuxiCTR asks for, though only its own loop would use it."""
