"""Values as source: whatever they hold, they read back equal and stay within the width."""

from __future__ import annotations

import ast

from hypothesis import given
from hypothesis import strategies as st

from automlrank.codegen.printing import (
    Constants,
    assigned,
    in_docstring,
    laid_out,
    literal,
    wrapped,
)

VALUES = st.one_of(st.text(max_size=400), st.integers(), st.lists(st.text(max_size=90)).map(tuple))


@given(
    st.one_of(VALUES, st.none(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False))
)
def test_a_literal_reads_back_equal(value: object) -> None:
    """``literal_eval(literal(v)) == v`` for every text, number and tuple."""
    assert ast.literal_eval(literal(value)) == value


@given(VALUES)
def test_an_assignment_reads_back_equal(value: object) -> None:
    """``NAME = value`` over any number of lines gives the value, in lines of at most 100."""
    text = assigned("NAME", value)
    assert ast.literal_eval(text.removeprefix("NAME = ").removesuffix("# fmt: skip")) == value
    if isinstance(value, str):
        assert max(map(len, text.splitlines())) <= 100


@given(st.lists(VALUES, max_size=4))
def test_constants_stand_for_their_values(values: list[object]) -> None:
    """The names that ``text`` gives, each replaced by its constant, read back equal."""
    constants = Constants()
    names = [constants.text(value, "VALUE") for value in values]
    lines = "\n".join(constants.lines.values())
    inlined = Inlined(lines)
    assert [ast.literal_eval(inlined.visit(ast.parse(n, mode="eval"))) for n in names] == values
    assert all(len(line) <= 100 for line in lines.splitlines())


class Inlined(ast.NodeTransformer):
    """Puts the values of assignments in the place of their names."""

    def __init__(self, assignments: str) -> None:
        self.values: dict[str, ast.expr] = {}
        for node in ast.parse(assignments).body:
            assert isinstance(node, ast.Assign)
            assert isinstance(node.targets[0], ast.Name)
            self.values[node.targets[0].id] = self.visit(node.value)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.values[node.id]


@given(st.text(max_size=400))
def test_a_name_in_a_docstring_ends_nothing(name: str) -> None:
    """A docstring that shows any name is one expression, in lines of at most 100."""
    text = f'"""{wrapped(f"A model of {in_docstring(name)} and more.")}\n"""'
    (statement,) = ast.parse(text).body
    assert isinstance(statement, ast.Expr)
    assert max(map(len, text.splitlines())) <= 103  # wrapped leaves the quotes to its caller


def test_a_call_takes_the_fewest_lines_that_hold_it() -> None:
    """One line, else the arguments on the next, else a line each with a comma after the last."""
    assert laid_out("f(", ["a", "b"], ")", 4) == "    f(a, b)"
    half = ["a" * 40, "b" * 40]
    assert laid_out("call_me(" + "", half, ")" + " " * 12) == (
        f"call_me(\n    {', '.join(half)}\n)" + " " * 12
    )
    long = ["a" * 60, "b" * 60]
    assert laid_out("f(", long, ")") == f"f(\n    {long[0]},\n    {long[1]},\n)"
