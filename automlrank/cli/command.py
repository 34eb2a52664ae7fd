"""Commands of the command line, built from declarations of options."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field
from typing import Annotated, Any, TypeVar

import typer

from automlrank.cli.console import Console, Format
from automlrank.cli.failures import reported
from automlrank.options.base import Options, fields_of, shown_default, spelling
from automlrank.options.call import collect
from automlrank.options.kinds import KEY, Option

O = TypeVar("O", bound=Options)  # noqa: E741
FORMAT = Annotated[
    Format, typer.Option("--format", help="Output for a person, a program, or a script.")
]


def command(options: type[O]) -> Callable[[Callable[[Console, O], None]], Callable[..., None]]:
    """Return a decorator that makes a typer command of a function of options.

    The command has the declared options and ``--format``. An option that is not given is left to
    its declaration, so that a file of options can hold it.
    """

    def decorate(body: Callable[[Console, O], None]) -> Callable[..., None]:
        @functools.wraps(body)
        def run(format: Format, **values: Any) -> None:
            given = {name: value for name, value in values.items() if value not in (None, [])}
            body(Console(format), collect(options, given))

        parameters = [*_parameters(options), _parameter("format", FORMAT, Format.human)]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {one.name: one.annotation for one in parameters}
        return reported(run)

    return decorate


def _parameters(options: type[Options]) -> Iterator[inspect.Parameter]:
    for item in fields_of(options):
        option: Option = item.metadata[KEY]
        needed = item.default is MISSING
        make = _argument if option.argument else _option
        annotation = option.type if needed else option.type | None
        default = inspect.Parameter.empty if needed else None
        yield _parameter(item.name, Annotated[annotation, make(item)], default)


def _parameter(name: str, annotation: object, default: object) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)


def _argument(item: Field[Any]) -> Any:
    option: Option = item.metadata[KEY]
    return typer.Argument(metavar=option.metavar, help=option.help, show_default=False)


def _option(item: Field[Any]) -> Any:
    option: Option = item.metadata[KEY]
    default = shown_default(item)
    return typer.Option(
        f"--{spelling(item)}",
        metavar=option.metavar or None,
        help=f"{option.help}  [default: {default}]" if default else option.help,
        show_default=False,
    )
