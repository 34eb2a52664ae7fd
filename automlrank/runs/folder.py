"""The folder of a run: the layout of its files."""

from __future__ import annotations

import contextlib
import json
import shlex
import shutil
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout
from torch import Tensor

from automlrank.architecture import Architecture
from automlrank.data.checksum import checksum_of_bytes
from automlrank.data.dataset import Dataset
from automlrank.documents import dump, read_document, read_json
from automlrank.errors import RunError, shown
from automlrank.files import write_text
from automlrank.runs.inputs import RunInputs
from automlrank.runs.liveness import Liveness, is_held
from automlrank.runs.reading import OtherVersionError, reading
from automlrank.runs.results import Results
from automlrank.runs.run_info import RunInfo
from automlrank.space.space import Space
from automlrank.training.tensors import read_tensors, write_tensors
from automlrank.training.trained import Trained

RUN_FILE, RESULTS, STUDY = "run.yaml", "front.json", "study.db"
FORMAT = 1
"""Number of the layout of a run's folder; an incompatible change needs the next one."""
LOCK_FILE = "run.lock"
CHECKSUM = "checksum"  # of a finalist's scores and logits
BUSY_SECONDS = 60  # that other workers may write to the study, on a busy machine
LOCK_SECONDS = 0.5  # a worker that checks the lock holds it for less

Final = tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]
"""Scores of one training of a finalist, and its logits by split."""


