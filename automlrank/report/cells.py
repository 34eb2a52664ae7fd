"""Text of table cells, shared by the terminal, Markdown and HTML."""

from __future__ import annotations

import html
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from automlrank.measurement.latency import Latency
from automlrank.printable import printable
from automlrank.report.compare import Difference, compare, interval
from automlrank.report.ranking import ranks
from automlrank.runs.record import Record
from automlrank.runs.results import Results
from automlrank.runs.scores import Interval

MISSING = "-"
UNITS = ((1e9, "B"), (1e6, "M"), (1e3, "k"))


@dataclass(frozen=True)
class Row:
    """Texts of one record.

    ``valid`` is the score of the search, which decides the front; ``mean`` the mean over seeds if
    there is one, which decides choices; ``deviation`` the spread of the test score over seeds;
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
    """Return a record as the texts of a table."""
    reference = results.best_reference()
    known = reference is not None and reference.fingerprint != record.fingerprint
    rank = ranks(results).get(record.fingerprint)
    return Row(
        rank=MISSING if rank is None else str(rank),
        number=MISSING if record.state == "reference" else str(record.number),
        title=title(record),
        valid=show_score(record.valid_score),
        mean=show_score(record.choice_score),
        test=show_test(record),
        deviation=show_deviation(record),
        seeds=show_seeds(record),
        logloss=show_logloss(record),
        calibration=show_calibration(record),
        latency=show_latency(record),
        repeated=show_repeated(record),
        parameters=show_count(record.parameters),
        versus=show_difference(compare(record, reference) if reference and known else None),
        on_front=any(record.fingerprint == member.fingerprint for member in results.front),
    )


def title(record: Record) -> str:
    """Return a record in one line: a reference's name, then its summary."""
    return f"{record.name}: {record.summary}" if record.name else record.summary


def escape(text: str) -> str:
    """Return text that HTML shows as it is, on one line."""
    return html.escape(printable(text))


def show_score(value: float | None, like: float | None = None) -> str:
    """Return a score with four decimals, two standard errors of a large test split; fewer from ten.

    The number of decimals is that of ``like``, the score beside it, if one is given.
    """
    return MISSING if value is None else f"{value:.{_decimals(value if like is None else like)}f}"


def _decimals(value: float) -> int:
    """Return the decimals that show five digits or more: errors in a label's units may be large."""
    whole = math.floor(math.log10(abs(value))) if 1 <= abs(value) < math.inf else 0
    return max(0, 4 - whole)


def show_test(record: Record) -> str:
    """Return the test score and half its 95 % interval."""
    return show_with_interval(record.test_score, interval(record))


def show_with_interval(value: float | None, interval: Interval | None) -> str:
    """Return a score and half its interval, if it has one."""
    half = None if interval is None else interval.half_width
    return show_score(value) if half is None else f"{show_score(value)} ± {show_score(half, value)}"


def show_deviation(record: Record) -> str:
    """Return the standard deviation of the test score over seeds."""
    text = show_score(None if record.test is None else record.test.std, record.test_score)
    return f"{text}, unstable" if record.is_unstable else text


def show_seeds(record: Record) -> str:
    """Return the number of trainings behind the test score, and their standard deviation."""
    if record.test is None:
        return MISSING
    if record.test.std is None:
        return str(record.test.seeds)
    spread = f"{record.test.seeds}, sd {show_score(record.test.std, record.test_score)}"
    return f"{spread}, unstable" if record.is_unstable else spread


def show_each_seed(record: Record) -> str:
    """Return the validation scores of a finalist's seeds."""
    seeds = () if record.valid is None else record.valid.seeds
    return ", ".join(show_score(value) for value in seeds)


def show_logloss(record: Record) -> str:
    """Return the log loss, and in brackets that of recalibrated logits if there is one."""
    known = None if record.test is None else record.test.probabilities
    text = show_score(None if known is None else known.logloss)
    again = None if record.test is None else record.test.logloss_recalibrated
    return text if again is None else f"{text} ({again:.4f})"


def show_calibration(record: Record) -> str:
    """Return the expected calibration error, and the mean prediction over the rate."""
    known = None if record.test is None else record.test.probabilities
    if known is None:
        return MISSING
    text, ratio = show_score(known.calibration), known.calibration_ratio
    return text if ratio is None else f"{text}, ×{ratio:.3f}"  # noqa: RUF001


def show_ms(value: float | None) -> str:
    """Return milliseconds with two decimals below 1 ms, else with one."""
    if value is None:
        return MISSING
    return f"{value:.2f}" if value < 1 else f"{value:.1f}"


def show_latency(record: Record) -> str:
    """Return the median and the 95th percentile, in milliseconds."""
    p95 = None if record.latency_ms is None else record.latency_ms.p95
    return f"{show_ms(record.p50)} / {show_ms(p95)}"


def show_repeated(record: Record) -> str:
    """Return the median with the user's side repeated; without decimals from 100 ms, to fit."""
    value = repeated_p50(record)
    return show_ms(value) if value is None or value < 100 else f"{value:.0f}"


def repeated_p50(record: Record) -> float | None:
    """Return the median latency with the user's side scored anew for every candidate."""
    return None if record.latency_ms is None else record.latency_ms.p50_repeated


def show_interval(latency: Latency | None) -> str:
    """Return the interval of the median, if it was measured in rounds."""
    if latency is None or latency.low is None or latency.high is None:
        return MISSING
    return f"{latency.low:.3g} to {latency.high:.3g}"


def show_count(value: float | None) -> str:
    """Return a count with three digits and a unit: 12.3k, 1.23M."""
    if value is None:
        return MISSING
    for size, unit in UNITS:
        if value >= 0.9995 * size:  # 999,700 is 1M, not 1000k
            return f"{value / size:.3g}{unit}"
    return f"{value:.0f}"


def show_seconds(value: float | None) -> str:
    """Return a duration in seconds, minutes or hours."""
    if value is None:
        return MISSING
    if value < 120:
        return f"{value:.1f} s"
    return f"{value / 60:.1f} min" if value < 7200 else f"{value / 3600:.1f} h"


def show_difference(difference: Difference | None) -> str:
    """Return a difference and its verdict."""
    if difference is None:
        return MISSING
    return f"{show_change(difference.value)}, {difference.verdict}"


def show_change(value: float) -> str:
    """Return a difference of two scores with its sign."""
    return f"{value:+.{_decimals(value)}f}"


def show_labels(rates: Mapping[str, float | None], regression: Collection[str]) -> list[str]:
    """Return each task's share of positives, or mean: ``click 37.1 %``, ``stay mean 12.400``."""
    return [
        f"{task} mean {show_score(rate)}" if task in regression else f"{task} {show_share(rate)}"
        for task, rate in rates.items()
    ]


def show_share(value: float | None) -> str:
    """Return a share in per cent; a dash if it is not known."""
    return "-" if value is None else f"{value:.1%}".replace("%", " %")
