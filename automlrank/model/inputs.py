"""Root inputs of blocks: values that a block takes by name, besides its first input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from automlrank.blocks.ports import Context, Port, Scenario, Targets
from automlrank.model.columns import ColumnReader
from automlrank.model.plan_builder import Value, fields_of
from automlrank.model.sequences import Sequence


@dataclass(frozen=True)
class Inputs:
    """Root inputs of the whole model, of one of its branches or of a history's encoder.

    Steps are added when their value is first asked for.
    """

    model: ColumnReader
    """Reads the columns of the whole model: context and scenario are always its."""
    columns: ColumnReader
    """Reads the raw columns: the model's, or those of a branch."""
    fields: Callable[[], Value]
    """Returns the fields that may flow in, before the gate."""
    sequence: Sequence | None = None
    """The sequence that is being encoded."""

    def with_root(self, key: str, value: Value) -> Inputs:
        """Return the inputs of an encoder with one more root input."""
        assert self.sequence is not None
        return replace(self, sequence=self.sequence.with_value(key, value))

    def port(self, key: str) -> Port:
        """Return the port of a root input."""
        match key:
            case "targets":
                return Targets(len(self.model.source.schema.tasks))
            case "columns":
                return self.columns.source.columns
            case "crosses":
                return self.columns.source.crosses
            case "context":
                port = fields_of(self.value("context"))
                return Context(port.n, port.dim)
            case "scenario":
                return Scenario(self._scenario.size, self.model.source.dim)
            case _:
                found = self.value(key).port
                assert found is not None
                return found

    def value(self, key: str) -> Value:
        """Return the value of a root input; raises KeyError if there is none of that name."""
        if self.sequence is not None and key in self.sequence.values:
            return self.sequence.values[key]
        make: dict[str, Callable[[], Value]] = {
            "fields": self.fields,
            "context": self._context,
            "scenario": self._scenario_vector,
            "scenario_id": lambda: self.model.ids_of(self._scenario, "scenario_id"),
            "ids": lambda: self.columns.both_sides("ids"),
            "numbers": lambda: self.columns.both_sides("numbers"),
            "bags": lambda: self.columns.lists("multi", "bags"),
            "vectors": lambda: self.columns.lists("vector", "vectors"),
        }
        return make[key]()

    @property
    def _scenario(self) -> Any:
        schema = self.model.source.schema
        return schema.feature(str(schema.scenario))

    def _scenario_vector(self) -> Value:
        return self.model.steps.flat(self.model.select([self._scenario], "scenario"))

    def _context(self) -> Value:
        features = self.model.source.schema.features
        return self.model.select([f for f in features if getattr(f, "context", False)], "context")
