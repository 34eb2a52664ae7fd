"""Spaces and published models by name: those that the package ships, and files."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from automlrank.architecture import Architecture, only_point
from automlrank.architecture.requirements import unserved_parts
from automlrank.candidates.baselines import BOOSTED
from automlrank.data.dataset import Dataset
from automlrank.documents import Document, as_document
from automlrank.errors import DocumentError, UsageError, did_you_mean
from automlrank.runs.folder import RunFolder
from automlrank.schema import Schema
from automlrank.space.check import check_space
from automlrank.space.grammar import leaves
from automlrank.space.parse import parse_space
from automlrank.space.requirements import fit_to, needs_met
from automlrank.space.space import Space
from automlrank.training.trees.distillation import is_taught
from automlrank.training.trees.params import INSTALL, UNINSTALLED, installed

DEFAULT = "ctr"
WITH_TREES = ("distillation",)  # settings of training that need LightGBM
AsSpace = Space | str | Path | Mapping[str, object]


ROOT = Path(str(resources.files("automlrank") / "search_spaces"))


def shipped() -> dict[str, Path]:
    """Every space and zoo model that comes with the package, by name."""
    return {path.stem: path for path in sorted([*ROOT.glob("*.yaml"), *ROOT.glob("zoo/*.yaml")])}


def find(name: str | Path) -> Path:
    """A file by its path or, without one, by the name of a shipped space or model."""
    path = Path(name)
    if path.is_file():
        return path
    known = shipped()
    if str(name) in known:
        return known[str(name)]
    raise DocumentError(f"no such file, space or model: {name}.", did_you_mean(path.stem, known))


def open_space(source: AsSpace) -> tuple[Space, Document]:
    """A checked space, and the document that it was read from for faults' lines."""
    if isinstance(source, Space):
        check_space(source)
        return source, Document(None)
    document = as_document(source if isinstance(source, Mapping) else find(source), strict=False)
    return parse_space(document), document


def space_for(schema: Schema, source: AsSpace | None) -> Space:
    """The space asked for, or the default one.

    A shipped space is without what the schema or the machine lacks. Raises SpaceError where
    another needs what the schema lacks.
    """
    source = DEFAULT if source is None else source
    space, document = open_space(source)
    if is_shipped(source):
        return fit_to(space, schema, () if installed() else WITH_TREES)
    needs_met(space, schema, document)
    return space


def is_shipped(source: AsSpace | None) -> bool:
    """Whether it is a space of the package, which is fitted to its table."""
    source = DEFAULT if source is None else source
    return isinstance(source, str | Path) and find(source).resolve().parent == ROOT.resolve()


def space_of_run(space: Space, source: AsSpace | None, schema: Schema, folder: RunFolder) -> Space:
    """A shipped space as the run that is resumed has it, where that differs by the machine only."""
    if not is_shipped(source) or not folder.exists:
        return space
    known = parse_space(as_document(folder.path / "space.yaml"))
    whole, _ = open_space(DEFAULT if source is None else source)
    return known if known in (fit_to(whole, schema), fit_to(whole, schema, WITH_TREES)) else space


def left_out(space: Space, source: AsSpace) -> list[str]:
    """What a named space offers and the one that was fitted to the table does not."""
    whole, _ = open_space(source)
    before, after = (
        {leaf.block for _, node in s.stages() for leaf in leaves(node)} for s in (whole, space)
    )
    settings = whole.training.domains.items()
    fixed = [name for name, domain in settings if space.training.domains[name] != domain]
    return [*sorted(before - after), *fixed]


def check_teacher(data: Dataset, *, needed: bool) -> None:
    """Raise UsageError where networks are to learn from trees that cannot be trained here."""
    if needed and not installed() and not is_taught(data):
        raise UsageError(UNINSTALLED, INSTALL)


def architecture_for(schema: Schema, source: AsSpace | Architecture) -> Architecture:
    """The architecture of a file or a zoo model; SpaceError where the schema cannot serve it."""
    if isinstance(source, Architecture):
        return source  # its wiring checks it against the schema
    space, document = open_space(source)
    needs_met(space, schema, document)
    return only_point(space)


def references_for(
    schema: Schema, names: tuple[str, ...]
) -> tuple[list[Architecture], dict[str, str]]:
    """The architectures that the schema can serve, and why others are skipped; no boosted trees."""
    usable, skipped = [], {}
    for name in (name for name in names if name not in BOOSTED):
        space, _ = open_space(name)
        architecture = only_point(space)
        if faults := unserved_parts(architecture, schema):
            skipped[name] = " ".join(fault.problem for fault in faults)
        else:
            usable.append(architecture)
    return usable, skipped
