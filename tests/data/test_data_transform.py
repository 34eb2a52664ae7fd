"""Ids, numbers and ragged lists, and the encoder's way to disk and back."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automlrank.blocks import ports
from automlrank.codegen.modules import ENCODER
from automlrank.data import values
from automlrank.data.encode import fit
from automlrank.data.read import open_table
from automlrank.data.synthetic import synthetic_frame
from automlrank.data.times import as_seconds, as_times
from automlrank.data.transform import FORMAT, Encoder
from automlrank.data.values import EncodingError, Ragged, as_text, hashed
from automlrank.schema import (
    CategoricalFeature,
    HistoryFeature,
    MultiFeature,
    NumericFeature,
    Schema,
    Task,
    VectorFeature,
)

TASK = (Task("y"),)
LISTS = st.lists(st.lists(st.integers(3, 99), max_size=5), min_size=1, max_size=20)


def ragged_of(lists: list[list[int]]) -> Ragged:
    starts = np.cumsum([0, *map(len, lists)])
    return Ragged(np.array([v for row in lists for v in row], np.int32), starts)


def encoder_of(*features, **columns) -> tuple[Encoder, pl.DataFrame]:
    frame = pl.DataFrame(columns)
    return fitted(frame, Schema(TASK, features, time="t")), frame


def fitted(frame, schema, is_train=None) -> Encoder:
    with open_table(frame) as table:
        return fit(table, schema, np.ones(table.rows, np.bool_) if is_train is None else is_train)


def ids(encoder: Encoder, frame: pl.DataFrame) -> list[int]:
    return encoder.encode(frame)["ids:item"][:, 0].tolist()


def rows_of(ragged: Ragged) -> list[list[int]]:
    return [part.tolist() for part in np.split(ragged.values, ragged.starts[1:-1])]


@pytest.mark.parametrize("name", ENCODER)
def test_the_encoder_stands_alone(name):
    """Its modules are copied beside exported code: they import each other and no more of ours."""
    tree = ast.parse(Path(values.__file__).with_name(f"{name}.py").read_text())
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    ours = {module for module in modules if module.startswith("automlrank")}
    assert ours <= {f"automlrank.data.{other}" for other in ENCODER}


@pytest.mark.parametrize("name", ["PAD_ID", "NULL_ID", "OOV_ID", "FIRST_ID"])
def test_special_ids_are_those_of_the_blocks(name):
    """Encoder and model agree on the special ids."""
    assert getattr(values, name) == getattr(ports, name)


@given(LISTS, st.data())
def test_gather_of_ragged_rows_equals_a_loop(lists, data):
    """``take`` then ``pad`` is: pick each row, fill it up with zeros."""
    rows = data.draw(st.lists(st.integers(0, len(lists) - 1), min_size=1, max_size=10))
    width = max(1, *(len(lists[row]) for row in rows), 1)
    wanted = [lists[row] + [0] * (width - len(lists[row])) for row in rows]
    padded = ragged_of(lists).take(np.array(rows)).pad()
    assert padded.tolist() == wanted
    assert padded.dtype == np.int32


def test_null_and_unknown_have_ids_of_their_own():
    """Null is 1, a value outside of the vocabulary 2, the most frequent value 3."""
    encoder, frame = encoder_of(CategoricalFeature("x"), x=["a", "b", "b", None])
    assert ids(encoder, frame) == [4, 3, 3, 1]
    assert ids(encoder, pl.DataFrame({"x": ["z", "", None]})) == [2, 1, 1]


def test_rare_values_share_the_unknown_id():
    """``min_count`` counts rows; what is rarer is out of vocabulary."""
    encoder, frame = encoder_of(CategoricalFeature("x", min_count=2), x=[7, 7, 8])
    assert ids(encoder, frame) == [3, 3, 2]
    assert encoder.sizes == {"x": 4}


def test_ties_of_frequency_are_ordered_by_value_numbers_first():
    """9 comes before 10, and numbers before words."""
    encoder, _ = encoder_of(CategoricalFeature("x"), x=["b", "10", "9", "a", "a"])
    assert encoder.vocabularies["x"].to_list() == ["a", "9", "10", "b"]


@settings(max_examples=40)
@given(st.lists(st.one_of(st.none(), st.integers(-5, 5)), min_size=1, max_size=30), st.randoms())
def test_ids_do_not_depend_on_the_order_of_rows(values, random):
    """The same rows in another order give the same vocabulary."""
    shuffled = random.sample(values, len(values))
    first, second = (
        fitted(
            pl.DataFrame({"x": pl.Series(v, dtype=pl.Int64)}),
            Schema(TASK, (CategoricalFeature("x"),)),
        )
        for v in (values, shuffled)
    )
    assert first.vocabularies["x"].to_list() == second.vocabularies["x"].to_list()


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (pl.Series([7, None]), ["7", None]),
        (pl.Series([7.0, 0.5, -0.0, float("nan")]), ["7", "0.5", "0", None]),
        (pl.Series([0.1], dtype=pl.Float32), ["0.1"]),
        (pl.Series([True, False]), ["1", "0"]),
        (pl.Series(["7", ""]), ["7", None]),
        (pl.Series(["a"], dtype=pl.Categorical), ["a"]),
        (pl.Series([None]), [None]),
    ],
)
def test_a_value_has_one_text_whatever_its_type(values, text):
    """Whole floats, integers, booleans and text agree; NaN and empty text are null."""
    assert as_text(values).to_list() == text


def test_standard_numbers_have_mean_zero_and_deviation_one():
    """``(x - mean) / std`` over the known rows; a null stays NaN."""
    encoder, frame = encoder_of(NumericFeature("x"), x=[1.0, 2.0, 6.0, None])
    numbers = encoder.encode(frame)["numbers:item"][:, 0]
    assert np.isnan(numbers[3])
    assert numbers[:3].mean() == pytest.approx(0, abs=1e-6)
    assert numbers[:3].std() == pytest.approx(1, abs=1e-6)


def test_log_is_odd_and_then_standardised():
    """``sign(x) log(1 + |x|)``, then ``(x - mean) / std``."""
    x = np.array([-10.0, 0.0, 3.0, 1000.0])
    encoder, frame = encoder_of(NumericFeature("x", transform="log"), x=x)
    logs = np.sign(x) * np.log1p(np.abs(x))
    wanted = (logs - logs.mean()) / logs.std()
    np.testing.assert_allclose(encoder.encode(frame)["numbers:item"][:, 0], wanted, rtol=1e-5)


def test_transform_none_keeps_numbers():
    """``none`` changes nothing."""
    encoder, frame = encoder_of(NumericFeature("x", transform="none"), x=[5, -3])
    assert encoder.encode(frame)["numbers:item"].tolist() == [[5.0], [-3.0]]


def test_a_constant_number_becomes_zero():
    """No division by a deviation of zero; 0.1 has none though its mean is rounded."""
    encoder, frame = encoder_of(NumericFeature("x"), x=[0.1] * 7)
    assert encoder.encode(frame)["numbers:item"].tolist() == [[0.0]] * 7


def test_a_number_that_is_null_everywhere_stays_nan():
    """Nothing to scale by, nothing to scale."""
    encoder, frame = encoder_of(NumericFeature("x"), x=pl.Series([None, None], dtype=pl.Float64))
    assert np.isnan(encoder.encode(frame)["numbers:item"]).all()


@pytest.mark.parametrize("text", [False, True])
def test_a_bag_keeps_its_first_values_and_is_never_empty(text):
    """Lists and separated text are alike; a row without values holds one null id."""
    lists = [["a", "b", "a"], [], None, ["a"], [None, "z"]]
    values = ["a, b,a", "", None, "a", ",z"] if text else lists
    encoder, frame = encoder_of(
        MultiFeature("x", separator="," if text else None, max_length=2, min_count=2), x=values
    )
    assert rows_of(encoder.encode(frame)["multi:x"]) == [[3, 2], [1], [1], [3], [1, 2]]


def test_a_history_keeps_its_last_values_and_may_be_empty():
    """It shares the vocabulary of the column it is of."""
    encoder, frame = encoder_of(
        CategoricalFeature("x"), HistoryFeature("h", of="x", sequence="s", max_length=2),
        x=[1, 1, 2], h=[[9, 2, 1], None, []],
    )  # fmt: skip
    assert rows_of(encoder.encode(frame)["history:h"]) == [[4, 3], [], []]


def test_what_only_histories_hold_counts_there_and_the_rest_in_its_own_column():
    """9 occurs in histories only, twice as a kept value; 2 has one row, whatever histories say."""
    encoder, _ = encoder_of(
        CategoricalFeature("x", min_count=2),
        HistoryFeature("h", of="x", sequence="s", max_length=2),
        x=[1, 1, 2], h=[[8, 9, 2], [9, 2], [2]],
    )  # fmt: skip
    assert encoder.vocabularies["x"].to_list() == ["1", "9"]


def test_a_history_as_text_equals_its_lists():
    """``separator`` is the only difference between a CSV's history and Parquet's."""
    features = CategoricalFeature("x"), HistoryFeature("h", of="x", sequence="s", separator=" ")
    encoder, frame = encoder_of(*features, x=[1, 2, 2], h=["2 1", None, ""])
    assert rows_of(encoder.encode(frame)["history:h"]) == [[3, 4], [], []]


def test_histories_of_a_sequence_have_equal_lengths():
    """The row that breaks it is named."""
    encoder, frame = encoder_of(
        CategoricalFeature("x"),
        HistoryFeature("g", of="x", sequence="s"), HistoryFeature("h", of="x", sequence="s"),
        x=[1, 2], g=[[1], [1, 2]], h=[[1], [1]],
    )  # fmt: skip
    with pytest.raises(EncodingError, match=r"row 2: .*'g' and 'h' .* have 2 and 1\."):
        encoder.encode(frame)


def test_an_absent_column_is_named():
    """Serving a table without a column says which."""
    encoder, _ = encoder_of(CategoricalFeature("x"), NumericFeature("n"), x=[1], n=[1.0])
    with pytest.raises(EncodingError, match="no column 'n'"):
        encoder.encode(pl.DataFrame({"x": [1]}))


def test_text_as_number_is_an_error():
    """The message names the column, and the value that is no number with its row."""
    encoder, _ = encoder_of(NumericFeature("n"), n=[1.0, 2.0])
    with pytest.raises(EncodingError, match="row 2: column 'n' must be numeric, but holds 'a'"):
        encoder.encode(pl.DataFrame({"n": ["7", "a", "b"]}))


def test_decode_is_the_inverse_of_encode():
    """Vocabulary ids give their value's text; the special ids give None."""
    encoder, _ = encoder_of(CategoricalFeature("x"), x=[5, 5, 6])
    assert encoder.decode("x", [0, 1, 2, 3, 4]) == [None, None, None, "5", "6"]


