"""Result of a search: records, facts and folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automlrank.architecture import Architecture
from automlrank.errors import RunError
from automlrank.report.files import results_data
from automlrank.runs.folder import RESULTS, RunFolder
from automlrank.runs.reading import reading
from automlrank.runs.record import Record
from automlrank.runs.results import Results
from automlrank.runs.run_info import RunInfo

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Result:
    """A finished search: its records in ``results``, its facts, and the folder of its files."""

    folder: Path
    results: Results
    facts: RunInfo

    @property
    def front(self) -> tuple[Record, ...]:
        """Trials that no other beats in both metric and latency."""
        return self.results.front

    @property
    def trials(self) -> pd.DataFrame:
        """Trials as a table, one row each."""
        return self.results.trials

    def best(self, max_latency_ms: float | None = None, prefer: str | None = None) -> Record:
        """Return the recommended record within a latency, chosen on validation.

        ``prefer`` is ``"speed"`` (the fastest that is not really worse than the best) or
        ``"score"``; by default as in the search.
        """
        return self.results.best(max_latency_ms, prefer or self.facts.prefer)

    def to_data(self) -> dict[str, Any]:
        """Return the content of ``front.json``."""
        return results_data(self.results, self.facts)

    def record(self, number: int) -> Record:
        """Return a trial or reference by its number; raise RunError if there is none."""
        for record in (*self.results.records, *self.results.references):
            if record.number == number:
                return record
        known = ", ".join(str(record.number) for record in self.results.records)
        raise RunError(f"no trial {number} in {self.folder}.", f"Known: {known}." if known else "")

    def export(
        self,
        out: str | Path,
        trial: int | None = None,
        max_latency_ms: float | None = None,
        *,
        prefer: str | None = None,
        onnx: bool = False,
    ) -> list[Path]:
        """Write a trial (by default the recommended one) as training code; return the files.

        With ``onnx`` a verified ``model.onnx`` is among them.
        """
        from automlrank.codegen.folder import export_architecture

        run = RunFolder(self.folder)
        record = self.best(max_latency_ms, prefer) if trial is None else self.record(trial)
        return export_architecture(
            self._exportable(record, run),
            run.inputs.fitted_schema(),
            run.inputs.encoder(),
            out,
            weights=run.weights(record.fingerprint),
            metric=self.results.metric,
            onnx=onnx,
        )

    def _exportable(self, record: Record, run: RunFolder) -> Architecture:
        """Return a record's architecture; raise RunError if it has none or no weights."""
        shown = f"trial {record.number} ({record.name or record.state})"
        if not record.architecture:
            hint = "Give the number of another trial, or none for the recommended one."
            raise RunError(f"{shown} is not an architecture.", hint)
        kept = any(record.fingerprint == one.fingerprint for one in self.front)
        if not kept and not run.has_weights(record.fingerprint):
            numbers = ", ".join(str(one.number) for one in self.front) or "none"
            problem = f"{shown} is not on the front: its weights were not kept."
            raise RunError(problem, f"Trials on the front: {numbers}.")
        with reading(run.path / RESULTS, run.restored_by):
            return Architecture.read(record.architecture)


def load_run(run: str | Path, prefer: str | None = None) -> Result:
    """Return a finished search from its folder; raise RunError if it has no results yet.

    ``prefer`` is another preference than the search had, as in ``Result.best``.

    >>> result = automlrank.load_run("reports/clicks")  # doctest: +SKIP
    >>> result.best(max_latency_ms=10).valid_score  # doctest: +SKIP
    """
    folder = RunFolder(run)
    facts = folder.facts().preferring(prefer)
    return Result(folder.path, folder.results(), facts)
