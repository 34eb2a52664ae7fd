"""Times among columns: which tells when a row happened, and how the rows are split by it."""

from __future__ import annotations

import datetime

import numpy as np
import polars as pl
import pytest

from automlrank.data import infer
from automlrank.data.infer import Inferred
from automlrank.data.read import open_table
from automlrank.schema import CategoricalFeature, Schema, Split, Task

N = 1200
RNG = np.random.default_rng(0)
USER, ITEM = RNG.integers(40, size=N), RNG.integers(30, size=N)
CLICK = RNG.integers(2, size=N)
START = 1_650_000_000
SECONDS = START + 60 * (RNG.permutation(N) // 3)  # in no order, and three rows share each
DAY = datetime.date(2024, 1, 1)
BY_TIME = Split("time", "t")


def complete(schema: Schema, **columns: object) -> Inferred:
    frame = pl.DataFrame({"click": CLICK, "user_id": USER, "item_id": ITEM, **columns})
    with open_table(frame) as table:
        return infer.complete(schema, table)


def of_label(**columns: object) -> Inferred:
    """What is inferred from a label alone."""
    return complete(Schema((Task("click", "inferred"),)), **columns)


def days(numbers: np.ndarray) -> list[datetime.date]:  # type: ignore[type-arg]
    return [DAY + datetime.timedelta(days=int(n)) for n in numbers]


@pytest.mark.parametrize(("unit", "per"), [("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)])
@pytest.mark.parametrize("name", ["timestamp", "event_ts", "createdAt", "DATE", "time_ms", "when"])
def test_whole_numbers_from_2000_to_2100_are_times_where_the_name_says_so(
    name: str, unit: str, per: int
) -> None:
    """Whether they repeat or not, in any order."""
    found = of_label(**{name: SECONDS * per})
    assert (found.schema.time, found.schema.split) == (name, Split("time", name))
    assert found.reasons[name] == f"no feature: the time in {unit}"
    assert name not in [feature.source for feature in found.schema.features]
    assert found.read_as == (f"{name!r} tells when a row happened: the split goes by it.",)


def test_a_name_that_says_so_takes_times_from_1990_on() -> None:
    """MovieLens' oldest are of 1995."""
    old = SECONDS - START + 874_724_710
    assert of_label(timestamp=old).schema.time == "timestamp"
    assert of_label(x=np.sort(old)).schema.time is None


def test_floats_are_times_as_well() -> None:
    assert of_label(event_time=SECONDS + 0.25).schema.time == "event_time"


@pytest.mark.parametrize(
    "numbers",
    [
        np.sort(SECONDS),
        -np.sort(-SECONDS),
        START + RNG.permutation(N) * 61,
        START * 1000 + RNG.permutation(N) * 61_000,
    ],
)
def test_without_such_a_name_numbers_in_order_or_that_lie_as_times_are_times(
    numbers: np.ndarray,  # type: ignore[type-arg]
) -> None:
    assert of_label(x=numbers).schema.time == "x"


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("user_id2", SECONDS),
        ("orderId", np.sort(SECONDS)),
        ("x", SECONDS),  # they repeat in no order
        ("x", START + RNG.permutation(N)),  # counted up
        ("x", RNG.permutation(np.linspace(1e9, 4e9, N).astype(int))),  # of all ten digits
        ("x", 1_500_000_000_000_000_000 + RNG.permutation(N) * 10**9 + 7),  # a clock and a counter
        ("time", np.where(np.arange(N) == 7, 0, SECONDS)),
        ("age", USER),
    ],
)
def test_ids_and_amounts_are_no_times(name: str, numbers: np.ndarray) -> None:  # type: ignore[type-arg]
    found = of_label(**{name: numbers}).schema
    assert (found.time, found.split) == (None, Split())


REPEATED = (
    "'x' may be seconds since 1970, but is not taken for a time, as its values repeat, in no order "
    "(ids and amounts). If it is one, name it under time and split."
)
COUNTED = "as its values are as near to each other as ids that were counted up (left out: "
IN_ORDER = (
    "'x' tells when a row happened (seconds since 1970, as its values are in the order of the"
)
FACT = "'x' is taken for seconds since 1970, as its values are in the order of the rows. It is left"


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        (np.sort(SECONDS), IN_ORDER),
        (SECONDS, REPEATED),
        (START + RNG.permutation(N), COUNTED),
        (START * 1000 + RNG.permutation(N) * 61_000, "(milliseconds since 1970, as its values h"),
        (RNG.permutation(np.linspace(1e9, 4e9, N).astype(int)), "as its values span more than 20"),
    ],
)
def test_of_numbers_that_may_be_times_it_is_said_what_was_decided_and_why(
    numbers: np.ndarray,  # type: ignore[type-arg]
    said: str,
) -> None:
    """In one sentence, where no name says that they are; other numbers have none."""
    (note,) = of_label(x=numbers, age=USER, item_code=ITEM).read_as
    assert said in note


