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
from automlrank.data import transform
from automlrank.data.encode import fit
from automlrank.data.synthetic import synthetic_frame
from automlrank.data.transform import Encoder, EncodingError, Ragged, as_text
from automlrank.schema import Categorical, History, Multi, Numeric, Schema, Task

TASK = (Task("y"),)
LISTS = st.lists(st.lists(st.integers(3, 99), max_size=5), min_size=1, max_size=20)


def ragged_of(lists: list[list[int]]) -> Ragged:
    starts = np.cumsum([0, *map(len, lists)])
    return Ragged(np.array([v for row in lists for v in row], np.int32), starts)


def encoder_of(*features, **columns) -> tuple[Encoder, pl.DataFrame]:
    frame = pl.DataFrame(columns)
    return fit(frame, Schema(TASK, features)), frame


def ids(encoder: Encoder, frame: pl.DataFrame) -> list[int]:
    return encoder.encode(frame)["ids:item"][:, 0].tolist()


def rows_of(ragged: Ragged) -> list[list[int]]:
    return [part.tolist() for part in np.split(ragged.values, ragged.starts[1:-1])]


def test_imports_nothing_of_the_package():
    """The file is copied beside exported code: it stands alone."""
    tree = ast.parse(Path(transform.__file__).read_text())
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    assert not [name for name in modules if name.startswith("automlrank")]


@pytest.mark.parametrize("name", ["PAD_ID", "NULL_ID", "OOV_ID", "FIRST_ID"])
def test_special_ids_are_those_of_the_blocks(name):
    """Encoder and model agree on the special ids."""
    assert getattr(transform, name) == getattr(ports, name)


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
    encoder, frame = encoder_of(Categorical("x"), x=["a", "b", "b", None])
    assert ids(encoder, frame) == [4, 3, 3, 1]
    assert ids(encoder, pl.DataFrame({"x": ["z", "", None]})) == [2, 1, 1]


def test_rare_values_share_the_unknown_id():
    """``min_count`` counts rows; what is rarer is out of vocabulary."""
    encoder, frame = encoder_of(Categorical("x", min_count=2), x=[7, 7, 8])
    assert ids(encoder, frame) == [3, 3, 2]
    assert encoder.sizes == {"x": 4}


def test_ties_of_frequency_are_ordered_by_value_numbers_first():
    """9 comes before 10, and numbers before words."""
    encoder, _ = encoder_of(Categorical("x"), x=["b", "10", "9", "a", "a"])
    assert encoder.vocabularies["x"].to_list() == ["a", "9", "10", "b"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(-5, 5)), min_size=1, max_size=30), st.randoms())
