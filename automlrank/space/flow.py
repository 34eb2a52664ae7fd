"""Compute the possible output ports of an expression without running it.

The possible ports are followed through the expression as a set: a fault under any choice is found
without enumerating the choices.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from automlrank.blocks import BLOCKS
from automlrank.blocks.accepted_ports import accepts, first_input, members_of
from automlrank.blocks.domains import Domain
from automlrank.blocks.ports import Columns, History, Logit, Statistics, Tasks, Vector
from automlrank.documents import Document, Path_
from automlrank.errors import Fault
from automlrank.space import grammar
from automlrank.space.combinators import use
from automlrank.space.grammar import Expression, Leaf

Ports = frozenset[type]
ABSENT = type(None)  # port of an optional branch that was not taken


class Flow:
    """Follows the sets of ports, collecting faults with their paths."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.faults: list[Fault] = []

    def plain_choice(self, node: Expression, path: Path_) -> None:
        """Note a fault for anything but one block or a choice of blocks."""
        options = node.members if isinstance(node, grammar.Choose) else (node,)
        if not all(isinstance(option, Leaf) for option in options):
            self.fault(path, "takes one block or a choice of blocks.")

    def follow(self, node: Expression, ports: Ports, path: Path_) -> Ports:
        """Return the ports that may come out of ``node`` when ``ports`` may go in."""
        match node:
            case Leaf(block):
                return self.leaf(block, ports, path)
            case grammar.Choose(options):
                return self.union(options, ports, (*path, "choose"))
            case grammar.Optional(body):
                return ports | self.follow(body, ports, (*path, "optional"))
            case grammar.FieldScope(body):
                return self.follow(body, ports, path)
            case grammar.Repeat(body, times):
                return self.repeat(body, times, ports, (*path, "repeat"))
            case grammar.Stack(members):
                return self.stack(members, ports, path)
            case grammar.Parallel(branches, merge):
                self.plain_choice(merge, (*path, "merge"))
                alone = len(branches) == 1 and merge == use("concat")
                return self.side_by_side(branches, ports, (*path, "parallel"), alone=alone)
            case grammar.SomeOf(_, low):
                out = self.branch(node, ports, path)
                if low == 0:
                    self.fault(path, "a some_of outside a parallel needs min: 1 or more.")
                elif ABSENT in out:
                    self.fault(path, "every member may be left out, so nothing may be left.")
                return out - {ABSENT}

    def leaf(self, block: str, ports: Ports, path: Path_) -> Ports:
        """Return what may come out of a block, which takes only what its ``out`` declares."""
        if block not in BLOCKS:  # a hole, whose fault is noted: anything may come out
            return frozenset()
        cls = BLOCKS[block]
        wanted = first_input(cls)
        given = members_of(cls.gives())
        if Columns in wanted:
            return frozenset(given)
        bad = {port for port in ports if not accepts(wanted, port)}
        if block == "none":
            return ports
        if bad:
            self.fault(path, f"{block} takes {names_of(wanted)}, but may be given {names_of(bad)}.")
            return frozenset(given)
        return ports if len(given) > 1 else frozenset(given)

    def repeat(self, body: Expression, times: Domain, ports: Ports, path: Path_) -> Ports:
        """Follow each option of a choice by itself, since it is made once for all copies."""
        match body:
            case grammar.Choose(options):
                outs = [
                    self.repeat(option, times, ports, (*path, "choose", i))
                    for i, option in enumerate(options)
                ]
                return frozenset().union(*outs)
            case grammar.Optional(inner):
                return ports | self.repeat(inner, times, ports, (*path, "optional"))
            case _:
                once = self.follow(body, ports, path)
                if times.count() == 1 and 1 in times:
                    return once
                return once | self.follow(body, self.no_logit(once, path), path)

    def stack(self, members: tuple[Expression, ...], ports: Ports, path: Path_) -> Ports:
        """Follow members one after the other; a logit may come out of the last only."""
        for i, member in enumerate(members):
            here = (*path, "stack", i)
            for leaf in _in_line(member) if len(members) > 1 else ():
                if leaf.block in BLOCKS and Columns in first_input(BLOCKS[leaf.block]):
                    self.fault(
                        here,
                        f"{leaf.block} reads the raw columns: it must stand alone in a branch.",
                        "Put it beside this stack in a parallel.",
                    )
            ports = self.follow(member, ports, here)
            if i + 1 < len(members):
                ports = self.no_logit(ports, here)
        return ports

    def no_logit(self, ports: Ports, path: Path_) -> Ports:
        """Return the ports without a logit, which is a fault here."""
        if Logit in ports:
            self.fault(path, "gives a Logit, so only the last member of a stack may stand here.")
        return ports - {Logit}

    def side_by_side(
        self, branches: tuple[Expression, ...], ports: Ports, path: Path_, *, alone: bool
    ) -> Ports:
        """Return a Vector if some branch may give one, a Logit if all that stay may.

        ``alone``: the one branch of a concat stands for itself.
        """
        outs = [self.branch(b, ports, (*path, i)) for i, b in enumerate(branches)]
        everything = frozenset[type]().union(*outs)
        if all(ABSENT in out for out in outs):
            self.fault(
                path,
                "every branch may be left out, so nothing may be left.",
                "Keep one branch, or give a some_of min: 1.",
            )
        if alone:
            return everything - {ABSENT}
        self.unmerged(everything, path)
        result: set[type] = {Vector} if everything - {Logit, ABSENT} else set()
        if Logit in everything and all(out & {Logit, ABSENT} for out in outs):
            result.add(Logit)
        return frozenset(result)

    def unmerged(self, ports: Ports, path: Path_) -> None:
        """Note a fault for ports that cannot be merged."""
        if ports & {History, Statistics}:
            self.fault(
                path,
                "`none` cannot be a branch here: it passes on no vector to merge.",
                "Write optional: BLOCK.",
            )
        if Tasks in ports:
            self.fault(path, "a task structure cannot stand beside others.")

    def branch(self, node: Expression, ports: Ports, path: Path_) -> Ports:
        """Return the ports of a branch, with ABSENT if it may be left out."""
        match node:
            case grammar.Optional(body):
                return self.follow(body, ports, (*path, "optional")) | {ABSENT}
            case grammar.SomeOf(options, low, high):
                outs = [self.branch(o, ports, (*path, "some_of", i)) for i, o in enumerate(options)]
                return self.several(outs, low, high, path)
            case grammar.FieldScope(body):
                return self.branch(body, ports, path)
            case _:
                return self.follow(node, ports, path)

    def several(self, outs: Sequence[Ports], low: int, high: int, path: Path_) -> Ports:
        """Return the ports of ``low`` to ``high`` of the members, each of which may be left out."""
        n_absent = sum(ABSENT in out for out in outs)
        vectors = frozenset[type]().union(*outs) - {Logit, ABSENT}
        if vectors and high > 1:  # one stands for itself, several are concatenated
            self.unmerged(vectors, path)
            one = low <= 1 or n_absent >= low - 1
            vectors = (vectors if one else frozenset()) | {Vector}
        result = set(vectors)
        n_no_vector = sum(bool(out & {Logit, ABSENT}) for out in outs)
        if any(Logit in out for out in outs) and n_no_vector >= low:
            result.add(Logit)
        if n_absent >= low:
            result.add(ABSENT)
        return frozenset(result)

    def union(self, options: tuple[Expression, ...], ports: Ports, path: Path_) -> Ports:
        """Return the ports that may come out of any of the options."""
        outs = [self.follow(o, ports, (*path, i)) for i, o in enumerate(options)]
        return frozenset().union(*outs)

    def fault(self, path: Path_, problem: str, hint: str = "") -> None:
        self.faults.append(self.document.fault(path, problem, hint))


def _in_line(node: Expression) -> Iterator[Leaf]:
    """Yield the blocks that may stand right here, not in a branch of their own."""
    if isinstance(node, Leaf):
        yield node
    elif not isinstance(node, grammar.Parallel | grammar.SomeOf):
        for _, inner in node.inside():
            yield from _in_line(inner)


def names_of(ports: Iterable[type]) -> str:
    """Return ports as words of a fault."""
    return " or ".join(sorted(port.__name__ for port in ports))
