"""Read the settings of a document by the types of a dataclass's fields."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, get_args, get_origin, get_type_hints

from automlrank.documents import Document, Path_
from automlrank.errors import Fault, did_you_mean, shown

LARGEST = 2**31 - 4  # ids are int32, three of them special


class SettingsReader:
    """Reads typed parts of a document, collecting faults."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.faults: list[Fault] = []

    def settings(self, cls: type, data: Mapping[str, Any], path: Path_) -> dict[str, Any]:
        """The settings of a feature or a block of settings that have their types."""
        types = {k: v for k, v in get_type_hints(cls).items() if k not in ("name", "size")}
        types = {k: v for k, v in types.items() if get_origin(v) is not ClassVar}
        return self.typed(types, data, path)

    def typed(
        self, types: Mapping[str, Any], data: Mapping[str, Any], path: Path_
    ) -> dict[str, Any]:
        """The values that have the types of their keys."""
        self.unknown(data, set(types), path)
        return {
            key: value
            for key, value in data.items()
            if key in types and self.fits(value, types[key], (*path, key))
        }

    def fits(self, value: object, annotation: Any, path: Path_) -> bool:
        """Return True if a setting has the type and range of its field."""
        if get_origin(annotation) is Literal:
            choices = get_args(annotation)
            if value not in choices:
                self.fault(path, f"must be one of {', '.join(choices)}, but got {shown(value)}.")
            return value in choices
        right, words = _fits(value, annotation)
        if not right:
            self.fault(path, f"must be {words}, but got {shown(value)}.")
        return right

    def mapping(self, data: object, path: Path_) -> Mapping[str, Any]:
        if isinstance(data, Mapping):
            return data
        self.fault(path, f"must be a mapping of keys to values, but got {shown(data)}.")
        return {}

    def word(self, value: object, path: Path_) -> str | None:
        if value is not None and not isinstance(value, str):
            self.fault(path, f"must be the name of a column, but got {shown(value)}.")
            return None
        return value

    def words(self, value: object, path: Path_) -> tuple[str, ...]:
        if value is None:
            return ()
        if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
            self.fault(path, f"must be a list of column names, but got {shown(value)}.")
            return ()
        return tuple(value)

    def unknown(self, data: Mapping[str, object], known: set[str], path: Path_) -> None:
        for key in data:
            if key not in known:
                self.fault((*path, key), f"unknown key {shown(key)}.", did_you_mean(key, known))

    def fault(self, path: Path_, problem: str, hint: str = "") -> None:
        self.faults.append(self.document.fault(path, problem, hint))


def _fits(value: object, annotation: Any) -> tuple[bool, str]:
    """Return True if a value has a field's type and range, and the type in words."""
    kinds = get_args(annotation) or (annotation,)
    if value is None and type(None) in kinds:
        return True, ""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    finite = number and math.isfinite(float(str(value)))
    word = isinstance(value, str) and value != ""
    if {float, str} <= set(kinds):
        return finite or word, "a finite number or a word"
    if bool in kinds:
        return isinstance(value, bool), "true or false"
    if int in kinds:
        whole = isinstance(value, int) and not isinstance(value, bool)
        words = "a whole number of 1 or more"
        if whole and int(str(value)) > LARGEST:
            return False, f"{words}, at most {LARGEST:,}"
        return whole and int(str(value)) >= 1, words
    if float in kinds:
        return finite and float(str(value)) > 0, "a finite number above 0"
    return word, "a word"
