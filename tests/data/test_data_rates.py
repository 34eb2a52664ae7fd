"""Statistics as features: smoothed target rates, and what a training row may see."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automlrank.data.dataset import Dataset
from automlrank.data.rates import Rates, fit_rates, keys_of
from automlrank.data.sums import FOLDS, SEED
from automlrank.data.values import EncodingError
from automlrank.measurement.metrics import AUC, auc

PRIOR = 5.0
ROWS = st.lists(
    st.tuples(*(st.integers(0, n) for n in (3, 2, 4)), st.sampled_from([0, 1, None])),
    min_size=2, max_size=40,
)  # fmt: skip


def arrays_of(rows):
    """Ids of two columns, labels with nulls, times."""
    a, b, t, y = (np.array(column, np.float64) for column in zip(*rows, strict=True))
    ids = {"a": (a + 3).astype(np.int32), "b": (b + 3).astype(np.int32)}
    return ids, y[:, None].astype(np.float32), t


def training(rates, ids, labels, times):
    """The statistics of the fitted rows."""
    out = {key: np.empty(shape, np.float32) for key, shape in rates.shapes(len(labels)).items()}
    rates.encode_training(ids, labels, times, out)
    return out


def expected(mean, seen):
    """The two numbers of a row from the labels that it may see."""
    rate = (sum(seen) + PRIOR * mean) / (len(seen) + PRIOR)
    odds = np.log(rate / (1 - rate)) - np.log(mean / (1 - mean))
    return [odds, np.log((1 + len(seen)) / (1 + PRIOR))]


@pytest.mark.parametrize("form", ["out_of_fold", "earlier_rows", "earlier_days"])
@settings(max_examples=25)
@given(rows=ROWS)
def test_rates_equal_their_loops(form, rows):
    """Of a column and of a pair, for training rows and for new ones."""
    ids, labels, times = arrays_of(rows)
    y = labels[:, 0].astype(np.float64)
    known = y[~np.isnan(y)]
    mean = min(max(known.mean() if len(known) else 0.0, 1e-6), 1 - 1e-6)
    seconds = times * 43_200  # two a day
    columns = {("a",): False, ("a", "b"): False}
    rates = fit_rates(columns, ids, labels, form=form, prior=PRIOR, time="t")
    fold = np.random.default_rng(SEED).integers(FOLDS, size=len(rows))
    when = seconds if form == "earlier_rows" else seconds // 86_400

    def sees(i, j):
        return fold[i] != fold[j] if form == "out_of_fold" else when[j] < when[i]

    seen, new = [], []
    for i in range(len(rows)):
        one, all_ = [], []
        for names in columns:
            same = [j for j in range(len(rows)) if all(ids[n][j] == ids[n][i] for n in names)]
            with_label = [j for j in same if not np.isnan(y[j])]
            one += expected(mean, [y[j] for j in with_label if sees(i, j)])
            all_ += expected(mean, [y[j] for j in with_label])
        seen.append(one)
        new.append(all_)
    found = training(rates, ids, labels, pl.Series(seconds))["statistics:item"]
    np.testing.assert_allclose(found, seen, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(rates.encode(ids)["statistics:item"], new, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("form", ["out_of_fold", "earlier_rows"])
def test_rates_of_a_regression_are_smoothed_means_in_deviations(form):
    """Beside a binary task, whose numbers stay what they are."""
    rng = np.random.default_rng(0)
    rows = [
        (*rng.integers(3, size=3), None if rng.random() < 0.2 else rng.integers(2))
        for _ in range(60)
    ]
    ids, clicks, times = arrays_of(rows)
    stay = np.where(np.isnan(clicks), np.nan, rng.lognormal(3, 1, size=(60, 1))).astype(np.float32)
    columns, settings = {("a",): False}, {"form": form, "prior": PRIOR, "time": "t"}
    both = fit_rates(columns, ids, np.hstack([clicks, stay]), regression=(1,), **settings)
    found = training(both, ids, np.hstack([clicks, stay]), pl.Series(times))["statistics:item"]
    alone = fit_rates(columns, ids, clicks, **settings)
    others = training(alone, ids, clicks, pl.Series(times))["statistics:item"]
    np.testing.assert_array_equal(found[:, [0, 2]], others)
    y = stay[:, 0].astype(np.float64)
    mean, deviation = np.nanmean(y), np.nanstd(y)
    fold = np.random.default_rng(SEED).integers(FOLDS, size=60)
    for i in range(60):
        seen = [
            y[j]
            for j in range(60)
            if ids["a"][j] == ids["a"][i]
            and not np.isnan(y[j])
            and (fold[j] != fold[i] if form == "out_of_fold" else times[j] < times[i])
        ]
        smoothed = (sum(seen) + PRIOR * mean) / (len(seen) + PRIOR)
        assert found[i, 1] == pytest.approx((smoothed - mean) / deviation, rel=1e-4, abs=1e-5)


def test_rates_of_a_regression_do_not_depend_on_its_units():
    rng = np.random.default_rng(0)
    ids = {"a": rng.integers(3, 9, size=200).astype(np.int32)}
    stay = rng.lognormal(size=(200, 1))
    settings = {"form": "out_of_fold", "prior": PRIOR, "regression": (0,)}
    one, other = (
        fit_rates({("a",): False}, ids, labels, **settings).encode(ids)["statistics:item"]
        for labels in (stay, 1000 * stay + 70)
    )
    np.testing.assert_allclose(one, other, atol=1e-5)


def test_what_was_never_seen_says_nothing():
    """A new id has the mean's log-odds, difference 0, and the count of no row."""
    ids, labels, _ = arrays_of([(0, 0, 0, 1), (1, 0, 0, 0)])
    rates = fit_rates({("a",): False}, ids, labels, form="out_of_fold", prior=PRIOR)
    new = rates.encode({"a": np.array([99], np.int32)})["statistics:item"]
    np.testing.assert_allclose(new, [[0.0, np.log(1 / 6)]], rtol=1e-6)


