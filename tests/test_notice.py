"""NOTICE names the licence of every file that travels."""

from __future__ import annotations

import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

from plotly.offline import get_plotlyjs

import automlrank

ROOT = Path(automlrank.__file__).parent.parent
NOTICE = (ROOT / "NOTICE").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LICENCES = ("Apache-2.0", "CC-BY-SA-4.0", "MIT", "BSD-3-Clause")


def section(title: str) -> dict[str, str]:
    """What a section's table names, with its licence."""
    text = NOTICE.partition(f"\n{title}")[2]
    text = re.split(r"^IN ", text, maxsplit=1, flags=re.M)[0]
    return dict(re.findall(r"^    (\S.*?) {2,}(\S.*)$", text, re.M))


def packaged() -> list[str]:
    """The files of the wheel: modules and package data."""
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["automlrank"]
    package = ROOT / "automlrank"
    files = [*package.rglob("*.py"), *(path for glob in patterns for path in package.glob(glob))]
    return [path.relative_to(ROOT).as_posix() for path in files]


def test_every_file_of_the_wheel_has_one_licence() -> None:
    table = section("IN THE WHEEL")
    for file in packaged():
        found = [pattern for pattern in table if fnmatch(file, pattern)]
        assert len(found) == 1, (file, found)
    for pattern, licence in table.items():
        assert licence in LICENCES
        assert [file for file in packaged() if fnmatch(file, pattern)], f"no file is {pattern}"


def test_the_samples_say_their_licence() -> None:
    """Each has its page, which travels, and its line."""
    samples = list((ROOT / "automlrank/data/samples").glob("*.parquet"))
    assert samples
    for sample in samples:
        page = sample.with_suffix(".LICENSE.md").read_text(encoding="utf-8")
        licence = section("IN THE WHEEL")[sample.relative_to(ROOT).as_posix()]
        assert licence.replace("-", " ").replace("BY SA", "BY-SA") in page


def test_the_page_s_script_is_named_with_all_that_it_bundles() -> None:
    table, script = section("IN A PAGE"), get_plotlyjs()
    head = script[:400]
    assert "plotly.js" in head
    assert "Licensed under the MIT license" in head
    assert table["plotly.js"].startswith("MIT")
    named = " ".join(table).lower()
    comments = re.findall(r"/\*[!*].{0,500}?\*/", script, re.S)
    for comment in comments:
        if re.search(r"licen[sc]e", comment, re.I):
            known = [name for name in re.split(r",? ", named) if name in comment.lower()]
            assert known, comment
    for licence in table.values():
        assert licence.startswith(LICENCES)


def test_licence_files_travel() -> None:
    globs = PROJECT["project"]["license-files"]
    files = {p.relative_to(ROOT).as_posix() for glob in globs for p in ROOT.glob(glob)}
    assert files >= {"LICENSE", "NOTICE", "automlrank/data/samples/kuairand.LICENSE.md"}
