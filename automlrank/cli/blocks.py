"""``automlrank blocks``: the blocks that models are built from."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from automlrank.cli.command import command
from automlrank.cli.console import Console, Format
from automlrank.errors import UsageError, nearest
from automlrank.jobs.options import BlocksOptions

if TYPE_CHECKING:
    from rich.table import Table

    from automlrank.blocks.base import Block, Knob

PARAGRAPH = "\n\n"


@command(BlocksOptions)
def blocks(console: Console, options: BlocksOptions) -> None:
    """List the blocks, or show one with its formula and its knobs."""
    from automlrank.blocks import BLOCKS

    name = options.name
    if name is not None and name not in BLOCKS:
        hint = nearest(name, BLOCKS) or "automlrank blocks lists them."
        raise UsageError(f"no block {name!r}.", hint)
    chosen = list(BLOCKS.values()) if name is None else [BLOCKS[name]]
    console.data(lambda: [as_data(cls) for cls in chosen])
    if console.format is Format.human:
        if name is None:
            console.show(overview(BLOCKS))
            console.say("automlrank blocks NAME shows one with its knobs.")
        else:
            show_one(console, chosen[0])
    console.brief(*(cls.name for cls in chosen))


def show_one(console: Console, cls: type[Block]) -> None:
    """Show a block's formula, ports, paper and knobs."""
    from rich.text import Text

    console.say(f"{cls.name} ({', '.join(cls.families)})   {ports(cls)}")
    console.say()
    console.show(Text(doc(cls)))
    console.say()
    console.say(cls.paper)
    if cls.knobs():
        console.show(knob_table(cls.knobs().values()))


def overview(known: Mapping[str, type[Block]]) -> Table:
    """Return a table of all blocks under the headings of their families."""
    from rich.text import Text

    from automlrank.blocks.base import FAMILIES

    table = _table("block", "in → out", "what it does")
    table.columns[0].no_wrap = True
    table.columns[1].max_width = 18  # leaves half of 80 columns to the description
    for family in FAMILIES:
        members = [cls for cls in known.values() if cls.families[0] == family]
        if members:
            table.add_row(Text(family, style="bold"))
        for cls in members:
            also = f" Also: {', '.join(cls.families[1:])}." if cls.families[1:] else ""
            what = Text(f"{doc(cls).split(PARAGRAPH)[0]}{also}\n").append(cls.paper, style="dim")
            table.add_row(f"  {cls.name}", Text(ports(cls)), what)
    return table


def knob_table(knobs: Iterable[Knob]) -> Table:
    """Return a table of knobs; those left open have the training's value."""
    from rich.text import Text

    from automlrank.blocks.domains import short, word

    table = _table("knob", "default", "searched", "legal", "what it is")
    for knob in knobs:
        usual = (word(knob.default), short(knob.search))
        if knob.default is None and knob.inherit:
            usual = ("training's", "training's")
        texts = (knob.name, *usual, short(knob.legal).replace("|", " | "), knob.help)
        table.add_row(*(Text(text) for text in texts))
    return table


def _table(*headings: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def doc(cls: type[Block]) -> str:
    """Return a block's docstring as plain text."""
    return inspect.cleandoc(cls.__doc__ or "").replace("``", "")


def ports(cls: type[Block]) -> str:
    """Return the ports that a block reads and gives, without the number of tasks."""
    from automlrank.blocks.accepted_ports import members_of
    from automlrank.blocks.base import Block
    from automlrank.blocks.ports import Targets

    if cls.out is Block.out:
        return "-"
    given = [hint for hint in cls.inputs().values() if hint is not Targets]
    sides = (" + ".join(_names(hint) for hint in given), _names(members_of(cls.gives())))
    return " → ".join(sides)


def _names(hint: object) -> str:
    from automlrank.blocks.accepted_ports import members_of

    classes = members_of(hint) if not isinstance(hint, frozenset) else hint
    return "|".join(sorted(cls.__name__ for cls in classes))


def as_data(cls: type[Block]) -> dict[str, object]:
    """Return a block as JSON-safe data; domains are written as in YAML."""
    knobs = {
        knob.name: {
            "default": knob.default,
            "inherit": knob.inherit,
            "search": knob.search.to_data(),
            "legal": knob.legal.to_data(),
            "help": knob.help,
        }
        for knob in cls.knobs().values()
    }
    return {
        "name": cls.name,
        "families": list(cls.families),
        "ports": ports(cls),
        "doc": doc(cls),
        "paper": cls.paper,
        "knobs": knobs,
    }
