"""CSV and TSV: what is read back, which types it has, and what is said of broken files."""

from __future__ import annotations

import csv
import gzip
import io
import shutil

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from automlrank.data import delimited
from automlrank.data.delimited import read_blocks
from automlrank.data.read import open_table
from automlrank.data.text import stage_text
from automlrank.errors import DataError

NUMBERS = st.sampled_from(
    ["7", "-7", "+7", "0", "-0", "-0.0", "007", "0.5", "1.50", "1e3", "99999999999999999999", "nan"]
)
WORDS = st.sampled_from(
    ["true", "FALSE", "a", "é", " ", "x\ny", 'say "hi"', "a,b", "\r\n", "\ufeff"]
)
FREE = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)
CELLS = st.one_of(NUMBERS, WORDS, FREE, st.just(""))
COLUMNS = st.sampled_from([NUMBERS, st.sampled_from(["true", "False", ""]), WORDS, CELLS])


@st.composite
def tables(draw):
    """Rows of cells; some columns hold numbers only, so that they have a type to lose."""
    columns = draw(st.lists(COLUMNS, min_size=1, max_size=3))
    return draw(st.lists(st.tuples(*columns), min_size=1, max_size=12))


def as_csv(rows, names, **options):
    written = io.StringIO(newline="")
    csv.writer(written, **options).writerows([names, *rows])
    return written.getvalue().encode()


def staged(folder, content, block_bytes=delimited.BLOCK_BYTES, ending=".csv"):
    """The content of a file as it is staged: text."""
    file = folder / f"0{ending}"
    file.write_bytes(content)
    parts = folder / "parts"
    shutil.rmtree(parts, ignore_errors=True)
    parts.mkdir()
    return pl.concat([piece.scan for piece in stage_text(file, parts, block_bytes)]).collect()


def opened(folder, *contents):
    """The contents as files of one folder, read by the forms of their columns."""
    for number, content in enumerate(contents):
        (folder / f"{number}.csv").write_bytes(content)
    with open_table(folder) as table:
        return table.scan.collect()


def expected(rows, names):
    """The cells as text."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    return pl.DataFrame(dict(zip(names, columns, strict=True)), dict.fromkeys(names, pl.String))


def without_blanks(frame):
    """Values without blanks around them; empty is null."""
    text = pl.col(pl.String).str.strip_chars()
    return frame.with_columns(pl.when(text != "").then(text).name.keep())


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables(), st.integers(1, 60), st.sampled_from(["\n", "\r\n"]), st.sampled_from([0, 1]))
def test_written_cells_are_read_back_whatever_the_block(tmp_path, rows, block, end, quoting):
    """Values are those of whole columns: they depend on no block's border."""
    names = [f"c{i}" for i in range(len(rows[0]))]
    content = as_csv(rows, names, lineterminator=end, quoting=quoting)
    found = staged(tmp_path, content, block_bytes=block)
    assert_frame_equal(without_blanks(found), without_blanks(expected(rows, names)))


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["007", "12"], pl.String),
        (["7", "12"], pl.Int64),
        (["7", "1.5"], pl.Float64),
        (["0", "0.5"], pl.Float64),
        (["true", "False"], pl.Boolean),
        (["true", "1"], pl.String),
        (["7", "seven"], pl.String),
        (["99999999999999999999", "1"], pl.String),
        (["99999999999999999999", "1.5"], pl.Float64),
        (["", ""], pl.String),
        (["", "7"], pl.Int64),
        (["", "true"], pl.Boolean),
    ],
)
def test_a_type_holds_for_all_rows(tmp_path, cells, kind):
    """An id with leading zeros or too long for an integer is text; empty is null."""
    found = opened(tmp_path, as_csv([[cell, "x"] for cell in cells], ["a", "b"]))
    assert found.schema["a"] == kind
    assert found["a"].null_count() == cells.count("")


def test_text_that_looked_like_numbers_keeps_its_spelling(tmp_path):
    """1.50 and TRUE stay as they stand when words come far below."""
    content = b"a,b\n" + b"1.50,TRUE\n" * 500 + b"word,no\n" * 100
    found = opened(tmp_path, content)
    assert found.row(0) == ("1.50", "TRUE")
    assert found.row(-1) == ("word", "no")
    assert found.height == 600


