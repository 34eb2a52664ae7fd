"""Schemas: YAML both ways, and every fault at once."""

from __future__ import annotations

import datetime
import math
from pathlib import Path

import pytest

from automlrank.data.synthetic import synthetic_schema
from automlrank.documents import dump, parse_document
from automlrank.errors import SchemaError
from automlrank.schema import NO_STATISTICS, Schema, TargetStatistics, read_schema


def test_a_schema_is_read_back_from_its_own_yaml() -> None:
    schema = synthetic_schema()
    assert read_schema(parse_document(dump(schema.to_data())).data) == schema  # type: ignore[arg-type]


EVERYTHING = """
tasks:
  y: {kind: binary}
features:
  a: {kind: categorical, side: user, buckets: 100}
  b: {kind: categorical, min_count: 2}
  c: {kind: categorical, shared_with: b, context: true}
  d: {kind: multi, pool: sum, separator: "|", shared_with: b}
  e: {kind: multi, max_length: 5, buckets: 50}
  n: {kind: numeric, transform: bucket, buckets: 10}
  q: {kind: numeric, transform: quantile}
  v: {kind: vector, separator: " ", side: request}
  h: {kind: history, of: c, sequence: s, time: times, session_minutes: 10, side: user}
crosses: [[a, b], [b, n]]
statistics: {of: [a], form: earlier_days, prior: 5.0}
score: y^0.25
group: a
incumbent: o
time: t
split: {by: group, valid: 0.2}
"""


def test_every_setting_is_read_back_from_its_own_yaml() -> None:
    schema = read_schema(parse_document(EVERYTHING).data)  # type: ignore[arg-type]
    assert read_schema(parse_document(dump(schema.to_data())).data) == schema  # type: ignore[arg-type]


@pytest.mark.parametrize("more", [{}, {"test": "b"}, {"train": "a", "test": "b", "valid": 0.3}])
def test_a_split_by_file_is_read_back(more: dict[str, object]) -> None:
    """One whose files are not named is refused where it meets its table."""
    given = {"tasks": {"y": {}}, "split": {"by": "file", **more}}
    assert read_schema(read_schema(given).to_data()) == read_schema(given)


def test_a_role_says_what_a_batch_holds_of_a_column() -> None:
    schema = read_schema(parse_document(EVERYTHING).data)  # type: ignore[arg-type]
    roles = ("ids", "numbers", "multi", "vector", "history")
    named = {role: "".join(f.name for f in schema.of_role(role)) for role in roles}
    assert named == {"ids": "abcn", "numbers": "q", "multi": "de", "vector": "v", "history": "h"}
    assert [f.name for f in schema.of_role("ids", request=True)] == ["a"]
    assert [f.name for f in schema.of_role("ids", request=False)] == ["b", "c", "n"]


def test_the_owner_of_a_column_has_its_vocabulary() -> None:
    """A history has that of the column it is of, or of the one that this shares with."""
    schema = read_schema(parse_document(EVERYTHING).data)  # type: ignore[arg-type]
    owners = {feature.name: schema.owner(feature.name) for feature in schema.features}
    own = {name: name for name in "abenqv"}
    assert owners == {**own, "c": "b", "d": "b", "h": "b"}


def test_sizes_belong_to_the_encoder_and_stay_out_of_yaml() -> None:
    schema = synthetic_schema()
    columns = [f.name for role in ("ids", "multi", "vector") for f in schema.of_role(role)]
    fitted = schema.fitted(dict.fromkeys(columns, 9))
    assert fitted.is_fitted
    assert all(fitted.feature(name).size == 9 for name in columns)  # type: ignore[union-attr]
    assert not schema.fitted(dict.fromkeys(columns[1:], 9)).is_fitted
    assert not schema.is_fitted
    assert read_schema(fitted.to_data()) == schema


