"""What looks wrong in a table: each rule speaks where it should, and is silent elsewhere."""

from __future__ import annotations

import dataclasses
import math
import re

import numpy as np
import polars as pl
import pytest
from scipy.stats import spearmanr

from automlrank.audit import ALONE, column_figure, suspicions
from automlrank.audit.sample_view import rank_correlation
from automlrank.data.synthetic import synthetic_frame
from automlrank.schema import (
    CategoricalFeature,
    Feature,
    HistoryFeature,
    MultiFeature,
    NumericFeature,
    Schema,
    Split,
    Task,
)

N = 2000
TRAIN, VALID = 1000, 500
SPLITS = np.repeat([0, 1, 2], [TRAIN, VALID, N - TRAIN - VALID]).astype(np.int8)
RNG = np.random.default_rng(0)
LABEL = RNG.integers(2, size=N).astype(np.int8)
NOISE = RNG.random(N)
ITEM = RNG.integers(50, size=N)
AFTER = RNG.bit_generator.state


@pytest.fixture(autouse=True)
def _own_draws() -> None:
    """A test draws the same numbers whichever ran before it."""
    RNG.bit_generator.state = AFTER


def said(*features: Feature, columns: dict[str, object], **schema: object) -> str:
    """All sentences on a table of a random label, a random number and the given columns."""
    frame = pl.DataFrame({"y": LABEL, "noise": NOISE, **columns})
    return "\n".join(
        suspicions(
            frame, Schema((Task("y"),), (NumericFeature("noise"), *features), **schema), SPLITS
        )  # type: ignore[arg-type]
    )


def alone(values: object, label: object = LABEL) -> float | None:
    """The AUC of one column."""
    column = values if isinstance(values, pl.Series) else pl.Series(values)
    return column_figure(column, np.asarray(label, np.float64), ALONE["binary"], SPLITS)


# the AUC of one column


def test_a_column_that_is_the_label_has_auc_1() -> None:
    """Whatever its type: by value, by range, by item, by length."""
    positive = LABEL == 1
    columns = [
        LABEL,
        positive,
        np.where(positive, "a", "b"),
        LABEL + NOISE,
        -(LABEL + NOISE),
        np.where(positive, 1.0, math.nan),
        pl.Series([[i, i + 2] for i in LABEL.tolist()]),
        pl.Series([[] if i else ["a"] for i in LABEL.tolist()]),
        pl.Series([[i + 0.5, 1.0] for i in LABEL.tolist()]),
        pl.Series([[{"a": 1}] * (1 + i) for i in LABEL.tolist()]),
        pl.Series(np.where(positive, 10**6, 10**9)).cast(pl.Datetime("us")),
        pl.Series(np.where(positive, "a", "b")).cast(pl.Categorical),
        pl.Series([[i, 1] for i in LABEL.tolist()], dtype=pl.Array(pl.Int64, 2)),
    ]
    found = [alone(column) for column in columns]
    assert found == pytest.approx([1.0] * len(columns), abs=1e-4)  # one range holds both classes


def test_a_value_has_its_smoothed_training_rate() -> None:
    """``(positives + 5 mean) / (rows + 5)``: one certain row says less than eight in ten.

    Train holds one positive row of a, ten rows of b of which eight are positive, and eleven rows
    of c of which two are: rates .583, .7, .344; the unseen d has the mean, one half.
    """
    train = ["a"] + ["b"] * 10 + ["c"] * 11
    labels = [1] + [1] * 8 + [0] * 2 + [1] * 2 + [0] * 9
    splits = np.repeat([0, 1], [len(train), 4])

    def auc_of(valid_labels: list[int]) -> float | None:
        column = pl.Series([*train, "b", "a", "d", "c"])
        label = np.array([*labels, *valid_labels], np.float64)
        return column_figure(column, label, ALONE["binary"], splits)

    assert auc_of([1, 0, 0, 0]) == auc_of([1, 1, 0, 0]) == auc_of([1, 1, 1, 0]) == 1.0


def test_noise_has_an_auc_near_one_half() -> None:
    """Ids of one row each as well, as rates are of training rows and the AUC of others."""
    for values in (NOISE, ITEM, np.arange(N), [str(i) for i in range(N)]):
        assert alone(values) == pytest.approx(0.5, abs=0.08)


