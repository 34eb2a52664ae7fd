"""The command line: thin commands over the functions of ``jobs``, one file each.

    console   all output: human, json, quiet
    failures  exit codes: 0, 1 failed, 2 wrong use, 128 + N by signal N
    signals   the ends that a terminal or a scheduler asks for
    command   commands made from the options that jobs/options.py declares
    views     the progress of a search
    wording   its sentences

Nothing heavy is imported here: ``--help`` must not wait for torch. A command imports heavy
modules in its function.
"""

from __future__ import annotations

from typing import Annotated

import typer

import automlrank
from automlrank.cli.blocks import blocks
from automlrank.cli.console import show_what_can_be_shown
from automlrank.cli.data import inspect
from automlrank.cli.export import export
from automlrank.cli.failures import told
from automlrank.cli.latency import latency
from automlrank.cli.report import report
from automlrank.cli.search import search
from automlrank.cli.space import check, count, show
from automlrank.cli.train import train
from automlrank.cli.worker import worker

app = typer.Typer(
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: an error stays one sentence, in a pipe as well
    no_args_is_help=True,
    add_completion=False,
)
data_app = typer.Typer(no_args_is_help=True)
space_app = typer.Typer(no_args_is_help=True)
app.command("search")(search)
app.command("train")(train)
app.command("latency")(latency)
app.command("report")(report)
app.command("export")(export)
app.add_typer(data_app, name="data", help="Look at a table.")
data_app.command("inspect")(inspect)
app.add_typer(space_app, name="space", help="Look at a search space or an architecture.")
space_app.command("check")(check)
space_app.command("count")(count)
space_app.command("show")(show)
app.command("blocks")(blocks)
app.command("worker")(worker)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"automlrank {automlrank.__version__}")
        raise typer.Exit


@app.callback()
def automlrank_(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Architecture search for deep ranking models: AUC against latency."""
    show_what_can_be_shown()


@data_app.callback()
def data_() -> None:
    """Look at a table."""


def main() -> None:
    """The console script ``automlrank``."""
    try:
        app(prog_name="automlrank")  # as `python -m` too
    except OSError as error:  # of help and version, which no command of ours prints
        raise SystemExit(told(error)) from None
