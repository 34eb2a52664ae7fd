"""Programs in processes of their own, without the two seconds that importing torch takes each.

A server imports what programs usually import, but nothing of ours, and forks for each of them. The
fork has its own arguments, folder, environment, paths and filter of warnings, as a new process has.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import traceback
import types
import warnings
from pathlib import Path
from typing import Any

FLAGS = ("-I", "-B", "-W", "error")


def understands(command: Any) -> bool:
    """True if a command is a program of Python's, and not a module or another program."""
    if not isinstance(command, list) or command[0] != sys.executable:
        return False
    program = next((str(word) for word in command[1:] if word not in FLAGS), "")
    return program == "-c" or program.endswith(".py")


class WarmPython:
    """Stands for ``subprocess.run`` where the command is Python's."""

    def __init__(self) -> None:
        self.server = subprocess.Popen(
            [sys.executable, "-I", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self, command: list[Any], cwd: Any = None, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """The end of ``python [-I] [-B] [-W error] -c PROGRAM`` or ``python SCRIPT``."""
        assert command[0] == sys.executable
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        request = {"command": [str(x) for x in command[1:]], "cwd": str(cwd or os.getcwd())}
        request["environment"] = dict(options.get("env") or os.environ)  # type: ignore[assignment]
        print(json.dumps(request), file=self.server.stdin, flush=True)
        answer = json.loads(self.server.stdout.readline())
        ended = subprocess.CompletedProcess(command, **answer)
        if options.get("check"):
            ended.check_returncode()
        return ended

    def close(self) -> None:
        self.server.communicate()


def serve() -> None:
    """Fork for each line of the standard input; answer with the code and what was written."""
    with contextlib.suppress(ImportError):  # what is missing is missing in a fork, too
        import numpy  # noqa: F401
        import polars  # noqa: F401
        import torch._dynamo  # noqa: F401
    for line in sys.stdin:
        request = json.loads(line)
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder) / name for name in ("stdout", "stderr")]
            child = os.fork()
            if not child:
                run_here(request, paths)
            _, status = os.waitpid(child, 0)
            out, err = (path.read_text(encoding="utf-8", errors="replace") for path in paths)
        code = os.waitstatus_to_exitcode(status)
        print(json.dumps({"returncode": code, "stdout": out, "stderr": err}), flush=True)


def run_here(request: dict[str, Any], paths: list[Path]) -> None:
    """Become the program and end with it."""
    code = 1
    try:
        for descriptor, path in enumerate(paths, start=1):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), descriptor)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir(request["cwd"])
        os.environ.clear()
        os.environ.update(request["environment"])
        program, folder = understood(request["command"])
        sys.path[:0] = folder
        module = types.ModuleType("__main__")
        if sys.argv[0] != "-c":
            module.__file__ = sys.argv[0]
        sys.modules["__main__"] = module
        exec(program, module.__dict__)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(code)


def understood(command: list[str]) -> tuple[types.CodeType, list[str]]:
    """The program and what stands before the usual paths; sets arguments and warnings."""
    isolated = False
    while command[0].startswith("-") and command[0] != "-c":
        option = command.pop(0)
        if option == "-W":
            warnings.simplefilter(command.pop(0))  # type: ignore[arg-type]
        isolated |= option == "-I"
        sys.dont_write_bytecode |= option == "-B"
    from_text = command[0] == "-c"
    sys.argv = command if not from_text else ["-c", *command[2:]]
    name = "<string>" if from_text else command[0]
    text = command[1] if from_text else Path(name).read_text(encoding="utf-8")
    own = "" if from_text else str(Path(name).resolve().parent)
    others = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return compile(text, name, "exec"), [] if isolated else [own, *filter(None, others)]


if __name__ == "__main__":
    serve()