def test_a_null_is_a_value() -> None:
    assert alone(pl.Series([None if i else 7 for i in LABEL.tolist()])) == 1.0


def test_an_auc_that_is_not_defined_is_none() -> None:
    """Constants, columns of nulls, one class only, no training rows."""
    assert alone([1] * N) is None
    assert alone([None] * N) is None
    assert alone(NOISE, np.ones(N)) is None
    assert column_figure(pl.Series(NOISE), LABEL * 1.0, ALONE["binary"], SPLITS + 1) is None


def test_rows_without_a_label_do_not_count() -> None:
    label = np.where(NOISE < 0.5, LABEL, math.nan)
    assert alone(np.where(np.isnan(label), 1 - LABEL, LABEL), label) == 1.0


# the rules


def test_a_clean_table_gives_no_sentence() -> None:
    frame, schema = synthetic_frame(6000, seed=0)
    splits = np.repeat([0, 1, 2], [3600, 1200, 1200]).astype(np.int8)
    assert suspicions(frame, schema, splits) == []


def test_a_column_that_tells_the_label_is_named() -> None:
    """Far above the others, or nearly certain; figures of both are given."""
    leak = np.where(RNG.random(N) < 0.85, LABEL, 1 - LABEL)
    text = said(CategoricalFeature("leak"), columns={"leak": leak})
    assert "leak (AUC 0.8" in text
    assert "alone predicts y suspiciously well" in text
    assert "noise" not in text.split(":")[0]


def test_good_columns_without_a_gap_are_not_named() -> None:
    """As in census: .86 with others close below is honest."""
    columns = {f"x{i}": LABEL + RNG.normal(size=N) * (0.7 + 0.1 * i) for i in range(12)}
    assert alone(columns["x0"]) > 0.8  # type: ignore[operator]
    assert said(*map(NumericFeature, columns), columns=columns) == ""


def test_chance_is_no_leak() -> None:
    """Of many columns one suits a handful of validation rows by chance."""
    splits = np.zeros(N, np.int8)
    splits[:6], splits[6:12] = 1, 2
    columns = {f"x{i}": RNG.random(N) for i in range(100)}
    frame = pl.DataFrame({"y": LABEL, **columns})
    schema = Schema((Task("y"),), tuple(map(NumericFeature, columns)))
    assert (
        max(
            column_figure(frame[name], LABEL * 1.0, ALONE["binary"], splits) or 0
            for name in columns
        )
        == 1
    )
    assert not any("suspiciously" in text for text in suspicions(frame, schema, splits))


def test_an_outcome_of_few_rows_is_named() -> None:
    """Its AUC is near one half, but where it is 1 the label is."""
    bought = (LABEL == 1) & (RNG.random(N) < 0.1)
    text = said(CategoricalFeature("bought"), columns={"bought": bought})
    assert "bought (100.0%): where it is 1, y is 1" in text
    shuffled = RNG.permutation(bought)
    assert said(CategoricalFeature("bought"), columns={"bought": shuffled}) == ""


def test_columns_set_aside_are_looked_at() -> None:
    frame = pl.DataFrame({"y": LABEL, "noise": NOISE, "seen": LABEL})
    schema = Schema((Task("y"),), (NumericFeature("noise"),))
    assert suspicions(frame, schema, SPLITS) == []
    assert "seen (AUC 1.000)" in suspicions(frame, schema, SPLITS, set_aside=["seen"])[0]


def test_ids_that_never_repeat_are_named() -> None:
    columns = {"row": [f"r{i}" for i in range(N)]}
    text = said(CategoricalFeature("row"), columns=columns)
    assert "row (100%): distinct values per training row" in text
    assert text.count("\n") == 0  # that its validation values are new goes without saying


def test_near_constants_are_named() -> None:
    text = said(CategoricalFeature("c"), columns={"c": [1] + [0] * (N - 1)})
    assert "c (99.90%): nearly constant" in text
    assert said(CategoricalFeature("c"), columns={"c": [1, 2] * 3 + [0] * (N - 6)}) == ""


def test_values_that_training_never_saw_are_named() -> None:
    """Of ids those without a twin, of numbers those beyond the range."""
    day = np.arange(N) // 100
    for feature in (CategoricalFeature("day"), NumericFeature("day")):
        text = said(feature, columns={"day": day})
        assert (
            "day (100%): that share of validation rows has a value that no training row has" in text
        )


