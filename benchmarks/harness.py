"""Shared parts of all benchmarks: runs as JSON lines, figures as CSV, tables in Markdown.

A benchmark that trains with several seeds appends each run as it ends (``keep``) and repeats none
that its file holds. A benchmark that measures a machine prints each row as it is known and writes
its figures as CSV (``Figures``). ``python -m benchmarks.tables`` renders both into reports/.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parent.parent
Run = Mapping[str, Any]


def parser(doc: str | None) -> argparse.ArgumentParser:
    """A parser whose description is the first line of a benchmark's docstring."""
    return argparse.ArgumentParser(description=(doc or "").splitlines()[0])


def read(path: Path) -> list[dict[str, Any]]:
    """The runs of a file; none if there is no file yet."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def keep(path: Path, run: Run) -> None:
    """Print a run and append it to its file."""
    print(dict(run), flush=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(dict(run)) + "\n")


def missing(path: Path, cases: Iterable[Run]) -> Iterator[Run]:
    """The cases that no run of the file has, in order; a case is a part of its run."""
    done = read(path)
    for case in cases:
        if not any(case.items() <= run.items() for run in done):
            yield case


def spread(values: Sequence[float], sign: str = "") -> str:
    """Mean ± standard deviation to four places; one value alone has no deviation."""
    if not len(values):
        return ""
    deviation = f" ± {np.std(values, ddof=1):.4f}" if len(values) > 1 else ""
    return f"{np.mean(values):{sign}.4f}{deviation}"


def differences(one: Mapping[int, Run], other: Mapping[int, Run], key: str) -> list[float]:
    """Differences seed by seed, for the seeds that both have."""
    return [one[seed][key] - other[seed][key] for seed in one if seed in other]


class Figures:
    """The rows of a table: each is printed when it is added, all are written as CSV."""

    def __init__(self, headings: Sequence[str]) -> None:
        self.headings = headings
        self.rows: list[Sequence[str]] = []
        print("\n".join(markdown(headings, ())), flush=True)

    def add(self, cells: Sequence[str]) -> None:
        self.rows.append(cells)
        print(row(cells), flush=True)

    def write(self, path: Path | None) -> None:
        """Write the figures; nothing without a path."""
        if path is None:
            return
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([self.headings, *self.rows])


def figures(path: Path) -> list[str]:
    """The table of a CSV file in Markdown."""
    with path.open(encoding="utf-8", newline="") as file:
        headings, *rows = csv.reader(file)
    return markdown(headings, rows)


def markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table."""
    return [row(headings), row(["---"] * len(headings)), *map(row, rows)]


def row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
