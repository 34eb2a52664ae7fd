"""What a run ran on: versions, processor, device."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import torch

import automlrank
from automlrank.errors import UsageError
from automlrank.training.trees.params import installed

DEVICES = ("auto", "cpu", "cuda")


def versions() -> dict[str, str]:
    """The versions that numbers depend on."""
    libraries = ("torch", "optuna", "polars", "numpy")
    return {
        "automlrank": automlrank.__version__,
        "python": platform.python_version(),
        **{name: version(name) for name in libraries},
        **({"lightgbm": version("lightgbm")} if installed() else {}),
    }


def machine() -> str:
    """The processor and its cores, in one line."""
    return f"{_processor()}, {os.cpu_count()} cores, {torch.get_num_threads()} training threads"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def device_of(name: str) -> str:
    """``auto`` is the GPU where there is one; raises UsageError for one that is not there."""
    if name not in DEVICES:
        raise UsageError(f"--device must be one of {', '.join(DEVICES)}, but got {name!r}.")
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("--device cuda needs a GPU, but torch sees none.", "Use --device cpu.")
    return name