COLUMNS = {
    "a": {"kind": "categorical"},
    "n": {"kind": "numeric"},
    "s": {"kind": "multi", "shared_with": "a"},
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tasks": {}}, "at least one task"),
        ({"tasks": {"y": {"kind": "ranking"}}}, "binary or regression"),
        ({"tasks": {"y": {"of": "z"}}}, "no task 'z'"),
        ({"tasks": {"y": {"of": "y"}}}, "a task must not come before itself, but got y of y."),
        ({"tasks": {"y": {"of": "z"}, "z": {"of": "y"}}}, "but got y of z of y"),
        ({"score": "clik * y"}, "score: no task 'clik'"),
        ({"score": "y", "tasks": {"y": {"kind": "regression"}}}, "'y' is a regression task"),
        ({"score": "y * y^2"}, "a task stands once, with the sum of its exponents"),
        ({"score": "y^a"}, "the exponent of y must be a number above 0, but got 'a'"),
        ({"score": "y^-1"}, "the exponent of y must be a number above 0, but got '-1'"),
        ({"score": "y^inf"}, "the exponent of y must be a number above 0, but got 'inf'"),
        ({"score": "y^"}, "the exponent of y must be a number above 0, but got ''"),
        ({"score": "y**2"}, "must be a product of tasks such as is_click * long_view^0.5"),
        ({"score": ""}, "must be a product of tasks such as is_click * long_view^0.5"),
        ({"score": {"y": 1}}, "must be a product of tasks such as is_click * long_view^0.5"),
        ({"taks": {}}, "Did you mean 'tasks'?"),
        ({"features": {"a": {"kind": "categorcal"}}}, "Did you mean 'categorical'?"),
        (
            {"features": {"a": {"kind": "numeric", "transform": "lg"}}},
            "standard, log, quantile, bucket, none",
        ),
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
        ({"split": {"by": "tme"}}, "time, random, group, column, file"),
        ({"split": {"by": "time"}}, "needs its column"),
        ({"split": {"by": "random", "valid": 1.5}}, "a share between 0 and 1"),
        ({"split": {"by": "time", "column": "t", "valid_from": 3}}, "go together"),
        ({"split": {"by": "file", "train": 3}}, "split.train: must be a word, but got 3"),
        ({"split": {"by": "file", "train_file": "a"}}, "unknown key 'train_file'"),
        ({"split": {"by": "random", "test_file": "a"}}, "unknown key 'test_file'"),
        (
            {"split": {"by": "file", "train": "a.csv", "test": "./a.csv"}},
            "split.test: train and test must be two files, but both are './a.csv'",
        ),
        ({"split": {"by": "group", "column": ["user"]}}, "split.column: must be a word, but got ["),
        (
            {"split": {"by": "time", "column": "t", "valid_from": math.nan, "test_from": [3]}},
            "split.test_from: must be a finite number or a word, but got [3]",
        ),
        ({"scenario": "page", "features": {"a": {"kind": "numeric"}}}, "a categorical feature"),
        ({"ignore": "a"}, "a list of column names"),
        ({"features": {"d": {"kind": "multi", "pool": "max"}}}, "mean, sum, but got 'max'"),
        ({"features": {"v": {"kind": "vector", "size": 3}}}, "unknown key 'size'"),
        (
            {"features": {**COLUMNS, "b": {"kind": "categorical", "shared_with": "c"}}},
            "features.b.shared_with: must be another categorical or multi feature, but got 'c'",
        ),
        (
            {"features": {**COLUMNS, "b": {"kind": "categorical", "shared_with": "b"}}},
            "must be another categorical or multi feature, but got 'b'",
        ),
        (
            {"features": {**COLUMNS, "b": {"kind": "categorical", "shared_with": "n"}}},
            "must be another categorical or multi feature, but got 'n'",
        ),
        (
            {"features": {**COLUMNS, "b": {"kind": "categorical", "shared_with": "s"}}},
            "'s' has no vocabulary of its own. Write shared_with: a.",
        ),
        (
            {"features": {**COLUMNS, "h": {"kind": "history", "of": "a", "time": "t"}}},
            "features.h.time: ages need the time of the row as well. Write time: COLUMN",
        ),
        (
            {"features": COLUMNS, "crosses": [["a", "aa"]]},
            "crosses[0]: must be a categorical feature, but got 'aa'. Did you mean 'a'?",
        ),
        ({"features": COLUMNS, "crosses": [["a", "n"]]}, "a categorical feature, but got 'n'"),
        (
            {"features": COLUMNS, "crosses": [["a", "a"]]},
            "crosses[0]: a pair needs two columns, but got 'a' twice",
        ),
        ({"crosses": [["a", "b", "c"]]}, "crosses[0]: must be a pair of column names, but got"),
        ({"crosses": ["a", "b"]}, "crosses[0]: must be a pair of column names, but got 'a'"),
        (
            {"features": COLUMNS, "statistics": {"of": ["a", "b"]}},
            "statistics.of[1]: must be a categorical feature, but got 'b'",
        ),
        (
            {"features": COLUMNS, "statistics": {"of": ["a"], "form": "earlier_rows"}},
            "statistics.form: earlier_rows needs the time of the row. Write time: COLUMN.",
        ),
        (
            {"features": COLUMNS, "statistics": {"crosses": [["a", "n"], ["a", "a"]]}},
            "statistics.crosses[0]: must be a categorical feature, but got 'n'",
        ),
        (
            {"features": COLUMNS, "statistics": {"crosses": [["a", "a"]]}},
            "statistics.crosses[0]: a pair needs two columns, but got 'a' twice",
        ),
        ({"statistics": {"crosses": ["a"]}}, "statistics.crosses[0]: must be a pair of column"),
        ({"statistics": "non"}, "statistics: must be a mapping of keys to values, but got 'non'"),
        ({"statistics": {"form": "folds"}}, "out_of_fold, earlier_rows, earlier_days"),
        ({"statistics": {"prior": math.inf}}, "a finite number above 0, but got inf"),
        ({"statistics": {"prior": 0}}, "a finite number above 0, but got 0"),
        (
            {"features": COLUMNS, "split": {"by": "group"}},
            "a split by group needs its column. Write group: COLUMN",
        ),
    ],
)
def test_a_fault_says_rule_and_value(change: dict[str, object], words: str) -> None:
    with pytest.raises(SchemaError) as caught:
        read_schema({"tasks": {"y": {"kind": "binary"}}, **change})
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"features": {"x": 3}}, "features.x: must be a mapping of keys to values, but got 3."),
        ({"features": {"x": None}}, "features.x: must be a mapping"),
        ({"features": {"x": {}}}, "features.x.kind: needs a column kind. Known: categorical,"),
        (
            {
                "features": {**COLUMNS, "x": {"kind": "cat"}},
                "scenario": "x",
                "crosses": [["a", "x"]],
            },
            "no column kind 'cat'",
        ),
        ({"features": {"h": {"kind": "history", "of": 3}}}, "features.h.of: must be a word"),
        ({"tasks": {}, "score": "y"}, "at least one task"),
        ({"tasks": {"y": {"kind": "rank"}}, "score": "y"}, "binary or regression"),
        ({"split": 3}, "split: must be a mapping"),
        ({"split": {"by": "group", "column": 3}}, "split.column: must be a word"),
    ],
)
def test_a_fault_has_no_second_one_in_its_wake(change: dict[str, object], words: str) -> None:
    """What refers to a part that was refused is not refused for it."""
    with pytest.raises(SchemaError) as caught:
        read_schema({"tasks": {"y": {"kind": "binary"}}, **change})
    assert [words in str(fault) for fault in caught.value.faults] == [True]


