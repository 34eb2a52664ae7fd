"""Tables in the terminal and in Markdown: nothing is cut, nothing is markup."""

from __future__ import annotations

import dataclasses

import pytest
from rich.console import Console

from automlrank.report.cells import ranked, show_count, show_ms, show_seconds
from automlrank.report.leaderboard import front_table, leaderboard
from automlrank.report.markdown import escape_markdown, markdown


def printed(table, width):
    console = Console(width=width, force_terminal=False)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


@pytest.mark.parametrize("width", [80, 120])
def test_no_number_and_no_word_is_cut(results, facts, width):
    """At 80 columns the summary wraps; all else stands on one line."""
    long = "emb16 · din · senet · [linear, cin 3x16, cross_net_v2 3 rank 64, mlp 2x128] · mmoe"
    first = dataclasses.replace(results.records[1], summary=long, parameters=123_456_789)
    results = dataclasses.replace(results, records=(*results.records, first))
    text = printed(leaderboard(results, facts), width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "…" not in text
    for word in (*long.split(), "0.7371", "0.7279 ± 0.0027", "4.1 / 5.3", "123M"):
        assert word in text


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
    assert text.splitlines()[2].startswith("The best architecture within 30 ms scores test AUC")
    for fact in ("c0ffee", "131,474 rows", "needs a history", "1 over budget", "2.13.0"):
        assert fact in text


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