def test_ids_do_not_depend_on_the_order_of_rows(values, random):
    """The same rows in another order give the same vocabulary."""
    shuffled = random.sample(values, len(values))
    first, second = (
        fit(pl.DataFrame({"x": pl.Series(v, dtype=pl.Int64)}), Schema(TASK, (Categorical("x"),)))
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
    encoder, frame = encoder_of(Numeric("x"), x=[1.0, 2.0, 6.0, None])
    numbers = encoder.encode(frame)["numbers:item"][:, 0]
    assert np.isnan(numbers[3])
    assert numbers[:3].mean() == pytest.approx(0, abs=1e-6)
    assert numbers[:3].std() == pytest.approx(1, abs=1e-6)


def test_log_is_odd_and_then_standardised():
    """``sign(x) log(1 + |x|)``, then ``(x - mean) / std``."""
    x = np.array([-10.0, 0.0, 3.0, 1000.0])
    encoder, frame = encoder_of(Numeric("x", transform="log"), x=x)
    logs = np.sign(x) * np.log1p(np.abs(x))
    wanted = (logs - logs.mean()) / logs.std()
    np.testing.assert_allclose(encoder.encode(frame)["numbers:item"][:, 0], wanted, rtol=1e-5)


def test_transform_none_keeps_numbers():
    """``none`` changes nothing."""
    encoder, frame = encoder_of(Numeric("x", transform="none"), x=[5, -3])
    assert encoder.encode(frame)["numbers:item"].tolist() == [[5.0], [-3.0]]


def test_a_constant_number_becomes_zero():
    """No division by a deviation of zero; 0.1 has none though its mean is rounded."""
    encoder, frame = encoder_of(Numeric("x"), x=[0.1] * 7)
    assert encoder.encode(frame)["numbers:item"].tolist() == [[0.0]] * 7


def test_a_number_that_is_null_everywhere_stays_nan():
    """Nothing to scale by, nothing to scale."""
    encoder, frame = encoder_of(Numeric("x"), x=pl.Series([None, None], dtype=pl.Float64))
    assert np.isnan(encoder.encode(frame)["numbers:item"]).all()


@pytest.mark.parametrize("text", [False, True])
def test_a_bag_keeps_its_first_values_and_is_never_empty(text):
    """Lists and separated text are alike; a row without values holds one null id."""
    lists = [["a", "b", "a"], [], None, ["a"], [None, "z"]]
    values = ["a, b,a", "", None, "a", ",z"] if text else lists
    encoder, frame = encoder_of(
        Multi("x", separator="," if text else None, max_length=2, min_count=2), x=values
    )
    assert rows_of(encoder.encode(frame)["multi:x"]) == [[3, 2], [1], [1], [3], [1, 2]]


def test_a_history_keeps_its_last_values_and_may_be_empty():
    """It shares the ids of the column it is of, whose vocabulary alone counts."""
    encoder, frame = encoder_of(
        Categorical("x"), History("h", of="x", sequence="s", max_length=2),
        x=[1, 1, 2], h=[[9, 2, 1], None, []],
    )  # fmt: skip
    assert rows_of(encoder.encode(frame)["history:h"]) == [[4, 3], [], []]


def test_a_history_as_text_equals_its_lists():
    """``separator`` is the only difference between a CSV's history and Parquet's."""
    features = Categorical("x"), History("h", of="x", sequence="s", separator=" ")
    encoder, frame = encoder_of(*features, x=[1, 2, 2], h=["2 1", None, ""])
    assert rows_of(encoder.encode(frame)["history:h"]) == [[3, 4], [], []]


def test_histories_of_a_sequence_have_equal_lengths():
    """The row that breaks it is named."""
    encoder, frame = encoder_of(
        Categorical("x"), History("g", of="x", sequence="s"), History("h", of="x", sequence="s"),
        x=[1, 2], g=[[1], [1, 2]], h=[[1], [1]],
    )  # fmt: skip
    with pytest.raises(EncodingError, match=r"'g' and 'h' .* row 1 has 2 and 1\."):
        encoder.encode(frame)


def test_an_absent_column_is_named():
    """Serving a table without a column says which."""
    encoder, _ = encoder_of(Categorical("x"), Numeric("n"), x=[1], n=[1.0])
    with pytest.raises(EncodingError, match="no column 'n'"):
        encoder.encode(pl.DataFrame({"x": [1]}))


def test_text_as_number_is_an_error():
    """A type that has no number says its column."""
    encoder, _ = encoder_of(Numeric("n"), n=[1.0, 2.0])
    with pytest.raises(EncodingError, match="'n' must be numeric, but is String"):
        encoder.encode(pl.DataFrame({"n": ["a"]}))


def test_decode_is_the_inverse_of_encode():
    """Vocabulary ids give their value's text; the special ids give None."""
    encoder, _ = encoder_of(Categorical("x"), x=[5, 5, 6])
    assert encoder.decode("x", [0, 1, 2, 3, 4]) == [None, None, None, "5", "6"]


def test_saved_and_loaded_encoders_encode_alike(tmp_path):
    """The files hold everything."""
    frame, schema = synthetic_frame(300)
    encoder = fit(frame[:200], schema)
    encoder.save(tmp_path)
    loaded = Encoder.load(tmp_path)
    assert loaded.columns == encoder.columns
    assert loaded.sizes == encoder.sizes
    for key, array in encoder.encode(frame).items():
        np.testing.assert_equal(loaded.encode(frame)[key], array)


def test_a_schema_of_numbers_has_no_vocabulary_and_survives_disk(tmp_path):
    """Empty vocabularies are written and read too."""
    encoder, frame = encoder_of(Numeric("n"), n=[1.0, 2.0])
    encoder.save(tmp_path)
    assert Encoder.load(tmp_path).encode(frame)["ids:item"].shape == (2, 0)


def test_another_format_is_refused(tmp_path):
    """An encoder of another version is not guessed at."""
    encoder, _ = encoder_of(Numeric("n"), n=[1.0, 2.0])
    encoder.save(tmp_path)
    path = tmp_path / "encoder.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 99'))
    with pytest.raises(EncodingError, match="format 99"):
        Encoder.load(tmp_path)


def test_a_column_whose_values_are_all_rare_has_only_special_ids():
    """An empty vocabulary encodes everything as unknown."""
    encoder, frame = encoder_of(Categorical("x", min_count=5), x=["a", None])
    assert ids(encoder, frame) == [2, 1]
