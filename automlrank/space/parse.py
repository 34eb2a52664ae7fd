"""Spaces from YAML or from the same words as a mapping, and back.

A file with ``name:`` is a space: knobs not named keep their search domain. A file with
``architecture:`` is one point: knobs not named take their default.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automlrank.blocks import BLOCKS
from automlrank.documents import Document, Path_, parse_document, read_document
from automlrank.errors import Fault, SpaceError, did_you_mean
from automlrank.space.grammar import (
    DEFAULT_REFERENCES,
    STAGES,
    Choose,
    Expression,
    Leaf,
    Limits,
    Maybe,
    Parallel,
    Repeat,
    SomeOf,
    Space,
    Stack,
    choose,
    leaf,
    optional,
    parallel,
    repeat,
    some_of,
    stack,
)

COMBINATORS = {
    "choose": set[str](),
    "some_of": {"min", "max"},
    "stack": set[str](),
    "parallel": {"merge"},
    "repeat": {"times"},
    "optional": set[str](),
}
"""Each combinator's key, and the keys that may stand beside it."""

TOP_KEYS = {"name", "architecture", "references", "embedding", *STAGES, "training", "limits"}


def read_space(source: str | Path | Mapping[str, object]) -> Space:
    """A space from a YAML file or a mapping; raises SpaceError with every fault of form."""
    document = Document(source) if isinstance(source, Mapping) else read_document(source)
    return parse_space(document)


def space_from_text(text: str) -> Space:
    """A space from YAML text."""
    return parse_space(parse_document(text))


def parse_space(document: Document) -> Space:
    """A space from a document; raises SpaceError with every fault of form."""
    parser = _Parser(document)
    space = parser.space()
    if parser.faults or space is None:
        raise SpaceError(parser.faults)
    return space


