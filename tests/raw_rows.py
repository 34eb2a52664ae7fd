"""Raw rows through an export, in a process that cannot import the package."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import torch
from safetensors.torch import save_file

from automlrank.codegen.verify import check, run_apart
from automlrank.data.transform import Encoder
from automlrank.data.values import Array, Ragged
from automlrank.errors import RunError
from automlrank.model.network import RankingModel

PROGRAM = """
import sys
sys.modules["automlrank"] = None
folder, rows, weights, out = sys.argv[1:]
sys.path.insert(0, folder)
import numpy as np, polars as pl, torch
from safetensors.torch import load_file
from encoder import Encoder, Ragged
from model import RankingModel
arrays = Encoder.load(folder).encode(pl.read_parquet(rows))
batch = {k: torch.from_numpy(a.pad() if isinstance(a, Ragged) else a) for k, a in arrays.items()}
model = RankingModel()
model.load_state_dict(load_file(weights))
with torch.inference_mode():
    np.save(out, model.eval()(batch).numpy())
"""


def raw_difference(
    folder: str | Path, model: RankingModel, encoder: Encoder, rows: pl.DataFrame
) -> float:
    """The largest difference between the logits of ``model`` and those of the exported code.

    ``rows`` is a raw table: the exported encoder is held to ``encoder`` too. The exported
    weights are those compared, or the model's own where none were exported. Raises RunError
    where the code does not run or differs by more than 1e-5.
    """
    ours = _logits(model, encoder, rows)
    with tempfile.TemporaryDirectory() as temporary:
        theirs = _their_logits(Path(folder).resolve(), Path(temporary), model, rows)
    if ours.shape != theirs.shape:
        raise RunError(f"{folder} gives logits {theirs.shape}, the model {ours.shape}.")
    difference = float(np.abs(ours - theirs).max(initial=0.0))
    check(f"the logits of {folder} differ", difference)
    return difference


def _logits(model: RankingModel, encoder: Encoder, rows: pl.DataFrame) -> Array:
    device = next(model.parameters()).device
    batch = {
        key: torch.from_numpy(array.pad() if isinstance(array, Ragged) else array).to(device)
        for key, array in encoder.encode(rows).items()
    }
    was_training = model.training
    with torch.inference_mode():
        logits: Array = model.eval()(batch).float().cpu().numpy()
    model.train(was_training)
    return logits


def _their_logits(folder: Path, temporary: Path, model: RankingModel, rows: pl.DataFrame) -> Array:
    table, out = temporary / "rows.parquet", temporary / "logits.npy"
    rows.write_parquet(table)
    weights = folder / "weights.safetensors"
    if not weights.is_file():
        weights = temporary / "weights.safetensors"
        state = {name: value.cpu().contiguous() for name, value in model.state_dict().items()}
        save_file(state, weights)
    run_apart(folder, PROGRAM, table, weights, out)
    logits: Array = np.load(out, allow_pickle=False)
    return logits
