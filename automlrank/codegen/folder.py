"""Write the folder of an export: code that trains and serves an architecture."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from torch import Tensor

from automlrank.architecture import Architecture
from automlrank.codegen.model_source import model_source
from automlrank.codegen.onnx import export_onnx, onnx_readme
from automlrank.codegen.train_source import training_sources
from automlrank.codegen.verify import verify_export
from automlrank.data.checksum import checksums_of
from automlrank.data.store import as_system_errors
from automlrank.data.transform import Encoder
from automlrank.documents import dump
from automlrank.errors import RunError
from automlrank.files import check_new, filled
from automlrank.measurement.metrics import AUC, Metric
from automlrank.model.network import RankingModel, build
from automlrank.model.wiring import wire
from automlrank.schema import Schema
from automlrank.training.tensors import write_tensors

REQUIREMENTS = ("numpy", "polars", "pyarrow", "pyyaml", "safetensors", "torch")
LIGHTGBM = "lightgbm>=4.5"  # as in the extra of that name


def export_architecture(
    architecture: Architecture,
    schema: Schema,
    encoder: Encoder,
    out: str | Path,
    *,
    weights: Mapping[str, Tensor] | None = None,
    metric: Metric = AUC,
    onnx: bool = False,
) -> list[Path]:
    """Write and verify code that trains and serves an architecture; return the files.

    ``schema`` is fitted; ``weights`` are those of our ``RankingModel``; ``metric`` chooses the best
    epoch; ``onnx`` adds the model with these weights as ``model.onnx``. Raises RunError if ``out``
    is a file or holds something, or if the code does not compute what the model does (see
    ``verify_export``); then, and if anything else fails, nothing is written.
    """
    out = Path(out)
    check_new(out)
    plan = wire(architecture, schema)
    texts = {
        "model.py": model_source(plan, architecture, schema),
        "architecture.yaml": architecture.to_yaml(),
        "schema.yaml": dump(schema.to_data()),
        "requirements.txt": _requirements(architecture),
        "README.md": _readme(architecture, schema, metric, weights is not None),
    }
    with filled(out) as folder:
        with as_system_errors():
            encoder.save(folder)
        files = checksums_of(folder)
        texts |= training_sources(plan, architecture, schema, encoder, metric, files)
        for name, text in texts.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        model = build(plan, seed=0)
        if weights is not None:
            _load(model, weights, architecture)
            write_tensors(folder / "weights.safetensors", weights)
        verify_export(folder, model, architecture, schema, encoder)
        if onnx:
            _add_onnx(folder, model, schema, has_weights=weights is not None)
    return sorted(out.iterdir())


def _load(model: RankingModel, weights: Mapping[str, Tensor], architecture: Architecture) -> None:
    """Give the model its weights; raises RunError if they are those of another."""
    try:
        model.load_state_dict(weights)
    except RuntimeError:
        raise RunError(f"the weights are not those of {architecture.name}.") from None


def _add_onnx(folder: Path, model: RankingModel, schema: Schema, *, has_weights: bool) -> None:
    """Write ``model.onnx``, its inputs and its verification in the README."""
    difference = export_onnx(model, schema, folder)
    with (folder / "README.md").open("a", encoding="utf-8") as readme:
        readme.write(onnx_readme(model, difference, has_weights=has_weights))


def _requirements(architecture: Architecture) -> str:
    """Return the packages that the exported code imports, at the versions here or later."""
    lines = [f"{name}>={_version(name)}" for name in REQUIREMENTS]
    if architecture.training.distillation:
        lines.insert(0, LIGHTGBM)  # it may be absent here
    return "".join(f"{line}\n" for line in lines)


def _version(name: str) -> str:
    return version(name).partition("+")[0]


def _readme(architecture: Architecture, schema: Schema, metric: Metric, has_weights: bool) -> str:
    fused = "Its method score(batch) gives what candidates are ranked by, from all tasks' logits.\n"
    taught = (
        "train.py first trains LightGBM on folds of the rows, for the network to learn from;\n"
        "scoring and serving need none of it.\n"
    )
    label = metric.base.label
    score = f"    python train.py DATA --score --test    # the {label} of weights.safetensors\n"
    return (
        f"# A ranking model\n\n{architecture.summary}\n\n"
        "    pip install -r requirements.txt\n"
        "    python train.py DATA --seed 1          # trains, writes model.safetensors\n"
        f"{score if has_weights else ''}\n"
        "DATA is a Parquet, Arrow or text file, a folder of such files, a pattern in quotes as\n"
        "'log/**/*.csv', or a Delta table (pip install deltalake). It has the columns of\n"
        "schema.yaml, side tables joined; folders named day=1 and day=2 are a column.\n"
        "    train.py           command line: reads, trains, saves, scores\n"
        "    config.yaml        settings of the training and of the table; edit them here\n"
        "    model.py           the model\n"
        "    objective.py       its losses, and how they are balanced\n"
        "    training/          the training loop, one module a concern: course.py is the course\n"
        "                       of epochs, step.py one step, table.py reads the table\n"
        "    files/             the reader of tables\n"
        "    measurement/       metrics\n"
        "    encoder/           columns to ids and numbers; it was fitted on the training rows:\n"
        "                       encoder.json, vocabularies.parquet, rates.npz (target rates)\n"
        "    architecture.yaml  the architecture that was printed\n"
        "    schema.yaml        the table's columns\n"
        f"{fused if schema.score else ''}"
        f"{taught if architecture.training.distillation else ''}"
    )
