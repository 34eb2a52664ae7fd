"""The architectures that exports are tried on: the zoo, and composites of the default space."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

import automlrank
from automlrank.architecture import Architecture, draw
from automlrank.blocks.domains import Choice, Domain, Scalar
from automlrank.data.synthetic import synthetic_frame, synthetic_schema
from automlrank.schema import (
    CategoricalFeature,
    MultiFeature,
    NumericFeature,
    Schema,
    Split,
    TargetStatistics,
    VectorFeature,
)
from automlrank.space.requirements import fit_to
from automlrank.space.space import Space

SPACES = Path(automlrank.__file__).parent / "search_spaces"
ZOO = sorted(path.stem for path in (SPACES / "zoo").glob("*.yaml"))
DRAWN = ("drawn 3", "drawn 5", "branches")
BRANCHES = {
    "architecture": "branches",
    "gate": "senet",
    "interaction": {
        "parallel": [
            {"linear": {}, "fields": ["user_id", "page", "price"]},
            {"mlp": {"width": 16}, "fields": ["item_id", "category"], "embedding": "own"},
            {"parallel": ["fm", {"mlp": {"width": 16}}], "fields": ["user_id", "item_id"]},
        ]
    },
    "training": {"epochs": 3},
}


def architecture_of(name: str) -> Architecture:
    """A zoo model by its name, or ``drawn SEED`` from the default space, or ``branches``."""
    if name in ZOO:
        return Architecture.read(SPACES / "zoo" / f"{name}.yaml")
    if name == BRANCHES["architecture"]:
        return Architecture.read(BRANCHES)
    rng = random.Random(int(name.removeprefix("drawn ")))

    def decide(path: str, domain: Domain) -> Scalar:
        if isinstance(domain, Choice):
            return rng.choice(domain.values)
        return domain.coerce(rng.uniform(domain.low, domain.high))

    drawn = draw(fit_to(Space.read(SPACES / "ctr.yaml"), synthetic_schema()), decide)
    settings = dataclasses.replace(drawn.training, epochs=3)
    return dataclasses.replace(drawn, training=settings)


Form = Literal["out_of_fold", "earlier_rows", "earlier_days"]


def full_frame(rows: int) -> pl.DataFrame:
    """The synthetic table over many days, with a vector and columns for the other kinds."""
    frame, _ = synthetic_frame(rows)
    vectors = np.random.default_rng(0).normal(size=(rows, 3)).tolist()
    days = pl.lit(1_700_000_000) + pl.int_range(pl.len()) * 600
    vectors[7] = None
    return frame.with_columns(
        time=days,
        vector=pl.Series(vectors, dtype=pl.List(pl.Float64)),
        hashed=pl.format("item {}", "item_id"),
        seen_category=pl.col("category").shift(1),
    )


def full_schema(form: Form, by: Literal["group", "time"]) -> Schema:
    """Every kind of column and of transform, statistics of a form, a split by group or by time."""
    schema = synthetic_schema()
    kept = tuple(feature for feature in schema.features if feature.name != "tags")
    more = (
        MultiFeature("tags", pool="sum"),
        VectorFeature("vector"),
        CategoricalFeature("hashed", buckets=11),
        CategoricalFeature("seen_category", side="request", shared_with="category"),
        NumericFeature("price_range", transform="bucket", buckets=5, column="price"),
        NumericFeature("price_rank", transform="quantile", column="price"),
    )
    column = "user_id" if by == "group" else "time"
    return dataclasses.replace(
        schema,
        features=(*kept, *more),
        crosses=(("user_id", "page"), ("item_id", "price_range")),
        statistics=TargetStatistics(("item_id", "user_id", "seen_category"), form),
        split=Split(by, column, valid=0.2, test=0.2),
    )
