"""``automlrank train`` by a fused score: what it says, and what it says of a wrong one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from automlrank.data.synthetic import synthetic_frame
from automlrank.documents import dump

Command = Callable[..., Any]


@pytest.fixture
def inputs(tmp_path: Path) -> list[Path | str]:
    """The arguments of a training whose schema has a score."""
    frame, schema = synthetic_frame(2000, seed=0)
    frame.write_parquet(tmp_path / "t.parquet")
    (tmp_path / "s.yaml").write_text(dump(schema.to_data() | {"score": "click * buy^0.5"}))
    return ["train", "lr", tmp_path / "t.parquet", "--schema", tmp_path / "s.yaml"]


def test_training_tells_the_scores_metric_and_each_tasks_own(
    inputs: list[Path | str], command: Command
) -> None:
    """At the end of an epoch, at the end, and as JSON by the same name."""
    ended = command(*inputs, "--metric", "auc@score", "--test", "--format", "json")
    assert ended.code == 0, ended
    data = json.loads(ended.out)
    assert set(data["test"]) == {"auc@score", "tasks"}
    assert set(data["test"]["tasks"]) == {"click", "buy"}
    assert set(data["curve"][0]["auc@score"]) == {"click", "buy", "auc@score"}
    said = command(*inputs, "--metric", "auc@score")
    value, tasks = data["valid"]["auc@score"], data["valid"]["tasks"]
    own = f"click {tasks['click']['auc']:.4f}, buy {tasks['buy']['auc']:.4f}"
    assert f"valid AUC of the score {value:.4f}; AUC of each: {own}" in said.out
    assert f"(best {value:.4f})" in said.out


@pytest.mark.parametrize(
    ("score", "sentence"),
    [
        ("clik * buy", "score: no task 'clik'. Did you mean 'click'?"),
        ("click * buy^half", "the exponent of buy must be a number above 0, but got 'half'."),
    ],
)
def test_a_wrong_score_is_one_sentence_with_its_line(
    score: str, sentence: str, inputs: list[Path | str], command: Command, tmp_path: Path
) -> None:
    text = (tmp_path / "s.yaml").read_text().replace("click * buy^0.5", score)
    (tmp_path / "s.yaml").write_text(text)
    line = next(i for i, x in enumerate(text.splitlines(), 1) if x.startswith("score:"))
    ended = command(*inputs, "--metric", "auc@score")
    assert ended.code == 2
    assert f"{tmp_path / 's.yaml'}:{line}: score: " in ended.err
    assert sentence in ended.err
