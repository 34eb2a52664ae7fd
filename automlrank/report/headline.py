"""The first sentence of a report: what the run has found, and whether it is real."""

from __future__ import annotations

import dataclasses

from automlrank.measurement.metric_language import parse_metric
from automlrank.report.cells import show_change, show_ms, show_score, show_test
from automlrank.report.compare import as_fast, compare
from automlrank.runs.record import Record
from automlrank.runs.results import Results
from automlrank.runs.run_info import RunInfo


def headline(results: Results, facts: RunInfo) -> str:
    """One sentence: the best architecture within the budget against the best reference.

    The best is chosen on validation and stated on test. Where boosted trees or the incumbent are
    really better, that is said first; how it stands to the incumbent is always said.
    """
    limit = facts.latency_ms
    fits = results.within(limit)
    if not fits:
        return _nothing(results, limit)
    best = fits[0]
    if best.score(results.metric.name, "test") is None:
        return _untested(best, results, limit)
    winners = _really_better(best, results)
    if winners:
        return _beaten(winners, best, results, limit)
    if results.is_reference(best):
        return _reference_won(best, results, limit)
    incumbent = results.incumbent
    rival = _without(results, incumbent).best_reference(limit)
    start = f"The best architecture{_within(limit)} scores {_test(best, results.metric.name)}"
    start += _against(incumbent, best, results.metric.name)
    if rival is None and incumbent is not None:
        return f"{start}."
    if rival is None:
        return f"{start}; no reference was scored on the test split."
    over = limit is not None and (rival.latency() or 0.0) > limit
    return (
        f"{start}; {_name(rival)}, the best reference, scores "
        f"{_score_and_time(rival, results.metric.name, best)}"
        f"{' (over the budget)' if over else ''}: "
        f"{_verdict(best, rival, results.metric.name)}."
    )


def _really_better(best: Record, results: Results) -> list[Record]:
    """The references that are no architectures and beat it beyond noise on test, best first."""
    metric = results.metric
    known = [(compare(r, best, results.metric.name), r) for r in results.outsiders]
    won = [(d.value, r) for d, r in known if d and d.real and metric.better(d.value, 0.0)]
    return [r for _, r in sorted(won, key=lambda pair: pair[0], reverse=metric.up)]


def _beaten(winners: list[Record], best: Record, results: Results, limit: float | None) -> str:
    """Boosted trees or the incumbent won: that comes first."""
    metric, first = results.metric.name, winners[0]
    name = _name(first)
    over = limit is not None and (first.latency() or 0.0) > limit
    others = [f"{_name(r)} ({_score_and_time(r, metric)})" for r in winners[1:]]
    text = (
        f"{name[0].upper()}{name[1:]} scores {_test(first, metric)}"
        f"{' (over the budget)' if over else ''} and beats the best architecture{_within(limit)} "
        f"({_score_and_time(best, metric)}){''.join(f', as does {other}' for other in others)}: "
        f"{_verdict(first, best, metric)}"
    )
    incumbent = results.incumbent
    return f"{text}{'' if incumbent in winners else _against(incumbent, best, metric)}."


def _against(incumbent: Record | None, best: Record, metric: str) -> str:
    """How the best architecture stands to the incumbent, behind what has been said of it."""
    if incumbent is None or incumbent.score(metric, "test") is None:
        return ""
    standing = _verdict(best, incumbent, metric, "the architecture's difference to it")
    return f"; {_name(incumbent)} scores {_score_and_time(incumbent, metric)}: {standing}"


def _without(results: Results, incumbent: Record | None) -> Results:
    others = tuple(r for r in results.references if r is not incumbent)
    return dataclasses.replace(results, references=others)


def _reference_won(best: Record, results: Results, limit: float | None) -> str:
    """The choice fell on a reference: say so, and how near the search came."""
    start = (
        f"{_name(best)}, a reference, is the best architecture{_within(limit)}: "
        f"it scores {_test(best, results.metric.name)}"
        f"{_against(results.incumbent, best, results.metric.name)}"
    )
    others = [
        record
        for record in results.within(limit)
        if not results.is_reference(record)
        and record.score(results.metric.name, "test") is not None
    ]
    if not others:
        return f"{start}; nothing that the search composed is a finalist{_within(limit)}."
    return (
        f"{start}; the best that the search composed scores "
        f"{_score_and_time(others[0], results.metric.name, best)}: "
        f"{_verdict(best, others[0], results.metric.name)}."
    )


def _untested(best: Record, results: Results, limit: float | None) -> str:
    metric = results.metric
    return (
        f"Nothing{_within(limit)} was scored on the test split; the best on validation has "
        f"{metric.label} {show_score(best.choice_score(results.metric.name))} at "
        f"{show_ms(best.latency())} ms there, which flatters it, since it was chosen by that score."
    )


def _nothing(results: Results, limit: float | None) -> str:
    measured = [r for r in (*results.records, *results.references) if r.latency() is not None]
    slow = [r for r in measured if limit is not None and (r.latency() or 0.0) > limit]
    if measured and len(slow) == len(measured):
        fastest = min(measured, key=lambda record: record.latency() or 0.0)
        return (
            f"No architecture fits {limit:g} ms: the fastest, {fastest.name or fastest.summary}, "
            f"takes {show_ms(fastest.latency())} ms."
        )
    states = ", ".join(f"{n} {state.replace('_', ' ')}" for state, n in results.counts.items() if n)
    return f"No trial{_within(limit)} was trained to the end ({states or 'none began'})."


def _verdict(a: Record, b: Record, metric: str, noun: str = "the difference") -> str:
    """``a - b`` and its standing; says so where a real difference speaks against ``a``."""
    difference = compare(a, b, metric)
    if difference is None:
        return "their difference is not known"
    text = f"{noun} ({show_change(difference.value)})"
    if difference.real is None:
        return f"{text} has no measured spread"
    if not difference.real:
        return f"{text} is within noise"
    beaten = parse_metric(metric).better(0.0, difference.value)
    return f"{text} is more than noise{', and not in its favour' if beaten else ''}"


def _within(limit: float | None) -> str:
    return "" if limit is None else f" within {limit:g} ms"


def _name(record: Record) -> str:
    """What is no architecture is called by what it is."""
    if not record.architecture:
        return record.summary
    return record.name or f"trial {record.number}"


def _test(record: Record, metric: str) -> str:
    label = parse_metric(metric).label
    return f"test {label} {show_test(record, metric)}{_at(record)}"


def _score_and_time(record: Record, metric: str, best: Record | None = None) -> str:
    score = show_score(record.score(metric, "test"))
    tie = best is not None and as_fast(record, best)
    return f"{score}{_at(record)}{', which is as fast' if tie else ''}"


def _at(record: Record) -> str:
    return "" if record.latency() is None else f" at {show_ms(record.latency())} ms"
