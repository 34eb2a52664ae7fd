"""Forms: what nearly all values are decides, and one value reads alike wherever it stands."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automlrank.data.forms import USUAL_NULLS, Form, forms_data, forms_from, typed
from automlrank.data.infer import complete
from automlrank.data.read import open_table
from automlrank.data.values import as_text
from automlrank.schema import Nulls, Schema, Task, read_schema

ROWS = 400
PRICES = [f"{3 + i * 0.37:.2f}" for i in range(ROWS)]
TAGS = [",".join(str(t % 40) for t in range(i, i + 1 + i % 3)) for i in range(ROWS)]


def column_of(values, **said):
    """The column as it is read, its form, and what is said of it."""
    frame = pl.DataFrame({"x": values}, {"x": pl.String})
    schema = Schema((Task("y"),), **said) if said else None
    with open_table(frame, schema=schema) as table:
        return table.scan.collect()["x"], table.forms["x"], table.notes


def with_one(value, values):
    return [*values[:-5], value, *values[-4:]]


@pytest.mark.parametrize("marker", [*USUAL_NULLS, " ", " NA "])
@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (PRICES, pl.Float64),
        ([str(i) for i in range(ROWS)], pl.Int64),
        ([f"2024-01-{1 + i % 28:02d}" for i in range(ROWS)], pl.Datetime("us")),
        (["true", "false"] * (ROWS // 2), pl.Boolean),
        ([f"00:{i % 60:02d}:30" for i in range(ROWS)], pl.Duration("us")),
        ([f"1,{i:03d}.50" for i in range(ROWS)], pl.Float64),
    ],
    ids=["prices", "whole", "dates", "flags", "durations", "thousands"],
)
def test_a_usual_marker_is_null_among_values_of_a_kind(values, kind, marker):
    """One of many, and each of a fifth."""
    for some in (
        with_one(marker, values),
        [marker if i % 5 == 0 else v for i, v in enumerate(values)],
    ):
        found, _, notes = column_of(some)
        assert found.dtype == kind
        assert found.null_count() == some.count(marker)
        assert not marker.strip() or any(repr(marker.strip()) in note for note in notes)


@pytest.mark.parametrize("marker", [m for m in USUAL_NULLS if m != "."])
def test_no_marker_is_null_in_a_column_of_text(marker):
    found, form, notes = column_of(with_one(marker, ["north", "south"] * (ROWS // 2)))
    assert (found.dtype, found.null_count(), form.kind, notes) == (pl.String, 0, "text", ())


def test_codes_with_zeros_in_front_are_text_and_have_markers():
    found, _form, _ = column_of(with_one("NA", [f"{i:05d}" for i in range(ROWS)]))
    assert (found.dtype, found[0], found.null_count()) == (pl.String, "00000", 1)


def test_a_slip_among_numbers_is_null_and_named_with_its_row():
    found, form, notes = column_of(with_one("soon", PRICES))
    assert (found.dtype, found.null_count()) == (pl.Float64, 1)
    assert "soon" in form.nulls
    assert notes == ("x: numbers, but for 'soon' (row 396), read as null.",)


def test_codes_among_whole_numbers_keep_them_ids():
    """85123A is a product's code, and so are the whole numbers beside it."""
    found, _, (note,) = column_of(with_one("85123A", [str(i % 90) for i in range(ROWS)]))
    assert found.dtype == pl.String
    assert found.null_count() == 0
    assert "'85123A' (row 396)" in note
    assert "read as text" in note


