"""Columns of 0 and 1 as tasks of the label, and the label as one of theirs."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from automlrank.data import infer
from automlrank.data.infer import Inferred
from automlrank.data.read import open_table
from automlrank.schema import Schema, Task

N = 2000
RNG = np.random.default_rng(0)
USER = RNG.integers(100, size=N)
VIEW = (RNG.random(N) < 0.7).astype(int)
CLICK = VIEW * (RNG.random(N) < 0.5)
CART = CLICK * (RNG.random(N) < 0.4)
BUY = CART * (RNG.random(N) < 0.4)
COLUMNS = {"user_id": USER, "click": CLICK}


def of_label(outcomes: bool = True, label: str = "click", **columns: object) -> Inferred:
    frame = pl.DataFrame({**COLUMNS, **columns})
    with open_table(frame) as table:
        return infer.complete(Schema((Task(label, "inferred"),)), table, outcomes=outcomes)


def test_what_happens_only_where_the_label_does_is_a_task_of_it() -> None:
    """A search without a schema sets it aside, and says so."""
    found = of_label(buy=BUY)
    assert found.schema.tasks == (Task("click"), Task("buy", of="click"))
    assert (found.set_aside, found.reasons["buy"]) == ((), "a task: 1 only where 'click' is")
    searched = of_label(outcomes=False, buy=BUY)
    assert searched.schema.tasks == (Task("click"),)
    assert searched.set_aside == ("buy",)


def test_an_outcome_of_an_outcome_is_of_the_rarest() -> None:
    found = of_label(cart=CART, buy=BUY)
    assert found.schema.tasks == (Task("click"), Task("cart", of="click"), Task("buy", of="cart"))


def test_what_happens_before_the_label_is_its_parent_and_the_label_stays_first() -> None:
    found = of_label(view=VIEW, cart=CART)
    assert found.schema.tasks == (Task("click", of="view"), Task("view"), Task("cart", of="click"))
    assert found.reasons["view"] == "a task: 1 wherever 'click' is"


@pytest.mark.parametrize("stored", [pl.Boolean, pl.Float64, pl.UInt8])
def test_an_outcome_may_be_null_where_the_label_is_0(stored: pl.DataType) -> None:
    buy = pl.Series(BUY).cast(stored).set(pl.Series(CLICK == 0), None)
    assert of_label(buy=buy).schema.tasks == (Task("click"), Task("buy", of="click"))


@pytest.mark.parametrize(
    "column",
    [
        BUY | (np.arange(N) == np.flatnonzero(CLICK == 0)[0]),  # once without it
        CLICK * (np.arange(N) < 40),  # too few
        CLICK,  # the label itself
        (RNG.random(N) < 0.3).astype(int),
        (USER % 2 == 0).astype(int),
    ],
    ids=["exception", "few", "copy", "chance", "fact"],
)
def test_other_columns_of_0_and_1_are_set_aside(column: np.ndarray) -> None:  # type: ignore[type-arg]
    found = of_label(x=column)
    assert (found.schema.tasks, found.set_aside) == ((Task("click"),), ("x",))


def test_a_fact_about_a_user_is_no_task_though_only_such_users_click() -> None:
    member = (USER % 2 == 0).astype(int)
    found = of_label(click=member * CLICK, member=member)
    assert (found.schema.tasks, found.set_aside) == ((Task("click"),), ("member",))


def test_an_outcome_that_training_never_sees_is_set_aside() -> None:
    """By time, all happened at the end."""
    late = BUY * (np.arange(N) >= 0.9 * N)
    found = of_label(buy=late, time=1_650_000_000 + 60 * np.arange(N))
    assert (found.schema.tasks, found.set_aside) == ((Task("click"),), ("buy",))


def test_the_label_of_a_regression_has_no_outcomes() -> None:
    found = of_label(label="stay", stay=RNG.random(N) * CLICK, buy=BUY)
    assert found.schema.tasks == (Task("stay", "regression"),)
    assert found.set_aside == ("click", "buy")
