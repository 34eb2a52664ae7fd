"""The folder of a run: the layout of its files."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from automlrank.architecture import Architecture
from automlrank.data.dataset import Dataset
from automlrank.data.transform import Encoder
from automlrank.documents import dump, read_document
from automlrank.errors import RunError
from automlrank.files import write_text
from automlrank.runs.liveness import Liveness, is_held
from automlrank.schema import Schema, read_schema
from automlrank.space.space import Space
from automlrank.training.trained import Trained

RUN_FILE = "run.yaml"
FORMAT = 1
"""Number of the layout of a run's folder; an incompatible change needs the next one."""
LOCK_FILE = "run.lock"
LOCK_SECONDS = 0.5  # a worker that checks the lock holds it for less


class RunFolder:
    """``run.yaml schema.yaml space.yaml study.db data/ trials/<fingerprint>/``.

    ``data/`` holds the encoder, the columns' sizes and the path of the encoded store.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @property
    def storage_url(self) -> str:
        return "sqlite:///" + quote(str(self.path.resolve() / "study.db"))  # a ? would end it

    @property
    def exists(self) -> bool:
        return (self.path / RUN_FILE).is_file()

    def create(self, data: Dataset, space: Space, run: Mapping[str, Any]) -> None:
        """Write a new run's files; ``run.yaml`` last, because it makes the folder a run."""
        self.path.mkdir(parents=True, exist_ok=True)
        encoder_folder = self.path / "data" / "encoder"
        encoder_folder.mkdir(parents=True, exist_ok=True)
        data.encoder.save(encoder_folder)
        write_text(self.path / "data" / "sizes.json", json.dumps(data.encoder.sizes))
        write_text(self.path / "data" / "store.txt", f"{data.folder}\n")
        write_text(self.path / "schema.yaml", dump(data.schema.to_data()))
        write_text(self.path / "space.yaml", dump(space.to_data()))
        self.write_run(run)

    def data(self) -> Dataset:
        """Return the encoded table of the run; raises DataError if it is gone."""
        folder = (self.path / "data" / "store.txt").read_text(encoding="utf-8").strip()
        return Dataset.load(folder, self.read_run()["data"])

    def write_run(self, run: Mapping[str, Any]) -> None:
        write_text(self.path / RUN_FILE, dump({"format": FORMAT, **run}))

    def read_run(self) -> dict[str, Any]:
        """Return the facts in ``run.yaml``; raises RunError if this version cannot read the run."""
        if not self.exists:
            raise RunError(
                f"{self.path} is not a run: it has no {RUN_FILE}.",
                "Give the folder that automlrank search wrote.",
            )
        data = read_document(self.path / RUN_FILE).data
        if not isinstance(data, dict):
            raise RunError(f"{self.path / RUN_FILE} must be a mapping, but got {data!r}.")
        check_format(self.path / RUN_FILE, data)
        return {key: value for key, value in data.items() if key != "format"}

    def schema(self) -> Schema:
        """Return the run's schema with its columns' sizes."""
        sizes = json.loads((self.path / "data" / "sizes.json").read_text())
        return read_schema(self.path / "schema.yaml").fitted(sizes)

    def encoder(self) -> Encoder:
        return Encoder.load(self.path / "data" / "encoder")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run; raises RunError if another process holds it."""
        self.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path / LOCK_FILE, timeout=LOCK_SECONDS)
        try:
            lock.acquire()
        except Timeout:
            raise RunError(
                f"another search is at work in {self.path}.", "Wait for it, or give another --out."
            ) from None
        try:
            yield
        finally:
            lock.release()

    @property
    def is_at_work(self) -> bool:
        """True if a coordinator holds the run."""
        return is_held(self.path / LOCK_FILE)

    @property
    def liveness(self) -> Liveness:
        """Lock files that tell which of the run's workers are alive."""
        return Liveness(self.path / "workers")

    # -- trials -----------------------------------------------------------------------------

    def trial(self, fingerprint: str) -> Path:
        return self.path / "trials" / fingerprint

    def checkpoint(self, fingerprint: str) -> Path:
        return self.trial(fingerprint) / "checkpoint.safetensors"

    def keep(self, architecture: Architecture, trained: Trained) -> None:
        """Write a trained trial's architecture, curve and weights."""
        folder = self.trial(architecture.fingerprint)
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / "architecture.yaml", architecture.to_yaml())
        write_text(folder / "curve.json", json.dumps(trained.curve, indent=1))
        self.keep_weights(architecture.fingerprint, trained)

    def keep_weights(self, fingerprint: str, trained: Trained) -> None:
        target = self.trial(fingerprint) / "weights.safetensors"
        partial = target.with_suffix(".partial")
        weights = {k: v.detach().cpu().contiguous() for k, v in trained.model.state_dict().items()}
        try:
            save_file(weights, partial)
        except SafetensorError as error:  # it wraps the system's errors
            partial.unlink(missing_ok=True)
            raise OSError(errno.EIO, str(error), str(target)) from error
        os.replace(partial, target)

    def trees(self, fingerprint: str) -> Path:
        """Return the folder of a reference's boosted trees."""
        return self.trial(fingerprint) / "trees"

    def has_weights(self, fingerprint: str) -> bool:
        """Return True if a trial's weights were kept."""
        return (self.trial(fingerprint) / "weights.safetensors").is_file()

    def weights(self, fingerprint: str) -> dict[str, Tensor]:
        """Return a trial's weights; raises RunError if they were not kept."""
        path = self.trial(fingerprint) / "weights.safetensors"
        if not path.is_file():
            raise RunError(
                f"no weights were kept for {fingerprint[:12]}: it is not on the front.",
                "Give a trial of the front.",
            )
        return load_file(path)

    def drop_weights(self, keep: set[str]) -> None:
        """Remove the weights of every trial that is not kept."""
        for path in (self.path / "trials").glob("*/weights.safetensors"):
            if path.parent.name not in keep:
                path.unlink()

    # -- finalists --------------------------------------------------------------------------

    def final(self, fingerprint: str, seed: int) -> tuple[dict[str, Any], npt.NDArray[Any]] | None:
        """Return a finalist's scores and test logits for a seed; None if no run has left them."""
        stem = self.trial(fingerprint) / f"final-{seed}"
        if not stem.with_suffix(".json").is_file():
            return None
        logits = np.load(stem.with_suffix(".npy"), allow_pickle=False)
        return json.loads(stem.with_suffix(".json").read_text()), logits

    def write_final(
        self, fingerprint: str, seed: int, scores: Mapping[str, Any], logits: npt.NDArray[Any]
    ) -> None:
        stem = self.trial(fingerprint) / f"final-{seed}"
        stem.parent.mkdir(parents=True, exist_ok=True)
        np.save(stem.with_suffix(".npy"), logits, allow_pickle=False)
        write_text(stem.with_suffix(".json"), json.dumps(dict(scores)))  # last: it vouches


def check_format(file: Path, data: Mapping[str, Any]) -> None:
    """Raise RunError if a run was written in another format than this version reads."""
    found = data.get("format")
    if found == FORMAT:
        return
    has = "has no format number" if found is None else f"is of format {found!r}"
    versions = data.get("versions")
    wrote = versions.get("automlrank") if isinstance(versions, Mapping) else None
    other = f"automlrank {wrote}, which wrote it" if wrote else "the version that wrote it"
    raise RunError(
        f"{file} {has}, but this version of automlrank reads format {FORMAT}.",
        f"Run the search again with this version, or use {other}.",
    )
