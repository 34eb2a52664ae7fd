"""Spaces from YAML or from the same words as a mapping.

A file with ``name:`` is a space: knobs not named keep their search domain. A file with
``architecture:`` is one point: knobs not named take their default.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from automlrank.blocks import BLOCKS
from automlrank.blocks.domains import Range
from automlrank.documents import Document, Path_, as_document, parse_document, show_path
from automlrank.errors import Fault, SpaceError, did_you_mean, shown
from automlrank.space.check import wiring_faults
from automlrank.space.grammar import (
    DEFAULT_REFERENCES,
    STAGES,
    Choose,
    Expression,
    Leaf,
    Limits,
    Maybe,
    Repeat,
    SomeOf,
    Space,
    choose,
    leaf,
    optional,
    parallel,
    reading,
    repeat,
    some_of,
    stack,
)
from automlrank.space.reading import places

COMBINATORS = {
    "choose": set[str](),
    "some_of": {"min", "max"},
    "stack": set[str](),
    "parallel": {"merge"},
    "repeat": {"times"},
    "optional": set[str](),
}
"""Each combinator's key, and the keys that may stand beside it."""

READS = ("fields", "embedding")
"""The keys that may stand beside any expression: what the branch reads."""

HOLE = Leaf("", {})
"""Stands for an expression that is faulty itself, so that the rest is checked all the same."""

TOP_KEYS = {"name", "architecture", "references", "embedding", *STAGES, "training", "limits"}


def read_space(source: str | Path | Mapping[str, object]) -> Space:
    """A space from a YAML file or a mapping; raises SpaceError with every fault."""
    return parse_space(as_document(source, strict=False))


def space_from_text(text: str) -> Space:
    """A space from YAML text; raises SpaceError with every fault."""
    return parse_space(parse_document(text, strict=False))


def parse_space(document: Document) -> Space:
    """A space from a document; raises SpaceError with every fault of form and of wiring."""
    space, faults = parsed(document)
    if faults:
        raise SpaceError(faults)
    return space


def parsed(document: Document) -> tuple[Space, list[Fault]]:
    """What can be read of a space, and every fault by its line.

    A faulty expression is a hole that anything may flow through: what stands around it is wired
    and checked as if the hole were right.
    """
    parser = _Parser(document)
    space = parser.space()
    faults = [*document.faults, *parser.faults, *wiring_faults(space, document)]
    if parser.closed:
        faults += _left_open(space, document)
    return space, sorted(dict.fromkeys(faults), key=lambda fault: fault.line or 0)


def _left_open(space: Space, document: Document) -> Iterator[Fault]:
    """The choices of an architecture, which has none."""
    for stage, node in space.stages():
        for path, inner in places(node, (stage,)):
            for below, open_ in _choices(inner):
                here = tuple(part for part in below if part != path[-1])
                yield document.fault((*path, *here), f"an architecture has no choice, but {open_}.")


def _choices(node: Expression) -> Iterator[tuple[Path_, str]]:
    """What one node leaves open, by its place under the node."""
    match node:
        case Leaf(block, domains):
            for name, domain in domains.items():
                if domain.count() > 1:
                    yield (block, name), f"{name} may be {domain}"
        case Choose(options) if len(options) > 1:
            yield ("choose",), f"this may be one of {len(options)}"
        case SomeOf() if node.n_subsets > 1:
            yield ("some_of",), f"this may be one of {node.n_subsets} subsets"
        case Repeat(_, times) if times.count() > 1:
            yield ("times",), f"times may be {times}"
        case Maybe():
            yield ("optional",), "this may be left out"