def two_histories(**second: object) -> dict[str, object]:
    first = {"kind": "history", "of": "a", "sequence": "s", "time": "times", "separator": ","}
    histories = {"h": first, "g": {**first, **second}}
    return {"tasks": {"y": None}, "features": {**COLUMNS, **histories}, "time": "t"}


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"max_length": 20}, "need one max_length, but got h: 50, g: 20"),
        ({"max_length": 20, "time": None}, "need one max_length, but got h: 50, g: 20"),
        ({"session_minutes": 5}, "need one session_minutes, but got h: 30, g: 5"),
        ({"separator": " "}, "need one separator, but got h: ',', g: ' '"),
        ({"time": "others"}, "need one time, but got h: times, g: others"),
    ],
)
def test_histories_of_one_sequence_have_one_length_and_one_way_of_times(
    setting: dict[str, object], words: str
) -> None:
    with pytest.raises(SchemaError) as caught:
        read_schema(two_histories(**setting))
    assert [words in str(fault) for fault in caught.value.faults] == [True]


def test_only_histories_with_times_need_one_way_of_times() -> None:
    schema = read_schema(two_histories(time=None, separator="|", session_minutes=5))
    assert len(schema.sequences["s"]) == 2


@pytest.mark.parametrize("statistics", [{}, {"of": []}])
def test_empty_statistics_are_none_and_stay_empty(statistics: dict[str, object]) -> None:
    """Even of a regression; with crosses they are those of the crosses."""
    data = {"tasks": {"y": {"kind": "regression"}}, "features": COLUMNS, "statistics": statistics}
    schema = read_schema(data)
    assert schema.statistics == TargetStatistics()
    assert schema.statistic_columns == {}
    assert read_schema(schema.to_data()) == schema
    columns = {"a": {"kind": "categorical"}, "b": {"kind": "categorical"}}
    crossed = {**data, "tasks": {"y": None}, "features": columns, "crosses": [["a", "b"]]}
    assert list(read_schema(crossed).statistic_columns) == [("a", "b")]


