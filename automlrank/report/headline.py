"""The first sentences of a report: the recommended architecture against the best reference."""

from __future__ import annotations

import dataclasses

from automlrank.measurement.metrics import Metric
from automlrank.report.cells import show_change, show_each_seed, show_ms, show_score, show_test
from automlrank.report.compare import compare
from automlrank.runs.recommendation import Recommendation, as_fast
from automlrank.runs.record import Record
from automlrank.runs.results import Results
from automlrank.runs.run_info import RunInfo
from automlrank.runs.search_config import SCORE


def headline(results: Results, facts: RunInfo) -> str:
    """Return the first sentences: the recommended architecture against the best reference.

    It is chosen on validation and stated on test. If boosted trees or the incumbent are
    significantly better, that comes first; the standing against the incumbent is always given.
    """
    limit = facts.latency_ms
    chosen = results.recommendation(limit, facts.prefer)
    if chosen is None:
        return _nothing(results, limit)
    best = chosen.recommended
    if best.test_score is None:
        return _untested(best, results.metric, limit)
    winners = _winners(best, results)
    if winners:
        return _beaten(winners, best, results, limit)
    if results.is_reference(best):
        return _reference_won(best, results, limit)
    return _architecture(chosen, results, limit)


def _architecture(chosen: Recommendation, results: Results, limit: float | None) -> str:
    metric, incumbent, best = results.metric, results.incumbent, chosen.recommended
    reference = _without(results, incumbent).best_reference(limit)
    start = (
        f"The recommended architecture{_within(limit)}, {_name(best)}, scores "
        f"{_test(best, metric)}.{_tie(chosen)}"
    )
    start += _against(incumbent, best, metric)
    if reference is None:
        return start if incumbent else f"{start} No reference was scored on the test split."
    return (
        f"{start} The best reference, {_name(reference)}, scores {_score_and_time(reference, best)}"
        f"{_over(reference, limit)}. {_verdict(best, reference, metric)}"
    )


def _tie(chosen: Recommendation) -> str:
    """Standing of the recommended one and of the highest score, behind another sentence."""
    other = chosen.other
    if other is None:
        return ""
    if chosen.prefer == SCORE:
        return (
            f" It has the highest score on validation; {_name(other)} ties with it there and is "
            f"{_faster(other, chosen.highest)} ({_score_and_time(other)})."
        )
    return (
        f" On validation it ties with {_name(other)}, the highest score there "
        f"({_score_and_time(other)}), and is {_faster(chosen.fastest, other)}."
    )


def _faster(fast: Record, slow: Record) -> str:
    """Return how much faster a record is: ``7 times faster``."""
    if as_fast(fast, slow) or not fast.p50:
        return "as fast, with a smaller embedding"
    return f"{(slow.p50 or 0.0) / fast.p50:.2g} times faster"


def _winners(best: Record, results: Results) -> list[Record]:
    """Return the trees and the incumbent that are significantly better on test, best first."""
    metric = results.metric
    known = [(compare(r, best), r) for r in results.baselines]
    won = [(d.value, r) for d, r in known if d and d.real and metric.better(d.value, 0.0)]
    return [r for _, r in sorted(won, key=lambda pair: pair[0], reverse=metric.up)]


def _beaten(winners: list[Record], best: Record, results: Results, limit: float | None) -> str:
    """Boosted trees or the incumbent won: that comes first."""
    metric, first, incumbent = results.metric, winners[0], results.incumbent
    others = "".join(f", as does {_name(r)} ({_score_and_time(r)})" for r in winners[1:])
    text = (
        f"{_capital(_name(first))} scores {_test(first, metric)}{_over(first, limit)} and beats "
        f"the recommended architecture{_within(limit)} ({_score_and_time(best)}){others}. "
        f"{_verdict(first, best, metric)}"
    )
    return text if incumbent in winners else text + _against(incumbent, best, metric)


def _against(incumbent: Record | None, best: Record, metric: Metric) -> str:
    """Standing of the recommended architecture against the incumbent, behind another sentence."""
    if incumbent is None or incumbent.test_score is None:
        return ""
    standing = _verdict(best, incumbent, metric, "The architecture's", " to it")
    return f" {_capital(_name(incumbent))} scores {_score_and_time(incumbent)}. {standing}"