@pytest.mark.parametrize(
    ("values", "first", "said"),
    [
        ([f"{i},{i:03d}.25" for i in range(1, ROWS + 1)], 1001.25, "separates thousands"),
        ([f"{i}.{i:03d},25" for i in range(1, ROWS + 1)], 1001.25, "decimal comma"),
        ([f"{i},{i % 100:02d}" for i in range(1, ROWS + 1)], 1.01, "decimal comma"),
        ([f"{i},{i % 100:02d}e-05" for i in range(1, ROWS + 1)], 1.01e-05, "decimal comma"),
        ([f"{i} {i:03d}" for i in range(1, ROWS + 1)], 1001, "separates thousands"),
        ([f"${i}.5" for i in range(1, ROWS + 1)], 1.5, "currency"),
        ([f"{i}.5 EUR" for i in range(1, ROWS + 1)], 1.5, "currency"),
        ([f"-{i},{i:03d}.5 \u20ac" for i in range(1, ROWS + 1)], -1001.5, "currency"),
        ([f"{i}.5%" for i in range(1, ROWS + 1)], 1.5, "percent"),
        ([f"{i}\u00a0{i:03d},50" for i in range(1, ROWS + 1)], 1001.5, "separates thousands"),
        ([f"{i}\u202f{i:03d}" for i in range(1, ROWS + 1)], 1001, "separates thousands"),
        ([f"1,{i % 100:02d},{i:03d}.5" for i in range(1, ROWS + 1)], 101001.5, "thousands"),
        ([f"({i}.5)" if i % 2 else f"{i}.5" for i in range(1, ROWS + 1)], -1.5, "(5) and 5-"),
        ([f"{i}.5-" if i % 2 else f"{i}.5" for i in range(1, ROWS + 1)], -1.5, "(5) and 5-"),
        ([f"(${i},{i:03d})" for i in range(1, ROWS + 1)], -1001, "(5) and 5-"),
        ([f"\u2212{i}.5" for i in range(1, ROWS + 1)], -1.5, "(5) and 5-"),
    ],
)
def test_styles_of_numbers_are_read_and_said(values, first, said):
    found, _, notes = column_of(values)
    assert found[0] == first
    assert found.null_count() == 0
    assert any(said in note for note in notes)


def test_what_reads_all_values_wins_over_what_reads_nearly_all():
    """A few prices of a thousand and more are no slips among the others."""
    found, _, _ = column_of([*PRICES, "1,016.66", "2,956.71", "-"])
    assert found[-3:].to_list() == [1016.66, 2956.71, None]


def test_a_list_of_numbers_is_no_decimal_comma():
    """Ids in a list do not begin with a zero; digits behind a decimal comma do."""
    two = [f"{1 + i % 40},{1 + i % 37}" if i % 3 else str(1 + i % 40) for i in range(ROWS)]
    assert column_of(two)[0].dtype == pl.String
    assert column_of(TAGS)[0].dtype == pl.String
    three = ["_".join(str(100 + (i * k) % 97) for k in range(1, 2 + i % 4)) for i in range(ROWS)]
    assert column_of(three)[0].dtype == pl.String


DIGITS = ("%Y%m%d", "%Y%m%d%H", "%Y%m%d%H%M", "%Y%m%d%H%M%S")


@pytest.mark.parametrize(
    "form",
    [
        *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y"),
        *("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S UTC", "%Y-%m-%d %H:%M:%S+00"),
        *("%Y-%m-%d %H:%M:%S,%f", "%Y-%m-%d %H", "%Y%m%dT%H%M%S", "%d %b %Y", "%d-%b-%y"),
        *(
            "%B %d, %Y",
            "%A, %d %B %Y",
            "%m/%d/%Y %I:%M %p",
            "%a %b %d %H:%M:%S %Y",
            "%d/%b/%Y:%H:%M:%S +0000",
        ),
        *("%a, %d %b %Y %H:%M:%S GMT", *DIGITS),
    ],
)
def test_dates_of_text_and_of_integers(form):
    moments = [dt.datetime(2024, 1, 1) + dt.timedelta(days=i) for i in range(ROWS)]
    found, _, _ = column_of([f"{moment:{form}}" for moment in moments])
    assert found.to_list() == moments
    if form in DIGITS:
        with open_table(pl.DataFrame({"x": [int(f"{m:{form}}") for m in moments]})) as table:
            assert table.scan.collect()["x"].to_list() == moments


def test_a_month_is_its_first_day():
    found, _, _ = column_of([f"{2000 + i % 20}-{1 + i % 12:02d}" for i in range(ROWS)])
    assert found[:2].to_list() == [dt.datetime(2000, 1, 1), dt.datetime(2001, 2, 1)]


@pytest.mark.parametrize("pieces", [(4, 10, 3), (4, 10, 3, 25)])
def test_versions_and_addresses_are_no_dates(pieces):
    values = [".".join(str(i % size) for size in pieces) for i in range(ROWS)]
    assert column_of(values)[0].dtype == pl.String


