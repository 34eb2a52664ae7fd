"""Generated pages: ``python docs/tables.py`` writes blocks.md, zoo.md and options.md.

They are made from the declarations and from the files themselves; a test keeps them current.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from automlrank.architecture import Architecture
from automlrank.blocks import BLOCKS
from automlrank.blocks.base import FAMILIES, Block
from automlrank.blocks.domains import short, word
from automlrank.cli.blocks import ports
from automlrank.jobs.options import COMMANDS
from automlrank.options.base import Options, fields_of, shown_default, spelling
from automlrank.options.kinds import KEY
from automlrank.space.shipped import shipped

HERE = Path(__file__).parent
NOTE = "<!-- Written by docs/tables.py: change the declarations or files and run it again. -->"


def blocks_page() -> str:
    """Every block under its family: formula, ports, knobs, paper."""
    parts = [
        "# Blocks\n",
        NOTE,
        "\n`automlrank blocks NAME` shows one with what its knobs mean. A knob is `name default`, "
        "then in brackets what is searched unless a space says otherwise.",
    ]
    for family in FAMILIES:
        members = [cls for cls in BLOCKS.values() if cls.families[0] == family]
        if members:
            parts += [f"\n## {family}\n", *table(("block", "what it does", "in → out", "knobs"))]
            parts += [row(described(cls)) for cls in members]
    return "\n".join(parts) + "\n"


def described(cls: type[Block]) -> Iterator[str]:
    also = f" Also: {', '.join(cls.families[1:])}." if cls.families[1:] else ""
    yield f"`{cls.name}`"
    yield f"{first_sentence(cls)}{also} <br> {cls.paper}"
    yield ports(cls)
    yield ", ".join(knobs(cls)) or "none"


def first_sentence(cls: type[Block]) -> str:
    """The docstring's first paragraph, its formulas as code."""
    paragraph = " ".join((cls.__doc__ or "").partition("\n\n")[0].split())
    return paragraph.replace("``", "`")


def knobs(cls: type[Block]) -> Iterator[str]:
    for knob in cls.knobs().values():
        default = "the training's" if knob.default is None and knob.inherit else word(knob.default)
        searched = short(knob.search)
        yield f"`{knob.name}` {default}" + (f" [{searched}]" if searched != default else "")


def zoo_page() -> str:
    """Every zoo model: what it is made of, its paper, what was published, what departs."""
    parts = [
        "# The zoo\n",
        NOTE,
        "\nPublished models as architectures: `automlrank train NAME DATA`, or the path of a copy "
        "that you changed. What is not said is the blocks' default. Scores on one table, all "
        "trained alike: [reports/zoo.md](../reports/zoo.md).\n",
        *table(("model", "made of", "paper", "published", "here")),
    ]
    for path in shipped().values():
        if path.parent.name == "zoo":
            title, paper, published, departures = header(path)
            made = Architecture.read(path).summary
            cells = (f"`{path.stem}`", f"{title}: {made}", paper, published, departures)
            parts.append(row(cells))
    return "\n".join(parts) + "\n"


def header(path: Path) -> tuple[str, str, str, str]:
    """Title, paper, published settings and departures of the comment that a file begins with."""
    lines = path.read_text(encoding="utf-8").splitlines()
    head = [line[2:] for line in lines[: lines.index(f"architecture: {path.stem}")]]
    title, _, paper = head[0].partition(": ")
    published, _, departures = " ".join(head[1:]).partition("Departures: ")
    return title, paper, published.removeprefix("Published: ").strip(), departures


def options_page() -> str:
    """Every command with its options: spelling, Python's argument, default, meaning."""
    parts = [
        "# Options\n",
        NOTE,
        "\nA function of `automlrank` takes the options of its command as arguments. "
        "`automlrank search --config search.yaml` reads the options of a search from a file, by "
        "their names without dashes in front (`latency-ms: 30`, `time: 30m`, `join: [...]`, also "
        "`data:`). Options on the command line, or arguments in Python, win. Paths are relative "
        "to the file. A run's `run.yaml` is such a file; its `options:` hold neither `out` nor "
        "`resume`. Every command also has `--format human|json|quiet`.",
    ]
    for name, options in COMMANDS.items():
        parts += [f"\n## automlrank {name}\n", *table(("option", "Python", "default", "meaning"))]
        parts += [row(option_cells(item)) for item in fields_of(options)]
    return "\n".join(parts) + "\n"


def option_cells(item: dataclasses.Field[Options]) -> Iterator[str]:
    option = item.metadata[KEY]
    if option.argument:
        yield f"`{option.metavar}`"
    else:
        yield f"`--{spelling(item)} {option.metavar}`".replace(" `", "`")
    yield f"`{item.name}`"
    default = shown_default(item)
    needed = "required" if item.default is dataclasses.MISSING else ""
    yield f"`{default}`" if default else needed
    yield option.help


def table(headings: tuple[str, ...]) -> list[str]:
    return [row(headings), row(["---"] * len(headings))]


def row(cells: object) -> str:
    return f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in cells)} |"  # type: ignore[attr-defined]


if __name__ == "__main__":
    for name, text in (
        ("blocks.md", blocks_page()),
        ("zoo.md", zoo_page()),
        ("options.md", options_page()),
    ):
        (HERE / name).write_text(text, encoding="utf-8")
