"""YAML and JSON files read as plain data, YAML with the line of every value.

YAML gives plain data (dicts, lists, scalars), as a Python caller would pass it: schemas and spaces
have one reader, whether they come from a file or from Python. It reports all faults at once.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType

import yaml

from automlrank.errors import DocumentError, Fault, shown
from automlrank.printable import printable

Path_ = tuple[str | int, ...]
MAX_VALUES = 20_000  # a space has hundreds; nested anchors reach millions from a few lines
TAG = "tag:yaml.org,2002:"
COLLECTIONS = (f"{TAG}map", f"{TAG}seq")
SCALARS = (str, int, float, datetime.date, NoneType)
LONGEST_INT = 1024  # bits; a hexadecimal one of 5,000 digits cannot be printed
MAX_DEPTH = 64  # an anchor inside itself would never end
BEYOND_ASCII = re.compile(r"[^\n\x20-\x7e]")
UNREADABLE = (yaml.YAMLError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""Errors of PyYAML for a value that its tag does not fit, such as ``!!int ''`` and ``!!bool x``."""


class _Loader(yaml.SafeLoader):
    """The safe loader with YAML 1.2's scalars: ``1e-3`` is a number, ``no`` is a word."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":bool", ":float"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|false|False)$"), list("tTfF")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"^[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+"
        r"|\.[0-9]+(?:[eE][-+]?[0-9]+)?|\.(?:inf|Inf)|\.(?:nan|NaN))$"
    ),
    list("-+0123456789."),
)


@dataclass(frozen=True)
class Document:
    """Plain data and, where it came from a file, the line of each path."""

    data: object
    file: str | None = None
    lines: Mapping[Path_, int] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    """Faults of the YAML itself; a lenient reader reports them together with its own."""
    unread: frozenset[Path_] = frozenset()
    """Places of the values that could not be read, which are None."""

    def is_unread(self, path: Path_) -> bool:
        """Return True if the value at ``path`` or one inside it could not be read.

        A rule that it breaks is no second mistake.
        """
        return any(place[: len(path)] == path for place in self.unread) and path != ()

    def fault(self, path: Path_, problem: str, hint: str = "") -> Fault:
        """Return a fault at ``path``, with the line of the nearest parent that has one."""
        line = next(
            (self.lines[path[:n]] for n in range(len(path), -1, -1) if path[:n] in self.lines), None
        )
        return Fault(problem, show_path(path), hint, self.file, line)


def show_path(path: Path_) -> str:
    """Return ``("interaction", "parallel", 0)`` as ``interaction.parallel[0]``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def as_document(source: str | Path | Mapping[str, object], *, strict: bool = True) -> Document:
    """Return a mapping as it is, or read one YAML file."""
    if isinstance(source, Mapping):
        return Document(source)
    return read_document(source, strict=strict)


def read_document(path: str | Path, *, strict: bool = True) -> Document:
    """Read one YAML file; raises DocumentError with every fault of the YAML."""
    return parse_document(read_text(Path(path)), str(path), strict=strict)


def read_text(file: Path) -> str:
    """Read a text file; raises DocumentError with the line of a byte that is not UTF-8."""
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        raise DocumentError(f"no such file: {file}.") from None
    except (OSError, ValueError) as error:  # a name with a null is a ValueError
        reason = getattr(error, "strerror", None) or error
        raise DocumentError(f"{file} cannot be read: {reason}.") from None
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        fault = Fault("not UTF-8 text.", "", "Save the file as UTF-8.", str(file), line)
        raise DocumentError(fault) from None


def read_json(file: Path) -> object:
    """Read one JSON file; raises DocumentError with the line of its fault."""
    text = read_text(file)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        said = error.msg if text.strip() else "the file is empty"
        fault = Fault(f"not valid JSON: {said}.", file=str(file), line=error.lineno)
    except (ValueError, RecursionError):  # a number of thousands of digits, or as many levels
        fault = Fault("not valid JSON that can be read.", file=str(file))
    raise DocumentError(fault)


def parse_document(text: str, file: str | None = None, *, strict: bool = True) -> Document:
    """Parse YAML text; raises DocumentError with every fault of the YAML.

    Unless ``strict``, the document holds faults that leave the values readable (a key that is given
    twice, a tag).
    """
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
    except yaml.YAMLError as error:
        raise DocumentError(_syntax_fault(error, text, file)) from None
    except RecursionError:
        raise DocumentError(Fault(f"more than {MAX_DEPTH} levels.", file=file)) from None
    if node is None:
        raise DocumentError(Fault("the file is empty.", file=file))
    walker = _Walker(loader, file)
    data = walker.value(node, ())
    if walker.faults and (strict or walker.exploded):
        raise DocumentError(walker.faults)
    return Document(data, file, walker.lines, tuple(walker.faults), frozenset(walker.unread))


