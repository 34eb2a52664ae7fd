"""Text with other separators, line ends, blanks and packings than its ending says."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from automlrank.data.delimited import read_blocks
from automlrank.data.read import open_table
from automlrank.errors import DataError

CELLS = st.text(st.sampled_from(list("ab1 ,;|\t\"'\r\né")), max_size=4)


def cells(path: Path, content: bytes, block: int = 1 << 20) -> dict[str, list[str | None]]:
    path.write_bytes(content)
    return pl.concat(list(read_blocks(path, block))).to_dict(as_series=False)


@pytest.mark.parametrize("ending", ["csv", "tsv", "txt"])
@pytest.mark.parametrize("separator", [",", ";", "|", "\t"])
def test_the_separator_is_found_whatever_the_ending(
    separator: str, ending: str, tmp_path: Path
) -> None:
    rows = [("id", "a, b", "c;d|e"), ("1", 'say "x"', "x\ty"), ("2", "", "1,5;2,5")]
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=separator).writerows(rows)
    found = cells(tmp_path / f"a.{ending}", written.getvalue().encode())
    assert found == {"id": ["1", "2"], "a, b": ['say "x"', None], "c;d|e": ["x\ty", "1,5;2,5"]}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a;b\n1,5;2,5\n3,5;1,5\n", {"a": ["1,5", "3,5"], "b": ["2,5", "1,5"]}),
        (b"Preis, EUR;n;d\n1,5;3;x\n", {"Preis, EUR": ["1,5"], "n": ["3"], "d": ["x"]}),
        (b"a,b|c\n1,2|3\n", {"a": ["1"], "b|c": ["2|3"]}),
        (b"id,tags\n1,a|b\n2,c;d\n", {"id": ["1", "2"], "tags": ["a|b", "c;d"]}),
        (b"text\nhello; world\nbye; all\n", {"text": ["hello; world", "bye; all"]}),
        (b"a b\n1 2\n", {"a b": ["1 2"]}),
        (b"sep=;\r\na;b\r\n1;2\r\n", {"a": ["1"], "b": ["2"]}),
        (b"\xef\xbb\xbfa|b\r\n1|2\r\n", {"a": ["1"], "b": ["2"]}),
        (b'a;b\n1;"x;y"\n', {"a": ["1"], "b": ["x;y"]}),
    ],
)
def test_the_separator_stands_in_every_row_as_often_as_in_the_header(
    content: bytes, expected: dict[str, list[str]], tmp_path: Path
) -> None:
    """A header of one column stays one; the ending decides between equals."""
    assert cells(tmp_path / "a.csv", content) == expected


def test_ragged_rows_are_told_by_the_separator_of_most(tmp_path: Path) -> None:
    content = b"a;b;c\n" + b"1;2;3\n" * 3 + b"4;5\n"
    with pytest.raises(DataError, match=r"row 5 .* has 2 fields, but the header has 3"):
        cells(tmp_path / "a.csv", content)


@pytest.mark.parametrize("block", [1, 3, 7, 1 << 20])
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a,b\r1,x\r2,y\r", [("1", "x"), ("2", "y")]),
        (b"a,b\r1,x\r2,y", [("1", "x"), ("2", "y")]),
        (b'a,b\r"1\r2","x\ny"\r3,"\r\n"\r', [("1\r2", "x\ny"), ("3", "\r\n")]),
        (b"a,b\r\n1,x\n2,y\r\n", [("1", "x"), ("2", "y")]),
        (b"a,b\r1,x\n2,y\r\n3,z\r", [("1", "x"), ("2", "y"), ("3", "z")]),
        (b'a,b\r"x\r\r",1\r\r\r', [("x\r\r", "1")]),
    ],
)
def test_carriage_returns_end_rows(
    content: bytes, expected: list[tuple[str, str]], block: int, tmp_path: Path
) -> None:
    """As on an old Mac, or mixed; those in quotes are text."""
    found = cells(tmp_path / "a.csv", content, block)
    assert list(zip(*found.values(), strict=True)) == expected


def test_carriage_returns_end_rows_of_parts_that_were_joined(tmp_path: Path) -> None:
    """Behind newlines they are text, unless only so all rows have as many fields."""
    assert cells(tmp_path / "a.csv", b"a,b\n1,x\r2,y\r3,z\n")["a"] == ["1", "2", "3"]
    assert cells(tmp_path / "a.csv", b"a,b\n1,x\ry\n2,z\n")["b"] == ["x\ry", "z"]


def test_an_old_file_of_a_mac_is_a_table(tmp_path: Path) -> None:
    """Case 13: it had no rows."""
    text = "click,item\r" + "".join(f"{i % 2},{i}\r" for i in range(40))
    (tmp_path / "mac.csv").write_text(text, newline="")
    with open_table(tmp_path / "mac.csv") as table:
        assert table.rows == 40
        assert table.column("item").cast(pl.Int64).to_list() == list(range(40))


@pytest.mark.parametrize("block", [1, 5, 1 << 20])
def test_blanks_behind_separators_are_no_part_of_names_and_quotes(
    block: int, tmp_path: Path
) -> None:
    content = b'a, b ,\t"c, d" \n1, "x, ""y""" ,"p"\t\n  "2\n, ",q, "z"\r\n'
    found = cells(tmp_path / "a.csv", content, block)
    assert found == {"a": ["1", "2\n, "], "b": ['x, "y"', "q"], "c, d": ["p", "z"]}


def test_a_quote_inside_a_field_is_still_told(tmp_path: Path) -> None:
    for row in (b'x "y" z,1', b'  x "y",1', b'"x" y,1'):
        with pytest.raises(DataError, match=r"row 2 .* has a quote"):
            cells(tmp_path / "a.csv", b"a,b\n" + row + b"\n")


@pytest.mark.parametrize("ending", ["csv", "tsv", "txt"])
def test_packed_text(ending: str, tmp_path: Path) -> None:
    """Compressed by gzip, bzip2 or Zstandard; cut files are told."""
    content = b"a,b\n" + b"".join(b"%d,%d\n" % (i, hash(str(i))) for i in range(2000))
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as packed:
        packed.write(content)
    for packing, packed in (
        ("gz", gzip.compress(content)),
        ("bz2", bz2.compress(content)),
        ("zst", sink.getvalue().to_pybytes()),
    ):
        path = tmp_path / f"a.{ending}.{packing}"
        assert len(cells(path, packed)["a"]) == 2000
        with pytest.raises(DataError, match=r"cut off or damaged|cannot be read: Truncated"):
            cells(path, packed[:-30])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=6),
    st.sampled_from([",", ";", "|", "\t"]),
    st.sampled_from(["\r", "\n", "\r\n"]),
    st.integers(1, 30),
)
def test_quoted_cells_are_read_back(
    tmp_path: Path, rows: list[list[str]], separator: str, end: str, block: int
) -> None:
    """Whatever the separator, the line ends and the size of a block."""
    written = io.StringIO(newline="")
    options = {"delimiter": separator, "lineterminator": end, "quoting": csv.QUOTE_ALL}
    csv.writer(written, **options).writerows([["x", "y", "z"], *rows])  # type: ignore[arg-type]
    found = cells(tmp_path / "a.csv", written.getvalue().encode(), block)
    columns = zip(*rows, strict=True)
    assert list(found.values()) == [[cell or None for cell in column] for column in columns]
