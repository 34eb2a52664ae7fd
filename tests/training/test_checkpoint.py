"""A training that goes on from its checkpoint ends as if nothing had cut it off."""

from __future__ import annotations

import dataclasses
import itertools
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from test_loop import read

from automlrank.architecture import Architecture
from automlrank.data.dataset import Dataset
from automlrank.model.network import build_model
from automlrank.training import tables
from automlrank.training.checkpoint import Checkpoint
from automlrank.training.loop import fit
from automlrank.training.progress import Progress

ARCHITECTURE = read(
    "learning_rate: 0.02, batch_size: 256, bf16: false, dropout: 0.2, epochs: 5, patience: 5",
    "{parallel: [wide, linear, {mlp: {width: 16}}]}",
)


LINEAR = dataclasses.replace(
    ARCHITECTURE, training=dataclasses.replace(ARCHITECTURE.training, schedule="linear")
)


def epochs(
    data: Dataset,
    checkpoint: Checkpoint | None,
    n: int | None = None,
    made: Architecture = ARCHITECTURE,
) -> tuple[list[Progress], dict[str, torch.Tensor]]:
    """Train to the end of the n-th epoch told, or to the end."""
    model = build_model(made, data.schema, 3)
    steps = fit(model, made, data, seed=3, checkpoint=checkpoint)
    ends = list(itertools.islice((s for s in steps if s.scores is not None), n))
    return ends, model.state_dict()


def at(path: Path, told: list[str], seconds: float = 0.0) -> Checkpoint:
    return Checkpoint(path / "c.safetensors", told.append, seconds)


def same(a: list[Progress], b: list[Progress]) -> bool:
    return [(e.rows, e.loss, e.scores, e.zero_shares) for e in a] == [
        (e.rows, e.loss, e.scores, e.zero_shares) for e in b
    ]


@pytest.mark.parametrize("made", [ARCHITECTURE, LINEAR], ids=lambda a: a.training.schedule)
@pytest.mark.parametrize(("n", "row_wise"), [(1, 10**9), (3, 10**9), (2, 1)])
def test_it_goes_on_to_the_same_weights(
    dataset: Dataset,
    tmp_path: Path,
    n: int,
    row_wise: int,
    made: Architecture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Dropout, Adam's and FTRL's states, the learning rate and the best epoch are all kept."""
    monkeypatch.setattr(tables, "ROW_WISE_ROWS", row_wise)
    whole, weights = epochs(dataset, None, made=made)
    told: list[str] = []
    epochs(dataset, at(tmp_path, told), n + 1, made)  # cut off while epoch n + 1 is told
    ends, again = epochs(dataset, at(tmp_path, told), made=made)
    assert same(whole, ends)
    assert all(torch.equal(weights[name], again[name]) for name in weights)
    assert not told


def test_a_checkpoint_is_written_at_most_every_so_often(dataset: Dataset, tmp_path: Path) -> None:
    epochs(dataset, at(tmp_path, [], seconds=3600.0))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"half", b"\x08" + b"\0" * 7 + b"{}      ", None])
def test_a_corrupt_checkpoint_begins_anew(
    dataset: Dataset, tmp_path: Path, content: bytes | None
) -> None:
    """Empty, cut short, or of another kind: told, and the result is that of a whole training."""
    told: list[str] = []
    checkpoint = at(tmp_path, told)
    epochs(dataset, checkpoint, 2)
    whole = checkpoint.path.read_bytes()
    checkpoint.path.write_bytes(whole[: len(whole) // 2] if content is None else content)
    ends, _ = epochs(dataset, at(tmp_path, told))
    assert same(ends, epochs(dataset, None)[0])
    assert len(told) == 1
    assert "cannot be read, so its training begins anew" in told[0]


@pytest.mark.parametrize("change", ["facts", "names", "shapes"])
def test_a_checkpoint_of_something_else_begins_anew(
    dataset: Dataset, tmp_path: Path, change: str
) -> None:
    """Readable, but with other facts, weights or shapes: nothing of it stays in the model."""
    told: list[str] = []
    checkpoint = at(tmp_path, told)
    epochs(dataset, checkpoint, 2)
    with safe_open(checkpoint.path, "pt") as file:
        tensors, metadata = {key: file.get_tensor(key) for key in file.keys()}, file.metadata()  # noqa: SIM118
    first = next(name for name in reversed(tensors) if name.startswith("model."))
    if change == "facts":
        metadata["facts"] = metadata["facts"].replace("0", "1")
    elif change == "names":
        del tensors[first]
    else:
        tensors[first] = torch.zeros(1, 2, 3)
    save_file(tensors, checkpoint.path, metadata)
    ends, _ = epochs(dataset, at(tmp_path, told))
    assert same(ends, epochs(dataset, None)[0])
    assert len(told) == 1
    assert "cannot be read, so its training begins anew" in told[0]


def test_a_disk_that_is_full_ends_checkpoints_not_training(tmp_path: Path) -> None:
    """A process that may write 1,000 bytes a file: one sentence, no half a file, all epochs."""
    script = tmp_path / "full.py"
    script.write_text(
        "import resource, signal, sys\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from pathlib import Path\n"
        "from automlrank.data.dataset import Dataset\n"
        "from automlrank.data.synthetic import synthetic_frame\n"
        "from test_checkpoint import at, epochs\n"
        "frame, schema = synthetic_frame(1000, seed=0)\n"
        f"data = Dataset.open(frame, schema, cache={str(tmp_path / 'cache')!r})\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "told = []\n"
        f"ends, _ = epochs(data, at(Path({str(tmp_path)!r}), told))\n"
        "print(len(ends), len(told), told[0])\n"
    )
    ended = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("5 1 No more checkpoints of this training: ")
    assert not list(tmp_path.glob("c.*"))


def test_a_small_file_system_that_is_full(dataset: Dataset, tmp_path: Path) -> None:
    """The same on a file system of 64 KiB, where one may be mounted."""
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no right to mount a file system")
    try:
        (small / "filler").write_bytes(b"0" * 60_000)
        told: list[str] = []
        ends, _ = epochs(dataset, at(small, told))
        assert len(ends) == 5
        assert len(told) == 1
        assert [path.name for path in small.iterdir()] == ["filler"]
    finally:
        subprocess.run(["umount", str(small)], check=True)
