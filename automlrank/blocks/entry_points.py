"""Load blocks of other packages from the entry point group ``automlrank.blocks``.

In the ``pyproject.toml`` of such a package::

    [project.entry-points."automlrank.blocks"]
    wukong = "my_package.wukong"

The value names a module whose import registers blocks (``@block``), or one such class in it. A
broken entry point raises an error: a run that skipped a block could not be repeated.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from automlrank.errors import BlockError, shown

GROUP = "automlrank.blocks"


def load_entry_points() -> None:
    """Import the blocks of all installed packages; raise BlockError for one that fails."""
    for point in entry_points(group=GROUP):
        try:
            point.load()
        except Exception as error:
            raise BlockError(_sentence(point, error), _hint(point)) from error


def _sentence(point: EntryPoint, error: Exception) -> str:
    what = f"the entry point {point.name!r} of {_package(point)} ({GROUP}: {point.value})"
    return f"{what} cannot be loaded: {type(error).__name__}: {shown(str(error))}."


def _hint(point: EntryPoint) -> str:
    return f"Fix or uninstall {_package(point)}."


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "an unnamed package"
