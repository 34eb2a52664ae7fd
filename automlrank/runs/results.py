"""All records of a run, with its counts, front, finalists and best models.

``Results.to_data`` is the JSON that ``front.json`` holds beside the recommendation.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from automlrank.errors import BudgetError, Fault, RunError, did_you_mean, shown
from automlrank.measurement.metric_language import FUSED_NAMES, parse_metric
from automlrank.measurement.metrics import METRICS, Metric

if TYPE_CHECKING:
    import pandas as pd

from automlrank.runs.recommendation import Recommendation, by_score
from automlrank.runs.record import COUNTED, Record, flat, plain
from automlrank.runs.search_config import SPEED

FORMAT = 1
"""Number of the JSON contract; a change of its keys needs the next one."""


@dataclass(frozen=True)
class Results:
    """All records of a run; ``references`` holds every reference, also those that are trials."""

    metric: Metric
    latency: Mapping[str, Any]
    records: tuple[Record, ...]
    references: tuple[Record, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """Trials by state."""
        seen = Counter(record.state for record in self.records)
        return {state: seen[state] for state in COUNTED}

    @property
    def complete(self) -> tuple[Record, ...]:
        """Trials that were trained to the end and have both a score and a latency."""
        return tuple(
            record
            for record in self.records
            if record.state == "complete"
            and record.valid_score is not None
            and record.p50 is not None
        )

    @property
    def front(self) -> tuple[Record, ...]:
        """Complete trials that no other beats in both metric and p50 latency, fastest first.

        Finalists are measured twice, other trials once. A trial that was measured once is on the
        front only if it was there by the first latencies: a finalist that is slower the second
        time does not bring back a trial that it had beaten.
        """
        stood = self._unbeaten(self.complete, [r.first_p50 or 0.0 for r in self.complete])
        fair = [r for r in self.complete if r in stood or r.is_measured_again]
        return self._unbeaten(fair, [r.p50 or 0.0 for r in fair])

    def _unbeaten(self, records: Sequence[Record], times: Sequence[float]) -> tuple[Record, ...]:
        scores = [record.valid_score or 0.0 for record in records]
        return tuple(records[i] for i in pareto(scores, times, up=self.metric.up))

    @property
    def finalists(self) -> tuple[Record, ...]:
        """Architectures that were scored on the test split, references among them."""
        outside = (r for r in self.references if r.state == "reference" and r.architecture)
        tested = (*self.complete, *outside)
        return tuple(r for r in tested if r.test_score is not None and r.p50 is not None)

    @property
    def unstable(self) -> tuple[Record, ...]:
        """Finalists whose seeds disagree beyond what rows and peers explain."""
        known = {r.fingerprint: r for r in (*self.references, *self.finalists)}
        return tuple(record for record in known.values() if record.is_unstable)

    @property
    def trials(self) -> pd.DataFrame:
        """One row per trial, nested values as flat columns."""
        import pandas as pd

        return pd.DataFrame([flat(record) for record in self.records]).convert_dtypes()

    @property
    def incumbent(self) -> Record | None:
        """The current model, known by its scores alone: it has no latency."""
        scored = (r for r in self.baselines if r.p50 is None)
        return next(scored, None)

    @property
    def baselines(self) -> tuple[Record, ...]:
        """References with a score that are not architectures: boosted trees, the incumbent."""
        return tuple(r for r in self.references if not r.architecture and r.valid_score is not None)

    def is_reference(self, record: Record) -> bool:
        """Return True if a record is a reference, or the trial of one."""
        return any(record.fingerprint == reference.fingerprint for reference in self.references)

    def within(self, max_latency_ms: float | None) -> tuple[Record, ...]:
        """Return the stable finalists within a latency, else trials of the front, best first."""
        for group in (self.finalists, self.front):
            fits = [
                record
                for record in group
                if not record.is_unstable
                and (max_latency_ms is None or (record.p50 or 0.0) <= max_latency_ms)
            ]
            if fits:
                return tuple(by_score(fits, self.metric))
        return ()

    def changed(self, change: Callable[[Record], Record]) -> Self:
        """Return the results with a change of every record, trials and references."""
        return dataclasses.replace(
            self,
            records=tuple(map(change, self.records)),
            references=tuple(map(change, self.references)),
        )

    def recommendation(
        self, max_latency_ms: float | None = None, prefer: str = SPEED
    ) -> Recommendation | None:
        """Return the recommended record within a latency, and what else it could be."""
        return Recommendation.among(self.within(max_latency_ms), self.metric, prefer)

    def recommended(self, max_latency_ms: float | None, prefer: str) -> Record | None:
        """Return the recommended record within a latency; None if there is none."""
        chosen = self.recommendation(max_latency_ms, prefer)
        return None if chosen is None else chosen.recommended

    def best_reference(self, limit: float | None = None, split: str = "test") -> Record | None:
        """Return the reference with the best score within a latency, or at any if none fits.

        It is chosen by test, not by validation, once there is a test score: the strongest
        comparison, whichever reference a search preferred. An unstable one is the last resort.
        """
        sign = 1.0 if self.metric.up else -1.0
        scored = [r for r in self.references if r.score_on(split) is not None]
        scored = [r for r in scored if not r.is_unstable] or scored
        fits = [r for r in scored if limit is None or (r.p50 or 0.0) <= limit]
        score = {id(r): sign * (r.score_on(split) or 0.0) for r in scored}
        return max(fits or scored, key=lambda r: score[id(r)], default=None)

    def best(self, max_latency_ms: float | None = None, prefer: str = SPEED) -> Record:
        """Return the recommended record within a p50 latency: test stays unseen.

        It is the fastest finalist that is not really worse than the best on validation; with
        ``prefer="score"`` the one with the highest score. Raises RunError without a complete trial
        or with unstable ones only, BudgetError where none is fast enough.
        """
        best = self.recommended(max_latency_ms, prefer)
        if best is not None:
            return best
        if not self.complete:
            raise RunError("a best trial needs a complete one, but the run has none.")
        quickest = min(self.complete, key=lambda record: record.p50 or 0.0)
        if max_latency_ms is None or (quickest.p50 or 0.0) <= max_latency_ms:
            names = ", ".join(str(record.number) for record in self.unstable)
            raise RunError(
                f"no finalist is stable: the seeds of trials {names} disagree.",
                "Search longer, or choose one by its number.",
            )
        raise BudgetError(
            f"no complete trial takes {max_latency_ms:g} ms or less.",
            f"The fastest, trial {quickest.number}, takes {quickest.p50 or 0.0:.1f} ms.",
        )

    def to_data(self) -> dict[str, Any]:
        """Return the results as JSON-safe data; a report adds what it recommends."""
        return {
            "format": FORMAT,
            "metric": self.metric.name,
            "latency": plain(self.latency),
            "counts": self.counts,
            "front": [record.to_data() for record in self.front],
            "references": [record.to_data() for record in self.references],
            "trials": [record.to_data() for record in self.records],
        }

    @classmethod
    def from_data(cls, data: object) -> Self:
        """Return results from their JSON; front and counts follow from the trials."""
        if not isinstance(data, Mapping):
            raise RunError(f"results must be a mapping, but got {type(data).__name__}.")
        _check_format(data)
        missing = [k for k in ("metric", "latency", "references", "trials") if k not in data]
        if missing:
            raise RunError([Fault(f"results: {key!r} is missing.") for key in missing])
        wrong = [k for k in ("references", "trials") if not isinstance(data[k], list)]
        wrong += [] if isinstance(data["latency"], Mapping) else ["latency"]
        if wrong:
            raise RunError([Fault(f"results: {key!r} is {shown(data[key])}.") for key in wrong])
        return cls(
            metric=_metric(data["metric"]),
            latency=data["latency"],
            records=tuple(Record.from_data(item) for item in data["trials"]),
            references=tuple(Record.from_data(item) for item in data["references"]),
        )


def _check_format(data: Mapping[str, Any]) -> None:
    """Raise RunError if results were written in another format than this version reads."""
    if data.get("format") != FORMAT:
        found = f"have format {data['format']!r}" if "format" in data else "have no format number"
        raise RunError(
            f"the results {found}, but this version of automlrank reads format {FORMAT}.",
            "Run the search again with this version, or report it with the version that wrote it.",
        )


def _metric(text: object) -> Metric:
    """Return the metric of results; raises RunError for one that this version does not know."""
    try:
        return parse_metric(str(text))
    except ValueError as error:
        hint = did_you_mean(text, (*METRICS, *FUSED_NAMES))
        raise RunError(f"results: {error}", hint) from None


def pareto(scores: Sequence[float], times: Sequence[float], *, up: bool) -> list[int]:
    """Return the indices of the points that no other beats, by time: one sweep after a sort.

    A point is beaten by one that is at least as good in both and better in one; equal points
    stand together. ``up``: more score is better; less time always is.
    """
    sign = -1.0 if up else 1.0
    order = sorted(range(len(scores)), key=lambda i: (times[i], sign * scores[i]))
    front: list[int] = []
    for i in order:
        if front:
            last = front[-1]
            same = scores[i] == scores[last] and times[i] == times[last]
            if not same and sign * scores[i] >= sign * scores[last]:
                continue
        front.append(i)
    return front
