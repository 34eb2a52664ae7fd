"""The JSON contract is frozen: ``golden/front.json`` was written before scores had types.

Keys that were added since stand in it too: those of the choice among finalists.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from golden_run import FACTS, RUN

from automlrank.errors import RunError
from automlrank.report.files import csv_text, json_text
from automlrank.runs.results import Results

GOLDEN = Path(__file__).parent / "golden"


def golden() -> dict[str, object]:
    """The frozen JSON, with the number of the format that was added in front of it."""
    frozen = json.loads((GOLDEN / "front.json").read_text(encoding="utf-8"))
    return {"format": 1, **frozen}


def test_front_json_is_the_frozen_one():
    """The same keys in the same order, the same numbers."""
    text = json.dumps(golden(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    assert json_text(RUN, FACTS) == text


def test_front_json_is_read_back_to_the_same_text():
    assert json_text(Results.from_data(golden()), FACTS) == json_text(RUN, FACTS)


def test_trials_csv_is_the_frozen_one():
    assert csv_text(RUN) == (GOLDEN / "trials.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("known", [{}, {"format": 2}, {"format": "1"}])
def test_results_of_another_format_are_refused(known):
    data = {key: value for key, value in golden().items() if key != "format"}
    with pytest.raises(RunError, match="but this version of automlrank reads format 1"):
        Results.from_data({**data, **known})
