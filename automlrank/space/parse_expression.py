"""Expressions from plain data: blocks, combinators, and what a branch reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from automlrank.blocks import BLOCKS
from automlrank.documents import Document, Path_, show_path
from automlrank.errors import Fault, did_you_mean, shown
from automlrank.space.combinators import (
    choose,
    leaf,
    optional,
    parallel,
    reading,
    repeat,
    some_of,
    stack,
)
from automlrank.space.grammar import Expression, Leaf

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


class ExpressionParser:
    """Turns plain data into expressions, collecting faults."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.faults: list[Fault] = []
        self.closed = isinstance(document.data, Mapping) and "architecture" in document.data
        self.told = {fault.path for fault in document.faults}

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

    def fault(self, path: Path_, problem: str, hint: str = "") -> None:
        if show_path(path) in self.told:
            return  # its YAML was at fault already
        self.faults.append(self.document.fault(path, problem, hint))
