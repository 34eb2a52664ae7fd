"""What a search gives: its records, its facts, and where they lie."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from automlrank.architecture import Architecture
from automlrank.errors import RunError
from automlrank.runs.folder import RunFolder
from automlrank.runs.record import Record
from automlrank.runs.results import Results
from automlrank.runs.run_info import RunInfo

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Result:
    """A run: ``results`` and ``facts`` as values, ``folder`` where its files are."""

    folder: Path
    results: Results
    facts: RunInfo

    @property
    def front(self) -> tuple[Record, ...]:
        """The trials that no other beats in both metric and latency."""
        return self.results.front

    @property
    def trials(self) -> pd.DataFrame:
        """One row per trial."""
        return self.results.trials

    def best(self, max_latency_ms: float | None = None) -> Record:
        """The best record within a latency, chosen on validation."""
        return self.results.best(max_latency_ms)

    def record(self, number: int) -> Record:
        """A trial or reference by its number; raises RunError where there is none."""
        for record in (*self.results.records, *self.results.references):
            if record.number == number:
                return record
        raise RunError(f"no trial {number} in {self.folder}.")

    def export(
        self,
        out: str | Path,
        trial: int | None = None,
        max_latency_ms: float | None = None,
        *,
        onnx: bool = False,
    ) -> list[Path]:
        """Write a trial (the best one unless told) as training code; gives the files.

        With ``onnx`` a verified ``model.onnx`` is among them.
        """
        from automlrank.codegen.folder import export_architecture

        run = RunFolder(self.folder)
        record = self.best(max_latency_ms) if trial is None else self.record(trial)
        if not record.architecture:
            raise RunError(
                f"trial {record.number} ({record.name or record.state}) is no architecture.",
                "Give the number of one that is, or none for the best.",
            )
        return export_architecture(
            Architecture.read(record.architecture),
            run.schema(),
            run.encoder(),
            out,
            weights=run.weights(record.fingerprint),
            metric=self.results.metric,
            onnx=onnx,
        )


def load_run(run: str | Path) -> Result:
    """A run from its folder; raises RunError where it has no results yet."""
    folder = RunFolder(run)
    facts = RunInfo.from_data(folder.read_run())
    path = folder.path / "front.json"
    if not path.is_file():
        raise RunError(
            f"{folder.path} has no results yet.", "Finish it with automlrank search --resume."
        )
    return Result(folder.path, Results.from_data(json.loads(path.read_text())), facts)
