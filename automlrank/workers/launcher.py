"""Worker processes on this host: started, watched, replaced when they die."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

STOP_SECONDS = 20.0  # from asking a worker to end until it is killed


@dataclass
class Worker:
    """One process and where it writes what goes wrong."""

    index: int
    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def last_words(self) -> str:
        """The last line that the process wrote."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


class LocalLauncher:
    """``n`` identical processes that work through the run in ``folder``.

    Each has its share of the host's cores and, with several GPUs, one of them.
    """

    def __init__(self, folder: Path, n: int, device: str) -> None:
        self.folder = folder
        self.n = n
        self.device = device
        self.threads = max(1, (os.cpu_count() or 1) // n)
        self.workers: list[Worker] = []

    def start(self, index: int) -> Worker:
        """Start the ``index``-th worker, under a name that none had before."""
        name = f"{index}-{uuid.uuid4().hex[:8]}"
        place = self.folder / "workers"
        place.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "automlrank", "worker", str(self.folder)]
        command += ["--index", str(index), "--name", name, "--threads", str(self.threads)]
        log = place / f"{name}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [*command, "--format", "quiet"],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=self.environment(index),
            )
        worker = Worker(index, name, process, log)
        self.workers.append(worker)
        return worker

    def environment(self, index: int) -> dict[str, str]:
        """This process's, with a share of the cores and a GPU."""
        shares = dict.fromkeys(("OMP_NUM_THREADS", "POLARS_MAX_THREADS"), str(self.threads))
        if self.device == "cuda":
            import torch

            given = os.environ.get("CUDA_VISIBLE_DEVICES")
            devices = given.split(",") if given else [*map(str, range(torch.cuda.device_count()))]
            shares["CUDA_VISIBLE_DEVICES"] = devices[index % len(devices)]
        return {**os.environ, **shares}

    def ended(self) -> Iterator[Worker]:
        """The workers that ended since it was last asked."""
        for worker in list(self.workers):
            if worker.process.poll() is not None:
                self.workers.remove(worker)
                yield worker

    def kill(self, name: str) -> None:
        """End a worker that hangs."""
        for worker in self.workers:
            if worker.name == name:
                worker.process.kill()

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Wait for the workers, that were told to end, and kill those that do not."""
        end = time.monotonic() + seconds
        for worker in self.workers:
            try:
                worker.process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
        self.workers.clear()
