"""Tables in the terminal and in Markdown: nothing is cut, nothing is markup."""

from __future__ import annotations

import dataclasses

import pytest
from rich.console import Console

from automlrank.measurement.latency import Latency
from automlrank.measurement.metrics import AUC, RMSE
from automlrank.report.cells import (
    show_change,
    show_count,
    show_labels,
    show_ms,
    show_score,
    show_seconds,
)
from automlrank.report.html import html
from automlrank.report.leaderboard import Leaderboard, front_table
from automlrank.report.markdown import escape_markdown, markdown
from automlrank.report.ranking import RANKS, ranked
from automlrank.report.sections import cost
from automlrank.runs.results import Results
from automlrank.runs.scores import FinalScores, Interval, PartScore, SplitScores


def printed(table, width):
    console = Console(width=width, force_terminal=False)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


@pytest.mark.parametrize("width", [80, 120])
def test_no_number_and_no_word_is_cut(results, facts, width):
    """At 80 columns the summary wraps; all else stands on one line."""
    long = "emb16 · din · senet · [linear, cin 3x16, cross_net_v2 3 rank 64, mlp 2x128] · mmoe"
    first = dataclasses.replace(
        results.records[1],
        number=1234,
        fingerprint="print1234",
        valid=SplitScores(AUC, 0.7471),
        summary=long,
        parameters=123_456_789,
        latency_ms=Latency(123.4, 234.5, 300.0, p50_repeated=987.6),
    )
    results = dataclasses.replace(results, records=(*results.records, first))
    text = printed(Leaderboard(results, facts), width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "…" not in text
    numbers = ("1234*", "0.7471", "0.7279 ± 0.0027", "sd 0.0006", "123.4 / 234.5", "123M")
    assert "repeated 988" in text
    for word in (*long.split(), *numbers):
        assert word in text
    words = " ".join(text.split())
    assert "Equal ranks are ties, the faster first." in words
    assert "sd: the spread over seeds." in words


def test_a_wide_terminal_shows_log_loss_and_calibration(results, facts):
    narrow, wide = (printed(Leaderboard(results, facts), width) for width in (80, 120))
    assert "0.5931" in wide
    assert "0.0124, ×1.031" in wide  # noqa: RUF001
    assert "calibration" not in narrow


def test_ranks_stand_in_every_form(results, facts):
    """lr is really behind both: 1, 1, 2, in the terminal as in Markdown."""
    lines = printed(Leaderboard(results, facts), 120).splitlines()
    places = [line.split()[:2] for line in lines if line[:5].strip().isdigit()]
    assert places == [["1", "1*"], ["1", "-"], ["2", "0*"]]
    table = markdown(results, facts).split("## Finalists and references")[1].split("##")[0]
    assert [line[:9] for line in table.splitlines() if line[2:3].isdigit()] == [
        "| 1 | 1 |", "| 1 | - |", "| 2 | 0 |"]  # fmt: skip
    assert RANKS in table
    assert "3, sd 0.0006" in table
    assert "| 0.5931 | 0.0124, ×1.031 |" in table  # noqa: RUF001


def test_brackets_of_a_summary_are_not_markup(results):
    assert "[linear," in printed(front_table(results), 120)


def test_front_table_holds_the_front_alone(results):
    text = printed(front_table(results), 120)
    assert text.count("±") == len(results.front) == 2


def test_leaderboard_holds_each_record_once_best_first(results):
    """lr is a trial of the front, a finalist and a reference: one row."""
    assert [record.fingerprint for record in ranked(results)] == ["print1", "deepfm", "lr"]


def test_markdown_begins_with_the_answer(results, facts):
    text = markdown(results, facts)
    assert text.splitlines()[2].startswith("The recommended architecture within 30 ms, trial 1")
    for fact in ("c0ffee", "131,474 rows", "needs a history", "1 over budget", "2.13.0"):
        assert fact in text


def test_the_processor_time_of_workers_is_told_by_its_share(results, facts):
    assert "Processor" not in dict(cost(results, facts))
    told = dict(cost(results, dataclasses.replace(facts, processor=(345.6, 400.0))))
    assert told["Processor"].endswith("of the workers, 86.4 % of it in training and scoring")


def test_markdown_escapes_names_from_data(results, facts):
    evil = dataclasses.replace(results.records[1], summary="a|b <script> [x](y)\n| c")
    results = dataclasses.replace(results, records=(evil,))
    text = markdown(results, dataclasses.replace(facts, command="run `x` <b>"))
    assert r"a\|b \<script\> \[x\](y) \| c |" in text
    assert "`` run `x` <b> ``" in text
    assert escape_markdown("is_click*") == r"is\_click\*"


def test_markdown_of_an_empty_run_says_so(results, facts):
    empty = dataclasses.replace(results, records=(), references=())
    assert "No trial was trained to the end" in markdown(empty, facts)


def test_markdown_tells_the_exact_zeros_of_the_front(results, facts):
    """What FTRL trained, by record and parameter."""
    sparse = dataclasses.replace(results.records[1], zero_shares={"wide.weight": 0.714})
    results = dataclasses.replace(results, records=(results.records[0], sparse))
    assert "71.4 % of the weights met in wide.weight" in markdown(results, facts)


def test_numbers_read_as_people_say_them():
    counts = (0, 999, 1000, 12_345, 999_700, 1_234_567, 2.5e9)
    assert [show_count(n) for n in counts] == ["0", "999", "1k", "12.3k", "1M", "1.23M", "2.5B"]
    assert [show_ms(v) for v in (0.123, 4.06, 120.0, None)] == ["0.12", "4.1", "120.0", "-"]
    assert [show_seconds(s) for s in (5, 300, 7200)] == ["5.0 s", "5.0 min", "2.0 h"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.71234, "0.7123"),
        (9.87654, "9.8765"),
        (12.3456, "12.346"),
        (19876.54, "19877"),
        (0, "0.0000"),
    ],
)
def test_errors_in_large_units_have_fewer_decimals(value, text):
    """What stands beside them has as many."""
    assert show_score(value) == text
    assert show_change(value) == f"+{text}"
    assert show_score(0.123456, value) == f"{0.123456:.{len(text.partition('.')[2])}f}"


