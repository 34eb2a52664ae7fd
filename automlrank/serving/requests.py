"""Requests as they are served, and with the user's side repeated for every candidate."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

Request = Mapping[str, Tensor]


def repeated(request: Request) -> Request:
    """The request with each one-row tensor in a row per candidate, so that nothing runs once."""
    rows = max(len(tensor) for tensor in request.values())
    return {
        key: tensor.expand(rows, *tensor.shape[1:]).contiguous() for key, tensor in request.items()
    }
