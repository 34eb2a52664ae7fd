"""Outputs: refused early with a sentence, written whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from automlrank.errors import RunError
from automlrank.files import check_file, check_new, write_text


def a_link_to_itself(place: Path) -> Path:
    place.symlink_to(place)
    return place


def a_link(place: Path) -> Path:
    (place.parent / "empty").mkdir()
    place.symlink_to(place.parent / "empty")
    return place


def below_a_file(place: Path) -> Path:
    place.write_text("mine")
    return place / "out"


def full(place: Path) -> Path:
    place.mkdir()
    (place / "notes.txt").write_text("mine")
    return place


def a_pipe(place: Path) -> Path:
    os.mkfifo(place)
    return place


def long_named(place: Path) -> Path:
    return place.parent / ("x" * 300)


NO_FOLDER: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a link to itself": (a_link_to_itself, "is a link."),
    "a link to an empty folder": (a_link, "is a link."),
    "below a file": (below_a_file, "place is no folder."),
    "a folder with something in it": (full, "exists and is not empty."),
    "a pipe": (a_pipe, "exists and is no folder."),
    "a long name": (long_named, "cannot be made: File name too long."),
    "a device": (lambda _: Path(os.devnull), "exists and is no folder."),
    "a name with a null": (lambda place: Path(f"{place}\0"), "cannot be made: "),
}
NO_FILE: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a folder": (full, "is a folder."),
    "where the command runs": (lambda _: Path("."), ". is a folder."),
    "a link to itself": (a_link_to_itself, "is a link that leads nowhere."),
    "below a file": (below_a_file, "there is no folder "),
    "in no folder": (lambda place: place / "page.html", "there is no folder "),
    "a pipe": (a_pipe, "is no file that can be replaced."),
    "a long name": (long_named, "cannot be written: File name too long."),
    "a device": (lambda _: Path(os.devnull), "is no file that can be replaced."),
}


def state(folder: Path) -> list[tuple[str, int]]:
    return sorted((path.name, path.lstat().st_mode) for path in folder.rglob("*"))


def refused(
    check: Callable[[Path], None], make: Callable[[Path], Path], said: str, hint: str, folder: Path
) -> None:
    """A place is refused with what is wrong and what to do, and nothing is left behind."""
    place = make(folder / "place")
    before = state(folder)
    with pytest.raises(RunError) as raised:
        check(place)
    assert said in str(raised.value)
    assert hint in str(raised.value)
    assert state(folder) == before


@pytest.mark.parametrize("name", NO_FOLDER)
def test_an_impossible_folder_is_refused(name: str, tmp_path: Path) -> None:
    refused(check_new, *NO_FOLDER[name], "--out", tmp_path)


@pytest.mark.parametrize("name", NO_FILE)
def test_an_impossible_file_is_refused(name: str, tmp_path: Path) -> None:
    hint = "Give another --html."
    refused(lambda place: check_file(place, hint), *NO_FILE[name], hint, tmp_path)


@pytest.mark.parametrize("place", ["new", "new/and/deeper", "."])
def test_a_place_that_can_be_made_is_left_as_it_was(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    check_new(Path(place))
    assert not list(tmp_path.iterdir())
    check_file(Path("page.html"), "")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_nothing_can_be_made_in_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is mounted for reading, or rights that are missing, also for an administrator."""

    def refuse(path: Path, mode: int = 0) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(RunError, match="new cannot be made: Read-only file system"):
        check_new(tmp_path / "new")


@pytest.mark.parametrize("way", ["write_text", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_names_it(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "page.html"
    write_text(file, "old")

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, way, fail)
    with pytest.raises(OSError, match="No space left") as raised:
        write_text(file, "new")
    assert raised.value.filename == str(file)
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_the_longest_name_can_be_written(tmp_path: Path) -> None:
    file = tmp_path / ("x" * 255)
    write_text(file, "all")
    assert stat.S_ISREG(file.stat().st_mode)
