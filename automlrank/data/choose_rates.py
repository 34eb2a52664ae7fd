"""Choose the columns with target rates if the schema names none."""

from __future__ import annotations

from collections.abc import Mapping

from automlrank.schema import CategoricalFeature, Schema, TargetStatistics

MIN_VALUES = 10  # rates of columns with fewer are what a weight learns by itself
# Each is a field per task, and one more, of a model with rates. KuaiRand's test AUC, one seed, by
# the number of columns: DeepFM without .7261, with 5 .7296, with 8 .7289; LightGBM, which overfits
# the ids that stay, with 5 .7211, with 8 .7302, with all 15 (and 14 pairs) .7312.
MOST_COLUMNS, MOST_PAIRS = 8, 4


def choose_statistics(schema: Schema, distinct: Mapping[str, int]) -> TargetStatistics | None:
    """Rates of the categorical columns with the most ``distinct`` values, and of pairs.

    The scenario is among them if it has enough values. Pairs are the schema's crosses; without
    any, the columns with the most values are each crossed with the scenario or, without one, with
    the request's columns. None where there is no rate.
    """
    ids = [feature for feature in schema.of_role("ids") if isinstance(feature, CategoricalFeature)]
    known = [feature.name for feature in ids if distinct[feature.name] >= MIN_VALUES]
    ranked = sorted(known, key=lambda name: (name != schema.scenario, -distinct[name]))
    kept = ranked[:MOST_COLUMNS]
    partners = [feature.name for feature in ids if feature.side == "request"]
    if schema.scenario:
        partners = [schema.scenario]
    pairs = [(name, partner) for name in kept if name not in partners for partner in partners]
    of = tuple(name for name in known if name in kept)
    if schema.crosses or not pairs:
        return TargetStatistics(of) if of or schema.crosses else None
    return TargetStatistics(of, crosses=tuple(pairs[:MOST_PAIRS]))
