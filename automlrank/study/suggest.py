"""Draw architectures by Optuna's suggestions, and find the parameters of references."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import optuna

from automlrank.architecture import (
    INHERITED,
    Architecture,
    Decide,
    Part,
    ScopedPart,
    draw,
)
from automlrank.architecture.canonical import folded
from automlrank.architecture.parts import rewritten
from automlrank.blocks.domains import Choice, Domain, Scalar
from automlrank.errors import SpaceError
from automlrank.space.grammar import Expression, Leaf
from automlrank.space.space import Space
from automlrank.study.matching import Params, matches


def decider(trial: optuna.Trial) -> Decide:
    """Return a decider that asks the trial for a suggestion under each path."""

    def decide(path: str, domain: Domain) -> Scalar:
        if isinstance(domain, Choice):
            return trial.suggest_categorical(path, list(domain.values))
        if domain.kind == "int":
            return trial.suggest_int(path, int(domain.low), int(domain.high))
        return trial.suggest_float(path, domain.low, domain.high, log=domain.kind == "log")

    return decide


def params_of(space: Space, architecture: Architecture) -> Params | None:
    """Return params under which ``space`` draws ``architecture``; None if it lies outside.

    Every candidate is drawn and its fingerprint compared: the reference itself is enqueued, not a
    model like it.
    """
    training = dataclasses.replace(architecture.training, **_inherited(architecture))
    whole = dataclasses.replace(architecture, training=training)
    bare = _bare(architecture.interaction)
    for interaction in dict.fromkeys((bare, folded(bare, {}))):  # own tables keep concats apart
        reference = dataclasses.replace(whole, interaction=interaction)
        for params in _stages(list(space.stages()), reference):
            if _draws(space, params, architecture):
                return params
    return None


def _draws(space: Space, params: Params, architecture: Architecture) -> bool:
    try:
        drawn = draw(space, lambda path, _: params[path])
    except (KeyError, AssertionError, SpaceError):
        return False
    return drawn.fingerprint == architecture.fingerprint


def _inherited(architecture: Architecture) -> dict[str, Any]:
    """Return the training's defaults from which the blocks took their values."""
    return {
        item.inherit: getattr(block, name)
        for _, block in architecture.blocks()
        for name, item in block.knobs().items()
        if item.inherit in INHERITED
    }


def _stages(stages: list[tuple[str, Expression]], architecture: Architecture) -> Iterator[Params]:
    """Yield params for these stages."""
    if not stages:
        yield {}
        return
    (stage, node), rest = stages[0], stages[1:]
    part = getattr(architecture, stage)
    options = matches(node, part, stage, node.label) if part is not None else _anything(node, stage)
    for params in options:
        for others in _stages(rest, architecture):
            yield {**params, **others}


def _anything(node: Expression, path: str) -> Iterator[Params]:
    """Yield any params of a part that the architecture drops."""
    assert isinstance(node, Leaf)
    yield {f"{path}.{name}": domain.samples()[0] for name, domain in node.domains.items()}


def _bare(part: Part) -> Part:
    """Return the part without the scopes of its branches: the fingerprint tells if a draw fits."""
    return rewritten(part, lambda inner: inner.body if isinstance(inner, ScopedPart) else inner)
