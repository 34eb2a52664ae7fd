"""Read a space by name: one that the package ships, or a file."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from automlrank.documents import Document, as_document
from automlrank.errors import DocumentError, SpaceError, UsageError, nearest
from automlrank.schema import Schema
from automlrank.space.grammar import leaves
from automlrank.space.requirements import fit_to, needs_met
from automlrank.space.space import Space

DEFAULT = "ctr"
WITH_TREES = ("distillation",)  # settings of training that need LightGBM
ROOT = Path(str(resources.files("automlrank") / "search_spaces"))
AsSpace = Space | str | Path | Mapping[str, object]


def shipped() -> dict[str, Path]:
    """Return every space and zoo model that comes with the package, by name."""
    return {path.stem: path for path in sorted([*ROOT.glob("*.yaml"), *ROOT.glob("zoo/*.yaml")])}


def find(name: str | Path) -> Path:
    """Return a file by its path or, if there is none, by the name of a shipped space or model."""
    path = Path(name)
    if path.is_file():
        return path
    known = shipped()
    if str(name) in known:
        return known[str(name)]
    if path.exists():
        return path  # a folder: reading it says so
    hint = nearest(path.stem, known) or "Give a file, or a shipped name such as ctr or deepfm."
    raise DocumentError(f"no such file, space or model: {name}.", hint)


def open_space(source: AsSpace) -> tuple[Space, Document]:
    """Return a checked space, and the document that it was read from for the lines of faults."""
    if isinstance(source, Space):
        if faults := source.faults():
            raise SpaceError(faults)
        return source, Document(None)
    document = as_document(source if isinstance(source, Mapping) else find(source), strict=False)
    return Space.read(document), document


def space_for(schema: Schema, source: AsSpace | None, *, trees: bool) -> Space:
    """Return the space of a name, a file or Python; the default space for None.

    A shipped space is fitted to the schema and, without ``trees`` (LightGBM), to the machine.
    Raises SpaceError if another needs what the schema lacks.
    """
    space, document = open_space(DEFAULT if source is None else source)
    if is_shipped(source):
        return fit_to(space, schema, () if trees else WITH_TREES)
    needs_met(space, schema, document)
    return space


def is_shipped(source: AsSpace | None) -> bool:
    """Return True for a space of the package, which is fitted to its table."""
    source = DEFAULT if source is None else source
    return isinstance(source, str | Path) and find(source).resolve().parent == ROOT.resolve()


def as_resumed(space: Space, source: AsSpace | None, schema: Schema, kept: Path) -> Space:
    """Return a shipped space as the file ``kept`` by a run has it, if only the machine differs."""
    if not is_shipped(source) or not kept.exists():
        return space
    try:
        known = Space.read(kept)
    except UsageError:  # it is damaged, and written again
        return space
    whole, _ = open_space(DEFAULT if source is None else source)
    return known if known in (fit_to(whole, schema), fit_to(whole, schema, WITH_TREES)) else space


def left_out(space: Space, source: AsSpace) -> list[str]:
    """Return the blocks and settings that a space offers and its fitted form ``space`` does not."""
    whole, _ = open_space(source)
    before, after = (
        {leaf.block for _, node in s.stages() for leaf in leaves(node)} for s in (whole, space)
    )
    settings = whole.training.domains.items()
    fixed = [name for name, domain in settings if space.training.domains[name] != domain]
    return [*sorted(before - after), *fixed]
