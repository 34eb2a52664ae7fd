"""Read the parts of a space from YAML or an equal mapping.

A file with ``name:`` is a space: knobs not named keep their search domain. A file with
``architecture:`` is one point: knobs not named take their default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automlrank.blocks.domains import Range
from automlrank.blocks.stages import STAGES
from automlrank.errors import did_you_mean, shown
from automlrank.space.parse_expression import HOLE, ExpressionParser

DEFAULT_REFERENCES = ("lr", "deepfm", "dcn_v2", "lightgbm", "lightgbm_rates")
LIMITS = {"latency_ms", "parameters"}
TOP_KEYS = {"name", "architecture", "references", "embedding", *STAGES, "training", "limits"}


class SpaceParser(ExpressionParser):
    """Turns plain data into the keyword arguments of a space, collecting faults."""

    def given(self) -> dict[str, Any]:
        """Return the keyword arguments of a space; ``limits`` as a mapping."""
        data = self.document.data
        if not isinstance(data, Mapping):
            self.fault((), f"a space is a mapping of stages, but got {shown(data)}.")
            return {"interaction": HOLE}
        for key in data:
            if key not in TOP_KEYS:
                self.fault((key,), f"unknown key {key!r}.", did_you_mean(key, TOP_KEYS))
        if "interaction" not in data:
            self.fault((), "a space needs an interaction.", "Write interaction: BLOCK.")
        return {
            "interaction": HOLE,
            **self.expressions(data),
            "name": self.name(data),
            "limits": self.limits(data.get("limits")),
            "references": self.references(data.get("references", list(DEFAULT_REFERENCES))),
        }

    def expressions(self, data: Mapping[str, object]) -> dict[str, Any]:
        """Return the expressions of the stages that are named, embedding and training."""
        stages = {
            name: self.expression(data[name], (name,), stage.families)
            for name, stage in STAGES.items()
            if name in data
        }
        settings = {key: self.leaf(key, data.get(key), (key,)) for key in ("embedding", "training")}
        return {**stages, **settings}

    def name(self, data: Mapping[str, object]) -> str:
        key = "architecture" if self.closed else "name"
        name = data.get(key, "space")
        if self.closed and "name" in data:
            self.fault(("name",), "the name of an architecture stands behind architecture alone.")
        if not isinstance(name, str) or not name.strip():
            self.fault((key,), f"must be text, but got {shown(name)}.")
        return str(name)

    def limits(self, data: object) -> dict[str, Any]:
        if data is None:
            return {}
        if not isinstance(data, Mapping):
            self.fault(("limits",), f"must be a mapping, but got {shown(data)}.")
            return {}
        for key, value in data.items():
            if key not in LIMITS:
                self.fault(("limits", key), f"unknown key {key!r}.", did_you_mean(key, LIMITS))
            elif isinstance(value, bool) or value not in Range("float", 1e-9, 1e15):
                self.fault(("limits", key), f"must be a number above 0, but got {shown(value)}.")
            elif key == "parameters" and not isinstance(value, int):
                self.fault(("limits", key), f"must be a whole number, but got {shown(value)}.")
        return {key: value for key, value in data.items() if key in LIMITS}

    def references(self, data: object) -> tuple[str, ...]:
        if not isinstance(data, list) or not all(isinstance(item, str) for item in data):
            self.fault(("references",), f"must be a list of architectures, but got {shown(data)}.")
            return ()
        return tuple(data)
