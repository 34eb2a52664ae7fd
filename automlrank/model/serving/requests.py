"""Requests as they are served, and with the user's side repeated for each candidate."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

Request = Mapping[str, Tensor]


def repeated(request: Request) -> Request:
    """Return the request with one-row tensors repeated for each candidate: nothing runs once."""
    rows = max(len(tensor) for tensor in request.values())
    return {
        key: tensor.expand(rows, *tensor.shape[1:]).contiguous() for key, tensor in request.items()
    }
