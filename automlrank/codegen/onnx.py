"""Write ``model.onnx`` of an export, and verify it against the model on random requests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from automlrank.codegen.printing import in_docstring, wrapped
from automlrank.codegen.random_rows import random_request
from automlrank.errors import RunError
from automlrank.model.network import RankingModel
from automlrank.model.serving.onnx import (
    OUTPUT,
    feed_of,
    input_names,
    open_session,
    write_onnx,
)
from automlrank.schema import Schema

FILE = "model.onnx"
CANDIDATES = (1, 7, 200)
TOLERANCE = 1e-4
VERIFIED = (
    f"{FILE} was run by ONNX Runtime beside the model on random requests of "
    f"{', '.join(map(str, CANDIDATES))} candidates: the logits agree within {TOLERANCE:g} "
    "(relative to the request's largest where that is above 1)."
)


def export_onnx(model: RankingModel, schema: Schema, folder: Path) -> float:
    """Write ``model.onnx`` and give the largest difference of its logits from the model's.

    Raises RunError where it is above 1e-4, in the units of ``VERIFIED``.
    """
    path = folder / FILE
    write_onnx(model, schema, path)
    session = open_session(path, threads=1)
    worst = 0.0
    for seed, candidates in enumerate(CANDIDATES):
        request = random_request(schema, candidates, seed)
        with torch.inference_mode():
            ours = model.eval()(request).numpy()
        (theirs,) = session.run([OUTPUT], feed_of(model, request))
        if theirs.shape != ours.shape:
            raise RunError(f"{FILE} gives logits {theirs.shape}, the model {ours.shape}.")
        scale = max(1.0, float(np.abs(ours).max()))  # float32 rounds sums by their largest terms
        worst = float(np.maximum(worst, np.abs(theirs - ours).max() / scale))  # NaN stays
    if not worst <= TOLERANCE:  # NaN differs
        raise RunError(
            f"the logits of {FILE} differ from the model's by {worst:.3g}, "
            f"which is more than {TOLERANCE:g}."
        )
    return worst


def onnx_readme(model: RankingModel, difference: float, *, has_weights: bool) -> str:
    """Return the README's section on ``model.onnx``."""
    names = input_names(model)
    width = max(map(len, names.values()))
    rows = "".join(f"    {name:<{width}}  {in_docstring(key)}\n" for key, name in names.items())
    held = "the weights of weights.safetensors" if has_weights else "untrained weights"
    said = (
        f"{FILE} scores one request with {held}: the user's side has one row, the items N; it "
        f"gives {OUTPUT} [N, tasks]. {VERIFIED} The largest difference was {difference:.2g}. "
        "Its inputs, and what a batch of model.py calls them:"
    )
    return f"\n## {FILE}\n\n{wrapped(said)}\n\n{rows}"
