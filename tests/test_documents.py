"""YAML as people write it: lines, every fault at once, nothing unsafe."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automlrank.documents import dump, parse_document, read_document, read_json
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
        ("a: 1\nb: !!timestamp x", "f.yaml:2: b: 'x' is no timestamp."),
        ("a: 1\nb: !!int ''", "f.yaml:2: b: '' is no int."),
        ("a: !!int 0b", "f.yaml:1: a: '0b' is no int."),
        ("a: !!float _", "f.yaml:1: a: '_' is no float."),
        ("a: !!bool maybe", "f.yaml:1: a: 'maybe' is no bool."),
        ("a: !!binary x", "f.yaml:1: a: 'x' is no binary."),
        ("a: 0x" + "f" * 5000, "is no int."),
        ("a: !!binary aGk=", "f.yaml:1: a: the tag 'tag:yaml.org,2002:binary' is not allowed"),
        ("a: !!set x", "f.yaml:1: a: the tag 'tag:yaml.org,2002:set' is not allowed"),
        ("a: !!set {b}", "f.yaml:1: a: the tag 'tag:yaml.org,2002:set' is not allowed"),
        ("a: !!omap [b: 1]", "f.yaml:1: a: the tag 'tag:yaml.org,2002:omap' is not allowed"),
        ("a: !!seq x", "f.yaml:1: a: the tag 'tag:yaml.org,2002:seq' is not allowed"),
        ("a: !mine x", "f.yaml:1: a: 'x' is no !mine."),
        ("a: 1\n\nb: \0", "f.yaml:3: not valid YAML: unacceptable character #x0000"),
        ("a: 1\n---\nb: 2", "f.yaml:2: not valid YAML: but found another document."),
        ("a: 1\n\tb: 2", "f.yaml:2: not valid YAML: "),
        ("a: " + "9" * 5000, "f.yaml:1: a: '999"),
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


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a: 1\nb: \xff\n", ":2: not UTF-8 text. Save the file as UTF-8."),
        ("a: 1".encode("utf-16"), ":1: not UTF-8 text."),
        (bytes(100), ":1: not valid YAML: unacceptable character"),
    ],
)
def test_bytes_that_are_no_text_have_a_line(content: bytes, said: str, tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_bytes(content)
    with pytest.raises(DocumentError) as caught:
        read_document(file)
    assert str(caught.value).startswith(f"{file}{said}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ":1: not valid JSON: the file is empty."),
        ('{"a": 1,\n"b"', ":2: not valid JSON: "),
        ("\0" * 9, ":1: not valid JSON: "),
        ("[" * 100_000, ": not valid JSON that can be read."),
        ("9" * 5000, ": not valid JSON that can be read."),
    ],
)
def test_json_that_cannot_be_read_says_where(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "f.json"
    file.write_text(text)
    with pytest.raises(DocumentError) as caught:
        read_json(file)
    assert str(caught.value).startswith(f"{file}{said}")


@pytest.mark.parametrize(
    "sign", ["\x1b[31m", "\u202e", "\u200b", "\u2066", "\x85", "\ufeff", "\U000e0001"]
)
def test_what_is_not_seen_is_dumped_as_an_escape(sign: str) -> None:
    """In keys, values and lists; a terminal and an editor then show what there is."""
    data = {f"a{sign}": [f"{sign}b", {"c": f"{sign} {'long ' * 40}"}]}
    text = dump(data)
    assert all(line.isprintable() for line in text.split("\n"))
    assert parse_document(text).data == data


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="cannot be read: Is a directory"):
        read_document(tmp_path)


def test_a_missing_file_is_one_sentence() -> None:
    with pytest.raises(DocumentError, match=r"no such file: nowhere\.yaml"):
        read_document("nowhere.yaml")
