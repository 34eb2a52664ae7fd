"""Give a function the arguments of its option set."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

from automlrank.errors import did_you_mean
from automlrank.options.base import described
from automlrank.options.files import CONFIG, read_options

P = ParamSpec("P")
R = TypeVar("R")
O = TypeVar("O")  # noqa: E741


def takes(options: Callable[P, O]) -> Callable[[Callable[[O], R]], Callable[P, R]]:
    """Let a function of options be called with the options as arguments."""

    def decorate(function: Callable[[O], R]) -> Callable[P, R]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            _check_names(function.__name__, signature, kwargs)
            given = signature.bind(*args, **kwargs).arguments
            return function(collect(cast("type[O]", options), given))

        signature = inspect.signature(options)
        call.__signature__ = signature  # type: ignore[attr-defined]
        call.__doc__ = f"{inspect.cleandoc(function.__doc__ or '')}\n\n{described(options)}"
        return call

    return decorate


def _check_names(function: str, signature: inspect.Signature, given: Mapping[str, object]) -> None:
    for name in given:
        if name not in signature.parameters:
            hint = did_you_mean(name, signature.parameters)
            raise TypeError(f"{function}() got an unexpected keyword argument {name!r}. {hint}")


def collect(options: type[O], given: Mapping[str, object]) -> O:
    """Return the options that were given, over those of the file that ``config`` names."""
    values = dict(given)
    if config := values.pop(CONFIG, None):
        values = {**read_options(options, cast("str | Path", config)), **values}
    return options(**values)