def test_saved_and_loaded_encoders_encode_alike(tmp_path):
    """The files hold everything."""
    frame, schema = synthetic_frame(300)
    encoder = fitted(frame, schema, np.arange(300) < 200)
    encoder.save(tmp_path)
    loaded = Encoder.load(tmp_path)
    assert loaded.columns == encoder.columns
    assert loaded.sizes == encoder.sizes
    for key, array in encoder.encode(frame).items():
        np.testing.assert_equal(loaded.encode(frame)[key], array)


def test_a_schema_of_numbers_has_no_vocabulary_and_survives_disk(tmp_path):
    """Empty vocabularies are written and read too."""
    encoder, frame = encoder_of(NumericFeature("n"), n=[1.0, 2.0])
    encoder.save(tmp_path)
    assert Encoder.load(tmp_path).encode(frame)["ids:item"].shape == (2, 0)


def test_another_format_is_refused(tmp_path):
    """An encoder of another version is not guessed at."""
    encoder, _ = encoder_of(NumericFeature("n"), n=[1.0, 2.0])
    encoder.save(tmp_path)
    path = tmp_path / "encoder.json"
    path.write_text(path.read_text().replace(f'"format": {FORMAT}', '"format": 99'))
    with pytest.raises(EncodingError, match="format 99"):
        Encoder.load(tmp_path)


