"""Versions, processor and device of a run."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import torch

import automlrank
from automlrank.errors import UsageError
from automlrank.model.serving.runtimes import check_runtime
from automlrank.training.trees.params import installed


def versions() -> dict[str, str]:
    """Return the versions that numbers depend on."""
    libraries = ("torch", "optuna", "polars", "numpy")
    return {
        "automlrank": automlrank.__version__,
        "python": platform.python_version(),
        **{name: version(name) for name in libraries},
        **({"lightgbm": version("lightgbm")} if installed() else {}),
    }


def machine() -> str:
    """Return the processor, its cores and threads in one line."""
    return f"{_processor()}, {os.cpu_count()} cores, {torch.get_num_threads()} training threads"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def device_of(name: str, runtime: str = "torch") -> str:
    """Return the named device; ``auto`` takes a GPU if there is one.

    Raises UsageError for a GPU that is not there, and for a runtime that is not there or does not
    run on the device.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("--device cuda needs a GPU, but torch sees none.", "Use --device cpu.")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    check_runtime(runtime, name)
    return name
