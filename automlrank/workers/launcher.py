"""Launches worker processes on this host, each with a share of its cores."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

STOP_SECONDS = 20.0  # between the request to stop and a kill


@dataclass
class Worker:
    """One process and the file of its errors."""

    index: int
    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def last_words(self) -> str:
        """Last line that the process wrote."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else "it wrote nothing"


class LocalLauncher:
    """Launches ``n`` identical processes that work through the run in ``folder``.

    Each has a share of this process's threads, at least one, and with several GPUs one of them:
    with no more workers than cores there are no more threads than cores.
    """

    def __init__(self, folder: Path, n: int, device: str) -> None:
        self.folder = folder
        self.n = n
        self.device = device
        self.threads = max(1, torch.get_num_threads() // n)
        self.workers: list[Worker] = []

    def start(self, index: int) -> Worker:
        """Start the ``index``-th worker under a name that none had before."""
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
        """Return this process's environment, with a share of the threads and a GPU."""
        shares = dict.fromkeys(("OMP_NUM_THREADS", "POLARS_MAX_THREADS"), str(self.threads))
        if self.device == "cuda":
            given = os.environ.get("CUDA_VISIBLE_DEVICES")
            devices = given.split(",") if given else [*map(str, range(torch.cuda.device_count()))]
            shares["CUDA_VISIBLE_DEVICES"] = devices[index % len(devices)]
        return {**os.environ, **shares}

    def ended(self) -> Iterator[Worker]:
        """Yield the workers that have stopped since the last call."""
        for worker in list(self.workers):
            if worker.process.poll() is not None:
                self.workers.remove(worker)
                yield worker

    def kill(self, name: str) -> None:
        """Kill a worker that hangs."""
        for worker in self.workers:
            if worker.name == name:
                worker.process.kill()

    def terminate(self) -> None:
        """Ask the workers to end now, by a signal."""
        for worker in self.workers:
            worker.process.terminate()

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Wait for the workers, which were told to stop; kill those that do not."""
        end = time.monotonic() + seconds
        for worker in self.workers:
            try:
                worker.process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
        self.workers.clear()
