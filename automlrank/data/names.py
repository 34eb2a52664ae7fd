"""Rules about the names of a table's columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from automlrank.errors import DataError, Fault


def other_name(names: Iterable[str]) -> str:
    """Return a name that is none of the given ones: longer than any."""
    return max(names, key=len, default="") + "_"


def check_names(names: Sequence[str], place: str) -> None:
    """Raises DataError if there are no columns, or one has no name or another's."""
    faults = [] if names else [Fault("has no columns.", file=place)]
    for number, name in enumerate(names, start=1):
        if not name:
            hint = "Name it; an index of pandas is left out by to_csv(index=False)."
            faults.append(Fault(f"column {number} has no name.", file=place, hint=hint))
    twice = [repr(name) for name, count in Counter(names).items() if name and count > 1]
    if twice:
        faults.append(Fault(f"has more than one column {', '.join(twice)}.", file=place))
    if faults:
        raise DataError(faults)