def test_statistics_have_the_schemas_crosses_or_their_own() -> None:
    features = {name: {"kind": "categorical"} for name in "abc"}
    data = {"tasks": {"y": None}, "features": features, "crosses": [["a", "b"]]}
    for given, pairs in (({}, [("a", "b")]), ({"crosses": [["a", "c"]]}, [("a", "c")])):
        schema = read_schema({**data, "statistics": {"of": ["a"], **given}})
        assert list(schema.statistic_columns) == [("a",), *pairs]
        assert read_schema(schema.to_data()) == schema
    none = read_schema({**data, "statistics": "none"})
    assert (none.statistics, none.statistic_columns) == (NO_STATISTICS, {})
    assert read_schema(none.to_data()) == none


def test_days_in_yaml_are_text() -> None:
    """YAML has dates of its own."""
    day = datetime.date(2024, 2, 1)
    split = {"by": "time", "column": "t", "valid_from": day, "test_from": "2024-03-01"}
    schema = read_schema({"tasks": {"y": None}, "split": split})
    assert (schema.split.valid_from, schema.split.test_from) == ("2024-02-01", "2024-03-01")


def test_a_score_is_tasks_and_exponents() -> None:
    """In any order and spacing; what takes no part has the exponent 0."""
    tasks = {"click": None, "like": None, "long view": None}
    schema = read_schema({"tasks": tasks, "score": "long view ^ 0.123456789*click"})
    assert schema.score == (("long view", 0.123456789), ("click", 1.0))
    assert schema.exponents == (1.0, 0.0, 0.123456789)
    assert schema.with_primary("like").exponents == (0.0, 1.0, 0.123456789)
    assert schema.to_data()["score"] == "long view^0.123456789 * click"
    assert read_schema({"tasks": tasks}).score == ()


def test_the_faults_of_a_score_carry_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "schema.yaml"
    file.write_text("tasks: {is_click: {kind: binary}}\nscore: is_clik * is_click^0.5\n")
    with pytest.raises(SchemaError) as caught:
        read_schema(file)
    expected = f"{file}:2: score: no task 'is_clik'. Did you mean 'is_click'?"
    assert str(caught.value) == expected


def test_all_faults_come_at_once() -> None:
    with pytest.raises(SchemaError) as caught:
        read_schema(
            {"tasks": {"y": None}, "features": {"a": {"kind": "x"}, "b": {"kind": "z"}}, "splt": {}}
        )
    assert len(caught.value.faults) == 3


def test_the_faults_between_columns_carry_file_and_line(tmp_path: Path) -> None:
    """Those of every kind, each at its own line."""
    file = tmp_path / "schema.yaml"
    file.write_text("""tasks: {y: {kind: binary}}
features:
  a: {kind: categorical}
  b: {kind: categorical, shared_with: c}
  h:
    kind: history
    of: a
    time: times
crosses:
  - [a, b]
  - [a, d]
statistics:
  of: [e]
  form: earlier_days
split: {by: group}
""")
    with pytest.raises(SchemaError) as caught:
        read_schema(file)
    assert {fault.file for fault in caught.value.faults} == {str(file)}
    assert sorted(fault.line or 0 for fault in caught.value.faults) == [4, 8, 11, 13, 14, 15]


def test_a_schema_is_a_value() -> None:
    assert synthetic_schema() == synthetic_schema()
    assert hash(synthetic_schema()) == hash(synthetic_schema())
    assert isinstance(synthetic_schema(), Schema)