def test_a_training_row_never_sees_its_own_label():
    """Turning one label changes other rows' statistics, never the row's own: the mean aside."""
    rng = np.random.default_rng(0)
    ids = {"a": rng.integers(3, 8, size=300).astype(np.int32)}
    labels = rng.integers(2, size=(300, 1)).astype(np.float32)
    turned = labels.copy()
    turned[7] = 1 - turned[7]
    for form in ("out_of_fold", "earlier_rows", "earlier_days"):
        times = pl.Series(np.arange(300) * 3600.0)
        rates = fit_rates({("a",): False}, ids, labels, form=form, prior=PRIOR, time="t")
        before, after = (
            training(rates, ids, known, times)["statistics:item"] for known in (labels, turned)
        )
        assert before[7].tolist() == after[7].tolist()
        assert (before != after).any()


def test_a_pair_is_told_from_another_whose_ids_are_swapped():
    """(3, 4) and (4, 3) are two keys."""
    ids = {"a": np.array([3, 4], np.int32), "b": np.array([4, 3], np.int32)}
    assert len(set(keys_of(ids, ("a", "b")))) == 2


def test_saved_and_loaded_rates_are_equal(tmp_path):
    """The files hold everything; no files, no rates."""
    assert Rates.load(tmp_path) is None
    ids, labels, times = arrays_of([(0, 0, 0, 1), (1, 1, 1, 0), (1, 0, 2, 1)])
    columns = {("a",): True, ("a", "b"): False}
    settings = {"form": "earlier_rows", "prior": 2.0, "time": "t", "unit": "ms"}
    labels = np.hstack([labels, 7 * labels + 1])
    rates = fit_rates(columns, ids, labels, regression=(1,), **settings)
    rates.save(tmp_path)
    loaded = Rates.load(tmp_path)
    for one, other in ((rates, loaded),):
        for key, array in one.encode(ids).items():
            np.testing.assert_array_equal(array, other.encode(ids)[key])
        when = pl.Series(times)
        for key, array in training(one, ids, labels, when).items():
            np.testing.assert_array_equal(array, training(other, ids, labels, when)[key])


def test_the_earlier_forms_need_times():
    """Told so, not silently out of fold."""
    ids, labels, _ = arrays_of([(0, 0, 0, 1), (1, 1, 1, 0)])
    rates = fit_rates({("a",): False}, ids, labels, form="earlier_rows", prior=2.0)
    with pytest.raises(EncodingError, match="need the times"):
        training(rates, ids, labels, None)


@pytest.mark.parametrize("form", ["out_of_fold", "earlier_rows", "earlier_days"])
def test_a_random_label_and_a_column_of_many_ids_give_no_auc(tmp_path, form):
    """The trap of target encoding: rates of training rows that know the label fit it, .5 is right.

    1,500 validation rows: the standard error of an AUC of .5 is .015, and four of them are allowed.
    """
    from automlrank.architecture import Architecture
    from automlrank.model.network import build_model
    from automlrank.training.loop import fit, score

    rng = np.random.default_rng(5)
    frame = pl.DataFrame(
        {
            "many": rng.integers(2000, size=8000),
            "few": rng.integers(10, size=8000),
            "t": 1_600_000_000 + np.arange(8000) * 60,
            "y": rng.integers(2, size=8000),
        }
    )
    schema = {
        "tasks": {"y": {"kind": "binary"}},
        "features": {"many": {"kind": "categorical"}, "few": {"kind": "categorical"}},
        "crosses": [["many", "few"]],
        "statistics": {"of": ["many", "few"], "form": form},
        "time": "t",
        "split": {"by": "time", "column": "t", "valid": 0.1875, "test": 0.1},
    }
    data = Dataset.open(frame, schema, cache=tmp_path)
    for statistics, bf16 in itertools.product(("rate_fields", "rate_logit"), (True, False)):
        architecture = Architecture.read(
            {
                "architecture": "trap",
                "statistics": statistics,
                "interaction": {"mlp": {"width": 32, "depth": 1}},
                "training": {"epochs": 3, "learning_rate": 0.01, "bf16": bf16},
            }
        )
        model = build_model(architecture, data.schema, seed=1)
        for _ in fit(model, architecture, data, seed=1):
            pass
        assert score(model, data, "valid", AUC)["y"] == pytest.approx(0.5, abs=0.06)
    naive = data.encoder.rates.encode(data.encoder.ids_in(_ids(data)))["statistics:item"]
    assert auc(data.labels("train")[:, 0], naive[:, 4]) > 0.9  # what the trap would have seen


def _ids(data):
    return {
        key: data.take("train", np.arange(data.rows["train"]))[key].numpy()
        for key in ("ids:request", "ids:item")
    }
