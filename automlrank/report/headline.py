"""The first sentence of a report: what the run has found, and whether it is real."""

from __future__ import annotations

from automlrank.evaluate.metrics import METRICS
from automlrank.report.cells import show_ms, show_score, show_test
from automlrank.report.compare import as_fast, best_reference, compare
from automlrank.trials.facts import RunFacts
from automlrank.trials.records import Record
from automlrank.trials.results import Results


def headline(results: Results, facts: RunFacts) -> str:
    """One sentence: the best architecture within the budget against the best reference.

    The best is chosen on validation and stated on test.
    """
    limit = facts.latency_ms
    fits = results.within(limit)
    if not fits:
        return _nothing(results, limit)
    best = fits[0]
    if best.score(results.metric, "test") is None:
        return _untested(best, results, limit)
    if results.is_reference(best):
        return _reference_won(best, results, limit)
    rival = best_reference(results, limit)
    start = f"The best architecture{_within(limit)} scores {_test(best, results.metric)}"
    if rival is None:
        return f"{start}; no reference was scored on the test split."
    over = limit is not None and (rival.latency() or 0.0) > limit
    return (
        f"{start}; {_name(rival)}, the best reference, scores "
        f"{_score_and_time(rival, best, results.metric)}{' (over the budget)' if over else ''}: "
        f"{_verdict(best, rival, results.metric)}"
    )


def _reference_won(best: Record, results: Results, limit: float | None) -> str:
    """The choice fell on a reference: say so, and how near the search came."""
    start = (
        f"{_name(best)}, a reference, is the best architecture{_within(limit)}: "
        f"it scores {_test(best, results.metric)}"
    )
    others = [
        record
        for record in results.within(limit)
        if not results.is_reference(record) and record.score(results.metric, "test") is not None
    ]
    if not others:
        return f"{start}; the search put no architecture of its own among the finalists."
    return (
        f"{start}; the best that the search composed scores "
        f"{_score_and_time(others[0], best, results.metric)}: "
        f"{_verdict(best, others[0], results.metric)}"
    )


def _untested(best: Record, results: Results, limit: float | None) -> str:
    metric = METRICS[results.metric]
    return (
        f"Nothing{_within(limit)} was scored on the test split; the best on validation has "
        f"{metric.label} {show_score(best.choice_score(results.metric))} at "
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


def _verdict(a: Record, b: Record, metric: str) -> str:
    """``a - b`` and its standing; says so where a real difference speaks against ``a``."""
    difference = compare(a, b, metric)
    if difference is None:
        return "their difference is not known."
    text = f"the difference ({difference.value:+.4f})"
    if difference.real is None:
        return f"{text} has no measured spread."
    if not difference.real:
        return f"{text} is within noise."
    beaten = METRICS[metric].better(0.0, difference.value)
    return f"{text} is more than noise{', and not in its favour' if beaten else ''}."


def _within(limit: float | None) -> str:
    return "" if limit is None else f" within {limit:g} ms"


def _name(record: Record) -> str:
    return record.name or f"trial {record.number}"


def _test(record: Record, metric: str) -> str:
    label = METRICS[metric].label
    return f"test {label} {show_test(record, metric)} at {show_ms(record.latency())} ms"


def _score_and_time(record: Record, best: Record, metric: str) -> str:
    score, time = show_score(record.score(metric, "test")), show_ms(record.latency())
    return f"{score} at {time} ms{', which is as fast' if as_fast(record, best) else ''}"
