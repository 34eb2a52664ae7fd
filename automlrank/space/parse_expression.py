"""Read expressions from plain data: blocks, combinators, and the columns of branches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from automlrank.blocks import BLOCKS
from automlrank.blocks.base import FAMILIES
from automlrank.documents import Document, Path_
from automlrank.errors import Fault, did_you_mean, shown
from automlrank.space.combinators import COMBINATORS, leaf, reading
from automlrank.space.grammar import NODES, SCOPE_KEYS, Expression, Leaf
from automlrank.space.node import Around

HOLE = Leaf("", {})
"""Stand-in for a faulty expression: the rest is checked all the same."""


class ExpressionParser:
    """Turns plain data into expressions, collecting faults."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.faults: list[Fault] = []
        self.closed = isinstance(document.data, Mapping) and "architecture" in document.data

    def expression(self, data: object, path: Path_, families: tuple[str, ...]) -> Expression:
        """Return an expression, or a hole where it is faulty."""
        if isinstance(data, str):
            return self.leaf(data, None, path, families)
        if isinstance(data, Mapping):
            scope = {key: data[key] for key in SCOPE_KEYS if key in data and len(data) > 1}
            rest = {key: value for key, value in data.items() if key not in scope}
            if body := self.body(rest, path, families):
                return self.scoped(body, scope, path)
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

    def body(
        self, data: Mapping[str, Any], path: Path_, families: tuple[str, ...]
    ) -> Expression | None:
        """Return the combinator or the block of a mapping; None if it is neither."""
        keyword = next((key for key in COMBINATORS if key in data), None)
        if keyword:
            return self.combinator(keyword, data, path, families)
        if len(data) == 1:
            name, knobs = next(iter(data.items()))
            return self.leaf(name, knobs, (*path, name), families)
        return None

    def crowded(self, block: str, data: Mapping[str, object], path: Path_) -> Expression:
        """Return a hole for a block with keys beside it that mean nothing there."""
        for extra in (key for key in data if key != block):
            knob = extra in BLOCKS[block].knobs()
            hint = f"Write {block}: {{{extra}: ...}}." if knob else did_you_mean(extra, SCOPE_KEYS)
            self.fault((*path, extra), f"unknown key {extra!r} beside {block}.", hint)
        return HOLE

    def scoped(self, body: Expression, scope: Mapping[str, Any], path: Path_) -> Expression:
        """Return the body with the keys for its columns and table."""
        right = {}
        for key, value in scope.items():
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
        self, keyword: str, data: Mapping[str, Any], path: Path_, families: tuple[str, ...]
    ) -> Expression:
        """Return a combinator of the expressions behind its keyword, or a hole."""
        node, behind = NODES[keyword], data[keyword]
        for extra in data:
            if extra != keyword and extra not in node.beside_keys():
                hint = did_you_mean(extra, {keyword, *node.beside_keys(), *SCOPE_KEYS})
                self.fault((*path, extra), f"unknown key {extra!r} beside {keyword}.", hint)
        here = (*path, keyword)
        if issubclass(node, Around):
            members = [self.expression(behind, here, families)]
        elif isinstance(behind, list) and behind:
            members = [self.expression(item, (*here, i), families) for i, item in enumerate(behind)]
        else:
            some = "expressions, one or more" if behind == [] else "expressions"
            self.fault(here, f"{keyword} takes a list of {some}, but got {shown(behind)}.")
            return HOLE
        beside = {
            key: self.expression(data[key], (*path, key), (key,)) if key in FAMILIES else data[key]
            for key in node.beside_keys()
            if key in data
        }
        try:
            return COMBINATORS[keyword](*members, **beside)
        except (ValueError, TypeError) as error:
            self.fault(here, str(error))
            return HOLE

    def leaf(
        self, name: str, knobs: object, path: Path_, families: tuple[str, ...] | None = None
    ) -> Leaf:
        """Return a block of the families with its knobs, or a hole."""
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
        if not self.document.is_unread(path):
            self.faults.append(self.document.fault(path, problem, hint))