def test_columns_of_later_files_are_found_by_name(tmp_path):
    found = opened(tmp_path, b"a,b\n1,x\n", b"b,c,a\ny,0,2.5\n")
    assert found.to_dict(as_series=False) == {"a": [1.0, 2.5], "b": ["x", "y"], "c": [None, 0]}


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfa,b\n1,x\n2,y\n",
        b"a,b\r\n1,x\r\n2,y\r\n",
        b"a,b\n1,x\n2,y",
        b"a,b\n1,x\n2,y\n\n\r\n\n",
        b'"a","b"\n"1","x"\n"2","y"\n',
    ],
)
@pytest.mark.parametrize("block", [1, 7, 1 << 20])
def test_marks_line_ends_and_blank_ends_change_nothing(tmp_path, content, block):
    found = staged(tmp_path, content, block_bytes=block)
    assert found.to_dict(as_series=False) == {"a": ["1", "2"], "b": ["x", "y"]}


def test_a_blank_line_of_one_column_is_a_null(tmp_path):
    assert staged(tmp_path, b"a\n1\n\n3\n\n")["a"].to_list() == ["1", None, "3", None]


def test_tabs_and_gzip_are_told_by_the_ending(tmp_path):
    content = b"a\tb\n1\tx,y\n"
    for ending, packed in ((".tsv", content), (".tsv.gz", gzip.compress(content))):
        found = staged(tmp_path, packed, ending=ending)
        assert found.to_dict(as_series=False) == {"a": ["1"], "b": ["x,y"]}


@pytest.mark.parametrize("block", [1, 5, 1 << 20])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"a,b\n1,2\n3\n4,5\n",
            r"row 3 \(the header is row 1\) has 1 field, but the header has 2",
        ),
        (b"a,b\n1,2,3\n4\n", r"row 2 .* has 3 fields"),
        (b"a,b\n1,2\n1,2,3\n4\n", r"row 3 .* has 3 fields"),
        (b'a,b\n"x\ny",2\n"3,3"\n', r"row 3 .* has 1 field"),
        (b"a,b\n1,2\n\n3,4\n", r"row 3 .*(is empty|has 1 field)"),
        (b"a,b\n1,2\n3,\xff\n", r"row 3 .* is not UTF-8\. Save the file as UTF-8"),
        (b'a,b\n1,2\n3,5" pipe\n6,7\n', r"row 3 .* has a quote"),
        (b'a,b\n1,2\n3,"open\n6,7\n', r"row 3 .* has a quote that is not closed"),
        (b'a,b\n1,"x"y\n', r"row 2 .* has a quote"),
        (b'"a,b\n1,2\n', "row 1 has no names of columns"),
        ("a,b\n1,2\n".encode("utf-16"), "row 1, the header, is not UTF-8"),
        ("a,b\n1,2\n".encode("utf-16-le"), "row 1 holds NUL bytes"),
        (b"a,b,a\n1,2,3\n", "more than one column 'a'"),
        (b",b\n1,2\n", r"column 1 has no name\. .*index=False"),
        (b"\n1\n", "has no columns"),
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "has no columns"),
    ],
)
def test_a_fault_is_told_with_its_row(tmp_path, content, message, block):
    """One sentence names the file, the row and what is wrong with it."""
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        list(read_blocks(tmp_path / "a.csv", block))
    assert "a.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_row_without_an_end_is_not_read_to_the_end_of_the_file(tmp_path, monkeypatch):
    """An open quote is told with its row; a line that is merely long is told as such."""
    monkeypatch.setattr(delimited, "LONGEST_ROW", 100)
    for cell, message in ((b'"', "row 2 .* not closed"), (b"", "row of more than 100 bytes")):
        (tmp_path / "a.csv").write_bytes(b"a,b\n1," + cell + b"x" * 1000 + b"\n")
        with pytest.raises(DataError, match=message):
            list(read_blocks(tmp_path / "a.csv", 10))


def test_damaged_gzip(tmp_path):
    """Cut off, broken inside, or no gzip at all."""
    packed = gzip.compress(b"a,b\n" + bytes(str(list(range(5000))), "ascii") + b"\n")
    broken = packed[:50] + bytes(60) + packed[110:]
    plain = b"a,b\n1,2\n"
    for content, message in (
        (packed[:-20], "is cut off or damaged"),
        (broken, "is cut off or damaged"),
        (plain, "Not a gzipped file"),
    ):
        (tmp_path / "a.csv.gz").write_bytes(content)
        with pytest.raises(DataError, match=message):
            list(read_blocks(tmp_path / "a.csv.gz"))


def test_nul_bytes_in_a_cell_come_through(tmp_path):
    assert staged(tmp_path, b"a,b\nx\0y,1\n")["a"].to_list() == ["x\0y"]