def _without(results: Results, incumbent: Record | None) -> Results:
    others = tuple(r for r in results.references if r is not incumbent)
    return dataclasses.replace(results, references=others)


def _reference_won(best: Record, results: Results, limit: float | None) -> str:
    """The choice fell on a reference: say it, and how near the search came."""
    metric = results.metric
    start = (
        f"{_capital(_name(best))}, a reference, is the recommended architecture{_within(limit)}: "
        f"it scores {_test(best, metric)}.{_against(results.incumbent, best, metric)}"
    )
    others = [
        record
        for record in results.within(limit)
        if not results.is_reference(record) and record.test_score is not None
    ]
    if not others:
        return f"{start} No architecture of the search is a finalist{_within(limit)}."
    return (
        f"{start} The best architecture of the search scores {_score_and_time(others[0], best)}. "
        f"{_verdict(best, others[0], metric, worse='The reference')}"
    )


def _untested(best: Record, metric: Metric, limit: float | None) -> str:
    return (
        f"No model{_within(limit)} was scored on the test split. The best on validation has "
        f"{metric.label} {show_score(best.choice_score)}{_at(best)} there, an optimistic figure: "
        "it was chosen by that score."
    )


def _nothing(results: Results, limit: float | None) -> str:
    measured = [r for r in (*results.records, *results.references) if r.p50 is not None]
    slow = [r for r in measured if limit is not None and (r.p50 or 0.0) > limit]
    if measured and len(slow) == len(measured):
        fastest = min(measured, key=lambda record: record.p50 or 0.0)
        return (
            f"No architecture fits {limit:g} ms: the fastest, {fastest.name or fastest.summary}, "
            f"takes {show_ms(fastest.p50)} ms."
        )
    if results.unstable and results.complete:
        each = "; ".join(f"{_name(r)} {show_each_seed(r)}" for r in results.unstable)
        return f"No finalist{_within(limit)} is stable: the seeds disagree on validation ({each})."
    states = ", ".join(f"{n} {state.replace('_', ' ')}" for state, n in results.counts.items() if n)
    return f"No trial{_within(limit)} was trained to the end ({states or 'none began'})."


def _verdict(
    a: Record,
    b: Record,
    metric: Metric,
    noun: str = "The",
    to: str = "",
    *,
    worse: str = "The architecture",
) -> str:
    """Return a sentence on ``a - b``: a gain, a loss, or a tie."""
    difference = compare(a, b)
    if difference is None:
        return "Their difference is not known."
    change = f"{noun} difference{to} ({show_change(difference.value)})"
    if difference.unstable:
        return f"{change} says nothing: the seeds of one of them disagree."
    if difference.real is None:
        return f"{change} has no measured spread."
    if not difference.real:
        return f"{change} is within noise: a tie."
    if metric.better(0.0, difference.value):
        return f"{worse} is significantly worse ({show_change(difference.value)})."
    gain = show_change(abs(difference.value)).removeprefix("+")
    return f"{noun} gain of {gain}{' over it' if to else ''} is significant at 95 %."


def _within(limit: float | None) -> str:
    return "" if limit is None else f" within {limit:g} ms"


def _over(record: Record, limit: float | None) -> str:
    over = limit is not None and (record.p50 or 0.0) > limit
    return " (over the budget)" if over else ""


def _name(record: Record) -> str:
    """Return the name of an architecture, or the description of another reference."""
    if not record.architecture:
        return record.summary
    return record.name or f"trial {record.number}"


def _capital(text: str) -> str:
    """Return the text with a capital first letter unless it is a name of ours."""
    return f"{text[0].upper()}{text[1:]}" if " " in text else text


def _test(record: Record, metric: Metric) -> str:
    return f"test {metric.label} {show_test(record)}{_at(record)}"


def _score_and_time(record: Record, best: Record | None = None) -> str:
    tie = best is not None and as_fast(record, best)
    return f"{show_score(record.test_score)}{_at(record)}{' (equally fast)' if tie else ''}"


def _at(record: Record) -> str:
    return "" if record.p50 is None else f" at {show_ms(record.p50)} ms"