class _Parser:
    """Turns plain data into expressions, collecting faults."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.faults: list[Fault] = []
        self.closed = isinstance(document.data, Mapping) and "architecture" in document.data
        self.told = {fault.path for fault in document.faults}

    def space(self) -> Space:
        data = self.document.data
        if not isinstance(data, Mapping):
            self.fault((), f"a space is a mapping of stages, but got {shown(data)}.")
            return Space(interaction=HOLE)
        for key in data:
            if key not in TOP_KEYS:
                self.fault((key,), f"unknown key {key!r}.", did_you_mean(key, TOP_KEYS))
        if "interaction" not in data:
            self.fault((), "a space needs an interaction.", "Write interaction: BLOCK.")
        parts: dict[str, Any] = {"interaction": HOLE} | {
            stage: self.expression(data[stage], (stage,), families)
            for stage, families in STAGES.items()
            if stage in data
        }
        for key in ("embedding", "training"):
            parts[key] = self.leaf(key, data.get(key), (key,))
        limits = self.limits(data.get("limits"))
        references = self.references(data.get("references", list(DEFAULT_REFERENCES)))
        return Space(name=self.name(data), limits=limits, references=references, **parts)

    def name(self, data: Mapping[str, object]) -> str:
        key = "architecture" if self.closed else "name"
        name = data.get(key, "space")
        if self.closed and "name" in data:
            self.fault(("name",), "an architecture has its name behind architecture alone.")
        if not isinstance(name, str) or not name.strip():
            self.fault((key,), f"must be text, but got {shown(name)}.")
        return str(name)

    def expression(self, data: object, path: Path_, families: tuple[str, ...]) -> Expression:
        """An expression, or a hole where it is faulty."""
        if isinstance(data, str):
            return self.leaf(data, None, path, families)
        if isinstance(data, Mapping):
            reads = {key: data[key] for key in READS if key in data and len(data) > 1}
            rest = {key: value for key, value in data.items() if key not in reads}
            combinator = next((key for key in COMBINATORS if key in rest), None)
            if combinator:
                return self.reads(self.combinator(combinator, rest, path, families), reads, path)
            if len(rest) == 1:
                name, knobs = next(iter(rest.items()))
                return self.reads(self.leaf(name, knobs, (*path, name), families), reads, path)
            blocks = [key for key in rest if key in BLOCKS]
            if len(blocks) == 1:
                return self.crowded(blocks[0], rest, path)
        several = isinstance(data, list) or (isinstance(data, Mapping) and len(data) > 1)
        hint = "Write choose: [...], stack: [...] or parallel: [...]." if several else ""
        self.fault(
            path,
            "an expression is a block's name, {BLOCK: {KNOB: ...}} or a "
            f"combinator ({', '.join(COMBINATORS)}), but got {shown(data)}.",
            hint,
        )
        return HOLE

    def crowded(self, block: str, data: Mapping[str, object], path: Path_) -> Expression:
        """A hole for a block beside which stands what may not."""
        for extra in (key for key in data if key != block):
            knob = extra in BLOCKS[block].knobs()
            hint = f"Write {block}: {{{extra}: ...}}." if knob else did_you_mean(extra, READS)
            self.fault((*path, extra), f"unknown key {extra!r} beside {block}.", hint)
        return HOLE

    def reads(self, body: Expression, keys: Mapping[str, Any], path: Path_) -> Expression:
        """The body with the keys beside it that say what it reads."""
        right = {}
        for key, value in keys.items():
            if value is None:
                self.fault((*path, key), "must not be empty.")
                continue
            try:
                reading("none", **{key: value})
                right[key] = value
            except ValueError as error:
                self.fault((*path, key), str(error))
        return reading(body, **right)

    def combinator(
        self, key: str, data: Mapping[str, Any], path: Path_, families: tuple[str, ...]
    ) -> Expression:
        for extra in data:
            if extra != key and extra not in COMBINATORS[key]:
                known = {key, *COMBINATORS[key], *READS}
                self.fault(
                    (*path, extra),
                    f"unknown key {extra!r} beside {key}.",
                    did_you_mean(extra, known),
                )
        if key in ("repeat", "optional"):
            members = [self.expression(data[key], (*path, key), families)]
        elif isinstance(data[key], list) and data[key]:
            members = [
                self.expression(item, (*path, key, i), families) for i, item in enumerate(data[key])
            ]
        else:
            self.fault(
                (*path, key), f"{key} takes a list of expressions, but got {shown(data[key])}."
            )
            return HOLE
        merge = self.expression(data.get("merge", "concat"), (*path, "merge"), ("merge",))
        return self.build(key, members, merge, data, path)

    def build(
        self,
        key: str,
        members: list[Expression],
        merge: Expression,
        data: Mapping[str, Any],
        path: Path_,
    ) -> Expression:
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
            return HOLE

    def leaf(
        self, name: str, knobs: object, path: Path_, families: tuple[str, ...] | None = None
    ) -> Leaf:
        known = (
            BLOCKS
            if families is None
            else {block: cls for family in families for block, cls in BLOCKS.of(family).items()}
        )
        if name not in known:
            self.no_block(name, knobs, path, known)
            return HOLE
        if not isinstance(knobs, Mapping | None):
            self.fault(path, f"{name} takes a mapping of knobs, but got {shown(knobs)}.")
            return HOLE
        named = dict(knobs or {})
        for knob, value in (knobs or {}).items():
            try:
                leaf(name, {knob: value}, closed=True)
            except ValueError as error:
                self.fault((*path, knob), str(error))
                del named[knob]
        return leaf(name, named, closed=self.closed)

    def no_block(self, name: object, knobs: object, path: Path_, known: Iterable[str]) -> None:
        if name in BLOCKS:
            families = " and ".join(BLOCKS[str(name)].families)
            self.fault(path, f"no block {name!r} here: it belongs to {families}.")
        else:
            others = COMBINATORS if isinstance(knobs, list | Mapping) else ()
            self.fault(path, f"no block {shown(name)}.", did_you_mean(name, [*known, *others]))

    def limits(self, data: object) -> Limits:
        if data is None:
            return Limits()
        if not isinstance(data, Mapping):
            self.fault(("limits",), f"must be a mapping, but got {shown(data)}.")
            return Limits()
        known = {"latency_ms", "parameters"}
        for key, value in data.items():
            if key not in known:
                self.fault(("limits", key), f"unknown key {key!r}.", did_you_mean(key, known))
            elif isinstance(value, bool) or value not in Range("float", 1e-9, 1e15):
                self.fault(("limits", key), f"must be a number above 0, but got {shown(value)}.")
            elif key == "parameters" and not isinstance(value, int):
                self.fault(("limits", key), f"must be a whole number, but got {shown(value)}.")
        return Limits(**{k: v for k, v in data.items() if k in known})

    def references(self, data: object) -> tuple[str, ...]:
        if not isinstance(data, list) or not all(isinstance(item, str) for item in data):
            self.fault(("references",), f"must be a list of architectures, but got {shown(data)}.")
            return ()
        return tuple(data)

    def fault(self, path: Path_, problem: str, hint: str = "") -> None:
        if show_path(path) in self.told:
            return  # its YAML was at fault already
        self.faults.append(self.document.fault(path, problem, hint))
