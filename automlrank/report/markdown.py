"""The report as Markdown, for a repository or a review."""

from __future__ import annotations

import re
from collections.abc import Sequence

from automlrank.evaluate.metrics import METRICS
from automlrank.report.cells import ranked, row
from automlrank.report.headline import headline
from automlrank.report.sections import Pairs, cost, measured, notes, provenance
from automlrank.trials.facts import RunFacts
from automlrank.trials.records import Record
from automlrank.trials.results import Results

SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~&])")


def markdown(results: Results, facts: RunFacts) -> str:
    """The text of ``report.md``; names from data are escaped."""
    front = {record.fingerprint for record in results.front}
    rest = [record for record in ranked(results) if record.fingerprint not in front]
    parts = [
        f"# {escape_markdown(facts.data)}: architectures by {METRICS[results.metric].label} "
        "and latency",
        escape_markdown(headline(results, facts)),
        "## Front",
        _records(results.front, results) or "No trial was trained to the end.",
    ]
    if rest:
        parts += ["## Other finalists and references", _records(rest, results)]
    for heading, pairs in (
        ("What it cost", cost(results, facts)),
        ("How it was measured", measured(results, facts)),
        ("Left out and suspicious", notes(facts)),
        ("To run it again", provenance(facts)),
    ):
        if pairs:
            parts += [f"## {heading}", _pairs(pairs)]
    return "\n\n".join(parts) + "\n"


def escape_markdown(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _records(records: Sequence[Record], results: Results) -> str:
    if not records:
        return ""
    label = METRICS[results.metric].label
    lines = [
        f"| # | architecture | valid {label} | over seeds | test {label} | seeds "
        "| to best reference | p50 / p95 ms | parameters |",
        "| --: | :-- | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for record in records:
        cells = row(record, results)
        texts = (
            cells.number,
            escape_markdown(cells.title),
            cells.valid,
            cells.mean,
            cells.test,
            cells.seeds,
            cells.versus,
            cells.latency,
            cells.parameters,
        )
        lines.append(f"| {' | '.join(texts)} |")
    return "\n".join(lines)


def _pairs(pairs: Pairs) -> str:
    return "\n".join(
        f"- {escape_markdown(term)}: {_code(text) if term == 'Command' else escape_markdown(text)}"
        for term, text in pairs
    )


def _code(text: str) -> str:
    """A span of code; its fence is longer than any run of backticks in it."""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence} {' '.join(text.split())} {fence}"
