"""The weights that exports of the zoo train to, as digests: two versions of the code compared.

    OMP_NUM_THREADS=1 python -m benchmarks.parity.export_weights weights.json [--models lr fm ...]
    python -m benchmarks.parity.export_weights weights.json --against before.json

Each model of the zoo is exported with one epoch on the bundled sample (with a second task for
models of several tasks), its ``train.py`` is run with seed 1 on one thread, and the SHA-256 of
every trained tensor is written by its name. With ``--against`` nothing is trained: the two files
are compared, and the exit code is 1 if they differ.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file

from automlrank import Architecture, Dataset
from automlrank.architecture.requirements import unserved_parts
from automlrank.codegen.folder import export_architecture
from automlrank.data.formats import SAMPLES
from automlrank.documents import read_document
from automlrank.space.shipped import shipped
from benchmarks import harness


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--models", nargs="*", help="default: the whole zoo")
    parser.add_argument("--against", type=Path)
    chosen = parser.parse_args()
    if chosen.against:
        sys.exit(differences(read(chosen.file), read(chosen.against)))
    zoo = {name: path for name, path in shipped().items() if path.parent.name == "zoo"}
    one, several, found = Dataset.open("kuairand"), two_tasks(), read(chosen.file)
    for name in chosen.models or zoo:
        architecture = Architecture.read(zoo[name])
        data = several if unserved_parts(architecture, one.schema) else one
        if name not in found:
            found[name] = trained(architecture, data)
            chosen.file.write_text(json.dumps(found, indent=1))
            print(name, len(found[name]), flush=True)


def two_tasks() -> Dataset:
    """The sample with a second task, which exists only after the first."""
    schema: Any = dict(read_document(SAMPLES / "kuairand.schema.yaml").data)  # type: ignore[call-overload]
    schema["tasks"] = {"is_click": {"kind": "binary"}, "long_view": {"of": "is_click"}}
    schema["ignore"] = [name for name in schema["ignore"] if name != "long_view"]
    return Dataset.open(SAMPLES / "kuairand.parquet", schema)


def read(path: Path) -> dict[str, dict[str, str]]:
    return json.loads(path.read_text()) if path.exists() else {}


def trained(architecture: Architecture, data: Dataset) -> dict[str, str]:
    """Digests of an export's weights after one epoch, by the tensors' names."""
    training = dataclasses.replace(architecture.training, epochs=1, bf16=False)
    architecture = dataclasses.replace(architecture, training=training)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "export"
        export_architecture(architecture, data.schema, data.encoder, out)
        command = [sys.executable, str(out / "train.py"), str(SAMPLES / "kuairand.parquet")]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        subprocess.run(
            [*command, "--seed", "1", "--out", f"{folder}/trained"],
            env=environment, check=True, capture_output=True,
        )  # fmt: skip
        (file,) = Path(f"{folder}/trained").glob("*.safetensors")
        weights = load_file(file)
    return {
        name: hashlib.sha256(value.tobytes()).hexdigest() for name, value in sorted(weights.items())
    }


def differences(now: dict[str, dict[str, str]], before: dict[str, dict[str, str]]) -> int:
    """Print the models whose weights differ or that one file lacks; 1 where there are any."""
    unlike = [name for name in now.keys() | before.keys() if now.get(name) != before.get(name)]
    print(f"{len(now)} models, {len(unlike)} differ: {', '.join(sorted(unlike)) or 'none'}")
    return int(bool(unlike))


if __name__ == "__main__":
    main()