def test_a_column_whose_values_are_all_rare_has_only_special_ids():
    """An empty vocabulary encodes everything as unknown."""
    encoder, frame = encoder_of(CategoricalFeature("x", min_count=5), x=["a", None])
    assert ids(encoder, frame) == [2, 1]


def test_columns_that_share_have_one_vocabulary():
    """Values of both count; an id means the same value in both."""
    encoder, frame = encoder_of(
        CategoricalFeature("x"),
        CategoricalFeature("y", shared_with="x"), MultiFeature("z", shared_with="x"),
        x=["a", "b"], y=["b", "c"], z=[["c"], ["c", "b"]],
    )  # fmt: skip
    assert encoder.decode("x", [3, 4, 5]) == ["b", "c", "a"]
    arrays = encoder.encode(frame)
    assert arrays["ids:item"].tolist() == [[5, 3], [3, 4]]
    assert rows_of(arrays["multi:z"]) == [[4], [4, 3]]
    assert encoder.sizes == {"x": 6, "y": 6, "z": 6}


def test_hashed_ids_lie_within_their_buckets_and_stay_what_they_are():
    """Figures of today: another machine or version must give the same ids."""
    encoder, frame = encoder_of(
        CategoricalFeature("x", buckets=100), x=["a", None, "a" * 300, "café", "7"]
    )
    assert ids(encoder, frame) == [24, 1, 100, 93, 20]
    assert encoder.sizes == {"x": 103}
    assert encoder.vocabularies == {}


