"""Architecture search for deep ranking models: AUC against latency, exported as training code.

    Schema, Dataset      what the columns are; the encoded table
    Space, Architecture  what may be built; one point of it
    blocks.BLOCKS        every block by its name
    build_model          an architecture as a torch module
    search               the main job; gives a Result with .front, .trials, .best, .export

Reading order, which is the order of imports and of the data:

    errors files documents schema blocks data space architecture model serving measurement
    audit training runs candidates study finals workers report codegen jobs cli
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from automlrank.architecture import Architecture as Architecture
    from automlrank.data.dataset import Dataset as Dataset
    from automlrank.jobs.search import search as search
    from automlrank.model.network import build_model as build_model
    from automlrank.schema import Schema as Schema
    from automlrank.space.space import Space as Space

# Waiting threads sleep and do not spin: two trainings on one machine leave each other the cores.
# OpenMP reads this when torch or LightGBM loads it; what a user has set stands.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # GNU, of the Linux wheels of both
os.environ.setdefault("KMP_BLOCKTIME", "0")  # LLVM and Intel, of other wheels

__version__ = "0.1.0"
_HOMES = {
    "Architecture": "automlrank.architecture",
    "Dataset": "automlrank.data.dataset",
    "Schema": "automlrank.schema",
    "Space": "automlrank.space.space",
    "build_model": "automlrank.model.network",
    "search": "automlrank.jobs.search",
}
__all__ = ["Architecture", "Dataset", "Schema", "Space", "build_model", "search"]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: torch takes seconds, ``--help`` must not."""
    if name == "blocks":
        return importlib.import_module("automlrank.blocks")
    if name not in _HOMES:
        raise AttributeError(f"module 'automlrank' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
