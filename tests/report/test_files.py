"""The files of a report: complete, readable back, written whole or not at all."""

from __future__ import annotations

import csv
import json

import pytest

from automlrank.files import write_text
from automlrank.report.files import csv_text, write_report
from automlrank.runs.results import Results


def test_a_report_is_its_four_files(results, facts, tmp_path):
    written = write_report(results, facts, tmp_path / "run")
    names = ["front.json", "report.html", "report.md", "trials.csv"]
    assert sorted(path.name for path in written) == names
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == names


def test_front_json_reads_back_equal(results, facts, tmp_path):
    write_report(results, facts, tmp_path)
    data = json.loads((tmp_path / "front.json").read_text(encoding="utf-8"))
    assert Results.from_data(data) == results


def test_csv_has_one_row_per_trial(results, tmp_path):
    """Whole numbers stay whole, what is missing is empty."""
    (tmp_path / "trials.csv").write_text(csv_text(results))
    with (tmp_path / "trials.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["number"]) for row in rows] == [record.number for record in results.records]
    assert rows[1]["valid.auc"] == "0.7371"
    assert rows[1]["parameters"] == "1234567"
    assert rows[1]["test.auc_high"] == "0.7306"
    assert rows[5]["latency_ms.p50"] == rows[0]["duplicate_of"] == ""
    assert rows[6]["duplicate_of"] == "1"


def test_a_failed_write_leaves_the_old_file_and_no_part(results, tmp_path, monkeypatch):
    path = tmp_path / "trials.csv"
    path.write_text("old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_text(path, csv_text(results))
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("trials.csv", "old")]