def test_hashes_fill_their_buckets_as_chance_would():
    """100,000 names in as many buckets: 1 - 1/e of them are used, to within 1 %."""
    names = pl.Series([f"user_{i}" for i in range(100_000)])
    used = len(np.unique(hashed(names, len(names)))) / len(names)
    assert used == pytest.approx(1 - np.exp(-1), rel=0.01)


def test_a_quantile_number_is_its_share_of_the_training_rows():
    """Uniform, of mean 0 and deviation 1, in the order of the numbers; null stays NaN."""
    x = np.random.default_rng(0).lognormal(size=5000)
    encoder, frame = encoder_of(NumericFeature("x", transform="quantile"), x=x)
    numbers = encoder.encode(frame)["numbers:item"][:, 0]
    assert numbers.mean() == pytest.approx(0, abs=0.01)
    assert numbers.std() == pytest.approx(1, abs=0.01)
    assert (np.diff(numbers[np.argsort(x)]) >= 0).all()
    outside = encoder.encode(pl.DataFrame({"x": [-1.0, 1e9, None]}))["numbers:item"][:, 0]
    assert outside[:2] == pytest.approx([numbers.min(), numbers.max()])
    assert np.isnan(outside[2])


def test_buckets_hold_equally_many_rows_and_equal_numbers_share_one():
    """Ten buckets of 0..99 hold ten each; a constant has one; null its own id."""
    encoder, frame = encoder_of(
        NumericFeature("x", transform="bucket", buckets=10), x=[*range(100)]
    )
    assert np.bincount(ids(encoder, frame)).tolist() == [0, 0, 0, *[10] * 10]
    assert ids(encoder, pl.DataFrame({"x": [None, -5, 500]})) == [1, 3, 12]
    assert encoder.sizes == {"x": 13}
    constant, frame = encoder_of(NumericFeature("x", transform="bucket"), x=[4.0] * 9)
    assert set(ids(constant, frame)) == {3}


@pytest.mark.parametrize("text", [False, True])
def test_a_vector_has_its_length_and_a_null_row_is_nan(text):
    """Lists and separated text are alike."""
    x = ["1 2.5", None, "3 4"] if text else [[1.0, 2.5], None, [3.0, 4.0]]
    encoder, frame = encoder_of(VectorFeature("x", separator=" " if text else None), x=x)
    vectors = encoder.encode(frame)["vector:x"]
    np.testing.assert_array_equal(vectors, np.float32([[1, 2.5], [np.nan, np.nan], [3, 4]]))
    assert encoder.sizes == {"x": 2}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ([1.0], "must hold 2 numbers, but holds 1"),
        ([1.0, None], "must hold finite numbers, but holds None"),
        ([1.0, float("inf")], "must hold finite numbers, but holds inf"),
    ],
)  # fmt: skip
def test_another_vector_is_an_error_with_its_row(row, words):
    """The row is counted from 1."""
    encoder, _ = encoder_of(VectorFeature("x"), x=[[1.0, 2.0], [3.0, 4.0]])
    with pytest.raises(EncodingError, match=f"{words}") as caught:
        encoder.encode(pl.DataFrame({"x": [[1.0, 2.0], row]}))
    assert caught.value.row == 1


TIMED = CategoricalFeature("x"), HistoryFeature("h", of="x", sequence="s", time="ht", max_length=4)


def test_sessions_begin_after_the_gap_and_ages_are_powers_of_two_of_seconds():
    """Minutes 0, 10, 41, 200 of a row at minute 201: the last four are in sessions 1, 1, 2, 3."""
    minutes, row = [-500, 0, 10, 41, 200], 201
    encoder, frame = encoder_of(
        *TIMED, x=[1, 1], h=[[1] * 5, []], t=[1_600_000_000_000 + row * 60_000] * 2,
        ht=[[1_600_000_000_000 + m * 60_000 for m in minutes], []],
    )  # fmt: skip
    arrays = encoder.encode(frame)
    assert rows_of(arrays["session:s"]) == [[1, 1, 2, 3], []]
    ages = [1 + int(np.log2(1 + 60 * (row - m))) for m in minutes[1:]]
    assert rows_of(arrays["age:s"]) == [ages, []]


