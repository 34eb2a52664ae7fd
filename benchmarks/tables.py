"""The tables of reports/: ``python -m benchmarks.tables`` writes each from its data.

A report marks a table's place by ``<!-- table: NAME -->`` and ``<!-- end -->``. Its data are single
runs (JSON lines) or figures (CSV) in ``benchmarks/results``; a test holds every table to them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from benchmarks import harness
from benchmarks.parity import auc
from benchmarks.quality import histories, structures, training_ways, zoo

REPORTS, RESULTS = harness.ROOT / "reports", Path(__file__).parent / "results"
MARKED = re.compile(r"(<!-- table: (\S+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
CENSUS = ("income_gt_50k", "never_married")
KUAIRAND = ("is_click", "long_view", "is_like")


def runs(name: str) -> list[dict[str, object]]:
    return harness.read(RESULTS / f"{name}.jsonl")


FROM_RUNS: dict[str, Callable[[], list[str]]] = {
    "auc_parity": lambda: auc.table(runs("auc_parity")),
    "histories": lambda: histories.table(runs("histories")),
    "zoo": lambda: zoo.table(runs("zoo")),
    "structures_census": lambda: structures.table(CENSUS, runs("structures_census")),
    "structures_kuairand": lambda: structures.table(KUAIRAND, runs("structures_kuairand")),
    "structures_by_scenario": lambda: structures.scenario_table(runs("structures_kuairand")),
    **{
        f"{what}_{data}": lambda what=what, data=data, model=model: training_ways.table(  # type: ignore[misc]
            what, runs(what), data, model
        )
        for what, data, model in (
            ("schedules", "census", "deepfm"),
            ("schedules", "kuairand", "deepfm"),
            ("distillation", "census", "wide_rates"),
            ("distillation", "kuairand", "din_rates"),
            ("bf16", "census", "deepfm"),
            ("bf16", "kuairand", "deepfm"),
        )
    },
}
"""Tables that are computed from single runs; any other name is a CSV file of figures."""


def table(name: str) -> list[str]:
    """The lines of a table by its name."""
    made = FROM_RUNS.get(name)
    return made() if made else harness.figures(RESULTS / f"{name}.csv")


def rendered(text: str) -> str:
    """A report's text with each marked table as its data give it."""

    def filled(place: re.Match[str]) -> str:
        lines = "\n".join(table(place[2]))
        return f"{place[1]}{lines}\n{place[4]}"

    return MARKED.sub(filled, text)


def main() -> None:
    for path in sorted(REPORTS.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        path.write_text(rendered(text), encoding="utf-8")


if __name__ == "__main__":
    main()
