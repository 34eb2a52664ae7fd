"""A run's folder: its format is checked before anything else is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from automlrank.documents import read_document
from automlrank.errors import RunError
from automlrank.runs.folder import FORMAT, RUN_FILE, RunFolder


def test_a_run_tells_its_format_and_is_read_without_it(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.write_run({"seed": 3})
    assert read_document(tmp_path / RUN_FILE).data == {"format": FORMAT, "seed": 3}
    assert folder.read_run() == {"seed": 3}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("seed: 3\n", "has no format number"),
        ("format: 7\nversions: {automlrank: 2.1.0}\n", "is of format 7"),
    ],
)
def test_a_run_of_another_format_is_refused_with_what_to_do(
    tmp_path: Path, text: str, problem: str
) -> None:
    (tmp_path / RUN_FILE).write_text(text)
    with pytest.raises(RunError) as raised:
        RunFolder(tmp_path).read_run()
    assert f"{RUN_FILE} {problem}, but this version of automlrank reads format 1" in str(
        raised.value
    )
    assert "Run the search again with this version, or use " in str(raised.value)
    assert ("automlrank 2.1.0, which wrote it." in str(raised.value)) == ("versions" in text)


@pytest.mark.parametrize("file", ["final-5-test.npy", "final-5.json"])
def test_a_finalist_is_read_as_it_was_written_or_refused(tmp_path: Path, file: str) -> None:
    """A power cut leaves zeros at the end; a changed score is none of this training."""
    folder, logits = RunFolder(tmp_path), np.linspace(0.0, 1.0, 9, dtype=np.float32)[:, None]
    scores = {"valid": {"auc": 0.7123}, "test": {"auc": 0.75}}
    folder.write_final("f", 5, scores, {"valid": logits[:4], "test": logits})
    found = folder.final("f", 5, ["test", "valid"])
    assert found is not None
    assert found[0] == scores
    assert np.array_equal(found[1]["test"], logits)
    assert np.array_equal(found[1]["valid"], logits[:4])
    path = folder.trial("f") / file
    data = path.read_bytes()
    changed = data.replace(b"0.7123", b"0.7923") if file.endswith("json") else data[:-4] + bytes(4)
    assert changed != data
    path.write_bytes(changed)
    with pytest.raises(RunError, match="it is not as it was written"):
        folder.final("f", 5, ["test"])