def test_the_order_of_day_and_month_is_not_guessed():
    """01/02/2024 alone may be either: it stays text."""
    days = [f"{1 + i % 12:02d}/{1 + i % 11:02d}/2024" for i in range(ROWS)]
    assert column_of(days)[0].dtype == pl.String


def test_nulls_of_a_schema_replace_the_usual_ones_or_add_to_them():
    values = ["-", "NA", *PRICES]
    found, _, _ = column_of(["-", *PRICES, "*", "*"], nulls=Nulls(("*",), adds=True))
    assert (found.dtype, found.null_count()) == (pl.Float64, 3)
    found, _, _ = column_of(values, nulls=Nulls(("-",)))
    assert (found.dtype, found.null_count()) == (pl.String, 1)
    found, _, _ = column_of(["north", "-"] * 9, nulls=Nulls(("-",)))
    assert found.null_count() == 9


def test_a_spelling_that_is_named_twice_or_is_the_empty_text_counts_once():
    for said in (("", "*", "*"), ("-", "")):
        found, _, _ = column_of(["*", "-", "", *PRICES], nulls=Nulls(said, adds=True))
        assert found.null_count() == 3


def test_a_number_may_be_a_spelling_of_null():
    schema = read_schema({"tasks": {"y": None}, "nulls": {"add": [-1]}})
    assert schema.nulls == Nulls(("-1",), adds=True)
    assert read_schema(schema.to_data()) == schema
    with open_table(pl.DataFrame({"y": [0, 1, 0], "x": [-1, 5, 7]}), schema=schema) as table:
        assert table.scan.collect()["x"].to_list() == [None, 5, 7]


def test_evidence_that_comes_late_counts(monkeypatch):
    """Thousands appear behind the first chunk, which holds small whole numbers."""
    monkeypatch.setattr("automlrank.data.table.CHUNK_ROWS", 100)
    values = [str(i % 90) for i in range(300)] + [f"1,{i:03d}.5" for i in range(100)]
    found, _, _ = column_of(values)
    assert (found.dtype, found[300], found.null_count()) == (pl.Float64, 1000.5, 0)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pl.Series([7, 8]), pl.Series([7.0, 8.0])),
        (pl.Series([7, 8]), pl.Series(["7", " 8 "])),
        (pl.Series([7, 8]), pl.Series(["7.0", "8.00"])),
        (pl.Series([True, False]), pl.Series([1, 0])),
        (pl.Series([True, False]), pl.Series(["True", "FALSE"])),
        (pl.Series([7.5]), pl.Series([Decimal("7.50")])),
        (pl.Series([7]), pl.Series([Decimal("7.00")])),
        (pl.Series([dt.date(2024, 1, 2)]), pl.Series([dt.datetime(2024, 1, 2)])),
        (pl.Series([dt.date(2024, 1, 2)]), pl.Series(["2024-01-02"])),
        (pl.Series(["a", None]), pl.Series(["a", ""])),
        (pl.Series(["a", "b"]), pl.Series(["a", "b"], dtype=pl.Categorical)),
        (pl.Series([dt.timedelta(seconds=90)]), pl.Series([90])),
        (pl.Series([1.5, None]), pl.Series([1.5, float("nan")])),
    ],
)
def test_one_text_of_a_value(one, other):
    assert as_text(one).to_list() == as_text(other).to_list()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["007"], ["7"]),
        (["a"], ["A"]),
        ([10**17], [10**17 + 1]),
        (["7.10"], ["7.1"]),
        (["1e2"], ["100"]),
    ],
)
def test_values_that_stay_apart(one, other):
    assert as_text(pl.Series(one)).to_list() != as_text(pl.Series(other)).to_list()