def _syntax_fault(error: yaml.YAMLError, text: str, file: str | None) -> Fault:
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    mark, at = getattr(error, "problem_mark", None), getattr(error, "position", None)
    line = mark.line + 1 if mark else None if at is None else text.count("\n", 0, at) + 1
    return Fault(f"not valid YAML: {problem}.", file=file, line=line)


class _Walker:
    """Turns nodes into plain data, noting the line of every path and every fault."""

    def __init__(self, loader: _Loader, file: str | None) -> None:
        self.loader = loader
        self.file = file
        self.lines: dict[Path_, int] = {}
        self.faults: list[Fault] = []
        self.unread: set[Path_] = set()
        self.exploded = False

    def value(self, node: yaml.Node, path: Path_) -> object:
        if len(self.lines) >= MAX_VALUES or len(path) >= MAX_DEPTH:
            if not self.exploded:
                self.exploded = True
                self._fault(
                    node,
                    path[:4],
                    f"more than {MAX_VALUES} values or {MAX_DEPTH} levels "
                    "once anchors are expanded.",
                )
            return None
        self.lines[path] = node.start_mark.line + 1
        if isinstance(node, yaml.ScalarNode) == (node.tag in COLLECTIONS):
            self._bad_tag(node, path)
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, i)) for i, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path_) -> dict[str, object]:
        result: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is None:
                self._fault(key_node, path, "a key must be a plain word.")
            elif key in result:
                self._fault(key_node, (*path, key), "this key stands twice.")
            else:
                result[key] = self.value(value_node, (*path, key))
                self.lines[(*path, key)] = key_node.start_mark.line + 1
        return result

    def _scalar(self, node: yaml.Node, path: Path_) -> object:
        try:
            value = self.loader.construct_object(node)
            if isinstance(value, int) and value.bit_length() > LONGEST_INT:
                raise OverflowError
        except UNREADABLE:
            problem = f"{shown(node.value)} is no {node.tag.removeprefix(TAG)}."
            self._not_read(node, path, problem)
            return None
        if not isinstance(value, SCALARS):  # bytes, or an empty set of !!set x
            self._bad_tag(node, path)
            return None
        return value

    def _bad_tag(self, node: yaml.Node, path: Path_) -> None:
        self._not_read(node, path, f"the tag {node.tag!r} is not allowed: plain values only.")

    def _not_read(self, node: yaml.Node, path: Path_, problem: str) -> None:
        self.unread.add(path)
        self._fault(node, path, problem)

    def _fault(self, node: yaml.Node, path: Path_, problem: str) -> None:
        self.faults.append(Fault(problem, show_path(path), "", self.file, node.start_mark.line + 1))


def dump_json(data: object) -> str:
    """Return plain data as JSON; characters that are not seen are escapes."""
    text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False)
    return BEYOND_ASCII.sub(_seen_in_json, text)


def _seen_in_json(match: re.Match[str]) -> str:
    return match[0] if match[0].isprintable() else json.dumps(match[0])[1:-1]


class _Dumper(yaml.SafeDumper):
    """A dumper that writes small leaves on one line and every repeated value in full."""

    def ignore_aliases(self, data: object) -> bool:
        return True


_Dumper.yaml_implicit_resolvers = {  # text that a version of YAML reads as another type is quoted
    first: [
        *yaml.SafeLoader.yaml_implicit_resolvers.get(first, []),
        *_Loader.yaml_implicit_resolvers.get(first, []),
    ]
    for first in {*yaml.SafeLoader.yaml_implicit_resolvers, *_Loader.yaml_implicit_resolvers}
}


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if text.isprintable() else '"'  # the one style with escapes
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def dump(data: object, *, flow: bool | None = None) -> str:
    """Return plain data as YAML that ``parse_document`` reads back equal.

    With ``flow`` it is in braces and brackets as a whole, by default only what holds no other.
    """
    text: str = yaml.dump(
        data, Dumper=_Dumper, sort_keys=False, default_flow_style=flow, allow_unicode=True, width=96
    )
    return "\n".join(map(printable, text.split("\n")))  # as escapes, which YAML reads back
