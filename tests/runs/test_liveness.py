"""Who is alive: a lock file that a death lets go of, whatever the death."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from automlrank.runs.liveness import Liveness

HOLDS = """
import sys, time
from pathlib import Path
from automlrank.runs.liveness import Liveness
with Liveness(Path(sys.argv[1])).of("w"):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_worker_is_alive_until_it_is_killed(tmp_path: Path) -> None:
    liveness = Liveness(tmp_path)
    assert not liveness.is_alive("w")
    worker = subprocess.Popen([sys.executable, "-c", HOLDS, str(tmp_path)], stdout=subprocess.PIPE)
    assert worker.stdout is not None
    assert worker.stdout.readline() == b"held\n"
    assert liveness.is_alive("w")
    assert not liveness.is_alive("another")
    worker.send_signal(signal.SIGKILL)
    worker.communicate()
    assert not liveness.is_alive("w")


def test_who_looks_disturbs_nobody(tmp_path: Path) -> None:
    """A look at a lock that is held leaves it held, and one that is free leaves it free."""
    liveness = Liveness(tmp_path)
    with liveness.of("w"):
        assert liveness.is_alive("w")
        assert liveness.is_alive("w")
    assert not liveness.is_alive("w")
    with liveness.of("w"):
        assert liveness.is_alive("w")