FORMS = st.builds(
    Form,
    st.sampled_from(["text", "list", "number", "flag", "time", "duration"]),
    st.sampled_from([(), USUAL_NULLS, ("x", *USUAL_NULLS), ("x",)]),
    whole=st.booleans(),
    decimal=st.sampled_from([".", ","]),
    group=st.sampled_from(["", " ", "'"]),
    signs=st.booleans(),
)
CELLS = st.one_of(
    st.sampled_from(["7", "7.0", "1,5", "1 234", "$5", "NA", "-", "", " a ", "true", "2024-01-02",
                     "00:01:30", "PT5S", "1 days 00:00:05", "x", "nan", "inf",
                     "99999999999999999999"]),
    st.text(max_size=4),
    st.none(),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(FORMS, st.lists(CELLS, min_size=1, max_size=8))
def test_reading_twice_is_reading_once(form, cells):
    frame = pl.DataFrame({"x": cells}, {"x": pl.String})
    once = typed(frame, {"x": form})
    assert typed(once, {"x": form}).equals(once, null_equal=True)


@settings(max_examples=150, deadline=None)
@given(FORMS, st.lists(CELLS, min_size=1, max_size=8), st.integers(0, 7))
def test_a_values_text_does_not_depend_on_other_rows(form, cells, at):
    """The id of a value is its own affair: another row may make the column text."""
    at %= len(cells)
    whole = typed(pl.DataFrame({"x": cells}, {"x": pl.String}), {"x": form})
    alone = typed(pl.DataFrame({"x": [cells[at]]}, {"x": pl.String}), {"x": form})
    assert as_text(whole["x"])[at] == as_text(alone["x"])[0]


@given(FORMS)
def test_forms_come_back_from_plain_data(form):
    (found,) = forms_from(forms_data({"x": form})).values()
    assert found == form or set(found.nulls) == set(form.nulls)


def test_an_inferred_schema_reads_what_it_was_inferred_from():
    """A slip that was forgiven is named in the schema, which forgives nothing."""
    frame = pl.DataFrame({"y": [0, 1] * (ROWS // 2), "x": with_one("soon", PRICES), "g": TAGS})
    with open_table(frame) as table:
        inferred = complete(Schema((Task("y", "inferred"),)), table).schema
        found = table.scan.collect()
    assert inferred.feature("x").nulls == Nulls(("soon",), adds=True)
    with open_table(frame, schema=read_schema(inferred.to_data())) as table:
        assert table.scan.collect().equals(found, null_equal=True)
        assert complete(read_schema(inferred.to_data()), table).schema == inferred


@pytest.mark.parametrize("values", [[str(i) for i in range(ROWS)], PRICES])
def test_a_number_that_spells_null_is_null_in_any_spelling(values):
    """Among whole numbers, too, and the form is read back."""
    found, form, _ = column_of(with_one("999.0", values), nulls=Nulls(("999",), adds=True))
    assert found.null_count() == 1 + values.count("999")
    assert forms_from(forms_data({"x": form})) == {"x": form}


@pytest.mark.parametrize("name", ["*", "^a$", "^.*$"])
@pytest.mark.parametrize("ending", ["parquet", "csv", "arrow", "frame"])
def test_a_name_that_is_a_pattern_is_that_of_one_column(name, ending, tmp_path):
    """Numbers with a marker and text, each of which another column called ``a`` stands beside."""
    odd = [f"v{i % 5}" for i in range(ROWS)]
    frame = pl.DataFrame({name: odd, "a": with_one("-", PRICES), "y": [0, 1] * (ROWS // 2)})
    source = frame if ending == "frame" else tmp_path / f"t.{ending}"
    match ending:
        case "parquet":
            frame.write_parquet(source)
        case "csv":
            frame.write_csv(source)
        case "arrow":
            frame.write_ipc(source)
    with open_table(source) as table:
        assert list(table.schema) == [name, "a", "y"]
        assert table.column(name).to_list() == odd
        assert (table.schema["a"], table.column("a").null_count()) == (pl.Float64, 1)
        found = complete(Schema((Task("y"),)), table).schema
    assert [(f.name, f.kind) for f in found.features] == [(name, "categorical"), ("a", "numeric")]


@pytest.mark.parametrize("name", ["^a$", "*", "^($"])
def test_methods_and_operators_of_a_series_take_its_name_as_it_is(name):
    """Polars looks most of them up by the name as a pattern."""
    values = pl.Series(name, [3, None, 5])
    assert values.drop_nulls().to_list() == [3, 5]
    assert (values % 2).to_list() == [1, None, 1]
    assert values.ne_missing(pl.Series([3, 4, 5])).to_list() == [False, True, False]
