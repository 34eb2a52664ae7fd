"""Waiting threads sleep: set before OpenMP is loaded, and a user's own setting stands."""

from __future__ import annotations

import os
import subprocess
import sys


def policy(**settings: str) -> str:
    """Return the wait policy in a new process that imports the package, then torch."""
    kept = {k: v for k, v in os.environ.items() if k not in ("OMP_WAIT_POLICY", "KMP_BLOCKTIME")}
    code = "import automlrank, torch, os; print(os.environ['OMP_WAIT_POLICY'])"
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={**kept, **settings, "OMP_DISPLAY_ENV": "TRUE"},
        capture_output=True,
        text=True,
        check=True,
    )
    told = [line for line in ended.stderr.splitlines() if "OMP_WAIT_POLICY" in line]
    policy = ended.stdout.strip()
    assert all(policy in line.upper() for line in told)  # as the runtime itself reports it
    return policy


def test_threads_wait_passively_unless_told_otherwise() -> None:
    assert policy() == "PASSIVE"
    assert policy(OMP_WAIT_POLICY="ACTIVE") == "ACTIVE"