def test_labels_have_a_rate_or_a_mean():
    means = {"click": 0.371, "stay": 21.53, "none": None}
    assert show_labels(means, ["stay"]) == ["click 37.1 %", "stay mean 21.530", "none -"]


@pytest.mark.parametrize("width", [80, 120])
def test_a_regression_has_no_probabilities_and_no_auc(make_trial, facts, width):
    """The lower error stands above, in the terminal, in Markdown and in HTML."""

    def of(number, rmse):
        tasks = {"stay": PartScore(RMSE, rmse, Interval(rmse, rmse))}
        ends = Interval(rmse - 0.01, rmse + 0.01)
        test = FinalScores(RMSE, rmse, interval=ends, tasks=tasks)
        valid = SplitScores(RMSE, rmse)
        return make_trial(number, None, 5.0 - number, valid=valid, test=test)

    results = Results(RMSE, {}, (of(0, 2.0), of(1, 2.5)), (of(2, 2.2),))
    facts = dataclasses.replace(facts, metric="rmse", regression=("is_click",))
    terminal = printed(Leaderboard(results, facts), width)
    for text in (terminal, markdown(results, facts), html(results, facts).partition("<body>")[2]):
        assert "RMSE" in text
        for word in ("AUC", "log loss", "calibration", "Calibration"):
            assert word not in text
    assert terminal.index("2.0000 ± 0.0100") < terminal.index("2.5000 ± 0.0100")
    assert [r.number for r in ranked(results)] == [0, 2, 1]
    assert "click mean 0.4100" in markdown(results, facts)