def test_dates_and_numbers_of_any_unit_give_the_same_ages():
    """Seconds, milliseconds and datetimes of one moment."""
    then, now = 1_600_000_000, 1_600_003_600
    forms = [(then, now), (then * 1000, now * 1000), (then * 10**6, now * 10**6)]
    found = []
    for a, b in forms:
        encoder, frame = encoder_of(*TIMED, x=[1], h=[[1]], ht=[[a]], t=[b])
        found.append(rows_of(encoder.encode(frame)["age:s"]))
    dates = pl.from_epoch(pl.Series([then])), pl.from_epoch(pl.Series([now]))
    encoder, frame = encoder_of(*TIMED, x=[1], h=[[1]], ht=[dates[0].to_list()], t=dates[1])
    assert [*found, rows_of(encoder.encode(frame)["age:s"])] == [[[12]]] * 4


@pytest.mark.parametrize(
    ("times", "now", "words"),
    [([1, 2], 9, "'h' and 'ht' of one sequence must have equal lengths, but have 1 and 2"),
     ([None], 9, "'ht' must hold times, but one is null"),
     ([3], None, "'t' must hold times, but one is null")],
)  # fmt: skip
def test_times_that_do_not_fit_their_history_are_errors(times, now, words):
    """Each with its row."""
    encoder, _ = encoder_of(*TIMED, x=[1], h=[[1]], ht=[[2]], t=[9])
    frame = pl.DataFrame(
        {"x": [1], "h": [[1]], "ht": [times], "t": [now]},
        schema_overrides={"t": pl.Int64, "ht": pl.List(pl.Int64)},
    )
    with pytest.raises(EncodingError, match=f"row 1: .*{words}"):
        encoder.encode(frame)


@pytest.mark.parametrize(
    "text",
    ["2024-02-01T00:00:00", "2024-02-01 00:00", "2024-02-01", "2024-02-01T02:00:00.000+02:00",
     "2024-01-31T23:00:00-0100", "2024-02-01 00:00Z", "2024-02-01T00:00:00.000000Z"],
)  # fmt: skip
def test_iso_text_is_the_moment_it_says_whatever_stands_beside_it(text):
    seconds = as_seconds(pl.Series("t", [text, "2024-02-01T00:00:00", None]), "s")
    assert seconds[:2].tolist() == [1_706_745_600.0] * 2
    assert np.isnan(seconds[2])


def test_ages_of_iso_text_are_those_of_its_moments():
    encoder, frame = encoder_of(
        *TIMED, x=[1], h=[[1]], ht=[["2020-09-13T12:26:40"]], t=["2020-09-13 13:26:40"]
    )
    assert rows_of(encoder.encode(frame)["age:s"]) == [[12]]


@pytest.mark.parametrize(
    "text", ["01/02/2024", "2024/02/01", "2024-2-1", "2024-13-01", "1 Feb 2024", "12:30:00", ""]
)
def test_text_in_another_order_than_iso_is_an_error(text):
    """Of which nobody knows the day from the month."""
    with pytest.raises(EncodingError, match=f"'t' must hold times, but holds '{text}'"):
        as_times(pl.Series("t", ["2024-02-01", text]))


def test_training_statistics_never_see_other_rows():
    """Vocabularies, scales, quantiles and edges come from the rows that were given."""
    features = (
        CategoricalFeature("x"), NumericFeature("a"), NumericFeature("b", transform="quantile"),
        NumericFeature("c", transform="bucket", buckets=3),
    )  # fmt: skip
    train = pl.DataFrame({name: [1, 2, 2, 4] for name in "xabc"})
    other = pl.DataFrame({name: [9] * 6 for name in "xabc"})
    alone = fitted(train, Schema(TASK, features))
    mask = np.array([True] * 4 + [False] * 6)
    both = fitted(pl.concat([train, other]), Schema(TASK, features), mask)
    assert both.columns == alone.columns
    assert both.vocabularies["x"].equals(alone.vocabularies["x"])