def test_copies_of_rows_are_named() -> None:
    """Within training, and from training to the other splits."""
    frame = pl.DataFrame({"y": LABEL, "noise": NOISE})
    rows = np.arange(N)
    rows[10:20] = 0
    rows[TRAIN : TRAIN + 30] = np.arange(30, 60)
    texts = suspicions(frame[rows], Schema((Task("y"),), (NumericFeature("noise"),)), SPLITS)
    assert texts[0].startswith("10 training rows (1.0%) are exact copies")
    assert texts[1].startswith("30 rows of valid and test (3.0%) are exact copies")


def test_copies_are_rows_that_equal_another_in_what_the_schema_uses() -> None:
    """What is ignored, or not named, makes a row no other one, and these are no exact copies."""
    rows = np.arange(N) % 1000
    frame = pl.DataFrame({"y": LABEL, "noise": NOISE})[rows].with_columns(row=np.arange(N))
    schema = Schema((Task("y"),), (NumericFeature("noise"),))

    def told(frame: pl.DataFrame, schema: Schema, *, whole: bool = True) -> str:
        texts = suspicions(frame, schema, SPLITS, whole=whole)
        return next(text for text in texts if "valid and test" in text)

    for ignore in ((), ("row",)):
        text = told(frame, dataclasses.replace(schema, ignore=ignore))
        assert text.startswith("1,000 rows of valid and test (100.0%) have the features and labels")
    assert "are exact copies of training rows" in told(frame.drop("row"), schema)
    apart = told(frame.drop("row"), schema, whole=False)
    assert "have the features and labels of training rows" in apart


def test_copies_with_other_labels_are_told_apart() -> None:
    """No model can tell such rows apart; they are no copies."""
    label = LABEL.copy()
    rows = np.arange(N)
    rows[10:30] = 0
    label[10:30] = label[0]
    label[10:14] = 1 - label[0]
    frame = pl.DataFrame({"y": label, "noise": NOISE[rows]})
    (text,) = suspicions(frame, Schema((Task("y"),), (NumericFeature("noise"),)), SPLITS)
    assert text.startswith("20 training rows (2.0%) have the features of others: ")
    assert "the labels of 19 agree as well, those of 1 differ" in text


def test_no_rule_reads_labels_that_are_refused() -> None:
    """Their fault is told already, and any figure on them would be wrong."""
    columns = {"y": LABEL * 2 - 1, "z": np.zeros(N, int), "x": LABEL, "noise": NOISE}
    schema = Schema((Task("y"), Task("z", of="y")), (NumericFeature("x"), NumericFeature("noise")))
    told = suspicions(pl.DataFrame(columns), schema, SPLITS, refused=("y", "z"))
    assert told == []
    told = suspicions(pl.DataFrame(columns), schema, SPLITS)
    assert len(told) > 1


def test_a_random_split_of_rows_with_histories_is_a_leak() -> None:
    """Histories of training rows hold what happened in the rows of other splits."""
    features, columns = sequence()
    text = said(*features, columns=columns, time="t")
    assert text.startswith("h (100%): that share of rows has a history, but rows are split at")
    assert text.endswith("Write split: {by: time, column: t}.")
    for split in (Split("time", "t"), Split("group", "item")):
        assert said(*features, columns=columns, time="t", split=split) == ""
    assert said(*features, columns={**columns, "h": [[]] * N, "h_time": [[]] * N}, time="t") == ""


