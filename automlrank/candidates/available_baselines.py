"""References that are not architectures: the schema's incumbent, and boosted trees."""

from __future__ import annotations

from collections.abc import Sequence

from automlrank.candidates.baseline import Baseline
from automlrank.candidates.incumbent import Incumbent
from automlrank.candidates.trees import BOOSTED, TreesBaseline
from automlrank.measurement.metrics import Metric
from automlrank.schema import Schema
from automlrank.training.trees.params import installed


def available_baselines(
    schema: Schema, names: Sequence[str], metric: Metric
) -> tuple[list[Baseline], dict[str, str]]:
    """Return the incumbent and the boosted trees among ``names``, and why others are skipped."""
    usable: list[Baseline] = []
    skipped: dict[str, str] = {}
    if schema.incumbent is not None:
        if reason := _unjudged(metric):
            skipped["incumbent"] = reason
        else:
            usable.append(Incumbent("incumbent", f"the current model ({schema.incumbent!r})"))
    for baseline in (BOOSTED[name] for name in dict.fromkeys(names) if name in BOOSTED):
        if reason := _untrained(baseline, schema):
            skipped[baseline.name] = reason
        else:
            usable.append(baseline)
    return usable, skipped


def _unjudged(metric: Metric) -> str | None:
    """Return the reason why a metric cannot judge an incumbent's score, or None."""
    if metric.weights:
        return "its score is of one task, the metric of several."
    if not metric.of_order:
        return f"its score may have any scale, which {metric.name} cannot judge."
    return None


def _untrained(baseline: TreesBaseline, schema: Schema) -> str | None:
    """Return the reason why boosted trees cannot be trained, or None."""
    if not installed():
        return "LightGBM is not installed: pip install 'automlrank[lightgbm]'."
    if baseline.with_rates and not schema.rated:
        return "the schema has no statistics."
    return None
