"""How a record reads in a table: one wording for terminal, Markdown and HTML."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from automlrank.report.compare import Difference, compare
from automlrank.report.ranking import ranks
from automlrank.runs.record import Record
from automlrank.runs.results import Results

MISSING = "-"
UNITS = ((1e9, "B"), (1e6, "M"), (1e3, "k"))


@dataclass(frozen=True)
class Row:
    """The texts of one record.

    ``valid`` is the search's own score, which the front goes by; ``mean`` that over seeds where
    there is one, which choices go by; ``deviation`` that of the test scores over the seeds;
    ``versus`` the test difference to the best reference; ``repeated`` the p50 latency with the
    user's side scored anew for every candidate.
    """

    rank: str
    number: str
    title: str
    valid: str
    mean: str
    test: str
    deviation: str
    seeds: str
    logloss: str
    calibration: str
    latency: str
    repeated: str
    parameters: str
    versus: str
    on_front: bool


def row(record: Record, results: Results) -> Row:
    """A record as the texts of a table."""
    metric = results.metric.name
    rival = results.best_reference()
    known = rival is not None and rival.fingerprint != record.fingerprint
    rank = ranks(results).get(record.fingerprint)
    return Row(
        rank=MISSING if rank is None else str(rank),
        number=MISSING if record.state == "reference" else str(record.number),
        title=title(record),
        valid=show_score(record.score(metric)),
        mean=show_score(record.choice_score(metric)),
        test=show_test(record, metric),
        deviation=show_score(record.score(f"{metric}_std", "test"), record.score(metric, "test")),
        seeds=show_seeds(record, metric),
        logloss=show_logloss(record),
        calibration=show_calibration(record),
        latency=show_latency(record),
        repeated=show_repeated(record),
        parameters=show_count(record.parameters),
        versus=show_difference(compare(record, rival, metric) if rival and known else None),
        on_front=any(record.fingerprint == member.fingerprint for member in results.front),
    )


def title(record: Record) -> str:
    """What it is in one line: a reference's name, then its summary."""
    return f"{record.name}: {record.summary}" if record.name else record.summary


def show_score(value: float | None, like: float | None = None) -> str:
    """Four decimals: two standard errors of a large test split; fewer from ten on.

    With as many as the score that it stands beside has, ``like``.
    """
    return MISSING if value is None else f"{value:.{_decimals(value if like is None else like)}f}"


def _decimals(value: float) -> int:
    """Errors in a label's own units may be large: five digits or more are shown."""
    whole = math.floor(math.log10(abs(value))) if 1 <= abs(value) < math.inf else 0
    return max(0, 4 - whole)


def show_test(record: Record, metric: str) -> str:
    """The test score and half its 95 % interval."""
    half, value = half_width(record, metric), record.score(metric, "test")
    return show_score(value) if half is None else f"{show_score(value)} ± {show_score(half, value)}"


def half_width(record: Record, metric: str) -> float | None:
    """Half the width of the test score's interval; None where it was not measured."""
    low, high = record.score(f"{metric}_low", "test"), record.score(f"{metric}_high", "test")
    return None if low is None or high is None else (high - low) / 2


def show_seeds(record: Record, metric: str) -> str:
    """How many trainings the test score comes from, and their standard deviation."""
    seeds, deviation = (record.score(key, "test") for key in ("seeds", f"{metric}_std"))
    if seeds is None:
        return MISSING
    if deviation is None:
        return f"{seeds:.0f}"
    return f"{seeds:.0f}, sd {show_score(deviation, record.score(metric, 'test'))}"


def show_logloss(record: Record) -> str:
    """The log loss; of a loss that bends probabilities also once they are shifted back."""
    text = show_score(record.score("logloss", "test"))
    again = record.score("logloss_recalibrated", "test")
    return text if again is None else f"{text} ({again:.4f})"


def show_calibration(record: Record) -> str:
    """The expected calibration error, and the mean prediction over the rate."""
    error, ratio = (record.score(key, "test") for key in ("calibration", "calibration_ratio"))
    text = show_score(error)
    return text if ratio is None else f"{text}, ×{ratio:.3f}"  # noqa: RUF001


def show_ms(value: float | None) -> str:
    """Milliseconds: two decimals below one, then one."""
    if value is None:
        return MISSING
    return f"{value:.2f}" if value < 1 else f"{value:.1f}"


def show_latency(record: Record) -> str:
    """The median and the 95th percentile, in milliseconds."""
    return f"{show_ms(record.latency())} / {show_ms(record.latency('p95'))}"


def show_repeated(record: Record) -> str:
    """The median with the user's side repeated; from 100 ms on without decimals, to fit below."""
    value = record.latency("p50_repeated")
    return show_ms(value) if value is None or value < 100 else f"{value:.0f}"


def show_interval(latency_ms: Mapping[str, float | None] | None) -> str:
    """What the median lies in, where it was measured in rounds."""
    low, high = ((latency_ms or {}).get(end) for end in ("low", "high"))
    return MISSING if low is None or high is None else f"{low:.3g} to {high:.3g}"


def show_count(value: float | None) -> str:
    """Three digits and a unit: 12.3k, 1.23M."""
    if value is None:
        return MISSING
    for size, unit in UNITS:
        if value >= 0.9995 * size:  # 999,700 is 1M, not 1000k
            return f"{value / size:.3g}{unit}"
    return f"{value:.0f}"


def show_seconds(value: float | None) -> str:
    """Seconds, minutes or hours, whichever reads best."""
    if value is None:
        return MISSING
    if value < 120:
        return f"{value:.1f} s"
    return f"{value / 60:.1f} min" if value < 7200 else f"{value / 3600:.1f} h"


def show_difference(difference: Difference | None) -> str:
    """A difference and whether it is more than noise."""
    if difference is None:
        return MISSING
    return f"{show_change(difference.value)}, {difference.verdict}"


def show_change(value: float) -> str:
    """A difference of two scores, with its sign."""
    return f"{value:+.{_decimals(value)}f}"


def show_labels(rates: Mapping[str, float | None], regression: Collection[str]) -> list[str]:
    """Each task's share of positive labels, or its mean: ``click 37.1 %``, ``stay mean 12.400``."""
    return [
        f"{task} mean {show_score(rate)}" if task in regression else f"{task} {show_share(rate)}"
        for task, rate in rates.items()
    ]


def show_share(value: float | None) -> str:
    """A share in per cent; a dash where nothing is known."""
    return "-" if value is None else f"{value:.1%}".replace("%", " %")
