"""Verify an export: its code must give the model's logits and loss without this package."""

from __future__ import annotations

import copy
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from automlrank.architecture import Architecture
from automlrank.codegen.random_rows import random_request
from automlrank.data.transform import Encoder
from automlrank.errors import RunError
from automlrank.model.network import RankingModel
from automlrank.schema import Schema
from automlrank.training.trainer import make_trainer

ROWS = 64
TOLERANCE = 1e-5  # of a logit, and of the loss where that is above 1
SECONDS = 300
PROGRAM = """
import sys
sys.modules["automlrank"] = None
folder, given, found = sys.argv[1:]
sys.path.insert(0, folder)
from pathlib import Path
import torch
from safetensors.torch import load_file, save_file
import train
torch.set_num_threads(1)
tensors = load_file(given)
batch = {k.removeprefix("batch."): t for k, t in tensors.items() if k.startswith("batch.")}
state = {k.removeprefix("model."): t for k, t in tensors.items() if k.startswith("model.")}
config, encoder = train.read_config(Path(folder, "config.yaml")), train.Encoder.load(folder)
model = train.RankingModel()
model.load_state_dict(state)
with torch.inference_mode():
    logits = model.eval()(batch)
trainer = train.make_trainer(train.PARTS, model.train(), batch["labels"].numpy(), config, "cpu")
torch.manual_seed(0)
loss = trainer.step(batch)
sizes = torch.tensor(list(encoder.sizes.values()), dtype=torch.long)
save_file({"logits": logits.contiguous(), "loss": loss, "sizes": sizes}, found)
"""


def verify_export(
    folder: Path, model: RankingModel, architecture: Architecture, schema: Schema, encoder: Encoder
) -> float:
    """Return the largest difference between the logits of ``model`` and of the exported code.

    Both score the same random rows with the exported weights, or the model's if there are none,
    and make one step of training. Raises RunError if the code does not run, or if a logit or the
    step's loss differs by more than 1e-5.
    """
    batch = random_batch(schema)
    ours = computed(model, architecture, schema, encoder, batch)
    theirs = computed_apart(folder.resolve(), model, batch)
    if ours["sizes"].tolist() != theirs["sizes"].tolist():
        raise RunError(f"the encoder of {folder} has other vocabularies than the model's.")
    if ours["logits"].shape != theirs["logits"].shape:
        shapes = [tuple(found["logits"].shape) for found in (theirs, ours)]
        raise RunError(f"{folder} gives logits {shapes[0]}, the model {shapes[1]}.")
    difference = largest(ours["logits"], theirs["logits"])
    check(f"the logits of {folder} differ", difference)
    scale = max(1.0, float(ours["loss"].abs()))
    check(f"the loss of {folder} differs", largest(ours["loss"], theirs["loss"]) / scale)
    return difference


def check(problem: str, difference: float) -> None:
    """Raise RunError if a difference is too large."""
    if not difference <= TOLERANCE:  # NaN differs
        raise RunError(
            f"{problem} from the model's by {difference:.3g}, which is more than {TOLERANCE:g}."
        )


def largest(ours: Tensor, theirs: Tensor) -> float:
    """Return the largest difference; where both are NaN there is none."""
    both = ours.isnan() & theirs.isnan()
    differences = (ours.double() - theirs.double()).abs().masked_fill(both, 0.0)
    return float(differences.max())


def random_batch(schema: Schema) -> dict[str, Tensor]:
    """Return random rows with labels."""
    generator = torch.Generator().manual_seed(0)
    request = random_request(schema, ROWS, seed=0)
    batch = {key: t.expand(ROWS, *t.shape[1:]).contiguous() for key, t in request.items()}
    labels = torch.randint(0, 2, (ROWS, len(schema.tasks)), generator=generator).float()
    labels[:, schema.regression] += torch.randn(ROWS, len(schema.regression), generator=generator)
    return batch | {"labels": labels}


def computed(
    model: RankingModel,
    architecture: Architecture,
    schema: Schema,
    encoder: Encoder,
    batch: Mapping[str, Tensor],
) -> dict[str, Tensor]:
    """Return what our model computes; it is left as it was."""
    model = copy.deepcopy(model).cpu()
    threads, random = torch.get_num_threads(), torch.get_rng_state()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            logits = model.eval()(batch)
        labels = batch["labels"].numpy()
        trainer = make_trainer(model.train(), architecture, schema, labels, "cpu")
        torch.manual_seed(0)
        loss = trainer.step(batch)
    finally:
        torch.set_num_threads(threads)
        torch.set_rng_state(random)
    return {"logits": logits, "loss": loss, "sizes": torch.tensor(list(encoder.sizes.values()))}


def computed_apart(
    folder: Path, model: RankingModel, batch: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return what the exported code computes, in a process that cannot import this package."""
    weights = folder / "weights.safetensors"
    state = load_file(weights) if weights.is_file() else model.state_dict()
    given = {f"batch.{key}": t for key, t in batch.items()}
    given |= {f"model.{key}": t.cpu().contiguous() for key, t in state.items()}
    with tempfile.TemporaryDirectory() as temporary:
        files = [Path(temporary, f"{name}.safetensors") for name in ("given", "found")]
        save_file(given, files[0])
        run_apart(folder, PROGRAM, *files)
        return load_file(files[1])


def run_apart(folder: Path, program: str, *files: Path) -> None:
    """Run a program on an export and files, apart from this package; raise RunError if it fails."""
    ended = subprocess.run(
        [sys.executable, "-I", "-B", "-W", "error", "-c", program, str(folder), *map(str, files)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if ended.returncode:
        last = ended.stderr.strip().rpartition("\n")[2]
        raise RunError(f"the exported code of {folder} does not run: {last}")
