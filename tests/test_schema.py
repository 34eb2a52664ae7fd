"""Schemas: YAML both ways, and every fault at once."""

from __future__ import annotations

import pytest

from automlrank.data.synthetic import synthetic_schema
from automlrank.documents import dump, parse_document
from automlrank.errors import SchemaError
from automlrank.schema import Schema, read_schema


def test_a_schema_is_read_back_from_its_own_yaml() -> None:
    schema = synthetic_schema()
    assert read_schema(parse_document(dump(schema.to_data())).data) == schema  # type: ignore[arg-type]


def test_sizes_belong_to_the_encoder_and_stay_out_of_yaml() -> None:
    schema = synthetic_schema()
    sizes = {f.name: 9 for f in schema.features}
    fitted = schema.fitted(sizes)
    assert fitted.is_fitted
    assert not schema.is_fitted
    assert read_schema(fitted.to_data()) == schema


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tasks": {}}, "at least one task"),
        ({"tasks": {"y": {"kind": "ranking"}}}, "binary or regression"),
        ({"tasks": {"y": {"of": "z"}}}, "no task 'z'"),
        ({"taks": {}}, "Did you mean 'tasks'?"),
        ({"features": {"a": {"kind": "categorcal"}}}, "Did you mean 'categorical'?"),
        ({"features": {"a": {"kind": "numeric", "transform": "lg"}}}, "standard, log, none"),
        ({"features": {"a": {"kind": "categorical", "side": "usr"}}}, "user, request, item"),
        ({"features": {"a": {"kind": "categorical", "min_count": 0}}}, "a whole number of 1"),
        ({"features": {"a": {"kind": "categorical", "context": "yes"}}}, "true or false"),
        ({"features": {"y": {"kind": "numeric"}}}, "a label must not be a feature"),
        ({"features": {"h": {"kind": "history", "of": "a"}}}, "a history is of a categorical"),
        (
            {
                "features": {
                    "a": {"kind": "categorical"},
                    "h": {"kind": "history", "of": "a", "sequence": "s", "side": "user"},
                    "g": {"kind": "history", "of": "a", "sequence": "s"},
                }
            },
            "need one side, but got h: user, g: item",
        ),
        ({"split": {"by": "tme"}}, "time, random, column, file"),
        ({"split": {"by": "time"}}, "needs its column"),
        ({"split": {"by": "random", "valid": 1.5}}, "a share between 0 and 1"),
        ({"split": {"by": "time", "column": "t", "valid_from": 3}}, "go together"),
        ({"scenario": "page", "features": {"a": {"kind": "numeric"}}}, "a categorical feature"),
        ({"ignore": "a"}, "a list of column names"),
    ],
)
def test_a_fault_says_rule_and_value(change: dict[str, object], words: str) -> None:
    with pytest.raises(SchemaError) as caught:
        read_schema({"tasks": {"y": {"kind": "binary"}}, **change})
    assert words in str(caught.value)


def test_all_faults_come_at_once() -> None:
    with pytest.raises(SchemaError) as caught:
        read_schema(
            {"tasks": {"y": None}, "features": {"a": {"kind": "x"}, "b": {"kind": "z"}}, "splt": {}}
        )
    assert len(caught.value.faults) == 3


def test_a_schema_is_a_value() -> None:
    assert synthetic_schema() == synthetic_schema()
    assert hash(synthetic_schema()) == hash(synthetic_schema())
    assert isinstance(synthetic_schema(), Schema)
