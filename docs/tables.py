"""The tables of blocks and of the zoo: ``python docs/tables.py`` writes blocks.md and zoo.md.

Both are made of the declarations and of the files themselves; a test keeps them current.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from automlrank.architecture import Architecture
from automlrank.blocks import BLOCKS
from automlrank.blocks.base import FAMILIES, Block
from automlrank.blocks.domains import short, word
from automlrank.cli.blocks import ports
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


def table(headings: tuple[str, ...]) -> list[str]:
    return [row(headings), row(["---"] * len(headings))]


def row(cells: object) -> str:
    return f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in cells)} |"  # type: ignore[attr-defined]


if __name__ == "__main__":
    for name, text in (("blocks.md", blocks_page()), ("zoo.md", zoo_page())):
        (HERE / name).write_text(text, encoding="utf-8")