def test_groups_of_one_class_are_named() -> None:
    lonely = {"g": np.arange(N) // 2, "y": np.arange(N) // 2 % 2}
    text = said(columns=lonely, group="g")
    assert "100% of the validation rows lie in groups of g with one class of y" in text
    assert said(columns={"g": np.arange(N) // 50}, group="g") == ""


def test_a_rate_that_jumps_is_named_with_the_rates() -> None:
    label = np.where(SPLITS == 1, RNG.random(N) < 0.8, RNG.random(N) < 0.4)
    text = said(columns={"y": label})
    rates = [f"{name} {label[k == SPLITS].mean():.1%}" for k, name in ((0, "train"), (1, "valid"))]
    assert f"y: the label rate differs by split: {', '.join(rates)}. Did" in text


def test_few_rows_of_a_class_are_named() -> None:
    """With the uncertainty that they leave; so it is for every binary task."""
    text = said(columns={"y": np.arange(N) % 20 == 0})
    assert "y has few rows of its rarer class (train 50, valid 25, test 25)" in text
    assert "uncertain by 0.06" in text


def sequence(*, late: int = 0, ends_with_item: bool = False) -> tuple[tuple[Feature, ...], dict]:  # type: ignore[type-arg]
    """A history of items with times, in seconds while the row's time is in milliseconds."""
    seconds = 1_700_000_000 + 60 * np.arange(N)
    past = [[int(s) - 90, int(s) - 30] for s in seconds]
    for row in range(late):
        past[row][1] = int(seconds[row])
    before = RNG.integers(50, size=(N, 2)).tolist()
    if ends_with_item:
        before = [[a, int(ITEM[i]) if LABEL[i] else b] for i, (a, b) in enumerate(before)]
    features = (CategoricalFeature("item"), HistoryFeature("h", "item", "clicks", time="h_time"))
    return features, {"item": ITEM, "t": seconds * 1000, "h": before, "h_time": past}


def test_behaviours_that_are_not_earlier_are_named() -> None:
    """At the row's own time is too late; units may differ."""
    features, columns = sequence()
    assert said(*features, columns=columns, time="t", split=Split("time", "t")) == ""
    features, columns = sequence(late=7)
    text = said(*features, columns=columns, time="t")
    assert "clicks: 7 of 2,000 histories (0.4%) hold behaviours at or after the row's own" in text


def test_a_history_that_ends_with_the_answer_is_named() -> None:
    features, columns = sequence(ends_with_item=True)
    text = said(*features, columns=columns, time="t")
    assert "h ends with the row's own item in 100% of the positive rows and 2% of the neg" in text


@pytest.mark.parametrize(
    ("values", "code"),
    [
        (np.where(NOISE < 0.1, -1, ITEM), "-1"),
        (np.where(NOISE < 0.1, -999, ITEM - 5), "-999"),
        (np.where(NOISE < 0.1, 9999.0, NOISE), "9999"),
    ],
)
def test_codes_for_unknown_are_named(values: object, code: str) -> None:
    share = np.mean(NOISE[:TRAIN] < 0.1)
    assert f"x = {code} ({share:.1%}): that share" in said(
        NumericFeature("x"), columns={"x": values}
    )


@pytest.mark.parametrize("values", [ITEM - 1.5, ITEM - 25, ITEM + 50, np.minimum(ITEM * 25, 999)])
def test_extremes_among_others_are_no_codes(values: object) -> None:
    """-1 above -2, 99 above 98."""
    assert said(NumericFeature("x"), columns={"x": values}) == ""


def test_ids_as_floats_or_amounts_are_named() -> None:
    """Named like an id, or too large for a float."""
    ids = np.arange(N) * 7 % 482 * 1.0
    assert "item_id (482 distinct): whole numbers" in said(
        NumericFeature("item_id"), columns={"item_id": ids}
    )
    assert said(NumericFeature("width"), columns={"width": ids}) == ""
    large = 1e16 + 16 * ids
    assert "ids stored as floats" in said(CategoricalFeature("k"), columns={"k": large})


def test_spellings_of_one_value_are_named() -> None:
    words = np.array(["home", "Home", "home ", "search"])[ITEM % 4]
    text = said(CategoricalFeature("page"), columns={"page": words})
    assert "page (1, such as 'Home' and 'home'): that many values differ" in text


def test_long_lists_are_cut_and_odd_names_stay_on_a_line() -> None:
    """Five columns and how many more; a rule has one sentence."""
    names = ["a\nb", *(f"c{i}" for i in range(16))]
    columns = {name: [1] + [0] * (N - 1) for name in names}
    text = said(*map(CategoricalFeature, names), columns=columns)
    assert text.startswith("a\\nb (99.90%), c0")
    assert "c3 (99.90%) and 12 more: nearly constant" in text
    assert "\n" not in text


def test_a_sample_of_rows_is_not_judged_by_what_it_distorts() -> None:
    frame = pl.DataFrame({"y": LABEL, "noise": NOISE, "row": np.arange(N), "c": [0] * N})
    schema = Schema(
        (Task("y"),), (NumericFeature("noise"), CategoricalFeature("row"), CategoricalFeature("c"))
    )
    assert len(suspicions(frame, schema, SPLITS)) == 2
    (left,) = suspicions(frame, schema, SPLITS, step=10)
    assert "nearly constant" in left


def test_what_gives_a_regression_away_is_told_by_the_ranks() -> None:
    """A column of its order is named, honest ones are not, and nobody speaks of an AUC."""
    honest = NOISE + 2 * RNG.random(N)
    schema = Schema(
        (Task("y", "regression"),), tuple(map(NumericFeature, ("noise", "honest", "x")))
    )
    frame = pl.DataFrame(
        {"y": np.exp(5 * NOISE), "noise": RNG.random(N), "honest": honest, "x": -NOISE}
    )
    (text,) = suspicions(frame, schema, SPLITS)
    assert re.match(r"x \(rank correlation (1\.000|0\.99\d)\): alone predicts y suspiciously", text)
    assert (
        suspicions(
            frame.drop("x"), dataclasses.replace(schema, features=schema.features[:2]), SPLITS
        )
        == []
    )


def test_the_rank_correlation_is_spearmans() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(9, size=200).astype(float)
    y = x + rng.normal(size=200).round(1)
    assert rank_correlation(y, x) == pytest.approx(spearmanr(y, x).statistic)
    assert rank_correlation(y, -np.exp(x)) == pytest.approx(-rank_correlation(y, x))
    assert math.isnan(rank_correlation(y, np.ones(200)))


def test_every_kind_of_column_can_be_looked_at() -> None:
    """Nulls, NaN, infinities, empty lists, in every role."""
    frame, schema = synthetic_frame(N, seed=1)
    known = pl.Series(np.arange(N) % 3 > 0)
    names = [feature.name for feature in schema.features]
    frame = frame.with_columns(pl.when(known).then(pl.col(names)))
    odd = pl.Series([math.nan, math.inf, -math.inf, 1.0] * (N // 4))
    frame = frame.with_columns(price=odd, nulls=pl.lit(None))
    features = (*schema.features, NumericFeature("nulls"), MultiFeature("nothing"))
    frame = frame.with_columns(nothing=pl.Series([[]] * N, dtype=pl.List(pl.String)))
    suspicions(frame, dataclasses.replace(schema, features=features), SPLITS)


@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S%.3fZ"])
def test_times_may_be_iso_text(form: str) -> None:
    features, columns = sequence(late=7)
    lists = pl.Series(columns["h_time"]).cast(pl.List(pl.Datetime("us"))).to_frame("t")
    lists = lists.select(pl.col("t").list.eval(pl.from_epoch(pl.element().to_physical())))
    texts = lists.select(pl.col("t").list.eval(pl.element().dt.strftime(form))).to_series()
    now = pl.from_epoch(pl.Series(columns["t"]), "ms").dt.strftime(form)
    text = said(*features, columns={**columns, "h_time": texts, "t": now}, time="t")
    assert "clicks: 7 of 2,000 histories (0.4%) hold behaviours at or after the row's own" in text


def test_times_that_are_none_are_named() -> None:
    features, columns = sequence()
    text = said(*features, columns={**columns, "t": ["01/02/2024"] * N}, time="t")
    assert "column 't' must hold times, but holds '01/02/2024'" in text


def test_a_task_that_happened_without_the_one_before_it_is_counted() -> None:
    """Five rows of 55, one of them where the other's label is unknown."""
    parent = pl.Series(np.repeat([1, 0], [N // 2, N // 2]))
    parent = parent.set(pl.Series(np.arange(N) == N - 1), None)
    child = np.zeros(N, np.int8)
    child[[*range(50), *range(N - 5, N)]] = 1
    frame = pl.DataFrame({"y": parent, "z": child, "noise": NOISE})
    features = (NumericFeature("noise"),)
    chained = Schema((Task("y"), Task("z", of="y")), features)
    sentence = "z: is 1 without y in 5 of 55 rows looked at. Only the loss esmm counts them"
    assert sentence in "\n".join(suspicions(frame, chained, SPLITS))
    free = Schema((Task("y"), Task("z")), features)
    assert "is 1 without" not in "\n".join(suspicions(frame, free, SPLITS))
