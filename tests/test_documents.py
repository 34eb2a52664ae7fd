"""YAML as people write it: lines, every fault at once, nothing unsafe."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automlrank.documents import dump, parse_document
from automlrank.errors import DocumentError

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.text(max_size=20)
    | st.floats(allow_nan=False, allow_infinity=False)
)
DATA = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(min_size=1, max_size=10), inner, max_size=4)
    ),
    max_leaves=20,
)


def faults(text: str) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        parse_document(text, "f.yaml")
    return [str(fault) for fault in caught.value.faults]


@given(st.dictionaries(st.text(min_size=1, max_size=10), DATA, max_size=5))
def test_what_is_dumped_is_read_back_equal(data: dict[str, object]) -> None:
    assert parse_document(dump(data)).data == data


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("1.0e-3", 1e-3),
        (".5", 0.5),
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("12", 12),
        ("'12'", "12"),
        ("~", None),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    read = parse_document(f"a: {text}").data
    assert read == {"a": value}
    assert type(read["a"]) is type(value)  # type: ignore[index]


def test_every_value_knows_its_line() -> None:
    document = parse_document("a: 1\nb:\n  - x\n  - {c: 2}\n")
    assert document.lines[("b", 1, "c")] == 4
    assert str(document.fault(("b", 1, "c"), "wrong.")) == "line 4: b[1].c: wrong."


def test_duplicate_keys_are_faults_all_at_once() -> None:
    assert faults("a: 1\na: 2\nb: {c: 1, c: 2}\n") == [
        "f.yaml:2: a: this key stands twice.",
        "f.yaml:3: b.c: this key stands twice.",
    ]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a: [1, 2", "f.yaml:1: not valid YAML"),
        ("a: !!python/object/apply:os.system ['true']", "is not allowed"),
        ("a: !!python/name:os.system x", "is no python/name:os.system"),
        ("a: \x01", "not valid YAML"),
        ("a: 2024-02-31", "'2024-02-31' is no timestamp"),
        ("a: !!int abc", "'abc' is no int"),
        ("a: !!binary aGk=", "is not allowed"),
        ("", "the file is empty"),
        ("? [1, 2]\n: 3", "a key must be a plain word"),
        ("a: &x [*x]", "once anchors are expanded"),
        (
            "a: &a [1,1,1,1,1,1,1,1,1,1]\n"
            + "".join(
                f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 10)}]\n"
                for i in range(6)
            ),
            "once anchors are expanded",
        ),
    ],
)
def test_what_cannot_be_read_says_why(text: str, part: str) -> None:
    assert part in faults(text)[0]


def test_a_missing_file_is_one_sentence() -> None:
    from automlrank.documents import read_document

    with pytest.raises(DocumentError, match=r"no such file: nowhere\.yaml"):
        read_document("nowhere.yaml")