class RunFolder:
    """``run.yaml schema.yaml space.yaml study.db data/ trials/<fingerprint>/``."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @property
    def storage_url(self) -> str:
        place = quote(str(self.path.resolve() / STUDY))  # a ? would end it
        return f"sqlite:///{place}?timeout={BUSY_SECONDS}"

    @property
    def exists(self) -> bool:
        return (self.path / RUN_FILE).is_file()

    @property
    def resumed_by(self) -> str:
        """Command that continues the search of the run."""
        words = ["--config", str(self.path / RUN_FILE), "--resume", "--out", str(self.path)]
        return shlex.join(["automlrank", "search", *words])

    @property
    def restored_by(self) -> str:
        """Advice for a file that follows from the others."""
        return f"Continue its search, which writes it again: `{self.resumed_by}`."

    @property
    def inputs(self) -> RunInputs:
        """Files that do not change while a search runs."""
        return RunInputs(self.path, self.restored_by)

    def create(self, data: Dataset, space: Space, run: Mapping[str, Any]) -> None:
        """Write a new run's files; ``run.yaml`` last, because it makes the folder a run."""
        self.inputs.write(data, space)
        self.write_run(run)

    def write_run(self, run: Mapping[str, Any]) -> None:
        write_text(self.path / RUN_FILE, dump({"format": FORMAT, **run}))

    def read_run(self) -> dict[str, Any]:
        """Return the facts in ``run.yaml``; raises RunError if this version cannot read the run."""
        if not self.exists:
            raise RunError(
                f"{self.path} is not a run: it has no {RUN_FILE}.",
                "Give the folder that automlrank search wrote.",
            )
        with reading(self.path / RUN_FILE):
            data = read_document(self.path / RUN_FILE).data
            if not isinstance(data, dict):
                raise RunError(f"it must be a mapping, but got {shown(data)}.")
            check_format(self.path / RUN_FILE, data)
        return {key: value for key, value in data.items() if key != "format"}

    def facts(self) -> RunInfo:
        """Return the facts of the run as a value."""
        data = self.read_run()
        with reading(self.path / RUN_FILE):
            return RunInfo.from_data(data)

    def results(self) -> Results:
        """Return the results of a finished search; raises RunError if there are none yet."""
        path = self.path / RESULTS
        if not path.exists():
            raise RunError(f"{self.path} has no results yet.", f"Finish it: `{self.resumed_by}`.")
        with reading(path, self.restored_by):
            return Results.from_data(read_json(path))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run; raises RunError if another process holds it."""
        was_there = self.path.exists()
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
            if not was_there:
                with contextlib.suppress(OSError):  # there is something in it
                    self.path.rmdir()

    @contextmanager
    def beginning(self) -> Iterator[None]:
        """Empty the folder of a new run if it cannot be begun: nothing half-written stays."""
        try:
            yield
        except BaseException:
            for path in self.path.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            raise

    @property
    def has_trials(self) -> bool:
        """True if a trial has left files, or results were written."""
        trials = self.path / "trials"
        return (self.path / RESULTS).exists() or (trials.is_dir() and any(trials.iterdir()))

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
        write_tensors(target, trained.model.state_dict())

    def trees(self, fingerprint: str) -> Path:
        """Return the folder of a reference's boosted trees."""
        return self.trial(fingerprint) / "trees"

    def has_weights(self, fingerprint: str) -> bool:
        """Return True if a trial's weights were kept."""
        return (self.trial(fingerprint) / "weights.safetensors").is_file()

    def weights(self, fingerprint: str) -> dict[str, Tensor]:
        """Return a trial's weights; raises RunError if they are missing or damaged."""
        path = self.trial(fingerprint) / "weights.safetensors"
        with reading(path, self.restored_by):
            return read_tensors(path)[0]

    def drop_weights(self, keep: set[str]) -> None:
        """Remove the weights of every trial that is not kept."""
        for path in (self.path / "trials").glob("*/weights.safetensors"):
            if path.parent.name not in keep:
                path.unlink()

    # -- finalists --------------------------------------------------------------------------

    def final(self, fingerprint: str, seed: int, splits: Collection[str]) -> Final | None:
        """Return a finalist's scores for a seed, and its logits by split; None if there are none.

        Raises RunError if they cannot be read.
        """
        stem = self.trial(fingerprint) / f"final-{seed}"
        if not stem.with_suffix(".json").exists():
            return None
        with reading(stem.with_suffix(".json"), ""):
            scores = dict(json.loads(stem.with_suffix(".json").read_bytes()))
            known = scores.pop(CHECKSUM, {})
        logits = {}
        for split in splits:
            with reading(file := _logits(stem, split), ""):
                logits[split] = np.load(file, allow_pickle=False)
                if known.get(split) != _checksum(scores, logits[split]):
                    raise RunError("it is not as it was written")
        return scores, logits

    def write_final(
        self,
        fingerprint: str,
        seed: int,
        scores: Mapping[str, Any],
        logits: Mapping[str, npt.NDArray[Any]],
    ) -> None:
        stem = self.trial(fingerprint) / f"final-{seed}"
        stem.parent.mkdir(parents=True, exist_ok=True)
        for split, array in logits.items():
            np.save(_logits(stem, split), array, allow_pickle=False)
        known = {split: _checksum(scores, array) for split, array in logits.items()}
        text = json.dumps({**scores, CHECKSUM: known})
        write_text(stem.with_suffix(".json"), text)  # last: it vouches


def _checksum(scores: Mapping[str, Any], logits: npt.NDArray[Any]) -> int:
    text = json.dumps(dict(scores)).encode()
    return checksum_of_bytes(memoryview(logits.tobytes()), zlib.crc32(text))


def _logits(stem: Path, split: str) -> Path:
    return stem.with_name(f"{stem.name}-{split}.npy")


def check_format(file: Path, data: Mapping[str, Any]) -> None:
    """Raise RunError if a run was written in another format than this version reads."""
    found = data.get("format")
    if found == FORMAT:
        return
    has = "has no format number" if found is None else f"is of format {found!r}"
    versions = data.get("versions")
    wrote = versions.get("automlrank") if isinstance(versions, Mapping) else None
    other = f"automlrank {wrote}, which wrote it" if wrote else "the version that wrote it"
    raise OtherVersionError(
        f"{file} {has}, but this version of automlrank reads format {FORMAT}.",
        f"Run the search again with this version, or use {other}.",
    )
