"""The page holds everything, needs no network, and lets no name out of its place."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from html.parser import HTMLParser

import pytest

from automlrank.measurement.latency import Latency
from automlrank.measurement.metrics import AUC
from automlrank.report.figures import finalists_figure, front_figure
from automlrank.report.html import escape_json, html
from automlrank.report.ranking import RANKS
from automlrank.runs.results import Results

EVIL = "</script><img src=x onerror=alert(1)>\"'&"


class Page(HTMLParser):
    """Collects tags, attributes that load something, and data of scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.loads += [f"{k}={v}" for k, v in attrs if k in ("src", "href", "srcset")]
        if tag not in ("meta", "br", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture
def page(monkeypatch):
    """A page without Plotly's own megabytes."""
    monkeypatch.setattr("automlrank.report.html.get_plotlyjs", lambda: "var Plotly = {};")
    return html


def figures_of(text):
    pattern = r'<script type="application/json" id="(\w+)">(.*?)</script>'
    return {name: json.loads(data) for name, data in re.findall(pattern, text, re.DOTALL)}


def test_page_holds_every_section_and_every_trial(page, results, facts):
    text = page(results, facts)
    parsed = Page(text)
    assert not parsed.open
    assert re.findall(r"<h2>(.*?)</h2>", text) == [
        "Front", "Finalists and references", "All trials", "What it cost", "How it was measured",
        "Left out and suspicious", "To run it again"]  # fmt: skip
    sortable = text.split('class="sortable"')[1].split("</table>")[0]
    assert sortable.count("<tr>") == 1 + len(results.records)
    assert "the same as trial 1" in sortable


def test_finalists_stand_by_rank_with_their_uncertainty(page, results, facts):
    text = page(results, facts)
    table = text.split("<h2>Finalists and references</h2>")[1].split("</section>")[0]
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", line) for line in table.split("<tr>")[2:]]
    assert [line[0] for line in cells] == ["1", "1", "2"]
    assert [line[1] for line in cells] == ["1", "-", "0"]
    for text in ("0.7279 ± 0.0027", "3, sd 0.0006", "0.5931", "0.0124, ×1.031"):  # noqa: RUF001
        assert text in cells[0]
    assert RANKS in table


def test_page_loads_nothing(page, results, facts):
    parsed = Page(page(results, facts))
    assert parsed.loads == []
    assert not {"link", "iframe", "img", "object"} & set(parsed.tags)


def test_the_library_is_inlined(results, facts):
    text = html(results, facts)
    assert len(text) > 1_000_000
    assert 'src="http' not in text


def test_names_from_data_stay_text(page, results, facts):
    """In tables, in the architecture's YAML, in hover texts, in facts: no tag comes of them."""
    trial = dataclasses.replace(results.records[1], summary=EVIL, architecture={EVIL: [EVIL]})
    failed = dataclasses.replace(results.records[5], reason=EVIL)
    reference = dataclasses.replace(results.references[1], name=EVIL)
    evil = dataclasses.replace(results, records=(trial, failed), references=(reference,))
    facts = dataclasses.replace(
        facts, data=EVIL, command=EVIL, set_aside=(EVIL,), suspicions=(EVIL,),
        skipped={EVIL: EVIL}, rows={EVIL: 1}, versions={EVIL: EVIL},
    )  # fmt: skip
    text = page(evil, facts)
    parsed = Page(text)
    assert "img" not in parsed.tags
    assert parsed.tags.count("script") == page(results, facts).count("<script")
    hover = figures_of(text)["front"]["data"][0]["hovertext"][0]
    assert "<img" not in hover
    assert "&lt;img" in hover


def test_json_in_a_script_cannot_end_it():
    text = escape_json(json.dumps({"a": "</script><!--&"}))
    assert not set("<>&") & set(text)
    assert json.loads(text) == {"a": "</script><!--&"}


def test_front_figure_draws_each_complete_trial_once(results, facts):
    traces = {trace.name: trace for trace in front_figure(results, facts).data}
    assert list(traces["trials"].x) == [9.0]
    assert list(traces["front"].x) == [1.5, 4.1]
    assert list(traces["references"].text) == ["lr", "deepfm"]


@pytest.mark.parametrize("far", [0.2, 0.733])
def test_a_trial_far_behind_does_not_flatten_the_others(results, facts, make_trial, far):
    """The axis begins without it and a note counts it; the front and references are in view."""
    others = [make_trial(20 + i, 0.731 + i / 1000, 9.0 + i) for i in range(6)]
    records = (*results.records, *others, make_trial(30, far, 12.0))
    figure = front_figure(dataclasses.replace(results, records=records), facts)
    told = [note.text for note in figure.layout.annotations if "far behind" in note.text]
    if far > 0.7:
        assert (told, figure.layout.yaxis.range) == ([], None)
        return
    assert told == ["1 trial is far behind: a double click shows all"]
    low, high = figure.layout.yaxis.range
    assert far < low
    shown = [y for trace in figure.data if trace.name in ("front", "references") for y in trace.y]
    assert all(low < y < high for y in shown)


def test_finalists_figure_has_the_intervals(results, facts):
    traces = {trace.name: trace for trace in finalists_figure(results, facts).data}
    assert list(traces["finalists"].y) == [0.7279]
    assert traces["finalists"].error_y.array[0] == pytest.approx(0.0027)
    assert traces["references"].error_y.arrayminus[1] == pytest.approx(0.0027)


@pytest.mark.parametrize(("slowest", "place"), [(9.0, 30.0), (29.0, math.log10(30))])
def test_the_budget_is_drawn_where_it_belongs(results, facts, slowest, place):
    """An annotation on a log axis is placed by its exponent; far away it is not drawn."""
    slow = dataclasses.replace(results.records[2], latency_ms=Latency(slowest, slowest, slowest))
    figure = front_figure(dataclasses.replace(results, records=(results.records[0], slow)), facts)
    assert [note.x for note in figure.layout.annotations] == ([place] if slowest > 15 else [])


def test_an_empty_run_has_a_page(page, facts):
    text = page(Results(AUC, {}, ()), facts)
    assert "Nothing to draw." in text
    assert "Nothing was scored on the test split." in text
