"""Spaces from YAML or from the same words as a mapping.

A file with ``name:`` is a space: knobs not named keep their search domain. A file with
``architecture:`` is one point: knobs not named take their default.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automlrank.blocks.domains import Range
from automlrank.documents import Document, as_document
from automlrank.errors import Fault, SpaceError, did_you_mean, shown
from automlrank.space.check import wiring_faults
from automlrank.space.choices import left_open
from automlrank.space.parse_expression import HOLE, ExpressionParser
from automlrank.space.space import DEFAULT_REFERENCES, STAGES, Limits, Space

TOP_KEYS = {"name", "architecture", "references", "embedding", *STAGES, "training", "limits"}


def read_space(source: str | Path | Mapping[str, object]) -> Space:
    """A space from a YAML file or a mapping; raises SpaceError with every fault."""
    return parse_space(as_document(source, strict=False))


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
        faults += left_open(space, document)
    return space, sorted(dict.fromkeys(faults), key=lambda fault: fault.line or 0)


class _Parser(ExpressionParser):
    """Turns plain data into a space, collecting faults."""

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
