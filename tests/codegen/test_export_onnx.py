"""``model.onnx``: held to the model before it is written, by requests that reach every input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from export_cases import full_frame, full_schema

from automlrank.architecture import Architecture
from automlrank.codegen import onnx
from automlrank.codegen.folder import export_architecture
from automlrank.codegen.random_rows import random_request
from automlrank.data.dataset import Dataset
from automlrank.errors import RunError
from automlrank.model.network import build_model

LINEAR = Architecture.read({"architecture": "x", "interaction": "linear"})


def test_a_graph_that_differs_is_not_written(
    data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing stays of the whole export."""
    write, out = onnx.write_onnx, tmp_path / "out"

    def write_another(model, schema, path) -> None:
        model.bias.bias.data += 0.01
        write(model, schema, path)
        model.bias.bias.data -= 0.01

    monkeypatch.setattr(onnx, "write_onnx", write_another)
    with pytest.raises(RunError, match=r"differ from the model's by 0\.01\d*, which is more than"):
        export_architecture(LINEAR, data.schema, data.encoder, out, onnx=True)
    assert not list(tmp_path.iterdir())


def test_a_random_request_is_like_a_real_one(tmp_path: Path) -> None:
    """The same keys, types and numbers of columns; ids within their tables, padding at the end."""
    frame, schema = full_frame(400), full_schema("out_of_fold", "group")
    data = Dataset.open(frame, schema, cache=tmp_path)
    real = data.request("valid", 7)
    requests = [random_request(data.schema, 7, seed) for seed in range(20)]
    for key, tensor in real.items():
        drawn = [request[key] for request in requests]
        assert all(one.dtype == tensor.dtype for one in drawn), key
        assert all(one.shape[0] == tensor.shape[0] for one in drawn), key
        is_list = key.startswith(("multi:", "history:", "age:", "session:"))
        assert is_list or all(one.shape == tensor.shape for one in drawn), key
        if is_list:
            assert len({one.shape[1] for one in drawn}) > 1, key
            padded = [(one == 0).long() for one in drawn]
            assert all((one.diff(dim=1) >= 0).all() for one in padded), key
            assert any(one.any() for one in padded), key
    assert set(requests[0]) == set(real)
    items = torch.cat([request["ids:item"] for request in requests])
    sizes = [data.schema.feature(data.schema.owner(f.name)).size
             for f in data.schema.of_role("ids", request=False)]  # fmt: skip
    assert (items.amax(dim=0) < torch.tensor(sizes)).all()
    nulls = torch.cat([request["vector:vector"] for request in requests]).isnan()
    assert 0 < nulls.float().mean() < 1
    assert (nulls.all(dim=1) == nulls.any(dim=1)).all()


def test_random_requests_reach_every_kind_of_input(tmp_path: Path) -> None:
    """Changing any tensor that the model reads changes its logits: no input is drawn in vain."""
    data = Dataset.open(full_frame(400), full_schema("out_of_fold", "group"), cache=tmp_path)
    architecture = Architecture.read(
        {"architecture": "x", "history": "din", "statistics": "rate_logit",
         "interaction": {"parallel": ["linear", {"mlp": {"width": 8}}]}})  # fmt: skip
    model = build_model(architecture, data.schema, seed=0).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, generator=torch.Generator().manual_seed(1))
    request, other = random_request(data.schema, 50, 0), random_request(data.schema, 50, 1)
    before = model(request).detach().numpy()
    for key in onnx.input_names(model):
        sequence = {key} if not key.startswith("history:") else {
            k for k in request if k.startswith(("history:", "age:", "session:"))}  # fmt: skip
        changed = {**request, **{k: other[k] for k in sequence}}
        assert not np.allclose(model(changed).detach().numpy(), before), key


def test_untrained_weights_are_said_to_be_so(data: Dataset) -> None:
    model = build_model(LINEAR, data.schema, seed=0)
    said = onnx.onnx_readme(model, 1.25e-7, has_weights=False)
    assert "untrained weights" in said
    assert "1.2e-07" in said
    assert "    ids_item         ids:item\n" in said
