"""Architectures read by name: a published model that the package ships, or a file."""

from __future__ import annotations

from collections.abc import Iterable

from automlrank.architecture import Architecture, only_point
from automlrank.architecture.requirements import unserved_parts
from automlrank.schema import Schema
from automlrank.space.requirements import needs_met
from automlrank.space.shipped import AsSpace, open_space


def architecture_for(schema: Schema, source: AsSpace | Architecture) -> Architecture:
    """Return the architecture of a file or a zoo model.

    Raises SpaceError if the schema cannot serve it.
    """
    if isinstance(source, Architecture):
        return source  # its wiring checks it against the schema
    space, document = open_space(source)
    needs_met(space, schema, document)
    return only_point(space)


def references_for(
    schema: Schema, names: Iterable[str]
) -> tuple[list[Architecture], dict[str, str]]:
    """Return the architectures that the schema can serve, and why the others are skipped."""
    usable, skipped = [], {}
    for name in names:
        space, _ = open_space(name)
        architecture = only_point(space)
        if faults := unserved_parts(architecture, schema):
            skipped[name] = " ".join(fault.problem for fault in faults)
        else:
            usable.append(architecture)
    return usable, skipped
