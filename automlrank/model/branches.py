"""The inputs of a branch that reads some columns only, or has a table of its own."""

from __future__ import annotations

from automlrank.architecture import ScopedPart
from automlrank.blocks.ports import Port
from automlrank.errors import SpaceError
from automlrank.model.inputs import Inputs
from automlrank.model.plan import Value, fields_of
from automlrank.space.scope import restricted

OF_COLUMNS = ("fields", "columns", "crosses", "ids", "numbers", "bags", "vectors")
"""The root inputs that are the branch's; the others are the model's."""


class BranchInputs(Inputs):
    """What the blocks of a branch read of the columns."""

    def __init__(self, model: Inputs, reading: ScopedPart, prefix: str) -> None:
        whole = reading.fields is None
        super().__init__(
            model.steps,
            restricted(model.schema, reading.fields),
            model.embedding,
            layout=model.layout,
            prefix=prefix,
            extras=model.extras if whole else list,
        )
        self.model = model
        self.own = reading.own

    def flow(self, gated: Value | None) -> Value:
        """What flows into the branch: its own fields, or its columns' among those gated."""
        if self.own or gated is None:
            return self.value("fields")
        order = [*self.model.order(request=True), *self.model.order(request=False)]
        if fields_of(gated).n != len(order) + sum(fields_of(e).n for e in self.model.extras()):
            raise SpaceError("fields cannot be told apart behind a gate that changes their number.")
        places = {name: i for i, name in enumerate(order)}
        names = [*self.order(request=True), *self.order(request=False)]
        return self.pick(gated, tuple(places[name] for name in names), f"{self.prefix}gated")

    def fields(self) -> Value:
        """From a table of its own, or some of the shared one's."""
        if self.own:
            return super().fields()
        names = [*self.order(request=True), *self.order(request=False)]
        features = tuple(self.schema.feature(name) for name in names)
        return self.model.select(features, f"{self.prefix}chosen")

    def port(self, key: str) -> Port:
        """The port of a root input."""
        return super().port(key) if key in OF_COLUMNS else self.model.port(key)

    def value(self, key: str) -> Value:
        """A root input, made when it is first asked for."""
        return super().value(key) if key in OF_COLUMNS else self.model.value(key)
