"""Architecture search for deep ranking models: AUC against latency, exported as training code.

A ranking model is built from *blocks*: an embedding, an encoder of histories, interactions of
fields, towers for the tasks. A *space* declares which blocks may stand where and which values
their knobs may take; an *architecture* is one point of it, in the same grammar with every choice
made. A search draws architectures from a space, measures their latency, trains them on a table and
keeps the front: architectures that no other beats in both metric and latency. Each of them can be
exported as code that needs no automlrank.

Flow of the data::

    table ──read, split, encode──▶ Dataset ──────────┐
    schema.yaml ──▶ Schema ──────────┤               │
    space.yaml ──▶ Space ──draw──▶ Architecture ──wire──▶ Plan ──▶ module, cost, exported source
                                                     │
                              train, score, measure the latency ──▶ Record
                                                     │
                    many trials, then the finalists ──▶ Result: front, report, export

Three concepts have an open form and a decided form::

    Space          Architecture     every choice made; equal ones have equal fingerprints
    Domain         a value          a set of values that a knob may take; the one it takes
    Expression     Part             choose, stack, parallel, repeat; the blocks that were chosen

The rooms, in the order of imports: each imports only from those above it. ``tests/test_imports``
holds the order and this table::

    printable      text as a person sees it
    errors         every error that is raised on purpose
    files          text files written atomically; outputs refused early
    documents      YAML and JSON as plain data, YAML with its lines
    options        options of commands and functions, each declared once
    schema         columns and tasks of a table
    blocks         parts of models: a declaration and a module in one file each; BLOCKS
    data           a table read, split, encoded and stored
    space          the grammar of spaces, and the check that every draw can be wired
    architecture   one point of a space in canonical form
    measurement    metrics, their uncertainty, latency
    model          the plan of a model, the module that runs it, the runtimes that serve it
    audit          suspicious columns, labels and histories of a table
    training       one model trained; boosted trees beside it
    runs           a run on disk: its folder, records and results
    candidates     an architecture or another reference, trained and measured
    study          the trials of a search, proposed by Optuna
    finals         finalists: trained with several seeds, scored on the test split, compared
    workers        the processes of a search
    report         a run's page and tables
    codegen        an architecture printed as code
    jobs           the functions behind the commands
    cli            the command line
    testing        tests that every block must pass, for blocks of other packages

Names below are imported on first use: importing torch takes seconds; ``--help`` must not wait.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from automlrank.architecture import Architecture as Architecture
    from automlrank.blocks import BLOCKS as BLOCKS
    from automlrank.data.dataset import Dataset as Dataset
    from automlrank.jobs.export import export as export
    from automlrank.jobs.inspect import inspect as inspect
    from automlrank.jobs.result import Result as Result
    from automlrank.jobs.result import load_run as load_run
    from automlrank.jobs.search import search as search
    from automlrank.jobs.train import train as train
    from automlrank.model.network import build_model as build_model
    from automlrank.runs.record import Record as Record
    from automlrank.schema import Schema as Schema
    from automlrank.space.space import Space as Space

# Waiting threads sleep and do not spin: two trainings on one machine leave each other the cores.
# OpenMP reads this when torch or LightGBM loads it; what a user has set stands.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # GNU, of the Linux wheels of both
os.environ.setdefault("KMP_BLOCKTIME", "0")  # LLVM and Intel, of other wheels

__version__ = "0.1.0"  # the only place: pyproject.toml reads it here
__all__ = [
    "BLOCKS",
    "Architecture",
    "Dataset",
    "Record",
    "Result",
    "Schema",
    "Space",
    "build_model",
    "export",
    "inspect",
    "load_run",
    "search",
    "train",
]
_HOMES = {
    "BLOCKS": "blocks",
    "Architecture": "architecture",
    "Dataset": "data.dataset",
    "Record": "runs.record",
    "Result": "jobs.result",
    "Schema": "schema",
    "Space": "space.space",
    "build_model": "model.network",
    "export": "jobs.export",
    "inspect": "jobs.inspect",
    "load_run": "jobs.result",
    "search": "jobs.search",
    "train": "jobs.train",
}


def __getattr__(name: str) -> object:
    """Import a public name, or the module ``blocks``, when it is first used."""
    if name == "blocks":
        return importlib.import_module("automlrank.blocks")
    if name not in _HOMES:
        raise AttributeError(f"module 'automlrank' has no attribute {name!r}")
    return getattr(importlib.import_module(f"automlrank.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names, whatever submodules were imported."""
    return [*__all__, *(name for name in globals() if name.startswith("__"))]
