"""Time and memory to prepare a table: read, fit, encode and store, against a bare read of the file.

    python -m benchmarks.speed.encoding [--rows 1000000 10000000] [--repeats 3] [--out FILE]
    python -m benchmarks.speed.encoding --endings odd.csv

The table has Criteo's shape: a label, 13 numeric columns with nulls, 26 columns of text ids with
log-spaced vocabularies (10 to 1 million) and skewed frequencies. In ``odd.csv``
nulls are spelled NA, and numbers as 7.0 or 1,234: forms that are found before anything is read.
Each measurement is a process of its own, bare reads and ours in turn; medians are printed. "Again"
is a new process that finds the table encoded: from its start, imports included, to the first
training batch.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import polars as pl

from benchmarks import harness

NUMERIC, CATEGORICAL, PART = 13, 26, 1_000_000
SIZES = np.geomspace(10, 1_000_000, CATEGORICAL).astype(int)
CHUNK_BYTES = 100_000 * (NUMERIC + CATEGORICAL) * 4
FEATURES: dict[str, dict[str, object]] = {
    **{f"I{i}": {"kind": "numeric", "transform": "log"} for i in range(NUMERIC)},
    **{f"C{i}": {"kind": "categorical", "min_count": 2} for i in range(CATEGORICAL)},
}
AIMS = {"parquet": "12", "csv": "5", "odd.csv": "-"}
SCHEMA = {"tasks": {"label": {"kind": "binary"}}, "features": FEATURES, "statistics": "none"}

HEADINGS = (
    "rows",
    "file",
    "bare read s",
    "ours s",
    "ratio",
    "aim",
    "peak MiB",
    "bound MiB",
    "again s",
)


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--endings", nargs="+", choices=AIMS, default=["parquet", "csv"])
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir(), "encoding"))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        print(json.dumps(measure(*chosen.measure)))
        return
    table = harness.Figures(HEADINGS)
    for rows in chosen.rows:
        for ending in chosen.endings:
            path = written(chosen.folder, rows, ending)
            table.add(compared(path, rows, ending, chosen.repeats))
    table.write(chosen.out)


def written(folder: Path, rows: int, ending: str) -> Path:
    """The table's file; those of all endings are written where one is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {e: folder / f"{rows}.{e}" for e in AIMS}
    if not all(path.exists() for path in paths.values()):
        rng = np.random.default_rng(0)
        parts = [part(rng, min(PART, rows - start)) for start in range(0, rows, PART)]
        frame = pl.concat(parts)
        frame.write_parquet(paths["parquet"])
        frame.write_csv(paths["csv"])
        odd(frame).write_csv(paths["odd.csv"], null_value="NA")
    return paths[ending]


def odd(frame: pl.DataFrame) -> pl.DataFrame:
    """The table with a third of its numbers as floats, a third with commas between thousands."""
    digits = [pl.col(f"I{i}").cast(pl.String) for i in range(1, NUMERIC, 3)]
    return frame.with_columns(
        pl.col(f"I{i}").cast(pl.Float64) for i in range(0, NUMERIC, 3)
    ).with_columns(text.str.replace_all(r"(\d)(\d{3})$", "$1,$2") for text in digits)


def part(rng: np.random.Generator, rows: int) -> pl.DataFrame:
    """So many rows: small ids are frequent, as cubes of uniform numbers are small."""
    columns: dict[str, Any] = {"label": (rng.random(rows) < 0.25).astype(np.int8)}
    for i in range(NUMERIC):
        numbers = pl.Series(np.floor(np.exp(rng.normal(1, 1.5, rows))).astype(np.int64))
        columns[f"I{i}"] = numbers.set(pl.Series(rng.random(rows) < 0.1), None)
    for i, size in enumerate(SIZES):
        ids = (size * rng.random(rows) ** 3).astype(np.int64)
        names = [f"{(n * 2_654_435_761 + i * 97) & 0xFFFFFFFF:08x}" for n in range(size)]
        columns[f"C{i}"] = pl.Series(names).gather(pl.Series(ids))
    return pl.DataFrame(columns)


def compared(path: Path, rows: int, ending: str, repeats: int) -> list[str]:
    found: dict[str, list[dict[str, float]]] = {"bare": [], "ours": [], "again": []}
    with tempfile.TemporaryDirectory(dir=path.parent) as cache:
        for _ in range(repeats):
            found["bare"].append(in_process("bare", path, cache))
            subprocess.run(["rm", "-rf", *Path(cache).glob("*")], check=True)
            found["ours"].append(in_process("ours", path, cache))
            found["again"].append(in_process("again", path, cache))
    bare, ours, again = (median(run["seconds"] for run in found[k]) for k in found)
    peak = median(run["peak_mib"] for run in found["ours"])
    bound = found["ours"][0]["bound_mib"]
    times = [f"{bare:.2f}", f"{ours:.2f}", f"{ours / bare:.1f}", AIMS[ending]]
    return [f"{rows:,}", ending, *times, f"{peak:.0f}", f"{bound:.0f}", f"{again:.1f}"]


def in_process(what: str, path: Path, cache: str) -> dict[str, float]:
    began = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.speed.encoding", "--measure", what, str(path)],
        env={**os.environ, "AUTOMLRANK_CACHE": cache},
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, float] = json.loads(ended.stdout)
    if what == "again":
        found["seconds"] = time.perf_counter() - began
    return found


def measure(what: str, path: str) -> dict[str, float]:
    """Seconds without imports, peak memory of the process, and what it may be."""
    if what == "bare":
        read = pl.read_parquet if path.endswith("parquet") else pl.read_csv
        began = time.perf_counter()
        read(path)
        return {"seconds": time.perf_counter() - began}
    from automlrank import Dataset

    began = time.perf_counter()
    data = Dataset.open(path, SCHEMA)
    seconds, peak = time.perf_counter() - began, peak_mib()
    next(data.batches("train", 4096, seed=0))
    words = sum(values.estimated_size() for values in data.encoder.vocabularies.values())
    bound = (CHUNK_BYTES + words) / 2**20 + 1024
    return {"seconds": seconds, "peak_mib": peak, "bound_mib": bound}


def peak_mib() -> float:
    """The largest resident size of this process; getrusage would count its parent's as well."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if "VmHWM" in line)


if __name__ == "__main__":
    main()
