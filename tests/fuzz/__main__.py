"""Run many cases, or one again: ``python -m tests.fuzz [FAMILY [SEED]]``."""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from .families import FAMILIES
from .judge import Verdict, judged, rng_of
from .pool import Count, run_all

PAGE = Path(__file__).parents[2] / "docs" / "fuzz.md"
BEGIN, END = "<!-- table: make fuzz -->", "<!-- end -->"


def main() -> int:
    """Return 0 where no case failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("family", nargs="?", choices=tuple(FAMILIES), help="this family only")
    parser.add_argument("seed", nargs="?", type=int, help="this case only, told in full")
    parser.add_argument("--tries", type=int, default=10_000, help="in all families together")
    parser.add_argument("--first", type=int, default=0, help="seed of the first case")
    parser.add_argument("-j", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--docs", action="store_true", help="write the table into docs/fuzz.md")
    chosen = parser.parse_args()
    if chosen.seed is not None:
        return one(chosen.family, chosen.seed)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as place:
        tries = shares(chosen.family, chosen.tries)
        counts = run_all(tries, chosen.first, chosen.j, tell, Path(place))
    table, seconds = table_of(counts), time.monotonic() - began
    total = sum(count.tries for count in counts.values())
    print(f"{table}\n{total:,} tries in {seconds:,.0f} s, {total / seconds:.1f} a second")
    if chosen.docs:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        page = f"{before}{BEGIN}\n{table}{END}{rest.partition(END)[2]}"
        PAGE.write_text(page, encoding="utf-8")
    return int(any(count.outcomes["failed"] for count in counts.values()))


def one(family: str, seed: int) -> int:
    """Run one case, and print its input and its end; its folder stays where it failed."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    os.environ["AUTOMLRANK_CACHE"] = str(folder / "cache")
    print(FAMILIES[family].case(rng_of(family, seed)))
    verdict = judged(FAMILIES[family], seed, folder / "case")
    print(f"\n{verdict.outcome}: {verdict.reason}\nfolder: {folder / 'case'}")
    return int(verdict.outcome == "failed")


def shares(family: str | None, tries: int) -> dict[str, int]:
    """Return how many cases each family has of a number of tries."""
    if family is not None:
        return {family: tries}
    total = sum(family.tries for family in FAMILIES.values())
    found = {name: family.tries * tries // total for name, family in FAMILIES.items()}
    first = next(iter(found))
    return {**found, first: found[first] + tries - sum(found.values())}


def tell(family: str, seed: int, verdict: Verdict) -> None:
    """Print a failure."""
    if verdict.outcome == "failed":
        print(f"FAILED: python -m tests.fuzz {family} {seed}\n{verdict.reason}", flush=True)


def table_of(counts: Mapping[str, Count]) -> str:
    """Return the outcomes of every family as a Markdown table."""
    lines = [
        "| family | law | tries | accepted | refused | failures |",
        "|---|---|---|---|---|---|",
    ]
    for name, count in counts.items():
        numbers = (count.tries, *count.outcomes.values())
        cells = (f"{n:,}" for n in numbers)
        lines.append(f"| {name} | {FAMILIES[name].law} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