def test_numbers_that_are_a_time_but_not_the_rows_are_named() -> None:
    clicked = pl.Series(np.sort(SECONDS)).set(pl.Series(CLICK == 0), None)
    (note,) = of_label(x=clicked).read_as
    assert note.startswith(FACT)
    assert note.endswith("left out: a time that is known only after 'click'.")


@pytest.mark.parametrize("shape", ["date", "datetime", "zoned"])
def test_dates_split_the_rows(shape: str) -> None:
    values = pl.Series(days(np.arange(N) // 40))
    if shape != "date":
        values = values.cast(pl.Datetime("ms"))
    if shape == "zoned":
        values = values.dt.replace_time_zone("Europe/Berlin")
    found = of_label(t=values).schema
    assert (found.time, found.split) == ("t", BY_TIME)
    assert found.statistics is None or "t" not in found.statistics.of


def test_a_time_that_is_the_same_in_the_rows_of_an_id_is_a_fact_about_it() -> None:
    """A release date, a birthday, the day of a signup, whatever they are called."""
    for name, owner, numbers in (("x", "item_id", 9 * ITEM), ("y", "user_id", 5 * USER)):
        alone = of_label(**{name: days(numbers)})
        assert (alone.schema.time, alone.schema.split) == (None, Split())
        reason = f"left out: a time that is the same in all rows of one {owner!r}"
        assert alone.reasons[name] == reason
        beside = of_label(**{name: days(numbers)}, t=SECONDS)
        assert (beside.schema.time, beside.reasons[name]) == ("t", reason)


def test_a_name_may_say_that_a_time_is_none_of_the_row() -> None:
    """Where no id repeats, nothing else does."""
    for name in ("birthday", "date_of_birth", "releaseDate", "signup_at"):
        assert of_label(**{name: days(RNG.integers(9000, size=N))}).schema.time is None


def test_rows_of_a_session_share_their_time() -> None:
    """It is the rows' own nevertheless; so it is where an id comes back in a log in order."""
    session = np.arange(N) // 4
    shuffled = RNG.permutation(N)
    found = of_label(session_id=session[shuffled], t=(START + 600 * session)[shuffled])
    assert found.schema.time == "t"
    visitors = np.arange(N) // 4 + np.tile([0, 1], N // 2)
    assert of_label(visitor=visitors, t=days(np.arange(N) // 40)).schema.time == "t"


def test_a_number_of_the_day_is_no_id_of_something() -> None:
    assert of_label(day_number=np.arange(N) // 40, t=days(np.arange(N) // 40)).schema.time == "t"


def test_a_coarser_form_of_the_time_is_no_second_one() -> None:
    """The finer one is the time, wherever it stands."""
    shuffled = RNG.permutation(N)
    fine, hours = START + 61 * shuffled, (START + 61 * shuffled) // 3600 * 3600
    dates = days((START + 61 * shuffled) // 86_400 - START // 86_400)
    for columns in (
        {"date": dates, "hour": hours, "t": fine},
        {"t": fine, "hour": hours, "date": dates},
    ):
        found = of_label(**columns)
        assert found.schema.time == "t"
        assert found.reasons["date"] == "left out: a coarser form of 't'"


def test_a_day_may_begin_in_some_rows_before_its_midnight() -> None:
    """KuaiRand's days overlap by an hour."""
    numbers = np.arange(N)
    early = numbers + np.where(np.arange(N) % 2, 3, 0)  # of 120 rows a day
    found = of_label(date=days(early // 120), t=START + 720 * numbers)
    assert found.schema.time == "t"


def test_of_several_times_none_is_taken_and_all_are_named() -> None:
    found = of_label(sent_at=SECONDS, seen_at=START + 60 * RNG.permutation(N))
    assert (found.schema.time, found.schema.split) == (None, Split())
    (sentence,) = found.read_as
    assert sentence == (
        "'sent_at' and 'seen_at' may each tell when a row happened, so the split is random. "
        "Name one under time and split."
    )
    for name in ("sent_at", "seen_at"):
        assert "one of several of the row; name it under time and split" in found.reasons[name]


def test_a_time_that_is_mostly_null_or_known_afterwards_is_none_of_the_row() -> None:
    often = pl.Series(days(np.arange(N) // 40))
    mostly = often.set(pl.Series(np.arange(N) % 5 > 0), None)
    after = often.set(pl.Series(CLICK == 0), None)
    label = np.where(np.arange(N) % 4 == 0, 0, 1)
    assert of_label(t=mostly).reasons["t"] == "left out: a time that is mostly null"
    assert of_label(t=after).schema.time is None
    found = of_label(click=label, t=often.set(pl.Series(label == 0), None))
    assert found.reasons["t"] == "left out: a time that is known only after 'click'"


def test_a_time_that_cannot_split_the_rows_is_the_time_and_the_split_random() -> None:
    """Which is told: too few days, a null, one class of the label in a part."""
    dates = pl.Series(days(np.arange(N) // 40))
    late = np.where(np.arange(N) >= 0.85 * N, 1, CLICK)
    for columns, why in (
        ({"t": days(np.arange(N) // 300)}, "'t' has too few distinct values, 4."),
        ({"t": dates.set(pl.Series(np.arange(N) < 3), None)}, "'t' is null in 3 of 1,200 rows."),
        ({"t": dates, "click": late}, "by time 'click' would have one class in test."),
    ):
        found = of_label(**columns)
        assert (found.schema.time, found.schema.split) == ("t", Split())
        assert found.read_as == (
            f"'t' tells when a row happened, but the split is random, as {why}",
        )


def test_a_constant_label_says_nothing_on_the_split() -> None:
    assert of_label(t=SECONDS, click=np.zeros(N, int)).schema.split == BY_TIME


def test_a_schema_that_a_person_wrote_keeps_its_split() -> None:
    """Its reasons suggest the time; without one the advice is a time alone."""
    given = Schema((Task("click"),))
    found = complete(given, t=SECONDS)
    assert (found.schema.time, found.schema.split, found.read_as) == (None, Split(), ())
    assert found.reasons["t"] == "left out: a time in s; name it under time and split"
    few = complete(given, t=days(np.arange(N) // 300))
    assert few.reasons["t"] == "left out: a time; name it under time"
    named = complete(Schema((Task("click"),), time="t"), t=SECONDS, sent_at=SECONDS[::-1])
    assert (named.schema.time, named.schema.split) == ("t", Split())
    assert named.reasons["sent_at"] == "left out: a time in s"


def test_a_time_has_no_target_rates() -> None:
    found = of_label(t=SECONDS, date=days((SECONDS - START) // 3600)).schema
    assert found.statistics is not None
    assert found.statistics.of == ("user_id", "item_id")
    assert found.features == (CategoricalFeature("user_id"), CategoricalFeature("item_id"))
