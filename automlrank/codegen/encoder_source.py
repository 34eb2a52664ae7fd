"""``encoder/``: the modules that turn a table into ids and numbers, printed as a package."""

from __future__ import annotations

import importlib
import inspect

ENCODER_MODULES = ("values", "times", "columns", "sums", "rates", "transform")
INIT = '''"""A table's columns to ids and numbers: ``Encoder.load(folder).encode(frame)``."""

from encoder.transform import Encoder
from encoder.values import EncodingError, Ragged

__all__ = ["Encoder", "EncodingError", "Ragged"]
'''


def encoder_sources() -> dict[str, str]:
    """The text of each file, by its name in the exported folder."""
    texts = {"encoder/__init__.py": INIT}
    for name in ENCODER_MODULES:
        source = inspect.getsource(importlib.import_module(f"automlrank.data.{name}"))
        texts[f"encoder/{name}.py"] = source.replace("from automlrank.data.", "from encoder.")
    return texts
