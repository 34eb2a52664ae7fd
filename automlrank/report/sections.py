"""Sections of a report besides its tables: pairs of a term and its text, unescaped."""

from __future__ import annotations

import itertools

from automlrank.measurement.bootstrap import RESAMPLES
from automlrank.measurement.calibration import BINS
from automlrank.measurement.metrics import Metric
from automlrank.report.cells import show_each_seed, show_labels, show_seconds, show_share, title
from automlrank.report.grids import one_class
from automlrank.report.ranking import has_probabilities, ranked
from automlrank.runs.recommendation import TIE, as_fast
from automlrank.runs.results import Results
from automlrank.runs.run_info import RunInfo

Pairs = list[tuple[str, str]]
CHOICE = (
    "by validation alone: of the finalists that tie there with the highest score, the fastest; "
    "among those as fast, the one with the smallest embedding. One of k finalists ties up to "
    f"{TIE} / sqrt(k) standard errors below it, over the paired rows and the seeds, which fresh "
    "seeds confirm in 95 % of searches. The test split was scored for finalists only"
)
EXACT = {"auc": "DeLong", "rmse": "the delta method"}


def cost(results: Results, facts: RunInfo) -> Pairs:
    """Return the cost of the run: trials by state, time."""
    counts = [f"{n} {state.replace('_', ' ')}" for state, n in results.counts.items() if n]
    trained = sum(record.seconds or 0.0 for record in results.records)
    pairs = [
        ("Trials", f"{len(results.records)}: {', '.join(counts)}" if counts else "none"),
        (
            "Time",
            f"{show_seconds(facts.seconds)} by the clock; trials add up to {show_seconds(trained)}",
        ),
    ]
    if facts.processor is not None:
        inside, total = facts.processor
        share = show_share(inside / total)
        text = f"{show_seconds(total)} of the workers, {share} of it in training and scoring"
        pairs.append(("Processor", text))
    return pairs + ([("The search stopped early", facts.ended)] if facts.ended else [])


def measured(results: Results, facts: RunInfo) -> Pairs:
    """Return the protocol of scores and latencies."""
    pairs = [("Metric", _metric(results.metric, facts))]
    for split, rows in facts.rows.items():
        shown = show_labels(facts.label_rates.get(split, {}), facts.regression)
        pairs.append((f"Split {split}", "; ".join([f"{rows:,} rows", *shown])))
    if facts.sample_rows is not None:
        pairs.append(("Sample", f"trials saw about {facts.sample_rows:,} training rows"))
    pairs.append(("Choice", CHOICE))
    pairs += [
        (
            f"Unstable: {record.name or f'trial {record.number}'}",
            f"its seeds score {show_each_seed(record)} on validation, apart beyond what rows and "
            "the other finalists explain: it is not recommended, and has no rank",
        )
        for record in results.unstable
    ]
    if results.finalists or any(reference.test for reference in results.references):
        pairs.append(("Test", _test_protocol(results)))
    protocol = ", ".join(f"{key} {value}" for key, value in results.latency.items())
    pairs.append(("Latency of one request", protocol or "not measured"))
    if ties := equally_fast(results):
        pairs.append(("Equally fast", ties))
    if facts.latency_ms is not None:
        pairs.append(("Budget", f"{facts.latency_ms:g} ms at p50"))
    return pairs + _unscored(results, facts) + sparse(results)


def _metric(metric: Metric, facts: RunInfo) -> str:
    """Return a metric's label with the weights of its tasks, or with the fused score."""
    if metric.fused:
        how = "the mean by the labels of its tasks, weighted by the exponents"
        return f"{metric.label} {facts.score}, {how}"
    weights = ", ".join(f"{task} {weight:g}" for task, weight in metric.weights.items())
    return f"{metric.label}, the mean of {weights}" if len(metric.weights) > 1 else metric.label


def _unscored(results: Results, facts: RunInfo) -> Pairs:
    """Return the references that have a score for a part of the test rows only."""
    whole = facts.rows.get("test", 0)
    return [
        (
            f"Rows of {title(record)}",
            f"{rows:,} of {whole:,} test rows have a score; its figures and all differences "
            "to it are for these rows",
        )
        for record in results.baselines
        if record.test and (rows := record.test.rows) is not None
    ]


def equally_fast(results: Results) -> str:
    """Return neighbours in latency whose intervals overlap: ``trial 2 and deepfm; ...``."""
    shown = sorted(ranked(results), key=lambda record: record.p50 or 0.0)
    ties = [(a, b) for a, b in itertools.pairwise(shown) if as_fast(a, b)]
    return "; ".join(" and ".join(r.name or f"trial {r.number}" for r in tie) for tie in ties)


def sparse(results: Results) -> Pairs:
    """Return the exact zeros of weights that FTRL trained, for the leaderboard's records."""
    return [
        (f"Exact zeros, {title(record)}", f"{show_share(share)} of the weights met in {name}")
        for record in ranked(results)
        for name, share in (record.zero_shares or {}).items()
    ]


def _test_protocol(results: Results) -> str:
    metric = results.metric
    unit = "group" if metric.grouped else "row"
    found_by = f"{RESAMPLES:,} bootstrap draws of {unit}s"
    if len(metric.weights) > 1 or metric.fused:
        found_by = f"each {unit}'s influence"
    elif metric.base.name in EXACT:
        found_by = EXACT[metric.base.name]
    probabilities = (
        f"; calibration is the expected error in {BINS} bins of equal mass, and the mean "
        "prediction over the rate; a log loss in brackets is that of logits shifted by one number "
        "that validation fitted, for losses that bend probabilities"
    )
    return (
        f"trained again with seeds that the search did not use; the {metric.label} is the seeds' "
        f"mean, its 95 % interval ({found_by}) that of one "
        "trained model on these rows, sd the spread between seeds; a difference is significant "
        "beyond 1.96 standard errors, which cover the paired rows and the seeds, for each "
        f"comparison on its own{probabilities if has_probabilities(results) else ''}"
    )


def provenance(facts: RunInfo) -> Pairs:
    """Return the facts needed to run it again."""
    return [
        ("Command", facts.command),
        ("Seed", str(facts.seed)),
        ("Data", f"{facts.data}, fingerprint {facts.data_fingerprint}"),
        ("Machine", facts.machine),
        ("Versions", ", ".join(f"{name} {version}" for name, version in facts.versions.items())),
    ]


def notes(facts: RunInfo) -> Pairs:
    """Return suspicions about the data, and the columns and references that were left out."""
    pairs = [("Suspicion", sentence) for sentence in facts.suspicions]
    pairs += one_class(facts)
    if facts.set_aside:
        pairs.append(("Columns set aside", ", ".join(facts.set_aside)))
    return pairs + [(f"Reference {name} skipped", why) for name, why in facts.skipped.items()]