class _Parser:
    """Turns plain data into expressions, collecting faults."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.faults: list[Fault] = []
        self.closed = isinstance(document.data, Mapping) and "architecture" in document.data

    def space(self) -> Space | None:
        data = self.document.data
        if not isinstance(data, Mapping):
            self.fault((), f"a space is a mapping of stages, but got {data!r}.")
            return None
        for key in data:
            if key not in TOP_KEYS:
                self.fault((key,), f"unknown key {key!r}.", did_you_mean(key, TOP_KEYS))
        if "interaction" not in data:
            self.fault((), "a space needs an interaction.", "Write interaction: BLOCK.")
        parts: dict[str, Any] = {
            stage: self.expression(data[stage], (stage,), families)
            for stage, families in STAGES.items()
            if stage in data
        }
        for key in ("embedding", "training"):
            parts[key] = self.leaf(key, data.get(key), (key,))
        limits = self.limits(data.get("limits"))
        references = self.references(data.get("references", list(DEFAULT_REFERENCES)))
        name = str(data.get("architecture", data.get("name", "space")))
        if self.faults:
            return None
        return Space(name=name, limits=limits, references=references, **parts)

    def expression(self, data: object, path: Path_, families: tuple[str, ...]) -> Expression | None:
        if isinstance(data, str):
            return self.leaf(data, None, path, families)
        if isinstance(data, Mapping):
            combinator = next((key for key in COMBINATORS if key in data), None)
            if combinator:
                return self.combinator(combinator, data, path, families)
            if len(data) == 1:
                name, knobs = next(iter(data.items()))
                return self.leaf(name, knobs, (*path, name), families)
        hint = "Write choose: [...] or stack: [...]." if isinstance(data, list) else ""
        self.fault(
            path,
            "an expression is a block's name, {BLOCK: {KNOB: ...}} or a "
            f"combinator ({', '.join(COMBINATORS)}), but got {data!r}.",
            hint,
        )
        return None

    def combinator(
        self, key: str, data: Mapping[str, Any], path: Path_, families: tuple[str, ...]
    ) -> Expression | None:
        for extra in data:
            if extra != key and extra not in COMBINATORS[key]:
                known = COMBINATORS[key] | {key}
                self.fault(
                    (*path, extra),
                    f"unknown key {extra!r} beside {key}.",
                    did_you_mean(extra, known),
                )
        inner: tuple[str, ...] = families
        if key in ("repeat", "optional"):
            body = self.expression(data[key], (*path, key), inner)
            members = [body]
        elif isinstance(data[key], list) and data[key]:
            members = [
                self.expression(item, (*path, key, i), inner) for i, item in enumerate(data[key])
            ]
        else:
            self.fault((*path, key), f"{key} takes a list of expressions, but got {data[key]!r}.")
            return None
        merge = self.expression(data.get("merge", "concat"), (*path, "merge"), ("merge",))
        if merge is None or any(member is None for member in members):
            return None
        return self.build(key, [m for m in members if m], merge, data, path)

    def build(
        self,
        key: str,
        members: list[Expression],
        merge: Expression,
        data: Mapping[str, Any],
        path: Path_,
    ) -> Expression | None:
        try:
            match key:
                case "choose":
                    return choose(*members)
                case "some_of":
                    return some_of(*members, min=data.get("min", 1), max=data.get("max"))
                case "stack":
                    return stack(*members)
                case "parallel":
                    return parallel(*members, merge=merge)
                case "repeat":
                    return repeat(members[0], data.get("times", 2))
                case _:
                    return optional(members[0])
        except (ValueError, TypeError) as error:
            self.fault((*path, key), str(error))
            return None

    def leaf(
        self, name: str, knobs: object, path: Path_, families: tuple[str, ...] | None = None
    ) -> Leaf | None:
        known = (
            BLOCKS
            if families is None
            else {block: cls for family in families for block, cls in BLOCKS.of(family).items()}
        )
        if name not in known:
            self.fault(path, f"no block {name!r}.", did_you_mean(name, known))
            return None
        if not isinstance(knobs, Mapping | None):
            self.fault(path, f"{name} takes a mapping of knobs, but got {knobs!r}.")
            return None
        named = dict(knobs or {})
        for knob, value in (knobs or {}).items():
            try:
                leaf(name, {knob: value}, closed=True)
            except ValueError as error:
                self.fault((*path, knob), str(error))
                del named[knob]
        return leaf(name, named, closed=self.closed)

    def limits(self, data: object) -> Limits:
        if data is None:
            return Limits()
        if not isinstance(data, Mapping):
            self.fault(("limits",), f"must be a mapping, but got {data!r}.")
            return Limits()
        known = {"latency_ms", "parameters"}
        for key, value in data.items():
            if key not in known:
                self.fault(("limits", key), f"unknown key {key!r}.", did_you_mean(key, known))
            elif isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
                self.fault(("limits", key), f"must be a number above 0, but got {value!r}.")
        return Limits(**{k: v for k, v in data.items() if k in known})

    def references(self, data: object) -> tuple[str, ...]:
        if not isinstance(data, list) or not all(isinstance(item, str) for item in data):
            self.fault(("references",), f"must be a list of architectures, but got {data!r}.")
            return ()
        return tuple(data)

    def fault(self, path: Path_, problem: str, hint: str = "") -> None:
        self.faults.append(self.document.fault(path, problem, hint))


def space_data(space: Space) -> dict[str, object]:
    """The plain data that ``read_space`` reads back to an equal space."""
    data: dict[str, object] = {"name": space.name, "references": list(space.references)}
    blank = Space(interaction=space.interaction)
    for stage, node in space.stages():
        if stage == "interaction" or node != getattr(blank, stage):
            written = expression_data(node)
            if stage in ("embedding", "training"):
                assert isinstance(node, Leaf)
                written = _domains(node)
            data[stage] = written
    limits = {k: v for k, v in vars(space.limits).items() if v is not None}
    return {**data, "limits": limits} if limits else data


def expression_data(node: Expression) -> object:
    """An expression as plain data; domains that a space would assume are left out."""
    match node:
        case Leaf(block):
            domains = _domains(node)
            return {block: domains} if domains else block
        case Choose(options):
            return {"choose": [expression_data(option) for option in options]}
        case SomeOf(options, low, high):
            return {
                "some_of": [expression_data(option) for option in options],
                "min": low,
                "max": high,
            }
        case Stack(members):
            return {"stack": [expression_data(member) for member in members]}
        case Parallel(branches, merge):
            return {
                "parallel": [expression_data(branch) for branch in branches],
                "merge": expression_data(merge),
            }
        case Repeat(body, times):
            return {"repeat": expression_data(body), "times": times.to_data()}
        case Maybe(body):
            return {"optional": expression_data(body)}


def _domains(node: Leaf) -> dict[str, object]:
    knobs = BLOCKS[node.block].knobs()
    return {
        name: domain.to_data()
        for name, domain in node.domains.items()
        if domain != knobs[name].search
    }
